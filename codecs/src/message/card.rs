use super::TerminalId;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a card says of itself. Airtime is granted per card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardInfo {
    pub state: CardState,
    /// The card's own number.
    pub own: TerminalId,
    /// 服务频度: the least time between two sends.
    pub period: Option<Duration>,
    /// Air budget of one message in bits, by the card's grade; `None` when the grade is not known.
    pub capacity_bits: Option<u32>,
    /// 通播: a number that reaches every subordinate at once.
    pub broadcast: Option<TerminalId>,
    /// How many subordinates a command unit has.
    pub subordinates: u32,
}

/// Whether there is a card at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    Present,
    /// The terminal answers, but no card is in it.
    Missing,
}
