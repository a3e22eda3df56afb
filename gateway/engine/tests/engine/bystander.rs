//! What stations say to each other while a third one hears it: it says nothing of the third one's own messages.

use crate::pair::{CARDS, long_order, station_config};
use crate::station::Station;
use std::time::Duration;
use yizhan_codecs::message::{Precedence, Rung};
use yizhan_engine::io::{Recipient, Request, SendKind};

const ROSTER: &str = r#"{
  "station": [
    {"id": "county", "name": "县指", "number": 1, "terminals": ["beidou:142020"]},
    {"id": "sanhe", "name": "三合乡前指", "number": 7, "terminals": ["beidou:142021"]},
    {"id": "shuitou", "name": "水头前指", "number": 9, "terminals": ["beidou:142022"]}
  ]
}"#;

/// Three stations, each of which hears whatever comes through, as a command unit does or a radio.
struct Air {
    ends: [Station; 3],
    seen: [usize; 3],
    /// Frames to this one are lost to everybody.
    cut_off: Option<usize>,
    /// This one hears nothing.
    deaf: Option<usize>,
}

impl Air {
    fn new() -> Self {
        let ends = [0, 1, 2].map(|at| Station::of_net(station_config(at), CARDS[at], ROSTER));
        Self { ends, seen: [0; 3], cut_off: None, deaf: None }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.ends.iter_mut().for_each(|end| end.advance(Duration::from_secs(1)));
            for (at, card) in CARDS.into_iter().enumerate() {
                let sent = self.ends[at].sent_over_beidou();
                let fresh: Vec<String> =
                    sent.iter().skip(self.seen[at]).map(|(_, sentence)| sentence.clone()).collect();
                self.seen[at] = sent.len();
                for sentence in fresh {
                    self.ends[at].hear("BDFKI,TXA,Y,Y,0,0000");
                    let fields: Vec<&str> = sentence.split('*').next().unwrap().split(',').collect();
                    let to = CARDS.iter().position(|card| fields[1].parse() == Ok(*card)).unwrap();
                    let heard = format!("BDTXR,1,{card:07},{},,{}", fields[3], fields[4]);
                    let hears =
                        (0..3).filter(|other| *other != at && self.cut_off != Some(to) && self.deaf != Some(*other));
                    hears.for_each(|other| self.ends[other].hear(&heard));
                }
            }
        }
    }

    fn send(&mut self, at: usize, to: &str, text: &str) {
        self.ends[at].request(Request::Send {
            to: Recipient::Person(to.into()),
            text: text.into(),
            precedence: Precedence::Immediate,
            kind: SendKind::Text,
            exercise: false,
            in_reply_to: None,
            supersedes: None,
            by: "duty".into(),
        });
    }

    fn rungs(&self, at: usize) -> Vec<Rung> {
        let all = self.ends[at].engine.state().messages().filter(|message| message.from.is_none());
        all.flat_map(|message| message.deliveries.iter().map(|delivery| delivery.rung)).collect()
    }

    fn heard(&self, at: usize) -> usize {
        self.ends[at].engine.state().messages().filter(|message| message.from.is_some()).count()
    }
}

#[test]
fn a_receipt_to_another_station_says_nothing_of_ours_though_the_numbers_are_alike() {
    let mut air = Air::new();
    air.cut_off = Some(1);
    air.send(0, "sanhe", "三号桥断");
    air.run(70);
    assert_eq!(air.rungs(0), [Rung::Radiated], "lost on its way");
    // The same number of another station, which arrives; the centre opens the receipt, as it has every key.
    air.cut_off = Some(0);
    air.send(2, "sanhe", "水头已转移");
    // Before the centre tries again.
    air.run(130);
    assert_eq!(air.rungs(2), [Rung::Delivered]);
    assert_eq!(air.rungs(0), [Rung::Radiated]);
}

#[test]
fn rows_for_another_station_are_neither_kept_nor_asked_for() {
    let mut air = Air::new();
    air.send(2, "sanhe", &long_order());
    air.run(100);
    // It has heard the first rows only: of a message to itself it would want the rest.
    air.deaf = Some(0);
    air.run(40 * 62);
    assert_eq!(air.rungs(2), [Rung::Delivered]);
    assert_eq!((air.heard(1), air.heard(0)), (1, 0));
    assert_eq!(air.ends[0].sent_over_beidou().len(), 0, "the bystander says nothing");
}
