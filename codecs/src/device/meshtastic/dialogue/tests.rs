use super::*;
use crate::codec::Profile;
use crate::device::meshtastic::wire::{Data, MyInfo, NodeInfo, QueueStatus};
use crate::device::open;
use crate::message::{Order, OrderKind};

const OWN: u32 = 0xA1B2_C3D4;
const FAR: u32 = 0x0BAD_CAFE;

struct Talk {
    codec: Box<dyn crate::codec::Codec>,
    dialogue: Box<dyn Dialogue>,
    steps: Vec<Step>,
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

impl Talk {
    fn new() -> Self {
        let codec = open("meshtastic", &Profile::default()).unwrap();
        let dialogue = codec.dialogue().unwrap();
        Self { codec, dialogue, steps: Vec::new() }
    }

    fn drain(&mut self) -> Vec<Step> {
        self.steps = std::iter::from_fn(|| self.dialogue.poll()).collect();
        self.steps.clone()
    }

    fn hear(&mut self, now: Duration, message: FromRadio) -> Vec<Signal> {
        let frame = framed(&message).unwrap();
        let mut signals = self.codec.decode(&frame, None).unwrap();
        self.dialogue.heard(now, None, &frame, &mut signals);
        self.drain();
        signals
    }

    /// Up, asked and answered.
    fn started(now: Duration) -> Self {
        let mut talk = Self::new();
        talk.dialogue.link_up(now);
        talk.drain();
        talk.dialogue.wake(now + WAKE_PAUSE);
        talk.drain();
        let nonce = talk.nonce().expect("asked");
        talk.hear(
            now + WAKE_PAUSE,
            FromRadio { my_info: Some(MyInfo { my_node_num: OWN, ..MyInfo::default() }), ..FromRadio::default() },
        );
        talk.hear(now + WAKE_PAUSE, FromRadio { config_complete_id: Some(nonce), ..FromRadio::default() });
        assert!(talk.steps.contains(&Step::Ready(true)));
        talk
    }

    fn nonce(&self) -> Option<u32> {
        self.sent().find_map(|message| message.want_config_id)
    }

    fn sent(&self) -> impl Iterator<Item = ToRadio> {
        self.steps.iter().filter_map(|step| match step {
            Step::Send(outgoing) | Step::Carry { frame: outgoing, .. } => {
                ToRadio::decode(payload(&outgoing.bytes)?).ok()
            }
            _ => None,
        })
    }

    fn give(&mut self, now: Duration, to: Addressee, native: u32, urgent: bool) -> Given {
        let order = Order::Text { card: None, to, text: "水位上涨".into(), native, urgent };
        assert_eq!(order.kind(), OrderKind::Send);
        let frames = self.codec.encode(&order).unwrap();
        self.dialogue.give(now, Cargo::Message { native }, frames)
    }

    fn is_ready_said(&self, ready: bool) -> bool {
        self.steps.contains(&Step::Ready(ready))
    }
}

fn everyone() -> Addressee {
    Addressee::Everyone(crate::message::Bearer::Mesh)
}

fn far() -> Addressee {
    Addressee::Terminal(terminal(FAR))
}

fn routing(from: u32, to: u32, request_id: u32, code: u32) -> FromRadio {
    let payload =
        crate::device::meshtastic::wire::Routing { error_reason: Some(code), ..Default::default() }.encode_to_vec();
    packet(MeshPacket {
        from,
        to,
        id: 77,
        decoded: Some(Data { portnum: port::ROUTING, payload, request_id, ..Data::default() }),
        ..MeshPacket::default()
    })
}

fn packet(packet: MeshPacket) -> FromRadio {
    FromRadio { packet: Some(packet), ..FromRadio::default() }
}

fn words(from: u32, to: u32, id: u32, portnum: u32) -> MeshPacket {
    let data = Data { portnum, payload: "收到".into(), ..Data::default() };
    MeshPacket { from, to, id, decoded: Some(data), ..MeshPacket::default() }
}

#[test]
fn it_wakes_the_radio_and_is_ready_only_after_its_own_nonce_comes_back() {
    let mut talk = Talk::new();
    talk.dialogue.link_up(at(1));
    talk.drain();
    assert!(talk.is_ready_said(false));
    assert!(talk.steps.contains(&Step::Send(Bytes::from_static(&[0xC3; 32]).into())));
    talk.dialogue.wake(at(1) + WAKE_PAUSE);
    talk.drain();
    let nonce = talk.nonce().expect("it asks");
    talk.hear(at(2), FromRadio { config_complete_id: Some(nonce ^ 1), ..FromRadio::default() });
    assert!(!talk.is_ready_said(true), "a foreign nonce");
    let heard = talk.hear(at(2), packet(words(FAR, OWN, 5, port::TEXT)));
    assert!(matches!(heard.as_slice(), [Signal::Heard(_)]), "a packet before the end counts: {heard:?}");
    let card = talk.hear(
        at(2),
        FromRadio { my_info: Some(MyInfo { my_node_num: OWN, ..MyInfo::default() }), ..FromRadio::default() },
    );
    assert!(matches!(card.as_slice(), [Signal::Card(card)] if card.own == terminal(OWN)));
    talk.hear(at(2), FromRadio { config_complete_id: Some(nonce), ..FromRadio::default() });
    assert!(talk.is_ready_said(true));
    assert!(talk.sent().any(|message| message.heartbeat.is_some()));
}

#[test]
fn a_start_up_without_answer_begins_anew_with_another_nonce() {
    let mut talk = Talk::new();
    talk.dialogue.link_up(at(0));
    talk.dialogue.wake(WAKE_PAUSE);
    talk.drain();
    let first = talk.nonce().unwrap();
    talk.dialogue.wake(WAKE_PAUSE + START_SILENCE);
    talk.drain();
    talk.dialogue.wake(WAKE_PAUSE + START_SILENCE + WAKE_PAUSE);
    talk.drain();
    assert_ne!(talk.nonce().expect("it asks again"), first);
}

#[test]
fn a_reboot_and_three_silent_heartbeats_begin_anew() {
    let mut talk = Talk::started(at(0));
    talk.hear(at(5), FromRadio { rebooted: Some(true), ..FromRadio::default() });
    assert!(talk.is_ready_said(false));

    let mut talk = Talk::started(at(0));
    let mut said = Vec::new();
    for n in 1..=3 {
        talk.dialogue.wake(at(61 * n));
        talk.drain();
        said.push(talk.is_ready_said(false));
    }
    assert_eq!(said, [false, false, true]);
}

#[test]
fn only_the_destinations_own_word_is_a_delivery() {
    let mut talk = Talk::started(at(0));
    assert!(matches!(talk.give(at(1), far(), 9, false), Given::Write(_)));
    let implicit = talk.hear(at(2), routing(OWN, OWN, 9, 0));
    assert_eq!(implicit, [Signal::Progress { native: 9, rung: Rung::Repeated }]);
    let strange = talk.hear(at(2), routing(0x0000_1234, OWN, 9, 0));
    assert_eq!(strange, [Signal::Progress { native: 9, rung: Rung::Repeated }], "somebody else's word");
    let explicit = talk.hear(at(3), routing(FAR, OWN, 9, 0));
    assert_eq!(explicit, [Signal::Delivery { by: terminal(FAR), native: 9, delivered: true, code: 0 }]);
}

#[test]
fn a_failure_names_the_destination_and_a_broadcast_without_echo_went_out_all_the_same() {
    let mut talk = Talk::started(at(0));
    let _written = talk.give(at(1), far(), 9, false);
    let failed = talk.hear(at(30), routing(OWN, OWN, 9, error::MAX_RETRANSMIT));
    assert!(
        failed.contains(&Signal::Delivery { by: terminal(FAR), native: 9, delivered: false, code: 5 }),
        "{failed:?}"
    );
    let _written = talk.give(at(40), everyone(), 10, false);
    let quiet = talk.hear(at(60), routing(OWN, OWN, 10, error::MAX_RETRANSMIT));
    assert_eq!(quiet.first(), Some(&Signal::Progress { native: 10, rung: Rung::Radiated }));
}

#[test]
fn a_bare_queue_status_proves_nothing_and_a_refusing_one_is_a_failure() {
    let mut talk = Talk::started(at(0));
    let _written = talk.give(at(1), far(), 9, false);
    let status = |res, free| FromRadio {
        queue_status: Some(QueueStatus { res, free, maxlen: 16, mesh_packet_id: 9 }),
        ..FromRadio::default()
    };
    assert_eq!(talk.hear(at(1), status(0, 15)), []);
    let refused = talk.hear(at(1), status(32, 1));
    assert!(
        refused.contains(&Signal::Delivery { by: terminal(FAR), native: 9, delivered: false, code: 32 }),
        "{refused:?}"
    );
}

#[test]
fn a_full_queue_holds_a_message_until_a_place_is_free() {
    let mut talk = Talk::started(at(0));
    let status = |free| FromRadio {
        queue_status: Some(QueueStatus { free, maxlen: 16, ..QueueStatus::default() }),
        ..FromRadio::default()
    };
    talk.hear(at(1), status(0));
    assert_eq!(talk.give(at(1), far(), 9, false), Given::Held);
    talk.drain();
    talk.dialogue.wake(at(6));
    talk.drain();
    assert!(talk.sent().any(|message| message.heartbeat.is_some()), "it asks");
    talk.hear(at(7), status(3));
    assert!(talk.steps.iter().any(|step| matches!(step, Step::Carry { last: true, .. })));
}

#[test]
fn the_second_alert_within_ten_seconds_waits_its_turn() {
    let profile = Profile([("alerts".to_owned(), crate::codec::Value::Bool(true))].into());
    let mut talk = Talk::started(at(0));
    talk.codec = open("meshtastic", &profile).unwrap();
    assert!(matches!(talk.give(at(1), everyone(), 9, true), Given::Write(_)));
    assert_eq!(talk.give(at(4), everyone(), 10, true), Given::Held);
    talk.drain();
    assert!(talk.steps.contains(&Step::WakeAt(at(11))), "{:?}", talk.steps);
    talk.dialogue.wake(at(11));
    talk.drain();
    let alert = talk.sent().find_map(|message| message.packet).expect("it goes");
    assert_eq!((alert.id, alert.decoded.unwrap().portnum), (10, port::ALERT));
}

#[test]
fn a_direct_text_is_sealed_where_the_radio_has_the_key() {
    let mut talk = Talk::started(at(0));
    let user = User { public_key: vec![7; 32], ..User::default() };
    talk.hear(
        at(1),
        FromRadio {
            node_info: Some(NodeInfo { num: FAR, user: Some(user), ..NodeInfo::default() }),
            ..FromRadio::default()
        },
    );
    let Given::Write(frames) = talk.give(at(2), far(), 9, false) else { panic!("held") };
    let message = ToRadio::decode(payload(&frames[0].bytes).unwrap()).unwrap();
    assert!(message.packet.unwrap().pki_encrypted);
}

#[test]
fn our_own_echo_is_dropped_and_what_is_for_others_is_overheard() {
    let mut talk = Talk::started(at(0));
    assert_eq!(talk.hear(at(1), packet(words(OWN, BROADCAST, 5, port::TEXT))), []);
    let other = talk.hear(at(1), packet(words(FAR, 0x0000_1234, 6, port::TEXT)));
    assert!(matches!(other.as_slice(), [Signal::Heard(heard)] if heard.overheard));
    let own = DeviceTelemetry::level(55);
    assert_eq!(talk.hear(at(1), packet(own)), [Signal::Battery { percent: Some(55) }]);
}

struct DeviceTelemetry;

impl DeviceTelemetry {
    fn level(level: u32) -> MeshPacket {
        let device =
            crate::device::meshtastic::wire::DeviceMetrics { battery_level: Some(level), ..Default::default() };
        let payload = Telemetry { device: Some(device), ..Telemetry::default() }.encode_to_vec();
        let data = Data { portnum: port::TELEMETRY, payload, ..Data::default() };
        MeshPacket { from: OWN, to: BROADCAST, id: 8, decoded: Some(data), ..MeshPacket::default() }
    }
}

#[test]
fn a_radio_that_is_taken_again_and_again_is_told_once() {
    let mut talk = Talk::new();
    let mut told = 0;
    for n in 0..8 {
        talk.dialogue.link_up(at(n * 10));
        told += talk.drain().iter().filter(|step| matches!(step, Step::Say(Signal::Remark { .. }))).count();
    }
    assert_eq!(told, 1);
}
