//! One AT command at a time: start-up, sends with patience, and a question where the port falls silent.
//!
//! A message is carried by its own lines, tried again while the radio says that it is taken (a voice call blocks data for
//! over 40 s), and ends with the result: taken, and a last "AT" closes it; or refused, after a minute.

#[cfg(test)]
mod tests;

use super::codec::send;
use super::settings::Settings;
use super::wire::{Command, HostLine, Indication, RadioLine, Sds};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{OrderKind, Outcome, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(30);
/// The radio answers a plain command within this time.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// The result of a send; a voice call may stand before it.
const RESULT_WITHIN: Duration = Duration::from_secs(60);
/// After a good result, "OK" follows at once, on most radios.
const OK_WITHIN: Duration = Duration::from_secs(2);
/// How long a refused send is tried again: a voice call blocks data for over 40 s.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN_FIRST: Duration = Duration::from_secs(2);
const AGAIN_LAST: Duration = Duration::from_secs(8);
/// A silent port is asked.
const SILENCE: Duration = Duration::from_secs(30);
const SILENT_MAX: u8 = 3;
/// Answers that wait, at most; more are dropped, and who asked for one asks again.
const WAITING_MAX: usize = 64;
/// The network could not deliver (`+CMGS` status), and what we say where the radio gave no code.
const STATUS_TAKEN: u8 = 4;
const STATUS_FAILED: u8 = 5;
const CODE_NONE: u16 = 0xFFFF;
const CODE_BUSY: u16 = 0xFFFE;

/// A send on its way to the radio.
#[derive(Clone, Debug)]
struct Errand {
    to: String,
    frame: Bytes,
    /// Our number; `None` for an answer.
    native: Option<u32>,
    first_at: Option<Duration>,
    /// Its lines were written once; what follows are repeats on the cable.
    is_carried: bool,
    pause: Duration,
    not_before: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Down,
    /// Pausing before the start-up is tried again.
    Pausing,
    /// So many of the start-up's commands are answered.
    Starting(usize),
    Idle,
    /// `AT` waits for its answer.
    Asking,
    /// `AT+CTSDS` for this type of number.
    Choosing(u8),
    Sending,
    /// The result is good; `OK` still follows.
    Taken,
}

/// The conversation on one port.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    settings: Settings,
    script: Vec<HostLine>,
    steps: VecDeque<Step>,
    stage: Stage,
    until: Duration,
    retry: Duration,
    silent: u8,
    is_ready: bool,
    /// The radio has left off its echo. One that echoes again has restarted and forgotten its services.
    is_quiet: bool,
    profiles_taken: usize,
    chosen: Option<u8>,
    waiting: VecDeque<Errand>,
    /// Whom a message reference on the air was for, and our number of it.
    references: BTreeMap<u8, (TerminalId, u32)>,
    last_sent: Option<(TerminalId, u32)>,
    /// What is known of the message on the line, said when its exchange is over.
    afterwards: Vec<Signal>,
}

impl Conversation {
    pub fn new(settings: Settings) -> Self {
        let plain = HostLine::Plain;
        let mut script = vec![plain(Command::Attention), plain(Command::EchoOff), plain(Command::Mode(6))];
        script.extend(settings.service_profiles.iter().map(|one| plain(Command::Profile(one.clone()))));
        Self {
            settings,
            script,
            steps: VecDeque::new(),
            stage: Stage::Down,
            until: Duration::ZERO,
            retry: FIRST_RETRY,
            silent: 0,
            is_ready: false,
            is_quiet: false,
            profiles_taken: 0,
            chosen: None,
            waiting: VecDeque::new(),
            references: BTreeMap::new(),
            last_sent: None,
            afterwards: Vec::new(),
        }
    }

    fn write(&mut self, line: &HostLine) {
        self.steps.push_back(Step::Send(Bytes::from(line.emit()).into()));
    }

    fn stand(&mut self, stage: Stage, until: Duration) {
        self.stage = stage;
        self.until = until;
    }

    /// From the beginning: what was held is refused, because nobody knows what the radio did with it.
    fn begin(&mut self, now: Duration) {
        self.is_ready = false;
        self.is_quiet = false;
        self.chosen = None;
        self.profiles_taken = 0;
        self.silent = 0;
        self.afterwards.clear();
        self.steps.push_back(Step::Ready(false));
        let held: Vec<u32> = self.waiting.drain(..).filter_map(|errand| errand.native).collect();
        for _ in held {
            self.refuse(CODE_NONE);
        }
        self.script_step(now, 0);
    }

    fn script_step(&mut self, now: Duration, at: usize) {
        if let Some(line) = self.script.get(at).cloned() {
            self.write(&line);
            return self.stand(Stage::Starting(at), now + ANSWER_WITHIN);
        }
        if self.profiles_taken == 0 {
            return self.pause(now);
        }
        self.is_ready = true;
        self.retry = FIRST_RETRY;
        self.steps.push_back(Step::Ready(true));
        self.rest(now);
    }

    fn pause(&mut self, now: Duration) {
        self.stand(Stage::Pausing, now + self.retry);
        self.retry = (self.retry * 2).min(LAST_RETRY);
    }

    fn script_answer(&mut self, now: Duration, at: usize, is_good: bool) {
        let next = at.saturating_add(1);
        match self.script.get(at) {
            Some(HostLine::Plain(Command::Profile(profile))) => {
                if is_good {
                    self.profiles_taken = self.profiles_taken.saturating_add(1);
                } else {
                    let detail = profile.clone();
                    self.steps
                        .push_back(Step::Say(Signal::Remark { what: "电台不接受业务登记（CTSP）", detail }));
                }
                self.script_step(now, next);
            }
            // Some radios know neither echo nor modes; what counts is the services.
            Some(HostLine::Plain(Command::EchoOff)) => {
                self.is_quiet = is_good;
                self.script_step(now, next);
            }
            Some(HostLine::Plain(Command::Mode(_))) => self.script_step(now, next),
            _ if is_good => self.script_step(now, next),
            _ => self.pause(now),
        }
    }

    fn rest(&mut self, now: Duration) {
        self.stand(Stage::Idle, now + SILENCE);
        self.next(now);
    }

    /// The next errand, if the line is free and its time has come.
    fn next(&mut self, now: Duration) {
        if self.stage != Stage::Idle {
            return;
        }
        let Some(errand) = self.waiting.front() else { return };
        if errand.not_before > now {
            self.until = errand.not_before;
            return;
        }
        let kind = u8::from(errand.to.len() == 15);
        if self.chosen == Some(kind) {
            return self.hand_over(now);
        }
        self.write(&HostLine::Service { service: 12, called_type: kind, rest: vec![0, 0, 1] });
        self.stand(Stage::Choosing(kind), now + ANSWER_WITHIN);
    }

    fn hand_over(&mut self, now: Duration) {
        let Some(errand) = self.waiting.front_mut() else { return self.rest(now) };
        let frame = Outgoing::from(errand.frame.clone());
        let is_first = !std::mem::replace(&mut errand.is_carried, true);
        errand.first_at.get_or_insert(now);
        self.steps.push_back(match errand.native {
            Some(_) if is_first => Step::Carry { frame, last: false },
            _ => Step::Send(frame),
        });
        self.stand(Stage::Sending, now + RESULT_WITHIN);
    }

    fn refuse(&mut self, code: u16) {
        let (about, outcome) = (Some(OrderKind::Send), Outcome::Refused { code });
        self.steps.push_back(Step::Say(Signal::Feedback { about, outcome }));
    }

    /// The radio would not send now: again after a while, and refused when the patience is over.
    fn failed(&mut self, now: Duration, code: u16) {
        let Some(errand) = self.waiting.front_mut() else { return self.rest(now) };
        let first_at = *errand.first_at.get_or_insert(now);
        if now + errand.pause < first_at + PATIENCE {
            errand.not_before = now + errand.pause;
            errand.pause = (errand.pause * 2).min(AGAIN_LAST);
        } else {
            let native = self.waiting.pop_front().and_then(|errand| errand.native);
            if native.is_some() {
                self.refuse(code);
            }
        }
        self.rest(now);
    }

    /// The radio has the first errand.
    fn taken(&mut self, now: Duration, status: Option<u8>) {
        self.stand(Stage::Taken, now + OK_WITHIN);
        if status == Some(STATUS_TAKEN)
            && let Some(native) = self.waiting.front().and_then(|errand| errand.native)
        {
            self.afterwards.push(Signal::Progress { native, rung: Rung::Radiated });
        }
    }

    /// The exchange is over. The last bytes of a message are a plain "AT": they say that all before it went well.
    fn close(&mut self, now: Duration) {
        let Some(errand) = self.waiting.pop_front() else { return self.rest(now) };
        if let Some(native) = errand.native {
            self.last_sent = Some((self.terminal(&errand.to), native));
            let frame = Bytes::from(HostLine::Plain(Command::Attention).emit()).into();
            self.steps.push_back(Step::Carry { frame, last: true });
            self.steps.extend(self.afterwards.drain(..).map(Step::Say));
            return self.stand(Stage::Asking, now + ANSWER_WITHIN);
        }
        self.last_sent = None;
        self.rest(now);
    }

    fn terminal(&self, written: &str) -> TerminalId {
        TerminalId::new(crate::message::Bearer::Radio370, self.settings.number(written))
    }

    fn answered(&mut self, now: Duration, line: &RadioLine) {
        let code = match line {
            RadioLine::CmeError(code) => Some(*code),
            RadioLine::Busy => Some(CODE_BUSY),
            RadioLine::Error => Some(CODE_NONE),
            RadioLine::Sent { status: Some(STATUS_FAILED), .. } => Some(STATUS_FAILED.into()),
            RadioLine::Ok | RadioLine::Sent { .. } => None,
            _ => return,
        };
        let is_result = matches!(line, RadioLine::Sent { .. });
        match (self.stage, code) {
            (Stage::Starting(at), _) if !is_result => self.script_answer(now, at, code.is_none()),
            (Stage::Asking, _) if !is_result => self.rest(now),
            (Stage::Choosing(kind), None) if !is_result => {
                self.chosen = Some(kind);
                self.hand_over(now);
            }
            (Stage::Choosing(_) | Stage::Sending, Some(code)) => self.failed(now, code),
            (Stage::Sending, None) => match line {
                RadioLine::Sent { status, .. } => self.taken(now, *status),
                _ => self.close(now),
            },
            (Stage::Taken, _) if !is_result => self.close(now),
            _ if is_result => self.late_result(line),
            _ => {}
        }
    }

    /// The network's word on the last send, which some radios give after the exchange.
    fn late_result(&mut self, line: &RadioLine) {
        let current = self.waiting.front().filter(|_| self.stage == Stage::Taken);
        let current = current.and_then(|errand| Some((self.terminal(&errand.to), errand.native?)));
        let Some((by, native)) = current.or_else(|| self.last_sent.clone()) else { return };
        let RadioLine::Sent { status: Some(status), .. } = line else { return };
        let said = match *status {
            STATUS_TAKEN => Signal::Progress { native, rung: Rung::Radiated },
            STATUS_FAILED => Signal::Delivery { by, native, delivered: false, code: STATUS_FAILED.into() },
            _ => return,
        };
        self.steps.push_back(Step::Say(said));
    }

    /// Reports name a reference of eight bits: our own number is put back. Who reports must be who was called.
    fn renumber(&mut self, indication: &Indication, signals: &mut Vec<Signal>) {
        let calling = indication.calling.as_deref().map(|calling| self.terminal(calling));
        for signal in signals {
            let (Signal::Delivery { native, .. } | Signal::Progress { native, .. }) = signal else { continue };
            let known = u8::try_from(*native).ok().and_then(|reference| self.references.get(&reference));
            match known.filter(|(to, _)| Some(to) == calling.as_ref()) {
                Some((_, ours)) => *native = *ours,
                None => {
                    let detail = format!("{} {}", indication.calling.as_deref().unwrap_or_default(), indication.hex);
                    *signal = Signal::Remark { what: "回执所指的短信不在本次会话", detail };
                }
            }
        }
    }

    /// A report that came while its send still waits for its own result is said after it.
    fn hold_early(&mut self, signals: &mut Vec<Signal>) {
        let native = self.waiting.front().and_then(|errand| errand.native);
        if native.is_none() || !matches!(self.stage, Stage::Sending | Stage::Taken) {
            return;
        }
        let is_about = |signal: &Signal| {
            matches!(signal, Signal::Delivery { native: about, .. } | Signal::Progress { native: about, .. }
                if Some(*about) == native)
        };
        let (early, rest): (Vec<_>, Vec<_>) = signals.drain(..).partition(is_about);
        *signals = rest;
        self.afterwards.extend(early);
    }

    fn push(&mut self, now: Duration, frame: Bytes, native: Option<u32>) {
        let Ok(HostLine::Send { to, hex, .. }) = HostLine::parse(&frame) else { return };
        if native.is_none() && self.waiting.len() >= WAITING_MAX {
            return;
        }
        if let (Some(native), [0x82, _, reference, ..]) = (native, super::wire::at::unhex(&hex).as_slice()) {
            self.references.insert(*reference, (self.terminal(&to), native));
        }
        let pause = AGAIN_FIRST;
        self.waiting.push_back(Errand { to, frame, native, first_at: None, is_carried: false, pause, not_before: now });
        self.next(now);
    }

    fn plan_wake(&mut self) {
        if self.stage != Stage::Down {
            self.steps.push_back(Step::WakeAt(self.until));
        }
    }
}

impl Dialogue for Conversation {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.waiting.clear();
        self.last_sent = None;
        self.retry = FIRST_RETRY;
        self.begin(now);
        self.plan_wake();
    }

    fn heard(&mut self, now: Duration, _: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Ok(line) = RadioLine::parse(frame) else { return };
        self.silent = 0;
        if let RadioLine::Indication(indication) = &line {
            self.renumber(indication, signals);
            self.hold_early(signals);
            // A report may want an end of its own, or the far radio sends it again.
            if let (12, Some(to)) = (indication.service, &indication.calling)
                && let Ok(Sds::Report { pid, ack_required: true, status, reference }) = Sds::parse(&indication.bytes())
            {
                let status = if status == 2 { 3 } else { 1 };
                let to = self.settings.number(to).trim_start_matches('0').to_owned();
                self.push(now, send(&to, &Sds::Ack { pid, status, reference }.emit()), None);
            }
        } else if matches!(line, RadioLine::Echo(_)) {
            if self.is_ready && self.is_quiet {
                self.begin(now);
            }
            self.is_quiet = false;
        } else {
            self.answered(now, &line);
        }
        if self.stage == Stage::Idle && self.waiting.is_empty() {
            self.until = now + SILENCE;
        }
        self.plan_wake();
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let native = match cargo {
            Cargo::Message { native } => Some(native),
            Cargo::Answer => None,
        };
        for frame in frames {
            self.push(now, frame.bytes, native);
        }
        self.plan_wake();
        Given::Held
    }

    fn wake(&mut self, now: Duration) {
        if now < self.until {
            return self.plan_wake();
        }
        match self.stage {
            Stage::Down => {}
            Stage::Pausing => self.begin(now),
            Stage::Starting(_) => self.pause(now),
            Stage::Idle if !self.waiting.is_empty() => self.next(now),
            Stage::Idle => {
                self.write(&HostLine::Plain(Command::Attention));
                self.stand(Stage::Asking, now + ANSWER_WITHIN);
            }
            Stage::Asking => {
                self.silent = self.silent.saturating_add(1);
                if self.silent >= SILENT_MAX {
                    self.begin(now);
                } else {
                    self.write(&HostLine::Plain(Command::Attention));
                    self.stand(Stage::Asking, now + ANSWER_WITHIN);
                }
            }
            Stage::Choosing(_) => self.failed(now, CODE_NONE),
            // The far radio has it, so the result only got lost.
            Stage::Sending if !self.afterwards.is_empty() => self.close(now),
            // No result at all: the radio is not following.
            Stage::Sending => self.begin(now),
            Stage::Taken => self.close(now),
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
