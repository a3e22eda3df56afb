//! The start-up inquiry: ask for the card until it answers, then have the terminal report its signal.
//!
//! Terminals forget their output settings when they restart, and some sit silent. A card that tells of itself unasked is
//! a restart: the settings are sent again. A minute of silence is a lost terminal: not ready, and from the beginning.

#[cfg(test)]
mod tests;

use super::encode;
use super::settings::Settings;
use crate::codec::{Dialogue, Step};
use crate::message::{CardState, Peer, Signal};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

const FIRST_RETRY: Duration = Duration::from_secs(2);
const LAST_RETRY: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(60);
/// An answer within this time of a question is an answer to it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const STRENGTH_EVERY: Duration = Duration::from_secs(10);

/// The inquiry of one port.
#[derive(Clone, Debug)]
pub struct Inquiry {
    settings: Settings,
    steps: VecDeque<Step>,
    ready: bool,
    retry: Duration,
    asked_at: Duration,
    heard_at: Duration,
}

impl Inquiry {
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            steps: VecDeque::new(),
            ready: false,
            retry: FIRST_RETRY,
            asked_at: Duration::ZERO,
            heard_at: Duration::ZERO,
        }
    }

    fn send(&mut self, bytes: Option<Bytes>) {
        self.steps.extend(bytes.map(|bytes| Step::Send(bytes.into())));
    }

    fn ask(&mut self, now: Duration) {
        self.send(encode::ask_card(&self.settings).ok());
        self.asked_at = now;
        self.steps.push_back(Step::WakeAt(now + self.retry));
        self.retry = (self.retry * 2).min(LAST_RETRY);
    }

    fn begin(&mut self, now: Duration) {
        self.ready = false;
        self.retry = FIRST_RETRY;
        self.steps.push_back(Step::Ready(false));
        self.ask(now);
    }

    fn card(&mut self, now: Duration, state: CardState) {
        match (state, self.ready) {
            (CardState::Present, false) => {
                self.ready = true;
                self.send(encode::ask_strength(&self.settings, STRENGTH_EVERY).ok());
                self.steps.push_back(Step::Ready(true));
                self.steps.push_back(Step::WakeAt(now + SILENCE));
            }
            (CardState::Present, true) if now.saturating_sub(self.asked_at) > ANSWER_WITHIN => {
                self.send(encode::ask_strength(&self.settings, STRENGTH_EVERY).ok());
            }
            (CardState::Missing, true) => self.begin(now),
            (CardState::Missing, false) | (CardState::Present, true) => {}
        }
    }
}

impl Dialogue for Inquiry {
    fn link_up(&mut self, now: Duration) {
        self.steps.clear();
        self.heard_at = now;
        self.begin(now);
    }

    fn heard(&mut self, now: Duration, _from: Option<Peer>, _frame: &[u8], signals: &mut Vec<Signal>) {
        self.heard_at = now;
        for signal in signals.iter() {
            if let Signal::Card(card) = signal {
                self.card(now, card.state);
            }
        }
    }

    fn wake(&mut self, now: Duration) {
        let silent_at = self.heard_at + SILENCE;
        if self.ready && now < silent_at {
            self.steps.push_back(Step::WakeAt(silent_at));
        } else if self.ready {
            self.begin(now);
        } else {
            self.ask(now);
        }
    }

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
