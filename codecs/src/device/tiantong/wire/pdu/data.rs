use super::super::alphabet::{Alphabet, OCTETS_MAX, Packed, pack, text_of_septets, text_of_ucs2, unpack};
use super::super::reader::Reader;
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;

/// Septets of user data in one message, at most.
const SEPTETS_MAX: usize = 160;
/// Information elements that number the parts of a long text (§9.2.3.24.1, §9.2.3.24.8).
const IEI_CONCAT_8: u8 = 0x00;
const IEI_CONCAT_16: u8 = 0x08;

/// TP-UD: an optional header and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserData {
    /// The information elements, without their length octet.
    pub header: Option<Bytes>,
    pub body: Packed,
}

/// Which part of a long text a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concat {
    pub reference: u16,
    /// Whether the reference has 16 bits.
    pub is_wide: bool,
    pub total: u8,
    /// From 1.
    pub number: u8,
}

impl Concat {
    /// As an information element.
    #[must_use]
    pub fn element(self) -> Bytes {
        let [high, low] = self.reference.to_be_bytes();
        let (total, number) = (self.total, self.number);
        if self.is_wide {
            Bytes::copy_from_slice(&[IEI_CONCAT_16, 4, high, low, total, number])
        } else {
            Bytes::copy_from_slice(&[IEI_CONCAT_8, 3, low, total, number])
        }
    }
}

impl UserData {
    /// Without a header.
    #[must_use]
    pub const fn plain(body: Packed) -> Self {
        Self { header: None, body }
    }

    /// The part number, where one stands that can be true; others are ignored, as the standard says.
    #[must_use]
    pub fn concat(&self) -> Option<Concat> {
        let mut rest = self.header.as_deref()?;
        let mut found = None;
        while let [kind, length, after @ ..] = rest {
            let (element, next) = after.split_at_checked(usize::from(*length))?;
            found = match (*kind, element) {
                (IEI_CONCAT_8, [reference, total, number]) => {
                    Some(Concat { reference: u16::from(*reference), is_wide: false, total: *total, number: *number })
                }
                (IEI_CONCAT_16, [high, low, total, number]) => Some(Concat {
                    reference: u16::from_be_bytes([*high, *low]),
                    is_wide: true,
                    total: *total,
                    number: *number,
                }),
                _ => found,
            };
            rest = next;
        }
        found.filter(|part| part.number >= 1 && part.number <= part.total)
    }

    /// The text and whether something had to be replaced; `None` for data.
    #[must_use]
    pub fn text(&self, dcs: u8) -> Option<(String, bool)> {
        match (&self.body, Alphabet::of(dcs)) {
            (Packed::Septets(septets), _) => Some(text_of_septets(septets)),
            (Packed::Octets(octets), Alphabet::Ucs2) => Some(text_of_ucs2(octets)),
            (Packed::Octets(_), _) => None,
        }
    }

    /// Octets of the header with its length octet, the septets they fill, and the bits up to the next septet.
    fn header_size(&self) -> (usize, usize, u32) {
        sizes(self.header.as_ref().map(Bytes::len))
    }

    /// TP-UDL as it is written.
    #[must_use]
    pub fn length(&self) -> usize {
        let (octets, septets, _) = self.header_size();
        match &self.body {
            Packed::Septets(body) => septets.saturating_add(body.len()),
            Packed::Octets(body) => octets.saturating_add(body.len()),
        }
    }

    pub(super) fn read(has_header: bool, dcs: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = reader.at();
        let length = usize::from(reader.u8()?);
        let in_septets = Alphabet::of(dcs) == Alphabet::Gsm7;
        let most = if in_septets { SEPTETS_MAX } else { OCTETS_MAX };
        if length > most {
            let expected = "at most 160 septets or 140 octets";
            return Err(DecodeError::Field { field: "user data length", at, expected });
        }
        let octets = if in_septets { length.saturating_mul(7).div_ceil(8) } else { length };
        let octets = reader.take(octets)?;
        let mut header = None;
        let mut body = octets;
        if has_header {
            let wrong = DecodeError::Field {
                field: "user data header",
                at: at.saturating_add(1),
                expected: "whole elements within the user data",
            };
            let (size, rest) = octets.split_first().ok_or_else(|| wrong.clone())?;
            let (elements, after) = rest.split_at_checked(usize::from(*size)).ok_or_else(|| wrong.clone())?;
            if !are_elements(elements) {
                return Err(wrong);
            }
            header = Some(Bytes::copy_from_slice(elements));
            body = after;
        }
        if !in_septets {
            return Ok(Self { header, body: Packed::Octets(body.to_vec()) });
        }
        let (_, taken, fill) = sizes(header.as_ref().map(Bytes::len));
        let count = length.checked_sub(taken).ok_or(DecodeError::Field {
            field: "user data length",
            at,
            expected: "at least the header",
        })?;
        Ok(Self { header, body: Packed::Septets(unpack(body, fill, count)) })
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (octets, septets, fill) = self.header_size();
        let (most, taken, bits) = match &self.body {
            Packed::Septets(body) => (SEPTETS_MAX, septets.saturating_add(body.len()), 7_u32),
            Packed::Octets(body) => (OCTETS_MAX, octets.saturating_add(body.len()), 8),
        };
        let wide = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).saturating_mul(bits);
        let too_long = || EncodeError::TooLong { needed: wide(taken), capacity: wide(most) };
        out.push(u8::try_from(taken).ok().filter(|n| usize::from(*n) <= most).ok_or_else(too_long)?);
        if let Some(header) = &self.header {
            out.push(u8::try_from(header.len()).map_err(|_| too_long())?);
            out.extend_from_slice(header);
        }
        match &self.body {
            Packed::Septets(body) => out.extend(pack(body, fill)),
            Packed::Octets(body) => out.extend_from_slice(body),
        }
        Ok(())
    }
}

fn sizes(header: Option<usize>) -> (usize, usize, u32) {
    let octets = header.map_or(0, |length| length.saturating_add(1));
    let bits = octets.saturating_mul(8);
    let septets = bits.div_ceil(7);
    let fill = septets.saturating_mul(7).saturating_sub(bits);
    (octets, septets, u32::try_from(fill).unwrap_or(0))
}

fn are_elements(mut rest: &[u8]) -> bool {
    while let [_, length, after @ ..] = rest {
        let Some((_, next)) = after.split_at_checked(usize::from(*length)) else { return false };
        rest = next;
    }
    rest.is_empty()
}
