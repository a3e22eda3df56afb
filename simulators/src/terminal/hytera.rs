//! The base radio of a 370 MHz net, used by its host as a modem: bare HDAP in datagrams on one side, one shared channel
//! on the other.
//!
//! Every far radio has an address of its own on the host's side (subnet byte and number), as real ones do. The net, not
//! the far person, acknowledges a private text: taken by the called radio, or not after three tries.

mod carrier;

pub use carrier::Carrier;

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use yizhan_codecs::device::hytera::wire::{
    Body, CallState, Family, Gps, Hdap, Lp, RESULT_NO_POSITION, RadioIp, Rcp, Rrs, STATUS_LEAVE_EMERGENCY, Tmp,
    TmpMessage, Utf16,
};
use yizhan_codecs::message::{Addressee, Bearer, Position, TerminalId};

/// Ports of the services, the same number on both sides.
const RRS_PORT: u16 = 3002;
const LP_PORT: u16 = 3003;
const TMP_PORT: u16 = 3004;
/// One text on the channel.
const ON_AIR: Duration = Duration::from_millis(600);
/// The called radio's machine answers within this time, or the net tries again.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);
const TRIES_MAX: u32 = 3;
/// Results of the text service: taken, and no ack from the called radio.
const RESULT_OK: u8 = 0;
const RESULT_NO_ACK: u8 = 8;
/// Texts that wait for the channel, at most; more are answered "channel busy".
const WAITING_MAX: usize = 32;
const RESULT_BUSY: u8 = 4;
/// UTF-16 units of one text, at most.
const TEXT_UNITS_MAX: usize = 140;

/// The base radio.
#[derive(Clone, Debug)]
pub struct HyteraModem {
    own: RadioIp,
    /// The session around HDAP; `None` = bare datagrams.
    session: Option<carrier::Session>,
    /// The time of the last call.
    now: Duration,
    busy_until: Duration,
    waiting: VecDeque<Errand>,
    awaited: Vec<Awaited>,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    tally: Tally,
}

/// A text of the host on its way.
#[derive(Clone, Debug)]
struct Errand {
    request: u32,
    to: RadioIp,
    from: RadioIp,
    is_group: bool,
    is_data: bool,
    said: Said,
    serial: u64,
    tries: u32,
}

#[derive(Clone, Debug)]
struct Awaited {
    errand: Errand,
    until: Duration,
}

#[derive(Clone, Debug)]
enum Plan {
    Channel,
    Look,
    GroupDone(Errand),
}

impl HyteraModem {
    /// The ports of its services as it speaks of them: registration, location, text.
    pub const SERVICES: [u16; 3] = [RRS_PORT, LP_PORT, TMP_PORT];

    /// A modem whose net gives addresses `subnet.x.y.z`, and whose own radio has this number.
    #[must_use]
    pub fn new(subnet: u8, own: u32) -> Option<Self> {
        Some(Self {
            own: RadioIp::new(subnet, own)?,
            session: None,
            now: Duration::ZERO,
            busy_until: Duration::ZERO,
            waiting: VecDeque::new(),
            awaited: Vec::new(),
            plans: Queue::default(),
            outputs: VecDeque::new(),
            serial: 0,
            tally: Tally::default(),
        })
    }

    /// The same modem that speaks HDAP inside a session: on a serial line, or as a repeater that forwards to its host.
    #[must_use]
    pub fn with_carrier(subnet: u8, own: u32, carrier: Carrier) -> Option<Self> {
        let modem = Self::new(subnet, own)?;
        let session = Some(carrier::Session::new(carrier, modem.own)?);
        let mut modem = Self { session, ..modem };
        modem.plan_wake();
        Some(modem)
    }

    fn number(ip: RadioIp) -> TerminalId {
        TerminalId::from_number(Bearer::Radio370, ip.id())
    }

    fn address(&self, of: &TerminalId) -> RadioIp {
        of.as_u32().and_then(|id| RadioIp::new(self.own.subnet(), id)).unwrap_or(self.own)
    }

    fn tell_host(&mut self, from: RadioIp, port: u16, frame: &Hdap) {
        if let Some(session) = &mut self.session {
            return session.tell(self.now, frame);
        }
        let Ok(bytes) = frame.emit() else { return };
        let from = SocketAddr::new(IpAddr::V4(from.ip()), port);
        self.outputs.push_back(TerminalOutput::ToHost { from: Some(from), bytes });
    }

    fn radiate(&mut self, to: Addressee, serial: Option<u64>, said: Said) {
        let serial = serial.unwrap_or_else(|| {
            self.serial += 1;
            self.serial
        });
        let from = Self::number(self.own);
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    fn obey(&mut self, now: Duration, frame: Hdap) {
        let to = |ip: RadioIp| Addressee::Terminal(Self::number(ip));
        match frame.body {
            Body::Rrs(Rrs::RegisterAck { radio, result: 0, renew_s }) => {
                let renew = Duration::from_secs(renew_s.into());
                self.radiate(to(radio), None, Said::Registered { renew });
            }
            Body::Rrs(Rrs::StatusCheck { radio }) => self.radiate(to(radio), None, Said::AskPresence),
            Body::Lp(Lp::Request { request, radio, .. }) => {
                self.radiate(to(radio), None, Said::AskPosition { request });
            }
            Body::Tmp(Tmp { message, .. }) => self.text_service(now, message),
            _ => {}
        }
    }

    fn text_service(&mut self, now: Duration, message: TmpMessage) {
        let text = |text: &Utf16, request| Said::Text { text: text.text().0, request };
        let (request, to, from, is_group, is_data, said) = match message {
            TmpMessage::PrivateText { request, to, from, text: t } => {
                (request, to, from, false, false, text(&t, request))
            }
            TmpMessage::GroupText { request, to, from, text: t } => (request, to, from, true, false, text(&t, request)),
            TmpMessage::PrivateData { request, to, from, data } => {
                (request, to, from, false, true, Said::Bytes { bytes: data, request })
            }
            TmpMessage::GroupData { request, to, from, data } => {
                (request, to, from, true, true, Said::Bytes { bytes: data, request })
            }
            // The host took a text of this radio: tell it, so that it stops repeating.
            TmpMessage::PrivateAck { request, from, to, result: RESULT_OK }
            | TmpMessage::PrivateDataAck { request, from, to, result: RESULT_OK } => {
                // The ack repeats the addresses of the text, so the radio is its sender; hosts that turn them round
                // exist.
                let radio = if from.id() == self.own.id() { to } else { from };
                return self.radiate(Addressee::Terminal(Self::number(radio)), None, Said::Taken { request });
            }
            _ => return,
        };
        self.tally.ordered += 1;
        if matches!(&said, Said::Text { text, .. } if text.encode_utf16().count() > TEXT_UNITS_MAX) {
            self.tally.too_long += 1;
        }
        self.serial += 1;
        let errand = Errand { request, to, from, is_group, is_data, said, serial: self.serial, tries: 0 };
        if self.waiting.len() >= WAITING_MAX {
            self.tally.refused += 1;
            return self.result(&errand, RESULT_BUSY);
        }
        self.waiting.push_back(errand);
        self.plans.put(now.max(self.busy_until), Plan::Channel);
    }

    /// The channel may be free: the next text goes out.
    fn use_channel(&mut self, now: Duration) {
        if now < self.busy_until {
            return self.plans.put(self.busy_until, Plan::Channel);
        }
        let Some(mut errand) = self.waiting.pop_front() else { return };
        errand.tries += 1;
        self.tally.sent += 1;
        self.busy_until = now + ON_AIR;
        let number = Self::number(errand.to);
        let to = if errand.is_group { Addressee::Group(number) } else { Addressee::Terminal(number) };
        self.radiate(to, Some(errand.serial), errand.said.clone());
        if errand.is_group {
            self.plans.put(self.busy_until, Plan::GroupDone(errand));
        } else {
            let until = now + TAKEN_WITHIN;
            self.awaited.push(Awaited { errand, until });
            self.plans.put(until, Plan::Look);
        }
        self.plans.put(self.busy_until, Plan::Channel);
    }

    fn look_for_silent(&mut self, now: Duration) {
        let (over, still): (Vec<_>, Vec<_>) = self.awaited.drain(..).partition(|awaited| awaited.until <= now);
        self.awaited = still;
        for Awaited { errand, .. } in over {
            if errand.tries < TRIES_MAX {
                self.waiting.push_back(errand);
                self.plans.put(now.max(self.busy_until), Plan::Channel);
            } else {
                self.result(&errand, RESULT_NO_ACK);
            }
        }
    }

    fn result(&mut self, errand: &Errand, result: u8) {
        let Errand { request, to, from, .. } = *errand;
        let message = match (errand.is_group, errand.is_data) {
            (false, false) => TmpMessage::PrivateAck { request, to, from, result },
            (false, true) => TmpMessage::PrivateDataAck { request, to, from, result },
            (true, false) => TmpMessage::GroupAck { request, to, result },
            (true, true) => TmpMessage::GroupDataAck { request, to, result },
        };
        let speaker = if errand.is_group { self.own } else { to };
        self.tell_host(speaker, TMP_PORT, &Tmp::from(message).into());
    }

    fn taken(&mut self, by: RadioIp, request: u32) {
        let place = self.awaited.iter().position(|a| a.errand.to.id() == by.id() && a.errand.request == request);
        if let Some(place) = place {
            let errand = self.awaited.remove(place).errand;
            self.result(&errand, RESULT_OK);
        }
    }

    fn pass_on(&mut self, message: &AirMessage) {
        let radio = self.address(&message.from);
        match &message.said {
            Said::Text { text, request } => {
                let text = Utf16::from(text.as_str());
                let (request, from) = (*request, radio);
                let text = match &message.to {
                    Addressee::Group(group) => TmpMessage::GroupText { request, to: self.address(group), from, text },
                    _ => TmpMessage::PrivateText { request, to: self.own, from, text },
                };
                self.tally.received += 1;
                self.tell_host(radio, TMP_PORT, &Tmp::from(text).into());
            }
            Said::Bytes { bytes, request } => {
                let data =
                    TmpMessage::PrivateData { request: *request, to: self.own, from: radio, data: bytes.clone() };
                self.tell_host(radio, TMP_PORT, &Tmp::from(data).into());
            }
            Said::Taken { request } => self.taken(radio, *request),
            Said::Register => self.tell_host(radio, RRS_PORT, &Rrs::Register { radio }.into()),
            Said::Present => self.tell_host(radio, RRS_PORT, &Rrs::StatusCheckAnswer { radio, state: 0 }.into()),
            Said::Position { request, position } => {
                let (result, gps) = gps_of(position.as_ref());
                let report = Lp::Report { family: Family::Standard, request: *request, radio, result, gps, rssi: None };
                self.tell_host(radio, LP_PORT, &report.into());
            }
            Said::Emergency { on: true, position } => {
                let (_, gps) = gps_of(position.as_ref());
                self.tell_host(radio, LP_PORT, &Lp::EmergencyReport { radio, kind: 1, gps }.into());
            }
            // Only radio control tells that an alarm is over.
            Said::Emergency { on: false, .. } if self.session.is_some() => {
                let call = CallState { status: STATUS_LEAVE_EMERGENCY, call_type: 5, target: 0, sender: radio.id() };
                self.tell_host(radio, LP_PORT, &Rcp::Hearing(call).into());
            }
            Said::Emergency { on: false, .. }
            | Said::Registered { .. }
            | Said::AskPresence
            | Said::AskPosition { .. } => {}
        }
    }

    fn plan_wake(&mut self) {
        let mut next = self.plans.next_at();
        if let Some(session) = &mut self.session {
            next = session.wake(self.now).into_iter().chain(next).min();
            let told = session.out.drain(..).map(|(from, bytes)| TerminalOutput::ToHost { from, bytes });
            self.outputs.extend(told);
        }
        self.outputs.extend(next.map(TerminalOutput::WakeAt));
    }
}

fn gps_of(position: Option<&Position>) -> (u16, Gps) {
    position.map_or((RESULT_NO_POSITION, Gps::NO_FIX), |position| (0, Gps::from_position(position)))
}

impl Terminal for HyteraModem {
    fn heard_host(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]) {
        self.now = now;
        if let Some(session) = &mut self.session {
            let (frames, unreadable) = session.heard(now, to, bytes);
            self.tally.unreadable += u64::try_from(unreadable).unwrap_or(u64::MAX);
            frames.into_iter().for_each(|frame| self.obey(now, frame));
            return self.plan_wake();
        }
        match Hdap::parse(bytes) {
            Ok((frame, _)) => self.obey(now, frame),
            Err(_) => self.tally.unreadable += u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        self.now = now;
        self.pass_on(message);
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        self.now = now;
        match act {
            Act::Reboot => {
                if let Some(session) = &mut self.session {
                    session.reboot();
                }
                self.waiting.clear();
                self.awaited.clear();
                self.plans = Queue::default();
                self.busy_until = now + Duration::from_secs(10);
            }
            Act::Noise { bytes } => {
                let from = Some(SocketAddr::new(IpAddr::V4(self.own.ip()), TMP_PORT));
                self.outputs.push_back(TerminalOutput::ToHost { from, bytes: Bytes::clone(bytes) });
            }
            _ => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        self.now = now;
        while self.plans.next_at().is_some_and(|at| at <= now) {
            match self.plans.take() {
                Some((_, Plan::Channel)) => self.use_channel(now),
                Some((_, Plan::Look)) => self.look_for_silent(now),
                Some((_, Plan::GroupDone(errand))) => self.result(&errand, RESULT_OK),
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

    fn modem() -> HyteraModem {
        HyteraModem::new(10, 1).unwrap()
    }

    fn order(to: u32) -> Bytes {
        let (to, from) = (RadioIp::new(10, to).unwrap(), RadioIp::new(10, 1).unwrap());
        let text = TmpMessage::PrivateText { request: 77, to, from, text: Utf16::from("请撤离") };
        Hdap::from(Tmp::from(text)).emit().unwrap()
    }

    /// What the modem said to its host, after one call.
    fn said(modem: &mut HyteraModem) -> Vec<Bytes> {
        let bytes = |output| match output {
            TerminalOutput::ToHost { bytes, .. } => Some(bytes),
            _ => None,
        };
        std::iter::from_fn(|| modem.poll()).filter_map(bytes).collect()
    }

    #[test]
    fn on_a_cable_it_accepts_acknowledges_and_says_again_what_nobody_took() {
        let mut modem = HyteraModem::with_carrier(10, 1, Carrier::Hrnp).unwrap();
        modem.heard_host(Duration::ZERO, None, &[0x7E, 4, 0, 0xFE, 0x20, 0x10, 0, 0, 0, 0x0C, 0x60, 0xE1]);
        assert_eq!(said(&mut modem), [Bytes::from_static(&[0x7E, 4, 0, 0xFD, 0x10, 0x20, 0, 0, 0, 0x0C, 0x70, 0xD2])]);
        let from = TerminalId::from_number(Bearer::Radio370, 7);
        let to = Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 1));
        modem.heard_air(Duration::ZERO, &AirMessage { from, to, serial: 1, said: Said::Register });
        let first = said(&mut modem);
        assert_eq!(first.len(), 1);
        modem.wake(Duration::from_secs(1));
        assert_eq!(said(&mut modem), first, "no ack came");
    }

    #[test]
    fn as_a_repeater_it_connects_and_then_shows_itself() {
        let ip = std::net::Ipv4Addr::new(10, 0, 0, 9);
        let mut modem = HyteraModem::with_carrier(10, 1, Carrier::Hstrp { device: 1, slot: 1, ip }).unwrap();
        let connect = Bytes::from_static(&[0x32, 0x42, 0, 0x24, 0, 0, 0x83, 4, 0, 0, 0, 1, 4, 1, 1]);
        assert_eq!(said(&mut modem), vec![connect; 4]);
        modem.heard_host(Duration::ZERO, None, &[0x32, 0x42, 0, 0x25, 0, 0, 0x83, 4, 0, 0, 0, 1, 4, 1, 1]);
        modem.wake(Duration::from_secs(6));
        assert_eq!(said(&mut modem), vec![Bytes::from_static(&[0x32, 0x42, 0, 2, 0, 0]); 4]);
    }

    /// Wakes the modem until it wants nothing more; when each result came and how many transmissions were made.
    fn results(modem: &mut HyteraModem) -> (Vec<(u64, u8)>, usize) {
        let (mut results, mut on_air, mut now) = (Vec::new(), 0, Duration::ZERO);
        loop {
            let mut wake = None;
            while let Some(output) = modem.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => match Hdap::parse(&bytes).unwrap().0.body {
                        Body::Tmp(Tmp { message: TmpMessage::PrivateAck { request: 77, result, .. }, .. }) => {
                            results.push((now.as_secs(), result));
                        }
                        other => panic!("unexpected {other:?}"),
                    },
                    TerminalOutput::ToAir(_) => on_air += 1,
                    TerminalOutput::WakeAt(at) => wake = Some(at),
                    TerminalOutput::Shown { .. } => {}
                }
            }
            let Some(at) = wake else { return (results, on_air) };
            now = at;
            modem.wake(now);
        }
    }

    #[test]
    fn a_silent_radio_is_called_three_times_and_then_reported() {
        let mut modem = modem();
        modem.heard_host(Duration::ZERO, None, &order(7));
        assert_eq!(results(&mut modem), (vec![(9, RESULT_NO_ACK)], 3));
    }

    #[test]
    fn a_taken_text_is_reported_at_once() {
        let mut modem = modem();
        modem.heard_host(Duration::ZERO, None, &order(7));
        modem.wake(Duration::ZERO);
        let from = TerminalId::from_number(Bearer::Radio370, 7);
        let to = Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 1));
        modem.heard_air(Duration::ZERO, &AirMessage { from, to, serial: 1, said: Said::Taken { request: 77 } });
        assert_eq!(results(&mut modem), (vec![(0, RESULT_OK)], 1));
    }
}
