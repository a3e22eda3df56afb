use super::{Found, Framer};
use bytes::Bytes;
use std::collections::VecDeque;
use std::time::Duration;

/// The framer of a protocol whose frames are whole datagrams: each push is one frame, taken as it came.
///
/// Checks of length and checksum belong to the codec here, which sees the datagram whole.
#[derive(Clone, Debug, Default)]
pub struct DatagramFramer {
    held: VecDeque<Bytes>,
}

impl Framer for DatagramFramer {
    fn push(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.held.push_back(Bytes::copy_from_slice(bytes));
        }
    }

    fn next_found(&mut self) -> Option<Found> {
        self.held.pop_front().map(Found::Frame)
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    fn give_up(&mut self) {}

    fn held_max(&self) -> usize {
        0
    }
}
