//! Which message a status report is about. Phones count references in 8 bits and give one to every part; a report may
//! come late, out of order, or before the answer to the send that it reports on.

use super::super::codec::remark;
use crate::message::{Signal, TerminalId};
use std::collections::VecDeque;

/// Messages whose reports are waited for, at most; the oldest is forgotten.
const AWAITED_MAX: usize = 256;
/// Reports that came before the answer to their send, at most.
const EARLY_MAX: usize = 16;
/// So many last digits make a number the same, whatever prefix a service centre writes.
const SAME_DIGITS: usize = 7;

#[derive(Clone, Debug, Default)]
pub(super) struct Receipts {
    awaited: VecDeque<Awaited>,
    early: VecDeque<(u8, Vec<Signal>)>,
}

#[derive(Clone, Debug)]
struct Awaited {
    native: u32,
    by: TerminalId,
    total: usize,
    references: Vec<(u8, bool)>,
}

impl Receipts {
    /// A part is sent under a reference; gives what was reported on it already.
    pub(super) fn sent(&mut self, native: u32, total: usize, reference: u8, by: &TerminalId) -> Vec<Signal> {
        // The count has come round: an older message under this reference is no longer told apart.
        for old in &mut self.awaited {
            old.references.retain(|(known, is_told)| *known != reference || *is_told);
        }
        if !self.awaited.iter().any(|known| known.native == native) {
            if self.awaited.len() >= AWAITED_MAX {
                self.awaited.pop_front();
            }
            self.awaited.push_back(Awaited { native, by: by.clone(), total, references: Vec::new() });
        }
        if let Some(known) = self.awaited.iter_mut().find(|known| known.native == native) {
            known.references.push((reference, false));
        }
        let (now, later): (Vec<_>, Vec<_>) = self.early.drain(..).partition(|(early, _)| *early == reference);
        self.early = later.into();
        let mut signals: Vec<Signal> = now.into_iter().flat_map(|(_, signals)| signals).collect();
        self.heard(reference, false, &mut signals);
        signals
    }

    pub(super) fn forget(&mut self, native: u32) {
        self.awaited.retain(|known| known.native != native);
    }

    /// Puts our numbers into the signals of a report, or takes away what is not ours. `is_sending` = the answer to a send
    /// is still out, so the report may be about that.
    pub(super) fn heard(&mut self, reference: u8, is_sending: bool, signals: &mut Vec<Signal>) {
        let is_about = |signal: &Signal| matches!(signal, Signal::Delivery { .. } | Signal::Progress { .. });
        if !signals.iter().any(is_about) {
            return;
        }
        let by = signals.iter().find_map(|signal| match signal {
            Signal::Delivery { by, .. } => Some(by.clone()),
            _ => None,
        });
        let fits = |known: &Awaited| {
            let waits = known.references.iter().any(|(r, is_told)| *r == reference && !is_told);
            waits && by.as_ref().is_none_or(|by| is_same(by, &known.by))
        };
        let Some(at) = self.awaited.iter().rposition(fits) else {
            if is_sending && self.early.len() < EARLY_MAX {
                self.early.push_back((reference, std::mem::take(signals)));
            } else {
                signals.retain(|signal| !is_about(signal));
                signals.push(remark("回执对不上本次开机发的短信", format!("参考号 {reference}")));
            }
            return;
        };
        let Some(known) = self.awaited.get_mut(at) else { return };
        let native_of_ours = known.native;
        let mut is_over = false;
        signals.retain_mut(|signal| match signal {
            Signal::Delivery { native, delivered, .. } => {
                *native = native_of_ours;
                for (told, is_told) in &mut known.references {
                    *is_told |= *told == reference && *delivered;
                }
                let told = known.references.iter().filter(|(_, is_told)| *is_told).count();
                // One part that failed is a text that failed; all parts there are one that arrived.
                is_over = !*delivered || told >= known.total;
                is_over
            }
            Signal::Progress { native, .. } => {
                *native = native_of_ours;
                true
            }
            _ => true,
        });
        if is_over {
            self.awaited.remove(at);
        }
    }
}

fn is_same(a: &TerminalId, b: &TerminalId) -> bool {
    let tail = |id: &TerminalId| id.number().chars().rev().take(SAME_DIGITS).collect::<String>();
    tail(a) == tail(b)
}
