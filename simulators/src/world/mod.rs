//! The world: one queue, one virtual clock, one seed; the station under test, its disk and links, the terminals, the
//! air, and what people do.
//!
//! A step takes one thing out of the queue, lets it happen, drains everything that follows at once, and shows every
//! fact of it to the laws. The world is a value: a crash test forks it.

mod happen;
mod link;
mod people;
mod station;
pub mod tamper;

pub use link::{Link, carries_message};
pub use people::{Action, Sending};
pub use station::Station;
pub use tamper::Tamper;

use crate::air::Air;
use crate::disk::Disk;
use crate::laws::{Fact, Laws};
use crate::queue::Queue;
use crate::seed::Seed;
use crate::terminal::{AirMessage, Tally, Terminal};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use yizhan_codecs::message::{LinkId, Utc};
use yizhan_engine::config::EngineConfig;
use yizhan_engine::io::Input;

/// Everything that a station meets.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) now: Duration,
    pub(crate) queue: Queue<Happening>,
    pub(crate) station: Station,
    pub(crate) config: EngineConfig,
    pub(crate) disk: Disk,
    pub(crate) links: BTreeMap<LinkId, Link>,
    pub(crate) terminals: BTreeMap<String, Stand>,
    pub(crate) air: Air,
    pub(crate) clock: WallClock,
    pub(crate) script: Arc<Vec<(Duration, Action)>>,
    pub(crate) operator: people::Operator,
    pub(crate) seed: Seed,
    pub(crate) tamper: Option<Box<dyn Tamper>>,
    pub laws: Laws,
    log: Log,
    steps: u64,
}

/// A terminal and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Stand {
    pub terminal: Box<dyn Terminal>,
    /// Only terminals of the same net hear each other: those that one device speaks to.
    pub net: &'static str,
    /// The link of the station that it is plugged into; `None` = in the field.
    pub link: Option<LinkId>,
    pub wake_at: Option<Duration>,
    pub told: Tally,
}

/// Something that will happen.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// The station's machine has power and starts the daemon.
    Boot,
    /// Something for the daemon of this boot; a later one never sees it.
    Input {
        boot: u32,
        input: Input,
    },
    /// Bytes for the daemon of this boot. `hands` is the air's message that they complete.
    Bytes {
        boot: u32,
        link: LinkId,
        from: Option<SocketAddr>,
        bytes: Bytes,
        hands: Option<AirMessage>,
    },
    Synced {
        boot: u32,
    },
    Wake {
        boot: u32,
        at: Duration,
    },
    ToTerminal {
        name: String,
        to: Option<SocketAddr>,
        bytes: Bytes,
    },
    Air {
        name: String,
        message: AirMessage,
    },
    WakeTerminal {
        name: String,
        at: Duration,
    },
    Script {
        index: usize,
    },
    Operator(people::Errand),
}

/// What the host's clock says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallClock {
    /// Wall time at the start of the drill.
    pub start: Utc,
    /// From when on the host vouches for it; `None` = never.
    pub trusted_from: Option<Duration>,
}

impl WallClock {
    fn at(&self, now: Duration) -> Option<Utc> {
        let trusted = self.trusted_from.is_some_and(|from| from <= now);
        trusted.then(|| Utc(self.start.0.saturating_add(i64::try_from(now.as_millis()).unwrap_or(i64::MAX))))
    }
}

/// A running hash of everything that happened, and the lines themselves when asked for.
#[derive(Clone, Debug)]
struct Log {
    on: bool,
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Log {
    fn note(&mut self, now: Duration, line: &dyn Fn() -> String) {
        if !self.on {
            return;
        }
        let line = format!("{:>12} {}", now.as_micros(), line());
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }
}

impl World {
    /// A world in which nothing has happened yet. The station starts at once.
    #[must_use]
    pub fn new(config: EngineConfig, air: Air, clock: WallClock, laws: Laws, seed: &Seed) -> Self {
        let mut queue = Queue::default();
        queue.put(Duration::ZERO, Happening::Boot);
        Self {
            now: Duration::ZERO,
            queue,
            station: Station::default(),
            config,
            disk: Disk::new(seed),
            links: BTreeMap::new(),
            terminals: BTreeMap::new(),
            air,
            clock,
            script: Arc::default(),
            operator: people::Operator::default(),
            seed: seed.stream("world"),
            tamper: None,
            laws,
            log: Log { on: true, hash: 0xCBF2_9CE4_8422_2325, lines: None },
            steps: 0,
        }
    }

    /// Plugs a terminal into a link of the station.
    pub fn plug_in(&mut self, link: Link, terminal: Box<dyn Terminal>, net: &'static str) {
        let name = link.id.name().to_owned();
        let stand = Stand { terminal, net, link: Some(link.id.clone()), wake_at: None, told: Tally::default() };
        self.links.insert(link.id.clone(), link);
        self.place(name, stand);
    }

    /// Puts a terminal into the field.
    pub fn put_afield(&mut self, name: &str, terminal: Box<dyn Terminal>, net: &'static str) {
        self.place(name.to_owned(), Stand { terminal, net, link: None, wake_at: None, told: Tally::default() });
    }

    fn place(&mut self, name: String, stand: Stand) {
        self.terminals.insert(name.clone(), stand);
        self.drain_terminal(&name, None);
    }

    /// What people will do, by time.
    pub fn set_script(&mut self, script: Vec<(Duration, Action)>) {
        for (index, (at, _)) in script.iter().enumerate() {
            self.queue.put(*at, Happening::Script { index });
        }
        self.script = Arc::new(script);
    }

    /// Puts something between the station and its world.
    pub fn set_tamper(&mut self, tamper: Box<dyn Tamper>) {
        tamper.config(&mut self.config);
        tamper.disk(&mut self.disk);
        self.tamper = Some(tamper);
    }

    /// Keeps every line of the log from now on.
    pub fn keep_log(&mut self) {
        self.log.lines = Some(Vec::new());
    }

    /// Notes nothing any more, in a fork whose log nobody reads.
    pub const fn stop_log(&mut self) {
        self.log.on = false;
    }

    /// The lines kept since [`World::keep_log`].
    #[must_use]
    pub fn log_lines(&self) -> &[String] {
        self.log.lines.as_deref().unwrap_or_default()
    }

    /// A hash of everything that has happened, in order.
    #[must_use]
    pub const fn log_hash(&self) -> u64 {
        self.log.hash
    }

    #[must_use]
    pub const fn now(&self) -> Duration {
        self.now
    }

    /// Steps taken since the world began.
    #[must_use]
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    #[must_use]
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    pub const fn disk_mut(&mut self) -> &mut Disk {
        &mut self.disk
    }

    #[must_use]
    pub const fn station(&self) -> &Station {
        &self.station
    }

    /// What every terminal has counted, by name.
    pub fn tallies(&self) -> impl Iterator<Item = (&str, Option<&LinkId>, Tally)> {
        self.terminals.iter().map(|(name, stand)| (name.as_str(), stand.link.as_ref(), stand.terminal.tally()))
    }

    /// Lets the next thing happen; `false` when nothing is left, or only things after `until`.
    pub fn step(&mut self, until: Duration) -> bool {
        let Some(at) = self.queue.next_at().filter(|at| *at <= until) else {
            self.now = self.now.max(until);
            return false;
        };
        let Some((_, happening)) = self.queue.take() else { return false };
        self.now = self.now.max(at);
        self.steps += 1;
        self.happen(happening);
        true
    }

    /// Lets everything happen up to `until`.
    pub fn run_until(&mut self, until: Duration) {
        while self.step(until) {}
    }

    /// Shows a fact to the laws and the log.
    pub(crate) fn fact(&mut self, fact: &Fact<'_>) {
        self.log.note(self.now, &|| format!("{fact:?}"));
        self.laws.observe(self.now, fact);
    }
}
