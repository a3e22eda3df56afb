//! The conversation with a radio: app start, query, clock, contacts; then texts are fetched as they come and sent one
//! command at a time.
//!
//! A radio that answers nothing three times is lost: not ready, and from the beginning.

use super::codec::terminal;
use super::settings::Settings;
use super::wire::{FromRadio, ToRadio};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{Addressee, Bearer, OrderKind, Outcome, Peer, Rung, Signal, TerminalId};
use std::collections::VecDeque;
use std::time::Duration;

/// How long an answer may take before the next command goes out.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const SILENT_MAX: u32 = 3;
/// Texts whose ack is awaited, at most: the oldest is forgotten first.
const AWAITED_MAX: usize = 32;
/// The protocol version that we understand: texts with their signal strength.
const VERSION: u8 = 3;

/// A command that is to be written, or is being answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ask {
    Start,
    Query,
    Clock,
    Contacts,
    Fetch,
    Text { native: u32, to: Addressee, frame: ToRadio },
}

/// The conversation of one link.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    settings: Settings,
    steps: VecDeque<Step>,
    waiting: VecDeque<Ask>,
    /// What is being answered, and until when.
    asked: Option<(Ask, Duration)>,
    ready: bool,
    silent: u32,
    fetch_at: Duration,
    /// The radio's clock in seconds, and when it was so late.
    clock: (u32, Duration),
    last_timestamp: u32,
    /// Ack codes of texts on their way.
    awaited: VecDeque<([u8; 4], u32, TerminalId)>,
}

impl Conversation {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            steps: VecDeque::new(),
            waiting: VecDeque::new(),
            asked: None,
            ready: false,
            silent: 0,
            fetch_at: Duration::ZERO,
            clock: (0, Duration::ZERO),
            last_timestamp: 0,
            awaited: VecDeque::new(),
        }
    }

    fn begin(&mut self, now: Duration) {
        // A text that was held and not written is lost with this conversation, and the radio did not get it.
        for ask in self.waiting.drain(..) {
            if let Ask::Text { .. } = ask {
                let outcome = Outcome::NoSignal;
                self.steps.push_back(Step::Say(Signal::Feedback { about: Some(OrderKind::Send), outcome }));
            }
        }
        (self.asked, self.ready, self.silent) = (None, false, 0);
        self.steps.push_back(Step::Ready(false));
        self.waiting.extend([Ask::Start, Ask::Query, Ask::Clock, Ask::Contacts, Ask::Fetch]);
        self.go_on(now);
    }

    /// The next command, when none is being answered.
    fn go_on(&mut self, now: Duration) {
        if self.asked.is_none()
            && let Some(ask) = self.waiting.pop_front()
        {
            self.write(now, &ask);
            self.asked = Some((ask, now.saturating_add(ANSWER_WITHIN)));
        }
        let wake = self.asked.as_ref().map_or(self.fetch_at, |(_, until)| *until);
        self.steps.push_back(Step::WakeAt(wake));
    }

    fn write(&mut self, now: Duration, ask: &Ask) {
        let frame = match ask {
            Ask::Start => ToRadio::AppStart { reserved: [VERSION, 0, 0, 0, 0, 0, 0], app: self.settings.app.clone() },
            Ask::Query => ToRadio::Query { version: VERSION },
            Ask::Clock => ToRadio::AskTime,
            Ask::Contacts => ToRadio::Contacts { since: None },
            Ask::Fetch => ToRadio::NextMessage,
            Ask::Text { frame, .. } => self.timed(now, frame.clone()),
        };
        let Ok(bytes) = frame.emit() else { return };
        let frame = Outgoing::from(bytes);
        self.steps.push_back(match ask {
            Ask::Text { .. } => Step::Carry { frame, last: true },
            _ => Step::Send(frame),
        });
    }

    /// The text with the radio's time in it: far radios tell repeats by it, so none is given twice.
    fn timed(&mut self, now: Duration, mut frame: ToRadio) -> ToRadio {
        let (seconds, at) = self.clock;
        let passed = u32::try_from(now.saturating_sub(at).as_secs()).unwrap_or(u32::MAX);
        let time = seconds.saturating_add(passed).max(self.last_timestamp.saturating_add(1));
        self.last_timestamp = time;
        if let ToRadio::DirectText { timestamp, .. } | ToRadio::ChannelText { timestamp, .. } = &mut frame {
            *timestamp = time;
        }
        frame
    }

    /// A command has its answer, or will get none.
    fn answered(&mut self, now: Duration, ask: &Ask) {
        if *ask == Ask::Contacts && !self.ready {
            self.ready = true;
            self.steps.push_back(Step::Ready(true));
        }
        self.asked = None;
        self.go_on(now);
    }

    fn fetch(&mut self, now: Duration) {
        self.fetch_at = now.saturating_add(self.settings.poll_every);
        if !self.waiting.contains(&Ask::Fetch) {
            self.waiting.push_back(Ask::Fetch);
        }
    }

    fn answer(&mut self, now: Duration, said: &FromRadio, signals: &mut Vec<Signal>) {
        let Some((ask, _)) = self.asked.clone() else { return };
        let fits = match (&ask, said) {
            (Ask::Start, FromRadio::SelfInfo(_))
            | (Ask::Query, FromRadio::DeviceInfo(_) | FromRadio::Refused { .. })
            | (Ask::Contacts, FromRadio::ContactsEnd { .. } | FromRadio::Refused { .. })
            | (Ask::Clock, FromRadio::Refused { .. })
            | (Ask::Fetch, FromRadio::NoMore | FromRadio::Refused { .. }) => true,
            (Ask::Clock, FromRadio::Time { seconds }) => {
                self.clock = (*seconds, now);
                true
            }
            (Ask::Contacts, FromRadio::ContactsStart { .. } | FromRadio::Contact(_)) => {
                // A long list takes its time.
                self.asked = Some((ask, now.saturating_add(ANSWER_WITHIN)));
                return self.go_on(now);
            }
            (Ask::Fetch, FromRadio::Text(_)) => {
                self.fetch(now);
                true
            }
            // A text without a meaning for us, out of the same queue.
            (Ask::Fetch, FromRadio::Other { kind, .. }) if *kind < 0x80 => {
                self.fetch(now);
                true
            }
            (Ask::Text { native, to, .. }, said) => self.text_answered(*native, to, said, signals),
            _ => false,
        };
        if fits {
            self.answered(now, &ask);
        }
    }

    fn text_answered(&mut self, native: u32, to: &Addressee, said: &FromRadio, signals: &mut Vec<Signal>) -> bool {
        match said {
            FromRadio::Done { .. } | FromRadio::Sent { .. } => {
                signals.push(Signal::Progress { native, rung: Rung::Radiated });
            }
            FromRadio::Refused { code } => {
                let by = match to {
                    Addressee::Terminal(id) | Addressee::Group(id) => id.clone(),
                    Addressee::Everyone(bearer) => TerminalId::from_number(*bearer, 0),
                };
                signals.push(Signal::Delivery { by, native, delivered: false, code: code.unwrap_or(0).into() });
            }
            _ => return false,
        }
        if let (FromRadio::Sent { expected_ack, .. }, Addressee::Terminal(id)) = (said, to) {
            if self.awaited.len() >= AWAITED_MAX {
                self.awaited.pop_front();
            }
            self.awaited.push_back((*expected_ack, native, id.clone()));
        }
        true
    }
}

impl Dialogue for Conversation {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.waiting.clear();
        self.fetch_at = now.saturating_add(self.settings.poll_every);
        self.begin(now);
    }

    fn heard(&mut self, now: Duration, _: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>) {
        let Ok(said) = FromRadio::parse(frame) else { return };
        self.silent = 0;
        match &said {
            FromRadio::Waiting => {
                self.fetch(now);
                self.go_on(now);
            }
            FromRadio::Confirmed { ack, .. } => {
                if let Some(at) = self.awaited.iter().position(|(code, ..)| code == ack)
                    && let Some((_, native, by)) = self.awaited.remove(at)
                {
                    signals.push(Signal::Delivery { by, native, delivered: true, code: 0 });
                }
            }
            answer => self.answer(now, answer, signals),
        }
    }

    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let Cargo::Message { native } = cargo else { return Given::Write(frames) };
        let parsed = frames.first().and_then(|frame| ToRadio::parse(&frame.bytes).ok());
        let to = match &parsed {
            Some(ToRadio::DirectText { to, .. }) => Addressee::Terminal(terminal(*to)),
            Some(ToRadio::ChannelText { channel, .. }) => {
                Addressee::Group(TerminalId::from_number(Bearer::Mesh, (*channel).into()))
            }
            _ => return Given::Write(frames),
        };
        // Before what is fetched: a full radio must not keep a call for help waiting.
        self.waiting.extend(parsed.map(|frame| Ask::Text { native, to, frame }));
        self.waiting.rotate_right(1);
        self.go_on(now);
        Given::Held
    }

    fn wake(&mut self, now: Duration) {
        if let Some((ask, until)) = self.asked.clone() {
            if until > now {
                return self.go_on(now);
            }
            self.silent = self.silent.saturating_add(1);
            if self.silent >= SILENT_MAX || ask == Ask::Start {
                return self.begin(now);
            }
            return self.answered(now, &ask);
        }
        if self.fetch_at <= now {
            self.fetch(now);
        }
        self.go_on(now);
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
