//! The cable between a terminal and the station: a UART or a stream that takes its time and is read in pieces, or
//! datagrams.

use crate::seed::Seed;
use bytes::Bytes;
use std::time::Duration;
use yizhan_codecs::message::LinkId;

/// One port of the station.
#[derive(Clone, Debug)]
pub struct Link {
    pub id: LinkId,
    /// Bits per second of a serial port; `None` = datagrams.
    pub baud: Option<u32>,
    pub up: bool,
    /// When the last byte now in either direction has passed.
    to_terminal: Duration,
    to_host: Duration,
}

/// A datagram's way over a local network.
const DATAGRAM: Duration = Duration::from_millis(1);
/// Bytes of one read, at most.
const PIECE_MAX: u64 = 40;

impl Link {
    #[must_use]
    pub const fn serial(id: LinkId, baud: u32) -> Self {
        Self { id, baud: Some(baud), up: true, to_terminal: Duration::ZERO, to_host: Duration::ZERO }
    }

    /// A stream over a local network: read in pieces like a UART, but fast.
    #[must_use]
    pub const fn stream(id: LinkId) -> Self {
        Self::serial(id, 10_000_000)
    }

    #[must_use]
    pub const fn datagrams(id: LinkId) -> Self {
        Self { id, baud: None, up: true, to_terminal: Duration::ZERO, to_host: Duration::ZERO }
    }

    /// Time of so many bytes at ten bits a byte.
    fn time(&self, bytes: usize) -> Duration {
        let Some(baud) = self.baud else { return DATAGRAM };
        Duration::from_micros(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(10_000_000) / u64::from(baud))
    }

    /// When the last byte of a write that begins now has left.
    pub(crate) fn write(&mut self, now: Duration, bytes: usize) -> Duration {
        self.to_terminal = self.to_terminal.max(now) + self.time(bytes);
        self.to_terminal
    }

    /// What the host reads of bytes that the terminal writes now: pieces and when each is there.
    pub(crate) fn read(&mut self, now: Duration, mut bytes: Bytes, seed: &mut Seed) -> Vec<(Duration, Bytes)> {
        if self.baud.is_none() {
            return vec![(now + DATAGRAM, bytes)];
        }
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let length = usize::try_from(seed.between(1, PIECE_MAX)).unwrap_or(1).min(bytes.len());
            self.to_host = self.to_host.max(now) + self.time(length);
            pieces.push((self.to_host, bytes.split_to(length)));
        }
        pieces
    }
}

/// Whether bytes for a terminal carry a message, and so cost airtime; inquiries and acks do not.
#[must_use]
pub fn carries_message(bytes: &[u8]) -> bool {
    let starts = [b"$TXSQ".as_slice(), b"$CCTXA", b"$CCTCQ", b"$CCMSG"];
    let hdap = matches!(bytes, [0x09 | 0x89, _, 0xA1 | 0xB1 | 0xAE | 0xBE, ..]);
    hdap || starts.iter().any(|start| bytes.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_port_takes_ten_bits_a_byte_and_is_read_in_pieces() {
        let mut link = Link::serial(LinkId::new("a"), 9_600);
        assert_eq!(link.write(Duration::ZERO, 96), Duration::from_millis(100));
        assert_eq!(link.write(Duration::ZERO, 96), Duration::from_millis(200), "one after the other");
        let pieces = link.read(Duration::ZERO, Bytes::from(vec![7; 500]), &mut Seed::new(1));
        assert_eq!(pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>(), 500);
        assert!(pieces.iter().all(|(_, piece)| (1..=40).contains(&piece.len())));
        assert_eq!(pieces.last().unwrap().0.as_millis(), 520);
    }
}
