//! The table: sections one after another, each with its bounds, and at the end what was not met.

use super::{bearers, contents, delivery, forecast, forgery, scheduler};
use std::fmt::Write;

/// How long a table may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Seconds: what tests hold on to.
    Quick,
    /// A minute or so: the figures that are quoted.
    Full,
}

/// One section of the table. To add one, write a function and a line in [`SECTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// What its kept table is called.
    pub name: &'static str,
    /// As the table shows it, with the number of the claim that it is about.
    pub title: &'static str,
    pub part: fn(Scale) -> Part,
}

/// All sections, in the order of the table.
pub const SECTIONS: [Section; 6] = [
    Section {
        name: "contents", title: "1、2 内容：文字、表单、位置装进一个时隙", part: contents::part
    },
    Section { name: "delivery", title: "3 送达：一条报文，一条有损链路", part: delivery::part },
    Section { name: "scheduler", title: "4 调度：两张卡，有人刷屏", part: scheduler::part },
    Section { name: "bearers", title: "5 两条链路：北斗与自组网，各自时好时坏", part: bearers::part },
    Section { name: "forecast", title: "6 预报：发前与补发时所报的到达时间", part: forecast::part },
    Section {
        name: "forgery", title: "7 伪造：改过的、截断的、重放的、别的网的", part: forgery::part
    },
];

/// What a section found.
#[derive(Clone, Debug, Default)]
pub struct Part {
    pub text: String,
    pub bounds: Vec<Bound>,
}

/// A figure and where it must lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    pub what: String,
    pub found: f64,
    /// From and to, both included.
    pub within: (f64, f64),
}

impl Bound {
    #[must_use]
    pub fn at_most(what: impl Into<String>, found: f64, most: f64) -> Self {
        Self { what: what.into(), found, within: (0.0, most) }
    }

    #[must_use]
    pub fn between(what: impl Into<String>, found: f64, within: (f64, f64)) -> Self {
        Self { what: what.into(), found, within }
    }

    #[must_use]
    pub fn is_met(&self) -> bool {
        self.found >= self.within.0 && self.found <= self.within.1
    }
}

/// The whole table, for people. The same scale gives the same text, byte by byte.
#[must_use]
pub fn table(quick: bool) -> String {
    let scale = if quick { Scale::Quick } else { Scale::Full };
    let mut text = String::from("空口账本：同一种子、同一程序内，本站策略与对照方案并列\n");
    let mut bounds = Vec::new();
    for section in SECTIONS {
        let part = (section.part)(scale);
        let _ = write!(text, "\n{}\n\n{}", section.title, part.text);
        bounds.extend(part.bounds);
    }
    text.push_str(&verdict(&bounds));
    text
}

/// How many bounds were met, and each that was not.
fn verdict(bounds: &[Bound]) -> String {
    let missed: Vec<&Bound> = bounds.iter().filter(|bound| !bound.is_met()).collect();
    let mut text = format!("\n判据 {} 项，未达 {} 项\n", bounds.len(), missed.len());
    for Bound { what, found, within: (low, high) } in missed {
        let _ = writeln!(text, "  未达：{what}：{found:.3}，应在 {low:.3} 至 {high:.3}");
    }
    text
}

/// Rows of cells, printed in columns. Han characters are two columns wide.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    rows: Vec<Vec<String>>,
}

impl Grid {
    #[must_use]
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The first column to the left, the others to the right.
    #[must_use]
    pub fn print(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width =
            |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| columns_of(cell)).max();
        let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (place, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let pad = " ".repeat(width.saturating_sub(columns_of(cell)));
                let _ = if place == 0 { write!(line, "  {cell}{pad}") } else { write!(line, "  {pad}{cell}") };
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Columns of a terminal that a text takes.
fn columns_of(text: &str) -> usize {
    text.chars().map(|c| if c >= '\u{1100}' { 2 } else { 1 }).sum()
}

/// A figure with so many decimals.
#[must_use]
pub fn figure(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

/// A share of one as a percentage.
#[must_use]
pub fn percent(share: f64, decimals: usize) -> String {
    format!("{:.decimals$} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_under_han_characters() {
        let mut grid = Grid::new(&["方案", "n"]);
        grid.row(["ours".into(), "12".into()]);
        assert_eq!(grid.print(), "  方案   n\n  ours  12\n");
    }

    #[test]
    fn a_bound_that_is_not_met_is_named_with_its_figure() {
        let bounds = [Bound::at_most("a", 1.0, 1.0), Bound::between("b", 0.8, (0.85, 0.95))];
        assert_eq!(verdict(&bounds), "\n判据 2 项，未达 1 项\n  未达：b：0.800，应在 0.850 至 0.950\n");
    }
}
