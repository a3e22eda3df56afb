//! What a config can get wrong beyond its syntax, and the engine's share of it.

use super::area;
use super::error::Wrong;
use super::place::Step;
use super::{Config, KeyError, Link, NetConfig, Serial, Tcp, TcpWay, Udp};
use std::collections::BTreeSet;
use yizhan_codecs::codec::{Codec, Profile, ProfileError, Value};
use yizhan_codecs::message::{LinkId, StationId};
use yizhan_engine::config::{AirNet, EngineConfig, LinkConfig, PerPrecedence, Policy, Reach, ReachError};

fn wrong(path: &[&str], what: impl Into<String>) -> Wrong {
    Wrong { path: path.iter().map(|key| Step::Key((*key).into())).collect(), what: what.into() }
}

fn wrong_link(index: usize, keys: &[&str], what: impl Into<String>) -> Wrong {
    let mut path = vec![Step::Key("link".into()), Step::Index(index)];
    path.extend(keys.iter().map(|key| Step::Key((*key).into())));
    Wrong { path, what: what.into() }
}

pub(super) fn check(config: &Config) -> Result<(), Wrong> {
    let number = config.station.number;
    if StationId::new(number).is_none() {
        return Err(wrong(&["station", "number"], format!("{number} is outside 1..={}", StationId::MAX)));
    }
    check_links(&config.links)?;
    check_nets(&config.nets)?;
    area::read(&config.origins, &config.places)?;
    let api = &config.api;
    if !api.listen.ip().is_loopback() && !api.insecure_listen {
        let what = format!(
            "{} is reachable from outside and has no TLS: listen on 127.0.0.1, or set insecure_listen = true",
            api.listen
        );
        return Err(wrong(&["api", "listen"], what));
    }
    if api.followers_max == 0 {
        return Err(wrong(&["api", "followers_max"], "0 is outside 1.."));
    }
    let policy = &config.policy;
    if policy.flash_reserved >= policy.outbox_max {
        let what = format!("{} is not below outbox_max = {}", policy.flash_reserved, policy.outbox_max);
        return Err(wrong(&["policy", "flash_reserved"], what));
    }
    if !(1..=1_000).contains(&policy.sender_share) {
        return Err(wrong(&["policy", "sender_share"], format!("{} is outside 1..=1000", policy.sender_share)));
    }
    if policy.loss_permille > 900 {
        return Err(wrong(&["policy", "loss_permille"], format!("{} is outside 0..=900", policy.loss_permille)));
    }
    if config.journal.snapshot_every == 0 {
        return Err(wrong(&["journal", "snapshot_every"], "0 is outside 1.."));
    }
    if config.capture.files == 0 {
        return Err(wrong(&["capture", "files"], "0 is outside 1.."));
    }
    if let Err(error) = tracing_subscriber::EnvFilter::try_new(&config.log.filter) {
        return Err(wrong(&["log", "filter"], format!("{error}: write e.g. \"info\" or \"info,yizhan_daemon=debug\"")));
    }
    Ok(())
}

/// One net of each kind of traffic: a message says which it is, not which net.
fn check_nets(nets: &[NetConfig]) -> Result<(), Wrong> {
    let (mut traffics, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (index, net) in nets.iter().enumerate() {
        let wrong_net = |key: &str, what: String| Wrong {
            path: vec![Step::Key("net".into()), Step::Index(index), Step::Key(key.into())],
            what,
        };
        if StationId::new(net.centre).is_none() {
            return Err(wrong_net("centre", format!("{} is outside 1..={}", net.centre, StationId::MAX)));
        }
        if !traffics.insert(net.traffic) {
            return Err(wrong_net("traffic", "there is one net of real traffic and one of exercises at most".into()));
        }
        if !ids.insert(net.id) {
            return Err(wrong_net("id", format!("{} is used twice: an exercise has a net of its own", net.id)));
        }
    }
    Ok(())
}

fn check_links(links: &[Link]) -> Result<(), Wrong> {
    let (mut names, mut ports) = (BTreeSet::new(), BTreeSet::new());
    let (mut binds, mut streams) = (BTreeSet::new(), BTreeSet::new());
    for (index, link) in links.iter().enumerate() {
        if link.name.is_empty() || link.name.chars().count() > 32 || link.name.chars().any(char::is_control) {
            return Err(wrong_link(index, &["name"], format!("{:?} is not 1 to 32 printable characters", link.name)));
        }
        if !names.insert(&link.name) {
            return Err(wrong_link(index, &["name"], format!("{:?} names two links", link.name)));
        }
        match (&link.serial, &link.udp, &link.tcp) {
            (Some(serial), None, None) => {
                if !ports.insert(&serial.port) {
                    let what = format!("{} serves two links", serial.port.display());
                    return Err(wrong_link(index, &["serial", "port"], what));
                }
                check_serial(index, serial)?;
            }
            (None, Some(udp), None) => {
                check_udp(index, udp)?;
                if let Some(twice) = udp.bind.iter().find(|bind| bind.port() != 0 && !binds.insert(**bind)) {
                    return Err(wrong_link(index, &["udp", "bind"], format!("{twice} is bound twice")));
                }
            }
            (None, None, Some(tcp)) => {
                check_tcp(index, tcp)?;
                let address = tcp.connect.clone().or_else(|| tcp.listen.map(|address| address.to_string()));
                let is_free = tcp.listen.is_some_and(|address| address.port() == 0);
                if let Some(twice) = address.filter(|address| !is_free && !streams.insert(address.clone())) {
                    let key = if tcp.connect.is_some() { "connect" } else { "listen" };
                    return Err(wrong_link(index, &["tcp", key], format!("{twice} serves two links")));
                }
            }
            (None, None, None) => {
                return Err(wrong_link(index, &["name"], "give serial = {...}, udp = {...} or tcp = {...}"));
            }
            (_, udp, tcp) => {
                let key = if tcp.is_some() { "tcp" } else { "udp" };
                let both = if udp.is_some() && tcp.is_some() { "udp and tcp" } else { "serial and another" };
                let what = format!("give exactly one of serial, udp and tcp, not {both}");
                return Err(wrong_link(index, &[key], what));
            }
        }
        link.reach().map_err(|error| wrong_link(index, &["reach"], error.to_string()))?;
        check_device(index, link)?;
    }
    Ok(())
}

fn check_serial(index: usize, serial: &Serial) -> Result<(), Wrong> {
    if !(1..=2).contains(&serial.stop_bits) {
        let what = format!("{} is not one of 1, 2", serial.stop_bits);
        return Err(wrong_link(index, &["serial", "stop_bits"], what));
    }
    if !(300..=4_000_000).contains(&serial.baud) {
        let what = format!("{} is outside 300..=4000000", serial.baud);
        return Err(wrong_link(index, &["serial", "baud"], what));
    }
    Ok(())
}

fn check_udp(index: usize, udp: &Udp) -> Result<(), Wrong> {
    if udp.bind.is_empty() {
        return Err(wrong_link(index, &["udp", "bind"], "name at least one local ADDRESS:PORT"));
    }
    if udp.peers.is_empty() && !udp.any_peer {
        let what = "name the peers whose datagrams are taken, or set any_peer = true";
        return Err(wrong_link(index, &["udp", "peers"], what));
    }
    check_multicast(index, udp)
}

fn check_multicast(index: usize, udp: &Udp) -> Result<(), Wrong> {
    if let Some(group) = udp.multicast.iter().find(|group| !group.is_multicast()) {
        let what = format!("{group} is no group: groups are 224.0.0.0 to 239.255.255.255");
        return Err(wrong_link(index, &["udp", "multicast"], what));
    }
    let given = [("interface", udp.interface.is_some()), ("ttl", udp.ttl.is_some()), ("loopback", udp.loopback)];
    if let Some((key, _)) = given.into_iter().find(|(_, given)| *given && udp.multicast.is_empty()) {
        return Err(wrong_link(index, &["udp", key], "this is said only together with multicast = [\"GROUP\"]"));
    }
    if let Some(ttl) = udp.ttl.filter(|ttl| !(1..=255).contains(ttl)) {
        return Err(wrong_link(index, &["udp", "ttl"], format!("{ttl} is outside 1..=255")));
    }
    if let Some(bind) = udp.bind.iter().find(|bind| bind.is_ipv6() && !udp.multicast.is_empty()) {
        let what = format!("{bind} hears no IPv4 group: write 0.0.0.0:{}", bind.port());
        return Err(wrong_link(index, &["udp", "bind"], what));
    }
    Ok(())
}

fn check_tcp(index: usize, tcp: &Tcp) -> Result<(), Wrong> {
    let wrong_tcp = |key: &str, what: String| Err(wrong_link(index, &["tcp", key], what));
    match tcp.way() {
        Some(TcpWay::Connect(address)) => {
            let parts = address.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            if parts.and_then(|(_, port)| port.parse::<u16>().ok()).is_none_or(|port| port == 0) {
                return wrong_tcp("connect", format!("{address:?} is not HOST:PORT, e.g. \"192.168.4.1:4403\""));
            }
            if !tcp.peers.is_empty() {
                return wrong_tcp("peers", "belongs to listen: with connect the station chooses whom it calls".into());
            }
            Ok(())
        }
        Some(TcpWay::Listen(_)) if tcp.peers.is_empty() => {
            wrong_tcp("peers", "name the peers that may connect, e.g. [\"10.0.0.7\"]".into())
        }
        Some(TcpWay::Listen(_)) => Ok(()),
        None => {
            wrong_tcp("connect", "give exactly one of connect = \"HOST:PORT\" and listen = \"ADDRESS:PORT\"".into())
        }
    }
}

fn check_device(index: usize, link: &Link) -> Result<(), Wrong> {
    let profile = link
        .profile()
        .map_err(|key| wrong_link(index, &["profile", &key], "wants true or false, a whole number or text"))?;
    match yizhan_codecs::device::open(&link.device, &profile) {
        Ok(_) => Ok(()),
        Err(error @ ProfileError::UnknownDevice { .. }) => Err(wrong_link(index, &["device"], error.to_string())),
        Err(error) => {
            let key = match &error {
                ProfileError::UnknownKey { key, .. }
                | ProfileError::Choice { key, .. }
                | ProfileError::Range { key, .. }
                | ProfileError::Type { key, .. } => key.clone(),
                _ => String::new(),
            };
            Err(wrong_link(index, &["profile", &key], error.to_string()))
        }
    }
}

impl Link {
    /// The name that the engine and the operator know it by.
    #[must_use]
    pub fn id(&self) -> LinkId {
        LinkId::new(&self.name)
    }

    /// The numbers that the link is for.
    fn reach(&self) -> Result<Reach, ReachError> {
        Reach::read(self.reach.iter().map(String::as_str))
    }

    /// The device's own settings; the key of a value that no device takes is the error.
    fn profile(&self) -> Result<Profile, String> {
        let mut profile = Profile::default();
        for (key, value) in &self.profile {
            let value = match value {
                toml::Value::Boolean(flag) => Value::Bool(*flag),
                toml::Value::Integer(number) => Value::Int(*number),
                toml::Value::String(text) => Value::Text(text.clone()),
                _ => return Err(key.clone()),
            };
            profile.0.insert(key.clone(), value);
        }
        Ok(profile)
    }

    /// The link's device, opened; a checked config always opens.
    ///
    /// # Errors
    /// What the device has against its profile.
    pub fn codec(&self) -> Result<Box<dyn Codec>, ProfileError> {
        let profile = self.profile().map_err(|key| ProfileError::Type { key, expected: "a plain value" })?;
        yizhan_codecs::device::open(&self.device, &profile)
    }
}

impl Config {
    /// What the engine has to know; `None` only for a config that was never checked.
    #[must_use]
    pub fn for_engine(&self) -> Option<EngineConfig> {
        let link = |link: &Link| {
            Some(LinkConfig {
                id: link.id(),
                device: link.device.clone(),
                profile: link.profile().ok()?,
                reach: link.reach().ok()?,
                period: link.period.map(|period| period.0),
                capacity_bits: link.capacity_bits,
                guard: link.guard.0,
            })
        };
        let numbers = &self.policy;
        let (life, copies) = (numbers.life, numbers.copies);
        Some(EngineConfig {
            station: StationId::new(self.station.number)?,
            links: self.links.iter().map(link).collect::<Option<_>>()?,
            policy: Policy {
                outbox_max: numbers.outbox_max,
                flash_reserved: numbers.flash_reserved,
                sender_share: numbers.sender_share,
                sender_share_from: numbers.sender_share_from,
                life: PerPrecedence {
                    flash: life.flash.0,
                    immediate: life.immediate.0,
                    priority: life.priority.0,
                    routine: life.routine.0,
                },
                copies: PerPrecedence {
                    flash: copies.flash,
                    immediate: copies.immediate,
                    priority: copies.priority,
                    routine: copies.routine,
                },
                text_chars_max: numbers.text_chars_max,
                parts_max: numbers.parts_max,
                sos_relays_max: numbers.sos_relays_max,
                sos_relay_window: numbers.sos_relay_window.0,
                sos_auto_answer: numbers.sos_auto_answer,
                keypad_questions: numbers.keypad_questions,
                loss_permille: numbers.loss_permille,
                position_life: numbers.position_life.0,
                remember: numbers.remember.0,
                unreadable_per_minute: numbers.unreadable_per_minute,
            },
            nets: Vec::new(),
            area: area::read(&self.origins, &self.places).ok()?,
        })
    }

    /// The nets with their keys, for [`EngineConfig::nets`].
    ///
    /// # Errors
    /// [`KeyError`] of the first key file that is refused.
    pub fn open_nets(&self) -> Result<Vec<AirNet>, KeyError> {
        let Some(me) = StationId::new(self.station.number) else { return Ok(Vec::new()) };
        self.nets.iter().map(|net| net.open(me)).collect()
    }
}
