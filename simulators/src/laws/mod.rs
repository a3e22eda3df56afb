//! The seven laws, as observers from the outside.
//!
//! They see what was stored, which bytes went to terminals, what terminals and air saw, and what the station told. They
//! never ask the engine. Each keeps only what it needs and looks at one fact at a time, so that they can be checked at
//! every step of every drill.

mod airtime;
mod book;
mod bounded;
mod ends;
mod exercise;
mod heed;
mod kept;
mod life_first;
mod once;

pub use book::{Book, Line, Told, Try};

use crate::terminal::{Act, AirMessage, Tally};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Rung, TerminalId};
use yizhan_engine::bus::journal::{self, Encode, record::What};
use yizhan_engine::config::Policy;
use yizhan_engine::event::Event;
use yizhan_engine::io::{Offset, Reply, Request, StoredRecord, Ticket};

/// One of the laws of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    AcknowledgedMeansKept = 1,
    Once = 2,
    LifeFirst = 3,
    WithinAirtime = 4,
    NothingVanishes = 5,
    Bounded = 6,
    DrillIsADrill = 7,
}

impl Law {
    /// Every law, in order.
    pub const ALL: [Self; 7] = [
        Self::AcknowledgedMeansKept,
        Self::Once,
        Self::LifeFirst,
        Self::WithinAirtime,
        Self::NothingVanishes,
        Self::Bounded,
        Self::DrillIsADrill,
    ];

    /// The words a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AcknowledgedMeansKept => "回执即已存 acknowledged means kept",
            Self::Once => "只显示一次 once",
            Self::LifeFirst => "生命优先 life first",
            Self::WithinAirtime => "不超频度 within airtime",
            Self::NothingVanishes => "有始有终 nothing vanishes",
            Self::Bounded => "一切有界 bounded",
            Self::DrillIsADrill => "演练即演练 a drill is a drill",
        }
    }
}

/// A law was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub law: Law,
    pub at: Duration,
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at.as_secs();
        let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let law = self.law as u8;
        write!(f, "{hours:02}:{minutes:02}:{seconds:02} law {law} ({}): {}", self.law.label(), self.what)
    }
}

/// A record as the laws read it.
#[derive(Clone, Debug, PartialEq)]
pub struct NotedRecord {
    pub offset: Offset,
    pub at_ms: i64,
    pub what: Option<What>,
}

impl NotedRecord {
    /// Reads a stored record; what cannot be read says nothing.
    #[must_use]
    pub fn read(record: &StoredRecord) -> Self {
        let decoded = journal::Record::decode(record.body.clone()).unwrap_or_default();
        Self { offset: record.offset, at_ms: decoded.at_ms, what: decoded.what }
    }
}

/// One thing that was seen to happen.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// The daemon runs.
    Booted {
        boot: u32,
    },
    /// The daemon could not start from its journal.
    NotBooted {
        why: String,
    },
    /// The daemon is gone. `survivors`: records beyond what the laws knew that the crash left; the last one left.
    Crashed {
        survivors: &'a [NotedRecord],
        through: Offset,
    },
    /// Records are on the disk, beyond the reach of a crash.
    Synced {
        records: &'a [NotedRecord],
        through: Offset,
    },
    /// Somebody asked the station for something.
    Asked {
        ticket: Ticket,
        request: &'a Request,
    },
    Replied {
        ticket: Ticket,
        reply: &'a Reply,
    },
    Told(&'a Event),
    /// Bytes were given to a link.
    Given {
        link: &'a LinkId,
        bytes: &'a Bytes,
    },
    /// The last byte of what a terminal says about this message has come to the station.
    Handed {
        link: &'a LinkId,
        message: &'a AirMessage,
        boot: u32,
    },
    /// A terminal on a link of the station has taken this up from the air.
    TakenUp {
        message: &'a AirMessage,
    },
    /// A message left an antenna: of a terminal on a link of the station, or in the field.
    Radiated {
        link: Option<&'a LinkId>,
        message: &'a AirMessage,
    },
    /// A person in the field sees this.
    Shown {
        terminal: &'a str,
        from: &'a TerminalId,
        text: &'a str,
    },
    /// The counters of a terminal on a link changed.
    Counted {
        link: &'a LinkId,
        tally: Tally,
    },
    /// A person or fate did something to a terminal.
    Done {
        terminal: &'a str,
        act: &'a Act,
    },
    /// The drill and every life in it are over.
    Over,
}

/// What the laws have to know of the station's ways.
#[derive(Clone, Debug)]
pub struct Ground {
    pub policy: Policy,
    pub links: BTreeMap<LinkId, Standing>,
    /// Terminals of the field, and the links over which the station reaches each.
    pub serving: BTreeMap<String, Vec<LinkId>>,
}

/// A link of the station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whether what its terminal hears bears a number of its own.
    pub numbers: bool,
    /// Whether bytes for it can be told to be a message's.
    pub reads_bytes: bool,
    /// The highest rung that its radio can prove by itself.
    pub proves: Rung,
}

impl Ground {
    /// The links over which this terminal is reached.
    fn serving(&self, terminal: &str) -> &[LinkId] {
        self.serving.get(terminal).map_or(&[], Vec::as_slice)
    }

    /// Whether what this terminal sends bears a number of its own. Without one, what comes twice are two messages.
    fn numbers_messages(&self, terminal: &str) -> bool {
        let numbers = |link: &LinkId| self.links.get(link).is_some_and(|standing| standing.numbers);
        self.serving(terminal).iter().any(numbers)
    }

    /// Whether bytes for this link can be told to be a message's. Elsewhere the laws wait for the transmission.
    fn reads_bytes(&self, link: &LinkId) -> bool {
        self.links.get(link).is_some_and(|standing| standing.reads_bytes)
    }
}

/// All seven, and the book that they share.
#[derive(Clone, Debug)]
pub struct Laws {
    ground: Ground,
    pub book: Book,
    kept: kept::Kept,
    once: once::Once,
    life_first: life_first::LifeFirst,
    airtime: airtime::Airtime,
    ends: ends::Ends,
    heed: heed::Heed,
    bounded: bounded::Bounded,
    exercise: exercise::Exercise,
    violations: Vec<Violation>,
}

/// Violations kept; a broken law repeats itself.
const VIOLATIONS_MAX: usize = 100;

/// What an observer sees besides the fact.
pub(crate) struct View<'a> {
    pub at: Duration,
    pub ground: &'a Ground,
    /// What is kept, this fact included.
    pub book: &'a Book,
    found: Vec<(Law, String)>,
}

impl View<'_> {
    pub fn broken(&mut self, law: Law, what: String) {
        self.found.push((law, what));
    }
}

impl Laws {
    #[must_use]
    pub fn new(ground: Ground) -> Self {
        Self {
            ground,
            book: Book::default(),
            kept: kept::Kept::default(),
            once: once::Once::default(),
            life_first: life_first::LifeFirst::default(),
            airtime: airtime::Airtime::default(),
            ends: ends::Ends::default(),
            heed: heed::Heed::default(),
            bounded: bounded::Bounded::default(),
            exercise: exercise::Exercise::default(),
            violations: Vec::new(),
        }
    }

    /// The last record that no crash can take away.
    #[must_use]
    pub const fn synced(&self) -> Offset {
        self.book.synced
    }

    /// What was broken so far.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Looks at one fact.
    pub fn observe(&mut self, at: Duration, fact: &Fact<'_>) {
        self.book.observe(at, fact);
        let mut view = View { at, ground: &self.ground, book: &self.book, found: Vec::new() };
        if let Fact::NotBooted { why } = fact {
            view.broken(Law::AcknowledgedMeansKept, format!("the station cannot start from its journal: {why}"));
        }
        self.kept.observe(&mut view, fact);
        self.once.observe(&mut view, fact);
        self.life_first.observe(&mut view, fact);
        self.airtime.observe(&mut view, fact);
        self.ends.observe(&mut view, fact);
        self.heed.observe(&mut view, fact);
        self.bounded.observe(&mut view, fact);
        self.exercise.observe(&mut view, fact);
        let room = VIOLATIONS_MAX.saturating_sub(self.violations.len());
        self.violations.extend(view.found.into_iter().take(room).map(|(law, what)| Violation { law, at, what }));
    }
}
