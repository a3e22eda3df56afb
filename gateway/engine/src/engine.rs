//! The engine introduces its parts to each other: sessions hear and speak, the bus remembers, the router decides whom,
//! the outbox decides when.

mod admit;
mod foresee;
mod hear;
mod keep;
mod recover;
mod replace;
mod send;
mod stations;
mod status;
mod submit;
mod typed;
mod undelivered;
mod upkeep;

pub use recover::RecoverError;
pub use status::{CardStatus, LinkStatus, OutboxLine, Status};
pub use typed::usual_precedence;

use crate::bus::journal::{self, Encode, record::What};
use crate::bus::{Gate, Gated, OriginKey, Snapshot, State};
use crate::clock::Clock;
use crate::config::EngineConfig;
use crate::coverage::Reached;
use crate::event::{AttemptId, End, Event};
use crate::io::{Input, Offset, Output, Refusal, Reply, StoreTrouble, StoredRecord, TransmitId};
use crate::outbox::{Outbox, Port, Word};
use crate::session::Session;
use crate::time::{Instant, Now};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::frame::Frames;
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::codec::Outgoing;
use yizhan_codecs::message::{LinkId, MessageId, Peer, Rung, StationId, TerminalId};

/// The whole gateway as one value.
///
/// **Invariants**
/// - An effect that promises something or spends airtime passes the gate only after its records are synced.
/// - One send per link is without the terminal's word at any time: feedback carries no number to tell two apart.
/// - Bytes of a message are released only while a card is free, no FLASH is due there, and the message still wants it.
#[derive(Clone, Debug)]
pub struct Engine {
    config: EngineConfig,
    state: State,
    gate: Gate,
    clock: Clock,
    sessions: BTreeMap<LinkId, Session>,
    outbox: Outbox,
    /// When each open message's life ends.
    deadlines: BTreeMap<MessageId, Instant>,
    /// Until when the same key is a repeat.
    repeats: BTreeMap<OriginKey, Instant>,
    /// When a text in numbered parts is given up and shown with its gaps.
    partial_deadlines: BTreeMap<TerminalId, Instant>,
    /// When SOS heard on a link were relayed by themselves.
    relays: BTreeMap<LinkId, VecDeque<Instant>>,
    unreadable: BTreeMap<LinkId, UnreadableBudget>,
    positions_at: BTreeMap<TerminalId, Instant>,
    /// Messages that came from the journal, whose age is unknown until the clock is trusted.
    recovered: BTreeSet<MessageId>,
    /// Link, destination and number of the bytes of each attempt that are still with a link.
    transmit_last: u64,
    outputs: VecDeque<Output>,
    batch: Vec<StoredRecord>,
    poisoned: Option<StoreTrouble>,
    /// The last send per link on which the terminal said nothing in time: its word may come late.
    unanswered: BTreeMap<LinkId, (AttemptId, Instant)>,
    next_upkeep: Instant,
    wake_told: Option<Instant>,
    stations: Stations,
    evidence: foresee::Evidences,
}

/// What a restart may forget of other stations.
#[derive(Clone, Debug, Default)]
struct Stations {
    failures: stations::Failures,
    gatherings: stations::Gatherings,
    /// Since when a station is owed receipts.
    owed_since: BTreeMap<(Traffic, StationId), Instant>,
    /// When a receipt last went out, and what its card takes for a send.
    said_at: BTreeMap<(Traffic, Number), (Instant, Duration)>,
    /// What could not be sealed for whom, until when it is left alone.
    muted: BTreeMap<(Word, Traffic, StationId), Instant>,
    /// Frames on their way that are no message's.
    flights: BTreeMap<AttemptId, stations::Flight>,
    asks: stations::Asks,
    counts: stations::Counts,
    clears: stations::Clears,
    places: stations::Places,
    /// The terminal by which a station was last heard.
    heard_from: BTreeMap<StationId, TerminalId>,
    heard_at: BTreeMap<StationId, Instant>,
    /// Messages in frames.
    packed: BTreeMap<(MessageId, u16), Frames>,
    /// Messages that were packed when they were accepted.
    contents: foresee::Contents,
}

/// Unreadable frames journaled in the running minute of a link.
#[derive(Clone, Copy, Debug, Default)]
struct UnreadableBudget {
    minute_began: Instant,
    journaled: u32,
    suppressed: u32,
}

impl Engine {
    /// Takes one input. Drain [`Engine::poll_output`] to `None` before the next.
    pub fn handle_input(&mut self, now: Now, input: Input) {
        if let Some(source) = self.clock.host(now) {
            self.clock_trusted(now, source);
        }
        match input {
            Input::Heard { link, from, bytes } => self.with_session(now, &link, |s, at| s.heard(at, from, &bytes)),
            Input::LinkUp { link } => self.link_up(now, &link),
            Input::LinkDown { link, why } => self.link_down(now, &link, why),
            Input::Transmitted { id } => self.transmitted(now, id),
            Input::TransmitFailed { id, why } => self.transmit_failed(now, id, why),
            Input::Submit { ticket, request } => self.submit(now, ticket, request),
            Input::Stored { through } => self.gate.open(through),
            Input::StoreFailed { why } => self.store_failed(now, why),
            Input::Wake => {}
        }
        self.settle(now);
    }

    /// The next effect; `None` when everything is told.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The folded, canonical state.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// SM3 of the canonical state.
    #[must_use]
    pub fn state_hash(&self) -> [u8; 32] {
        self.state.hash()
    }

    /// The state as bytes, for a quicker start.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.snapshot()
    }

    /// Why the journal failed, if it did.
    #[must_use]
    pub const fn poisoned(&self) -> Option<StoreTrouble> {
        self.poisoned
    }

    /// Does whatever time and the last input have made due, until nothing more follows.
    fn settle(&mut self, now: Now) {
        let links: Vec<LinkId> = self.due_sessions(now);
        for link in links {
            self.with_session(now, &link, Session::wake);
        }
        self.upkeep(now);
        loop {
            let mut moved = false;
            while let Some((offset, effect)) = self.gate.pass() {
                moved = true;
                self.effect(now, offset, effect);
            }
            moved |= self.schedule(now);
            if !moved {
                break;
            }
        }
        self.flush();
        self.tell_wake(now);
    }

    fn due_sessions(&self, now: Now) -> Vec<LinkId> {
        let due = |session: &&Session| session.wake_at().is_some_and(|at| at <= now.mono);
        self.sessions.values().filter(due).map(|session| session.link.clone()).collect()
    }

    /// Lets a session act, then takes in everything that came out of it.
    fn with_session(&mut self, now: Now, link: &LinkId, act: impl FnOnce(&mut Session, Instant)) {
        let Some(session) = self.sessions.get_mut(link) else { return };
        let could_send = session.can_send();
        act(session, now.mono);
        while let Some(item) = self.sessions.get_mut(link).and_then(Session::poll) {
            self.item(now, link, item);
        }
        if self.sessions.get(link).is_some_and(|session| session.can_send() != could_send) {
            self.outbox.touch();
        }
    }

    /// Does one effect whose records are synced.
    fn effect(&mut self, now: Now, offset: Offset, effect: Gated) {
        match effect {
            Gated::Acknowledge { link, to, bytes, signal } => {
                if bytes.is_some() {
                    self.outputs.push_back(Output::Tell(Event::Acknowledged { link: link.clone(), offset }));
                }
                let answer = bytes.map(|bytes| Outgoing { bytes, to });
                self.with_session(now, &link, |session, at| session.stored(at, &signal, answer));
            }
            Gated::Reply { ticket, reply } => self.outputs.push_back(Output::Reply { ticket, reply }),
            Gated::Tell(event) => self.outputs.push_back(Output::Tell(event)),
            Gated::Release(attempt) => self.release(now, attempt),
        }
    }

    /// Holds an effect until everything decided so far is synced.
    fn hold(&mut self, now: Now, effect: Gated) {
        self.hold_at(now, self.state.offset, effect);
    }

    /// Holds an effect until `offset` is synced. After the journal has failed nothing is promised, and what spends
    /// airtime goes out unpromised.
    fn hold_at(&mut self, now: Now, offset: Offset, effect: Gated) {
        if self.poisoned.is_none() || offset <= self.gate.stored() {
            self.gate.hold(offset, effect);
            return;
        }
        match effect {
            Gated::Acknowledge { .. } => {}
            Gated::Reply { ticket, .. } => {
                self.outputs.push_back(Output::Reply { ticket, reply: Reply::Refused(Refusal::Poisoned) });
            }
            other => self.effect(now, offset, other),
        }
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Tell(event));
    }

    /// Decides something: journals it and folds it in.
    fn append(&mut self, now: Now, what: What) -> Offset {
        let at_ms = self.clock.utc(now.mono).map_or(0, |utc| utc.0);
        let record = journal::Record { at_ms, what: Some(what) };
        let offset = Offset(self.state.offset.0 + 1);
        let applied = self.state.apply(offset, &record);
        assert!(applied.is_ok(), "a record that was just made must fold in: {applied:?} {record:?}");
        if self.poisoned.is_none() {
            self.batch.push(StoredRecord { offset, body: Bytes::from(record.encode_to_vec()) });
        }
        offset
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let records = std::mem::take(&mut self.batch);
            // The store comes before whatever else this input caused, so that the disk starts at once, and after every
            // earlier store.
            let after = self.outputs.iter().rposition(|output| matches!(output, Output::Store { .. }));
            self.outputs.insert(after.map_or(0, |at| at + 1), Output::Store { records });
        }
    }

    /// Writes bytes that are no message's, or the frames of one; gives the number of the last.
    fn transmit(&mut self, link: &LinkId, outgoing: Outgoing) -> TransmitId {
        self.transmit_last += 1;
        let id = TransmitId(self.transmit_last);
        let to: Option<Peer> = outgoing.to;
        self.outputs.push_back(Output::Transmit { link: link.clone(), to, id, bytes: outgoing.bytes });
        id
    }

    fn store_failed(&mut self, now: Now, why: StoreTrouble) {
        if self.poisoned.is_some() {
            return;
        }
        self.poisoned = Some(why);
        self.batch.clear();
        self.tell(Event::JournalFailed { why });
        for effect in self.gate.drain() {
            match effect {
                Gated::Reply { ticket, reply } => {
                    // What its sender is told was not taken in must not go out all the same.
                    if let Reply::Accepted { id, .. } = reply {
                        self.end_open(now, id, End::Refused, "存储故障：未受理");
                    }
                    self.outputs.push_back(Output::Reply { ticket, reply: Reply::Refused(Refusal::Poisoned) });
                }
                Gated::Acknowledge { .. } | Gated::Tell(Event::MessageAccepted { .. }) => {}
                other => self.gate.hold(self.gate.stored(), other),
            }
        }
    }

    /// What the outbox has to know of each link.
    fn ports(&self) -> BTreeMap<LinkId, Port> {
        let port = |session: &Session| {
            let limits = session.limits();
            Port {
                coverage: session.coverage(),
                can_send: session.can_send(),
                proves: limits.delivery_within.is_some() && limits.proves >= Rung::Delivered,
            }
        };
        self.sessions.iter().map(|(link, session)| (link.clone(), port(session))).collect()
    }

    /// What the links of this station reach, up or not.
    fn reached(&self) -> Reached {
        Reached::new(self.config.station, self.sessions.values().map(Session::coverage))
    }

    fn tell_wake(&mut self, now: Now) {
        let sessions = self.sessions.values().filter_map(Session::wake_at);
        // Nothing expires while no clock is trusted, so nothing is due then either.
        let lives = self.deadlines.values().copied().filter(|_| self.clock.source().is_some());
        let rows = self.stations.gatherings.wake_at(now.mono);
        let times = sessions
            .chain(self.outbox.wake_at())
            .chain(rows)
            .chain(lives)
            .chain(self.partial_deadlines.values().copied());
        let Some(at) = times.min() else { return };
        // Something overdue that could not be done yet is looked at again soon, not in a loop.
        let at = at.max(now.mono.after(Duration::from_millis(1)));
        if self.wake_told != Some(at) {
            self.wake_told = Some(at);
            self.outputs.push_back(Output::WakeAt(at));
        }
    }
}
