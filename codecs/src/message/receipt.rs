use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far a message is proven to have come; the order is the order of proof.
///
/// A machine's rungs (`Taken` … `Delivered`) and a person's rungs (`Read`, `Answered`) are never mixed up: no
/// codec may report more than its radio can confirm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rung {
    /// 待发: not stored yet.
    #[default]
    Waiting,
    /// 已存: on our disk, synced.
    Saved,
    /// 已入机: our terminal has the bytes.
    Taken,
    /// 已发出: our terminal says that it radiated.
    Radiated,
    /// 已转发: a neighbour was heard to repeat it.
    Repeated,
    /// 已送达: a machine at the far end has it.
    Delivered,
    /// 已读: a person has seen it.
    Read,
    /// 已答复: a person has answered.
    Answered(Answer),
}

impl Rung {
    /// The word a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Waiting => "待发",
            Self::Saved => "已存",
            Self::Taken => "已入机",
            Self::Radiated => "已发出",
            Self::Repeated => "已转发",
            Self::Delivered => "已送达",
            Self::Read => "已读",
            Self::Answered(_) => "已答复",
        }
    }

    /// The machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Saved => "saved",
            Self::Taken => "taken",
            Self::Radiated => "radiated",
            Self::Repeated => "repeated",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Answered(_) => "answered",
        }
    }

    /// Whether this rung is evidence that the far end has the message.
    #[must_use]
    pub const fn is_arrival(self) -> bool {
        matches!(self, Self::Delivered | Self::Read | Self::Answered(_))
    }
}

/// What a person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// 受领: received and understood.
    Accepted,
    /// 执行中
    Executing,
    /// 完成
    Done,
    /// 无法执行
    Unable,
}

impl Answer {
    /// The word a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Accepted => "受领",
            Self::Executing => "执行中",
            Self::Done => "完成",
            Self::Unable => "无法执行",
        }
    }

    /// The machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Executing => "executing",
            Self::Done => "done",
            Self::Unable => "unable",
        }
    }
}

/// What our own terminal said of the last thing it was told to send (facts/beidou.md §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The terminal radiated the frame. Nothing more is known.
    Radiated,
    /// 频度未到: refused, the slot is not free yet. `wait` is what the terminal said, if it did.
    TooEarly { wait: Option<Duration> },
    /// 信号未锁定: no beam.
    NoSignal,
    /// 发射抑制: the network suppresses transmission until it lifts it.
    Suppressed,
    /// 抑制解除
    SuppressionLifted,
    /// 静默: someone set radio silence on the terminal.
    Silence,
    /// 电量不足
    LowBattery,
    /// Card, encryption or permission: this terminal cannot send at all.
    CardUnusable,
    /// The terminal could not read our command (checksum, format).
    CorruptCommand,
    /// Refused without a reason, or with one that is not publicly known: the terminal's own code.
    Refused { code: u16 },
}
