//! A TNC on a packet radio net, as its host sees it through KISS, with digipeaters and far stations around it.
//!
//! A TNC says nothing of what becomes of a frame: it radiates when the channel is free, or its queue is full and the
//! frame is gone. Digipeaters repeat what they hear, ours too, so the host hears its own frames and several copies of
//! those of others. Far stations acknowledge by APRS; that is the air's [`Said::Taken`].

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use yizhan_codecs::device::kiss::wire::kiss::{DATA, FEND};
use yizhan_codecs::device::kiss::wire::{Aprs, Ax25, Call, Kiss, Message, Place, aprs};
use yizhan_codecs::message::{Addressee, Bearer, Position, TerminalId};

/// A frame of 200 bytes at 1200 bit/s with its preamble.
const ON_AIR: Duration = Duration::from_millis(1_700);
/// Frames that wait for the channel; a TNC drops more without a word.
const WAITING_MAX: usize = 8;
/// Bytes from the host that may wait for their delimiter.
const HELD_MAX: usize = 2_048;
/// Numbers of texts of the host that an answer may still come for.
const ASKED_MAX: usize = 256;
/// Copies out of 1000 that a digipeater makes and the TNC hears.
const REPEATED_PERMILLE: u32 = 700;
const COPY_AFTER: (Duration, Duration) = (Duration::from_millis(1_800), Duration::from_millis(4_000));
const TOCALL: &str = "APZSIM";
const DIGIPEATER: &str = "BG0DGI-1";
/// Bytes of one text: 67 characters of Chinese.
const TEXT_BYTES_MAX: usize = 201;

/// The TNC.
#[derive(Clone, Debug)]
pub struct KissTnc {
    own: Call,
    held: Vec<u8>,
    busy_until: Duration,
    waiting: VecDeque<Ax25>,
    plans: Queue<Plan>,
    /// Request numbers of the air and the numbers that the host wrote for them, with the callsign called.
    asked: BTreeMap<u32, (String, String)>,
    requests: u32,
    serial: u64,
    is_left: bool,
    seed: Seed,
    outputs: VecDeque<TerminalOutput>,
    tally: Tally,
}

#[derive(Clone, Debug)]
enum Plan {
    Channel,
    ToHost(Bytes),
}

impl KissTnc {
    /// A TNC whose host has this callsign; `None` where the number is no callsign.
    #[must_use]
    pub fn new(own: &TerminalId, seed: &Seed) -> Option<Self> {
        Some(Self {
            own: own.number().parse().ok().filter(|_| own.bearer == Bearer::Mesh)?,
            held: Vec::new(),
            busy_until: Duration::ZERO,
            waiting: VecDeque::new(),
            plans: Queue::default(),
            asked: BTreeMap::new(),
            requests: 0,
            serial: 0,
            is_left: false,
            seed: seed.stream("kiss"),
            outputs: VecDeque::new(),
            tally: Tally::default(),
        })
    }

    /// A frame from the host, or a setting of the TNC.
    fn obey(&mut self, now: Duration, inside: &[u8]) {
        let kiss = Kiss::parse_inside(inside).ok().filter(|_| !self.is_left);
        let frame = kiss.as_ref().filter(|kiss| kiss.command == DATA).and_then(|kiss| Ax25::parse(&kiss.data).ok());
        match (kiss, frame) {
            (_, Some(frame)) => self.take(now, frame),
            (Some(kiss), None) if kiss.command != DATA => self.is_left = kiss.command == 15,
            _ => self.tally.unreadable += u64::try_from(inside.len()).unwrap_or(u64::MAX),
        }
    }

    fn take(&mut self, now: Duration, frame: Ax25) {
        if matches!(Aprs::parse(frame.to.name(), &frame.info), Ok(Aprs::Message(_) | Aprs::Bulletin(_))) {
            self.tally.ordered += 1;
        }
        if self.waiting.len() >= WAITING_MAX {
            self.tally.refused += 1;
            return;
        }
        self.waiting.push_back(frame);
        self.plans.put(now.max(self.busy_until), Plan::Channel);
    }

    fn use_channel(&mut self, now: Duration) {
        if now < self.busy_until {
            return self.plans.put(self.busy_until, Plan::Channel);
        }
        let Some(frame) = self.waiting.pop_front() else { return };
        self.busy_until = now + ON_AIR;
        self.echo(now, &frame);
        self.radiate(&frame);
        self.plans.put(self.busy_until, Plan::Channel);
    }

    fn radiate(&mut self, frame: &Ax25) {
        let to = |call: &str| Addressee::Terminal(TerminalId::new(Bearer::Mesh, call));
        match Aprs::parse(frame.to.name(), &frame.info) {
            Ok(Aprs::Message(message)) if message.text.starts_with('?') => {
                self.say(to(&message.to), Said::AskPosition { request: 0 });
            }
            Ok(Aprs::Message(message)) => {
                self.count(&message.text);
                let request = message.number.map_or(0, |number| self.ask(&message.to, number));
                self.say(to(&message.to), Said::Text { text: message.text, request });
            }
            Ok(Aprs::Bulletin(bulletin)) => {
                self.count(&bulletin.text);
                self.say(Addressee::Everyone(Bearer::Mesh), Said::Text { text: bulletin.text, request: 0 });
            }
            Ok(Aprs::Ack { to: asker, number }) => {
                let request = u32::from_str_radix(&number, 36).unwrap_or(0);
                self.say(to(&asker), Said::Taken { request });
            }
            _ => {}
        }
    }

    fn count(&mut self, text: &str) {
        self.tally.sent += 1;
        self.tally.too_long += u64::from(text.len() > TEXT_BYTES_MAX);
    }

    /// Which number the air has for a number of the host; the same for another try.
    fn ask(&mut self, to: &str, number: String) -> u32 {
        let known = self.asked.iter().find(|(_, (call, other))| call == to && *other == number);
        if let Some((request, _)) = known {
            return *request;
        }
        self.requests += 1;
        self.asked.insert(self.requests, (to.to_owned(), number));
        if self.asked.len() > ASKED_MAX {
            self.asked.pop_first();
        }
        self.requests
    }

    fn say(&mut self, to: Addressee, said: Said) {
        self.serial += 1;
        let from = TerminalId::new(Bearer::Mesh, &self.own.to_string());
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial: self.serial, said }));
    }

    /// A digipeater repeats a frame, by chance, and the TNC hears it.
    fn echo(&mut self, now: Duration, frame: &Ax25) {
        let repeats = self.seed.chance(REPEATED_PERMILLE);
        let after = self.seed.time_between(COPY_AFTER.0, COPY_AFTER.1);
        let mut copy = frame.clone();
        let Some(first) = copy.via.first_mut().filter(|_| repeats) else { return };
        if let Ok(call) = DIGIPEATER.parse() {
            first.call = call;
        }
        first.repeated = true;
        self.plans.put(now + after, Plan::ToHost(Kiss::data(0, copy.emit()).emit()));
    }

    /// What a far station radiates, as the host gets it: at once, and perhaps again from a digipeater.
    fn hear(&mut self, now: Duration, from: &TerminalId, info: String) {
        let (Ok(from), Ok(to), Ok(wide)) = (from.number().parse(), TOCALL.parse(), "WIDE1-1".parse()) else { return };
        let frame = Ax25::ui(from, to, &[wide], info.into());
        self.plans.put(now, Plan::ToHost(Kiss::data(0, frame.emit()).emit()));
        self.echo(now, &frame);
    }

    fn pass_on(&mut self, now: Duration, message: &AirMessage) {
        let info = match &message.said {
            Said::Text { text, request } => match &message.to {
                Addressee::Terminal(to) => {
                    let number = Some(number(*request)).filter(|_| *request != 0);
                    let (to, text) = (to.number().to_owned(), text.clone());
                    Message { to, text, lossy: false, number, reply_ack: None }.emit()
                }
                Addressee::Group(_) | Addressee::Everyone(_) => aprs::emit_bulletin('1', text),
            },
            Said::Taken { request } => match self.asked.get(request) {
                Some((call, number)) if call == message.from.number() => aprs::emit_ack(&self.own, number),
                _ => return,
            },
            Said::Position { position: Some(position), .. } => format!("={}", place(position)),
            Said::Emergency { on: true, position: Some(position) } => format!("={}!EMERGENCY!", place(position)),
            Said::Emergency { on: true, position: None } => ">!EMERGENCY!".to_owned(),
            Said::Present | Said::Register => ">on air".to_owned(),
            _ => return,
        };
        if matches!(message.said, Said::Text { .. }) {
            self.tally.received += 1;
        }
        self.hear(now, &message.from, info);
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

/// A far station's own number of its text, base 36, so that an ack finds back.
fn number(request: u32) -> String {
    let (mut rest, mut digits) = (request % 36_u32.pow(5), Vec::new());
    while rest > 0 || digits.is_empty() {
        digits.push(char::from_digit(rest % 36, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    digits.iter().rev().collect()
}

fn place(position: &Position) -> String {
    Place::new(position.lat(), position.lon(), "/[").emit()
}

impl Terminal for KissTnc {
    fn heard_host(&mut self, now: Duration, _: Option<std::net::SocketAddr>, bytes: &[u8]) {
        for byte in bytes {
            if *byte == FEND {
                let inside = std::mem::take(&mut self.held);
                if !inside.is_empty() {
                    self.obey(now, &inside);
                }
            } else if self.held.len() < HELD_MAX {
                self.held.push(*byte);
            } else {
                self.tally.unreadable += 1;
            }
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
                self.held.clear();
                self.waiting.clear();
                self.plans = Queue::default();
                self.is_left = false;
                self.busy_until = now + Duration::from_secs(3);
            }
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: Bytes::clone(bytes) });
            }
            _ => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            match self.plans.take() {
                Some((_, Plan::Channel)) => self.use_channel(now),
                Some((_, Plan::ToHost(bytes))) => {
                    self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes });
                }
                None => {}
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        to.bearer() == Bearer::Mesh
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(call: &str) -> TerminalId {
        TerminalId::new(Bearer::Mesh, call)
    }

    fn tnc() -> KissTnc {
        KissTnc::new(&id("BG0AAA-10"), &Seed::new(4)).unwrap()
    }

    fn order(text: &str) -> Bytes {
        let [from, to, wide] = ["BG0AAA-10", "APZYZN", "WIDE1-1"].map(|call| call.parse().unwrap());
        let info = format!(":BG0BBB-7 :{text}");
        Kiss::data(0, Ax25::ui(from, to, &[wide], info.into()).emit()).emit()
    }

    /// Wakes the TNC until it wants nothing more; what went to the air, and the information fields for the host.
    fn run(tnc: &mut KissTnc) -> (Vec<Said>, Vec<String>) {
        let (mut air, mut host, mut now) = (Vec::new(), Vec::new(), Duration::ZERO);
        loop {
            let mut wake = None;
            while let Some(output) = tnc.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => {
                        let frame = Ax25::parse(&Kiss::parse(&bytes).unwrap().data).unwrap();
                        host.push(String::from_utf8(frame.info.to_vec()).unwrap());
                    }
                    TerminalOutput::ToAir(message) => air.push(message.said),
                    TerminalOutput::WakeAt(at) => wake = Some(at),
                    TerminalOutput::Shown { .. } => {}
                }
            }
            let Some(at) = wake else { return (air, host) };
            now = now.max(at);
            tnc.wake(now);
        }
    }

    #[test]
    fn a_taken_text_is_acknowledged_with_the_hosts_own_number() {
        let mut tnc = tnc();
        tnc.heard_host(Duration::ZERO, None, &order("请撤离{0001A"));
        let (air, _) = run(&mut tnc);
        let [Said::Text { text, request }] = &air[..] else { panic!("{air:?}") };
        assert_eq!(text, "请撤离");
        let taken = Said::Taken { request: *request };
        let to = Addressee::Terminal(id("BG0AAA-10"));
        tnc.heard_air(Duration::from_secs(9), &AirMessage { from: id("BG0BBB-7"), to, serial: 1, said: taken });
        let (_, host) = run(&mut tnc);
        assert_eq!(host.first().map(String::as_str), Some(":BG0AAA-10:ack0001A"));
        assert_eq!((tnc.tally().ordered, tnc.tally().sent), (1, 1));
    }

    #[test]
    fn a_full_queue_drops_without_a_word() {
        let mut tnc = tnc();
        for n in 0..12 {
            tnc.heard_host(Duration::ZERO, None, &order(&format!("x{{{n}")));
        }
        let (air, _) = run(&mut tnc);
        let Tally { ordered, sent, refused, .. } = tnc.tally();
        assert_eq!((air.len(), ordered, sent, refused), (8, 12, 8, 4));
    }

    #[test]
    fn digipeaters_repeat_some_frames_and_not_others() {
        let mut tnc = tnc();
        let mut copies = 0;
        for n in 1..=40 {
            tnc.heard_host(Duration::from_secs(n * 100), None, &order(&format!("x{{{n}")));
            copies += run(&mut tnc).1.len();
        }
        assert!((15..40).contains(&copies), "{copies}");
    }
}
