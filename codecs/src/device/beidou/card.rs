//! Cards: whether there is one, how often it may send, how much.

use super::wire::{rdss21, rdss40, rsmc3};
use crate::message::{Bearer, CardInfo, CardState, Signal, TerminalId};
use std::time::Duration;

/// Numbers that stand for "no card".
const NO_CARD: [u32; 2] = [0, 2_097_151];
/// A service frequency that stands for "no card".
const NO_PERIOD_S: u32 = 9_999;

/// Bits of one message on a BDS-2 card (§7.1). An unknown level has the smallest row.
#[must_use]
pub const fn bits_of_bds2(level: u32, encrypted: bool) -> u32 {
    match (encrypted, level) {
        (false, 2) => 408,
        (false, 3) => 628,
        (false, 4) => 848,
        (true, 1) => 140,
        (true, 2) => 360,
        (true, 3) => 580,
        (true, 4) => 1_680,
        _ => 110,
    }
}

/// Bits of one message on a BDS-3 card (§7.1): level 2 is known by a real message of 960 bits. An unknown level has the
/// smallest row of BDS-3, that of the global service.
#[must_use]
pub const fn bits_of_bds3(level: u32) -> u32 {
    match level {
        2 => 960,
        3 => 3_600,
        4 => 7_700,
        5 => 14_000,
        _ => 560,
    }
}

struct Card {
    own: u32,
    period_s: u32,
    bits: u32,
    broadcast: u32,
    subordinates: u32,
}

impl Card {
    fn signal(self) -> Signal {
        let id = |number| TerminalId::from_number(Bearer::Beidou, number);
        let missing = NO_CARD.contains(&self.own) || self.period_s >= NO_PERIOD_S;
        Signal::Card(CardInfo {
            state: if missing { CardState::Missing } else { CardState::Present },
            own: id(self.own),
            period: Some(Duration::from_secs(self.period_s.into())).filter(|period| !missing && !period.is_zero()),
            capacity_bits: Some(self.bits).filter(|_| !missing),
            broadcast: Some(self.broadcast).filter(|number| !missing && !NO_CARD.contains(number)).map(id),
            subordinates: if missing { 0 } else { self.subordinates },
        })
    }
}

pub fn icxx(own: u32, card: &rdss40::Icxx) -> Signal {
    Card {
        own,
        period_s: card.period_s.into(),
        bits: bits_of_bds2(card.level.into(), card.encrypted != 0),
        broadcast: card.broadcast,
        subordinates: card.subordinates.into(),
    }
    .signal()
}

pub fn ici(card: &rdss21::Ici) -> Signal {
    Card {
        own: card.user,
        period_s: card.period_s,
        bits: bits_of_bds2(card.level.into(), card.encrypted),
        broadcast: card.broadcast,
        subordinates: card.subordinates,
    }
    .signal()
}

pub fn icp(card: &rsmc3::Icp) -> Signal {
    Card {
        own: card.user,
        period_s: card.period_s,
        bits: bits_of_bds3(card.level.into()),
        broadcast: card.broadcast,
        subordinates: card.subordinates,
    }
    .signal()
}
