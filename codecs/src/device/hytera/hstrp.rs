//! The host that repeaters forward to: each repeater connects, shows itself with heartbeats, and sends datagrams that
//! want an ack. **An ack says that the datagram has arrived, no more.**

use super::settings::Settings;
use super::wire::{Hdap, Hstrp, HstrpKind, OPTION_SLOT, Service};
use crate::codec::{Cargo, DecodeError, Dialogue, Given, Outgoing, Step};
use crate::message::{OrderKind, Outcome, Peer, Signal};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

/// So many heartbeats without a word: the repeater is lost.
const MISSED_MAX: u32 = 10;
/// How long a repeater may take to acknowledge, and how often a datagram is written.
const ACK_WITHIN: Duration = Duration::from_secs(2);
const TRIES_MAX: u32 = 4;
/// The same datagram of the same peer again within this time is a repeat: our ack was lost.
const REPEATS_WITHIN: Duration = Duration::from_secs(10);
const REMEMBERED_MAX: usize = 256;
const PEERS_MAX: usize = 128;
const PENDING_MAX: usize = 128;
/// The sequence wraps before this number, which one program never uses.
const SEQUENCE_END: u16 = u16::MAX;

#[derive(Clone, Debug, Default)]
struct Session {
    missed: u32,
    sequence: u16,
    slot_2: bool,
    /// When we last showed ourselves.
    beaten_at: Option<Duration>,
}

/// A datagram of ours that waits for its ack.
#[derive(Clone, Debug)]
struct Pending {
    peer: Peer,
    sequence: u16,
    bytes: Bytes,
    tries: u32,
    until: Duration,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct HstrpDialogue {
    heartbeat: Duration,
    ports: [(Service, u16); 4],
    sessions: BTreeMap<Peer, Session>,
    /// From where each service was last heard.
    services: BTreeMap<Service, Peer>,
    last: Option<Peer>,
    pending: Vec<Pending>,
    heard: VecDeque<(Duration, Peer, Bytes)>,
    beat_at: Duration,
    is_ready: bool,
    steps: VecDeque<Step>,
}

impl HstrpDialogue {
    pub(super) const fn new(settings: &Settings) -> Self {
        Self {
            heartbeat: settings.heartbeat,
            ports: settings.hstrp_ports,
            sessions: BTreeMap::new(),
            services: BTreeMap::new(),
            last: None,
            pending: Vec::new(),
            heard: VecDeque::new(),
            beat_at: Duration::ZERO,
            is_ready: false,
            steps: VecDeque::new(),
        }
    }

    fn send(&mut self, datagram: &Hstrp, to: Peer) {
        self.steps.push_back(Step::Send(Outgoing { bytes: datagram.emit(), to: Some(to) }));
    }

    /// The session of a peer; one that sends data without a connect is connected: we may have been started anew.
    fn session(&mut self, peer: Peer) -> Option<&mut Session> {
        if !self.sessions.contains_key(&peer) && self.sessions.len() >= PEERS_MAX {
            return None;
        }
        if !self.is_ready {
            self.is_ready = true;
            self.steps.push_back(Step::Ready(true));
        }
        Some(self.sessions.entry(peer).or_default())
    }

    fn lose(&mut self, peer: Peer) {
        self.sessions.remove(&peer);
        self.services.retain(|_, of| *of != peer);
        self.pending.retain(|pending| pending.peer != peer);
        self.last = self.last.filter(|last| *last != peer);
        if self.sessions.is_empty() && self.is_ready {
            self.is_ready = false;
            self.steps.push_back(Step::Ready(false));
        }
    }

    fn connected(&mut self, peer: Peer, datagram: Hstrp) {
        let slot_2 = datagram.option(OPTION_SLOT) == Some(2);
        let Some(session) = self.session(peer) else { return };
        *session = Session { missed: 0, slot_2, ..*session };
        // After a connect any sequence is new.
        self.heard.retain(|(_, from, _)| *from != peer);
        self.send(&Hstrp { ack: true, ..datagram }, peer);
    }

    fn data(&mut self, now: Duration, peer: Peer, datagram: &Hstrp, frame: &[u8], signals: &mut Vec<Signal>) {
        let frames = datagram.frames();
        // What arrived damaged is not acknowledged, so that it comes again. What we do not know would not get better.
        if matches!(frames, Err(DecodeError::Checksum { .. } | DecodeError::Length { .. })) {
            return;
        }
        self.send(&Hstrp { ack: true, ..Hstrp::new(HstrpKind::Data, datagram.sequence) }, peer);
        let slot_2 = datagram.option(OPTION_SLOT).map(|slot| slot == 2);
        if let Some(session) = self.session(peer) {
            session.missed = 0;
            session.slot_2 = slot_2.unwrap_or(session.slot_2);
            self.last = Some(peer);
            let services = frames.unwrap_or_default();
            self.services.extend(services.iter().map(|frame| (frame.body.service(), peer)));
        }
        self.heard.retain(|(at, ..)| now.saturating_sub(*at) < REPEATS_WITHIN);
        if self.heard.iter().any(|(_, from, bytes)| *from == peer && bytes == frame) {
            signals.clear();
        } else {
            if self.heard.len() >= REMEMBERED_MAX {
                self.heard.pop_front();
            }
            self.heard.push_back((now, peer, Bytes::copy_from_slice(frame)));
        }
    }

    /// Where a frame of ours goes: back where it was asked, else where its service was last heard, else to that
    /// service's port of the repeater that spoke last.
    fn destination(&self, frame: &Outgoing) -> Option<Peer> {
        if let Some(peer) = frame.to.filter(|peer| self.sessions.contains_key(peer)) {
            return Some(peer);
        }
        let service = Hdap::parse(&frame.bytes).ok()?.0.body.service();
        if let Some(peer) = self.services.get(&service) {
            return Some(*peer);
        }
        let last = self.last.or_else(|| self.sessions.keys().next().copied())?;
        let slot = u16::from(self.sessions.get(&last).is_some_and(|session| session.slot_2));
        let port = self.ports.iter().find(|(of, _)| *of == service).map(|(_, port)| port.saturating_add(slot))?;
        Some(Peer(SocketAddr::new(last.0.ip(), port)))
    }

    fn wrap(&mut self, now: Duration, frame: &Outgoing) -> Option<Outgoing> {
        let peer = self.destination(frame)?;
        let session = self.session(peer)?;
        session.sequence = session.sequence.saturating_add(1);
        if session.sequence == SEQUENCE_END {
            session.sequence = 0;
        }
        let sequence = session.sequence;
        let bytes = Hstrp { body: frame.bytes.clone(), ..Hstrp::new(HstrpKind::Data, sequence) }.emit();
        if self.pending.len() < PENDING_MAX {
            let until = now.saturating_add(ACK_WITHIN);
            self.pending.push(Pending { peer, sequence, bytes: bytes.clone(), tries: 1, until });
        }
        Some(Outgoing { bytes, to: Some(peer) })
    }

    /// Answers a heartbeat in a session, not where we have just shown ourselves: a peer that answers every heartbeat
    /// with one, as ok-dmrlib does, would never come to an end with us.
    fn answer_beat(&mut self, now: Duration, peer: Peer) {
        let Some(session) = self.sessions.get_mut(&peer) else { return };
        let half = self.heartbeat.checked_div(2).unwrap_or_default();
        if session.beaten_at.is_none_or(|at| now.saturating_sub(at) >= half) {
            session.beaten_at = Some(now);
            self.send(&Hstrp::new(HstrpKind::Heartbeat, 0), peer);
        }
    }

    fn beat(&mut self, now: Duration) {
        self.beat_at = now.saturating_add(self.heartbeat);
        let (mut lost, mut alive) = (Vec::new(), Vec::new());
        for (peer, session) in &mut self.sessions {
            session.missed = session.missed.saturating_add(1);
            if session.missed > MISSED_MAX {
                lost.push(*peer);
            } else {
                session.beaten_at = Some(now);
                alive.push(*peer);
            }
        }
        for peer in alive {
            self.send(&Hstrp::new(HstrpKind::Heartbeat, 0), peer);
        }
        for peer in lost {
            let detail = format!("{} 已 {MISSED_MAX} 次心跳无声", peer.0);
            self.steps.push_back(Step::Say(Signal::Remark { what: "中继失联", detail }));
            self.lose(peer);
        }
    }

    fn repeat(&mut self, now: Duration) {
        let mut over = Vec::new();
        for pending in self.pending.iter_mut().filter(|pending| pending.until <= now) {
            if pending.tries >= TRIES_MAX {
                over.push((pending.peer, pending.sequence));
                continue;
            }
            pending.tries = pending.tries.saturating_add(1);
            pending.until = now.saturating_add(ACK_WITHIN);
            self.steps.push_back(Step::Send(Outgoing { bytes: pending.bytes.clone(), to: Some(pending.peer) }));
        }
        for (peer, sequence) in over {
            self.pending.retain(|pending| (pending.peer, pending.sequence) != (peer, sequence));
            let detail = format!("{} 未确认序号 {sequence}", peer.0);
            self.steps.push_back(Step::Say(Signal::Remark { what: "中继未确认数据", detail }));
        }
    }

    fn plan(&mut self) {
        let next = self.pending.iter().map(|pending| pending.until).fold(self.beat_at, Duration::min);
        self.steps.push_back(Step::WakeAt(next));
    }
}

impl Dialogue for HstrpDialogue {
    fn link_up(&mut self, now: Duration) {
        self.sessions.clear();
        self.services.clear();
        self.pending.clear();
        self.heard.clear();
        self.last = None;
        self.is_ready = false;
        self.steps.push_back(Step::Ready(false));
        self.beat_at = now.saturating_add(self.heartbeat);
        self.plan();
    }

    fn heard(&mut self, now: Duration, from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let (Some(peer), Ok(datagram)) = (from, Hstrp::parse(frame)) else { return };
        if let Some(session) = self.sessions.get_mut(&peer) {
            session.missed = 0;
        }
        match (datagram.kind, datagram.ack) {
            (HstrpKind::Connect, false) => self.connected(peer, datagram),
            (HstrpKind::Data, false) => self.data(now, peer, &datagram, frame, signals),
            (HstrpKind::Data, true) => {
                self.pending.retain(|pending| (pending.peer, pending.sequence) != (peer, datagram.sequence));
            }
            (HstrpKind::Heartbeat, false) => self.answer_beat(now, peer),
            (HstrpKind::Close, false) => {
                self.send(&Hstrp { ack: true, ..datagram }, peer);
                self.lose(peer);
            }
            (HstrpKind::Reject, _) => self.lose(peer),
            (HstrpKind::Heartbeat | HstrpKind::Connect | HstrpKind::Close, true) => {}
        }
        self.plan();
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let wrapped: Option<Vec<_>> = frames.iter().map(|frame| self.wrap(now, frame)).collect();
        self.plan();
        if let Some(frames) = wrapped {
            return Given::Write(frames);
        }
        let (what, detail) = ("没有可发的中继", "尚无中继连入".to_owned());
        self.steps.push_back(Step::Say(Signal::Remark { what, detail }));
        if matches!(cargo, Cargo::Message { .. }) {
            let outcome = Outcome::NoSignal;
            self.steps.push_back(Step::Say(Signal::Feedback { about: Some(OrderKind::Send), outcome }));
        }
        Given::Held
    }

    fn wake(&mut self, now: Duration) {
        self.repeat(now);
        if self.beat_at <= now {
            self.beat(now);
        }
        self.plan();
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
