//! Who is who: persons, their terminals, groups, and what is relayed to whom.
//!
//! The roster enters by import into the journal; it is never part of the config. A person is not a card: swapping a
//! card rebinds it here in one step, and history stays with the person.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;
use yizhan_codecs::message::{Bearer, StationId, TerminalId};

/// Everybody the station knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    #[serde(default, rename = "person")]
    pub people: Vec<Person>,
    /// Other stations that run this program. What goes to one of their terminals goes packed and sealed.
    #[serde(default, rename = "station")]
    pub stations: Vec<StationEntry>,
    #[serde(default, rename = "group")]
    pub groups: Vec<Group>,
    /// Which topics are relayed by themselves, and to which groups. Without a rule for `sos`, an SOS goes to every
    /// group; without one for `form`, a report goes where a text goes; nothing else is relayed by itself.
    #[serde(default, rename = "relay")]
    pub relays: Vec<RelayRule>,
}

/// One person and the terminals that reach them, best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Short and stable, e.g. `li-lei`.
    pub id: String,
    /// The name on the screen, e.g. 李雷.
    pub name: String,
    #[serde(default)]
    pub unit: String,
    /// The number under which an outpost tells the command post where they are, 1024..=8191; without one it does not.
    #[serde(default)]
    pub number: Option<u16>,
    #[serde(default)]
    pub terminals: Vec<Enrolled>,
}

/// Another station, and the terminals that reach it, best first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StationEntry {
    /// Short and stable, e.g. `sanhe`.
    pub id: String,
    /// The name on the screen, e.g. 三合乡前指.
    pub name: String,
    /// Its number on the air, 1..=1023.
    pub number: u16,
    pub terminals: Vec<Enrolled>,
}

impl StationEntry {
    /// Its number; `None` outside 1..=1023, which [`Roster::validate`] refuses.
    #[must_use]
    pub fn station(&self) -> Option<StationId> {
        StationId::new(self.number)
    }
}

/// A terminal of the roster, written `beidou:142020`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Enrolled(pub TerminalId);

impl TryFrom<String> for Enrolled {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| {
            format!("terminal {text:?} is not BEARER:NUMBER with a bearer of beidou, satphone, radio370, mesh, ip")
        })
    }
}

impl From<Enrolled> for String {
    fn from(enrolled: Enrolled) -> Self {
        enrolled.0.to_string()
    }
}

/// People, stations, and numbers of the bearers' own groups (a radio group, a Beidou broadcast number).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub id: String,
    pub name: String,
    /// Ids of persons and of stations.
    #[serde(default)]
    pub members: Vec<String>,
    /// Group numbers; one transmission there reaches every member on that bearer.
    #[serde(default)]
    pub numbers: Vec<Enrolled>,
}

/// One row of the relay table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelayRule {
    pub topic: Topic,
    /// Group ids.
    pub groups: Vec<String>,
}

/// What a message is about, as followers and the relay table name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    Sos,
    /// A report of the forms that is no call for help and no answer.
    Form,
    Text,
    Answer,
    Position,
    Data,
}

impl Topic {
    pub const ALL: [Self; 6] = [Self::Sos, Self::Form, Self::Text, Self::Answer, Self::Position, Self::Data];

    /// Machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sos => "sos",
            Self::Form => "form",
            Self::Text => "text",
            Self::Answer => "answer",
            Self::Position => "position",
            Self::Data => "data",
        }
    }
}

/// Why a roster was refused; the old one stays.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RosterError {
    #[error("two entries have the id {id:?}")]
    DuplicateId { id: String },
    #[error("terminal {terminal} is bound to both {first:?} and {second:?}")]
    TerminalBoundTwice { terminal: TerminalId, first: String, second: String },
    #[error("person {id:?} has the number {found}, {} to {} expected", Roster::PERSON_NUMBERS.start(), Roster::PERSON_NUMBERS.end())]
    PersonNumber { id: String, found: u16 },
    #[error("persons {first:?} and {second:?} have the same number {number}")]
    PersonTwice { number: u16, first: String, second: String },
    #[error("station {id:?} has the number {found}, 1 to 1023 expected")]
    StationNumber { id: String, found: u16 },
    #[error("stations {first:?} and {second:?} have the same number {number}")]
    StationTwice { number: u16, first: String, second: String },
    #[error("group {group:?} names {member:?}, who is not in the roster")]
    UnknownMember { group: String, member: String },
    #[error("a relay rule for {topic:?} names {group:?}, which is no group")]
    UnknownGroup { topic: Topic, group: String },
    #[error("{found} entries, at most {max}")]
    TooMany { found: usize, max: usize },
}

impl RosterError {
    /// What is wrong, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        let persons = Roster::PERSON_NUMBERS;
        match self {
            Self::DuplicateId { id } => format!("有两项的 id 都是“{id}”：id 不能重复"),
            Self::TerminalBoundTwice { terminal, first, second } => {
                format!("终端 {terminal} 同时登记给了“{first}”和“{second}”：一个终端只登记一处")
            }
            Self::PersonNumber { id, found } => {
                format!("人员“{id}”的编号是 {found}：应在 {} 到 {} 之间", persons.start(), persons.end())
            }
            Self::PersonTwice { number, first, second } => format!("人员“{first}”和“{second}”的编号都是 {number}"),
            Self::StationNumber { id, found } => {
                format!("站“{id}”的站号是 {found}：应在 1 到 {} 之间", yizhan_codecs::message::StationId::MAX)
            }
            Self::StationTwice { number, first, second } => format!("站“{first}”和“{second}”的站号都是 {number}"),
            Self::UnknownMember { group, member } => format!("组“{group}”的成员“{member}”不在名册里"),
            Self::UnknownGroup { topic, group } => {
                format!("{} 的转发规则写的组“{group}”不在名册里", topic.name())
            }
            Self::TooMany { found, max } => format!("共 {found} 项，最多 {max} 项"),
        }
    }
}

impl Roster {
    /// Bound on people and on groups.
    pub const ENTRIES_MAX: usize = 20_000;
    /// Numbers of persons in frames of positions: those below are stations.
    pub const PERSON_NUMBERS: std::ops::RangeInclusive<u16> = 1_024..=yizhan_codecs::air::position::UNIT_MAX;

    /// Checks everything that one file can get wrong.
    ///
    /// # Errors
    /// The first thing found wrong.
    pub fn validate(&self) -> Result<(), RosterError> {
        let found = self.people.len().max(self.groups.len()).max(self.stations.len());
        if found > Self::ENTRIES_MAX {
            return Err(RosterError::TooMany { found, max: Self::ENTRIES_MAX });
        }
        let mut ids = BTreeSet::new();
        let stations = self.stations.iter().map(|s| &s.id);
        for id in self.people.iter().map(|p| &p.id).chain(self.groups.iter().map(|g| &g.id)).chain(stations) {
            if !ids.insert(id) {
                return Err(RosterError::DuplicateId { id: id.clone() });
            }
        }
        self.check_stations()?;
        self.check_persons()?;
        self.check_terminals()?;
        let known = |id: &String| self.people.iter().any(|p| p.id == *id) || self.stations.iter().any(|s| s.id == *id);
        for group in &self.groups {
            if let Some(member) = group.members.iter().find(|member| !known(member)) {
                return Err(RosterError::UnknownMember { group: group.id.clone(), member: member.clone() });
            }
        }
        for rule in &self.relays {
            if let Some(group) = rule.groups.iter().find(|g| !self.groups.iter().any(|known| known.id == **g)) {
                return Err(RosterError::UnknownGroup { topic: rule.topic, group: group.clone() });
            }
        }
        Ok(())
    }

    fn check_persons(&self) -> Result<(), RosterError> {
        let mut numbers = std::collections::BTreeMap::new();
        for (id, number) in self.people.iter().filter_map(|person| Some((&person.id, person.number?))) {
            if !Self::PERSON_NUMBERS.contains(&number) {
                return Err(RosterError::PersonNumber { id: id.clone(), found: number });
            }
            if let Some(first) = numbers.insert(number, id) {
                return Err(RosterError::PersonTwice { number, first: first.clone(), second: id.clone() });
            }
        }
        Ok(())
    }

    fn check_stations(&self) -> Result<(), RosterError> {
        let mut numbers = std::collections::BTreeMap::new();
        for entry in &self.stations {
            if entry.station().is_none() {
                return Err(RosterError::StationNumber { id: entry.id.clone(), found: entry.number });
            }
            if let Some(first) = numbers.insert(entry.number, &entry.id) {
                let (first, second) = (first.clone(), entry.id.clone());
                return Err(RosterError::StationTwice { number: entry.number, first, second });
            }
        }
        Ok(())
    }

    fn check_terminals(&self) -> Result<(), RosterError> {
        let mut bound = std::collections::BTreeMap::new();
        let people = self.people.iter().map(|person| (&person.id, &person.terminals));
        let stations = self.stations.iter().map(|station| (&station.id, &station.terminals));
        for (id, terminals) in people.chain(stations) {
            for terminal in terminals {
                if let Some(first) = bound.insert(&terminal.0, id) {
                    return Err(RosterError::TerminalBoundTwice {
                        terminal: terminal.0.clone(),
                        first: String::clone(first),
                        second: id.clone(),
                    });
                }
            }
        }
        Ok(())
    }

    /// A person by id, or by name when exactly one has it.
    #[must_use]
    pub fn person(&self, who: &str) -> Option<&Person> {
        if let Some(person) = self.people.iter().find(|p| p.id == who) {
            return Some(person);
        }
        let mut named = self.people.iter().filter(|p| p.name == who);
        named.next().filter(|_| named.next().is_none())
    }

    /// A group by id or name.
    #[must_use]
    pub fn group(&self, which: &str) -> Option<&Group> {
        self.groups.iter().find(|g| g.id == which).or_else(|| self.groups.iter().find(|g| g.name == which))
    }

    /// Whose terminal this is.
    #[must_use]
    pub fn holder(&self, terminal: &TerminalId) -> Option<&Person> {
        self.people.iter().find(|p| p.terminals.iter().any(|t| t.0 == *terminal))
    }

    /// A station by id or name, or as `station:7`.
    #[must_use]
    pub fn station(&self, which: &str) -> Option<&StationEntry> {
        let number = which.strip_prefix("station:").and_then(|number| number.parse().ok());
        let by_name = || self.stations.iter().find(|s| s.name == which);
        self.stations.iter().find(|s| s.id == which || Some(s.number) == number).or_else(by_name)
    }

    /// A station by its number on the air.
    #[must_use]
    pub fn station_number(&self, number: StationId) -> Option<&StationEntry> {
        self.stations.iter().find(|s| s.number == number.number())
    }

    /// The station whose terminal this is.
    #[must_use]
    pub fn station_at(&self, terminal: &TerminalId) -> Option<&StationEntry> {
        self.stations.iter().find(|s| s.terminals.iter().any(|t| t.0 == *terminal))
    }

    /// The groups that a topic is relayed to.
    #[must_use]
    pub fn relay_groups(&self, topic: Topic) -> Vec<&Group> {
        let rules: Vec<_> = self.relays.iter().filter(|rule| rule.topic == topic).collect();
        match topic {
            Topic::Sos if rules.is_empty() => return self.groups.iter().collect(),
            Topic::Form if rules.is_empty() => return self.relay_groups(Topic::Text),
            _ => {}
        }
        self.groups.iter().filter(|g| rules.iter().any(|rule| rule.groups.contains(&g.id))).collect()
    }
}

impl Person {
    /// Whether the person has a terminal on this bearer.
    #[must_use]
    pub fn on(&self, bearer: Bearer) -> bool {
        self.terminals.iter().any(|t| t.0.bearer == bearer)
    }
}
