//! Terminals as state machines: no ports, no clock, no engine. The same machine stands on a virtual link in a drill
//! and on a real pseudo-terminal or UDP port in a live rehearsal.
//!
//! A host calls one of the `&mut` methods and then drains [`Terminal::poll`] to `None`. Time counts from the moment
//! at which the terminal was made; [`TerminalOutput::WakeAt`] replaces the one before.

pub mod beidou;
pub mod handset;
pub mod hytera;
pub mod ip_radio;
pub mod kinds;
pub mod kiss;
pub mod meshcore;
pub mod meshtastic;
mod numbers;
pub mod pei;
pub mod raw;
pub mod tiantong;
pub mod trbo;

use bytes::Bytes;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::message::{Addressee, Position, TerminalId};

/// One device as the world sees it: bytes to and from its host, messages to and from the air, keys that a person
/// presses.
pub trait Terminal: TerminalClone + fmt::Debug + Send {
    /// Bytes from the host, in any chunking. On a datagram link one whole datagram, and `to` where it was sent.
    fn heard_host(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]);

    /// A message that the air has brought here. It may be for somebody else.
    fn heard_air(&mut self, now: Duration, message: &AirMessage);

    /// A person or fate does something to the terminal.
    fn act(&mut self, now: Duration, act: &Act);

    /// The time asked for has come. Waking early or too often is harmless.
    fn wake(&mut self, now: Duration);

    /// What it does next; drained to `None` after every call above, and once after it was made.
    fn poll(&mut self) -> Option<TerminalOutput>;

    /// Whether its antenna takes up messages for this address.
    fn hears(&self, to: &Addressee) -> bool;

    /// What it has counted since it was made; a reboot does not clear it.
    fn tally(&self) -> Tally;
}

/// What a terminal wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalOutput {
    /// Bytes to the host. On a datagram link `from` is the address they seem to come from.
    ToHost { from: Option<SocketAddr>, bytes: Bytes },
    /// A message leaves the antenna.
    ToAir(AirMessage),
    /// A person sees this on the screen.
    Shown { from: TerminalId, text: String },
    /// Call [`Terminal::wake`] at this time.
    WakeAt(Duration),
}

/// One transmission. Copies that the air makes of it are equal to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AirMessage {
    pub from: TerminalId,
    pub to: Addressee,
    /// Counts the messages of `from`. A person who types the same text again makes another message; a machine that
    /// tries the same message again keeps its number.
    pub serial: u64,
    pub said: Said,
}

/// What a transmission carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Readable text. `request` is the bearer's own number of it, 0 where it has none.
    Text { text: String, request: u32 },
    /// Bytes without a text meaning.
    Bytes { bytes: Bytes, request: u32 },
    /// A radio on a text or bytes for it: its machine has them.
    Taken { request: u32 },
    /// A radio tells the network that it is there.
    Register,
    /// The network took the registration; it wants another one within `renew`.
    Registered { renew: Duration },
    /// Is the radio there?
    AskPresence,
    /// It is.
    Present,
    /// Where is the radio?
    AskPosition { request: u32 },
    /// Here. `None` when it has no fix.
    Position { request: u32, position: Option<Position> },
    /// The alarm key: pressed and where, or released.
    Emergency { on: bool, position: Option<Position> },
}

/// What a person or fate does to a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Type a text and press send.
    Type { to: Addressee, text: String },
    /// Press the alarm key.
    Alarm { on: bool },
    /// Power off and on again.
    Reboot,
    /// Take the card out, or put it back.
    Card { present: bool },
    /// The beams: 0 none to 4 best.
    Beams { strength: u8 },
    /// The network suppresses transmission, or lifts it.
    Suppress { on: bool },
    /// Someone sets radio silence, or lifts it.
    Silence { on: bool },
    /// The battery sinks below what transmission needs, or is charged.
    Battery { low: bool },
    /// From now on feedback comes this late; `None` = not at all.
    Feedback { after: Option<Duration> },
    /// Noise on the cable: these bytes appear at the host.
    Noise { bytes: Bytes },
}

/// What a terminal has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Send orders from the host.
    pub ordered: u64,
    /// Transmissions.
    pub sent: u64,
    /// Send orders that came before the slot was free. Law 4 says: none.
    pub sent_too_early: u64,
    /// Send orders that did not fit into the card's grade.
    pub too_long: u64,
    /// Send orders refused for another reason (no beam, suppressed, silence, battery, no card).
    pub refused: u64,
    /// Bytes from the host that were no order.
    pub unreadable: u64,
    /// Messages taken up from the air.
    pub received: u64,
}

/// Lets boxed terminals be cloned, so that a crash test can fork the world.
pub trait TerminalClone {
    fn clone_box(&self) -> Box<dyn Terminal>;
}

impl<T: Terminal + Clone + 'static> TerminalClone for T {
    fn clone_box(&self) -> Box<dyn Terminal> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Terminal> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}
