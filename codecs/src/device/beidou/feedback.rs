//! What our terminal said of the last thing it was told, in all three forms (§2.5, §3.3, §4.3, §5).
//!
//! "Success" means that the terminal radiated, never more. Feedback on what does not go on the air is a remark.

use super::settings::Settings;
use super::wire::{rdss21, rsmc3};
use crate::message::{OrderKind, Outcome, Signal};
use std::time::Duration;

/// Where a 4.0 terminal puts the remaining wait. Sources disagree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FkxxWait {
    /// Bytes 0–2 zero: the last; bytes 1–3 zero: the first; else minutes and seconds, two bytes each.
    Robust,
    LastByte,
    FirstByte,
    MinutesSeconds,
}

/// Seconds to wait in a `$FKXX` with flag 4.
#[must_use]
pub fn fkxx_wait_s(extra: [u8; 4], reading: FkxxWait) -> u32 {
    let [first, second, third, last] = extra;
    let minutes_seconds = || {
        let pair = |high, low| u32::from(u16::from_be_bytes([high, low]));
        pair(first, second) * 60 + pair(third, last)
    };
    match (reading, extra) {
        (FkxxWait::LastByte, _) | (FkxxWait::Robust, [0, 0, 0, _]) => last.into(),
        (FkxxWait::FirstByte, _) | (FkxxWait::Robust, [_, 0, 0, 0]) => first.into(),
        _ => minutes_seconds(),
    }
}

/// `$FKXX`. Flags 7 and 8 also come unasked.
pub fn fkxx(flag: u8, extra: [u8; 4], settings: &Settings) -> Signal {
    let echoed = about(&extra);
    let outcome = match flag {
        0 => return success(echoed, &extra),
        1 | 6 => Outcome::CorruptCommand,
        2 => Outcome::NoSignal,
        3 => Outcome::LowBattery,
        4 => too_early(fkxx_wait_s(extra, settings.fkxx_wait)),
        5 => Outcome::CardUnusable,
        7 => Outcome::Suppressed,
        8 => Outcome::SuppressionLifted,
        code => Outcome::Refused { code: code.into() },
    };
    let about = match flag {
        1 | 6 => Some(echoed),
        2..=5 => Some(OrderKind::Send),
        _ => None,
    };
    Signal::Feedback { about, outcome }
}

/// `$BDFKI`, 2.1 form.
pub fn fki21(said: &rdss21::Fki, settings: &Settings) -> Signal {
    let about = about(&said.command);
    if said.executed {
        return success(about, &said.command);
    }
    let wait = if settings.fki_wait_seconds { said.wait } else { said.wait_s() };
    let outcome = match said.suppression {
        Some(1) => Outcome::Suppressed,
        Some(2) => Outcome::LowBattery,
        Some(3) => Outcome::Silence,
        Some(code @ 4..) => Outcome::Refused { code: code.into() },
        _ if wait > 0 => too_early(wait),
        _ => Outcome::CorruptCommand,
    };
    Signal::Feedback { about: Some(about), outcome }
}

/// `$BDFKI`, 3.0 form: sent wins over the reason.
pub fn fki3(said: &rsmc3::Fki) -> Signal {
    let about = about(&said.command);
    if said.sent {
        return success(about, &said.command);
    }
    let outcome = match said.reason {
        1 => too_early(said.wait_s),
        2 => Outcome::Suppressed,
        3 => Outcome::Silence,
        4 => Outcome::NoSignal,
        5 | 6 => Outcome::CardUnusable,
        11 => Outcome::CorruptCommand,
        0 if said.wait_s > 0 => too_early(said.wait_s),
        code => Outcome::Refused { code: code.into() },
    };
    Signal::Feedback { about: Some(about), outcome }
}

fn too_early(seconds: u32) -> Outcome {
    Outcome::TooEarly { wait: Some(Duration::from_secs(seconds.into())).filter(|wait| !wait.is_zero()) }
}

fn about(letters: &[u8]) -> OrderKind {
    match letters {
        b"TXSQ" | b"TXA" | b"TCQ" | b"MSG" => OrderKind::Send,
        b"DWSQ" | b"DWA" | b"LOC" | b"WAA" | b"WBA" => OrderKind::Position,
        b"ICJC" | b"ICA" | b"ICR" => OrderKind::Card,
        b"XTZJ" | b"RMO" | b"GLJC" => OrderKind::Strength,
        _ => OrderKind::Other,
    }
}

fn success(about: OrderKind, letters: &[u8]) -> Signal {
    match about {
        OrderKind::Send | OrderKind::Position => Signal::Feedback { about: Some(about), outcome: Outcome::Radiated },
        _ => Signal::Remark { what: "指令已执行", detail: letters.escape_ascii().to_string() },
    }
}
