//! A station under test: an engine with a disk, a clock and links that write at once.

use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::form::Area;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::device::hytera::wire::{Body, Hdap, RadioIp, Tmp, TmpMessage};
use yizhan_codecs::message::{LinkId, MessageId, Peer, Precedence, StationId};
use yizhan_engine::Engine;
use yizhan_engine::config::{EngineConfig, LinkConfig, Policy};
use yizhan_engine::event::Event;
use yizhan_engine::io::{
    Input, Offset, Output, Recipient, Reply, Request, SendKind, StoredRecord, Ticket, TransmitTrouble,
};
use yizhan_engine::people::Roster;
use yizhan_engine::time::{Instant, Now, Utc};

pub const WALL: Utc = Utc(1_790_000_000_000);

pub fn beidou() -> LinkId {
    LinkId::new("bd")
}

pub fn radio() -> LinkId {
    LinkId::new("radio")
}

/// An engine, its disk and everything it said.
#[derive(Clone)]
pub struct Station {
    pub engine: Engine,
    pub now: Instant,
    /// Wall time at monotonic zero; `None` = the host's clock is not trusted.
    pub wall: Option<Utc>,
    /// What is on disk, synced.
    pub disk: Vec<StoredRecord>,
    /// What was handed to the disk and is not synced.
    pub unsynced: Vec<StoredRecord>,
    pub syncs: bool,
    /// Whether the ports take what is written to them.
    pub writes: bool,
    pub events: Vec<Event>,
    pub replies: Vec<Reply>,
    /// Bytes given to links, and when.
    pub written: Vec<(Instant, LinkId, Bytes)>,
    /// When the Beidou terminal reports its beams next, and what it says of them.
    beams_at: Option<Instant>,
    beams: String,
    wake_at: Option<Instant>,
    /// The number of its Beidou card.
    pub card: u32,
}

const BEAMS_EVERY: Duration = Duration::from_secs(10);

pub fn config() -> EngineConfig {
    let link = |id: LinkId, device: &str, profile: &[(&str, Value)]| LinkConfig {
        id,
        device: device.into(),
        profile: Profile(profile.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect::<BTreeMap<_, _>>()),
        reach: yizhan_engine::config::Reach::default(),
        period: None,
        capacity_bits: None,
        guard: Duration::from_secs(2),
    };
    EngineConfig {
        station: StationId::new(1).unwrap(),
        links: vec![
            link(beidou(), "beidou", &[("dialect", Value::Text("rdss21".into()))]),
            link(radio(), "hytera", &[]),
        ],
        policy: Policy { sos_auto_answer: false, ..Policy::default() },
        nets: Vec::new(),
        area: Area::default(),
    }
}

pub const ROSTER: &str = r#"{
  "person": [
    {"id": "li-lei", "name": "李雷", "unit": "一组", "terminals": ["beidou:242407"]},
    {"id": "han-mei", "name": "韩梅梅", "unit": "二组", "terminals": ["radio370:2308195"]},
    {"id": "lin-tao", "name": "林涛", "unit": "三组", "terminals": ["beidou:312194", "radio370:222222"]}
  ],
  "group": [{"id": "rescue", "name": "救援队", "members": ["han-mei"]}],
  "relay": [{"topic": "sos", "groups": ["rescue"]}]
}"#;

impl Station {
    /// A fresh station with both links up, the card known and the first slot over.
    pub fn ready() -> Self {
        Self::ready_as(|_| ())
    }

    /// The same with other numbers of judgement.
    pub fn ready_as(judge: impl FnOnce(&mut Policy)) -> Self {
        let mut config = config();
        judge(&mut config.policy);
        let mut station = Self::fresh(config, Some(WALL));
        station.import_roster();
        station.bring_up();
        station.advance(Duration::from_secs(120));
        station.forget_noise();
        station
    }

    /// A station of a net, with its card and its roster, after its first slot.
    pub fn of_net(config: EngineConfig, card: u32, roster: &str) -> Self {
        let mut station = Self::fresh(config, Some(WALL));
        station.card = card;
        let roster: Roster = serde_json::from_str(roster).unwrap();
        station.request(Request::ImportRoster { roster, by: "test".into() });
        station.bring_up();
        station.advance(Duration::from_secs(120));
        station.forget_noise();
        station
    }

    pub fn fresh(config: EngineConfig, wall: Option<Utc>) -> Self {
        let now = Now { mono: Instant(0), wall };
        let engine = Engine::recover(config, now, None, []).unwrap();
        let mut station = Self {
            engine,
            now: Instant(0),
            wall,
            disk: Vec::new(),
            unsynced: Vec::new(),
            syncs: true,
            writes: true,
            events: Vec::new(),
            replies: Vec::new(),
            written: Vec::new(),
            beams_at: None,
            beams: String::new(),
            wake_at: None,
            card: 142_020,
        };
        station.drain();
        station
    }

    /// The power fails: what was synced stays, the monotonic clock starts again. Links come up after.
    pub fn crash(&mut self, config: EngineConfig, wall: Option<Utc>) {
        let now = Now { mono: Instant(0), wall };
        self.engine = Engine::recover(config, now, None, self.disk.clone()).unwrap();
        self.now = Instant(0);
        self.wall = wall;
        self.unsynced.clear();
        self.syncs = true;
        self.beams_at = None;
        self.forget_noise();
        self.drain();
    }

    pub fn import_roster(&mut self) {
        let roster: Roster = serde_json::from_str(ROSTER).unwrap();
        self.request(Request::ImportRoster { roster, by: "test".into() });
    }

    pub fn bring_up(&mut self) {
        self.input(Input::LinkUp { link: beidou() });
        self.input(Input::LinkUp { link: radio() });
        self.hear_card();
    }

    /// The terminal tells its card: 60 s, level 3.
    pub fn hear_card(&mut self) {
        self.hear(&format!("BDICI,{:07},02097151,0000011,6,60,3,N,000", self.card));
        self.hear_beams("BDBSI,01,03,3,2,2,0,3,0,0,3,0,0");
    }

    /// The terminal reports its beams, now and from now on.
    pub fn hear_beams(&mut self, beams: &str) {
        self.beams_at = Some(self.now.after(BEAMS_EVERY));
        self.beams = beams.into();
        self.hear(beams);
    }

    pub fn forget_noise(&mut self) {
        self.events.clear();
        self.replies.clear();
        self.written.clear();
    }

    fn now(&self) -> Now {
        let wall = self.wall.map(|zero| Utc(zero.0 + i64::try_from(self.now.0 / 1_000).unwrap()));
        Now { mono: self.now, wall }
    }

    pub fn input(&mut self, input: Input) {
        self.engine.handle_input(self.now(), input);
        self.drain();
    }

    fn drain(&mut self) {
        let mut answers = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Store { records } => {
                    self.unsynced.extend(records);
                    if self.syncs {
                        answers.push(None);
                    }
                }
                Output::Transmit { link, id, bytes, .. } => {
                    self.written.push((self.now, link, bytes));
                    answers.push(Some(id));
                }
                Output::Reply { reply, .. } => self.replies.push(reply),
                Output::Tell(event) => self.events.push(event),
                Output::WakeAt(at) => self.wake_at = Some(at),
            }
        }
        for answer in answers {
            match answer {
                Some(id) if self.writes => self.input(Input::Transmitted { id }),
                Some(id) => self.input(Input::TransmitFailed { id, why: TransmitTrouble::NotWritten }),
                None => self.sync(),
            }
        }
    }

    /// The disk syncs everything it was given.
    pub fn sync(&mut self) {
        self.disk.append(&mut self.unsynced);
        let through = self.disk.last().map_or(Offset(0), |record| record.offset);
        self.input(Input::Stored { through });
    }

    /// Lets time pass. The Beidou terminal reports its beams every ten seconds, as it was told to.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now.after(by);
        while let Some(at) = self.beams_at.filter(|at| *at <= end) {
            self.advance_in_silence(Duration::from_micros(at.0 - self.now.0));
            let beams = self.beams.clone();
            self.hear_beams(&beams);
        }
        self.advance_in_silence(Duration::from_micros(end.0 - self.now.0));
    }

    /// Lets time pass, waking the engine whenever it asked to be.
    fn advance_in_silence(&mut self, by: Duration) {
        let end = self.now.after(by);
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.wake_at = None;
            self.input(Input::Wake);
        }
        self.now = end;
        self.input(Input::Wake);
    }

    /// The Beidou terminal says a sentence; checksum and line end are added.
    pub fn hear(&mut self, sentence: &str) {
        let (bytes, _, _) = encoding_rs::GB18030.encode(sentence);
        let xor = bytes.iter().fold(0, |sum, byte| sum ^ byte);
        let mut line = vec![b'$'];
        line.extend_from_slice(&bytes);
        line.extend_from_slice(format!("*{xor:02X}\r\n").as_bytes());
        self.input(Input::Heard { link: beidou(), from: None, bytes: line.into() });
    }

    /// A text from a Beidou terminal in the field.
    pub fn hear_text(&mut self, from: u32, text: &str) {
        self.hear(&format!("BDTXR,1,{from:07},0,,{text}"));
    }

    /// A text as a terminal sends what it does not look at: mixed, in hexadecimal.
    pub fn hear_mixed(&mut self, from: u32, text: &str) {
        let (bytes, ..) = encoding_rs::GB18030.encode(text);
        let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        self.hear(&format!("BDTXR,1,{from:07},2,,A4{digits}"));
    }

    /// A private text from a radio, numbered 1 as radios do.
    pub fn hear_radio(&mut self, from: u32, text: &str) {
        let (to, sender) = (RadioIp::new(10, 1).unwrap(), RadioIp::new(10, from).unwrap());
        let message = TmpMessage::PrivateText { request: 1, to, from: sender, text: text.into() };
        self.hear_hdap(from, Body::Tmp(message.into()));
    }

    pub fn hear_hdap(&mut self, from: u32, body: Body) {
        let bytes = Hdap::plain(body).emit().unwrap();
        let peer = Peer(std::net::SocketAddr::new(RadioIp::new(10, from).unwrap().ip().into(), 3004));
        self.input(Input::Heard { link: radio(), from: Some(peer), bytes });
    }

    pub fn request(&mut self, request: Request) {
        self.input(Input::Submit { ticket: Ticket(7), request });
    }

    pub fn send(&mut self, to: &str, text: &str, precedence: Precedence) {
        self.send_to(Recipient::Person(to.into()), text, precedence);
    }

    pub fn send_to(&mut self, to: Recipient, text: &str, precedence: Precedence) {
        self.request(Request::Send {
            to,
            text: text.into(),
            precedence,
            kind: SendKind::Text,
            exercise: false,
            in_reply_to: None,
            supersedes: None,
            by: "duty".into(),
        });
    }

    /// The id of the last accepted request.
    pub fn accepted(&self) -> MessageId {
        let accepted = self.replies.iter().rev().find_map(|reply| match reply {
            Reply::Accepted { id, .. } => Some(*id),
            _ => None,
        });
        accepted.unwrap_or_else(|| panic!("nothing was accepted: {:?}", self.replies))
    }

    /// Message bytes written to the Beidou terminal so far, as text.
    pub fn sent_over_beidou(&self) -> Vec<(Instant, String)> {
        let texts = self.written.iter().filter(|(_, link, bytes)| *link == beidou() && bytes.starts_with(b"$CCTXA"));
        texts.map(|(at, _, bytes)| (*at, encoding_rs::GB18030.decode(bytes).0.into_owned())).collect()
    }

    /// Private texts written to radios so far, with their request numbers.
    pub fn sent_over_radio(&self) -> Vec<(u32, String)> {
        let frames = self.written.iter().filter(|(_, link, _)| *link == radio());
        let texts = frames.filter_map(|(_, _, bytes)| match Hdap::parse(bytes).ok()?.0.body {
            Body::Tmp(Tmp { message: TmpMessage::PrivateText { request, text, .. }, .. }) => {
                Some((request, text.text().0))
            }
            _ => None,
        });
        texts.collect()
    }

    /// The radio network says what became of a text.
    pub fn hear_radio_ack(&mut self, request: u32, by: u32, result: u8) {
        let (to, from) = (RadioIp::new(0, by).unwrap(), RadioIp::new(0, 1).unwrap());
        self.hear_hdap(by, Body::Tmp(TmpMessage::PrivateAck { request, to, from, result }.into()));
    }

    /// Acknowledgements written to radios so far (A2 and registration answers).
    pub fn radio_acks(&self) -> usize {
        let frames = self.written.iter().filter(|(_, link, _)| *link == radio());
        let acks = frames.filter(|(_, _, bytes)| {
            matches!(
                Hdap::parse(bytes).map(|(frame, _)| frame.body),
                Ok(Body::Tmp(Tmp { message: TmpMessage::PrivateAck { .. }, .. }))
            )
        });
        acks.count()
    }

    /// Whether an event was told.
    pub fn told(&self, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| wanted(event)).count()
    }
}
