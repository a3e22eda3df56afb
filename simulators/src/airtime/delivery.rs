//! One message over one lossy link: how many sends, how long, and what is lost.
//!
//! A slot is the period of the sender's card. The far side's receipt falls between two of our slots and is lost as often
//! as a frame. *Time* is the slot in which the far side becomes complete, counted from 1; *sends* are all frames until
//! we know.

pub mod schemes;

use super::channel::{Channel, GORGE};
use super::sample::{Sample, share};
use super::seed;
use super::table::{Bound, Grid, Part, Scale, figure};
use crate::seed::Seed;
use schemes::{Blind, MdsOnDemand, MdsStream, Scheme, SelectiveRepeat, StopAndWait};
use std::fmt::Write;
use yizhan_engine::stream::slots_for;

/// A message's life: six hours of a 60-second card.
const LIFE: u64 = 360;

/// What many runs of one scheme came to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub sends: Sample,
    /// Slots until the far side was complete, where it was.
    pub time: Sample,
    pub receipts: Sample,
    /// Not complete at the end of its life, or of the scheme.
    pub lost: u64,
    /// Of these, those that the sender took for delivered.
    pub silent: u64,
    /// Complete, but the sender does not know at the end of its life.
    pub unknown: u64,
}

/// Runs a scheme many times, each run with a stream of chance of its own.
pub fn run(
    runs: u64,
    seed: &Seed,
    air: &dyn Fn(&mut Seed) -> Channel,
    scheme: &dyn Fn() -> Box<dyn Scheme>,
) -> Outcome {
    let mut outcome = Outcome::default();
    let mut chance = seed.clone();
    for _ in 0..runs {
        let mut air = air(&mut chance);
        one(&mut outcome, &mut chance, &mut air, scheme().as_mut());
    }
    outcome
}

fn one(outcome: &mut Outcome, chance: &mut Seed, air: &mut Channel, scheme: &mut dyn Scheme) {
    let (mut sends, mut receipts, mut there_at) = (0, 0, None);
    for slot in 0..LIFE {
        air.step(chance);
        if let Some(row) = scheme.send(slot) {
            sends += 1;
            if air.passes(chance) {
                scheme.arrive(slot, row);
            }
        }
        if there_at.is_none() && scheme.is_there() {
            there_at = Some(slot + 1);
        }
        if let Some(answer) = scheme.answer(slot) {
            receipts += 1;
            if air.passes(chance) {
                scheme.hear(slot, answer);
            }
        }
        if scheme.is_over() {
            break;
        }
    }
    outcome.sends.put(sends);
    outcome.receipts.put(receipts);
    match there_at {
        Some(time) => outcome.time.put(time),
        None => outcome.lost += 1,
    }
    outcome.silent += u64::from(there_at.is_none() && scheme.is_over());
    outcome.unknown += u64::from(there_at.is_some() && !scheme.is_over());
}

/// Losses of the even channels, of 1000.
const LOSSES: [u32; 3] = [50, 200, 400];

/// The section of the table.
#[must_use]
pub fn part(scale: Scale) -> Part {
    let mut part = Part::default();
    even(scale, &mut part);
    schemes_beside(scale, &mut part);
    gorge(scale, &mut part);
    part
}

/// Ours over memoryless losses, beside the bounds.
fn even(scale: Scale, part: &mut Part) {
    let (runs, rows): (u64, Vec<u8>) = match scale {
        Scale::Quick => (40_000, vec![1, 2, 4, 8, 16]),
        Scale::Full => (100_000, (1..=16).collect()),
    };
    let mut grid =
        Grid::new(&["丢失", "n", "平均发数", "限", "平均用时", "限", "p99.9用时", "MDS界", "p99.9发数", "平均回执"]);
    for loss in LOSSES {
        for rows in &rows {
            let name = format!("even {loss} {rows}");
            let air = |_: &mut Seed| Channel::Even { loss };
            let ours = run(runs, &seed(&name), &air, &|| Box::new(MdsStream::new(*rows, loss, false)));
            let p = f64::from(loss) / 1_000.0;
            let floor = f64::from(*rows) / (1.0 - p);
            let sends_most = 1.05 * floor + p / (1.0 - p);
            let bound = slots_for(*rows, loss, 999);
            grid.row([
                format!("{} %", loss / 10),
                rows.to_string(),
                figure(ours.sends.mean(), 2),
                figure(sends_most, 2),
                figure(ours.time.mean(), 2),
                figure(1.05 * floor, 2),
                ours.time.quantile(999).to_string(),
                bound.to_string(),
                ours.sends.quantile(999).to_string(),
                figure(ours.receipts.mean(), 2),
            ]);
            let what = |of: &str| format!("送达 丢失 {} % n={rows} {of}", loss / 10);
            part.bounds.push(Bound::at_most(what("平均发数"), ours.sends.mean(), sends_most));
            part.bounds.push(Bound::at_most(what("平均用时"), ours.time.mean(), 1.05 * floor));
            let latest = ours.time.quantile(999) as f64;
            part.bounds.push(Bound::at_most(what("p99.9 用时"), latest, f64::from(bound) + 1.0));
            part.bounds.push(Bound::at_most(what("未达"), ours.lost as f64, 0.0));
        }
    }
    let _ = writeln!(part.text, "无记忆信道，回执同样会丢，每格 {runs} 次\n{}", grid.print());
}

type Build = Box<dyn Fn() -> Box<dyn Scheme>>;

/// Eight rows, one in five lost: all schemes on the same chance.
fn schemes_beside(scale: Scale, part: &mut Part) {
    let runs = if scale == Scale::Quick { 10_000 } else { 100_000 };
    let schemes: [(&str, Build); 4] = [
        ("停等", Box::new(|| Box::new(StopAndWait::new(8)))),
        ("选择重发", Box::new(|| Box::new(SelectiveRepeat::new(8)))),
        ("MDS 按需补", Box::new(|| Box::new(MdsOnDemand::new(8)))),
        ("MDS 连发（本站）", Box::new(|| Box::new(MdsStream::new(8, 200, false)))),
    ];
    let mut grid = Grid::new(&["方案", "平均发数", "p99.9", "平均用时", "p99.9", "平均回执"]);
    for (name, scheme) in schemes {
        let air = |_: &mut Seed| Channel::Even { loss: 200 };
        let found = run(runs, &seed("schemes"), &air, &*scheme);
        grid.row([
            name.to_owned(),
            figure(found.sends.mean(), 1),
            found.sends.quantile(999).to_string(),
            figure(found.time.mean(), 1),
            found.time.quantile(999).to_string(),
            figure(found.receipts.mean(), 1),
        ]);
    }
    let _ = writeln!(part.text, "n=8，丢失 20 %，{runs} 次\n{}", grid.print());
}

/// The gorge: what is lost, and what is lost without the sender knowing.
fn gorge(scale: Scale, part: &mut Part) {
    let runs = if scale == Scale::Quick { 10_000 } else { 100_000 };
    let loss = GORGE.mean_loss();
    let mut grid = Grid::new(&["方案", "n", "平均发数", "p99.9", "平均用时", "p99.9", "未达", "不知未达", "已达不知"]);
    for rows in [1, 8] {
        let schemes: [(&str, Build); 6] = [
            ("盲发 8 遍", Box::new(move || Box::new(Blind::new(rows, 8)))),
            ("盲发 10 遍", Box::new(move || Box::new(Blind::new(rows, 10)))),
            ("停等", Box::new(move || Box::new(StopAndWait::new(rows)))),
            ("选择重发", Box::new(move || Box::new(SelectiveRepeat::new(rows)))),
            ("MDS 按需补", Box::new(move || Box::new(MdsOnDemand::new(rows)))),
            ("MDS 连发（本站）", Box::new(move || Box::new(MdsStream::new(rows, loss, false)))),
        ];
        let last = schemes.len() - 1;
        for (place, (name, scheme)) in schemes.into_iter().enumerate() {
            let found = run(runs, &seed("gorge"), &|chance: &mut Seed| GORGE.begin(chance), &*scheme);
            let of_runs = |count: u64| format!("{:.3} %", share(count, runs) * 100.0);
            grid.row([
                name.to_owned(),
                rows.to_string(),
                figure(found.sends.mean(), 1),
                found.sends.quantile(999).to_string(),
                figure(found.time.mean(), 1),
                found.time.quantile(999).to_string(),
                of_runs(found.lost),
                of_runs(found.silent),
                of_runs(found.unknown),
            ]);
            if place == last {
                part.bounds.push(Bound::at_most(format!("峡谷 n={rows} 不知未达"), found.silent as f64, 0.0));
                part.bounds.push(Bound::at_most(format!("峡谷 n={rows} 未达"), found.lost as f64, 0.0));
            }
        }
    }
    let _ =
        writeln!(part.text, "峡谷信道：平均丢失 40 %，成串 15 个时隙，寿命 {LIFE} 个时隙，{runs} 次\n{}", grid.print());
}
