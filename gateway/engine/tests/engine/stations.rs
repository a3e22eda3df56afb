//! Links that only stations speak: frames come in as bytes, and a text is never owed to them.

use crate::pair::{ROSTER as NET_ROSTER, station_config};
use crate::station::{Station, WALL, config};
use yizhan_codecs::codec::Profile;
use yizhan_codecs::message::{LinkId, Precedence};
use yizhan_engine::config::LinkConfig;
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Input, Recipient, Refusal, Reply, Request};
use yizhan_engine::people::Roster;

const ROSTER: &str = r#"{
  "person": [
    {"id": "li-lei", "name": "李雷", "terminals": ["beidou:242407"]},
    {"id": "north", "name": "北站", "terminals": ["ip:10.0.0.2:4710"]},
    {"id": "lin-tao", "name": "林涛", "terminals": ["ip:[FD00::2]:4710", "beidou:312194"]}
  ],
  "group": [{"id": "all", "name": "全体", "members": ["li-lei", "north"]}]
}"#;

fn mesh() -> LinkId {
    LinkId::new("ip-1")
}

fn with_mesh() -> yizhan_engine::config::EngineConfig {
    let mut config = config();
    let link =
        LinkConfig { id: mesh(), device: "air-udp".into(), profile: Profile::default(), ..config.links[1].clone() };
    config.links.push(link);
    config
}

fn ready() -> Station {
    let mut station = Station::fresh(with_mesh(), Some(WALL));
    let roster: Roster = serde_json::from_str(ROSTER).unwrap();
    station.request(Request::ImportRoster { roster, by: "test".into() });
    station.bring_up();
    station.input(Input::LinkUp { link: mesh() });
    station.advance(std::time::Duration::from_secs(120));
    station.forget_noise();
    station
}

fn over_mesh(station: &Station) -> usize {
    station.written.iter().filter(|(_, link, _)| *link == mesh()).count()
}

#[test]
fn a_text_for_somebody_who_has_only_a_station_is_refused_at_once_in_words() {
    let mut station = ready();
    for to in [Recipient::Person("北站".into()), Recipient::Terminal("ip:10.0.0.2:4710".into())] {
        station.send_to(to, "原地待命", Precedence::Flash);
        let Some(Reply::Refused(refusal)) = station.replies.last() else { panic!("{:?}", station.replies) };
        assert!(matches!(refusal, Refusal::NoText { .. }), "{refusal}");
        assert!(refusal.label().contains("不收明文"), "{}", refusal.label());
    }
    assert_eq!(over_mesh(&station), 0);
}

#[test]
fn somebody_with_a_handheld_beside_the_station_gets_the_text_there() {
    let mut station = ready();
    station.send("林涛", "原地待命", Precedence::Routine);
    let id = station.accepted();
    assert_eq!((station.sent_over_beidou().len(), over_mesh(&station)), (1, 0));
    assert_eq!(station.engine.state().message(id).unwrap().deliveries[0].end, None);
}

#[test]
fn a_group_gets_its_text_though_one_of_it_has_only_a_station_and_that_delivery_says_why() {
    let mut station = ready();
    station.send_to(Recipient::Group("all".into()), "原地待命", Precedence::Routine);
    let id = station.accepted();
    assert_eq!((station.sent_over_beidou().len(), over_mesh(&station)), (1, 0));
    let ends = station.engine.state().message(id).unwrap().deliveries.iter();
    let refused = ends.filter(|delivery| delivery.end == Some(End::Refused)).collect::<Vec<_>>();
    assert_eq!(refused.len(), 1);
    assert!(refused[0].reason.contains("不收明文"), "{}", refused[0].reason);
}

#[test]
fn frames_of_stations_are_kept_as_bytes_with_their_address_also_after_a_restart() {
    let mut station = ready();
    let frame = [&[0x47, 0x00, 0xC0, 0x05, 0x01][..], &[0xA5; 20]].concat();
    let widest = "[2001:db8:1111:2222:3333:4444:5555:6666]:65535";
    for from in ["10.0.0.2:4710", widest] {
        let from = Some(yizhan_codecs::message::Peer(from.parse().unwrap()));
        station.input(Input::Heard { link: mesh(), from, bytes: frame.clone().into() });
    }
    station.crash(with_mesh(), Some(WALL));
    let heard = station.engine.state().messages().filter(|m| m.link == Some(mesh())).collect::<Vec<_>>();
    let from: Vec<String> = heard.iter().filter_map(|m| m.from.as_ref()).map(ToString::to_string).collect();
    assert_eq!(from, ["ip:10.0.0.2:4710".to_owned(), format!("ip:{widest}")]);
    assert!(heard.iter().all(|m| m.opaque == frame && m.text.is_empty()));
}

#[test]
fn a_datagram_of_a_stranger_that_is_no_frame_is_shown_as_unreadable() {
    let mut station = ready();
    let from = Some(yizhan_codecs::message::Peer("10.0.0.9:53".parse().unwrap()));
    station.input(Input::Heard { link: mesh(), from, bytes: "求救".as_bytes().to_vec().into() });
    assert_eq!(station.told(|e| matches!(e, Event::UnreadableHeard { why, .. } if why.contains("version"))), 1);
}

/// An outpost with two links to the command post.
fn with_two_links() -> Station {
    let mut config = station_config(1);
    for name in ["ip-1", "ip-2"] {
        let link = LinkConfig {
            id: LinkId::new(name),
            device: "air-udp".into(),
            profile: Profile::default(),
            period: Some(std::time::Duration::from_secs(60)),
            ..config.links[1].clone()
        };
        config.links.push(link);
    }
    let mut station = Station::fresh(config, Some(WALL));
    let roster = NET_ROSTER.replace("\"beidou:142020\"", "\"ip:10.0.0.2:4710\"");
    let roster: Roster = serde_json::from_str(&roster).unwrap();
    station.request(Request::ImportRoster { roster, by: "test".into() });
    for name in ["ip-1", "ip-2"] {
        station.input(Input::LinkUp { link: LinkId::new(name) });
    }
    station.advance(std::time::Duration::from_secs(200));
    station.forget_noise();
    station
}

#[test]
fn a_flash_takes_two_cards_at_once_and_nothing_else_does() {
    for (precedence, expected) in [(Precedence::Flash, 2), (Precedence::Immediate, 1)] {
        let mut station = with_two_links();
        station.send("县指", "堤坝溃口", precedence);
        let over = |name: &str| station.written.iter().filter(|(_, link, _)| link.name() == name).count();
        assert_eq!(over("ip-1") + over("ip-2"), expected, "{precedence}");
        assert!(over("ip-1") <= 1 && over("ip-2") <= 1);
    }
}
