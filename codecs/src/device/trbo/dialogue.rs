//! Which text of ours a radio acknowledges: its answer names only the sequence, a number of five bits.

use super::wire::tms::{Body, Tms};
use crate::codec::{Cargo, Dialogue, Given, Outgoing, Step};
use crate::message::{Bearer, Peer, Signal, TerminalId};
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

/// Texts remembered, at most: 31 to a radio, and the oldest are forgotten.
const REMEMBERED_MAX: usize = 8_192;

/// Radio and sequence of each text that may still be acknowledged.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequences {
    natives: BTreeMap<(u32, u8), u32>,
    order: VecDeque<(u32, u8)>,
    told: bool,
}

impl Sequences {
    fn remember(&mut self, frame: &Outgoing, native: u32) {
        let Some(IpAddr::V4(ip)) = frame.to.map(|peer| peer.0.ip()) else { return };
        let Ok(Tms { body: Body::Text { sequence: Some(sequence), .. }, .. }) = Tms::parse(&frame.bytes) else {
            return;
        };
        let key = (ip.to_bits() & 0x00FF_FFFF, sequence);
        if self.natives.insert(key, native).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.natives.remove(&oldest);
        }
    }

    fn native(&self, by: &TerminalId, sequence: u32) -> Option<u32> {
        let key = (by.as_u32()?, u8::try_from(sequence).ok()?);
        self.natives.get(&key).copied()
    }
}

impl Dialogue for Sequences {
    fn link_up(&mut self, _now: Duration) {
        self.told = false;
    }

    fn give(&mut self, _now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        if let Cargo::Message { native } = cargo {
            frames.iter().for_each(|frame| self.remember(frame, native));
        }
        Given::Write(frames)
    }

    fn heard(&mut self, _now: Duration, _from: Option<Peer>, _frame: &[u8], signals: &mut Vec<Signal>) {
        for signal in signals {
            let Signal::Delivery { by, native, .. } = signal else { continue };
            if by.bearer != Bearer::Radio370 {
                continue;
            }
            match self.native(by, *native) {
                Some(ours) => *native = ours,
                None => {
                    let detail = format!("{by}：序号 {native}");
                    *signal = Signal::Remark { what: "无对应短信的回执", detail };
                }
            }
        }
    }

    fn wake(&mut self, _now: Duration) {}

    fn poll(&mut self) -> Option<Step> {
        // Nothing has to be set up with the radios.
        (!std::mem::replace(&mut self.told, true)).then_some(Step::Ready(true))
    }
}
