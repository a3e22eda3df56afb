//! What is known of other stations: which numbers came, rows that are not a whole message yet, and receipts owed.

use crate::stream::Stream;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::beacon::ModelSet;
use yizhan_codecs::air::fragment::Partial;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::{Number, Spent};
use yizhan_codecs::air::receipt;
use yizhan_codecs::air::replay::Replay;
use yizhan_codecs::message::{LinkId, Precedence, Rung, StationId, TerminalId};

/// What one net has seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NetState {
    /// Counters of ours that were sealed with, and for what.
    pub(crate) spent: Spent,
    /// Numbers of others that were accepted.
    pub(crate) replay: Replay,
    pub(crate) gathered: BTreeMap<Number, Gathered>,
    /// The last word on each message of another station, and how often it is still to be said.
    pub(crate) owed: BTreeMap<Number, Owed>,
    /// The text models that a station has; one that was never heard of it is taken to have ours.
    pub(crate) models: BTreeMap<StationId, ModelSet>,
}

/// Rows of a message of another station.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gathered {
    pub(crate) partial: Partial,
    /// The highest row that was heard: more than have come were lost.
    pub(crate) highest: u8,
    pub(crate) from: TerminalId,
    pub(crate) link: LinkId,
    /// Wall time of the first row, ms since 1970; 0 = unknown.
    pub(crate) first_ms: i64,
}

/// A receipt for a message of another station.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owed {
    pub(crate) state: receipt::State,
    /// How often it is still to be said.
    pub(crate) copies: u8,
    /// Of the message that it answers.
    pub(crate) precedence: Precedence,
}

/// How a message goes to a station: sealed once, under one number on every bearer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AirPlan {
    pub traffic: Traffic,
    pub number: Number,
    /// What is sealed, receipts that ride along included.
    pub content: Vec<u8>,
    /// What every bearer that leads there carries.
    pub bearing: Bearing,
    pub precedence: Precedence,
    /// It is an order: a 64-bit tag.
    pub order: bool,
    pub stream: Stream,
    /// Rows that our own terminal took, and those that it said were radiated.
    pub(crate) taken: u32,
    pub(crate) radiated: u32,
}

impl AirPlan {
    /// The highest rung that our own terminals prove. Only the station itself says that it has the message.
    #[must_use]
    pub fn proven(&self) -> Rung {
        let rows = u32::from(self.stream.rows());
        if self.radiated >= rows {
            Rung::Radiated
        } else if self.taken >= rows {
            Rung::Taken
        } else {
            Rung::Saved
        }
    }
}
