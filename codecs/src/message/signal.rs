use super::{Addressee, CardInfo, OrderKind, Outcome, Position, Rung, TerminalId, Utc};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One thing a terminal said, in words. `Codec::decode` makes them; the engine judges them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// A message from the far side, or between others and overheard by us.
    Heard(Heard),
    /// Where a terminal is. `emergency` is the terminal's own alarm flag.
    Position { of: TerminalId, position: Position, emergency: bool },
    /// A terminal's alarm key, without a position.
    Emergency { of: TerminalId, on: bool },
    /// A terminal has come (`present`) or gone. `registered_as` is set when it registered and waits for our answer:
    /// its address as it wrote it, which the acknowledgement gives back. It is `None` when it only answered a question.
    Presence { of: TerminalId, present: bool, registered_as: Option<u32> },
    /// Our own terminal on what it was told to do. `about` is `None` when it came unasked.
    Feedback { about: Option<OrderKind>, outcome: Outcome },
    /// The far side's machine (or the network for it) on a message of ours. `native` is the request id that we gave.
    Delivery { by: TerminalId, native: u32, delivered: bool, code: u16 },
    /// How far a message of ours is proven to have come by now, short of its end: a neighbour repeated it, the network
    /// took it. `native` is the number that we gave.
    Progress { native: u32, rung: Rung },
    /// The card in our own terminal.
    Card(CardInfo),
    /// Strength of our own terminal's signal: 0 none to 4 best; `usable` says whether sending makes sense.
    Strength { best: u8, usable: bool },
    /// Battery of our own terminal, percent where the terminal gives one.
    Battery { percent: Option<u8> },
    /// Seconds until our terminal may send again, said without being asked by a refusal.
    Countdown { wait: Duration },
    /// The terminal's clock. GNSS time where `gnss`, else Beidou network time.
    Time { at: Utc, gnss: bool },
    /// A frame that was understood and is worth a line in the day's log, no more.
    Remark { what: &'static str, detail: String },
}

/// A message as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub from: TerminalId,
    /// The number 0 is our own terminal, where the bearer does not say which card a message came in on.
    pub to: Addressee,
    pub content: Content,
    /// The bearer's own message number, for telling a retransmission from a second message.
    pub native: Option<NativeId>,
    /// Which part of a longer text this is, where the bearer itself cut it.
    pub part: Option<Part>,
    /// Overheard between others (a command unit hears its subordinates): may arrive twice, is not for us alone.
    pub overheard: bool,
    /// When it was sent, where the bearer says so with a full date.
    pub sent_at: Option<Utc>,
    /// The air side's own check failed: shown, marked, never relayed by itself.
    pub damaged: bool,
}

/// What stood in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Readable text. `lossy` when bytes had to be replaced; the raw bytes are in the capture then.
    Text { text: String, lossy: bool },
    /// Bytes without a text meaning: packed frames between stations, vendor payloads, digits.
    Opaque(#[serde(with = "serde_bytes_compat")] Bytes),
}

impl Content {
    /// The bytes as they stood on a bearer whose charset is GB18030, for a sender whom the roster knows as a station:
    /// one packed frame of 12 bytes in twenty reads as Chinese text by chance. Codecs say text only where this gives
    /// the same bytes back; empty where a text is lossy or has a character outside the charset.
    #[must_use]
    pub fn gb18030_bytes(&self) -> Bytes {
        match self {
            Self::Opaque(bytes) => bytes.clone(),
            Self::Text { text, lossy: false } => {
                let (bytes, _, unmappable) = encoding_rs::GB18030.encode(text);
                if unmappable { Bytes::new() } else { Bytes::from(bytes.into_owned()) }
            }
            Self::Text { .. } => Bytes::new(),
        }
    }
}

/// One part of a text that the bearer cut into several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The same in all parts of one text of a sender.
    pub reference: u16,
    /// From 1.
    pub number: u8,
    pub total: u8,
}

/// The bearer's own number of a message and how long the same number still means the same message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeId {
    pub id: u64,
    /// Within this time the same sender, number and content is a retransmission; after it, a new message.
    pub repeats_within: Duration,
}

mod serde_bytes_compat {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(Bytes::from)
    }
}
