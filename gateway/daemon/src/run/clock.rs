use crate::config::ClockTrust;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use yizhan_engine::time::{self, Now, Utc};

/// How long the kernel's word about its clock holds.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// The host's two clocks: one that never goes back, and one that may be trusted or not.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    trust: ClockTrust,
    synchronised: bool,
    asked: Option<Instant>,
}

impl Clock {
    pub(super) fn start(trust: ClockTrust) -> Self {
        Self { start: Instant::now(), trust, synchronised: false, asked: None }
    }

    pub(super) fn now(&mut self) -> Now {
        let mono = self.start.elapsed();
        let trusted = match self.trust {
            ClockTrust::Trust => true,
            ClockTrust::Never => false,
            ClockTrust::Ntp => self.synchronised(),
        };
        let wall = trusted.then(wall).flatten();
        Now { mono: time::Instant(u64::try_from(mono.as_micros()).unwrap_or(u64::MAX)), wall }
    }

    /// When an engine's instant is, for the timer.
    pub(super) fn at(&self, instant: time::Instant) -> tokio::time::Instant {
        tokio::time::Instant::from_std(self.start) + Duration::from_micros(instant.0)
    }

    fn synchronised(&mut self) -> bool {
        if self.asked.is_none_or(|asked| asked.elapsed() >= ASK_AGAIN) {
            self.asked = Some(Instant::now());
            self.synchronised = kernel_says_synchronised();
        }
        self.synchronised
    }
}

fn wall() -> Option<Utc> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok().map(Utc)
}

/// Whether the kernel's clock is disciplined now (by NTP, PTP or whatever sets it and says so).
fn kernel_says_synchronised() -> bool {
    #[expect(unsafe_code, reason = "no safe wrapper exists; a zeroed timex has modes = 0, which only reads")]
    // SAFETY: `timex` is plain integers, for which zero is valid; the kernel writes within the struct only.
    let (state, status) = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        let state = libc::adjtimex(&raw mut timex);
        (state, timex.status)
    };
    state >= 0 && state != libc::TIME_ERROR && status & libc::STA_UNSYNC == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_never_trusted_tells_no_wall_time_and_one_that_is_does() {
        assert_eq!(Clock::start(ClockTrust::Never).now().wall, None);
        let mut clock = Clock::start(ClockTrust::Trust);
        let (first, second) = (clock.now(), clock.now());
        assert!(first.wall > Utc::from_civil(2024, 1, 1, 0, 0, 0));
        assert!(second.mono >= first.mono);
    }
}
