//! A TETRA-style radio on a serial port: the far side of the AT dialogue.
//!
//! It hurts as real ones do: it echoes until told not to, passes nothing on before it was told its services (and forgets
//! them in a reboot), runs an indication into the line before it, lets indications in between a send and its result,
//! refuses to send during a voice call, and loses one report in twenty.

use super::numbers::Numbers;
use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::device::pei::wire::{Coding, Command, HostLine, Indication, LipShort, Sds, Transfer, sds};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// From a command to its answer, and from a send to its result.
const ANSWER_AFTER: Duration = Duration::from_millis(40);
const RESULT_AFTER: Duration = Duration::from_millis(900);
/// A voice call of somebody blocks data this long.
const CALL: Duration = Duration::from_secs(40);
const CALL_PERMILLE: u32 = 50;
const REPORT_LOST_PERMILLE: u32 = 50;
const GLUED_PERMILLE: u32 = 300;
const BOOT: Duration = Duration::from_secs(8);
/// UTF-16 units of one part of a longer text: 148 bytes without 10 of headers.
const PART_UNITS: usize = 69;
const WHOLE_UNITS: usize = 72;
/// Bits of one message, at most.
const BITS_MAX: u32 = 1_184;
/// Bytes of a line that the radio keeps.
const LINE_MAX: usize = 1_024;
/// What the radio says while a call is on: network timeout.
const CME_BLOCKED: &str = "\r\n+CME ERROR: 31\r\n";
/// Marks a request number that is a message reference, so that reference 0 is a number too.
const REFERENCE_MARK: u32 = 0x100;

/// The radio.
#[derive(Clone, Debug)]
pub struct PeiRadio {
    own: TerminalId,
    chance: Seed,
    echoes: bool,
    /// Services that come to the port; none before the host asks.
    services: u32,
    ready_at: Duration,
    call_until: Duration,
    input: Vec<u8>,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    /// References of texts that we gave to the host: who waits for its report, under which number.
    owed: BTreeMap<(String, u8), u32>,
    reference: u8,
    told: Numbers<u8>,
    serial: u64,
    tally: Tally,
}

#[derive(Clone, Debug)]
enum Plan {
    Say(String),
    Radiate { to: String, said: Said },
}

impl PeiRadio {
    /// A radio of this number. `None` for a number that a radio cannot have.
    #[must_use]
    pub fn new(own: TerminalId, seed: &Seed) -> Option<Self> {
        if own.bearer != Bearer::Radio370 || own.as_u32().is_none_or(|number| number > 0x00FF_FFFF) {
            return None;
        }
        Some(Self {
            chance: seed.stream(&own.to_string()),
            own,
            echoes: true,
            services: 0,
            ready_at: Duration::ZERO,
            call_until: Duration::ZERO,
            input: Vec::new(),
            plans: Queue::default(),
            outputs: VecDeque::new(),
            owed: BTreeMap::new(),
            reference: 0,
            told: Numbers::default(),
            serial: 0,
            tally: Tally::default(),
        })
    }

    /// Somebody talks on the channel from now on: no data for 40 seconds.
    pub fn voice_call(&mut self, now: Duration) {
        self.call_until = now + CALL;
    }

    fn say(&mut self, text: impl Into<Bytes>) {
        self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: text.into() });
    }

    fn take_line(&mut self, now: Duration) -> bool {
        let is_send = self.input.starts_with(b"AT+CMGS=") && !self.input.starts_with(b"AT+CMGS=?");
        let ends = |byte: &u8| if is_send { *byte == 0x1A } else { matches!(byte, b'\r' | b'\n') };
        let Some(end) = self.input.iter().position(ends) else {
            if self.input.len() > LINE_MAX {
                self.tally.unreadable += self.input.len() as u64;
                self.input.clear();
            }
            return false;
        };
        let line: Vec<u8> = self.input.drain(..=end).collect();
        if line.len() > 1 {
            self.obey(now, &line);
        }
        true
    }

    fn obey(&mut self, now: Duration, line: &[u8]) {
        if now < self.ready_at {
            return;
        }
        if self.echoes {
            self.say(Bytes::copy_from_slice(line));
        }
        let answer = match HostLine::parse(line) {
            Ok(HostLine::Send { to, bits, hex }) => return self.order(now, to, bits, &hex),
            Ok(HostLine::Plain(Command::EchoOff)) => {
                self.echoes = false;
                "\r\nOK\r\n".to_owned()
            }
            Ok(HostLine::Plain(Command::Profile(_))) => {
                self.services += 1;
                "\r\nOK\r\n".to_owned()
            }
            Ok(HostLine::Plain(Command::AskSendRange)) => "\r\n+CMGS: (0-16777214),(8-1184)\r\n\r\nOK\r\n".to_owned(),
            Ok(_) => "\r\nOK\r\n".to_owned(),
            Err(_) => {
                self.tally.unreadable += line.len() as u64;
                "\r\nERROR\r\n".to_owned()
            }
        };
        self.plans.put(now + ANSWER_AFTER, Plan::Say(answer));
    }

    fn order(&mut self, now: Duration, to: String, bits: u32, hex: &str) {
        self.tally.ordered += 1;
        if bits > BITS_MAX {
            self.tally.too_long += 1;
            return self.plans.put(now + ANSWER_AFTER, Plan::Say("\r\n+CME ERROR: 24\r\n".into()));
        }
        if now >= self.call_until && self.chance.chance(CALL_PERMILLE) {
            self.voice_call(now);
        }
        if now < self.call_until {
            self.tally.refused += 1;
            let blocked = if self.chance.chance(500) { "\r\nBUSY\r\n" } else { CME_BLOCKED };
            return self.plans.put(now + ANSWER_AFTER, Plan::Say(blocked.into()));
        }
        let said = match Sds::parse(&hex_bytes(hex)) {
            Ok(Sds::Transfer(Transfer { reference, coding, text, .. })) => {
                let request = u32::from(reference) | REFERENCE_MARK;
                Some(Said::Text { text: sds::read_text(coding, &text).0, request })
            }
            Ok(Sds::Report { status: 0, reference, .. }) => {
                self.owed.remove(&(to.clone(), reference)).map(|request| Said::Taken { request })
            }
            _ => None,
        };
        if let Some(said) = said {
            self.plans.put(now + RESULT_AFTER, Plan::Radiate { to, said });
        }
        let status = if self.chance.chance(500) { ",4,65" } else { "" };
        self.plans.put(now + RESULT_AFTER, Plan::Say(format!("\r\n+CMGS: 0{status}\r\n\r\nOK\r\n")));
    }

    fn radiate(&mut self, to: &str, said: Said) {
        self.tally.sent += 1;
        self.serial += 1;
        let (from, serial) = (self.own.clone(), self.serial);
        let to = Addressee::Terminal(TerminalId::new(Bearer::Radio370, to));
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    /// An indication to the host, now and then run together with another one.
    fn indicate(&mut self, message: &AirMessage, service: u16, hex: String) {
        let called = match &message.to {
            Addressee::Terminal(id) | Addressee::Group(id) => id.number().to_owned(),
            Addressee::Everyone(_) => "16777215".to_owned(),
        };
        let bits = match (service, hex.get(..2)) {
            (12, Some("0A")) => 84,
            _ => u32::try_from(hex.len() * 4).unwrap_or(0),
        };
        let indication = Indication {
            service,
            calling: Some(message.from.number().to_owned()),
            calling_type: Some(0),
            called,
            called_type: Some(0),
            bits,
            e2ee: None,
            hex,
        };
        let before = if self.chance.chance(GLUED_PERMILLE) { "\r\n+CTTCT:1" } else { "\r\n" };
        self.say(format!("{before}{}", indication.emit()));
    }

    fn data(&mut self, message: &AirMessage, sds: &Sds) {
        self.indicate(message, 12, sds.emit().iter().map(|byte| format!("{byte:02X}")).collect());
    }

    fn text(&mut self, message: &AirMessage, text: &str, request: u32) {
        let units: Vec<u16> = text.encode_utf16().collect();
        let is_whole = units.len() <= WHOLE_UNITS;
        let parts: Vec<&[u16]> = if is_whole { vec![&units] } else { units.chunks(PART_UNITS).collect() };
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let last = &mut self.reference;
        let whole = self.told.number(message, || {
            let first = last.wrapping_add(1);
            *last = last.wrapping_add(total);
            first
        });
        for (number, part) in (1..=total).zip(parts) {
            let reference = whole.wrapping_add(number - 1);
            let is_last = number == total;
            let wants = u8::from(is_last && request != 0 && matches!(message.to, Addressee::Terminal(_)));
            if wants == 1 {
                self.owed.insert((message.from.number().to_owned(), reference), request);
            }
            let transfer = Transfer {
                pid: if is_whole { 0x82 } else { 0x8A },
                wants,
                short_form: false,
                forward: None,
                reference,
                coding: Coding::Ucs2.code(),
                timestamp: None,
                part: (!is_whole).then_some((whole, total, number)),
                text: part.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            };
            self.data(message, &Sds::Transfer(transfer));
        }
    }

    fn pass_on(&mut self, message: &AirMessage) {
        match &message.said {
            Said::Text { text, request } => {
                self.tally.received += 1;
                self.text(message, text, *request);
            }
            Said::Bytes { bytes, .. } => {
                self.tally.received += 1;
                self.data(message, &Sds::Other { pid: 0xC0, body: bytes.to_vec() });
            }
            Said::Taken { request } if !self.chance.chance(REPORT_LOST_PERMILLE) => {
                let reference = request.to_be_bytes()[3];
                self.data(message, &Sds::Report { pid: 0x82, ack_required: false, status: 0, reference });
            }
            Said::Position { position: Some(position), .. } => {
                self.indicate(message, 12, LipShort::from_position(position, false).emit());
            }
            Said::Emergency { on: true, position } => {
                self.indicate(message, 13, "0000".into());
                if let Some(position) = position {
                    self.indicate(message, 12, LipShort::from_position(position, true).emit());
                }
            }
            _ => {}
        }
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

fn hex_bytes(digits: &str) -> Vec<u8> {
    yizhan_codecs::device::pei::wire::at::unhex(digits)
}

impl Terminal for PeiRadio {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        while self.take_line(now) {}
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if now >= self.ready_at && self.services > 0 {
            self.pass_on(message);
        }
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Reboot => {
                self.echoes = true;
                self.services = 0;
                self.ready_at = now + BOOT;
                self.call_until = Duration::ZERO;
                self.input.clear();
                self.owed.clear();
                self.plans = Queue::default();
            }
            Act::Noise { bytes } => self.say(bytes.clone()),
            _ => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            match self.plans.take() {
                Some((_, Plan::Say(text))) => self.say(text),
                Some((_, Plan::Radiate { to, said })) => self.radiate(&to, said),
                None => {}
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(id) => *id == self.own,
            Addressee::Group(_) | Addressee::Everyone(_) => to.bearer() == Bearer::Radio370,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &[u8] = b"ATE0\rAT+CTSP=1,3,131\r";

    fn id(number: u32) -> TerminalId {
        TerminalId::from_number(Bearer::Radio370, number)
    }

    fn radio() -> PeiRadio {
        PeiRadio::new(id(7), &Seed::new(1)).unwrap()
    }

    /// Wakes the radio until it wants nothing more: what the host saw and what left the antenna.
    fn run(radio: &mut PeiRadio, mut now: Duration) -> (String, Vec<AirMessage>) {
        let (mut host, mut air) = (String::new(), Vec::new());
        loop {
            let mut wake = None;
            while let Some(output) = radio.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => host.push_str(std::str::from_utf8(&bytes).unwrap()),
                    TerminalOutput::ToAir(message) => air.push(message),
                    TerminalOutput::WakeAt(at) => wake = Some(at),
                    TerminalOutput::Shown { .. } => {}
                }
            }
            let Some(at) = wake else { return (host, air) };
            now = now.max(at);
            radio.wake(now);
        }
    }

    fn from_far(said: Said) -> AirMessage {
        AirMessage { from: id(9), to: Addressee::Terminal(id(7)), serial: 1, said }
    }

    #[test]
    fn nothing_reaches_the_port_before_a_service_is_asked_for() {
        let mut radio = radio();
        let text = from_far(Said::Text { text: "到位".into(), request: 5 });
        radio.heard_air(Duration::ZERO, &text);
        assert_eq!(run(&mut radio, Duration::ZERO).0, "");
        radio.heard_host(Duration::ZERO, None, START);
        assert!(run(&mut radio, Duration::ZERO).0.starts_with("ATE0\r"));
        radio.heard_air(Duration::ZERO, &text);
        assert!(run(&mut radio, Duration::ZERO).0.contains("8204011A52304F4D"));
        radio.act(Duration::ZERO, &Act::Reboot);
        radio.heard_air(BOOT, &text);
        assert_eq!(run(&mut radio, BOOT).0, "");
    }

    #[test]
    fn a_report_of_the_host_tells_the_far_radio_that_its_text_is_taken() {
        let mut radio = radio();
        radio.heard_host(Duration::ZERO, None, START);
        radio.heard_air(Duration::ZERO, &from_far(Said::Text { text: "到位".into(), request: 5 }));
        run(&mut radio, Duration::ZERO);
        let report = b"AT+CMGS=9,32\r\n82100001\x1a";
        let mut now = Duration::ZERO;
        loop {
            radio.heard_host(now, None, report);
            let (_, air) = run(&mut radio, now);
            if let [taken] = &air[..] {
                assert_eq!((&taken.said, &taken.to), (&Said::Taken { request: 5 }, &Addressee::Terminal(id(9))));
                break;
            }
            now += CALL;
        }
        let tally = radio.tally();
        assert_eq!((tally.ordered - tally.refused, tally.sent), (1, 1));
    }

    #[test]
    fn a_voice_call_blocks_data_for_forty_seconds() {
        let mut radio = radio();
        radio.heard_host(Duration::ZERO, None, START);
        run(&mut radio, Duration::ZERO);
        radio.voice_call(Duration::ZERO);
        let send = b"AT+CMGS=9,48\r\n8204021A64A4\x1a";
        radio.heard_host(CALL - Duration::from_millis(1), None, send);
        let (said, air) = run(&mut radio, Duration::ZERO);
        assert!((said.contains("BUSY") || said.contains("+CME ERROR")) && air.is_empty(), "{said}");
        assert_eq!((radio.tally().refused, radio.tally().sent), (1, 0));
    }

    /// The whole conversation with our own dialogue, over a line that hurts: a text is written, radiated and reported.
    #[test]
    fn the_host_starts_the_radio_and_its_text_is_delivered() {
        use yizhan_codecs::codec::{Cargo, Profile, Step};
        use yizhan_codecs::frame::Found;
        use yizhan_codecs::message::{Order, Signal};
        let codec = yizhan_codecs::device::open("pei", &Profile::default()).unwrap();
        let (mut radio, mut talk, mut framer) = (radio(), codec.dialogue().unwrap(), codec.framer());
        let (mut now, mut is_given, mut delivered) = (Duration::ZERO, false, Vec::new());
        let (mut host_wake, mut radio_wake): (Option<Duration>, Option<Duration>) = (None, None);
        talk.link_up(now);
        for _ in 0..10_000 {
            let mut is_ready = false;
            while let Some(step) = talk.poll() {
                match step {
                    Step::Send(frame) | Step::Carry { frame, .. } => radio.heard_host(now, None, &frame.bytes),
                    Step::Say(Signal::Delivery { native, delivered: true, .. }) => delivered.push(native),
                    Step::Say(_) => {}
                    Step::WakeAt(at) => host_wake = Some(at),
                    Step::Ready(ready) => is_ready = ready,
                }
            }
            if is_ready && !is_given {
                is_given = true;
                let to = Addressee::Terminal(id(9));
                let order = Order::Text { card: None, to, text: "撤".into(), native: 0x0201, urgent: false };
                talk.give(now, Cargo::Message { native: 0x0201 }, codec.encode(&order).unwrap());
                continue;
            }
            let mut heard = false;
            while let Some(output) = radio.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => framer.push(&bytes),
                    TerminalOutput::ToAir(AirMessage { said: Said::Text { request, .. }, .. }) => {
                        radio.heard_air(now, &from_far(Said::Taken { request }));
                    }
                    TerminalOutput::WakeAt(at) => radio_wake = Some(at),
                    _ => {}
                }
            }
            while let Some(found) = framer.next_found() {
                let Found::Frame(frame) = found else { panic!("noise on a clean line: {found:?}") };
                let mut signals = codec.decode(&frame, None).unwrap();
                talk.heard(now, None, &frame, &mut signals);
                heard = true;
                for signal in signals {
                    if let Signal::Delivery { native, delivered: true, .. } = signal {
                        delivered.push(native);
                    }
                }
            }
            if !delivered.is_empty() {
                break;
            }
            if !heard {
                now = [host_wake, radio_wake].into_iter().flatten().min().expect("somebody waits").max(now);
                if radio_wake.is_some_and(|at| at <= now) {
                    radio_wake = None;
                    radio.wake(now);
                } else {
                    host_wake = None;
                    talk.wake(now);
                }
            }
        }
        assert_eq!(delivered, [0x0201]);
    }
}
