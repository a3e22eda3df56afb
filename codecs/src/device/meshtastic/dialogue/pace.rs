use crate::device::meshtastic::wire::{MeshPacket, port};
use std::collections::BTreeMap;
use std::time::Duration;

/// How fast a radio takes packets of its host. It drops what comes faster, most of it without a word.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    /// When the next of each port may come.
    free_at: BTreeMap<u32, Duration>,
    /// Places in the radio's queue, where it told.
    free: Option<u32>,
}

impl Pace {
    /// When this packet may go; never while the queue is full.
    pub(super) fn due(&self, packet: &MeshPacket) -> Duration {
        if self.is_full() {
            return Duration::MAX;
        }
        self.free_at.get(&number(packet)).copied().unwrap_or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.free == Some(0)
    }

    pub(super) fn took(&mut self, now: Duration, packet: &MeshPacket) {
        let port = number(packet);
        self.free_at.insert(port, now.saturating_add(every(port)));
    }

    pub(super) fn queue(&mut self, free: u32) {
        self.free = Some(free);
    }

    pub(super) fn forget_queue(&mut self) {
        self.free = None;
    }
}

fn number(packet: &MeshPacket) -> u32 {
    packet.decoded.as_ref().map_or(0, |data| data.portnum)
}

const fn every(port: u32) -> Duration {
    Duration::from_secs(match port {
        port::TEXT => 2,
        port::ALERT | port::POSITION | port::WAYPOINT | port::TELEMETRY => 10,
        port::TRACEROUTE => 30,
        _ => 0,
    })
}
