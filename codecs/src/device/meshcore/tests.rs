use super::codec::open;
use super::framer::{Companion, Side};
use super::wire::{FromRadio, Origin, PAYLOAD_MAX, SelfInfo, Text, ToRadio};
use crate::codec::{Cargo, Codec, Dialogue, Given, Profile, Step, Value};
use crate::frame::Cutter;
use crate::frame::conformance::{self, Specimen};
use crate::message::{Addressee, Bearer, Content, Order, OrderKind, Outcome, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::time::Duration;

fn codec() -> Box<dyn Codec> {
    open(&Profile::default()).unwrap()
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn self_info() -> FromRadio {
    let mut public_key = [0xEE; 32];
    public_key[..6].copy_from_slice(&[0xA0, 1, 2, 3, 4, 5]);
    FromRadio::SelfInfo(SelfInfo {
        kind: 1,
        tx_power: 20,
        max_tx_power: 22,
        public_key,
        lat_e6: 0,
        lon_e6: 0,
        flags: [0; 4],
        frequency_khz: 433_000,
        bandwidth_hz: 125_000,
        spreading_factor: 11,
        coding_rate: 5,
        name: "车载".into(),
    })
}

fn text(from: Origin) -> FromRadio {
    FromRadio::Text(Text {
        snr_quarter_db: Some(8),
        origin: from,
        path_len: 1,
        text_type: 0,
        timestamp: 1_764_000_000,
        signature: None,
        text: "三号桥塌了".into(),
    })
}

/// A radio's host: what the dialogue wrote since the last look, and what it said and decided.
struct Host {
    codec: Box<dyn Codec>,
    dialogue: Box<dyn Dialogue>,
    wrote: Vec<ToRadio>,
    said: Vec<Signal>,
    ready: bool,
    carried: usize,
    wake: Duration,
}

impl Host {
    fn up() -> Self {
        let codec = codec();
        let dialogue = codec.dialogue().unwrap();
        let mut host = Self { codec, dialogue, wrote: vec![], said: vec![], ready: true, carried: 0, wake: seconds(0) };
        host.dialogue.link_up(seconds(0));
        host.drain();
        host
    }

    fn ready() -> Self {
        let mut host = Self::up();
        host.hears(0, &self_info());
        host.hears(0, &FromRadio::Refused { code: Some(1) });
        host.hears(0, &FromRadio::Time { seconds: 1_764_000_000 });
        host.hears(0, &FromRadio::ContactsStart { count: 0 });
        host.hears(0, &FromRadio::ContactsEnd { last_modified: 0 });
        host.hears(0, &FromRadio::NoMore);
        assert!(host.ready);
        host.wrote.clear();
        host.said.clear();
        host
    }

    fn drain(&mut self) {
        while let Some(step) = self.dialogue.poll() {
            match step {
                Step::Send(frame) => self.wrote.push(ToRadio::parse(&frame.bytes).unwrap()),
                Step::Carry { frame, last } => {
                    assert!(last);
                    self.carried += 1;
                    self.wrote.push(ToRadio::parse(&frame.bytes).unwrap());
                }
                Step::Say(signal) => self.said.push(signal),
                Step::WakeAt(at) => self.wake = at,
                Step::Ready(ready) => self.ready = ready,
            }
        }
    }

    fn hears(&mut self, now: u64, said: &FromRadio) {
        let frame = said.emit().unwrap();
        let mut signals = self.codec.decode(&frame, None).unwrap();
        self.dialogue.heard(seconds(now), None, &frame, &mut signals);
        self.said.append(&mut signals);
        self.drain();
    }

    fn wakes(&mut self) -> Duration {
        let now = self.wake;
        self.dialogue.wake(now);
        self.drain();
        now
    }

    fn sends(&mut self, now: u64, to: &Addressee, native: u32) {
        let order = Order::Text { card: None, to: to.clone(), text: "请撤离".into(), native, urgent: false };
        let frames = self.codec.encode(&order).unwrap();
        assert_eq!(self.dialogue.give(seconds(now), Cargo::Message { native }, frames), Given::Held);
        self.drain();
    }
}

fn far() -> TerminalId {
    TerminalId::new(Bearer::Mesh, "b0b1b2b3b4b5")
}

#[test]
fn the_framer_keeps_every_property_of_framers() {
    let frames: Vec<Bytes> =
        [FromRadio::Waiting, self_info(), text(Origin::Channel(1))].iter().map(|f| f.emit().unwrap()).collect();
    let largest = FromRadio::Other { kind: 0x84, body: vec![b'>'; PAYLOAD_MAX - 1].into() }.emit().unwrap();
    conformance::check(&Specimen {
        framer: Box::new(Cutter::new(Companion::of(Side::Radio))),
        frames,
        largest,
        broken: vec![b">\0\0".as_slice().into(), b">\xB1\0".as_slice().into(), b">\xFF\xFF".as_slice().into()],
        half: Some([b">\xB0\0".as_slice(), &[7; 20]].concat().into()),
    });
}

#[test]
fn one_command_stands_at_a_time_until_the_radio_is_ready() {
    let mut host = Host::up();
    assert_eq!((host.wrote.len(), host.ready), (1, false));
    host.hears(0, &self_info());
    assert!(matches!(&host.said[..], [Signal::Card(card)] if card.own.number() == "a00102030405"), "{:?}", host.said);
    let kinds: Vec<u8> = host.wrote.iter().map(ToRadio::cmd).collect();
    assert_eq!(kinds, [0x01, 0x16]);
}

#[test]
fn texts_are_fetched_until_none_is_left() {
    let mut host = Host::ready();
    host.hears(1, &FromRadio::Waiting);
    host.hears(1, &text(Origin::Contact([0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5])));
    host.hears(1, &text(Origin::Channel(1)));
    host.hears(1, &FromRadio::NoMore);
    assert_eq!(host.wrote, [ToRadio::NextMessage, ToRadio::NextMessage, ToRadio::NextMessage]);
    let [Signal::Heard(direct), Signal::Heard(channel)] = &host.said[..] else { panic!("{:?}", host.said) };
    assert_eq!((&direct.from, &direct.to), (&far(), &Addressee::Terminal(TerminalId::from_number(Bearer::Mesh, 0))));
    assert_eq!(channel.to, Addressee::Group(TerminalId::from_number(Bearer::Mesh, 1)));
    assert_eq!(direct.content, Content::Text { text: "三号桥塌了".into(), lossy: false });
}

#[test]
fn only_the_far_radios_own_code_is_a_delivery() {
    let mut host = Host::ready();
    host.sends(10, &Addressee::Terminal(far()), 77);
    assert!(matches!(&host.wrote[..], [ToRadio::DirectText { timestamp: 1_764_000_010, .. }]), "{:?}", host.wrote);
    host.hears(11, &FromRadio::Sent { flood: 1, expected_ack: [1, 2, 3, 4], timeout_ms: 4_000 });
    assert_eq!(host.said, [Signal::Progress { native: 77, rung: Rung::Radiated }]);
    host.said.clear();
    host.hears(12, &FromRadio::Confirmed { ack: [9, 9, 9, 9], round_trip_ms: None });
    assert_eq!(host.said, []);
    host.hears(13, &FromRadio::Confirmed { ack: [1, 2, 3, 4], round_trip_ms: Some(900) });
    assert_eq!(host.said, [Signal::Delivery { by: far(), native: 77, delivered: true, code: 0 }]);
}

#[test]
fn a_refused_text_is_known_as_not_delivered_and_the_next_goes_out() {
    let mut host = Host::ready();
    host.sends(10, &Addressee::Terminal(far()), 77);
    host.hears(10, &FromRadio::Refused { code: Some(2) });
    assert!(
        host.said.contains(&Signal::Delivery { by: far(), native: 77, delivered: false, code: 2 }),
        "{:?}",
        host.said
    );
    host.sends(10, &Addressee::Everyone(Bearer::Mesh), 78);
    let times: Vec<u32> = host
        .wrote
        .iter()
        .filter_map(|frame| match frame {
            ToRadio::DirectText { timestamp, .. } | ToRadio::ChannelText { timestamp, .. } => Some(*timestamp),
            _ => None,
        })
        .collect();
    assert_eq!(times, [1_764_000_010, 1_764_000_011], "no time is given twice");
    assert_eq!(host.carried, 2);
}

#[test]
fn a_text_goes_before_fetching_but_not_into_an_open_question() {
    let mut host = Host::ready();
    host.hears(1, &FromRadio::Waiting);
    host.sends(1, &Addressee::Terminal(far()), 5);
    assert_eq!(host.wrote, [ToRadio::NextMessage]);
    host.hears(1, &text(Origin::Channel(0)));
    assert!(matches!(host.wrote.last(), Some(ToRadio::DirectText { .. })), "{:?}", host.wrote);
}

#[test]
fn a_radio_that_answers_nothing_is_lost_and_asked_from_the_beginning() {
    let mut host = Host::ready();
    host.hears(1, &FromRadio::Waiting);
    host.sends(1, &Addressee::Terminal(far()), 5);
    for _ in 0..16 {
        host.wakes();
    }
    assert!(!host.ready);
    assert!(host.wrote.iter().filter(|frame| frame.cmd() == 1).count() >= 2, "{:?}", host.wrote);
    assert!(host.wake > seconds(5));
}

#[test]
fn a_text_that_was_never_written_is_said_to_have_failed() {
    let mut host = Host::up();
    host.sends(1, &Addressee::Terminal(far()), 5);
    host.wakes();
    let failed = Signal::Feedback { about: Some(OrderKind::Send), outcome: Outcome::NoSignal };
    assert_eq!(host.said, [failed]);
}

#[test]
fn only_key_prefixes_and_channels_are_numbers_of_ours() {
    let codec = codec();
    let reaches = |number| codec.reaches(&TerminalId::new(Bearer::Mesh, number));
    assert!(reaches("b0b1b2b3b4b5") && reaches("001122334455") && reaches("3"));
    assert!(!reaches("!b0b1b2b3") && !reaches("BH4XYZ-7") && !reaches("B0B1B2B3B4B5"));
}

#[test]
fn a_profile_that_says_what_it_should_not_is_refused_by_name() {
    for (key, value) in [("text_max", Value::Int(161)), ("app", Value::Bool(true)), ("speed", Value::Int(1))] {
        let profile = Profile([(key.to_owned(), value)].into());
        assert!(open(&profile).unwrap_err().to_string().contains(key), "{key}");
    }
}
