//! An IP/UDP packet as it goes over the air: header checksum, UDP checksum, filler, and the CRC-32 of the data unit (ETSI
//! TS 102 361-1: polynomial 04C11DB7 over the bytes of each pair swapped, written little-endian; it fits every capture).

use crate::codec::DecodeError;
use crate::device::reader::Reader;
use std::net::Ipv4Addr;

/// IPv4 with a header of 20 bytes: radios send no options.
const VERSION: u8 = 0x45;
const HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const CRC: usize = 4;
const UDP: u8 = 17;
/// The ETSI text captures carry 1 here (ICMP's number) and are UDP all the same.
const UDP_OF_ETSI: u8 = 1;

/// One packet and what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AirPacket<'a> {
    pub from: Ipv4Addr,
    pub to: Ipv4Addr,
    pub from_port: u16,
    pub to_port: u16,
    pub total: u16,
    pub udp_length: u16,
    pub payload: &'a [u8],
    /// Filler and CRC.
    pub trailing: &'a [u8],
}

impl<'a> AirPacket<'a> {
    /// The 24-bit number behind the sender's address.
    #[must_use]
    pub const fn from_id(&self) -> u32 {
        self.from.to_bits() & 0x00FF_FFFF
    }

    /// Reads one data unit: packet, filler, CRC.
    ///
    /// # Errors
    /// [`DecodeError::Checksum`] when one of the three does not hold, `Length` when the lengths contradict each other,
    /// `Unknown` for what is no IPv4/UDP.
    pub fn parse(unit: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(unit, 0);
        if reader.u8()? != VERSION {
            return Err(DecodeError::Unknown("no IPv4 header of 20 bytes".into()));
        }
        let _class = reader.u8()?;
        let total = reader.u16()?;
        let (_identification, _fragment) = (reader.u16()?, reader.u16()?);
        let (_life, protocol, _header_sum) = (reader.u8()?, reader.u8()?, reader.u16()?);
        if protocol != UDP && protocol != UDP_OF_ETSI {
            return Err(DecodeError::Unknown(format!("IP protocol {protocol}")));
        }
        let (from, to) = (Ipv4Addr::from_bits(reader.u32()?), Ipv4Addr::from_bits(reader.u32()?));
        let wrong = |expected: usize| DecodeError::Length { expected, found: unit.len() };
        let header = unit.get(..HEADER).ok_or_else(|| wrong(HEADER))?;
        check(sum(&[header]), 0)?;
        let (packet, trailing) = unit.split_at_checked(usize::from(total)).ok_or_else(|| wrong(usize::from(total)))?;
        let udp = packet.get(HEADER..).unwrap_or_default();
        let (from_port, to_port, udp_length, udp_sum) = (reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
        if usize::from(udp_length) != udp.len() || udp.len() < UDP_HEADER {
            return Err(wrong(HEADER.saturating_add(usize::from(udp_length))));
        }
        // The sum 0 would mean "none": no radio sends that.
        if udp_sum == 0 {
            return Err(DecodeError::Checksum { expected: 0xFFFF, found: 0 });
        }
        let addresses = header.get(12..).unwrap_or_default();
        check(sum(&[addresses, &[0, UDP], &udp_length.to_be_bytes(), udp]), 0)?;
        check_unit(unit, trailing.len())?;
        let payload = udp.get(UDP_HEADER..).unwrap_or_default();
        Ok(Self { from, to, from_port, to_port, total, udp_length, payload, trailing })
    }
}

fn check(computed: u16, expected: u16) -> Result<(), DecodeError> {
    if computed == expected {
        return Ok(());
    }
    Err(DecodeError::Checksum { expected: expected.into(), found: computed.into() })
}

fn check_unit(unit: &[u8], trailing: usize) -> Result<(), DecodeError> {
    let short = DecodeError::Length { expected: unit.len().saturating_add(CRC), found: unit.len() };
    let Some((body, crc)) = unit.split_last_chunk::<CRC>().filter(|_| trailing >= CRC) else { return Err(short) };
    let (expected, found) = (crc_32(body), u32::from_le_bytes(*crc));
    if expected == found { Ok(()) } else { Err(DecodeError::Checksum { expected, found }) }
}

/// The one's-complement sum of 16-bit words, complemented: 0 over data that carries its own sum.
fn sum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u32;
    for part in parts {
        let (pairs, odd) = part.as_chunks::<2>();
        let last = odd.first().map_or(0, |byte| u32::from(*byte) << 8);
        let words = pairs.iter().map(|pair| u32::from(u16::from_be_bytes(*pair))).chain([last]);
        for word in words {
            sum = sum.wrapping_add(word);
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
    }
    !u16::try_from(sum & 0xFFFF).unwrap_or_default()
}

fn crc_32(body: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x04C1_1DB7;
    let (pairs, odd) = body.as_chunks::<2>();
    let swapped = pairs.iter().flat_map(|[first, second]| [*second, *first]).chain(odd.iter().copied());
    swapped.fold(0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(byte) << 24,
            |crc, _| {
                if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ POLYNOMIAL }
            },
        )
    })
}
