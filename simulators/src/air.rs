//! The air between terminals: what it loses, delays, doubles and cuts off.
//!
//! Three verdicts, as in every good network simulator: pass, deliver after, drop. The air knows bearers and numbers,
//! not gateways.

use crate::seed::Seed;
use crate::terminal::AirMessage;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};

/// How one bearer behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Transmissions out of 1000 that do not arrive, per receiver.
    pub loss_permille: u32,
    pub delay_min: Duration,
    pub delay_mean: Duration,
    /// Transmissions out of 1000 that arrive a second time, half to five mean delays later.
    pub duplicate_permille: u32,
    /// Relays on the way, each of which loses and delays anew; 0 counts as 1.
    pub hops: u32,
    /// One that begins so soon after another garbles itself: nobody waits his turn by more than listening.
    pub collides_within: Duration,
    /// Share of the time, out of 1000, in which somebody speaks: data on the channel is lost then.
    pub voice_permille: u32,
    /// From–to: nothing passes.
    pub outages: Vec<(Duration, Duration)>,
    /// Numbers that are cut off from all the others (each other included) while they stand here.
    pub shadowed: BTreeSet<TerminalId>,
}

impl Weather {
    /// The typical figures of a bearer: Beidou 3.8 s mean delay and 4.5 % loss (published measurements), radio a
    /// few hundred milliseconds.
    #[must_use]
    pub fn typical(bearer: Bearer) -> Self {
        let (loss_permille, delay_min, delay_mean) = match bearer {
            Bearer::Beidou => (45, 1_200, 3_800),
            Bearer::Satphone => (20, 2_000, 6_000),
            Bearer::Radio370 | Bearer::Mesh => (20, 150, 400),
            Bearer::Ip => (0, 10, 40),
        };
        Self {
            loss_permille,
            delay_min: Duration::from_millis(delay_min),
            delay_mean: Duration::from_millis(delay_mean),
            duplicate_permille: 0,
            hops: 1,
            collides_within: Duration::ZERO,
            voice_permille: 0,
            outages: Vec::new(),
            shadowed: BTreeSet::new(),
        }
    }

    fn is_out(&self, now: Duration) -> bool {
        self.outages.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Even between the least delay and as far above the mean as the least is below it.
    fn delay(&self, seed: &mut Seed) -> Duration {
        let span = self.delay_mean.saturating_sub(self.delay_min);
        seed.time_between(self.delay_min, self.delay_mean + span)
    }
}

/// How long somebody holds the key.
const TALK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(12));

/// What is going on in one net's channel.
#[derive(Clone, Debug, Default)]
struct Channel {
    /// When the last transmission began, and whose it was.
    last: Option<(Duration, TerminalId)>,
    /// Somebody speaks from–to; the next time somebody does, once this is over.
    talk: (Duration, Duration),
}

/// What the air does with one transmission on its way to one receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives after this time, and once more after `again`.
    Deliver {
        after: Duration,
        again: Option<Duration>,
    },
    Drop,
}

/// All bearers. A bearer without weather carries everything at once.
#[derive(Clone, Debug)]
pub struct Air {
    pub weather: BTreeMap<Bearer, Weather>,
    /// By net: terminals of two makes do not hear each other.
    channels: BTreeMap<&'static str, Channel>,
    seed: Seed,
}

impl Air {
    #[must_use]
    pub fn new(seed: &Seed) -> Self {
        Self { weather: BTreeMap::new(), channels: BTreeMap::new(), seed: seed.stream("air") }
    }

    /// Begins a transmission; whether it is garbled for everybody, by another one or by a voice.
    pub fn is_garbled(&mut self, now: Duration, net: &'static str, message: &AirMessage) -> bool {
        let Some(weather) = self.weather.get(&message.from.bearer) else { return false };
        let channel = self.channels.entry(net).or_default();
        let last = channel.last.replace((now, message.from.clone()));
        let collided = last.is_some_and(|(at, from)| from != message.from && now < at + weather.collides_within);
        while weather.voice_permille > 0 && channel.talk.1 <= now {
            let talk = self.seed.time_between(TALK.0, TALK.1);
            // Silence lasts so much longer than talk that the share comes out, and is even from nothing to twice that.
            let silence = talk * (1_000_u32.saturating_sub(weather.voice_permille)) / weather.voice_permille;
            let from = channel.talk.1 + self.seed.time_between(Duration::ZERO, silence * 2);
            channel.talk = (from, from + talk);
        }
        collided || (weather.voice_permille > 0 && channel.talk.0 <= now)
    }

    /// What becomes of `message` on its way to `receiver`.
    pub fn verdict(&mut self, now: Duration, message: &AirMessage, receiver: &TerminalId) -> Verdict {
        let Some(weather) = self.weather.get(&message.from.bearer) else {
            return Verdict::Deliver { after: Duration::ZERO, again: None };
        };
        // Every transmission takes the same draws, so that an outage here does not change the luck of the rest.
        let (mut lost, mut after) = (false, Duration::ZERO);
        for _ in 0..weather.hops.max(1) {
            lost |= self.seed.chance(weather.loss_permille);
            after += weather.delay(&mut self.seed);
        }
        let doubled = self.seed.chance(weather.duplicate_permille);
        let gap = self.seed.time_between(weather.delay_mean / 2, weather.delay_mean * 5);
        let cut = weather.shadowed.contains(receiver) || weather.shadowed.contains(&message.from);
        if lost || cut || weather.is_out(now) {
            return Verdict::Drop;
        }
        Verdict::Deliver { after, again: doubled.then_some(after + gap) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::Said;
    use yizhan_codecs::message::Addressee;

    fn beidou(number: u32) -> TerminalId {
        TerminalId::from_number(Bearer::Beidou, number)
    }

    fn message(serial: u64) -> AirMessage {
        let said = Said::Text { text: "水位上涨".into(), request: 0 };
        AirMessage { from: beidou(1), to: Addressee::Terminal(beidou(2)), serial, said }
    }

    fn air(change: impl FnOnce(&mut Weather)) -> Air {
        let mut weather = Weather::typical(Bearer::Beidou);
        change(&mut weather);
        let mut air = Air::new(&Seed::new(1));
        air.weather.insert(Bearer::Beidou, weather);
        air
    }

    #[test]
    fn loss_and_delay_follow_the_weather() {
        let mut air = air(|weather| weather.loss_permille = 200);
        let mut arrived = Vec::new();
        for serial in 0..5_000 {
            if let Verdict::Deliver { after, .. } = air.verdict(Duration::ZERO, &message(serial), &beidou(2)) {
                arrived.push(after);
            }
        }
        assert!((3_900..=4_100).contains(&arrived.len()), "{}", arrived.len());
        let mean = arrived.iter().sum::<Duration>() / u32::try_from(arrived.len()).unwrap();
        assert!((3_700..=3_900).contains(&mean.as_millis()), "{mean:?}");
        assert!(arrived.iter().all(|after| *after >= Duration::from_millis(1_200)));
    }

    #[test]
    fn every_hop_loses_and_delays_anew() {
        let mut air = air(|weather| (weather.loss_permille, weather.hops) = (200, 3));
        let verdicts: Vec<_> = (0..5_000).map(|n| air.verdict(Duration::ZERO, &message(n), &beidou(2))).collect();
        let arrived = verdicts.iter().filter(|verdict| **verdict != Verdict::Drop).count();
        assert!((2_460..=2_660).contains(&arrived), "{arrived} of 5000 at 0.8 x 0.8 x 0.8");
        let three_hops = |verdict: &Verdict| match verdict {
            Verdict::Deliver { after, .. } => *after >= Duration::from_millis(3 * 1_200),
            Verdict::Drop => true,
        };
        assert!(verdicts.iter().all(three_hops));
    }

    #[test]
    fn who_begins_while_another_one_transmits_is_garbled_and_so_is_who_transmits_into_a_voice() {
        let mut air = air(|weather| weather.collides_within = Duration::from_millis(500));
        let at = |ms| Duration::from_millis(ms);
        let by = |from| AirMessage { from: beidou(from), ..message(1) };
        let garbled = [(0, 1), (400, 2), (800, 1), (2_000, 2), (2_100, 2)]
            .map(|(ms, from)| air.is_garbled(at(ms), "net", &by(from)));
        assert_eq!(garbled, [false, true, true, false, false]);
        assert!(!air.is_garbled(at(2_150), "other", &by(1)), "two nets do not hear each other");
    }

    #[test]
    fn voices_take_their_share_of_the_time() {
        let mut air = air(|weather| weather.voice_permille = 300);
        let spoken = (0..200_000_u64)
            .filter(|tenth| air.is_garbled(Duration::from_millis(tenth * 100), "net", &message(1)))
            .count();
        assert!((54_000..=66_000).contains(&spoken), "{spoken} of 200000 at 30 %");
    }

    #[test]
    fn an_outage_drops_everything_and_leaves_the_luck_of_others_alone() {
        let window = (Duration::from_secs(10), Duration::from_secs(20));
        let mut cut = air(|weather| weather.outages.push(window));
        let mut clear = air(|_| ());
        for second in 0..30 {
            let now = Duration::from_secs(second);
            let (cut, clear) = (cut.verdict(now, &message(1), &beidou(2)), clear.verdict(now, &message(1), &beidou(2)));
            assert_eq!(cut, if (10..20).contains(&second) { Verdict::Drop } else { clear });
        }
    }

    #[test]
    fn a_shadowed_number_neither_hears_nor_is_heard() {
        let mut air = air(|weather| {
            weather.loss_permille = 0;
            weather.shadowed.insert(beidou(2));
        });
        assert_eq!(air.verdict(Duration::ZERO, &message(1), &beidou(2)), Verdict::Drop);
        assert_ne!(air.verdict(Duration::ZERO, &message(1), &beidou(3)), Verdict::Drop);
    }
}
