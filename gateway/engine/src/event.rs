//! What happened, in the past tense: for the log, the metrics and the laws' observers. Followers read the journal.

use crate::io::{LinkTrouble, Offset, StoreTrouble};
use crate::people::Topic;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use yizhan_codecs::message::{CardInfo, LinkId, MessageId, Outcome, Precedence, Rung, TerminalId};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    LinkCameUp {
        link: LinkId,
    },
    LinkWentDown {
        link: LinkId,
        why: LinkTrouble,
    },
    CardFound {
        link: LinkId,
        card: CardInfo,
    },
    CardLost {
        link: LinkId,
    },
    /// The terminal's signal came (`usable`) or went.
    SignalChanged {
        link: LinkId,
        best: u8,
        usable: bool,
    },
    /// Bytes that are no frame, or a frame that no codec reads. `suppressed` counts those not told of since the last.
    UnreadableHeard {
        link: LinkId,
        bytes: Bytes,
        why: String,
        suppressed: u32,
    },
    /// A message is stored and shown. Told only after its record is synced.
    MessageHeard {
        id: MessageId,
        offset: Offset,
        from: TerminalId,
        link: LinkId,
        topic: Topic,
        precedence: Precedence,
    },
    /// A row of a message of another station is kept; so many more are needed.
    RowHeard {
        id: MessageId,
        link: LinkId,
        missing: u8,
    },
    /// The same message came again; it was counted, not shown.
    CopyHeard {
        of: MessageId,
        link: LinkId,
    },
    /// A message is there and no person's word on it has come: it was asked for, so many times by now.
    Asked {
        id: MessageId,
        delivery: u16,
        times: u8,
    },
    /// A request was stored and promised.
    MessageAccepted {
        id: MessageId,
        offset: Offset,
        precedence: Precedence,
    },
    /// One more unit calls for help, or calls again.
    SosOpened {
        id: MessageId,
        from: TerminalId,
    },
    SosUpdated {
        id: MessageId,
        from: TerminalId,
    },
    SosClosed {
        id: MessageId,
    },
    /// An SOS beyond the limit, or an order of unknown age: a person must confirm.
    ConfirmationWanted {
        id: MessageId,
        why: HoldReason,
    },
    /// Bytes of a message were given to a link, after their record was synced.
    AttemptReleased {
        attempt: AttemptId,
        link: LinkId,
        to: String,
        part: u16,
        parts: u16,
    },
    /// What became of an attempt.
    AttemptEnded {
        attempt: AttemptId,
        link: LinkId,
        outcome: AttemptOutcome,
    },
    /// The card may send again at this time.
    SlotSpent {
        link: LinkId,
        free_at: Instant,
        why: SlotReason,
    },
    /// The highest rung proven for a delivery rose.
    RungReached {
        id: MessageId,
        delivery: u16,
        rung: Rung,
    },
    /// A delivery ended.
    DeliveryEnded {
        id: MessageId,
        delivery: u16,
        end: End,
        rung: Rung,
    },
    /// A FLASH outlived its life and goes on at IMMEDIATE: a person must act.
    FlashOverdue {
        id: MessageId,
        delivery: u16,
    },
    /// The wall clock became trusted, and from which source.
    ClockTrusted {
        source: ClockSource,
    },
    /// Nothing accepted from now on is kept: the operator must act.
    JournalFailed {
        why: StoreTrouble,
    },
    /// A message is relayed although it could not be stored (未留存).
    RelayedUnstored {
        id: MessageId,
    },
    /// An acknowledgement was given to a terminal, after the record it answers for was synced.
    Acknowledged {
        link: LinkId,
        offset: Offset,
    },
    /// A terminal said something that is worth a line, no more.
    Remarked {
        link: LinkId,
        what: &'static str,
        detail: String,
    },
    /// The engine came back from its journal.
    Recovered {
        records: u64,
        open: usize,
        unknown_attempts: usize,
    },
}

/// Names one attempt: the n-th try of the station since its journal began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub u64);

/// How a delivery ended (law 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// 已送达
    Delivered,
    /// 已读
    Read,
    /// 已答复
    Answered,
    /// 未知: radiated, or perhaps radiated, and no evidence within its life.
    Unknown,
    /// 过期: never radiated within its life.
    Expired,
    /// 撤销
    Cancelled,
    /// 被更新
    Superseded,
    /// 拒绝: no terminal could ever carry it.
    Refused,
}

impl End {
    /// Every end, in the order of the words.
    pub const ALL: [Self; 8] = [
        Self::Delivered,
        Self::Read,
        Self::Answered,
        Self::Unknown,
        Self::Expired,
        Self::Cancelled,
        Self::Superseded,
        Self::Refused,
    ];

    /// Reads a machine name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|end| end.name() == name)
    }

    /// The word a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Delivered => "已送达",
            Self::Read => "已读",
            Self::Answered => "已答复",
            Self::Unknown => "未知",
            Self::Expired => "过期",
            Self::Cancelled => "撤销",
            Self::Superseded => "被更新",
            Self::Refused => "拒绝",
        }
    }

    /// Machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Answered => "answered",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Refused => "refused",
        }
    }
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The terminal said so.
    Said(Outcome),
    /// The bytes went to a terminal that says nothing about sends.
    Written,
    /// The far machine, or the network for it, took it or did not.
    Delivered { code: u16, delivered: bool },
    /// No word within the time: it may have been radiated.
    Silent,
    /// Not written to the port; the slot is not spent.
    NotWritten,
    /// The station stopped in the middle: it may have been radiated.
    Crashed,
    /// Taken back before its bytes were released.
    Withdrawn,
}

/// Why a message waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// More SOS relays on a link than may go by themselves.
    SosFlood,
    /// An order whose age is unknown, because the clock is not trusted.
    AgeUnknown,
}

/// Why a card may not send yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotReason {
    /// It has just sent.
    Sent,
    /// The terminal said how long to wait.
    Told { wait: Duration },
    /// After a start the last slot is taken as just spent.
    Started,
    /// The terminal cannot send now (no beam, suppressed, battery): tried again then.
    Held(Outcome),
}

/// Where trusted time comes from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockSource {
    Host,
    Gnss,
    Beidou,
}
