//! What became of a drill, for people: messages, rungs, ends, times, airtime, and which laws were broken.

use crate::laws::{Book, Law, Line, Told, Violation};
use crate::scenario::Scenario;
use crate::terminal::Tally;
use crate::world::World;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::time::Duration;
use yizhan_codecs::message::Precedence;

/// The figures of one drill.
#[derive(Clone, Debug)]
pub struct Report {
    pub scenario: String,
    pub title: String,
    pub seed: u64,
    pub lasted: Duration,
    pub steps: u64,
    pub boots: u32,
    pub records: u64,
    /// A hash of everything that happened: the same scenario and seed give the same.
    pub log_hash: u64,
    /// Messages of the field that the station has shown.
    pub heard: usize,
    /// Messages that people at the station, or rules, have sent.
    pub sent: usize,
    pub by_precedence: BTreeMap<Precedence, Figures>,
    pub links: BTreeMap<String, (Tally, Duration)>,
    pub violations: Vec<Violation>,
}

/// Deliveries of one precedence.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    pub deliveries: usize,
    /// By the highest rung proven.
    pub rungs: BTreeMap<&'static str, usize>,
    /// By the word of the end; `未结束` where there is none.
    pub ends: BTreeMap<String, usize>,
    /// From being routed to its bytes being given to a link.
    pub first_given: Vec<Duration>,
    /// From being routed to evidence of arrival.
    pub arrived: Vec<Duration>,
    pub attempts: usize,
}

impl Report {
    pub(super) fn of(scenario: &Scenario, seed: u64, world: &World) -> Self {
        let book = &world.laws.book;
        let mut by_precedence: BTreeMap<Precedence, Figures> = BTreeMap::new();
        for (id, message) in &book.messages {
            let figures = by_precedence.entry(original(message)).or_default();
            for (number, line) in (0_u32..).zip(&message.lines) {
                figures.add(book, *id, number, line);
            }
        }
        let links = world
            .tallies()
            .filter_map(|(_, link, tally)| {
                Some((link?.name().to_owned(), (tally, airtime(scenario, link?.name(), tally))))
            })
            .collect();
        let heard = book.messages.values().filter(|message| message.is_heard()).count();
        Self {
            scenario: scenario.name.clone(),
            title: scenario.title.clone(),
            seed,
            lasted: world.now(),
            steps: world.steps(),
            boots: world.station().boots(),
            records: book.synced.0,
            log_hash: world.log_hash(),
            heard,
            sent: book.messages.len() - heard,
            by_precedence,
            links,
            violations: world.laws.violations().to_vec(),
        }
    }

    /// Whether every law was kept.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.violations.is_empty()
    }
}

/// The precedence that a message was given; a FLASH that outlived its life goes on at IMMEDIATE.
const fn original(message: &Told) -> Precedence {
    if message.downgraded { Precedence::Flash } else { message.precedence }
}

/// How long a card's slots were taken.
fn airtime(scenario: &Scenario, link: &str, tally: Tally) -> Duration {
    let period = scenario.links.iter().find(|spec| spec.name == link).map_or(0.0, |spec| spec.period_s);
    let slots = u32::try_from(tally.sent).unwrap_or(u32::MAX);
    Duration::try_from_secs_f64(period).unwrap_or_default().saturating_mul(slots)
}

impl Figures {
    fn add(&mut self, book: &Book, id: u64, number: u32, line: &Line) {
        self.deliveries += 1;
        *self.rungs.entry(line.rung.label()).or_default() += 1;
        let end = line.end.as_deref().map_or("未结束", end_label);
        *self.ends.entry(end.to_owned()).or_default() += 1;
        self.arrived.extend(line.arrived_at.map(|at| at.saturating_sub(line.routed_at)));
        let mut tries = book.attempts.values().filter(|attempt| (attempt.id, attempt.delivery) == (id, number));
        self.attempts += tries.clone().count();
        self.first_given.extend(tries.find_map(|attempt| attempt.given_at).map(|at| at.saturating_sub(line.routed_at)));
    }
}

fn end_label(name: &str) -> &str {
    match name {
        "delivered" => "已送达",
        "read" => "已读",
        "answered" => "已答复",
        "unknown" => "未知",
        "expired" => "过期",
        "cancelled" => "撤销",
        "superseded" => "被更新",
        "refused" => "拒绝",
        other => other,
    }
}

/// Half and nineteen of twenty, in seconds; `-` where there is nothing.
fn quantiles(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |permille: usize| {
        let index = (sorted.len().saturating_sub(1)) * permille / 1_000;
        sorted.get(index).map_or_else(|| "-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
    };
    format!("{} / {}", at(500), at(950))
}

fn counts<'a>(counts: impl Iterator<Item = (&'a str, &'a usize)>) -> String {
    let mut text = String::new();
    for (name, count) in counts {
        let _ = write!(text, "{}{name} {count}", if text.is_empty() { "" } else { " · " });
    }
    text
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.lasted.as_secs() / 60;
        writeln!(f, "# 演练报告 Drill report: {}", self.title)?;
        writeln!(f)?;
        writeln!(f, "场景 scenario {} · 种子 seed {} · 虚拟时间 {minutes} min", self.scenario, self.seed)?;
        writeln!(f, "步数 steps {} · 启动 starts {} · 记录 records {}", self.steps, self.boots, self.records)?;
        writeln!(f, "事件指纹 log {:016x}", self.log_hash)?;
        writeln!(f, "收到 heard {} · 发出 sent {}", self.heard, self.sent)?;
        for precedence in Precedence::ALL {
            let Some(figures) = self.by_precedence.get(&precedence).filter(|figures| figures.deliveries > 0) else {
                continue;
            };
            writeln!(f)?;
            writeln!(f, "## {} {precedence}: {} 份 deliveries", precedence.label(), figures.deliveries)?;
            writeln!(f, "- 证明 proven: {}", counts(figures.rungs.iter().map(|(name, count)| (*name, count))))?;
            writeln!(f, "- 结局 ends: {}", counts(figures.ends.iter().map(|(name, count)| (name.as_str(), count))))?;
            writeln!(f, "- 首次交终端 first given (50 / 95 %): {}", quantiles(&figures.first_given))?;
            writeln!(f, "- 证实到达 arrival proven (50 / 95 %): {}", quantiles(&figures.arrived))?;
            writeln!(f, "- 发送次数 attempts: {}", figures.attempts)?;
        }
        writeln!(f)?;
        writeln!(f, "## 链路 links")?;
        for (link, (tally, airtime)) in &self.links {
            writeln!(
                f,
                "- {link}: 命令 ordered {} · 发射 sent {} · 过早 too early {} · 过长 too long {} · 拒绝 refused {} · \
                 收 received {} · 占用 slots {} min",
                tally.ordered,
                tally.sent,
                tally.sent_too_early,
                tally.too_long,
                tally.refused,
                tally.received,
                airtime.as_secs() / 60
            )?;
        }
        writeln!(f)?;
        if self.holds() {
            return writeln!(f, "## 七条规矩全部守住 All seven laws held");
        }
        writeln!(f, "## 违反 {} 处 violations", self.violations.len())?;
        for law in Law::ALL {
            for violation in self.violations.iter().filter(|violation| violation.law == law) {
                writeln!(f, "- {violation}")?;
            }
        }
        writeln!(f, "重放 replay: yizhan-drill run {} --seed {}", self.scenario, self.seed)
    }
}
