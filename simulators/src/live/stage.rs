//! The thread behind a rehearsal: waits for hosts, cues and due times, and lets the players act.

use super::port::{Heard, PortError};
use super::{News, Player, What};
use crate::air::{Air, Verdict, Weather};
use crate::queue::Queue;
use crate::seed::Seed;
use crate::terminal::{Act, AirMessage, Tally, TerminalOutput};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::BTreeMap;
use std::io::{PipeReader, Read};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};
use yizhan_codecs::message::Bearer;

/// What the director wants done.
pub(super) enum Cue {
    Act(&'static str, Act),
    Plug(&'static str),
    Unplug(&'static str),
    Weather(Bearer, Weather),
    Tally(&'static str, Sender<Tally>),
    Curtain,
}

/// What comes when its time has come, to the player of this place.
enum Due {
    Wake { player: usize, number: u64 },
    Piece { player: usize, plugged: u64 },
    Arrive { player: usize, message: AirMessage },
}

pub(super) struct Stage {
    began: Instant,
    players: Vec<Player>,
    /// The last wake-up each player asked for; earlier ones are stale.
    wakes: Vec<u64>,
    /// How often each player was plugged in or let go; pieces from before are stale.
    plugged: Vec<u64>,
    queue: Queue<Due>,
    air: Air,
    door: PipeReader,
    cues: Receiver<Cue>,
    news: Sender<News>,
}

impl Stage {
    pub(super) fn set(
        seed: &Seed,
        weather: BTreeMap<Bearer, Weather>,
        players: Vec<Player>,
        door: PipeReader,
        cues: Receiver<Cue>,
        news: Sender<News>,
    ) -> Result<Self, PortError> {
        let mut air = Air::new(seed);
        air.weather = weather;
        let (wakes, plugged) = (vec![0; players.len()], vec![0; players.len()]);
        let queue = Queue::default();
        let mut stage = Self { began: Instant::now(), players, wakes, plugged, queue, air, door, cues, news };
        for at in 0..stage.players.len() {
            if let Some(player) = stage.players.get_mut(at) {
                player.port.plug()?;
            }
            stage.tell(at, What::Plugged);
            stage.drain(at);
        }
        Ok(stage)
    }

    /// Plays until the curtain falls.
    pub(super) fn play(mut self) {
        loop {
            while self.queue.next_at().is_some_and(|at| at <= self.now()) {
                if let Some((_, due)) = self.queue.take() {
                    self.happen(due);
                }
            }
            let (rung, hosts) = self.wait();
            // Cues first: one that was given before a host wrote holds for what it wrote.
            if rung && self.follow_cues().is_break() {
                return;
            }
            for at in hosts {
                self.listen(at);
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for a cue, a host or the next due time; says whether the bell rang and which players' hosts did something.
    fn wait(&self) -> (bool, Vec<usize>) {
        let mut owners = vec![None];
        let mut waits = vec![PollFd::new(self.door.as_fd(), PollFlags::POLLIN)];
        for (at, player) in self.players.iter().enumerate() {
            for fd in player.port.waits_on() {
                owners.push(Some(at));
                waits.push(PollFd::new(fd, PollFlags::POLLIN));
            }
        }
        let timeout = self.queue.next_at().map_or(PollTimeout::NONE, |at| {
            // Rounded up: a wait that ends a moment early would only be repeated.
            let millis = at.saturating_sub(self.now()).as_micros().div_ceil(1_000);
            PollTimeout::try_from(millis).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut waits, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => panic!("waiting for ports failed: {error}"),
        }
        let ready = |wait: &PollFd<'_>| wait.revents().is_some_and(|events| !events.is_empty());
        let hosts = waits.iter().zip(&owners).filter(|(wait, _)| ready(wait)).filter_map(|(_, owner)| *owner);
        let hosts = hosts.collect();
        (waits.first().is_some_and(ready), hosts)
    }

    fn happen(&mut self, due: Due) {
        let now = self.now();
        match due {
            Due::Wake { player: at, number } if self.wakes.get(at) == Some(&number) => {
                if let Some(player) = self.players.get_mut(at) {
                    player.terminal.wake(now);
                }
                self.drain(at);
            }
            Due::Piece { player: at, plugged } if self.plugged.get(at) == Some(&plugged) => {
                match self.players.get_mut(at).map(|player| player.port.go_on()) {
                    Some(Ok(Some(after))) => self.queue.put(now + after, Due::Piece { player: at, plugged }),
                    Some(Err(error)) => self.lose_port(at, &error),
                    Some(Ok(None)) | None => {}
                }
            }
            Due::Arrive { player: at, message } => {
                self.tell(at, What::Arrived(message.clone()));
                if let Some(player) = self.players.get_mut(at) {
                    player.terminal.heard_air(now, &message);
                }
                self.drain(at);
            }
            Due::Wake { .. } | Due::Piece { .. } => {}
        }
    }

    /// Takes everything that a host did.
    fn listen(&mut self, at: usize) {
        let mut buffer = vec![0; 65_536];
        loop {
            let heard = match self.players.get_mut(at).map(|player| player.port.read(&mut buffer)) {
                Some(Ok(Some(heard))) => heard,
                Some(Ok(None)) | None => return,
                Some(Err(error)) => return self.lose_port(at, &error),
            };
            match heard {
                Heard::Bytes { to, length } => {
                    self.tell(at, What::HostWrote { bytes: length });
                    let now = self.now();
                    if let Some(player) = self.players.get_mut(at) {
                        player.terminal.heard_host(now, to, buffer.get(..length).unwrap_or(&[]));
                    }
                    self.drain(at);
                }
                Heard::HostLeft => {
                    self.cut_cable(at);
                    self.tell(at, What::HostLeft);
                }
            }
        }
    }

    fn follow_cues(&mut self) -> std::ops::ControlFlow<()> {
        let _how_often_it_rang = self.door.read(&mut [0; 64]);
        while let Ok(cue) = self.cues.try_recv() {
            match cue {
                Cue::Act(who, act) => self.with(who, |stage, at| {
                    let now = stage.now();
                    if let Some(player) = stage.players.get_mut(at) {
                        player.terminal.act(now, &act);
                    }
                    stage.drain(at);
                }),
                Cue::Plug(who) => self.with(who, Self::plug),
                Cue::Unplug(who) => self.with(who, Self::unplug),
                Cue::Weather(bearer, weather) => {
                    self.air.weather.insert(bearer, weather);
                }
                Cue::Tally(who, answer) => self.with(who, |stage, at| {
                    if let Some(player) = stage.players.get(at) {
                        let _asker_may_be_gone = answer.send(player.terminal.tally());
                    }
                }),
                Cue::Curtain => return std::ops::ControlFlow::Break(()),
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn with(&mut self, who: &'static str, what: impl FnOnce(&mut Self, usize)) {
        if let Some(at) = self.players.iter().position(|player| player.name == who) {
            what(self, at);
        }
    }

    fn plug(&mut self, at: usize) {
        self.cut_cable(at);
        match self.players.get_mut(at).map(|player| player.port.plug()) {
            Some(Ok(())) => self.tell(at, What::Plugged),
            Some(Err(error)) => self.lose_port(at, &error),
            None => {}
        }
    }

    fn unplug(&mut self, at: usize) {
        self.cut_cable(at);
        match self.players.get_mut(at).map(|player| player.port.unplug()) {
            Some(Ok(())) => self.tell(at, What::Unplugged),
            Some(Err(error)) => self.lose_port(at, &error),
            None => {}
        }
    }

    fn lose_port(&mut self, at: usize, error: &std::io::Error) {
        self.cut_cable(at);
        if let Some(player) = self.players.get_mut(at) {
            let _already_failed = player.port.unplug();
        }
        self.tell(at, What::PortFailed { why: error.to_string() });
    }

    fn cut_cable(&mut self, at: usize) {
        if let Some(plugged) = self.plugged.get_mut(at) {
            *plugged += 1;
        }
    }

    /// Does what a player wants done, until it wants nothing more.
    fn drain(&mut self, at: usize) {
        let now = self.now();
        while let Some(output) = self.players.get_mut(at).and_then(|player| player.terminal.poll()) {
            match output {
                TerminalOutput::ToHost { from, bytes } => {
                    let after = self.players.get_mut(at).and_then(|player| player.port.write(from, &bytes));
                    if let (Some(after), Some(plugged)) = (after, self.plugged.get(at)) {
                        self.queue.put(now + after, Due::Piece { player: at, plugged: *plugged });
                    }
                }
                TerminalOutput::ToAir(message) => self.radiate(at, message),
                TerminalOutput::Shown { from, text } => self.tell(at, What::Shown { from, text }),
                TerminalOutput::WakeAt(when) => {
                    if let Some(number) = self.wakes.get_mut(at) {
                        *number += 1;
                        self.queue.put(when, Due::Wake { player: at, number: *number });
                    }
                }
            }
        }
    }

    /// Puts a message onto the air: everyone whose antenna takes it up may get it.
    fn radiate(&mut self, at: usize, message: AirMessage) {
        let now = self.now();
        self.tell(at, What::Radiated(message.clone()));
        for (hearer, player) in self.players.iter().enumerate() {
            if !player.terminal.hears(&message.to) || hearer == at {
                continue;
            }
            match self.air.verdict(now, &message, &player.id) {
                Verdict::Deliver { after, again } => {
                    for after in [Some(after), again].into_iter().flatten() {
                        let message = message.clone();
                        self.queue.put(now + after, Due::Arrive { player: hearer, message });
                    }
                }
                Verdict::Drop => {
                    let (who, what) = (player.name, What::Lost(message.clone()));
                    let _audience_may_be_gone = self.news.send(News { at: now, who, what });
                }
            }
        }
    }

    fn tell(&self, at: usize, what: What) {
        if let Some(player) = self.players.get(at) {
            let _audience_may_be_gone = self.news.send(News { at: self.now(), who: player.name, what });
        }
    }
}
