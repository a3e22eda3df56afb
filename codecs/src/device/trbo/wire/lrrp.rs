//! Location (LRRP), port 4001: a document of tokens. The same token byte means different things in requests and reports.
//! Layout as captured from radios and read by node-dmr-lib, Moto.Net and sdrtrunk: latitude is sign and magnitude, longitude
//! two's complement, speed and heights are whole 7-bit groups followed by 128ths.

use crate::codec::DecodeError;
use crate::device::reader::Reader;
use bytes::{BufMut, Bytes, BytesMut};

const REQUEST_ID: u8 = 0x22;
const REQUEST_ID_SHORT: u8 = 0x23;
const MORE: u8 = 0x80;
/// Groups of 7 bits in one number, at most.
const GROUPS_MAX: usize = 5;

/// Documents by their first byte: number, name, whether it is a report.
const DOCUMENTS: [(u8, &str, bool); 11] = [
    (0x04, "immediate_request_cdt", false),
    (0x05, "immediate_request", false),
    (0x07, "immediate_report", true),
    (0x09, "triggered_request", false),
    (0x0B, "triggered_answer", true),
    (0x0D, "triggered_report", true),
    (0x0F, "triggered_stop_request", false),
    (0x11, "triggered_stop_answer", true),
    (0x13, "unsolicited_report", true),
    (0x14, "protocol_version_request", false),
    (0x15, "protocol_version_answer", true),
];

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub struct Lrrp {
    pub document: u8,
    pub length: usize,
    pub request: Option<Bytes>,
    pub tokens: Vec<Token>,
}

/// What a document says.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    /// Reports at a fixed time from each other.
    Periodic,
    IntervalS(u32),
    MaxAgeS(u32),
    DistanceM(u32),
    ProtocolVersion(u32),
    /// A wish of a request, by its number.
    Wish(u8),
    /// Year, month, day, hour, minute, second, UTC.
    Time([u16; 6]),
    /// 0 is success.
    Result(u32),
    Opaque(Bytes),
    /// Raw latitude and longitude.
    Point {
        lat: u32,
        lon: u32,
    },
    RadiusM(f64),
    AltitudeM(f64),
    SpeedMps(f64),
    ClimbMps(f64),
    /// Two degrees each.
    Heading(u8),
    /// One byte of unknown meaning.
    Unknown6B(u8),
}

impl Lrrp {
    /// Where is the radio, now?
    #[must_use]
    pub fn immediate(request: u32) -> Self {
        let request = Some(Bytes::copy_from_slice(&request.to_be_bytes()));
        Self { document: 0x05, length: 0, request, tokens: vec![Token::Wish(0x51), Token::Wish(0x62)] }
    }

    /// The name of the document.
    #[must_use]
    pub fn name(&self) -> &'static str {
        DOCUMENTS.iter().find(|(number, ..)| *number == self.document).map_or("unknown", |(_, name, _)| name)
    }

    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for a document or token we do not know, `Length` when the declared length is not what is
    /// there.
    pub fn parse(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes, 0);
        let document = reader.u8()?;
        let known = DOCUMENTS.iter().find(|(number, ..)| *number == document);
        let (_, _, is_report) = known.ok_or_else(|| DecodeError::Unknown(format!("LRRP document {document:02x}")))?;
        let length = usize::try_from(number(&mut reader)?).unwrap_or(usize::MAX);
        if length != reader.left() {
            return Err(DecodeError::Length { expected: reader.at().saturating_add(length), found: bytes.len() });
        }
        let (mut request, mut tokens) = (None, Vec::new());
        while reader.left() > 0 {
            let token = reader.u8()?;
            match token {
                REQUEST_ID => {
                    let length = usize::from(reader.u8()?);
                    request = Some(Bytes::copy_from_slice(reader.take(length)?));
                }
                REQUEST_ID_SHORT => request = Some(Bytes::copy_from_slice(reader.take(1)?)),
                token if *is_report => report(token, &mut reader, &mut tokens)?,
                token => tokens.push(wish(token, &mut reader)?),
            }
        }
        Ok(Self { document, length, request, tokens })
    }

    /// The datagram. Reports with heights or speeds come from simulated radios only.
    #[must_use]
    pub fn emit(&self) -> Bytes {
        let mut out = BytesMut::new();
        if let Some(request) = &self.request {
            out.put_u8(REQUEST_ID);
            out.put_u8(u8::try_from(request.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(request.get(..usize::from(u8::MAX)).unwrap_or(request));
        }
        for token in &self.tokens {
            put(&mut out, token);
        }
        let mut whole = BytesMut::new();
        whole.put_u8(self.document);
        put_number(&mut whole, u32::try_from(out.len()).unwrap_or(u32::MAX));
        whole.extend_from_slice(&out);
        whole.freeze()
    }
}

/// Degrees of a raw latitude: the highest bit is the sign.
#[must_use]
pub fn latitude(raw: u32) -> f64 {
    let magnitude = f64::from(raw & 0x7FFF_FFFF) * 180.0 / 4_294_967_296.0;
    if raw & 0x8000_0000 == 0 { magnitude } else { -magnitude }
}

/// Degrees of a raw longitude.
#[must_use]
pub fn longitude(raw: u32) -> f64 {
    f64::from(raw.cast_signed()) * 360.0 / 4_294_967_296.0
}

fn report(token: u8, reader: &mut Reader<'_>, tokens: &mut Vec<Token>) -> Result<(), DecodeError> {
    let point = |reader: &mut Reader<'_>| Ok::<_, DecodeError>(Token::Point { lat: reader.u32()?, lon: reader.u32()? });
    match token {
        0x34 => tokens.push(time(reader)?),
        0x36 | 0x3F => tokens.push(Token::ProtocolVersion(number(reader)?)),
        0x37 => tokens.push(Token::Result(number(reader)?)),
        0x38 => tokens.push(Token::Result(0)),
        0x39 => {
            tokens.push(Token::Result(number(reader)?));
            let length = usize::from(reader.u8()?);
            tokens.push(Token::Opaque(Bytes::copy_from_slice(reader.take(length)?)));
        }
        0x51 => tokens.extend([point(reader)?, Token::RadiusM(fraction(reader, false)?)]),
        0x55 => tokens.extend([
            point(reader)?,
            Token::RadiusM(fraction(reader, false)?),
            Token::AltitudeM(fraction(reader, true)?),
        ]),
        0x66 => tokens.push(point(reader)?),
        0x69 => tokens.extend([point(reader)?, Token::AltitudeM(fraction(reader, true)?)]),
        0x6C => tokens.push(Token::SpeedMps(fraction(reader, false)?)),
        0x70 => tokens.push(Token::ClimbMps(fraction(reader, true)?)),
        0x56 => tokens.push(Token::Heading(reader.u8()?)),
        0x6B => tokens.push(Token::Unknown6B(reader.u8()?)),
        _ => return Err(DecodeError::Unknown(format!("LRRP report token {token:02x}"))),
    }
    Ok(())
}

fn wish(token: u8, reader: &mut Reader<'_>) -> Result<Token, DecodeError> {
    Ok(match token {
        0x34 => Token::Periodic,
        0x31 => Token::IntervalS(number(reader)?),
        0x42 => Token::MaxAgeS(number(reader)?),
        0x78 => Token::DistanceM(number(reader)?),
        0x36 | 0x3F => Token::ProtocolVersion(number(reader)?),
        0x33 | 0x40 | 0x4A | 0x50 | 0x51 | 0x52 | 0x54 | 0x57 | 0x62 | 0x64 => Token::Wish(token),
        _ => return Err(DecodeError::Unknown(format!("LRRP request token {token:02x}"))),
    })
}

/// Year 14 bits, month 4, day 5, hour 5, minute 6, second 6.
fn time(reader: &mut Reader<'_>) -> Result<Token, DecodeError> {
    let [a, b, c, d, e] = reader.array::<5>()?;
    let packed = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
    let bits = |shift: u32, width: u32| u16::try_from(packed >> shift & ((1 << width) - 1)).unwrap_or_default();
    Ok(Token::Time([bits(26, 14), bits(22, 4), bits(17, 5), bits(12, 5), bits(6, 6), bits(0, 6)]))
}

/// 7-bit groups, the high bit saying that another follows.
fn number(reader: &mut Reader<'_>) -> Result<u32, DecodeError> {
    groups(reader, 0).map(|(value, _)| u32::try_from(value).unwrap_or(u32::MAX))
}

fn groups(reader: &mut Reader<'_>, start: u64) -> Result<(u64, u32), DecodeError> {
    let (mut value, at) = (start, reader.at());
    for count in 1..=GROUPS_MAX {
        let byte = reader.u8()?;
        value = value << 7 | u64::from(byte & !MORE);
        if byte & MORE == 0 {
            return Ok((value, u32::try_from(count).unwrap_or(1)));
        }
    }
    Err(DecodeError::Field { field: "number", at, expected: "at most 5 groups of 7 bits" })
}

/// A whole number and a fraction of 128ths; where `signed` the second bit of the first byte is the sign.
fn fraction(reader: &mut Reader<'_>, signed: bool) -> Result<f64, DecodeError> {
    const SIGN: u8 = 0x40;
    let first = reader.u8()?;
    let negative = signed && first & SIGN != 0;
    let head = u64::from(first & if signed { 0x3F } else { 0x7F });
    let whole = if first & MORE == 0 { head } else { groups(reader, head)?.0 };
    let (part, count) = groups(reader, 0)?;
    let scale = f64::from(7 * count).exp2();
    let value = as_f64(whole) + as_f64(part) / scale;
    Ok(if negative { -value } else { value })
}

/// At most 41 bits: exact.
fn as_f64(value: u64) -> f64 {
    let (high, low) = (value >> 32, value & 0xFFFF_FFFF);
    let part = |half: u64| f64::from(u32::try_from(half).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}

fn put(out: &mut BytesMut, token: &Token) {
    match token {
        Token::Periodic => out.put_u8(0x34),
        Token::IntervalS(value) => put_tagged(out, 0x31, *value),
        Token::MaxAgeS(value) => put_tagged(out, 0x42, *value),
        Token::DistanceM(value) => put_tagged(out, 0x78, *value),
        Token::ProtocolVersion(value) => put_tagged(out, 0x3F, *value),
        Token::Wish(wish) => out.put_u8(*wish),
        Token::Result(0) => out.put_u8(0x38),
        Token::Result(code) => put_tagged(out, 0x37, *code),
        Token::Point { lat, lon } => {
            out.put_u8(0x66);
            out.put_u32(*lat);
            out.put_u32(*lon);
        }
        Token::Heading(two_degrees) => out.extend([0x56, *two_degrees]),
        // Only ever heard.
        Token::Time(_)
        | Token::Opaque(_)
        | Token::RadiusM(_)
        | Token::AltitudeM(_)
        | Token::SpeedMps(_)
        | Token::ClimbMps(_)
        | Token::Unknown6B(_) => {}
    }
}

fn put_tagged(out: &mut BytesMut, tag: u8, value: u32) {
    out.put_u8(tag);
    put_number(out, value);
}

fn put_number(out: &mut BytesMut, value: u32) {
    let groups = (32 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let bits = u8::try_from(value >> (7 * group) & 0x7F).unwrap_or_default();
        out.put_u8(bits | if group == 0 { 0 } else { MORE });
    }
}
