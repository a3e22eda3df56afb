//! Two stations that have a mesh of IP radios between them beside their Beidou cards.

use crate::pair::{Pair, long_order, station_config};
use std::time::Duration;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::message::{LinkId, Peer, Precedence, Rung};
use yizhan_engine::config::{EngineConfig, LinkConfig};
use yizhan_engine::io::{Input, SendKind};

const ADDRESSES: [&str; 2] = ["10.0.0.1:4710", "10.0.0.2:4710"];

const ROSTER: &str = r#"{
  "station": [
    {"id": "county", "name": "县指", "number": 1, "terminals": ["ip:10.0.0.1:4710", "beidou:142020"]},
    {"id": "sanhe", "name": "三合乡前指", "number": 7, "terminals": ["ip:10.0.0.2:4710", "beidou:142021"]}
  ]
}"#;

fn mesh() -> LinkId {
    LinkId::new("ip-1")
}

fn with_mesh(at: usize) -> EngineConfig {
    let mut config = station_config(at);
    let profile = Profile([("mtu".to_owned(), Value::Int(128))].into());
    let link = LinkConfig { id: mesh(), device: "air-udp".into(), profile, ..config.links[1].clone() };
    config.links.push(link);
    config
}

/// The stations, and the mesh between them.
struct Both {
    pair: Pair,
    /// Datagrams of each end that the mesh has dealt with.
    seen: [usize; 2],
    mesh_carries: bool,
}

impl Both {
    fn new() -> Self {
        let mut pair = Pair::of(0, ROSTER, with_mesh);
        pair.ends.iter_mut().for_each(|end| end.input(Input::LinkUp { link: mesh() }));
        pair.ends.iter_mut().for_each(|end| end.advance(Duration::from_secs(10)));
        Self { pair, seen: [0, 0], mesh_carries: true }
    }

    fn datagrams(&self, at: usize) -> Vec<bytes::Bytes> {
        let written = self.pair.ends[at].written.iter().filter(|(_, link, _)| *link == mesh());
        written.map(|(_, _, bytes)| bytes.clone()).collect()
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.pair.run(1);
            for at in [0, 1] {
                let fresh = self.datagrams(at).split_off(self.seen[at]);
                self.seen[at] += fresh.len();
                let from = Some(Peer(ADDRESSES[at].parse().unwrap()));
                for bytes in fresh.into_iter().filter(|_| self.mesh_carries) {
                    self.pair.ends[1 - at].input(Input::Heard { link: mesh(), from, bytes });
                }
            }
        }
    }

    fn order(&mut self) -> yizhan_codecs::message::MessageId {
        self.pair.send(0, &long_order(), Precedence::Immediate, SendKind::Order, false)
    }
}

#[test]
fn a_long_order_crosses_the_mesh_alone_while_it_works() {
    let mut both = Both::new();
    let id = both.order();
    both.run(120);
    assert_eq!(both.pair.message(1, id).map(|message| message.text.clone()), Some(long_order()));
    assert_eq!(both.pair.rung(0, id).0, Rung::Delivered);
    let over_beidou = both.pair.ends.iter().map(|end| end.sent_over_beidou().len());
    assert_eq!(over_beidou.sum::<usize>(), 0, "a minute a frame where a second will do");
}

/// The mesh has carried something, and then nothing more; neither station can see that.
fn dead_mesh() -> Both {
    let mut both = Both::new();
    both.pair.send(0, "各站试通", Precedence::Routine, SendKind::Text, false);
    both.run(60);
    both.mesh_carries = false;
    both
}

#[test]
fn rows_are_asked_for_on_the_way_by_which_they_come_though_another_was_proven_before() {
    let mut both = dead_mesh();
    both.order();
    let sent = |both: &Both| (both.pair.ends[1].sent_over_beidou().len(), both.datagrams(1).len());
    let before = sent(&both);
    both.run(20 * 60);
    let after = sent(&both);
    assert!(after.0 > before.0, "rows came over Beidou, and more are wanted");
    assert_eq!(after.1, before.1, "asked into a mesh that is dead");
}

#[test]
fn what_is_asked_for_goes_out_on_the_way_that_brought_the_request_and_not_on_a_dead_one_that_is_quicker() {
    let mut both = dead_mesh();
    let id = both.order();
    // A burst into the dead mesh, a first row over Beidou, four slots of a minute until more are asked for, then the rest.
    both.run(20 * 60);
    assert_eq!(both.pair.message(1, id).map(|message| message.text.clone()), Some(long_order()));
    assert_eq!(both.pair.rung(0, id).0, Rung::Delivered);
}

#[test]
fn what_waits_goes_on_over_the_way_that_is_heard_to_work_and_not_over_a_quicker_one_that_is_silent() {
    let mut both = dead_mesh();
    both.pair.deaf = Some(1);
    let id = both.pair.send(0, "各站报水位", Precedence::Routine, SendKind::Text, false);
    both.run(30 * 60);
    assert!(both.pair.message(1, id).is_none(), "nothing comes through");
    both.pair.deaf = None;
    // What has just gone out may still be answered; a little later it is certain that it was in vain.
    let last = |both: &Both| both.pair.ends[0].written.last().map_or(0, |(at, ..)| at.0);
    let wait = 38_000_000;
    while both.pair.ends[0].now.0 < last(&both) + wait {
        both.run(1);
    }
    let before = both.datagrams(0).len();
    both.pair.send(1, "水位三米二", Precedence::Routine, SendKind::Text, false);
    both.run(5);
    assert!(both.pair.message(1, id).is_some(), "it went out over Beidou as soon as Beidou was heard");
    assert_eq!(both.datagrams(0).len(), before, "sent into the mesh, which is silent");
}
