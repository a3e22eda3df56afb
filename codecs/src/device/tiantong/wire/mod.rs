//! What goes over the cable: AT lines (3GPP TS 27.005, 27.007; ITU-T V.250) and the short messages in them
//! (TS 23.040 §9, TS 23.038). Both directions; the simulated phone shares it.

pub mod alphabet;
pub mod at;
mod causes;
pub mod pdu;
mod reader;
#[cfg(test)]
mod tests;

pub use alphabet::{Alphabet, Packed};
pub use at::{At, Place};
pub use causes::{cme_words, cms_words, is_passing, report_words};
pub use pdu::{Address, Concat, Deliver, Pdu, Report, Scts, Submit, UserData, Validity};
