//! Two cards, a busy day and a sender who floods: how long whom the order of sending lets wait.

pub mod order;
pub mod shipped;
pub mod workload;

use super::channel::{Channel, Fade};
use super::sample::{Sample, share};
use super::seed;
use super::table::{Bound, Grid, Part, Scale, figure, percent};
use crate::queue::Queue;
use crate::seed::Seed;
use order::{Order, Ours, Plain, Rule};
use shipped::Shipped;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use workload::{Arrival, FLOODER, Workload};
use yizhan_codecs::message::Precedence;
use yizhan_engine::outbox::ladder::Matter;
use yizhan_engine::stream::Gathering;
use yizhan_engine::time::Instant;

/// A frame is this long on its way.
const FLIGHT: Duration = Duration::from_secs(2);

/// How often a message comes in, in the mean.
const INCOMING_EVERY: Duration = Duration::from_secs(120);

/// A day on the air.
#[derive(Clone, Copy, Debug)]
pub struct Air {
    pub cards: u16,
    pub slot: Duration,
    /// Frames and receipts of 1000 that are lost in the mean: what the sender reckons with.
    pub loss: u32,
    /// Losses that come and go, step by slot; `None` = every frame is lost by itself.
    pub fade: Option<Fade>,
}

/// What became of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// When the far side had it.
    pub arrived: Option<Duration>,
    /// Its life was over before that; a FLASH alarmed.
    pub lapsed: bool,
    pub refused: bool,
    pub replaced: bool,
    pub sends: u32,
}

#[derive(Debug)]
enum Next {
    Arrival(usize),
    Look,
    /// A frame reaches the far side.
    Land(usize),
    /// The far side's card is free: what it owes for a message goes out.
    Answer(usize),
    /// A message comes in and wants a receipt.
    Incoming(u64),
}

/// A day as it runs.
struct Day<'a> {
    air: Air,
    channel: Channel,
    stepped: Duration,
    /// When the last message is handed in.
    end: Duration,
    arrivals: &'a [Arrival],
    order: &'a mut dyn Order,
    queue: Queue<Next>,
    chance: Seed,
    gathering: Vec<Gathering>,
    answering: Vec<bool>,
    fates: Vec<Fate>,
}

/// Plays a day.
pub fn play(air: Air, arrivals: &[Arrival], order: &mut dyn Order, chance: Seed) -> Vec<Fate> {
    let gathering = |arrival: &Arrival| Gathering::new(arrival.rows, air.loss, arrival.precedence == Precedence::Flash);
    let mut chance = chance;
    let channel = air.fade.map_or(Channel::Even { loss: air.loss }, |fade| fade.begin(&mut chance));
    let mut day = Day {
        air,
        channel,
        stepped: Duration::ZERO,
        end: arrivals.last().map_or(Duration::ZERO, |arrival| arrival.at),
        arrivals,
        order,
        queue: Queue::default(),
        chance,
        gathering: arrivals.iter().map(gathering).collect(),
        answering: vec![false; arrivals.len()],
        fates: vec![Fate::default(); arrivals.len()],
    };
    for (index, arrival) in arrivals.iter().enumerate() {
        day.queue.put(arrival.at, Next::Arrival(index));
    }
    let mut at = Duration::ZERO;
    let mut nth = 0;
    while at < day.end {
        at += day.chance.time_between(Duration::ZERO, INCOMING_EVERY * 2);
        nth += 1;
        day.queue.put(at, Next::Incoming(nth));
    }
    day.run();
    day.fates
}

impl Day<'_> {
    fn run(&mut self) {
        let mut look_at = None;
        while let Some((at, next)) = self.queue.take() {
            let now = Instant::default().after(at);
            while self.stepped + self.air.slot <= at {
                self.stepped += self.air.slot;
                self.channel.step(&mut self.chance);
            }
            match next {
                Next::Arrival(index) => self.submit(now, index),
                Next::Look => look_at = None,
                Next::Land(index) => self.land(at, index),
                Next::Answer(index) => self.answer(now, at, index),
                Next::Incoming(nth) => self.order.owe(now, nth),
            }
            // What happens in one moment happens together: a report that comes as the older one ends replaces it.
            if self.queue.next_at() == Some(at) {
                continue;
            }
            for index in self.order.lapse(now) {
                // Nothing replaces a position after the day's last one: that is no fault of the order.
                let last = self.arrivals[index].matter == Matter::Position && at >= self.end;
                self.fates[index].lapsed |= self.fates[index].arrived.is_none() && !last;
            }
            while let Some(frame) = self.order.send(now) {
                self.fly(at, &frame);
            }
            let look =
                self.order.next_look(now).map(|look| Duration::from_micros(look.0).max(at + Duration::from_millis(1)));
            if let Some(look) = look.filter(|look| look_at.is_none_or(|held| *look < held)) {
                look_at = Some(look);
                self.queue.put(look, Next::Look);
            }
        }
    }

    fn submit(&mut self, now: Instant, index: usize) {
        self.fates[index].refused = !self.order.submit(now, index, &self.arrivals[index]);
        for older in self.order.replaced() {
            self.fates[older].replaced = true;
        }
    }

    /// A frame goes out; positions in it share its luck.
    fn fly(&mut self, at: Duration, frame: &[usize]) {
        let passes = self.channel.passes(&mut self.chance);
        for index in frame {
            self.fates[*index].sends += 1;
            if passes {
                self.queue.put(at + FLIGHT, Next::Land(*index));
            }
        }
    }

    /// The far side's slots, counted for one message.
    fn slot(&self, at: Duration) -> u64 {
        let slot = self.air.slot.as_millis().max(1);
        u64::try_from(at.as_millis() / slot).unwrap_or(u64::MAX)
    }

    fn land(&mut self, at: Duration, index: usize) {
        let slot = self.slot(at);
        let gathering = &mut self.gathering[index];
        gathering.heard(slot, true);
        if gathering.is_complete() && self.fates[index].arrived.is_none() {
            self.fates[index].arrived = Some(at);
        }
        if self.arrivals[index].matter != Matter::Position && !self.answering[index] {
            self.answering[index] = true;
            let wait = self.chance.time_between(Duration::ZERO, self.air.slot);
            self.queue.put(at + wait, Next::Answer(index));
        }
    }

    fn answer(&mut self, now: Instant, at: Duration, index: usize) {
        let slot = self.slot(at);
        let gathering = &mut self.gathering[index];
        if let Some(said) = gathering.due(slot) {
            gathering.said(slot);
            if self.channel.passes(&mut self.chance) {
                self.order.heard(now, index, said);
            }
        }
        let gathering = &self.gathering[index];
        // An incomplete message is asked for again and again, within its life.
        let asks = !gathering.is_complete() && at < self.arrivals[index].at + Duration::from_secs(6 * 3_600);
        self.answering[index] = gathering.due(slot + 1).is_some() || asks;
        if self.answering[index] {
            self.queue.put(at + self.air.slot, Next::Answer(index));
        }
    }
}

/// Waiting times of one class of messages, in milliseconds, and what became of those that did not arrive.
#[derive(Clone, Debug, Default)]
pub struct Waits {
    pub waits: Sample,
    pub all: u64,
    pub lapsed: u64,
    pub refused: u64,
}

/// What a day came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub flash: Waits,
    pub immediate: Waits,
    /// PRIORITY of all but the flooder.
    pub priority: Waits,
    pub flooder: Waits,
    pub routine: Waits,
    pub positions: Waits,
    /// Age of the last known position of each unit, looked at every minute, in milliseconds.
    pub age: Sample,
}

impl Waits {
    fn put(&mut self, arrival: &Arrival, fate: &Fate) {
        self.all += 1;
        self.lapsed += u64::from(fate.lapsed);
        self.refused += u64::from(fate.refused);
        if let Some(at) = fate.arrived {
            self.waits.put(u64::try_from(at.saturating_sub(arrival.at).as_millis()).unwrap_or(u64::MAX));
        }
    }
}

impl Outcome {
    /// Adds a day.
    pub fn add(&mut self, arrivals: &[Arrival], fates: &[Fate]) {
        for (arrival, fate) in arrivals.iter().zip(fates) {
            let class = match (arrival.precedence, arrival.matter) {
                (_, Matter::Position) => &mut self.positions,
                (Precedence::Flash, _) => &mut self.flash,
                (Precedence::Immediate, _) => &mut self.immediate,
                (Precedence::Priority, _) if arrival.by == FLOODER => &mut self.flooder,
                (Precedence::Priority, _) => &mut self.priority,
                (Precedence::Routine, _) => &mut self.routine,
            };
            class.put(arrival, fate);
        }
        self.ages(arrivals, fates);
    }

    fn ages(&mut self, arrivals: &[Arrival], fates: &[Fate]) {
        let minute = Duration::from_secs(60);
        let end = arrivals.last().map_or(Duration::ZERO, |arrival| arrival.at);
        let mut units: BTreeMap<u32, Vec<(Duration, Duration)>> = BTreeMap::new();
        for (arrival, fate) in arrivals.iter().zip(fates).filter(|(arrival, _)| arrival.matter == Matter::Position) {
            let fixes = units.entry(arrival.by).or_default();
            fixes.extend(fate.arrived.map(|at| (at, arrival.at)));
        }
        for mut fixes in units.into_values() {
            fixes.sort_unstable();
            let (mut next, mut fix) = (0, Duration::ZERO);
            let mut now = Duration::ZERO;
            while now < end {
                while let Some((_, of)) = fixes.get(next).filter(|(at, _)| *at <= now) {
                    fix = fix.max(*of);
                    next += 1;
                }
                // The first hours only fill the queues.
                if now >= minute * 120 {
                    self.age.put(u64::try_from((now - fix).as_millis()).unwrap_or(u64::MAX));
                }
                now += minute;
            }
        }
    }
}

/// The air of the section: two cards of a minute, one frame in twenty lost.
const AIR: Air = Air { cards: 2, slot: Duration::from_secs(60), loss: 50, fade: None };

/// Who decides what goes out.
#[derive(Clone, Copy, Debug)]
enum Who {
    Plain(Rule),
    Ladder,
    /// The whole engine, as it runs at a station.
    Engine,
}

/// All days of a workload.
#[derive(Debug, Default)]
struct Days {
    outcome: Outcome,
    /// What receipts waited, and frames that carried nothing else.
    receipts: Sample,
    frames: u64,
    /// Frames and messages of the engine that were not as the day says.
    misfits: u64,
}

/// One order over all days of a workload; of ours also what receipts waited.
fn days(workload: Workload, name: &str, days: u64, who: Who) -> Days {
    let mut all = Days::default();
    for day in 0..days {
        let seed = seed(&format!("scheduler {name} {day}"));
        let arrivals = workload.arrivals(&seed.stream("work"));
        let air = seed.stream("air");
        let fates = match who {
            Who::Plain(rule) => play(AIR, &arrivals, &mut Plain::new(rule, AIR.cards, AIR.slot, AIR.loss), air),
            Who::Ladder => {
                let mut order = Ours::new(AIR.cards, AIR.slot, AIR.loss);
                let fates = play(AIR, &arrivals, &mut order, air);
                all.receipts.take(&order.receipts);
                all.frames += order.receipt_frames;
                fates
            }
            Who::Engine => {
                let Some(mut order) = Shipped::new(AIR.cards, AIR.slot, workload.units) else {
                    all.misfits += 1;
                    continue;
                };
                let fates = play(AIR, &arrivals, &mut order, air);
                all.receipts.take(&order.receipts);
                all.frames += order.receipt_frames;
                all.misfits += order.misfits;
                fates
            }
        };
        all.outcome.add(&arrivals, &fates);
    }
    all
}

/// The section of the table.
#[must_use]
pub fn part(scale: Scale) -> Part {
    let runs = if scale == Scale::Quick { 1 } else { 6 };
    let mut part = Part::default();
    let loads = [
        ("甲 负荷 0.9", Workload::reporting(900), 900),
        ("甲 负荷 1.3", Workload::reporting(1_300), 1_300),
        ("乙 负荷 0.9", Workload::crowded(900), 900),
        ("乙 负荷 1.3", Workload::crowded(1_300), 1_300),
    ];
    for (name, workload, load) in loads {
        let mut grid = grid();
        for (order, rule) in [("先到先发", Rule::Fifo), ("最早期限", Rule::Deadline), ("严格优先", Rule::Strict)]
        {
            line(&mut grid, order, &days(workload, name, runs, Who::Plain(rule)).outcome);
        }
        let wanted = Wanted::at(load);
        let mut receipts = String::new();
        for (order, who) in [("本站规则", Who::Ladder), ("本站程序", Who::Engine)] {
            let ours = days(workload, name, runs, who);
            line(&mut grid, order, &ours.outcome);
            let waited = minutes(ours.receipts.quantile(950));
            let (all, frames) = (ours.receipts.len(), ours.frames);
            let _ = writeln!(receipts, "  {order}：回执 {all} 个，p95 等 {waited} 分，其中单独成帧 {frames} 帧");
            bounds(&format!("{name} {order}"), &ours.outcome, &wanted, &mut part.bounds);
            part.bounds.push(Bound::at_most(format!("调度 {name} {order} 不合的帧"), ours.misfits as f64, 0.0));
        }
        grid.row(wanted.cells());
        let _ = writeln!(part.text, "{name}，{runs} 天\n{}\n{receipts}", grid.print());
    }
    part
}

/// The numbers to beat.
struct Wanted {
    /// Minutes, 95 of 100: FLASH, IMMEDIATE, PRIORITY of all but the flooder.
    flash: f64,
    immediate: f64,
    priority: f64,
    /// Minutes, mean age of positions.
    age: f64,
}

impl Wanted {
    const fn at(load: u32) -> Self {
        if load > 1_000 {
            Self { flash: 1.1, immediate: 4.8, priority: 60.0, age: 28.0 }
        } else {
            Self { flash: 1.0, immediate: 3.2, priority: 19.0, age: 28.0 }
        }
    }

    fn cells(&self) -> Vec<String> {
        let most = |value: f64| format!("≤{}", figure(value, 1));
        let none = || String::from("0");
        let free = || String::from("-");
        vec![
            "要求".into(),
            most(self.flash),
            none(),
            most(self.immediate),
            free(),
            most(self.priority),
            free(),
            free(),
            free(),
            free(),
            free(),
            none(),
            most(self.age),
        ]
    }
}

fn bounds(name: &str, ours: &Outcome, wanted: &Wanted, bounds: &mut Vec<Bound>) {
    let p95 = |waits: &Waits| waits.waits.quantile(950) as f64 / 60_000.0;
    let what = |of: &str| format!("调度 {name} {of}");
    bounds.push(Bound::at_most(what("特提 p95"), p95(&ours.flash), wanted.flash));
    bounds.push(Bound::at_most(what("特提过期"), ours.flash.lapsed as f64, 0.0));
    bounds.push(Bound::at_most(what("特急 p95"), p95(&ours.immediate), wanted.immediate));
    bounds.push(Bound::at_most(what("他人加急 p95"), p95(&ours.priority), wanted.priority));
    bounds.push(Bound::at_most(what("位置过期"), ours.positions.lapsed as f64, 0.0));
    bounds.push(Bound::at_most(what("平均位置龄"), ours.age.mean() / 60_000.0, wanted.age));
}

fn grid() -> Grid {
    Grid::new(&[
        "次序",
        "特提p95",
        "特提过期",
        "特急p95",
        "特急过期",
        "他人加急p95",
        "过期",
        "刷屏p95",
        "刷屏退回",
        "平急p95",
        "平急过期",
        "位置过期",
        "平均位置龄",
    ])
}

/// Milliseconds in minutes.
fn minutes(millis: u64) -> String {
    figure(millis as f64 / 60_000.0, 1)
}

fn line(grid: &mut Grid, name: &str, outcome: &Outcome) {
    let p95 = |waits: &Waits| minutes(waits.waits.quantile(950));
    let lapsed = |waits: &Waits| percent(share(waits.lapsed, waits.all), 1);
    grid.row([
        name.to_owned(),
        p95(&outcome.flash),
        lapsed(&outcome.flash),
        p95(&outcome.immediate),
        lapsed(&outcome.immediate),
        p95(&outcome.priority),
        lapsed(&outcome.priority),
        p95(&outcome.flooder),
        percent(share(outcome.flooder.refused, outcome.flooder.all), 1),
        p95(&outcome.routine),
        lapsed(&outcome.routine),
        lapsed(&outcome.positions),
        figure(outcome.age.mean() / 60_000.0, 1),
    ]);
}
