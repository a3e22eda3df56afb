//! The station's machine: the daemon's engine as a value, started, fed, drained, and killed.

use super::{Happening, World};
use crate::laws::{Fact, NotedRecord};
use std::time::Duration;
use yizhan_codecs::message::LinkId;
use yizhan_engine::Engine;
use yizhan_engine::io::{Input, Offset, Output, StoredRecord, TransmitTrouble};
use yizhan_engine::time::{Instant, Now};

/// Between the daemon's start and its ports being open.
const PORTS_OPEN: Duration = Duration::from_millis(40);

/// The daemon, running or not.
#[derive(Clone, Debug, Default)]
pub struct Station {
    pub(crate) engine: Option<Engine>,
    /// Counts the starts.
    pub(crate) boot: u32,
    booted_at: Duration,
    /// From when on its ports are open; what a terminal says before is lost.
    pub(crate) ports_open_at: Duration,
    wake_at: Option<Duration>,
    /// A start is in the queue.
    starts_again: bool,
    /// Counts what the engine was told.
    inputs: u64,
}

impl Station {
    #[must_use]
    pub const fn engine(&self) -> Option<&Engine> {
        self.engine.as_ref()
    }

    /// How much the engine was told so far: between two equal numbers nothing changed in it.
    #[must_use]
    pub const fn inputs(&self) -> u64 {
        self.inputs
    }

    /// How often the daemon was started.
    #[must_use]
    pub const fn boots(&self) -> u32 {
        self.boot
    }
}

impl World {
    /// What the daemon's clocks say. Its own one starts anew with every boot.
    fn now_of_station(&self) -> Now {
        let since = self.now.saturating_sub(self.station.booted_at) + Duration::from_secs(1);
        let mono = Instant(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        let now = Now { mono, wall: self.clock.at(self.now) };
        self.tamper.as_ref().map_or(now, |tamper| tamper.clock(now))
    }

    fn drill_time(&self, mono: Instant) -> Duration {
        self.station.booted_at + Duration::from_micros(mono.0).saturating_sub(Duration::from_secs(1))
    }

    pub(crate) fn boot(&mut self) {
        if self.station.engine.is_some() {
            return;
        }
        self.station.boot += 1;
        self.station.booted_at = self.now;
        self.station.wake_at = None;
        self.station.starts_again = false;
        let mut records = self.disk.kept().to_vec();
        let mut snapshot = self.disk.snapshot().cloned();
        if let Some(tamper) = &mut self.tamper {
            tamper.recovery(&mut records);
            snapshot = snapshot.filter(|_| tamper.allows_snapshot());
        }
        // Every other start reads the snapshot and the tail, the rest everything: both must come to the same.
        let with = snapshot.filter(|_| self.station.boot.is_multiple_of(2));
        let now = self.now_of_station();
        match Engine::recover(self.config.clone(), now, with.as_ref(), records) {
            Ok(engine) => {
                self.station.engine = Some(engine);
                self.fact(&Fact::Booted { boot: self.station.boot });
                self.drain_engine();
                let at = self.now + PORTS_OPEN;
                self.station.ports_open_at = at;
                for link in self.links.values().filter(|link| link.up).map(|link| link.id.clone()) {
                    let input = Input::LinkUp { link };
                    self.queue.put(at, Happening::Input { boot: self.station.boot, input });
                }
            }
            Err(why) => self.fact(&Fact::NotBooted { why: why.to_string() }),
        }
    }

    /// The daemon is gone at this very moment. `power`: the machine too, with what was not synced.
    pub fn crash(&mut self, power: bool, back_after: Option<Duration>) {
        if self.station.engine.take().is_some() {
            if power {
                self.disk.crash();
            } else {
                self.disk.daemon_killed();
            }
            let survivors = decode(self.disk.kept(), self.laws.synced());
            let through = self.disk.through();
            self.fact(&Fact::Crashed { survivors: &survivors, through });
        }
        if let Some(after) = back_after.filter(|_| !self.station.starts_again) {
            self.station.starts_again = true;
            self.queue.put(self.now + after, Happening::Boot);
        }
    }

    /// Tells the engine something and does what it wants done.
    pub(crate) fn feed(&mut self, mut input: Input) {
        let now = self.now_of_station();
        if let Some(tamper) = &mut self.tamper
            && !tamper.input(&mut input)
        {
            return;
        }
        let Some(engine) = &mut self.station.engine else { return };
        engine.handle_input(now, input);
        self.station.inputs += 1;
        self.drain_engine();
    }

    fn drain_engine(&mut self) {
        loop {
            let Some(output) = self.station.engine.as_mut().and_then(Engine::poll_output) else { return };
            let outputs = match &mut self.tamper {
                Some(tamper) => tamper.output(output),
                None => vec![output],
            };
            for output in outputs {
                self.do_output(output);
            }
        }
    }

    fn do_output(&mut self, output: Output) {
        let boot = self.station.boot;
        match output {
            Output::Transmit { link, to, id, bytes } => {
                self.fact(&Fact::Given { link: &link, bytes: &bytes });
                let Some(port) = self.links.get_mut(&link).filter(|port| port.up) else {
                    let input = Input::TransmitFailed { id, why: TransmitTrouble::NotWritten };
                    return self.queue.put(self.now, Happening::Input { boot, input });
                };
                let at = port.write(self.now, bytes.len());
                let name = link.name().to_owned();
                self.queue.put(at, Happening::ToTerminal { name, to: to.map(|peer| peer.0), bytes });
                self.queue.put(at, Happening::Input { boot, input: Input::Transmitted { id } });
            }
            Output::Store { records } => self.store(records),
            Output::Reply { ticket, reply } => {
                self.fact(&Fact::Replied { ticket, reply: &reply });
                self.replied(ticket, &reply);
            }
            Output::Tell(event) => {
                self.fact(&Fact::Told(&event));
                self.event(&event);
            }
            Output::WakeAt(at) => {
                let at = self.drill_time(at).max(self.now);
                self.station.wake_at = Some(at);
                self.queue.put(at, Happening::Wake { boot, at });
            }
        }
    }

    fn store(&mut self, records: Vec<StoredRecord>) {
        let boot = self.station.boot;
        if self.disk.lies {
            let through = records.last().map_or(Offset(0), |record| record.offset);
            self.queue.put(self.now, Happening::Input { boot, input: Input::Stored { through } });
        }
        if let Some(at) = self.disk.append(self.now, records) {
            self.queue.put(at, Happening::Synced { boot });
        }
    }

    pub(crate) fn disk_synced(&mut self) {
        let boot = self.station.boot;
        match self.disk.synced(self.now) {
            Ok((through, next)) => {
                if let Some(at) = next {
                    self.queue.put(at, Happening::Synced { boot });
                }
                let records = decode(self.disk.kept(), self.laws.synced());
                self.fact(&Fact::Synced { records: &records, through });
                if !self.disk.lies {
                    self.feed(Input::Stored { through });
                }
            }
            Err(why) => self.feed(Input::StoreFailed { why }),
        }
    }

    pub(crate) fn wake_engine(&mut self, at: Duration) {
        if self.station.wake_at == Some(at) {
            self.station.wake_at = None;
            self.feed(Input::Wake);
        }
    }

    /// Keeps a snapshot of the folded state, as the daemon does from time to time.
    pub fn keep_snapshot(&mut self) {
        let snapshot = self.station.engine.as_ref().map(Engine::snapshot);
        if let Some(snapshot) = snapshot {
            self.disk.keep_snapshot(snapshot);
        }
    }

    /// A port vanishes or comes back.
    pub(crate) fn set_link(&mut self, id: &LinkId, up: bool) {
        let Some(link) = self.links.get_mut(id).filter(|link| link.up != up) else { return };
        link.up = up;
        let link = id.clone();
        if up {
            self.feed(Input::LinkUp { link });
        } else {
            self.feed(Input::LinkDown { link, why: yizhan_engine::io::LinkTrouble::Unplugged });
        }
    }
}

/// The records after `known`, as the laws read them.
fn decode(kept: &[StoredRecord], known: Offset) -> Vec<NotedRecord> {
    let from = kept.partition_point(|record| record.offset <= known);
    kept.get(from..).unwrap_or_default().iter().map(NotedRecord::read).collect()
}
