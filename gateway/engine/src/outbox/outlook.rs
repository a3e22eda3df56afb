//! The outlook: what a person is told of one delivery, before its first send and while it is on its way.

use serde::{Deserialize, Serialize};
use yizhan_codecs::message::Bearer;

/// What is told of one delivery. Times are milliseconds from now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outlook {
    /// Whom it goes to.
    pub to: String,
    /// The likeliest bearer; `None` = no link leads there.
    pub bearer: Option<Bearer>,
    /// Frames, or parts of the text, that are still to go out when none is lost.
    pub parts: u8,
    /// Slots that go first.
    pub slots_ahead: u32,
    /// When its own turn comes, as far as is known; `None` = no card, or nothing more is sent.
    pub send_in_ms: Option<u64>,
    /// Sends that it still costs in the mean, in thousandths.
    pub sends_permille: u32,
    /// The arrival window: half of such messages have arrived at its beginning, nine of ten at its end.
    pub early_ms: Option<u64>,
    pub late_ms: Option<u64>,
    /// Why there is no window.
    pub unknown: Option<Unknown>,
}

/// Why nothing is told of an arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// The far terminal, or a group, never confirms.
    NoReceipts,
    /// Sends that should have been answered were not.
    Silent,
    /// No card can send there now.
    NoCard,
    /// It waits for a person's yes.
    Held,
    /// No link there can carry it, or the keys are missing.
    NotCarried,
}

impl Unknown {
    const ALL: [Self; 5] = [Self::NoReceipts, Self::Silent, Self::NoCard, Self::Held, Self::NotCarried];

    /// Machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoReceipts => "no_receipts",
            Self::Silent => "silent",
            Self::NoCard => "no_card",
            Self::Held => "held",
            Self::NotCarried => "not_carried",
        }
    }

    /// Reads a machine name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.name() == name)
    }

    /// What a person is told.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoReceipts => "对方终端不回执",
            Self::Silent => "连续三次发送没有回音",
            Self::NoCard => "现在没有可用的卡",
            Self::Held => "等待人工确认",
            Self::NotCarried => "现有链路或密钥传不了这条报文",
        }
    }
}
