//! The faults, a few lines each.

use bytes::Bytes;
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::bus::journal::{Encode, Record, record::What};
use yizhan_engine::config::EngineConfig;
use yizhan_engine::io::{Input, Offset, Output, Request, StoredRecord};
use yizhan_engine::time::{Instant, Now};
use yizhan_simulators::disk::Disk;
use yizhan_simulators::world::Tamper;

/// Changes the words of records, whichever way they go.
fn rewrite(records: &mut [StoredRecord], mut change: impl FnMut(&mut What) -> bool) {
    for stored in records {
        let Ok(mut record) = Record::decode(stored.body.clone()) else { continue };
        let keeps = record.what.as_mut().is_none_or(&mut change);
        if !keeps {
            record.what = None;
        }
        stored.body = Bytes::from(record.encode_to_vec());
    }
}

/// Changes records on their way to the disk.
fn rewrite_store(mut output: Output, change: impl FnMut(&mut What) -> bool) -> Vec<Output> {
    if let Output::Store { records } = &mut output {
        rewrite(records, change);
    }
    vec![output]
}

/// `synchronous=OFF`.
#[derive(Clone, Debug)]
pub struct SynchronousOff;

impl Tamper for SynchronousOff {
    fn disk(&self, disk: &mut Disk) {
        disk.lies = true;
    }
}

/// Counts what was queued while the sync ran as synced.
#[derive(Clone, Debug)]
pub struct StoredRunsAhead;

impl Tamper for StoredRunsAhead {
    fn input(&mut self, input: &mut Input) -> bool {
        if let Input::Stored { through } = input {
            *through = Offset(through.0 + 3);
        }
        true
    }
}

/// Recovery reads messages without the bearer's number of them.
#[derive(Clone, Debug)]
pub struct RepeatsForgotten;

impl Tamper for RepeatsForgotten {
    fn recovery(&mut self, records: &mut Vec<StoredRecord>) {
        rewrite(records, |what| {
            if let What::MessageKept(kept) = what {
                kept.native = 999;
            }
            true
        });
    }
}

/// Recovery does not read answers and ends.
#[derive(Clone, Debug)]
pub struct EvidenceForgotten;

impl Tamper for EvidenceForgotten {
    fn recovery(&mut self, records: &mut Vec<StoredRecord>) {
        rewrite(records, |what| !matches!(what, What::RungRaised(_) | What::DeliveryEnded(_)));
    }
}

/// Recovery cuts the number off the texts of copies still to be sent.
#[derive(Clone, Debug)]
pub struct NumberLost;

impl Tamper for NumberLost {
    fn recovery(&mut self, records: &mut Vec<StoredRecord>) {
        rewrite(records, |what| {
            if let What::PartsPlanned(planned) = what {
                for part in &mut planned.parts {
                    part.truncate(part.rfind('(').unwrap_or(part.len()));
                }
            }
            true
        });
    }
}

/// A FLASH is taken in as ROUTINE.
#[derive(Clone, Debug)]
pub struct FlashIgnored;

impl Tamper for FlashIgnored {
    fn input(&mut self, input: &mut Input) -> bool {
        if let Input::Submit { request: Request::Send { precedence, .. }, .. } = input {
            *precedence = Precedence::Routine;
        }
        true
    }
}

/// Recovery reads every message as ROUTINE.
#[derive(Clone, Debug)]
pub struct FlashForgotten;

impl Tamper for FlashForgotten {
    fn recovery(&mut self, records: &mut Vec<StoredRecord>) {
        rewrite(records, |what| {
            if let What::MessageKept(kept) = what {
                kept.precedence = "routine".into();
            }
            true
        });
    }
}

/// No guard time.
#[derive(Clone, Debug)]
pub struct GuardOmitted;

impl Tamper for GuardOmitted {
    fn config(&self, config: &mut EngineConfig) {
        config.links.iter_mut().for_each(|link| link.guard = Duration::ZERO);
    }
}

/// The daemon's own clock runs fast.
#[derive(Clone, Debug)]
pub struct FastClock;

impl Tamper for FastClock {
    fn clock(&self, now: Now) -> Now {
        Now { mono: Instant(now.mono.0 + now.mono.0 / 20), ..now }
    }
}

/// The daemon's clock leaps a minute ahead in the first seconds after every start: what a start owes is forgotten.
#[derive(Clone, Debug)]
pub struct StartForgivesASlot;

impl Tamper for StartForgivesASlot {
    fn clock(&self, now: Now) -> Now {
        Now { mono: Instant(now.mono.0 + now.mono.0.saturating_mul(6).min(60_000_000)), ..now }
    }
}

/// Ends are decided and not written down.
#[derive(Clone, Debug)]
pub struct EndLost;

impl Tamper for EndLost {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| !matches!(what, What::DeliveryEnded(_)))
    }
}

/// What was radiated is written down as delivered.
#[derive(Clone, Debug)]
pub struct RungInflated;

impl Tamper for RungInflated {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| {
            if let What::RungRaised(raised) = what
                && raised.rung == "radiated"
            {
                raised.rung = "delivered".into();
            }
            true
        })
    }
}

/// A neighbour of the mesh has repeated the text, and that is called delivered, as others do.
#[derive(Clone, Debug)]
pub struct RepeatCalledDelivered;

impl Tamper for RepeatCalledDelivered {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| {
            if let What::RungRaised(raised) = what
                && raised.rung == "repeated"
            {
                raised.rung = "delivered".into();
            }
            true
        })
    }
}

/// Whatever a radio has taken is called delivered.
#[derive(Clone, Debug)]
pub struct TakenCalledDelivered;

impl Tamper for TakenCalledDelivered {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| {
            if let What::RungRaised(raised) = what
                && raised.rung == "taken"
            {
                raised.rung = "delivered".into();
            }
            true
        })
    }
}

/// What an answer proves is not written down.
#[derive(Clone, Debug)]
pub struct AnswerWordsLost;

impl Tamper for AnswerWordsLost {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| !matches!(what, What::RungRaised(raised) if raised.rung == "answered"))
    }
}

/// Calls for help are relayed by themselves without a limit.
#[derive(Clone, Debug)]
pub struct RelaysUnbounded;

impl Tamper for RelaysUnbounded {
    fn config(&self, config: &mut EngineConfig) {
        config.policy.sos_relays_max = usize::MAX;
    }
}

/// The outbox has no limit.
#[derive(Clone, Debug)]
pub struct OutboxUnbounded;

impl Tamper for OutboxUnbounded {
    fn config(&self, config: &mut EngineConfig) {
        config.policy.outbox_max = 10_000;
    }
}

/// No places are kept for FLASH.
#[derive(Clone, Debug)]
pub struct ReservedPlacesGivenAway;

impl Tamper for ReservedPlacesGivenAway {
    fn config(&self, config: &mut EngineConfig) {
        config.policy.flash_reserved = 0;
    }
}

/// An exercise is taken in as real.
#[derive(Clone, Debug)]
pub struct ExerciseForgotten;

impl Tamper for ExerciseForgotten {
    fn input(&mut self, input: &mut Input) -> bool {
        if let Input::Submit { request: Request::Send { exercise, .. }, .. } = input {
            *exercise = false;
        }
        true
    }
}

/// What the field says is written down as an exercise.
#[derive(Clone, Debug)]
pub struct EverythingIsExercise;

impl Tamper for EverythingIsExercise {
    fn output(&mut self, output: Output) -> Vec<Output> {
        rewrite_store(output, |what| {
            if let What::MessageKept(kept) = what
                && !kept.link.is_empty()
            {
                kept.exercise = true;
            }
            true
        })
    }
}

/// Recovery cuts the mark off the texts of exercises still to be sent.
#[derive(Clone, Debug)]
pub struct MarkLost;

impl Tamper for MarkLost {
    fn recovery(&mut self, records: &mut Vec<StoredRecord>) {
        rewrite(records, |what| {
            if let What::PartsPlanned(planned) = what {
                for part in &mut planned.parts {
                    *part = part.trim_start_matches("【演练】").to_owned();
                }
            }
            true
        });
    }
}
