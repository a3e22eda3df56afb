//! What becomes of a frame in the air, slot by slot.

use crate::seed::Seed;

/// A link's air. Both ways share it: who cannot be heard cannot hear.
#[derive(Clone, Debug)]
pub enum Channel {
    /// Every frame is lost by itself, `loss` of 1000.
    Even { loss: u32 },
    /// Two states that hold for a while, such as a gorge and a ridge.
    Fading { fade: Fade, bad: bool },
}

/// A two-state channel.
#[derive(Clone, Copy, Debug)]
pub struct Fade {
    /// Losses of 1000 in the good and in the bad state.
    pub loss: [u32; 2],
    /// Steps that a state lasts in the mean, good and bad.
    pub lasts: [u32; 2],
}

/// The gorge: 40 % lost in the mean, in bursts of 15 slots. One frame in ten still gets through at the bottom of it,
/// so that blind repetition loses what `facts` measured for it (11 % of single frames sent eight times).
pub const GORGE: Fade = Fade { loss: [66, 900], lasts: [22, 15] };

impl Fade {
    /// Losses of 1000 over a long time.
    #[must_use]
    pub fn mean_loss(&self) -> u32 {
        let [good, bad] = self.lasts;
        let [good_loss, bad_loss] = self.loss;
        (good * good_loss + bad * bad_loss) / (good + bad).max(1)
    }

    /// The channel at a random moment of its long life.
    pub fn begin(self, chance: &mut Seed) -> Channel {
        let [good, bad] = self.lasts.map(u64::from);
        Channel::Fading { fade: self, bad: chance.below(good + bad) < bad }
    }
}

impl Channel {
    /// One slot passes.
    pub fn step(&mut self, chance: &mut Seed) {
        if let Self::Fading { fade, bad } = self {
            let lasts = fade.lasts[usize::from(*bad)];
            if chance.below(lasts.into()) == 0 {
                *bad = !*bad;
            }
        }
    }

    /// Whether a frame sent now is heard.
    pub fn passes(&self, chance: &mut Seed) -> bool {
        !chance.chance(self.loss())
    }

    /// The loss now, of 1000.
    #[must_use]
    pub fn loss(&self) -> u32 {
        match self {
            Self::Even { loss } => *loss,
            Self::Fading { fade, bad } => fade.loss[usize::from(*bad)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gorge_loses_four_in_ten_in_bursts_of_fifteen_slots() {
        let mut chance = Seed::new(1);
        let mut air = GORGE.begin(&mut chance);
        let (mut lost, mut bursts, mut bad_slots) = (0_u32, 0_u32, 0_u32);
        for _ in 0..200_000 {
            let before = air.loss();
            air.step(&mut chance);
            bursts += u32::from(air.loss() > before);
            bad_slots += u32::from(air.loss() == 900);
            lost += u32::from(!air.passes(&mut chance));
        }
        assert!((78_000..=84_000).contains(&lost), "{lost}");
        assert!((14..=16).contains(&(bad_slots / bursts)), "{}", bad_slots / bursts);
        assert_eq!(GORGE.mean_loss(), 404);
    }
}
