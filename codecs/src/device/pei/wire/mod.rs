//! The lines of the peripheral equipment interface and what stands in their user data, both directions.
//!
//! What it is: AT lines (`at`), short data with SDS-TL (`sds`) and short location reports (`lip`). What it is not: a
//! judgement of what was said. Layouts: the public tests of ftl/tetra-pei and the line samples of sm0svx/svxlink; value
//! names after EN 300 392-2 §29 and TS 100 392-18-1 as publicly known.
//!
//! **Invariants**
//! - No function panics on any input, and user data shorter than its header declares is refused.
//! - `parse(emit(x)) == x` for every value that is emitted.

pub mod at;
pub mod lip;
pub mod sds;

pub use at::{Command, HostLine, Indication, RadioLine};
pub use lip::{LipShort, Location};
pub use sds::{Coding, Sds, Transfer};

/// A status that is a short report of SDS-TL: what (0 not supported, 1 memory full, 2 received, 3 consumed) and the
/// message reference. The samples have it from 7800h, the standard's reserved range is from 7C00h; both are read.
#[must_use]
pub fn short_report(status: u16) -> Option<(u8, u8)> {
    let [high, reference] = status.to_be_bytes();
    matches!(high, 0x78..=0x7F).then_some((high & 3, reference))
}
