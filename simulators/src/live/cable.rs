//! What a serial cable and a USB adapter make of a terminal's sentences: one arrives in three reads, three arrive in one.

use crate::seed::Seed;
use std::time::Duration;

/// The way from a terminal to its host: paced like a UART, cut where chance wants it.
#[derive(Clone, Debug)]
pub struct Cable {
    baud: u32,
    seed: Seed,
    /// Written by the terminal, not yet at the host.
    on_the_way: Vec<u8>,
}

impl Cable {
    /// The longest piece that arrives at once.
    const PIECE_MAX: u64 = 40;
    /// Out of 1000 times that a terminal starts to write, how often the adapter waits for more.
    const GLUE_PERMILLE: u32 = 300;

    #[must_use]
    pub fn new(baud: u32, seed: Seed) -> Self {
        Self { baud: baud.max(1), seed, on_the_way: Vec::new() }
    }

    /// The terminal writes. Gives when the next piece is due, unless one is due already.
    pub fn write(&mut self, bytes: &[u8]) -> Option<Duration> {
        let idle = self.on_the_way.is_empty();
        self.on_the_way.extend_from_slice(bytes);
        if !idle || bytes.is_empty() {
            return None;
        }
        let glued = self.seed.chance(Self::GLUE_PERMILLE);
        let wait = self.seed.time_between(Duration::from_millis(5), Duration::from_millis(40));
        Some(if glued { wait } else { Duration::ZERO })
    }

    /// The next piece for the host, and when the one after it is due.
    pub fn piece(&mut self) -> (Vec<u8>, Option<Duration>) {
        let length = usize::try_from(self.seed.between(1, Self::PIECE_MAX)).unwrap_or(1).min(self.on_the_way.len());
        let piece: Vec<u8> = self.on_the_way.drain(..length).collect();
        let bits = u64::try_from(length).unwrap_or(u64::MAX).saturating_mul(10);
        let took = Duration::from_micros(bits.saturating_mul(1_000_000) / u64::from(self.baud));
        (piece, (!self.on_the_way.is_empty()).then_some(took))
    }

    /// When something is left, that the next piece is due.
    #[must_use]
    pub fn rest(&self) -> Option<Duration> {
        (!self.on_the_way.is_empty()).then_some(Duration::ZERO)
    }

    /// The plug is pulled: what is on the way is lost.
    pub fn cut(&mut self) {
        self.on_the_way.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_cut_and_paced_and_nothing_is_lost_or_reordered() {
        let mut cable = Cable::new(19_200, Seed::new(5));
        let sent: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        assert!(cable.write(&sent[..400]).is_some());
        assert_eq!(cable.write(&sent[400..]), None, "the first piece is due already");
        let (mut heard, mut took, mut pieces) = (Vec::new(), Duration::ZERO, 0);
        loop {
            let (piece, next) = cable.piece();
            assert!((1..=40).contains(&piece.len()));
            heard.extend(piece);
            pieces += 1;
            let Some(wait) = next else { break };
            took += wait;
        }
        assert_eq!(heard, sent);
        assert!(pieces > 30, "{pieces}");
        assert!(took > Duration::from_millis(490) && took < Duration::from_millis(521), "{took:?}");
    }
}
