//! The timeline: one line for each thing that happened, readable by whoever comes in at 02:10.

use crate::live::Stopwatch;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Whose line it is; each has its own mark and, where the screen has it, its own colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// People and terminals out there.
    Field,
    /// The station under rehearsal: what its journal shows.
    Station,
    /// The duty officer at the command post.
    Officer,
    /// What breaks: plugs, power.
    Fate,
    /// A word of explanation.
    Note,
    /// A promise that was not kept.
    Broken,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Station => "station",
            Self::Officer => "officer",
            Self::Fate => "fate",
            Self::Note => "note",
            Self::Broken => "broken",
        }
    }

    const fn who(self) -> &'static str {
        match self {
            Self::Field => "现场",
            Self::Station => "本站",
            Self::Officer => "值班员",
            Self::Fate => "意外",
            Self::Note => "",
            Self::Broken => "失信",
        }
    }

    /// ANSI: cyan, green, yellow, magenta, dim, bold red.
    const fn colour(self) -> &'static str {
        match self {
            Self::Field => "\x1b[36m",
            Self::Station => "\x1b[32m",
            Self::Officer => "\x1b[33m",
            Self::Fate => "\x1b[35m",
            Self::Note => "\x1b[2m",
            Self::Broken => "\x1b[1;31m",
        }
    }
}

/// How the timeline is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
    /// One JSON object a line, for programs.
    Json,
}

pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    style: Style,
    watch: Stopwatch,
}

impl<'a> Screen<'a> {
    pub fn new(out: &'a mut dyn Write, style: Style, watch: Stopwatch) -> Self {
        Self { out, style, watch }
    }

    /// One thing that happened now. `facts` are for programs.
    pub fn line(&mut self, side: Side, text: &str, facts: &Value) -> io::Result<()> {
        let elapsed = self.watch.elapsed();
        if self.style == Style::Json {
            let mut event = json!({ "at_ms": elapsed.as_millis(), "side": side.name(), "text": text });
            if let (Some(event), Value::Object(facts)) = (event.as_object_mut(), facts) {
                event.extend(facts.clone());
            }
            writeln!(self.out, "{event}")?;
            return self.out.flush();
        }
        let seconds = elapsed.as_secs_f64();
        let who = padded(side.who(), 6);
        match self.style {
            Style::Coloured => {
                writeln!(self.out, "\x1b[2m{seconds:>6.1}s\x1b[0m  {}{who}  {text}\x1b[0m", side.colour())
            }
            _ => writeln!(self.out, "{seconds:>6.1}s  {who}  {text}"),
        }?;
        self.out.flush()
    }

    /// Begins a chapter.
    pub fn chapter(&mut self, title: &str) -> io::Result<()> {
        let ruler = "─".repeat(66_usize.saturating_sub(width(title)));
        match self.style {
            Style::Json => return self.line(Side::Note, title, &json!({ "chapter": title })),
            Style::Coloured => writeln!(self.out, "\n\x1b[1m── {title} {ruler}\x1b[0m"),
            Style::Plain => writeln!(self.out, "\n── {title} {ruler}"),
        }?;
        self.out.flush()
    }

    /// A line of the summary.
    pub fn total(&mut self, text: &str, facts: &Value) -> io::Result<()> {
        match self.style {
            Style::Json => self.line(Side::Note, text, facts),
            _ => writeln!(self.out, "  {text}"),
        }
    }
}

/// Columns that a text takes: Chinese characters take two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// Filled with spaces up to `columns`.
pub(super) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(style: Style) -> String {
        let mut out = Vec::new();
        let mut screen = Screen::new(&mut out, style, Stopwatch::start());
        screen.line(Side::Officer, "回复李雷", &json!({"id": "0102X"})).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn chinese_counts_two_columns_so_that_lines_stand_under_each_other() {
        assert_eq!(width("北斗 ok"), 7);
        assert_eq!(width(&padded("现场", 6)), width(&padded("值班员", 6)));
    }

    #[test]
    fn colour_and_json_are_only_where_they_were_asked_for() {
        assert!(!shown(Style::Plain).contains('\x1b'));
        assert!(shown(Style::Coloured).contains("\x1b[33m"));
        let event: Value = serde_json::from_str(&shown(Style::Json)).unwrap();
        assert_eq!((&event["side"], &event["id"]), (&json!("officer"), &json!("0102X")));
    }
}
