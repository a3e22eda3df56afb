//! The three layers on the wire, each with `parse` and `emit`: KISS between host and TNC, AX.25 on the air, APRS in it.
//!
//! KISS: Chepponis and Karn 1987. AX.25: version 2.2, §3. APRS: APRS Protocol Reference 1.0.1, with the reply-ack
//! addendum 1.1.

pub mod aprs;
pub mod ax25;
pub mod extension;
pub mod kiss;
pub mod mic_e;
pub mod place;

pub use aprs::{Aprs, Bulletin, Message};
pub use ax25::{Ax25, Call, Via};
pub use kiss::Kiss;
pub use mic_e::MicE;
pub use place::Place;
