//! A satellite phone (Tiantong-1) as its host sees it: an AT modem with a small message store, and behind it a network
//! that stores and forwards.
//!
//! It behaves as phones do: one command at a time, echo until told otherwise, a send that takes seconds, a store that
//! fills up, messages delivered twice, the registration lost under a roof, and status reports that come late and in any
//! order. A long text is several messages on the cable and one on the air: the far phone joins the parts.

mod modem;
mod store;
#[cfg(test)]
mod tests;

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::Bytes;
use modem::Modem;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use store::Store;
use yizhan_codecs::device::tiantong::wire::at::At;
use yizhan_codecs::device::tiantong::wire::pdu::{Message, Report};
use yizhan_codecs::device::tiantong::wire::{
    Address, Alphabet, Concat, Deliver, Packed, Pdu, Scts, Submit, UserData, alphabet,
};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId, Utc};

/// Where this world's service centre stands, and when its time begins.
const CENTRE: &str = "8613800210500";
const EPOCH: (u16, u8, u8) = (2026, 11, 24);
/// Beijing, in quarters of an hour.
const ZONE: i8 = 32;
/// How long the network takes for a send, milliseconds.
const SEND_MS: (u64, u64) = (900, 2_600);
/// A report comes so much later than the far phone's word, milliseconds, unless told otherwise.
const REPORT_MS: (u64, u64) = (1_000, 9_000);
/// A far phone that has said nothing for so long is reported as still tried.
const TRYING_AFTER: Duration = Duration::from_secs(60);
const STATUS_TAKEN: u8 = 0x00;
const STATUS_TRYING: u8 = 0x30;
/// A phone that was switched on is registered after this time.
const BOOT: Duration = Duration::from_secs(8);
/// Messages that a phone keeps.
const STORE_SIZE: u16 = 20;
/// Messages that the network keeps for a phone that cannot take them, at most.
const NETWORK_MAX: usize = 256;
/// Sends the network refuses as congested, and messages that it delivers twice, of a thousand.
const CONGESTED_PERMILLE: u32 = 20;
const TWICE_PERMILLE: u32 = 50;

/// `+CMS ERROR` numbers that it gives.
const CMS_TEMPORARY: u16 = 41;
const CMS_CONGESTED: u16 = 42;
const CMS_BAD_PDU: u16 = 304;
const CMS_NO_CARD: u16 = 310;
const CMS_BAD_INDEX: u16 = 321;
const CMS_NO_NETWORK: u16 = 331;

/// The phone.
#[derive(Clone, Debug)]
pub struct TiantongPhone {
    own: TerminalId,
    modem: Modem,
    store: Store,
    beams: u8,
    card_present: bool,
    suppressed: bool,
    silent: bool,
    battery_low: bool,
    is_steady: bool,
    reports_after: Option<Option<Duration>>,
    ready_at: Duration,
    /// The network's answer to a send is still out: commands wait.
    is_sending: bool,
    reference: u8,
    /// Parts of a long text that are out, by its reference.
    parts: BTreeMap<u16, Vec<(Concat, Packed, u8)>>,
    /// Texts on the air whose far phone has not said that it took them: references of the parts, whether a report is
    /// wanted.
    out: BTreeMap<u32, Out>,
    /// What the network keeps for us.
    waiting: VecDeque<Pdu>,
    last_refused: Option<Bytes>,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    seed: Seed,
    tally: Tally,
}

#[derive(Clone, Debug)]
struct Out {
    to: Address,
    references: Vec<u8>,
    wants_report: bool,
    at: Scts,
}

#[derive(Clone, Debug)]
enum Plan {
    Sent(Box<Submit>),
    Refused(u16),
    Report(Box<Pdu>),
    Trying(u32),
    Booted,
}

impl TiantongPhone {
    /// A phone with this number; `None` where it is no satellite phone number in digits.
    #[must_use]
    pub fn new(own: TerminalId, seed: &Seed) -> Option<Self> {
        let is_number = own.bearer == Bearer::Satphone && own.number().bytes().all(|b| b.is_ascii_digit());
        if !is_number || own.number().len() > 15 {
            return None;
        }
        Some(Self {
            seed: seed.stream(&format!("satellite phone {}", own.number())),
            own,
            modem: Modem::default(),
            store: Store::new(STORE_SIZE),
            beams: 4,
            card_present: true,
            suppressed: false,
            silent: false,
            battery_low: false,
            is_steady: false,
            reports_after: None,
            ready_at: Duration::ZERO,
            is_sending: false,
            reference: 0,
            parts: BTreeMap::new(),
            out: BTreeMap::new(),
            waiting: VecDeque::new(),
            last_refused: None,
            plans: Queue::default(),
            outputs: VecDeque::new(),
            serial: 0,
            tally: Tally::default(),
        })
    }

    /// The same phone in a network that never refuses by chance and delivers everything once.
    #[must_use]
    pub const fn steady(mut self) -> Self {
        self.is_steady = true;
        self
    }

    /// The same phone with room for so many messages.
    #[must_use]
    pub fn with_room_for(mut self, messages: u16) -> Self {
        self.store = Store::new(messages);
        self
    }

    fn is_registered(&self) -> bool {
        self.card_present && !self.silent && self.beams > 0
    }

    fn tell(&mut self, text: String) {
        self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: Bytes::from(text) });
    }

    fn line(&mut self, line: &str) {
        self.tell(format!("\r\n{line}\r\n"));
    }

    fn with_pdu(&mut self, header: &str, pdu: &Pdu) {
        if let Ok(text) = At::with_pdu(header, pdu) {
            self.tell(format!("\r\n{text}"));
        }
    }

    fn time(now: Duration) -> Scts {
        let (year, month, day) = EPOCH;
        let begin = Utc::from_civil(year, month, day, 6, 0, 0).map_or(0, Utc::millis);
        let passed = i64::try_from(now.as_secs()).unwrap_or(0).saturating_mul(1_000);
        Scts::from_utc(Utc(begin.saturating_add(passed)), ZONE)
    }

    fn number(address: &Address) -> TerminalId {
        TerminalId::new(Bearer::Satphone, &address.value)
    }

    /// The host has given a PDU.
    fn send(&mut self, now: Duration, declared: usize, digits: &[u8]) {
        let octets = hex::decode(digits).unwrap_or_default();
        let smsc = octets.first().map_or(0, |length| usize::from(*length) + 1);
        let submit = match Pdu::parse(&octets) {
            Ok(Pdu { message: Message::Submit(submit), .. }) if octets.len() == smsc + declared => submit,
            _ => {
                self.tally.unreadable += 1;
                return self.refuse(CMS_BAD_PDU);
            }
        };
        let pdu = Bytes::from(octets);
        let begins = submit.data.concat().is_none_or(|concat| concat.number == 1);
        if begins && self.last_refused.as_ref() != Some(&pdu) {
            self.tally.ordered += 1;
        }
        let congested = !self.is_steady && self.seed.chance(CONGESTED_PERMILLE);
        let refusal = if !self.card_present {
            Some(CMS_NO_CARD)
        } else if !self.is_registered() {
            Some(CMS_NO_NETWORK)
        } else if self.suppressed || congested {
            Some(CMS_CONGESTED)
        } else if self.battery_low {
            Some(CMS_TEMPORARY)
        } else {
            None
        };
        self.last_refused = refusal.map(|_| pdu);
        self.is_sending = true;
        let after = Duration::from_millis(self.seed.between(SEND_MS.0, SEND_MS.1));
        self.plans.put(now + after, refusal.map_or_else(|| Plan::Sent(Box::new(submit)), Plan::Refused));
    }

    fn refuse(&mut self, code: u16) {
        self.tally.refused += 1;
        let line = self.modem.error("CMS", code);
        self.line(&line);
    }

    /// The network took a message: its reference to the host, and once a text is whole, the text to the air.
    fn sent(&mut self, now: Duration, submit: Submit) {
        self.reference = self.reference.wrapping_add(1);
        let reference = self.reference;
        self.line(&format!("+CMGS: {reference}"));
        self.line("OK");
        let Some(concat) = submit.data.concat().filter(|concat| concat.total > 1) else {
            let body = vec![submit.data.body.clone()];
            return self.radiate(now, &submit, &body, vec![reference]);
        };
        let parts = self.parts.entry(concat.reference).or_default();
        parts.retain(|(known, ..)| known.number != concat.number);
        parts.push((concat, submit.data.body.clone(), reference));
        if parts.len() < usize::from(concat.total) {
            return;
        }
        let mut parts = self.parts.remove(&concat.reference).unwrap_or_default();
        parts.sort_by_key(|(concat, ..)| concat.number);
        let references = parts.iter().map(|(_, _, reference)| *reference).collect();
        let bodies: Vec<Packed> = parts.into_iter().map(|(_, body, _)| body).collect();
        self.radiate(now, &submit, &bodies, references);
    }

    fn radiate(&mut self, now: Duration, submit: &Submit, bodies: &[Packed], references: Vec<u8>) {
        self.tally.sent += 1;
        self.serial += 1;
        let request = u32::try_from(self.serial).unwrap_or(u32::MAX);
        let texts: Option<String> =
            bodies.iter().map(|body| UserData::plain(body.clone()).text(submit.dcs).map(|(text, _)| text)).collect();
        let said = match texts {
            Some(text) => Said::Text { text, request },
            None => {
                let octets = bodies.iter().flat_map(|body| match body {
                    Packed::Octets(octets) | Packed::Septets(octets) => octets.iter().copied(),
                });
                Said::Bytes { bytes: octets.collect(), request }
            }
        };
        let out = Out { to: submit.to.clone(), references, wants_report: submit.wants_report, at: Self::time(now) };
        self.out.insert(request, out);
        self.plans.put(now + TRYING_AFTER, Plan::Trying(request));
        let to = Addressee::Terminal(Self::number(&submit.to));
        let from = self.own.clone();
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial: self.serial, said }));
    }

    fn report_on(now: Duration, out: &Out, reference: u8, status: u8) -> Pdu {
        let report = Report {
            flags: 0x04,
            reference,
            to: out.to.clone(),
            at: out.at,
            discharged: Self::time(now),
            status,
            rest: Bytes::new(),
        };
        Pdu { smsc: Some(Address::international(CENTRE)), message: Message::Report(report) }
    }

    /// The far phone has a text: a report for every part, each after its own while.
    fn taken(&mut self, now: Duration, request: u32) {
        let Some(out) = self.out.remove(&request) else { return };
        if !out.wants_report {
            return;
        }
        for reference in &out.references {
            let drawn = Duration::from_millis(self.seed.between(REPORT_MS.0, REPORT_MS.1));
            let Some(after) = self.reports_after.unwrap_or(Some(drawn)) else { continue };
            let report = Self::report_on(now + after, &out, *reference, STATUS_TAKEN);
            self.plans.put(now + after, Plan::Report(Box::new(report)));
        }
    }

    /// The network has something for us. It stays there until the phone can take it.
    fn arrive(&mut self, message: &AirMessage) -> Vec<(u8, UserData)> {
        match &message.said {
            Said::Text { text, .. } => {
                let alphabet = if alphabet::is_gsm7(text) { Alphabet::Gsm7 } else { Alphabet::Ucs2 };
                let dcs = if alphabet == Alphabet::Gsm7 { 0x00 } else { 0x08 };
                self.numbered(dcs, alphabet::parts(text, alphabet))
            }
            Said::Bytes { bytes, .. } => {
                let size = if bytes.len() > alphabet::OCTETS_MAX { 134 } else { alphabet::OCTETS_MAX };
                self.numbered(0x04, bytes.chunks(size).map(|piece| Packed::Octets(piece.to_vec())).collect())
            }
            _ => Vec::new(),
        }
    }

    fn numbered(&mut self, dcs: u8, parts: Vec<Packed>) -> Vec<(u8, UserData)> {
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let reference = u16::try_from(self.seed.below(256)).unwrap_or(0);
        let numbered = (1_u8..).zip(parts).map(|(number, body)| {
            let concat = Concat { reference, is_wide: false, total, number };
            (dcs, UserData { header: (total > 1).then(|| concat.element()), body })
        });
        numbered.collect()
    }

    /// What the network keeps comes in, as far as there is room.
    fn take_waiting(&mut self, now: Duration) {
        while now >= self.ready_at && self.is_registered() {
            let is_direct = self.modem.gives_directly();
            if !is_direct && self.store.is_full() {
                return;
            }
            let Some(pdu) = self.waiting.pop_front() else { return };
            if is_direct {
                self.with_pdu("+CMT: ,", &pdu);
            } else if let Some(index) = self.store.put(pdu)
                && self.modem.tells()
            {
                let name = self.store.name();
                self.line(&format!("+CMTI: \"{name}\",{index}"));
            }
        }
    }

    fn report(&mut self, pdu: &Pdu) {
        if self.modem.reports() {
            self.with_pdu("+CDS: ", pdu);
        }
    }

    fn reboot(&mut self, now: Duration) {
        self.modem = Modem::default();
        self.is_sending = false;
        self.parts.clear();
        self.plans.retain(|plan| !matches!(plan, Plan::Sent(_) | Plan::Refused(_)));
        self.ready_at = now + BOOT;
        self.plans.put(self.ready_at, Plan::Booted);
    }

    fn registration_changed(&mut self, before: bool) {
        let is_registered = self.is_registered();
        if before != is_registered && self.modem.tells_registration {
            let state = u8::from(is_registered);
            self.line(&format!("+CREG: {state}"));
        }
    }

    fn carry_out(&mut self, now: Duration, plan: Plan) {
        match plan {
            Plan::Sent(submit) => {
                self.is_sending = false;
                self.sent(now, *submit);
                self.obey(now);
            }
            Plan::Refused(code) => {
                self.is_sending = false;
                self.refuse(code);
                self.obey(now);
            }
            Plan::Report(pdu) => self.report(&pdu),
            Plan::Trying(request) => {
                if let Some(out) = self.out.get(&request).filter(|out| out.wants_report).cloned() {
                    for reference in &out.references {
                        let report = Self::report_on(now, &out, *reference, STATUS_TRYING);
                        self.report(&report);
                    }
                }
            }
            Plan::Booted => {
                self.line("^SYSSTART");
                self.take_waiting(now);
            }
        }
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

impl Terminal for TiantongPhone {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        if now >= self.ready_at {
            self.modem.push(bytes);
            self.obey(now);
        }
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if !self.hears(&message.to) {
            return;
        }
        if let Said::Taken { request } = message.said {
            self.taken(now, request);
            return self.plan_wake();
        }
        let from = Address::international(message.from.number());
        for (dcs, data) in self.arrive(message) {
            let deliver = Deliver { flags: 0x04, from: from.clone(), pid: 0, dcs, at: Self::time(now), data };
            let pdu = Pdu { smsc: Some(Address::international(CENTRE)), message: Message::Deliver(deliver) };
            let twice = !self.is_steady && self.seed.chance(TWICE_PERMILLE);
            if self.waiting.len() < NETWORK_MAX {
                self.waiting.extend(twice.then(|| pdu.clone()));
                self.waiting.push_back(pdu);
            }
        }
        self.tally.received += 1;
        if let Said::Text { request, .. } | Said::Bytes { request, .. } = message.said
            && request != 0
        {
            self.serial += 1;
            let (from, to) = (self.own.clone(), Addressee::Terminal(message.from.clone()));
            let said = Said::Taken { request };
            self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial: self.serial, said }));
        }
        self.take_waiting(now);
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        let before = self.is_registered();
        match act {
            Act::Reboot => self.reboot(now),
            Act::Card { present } => self.card_present = *present,
            Act::Beams { strength } => self.beams = (*strength).min(4),
            Act::Suppress { on } => self.suppressed = *on,
            Act::Silence { on } => self.silent = *on,
            Act::Battery { low } => self.battery_low = *low,
            Act::Feedback { after } => self.reports_after = Some(*after),
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: bytes.clone() });
            }
            Act::Type { .. } | Act::Alarm { .. } => {}
        }
        self.registration_changed(before);
        self.take_waiting(now);
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            if let Some((_, plan)) = self.plans.take() {
                self.carry_out(now, plan);
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        matches!(to, Addressee::Terminal(number) if *number == self.own)
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}
