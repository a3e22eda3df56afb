//! HSTRP: the host that repeaters forward to. Each repeater connects once per service from an address of its own; every
//! datagram of data is acknowledged under its sequence and repeated until it is.

use super::wire::hstrp::{ACK, CLOSE, CONNECT, HEARTBEAT, Hstrp, REJECT};
use super::wire::{Hdap, Service};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{OrderKind, Outcome, Peer, Signal};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// ok-dmrlib's numbers, which real repeaters take.
const MISSED_MAX: u32 = 10;
const TRIES_MAX: u8 = 3;
const BEAT_GAP: Duration = Duration::from_secs(1);
const AGAIN: Duration = Duration::from_secs(2);
/// The same sequence and bytes within this time is a repetition.
const REPEAT_WITHIN: Duration = Duration::from_secs(10);
const REMEMBERED_MAX: usize = 64;
/// Repeaters and services at a time, at most.
const PEERS_MAX: usize = 128;
/// Ports of the services, slot 1; slot 2 is one higher.
const SERVICE_PORTS: [(u16, Service); 4] =
    [(30_001, Service::Rrs), (30_003, Service::Lp), (30_007, Service::Tmp), (30_009, Service::Rcp)];

/// One service of one repeater.
#[derive(Clone, Debug)]
struct Line {
    service: Option<Service>,
    heard_at: Duration,
    /// When we last beat to it: two ends that answer each other's heartbeats at once would never stop.
    beaten_at: Option<Duration>,
    sequence: u16,
    unacked: VecDeque<(u16, Bytes, u8, Duration)>,
    recent: VecDeque<(u16, Bytes, Duration)>,
}

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Repeaters {
    heartbeat: Duration,
    lines: BTreeMap<Peer, Line>,
    beat_at: Duration,
    ready: bool,
    steps: VecDeque<Step>,
}

impl Repeaters {
    pub(super) fn new(heartbeat: Duration) -> Self {
        let (lines, steps) = (BTreeMap::new(), VecDeque::new());
        Self { heartbeat, lines, beat_at: Duration::ZERO, ready: false, steps }
    }

    fn send(&mut self, to: Peer, datagram: &Hstrp) -> Option<Bytes> {
        let bytes = datagram.emit().ok()?;
        self.steps.push_back(Step::Send(Outgoing { bytes: bytes.clone(), to: Some(to) }));
        Some(bytes)
    }

    /// The line of a peer, made when it is new: data before any connect counts, since we may have been restarted.
    fn line(&mut self, now: Duration, from: Peer) -> Option<&mut Line> {
        if !self.lines.contains_key(&from) {
            if self.lines.len() >= PEERS_MAX {
                return None;
            }
            let port = from.0.port();
            let service = SERVICE_PORTS.iter().find(|(known, _)| port == *known || port == *known + 1);
            let service = service.map(|(_, service)| *service);
            let (unacked, recent) = (VecDeque::new(), VecDeque::new());
            self.lines.insert(from, Line { service, heard_at: now, beaten_at: None, sequence: 0, unacked, recent });
        }
        let line = self.lines.get_mut(&from)?;
        line.heard_at = now;
        Some(line)
    }

    fn beat(&mut self, now: Duration, to: Peer) {
        let Some(line) = self.line(now, to) else { return };
        if line.beaten_at.is_none_or(|at| now.saturating_sub(at) >= BEAT_GAP) {
            line.beaten_at = Some(now);
            self.send(to, &Hstrp::heartbeat());
        }
    }

    /// The repeater that carries a service, heard last.
    fn carrier(&self, service: Service) -> Option<Peer> {
        let with = self.lines.iter().filter(|(_, line)| line.service == Some(service));
        with.max_by_key(|(_, line)| line.heard_at).map(|(peer, _)| *peer)
    }

    fn tell_ready(&mut self) {
        let ready = self.carrier(Service::Tmp).is_some();
        if ready != self.ready {
            self.ready = ready;
            self.steps.push_back(Step::Ready(ready));
        }
    }

    fn wake_later(&mut self) {
        let again = self.lines.values().flat_map(|line| line.unacked.iter().map(|(.., at)| *at)).min();
        self.steps.push_back(Step::WakeAt(again.map_or(self.beat_at, |at| at.min(self.beat_at))));
    }

    fn data(&mut self, now: Duration, from: Peer, datagram: &Hstrp, bytes: &[u8], signals: &mut Vec<Signal>) {
        let service = datagram.frames.first().map(|frame| frame.body.service());
        let Some(line) = self.line(now, from) else { return };
        line.service = service.or(line.service);
        line.recent.retain(|(.., at)| now.saturating_sub(*at) <= REPEAT_WITHIN);
        if line.recent.iter().any(|(sequence, known, _)| *sequence == datagram.sequence && **known == *bytes) {
            signals.clear();
        } else {
            line.recent.push_back((datagram.sequence, Bytes::copy_from_slice(bytes), now));
            if line.recent.len() > REMEMBERED_MAX {
                line.recent.pop_front();
            }
        }
        self.send(from, &Hstrp::bare(ACK, datagram.sequence));
    }

    /// Our own datagram with a frame for a service, numbered and remembered until it is acknowledged.
    fn wrap(&mut self, now: Duration, frame: &Outgoing) -> Option<Outgoing> {
        let (hdap, _) = Hdap::parse(&frame.bytes).ok()?;
        let named = frame.to.filter(|peer| self.lines.contains_key(peer));
        let to = named.or_else(|| self.carrier(hdap.body.service()))?;
        let line = self.lines.get_mut(&to)?;
        // 65535 is skipped, as the repeaters' own hosts do.
        line.sequence = (line.sequence + 1) % u16::MAX;
        let datagram = Hstrp { frames: vec![hdap], ..Hstrp::bare(0, line.sequence) };
        let bytes = datagram.emit().ok()?;
        line.unacked.push_back((line.sequence, bytes.clone(), 1, now + AGAIN));
        if line.unacked.len() > REMEMBERED_MAX {
            line.unacked.pop_front();
        }
        Some(Outgoing { bytes, to: Some(to) })
    }

    fn repeat(&mut self, now: Duration) {
        let mut again = Vec::new();
        for (peer, line) in &mut self.lines {
            line.unacked.retain(|(_, _, tries, at)| *at > now || *tries < TRIES_MAX);
            for (_, bytes, tries, at) in line.unacked.iter_mut().filter(|(.., at)| *at <= now) {
                *tries += 1;
                *at = now + AGAIN;
                again.push(Step::Send(Outgoing { bytes: bytes.clone(), to: Some(*peer) }));
            }
        }
        self.steps.extend(again);
    }
}

impl Dialogue for Repeaters {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.lines.clear();
        self.ready = false;
        self.beat_at = now + self.heartbeat;
        self.steps.push_back(Step::Ready(false));
        self.wake_later();
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let wrapped: Option<Vec<Outgoing>> = frames.iter().map(|frame| self.wrap(now, frame)).collect();
        self.wake_later();
        match wrapped {
            Some(frames) => Given::Write(frames),
            None => {
                if matches!(cargo, Cargo::Message { .. }) {
                    let about = Some(OrderKind::Send);
                    self.steps.push_back(Step::Say(Signal::Feedback { about, outcome: Outcome::NoSignal }));
                }
                Given::Held
            }
        }
    }

    fn heard(&mut self, now: Duration, from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let (Some(from), Ok(datagram)) = (from, Hstrp::parse(frame)) else { return };
        if datagram.has(ACK) {
            if let Some(line) = self.line(now, from) {
                line.unacked.retain(|(sequence, ..)| *sequence != datagram.sequence);
            }
        } else if datagram.has(CONNECT) {
            if let Some(line) = self.line(now, from) {
                line.recent.clear();
            }
            self.send(from, &Hstrp { kind: datagram.kind | ACK, ..datagram.clone() });
        } else if datagram.has(CLOSE) {
            self.send(from, &Hstrp { kind: datagram.kind | ACK, ..datagram.clone() });
            self.lines.remove(&from);
        } else if datagram.has(REJECT) {
            self.lines.remove(&from);
            signals.push(Signal::Remark { what: "中转台拒绝", detail: from.0.to_string() });
        } else if datagram.has(HEARTBEAT) {
            self.beat(now, from);
        } else {
            self.data(now, from, &datagram, frame, signals);
        }
        self.tell_ready();
        self.wake_later();
    }

    fn wake(&mut self, now: Duration) {
        self.repeat(now);
        if self.beat_at <= now {
            self.beat_at = now + self.heartbeat;
            let silent = self.heartbeat * MISSED_MAX;
            self.lines.retain(|_, line| now.saturating_sub(line.heard_at) < silent);
            let peers: Vec<Peer> = self.lines.keys().copied().collect();
            for peer in peers {
                let heard_at = self.lines.get(&peer).map(|line| line.heard_at);
                self.beat(now, peer);
                if let (Some(line), Some(heard_at)) = (self.lines.get_mut(&peer), heard_at) {
                    line.heard_at = heard_at;
                }
            }
        }
        self.tell_ready();
        self.wake_later();
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
