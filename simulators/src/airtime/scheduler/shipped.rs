//! The engine that ships, on the same day: an outpost with a link for each card, and the command post's keys to open what
//! it sends. Nothing of it is modelled: requests go in, frames come out, receipts go in sealed.

use super::order::{Frame, Order};
use super::workload::Arrival;
use crate::airtime::sample::Sample;
use crate::seed::Seed;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::content::{Content, Protected};
use yizhan_codecs::air::form::{Area, Origin};
use yizhan_codecs::air::frame::{Door, Letter, Opened};
use yizhan_codecs::air::header::{Destination, seq_of};
use yizhan_codecs::air::key::{KEY, Net, NetKey};
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Digest, Spent};
use yizhan_codecs::air::position::Positions;
use yizhan_codecs::air::receipt::{Receipt, State};
use yizhan_codecs::air::replay::Replay;
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::device::hytera::wire::{Body, Family, Gps, Hdap, Lp, RadioIp};
use yizhan_codecs::message::{Bearer, LinkId, Peer, Position, Precedence, StationId, TerminalId, Utc};
use yizhan_engine::Engine;
use yizhan_engine::config::{AirNet, EngineConfig, LinkConfig, Policy, Reach};
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Input, Output, Recipient, Reply, Request, SendKind, Ticket};
use yizhan_engine::outbox::ladder::Matter;
use yizhan_engine::people::{Enrolled, Person, Roster, StationEntry};
use yizhan_engine::stream::Said;
use yizhan_engine::time::{Instant, Now};

const NET: u32 = 0x0051_0001;
const EPOCH: u16 = 5;
const POST: &str = "10.0.0.1:4710";
/// A frame of a Beidou card.
const MTU: usize = 77;
/// What a row of it carries on a bearer that anybody may use, and the seal of the whole message.
const ROW: usize = 68;
const SEAL: usize = 11;
/// Numbers of the units in positions, and of their radios.
const UNITS_FROM: u16 = 1_024;
const RADIOS_FROM: u32 = 2_308_000;
const CENTRE_E7: (i32, i32) = (306_500_000, 1_040_800_000);
/// 2026-07-10 12:00:00 UTC.
const START: Utc = Utc(1_783_684_800_000);

/// A frame that went out.
#[derive(Debug)]
enum Out {
    /// A row of the message with this counter, of so many.
    Row(u32, u8),
    Positions(Frame),
    Receipts,
}

/// An outpost, and what the command post opens of it.
#[derive(Debug)]
pub struct Shipped {
    engine: Engine,
    cipher: SoftCipher,
    net: Net,
    replay: Replay,
    spent: Spent,
    counter: u32,
    rows: BTreeMap<u32, (usize, u8)>,
    counters: BTreeMap<usize, u32>,
    /// The position of each unit that waits: its arrival and when it came.
    waiting: BTreeMap<u32, (usize, Instant)>,
    sent: VecDeque<Out>,
    lapsed: Vec<usize>,
    replaced: Vec<usize>,
    accepted: Option<u32>,
    look: Option<Instant>,
    owed: BTreeMap<u16, Instant>,
    /// Milliseconds that receipts for what came in waited, and frames that carried nothing else.
    pub receipts: Sample,
    pub receipt_frames: u64,
    /// Frames that could not be opened, and messages that took another number of rows than the day says: none may.
    pub misfits: u64,
}

fn station(number: u16) -> Option<StationId> {
    StationId::new(number)
}

fn radio(unit: u32) -> u32 {
    RADIOS_FROM + unit
}

impl Shipped {
    /// `None` only where a constant here is wrong.
    #[must_use]
    pub fn new(cards: u16, slot: Duration, units: u32) -> Option<Self> {
        let (centre, me) = (station(1)?, station(7)?);
        let key = NetKey::from_bytes(&[0x42; KEY]);
        let outpost =
            SoftCipher::station(NET, me).with_epoch(EPOCH, key.station(NET, EPOCH, me), key.group(NET, EPOCH));
        let net = |me| Net { id: NET, traffic: Traffic::Real, centre, me, epoch: EPOCH, opens_last_epoch: true };
        let mut links: Vec<LinkConfig> =
            (0..cards).map(|card| link(&format!("card-{card}"), "air-udp", slot)).collect();
        links.push(link("radio", "hytera", Duration::ZERO));
        let mut area = Area::default();
        area.origins.insert(0, Origin::new(CENTRE_E7.0, CENTRE_E7.1)?);
        let nets = vec![AirNet { net: net(me), cipher: Arc::new(outpost) }];
        let names: Vec<LinkId> = links.iter().map(|link| link.id.clone()).collect();
        let config = EngineConfig { station: me, links, policy: Policy::default(), nets, area };
        let engine = Engine::recover(config, at(Instant::default()), None, []).ok()?;
        let mut shipped = Self {
            engine,
            cipher: SoftCipher::centre(NET, key),
            net: net(centre),
            replay: Replay::new(),
            spent: Spent::default(),
            counter: 0,
            rows: BTreeMap::new(),
            counters: BTreeMap::new(),
            waiting: BTreeMap::new(),
            sent: VecDeque::new(),
            lapsed: Vec::new(),
            replaced: Vec::new(),
            accepted: None,
            look: None,
            owed: BTreeMap::new(),
            receipts: Sample::default(),
            receipt_frames: 0,
            misfits: 0,
        };
        let roster = Request::ImportRoster { roster: roster(units)?, by: "drill".into() };
        shipped.input(Instant::default(), Input::Submit { ticket: Ticket(0), request: roster });
        for link in names {
            shipped.input(Instant::default(), Input::LinkUp { link });
        }
        Some(shipped)
    }

    fn input(&mut self, now: Instant, input: Input) {
        // The engine tells a time once.
        self.look = self.look.filter(|at| *at > now);
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            self.engine.handle_input(at(now), input);
            while let Some(output) = self.engine.poll_output() {
                match output {
                    Output::Store { records } => {
                        inputs.extend(records.last().map(|record| Input::Stored { through: record.offset }));
                    }
                    Output::Transmit { link, id, bytes, .. } => {
                        if link.name().starts_with("card-") {
                            self.opened(now, &bytes);
                        }
                        inputs.push_back(Input::Transmitted { id });
                    }
                    Output::Reply { reply: Reply::Accepted { id, .. }, .. } => self.accepted = Some(id.counter),
                    Output::Reply { .. } => {}
                    Output::Tell(event) => self.told(&event),
                    Output::WakeAt(at) => self.look = Some(at),
                }
            }
        }
    }

    fn told(&mut self, event: &Event) {
        let id = match event {
            Event::DeliveryEnded { id, end: End::Expired | End::Unknown | End::Refused, .. } => id,
            Event::FlashOverdue { id, .. } => id,
            _ => return,
        };
        self.lapsed.extend(self.rows.get(&id.counter).map(|(index, _)| *index));
    }

    /// A frame on the air, as the command post opens it.
    fn opened(&mut self, now: Instant, bytes: &[u8]) {
        let bearing = Bearing::open(MTU);
        let door = Door { cipher: &self.cipher, net: &self.net, bearing: &bearing };
        let Ok(opened) = door.open(&self.replay, station(7), bytes) else {
            self.misfits += 1;
            return;
        };
        let (number, out) = match opened {
            Opened::Single(message) => {
                let protected = message.protected.ok();
                self.answered(now, protected.as_ref().map(|p| p.riding.as_slice()).unwrap_or_default());
                let out = match protected.map(|protected| protected.content) {
                    Some(Content::Positions(positions)) => Out::Positions(self.placed(&positions)),
                    _ => Out::Row(message.proven.number.counter, 1),
                };
                (message.proven.number, out)
            }
            Opened::Row(sealed) => (sealed.number, Out::Row(sealed.number.counter, sealed.row.extension.n)),
            Opened::Receipts { proven, receipts } => {
                self.receipt_frames += 1;
                self.answered(now, &receipts);
                (proven.number, Out::Receipts)
            }
            _ => return,
        };
        self.replay.accept(number, Digest::of(b"heard"), 0);
        self.sent.push_back(out);
    }

    fn row(&mut self, counter: u32, n: u8) -> Frame {
        let Some((index, rows)) = self.rows.get(&counter).copied() else { return Frame::new() };
        self.misfits += u64::from(rows != n);
        vec![index]
    }

    fn placed(&mut self, positions: &Positions) -> Frame {
        let units: Vec<u16> = match positions {
            Positions::Relative { units, .. } => units.iter().map(|unit| unit.unit).collect(),
            Positions::Absolute { units } => units.iter().map(|unit| unit.unit).collect(),
        };
        let waiting = &mut self.waiting;
        units.iter().filter_map(|unit| Some(waiting.remove(&u32::from(unit.checked_sub(UNITS_FROM)?))?.0)).collect()
    }

    fn answered(&mut self, now: Instant, receipts: &[Receipt]) {
        for receipt in receipts {
            if let Some(since) = self.owed.remove(&receipt.seq) {
                self.receipts.put(u64::try_from(now.since(since).as_millis()).unwrap_or(u64::MAX));
            }
        }
    }

    /// Something of the command post's comes in.
    fn comes_in(&mut self, now: Instant, bytes: Vec<u8>) {
        let from = POST.parse::<SocketAddr>().ok().map(Peer);
        self.input(now, Input::Heard { link: LinkId::new("card-0"), from, bytes: bytes.into() });
    }

    fn position(&mut self, now: Instant, index: usize, unit: u32) {
        if let Some((older, _)) = self.waiting.insert(unit, (index, now)) {
            self.replaced.push(older);
        }
        // A hundred metres on, to and fro within the square of the origin.
        let step = i32::try_from(index % 40).unwrap_or(0);
        let fix = Position::from_degrees(0.0, 0.0).map(|fix| Position {
            lat_e7: CENTRE_E7.0 + step * 9_000,
            lon_e7: CENTRE_E7.1 + i32::try_from(unit).unwrap_or(0) * 1_000,
            ..fix
        });
        let report = fix.zip(RadioIp::new(10, radio(unit))).and_then(|(fix, radio)| {
            let gps = Gps::from_position(&fix);
            let report = Lp::Report { family: Family::Standard, request: 0, radio, result: 0, gps, rssi: None };
            let peer = Peer(SocketAddr::new(radio.ip().into(), 3_003));
            Some((peer, Hdap::plain(Body::Lp(report)).emit().ok()?))
        });
        let Some((peer, bytes)) = report else { return };
        self.input(now, Input::Heard { link: LinkId::new("radio"), from: Some(peer), bytes });
    }
}

impl Order for Shipped {
    fn submit(&mut self, now: Instant, index: usize, arrival: &Arrival) -> bool {
        if arrival.matter == Matter::Position {
            self.position(now, index, arrival.by);
            return true;
        }
        let request = Request::Send {
            to: Recipient::Person("post".into()),
            text: text(index, arrival.rows),
            precedence: arrival.precedence,
            kind: SendKind::Text,
            exercise: false,
            in_reply_to: None,
            supersedes: None,
            by: format!("unit-{}", arrival.by),
        };
        self.accepted = None;
        self.input(now, Input::Submit { ticket: Ticket(1), request });
        let Some(counter) = self.accepted else { return false };
        self.rows.insert(counter, (index, arrival.rows));
        self.counters.insert(index, counter);
        true
    }

    fn send(&mut self, now: Instant) -> Option<Frame> {
        if self.sent.is_empty() {
            self.input(now, Input::Wake);
        }
        Some(match self.sent.pop_front()? {
            Out::Row(counter, n) => self.row(counter, n),
            Out::Positions(frame) => frame,
            Out::Receipts => Frame::new(),
        })
    }

    fn heard(&mut self, now: Instant, index: usize, said: Said) {
        let (Some(counter), Some(me)) = (self.counters.get(&index).copied(), station(7)) else { return };
        let state = match said {
            Said::Need(rows) => State::Need(rows),
            Said::Complete => State::Complete,
        };
        self.counter += 1;
        let bearing = Bearing::open(MTU);
        let door = Door { cipher: &self.cipher, net: &self.net, bearing: &bearing };
        let receipts = [Receipt { seq: seq_of(counter), state }];
        let sealed = door.seal_receipts(&mut self.spent, self.counter, Precedence::Priority, me, &receipts);
        if let Ok(bytes) = sealed {
            self.comes_in(now, bytes);
        }
    }

    fn lapse(&mut self, now: Instant) -> Vec<usize> {
        self.input(now, Input::Wake);
        let life = Policy::default().position_life;
        let old: Vec<u32> =
            self.waiting.iter().filter(|(_, (_, at))| now.since(*at) >= life).map(|(unit, _)| *unit).collect();
        let old = old.iter().filter_map(|unit| self.waiting.remove(unit)).map(|(index, _)| index);
        let mut lapsed: Vec<usize> = old.collect();
        lapsed.append(&mut self.lapsed);
        lapsed
    }

    fn replaced(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.replaced)
    }

    fn next_look(&self, _: Instant) -> Option<Instant> {
        let life = Policy::default().position_life;
        self.look.into_iter().chain(self.waiting.values().map(|(_, at)| at.after(life))).min()
    }

    fn owe(&mut self, now: Instant, nth: u64) {
        let Some(me) = station(7) else { return };
        self.counter += 1;
        let content = Content::Text { codec: 0, body: format!("in {nth}").into_bytes() };
        let letter = Letter {
            counter: self.counter,
            precedence: Precedence::Priority,
            dst: Destination::Station(me),
            protected: Protected::from(content),
            order: false,
        };
        let bearing = Bearing::open(MTU);
        let door = Door { cipher: &self.cipher, net: &self.net, bearing: &bearing };
        let frames = door.seal(&mut self.spent, &letter);
        let Some(bytes) = frames.and_then(|frames| door.frame(&frames, 0)).ok() else { return };
        self.owed.insert(seq_of(self.counter), now);
        self.comes_in(now, bytes);
    }
}

fn at(now: Instant) -> Now {
    let wall = i64::try_from(now.0 / 1_000).map(|ms| Utc(START.0.saturating_add(ms))).ok();
    Now { mono: now, wall }
}

fn link(name: &str, device: &str, slot: Duration) -> LinkConfig {
    let mut profile = Profile::default();
    let card = device == "air-udp";
    if card {
        profile.0.insert("mtu".into(), Value::Int(i64::try_from(MTU).unwrap_or(0)));
    }
    LinkConfig {
        id: LinkId::new(name),
        device: device.into(),
        profile,
        reach: Reach::default(),
        period: card.then_some(slot),
        capacity_bits: None,
        guard: Duration::ZERO,
    }
}

fn roster(units: u32) -> Option<Roster> {
    let terminal = |text: String| Enrolled::try_from(text).ok();
    let person = |unit: u32| {
        let terminals = vec![Enrolled(TerminalId::from_number(Bearer::Radio370, radio(unit)))];
        let number = UNITS_FROM.checked_add(u16::try_from(unit).ok()?);
        Some(Person {
            id: format!("unit-{unit}"), name: format!("第{unit}组"), unit: String::new(), number, terminals
        })
    };
    let post = StationEntry {
        id: "post".into(),
        name: "指挥所".into(),
        number: 1,
        terminals: vec![terminal(format!("ip:{POST}"))?],
    };
    let people = (1..=units).map(person).collect::<Option<_>>()?;
    Some(Roster { people, stations: vec![post], ..Roster::default() })
}

/// Words that take so many rows and that no model shortens: characters at random.
fn text(index: usize, rows: u8) -> String {
    let bytes = if rows == 1 { 8 } else { usize::from(rows) * ROW - ROW / 2 - SEAL };
    let mut seed = Seed::new(u64::try_from(index).unwrap_or(0)).stream("words");
    let hanzi = |seed: &mut Seed| u32::try_from(seed.between(0x4E00, 0x9FA5)).ok().and_then(char::from_u32);
    (0..bytes / 2).filter_map(|_| hanzi(&mut seed)).collect()
}
