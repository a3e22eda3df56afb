//! Two stations over two Beidou cards: packed, sealed, in rows, with receipts, through loss and restarts.

use crate::station::{Station, WALL, config};
use std::sync::Arc;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::form::Origin;
use yizhan_codecs::air::key::{Net, NetKey};
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::{Answer, MessageId, Precedence, Rung, StationId};
use yizhan_engine::bus::{Message, Voucher};
use yizhan_engine::config::{AirNet, EngineConfig};
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Recipient, Reply, Request, SendKind};
use yizhan_engine::people::Roster;
use yizhan_engine::time::Utc;

pub(crate) const NET: u32 = 0x0051_0001;
pub(crate) const CARDS: [u32; 3] = [142_020, 142_021, 142_022];
const NUMBERS: [u16; 3] = [1, 7, 9];

pub(crate) const ROSTER: &str = r#"{
  "person": [{"id": "li-lei", "name": "李雷", "unit": "一组", "terminals": ["beidou:242407"]}],
  "station": [
    {"id": "county", "name": "县指", "number": 1, "terminals": ["beidou:142020"]},
    {"id": "sanhe", "name": "三合乡前指", "number": 7, "terminals": ["beidou:142021"]}
  ]
}"#;

fn number(at: usize) -> StationId {
    StationId::new(NUMBERS[at]).unwrap()
}

fn net(at: usize, traffic: Traffic) -> AirNet {
    let id = if traffic == Traffic::Exercise { NET + 1 } else { NET };
    let key = NetKey::from_bytes(&[if traffic == Traffic::Exercise { 9 } else { 7 }; 32]);
    let (centre, me) = (number(0), number(at));
    let cipher = match at {
        0 => SoftCipher::centre(id, key),
        _ => SoftCipher::station(id, me).with_epoch(3, key.station(id, 3, me), key.group(id, 3)),
    };
    let net = Net { id, traffic, centre, me, epoch: 3, opens_last_epoch: true };
    AirNet { net, cipher: Arc::new(cipher) }
}

pub(crate) fn station_config(at: usize) -> EngineConfig {
    let nets = vec![net(at, Traffic::Real), net(at, Traffic::Exercise)];
    EngineConfig { station: number(at), nets, ..config() }
}

/// Two stations, and the air between their cards.
pub(crate) struct Pair {
    pub(crate) ends: [Station; 2],
    /// Sentences of each end that the air has dealt with.
    seen: [usize; 2],
    pub(crate) loss_permille: u64,
    pub(crate) luck: u64,
    /// An end to which nothing comes through.
    pub(crate) deaf: Option<usize>,
    /// So many of the next frames are altered on their way.
    pub(crate) damaged: usize,
    lost: usize,
    carried: usize,
    sent: [usize; 2],
    /// Origins that each end knows: number, latitude and longitude in 1e-7 degrees.
    pub(crate) origins: [Vec<(u8, i32, i32)>; 2],
}

impl Pair {
    pub(crate) fn new(loss_permille: u64) -> Self {
        Self::of(loss_permille, ROSTER, station_config)
    }

    /// Two stations that have more than their cards.
    pub(crate) fn of(loss_permille: u64, roster: &str, config: impl Fn(usize) -> EngineConfig) -> Self {
        let ends = [0, 1].map(|at| Station::of_net(config(at), CARDS[at], roster));
        Self {
            ends,
            seen: [0, 0],
            loss_permille,
            luck: 1,
            deaf: None,
            damaged: 0,
            lost: 0,
            carried: 0,
            sent: [0, 0],
            origins: Default::default(),
        }
    }

    fn is_lost(&mut self) -> bool {
        self.luck = self.luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.luck >> 33) % 1_000 < self.loss_permille
    }

    /// Lets seconds pass; every sentence is confirmed to its sender and brought to the other end, or lost.
    pub(crate) fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.ends.iter_mut().for_each(|end| end.advance(Duration::from_secs(1)));
            for at in [0, 1] {
                for (dest, form, mut content) in self.fresh(at) {
                    self.ends[at].hear("BDFKI,TXA,Y,Y,0,0000");
                    self.sent[at] += 1;
                    let to = 1 - at;
                    if self.is_lost() || dest != CARDS[to] || self.deaf == Some(to) {
                        self.lost += 1;
                        continue;
                    }
                    self.carried += 1;
                    if self.damaged > 0 {
                        self.damaged -= 1;
                        let last = if content.ends_with('0') { "1" } else { "0" };
                        content.replace_range(content.len() - 1.., last);
                    }
                    self.ends[to].hear(&format!("BDTXR,1,{:07},{form},,{content}", CARDS[at]));
                }
            }
        }
    }

    /// What an end has sent since the last look: number, form, content.
    fn fresh(&mut self, at: usize) -> Vec<(u32, String, String)> {
        let sent = self.ends[at].sent_over_beidou();
        let fresh = sent.iter().skip(self.seen[at]).map(|(_, sentence)| {
            let fields: Vec<&str> = sentence.split('*').next().unwrap().split(',').collect();
            (fields[1].parse().unwrap(), fields[3].to_owned(), fields[4].to_owned())
        });
        let fresh = fresh.collect();
        self.seen[at] = sent.len();
        fresh
    }

    pub(crate) fn send(
        &mut self,
        at: usize,
        text: &str,
        precedence: Precedence,
        kind: SendKind,
        exercise: bool,
    ) -> MessageId {
        let to = Recipient::Person(["三合乡前指", "county"][at].into());
        let by = "duty".into();
        let (in_reply_to, supersedes) = (None, None);
        let text = text.into();
        self.ends[at].request(Request::Send { to, text, precedence, kind, exercise, in_reply_to, supersedes, by });
        self.ends[at].accepted()
    }

    pub(crate) fn rung(&self, at: usize, id: MessageId) -> (Rung, Option<End>) {
        let delivery = &self.ends[at].engine.state().message(id).unwrap().deliveries[0];
        (delivery.rung, delivery.end)
    }

    pub(crate) fn message(&self, at: usize, id: MessageId) -> Option<&Message> {
        self.ends[at].engine.state().message(id)
    }

    /// Power fails at one end; its disk stays.
    pub(crate) fn restart(&mut self, at: usize) {
        let card = self.ends[at].card;
        let wall = Utc(WALL.0 + i64::try_from(self.ends[at].now.0 / 1_000).unwrap());
        let mut config = station_config(at);
        for (number, lat_e7, lon_e7) in &self.origins[at] {
            config.area.origins.insert(*number, Origin::new(*lat_e7, *lon_e7).unwrap());
        }
        self.ends[at].crash(config, Some(wall));
        self.ends[at].card = card;
        self.seen[at] = 0;
        self.ends[at].bring_up();
    }

    /// Both ends come to know an origin.
    pub(crate) fn share_origin(&mut self, number: u8, lat_e7: i32, lon_e7: i32) {
        for at in [0, 1] {
            self.origins[at].push((number, lat_e7, lon_e7));
            self.restart(at);
            self.ends[at].advance(Duration::from_secs(120));
        }
    }

    pub(crate) fn sends_of(&self, at: usize) -> usize {
        self.sent[at]
    }

    pub(crate) fn sends(&self) -> usize {
        self.lost + self.carried
    }
}

#[test]
fn a_text_arrives_under_its_own_number_and_its_receipt_says_so() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "三号桥断，请二组改走东线。", Precedence::Priority, SendKind::Text, false);
    pair.run(30);
    let heard = pair.message(1, id).expect("the message has the same number at both ends");
    assert_eq!(heard.text, "三号桥断，请二组改走东线。");
    assert_eq!(
        (heard.precedence, heard.proof, heard.by.as_str()),
        (Precedence::Priority, Some(Voucher::Station), "county")
    );
    pair.run(90);
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
    assert_eq!(pair.sends(), 2, "one frame there, one receipt back");
}

#[test]
fn what_a_person_did_comes_back_as_read_and_answered() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "立即转移沿河村群众", Precedence::Immediate, SendKind::Order, false);
    pair.run(120);
    pair.ends[1].request(Request::MarkRead { id, by: "duty".into() });
    pair.run(120);
    assert_eq!(pair.rung(0, id), (Rung::Read, Some(End::Read)));
    pair.ends[1].request(Request::Answer { id, answer: Answer::Executing, by: "duty".into() });
    pair.run(200);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Executing));
    pair.ends[1].request(Request::Answer { id, answer: Answer::Done, by: "duty".into() });
    pair.run(200);
    assert_eq!(pair.rung(0, id), (Rung::Answered(Answer::Done), Some(End::Answered)));
}

/// A thousand characters that no model shortens to nothing.
pub(crate) fn long_order() -> String {
    let sentence = |n: usize| {
        let places = ["石门沟", "白马乡", "梨树坪", "下河湾", "东山口", "杨家湾", "老鹰岩", "双河口"];
        let teams = ["一组", "民兵连", "消防二中队", "交通抢险队", "卫生院", "电力班"];
        format!(
            "{}、{}群众{}人于{}时{}分前转移到{}，由{}负责，缺{}顶帐篷速报；",
            places[n % 8],
            places[(n * 3 + 1) % 8],
            37 + n * 17 % 90,
            6 + n % 15,
            n * 7 % 60,
            places[(n * 5 + 2) % 8],
            teams[n % 6],
            n % 9 + 1
        )
    };
    (0..60).map(sentence).collect::<String>().chars().take(1_000).collect()
}

#[test]
fn a_thousand_characters_arrive_through_30_percent_loss_and_restarts_of_both_ends() {
    let mut pair = Pair::new(300);
    let order = long_order();
    let id = pair.send(0, &order, Precedence::Priority, SendKind::Order, false);
    pair.run(4 * 62);
    pair.restart(1);
    pair.run(3 * 62);
    pair.restart(0);
    let mut slots = 7;
    while pair.rung(0, id).0 < Rung::Delivered && slots < 60 {
        pair.run(62);
        slots += 1;
    }
    assert_eq!(pair.message(1, id).map(|message| message.text.clone()), Some(order));
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
    // n = 11 or 12 rows: 17 at this loss, and each end loses a slot or two to its restart.
    assert!(slots <= 26, "{slots} slots, {} sends", pair.sends());
    let copies = pair.ends[1].engine.state().messages().filter(|message| message.id == id).count();
    assert_eq!(copies, 1);
    pair.ends[1].request(Request::Answer { id, answer: Answer::Accepted, by: "duty".into() });
    pair.run(10 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Accepted));
}

#[test]
fn an_exercise_travels_in_its_own_net_and_arrives_as_one() {
    let mut pair = Pair::new(0);
    let id = pair.send(1, "演习导调：三号点发现险情", Precedence::Priority, SendKind::Text, true);
    pair.run(120);
    let heard = pair.message(0, id).unwrap();
    assert_eq!((heard.traffic, heard.text.as_str()), (Traffic::Exercise, "演习导调：三号点发现险情"));
    assert_eq!(pair.rung(1, id).0, Rung::Delivered);
}

#[test]
fn a_call_for_help_at_an_outpost_reaches_the_centre_sealed() {
    let mut pair = Pair::new(0);
    pair.ends[1].hear_text(242_407, "求救 两人被困三号桥下");
    pair.run(300);
    let sos = pair.ends[1].engine.state().messages().find(|m| m.text.starts_with("求救")).unwrap().id;
    let heard = pair.message(0, sos).expect("the outpost's number is kept");
    assert_eq!((heard.topic.name(), heard.precedence, heard.proof), ("sos", Precedence::Flash, Some(Voucher::Station)));
    assert!(heard.text.contains("李雷") && heard.text.contains("两人被困"), "{}", heard.text);
}

#[test]
fn a_keypad_form_goes_on_as_a_form() {
    let mut pair = Pair::new(0);
    pair.ends[1].hear_text(242_407, "#2 水困 共3 伤1 位30.6521,104.0812");
    pair.run(300);
    let sos = pair.ends[0].engine.state().messages().find(|m| m.topic.name() == "sos").expect("it came");
    assert!(sos.form.contains("\"sos\"") && sos.words.contains("李雷"), "{} {}", sos.form, sos.words);
    assert!(sos.position.is_some());
}

#[test]
fn an_answer_of_a_person_behind_the_outpost_comes_back_to_the_centre() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "@李雷 请清点人数后答复", Precedence::Immediate, SendKind::Text, false);
    pair.run(200);
    let (_, text) =
        pair.ends[1].sent_over_beidou().into_iter().find(|(_, s)| s.contains("0242407")).expect("brought on");
    assert!(text.contains("清点人数"), "{text}");
    pair.ends[1].hear_text(242_407, "收到");
    pair.run(300);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Accepted));
}

#[test]
fn a_frame_that_comes_twice_is_one_message_and_is_answered_again() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "水位上涨", Precedence::Priority, SendKind::Text, false);
    pair.run(2);
    let sentence = pair.ends[0].sent_over_beidou().remove(0).1;
    let content = sentence.split('*').next().unwrap().split(',').nth(4).unwrap().to_owned();
    pair.run(150);
    let before = pair.ends[1].sent_over_beidou().len();
    pair.ends[1].hear(&format!("BDTXR,1,{:07},2,,{content}", CARDS[0]));
    pair.run(150);
    assert_eq!(pair.message(1, id).unwrap().copies, 1);
    assert_eq!(pair.ends[1].told(|event| matches!(event, Event::MessageHeard { .. })), 1);
    assert_eq!(pair.ends[1].sent_over_beidou().len(), before + 1, "who still sends has not heard the receipt");
}

#[test]
fn altered_frames_and_frames_of_strangers_make_no_message() {
    let mut pair = Pair::new(0);
    pair.send(0, "水位上涨，请沿河各组加密巡查", Precedence::Priority, SendKind::Text, false);
    pair.run(1);
    let sentence = pair.ends[0].sent_over_beidou().remove(0).1;
    let content = sentence.split('*').next().unwrap().split(',').nth(4).unwrap().to_owned();
    let mut pair = Pair::new(0);
    for at in 12..content.len() {
        let mut altered = content.clone().into_bytes();
        altered[at] = if altered[at] == b'0' { b'1' } else { b'0' };
        let altered = String::from_utf8(altered).unwrap();
        pair.ends[1].hear(&format!("BDTXR,1,{:07},2,,{altered}", CARDS[0]));
    }
    assert_eq!(pair.ends[1].engine.state().messages().count(), 0);
    assert!(pair.ends[1].told(|e| matches!(e, Event::UnreadableHeard { .. })) > 0, "it is not passed over in silence");
    let alarm = |event: &Event| matches!(event, Event::Remarked { what, .. } if what.contains("疑有人冒充"));
    assert_eq!(pair.ends[1].told(alarm), 1);
    assert!(pair.ends[1].sent_over_beidou().len() <= 1, "a forger costs the airtime of one question");
}

/// What an end gives to a courier for the other one.
fn carried(pair: &mut Pair, at: usize) -> Vec<bytes::Bytes> {
    let to = ["sanhe", "county"][at].into();
    pair.ends[at].request(Request::CarryOut { to, by: "duty".into() });
    match pair.ends[at].replies.last() {
        Some(Reply::Carried { frames, .. }) => frames.clone(),
        other => panic!("{other:?}"),
    }
}

fn bring(pair: &mut Pair, at: usize, frames: Vec<bytes::Bytes>) -> (usize, usize) {
    pair.ends[at].request(Request::CarryIn { frames, by: "duty".into() });
    match pair.ends[at].replies.last() {
        Some(Reply::Brought { new, copies, .. }) => (*new, *copies),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_courier_brings_what_the_air_does_not_and_reading_it_twice_changes_nothing() {
    let mut pair = Pair::new(1_000);
    let order = long_order();
    let long = pair.send(0, &order, Precedence::Priority, SendKind::Order, false);
    let short = pair.send(0, "三组原地待命", Precedence::Routine, SendKind::Text, false);
    pair.run(130);
    let stick = carried(&mut pair, 0);
    assert_eq!(bring(&mut pair, 1, stick.clone()), (2, 0));
    assert_eq!(pair.message(1, long).unwrap().text, order);
    assert_eq!(pair.message(1, short).unwrap().text, "三组原地待命");
    let hash = pair.ends[1].engine.state().messages().count();
    let (new, copies) = bring(&mut pair, 1, stick);
    assert_eq!((new, copies > 0), (0, true));
    assert_eq!(pair.ends[1].engine.state().messages().count(), hash);
    pair.ends[1].request(Request::MarkRead { id: short, by: "duty".into() });
    let back = carried(&mut pair, 1);
    bring(&mut pair, 0, back);
    assert_eq!(pair.rung(0, long).0, Rung::Delivered);
    assert_eq!(pair.rung(0, short).0, Rung::Read);
}

#[test]
fn a_courier_carries_what_no_card_was_ever_there_to_send() {
    let mut pair = Pair::new(0);
    let mut config = station_config(0);
    config.links.retain(|link| link.device == "beidou");
    let roster: Roster = serde_json::from_str(ROSTER).unwrap();
    pair.ends[0] = Station::fresh(config, Some(WALL));
    pair.ends[0].request(Request::ImportRoster { roster, by: "test".into() });
    let order = long_order();
    let id = pair.send(0, &order, Precedence::Priority, SendKind::Order, false);
    let stick = carried(&mut pair, 0);
    assert_eq!(bring(&mut pair, 1, stick), (1, 0));
    assert_eq!(pair.message(1, id).unwrap().text, order);
    // The card comes, and what the courier has brought is sent and receipted as any other.
    pair.ends[0].bring_up();
    pair.ends[0].card = CARDS[0];
    pair.ends[0].hear_card();
    pair.run(30 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Delivered);
}

#[test]
fn what_is_not_of_the_net_is_refused_from_a_courier_too() {
    let mut pair = Pair::new(1_000);
    pair.send(0, "三组原地待命", Precedence::Routine, SendKind::Text, false);
    let mut stick: Vec<Vec<u8>> = carried(&mut pair, 0).iter().map(|frame| frame.to_vec()).collect();
    for frame in &mut stick {
        let last = frame.len() - 1;
        frame[last] ^= 1;
    }
    assert_eq!(bring(&mut pair, 1, stick.into_iter().map(Into::into).collect()), (0, 0));
}

#[test]
fn a_persons_word_keeps_its_copies_though_an_earlier_word_is_still_in_the_air() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "立即转移沿河村群众", Precedence::Immediate, SendKind::Order, false);
    pair.ends[0].advance(Duration::from_secs(1));
    let (_, form, content) = pair.fresh(0).remove(0);
    pair.ends[1].hear(&format!("BDTXR,1,{:07},{form},,{content}", CARDS[0]));
    // COMPLETE has been written, and the terminal has not said what became of it.
    assert_eq!(pair.ends[1].sent_over_beidou().len(), 1);
    pair.ends[1].request(Request::Answer { id, answer: Answer::Accepted, by: "duty".into() });
    pair.ends[1].hear("BDFKI,TXA,Y,Y,0,0000");
    pair.loss_permille = 1_000;
    pair.run(30 * 62);
    assert_eq!(pair.ends[1].sent_over_beidou().len(), 1 + 3, "three copies of the answer");
}

#[test]
fn a_payload_of_a_plain_terminal_that_looks_like_a_frame_is_kept_as_data() {
    let mut pair = Pair::new(0);
    pair.ends[1].hear("BDTXR,1,0242407,2,,A44E00112233445566778899");
    let kept = pair.ends[1].engine.state().messages().next().expect("nothing is swallowed");
    assert_eq!(kept.opaque, [0x4E, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99]);
}

#[test]
fn a_way_that_loses_nothing_is_soon_known_to() {
    let mut pair = Pair::new(0);
    let mut reckoned = Vec::new();
    for n in 0..8 {
        let id = pair.send(0, &format!("第{n}次报水位"), Precedence::Priority, SendKind::Text, false);
        pair.run(180);
        assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
        reckoned.push(pair.message(0, id).unwrap().deliveries[0].air.as_ref().unwrap().stream.loss());
    }
    // After the first good word little is known yet: 136 of 1000, and every one after it lowers that.
    assert!(reckoned[1..].is_sorted_by(|before, after| before > after) && reckoned[7] <= 30, "{reckoned:?}");
    assert_eq!(pair.sends(), 16, "one frame there and one back for each");
}

#[test]
fn a_station_that_does_not_answer_keeps_no_message_from_the_others() {
    let group = ROSTER.replace(
        r#""station": ["#,
        r#""station": [{"id": "wanghe", "name": "望河乡前指", "number": 9, "terminals": ["beidou:142099"]},"#,
    );
    let mut pair = Pair::of(0, &group, station_config);
    let send = |pair: &mut Pair, to: &str, text: &str| {
        pair.ends[0].request(Request::Send {
            to: Recipient::Person(to.into()),
            text: text.into(),
            precedence: Precedence::Immediate,
            kind: SendKind::Text,
            exercise: false,
            in_reply_to: None,
            supersedes: None,
            by: "duty".into(),
        });
        pair.ends[0].accepted()
    };
    for n in 0..3 {
        send(&mut pair, "wanghe", &format!("第{n}次呼叫望河"));
    }
    let id = send(&mut pair, "sanhe", "三合请转移沿河群众");
    pair.run(5 * 62);
    assert!(pair.message(1, id).is_some(), "three first tries go before it, and nobody's repairs");
}

#[test]
fn a_persons_word_outlives_a_valley_that_swallows_frames_in_a_row() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, "三号桥断，请绕行", Precedence::Priority, SendKind::Order, false);
    pair.run(200);
    assert_eq!(pair.rung(0, id).0, Rung::Delivered);
    let before = pair.sends_of(1);
    pair.deaf = Some(0);
    pair.ends[1].request(Request::Answer { id, answer: Answer::Executing, by: "duty".into() });
    pair.run(10 * 62);
    assert_eq!(pair.sends_of(1) - before, 2, "two copies are lost, the last one waits for better air");
    pair.deaf = None;
    pair.run(16 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Executing));
    assert_eq!(pair.sends_of(1) - before, 3);
}
