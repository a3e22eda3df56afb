//! What an attacker may send: altered, cut, lengthened, invented, replayed, of another net, of the exercise. No *message*
//! may come through. Rows with a short mark may, one in 65,536, and must then do no harm but be there.

use super::table::{Bound, Grid, Part, Scale};
use crate::seed::Seed;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::content::{Content, Protected};
use yizhan_codecs::air::fragment::Partial;
use yizhan_codecs::air::frame::{Door, Frames, Letter, Opened};
use yizhan_codecs::air::header::Destination;
use yizhan_codecs::air::key::{KEY, Net, NetKey};
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Digest, Number, Spent};
use yizhan_codecs::air::replay::{Replay, Verdict};
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::{Precedence, StationId};

const NET: u32 = 0x0051_0001;
const OTHER_NET: u32 = 0x0051_0002;
const BEIDOU: Bearing = Bearing::closed(77);
const RADIO: Bearing = Bearing::open(120);

/// A command post with the keys of a net.
struct Post {
    cipher: SoftCipher,
    net: Net,
}

impl Post {
    fn new(id: u32, key: u8, traffic: Traffic) -> Option<Self> {
        let (centre, me) = (StationId::new(1)?, StationId::new(1)?);
        let cipher = SoftCipher::centre(id, NetKey::from_bytes(&[key; KEY]));
        Some(Self { cipher, net: Net { id, traffic, centre, me, epoch: 5, opens_last_epoch: true } })
    }

    /// The same keys, in another place.
    fn at_station(mut self, number: u16) -> Option<Self> {
        self.net.me = StationId::new(number)?;
        Some(self)
    }

    /// Whether its own command post opens a frame of it.
    fn opens(&self, frame: &[u8], replay: &Replay) -> Option<Opened> {
        let net = Net { me: self.net.centre, ..self.net };
        let door = Door { cipher: &self.cipher, net: &net, bearing: &BEIDOU };
        door.open(replay, None, frame).ok()
    }

    fn door<'a>(&'a self, bearing: &'a Bearing) -> Door<'a> {
        Door { cipher: &self.cipher, net: &self.net, bearing }
    }
}

/// How often something was tried, and what came of it.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    tries: u64,
    messages: u64,
    /// Receipts, bundles and beacons that were believed.
    others: u64,
    rows: u64,
    /// True frames among them that were not opened: an attack on a receiver that opens nothing proves nothing.
    deaf: u64,
}

impl Tally {
    /// The true frame, before what is made of it: it must open.
    fn control(&mut self, door: &Door<'_>, replay: &Replay, frame: &[u8]) {
        self.deaf += u64::from(door.open(replay, StationId::new(9), frame).is_err());
    }

    fn count(&mut self, door: &Door<'_>, replay: &Replay, frame: &[u8]) {
        self.tries += 1;
        match door.open(replay, StationId::new(9), frame) {
            Ok(Opened::Single(_)) => self.messages += 1,
            Ok(Opened::Receipts { .. } | Opened::Bundle { .. } | Opened::Beacon { .. }) => self.others += 1,
            Ok(Opened::Row(_)) => self.rows += 1,
            // What is clear says so, and is shown as 未认证.
            Ok(Opened::Clear(_) | Opened::ClearRow(_)) | Err(_) => {}
        }
    }
}

/// Everything that the section plays with.
struct Stage {
    ours: Post,
    sender: Post,
    strangers: [Post; 2],
    seed: Seed,
    counter: u32,
    spent: Spent,
}

impl Stage {
    fn new() -> Option<Self> {
        Some(Self {
            ours: Post::new(NET, 0x42, Traffic::Real)?,
            sender: Post::new(NET, 0x42, Traffic::Real)?.at_station(3)?,
            strangers: [
                Post::new(OTHER_NET, 0x17, Traffic::Real)?.at_station(3)?,
                Post::new(NET, 0x99, Traffic::Exercise)?.at_station(3)?,
            ],
            seed: super::seed("forgery"),
            counter: 0,
            spent: Spent::default(),
        })
    }

    fn letter(&mut self, bytes: usize) -> Letter {
        self.counter += 1;
        let body = (0..bytes).map(|_| self.byte()).collect();
        let protected = Protected::from(Content::Text { codec: 1, body });
        let dst = Destination::CommandPost;
        Letter { counter: self.counter, precedence: Precedence::Immediate, dst, protected, order: false }
    }

    /// A receiver that has followed the sender until now: 14 bits of a counter tell nothing to one that was away for long.
    fn receiver(&self) -> Replay {
        let mut replay = Replay::new();
        let number = Number { src: self.sender.net.me, epoch: self.sender.net.epoch, counter: self.counter };
        replay.accept(number, Digest::of(b"followed"), 0);
        replay
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.seed.below(256)).unwrap_or(0)
    }

    fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.seed.below(u64::try_from(len.max(1)).unwrap_or(1))).unwrap_or(0)
    }

    /// A new message of our own net, as frames of a bearer.
    fn sealed(&mut self, bearing: &Bearing, bytes: usize) -> Option<Frames> {
        let letter = self.letter(bytes);
        self.sender.door(bearing).seal(&mut self.spent, &letter).ok()
    }

    fn frame(&mut self, bearing: &Bearing, bytes: usize) -> Option<Vec<u8>> {
        let frames = self.sealed(bearing, bytes)?;
        self.sender.door(bearing).frame(&frames, 0).ok()
    }

    fn altered(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut altered = frame.to_vec();
        while altered == frame {
            for _ in 0..=self.seed.below(6) {
                let place = self.place(altered.len());
                let bit = self.seed.below(8);
                if let Some(byte) = altered.get_mut(place) {
                    *byte ^= 1 << bit;
                }
            }
        }
        altered
    }

    /// The head of a true frame, and chance behind it.
    fn invented(&mut self, frame: &[u8]) -> Vec<u8> {
        let head = frame.get(..5).unwrap_or_default().to_vec();
        head.into_iter().chain((5..frame.len()).map(|_| self.byte())).collect()
    }

    fn cut_or_lengthened(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut other = frame.to_vec();
        if self.seed.chance(500) {
            let kept = self.place(frame.len());
            other.truncate(kept);
        } else {
            for _ in 0..=self.seed.below(8) {
                let byte = self.byte();
                other.push(byte);
            }
        }
        other
    }
}

/// One way of attacking, `tries` times over one bearer.
fn attack(stage: &mut Stage, bearing: &Bearing, tries: u64, how: fn(&mut Stage, &[u8]) -> Vec<u8>) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut replay = stage.receiver();
    let mut frame = stage.frame(bearing, 50)?;
    for turn in 0..tries {
        if turn % 64 == 0 {
            replay = stage.receiver();
            frame = stage.frame(bearing, 50)?;
            tally.control(&stage.ours.door(bearing), &replay, &frame);
        }
        let forged = how(stage, &frame);
        tally.count(&stage.ours.door(bearing), &replay, &forged);
    }
    Some(tally)
}

/// Rows on open radio, altered: how many pass the mark of 16 bits.
fn rows(stage: &mut Stage, tries: u64) -> Option<Tally> {
    let mut tally = Tally::default();
    let replay = stage.receiver();
    let frames = stage.sealed(&RADIO, 400)?;
    let frame = stage.sender.door(&RADIO).frame(&frames, 1).ok()?;
    tally.control(&stage.ours.door(&RADIO), &replay, &frame);
    for _ in 0..tries {
        let mut forged = stage.altered(frame.get(7..).unwrap_or_default());
        let mut whole = frame.get(..7).unwrap_or_default().to_vec();
        whole.append(&mut forged);
        tally.count(&stage.ours.door(&RADIO), &replay, &whole);
    }
    Some(tally)
}

/// True messages of other nets.
fn strangers(stage: &mut Stage, tries: u64) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut spent = Spent::default();
    for turn in 0..tries {
        // They count as we do: only the keys and the net tell them apart.
        let replay = stage.receiver();
        let letter = stage.letter(50);
        let [first, second] = &stage.strangers;
        let stranger = if turn % 2 == 0 { first } else { second };
        let frames = stranger.door(&BEIDOU).seal(&mut spent, &letter).ok()?;
        let frame = stranger.door(&BEIDOU).frame(&frames, 0).ok()?;
        tally.deaf += u64::from(stranger.opens(&frame, &replay).is_none());
        tally.count(&stage.ours.door(&BEIDOU), &replay, &frame);
    }
    Some(tally)
}

/// Our own frames again: authentic, and not new. Counts those that were taken for new.
fn replayed(stage: &mut Stage, tries: u64) -> Option<Tally> {
    let mut tally = Tally::default();
    let mut replay = stage.receiver();
    for turn in 0..tries {
        let frame = stage.frame(&BEIDOU, 50)?;
        for copy in 0..2 {
            let Ok(Opened::Single(message)) = stage.ours.door(&BEIDOU).open(&replay, None, &frame) else {
                tally.deaf += 1;
                continue;
            };
            let verdict = replay.accept(message.proven.number, message.proven.content, turn);
            if copy == 1 {
                tally.tries += 1;
                tally.messages += u64::from(verdict == Verdict::New);
            }
        }
    }
    Some(tally)
}

/// Messages of several rows with forged rows among them; gives how many did not come whole.
fn spoiled(stage: &mut Stage, tries: u64) -> Option<u64> {
    let mut lost = 0;
    for _ in 0..tries {
        let replay = stage.receiver();
        let frames = stage.sealed(&RADIO, 300)?;
        let mut kept: Option<(Number, Partial)> = None;
        let mut done = false;
        for index in 0..frames.needed() {
            let frame = stage.sender.door(&RADIO).frame(&frames, index).ok()?;
            let forged: Vec<Vec<u8>> = (0..4).map(|_| stage.altered(&frame)).collect();
            for frame in forged.iter().chain([&frame]) {
                let Ok(Opened::Row(sealed)) = stage.ours.door(&RADIO).open(&replay, None, frame) else { continue };
                let (number, partial) = kept.get_or_insert_with(|| (sealed.number, Partial::begin(&sealed.row)));
                let _ = partial.add(&sealed.row);
                done |= partial.rows_missing() == 0 && stage.ours.door(&RADIO).open_object(*number, partial).is_ok();
            }
        }
        lost += u64::from(!done);
    }
    Some(lost)
}

/// All attacks of a scale.
#[must_use]
pub fn part(scale: Scale) -> Part {
    let tries = match scale {
        Scale::Quick => 20_000,
        Scale::Full => 2_000_000,
    };
    Stage::new().and_then(|mut stage| played(&mut stage, tries)).unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn played(stage: &mut Stage, tries: u64) -> Option<Part> {
    let named = [
        ("改动几位，北斗 32 位校验", attack(stage, &BEIDOU, tries, |stage, frame| stage.altered(frame))?),
        ("改动几位，开放电台 64 位", attack(stage, &RADIO, tries, |stage, frame| stage.altered(frame))?),
        ("真帧头加乱码", attack(stage, &BEIDOU, tries, |stage, frame| stage.invented(frame))?),
        ("截短或加长", attack(stage, &BEIDOU, tries, |stage, frame| stage.cut_or_lengthened(frame))?),
        ("别的网、演练网的真帧", strangers(stage, tries / 8)?),
        ("重放自己的帧（当作新的）", replayed(stage, tries / 8)?),
        ("开放电台改动的分片", rows(stage, tries)?),
    ];
    let mut grid = Grid::new(&["攻击", "次数", "被接受的报文", "其他", "过了 16 位标记的分片", "理论 2⁻¹⁶"]);
    let (mut messages, mut others, mut all, mut deaf) = (0, 0, 0, 0);
    for (name, tally) in &named {
        let rows = if tally.rows > 0 || name.contains("分片") { tally.rows.to_string() } else { "-".into() };
        let theory = if name.contains("分片") { format!("{:.1}", tally.tries as f64 / 65_536.0) } else { "-".into() };
        let (tried, taken, other) = (tally.tries.to_string(), tally.messages.to_string(), tally.others.to_string());
        grid.row([(*name).to_owned(), tried, taken, other, rows, theory]);
        messages += tally.messages;
        others += tally.others;
        all += tally.tries;
        deaf += tally.deaf;
    }
    let whole = tries / 100;
    let lost = spoiled(stage, whole)?;
    let mut text = grid.print();
    text.push_str(&format!("  合计 {all} 次，被接受的报文 {messages} 条\n"));
    text.push_str(&format!("  夹着四倍伪造分片的 {whole} 条长报文：未能拼出 {lost} 条\n"));
    let passed = named.last().map_or(0.0, |(_, tally)| tally.rows as f64 * 65_536.0 / tally.tries.max(1) as f64);
    let bounds = vec![
        Bound::at_most("被接受的伪造报文", messages as f64, 0.0),
        Bound::at_most("收端打不开的真帧", deaf as f64, 0.0),
        Bound::at_most("被相信的伪造回执与信标", others as f64, 0.0),
        Bound::at_most("过标记的分片，以 2⁻¹⁶ 计", passed, 10.0),
        Bound::at_most("拼不出的长报文占比", lost as f64 / whole.max(1) as f64, 0.002),
    ];
    Some(Part { text, bounds })
}
