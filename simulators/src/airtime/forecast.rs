//! Forecasts told at hand-in and at every repair, over a set of drills, scored by what came of them.

use super::channel::{Fade, GORGE};
use super::sample::{Sample, share};
use super::scheduler::order::{Frame, Order, Ours};
use super::scheduler::workload::{Arrival, Workload};
use super::scheduler::{Air, Fate, play};
use super::seed;
use super::table::{Bound, Grid, Part, Scale, figure, percent};
use crate::seed::Seed;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::forecast::{Basis, Calibration, Evidence, Forecast, Window, forecast};
use yizhan_engine::outbox::ladder::{Entry, Matter};
use yizhan_engine::stream::Said;
use yizhan_engine::time::Instant;

const FLIGHT: Duration = Duration::from_secs(2);

/// The ladder with a forecast for every text.
#[derive(Debug)]
pub struct Foretelling {
    ours: Ours,
    air: Air,
    by: BTreeMap<usize, u32>,
    link: Evidence,
    experience: Calibration,
    /// What was told, when, and for which text.
    pub told: Vec<Told>,
    /// When a text was last sent, and what was told of it first.
    last: BTreeMap<usize, (Instant, Option<usize>)>,
}

/// One forecast as it was told.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    pub index: usize,
    pub at: Instant,
    pub rows: u8,
    /// Told when a repair went out, rather than at hand-in.
    pub live: bool,
    pub forecast: Forecast,
}

impl Foretelling {
    /// `experience` is what earlier days have taught.
    #[must_use]
    pub fn new(air: Air, experience: Calibration) -> Self {
        let ours = Ours::new(air.cards, air.slot, air.loss);
        let (by, last) = (BTreeMap::new(), BTreeMap::new());
        Self { ours, air, by, link: Evidence::default(), experience, told: Vec::new(), last }
    }

    /// What this day has taught on top.
    #[must_use]
    pub fn into_experience(self) -> Calibration {
        self.experience
    }

    fn tell(&mut self, now: Instant, index: usize, live: bool) -> Option<usize> {
        let id = self.ours.id(index)?;
        let entry: &Entry = self.ours.ladder.entry(id)?;
        let basis = Basis {
            precedence: entry.precedence,
            wanted: entry.stream.wanted(),
            out: entry.stream.out(),
            loss: self.air.loss,
            ahead: self.ours.ladder.ahead(now, entry.by, entry.precedence, entry.stream.wanted(), Some(id)),
            waits: entry.waits(now),
            life: entry.life(now),
            in_flight: live,
            silent: self.link.is_silent(now, self.air.slot),
        };
        let forecast = forecast(&basis, &self.experience);
        self.told.push(Told { index, at: now, rows: entry.stream.rows(), live, forecast });
        Some(self.told.len() - 1)
    }

    /// A row of a text went out.
    fn row_sent(&mut self, now: Instant, index: usize) {
        let Some(id) = self.ours.id(index) else { return };
        let Some(entry) = self.ours.ladder.entry(id) else { return };
        let (answers, repair) =
            (!entry.stream.is_certainly_wanted(), entry.stream.sends() > u32::from(entry.stream.rows()));
        if answers {
            self.link.sent(now);
        }
        if let Some(last) = self.last.get_mut(&index) {
            last.0 = now;
        }
        if repair {
            self.tell(now, index, true);
        }
    }
}

impl Order for Foretelling {
    fn submit(&mut self, now: Instant, index: usize, arrival: &Arrival) -> bool {
        let taken = self.ours.submit(now, index, arrival);
        if taken && arrival.matter != Matter::Position {
            self.by.insert(index, arrival.by);
            let told = self.tell(now, index, false);
            self.last.insert(index, (now, told));
        }
        taken
    }

    fn send(&mut self, now: Instant) -> Option<Frame> {
        let frame = self.ours.send(now)?;
        if let [index] = frame[..] {
            self.row_sent(now, index);
        }
        Some(frame)
    }

    fn heard(&mut self, now: Instant, index: usize, said: Said) {
        self.link.heard();
        self.ours.heard(now, index, said);
        if said != Said::Complete {
            return;
        }
        // The sender does not see the arrival: it reckons with the last send before the receipt.
        let Some((sent, Some(told))) = self.last.remove(&index) else { return };
        let Some(Told { at, forecast: Forecast::Window(window), .. }) = self.told.get(told).copied() else { return };
        self.experience.learn(&window, sent.after(FLIGHT).since(at));
    }

    fn lapse(&mut self, now: Instant) -> Vec<usize> {
        self.ours.lapse(now)
    }

    fn replaced(&mut self) -> Vec<usize> {
        self.ours.replaced()
    }

    fn next_look(&self, now: Instant) -> Option<Instant> {
        self.ours.next_look(now)
    }

    fn owe(&mut self, now: Instant, nth: u64) {
        self.ours.owe(now, nth);
    }
}

/// One drill of the set.
#[derive(Clone, Copy, Debug)]
pub struct Drill {
    pub name: &'static str,
    pub workload: Workload,
    pub loss: u32,
    pub fade: Option<Fade>,
}

/// Forecasts and what came of them.
#[derive(Clone, Debug, Default)]
pub struct Score {
    pub told: u64,
    pub unknown: u64,
    /// Told a window, and arrived.
    pub arrived: u64,
    pub inside_early: u64,
    pub inside_late: u64,
    /// Milliseconds.
    pub width: Sample,
    pub late: Sample,
    /// Waits, and slots times period, of the same forecasts: what a naive window is made of.
    pub naive: Vec<(u64, u64)>,
}

impl Score {
    fn put(&mut self, air: Air, told: &Told, window: &Window, took: Duration) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.arrived += 1;
        self.inside_early += u64::from(took <= window.early);
        self.inside_late += u64::from(took <= window.late);
        self.width.put(millis(window.late - window.early));
        self.late.put(millis(window.late));
        let slots = window.slots_ahead + u32::from(told.rows);
        self.naive.push((millis(took), millis(air.slot * slots / u32::from(air.cards))));
    }

    /// Adds what another has.
    pub fn take(&mut self, other: &Self) {
        self.told += other.told;
        self.unknown += other.unknown;
        self.arrived += other.arrived;
        self.inside_early += other.inside_early;
        self.inside_late += other.inside_late;
        self.width.take(&other.width);
        self.late.take(&other.late);
        self.naive.extend(&other.naive);
    }

    /// Width and end of the naive window: two factors on slots times period, chosen in hindsight to cover as much as ours.
    #[must_use]
    pub fn naive_window(&self) -> (f64, f64) {
        let mut ratios = Sample::default();
        let mut slots = Sample::default();
        for (took, reckoned) in &self.naive {
            ratios.put(took * 1_000 / (*reckoned).max(1));
            slots.put(*reckoned);
        }
        let factor = |inside: u64| ratios.quantile(inside * 1_000 / self.arrived.max(1)) as f64 / 1_000.0;
        let (early, late) = (factor(self.inside_early), factor(self.inside_late));
        ((late - early) * slots.mean(), late * slots.mean())
    }
}

/// Plays a drill and scores its forecasts, those at hand-in and those at repairs.
pub fn score(
    drill: &Drill,
    seed: &Seed,
    experience: &mut Calibration,
    scores: &mut BTreeMap<(bool, Precedence), Score>,
) {
    let arrivals = drill.workload.arrivals(&seed.stream("work"));
    let air = Air { cards: 2, slot: Duration::from_secs(60), loss: drill.loss, fade: drill.fade };
    let mut order = Foretelling::new(air, std::mem::take(experience));
    let fates = play(air, &arrivals, &mut order, seed.stream("air"));
    for told in &order.told {
        let fate: &Fate = &fates[told.index];
        let score = scores.entry((told.live, arrivals[told.index].precedence)).or_default();
        score.told += 1;
        match (told.forecast, fate.arrived) {
            (Forecast::Unknown { .. }, _) => score.unknown += 1,
            (Forecast::Window(window), Some(arrived)) => {
                let took = arrived.saturating_sub(Duration::from_micros(told.at.0));
                score.put(air, told, &window, took);
            }
            (Forecast::Window(_), None) => {}
        }
    }
    *experience = order.into_experience();
}

/// The set: quiet, busy and flooded days, even losses and a gorge.
fn drills() -> Vec<Drill> {
    let even = |name, workload, loss| Drill { name, workload, loss, fade: None };
    vec![
        even("平静日 负荷 0.3", Workload::quiet(), 50),
        even("寻常日 负荷 0.6", Workload::ordinary(), 50),
        even("甲 负荷 0.9", Workload::reporting(900), 50),
        even("甲 负荷 1.3", Workload::reporting(1_300), 50),
        even("乙 负荷 0.9", Workload::crowded(900), 50),
        even("乙 负荷 1.3", Workload::crowded(1_300), 50),
        even("寻常日 丢失 20 %", Workload::ordinary(), 200),
        even("平静日 丢失 40 %", Workload::quiet(), 400),
        Drill { name: "平静日 峡谷", workload: Workload::quiet(), loss: GORGE.mean_loss(), fade: Some(GORGE) },
    ]
}

/// The section of the table.
#[must_use]
pub fn part(scale: Scale) -> Part {
    let (days, drills) = match scale {
        Scale::Quick => (1, drills().into_iter().step_by(2).collect()),
        Scale::Full => (5, drills()),
    };
    let mut part = Part::default();
    let mut by_precedence: BTreeMap<(bool, Precedence), Score> = BTreeMap::new();
    let mut grid = grid("演练");
    for drill in drills {
        let mut scores = BTreeMap::new();
        let mut experience = Calibration::default();
        // The first day only teaches: a station that was set up this morning knows nothing of its own traffic.
        for day in 0..=days {
            if day == 1 {
                scores.clear();
            }
            score(&drill, &seed(&format!("forecast {} {day}", drill.name)), &mut experience, &mut scores);
        }
        for (key, found) in &scores {
            by_precedence.entry(*key).or_default().take(found);
        }
        line(
            &mut grid,
            drill.name,
            &scores.iter().filter(|(key, _)| !key.0).map(|(_, found)| found).collect::<Vec<_>>(),
        );
    }
    let _ = writeln!(part.text, "交报时所报，每场 {days} 天（此前另有一天只供学习）\n{}", grid.print());
    totals(&by_precedence, &mut part);
    part
}

/// The whole set by precedence, at hand-in and at repairs, and the bounds.
fn totals(by_precedence: &BTreeMap<(bool, Precedence), Score>, part: &mut Part) {
    let mut grid = grid("全部演练");
    for (live, when) in [(false, "交报时"), (true, "补发时")] {
        let mut all = Vec::new();
        for precedence in Precedence::ALL {
            let Some(found) = by_precedence.get(&(live, precedence)) else { continue };
            line(&mut grid, &format!("{when} {}", precedence.label()), &[found]);
            all.push(found);
        }
        let whole = line(&mut grid, &format!("{when} 合计"), &all);
        part.bounds.push(Bound::between(format!("预报 {when} 九成界内"), whole.cover, (0.85, 0.95)));
        part.bounds.push(Bound::at_most(
            format!("预报 {when} 窗宽与同覆盖朴素窗之比"),
            whole.width / whole.naive_width,
            1.0,
        ));
    }
    let _ = writeln!(part.text, "{}", grid.print());
}

fn grid(of: &str) -> Grid {
    Grid::new(&[of, "报出", "报未知", "五成界内", "九成界内", "平均九成界", "平均窗宽", "朴素九成界", "朴素窗宽"])
}

/// One line of the table, in shares and milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    cover: f64,
    width: f64,
    naive_width: f64,
}

/// Prints the scores of several precedences as one. The naive window covers as much as ours in each of them: covering all
/// short waits and few of the long ones would be cheap, and no use to anybody.
fn line(grid: &mut Grid, name: &str, scores: &[&Score]) -> Line {
    let sum = |of: fn(&Score) -> u64| scores.iter().map(|score| of(score)).sum::<u64>();
    let arrived = sum(|score| score.arrived);
    let mean =
        |of: &dyn Fn(&Score) -> f64| scores.iter().map(|score| of(score) * share(score.arrived, arrived)).sum::<f64>();
    let minutes = |millis: f64| format!("{} 分", figure(millis / 60_000.0, 1));
    let found = Line {
        cover: share(sum(|score| score.inside_late), arrived),
        width: mean(&|score| score.width.mean()),
        naive_width: mean(&|score| score.naive_window().0),
    };
    grid.row([
        name.to_owned(),
        sum(|score| score.told).to_string(),
        sum(|score| score.unknown).to_string(),
        percent(share(sum(|score| score.inside_early), arrived), 1),
        percent(found.cover, 1),
        minutes(mean(&|score| score.late.mean())),
        minutes(found.width),
        minutes(mean(&|score| score.naive_window().1)),
        minutes(found.naive_width),
    ]);
    found
}
