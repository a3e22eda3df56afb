//! Two bearers to one station, both fading: what a message costs and whether it arrives.
//!
//! A slow, dear satellite card and a fast, cheap mesh radio that is out of reach half of the time. Cost is counted in
//! slots of the card.

use super::channel::{Channel, Fade};
use super::sample::{Sample, share};
use super::seed;
use super::table::{Bound, Grid, Part, Scale, figure, percent};
use crate::queue::Queue;
use crate::seed::Seed;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::outbox::bearer::{WayNo, Ways};
use yizhan_engine::outbox::ladder::Rules;
use yizhan_engine::stream::{REVIVES_AFTER, Stream};
use yizhan_engine::time::Instant;

pub const BEIDOU: WayNo = 0;
pub const MESH: WayNo = 1;

/// The card's slot: what waits and costs are counted in.
const SLOT: Duration = Duration::from_secs(60);
/// Steps of the fading.
const STEP: Duration = Duration::from_secs(10);
/// What the sender reckons with when it sizes the burst of a message, of 1000.
const LOSS: u32 = 50;

/// One bearer of the world.
#[derive(Clone, Copy, Debug)]
pub struct Bearing {
    pub period: Duration,
    /// One way through the air.
    pub flight: Duration,
    /// Until the far side can answer, at most.
    pub answers_within: Duration,
    /// Thousandths of a card's slot that a send costs.
    pub cost: u64,
    pub fade: Fade,
}

/// Chosen so that the two baselines come to what was measured for them: 1.48 slots with the card alone and one message in
/// a thousand lost, 1.30 on both always.
pub const WORLD: [Bearing; 2] = [
    Bearing {
        period: SLOT,
        flight: Duration::from_secs(2),
        answers_within: Duration::from_secs(60),
        cost: 1_000,
        fade: Fade { loss: [50, 900], lasts: [760, 94] },
    },
    Bearing {
        period: Duration::from_secs(2),
        flight: Duration::from_secs(2),
        answers_within: Duration::from_secs(2),
        cost: 100,
        fade: Fade { loss: [50, 900], lasts: [110, 80] },
    },
];

/// How a try chooses its bearers.
pub trait Choice {
    fn choose(&mut self, now: Instant, attempt: u32, precedence: Precedence, before: &[WayNo]) -> Vec<WayNo>;
    fn count(&mut self, way: WayNo, answered: bool);
    /// Whether a sign of life of a way calls for what waits, and how that goes out.
    fn revives(&self) -> bool;
    fn revive(&mut self, now: Instant, precedence: Precedence, works: WayNo) -> Vec<WayNo>;
}

impl Choice for Ways {
    fn choose(&mut self, now: Instant, attempt: u32, precedence: Precedence, before: &[WayNo]) -> Vec<WayNo> {
        Self::choose(self, now, attempt, precedence, before)
    }

    fn count(&mut self, way: WayNo, answered: bool) {
        Self::count(self, way, answered);
    }

    fn revives(&self) -> bool {
        true
    }

    fn revive(&mut self, now: Instant, precedence: Precedence, works: WayNo) -> Vec<WayNo> {
        Self::revive(self, now, precedence, works)
    }
}

/// Always the same bearers.
#[derive(Clone, Debug)]
pub struct Always(pub Vec<WayNo>);

impl Choice for Always {
    fn choose(&mut self, _: Instant, _: u32, _: Precedence, _: &[WayNo]) -> Vec<WayNo> {
        self.0.clone()
    }

    fn count(&mut self, _: WayNo, _: bool) {}

    fn revives(&self) -> bool {
        false
    }

    fn revive(&mut self, _: Instant, _: Precedence, _: WayNo) -> Vec<WayNo> {
        self.0.clone()
    }
}

/// The engine's choice between the two.
#[must_use]
pub fn ours() -> Ways {
    let mut ways = Ways::default();
    for (number, bearing) in (0..).zip(WORLD) {
        ways.learn(number, bearing.period);
    }
    ways
}

/// How long a message is tried: what its precedence grants, and after the alarm a FLASH goes on as IMMEDIATE.
fn life(precedence: Precedence) -> Duration {
    let life = Rules::default().life;
    let more = if precedence == Precedence::Flash { life.immediate } else { Duration::ZERO };
    life.of(precedence) + more
}

#[derive(Clone, Copy, Debug)]
enum Next {
    Attempt(usize),
    /// A copy is heard on a way.
    Land(usize, WayNo),
    /// Our card hears the answer to a send.
    Answer(usize, WayNo),
    /// No answer came within the time it may take.
    Silence(usize, WayNo),
}

#[derive(Clone, Debug)]
struct Message {
    at: Duration,
    precedence: Precedence,
    /// Gaps between its tries.
    stream: Stream,
    before: Vec<WayNo>,
    /// Next try, while it waits after a burst in vain.
    waits_until: Option<Duration>,
    tried_at: Duration,
    /// A way that was heard to work meanwhile.
    revived: Option<WayNo>,
    /// Sends whose answer may still come.
    open: Vec<WayNo>,
    arrived: Option<Duration>,
    known: bool,
    cost: u64,
}

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Thousandths of a card's slot, one value a message.
    pub cost: Sample,
    /// Milliseconds until a FLASH arrived.
    pub flash: Sample,
    /// The same for all others.
    pub other: Sample,
    pub lost: u64,
    pub messages: u64,
}

struct World<'a> {
    choice: &'a mut dyn Choice,
    queue: Queue<Next>,
    chance: Seed,
    air: Vec<Channel>,
    stepped: Duration,
    free_at: Vec<Duration>,
    messages: Vec<Message>,
    /// Those that wait after a burst in vain.
    waiting: BTreeSet<usize>,
}

/// Hands in `count` messages, one every four minutes in the mean, one in twenty of them FLASH.
pub fn run(count: usize, seed: &Seed, choice: &mut dyn Choice) -> Outcome {
    let mut arrivals = seed.stream("arrivals");
    let mut chance = seed.stream("air");
    let mut at = Duration::ZERO;
    let message = |_| {
        at += Duration::from_millis(arrivals.between(0, 480_000));
        let precedence = match arrivals.below(20) {
            0 => Precedence::Flash,
            1..=4 => Precedence::Immediate,
            5..=10 => Precedence::Priority,
            _ => Precedence::Routine,
        };
        Message {
            at,
            precedence,
            stream: Stream::new(1, LOSS),
            before: Vec::new(),
            waits_until: None,
            tried_at: at,
            revived: None,
            open: Vec::new(),
            arrived: None,
            known: false,
            cost: 0,
        }
    };
    let messages: Vec<Message> = (0..count).map(message).collect();
    let air = WORLD.iter().map(|bearing| bearing.fade.begin(&mut chance)).collect();
    let free_at = vec![Duration::ZERO; WORLD.len()];
    let queue = Queue::default();
    let mut world =
        World { choice, queue, chance, air, stepped: Duration::ZERO, free_at, messages, waiting: BTreeSet::new() };
    world.run();
    outcome(&world.messages)
}

fn outcome(messages: &[Message]) -> Outcome {
    let mut outcome = Outcome::default();
    for message in messages {
        outcome.messages += 1;
        outcome.cost.put(message.cost);
        let Some(arrived) = message.arrived else {
            outcome.lost += 1;
            continue;
        };
        let took = u64::try_from((arrived - message.at).as_millis()).unwrap_or(u64::MAX);
        if message.precedence == Precedence::Flash { outcome.flash.put(took) } else { outcome.other.put(took) }
    }
    outcome
}

impl World<'_> {
    fn run(&mut self) {
        for (index, message) in self.messages.iter().enumerate() {
            self.queue.put(message.at, Next::Attempt(index));
        }
        while let Some((at, next)) = self.queue.take() {
            while self.stepped + STEP <= at {
                self.stepped += STEP;
                for air in &mut self.air {
                    air.step(&mut self.chance);
                }
            }
            match next {
                Next::Attempt(index) => self.attempt(at, index),
                Next::Land(index, way) => self.land(at, index, way),
                Next::Answer(index, way) => self.answer(at, index, way),
                Next::Silence(index, way) => self.silence(at, index, way),
            }
        }
    }

    fn attempt(&mut self, at: Duration, index: usize) {
        let message = &mut self.messages[index];
        let early = message.waits_until.is_some_and(|until| at < until);
        if message.known || early || at >= message.at + life(message.precedence) {
            return;
        }
        message.waits_until = None;
        self.waiting.remove(&index);
        message.tried_at = at;
        message.stream.sent(0);
        let now = Instant::default().after(at);
        let chosen = match message.revived.take() {
            Some(way) => self.choice.revive(now, message.precedence, way),
            None => self.choice.choose(now, message.stream.sends(), message.precedence, &message.before),
        };
        message.before.clone_from(&chosen);
        for way in chosen {
            self.send(at, index, way);
        }
    }

    fn send(&mut self, at: Duration, index: usize, way: WayNo) {
        let place = usize::from(way);
        let bearing = WORLD[place];
        let at = at.max(self.free_at[place]);
        self.free_at[place] = at + bearing.period;
        let message = &mut self.messages[index];
        message.cost += bearing.cost;
        message.open.push(way);
        if self.air[place].passes(&mut self.chance) {
            self.queue.put(at + bearing.flight, Next::Land(index, way));
        }
        let patience = bearing.flight * 2 + bearing.answers_within;
        self.queue.put(at + patience, Next::Silence(index, way));
    }

    /// A copy arrives; every copy is answered on the way it came.
    fn land(&mut self, at: Duration, index: usize, way: WayNo) {
        let bearing = WORLD[usize::from(way)];
        let message = &mut self.messages[index];
        message.arrived = message.arrived.or(Some(at));
        let wait = self.chance.time_between(Duration::ZERO, bearing.answers_within);
        if self.air[usize::from(way)].passes(&mut self.chance) {
            self.queue
                .put(at + wait.saturating_sub(Duration::from_millis(1)) + bearing.flight, Next::Answer(index, way));
        }
    }

    fn answer(&mut self, at: Duration, index: usize, way: WayNo) {
        let message = &mut self.messages[index];
        let Some(place) = message.open.iter().position(|open| *open == way) else { return };
        message.open.remove(place);
        message.known = true;
        message.waits_until = None;
        self.waiting.remove(&index);
        self.choice.count(way, true);
        self.works(at, way);
    }

    /// A way was heard to work: what waits after a burst in vain goes out on it.
    fn works(&mut self, at: Duration, way: WayNo) {
        if !self.choice.revives() {
            return;
        }
        for index in self.waiting.clone() {
            let message = &mut self.messages[index];
            let sooner = at.max(message.tried_at + SLOT * REVIVES_AFTER);
            if message.waits_until.is_some_and(|until| sooner < until) {
                message.stream.revive(0);
                message.waits_until = Some(sooner);
                message.revived = Some(way);
                self.queue.put(sooner, Next::Attempt(index));
            }
        }
    }

    fn silence(&mut self, at: Duration, index: usize, way: WayNo) {
        let message = &mut self.messages[index];
        let Some(place) = message.open.iter().position(|open| *open == way) else { return };
        message.open.remove(place);
        self.choice.count(way, false);
        if message.open.is_empty() && !message.known {
            // A burst goes on at once: the silence was its slot. After it the stream waits longer and longer.
            let slots = message.stream.due().unwrap_or(0).saturating_sub(1);
            let until = at + SLOT * u32::try_from(slots).unwrap_or(u32::MAX);
            message.waits_until = Some(until);
            self.waiting.insert(index);
            self.queue.put(until, Next::Attempt(index));
        }
    }
}

/// The section of the table.
#[must_use]
pub fn part(scale: Scale) -> Part {
    let count = if scale == Scale::Quick { 20_000 } else { 200_000 };
    let mut part = Part::default();
    let mut grid = Grid::new(&["方案", "每条时隙当量", "未达", "特提p50", "特提p95", "其余p50", "其余p95"]);
    let mut schemes: [(&str, Box<dyn Choice>); 4] = [
        ("只用北斗", Box::new(Always(vec![BEIDOU]))),
        ("只用自组网", Box::new(Always(vec![MESH]))),
        ("总是两路", Box::new(Always(vec![BEIDOU, MESH]))),
        ("择路（本站）", Box::new(ours())),
    ];
    for (name, choice) in &mut schemes {
        let found = run(count, &seed("bearers"), choice.as_mut());
        let seconds = |sample: &Sample, permille: u64| format!("{:.0} s", sample.quantile(permille) as f64 / 1_000.0);
        let cost = found.cost.mean() / 1_000.0;
        grid.row([
            (*name).to_owned(),
            figure(cost, 3),
            percent(share(found.lost, found.messages), 4),
            seconds(&found.flash, 500),
            seconds(&found.flash, 950),
            seconds(&found.other, 500),
            seconds(&found.other, 950),
        ]);
        if choice.revives() {
            part.bounds.push(Bound::at_most("两条链路 每条时隙当量", cost, 0.81));
            part.bounds.push(Bound::at_most("两条链路 未达条数", found.lost as f64, 0.0));
            part.bounds.push(Bound::at_most(
                "两条链路 特提 p50（秒）",
                found.flash.quantile(500) as f64 / 1_000.0,
                2.0,
            ));
        }
    }
    grid.row(["要求", "≤0.81", "0", "2 s", "-", "-", "-"].map(String::from));
    let [_, mesh] = WORLD;
    let _ = writeln!(
        part.text,
        "{count} 条报文，自组网一发计 {:.2} 个北斗时隙\n{}",
        mesh.cost as f64 / 1_000.0,
        grid.print()
    );
    part
}
