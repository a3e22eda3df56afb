use crate::codec::DecodeError;
use std::borrow::Cow;

/// User data of a short data message of type 4, by its protocol identifier (EN 300 392-2 §29).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sds {
    /// 02, 09: a text without transport layer, hence without report.
    Simple {
        pid: u8,
        coding: u8,
        text: Vec<u8>,
    },
    Transfer(Transfer),
    /// What became of a message.
    Report {
        pid: u8,
        ack_required: bool,
        status: u8,
        reference: u8,
    },
    /// The end of a report.
    Ack {
        pid: u8,
        status: u8,
        reference: u8,
    },
    /// Another protocol.
    Other {
        pid: u8,
        body: Vec<u8>,
    },
}

/// A text with transport layer: 82, 89, 8A.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub pid: u8,
    /// Bit 0: report of receipt wanted; bit 1: report of reading wanted.
    pub wants: u8,
    pub short_form: bool,
    /// What stands between reference and coding where the network may store and forward.
    pub forward: Option<Vec<u8>>,
    pub reference: u8,
    pub coding: u8,
    pub timestamp: Option<[u8; 3]>,
    /// Reference, total and number where it is one of several.
    pub part: Option<(u8, u8, u8)>,
    pub text: Vec<u8>,
}

/// The codings that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Latin1,
    Ucs2,
}

impl Coding {
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Latin1 => 1,
            Self::Ucs2 => 26,
        }
    }

    /// The text in this coding.
    ///
    /// # Errors
    /// The first character that cannot be written.
    pub fn write(self, text: &str) -> Result<Vec<u8>, char> {
        match self {
            Self::Ucs2 => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            Self::Latin1 => text.chars().map(|c| u8::try_from(c).map_err(|_| c)).collect(),
        }
    }
}

const TRANSFERS: [u8; 3] = [0x82, 0x89, 0x8A];

fn cut(found: usize) -> DecodeError {
    DecodeError::Length { expected: found.saturating_add(1), found }
}

struct Reader<'a>(&'a [u8], usize);

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.0.split_first().ok_or_else(|| cut(self.1))?;
        self.0 = rest;
        self.1 = self.1.saturating_add(1);
        Ok(*first)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or_else(|| cut(self.1))?;
        self.0 = rest;
        self.1 = self.1.saturating_add(count);
        Ok(head)
    }
}

impl Sds {
    /// Reads whole user data.
    ///
    /// # Errors
    /// When it is cut, or a text's header is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader(bytes, 0);
        let pid = reader.u8()?;
        match pid {
            0x02 | 0x09 => {
                let coding = reader.u8()? & 0x7F;
                Ok(Self::Simple { pid, coding, text: reader.0.to_vec() })
            }
            pid if TRANSFERS.contains(&pid) => Self::transport(pid, &mut reader),
            _ => Ok(Self::Other { pid, body: reader.0.to_vec() }),
        }
    }

    fn transport(pid: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let head = reader.u8()?;
        let found = match head >> 4 {
            0 => return Transfer::read(pid, head, reader).map(Self::Transfer),
            1 => {
                let (status, reference) = (reader.u8()?, reader.u8()?);
                if head & 1 != 0 {
                    forward(reader)?;
                }
                // A report may bring a text of its own; no radio is known to show it.
                return Ok(Self::Report { pid, ack_required: head & 8 != 0, status, reference });
            }
            2 => Self::Ack { pid, status: reader.u8()?, reference: reader.u8()? },
            other => return Err(DecodeError::Unknown(format!("SDS-TL message type {other}"))),
        };
        if reader.0.is_empty() { Ok(found) } else { Err(DecodeError::Trailing(reader.0.len())) }
    }

    /// The user data.
    #[must_use]
    pub fn emit(&self) -> Vec<u8> {
        match self {
            Self::Simple { pid, coding, text } => [&[*pid, *coding], text.as_slice()].concat(),
            Self::Transfer(transfer) => transfer.emit(),
            Self::Report { pid, ack_required, status, reference } => {
                vec![*pid, if *ack_required { 0x18 } else { 0x10 }, *status, *reference]
            }
            Self::Ack { pid, status, reference } => vec![*pid, 0x20, *status, *reference],
            Self::Other { pid, body } => [&[*pid], body.as_slice()].concat(),
        }
    }
}

/// Validity period and forward address.
fn forward(reader: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    let first = reader.u8()?;
    let mut taken = vec![first];
    let count = match first & 7 {
        0 => 1,
        1 => 3,
        2 => 6,
        3 => {
            let digits = reader.u8()?;
            taken.push(digits);
            usize::from(digits.div_ceil(2))
        }
        7 => 0,
        _ => return Err(DecodeError::Field { field: "forward_type", at: 3, expected: "0 to 3, or 7" }),
    };
    taken.extend_from_slice(reader.take(count)?);
    Ok(taken)
}

impl Transfer {
    fn read(pid: u8, head: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reference = reader.u8()?;
        let forward = if head & 1 == 0 { None } else { Some(forward(reader)?) };
        let coding = reader.u8()?;
        let timestamp = match coding & 0x80 {
            0 => None,
            _ => <[u8; 3]>::try_from(reader.take(3)?).ok(),
        };
        let part = if pid == 0x8A { header(reader)? } else { None };
        Ok(Self {
            pid,
            wants: head >> 2 & 3,
            short_form: head & 2 != 0,
            forward,
            reference,
            coding: coding & 0x7F,
            timestamp,
            part,
            text: reader.0.to_vec(),
        })
    }

    fn emit(&self) -> Vec<u8> {
        let head = (self.wants & 3) << 2 | u8::from(self.short_form) << 1 | u8::from(self.forward.is_some());
        let mut bytes = vec![self.pid, head, self.reference];
        bytes.extend(self.forward.iter().flatten());
        bytes.push(self.coding & 0x7F | if self.timestamp.is_some() { 0x80 } else { 0 });
        bytes.extend(self.timestamp.iter().flatten());
        if let (0x8A, Some((reference, total, number))) = (self.pid, self.part) {
            bytes.extend([5, 0, 3, reference, total, number]);
        }
        bytes.extend(&self.text);
        bytes
    }
}

/// The user data header of 8A: its length, then elements; 00 03 is concatenation.
fn header(reader: &mut Reader<'_>) -> Result<Option<(u8, u8, u8)>, DecodeError> {
    let length = reader.u8()?;
    let mut inner = Reader(reader.take(usize::from(length))?, reader.1);
    let mut part = None;
    while !inner.0.is_empty() {
        let (element, count) = (inner.u8()?, inner.u8()?);
        let value = inner.take(usize::from(count))?;
        if let (0, [reference, total, number]) = (element, value) {
            if *number == 0 || number > total {
                return Err(DecodeError::Field { field: "part", at: inner.1, expected: "1 to total" });
            }
            part = Some((*reference, *total, *number));
        }
    }
    Ok(part)
}

/// A text in one of the codings of EN 300 392-2 table 29.29, and whether something in it could not be read.
#[must_use]
pub fn read_text(coding: u8, bytes: &[u8]) -> (String, bool) {
    let label = match coding {
        0 => return seven_bits(bytes),
        1 => return (bytes.iter().map(|byte| char::from(*byte)).collect(), false),
        2..=8 => format!("iso-8859-{coding}"),
        9 => return (bytes.iter().map(|byte| turkish(*byte)).collect(), false),
        10 => "iso-8859-10".into(),
        11 => "iso-8859-13".into(),
        12 => "iso-8859-14".into(),
        13 => "iso-8859-15".into(),
        24 => "ibm866".into(),
        26 => return big_endian(bytes),
        _ => return (String::from_utf8_lossy(bytes).into_owned(), !bytes.is_ascii()),
    };
    let Some(encoding) = encoding_rs::Encoding::for_label(label.as_bytes()) else {
        return (String::from_utf8_lossy(bytes).into_owned(), !bytes.is_ascii());
    };
    let (text, lossy): (Cow<'_, str>, bool) = encoding.decode_without_bom_handling(bytes);
    (text.into_owned(), lossy)
}

fn turkish(byte: u8) -> char {
    match byte {
        0xD0 => 'Ğ',
        0xDD => 'İ',
        0xDE => 'Ş',
        0xF0 => 'ğ',
        0xFD => 'ı',
        0xFE => 'ş',
        other => char::from(other),
    }
}

fn big_endian(bytes: &[u8]) -> (String, bool) {
    let pairs = bytes.chunks_exact(2);
    let is_odd = !pairs.remainder().is_empty();
    let units = pairs.filter_map(|pair| <[u8; 2]>::try_from(pair).ok().map(u16::from_be_bytes));
    let mut lossy = is_odd;
    let text = char::decode_utf16(units)
        .map(|unit| {
            unit.unwrap_or_else(|_| {
                lossy = true;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    (text, lossy)
}

/// Characters of seven bits, packed from the low end as in GSM 03.38, of which only the part like ASCII is read.
fn seven_bits(bytes: &[u8]) -> (String, bool) {
    let (mut held, mut count, mut lossy, mut text) = (0_u16, 0_u8, false, String::new());
    for byte in bytes {
        held |= u16::from(*byte).checked_shl(count.into()).unwrap_or(0);
        count = count.saturating_add(8);
        while count >= 7 {
            let code = u8::try_from(held & 0x7F).unwrap_or(0);
            held >>= 7;
            count = count.saturating_sub(7);
            let is_alike = matches!(code, 10 | 13 | 0x20..=0x23 | 0x25..=0x3F | 0x41..=0x5A | 0x61..=0x7A);
            text.push(match code {
                0 => '@',
                2 => '$',
                17 => '_',
                _ if is_alike => char::from(code),
                _ => {
                    lossy = true;
                    char::REPLACEMENT_CHARACTER
                }
            });
        }
    }
    (text, lossy)
}
