//! From a scenario and a seed to a world.

use super::{AnswerSpec, LinkSpec, PersonSpec, Scenario, ScenarioError, TrafficSpec, WeatherSpec, What};
use crate::air::{Air, Weather};
use crate::laws::{Ground, Laws, Standing};
use crate::seed::Seed;
use crate::terminal::handset::{Answering, Habits, Handset};
use crate::terminal::kinds::{KINDS, Kind, Wiring, Wish};
use crate::terminal::{Act, Terminal};
use crate::world::{Action, Link, Sending, WallClock, World};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use yizhan_codecs::air::form::Area;
use yizhan_codecs::codec::{Profile, Value};
use yizhan_codecs::device;
use yizhan_codecs::message::{Addressee, Bearer, LinkId, Position, StationId, TerminalId, Utc};
use yizhan_engine::config::{EngineConfig, LinkConfig, PerPrecedence, Policy, Reach};
use yizhan_engine::io::Recipient;
use yizhan_engine::people::{Enrolled, Group, Person, Roster};

/// Every drill begins at this wall time: 2026-07-10 12:00:00 UTC.
const START: Utc = Utc(1_783_684_800_000);

impl Scenario {
    /// The world before its first step.
    ///
    /// # Errors
    /// [`ScenarioError`] for a name or number that means nothing.
    pub fn world(&self, seed: u64) -> Result<World, ScenarioError> {
        let seed = Seed::new(seed).stream(&self.name);
        let config = self.config()?;
        let people = self.everybody();
        let ground = self.ground(config.policy.clone(), &people)?;
        let clock = WallClock { start: START, trusted_from: self.clock_trusted_from_min.map(minutes) };
        let mut world = World::new(config, self.air(&seed)?, clock, Laws::new(ground), &seed);
        for link in &self.links {
            let (port, terminal, net) = plug(link, &seed)?;
            world.plug_in(port, terminal, net);
        }
        for person in &people {
            for terminal in &person.terminals {
                let own: TerminalId = terminal.parse().map_err(|_| unknown_terminal(terminal))?;
                // Without a link it is in a net of its own: nobody hears it.
                let net = self.serving(&own)?.first().map_or(Ok(""), |link| net_of(link))?;
                let handset = self.handset(person, own, &seed)?;
                world.put_afield(terminal, Box::new(handset), net);
            }
        }
        world.confirm_after(self.confirm_after_s.map(seconds));
        world.set_script(self.script(&people, &seed)?);
        Ok(world)
    }

    /// When people stop acting.
    #[must_use]
    pub fn duration(&self) -> Duration {
        minutes(self.minutes)
    }

    /// When every life is over.
    #[must_use]
    pub fn end(&self) -> Duration {
        minutes(self.minutes + self.settle_minutes)
    }

    fn config(&self) -> Result<EngineConfig, ScenarioError> {
        let station = StationId::new(self.station).ok_or(ScenarioError::Range { what: "station" })?;
        let change = &self.policy;
        let mut policy = Policy::default();
        policy.outbox_max = change.outbox_max.unwrap_or(policy.outbox_max);
        policy.flash_reserved = change.flash_reserved.unwrap_or(policy.flash_reserved);
        policy.sender_share = change.sender_share.unwrap_or(policy.sender_share);
        if let Some([flash, immediate, priority, routine]) = change.life_min.map(|m| m.map(minutes_whole)) {
            policy.life = PerPrecedence { flash, immediate, priority, routine };
        }
        if let Some([flash, immediate, priority, routine]) = change.copies {
            policy.copies = PerPrecedence { flash, immediate, priority, routine };
        }
        let mut links = Vec::new();
        for link in &self.links {
            links.push(LinkConfig {
                id: LinkId::new(&link.name),
                device: link.device.clone(),
                profile: profile(link)?,
                reach: reach(link)?,
                period: None,
                capacity_bits: None,
                guard: seconds(link.guard_s),
            });
        }
        Ok(EngineConfig { station, links, policy, nets: Vec::new(), area: Area::default() })
    }

    fn air(&self, seed: &Seed) -> Result<Air, ScenarioError> {
        let mut air = Air::new(seed);
        for bearer in [Bearer::Beidou, Bearer::Radio370, Bearer::Satphone, Bearer::Mesh] {
            air.weather.insert(bearer, Weather::typical(bearer));
        }
        for (name, spec) in &self.air {
            let bearer = Bearer::from_name(name).ok_or_else(|| unknown_bearer(name))?;
            air.weather.insert(bearer, weather(bearer, spec)?);
        }
        Ok(air)
    }

    /// Persons and crowds, one by one.
    fn everybody(&self) -> Vec<PersonSpec> {
        let mut people = self.people.clone();
        for crowd in &self.crowds {
            for n in 0..crowd.count {
                let number = crowd.first + n;
                people.push(PersonSpec {
                    id: format!("{}-{}", crowd.id, n + 1),
                    name: format!("{}{}", crowd.name, n + 1),
                    unit: crowd.name.clone(),
                    terminals: crowd.bearers.iter().map(|bearer| format!("{bearer}:{number}")).collect(),
                    period_s: crowd.period_s,
                    answers: crowd.answers.clone(),
                    names_number: crowd.names_number,
                    at: Some([28.2 + f64::from(n) / 100.0, 112.9]),
                });
            }
        }
        people
    }

    fn handset(&self, person: &PersonSpec, own: TerminalId, seed: &Seed) -> Result<Handset, ScenarioError> {
        let command_post = self.serving(&own)?.into_iter().next();
        let habits = Habits {
            answers: person.answers.iter().map(answering).collect(),
            names_number: person.names_number,
            command_post: command_post.map(|link| TerminalId::new(own.bearer, &link.number.0)),
            position: person.at.and_then(|[lat, lon]| Position::from_degrees(lat, lon)),
        };
        let member = |group: &&super::GroupSpec| self.members(group).contains(&person.id);
        let mut groups = Vec::new();
        for number in self.groups.iter().filter(member).flat_map(|group| &group.numbers) {
            groups.push(number.parse().map_err(|_| unknown_terminal(number))?);
        }
        let period = if own.bearer == Bearer::Radio370 { Duration::from_secs(3) } else { seconds(person.period_s) };
        Ok(Handset::new(own, groups, period, habits, seed))
    }

    fn members(&self, group: &super::GroupSpec) -> Vec<String> {
        let mut members = Vec::new();
        for member in &group.members {
            match member.strip_prefix("crowd:") {
                Some(crowd) => members.extend(self.crowd_ids(crowd)),
                None => members.push(member.clone()),
            }
        }
        members
    }

    fn crowd_ids(&self, id: &str) -> Vec<String> {
        let crowd = self.crowds.iter().find(|crowd| crowd.id == id);
        crowd.map_or_else(Vec::new, |crowd| (1..=crowd.count).map(|n| format!("{id}-{n}")).collect())
    }

    fn roster(&self, people: &[PersonSpec]) -> Result<Roster, ScenarioError> {
        let enrolled = |terminals: &[String]| -> Result<Vec<Enrolled>, ScenarioError> {
            let enrol = |text: &String| text.parse().map(Enrolled).map_err(|_| unknown_terminal(text));
            terminals.iter().map(enrol).collect()
        };
        let mut roster = Roster::default();
        for person in people {
            let terminals = enrolled(&person.terminals)?;
            let (id, name, unit) = (person.id.clone(), person.name.clone(), person.unit.clone());
            roster.people.push(Person { id, name, unit, number: None, terminals });
        }
        for group in &self.groups {
            let (id, name) = (group.id.clone(), group.name.clone());
            let (members, numbers) = (self.members(group), enrolled(&group.numbers)?);
            roster.groups.push(Group { id, name, members, numbers });
        }
        Ok(roster)
    }

    fn script(&self, people: &[PersonSpec], seed: &Seed) -> Result<Vec<(Duration, Action)>, ScenarioError> {
        let mut script = vec![(Duration::from_secs(2), Action::ImportRoster(self.roster(people)?))];
        for event in &self.events {
            script.push((minutes(event.min), self.action(&event.what)?));
        }
        let mut chance = seed.stream("traffic");
        for traffic in &self.traffic {
            self.traffic(traffic, people, &mut chance, &mut script)?;
        }
        // Sorted by time and by their place in the file for the same moment.
        script.sort_by_key(|(at, _)| *at);
        Ok(script)
    }

    fn action(&self, what: &What) -> Result<Action, ScenarioError> {
        let act = |terminal: &str, act: Act| Action::Act { terminal: terminal.to_owned(), act };
        Ok(match what {
            What::Send { to, text, precedence, kind, exercise, tag, supersedes } => Action::Send(Sending {
                to: recipient(to)?,
                text: text.clone(),
                precedence: *precedence,
                kind: *kind,
                exercise: *exercise,
                tag: tag.clone(),
                supersedes: supersedes.clone(),
            }),
            What::Cancel { tag } => Action::Cancel { tag: tag.clone() },
            What::Type { terminal, text } => {
                act(terminal, Act::Type { to: self.command_post(terminal)?, text: text.clone() })
            }
            What::Alarm { terminal, on } => act(terminal, Act::Alarm { on: *on }),
            What::Reboot { terminal } => act(terminal, Act::Reboot),
            What::Card { terminal, present } => act(terminal, Act::Card { present: *present }),
            What::Beams { terminal, strength } => act(terminal, Act::Beams { strength: *strength }),
            What::Suppress { terminal, on } => act(terminal, Act::Suppress { on: *on }),
            What::Silence { terminal, on } => act(terminal, Act::Silence { on: *on }),
            What::Battery { terminal, low } => act(terminal, Act::Battery { low: *low }),
            What::Feedback { terminal, after_s } => act(terminal, Act::Feedback { after: after_s.map(seconds) }),
            What::Noise { terminal, hex } => act(terminal, Act::Noise { bytes: from_hex(hex)? }),
            What::Unplug { link } => Action::Link { link: LinkId::new(link), up: false },
            What::PlugIn { link } => Action::Link { link: LinkId::new(link), up: true },
            What::PowerCut { back_after_s } => Action::Crash { power: true, back_after: seconds(*back_after_s) },
            What::Kill { back_after_s } => Action::Crash { power: false, back_after: seconds(*back_after_s) },
            What::Snapshot => Action::Snapshot,
            What::FailSync => Action::FailSync,
            What::Fill { records } => Action::Fill { records: *records },
        })
    }

    /// The links over which the station reaches a terminal of the field, in their order.
    fn serving(&self, own: &TerminalId) -> Result<Vec<&LinkSpec>, ScenarioError> {
        let mut serving = Vec::new();
        for link in &self.links {
            let codec = device::open(&link.device, &profile(link)?);
            let codec =
                codec.map_err(|error| ScenarioError::Link { link: link.name.clone(), why: error.to_string() })?;
            if bearer_of(link)? == own.bearer && reach(link)?.has(own.number()) && codec.reaches(own) {
                serving.push(link);
            }
        }
        Ok(serving)
    }

    /// What the laws know about the links.
    fn ground(&self, policy: Policy, people: &[PersonSpec]) -> Result<Ground, ScenarioError> {
        let mut ground = Ground { policy, links: BTreeMap::new(), serving: BTreeMap::new() };
        for link in &self.links {
            let codec = device::open(&link.device, &profile(link)?);
            let codec =
                codec.map_err(|error| ScenarioError::Link { link: link.name.clone(), why: error.to_string() })?;
            let Kind { numbers, reads_bytes, .. } = *kind_of(link)?;
            let standing = Standing { numbers, reads_bytes, proves: codec.limits().proves };
            ground.links.insert(LinkId::new(&link.name), standing);
        }
        for terminal in people.iter().flat_map(|person| &person.terminals) {
            let own: TerminalId = terminal.parse().map_err(|_| unknown_terminal(terminal))?;
            let links = self.serving(&own)?.into_iter().map(|link| LinkId::new(&link.name)).collect();
            ground.serving.insert(own.to_string(), links);
        }
        Ok(ground)
    }

    /// The number that a field terminal knows as the command post.
    fn command_post(&self, terminal: &str) -> Result<Addressee, ScenarioError> {
        let own: TerminalId = terminal.parse().map_err(|_| unknown_terminal(terminal))?;
        let link = self.serving(&own)?.into_iter().next().ok_or_else(|| unknown_terminal(terminal))?;
        Ok(Addressee::Terminal(TerminalId::new(own.bearer, &link.number.0)))
    }

    fn traffic(
        &self,
        spec: &TrafficSpec,
        people: &[PersonSpec],
        chance: &mut Seed,
        script: &mut Vec<(Duration, Action)>,
    ) -> Result<(), ScenarioError> {
        let mean = seconds(spec.every_s).max(Duration::from_secs(1));
        let (mut at, end) = (minutes(spec.from_min), minutes(spec.to_min));
        let mut n = 0_u32;
        loop {
            at += chance.time_between(mean / 4, mean * 7 / 4);
            if at >= end {
                return Ok(());
            }
            n += 1;
            let text = one_of(&spec.texts, chance).ok_or(ScenarioError::Range { what: "texts of traffic" })?;
            let text = text.replace("{n}", &n.to_string());
            let action = if spec.who == "duty" {
                let to = one_of(&spec.to, chance).ok_or(ScenarioError::Range { what: "to of traffic" })?;
                let to = match to.strip_prefix("crowd:") {
                    Some(crowd) => one_of(&self.crowd_ids(crowd), chance).map(|id| format!("person:{id}")),
                    None => Some(to),
                };
                Action::Send(Sending {
                    to: recipient(&to.unwrap_or_default())?,
                    text,
                    precedence: spec.precedence,
                    kind: yizhan_engine::io::SendKind::Text,
                    exercise: spec.exercise,
                    tag: None,
                    supersedes: None,
                })
            } else {
                let who = match spec.who.strip_prefix("crowd:") {
                    Some(crowd) => one_of(&self.crowd_ids(crowd), chance).unwrap_or_default(),
                    None => spec.who.clone(),
                };
                let person = people.iter().find(|person| person.id == who);
                let terminal = person.and_then(|person| person.terminals.first());
                let terminal = terminal.ok_or_else(|| unknown_terminal(&who))?;
                let to = self.command_post(terminal)?;
                Action::Act { terminal: terminal.clone(), act: Act::Type { to, text } }
            };
            script.push((at, action));
        }
    }
}

/// A link's port, its terminal, and the net in which that one speaks.
fn plug(link: &LinkSpec, seed: &Seed) -> Result<(Link, Box<dyn Terminal>, &'static str), ScenarioError> {
    let (id, kind, bearer) = (LinkId::new(&link.name), kind_of(link)?, bearer_of(link)?);
    let subnet = link.profile.get("subnet").and_then(toml::Value::as_integer).map(u8::try_from).transpose();
    let wish = Wish {
        own: TerminalId::new(bearer, &link.number.0),
        period: seconds(link.period_s),
        level: link.level,
        subnet: subnet.map_err(|_| ScenarioError::Range { what: "subnet" })?,
        profile: &profile(link)?,
        seed,
    };
    let terminal = kind.make(wish).ok_or(ScenarioError::Range { what: "number" })?;
    let port = match kind.wiring {
        Wiring::Serial => Link::serial(id, link.baud),
        Wiring::Stream => Link::stream(id),
        Wiring::Datagrams(_) => Link::datagrams(id),
    };
    Ok((port, terminal, net_of(link)?))
}

fn kind_of(link: &LinkSpec) -> Result<&'static Kind, ScenarioError> {
    let listed = |words: BTreeSet<&'static str>| words.into_iter().collect::<Vec<_>>().join(", ");
    let mut of_device = KINDS.iter().filter(|kind| kind.device == link.device).peekable();
    if of_device.peek().is_none() {
        let known = listed(KINDS.iter().map(|kind| kind.device).collect());
        return Err(ScenarioError::Choice { what: "device", found: link.device.clone(), known });
    }
    Kind::of(&link.device, link.dialect.as_deref()).ok_or_else(|| ScenarioError::Choice {
        what: "dialect",
        found: link.dialect.clone().unwrap_or_default(),
        known: listed(of_device.filter_map(|kind| kind.variant).map(|(_, value)| value).collect()),
    })
}

/// Who hears each other: every card under one sky, and else the terminals of one kind.
fn net_of(link: &LinkSpec) -> Result<&'static str, ScenarioError> {
    let kind = kind_of(link)?;
    Ok(if kind.bearer() == Some(Bearer::Beidou) { Bearer::Beidou.name() } else { kind.name })
}

fn bearer_of(link: &LinkSpec) -> Result<Bearer, ScenarioError> {
    let refused = || ScenarioError::Range { what: "device without a codec" };
    kind_of(link)?.bearer().ok_or_else(refused)
}

fn reach(link: &LinkSpec) -> Result<Reach, ScenarioError> {
    let numbers = link.reach.iter().map(String::as_str);
    Reach::read(numbers).map_err(|_| ScenarioError::Range { what: "reach of a link" })
}

fn profile(link: &LinkSpec) -> Result<Profile, ScenarioError> {
    let mut profile = Profile::default();
    for (key, value) in &link.profile {
        let value = match value {
            toml::Value::Boolean(value) => Value::Bool(*value),
            toml::Value::Integer(value) => Value::Int(*value),
            toml::Value::String(value) => Value::Text(value.clone()),
            _ => return Err(ScenarioError::Profile { link: link.name.clone(), key: key.clone() }),
        };
        profile.0.insert(key.clone(), value);
    }
    // What the scenario says of the terminal, the station's config says of its link.
    let kind = kind_of(link)?;
    if let Some((key, value)) = kind.variant.filter(|_| link.dialect.is_some()) {
        profile.0.insert(key.into(), Value::Text(value.into()));
    }
    if let Some(key) = kind.own_key {
        let number = link.number.0.parse().map_or_else(|_| Value::Text(link.number.0.clone()), Value::Int);
        profile.0.insert(key.into(), number);
    }
    Ok(profile)
}

fn weather(bearer: Bearer, spec: &WeatherSpec) -> Result<Weather, ScenarioError> {
    let mut weather = Weather::typical(bearer);
    weather.loss_permille = spec.loss_percent.map_or(weather.loss_permille, permille);
    weather.delay_min = spec.delay_min_s.map_or(weather.delay_min, seconds);
    weather.delay_mean = spec.delay_mean_s.map_or(weather.delay_mean, seconds);
    weather.duplicate_permille = spec.duplicate_percent.map_or(0, permille);
    weather.hops = spec.hops.unwrap_or(1);
    weather.collides_within = spec.collides_within_s.map_or(Duration::ZERO, seconds);
    weather.voice_permille = spec.voice_percent.map_or(0, permille);
    weather.outages = spec.outages_min.iter().map(|[from, to]| (minutes(*from), minutes(*to))).collect();
    for number in &spec.shadowed {
        weather.shadowed.insert(number.parse().map_err(|_| unknown_terminal(number))?);
    }
    Ok(weather)
}

fn answering(spec: &AnswerSpec) -> Answering {
    let after = (seconds(spec.after_s[0]), seconds(spec.after_s[1]));
    Answering { text: spec.text.clone(), chance_permille: permille(spec.percent), after }
}

fn recipient(text: &str) -> Result<Recipient, ScenarioError> {
    let known = || "person:ID, group:ID, terminal:BEARER:NUMBER".to_owned();
    let refused = || ScenarioError::Choice { what: "recipient", found: text.into(), known: known() };
    let (kind, name) = text.split_once(':').ok_or_else(refused)?;
    match kind {
        "person" => Ok(Recipient::Person(name.into())),
        "group" => Ok(Recipient::Group(name.into())),
        "terminal" => Ok(Recipient::Terminal(name.into())),
        _ => Err(refused()),
    }
}

fn one_of(list: &[String], chance: &mut Seed) -> Option<String> {
    let index = chance.below(u64::try_from(list.len()).ok()?);
    list.get(usize::try_from(index).ok()?).cloned()
}

fn from_hex(text: &str) -> Result<Bytes, ScenarioError> {
    let refused = || ScenarioError::Hex { what: "noise", found: text.into() };
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    pairs
        .map(|pair| u8::from_str_radix(&pair, 16))
        .collect::<Result<Vec<u8>, _>>()
        .map(Bytes::from)
        .map_err(|_| refused())
}

fn unknown_terminal(text: &str) -> ScenarioError {
    ScenarioError::Choice { what: "terminal", found: text.into(), known: "BEARER:NUMBER of a person".into() }
}

fn unknown_bearer(text: &str) -> ScenarioError {
    let known = Bearer::ALL.map(Bearer::name).join(", ");
    ScenarioError::Choice { what: "bearer", found: text.into(), known }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn minutes(minutes: f64) -> Duration {
    seconds(minutes * 60.0)
}

const fn minutes_whole(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn permille(percent: f64) -> u32 {
    u32::try_from(seconds(percent.clamp(0.0, 100.0) * 10.0).as_secs()).unwrap_or(1_000)
}
