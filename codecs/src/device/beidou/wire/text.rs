//! The envelope of text sentences, `$` talker(2) id(3) `,` fields `*` HH CR LF, and [`Sentence`], one variant a sentence.
//!
//! The checksum is the XOR of the wire bytes between `$` and `*`. Reading is strict: `*` stands exactly two upper-case
//! hex digits before the line end, so that any one flipped bit is refused. [`Leniency`] loosens that per port.

mod fields;

pub use fields::Clock;
pub(super) use fields::{Fields, Line};

use super::{nmea, rdss21, rsmc3};
use crate::codec::{DecodeError, EncodeError};
use bytes::Bytes;

/// Bytes of the longest sentence: BDS-3 content of 14000 bit is 3500 hex digits.
pub const LENGTH_MAX: usize = 4096;
/// Ids that the station must never send: destroy, silence, zero values, management write, password.
pub const FORBIDDEN: [&[u8; 3]; 5] = [b"ZHS", b"JMS", b"LZM", b"GXM", b"PWD"];

/// What a port's profile forgives on input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leniency {
    /// Also accept sentences whose checksum was taken with the `$`.
    pub with_dollar: bool,
    /// Also accept a checksum in lower-case hex.
    pub lower_case: bool,
}

/// One sentence of any text dialect. The talker is not kept: `CC` asks, `BD` answers, `GN` places.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sentence {
    /// 通信申请, 2.1.
    Txa(rdss21::Txa),
    /// 通信信息, 2.1.
    Txr(rdss21::Txr),
    /// 反馈信息, 2.1 form.
    Fki(rdss21::Fki),
    /// IC检测, 2.1.
    Ica(rdss21::Ica),
    /// IC信息, 2.1.
    Ici(rdss21::Ici),
    /// 下属用户, 2.1.
    Icz(rdss21::Icz),
    /// 波束状态.
    Bsi(rdss21::Bsi),
    /// 波束设置.
    Bss(rdss21::Bss),
    /// 输出控制.
    Rmo(rdss21::Rmo),
    /// 定位申请.
    Dwa(rdss21::Dwa),
    /// 定位信息.
    Dwr(rdss21::Dwr),
    /// 位置报告1, received or sent.
    Waa(rdss21::Waa),
    /// 位置报告2.
    Wba(rdss21::Wba),
    /// 查询申请.
    Cxa(rdss21::Cxa),
    /// 通信回执.
    Hzr(rdss21::Hzr),
    /// 口令设置.
    Kls(rdss21::Kls),
    /// 口令识别.
    Klt(rdss21::Klt),
    /// 自检信息: up to six flags.
    Zti(rdss21::Zti),
    /// Asks for the seconds until the next send (vendor).
    TtcAsk,
    /// Seconds until the next send (vendor).
    Ttc {
        wait_s: u32,
    },
    /// 通信申请, BDS-3.
    Tcq(rsmc3::Tcq),
    /// 通信信息, BDS-3.
    Tci(rsmc3::Tci),
    /// 反馈信息, 3.0 form.
    Fki3(rsmc3::Fki),
    /// IC检测, BDS-3.
    Icr(rsmc3::Icr),
    /// IC信息, BDS-3.
    Icp(Box<rsmc3::Icp>),
    /// 功率信息.
    Pwi(rsmc3::Pwi),
    /// Signal bars, index = beam.
    Snr {
        values: Vec<u16>,
    },
    /// One vendor's send.
    Msg(rsmc3::Msg),
    /// One vendor's received message.
    Mxx(rsmc3::Mxx),
    Gga(nmea::Gga),
    Gll(nmea::Gll),
    Rmc(nmea::Rmc),
    Zda(nmea::Zda),
    /// A sentence that must never be sent; recognised and named, its fields dropped.
    Forbidden {
        id: [u8; 3],
    },
    /// A well-formed sentence without a typed reading.
    Other {
        talker: [u8; 2],
        id: [u8; 3],
        args: Vec<Bytes>,
    },
}

/// A sentence cut open: checksum right, fields not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    pub talker: [u8; 2],
    pub id: [u8; 3],
    /// The fields, commas between them.
    pub body: &'a [u8],
}

/// Opens the envelope of exactly one sentence, with or without its line end.
///
/// # Errors
/// [`DecodeError`] for a missing mark, a wrong checksum or bytes after the line end.
pub fn open(frame: &[u8], leniency: Leniency) -> Result<Envelope<'_>, DecodeError> {
    let line = frame.strip_suffix(b"\n").map_or(frame, |line| line.strip_suffix(b"\r").unwrap_or(line));
    let field = |field, at, expected| DecodeError::Field { field, at, expected };
    let inner = line.strip_prefix(b"$").ok_or(field("start", 0, "$"))?;
    let (covered, tail) = inner.split_last_chunk::<3>().ok_or(field("checksum", line.len(), "*HH"))?;
    let [b'*', high, low] = *tail else { return Err(field("checksum", covered.len() + 1, "*HH")) };
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'F' => Some(c - b'A' + 10),
        b'a'..=b'f' if leniency.lower_case => Some(c - b'a' + 10),
        _ => None,
    };
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(field("checksum", covered.len() + 2, "two upper-case hex digits"));
    };
    let (expected, found) = (super::rdss40::xor(covered), high << 4 | low);
    if found != expected && !(leniency.with_dollar && found == expected ^ b'$') {
        return Err(DecodeError::Checksum { expected: expected.into(), found: found.into() });
    }
    let ([t1, t2, i1, i2, i3], rest) = covered.split_first_chunk::<5>().ok_or(field("header", 1, "five letters"))?;
    let body = rest.strip_prefix(b",").ok_or(field("header", 6, "a comma after five letters"))?;
    let header = [*t1, *t2, *i1, *i2, *i3];
    let named = header.iter().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if !named || !t1.is_ascii_uppercase() || !t2.is_ascii_uppercase() {
        return Err(DecodeError::Unknown(header.escape_ascii().to_string()));
    }
    // A control byte inside can only be damage or the seam of two frames.
    if let Some(at) = body.iter().position(|c| (*c < 0x20 && *c != b'\t') || *c == 0x7F) {
        return Err(field("body", at + 7, "printable"));
    }
    Ok(Envelope { talker: [*t1, *t2], id: [*i1, *i2, *i3], body })
}

/// Reads exactly one sentence, strictly.
///
/// # Errors
/// As [`open`], and for fields that do not mean anything.
pub fn parse(frame: &[u8]) -> Result<Sentence, DecodeError> {
    read(&open(frame, Leniency::default())?)
}

/// Reads the fields of an opened sentence.
///
/// # Errors
/// [`DecodeError`] for a field out of its shape or a wrong number of fields.
pub fn read(envelope: &Envelope<'_>) -> Result<Sentence, DecodeError> {
    if FORBIDDEN.contains(&&envelope.id) {
        return Ok(Sentence::Forbidden { id: envelope.id });
    }
    let mut f = Fields::new(envelope.body);
    let f = &mut f;
    Ok(match &envelope.id {
        b"TXA" => Sentence::Txa(rdss21::Txa::read(f)?),
        b"TXR" => Sentence::Txr(rdss21::Txr::read(f)?),
        // The 3.0 form begins with a time, the 2.1 form with a command.
        b"FKI" if envelope.body.first().is_some_and(u8::is_ascii_digit) => Sentence::Fki3(rsmc3::Fki::read(f)?),
        b"FKI" => Sentence::Fki(rdss21::Fki::read(f)?),
        b"ICA" => Sentence::Ica(rdss21::Ica::read(f)?),
        // Some modules take the name of the answer for the question: CCICI.
        b"ICI" if envelope.talker == *b"CC" => Sentence::Ica(rdss21::Ica::read(f)?),
        b"ICI" => Sentence::Ici(rdss21::Ici::read(f)?),
        b"ICZ" => Sentence::Icz(rdss21::Icz::read(f)?),
        b"BSI" => Sentence::Bsi(rdss21::Bsi::read(f)?),
        b"BSS" => Sentence::Bss(rdss21::Bss::read(f)?),
        b"RMO" => Sentence::Rmo(rdss21::Rmo::read(f)?),
        b"DWA" => Sentence::Dwa(rdss21::Dwa::read(f)?),
        b"DWR" => Sentence::Dwr(rdss21::Dwr::read(f)?),
        b"WAA" => Sentence::Waa(rdss21::Waa::read(f)?),
        b"WBA" => Sentence::Wba(rdss21::Wba::read(f)?),
        b"CXA" => Sentence::Cxa(rdss21::Cxa::read(f)?),
        b"HZR" => Sentence::Hzr(rdss21::Hzr::read(f)?),
        b"KLS" => Sentence::Kls(rdss21::Kls::read(f)?),
        b"KLT" => Sentence::Klt(rdss21::Klt::read(f)?),
        b"ZTI" => Sentence::Zti(rdss21::Zti::read(f)?),
        b"TTC" if envelope.talker == *b"CC" || envelope.body.is_empty() => Sentence::TtcAsk,
        b"TTC" => Sentence::Ttc { wait_s: f.next("remaining_s")?.whole()? },
        b"TCQ" => Sentence::Tcq(rsmc3::Tcq::read(f)?),
        b"TCI" => Sentence::Tci(rsmc3::Tci::read(f)?),
        b"ICR" => Sentence::Icr(rsmc3::Icr::read(f)?),
        b"ICP" => Sentence::Icp(Box::new(rsmc3::Icp::read(f)?)),
        b"PWI" => Sentence::Pwi(rsmc3::Pwi::read(f)?),
        b"SNR" => Sentence::Snr { values: f.remaining("snr")? },
        b"MSG" => Sentence::Msg(rsmc3::Msg::read(f)?),
        b"MXX" => Sentence::Mxx(rsmc3::Mxx::read(f)?),
        b"GGA" => Sentence::Gga(nmea::Gga::read(f)?),
        b"GLL" => Sentence::Gll(nmea::Gll::read(f)?),
        b"RMC" => Sentence::Rmc(nmea::Rmc::read(f)?),
        b"ZDA" => Sentence::Zda(nmea::Zda::read(f)?),
        _ => Sentence::Other {
            talker: envelope.talker,
            id: envelope.id,
            args: envelope.body.split(|c| *c == b',').map(Bytes::copy_from_slice).collect(),
        },
    })
}

impl Sentence {
    /// The bytes on the wire with CRLF, talker by direction: `CC` asks, `BD` answers, `GN` places.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for what must never be sent and for fields that would break the framing,
    /// [`EncodeError::TooLong`] beyond [`LENGTH_MAX`].
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let line = match self {
            Self::Txa(sentence) => sentence.line(),
            Self::Txr(sentence) => sentence.line(),
            Self::Fki(sentence) => sentence.line(),
            Self::Ica(sentence) => sentence.line(),
            Self::Ici(sentence) => sentence.line(),
            Self::Icz(sentence) => sentence.line(),
            Self::Bsi(sentence) => sentence.line(),
            Self::Bss(sentence) => sentence.line(),
            Self::Rmo(sentence) => sentence.line(),
            Self::Dwa(sentence) => sentence.line(),
            Self::Dwr(sentence) => sentence.line(),
            Self::Waa(sentence) => sentence.line(),
            Self::Wba(sentence) => sentence.line(),
            Self::Cxa(sentence) => sentence.line(),
            Self::Hzr(sentence) => sentence.line(),
            Self::Kls(sentence) => sentence.line(),
            Self::Klt(sentence) => sentence.line(),
            Self::Zti(sentence) => sentence.line(),
            Self::TtcAsk => Line::new("CCTTC").bytes(b""),
            Self::Ttc { wait_s } => Line::new("BDTTC").field(wait_s),
            Self::Tcq(sentence) => sentence.line(),
            Self::Tci(sentence) => sentence.line(),
            Self::Fki3(sentence) => sentence.line(),
            Self::Icr(sentence) => sentence.line(),
            Self::Icp(sentence) => sentence.line(),
            Self::Pwi(sentence) => sentence.line(),
            Self::Snr { values } => values.iter().fold(Line::new("BDSNR"), Line::field),
            Self::Msg(sentence) => sentence.line(),
            Self::Mxx(sentence) => sentence.line(),
            Self::Gga(sentence) => sentence.line(),
            Self::Gll(sentence) => sentence.line(),
            Self::Rmc(sentence) => sentence.line(),
            Self::Zda(sentence) => sentence.line(),
            Self::Forbidden { .. } => return Err(EncodeError::Unsupported),
            Self::Other { talker, id, args } => {
                if FORBIDDEN.contains(&id) {
                    return Err(EncodeError::Unsupported);
                }
                let [t1, t2] = *talker;
                let [i1, i2, i3] = *id;
                args.iter().fold(Line::from_header([t1, t2, i1, i2, i3]), |line, arg| line.bytes(arg))
            }
        };
        line.seal()
    }
}
