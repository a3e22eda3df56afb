//! The layouts of the Hytera data interface, parsed and emitted in both directions.
//!
//! What it is: HDAP (Hytera Data Application Protocol) frames as they stand in a UDP datagram on ports 3002 (RRS),
//! 3003 (LP) and 3004 (TMP), one file per service. What it is not: a judgement of what was said; that is the codec's.
//! The same frames stand in [`Hrnp`] frames (a cable, UDP 3005) and in [`Hstrp`] datagrams (repeaters, UDP 30001..).
//!
//! **Invariants**
//! - No function panics on any input, and none reads past a length that it did not check.
//! - `parse(emit(x)) == x` for every value that `emit` accepts.
//! - Everything is big-endian, except the opcode, length and ids of RCP frames.

mod bytes;
mod dds;
mod gps;
mod hdap;
mod hrnp;
mod hstrp;
mod lp;
mod rcp;
mod rrs;
mod tmp;

pub use self::bytes::Ascii;
pub use dds::Dds;
pub use gps::{Gps, SpeedUnit};
pub use hdap::{Body, END, Hdap, RadioIp, Service};
pub use hrnp::{HRNP_HEAD, HRNP_MAX, HRNP_MIN, Hrnp, HrnpKind};
pub use hstrp::{Hstrp, HstrpKind, HstrpOption, OPTION_DEVICE, OPTION_SLOT};
pub use lp::{Family, Lp, RESULT_NO_POSITION, Window};
pub use rcp::{CallState, OWN_ID, OWN_IP, Rcp, STATUS_LEAVE_EMERGENCY, TARGET_EMERGENCY};
pub use rrs::{REGISTERED, Rrs};
pub use tmp::{Tmp, TmpMessage, Utf16};

#[cfg(test)]
mod tests;
