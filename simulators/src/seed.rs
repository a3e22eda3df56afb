//! Chance, as a value: SplitMix64 (Steele, Lea, Flood 2014). Small, `Clone`, the same on every machine.

use std::time::Duration;

/// A stream of chance. Two streams from one seed with different names never disturb each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for `name`, so that one more draw here changes nothing there.
    #[must_use]
    pub fn stream(&self, name: &str) -> Self {
        // FNV-1a over the name, then mixed with the seed.
        let hash = name
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
        Self(mix(self.0 ^ hash))
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.draw()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True in `permille` of 1000 draws.
    pub fn chance(&mut self, permille: u32) -> bool {
        self.below(1_000) < u64::from(permille)
    }

    /// A time in `low..=high`, to the millisecond.
    pub fn time_between(&mut self, low: Duration, high: Duration) -> Duration {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.between(millis(low), millis(high)))
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_published_sequence() {
        // The first outputs of SplitMix64 for seed 1234567, as in the reference implementation.
        let mut seed = Seed::new(1_234_567);
        assert_eq!([seed.draw(), seed.draw()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn named_streams_do_not_disturb_each_other() {
        let root = Seed::new(7);
        let (mut air, mut disk) = (root.stream("air"), root.stream("disk"));
        let before = disk.clone().draw();
        air.draw();
        assert_eq!(disk.draw(), before);
        assert_ne!(root.stream("air").draw(), before);
    }

    #[test]
    fn chance_and_ranges_keep_their_bounds() {
        let mut seed = Seed::new(3);
        let hits = (0..10_000).filter(|_| seed.chance(200)).count();
        assert!((1_800..=2_200).contains(&hits), "{hits}");
        assert!((0..1_000).all(|_| (1..=40).contains(&seed.between(1, 40))));
        assert_eq!(seed.below(0), 0);
    }
}
