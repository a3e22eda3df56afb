//! What stands around HDAP on the radio's side: nothing, the cable's HRNP session, or a repeater's HSTRP datagrams.
//!
//! It behaves as real ones do where that hurts: every few acks are lost, so that the host must say the same again, and
//! every few datagrams come twice.

use bytes::Bytes;
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::device;
use yizhan_codecs::device::hytera::wire::{
    Body, Hdap, Hrnp, HrnpKind, Hstrp, HstrpKind, HstrpOption, OPTION_DEVICE, OPTION_SLOT, OWN_ID, RadioIp, Rcp,
    Service,
};
use yizhan_codecs::frame::{Found, Framer};

const AGAIN_AFTER: Duration = Duration::from_secs(1);
const TRIES_MAX: u32 = 3;
const HEARTBEAT: Duration = Duration::from_secs(6);
/// One ack in so many is lost, and one frame in so many comes twice.
const LOST_EVERY: u32 = 5;
const TWICE_EVERY: u32 = 7;
const REMEMBERED_MAX: usize = 64;

/// What the modem speaks to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// HRNP on a serial line.
    Hrnp,
    /// HSTRP as the repeater of this number and slot (1 or 2), from this address.
    Hstrp { device: u32, slot: u8, ip: Ipv4Addr },
}

/// Bytes for the host, and where they seem to come from.
pub(super) type ToHost = (Option<SocketAddr>, Bytes);

#[derive(Clone, Debug)]
struct Pending {
    from: Option<SocketAddr>,
    number: u16,
    bytes: Bytes,
    tries: u32,
    until: Duration,
}

/// The session with the host.
#[derive(Clone, Debug)]
pub(super) struct Session {
    carrier: Carrier,
    own: RadioIp,
    framer: Box<dyn Framer>,
    version: u8,
    host: u8,
    is_up: bool,
    number: u16,
    acks: u32,
    frames: u32,
    /// Number and address of what came just now, so that a repeat is done once.
    done: VecDeque<(u16, Option<SocketAddr>, Bytes)>,
    pending: Vec<Pending>,
    beat_at: Duration,
    pub out: VecDeque<ToHost>,
}

impl Session {
    pub fn new(carrier: Carrier, own: RadioIp) -> Option<Self> {
        let name = if carrier == Carrier::Hrnp { "hrnp" } else { "hstrp" };
        let profile = Profile([("carrier".to_owned(), Value::Text(name.to_owned()))].into());
        Some(Self {
            carrier,
            own,
            framer: device::open("hytera", &profile).ok()?.framer(),
            version: 4,
            host: 0x20,
            is_up: false,
            number: 0,
            acks: 0,
            frames: 0,
            done: VecDeque::new(),
            pending: Vec::new(),
            beat_at: Duration::ZERO,
            out: VecDeque::new(),
        })
    }

    /// Bytes from the host; gives the HDAP frames to obey, and how many bytes were none.
    pub fn heard(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]) -> (Vec<Hdap>, usize) {
        let (mut frames, mut unreadable) = (Vec::new(), 0);
        self.framer.push(bytes);
        while let Some(found) = self.framer.next_found() {
            let good = match (&found, self.carrier) {
                (Found::Frame(frame), Carrier::Hrnp) => self.hrnp(frame, &mut frames),
                (Found::Frame(frame), Carrier::Hstrp { .. }) => self.hstrp(to, frame, &mut frames),
                (Found::Noise { .. }, _) => None,
            };
            if good.is_none() {
                unreadable += found.bytes().len();
            }
        }
        let (control, others) = frames.into_iter().partition(|frame| matches!(frame.body, Body::Rcp(_)));
        let control: Vec<Hdap> = control;
        control.into_iter().for_each(|frame| self.control(now, frame));
        (others, unreadable)
    }

    fn hrnp(&mut self, bytes: &[u8], frames: &mut Vec<Hdap>) -> Option<()> {
        let (frame, _) = Hrnp::parse(bytes).ok()?;
        match frame.kind {
            HrnpKind::Connect => {
                (self.is_up, self.version, self.number) = (true, frame.version, 0);
                (self.host, self.pending) = (frame.source, Vec::new());
                self.done.clear();
                self.say(HrnpKind::Accept, 0);
            }
            HrnpKind::Data => {
                if self.acknowledges() {
                    self.say(HrnpKind::DataAck, frame.number);
                }
                if self.is_new(frame.number, None, bytes) {
                    frames.push(Hdap::parse(&frame.payload).ok()?.0);
                }
            }
            HrnpKind::DataAck => self.pending.retain(|pending| pending.number != frame.number),
            _ => {}
        }
        Some(())
    }

    fn hstrp(&mut self, to: Option<SocketAddr>, bytes: &[u8], frames: &mut Vec<Hdap>) -> Option<()> {
        let datagram = Hstrp::parse(bytes).ok()?;
        match (datagram.kind, datagram.ack) {
            (HstrpKind::Connect, true) => self.is_up = true,
            (HstrpKind::Data, true) => self.pending.retain(|pending| pending.number != datagram.sequence),
            (HstrpKind::Data, false) => {
                if self.acknowledges() {
                    let ack = Hstrp { ack: true, ..Hstrp::new(HstrpKind::Data, datagram.sequence) };
                    self.out.push_back((to, ack.emit()));
                }
                if self.is_new(datagram.sequence, to, bytes) {
                    frames.extend(datagram.frames().ok()?);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// What only a radio's own control answers.
    fn control(&mut self, now: Duration, frame: Hdap) {
        let answer = match frame.body {
            Body::Rcp(Rcp::ConfigureBroadcast { .. }) => Rcp::Reply { opcode: 0x80C9, result: 0 },
            Body::Rcp(Rcp::AskOwn { what: OWN_ID }) => {
                Rcp::OwnAnswer { result: 0, what: OWN_ID, value: self.own.id().to_le_bytes() }
            }
            _ => return,
        };
        self.tell(now, &answer.into());
    }

    fn say(&mut self, kind: HrnpKind, number: u16) {
        let (version, destination) = (self.version, self.host);
        let frame = Hrnp { version, block: 0, kind, source: 0x10, destination, number, payload: Bytes::new() };
        self.out.extend(frame.emit().ok().map(|bytes| (None, bytes)));
    }

    fn acknowledges(&mut self) -> bool {
        self.acks += 1;
        !self.acks.is_multiple_of(LOST_EVERY)
    }

    fn is_new(&mut self, number: u16, to: Option<SocketAddr>, bytes: &[u8]) -> bool {
        let key = (number, to, Bytes::copy_from_slice(bytes));
        if self.done.contains(&key) {
            return false;
        }
        if self.done.len() >= REMEMBERED_MAX {
            self.done.pop_front();
        }
        self.done.push_back(key);
        true
    }

    /// Tells the host something; it is said again until the host has it.
    pub fn tell(&mut self, now: Duration, frame: &Hdap) {
        let Ok(payload) = frame.emit() else { return };
        if self.carrier == Carrier::Hrnp && !self.is_up {
            return;
        }
        self.number = self.number.checked_add(1).unwrap_or(1);
        let number = self.number;
        let (from, bytes) = match self.carrier {
            Carrier::Hrnp => {
                let (version, destination) = (self.version, self.host);
                let kind = HrnpKind::Data;
                let frame = Hrnp { version, block: 0, kind, source: 0x10, destination, number, payload };
                let Ok(bytes) = frame.emit() else { return };
                (None, bytes)
            }
            Carrier::Hstrp { .. } => {
                let datagram = Hstrp::new(HstrpKind::Data, number);
                let datagram = Hstrp { options: self.options(), body: payload, ..datagram };
                (self.address(frame.body.service()), datagram.emit())
            }
        };
        self.frames += 1;
        let copies = if self.frames.is_multiple_of(TWICE_EVERY) { 2 } else { 1 };
        self.out.extend((0..copies).map(|_| (from, bytes.clone())));
        self.pending.push(Pending { from, number, bytes, tries: 1, until: now + AGAIN_AFTER });
    }

    fn options(&self) -> Vec<HstrpOption> {
        let Carrier::Hstrp { device, slot, .. } = self.carrier else { return Vec::new() };
        let device = Bytes::copy_from_slice(&device.to_be_bytes());
        let slot = Bytes::copy_from_slice(&[slot]);
        vec![HstrpOption { id: OPTION_DEVICE, value: device }, HstrpOption { id: OPTION_SLOT, value: slot }]
    }

    fn address(&self, service: Service) -> Option<SocketAddr> {
        let Carrier::Hstrp { slot, ip, .. } = self.carrier else { return None };
        let port = match service {
            Service::Rrs => 30_001,
            Service::Lp => 30_003,
            Service::Rcp => 30_009,
            _ => 30_007,
        };
        Some(SocketAddr::new(IpAddr::V4(ip), port + u16::from(slot == 2)))
    }

    /// What is due by time alone; when to be woken next.
    pub fn wake(&mut self, now: Duration) -> Option<Duration> {
        for pending in self.pending.iter_mut().filter(|pending| pending.until <= now) {
            pending.tries += 1;
            pending.until = now + AGAIN_AFTER;
            if pending.tries <= TRIES_MAX {
                self.out.push_back((pending.from, pending.bytes.clone()));
            }
        }
        self.pending.retain(|pending| pending.tries <= TRIES_MAX);
        if matches!(self.carrier, Carrier::Hstrp { .. }) && self.beat_at <= now {
            self.beat_at = now + HEARTBEAT;
            let word = if self.is_up {
                Hstrp::new(HstrpKind::Heartbeat, 0)
            } else {
                Hstrp { options: self.options(), ..Hstrp::new(HstrpKind::Connect, 0) }
            };
            for service in [Service::Rrs, Service::Lp, Service::Tmp, Service::Rcp] {
                self.out.push_back((self.address(service), word.emit()));
            }
        }
        let pending = self.pending.iter().map(|pending| pending.until).min();
        let beat = matches!(self.carrier, Carrier::Hstrp { .. }).then_some(self.beat_at);
        pending.into_iter().chain(beat).min()
    }

    /// The power went: the host must connect again.
    pub fn reboot(&mut self) {
        (self.is_up, self.number) = (false, 0);
        self.pending.clear();
        self.done.clear();
    }
}
