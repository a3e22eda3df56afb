use super::{Addressee, TerminalId};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// One thing we tell a terminal. What must never be sent (design.md §9) cannot be said here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// Send readable text.
    Text {
        /// The card to send from, where a terminal has several; `None` = its only one.
        card: Option<TerminalId>,
        to: Addressee,
        text: String,
        /// Our number for this attempt, given back in [`super::Signal::Delivery`] where the bearer can.
        native: u32,
        /// Use the bearer's urgent class where it has one and the text fits.
        urgent: bool,
    },
    /// Send packed bytes to another station.
    Payload { card: Option<TerminalId>, to: Addressee, bytes: Bytes, native: u32 },
    /// Ask our terminal for its card.
    AskCard,
    /// Have our terminal report signal strength, every `every` (zero = once).
    AskStrength { every: Duration },
    /// Ask a far terminal, or our own, where it is.
    AskPosition { of: Addressee, native: u32 },
    /// Ask whether a far terminal is there.
    AskPresence { of: TerminalId },
}

impl Order {
    /// Which kind of order this is.
    #[must_use]
    pub const fn kind(&self) -> OrderKind {
        match self {
            Self::Text { .. } | Self::Payload { .. } => OrderKind::Send,
            Self::AskCard => OrderKind::Card,
            Self::AskStrength { .. } => OrderKind::Strength,
            Self::AskPosition { .. } => OrderKind::Position,
            Self::AskPresence { .. } => OrderKind::Presence,
        }
    }
}

/// The kinds of order that a terminal's feedback can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    Send,
    Card,
    Strength,
    Position,
    Presence,
    /// The terminal named a command that we never give.
    Other,
}
