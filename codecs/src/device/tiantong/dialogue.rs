//! The conversation with a phone: start-up, one command at a time, the prompt exchange of a send, reading and deleting
//! what it stored, and the number of each message behind the reference that the phone gave it.

mod receipts;
mod start;
#[cfg(test)]
mod tests;

use super::codec::{mark_of, remark};
use super::settings::Settings;
use super::wire::at::{CTRL_Z, ESC};
use super::wire::pdu::Message;
use super::wire::{Address, At, Pdu, Place, cms_words, is_passing};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{CardInfo, CardState, OrderKind, Outcome, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use receipts::Receipts;
use start::{Start, steps};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long a phone may take: for a plain command, the list of its store, the prompt, and a send over the satellite.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
const LIST_WITHIN: Duration = Duration::from_secs(40);
const SEND_WITHIN: Duration = Duration::from_secs(150);
/// The first question is asked again soon, then less often.
const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_secs(30);
/// Commands in a row without an answer that mean a lost phone.
const MISSED_MAX: u32 = 2;
/// Tries of one part that the network did not take, and the wait before the second; it doubles.
const TRIES_MAX: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// What stands in place of a code where the phone said only ERROR.
const CODE_UNKNOWN: u16 = 500;
const CODE_NO_NETWORK: u16 = 331;
const CODE_FULL: u16 = 322;
const CODE_TIMEOUT: u16 = 332;
/// Messages in hand, at most: one is given at a time, one more may wait for its last answer.
const SENDING_MAX: usize = 8;

/// The conversation of one port.
#[derive(Clone, Debug)]
pub(super) struct Phone {
    settings: Settings,
    steps: VecDeque<Step>,
    /// The start-up steps still to come; `None` once it is through.
    start: Option<VecDeque<Start>>,
    retry: Duration,
    begin_at: Option<Duration>,
    asked: Option<Asked>,
    todo: VecDeque<Task>,
    sending: VecDeque<Sending>,
    receipts: Receipts,
    /// Where in the phone a message lies that was given on, by its mark.
    places: BTreeMap<u64, Vec<u16>>,
    /// Stored status reports: deleted at the next poll, when what they said is on disk.
    told_reports: Vec<u16>,
    /// Messages that were not stored in the phone and want an acknowledgement once they are stored here.
    direct: Vec<u64>,
    store: String,
    wants_ack: bool,
    lists_always: bool,
    registered: bool,
    ready: bool,
    missed: u32,
    poll_at: Duration,
    told: Option<&'static str>,
}

/// One command that the phone is answering.
#[derive(Clone, Debug)]
struct Asked {
    task: Task,
    until: Duration,
    reference: Option<u8>,
}

/// What is asked of the phone.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    Start(Start),
    Registration,
    Quality,
    List,
    Read(u16),
    Delete(u16),
    /// +CNMA: a message that the phone did not keep is stored here.
    Acknowledge,
    /// AT+CMGS, up to its prompt.
    Prompt,
    /// The PDU after the prompt.
    Content,
}

/// A message in hand.
#[derive(Clone, Debug)]
struct Sending {
    native: u32,
    by: TerminalId,
    /// The command and the PDU of each part.
    parts: Vec<(Bytes, Bytes)>,
    /// The part that is being sent, and how many were given to the phone at least once.
    next: usize,
    carried: usize,
    tries: u32,
    not_before: Duration,
}

impl Sending {
    fn is_carried(&self) -> bool {
        self.carried >= self.parts.len()
    }
}

impl Phone {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            store: settings.store.into(),
            settings,
            steps: VecDeque::new(),
            start: None,
            retry: FIRST_RETRY,
            begin_at: None,
            asked: None,
            todo: VecDeque::new(),
            sending: VecDeque::new(),
            receipts: Receipts::default(),
            places: BTreeMap::new(),
            told_reports: Vec::new(),
            direct: Vec::new(),
            wants_ack: false,
            lists_always: false,
            registered: false,
            ready: false,
            missed: 0,
            poll_at: Duration::ZERO,
            told: None,
        }
    }

    fn begin(&mut self, now: Duration) {
        self.set_ready(false);
        self.give_back(Outcome::NoSignal);
        self.asked = None;
        self.todo.clear();
        self.places.clear();
        self.told_reports.clear();
        self.direct.clear();
        (self.wants_ack, self.lists_always, self.registered, self.missed) = (false, false, false, 0);
        self.store = self.settings.store.into();
        self.begin_at = None;
        self.start = Some(steps(&self.settings));
        self.go_on(now);
    }

    fn begin_later(&mut self, now: Duration) {
        self.set_ready(false);
        self.asked = None;
        self.begin_at = Some(now + self.retry);
        self.retry = (self.retry * 2).min(LAST_RETRY);
    }

    fn set_ready(&mut self, ready: bool) {
        if self.ready != ready {
            self.ready = ready;
            self.steps.push_back(Step::Ready(ready));
        }
    }

    fn say(&mut self, signal: Signal) {
        self.steps.push_back(Step::Say(signal));
    }

    /// Once per trouble: phones repeat themselves.
    fn say_once(&mut self, what: &'static str, detail: String) {
        if self.told != Some(what) {
            self.told = Some(what);
            self.say(remark(what, detail));
        }
    }

    fn write(&mut self, bytes: Bytes) {
        self.steps.push_back(Step::Send(bytes.into()));
    }

    fn ask(&mut self, now: Duration, task: Task, line: &str, within: Duration) {
        self.write(At::command(line));
        self.asked = Some(Asked { task, until: now + within, reference: None });
    }

    /// The next command, when the phone is free; and when to be woken.
    fn go_on(&mut self, now: Duration) {
        if self.asked.is_none() && self.begin_at.is_none() {
            self.next(now);
        }
        let waiting = self.sending.front().filter(|_| self.ready && self.asked.is_none());
        let times = [
            self.asked.as_ref().map(|asked| asked.until),
            self.begin_at,
            waiting.map(|sending| sending.not_before),
            Some(self.poll_at).filter(|_| self.start.is_none() && self.asked.is_none()),
        ];
        if let Some(at) = times.into_iter().flatten().min() {
            self.steps.push_back(Step::WakeAt(at.max(now)));
        }
    }

    fn next(&mut self, now: Duration) {
        if let Some(start) = &self.start {
            if let Some(step) = start.front().cloned() {
                let within = if step.is_first() { self.retry } else { ANSWER_WITHIN };
                let line = step.line.clone();
                return self.ask(now, Task::Start(step), &line, within);
            }
            self.start = None;
            self.retry = FIRST_RETRY;
            self.poll_at = now + POLL_EVERY;
            self.todo.push_back(Task::List);
            self.set_ready(self.registered);
        }
        if let Some(task) = self.todo.pop_front() {
            return self.ask_task(now, task);
        }
        if self.ready && self.sending.front().is_some_and(|sending| sending.not_before <= now) {
            let part = self.sending.front().and_then(|sending| sending.parts.get(sending.next));
            if let Some((command, _)) = part.cloned() {
                self.write(command);
                self.asked = Some(Asked { task: Task::Prompt, until: now + ANSWER_WITHIN, reference: None });
            }
            return;
        }
        if self.poll_at <= now {
            self.poll_at = now + POLL_EVERY;
            let deletes = std::mem::take(&mut self.told_reports);
            self.todo.extend(deletes.into_iter().map(Task::Delete));
            self.todo.push_back(Task::Quality);
            if self.lists_always {
                self.todo.push_back(Task::List);
            }
            self.ask_task(now, Task::Registration);
        }
    }

    fn ask_task(&mut self, now: Duration, task: Task) {
        let (line, within) = match &task {
            Task::Registration => ("AT+CREG?".to_owned(), ANSWER_WITHIN),
            Task::Quality => ("AT+CSQ".to_owned(), ANSWER_WITHIN),
            Task::List => ("AT+CMGL=4".to_owned(), LIST_WITHIN),
            Task::Read(index) => (format!("AT+CMGR={index}"), ANSWER_WITHIN),
            Task::Delete(index) => (format!("AT+CMGD={index}"), ANSWER_WITHIN),
            Task::Acknowledge => ("AT+CNMA".to_owned(), ANSWER_WITHIN),
            Task::Start(_) | Task::Prompt | Task::Content => return,
        };
        self.ask(now, task, &line, within);
    }

    /// A message is not going out: said as feedback while we still hold it, as its delivery after that.
    fn fail(&mut self, sending: &Sending, outcome: Outcome, code: u16) {
        let signal = if sending.is_carried() {
            Signal::Delivery { by: sending.by.clone(), native: sending.native, delivered: false, code }
        } else {
            Signal::Feedback { about: Some(OrderKind::Send), outcome }
        };
        self.receipts.forget(sending.native);
        self.say(signal);
    }

    /// What we still hold goes back. What the phone has whole is left unknown: a try may have come through.
    fn give_back(&mut self, outcome: Outcome) {
        for sending in std::mem::take(&mut self.sending) {
            if !sending.is_carried() {
                self.fail(&sending, outcome, CODE_NO_NETWORK);
            }
        }
    }

    /// The prompt has come: the PDU goes out. The first time it spends airtime; a part that the network did not take is
    /// given again without.
    fn content(&mut self, now: Duration) {
        let Some(sending) = self.sending.front_mut() else { return };
        let Some((_, pdu)) = sending.parts.get(sending.next).cloned() else { return };
        let frame: Outgoing = pdu.into();
        if sending.next >= sending.carried {
            sending.carried = sending.next + 1;
            let last = sending.is_carried();
            self.steps.push_back(Step::Carry { frame, last });
        } else {
            self.steps.push_back(Step::Send(frame));
        }
        self.asked = Some(Asked { task: Task::Content, until: now + SEND_WITHIN, reference: None });
    }

    fn taken(&mut self, reference: Option<u8>) {
        let Some(sending) = self.sending.front_mut() else { return };
        sending.next += 1;
        sending.tries = 0;
        let (native, total, by) = (sending.native, sending.parts.len(), sending.by.clone());
        let is_through = sending.next >= total;
        if let Some(reference) = reference {
            let early = self.receipts.sent(native, total, reference, &by);
            self.steps.extend(early.into_iter().map(Step::Say));
        }
        if is_through {
            self.sending.pop_front();
            self.say(Signal::Progress { native, rung: Rung::Radiated });
        }
    }

    /// The phone or the network did not take a part.
    fn refused(&mut self, now: Duration, code: u16) {
        if code == CODE_FULL {
            self.say_once("手机短信存储已满", "不删未存的来信；先读出已有短信，存好后再删".into());
            self.todo.push_back(Task::List);
        }
        if code == CODE_NO_NETWORK {
            self.registration(false);
            return;
        }
        let Some(sending) = self.sending.front_mut() else { return };
        sending.tries += 1;
        if is_passing(code) && sending.tries < TRIES_MAX {
            sending.not_before = now + FIRST_WAIT * 2_u32.pow(sending.tries - 1);
            return;
        }
        let Some(sending) = self.sending.pop_front() else { return };
        let detail = format!("{}：{code} {}，试了 {} 次", sending.by, cms_words(code), sending.tries);
        self.say(remark("短信未发出", detail));
        self.fail(&sending, Outcome::Refused { code }, code);
    }

    fn registration(&mut self, registered: bool) {
        if self.registered && !registered {
            self.say_once("卫星电话脱网", "没有登记到网络，短信先留在本站".into());
        }
        self.registered = registered;
        if self.start.is_none() && self.begin_at.is_none() {
            if registered && self.told == Some("卫星电话脱网") {
                self.told = None;
            }
            self.set_ready(registered);
            if !registered {
                self.give_back(Outcome::NoSignal);
            }
        }
    }

    /// The phone has finished with a command. `code` = why it refused.
    fn finish(&mut self, now: Duration, refusal: Option<u16>, signals: &mut Vec<Signal>) {
        let Some(asked) = self.asked.take() else { return };
        self.missed = 0;
        match (asked.task, refusal) {
            (Task::Start(step), refusal) => {
                signals.retain(|signal| !matches!(signal, Signal::Remark { .. }));
                self.started(now, &step, refusal);
            }
            (Task::Content, None) => self.taken(asked.reference),
            (Task::Prompt | Task::Content, Some(code)) => {
                signals.clear();
                self.refused(now, code);
            }
            // OK without a prompt: the phone did not understand the command as one that wants a PDU.
            (Task::Prompt, None) => self.refused(now, CODE_UNKNOWN),
            (Task::Read(_) | Task::Acknowledge, Some(_)) => signals.clear(),
            _ => {}
        }
    }

    fn overdue(&mut self, now: Duration) {
        let Some(asked) = self.asked.take() else { return };
        match asked.task {
            Task::Start(step) if step.is_first() => return self.begin_later(now),
            Task::Start(_) => return self.begin_later(now),
            Task::Prompt | Task::Content => {
                // Whatever the phone is doing, it shall not take the next command for a PDU.
                self.write(Bytes::from_static(&[ESC]));
                if let Some(sending) = self.sending.pop_front() {
                    let detail = format!("{}：手机没有应答，发没发出不知道", sending.by);
                    self.say(remark("短信结果不明", detail));
                    if !sending.is_carried() {
                        self.fail(&sending, Outcome::Refused { code: CODE_TIMEOUT }, CODE_TIMEOUT);
                    }
                }
            }
            _ => {}
        }
        self.missed += 1;
        if self.missed >= MISSED_MAX {
            self.say_once("卫星电话没有应答", "重新开始联络".into());
            self.begin(now);
        }
    }

    fn message(&mut self, place: Place, pdu: &Pdu, signals: &mut Vec<Signal>) {
        let index = match place {
            Place::Listed { index, .. } => Some(index),
            Place::Read { .. } => self.asked.as_ref().and_then(|asked| match asked.task {
                Task::Read(index) => Some(index),
                _ => None,
            }),
            Place::Direct | Place::Report => None,
        };
        match (&pdu.message, index) {
            (Message::Deliver(_), Some(index)) => {
                let places = self.places.entry(mark_of(pdu)).or_default();
                if !places.contains(&index) {
                    places.push(index);
                }
            }
            (Message::Deliver(_), None) => self.direct.push(mark_of(pdu)),
            (Message::Report(report), index) => {
                let is_sending = matches!(&self.asked, Some(asked) if asked.task == Task::Content);
                self.receipts.heard(report.reference, is_sending, signals);
                self.told_reports.extend(index);
                if index.is_none() && self.wants_ack {
                    self.todo.push_front(Task::Acknowledge);
                }
            }
            (Message::Submit(_), _) => {}
        }
    }

    fn stored_in_phone(&mut self, memory: String, index: u16) {
        if memory != self.store {
            // Somebody changed where the phone keeps messages: from now on we read there.
            self.say(remark("手机改存短信", format!("{} → {memory}", self.store)));
            self.places.clear();
            self.store.clone_from(&memory);
            let step = Start::may(format!("AT+CPMS=\"{memory}\",\"{memory}\",\"{memory}\""));
            self.start.get_or_insert_default().push_front(step);
        }
        if !self.todo.contains(&Task::Read(index)) {
            self.todo.push_back(Task::Read(index));
        }
    }
}

impl Dialogue for Phone {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.sending.clear();
        self.retry = FIRST_RETRY;
        self.told = None;
        self.ready = false;
        self.steps.push_back(Step::Ready(false));
        self.begin(now);
    }

    fn heard(&mut self, now: Duration, _from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Ok(at) = At::parse(frame) else { return };
        match at {
            At::Ok => self.finish(now, None, signals),
            At::Error => self.finish(now, Some(CODE_UNKNOWN), signals),
            At::CmsError(code) => self.finish(now, Some(code), signals),
            At::CmeError(code) => self.finish(now, Some(self.as_cms(code)), signals),
            At::Info { name, .. } if name.ends_with("ERROR") => self.finish(now, Some(CODE_UNKNOWN), signals),
            At::Prompt if self.asked.as_ref().is_some_and(|asked| asked.task == Task::Prompt) => self.content(now),
            // A prompt that nobody asked for: out of it.
            At::Prompt => self.write(Bytes::from_static(&[ESC])),
            At::Sent { reference } => {
                if let Some(asked) = &mut self.asked {
                    asked.reference = Some(reference);
                }
            }
            At::Message { place, pdu } => self.message(place, &pdu, signals),
            At::Stored { memory, index, .. } => self.stored_in_phone(memory, index),
            At::Registration(stat) => self.registration(matches!(stat, 1 | 5)),
            At::Service(service) => self.wants_ack = service == 1,
            At::Sim(state) => self.sim(now, &state),
            // Echo comes back when the phone restarted: what it was told is forgotten.
            At::Command { .. } if self.start.is_none() && self.begin_at.is_none() => {
                self.say(remark("卫星电话重启过", "重新设置".into()));
                self.begin(now);
            }
            _ => {}
        }
        for signal in signals.iter_mut() {
            if let Signal::Strength { usable, .. } = signal {
                *usable = self.registered;
            }
        }
        self.go_on(now);
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let Cargo::Message { native } = cargo else { return Given::Write(frames) };
        let mut by = None;
        let mut parts = Vec::new();
        for frame in frames {
            if let Ok(At::Command { pdu: Some(Pdu { message: Message::Submit(submit), .. }), .. }) =
                At::parse(&frame.bytes)
            {
                by = Some(self.settings.terminal(&submit.to));
            }
            let mut command = frame.bytes;
            let cut = command.iter().position(|b| *b == b'\r').map_or(command.len(), |at| at + 1);
            let pdu = command.split_off(cut);
            debug_assert!(pdu.ends_with(&[CTRL_Z]), "encode writes both pieces");
            parts.push((command, pdu));
        }
        let by = by.unwrap_or_else(|| self.settings.terminal(&Address::dialled("")));
        let sending = Sending { native, by, parts, next: 0, carried: 0, tries: 0, not_before: now };
        if self.ready && self.sending.len() < SENDING_MAX && !sending.parts.is_empty() {
            self.sending.push_back(sending);
        } else {
            self.fail(&sending, Outcome::NoSignal, CODE_NO_NETWORK);
        }
        self.go_on(now);
        Given::Held
    }

    fn stored(&mut self, now: Duration, signal: &Signal) {
        let Signal::Heard(heard) = signal else { return };
        let Some(native) = heard.native else { return };
        for index in self.places.remove(&native.id).unwrap_or_default() {
            self.todo.push_back(Task::Delete(index));
        }
        if let Some(at) = self.direct.iter().position(|mark| *mark == native.id) {
            self.direct.remove(at);
            if self.wants_ack {
                self.todo.push_front(Task::Acknowledge);
            }
        }
        self.go_on(now);
    }

    fn wake(&mut self, now: Duration) {
        if self.begin_at.is_some_and(|at| at <= now) {
            return self.begin(now);
        }
        if self.asked.as_ref().is_some_and(|asked| asked.until <= now) {
            self.overdue(now);
        }
        self.go_on(now);
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}

/// The card as it is told when there is none.
fn no_card(own: TerminalId) -> Signal {
    let state = CardState::Missing;
    Signal::Card(CardInfo { state, own, period: None, capacity_bits: None, broadcast: None, subordinates: 0 })
}
