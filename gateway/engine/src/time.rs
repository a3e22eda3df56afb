//! Time as an argument.

use serde::{Deserialize, Serialize};
use std::time::Duration;
pub use yizhan_codecs::message::Utc;

/// A point on a clock that never goes back: microseconds since an arbitrary start (of the process, of the drill).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(pub u64);

impl Instant {
    /// Later by `by`; stays at the end of time when it would overflow.
    #[must_use]
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(by.as_micros()).unwrap_or(u64::MAX)))
    }

    /// How long since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

/// What time it is, as far as the hands know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub mono: Instant,
    /// The host's clock, only when the host vouches for it (synchronised by NTP, or declared good in the config).
    pub wall: Option<Utc>,
}
