//! RDSS user-machine interface 4.0 (用户机数据接口 4.0): `$`, four letters, u16 length, u24 user address, body, XOR.
//!
//! Lengths count everything from `$` to the XOR; the XOR includes the `$` (RDSS 4.0 §2.1). All integers are big-endian,
//! signed ones sign and magnitude (原码).

use super::Reader;
use crate::codec::{DecodeError, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};

/// Bytes of the shortest frame: an empty body.
pub const LENGTH_MIN: usize = 11;
/// Bytes of the longest frame that is taken for one; real frames end at 230.
pub const LENGTH_MAX: usize = 512;
/// The most content of one frame in air bits, and so the most that any 4.0 card carries.
pub const CONTENT_BITS_MAX: u32 = 1680;
/// Letters of frames that the station must never send: destroy, silence, zero values, management write.
pub const FORBIDDEN: [&[u8; 4]; 6] = [b"JJZH", b"JMSZ", b"LZSZ", b"LZDQ", b"GXZX", b"GXZR"];

/// One frame. `user` is the card's own number; to a terminal 0 is accepted while it is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    pub user: u32,
    pub body: Body,
}

/// What stands between the user address and the XOR, by the frame's letters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Body {
    /// IC检测: 0 = own card, 1.. = a page of the subordinate list.
    Icjc { page: u8 },
    /// IC信息, frame 0.
    Icxx(Icxx),
    /// IC信息, frame 1..: numbers of subordinates.
    IcxxPage { page: u8, subordinates: Vec<u32> },
    /// 系统自检: period in seconds, 0 = once.
    Xtzj { period_s: u16 },
    /// 自检信息.
    Zjxx(Zjxx),
    /// 通信申请.
    Txsq(Txsq),
    /// 通信信息.
    Txxx(Txxx),
    /// 反馈信息: `flag` and four bytes whose meaning depends on it.
    Fkxx { flag: u8, extra: [u8; 4] },
    /// 定位申请.
    Dwsq(Dwsq),
    /// 定位信息.
    Dwxx(Dwxx),
    /// 功率检测: period in minutes, 0 = once.
    Gljc { period_min: u8 },
    /// 功率状况: powers of six beams, 0–4.
    Glzk { beams: [u8; 6] },
    /// 时间输出: period in seconds, 0 = once.
    Sjsc { period_s: u16 },
    /// 时间信息.
    Sjxx(Sjxx),
    /// 版本读取.
    Bbdq,
    /// 版本信息.
    Bbxx { version: Bytes },
    /// 串口输出: the vendor's code of a rate.
    Cksc { rate: u8 },
    /// 波束设置: 4 or 7 bytes by the module family.
    Bssz { beams: Bytes },
    /// 序列号读取.
    Xhdq,
    /// 序列号信息.
    Xhxx { serial: u32 },
    /// 停止: the letters of the command to stop, or `55 55 55`.
    Jszl { command: Bytes },
    /// 通信回执.
    Txhz { receiver: u32, receipts: Vec<Receipt> },
    /// RNSS position output: period in seconds.
    Gnps { period_s: u16 },
    /// RNSS satellite output: period in seconds.
    Gnvs { period_s: u16 },
    /// RNSS time output: time zone and period in seconds.
    Gnts { zone: u8, period_s: u16 },
    /// RNSS position.
    Gnpx(Gnpx),
    /// RNSS time: zone, year of the century, month, day, hour, minute, second.
    Gntx { zone: u8, time: [u8; 6] },
    /// RNSS satellites in view; class 1 is GPS, any other Beidou.
    Gnvx { class: u8, satellites: Vec<Satellite> },
    /// One vendor's RNSS output setting.
    Gpsp { setting: [u8; 4] },
    /// One vendor's RNSS report.
    Gpsx(Gpsx),
    /// A frame that must never be sent; recognised, named, without its body.
    Forbidden { letters: [u8; 4] },
    /// A well-formed frame of another vendor.
    Other { letters: [u8; 4], body: Bytes },
}

/// The card (RDSS 4.0 §2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icxx {
    pub broadcast: u32,
    pub feature: u8,
    pub period_s: u16,
    pub level: u8,
    pub encrypted: u8,
    pub subordinates: u16,
}

/// The self-test (RDSS 4.0 §2.7). `battery` is percent in every capture; `inbound` is 2 when healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zjxx {
    pub ic: u8,
    pub hardware: u8,
    pub battery: u8,
    pub inbound: u8,
    pub beams: [u8; 6],
}

/// A message to be sent (RDSS 4.0 §2.3). `bits` counts the bits of `content`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txsq {
    pub category: u8,
    pub dest: u32,
    pub bits: u16,
    pub answer: u8,
    pub content: Bytes,
}

/// A message received (RDSS 4.0 §2.4). `crc` is 0 when the air's own check was good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txxx {
    pub category: u8,
    pub sender: u32,
    pub hour: u8,
    pub minute: u8,
    pub bits: u16,
    pub content: Bytes,
    pub crc: u8,
}

/// A position request (RDSS 4.0 §2.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dwsq {
    pub category: u8,
    pub height_and_antenna: [u8; 4],
    pub pressure_temperature: [u8; 4],
    pub period_s: u16,
}

/// An angle as three or four plain bytes: degrees, minutes, seconds, tenths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Angle {
    pub deg: u8,
    pub min: u8,
    pub sec: u8,
    pub tenth: u8,
}

/// A position found by RDSS (RDSS 4.0 §2.8). Hemispheres are not carried: the service area is north-east.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dwxx {
    pub category: u8,
    /// Whose position was asked; 0 = own.
    pub queried: u32,
    /// Hour, minute, second, hundredths.
    pub time: [u8; 4],
    pub lon: Angle,
    pub lat: Angle,
    /// Raw: 0x4000 sign, 14 bits of metres above the ellipsoid.
    pub height: u16,
    /// Raw; see [`Dwxx::anomaly_m`].
    pub anomaly: u16,
}

/// The terminal's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sjxx {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

/// One line of a receipt query: when a message was sent and when it was fetched, hour and minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub sent: [u8; 2],
    pub fetched: [u8; 2],
}

/// A position by RNSS (RDSS 4.0 §2.10). Raw values; `height` is sign (0x8000) and magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gnpx {
    pub ew: u8,
    pub lon: Angle,
    pub ns: u8,
    pub lat: Angle,
    pub height: u16,
    pub speed: u16,
    pub heading: u16,
    pub satellites: u8,
    pub status: u8,
    pub pdop_tenth: u8,
    pub error: u16,
}

/// One satellite in view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Satellite {
    pub id: u8,
    pub elevation: u8,
    pub azimuth: u16,
    pub snr: u8,
}

/// One vendor's RNSS report: date as year of the century, month, day; time as hour, minute, second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gpsx {
    pub date: [u8; 3],
    pub time: [u8; 3],
    pub ew: u8,
    pub lon: Angle,
    pub ns: u8,
    pub lat: Angle,
    pub tail: [u8; 11],
}

impl Angle {
    /// In 1e-7 degrees; `None` when minutes or seconds reach 60 or tenths 10.
    #[must_use]
    pub fn e7(self) -> Option<i32> {
        if self.min >= 60 || self.sec >= 60 || self.tenth >= 10 {
            return None;
        }
        let tenths =
            (i64::from(self.deg) * 3_600 + i64::from(self.min) * 60 + i64::from(self.sec)) * 10 + i64::from(self.tenth);
        i32::try_from((tenths * 10_000_000 + 18_000) / 36_000).ok()
    }

    /// The nearest tenth of a second to an angle in 1e-7 degrees; the sign is not carried.
    #[must_use]
    pub fn from_e7(e7: i32) -> Self {
        let tenths = (u64::from(e7.unsigned_abs()) * 36_000 + 5_000_000) / 10_000_000;
        let part = |value: u64| u8::try_from(value).unwrap_or(u8::MAX);
        Self {
            deg: part(tenths / 36_000),
            min: part(tenths / 600 % 60),
            sec: part(tenths / 10 % 60),
            tenth: part(tenths % 10),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(|[deg, min, sec, tenth]| Self { deg, min, sec, tenth })
    }

    fn put(self, out: &mut BytesMut) {
        out.put_slice(&[self.deg, self.min, self.sec, self.tenth]);
    }
}

impl Dwxx {
    /// Height above the ellipsoid in metres: bit 0x4000 is the sign, 14 bits of magnitude below it.
    #[must_use]
    pub fn height_m(&self) -> i32 {
        signed(self.height, 0x4000)
    }

    /// Height anomaly in metres; `None` when implausible (over 200 m). Sources disagree on the sign bit: 0x0100 over
    /// 8 bits where nothing above it is set, else 0x4000 over 14 bits (RDSS 4.0 §2.8).
    #[must_use]
    pub fn anomaly_m(&self) -> Option<i32> {
        let sign = if self.anomaly & 0xFE00 == 0 { 0x0100 } else { 0x4000 };
        Some(signed(self.anomaly, sign)).filter(|metres| metres.abs() <= 200)
    }
}

fn signed(raw: u16, sign: u16) -> i32 {
    let magnitude = i32::from(raw & (sign - 1));
    if raw & sign == 0 { magnitude } else { -magnitude }
}

impl Txsq {
    /// 010 in the top bits; 011 is a query.
    #[must_use]
    pub const fn is_query(&self) -> bool {
        self.category >> 5 == 0b011
    }

    /// Class 00 is urgent (特快).
    #[must_use]
    pub const fn is_urgent(&self) -> bool {
        self.category & 0b1100 == 0
    }

    /// 0 Chinese text, 1 code or mixed.
    #[must_use]
    pub const fn form(&self) -> u8 {
        self.category >> 1 & 1
    }
}

impl Txxx {
    /// 0 Chinese text, 1 code or mixed. Spare bits carry junk on real lines: mask, never compare.
    #[must_use]
    pub const fn form(&self) -> u8 {
        self.category >> 5 & 1
    }

    /// Whether it answers a query for older messages.
    #[must_use]
    pub const fn is_query_result(&self) -> bool {
        self.category & 0b1000 != 0
    }
}

/// Bytes that a content of so many bits takes.
#[must_use]
pub fn content_bytes(bits: u16) -> usize {
    usize::from(bits).div_ceil(8)
}

/// XOR of bytes.
#[must_use]
pub fn xor(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum ^ byte)
}

/// Reads exactly one frame.
///
/// # Errors
/// [`DecodeError`] for a wrong length, checksum or body.
pub fn parse(frame: &[u8]) -> Result<Frame, DecodeError> {
    let mut reader = Reader::new(frame, 0);
    let [dollar, letters @ ..] = reader.array::<5>()?;
    if dollar != b'$' || !letters.iter().all(u8::is_ascii_uppercase) {
        return Err(DecodeError::Unknown(letters.escape_ascii().to_string()));
    }
    let length = usize::from(reader.u16()?);
    if length != frame.len() {
        return Err(DecodeError::Length { expected: length, found: frame.len() });
    }
    let user = reader.u24()?;
    let Some((found, covered)) = frame.split_last() else {
        return Err(DecodeError::Length { expected: LENGTH_MIN, found: 0 });
    };
    let expected = xor(covered);
    if expected != *found {
        return Err(DecodeError::Checksum { expected: expected.into(), found: (*found).into() });
    }
    let Some((_, body)) = reader.rest.split_last() else {
        return Err(DecodeError::Length { expected: LENGTH_MIN, found: frame.len() });
    };
    Ok(Frame { user, body: body::parse(letters, body)? })
}

impl Frame {
    /// The four letters.
    #[must_use]
    pub const fn letters(&self) -> [u8; 4] {
        body::letters(&self.body)
    }

    /// The bytes on the wire.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for what must never be sent, [`EncodeError::TooLong`] when the length field cannot
    /// say it, [`EncodeError::Address`] for a number above 24 bits.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let letters = self.letters();
        if FORBIDDEN.contains(&&letters) || matches!(self.body, Body::Forbidden { .. }) {
            return Err(EncodeError::Unsupported);
        }
        let mut inner = BytesMut::new();
        body::put(&self.body, &mut inner)?;
        let length = inner.len() + LENGTH_MIN;
        if length > LENGTH_MAX {
            return Err(EncodeError::TooLong { needed: bits_of(length), capacity: bits_of(LENGTH_MAX) });
        }
        let mut out = BytesMut::with_capacity(length);
        out.put_u8(b'$');
        out.put_slice(&letters);
        out.put_u16(u16::try_from(length).unwrap_or(u16::MAX));
        put_u24(&mut out, self.user)?;
        out.put_slice(&inner);
        let sum = xor(&out);
        out.put_u8(sum);
        Ok(out.freeze())
    }
}

fn bits_of(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8)
}

pub(super) fn put_u24(out: &mut BytesMut, value: u32) -> Result<(), EncodeError> {
    match value.to_be_bytes() {
        [0, low @ ..] => {
            out.put_slice(&low);
            Ok(())
        }
        _ => Err(EncodeError::Address(value.to_string())),
    }
}

mod body;
