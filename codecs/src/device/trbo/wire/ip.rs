use super::bytes::Reader;
use crate::codec::DecodeError;
use std::net::Ipv4Addr;

const UDP: u8 = 17;

/// A whole IP packet as DMR carries it on the air: IPv4 header, UDP header, payload, filling, and a checksum of 32 bits
/// over all of it. The host of a radio never sees it so; monitors do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAir<'a> {
    pub source: Ipv4Addr,
    pub target: Ipv4Addr,
    pub source_port: u16,
    pub target_port: u16,
    pub total_len: u16,
    pub udp_len: u16,
    pub payload: &'a [u8],
    /// Filling and checksum.
    pub tail: &'a [u8],
}

impl<'a> OnAir<'a> {
    /// Reads exactly one packet with its tail; all three checksums must hold.
    ///
    /// # Errors
    /// When it is no whole UDP packet, or a length or a checksum is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        let first = reader.u8()?;
        let header_len = usize::from(first & 0x0F).saturating_mul(4);
        if first >> 4 != 4 || header_len < 20 {
            return Err(DecodeError::Field { field: "ip_header", at: 0, expected: "IPv4" });
        }
        let _service = reader.u8()?;
        let total_len = reader.u16()?;
        let (packet, tail) = bytes
            .split_at_checked(usize::from(total_len))
            .ok_or(DecodeError::Length { expected: usize::from(total_len), found: bytes.len() })?;
        let _identification_and_fragment = reader.u32()?;
        let (_life, protocol, _checksum) = (reader.u8()?, reader.u8()?, reader.u16()?);
        if protocol != UDP {
            return Err(DecodeError::Field { field: "ip_protocol", at: 9, expected: "17 (UDP)" });
        }
        let (source, target) = (reader.u32()?, reader.u32()?);
        let (header, datagram) = packet
            .split_at_checked(header_len)
            .ok_or(DecodeError::Length { expected: header_len, found: packet.len() })?;
        check(internet_sum(&[header]))?;
        let mut udp = Reader::new(datagram, header_len);
        let (source_port, target_port, udp_len, udp_sum) = (udp.u16()?, udp.u16()?, udp.u16()?, udp.u16()?);
        if usize::from(udp_len) != datagram.len() {
            return Err(DecodeError::Length { expected: usize::from(udp_len), found: datagram.len() });
        }
        // 0 = the sender computed none.
        if udp_sum != 0 {
            let [high, low] = udp_len.to_be_bytes();
            let ends = [source.to_be_bytes(), target.to_be_bytes()];
            check(internet_sum(&[ends.as_flattened(), &[0, UDP, high, low], datagram]))?;
        }
        check_tail(bytes, tail)?;
        Ok(Self {
            source: source.into(),
            target: target.into(),
            source_port,
            target_port,
            total_len,
            udp_len,
            payload: udp.rest(),
            tail,
        })
    }
}

/// The filling is zero and the checksum right.
fn check_tail(bytes: &[u8], tail: &[u8]) -> Result<(), DecodeError> {
    let too_short =
        DecodeError::Length { expected: bytes.len().saturating_sub(tail.len()).saturating_add(4), found: bytes.len() };
    let (covered, found) = bytes.split_last_chunk::<4>().ok_or_else(|| too_short.clone())?;
    let filling = tail.split_last_chunk::<4>().ok_or(too_short)?.0;
    if filling.iter().any(|byte| *byte != 0) {
        let at = bytes.len().saturating_sub(tail.len());
        return Err(DecodeError::Field { field: "filling", at, expected: "zeros" });
    }
    let (expected, found) = (air_checksum(covered), u32::from_le_bytes(*found));
    if expected == found { Ok(()) } else { Err(DecodeError::Checksum { expected, found }) }
}

/// The sum over a part with its own checksum in it is FFFF.
fn check(sum: u16) -> Result<(), DecodeError> {
    if sum == 0xFFFF { Ok(()) } else { Err(DecodeError::Checksum { expected: 0xFFFF, found: u32::from(sum) }) }
}

/// The one's complement sum of RFC 1071; every part but the last has an even length.
pub(super) fn internet_sum(parts: &[&[u8]]) -> u16 {
    let mut sum: u16 = 0;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let word = match pair {
            [high, low] => u16::from_be_bytes([*high, *low]),
            [high] => u16::from_be_bytes([*high, 0]),
            _ => 0,
        };
        let (low, carry) = sum.overflowing_add(word);
        sum = low.wrapping_add(u16::from(carry));
    }
    sum
}

/// The checksum of a DMR data unit (ETSI TS 102 361-1, B.3.9): CRC-32 from zero, over the bytes of each pair in turn
/// low byte first; it stands lowest byte first.
#[must_use]
pub fn air_checksum(bytes: &[u8]) -> u32 {
    let in_pairs = bytes.chunks(2).flat_map(|pair| pair.iter().rev());
    in_pairs.fold(0_u32, |sum, byte| {
        (0..8).fold(sum ^ (u32::from(*byte) << 24), |sum, _| {
            if sum & 0x8000_0000 == 0 { sum << 1 } else { (sum << 1) ^ 0x04C1_1DB7 }
        })
    })
}
