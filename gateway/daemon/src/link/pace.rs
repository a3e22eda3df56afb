use crate::config::{Parity, Serial};
use std::time::Duration;
use tokio::time::Instant;

/// How much may lie in the port's own buffer. The kernel takes many kilobytes at once and says they are written; with
/// a small window a finished write is nearly a transmission, and a port that dies loses little.
const WINDOW: Duration = Duration::from_millis(50);

/// Keeps a port's buffer nearly empty by writing no faster than its baud rate sends.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    byte: Duration,
    empty_at: Instant,
}

impl Pace {
    pub(super) fn of(serial: &Serial) -> Self {
        let bits = 9_u32.saturating_add(serial.stop_bits.into()).saturating_add((serial.parity != Parity::None).into());
        let byte = Duration::from_secs(1).saturating_mul(bits).checked_div(serial.baud).unwrap_or_default();
        Self { byte, empty_at: Instant::now() }
    }

    /// No pace: the network has its own.
    pub(super) fn none() -> Self {
        Self { byte: Duration::ZERO, empty_at: Instant::now() }
    }

    /// Bytes that may be given at once.
    pub(super) fn chunk(&self) -> usize {
        let bytes = WINDOW.as_nanos().checked_div(self.byte.as_nanos()).unwrap_or(u128::MAX);
        usize::try_from(bytes).unwrap_or(usize::MAX).max(16)
    }

    /// When the next chunk may be given.
    pub(super) fn room_at(&self) -> Instant {
        self.empty_at.checked_sub(WINDOW).unwrap_or(self.empty_at)
    }

    /// Notes bytes that the port took.
    pub(super) fn took(&mut self, bytes: usize) {
        let time = self.byte.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX));
        self.empty_at = self.empty_at.max(Instant::now()) + time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_port_is_given_little_at_a_time_and_no_faster_than_it_sends() {
        let serial =
            |baud| Serial { port: "/dev/null".into(), baud, parity: Parity::None, stop_bits: 1, exclusive: true };
        assert_eq!(Pace::of(&serial(9_600)).chunk(), 48);
        assert_eq!(Pace::of(&serial(115_200)).chunk(), 576);
        let mut pace = Pace::of(&serial(9_600));
        let start = Instant::now();
        pace.took(960);
        let room = pace.room_at().duration_since(start);
        assert!((Duration::from_millis(940)..Duration::from_millis(1_100)).contains(&room), "{room:?}");
    }
}
