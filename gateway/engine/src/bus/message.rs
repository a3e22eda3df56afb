//! A message as the bus keeps it, and where each of its deliveries stands.

use super::{AirPlan, CardKey, Told};
use crate::event::{AttemptId, End, HoldReason};
use crate::io::{Offset, SendKind};
use crate::people::Topic;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::message::{Answer, LinkId, MessageId, Position, Precedence, Rung, StationId, TerminalId};

/// One message: heard from a terminal, or submitted here. It keeps its id on every bearer and through every relay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    /// Where its first record stands.
    pub offset: Offset,
    /// Wall time of that record, ms since 1970; 0 = the clock was not trusted.
    pub at_ms: i64,
    /// The terminal it was heard from; `None` = submitted here.
    pub from: Option<TerminalId>,
    /// The link it was heard on.
    pub link: Option<LinkId>,
    /// Who submitted it, or whose terminal it was.
    pub by: String,
    /// Whom it is for, as asked or as addressed on the air.
    pub to: String,
    /// What was typed or submitted.
    pub text: String,
    /// What people are shown in its place, where it is a form; else empty.
    pub words: String,
    /// The form as JSON; empty where it is none.
    pub form: String,
    /// Content without a text meaning.
    pub opaque: Vec<u8>,
    /// Who vouches for it, where it came from a station.
    pub proof: Option<Voucher>,
    pub topic: Topic,
    pub precedence: Precedence,
    pub kind: SendKind,
    pub traffic: Traffic,
    /// Some bytes of the text could not be read and were replaced.
    pub lossy: bool,
    /// The air side's own check failed.
    pub damaged: bool,
    pub position: Option<Position>,
    /// The message that it answers.
    pub in_reply_to: Option<MessageId>,
    pub life_ms: u64,
    pub deliveries: Vec<Delivery>,
    /// Waits for a person's yes, and why.
    pub held: Option<HoldReason>,
    /// It was a FLASH and outlived its life.
    pub downgraded: bool,
    /// Who has marked it read here.
    pub read_by: Vec<String>,
    /// How often the same message came again.
    pub copies: u32,
}

impl Message {
    /// What people see: the words of a form, else the text.
    #[must_use]
    pub fn shown(&self) -> &str {
        if self.words.is_empty() { &self.text } else { &self.words }
    }

    /// One of its deliveries.
    #[must_use]
    pub fn delivery(&self, number: u16) -> Option<&Delivery> {
        self.deliveries.get(usize::from(number))
    }

    /// Whether everything that had to be done for it is done.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.held.is_none() && self.deliveries.iter().all(|delivery| delivery.end.is_some())
    }
}

/// What a message of another station proves of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voucher {
    /// 未认证: sent in clear, anybody may have made it.
    Nobody,
    /// Somebody of the net made it, and says that it was this station.
    Net,
    /// The centre or this one station made it.
    Station,
}

impl Voucher {
    /// Machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Net => "net",
            Self::Station => "station",
        }
    }

    /// Reads a machine name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Nobody, Self::Net, Self::Station].into_iter().find(|voucher| voucher.name() == name)
    }

    /// The words that go with the message wherever it is shown.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Nobody => "未认证",
            Self::Net => "本网成员",
            Self::Station => "已认证",
        }
    }
}

/// The way of one message to one person, station, terminal or group number.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Id of the person or station; `None` for a bare terminal or a group number.
    pub person: Option<String>,
    /// Candidate addresses, best first.
    pub terminals: Vec<TerminalId>,
    /// The addresses are group numbers.
    pub group: bool,
    /// How the text was cut for each terminal that was tried.
    pub plans: BTreeMap<TerminalId, Vec<PartState>>,
    /// The station, where it goes to one, and how.
    pub station: Option<StationId>,
    pub air: Option<AirPlan>,
    /// How often a person's word on it was asked for.
    pub asked: u8,
    /// What was told of its arrival when it was accepted.
    pub told: Option<Told>,
    /// The highest rung proven.
    pub rung: Rung,
    pub end: Option<End>,
    pub reason: String,
}

impl Delivery {
    /// The highest rung that the parts prove: the least of all parts on the best terminal.
    #[must_use]
    pub fn proven(&self) -> Rung {
        let plan_rung = |parts: &Vec<PartState>| parts.iter().map(|part| part.rung).min().unwrap_or_default();
        let parts = self.plans.values().map(plan_rung).max().unwrap_or_default();
        parts.max(self.air.as_ref().map_or(Rung::Waiting, AirPlan::proven)).max(self.rung)
    }

    /// The person's answer, if there is one.
    #[must_use]
    pub fn answer(&self) -> Option<Answer> {
        match self.rung {
            Rung::Answered(answer) => Some(answer),
            _ => None,
        }
    }

    /// How often any part may have been radiated, over all terminals.
    #[must_use]
    pub fn spent(&self) -> u32 {
        let rows = self.air.as_ref().map_or(0, |air| air.stream.sends());
        self.plans.values().flatten().map(|part| u32::from(part.spent)).sum::<u32>().saturating_add(rows)
    }

    /// Whom it goes to, for a person's eyes.
    #[must_use]
    pub fn whom(&self) -> String {
        match (&self.person, self.terminals.first()) {
            (Some(person), _) => person.clone(),
            (None, Some(terminal)) => terminal.to_string(),
            (None, None) => String::new(),
        }
    }
}

/// One part of a text on its way to one terminal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartState {
    /// Exactly what the terminal shows.
    pub text: String,
    /// Attempts that were, or may have been, radiated.
    pub spent: u8,
    /// Attempts that the terminal or the far side turned down.
    pub failed: u8,
    pub rung: Rung,
}

/// An attempt whose outcome is not known yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenAttempt {
    pub attempt: AttemptId,
    pub id: MessageId,
    pub delivery: u16,
    pub terminal: TerminalId,
    pub link: LinkId,
    /// The card's number, empty where the link has none.
    pub card: String,
    /// Which part of a text, or which row of a message to a station.
    pub part: u16,
    /// Our number for it on the bearer.
    pub native: u32,
    /// The frame itself, where it brings no message: receipts, a beacon, positions, with `id` as its own number; a
    /// question, with the `id` of the message that it asks about.
    pub frame: Vec<u8>,
    /// The messages of other stations that it answers.
    pub answers: Vec<Number>,
    pub traffic: Traffic,
}

impl OpenAttempt {
    /// Whether it carries no part of a message.
    #[must_use]
    pub const fn is_frame(&self) -> bool {
        !self.frame.is_empty()
    }

    /// The card it is sent from.
    #[must_use]
    pub fn card_key(&self) -> CardKey {
        CardKey { link: self.link.clone(), number: self.card.clone() }
    }
}

/// A message id as records write it.
#[must_use]
pub fn id_to_u64(id: MessageId) -> u64 {
    u64::from(id.station.number()) << 32 | u64::from(id.counter)
}

/// Back from a record; `None` for 0 and for what is no id.
#[must_use]
pub fn id_from_u64(value: u64) -> Option<MessageId> {
    let station = u16::try_from(value >> 32).ok().and_then(StationId::new)?;
    let counter = u32::try_from(value & 0xFFFF_FFFF).ok()?;
    Some(MessageId { station, counter })
}

/// A rung by its machine name, with its answer word where it has one.
#[must_use]
pub fn rung_from_name(name: &str, answer: &str) -> Option<Rung> {
    Some(match name {
        "waiting" => Rung::Waiting,
        "saved" => Rung::Saved,
        "taken" => Rung::Taken,
        "radiated" => Rung::Radiated,
        "repeated" => Rung::Repeated,
        "delivered" => Rung::Delivered,
        "read" => Rung::Read,
        "answered" => Rung::Answered(answer_from_name(answer)?),
        _ => return None,
    })
}

fn answer_from_name(name: &str) -> Option<Answer> {
    [Answer::Accepted, Answer::Executing, Answer::Done, Answer::Unable].into_iter().find(|a| a.name() == name)
}
