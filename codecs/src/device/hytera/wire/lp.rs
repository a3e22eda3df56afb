use super::bytes::Reader;
use super::hdap::HEADER;
use super::{Ascii, Gps, RadioIp};
use crate::codec::DecodeError;
use ::bytes::{BufMut, Bytes, BytesMut};

/// The result of a report without a fix. 0 is a fix, 105 a request in a bad format.
pub const RESULT_NO_POSITION: u16 = 6;

/// Opcodes that are known by name and whose layout is not public: stop of emergency reporting and its answer, answers
/// to and stops of timed reporting, the answer to a conditional request, quick GPS, RSSI reporting.
const OPAQUE: [u16; 10] = [0xB001, 0xB002, 0xC002, 0xC004, 0xC005, 0xD002, 0xD011, 0xD012, 0xE001, 0xE002];

/// Location protocol, UDP 3003.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lp {
    /// A001, host to radio: where are you? Captures carry one more byte, 00 or 01, that others leave out.
    Request { request: u32, radio: RadioIp, extra: Option<u8> },
    /// A002 / A003 (with RSSI) and D003 / D004 (with RSSI), radio to host.
    Report { family: Family, request: u32, radio: RadioIp, result: u16, gps: Gps, rssi: Option<i16> },
    /// B003, radio to host: the alarm's own position (紧急定位). No public capture.
    EmergencyReport { radio: RadioIp, kind: u8, gps: Gps },
    /// C001, host to radio. No public capture.
    TimedRequest { request: u32, radio: RadioIp, window: Window },
    /// C003, radio to host. No public capture.
    TimedReport { request: u32, radio: RadioIp, remaining: Ascii<8>, gps: Gps },
    /// D001, host to radio. `trigger`: 0 cancel, 1 distance, 2 time, 3 both, 4 either.
    ConditionRequest {
        request: u32,
        radio: RadioIp,
        trigger: u8,
        distance: u32,
        window: Window,
        max_interval: Ascii<8>,
    },
    /// One of the opcodes whose layout is not public.
    Opaque { opcode: u16, payload: Bytes },
}

/// What made the radio report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A request of ours, at once.
    Standard,
    /// A condition that was set before.
    Condition,
}

/// When a radio is to report: start and stop as YYYYMMDDhhmmss, the interval as DDhhmmss; zeros or NUL when unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    pub start: Ascii<14>,
    pub stop: Ascii<14>,
    pub interval: Ascii<8>,
}

impl Window {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            start: Ascii::read(reader, "start")?,
            stop: Ascii::read(reader, "stop")?,
            interval: Ascii::read(reader, "interval")?,
        })
    }

    fn put(&self, out: &mut BytesMut) {
        out.extend_from_slice(self.start.as_bytes());
        out.extend_from_slice(self.stop.as_bytes());
        out.extend_from_slice(self.interval.as_bytes());
    }
}

impl Lp {
    #[must_use]
    pub const fn opcode(&self) -> u16 {
        match self {
            Self::Request { .. } => 0xA001,
            Self::Report { family: Family::Standard, rssi: None, .. } => 0xA002,
            Self::Report { family: Family::Standard, rssi: Some(_), .. } => 0xA003,
            Self::Report { family: Family::Condition, rssi: None, .. } => 0xD003,
            Self::Report { family: Family::Condition, rssi: Some(_), .. } => 0xD004,
            Self::EmergencyReport { .. } => 0xB003,
            Self::TimedRequest { .. } => 0xC001,
            Self::TimedReport { .. } => 0xC003,
            Self::ConditionRequest { .. } => 0xD001,
            Self::Opaque { opcode, .. } => *opcode,
        }
    }

    pub(super) fn parse(opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        if OPAQUE.contains(&opcode) {
            return Ok(Self::Opaque { opcode, payload: Bytes::copy_from_slice(payload) });
        }
        let mut reader = Reader::new(payload, HEADER);
        let r = &mut reader;
        let lp = match opcode {
            0xA001 => Self::Request {
                request: r.u32()?,
                radio: RadioIp(r.u32()?),
                extra: if r.left() == 0 { None } else { Some(r.u8()?) },
            },
            0xA002 => Self::report(r, Family::Standard, false)?,
            0xA003 => Self::report(r, Family::Standard, true)?,
            0xD003 => Self::report(r, Family::Condition, false)?,
            0xD004 => Self::report(r, Family::Condition, true)?,
            0xB003 => Self::EmergencyReport { radio: RadioIp(r.u32()?), kind: r.u8()?, gps: Gps::parse(r)? },
            0xC001 => Self::TimedRequest { request: r.u32()?, radio: RadioIp(r.u32()?), window: Window::parse(r)? },
            0xC003 => Self::TimedReport {
                request: r.u32()?,
                radio: RadioIp(r.u32()?),
                remaining: Ascii::read(r, "remaining")?,
                gps: Gps::parse(r)?,
            },
            0xD001 => Self::ConditionRequest {
                request: r.u32()?,
                radio: RadioIp(r.u32()?),
                trigger: r.u8()?,
                distance: r.u32()?,
                window: Window::parse(r)?,
                max_interval: Ascii::read(r, "max interval")?,
            },
            other => return Err(DecodeError::Unknown(format!("LP {other:04x}"))),
        };
        reader.finish()?;
        Ok(lp)
    }

    fn report(reader: &mut Reader<'_>, family: Family, with_rssi: bool) -> Result<Self, DecodeError> {
        Ok(Self::Report {
            family,
            request: reader.u32()?,
            radio: RadioIp(reader.u32()?),
            result: reader.u16()?,
            gps: Gps::parse(reader)?,
            rssi: if with_rssi { Some(i16::from_be_bytes(reader.array()?)) } else { None },
        })
    }

    pub(super) fn payload(&self, out: &mut BytesMut) {
        match self {
            Self::Request { request, radio, extra } => {
                out.put_u32(*request);
                out.put_u32(radio.0);
                out.extend(*extra);
            }
            Self::Report { request, radio, result, gps, rssi, .. } => {
                out.put_u32(*request);
                out.put_u32(radio.0);
                out.put_u16(*result);
                gps.put(out);
                out.extend(rssi.map(i16::to_be_bytes).into_iter().flatten());
            }
            Self::EmergencyReport { radio, kind, gps } => {
                out.put_u32(radio.0);
                out.put_u8(*kind);
                gps.put(out);
            }
            Self::TimedRequest { request, radio, window } => {
                out.put_u32(*request);
                out.put_u32(radio.0);
                window.put(out);
            }
            Self::TimedReport { request, radio, remaining, gps } => {
                out.put_u32(*request);
                out.put_u32(radio.0);
                out.extend_from_slice(remaining.as_bytes());
                gps.put(out);
            }
            Self::ConditionRequest { request, radio, trigger, distance, window, max_interval } => {
                out.put_u32(*request);
                out.put_u32(radio.0);
                out.put_u8(*trigger);
                out.put_u32(*distance);
                window.put(out);
                out.extend_from_slice(max_interval.as_bytes());
            }
            Self::Opaque { payload, .. } => out.extend_from_slice(payload),
        }
    }
}
