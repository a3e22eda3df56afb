//! Whom a message goes to, what a plain text means, and what is relayed. Pure functions over the state and the roster.

mod answer;
mod text;

pub(crate) use answer::{answer_target, answer_word, mistyped_id};
pub(crate) use text::{brings_sos, call_among, is_sos, numbered_part, relayed_id, render, split, without_own_id};

use crate::coverage::Reached;
use crate::io::{Recipient, Refusal};
use crate::people::{Enrolled, Group, Person, Roster, StationEntry};
use std::collections::BTreeSet;
use yizhan_codecs::message::{Bearer, StationId, TerminalId};

/// One delivery to be made: a person or a station with their terminals, or an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    /// The id of the person or station in the roster.
    pub person: Option<String>,
    pub terminals: Vec<TerminalId>,
    pub group: bool,
    /// The station, where it is one: what goes there is packed and sealed.
    pub station: Option<StationId>,
}

/// The deliveries that a recipient stands for. `reached` is what the links of this station reach.
pub(crate) fn resolve(roster: &Roster, recipient: &Recipient, reached: &Reached) -> Result<Vec<Target>, Refusal> {
    match recipient {
        Recipient::Terminal(number) => {
            let terminal: TerminalId =
                number.parse().map_err(|_| Refusal::UnknownRecipient { name: number.clone() })?;
            if !reached.has(&terminal) {
                return Err(Refusal::NoTerminal { name: number.clone() });
            }
            let station = roster.station_at(&terminal);
            let holder = roster.holder(&terminal).map(|person| person.id.clone());
            Ok(vec![Target {
                person: holder.or_else(|| station.map(|station| station.id.clone())),
                station: station.and_then(StationEntry::station),
                terminals: vec![terminal],
                group: false,
            }])
        }
        Recipient::Person(who) => {
            if roster.person(who).is_none() && roster.station(who).is_some_and(|entry| reached.is_me(entry.station())) {
                return Err(Refusal::ThisStation { name: who.clone() });
            }
            let person = roster.person(who).map(|person| to_person(person, reached));
            let target = person.or_else(|| roster.station(who).map(|station| to_station(station, reached)));
            let target = target.ok_or_else(|| Refusal::UnknownRecipient { name: who.clone() })?;
            Ok(vec![target.ok_or_else(|| Refusal::NoTerminal { name: who.clone() })?])
        }
        Recipient::Group(which) => {
            let group = roster.group(which).ok_or_else(|| Refusal::UnknownRecipient { name: which.clone() })?;
            let targets = to_group(roster, group, reached, None);
            if targets.is_empty() { Err(Refusal::NoTerminal { name: which.clone() }) } else { Ok(targets) }
        }
    }
}

/// The deliveries that carry a relayed message: every group of the relay table, each person and number once, and not
/// back to the person it came from.
pub(crate) fn relay_targets(roster: &Roster, groups: &[&Group], reached: &Reached, from: &TerminalId) -> Vec<Target> {
    let holder = roster.holder(from).map(|person| person.id.as_str());
    let sender = holder.or_else(|| roster.station_at(from).map(|station| station.id.as_str()));
    let mut targets: Vec<Target> = Vec::new();
    for group in groups {
        for target in to_group(roster, group, reached, sender) {
            if !targets.contains(&target) && !target.terminals.contains(from) {
                targets.push(target);
            }
        }
    }
    targets
}

fn to_person(person: &Person, reached: &Reached) -> Option<Target> {
    let terminals = within_reach(&person.terminals, reached)?;
    Some(Target { person: Some(person.id.clone()), terminals, ..Target::default() })
}

/// Everything to a station takes this way, so that it knows the message by its number. Stations may share a roster, so this
/// one may be in it too.
pub(crate) fn to_station(station: &StationEntry, reached: &Reached) -> Option<Target> {
    if reached.is_me(station.station()) {
        return None;
    }
    let terminals = within_reach(&station.terminals, reached)?;
    Some(Target { person: Some(station.id.clone()), terminals, group: false, station: station.station() })
}

fn within_reach(terminals: &[Enrolled], reached: &Reached) -> Option<Vec<TerminalId>> {
    let within: Vec<_> = terminals.iter().map(|t| t.0.clone()).filter(|t| reached.has(t)).collect();
    (!within.is_empty()).then_some(within)
}

/// A group's own numbers first; members only where no number of the group covers a bearer of theirs.
fn to_group(roster: &Roster, group: &Group, reached: &Reached, except: Option<&str>) -> Vec<Target> {
    let numbers: Vec<TerminalId> = group.numbers.iter().map(|n| n.0.clone()).filter(|n| reached.has(n)).collect();
    let covered: BTreeSet<Bearer> = numbers.iter().map(|number| number.bearer).collect();
    let to_number = |number: TerminalId| Target { terminals: vec![number], group: true, ..Target::default() };
    let mut targets: Vec<Target> = numbers.into_iter().map(to_number).collect();
    let stations = group.members.iter().filter_map(|id| roster.stations.iter().find(|station| station.id == *id));
    targets.extend(stations.filter(|s| except != Some(s.id.as_str())).filter_map(|s| to_station(s, reached)));
    for id in &group.members {
        let Some(person) = roster.people.iter().find(|p| p.id == *id) else { continue };
        let hears_number = covered.iter().any(|bearer| person.on(*bearer));
        if !hears_number && except != Some(person.id.as_str()) {
            targets.extend(to_person(person, reached));
        }
    }
    targets
}
