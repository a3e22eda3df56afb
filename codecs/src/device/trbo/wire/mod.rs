//! What TRBO radios say and are told: registration (ARS), text (TMS), location (LRRP), each a datagram of its own service
//! port, and the IP/UDP packets in which they go over the air. All numbers are big-endian; nothing but UDP and, on the air,
//! a CRC guards them.

pub mod ars;
pub mod dmrd;
pub mod ip;
pub mod lrrp;
pub mod tms;

use crate::codec::DecodeError;

/// A declared length at the front and exactly as many bytes behind it. Gives these.
fn declared(bytes: &[u8]) -> Result<(u16, &[u8]), DecodeError> {
    let (length, rest) =
        bytes.split_first_chunk::<2>().ok_or(DecodeError::Length { expected: 3, found: bytes.len() })?;
    Ok((u16::from_be_bytes(*length), rest))
}
