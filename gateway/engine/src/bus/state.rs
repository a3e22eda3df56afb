//! What the station knows: a fold over its journal.

use super::{Delivery, Experience, Message, NetState, OpenAttempt};
use crate::event::AttemptId;
use crate::io::Offset;
use crate::people::Roster;
use serde::{Deserialize, Serialize};
use sm3::{Digest, Sm3};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{LinkId, MessageId, Position, TerminalId};

/// The folded state. Canonical and serialisable; sessions, timers and everything that a restart forgets are not in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The last record that is in here.
    pub offset: Offset,
    /// Whose journal it is; 0 before the first record.
    pub(crate) station: u16,
    /// Message counters that may be used end here (inclusive).
    pub(crate) ids_through: u32,
    /// The highest message counter in use.
    pub(crate) id_last: u32,
    /// The highest attempt number in use.
    pub(crate) attempt_last: u64,
    pub(crate) roster: Arc<Roster>,
    pub(crate) messages: BTreeMap<MessageId, Message>,
    /// Deliveries without an end.
    pub(crate) open: BTreeSet<(MessageId, u16)>,
    pub(crate) attempts: BTreeMap<AttemptId, OpenAttempt>,
    /// Attempts that ended without a good word; the far side may still say one.
    pub(crate) silent: BTreeMap<AttemptId, OpenAttempt>,
    pub(crate) cards: BTreeMap<CardKey, CardFact>,
    /// How a message was first heard, for telling a repeat from a new one.
    pub(crate) origins: BTreeMap<OriginKey, MessageId>,
    /// Numbered parts of texts that are not whole yet.
    pub(crate) partials: BTreeMap<TerminalId, Partial>,
    /// What came from other stations and is owed to them, by the traffic of the net.
    pub(crate) nets: BTreeMap<Traffic, NetState>,
    /// Open SOS by unit, the terminal that called, and by whether it is an exercise.
    pub(crate) sos: BTreeMap<(TerminalId, Traffic), MessageId>,
    pub(crate) contacts: BTreeMap<TerminalId, Contact>,
    /// How forecasts have turned out.
    pub(crate) experience: Experience,
    /// The latest trusted wall time of any record.
    pub(crate) wall_last_ms: i64,
}

/// Begins a snapshot; to be changed with every change of a type in [`State`].
const FORMAT: [u8; 4] = *b"YZS8";

/// A state at an offset, for starting without reading the journal from its first record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub offset: Offset,
    pub bytes: Vec<u8>,
}

/// A card by the link it is behind and its number; the number is empty where the link has no cards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CardKey {
    pub link: LinkId,
    pub number: String,
}

/// What is known of a card from records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFact {
    pub period_ms: u64,
    pub capacity_bits: u32,
    pub broadcast: String,
    pub subordinates: u32,
    /// Wall time of the last attempt on it, 0 = never or unknown.
    pub attempted_ms: i64,
    /// Whether any attempt was ever made on it.
    pub attempted: bool,
}

/// How a message was first heard: bearer, sender, addressee, native number and content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OriginKey {
    pub from: TerminalId,
    pub to: String,
    pub native: u64,
    /// First 8 bytes of the SM3 of the content.
    pub content: u64,
}

impl OriginKey {
    /// The key of a content heard.
    #[must_use]
    pub fn new(from: &TerminalId, to: String, native: u64, content: &[u8]) -> Self {
        let digest = Sm3::digest(content);
        let content = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Self { from: from.clone(), to, native, content }
    }
}

/// Numbered parts heard so far of one text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Partial {
    pub link: String,
    pub total: u32,
    /// The bearer's own mark of a text that it cut; 0 where the parts are numbered in the text.
    pub reference: u32,
    pub parts: BTreeMap<u32, String>,
    /// Wall time of the first part, 0 = unknown.
    pub first_ms: i64,
}

/// What is known of a terminal from records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    pub last_message: Option<MessageId>,
    pub last_heard_ms: i64,
    pub link: String,
    pub present: Option<bool>,
    pub position: Option<Position>,
    /// The bearer's mark of the last text that came in parts and is whole: a part of it that comes again is a copy.
    pub joined: u64,
}

impl State {
    /// Every message in memory, oldest id first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// One message.
    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// One delivery of a message.
    #[must_use]
    pub fn delivery(&self, id: MessageId, number: u16) -> Option<&Delivery> {
        self.message(id)?.delivery(number)
    }

    /// Who is who.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Terminals that were heard, by number.
    pub fn contacts(&self) -> impl Iterator<Item = (&TerminalId, &Contact)> {
        self.contacts.iter()
    }

    /// Open SOS: the unit's terminal and its first message.
    pub fn sos_open(&self) -> impl Iterator<Item = (&TerminalId, &MessageId)> {
        self.sos.iter().map(|((from, _), id)| (from, id))
    }

    /// The last record folded in.
    #[must_use]
    pub const fn last_offset(&self) -> Offset {
        self.offset
    }

    /// Deliveries without an end.
    #[must_use]
    pub fn open_deliveries(&self) -> usize {
        self.open.len()
    }

    /// Attempts without an outcome.
    pub fn open_attempts(&self) -> impl Iterator<Item = &OpenAttempt> {
        self.attempts.values()
    }

    /// The canonical bytes.
    ///
    /// # Panics
    /// Never: every type in here can be written.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        #[expect(clippy::expect_used, reason = "writing to memory; every field type is plain data")]
        let bytes = postcard::to_extend(self, FORMAT.to_vec()).expect("plain data serialises");
        Snapshot { offset: self.offset, bytes }
    }

    /// Back from a snapshot; `None` when it is of another version or damaged (then the full fold is read).
    #[must_use]
    pub fn from_snapshot(snapshot: &Snapshot) -> Option<Self> {
        let plain = snapshot.bytes.strip_prefix(FORMAT.as_slice())?;
        postcard::from_bytes::<Self>(plain).ok().filter(|state| state.offset == snapshot.offset)
    }

    /// SM3 of the canonical bytes.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sm3::digest(self.snapshot().bytes).into()
    }
}
