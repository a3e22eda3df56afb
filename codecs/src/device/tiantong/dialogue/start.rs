//! The start-up, step by step. What a phone refuses is worked around where that can be; what it must have is waited for.

use super::super::settings::Settings;
use super::super::wire::{Address, cms_words};
use super::{LAST_RETRY, Phone, no_card};
use std::collections::VecDeque;
use std::time::Duration;

/// One command of the start-up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) line: String,
    need: Need,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Without it there is nothing to talk about.
    Must,
    May,
    /// Tried in this order until one is taken; the rest of the kind is skipped then.
    Notices,
    /// The card must be there and open.
    Card,
    Registration,
}

impl Start {
    fn new(line: impl Into<String>, need: Need) -> Self {
        Self { line: line.into(), need }
    }

    pub(super) fn may(line: String) -> Self {
        Self::new(line, Need::May)
    }

    /// The question whether anybody is there. ESC before it: a phone may still be waiting for a PDU of ours from before
    /// a crash.
    pub(super) fn is_first(&self) -> bool {
        self.line.starts_with('\u{1b}')
    }
}

pub(super) fn steps(settings: &Settings) -> VecDeque<Start> {
    let store = settings.store;
    let notices: &[&str] = if settings.wants_reports {
        &["AT+CNMI=2,1,0,1", "AT+CNMI=1,1,0,1", "AT+CNMI=2,1,0,1,0", "AT+CNMI=2,1"]
    } else {
        &["AT+CNMI=2,1,0,0", "AT+CNMI=1,1,0,0", "AT+CNMI=2,1"]
    };
    let mut steps = VecDeque::from([
        Start::new("\u{1b}AT", Need::Must),
        Start::new("ATE0", Need::May),
        Start::new("AT+CMEE=1", Need::May),
        Start::new("AT+CPIN?", Need::Card),
        Start::new("AT+CMGF=0", Need::Must),
        Start::new("AT+CSMS?", Need::May),
        Start::new(format!("AT+CPMS=\"{store}\",\"{store}\",\"{store}\""), Need::May),
    ]);
    steps.extend(notices.iter().map(|line| Start::new(*line, Need::Notices)));
    steps.extend([
        Start::new("AT+CNUM", Need::May),
        Start::new("AT+CREG=1", Need::May),
        Start::new("AT+CREG?", Need::Registration),
        Start::new("AT+CSQ", Need::May),
    ]);
    steps
}

impl Phone {
    /// A start-up command is answered.
    pub(super) fn started(&mut self, now: Duration, step: &Start, refusal: Option<u16>) {
        if self.begin_at.is_some() {
            return;
        }
        if let Some(start) = &mut self.start {
            start.pop_front();
        }
        match (step.need, refusal) {
            (Need::Notices, None) => {
                if let Some(start) = &mut self.start {
                    start.retain(|next| next.need != Need::Notices);
                }
                if step.line == "AT+CNMI=2,1" && self.settings.wants_reports {
                    self.say_once("手机不报短信回执", "只能知道已发出".into());
                }
            }
            (Need::Notices, Some(_)) => {
                let is_last = self.start.as_ref().is_none_or(|s| s.iter().all(|next| next.need != Need::Notices));
                if is_last {
                    self.lists_always = true;
                    self.say_once("手机不提示来信", "改为每 30 秒查看一次".into());
                }
            }
            // A phone that knows no such question is taken as registered: a send says otherwise.
            (Need::Registration, Some(_)) => self.registered = true,
            (Need::Card, Some(code)) => {
                if matches!(code, 310 | 313 | 315) {
                    let own = self.settings.terminal(&Address::dialled("0"));
                    self.say(no_card(own));
                }
                self.card_trouble(now, format!("{code} {}", cms_words(code)));
            }
            (Need::Must, Some(code)) => {
                self.say_once("卫星电话拒绝设置", format!("{}：{code}", step.line.trim_start_matches('\u{1b}')));
                self.begin_later(now);
            }
            (Need::Must | Need::May | Need::Registration | Need::Card, _) => {}
        }
    }

    /// `+CPIN: …`
    pub(super) fn sim(&mut self, now: Duration, state: &str) {
        if state != "READY" {
            self.card_trouble(now, state.to_owned());
        }
    }

    fn card_trouble(&mut self, now: Duration, detail: String) {
        self.say_once("卫星电话卡不可用", format!("{detail}：请在电话上插卡、输入或关闭 PIN；本站不存 PIN"));
        self.retry = LAST_RETRY;
        self.begin_later(now);
    }

    /// The number of a +CME ERROR as the +CMS ERROR of the same meaning.
    pub(super) const fn as_cms(&self, cme: u16) -> u16 {
        match cme {
            0 => 300,
            3 => 302,
            4 => 303,
            10 => 310,
            11 => 311,
            12 => 316,
            13 => 313,
            14 => 314,
            15 => 315,
            20 => 322,
            21 | 22 => 321,
            23 => 320,
            30 => 331,
            31 => 332,
            _ => 500,
        }
    }
}
