//! Messages in clear, for mutual aid: shown with their mark, also in rows; a call for help is one all the same.

use crate::pair::{NET, ROSTER, station_config};
use crate::station::{Station, WALL};
use std::time::Duration;
use yizhan_codecs::air::content::{Content, Protected};
use yizhan_codecs::air::frame::{Door, Letter};
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::key::NetKey;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::{Precedence, StationId};
use yizhan_engine::bus::Voucher;
use yizhan_engine::event::Event;
use yizhan_engine::io::Request;
use yizhan_engine::people::Topic;

const STRANGER: u32 = 399_001;

/// The command post, which has no key of whoever writes.
fn post() -> Station {
    let mut station = Station::fresh(station_config(0), Some(WALL));
    let roster = serde_json::from_str(ROSTER).unwrap();
    station.request(Request::ImportRoster { roster, by: "test".into() });
    station.bring_up();
    station.advance(Duration::from_secs(120));
    station.forget_noise();
    station
}

/// Frames in clear of a station that nobody knows.
fn clear(words: &str, counter: u32) -> Vec<String> {
    let cipher = SoftCipher::centre(NET, NetKey::from_bytes(&[1; 32]));
    let mut net = station_config(0).nets.remove(0).net;
    net.me = StationId::new(99).unwrap();
    let bearing = Bearing::closed(77);
    let door = Door { cipher: &cipher, net: &net, bearing: &bearing };
    let protected = Protected::from(Content::Text { codec: 0, body: words.as_bytes().to_vec() });
    let (precedence, dst) = (Precedence::Immediate, Destination::Everyone);
    let frames = door.clear(&Letter { counter, precedence, dst, protected, order: false }).unwrap();
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    (0..frames.needed()).map(|row| hex(door.frame(&frames, row).unwrap())).collect()
}

fn hear(station: &mut Station, frame: &str) {
    station.hear(&format!("BDTXR,1,{STRANGER:07},2,,A4{frame}"));
}

#[test]
fn rows_in_clear_become_one_message_with_its_mark_whatever_their_order() {
    let mut station = post();
    let words = "邻县三号救援队已到石门沟桥头，带两条冲锋舟，缺柴油，请告知集结点和联络人。";
    let frames = clear(words, 5);
    assert!(frames.len() > 1);
    for frame in frames.iter().rev() {
        hear(&mut station, frame);
    }
    let messages: Vec<_> = station.engine.state().messages().collect();
    assert_eq!(messages.len(), 1);
    assert_eq!((messages[0].text.as_str(), messages[0].proof), (words, Some(Voucher::Nobody)));
    assert!(station.sent_over_beidou().is_empty(), "nobody is answered by itself");
    let frames = clear(words, 5);
    frames.iter().for_each(|frame| hear(&mut station, frame));
    assert_eq!(station.engine.state().messages().count(), 1, "sent again it is a copy");
}

#[test]
fn a_call_for_help_in_clear_rows_is_one_though_nobody_vouches_for_it() {
    let mut station = post();
    let words = "求救：石门沟小学二楼十七人被困，水已没过一楼窗台，两人发烧，请派冲锋舟，我在楼顶挥红布。";
    for frame in clear(words, 6) {
        hear(&mut station, &frame);
    }
    assert_eq!(station.told(|event| matches!(event, Event::SosOpened { .. })), 1);
    let sos = station.engine.state().messages().next_back().unwrap();
    assert_eq!((sos.topic, sos.precedence, sos.proof), (Topic::Sos, Precedence::Flash, Some(Voucher::Nobody)));
}

#[test]
fn rows_that_never_become_whole_are_bounded_and_counted() {
    let mut station = post();
    for counter in 0..40 {
        hear(&mut station, &clear("一条总也收不齐的明文，只来了第一段，后面的都没有来，占不了多少地方。", counter)[0]);
    }
    let gone = |event: &Event| matches!(event, Event::Remarked { what, .. } if what.contains("没有收齐"));
    assert_eq!((station.told(gone), station.engine.state().messages().count()), (24, 0));
}
