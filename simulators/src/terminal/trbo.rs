//! The radio on the cable of a net with TRBO data services, used by its host as a modem: datagrams on one side, one
//! shared channel on the other.
//!
//! Every far radio has an address of its own on the host's side (subnet byte and number), as real ones do. What hurts: a
//! far radio that heard a text with one sequence number takes the next one with the same number for a repeat, acks it and
//! shows nothing; a text that the host does not ack comes again with its old number; a registration without an answer is
//! repeated; the net itself tells the host nothing of a text that nobody acked.

use super::numbers::Numbers;
use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use yizhan_codecs::device::trbo::wire::{
    Ars, ArsBody, Fraction, Lrrp, Point, Tms, TmsBody, Token, UTF_16, utf16, words,
};
use yizhan_codecs::message::{Addressee, Bearer, Position, TerminalId};

/// Ports of the services, the same number on both sides.
const ARS_PORT: u16 = 4005;
const TMS_PORT: u16 = 4007;
const LRRP_PORT: u16 = 4001;
/// The first byte of a group's address.
const GROUP_SUBNET: u8 = 225;
/// One text on the channel.
const ON_AIR: Duration = Duration::from_millis(600);
/// Texts that wait for the channel, at most; more are lost without a word, as this service has none for it.
const WAITING_MAX: usize = 32;
/// The called radio's machine answers within this time, or the radio on the cable tries again.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);
const TRIES_MAX: u32 = 3;
/// The host acks a text or a registration within this time, or the far radio repeats it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
const REPEATS_MAX: u32 = 3;
/// UTF-16 units of one text with its line break, at most.
const TEXT_UNITS_MAX: usize = 280;
/// Half an hour, the unit in which registrations are renewed.
const HALF_HOUR: Duration = Duration::from_secs(1_800);
/// What a position request that has no fix is answered with.
const NO_FIX: u32 = 0x10;

/// The radio on the cable.
#[derive(Clone, Debug)]
pub struct TrboModem {
    subnet: u8,
    own: u32,
    busy_until: Duration,
    waiting: VecDeque<Errand>,
    awaited: Vec<Errand>,
    /// The last sequence number that each far radio heard from us and acked.
    last_heard: BTreeMap<u32, u8>,
    /// The next sequence number of each far radio.
    sequences: BTreeMap<u32, u8>,
    told: Numbers<u8>,
    unanswered: Vec<Unanswered>,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    tally: Tally,
}

/// A text of the host on its way.
#[derive(Clone, Debug)]
struct Errand {
    serial: u64,
    sequence: u8,
    to: u32,
    is_group: bool,
    text: String,
    tries: u32,
}

/// What a far radio said and the host must answer.
#[derive(Clone, Debug)]
struct Unanswered {
    by: u32,
    /// `None` = a registration.
    text: Option<Told>,
    frame: Bytes,
    repeats: u32,
    ticket: u64,
}

/// The far radio's own numbers of a text.
#[derive(Clone, Copy, Debug)]
struct Told {
    sequence: u8,
    request: u32,
}

#[derive(Clone, Debug)]
enum Plan {
    Channel,
    /// Whether the called radio has answered.
    Look(u64),
    /// Whether the host has answered.
    Repeat(u64),
}

impl TrboModem {
    /// The ports of its services as it speaks of them: registration, text, location.
    pub const SERVICES: [u16; 3] = [ARS_PORT, TMS_PORT, LRRP_PORT];

    /// A modem whose net gives addresses `subnet.x.y.z`, and whose own radio has this number of 24 bits.
    #[must_use]
    pub fn new(subnet: u8, own: u32) -> Option<Self> {
        (own < 1 << 24).then(|| Self {
            subnet,
            own,
            busy_until: Duration::ZERO,
            waiting: VecDeque::new(),
            awaited: Vec::new(),
            last_heard: BTreeMap::new(),
            sequences: BTreeMap::new(),
            told: Numbers::default(),
            unanswered: Vec::new(),
            plans: Queue::default(),
            outputs: VecDeque::new(),
            serial: 0,
            tally: Tally::default(),
        })
    }

    fn number(id: u32) -> TerminalId {
        TerminalId::from_number(Bearer::Radio370, id)
    }

    fn address(&self, id: u32, port: u16) -> SocketAddr {
        let [_, a, b, c] = id.to_be_bytes();
        SocketAddr::new(IpAddr::V4(Ipv4Addr::new(self.subnet, a, b, c)), port)
    }

    fn tell_host(&mut self, from: u32, port: u16, bytes: Bytes) {
        let from = Some(self.address(from, port));
        self.outputs.push_back(TerminalOutput::ToHost { from, bytes });
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn radiate(&mut self, to: Addressee, serial: Option<u64>, said: Said) {
        let serial = serial.unwrap_or_else(|| self.next_serial());
        let from = Self::number(self.own);
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    fn unreadable(&mut self, bytes: &[u8]) {
        self.tally.unreadable += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }

    fn text_service(&mut self, now: Duration, to: u32, is_group: bool, tms: &Tms) {
        match &tms.body {
            TmsBody::Text { sequence: Some(sequence), encoding: Some(UTF_16), data } => {
                self.tally.ordered += 1;
                let (text, _) = words(data);
                if text.encode_utf16().count() > TEXT_UNITS_MAX {
                    self.tally.too_long += 1;
                    return;
                }
                if self.waiting.len() >= WAITING_MAX {
                    self.tally.refused += 1;
                    return;
                }
                let text = text.strip_prefix("\r\n").unwrap_or(&text).to_owned();
                let serial = self.next_serial();
                // Receivers have five bits: 32 is 0 to them.
                let sequence = *sequence % 32;
                self.waiting.push_back(Errand { serial, sequence, to, is_group, text, tries: 0 });
                self.plans.put(now.max(self.busy_until), Plan::Channel);
            }
            TmsBody::Ack { sequence: Some(sequence) } => {
                let place = self
                    .unanswered
                    .iter()
                    .position(|u| u.by == to && u.text.is_some_and(|told| told.sequence == *sequence));
                let told = place.map(|place| self.unanswered.remove(place)).and_then(|unanswered| unanswered.text);
                if let Some(told) = told {
                    let to = Addressee::Terminal(Self::number(to));
                    self.radiate(to, None, Said::Taken { request: told.request });
                }
            }
            _ => {}
        }
    }

    fn registration_service(&mut self, to: u32, ars: &Ars) {
        let far = Addressee::Terminal(Self::number(to));
        match ars.body {
            ArsBody::Ack { value: Some(half_hours) } if !ars.header.bit_6() => {
                self.unanswered.retain(|unanswered| unanswered.by != to || unanswered.text.is_some());
                self.radiate(far, None, Said::Registered { renew: HALF_HOUR * u32::from(half_hours) });
            }
            ArsBody::Query => self.radiate(far, None, Said::AskPresence),
            _ => {}
        }
    }

    fn location_service(&mut self, to: u32, document: &Lrrp) {
        let request = document.tokens.iter().find_map(|token| match token {
            Token::RequestId(id) => id.first_chunk::<4>().map(|id| u32::from_be_bytes(*id)),
            _ => None,
        });
        if document.doc == 0x05 {
            let request = request.unwrap_or(0);
            self.radiate(Addressee::Terminal(Self::number(to)), None, Said::AskPosition { request });
        }
    }

    /// The channel may be free: the next text goes out.
    fn use_channel(&mut self, now: Duration) {
        if now < self.busy_until {
            return self.plans.put(self.busy_until, Plan::Channel);
        }
        let Some(mut errand) = self.waiting.pop_front() else { return };
        errand.tries += 1;
        self.busy_until = now + ON_AIR;
        self.plans.put(self.busy_until, Plan::Channel);
        self.tally.sent += 1;
        if errand.is_group {
            let to = Addressee::Group(Self::number(errand.to));
            let said = Said::Text { text: errand.text, request: 0 };
            return self.radiate(to, Some(errand.serial), said);
        }
        if self.last_heard.get(&errand.to) == Some(&errand.sequence) {
            // A repeat to the far radio: acked by it, not shown.
            return self.ack(errand.to, errand.sequence);
        }
        let said = Said::Text { text: errand.text.clone(), request: u32::from(errand.sequence) };
        self.radiate(Addressee::Terminal(Self::number(errand.to)), Some(errand.serial), said);
        self.plans.put(now + TAKEN_WITHIN, Plan::Look(errand.serial));
        self.awaited.push(errand);
    }

    fn ack(&mut self, by: u32, sequence: u8) {
        if let Ok(bytes) = Tms::ack(Some(sequence)).emit() {
            self.tell_host(by, TMS_PORT, bytes);
        }
    }

    /// A text that was not taken is tried again, and then given up in silence.
    fn look(&mut self, now: Duration, serial: u64) {
        let Some(place) = self.awaited.iter().position(|errand| errand.serial == serial) else { return };
        let errand = self.awaited.remove(place);
        if errand.tries < TRIES_MAX {
            self.waiting.push_back(errand);
            self.plans.put(now.max(self.busy_until), Plan::Channel);
        }
    }

    fn taken(&mut self, by: u32, request: u32) {
        let place = self.awaited.iter().position(|e| e.to == by && u32::from(e.sequence) == request);
        if let Some(place) = place {
            let errand = self.awaited.remove(place);
            self.last_heard.insert(by, errand.sequence);
            self.ack(by, errand.sequence);
        }
    }

    /// A far radio says something that it repeats until the host answers.
    fn ask_host(&mut self, now: Duration, by: u32, text: Option<Told>, frame: Bytes) {
        let port = if text.is_some() { TMS_PORT } else { ARS_PORT };
        self.tell_host(by, port, Bytes::clone(&frame));
        let ticket = self.next_serial();
        self.unanswered.push(Unanswered { by, text, frame, repeats: 0, ticket });
        self.plans.put(now + ANSWERED_WITHIN, Plan::Repeat(ticket));
    }

    fn repeat(&mut self, now: Duration, ticket: u64) {
        let Some(place) = self.unanswered.iter().position(|unanswered| unanswered.ticket == ticket) else { return };
        let mut unanswered = self.unanswered.remove(place);
        if unanswered.repeats >= REPEATS_MAX {
            return;
        }
        unanswered.repeats += 1;
        let port = if unanswered.text.is_some() { TMS_PORT } else { ARS_PORT };
        self.tell_host(unanswered.by, port, Bytes::clone(&unanswered.frame));
        self.unanswered.push(unanswered);
        self.plans.put(now + ANSWERED_WITHIN, Plan::Repeat(ticket));
    }

    fn pass_on(&mut self, now: Duration, message: &AirMessage) {
        let Some(by) = message.from.as_u32().filter(|by| *by < 1 << 24) else { return };
        match &message.said {
            Said::Text { text, request } => {
                self.tally.received += 1;
                let is_group = matches!(message.to, Addressee::Group(_));
                let request = *request;
                if let Some(known) = self.unanswered.iter().find(|u| u.by == by && u.asks(request)) {
                    // The air brought it again: the same text, the same number.
                    let frame = Bytes::clone(&known.frame);
                    return self.tell_host(by, TMS_PORT, frame);
                }
                let last = self.sequences.entry(by).or_insert(0);
                let sequence = self.told.number(message, || {
                    *last = (*last + 1) % 32;
                    *last
                });
                let Ok(frame) = Tms::text(sequence, !is_group, utf16(&format!("\r\n{text}"))).emit() else { return };
                if is_group {
                    self.tell_host(by, TMS_PORT, frame);
                } else {
                    self.ask_host(now, by, Some(Told { sequence, request }), frame);
                }
            }
            Said::Taken { request } => self.taken(by, *request),
            Said::Register => {
                self.unanswered.retain(|unanswered| unanswered.by != by || unanswered.text.is_some());
                if let Ok(frame) = Ars::register(by).emit() {
                    self.ask_host(now, by, None, frame);
                }
            }
            Said::Present => {
                if let Ok(frame) = Ars::PRESENT.emit() {
                    self.tell_host(by, ARS_PORT, frame);
                }
            }
            Said::Position { request, position } => self.report(by, 0x07, Some(*request), position.as_ref()),
            // The service has no alarm of its own: all that the host gets is where the radio is.
            Said::Emergency { on: true, position } => self.report(by, 0x13, None, position.as_ref()),
            Said::Emergency { on: false, .. }
            | Said::Bytes { .. }
            | Said::Registered { .. }
            | Said::AskPresence
            | Said::AskPosition { .. } => {}
        }
    }

    fn report(&mut self, by: u32, doc: u8, request: Option<u32>, position: Option<&Position>) {
        let id = |request: u32| Token::RequestId(Bytes::copy_from_slice(&request.to_be_bytes()));
        let mut tokens: Vec<Token> = request.map(id).into_iter().collect();
        match position.and_then(|position| Point::from_degrees(position.lat(), position.lon())) {
            Some(point) => {
                let radius = Some(Fraction { negative: false, whole: 9, part: 28 });
                tokens.push(Token::Point(Point { radius, ..point }));
            }
            None => tokens.push(Token::Result { token: 0x37, code: NO_FIX, detail: Bytes::new() }),
        }
        if let Ok(frame) = (Lrrp { doc, tokens }).emit() {
            self.tell_host(by, LRRP_PORT, frame);
        }
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

impl Unanswered {
    /// Whether it is the text with this request number; 0 is no number.
    fn asks(&self, request: u32) -> bool {
        request != 0 && self.text.is_some_and(|told| told.request == request)
    }
}

impl Terminal for TrboModem {
    fn heard_host(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]) {
        // The datagram's address says for whom it is, and its port for which service: without one it goes nowhere.
        if let Some(SocketAddr::V4(peer)) = to {
            let [subnet, a, b, c] = peer.ip().octets();
            let (far, is_group) = (u32::from_be_bytes([0, a, b, c]), subnet == GROUP_SUBNET);
            match peer.port() {
                TMS_PORT => match Tms::parse(bytes) {
                    Ok(tms) => {
                        self.text_service(now, far, is_group || !tms.header.bit_6() && !tms.header.is_control(), &tms)
                    }
                    Err(_) => self.unreadable(bytes),
                },
                ARS_PORT => match Ars::parse(bytes) {
                    Ok(ars) => self.registration_service(far, &ars),
                    Err(_) => self.unreadable(bytes),
                },
                LRRP_PORT => match Lrrp::parse(bytes) {
                    Ok(document) => self.location_service(far, &document),
                    Err(_) => self.unreadable(bytes),
                },
                _ => self.unreadable(bytes),
            }
        } else {
            self.unreadable(bytes);
        }
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        self.pass_on(now, message);
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Reboot => {
                self.waiting.clear();
                self.awaited.clear();
                self.plans = Queue::default();
                // Far radios were not switched off: they go on repeating.
                for unanswered in &self.unanswered {
                    self.plans.put(now + ANSWERED_WITHIN, Plan::Repeat(unanswered.ticket));
                }
                self.busy_until = now + Duration::from_secs(10);
            }
            Act::Noise { bytes } => self.tell_host(self.own, TMS_PORT, Bytes::clone(bytes)),
            _ => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            match self.plans.take() {
                Some((_, Plan::Channel)) => self.use_channel(now),
                Some((_, Plan::Look(serial))) => self.look(now, serial),
                Some((_, Plan::Repeat(ticket))) => self.repeat(now, ticket),
                None => {}
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        to.bearer() == Bearer::Radio370
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: u32 = 10_003;

    fn modem() -> TrboModem {
        TrboModem::new(12, 1).unwrap()
    }

    fn far(port: u16) -> Option<SocketAddr> {
        Some(modem().address(FAR, port))
    }

    fn order(sequence: u8) -> Bytes {
        Tms::text(sequence, true, utf16("\r\n请撤离")).emit().unwrap()
    }

    fn says(said: Said) -> AirMessage {
        let to = Addressee::Terminal(TrboModem::number(1));
        AirMessage { from: TrboModem::number(FAR), to, serial: 1, said }
    }

    fn hexed(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Wakes the modem until `end`; what it told its host in hex, and its transmissions.
    fn run(modem: &mut TrboModem, mut now: Duration, end: Duration) -> (Vec<String>, Vec<Said>) {
        let (mut told, mut radiated) = (Vec::new(), Vec::new());
        loop {
            let mut wake = None;
            while let Some(output) = modem.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => told.push(hexed(&bytes)),
                    TerminalOutput::ToAir(message) => radiated.push(message.said),
                    TerminalOutput::WakeAt(at) => wake = Some(at),
                    TerminalOutput::Shown { .. } => {}
                }
            }
            match wake.filter(|at| *at <= end) {
                Some(at) => now = now.max(at),
                None => return (told, radiated),
            }
            modem.wake(now);
        }
    }

    #[test]
    fn a_silent_radio_is_called_three_times_and_the_host_is_told_nothing() {
        let mut modem = modem();
        modem.heard_host(Duration::ZERO, far(TMS_PORT), &order(7));
        let (told, radiated) = run(&mut modem, Duration::ZERO, Duration::from_secs(60));
        assert_eq!((told.len(), radiated.len()), (0, 3));
    }

    #[test]
    fn the_called_radios_ack_bears_the_texts_sequence_and_the_same_sequence_again_is_acked_but_not_shown() {
        let mut modem = modem();
        for (second, transmissions) in [(0, 1), (100, 0)] {
            let now = Duration::from_secs(second);
            modem.heard_host(now, far(TMS_PORT), &order(7));
            let (_, radiated) = run(&mut modem, now, now);
            assert_eq!(radiated.len(), transmissions);
            if transmissions == 1 {
                modem.heard_air(now, &says(Said::Taken { request: 7 }));
                assert_eq!(run(&mut modem, now, now).0, ["0003bf0007"]);
            }
        }
        assert_eq!(modem.tally().ordered, 2);
    }

    #[test]
    fn a_text_without_an_ack_is_repeated_with_its_own_sequence_until_the_ack_comes() {
        let mut modem = modem();
        modem.heard_air(Duration::ZERO, &says(Said::Text { text: "到位".into(), request: 5 }));
        let (told, _) = run(&mut modem, Duration::ZERO, Duration::from_secs(15));
        assert_eq!(told.len(), 2);
        assert_eq!(told[0], told[1]);
        let text = Tms::text(1, true, utf16("\r\n到位")).emit().unwrap();
        assert_eq!(told[0], hexed(&text));
        let now = Duration::from_secs(16);
        modem.heard_host(now, far(TMS_PORT), &Tms::ack(Some(1)).emit().unwrap());
        let (told, radiated) = run(&mut modem, now, Duration::from_secs(100));
        assert_eq!((told.len(), radiated), (0, vec![Said::Taken { request: 5 }]));
    }

    #[test]
    fn a_registration_is_repeated_until_it_is_answered() {
        let mut modem = modem();
        modem.heard_air(Duration::ZERO, &says(Said::Register));
        assert_eq!(run(&mut modem, Duration::ZERO, Duration::from_secs(15)).0, ["000af0200531303030330000"; 2]);
        let now = Duration::from_secs(16);
        modem.heard_host(now, far(ARS_PORT), &[0, 2, 0xBF, 1]);
        let (told, radiated) = run(&mut modem, now, Duration::from_secs(100));
        assert_eq!((told.len(), radiated), (0, vec![Said::Registered { renew: HALF_HOUR }]));
    }

    #[test]
    fn a_position_request_is_answered_under_its_own_number() {
        let mut modem = modem();
        modem.heard_host(Duration::ZERO, far(LRRP_PORT), &Lrrp::ask(9).emit().unwrap());
        let (_, radiated) = run(&mut modem, Duration::ZERO, Duration::ZERO);
        assert_eq!(radiated, [Said::AskPosition { request: 9 }]);
        modem.heard_air(Duration::ZERO, &says(Said::Position { request: 9, position: None }));
        assert_eq!(run(&mut modem, Duration::ZERO, Duration::ZERO).0, ["07082204000000093710"]);
    }
}
