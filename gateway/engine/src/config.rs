//! The engine's share of the config: what describes the box. Journaled as `Configured` at start and on reload.

use std::sync::Arc;
use std::time::Duration;
use yizhan_codecs::air::form::Area;
use yizhan_codecs::air::key::Net;
use yizhan_codecs::air::seal::Cipher;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::message::{LinkId, Precedence, StationId};

/// What the engine has to know of the box.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    pub station: StationId,
    pub links: Vec<LinkConfig>,
    pub policy: Policy,
    /// The nets in which this station speaks to others: at most one of real traffic and one of exercises.
    pub nets: Vec<AirNet>,
    /// Origins and places that all stations of the net know under the same numbers.
    pub area: Area,
}

/// A net, and what holds its keys.
#[derive(Clone, Debug)]
pub struct AirNet {
    pub net: Net,
    pub cipher: Arc<dyn Cipher>,
}

/// One local port and the device behind it.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    pub id: LinkId,
    /// The device's name in the register.
    pub device: String,
    pub profile: Profile,
    /// The numbers that this link is for; several nets share a bearer.
    pub reach: Reach,
    /// Least time between two sends, for cards that cannot tell; a card's own word wins when it is longer.
    pub period: Option<Duration>,
    /// Air budget of one message in bits, for cards that cannot tell.
    pub capacity_bits: Option<u32>,
    /// Added to every period: a send that is refused as too early costs the slot.
    pub guard: Duration,
}

/// The numbers that a link is for. Empty = every number that its device can write.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(Vec<Stretch>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Stretch {
    /// `2300-2399`, both ends included.
    Range(u64, u64),
    /// `!a1b2c3d4`, `BH4XYZ-7`: one number as it is written.
    One(String),
}

/// Why a list of numbers was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is neither a number nor a range like 2300-2399 with the lower end first")]
pub struct ReachError {
    pub found: String,
}

impl Reach {
    /// Reads numbers and ranges.
    ///
    /// # Errors
    /// [`ReachError`] naming the first that is neither.
    pub fn read<'a>(list: impl IntoIterator<Item = &'a str>) -> Result<Self, ReachError> {
        let read = |word: &str| -> Result<Stretch, ReachError> {
            let refused = || ReachError { found: word.into() };
            let word = word.trim();
            if word.is_empty() {
                return Err(refused());
            }
            let ends = word
                .split_once('-')
                .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
            match ends {
                Some((low, high)) if low <= high => Ok(Stretch::Range(low, high)),
                Some(_) => Err(refused()),
                None => Ok(Stretch::One(word.into())),
            }
        };
        list.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Whether the link is for this number.
    #[must_use]
    pub fn has(&self, number: &str) -> bool {
        let within = |stretch: &Stretch| match stretch {
            Stretch::Range(low, high) => number.parse().is_ok_and(|n: u64| (*low..=*high).contains(&n)),
            Stretch::One(one) => one == number,
        };
        self.0.is_empty() || self.0.iter().any(within)
    }
}

/// Numbers of judgement. One place, one default each; the example config shows them all.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Places in the outbox (deliveries that are not closed).
    pub outbox_max: usize,
    /// Of these, places that only FLASH may take.
    pub flash_reserved: usize,
    /// Of 1000 queued slots outside FLASH, what one sender may hold.
    pub sender_share: u32,
    /// Slots that are counted as queued at least where somebody sends from the field, so that an empty queue takes something.
    pub sender_share_from: u32,
    /// How long a message lives, by precedence.
    pub life: PerPrecedence<Duration>,
    /// How many copies of a text go to a terminal that cannot confirm, by precedence, until there is evidence.
    pub copies: PerPrecedence<u8>,
    /// Characters of one submitted text, at most.
    pub text_chars_max: usize,
    /// Parts of one text to a plain terminal, at most.
    pub parts_max: usize,
    /// How often an unauthenticated SOS is relayed by itself in `sos_relay_window` per link; then a person confirms.
    pub sos_relays_max: usize,
    pub sos_relay_window: Duration,
    /// Whether a plain terminal's SOS is answered by itself with「已收到」.
    pub sos_auto_answer: bool,
    /// Whether an enrolled terminal is asked back when its keypad line is not clear.
    pub keypad_questions: bool,
    /// Loss that is reckoned with on the way to a station before anything is known of it, of 1000.
    pub loss_permille: u32,
    /// How long a unit's position may wait to be told on.
    pub position_life: Duration,
    /// How long closed messages stay in memory.
    pub remember: Duration,
    /// Unreadable frames and noise journaled per link and minute; the rest is counted.
    pub unreadable_per_minute: u32,
}

/// One value per precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerPrecedence<T> {
    pub flash: T,
    pub immediate: T,
    pub priority: T,
    pub routine: T,
}

impl<T: Copy> PerPrecedence<T> {
    #[must_use]
    pub const fn of(&self, precedence: Precedence) -> T {
        match precedence {
            Precedence::Flash => self.flash,
            Precedence::Immediate => self.immediate,
            Precedence::Priority => self.priority,
            Precedence::Routine => self.routine,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        Self {
            outbox_max: 2_048,
            flash_reserved: 256,
            sender_share: 400,
            sender_share_from: 40,
            life: PerPrecedence {
                flash: minutes(15),
                immediate: minutes(60),
                priority: minutes(240),
                routine: minutes(720),
            },
            copies: PerPrecedence { flash: 3, immediate: 2, priority: 1, routine: 1 },
            text_chars_max: 1_000,
            parts_max: 32,
            sos_relays_max: 6,
            sos_relay_window: minutes(10),
            sos_auto_answer: true,
            keypad_questions: true,
            loss_permille: 50,
            position_life: minutes(10),
            remember: Duration::from_secs(72 * 3_600),
            unreadable_per_minute: 6,
        }
    }
}
