use super::bytes::{Reader, put_uintvar};
use crate::codec::{DecodeError, EncodeError};
use crate::message::Utc;
use bytes::Bytes;

/// A document of the location service, UDP 4001: number 1, length in groups of seven bits, tokens.
///
/// The same token byte means one thing in a request and another in a report. Tokens as OK-DMR/ok-dmrlib, KD8EYF/TRBO-NET
/// and rick51231/node-dmr-lib agree on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lrrp {
    pub doc: u8,
    pub tokens: Vec<Token>,
}

/// One element of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// 22, and 23 for one byte: who asked, given back in every answer.
    RequestId(Bytes),
    /// Request 34: report again and again.
    Periodic,
    /// Request 31: every so many seconds.
    Interval(u32),
    /// Request 42: a fix of at most this age will do.
    MaxAge(u32),
    /// Request 78: after so many metres.
    Distance(u32),
    /// Request: a flag or a field that is wished for, by its byte.
    Wish(u8),
    /// 3F, and 36 in the answer.
    Version { token: u8, version: u8 },
    /// Report 34.
    Time(Stamp),
    /// Report 37, 38 (0) or 39: how it went, and with 39 more bytes.
    Result { token: u8, code: u32, detail: Bytes },
    /// Report 51, 55, 66, 69.
    Point(Point),
    /// Report 6C: metres a second.
    Speed(Fraction),
    /// Report 70: metres a second, up positive.
    Climb(Fraction),
    /// Report 56: in steps of two degrees.
    Heading(u8),
    /// Report 6B: one byte of unknown meaning.
    Opaque6b(u8),
    /// A token that is not known, and all that follows it.
    Unread(Bytes),
}

/// When a fix was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// Where a radio is, in the wire's own units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Sign and magnitude, 2^32 = 180 degrees.
    pub lat_raw: u32,
    /// Two's complement, 2^32 = 360 degrees.
    pub lon_raw: u32,
    pub radius: Option<Fraction>,
    pub altitude: Option<Fraction>,
    pub altitude_accuracy: Option<Fraction>,
}

/// A number in 128ths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fraction {
    pub negative: bool,
    pub whole: u32,
    /// 0 to 127.
    pub part: u8,
}

impl Fraction {
    #[must_use]
    pub fn value(self) -> f64 {
        let size = f64::from(self.whole) + f64::from(self.part) / 128.0;
        if self.negative { -size } else { size }
    }
}

impl Point {
    /// In degrees, north and east positive.
    #[must_use]
    pub fn degrees(&self) -> (f64, f64) {
        let size = f64::from(self.lat_raw & 0x7FFF_FFFF) * 180.0 / 4_294_967_296.0;
        let lat = if self.lat_raw >> 31 == 0 { size } else { -size };
        (lat, f64::from(self.lon_raw.cast_signed()) * 360.0 / 4_294_967_296.0)
    }

    /// From degrees, to the nearest step; `None` where there is no such place.
    #[must_use]
    pub fn from_degrees(lat: f64, lon: f64) -> Option<Self> {
        if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range was just checked: at most 2^31 in size")]
        let steps = |degrees: f64, whole: f64| (degrees / whole * 4_294_967_296.0).round() as i64;
        let size = u32::try_from(steps(lat.abs(), 180.0)).ok()?.min(0x7FFF_FFFF);
        let lat_raw = if lat < 0.0 { size | 0x8000_0000 } else { size };
        let lon_raw = i32::try_from(steps(lon, 360.0)).unwrap_or(i32::MAX).cast_unsigned();
        Some(Self { lat_raw, lon_raw, radius: None, altitude: None, altitude_accuracy: None })
    }
}

impl Stamp {
    /// `None` when there is no such day or hour.
    #[must_use]
    pub fn utc(self) -> Option<Utc> {
        Utc::from_civil(self.year, self.month, self.day, self.hour, self.minute, self.second)
    }
}

/// The name of a document in the vectors. An even number is another coding of the odd one after it.
#[must_use]
pub const fn doc_name(doc: u8) -> Option<&'static str> {
    Some(match doc {
        0x04 | 0x05 => "immediate_request",
        0x06 | 0x07 => "immediate_report",
        0x08 | 0x09 => "triggered_request",
        0x0A | 0x0B => "triggered_answer",
        0x0C | 0x0D => "triggered_report",
        0x0E | 0x0F => "triggered_stop_request",
        0x10 | 0x11 => "triggered_stop_answer",
        0x12 | 0x13 => "unsolicited_report",
        0x14 => "protocol_version_request",
        0x15 => "protocol_version_answer",
        _ => return None,
    })
}

const fn is_request(doc: u8) -> bool {
    matches!(doc, 0x04 | 0x05 | 0x08 | 0x09 | 0x0E | 0x0F | 0x14)
}

impl Lrrp {
    /// Where are you now?
    #[must_use]
    pub fn ask(request: u32) -> Self {
        let id = Bytes::copy_from_slice(&request.to_be_bytes());
        Self { doc: 0x05, tokens: vec![Token::RequestId(id), Token::Wish(0x51), Token::Wish(0x62)] }
    }

    /// Reads exactly one document.
    ///
    /// # Errors
    /// When the declared length is not the datagram's, a known token is cut short, or the document is not known.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut outer = Reader::new(bytes, 0);
        let doc = outer.u8()?;
        if doc_name(doc).is_none() {
            return Err(DecodeError::Unknown(format!("LRRP document {doc:02x}")));
        }
        let length = outer.uintvar()?;
        let at = outer.at();
        let content = outer.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        outer.finish()?;
        // Sources differ on whether 55 ends with an accuracy of the altitude: what fits the whole document is right.
        let tokens = read_all(doc, Reader::new(content, at), false).or_else(|error| {
            let with_accuracy = content.contains(&0x55).then(|| read_all(doc, Reader::new(content, at), true));
            with_accuracy.and_then(Result::ok).ok_or(error)
        });
        let tokens = match tokens {
            Ok(tokens) if !ends_unread(&tokens) => tokens,
            Ok(tokens) => match read_all(doc, Reader::new(content, at), true) {
                Ok(better) if !ends_unread(&better) => better,
                _ => tokens,
            },
            Err(error) => return Err(error),
        };
        Ok(Self { doc, tokens })
    }

    /// As it stands in a datagram.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] when a part does not fit its field.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut content = Vec::new();
        for token in &self.tokens {
            put_token(&mut content, token)?;
        }
        let mut out = vec![self.doc];
        put_uintvar(&mut out, u32::try_from(content.len()).map_err(|_| EncodeError::Unsupported)?);
        out.append(&mut content);
        Ok(out.into())
    }
}

fn ends_unread(tokens: &[Token]) -> bool {
    matches!(tokens.last(), Some(Token::Unread(_)))
}

fn read_all(doc: u8, mut reader: Reader<'_>, with_accuracy: bool) -> Result<Vec<Token>, DecodeError> {
    let mut tokens = Vec::new();
    while reader.left() > 0 {
        let before = reader;
        let byte = reader.u8()?;
        let token = match byte {
            0x22 => {
                let count = reader.u8()?;
                Some(Token::RequestId(Bytes::copy_from_slice(reader.take(usize::from(count))?)))
            }
            0x23 => Some(Token::RequestId(Bytes::copy_from_slice(reader.take(1)?))),
            0x3F => Some(Token::Version { token: byte, version: reader.u8()? }),
            0x36 if doc == 0x15 => Some(Token::Version { token: byte, version: reader.u8()? }),
            _ if is_request(doc) => read_request(byte, &mut reader)?,
            _ => read_report(byte, &mut reader, with_accuracy)?,
        };
        let Some(token) = token else {
            tokens.push(Token::Unread(Bytes::copy_from_slice(before.rest())));
            break;
        };
        tokens.push(token);
    }
    Ok(tokens)
}

fn read_request(byte: u8, reader: &mut Reader<'_>) -> Result<Option<Token>, DecodeError> {
    Ok(Some(match byte {
        0x34 => Token::Periodic,
        0x31 => Token::Interval(reader.uintvar()?),
        0x42 => Token::MaxAge(reader.uintvar()?),
        0x78 => Token::Distance(reader.uintvar()?),
        0x33 | 0x4A | 0x40 | 0x50 | 0x51 | 0x52 | 0x54 | 0x57 | 0x62 | 0x64 => Token::Wish(byte),
        _ => return Ok(None),
    }))
}

fn read_report(byte: u8, reader: &mut Reader<'_>, with_accuracy: bool) -> Result<Option<Token>, DecodeError> {
    Ok(Some(match byte {
        0x34 => Token::Time(read_time(reader)?),
        0x37 => Token::Result { token: byte, code: reader.uintvar()?, detail: Bytes::new() },
        0x38 => Token::Result { token: byte, code: 0, detail: Bytes::new() },
        0x39 => {
            let code = reader.uintvar()?;
            let count = reader.u8()?;
            let detail = Bytes::copy_from_slice(reader.take(usize::from(count))?);
            Token::Result { token: byte, code, detail }
        }
        0x51 | 0x55 | 0x66 | 0x69 => {
            let (lat_raw, lon_raw) = (reader.u32()?, reader.u32()?);
            let radius = if matches!(byte, 0x51 | 0x55) { Some(read_fraction(reader, false)?) } else { None };
            let altitude = if matches!(byte, 0x55 | 0x69) { Some(read_fraction(reader, true)?) } else { None };
            let altitude_accuracy =
                if byte == 0x55 && with_accuracy { Some(read_fraction(reader, false)?) } else { None };
            Token::Point(Point { lat_raw, lon_raw, radius, altitude, altitude_accuracy })
        }
        0x6C => Token::Speed(read_fraction(reader, false)?),
        0x70 => Token::Climb(read_fraction(reader, true)?),
        0x56 => Token::Heading(reader.u8()?),
        0x6B => Token::Opaque6b(reader.u8()?),
        _ => return Ok(None),
    }))
}

/// Year 14 bits, month 4, day 5, hour 5, minute 6, second 6.
fn read_time(reader: &mut Reader<'_>) -> Result<Stamp, DecodeError> {
    let [a, rest @ ..] = reader.array::<5>()?;
    let low = u32::from_be_bytes(rest);
    let bits = |shift: u32, mask: u32| super::bytes::low_byte((low >> shift) & mask);
    let year = (u16::from(a) << 6) | u16::from(bits(26, 0x3F));
    Ok(Stamp {
        year,
        month: bits(22, 0xF),
        day: bits(17, 0x1F),
        hour: bits(12, 0x1F),
        minute: bits(6, 0x3F),
        second: bits(0, 0x3F),
    })
}

fn put_time(out: &mut Vec<u8>, stamp: &Stamp) -> Result<(), EncodeError> {
    let Stamp { year, month, day, hour, minute, second } = *stamp;
    if year >= 1 << 14 || month > 15 || day > 31 || hour > 31 || minute > 63 || second > 63 {
        return Err(EncodeError::Unsupported);
    }
    let parts = [(month, 4), (day, 5), (hour, 5), (minute, 6), (second, 6)];
    let bits = parts.iter().fold(u64::from(year), |bits, (value, width)| (bits << width) | u64::from(*value));
    let [_, _, _, five @ ..] = bits.to_be_bytes();
    out.extend_from_slice(&five);
    Ok(())
}

/// The whole in groups of seven bits, where a sign takes bit 6 of the first group; then one group of 128ths.
fn read_fraction(reader: &mut Reader<'_>, signed: bool) -> Result<Fraction, DecodeError> {
    let at = reader.at();
    let (negative, whole) = if signed {
        let first = reader.u8()?;
        let mut whole = u32::from(first & 0x3F);
        let mut byte = first;
        while byte & 0x80 != 0 {
            byte = reader.u8()?;
            let shifted = whole.checked_mul(128).ok_or_else(|| super::bytes::too_long(at))?;
            whole = shifted.saturating_add(u32::from(byte & 0x7F));
        }
        (first & 0x40 != 0, whole)
    } else {
        (false, reader.uintvar()?)
    };
    let at = reader.at();
    let part = reader.u8()?;
    if part & 0x80 != 0 {
        return Err(DecodeError::Field { field: "fraction", at, expected: "one group of seven bits" });
    }
    Ok(Fraction { negative, whole, part })
}

fn put_fraction(out: &mut Vec<u8>, number: Fraction, signed: bool) -> Result<(), EncodeError> {
    if number.part > 127 || (number.negative && !signed) {
        return Err(EncodeError::Unsupported);
    }
    if signed {
        // As many groups as leave the sign's bit free.
        let groups = (0..5_u32).find(|more| number.whole >> (more * 7) <= 0x3F).unwrap_or(4);
        for left in (0..=groups).rev() {
            let mut byte = super::bytes::low_byte(number.whole >> (left * 7)) & 0x7F;
            if left > 0 {
                byte |= 0x80;
            }
            if left == groups && number.negative {
                byte |= 0x40;
            }
            out.push(byte);
        }
    } else {
        put_uintvar(out, number.whole);
    }
    out.push(number.part);
    Ok(())
}

fn put_token(out: &mut Vec<u8>, token: &Token) -> Result<(), EncodeError> {
    match token {
        Token::RequestId(id) => {
            out.extend([0x22, u8::try_from(id.len()).map_err(|_| EncodeError::Unsupported)?]);
            out.extend_from_slice(id);
        }
        Token::Periodic => out.push(0x34),
        Token::Interval(value) | Token::MaxAge(value) | Token::Distance(value) => {
            out.push(match token {
                Token::Interval(_) => 0x31,
                Token::MaxAge(_) => 0x42,
                _ => 0x78,
            });
            put_uintvar(out, *value);
        }
        Token::Wish(byte) => out.push(*byte),
        Token::Version { token, version } => out.extend([*token, *version]),
        Token::Time(stamp) => {
            out.push(0x34);
            put_time(out, stamp)?;
        }
        Token::Result { token, code, detail } => {
            out.push(*token);
            if *token != 0x38 {
                put_uintvar(out, *code);
            }
            if *token == 0x39 {
                out.push(u8::try_from(detail.len()).map_err(|_| EncodeError::Unsupported)?);
                out.extend_from_slice(detail);
            }
        }
        Token::Point(point) => put_point(out, point)?,
        Token::Speed(number) => {
            out.push(0x6C);
            put_fraction(out, *number, false)?;
        }
        Token::Climb(number) => {
            out.push(0x70);
            put_fraction(out, *number, true)?;
        }
        Token::Heading(steps) => out.extend([0x56, *steps]),
        Token::Opaque6b(byte) => out.extend([0x6B, *byte]),
        Token::Unread(bytes) => out.extend_from_slice(bytes),
    }
    Ok(())
}

fn put_point(out: &mut Vec<u8>, point: &Point) -> Result<(), EncodeError> {
    out.push(match (point.radius, point.altitude) {
        (Some(_), Some(_)) => 0x55,
        (Some(_), None) => 0x51,
        (None, Some(_)) => 0x69,
        (None, None) => 0x66,
    });
    out.extend(point.lat_raw.to_be_bytes());
    out.extend(point.lon_raw.to_be_bytes());
    for (number, signed) in [(point.radius, false), (point.altitude, true), (point.altitude_accuracy, false)] {
        if let Some(number) = number {
            put_fraction(out, number, signed)?;
        }
    }
    Ok(())
}
