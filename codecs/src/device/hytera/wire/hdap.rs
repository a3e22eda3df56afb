use super::{Dds, Lp, Rcp, Rrs, Tmp};
use crate::codec::{DecodeError, EncodeError};
use ::bytes::{BufMut, Bytes, BytesMut};
use std::fmt;
use std::net::Ipv4Addr;

/// The last byte of a frame as real radios send it.
pub const END: u8 = 0x03;
/// The last byte as one host program sends it, whose radios took it all the same. Two bits away from [`END`], so one
/// flipped bit never turns either into the other. Taken only where the bytes end with it: every second byte of a Latin
/// text is 00, so a length that lost a bit would find such an end too easily.
const END_ZERO: u8 = 0x00;
const RELIABLE: u8 = 0x80;
/// Service, opcode, length.
pub(super) const HEADER: usize = 5;
/// Checksum and end byte.
const TRAILER: usize = 2;

/// The services that share the HDAP frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Radio control; the only service whose numbers are little-endian.
    Rcp = 0x02,
    /// Location.
    Lp = 0x08,
    /// Text.
    Tmp = 0x09,
    /// Registration.
    Rrs = 0x11,
    /// Telemetry.
    Tp = 0x12,
    /// Data transfer.
    Dtp = 0x13,
    /// Delivery states of the other services.
    Dds = 0x14,
}

impl Service {
    const ALL: [Self; 7] = [Self::Rcp, Self::Lp, Self::Tmp, Self::Rrs, Self::Tp, Self::Dtp, Self::Dds];

    /// From the low seven bits of the first byte.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.code() == code)
    }

    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rcp => "RCP",
            Self::Lp => "LP",
            Self::Tmp => "TMP",
            Self::Rrs => "RRS",
            Self::Tp => "TP",
            Self::Dtp => "DTP",
            Self::Dds => "DDS",
        }
    }
}

/// A radio's address: subnet byte and 24-bit id. The subnet byte is a matter of configuration, and repeaters rewrite
/// it to 0; two addresses are the same radio when their ids are the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RadioIp(pub u32);

impl RadioIp {
    /// The highest id: ids have 24 bits.
    pub const ID_MAX: u32 = 0x00FF_FFFF;

    /// `None` for an id of more than 24 bits.
    #[must_use]
    pub fn new(subnet: u8, id: u32) -> Option<Self> {
        (id <= Self::ID_MAX).then_some(Self(u32::from(subnet) << 24 | id))
    }

    /// The first byte of the address.
    #[must_use]
    pub const fn subnet(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// The radio's number.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.0 & Self::ID_MAX
    }

    #[must_use]
    pub const fn ip(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.0)
    }
}

impl fmt::Display for RadioIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

impl fmt::Debug for RadioIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}

/// One HDAP frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hdap {
    /// The sender asks for reliable transport (bit 7 of the service byte, outside the checksum).
    pub reliable: bool,
    pub body: Body,
    /// `03`, or `00` from one kind of host.
    pub end: u8,
}

/// What a frame carries, by service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Rrs(Rrs),
    Lp(Lp),
    Tmp(Tmp),
    Dds(Dds),
    Rcp(Rcp),
}

impl Body {
    #[must_use]
    pub const fn service(&self) -> Service {
        match self {
            Self::Rrs(_) => Service::Rrs,
            Self::Lp(_) => Service::Lp,
            Self::Tmp(_) => Service::Tmp,
            Self::Dds(_) => Service::Dds,
            Self::Rcp(_) => Service::Rcp,
        }
    }

    #[must_use]
    pub fn opcode(&self) -> u16 {
        match self {
            Self::Rrs(rrs) => rrs.opcode(),
            Self::Lp(lp) => lp.opcode(),
            Self::Tmp(tmp) => tmp.opcode(),
            Self::Dds(dds) => dds.opcode(),
            Self::Rcp(rcp) => rcp.opcode(),
        }
    }

    fn parse(service: Service, opcode: u16, payload: &[u8]) -> Result<Self, DecodeError> {
        match service {
            Service::Rrs => Rrs::parse(opcode, payload).map(Self::Rrs),
            Service::Lp => Lp::parse(opcode, payload).map(Self::Lp),
            Service::Tmp => Tmp::parse(opcode, payload).map(Self::Tmp),
            Service::Dds => Dds::parse(opcode, payload).map(Self::Dds),
            Service::Rcp => Rcp::parse(opcode, payload).map(Self::Rcp),
            Service::Tp | Service::Dtp => {
                Err(DecodeError::Unknown(format!("{} {opcode:04x}: this service is not read here", service.name())))
            }
        }
    }

    fn payload(&self, out: &mut BytesMut) {
        match self {
            Self::Rrs(rrs) => rrs.payload(out),
            Self::Lp(lp) => lp.payload(out),
            Self::Tmp(tmp) => tmp.payload(out),
            Self::Dds(dds) => dds.payload(out),
            Self::Rcp(rcp) => rcp.payload(out),
        }
    }
}

impl From<Rrs> for Hdap {
    fn from(rrs: Rrs) -> Self {
        Self::plain(Body::Rrs(rrs))
    }
}

impl From<Lp> for Hdap {
    fn from(lp: Lp) -> Self {
        Self::plain(Body::Lp(lp))
    }
}

impl From<Tmp> for Hdap {
    fn from(tmp: Tmp) -> Self {
        Self::plain(Body::Tmp(tmp))
    }
}

impl From<Dds> for Hdap {
    fn from(dds: Dds) -> Self {
        Self::plain(Body::Dds(dds))
    }
}

impl From<Rcp> for Hdap {
    fn from(rcp: Rcp) -> Self {
        Self::plain(Body::Rcp(rcp))
    }
}

impl Hdap {
    /// A frame as we send it: not reliable, end byte `03`.
    #[must_use]
    pub const fn plain(body: Body) -> Self {
        Self { reliable: false, body, end: END }
    }

    /// The frame at the front of `bytes`, and what follows it.
    ///
    /// # Errors
    /// [`DecodeError::Unknown`] for a service or opcode we do not know, `Length` for a frame longer than the bytes or a
    /// payload of another length than its opcode has, `Checksum`, and `Field` for an end byte other than `03` or `00`.
    pub fn parse(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let envelope = Envelope::cut(bytes)?;
        let body = Body::parse(envelope.service, envelope.opcode, envelope.payload)?;
        Ok((Self { reliable: envelope.reliable, body, end: envelope.end }, envelope.rest))
    }

    /// Bytes of the payload.
    #[must_use]
    pub fn payload_len(&self) -> usize {
        let mut payload = BytesMut::new();
        self.body.payload(&mut payload);
        payload.len()
    }

    /// The frame as it goes on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] when the payload does not fit into the 16-bit length field, `Unsupported` for an order
    /// that is read only ([`Rcp::may_be_written`]).
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        if matches!(&self.body, Body::Rcp(rcp) if !rcp.may_be_written()) {
            return Err(EncodeError::Unsupported);
        }
        let mut payload = BytesMut::new();
        self.body.payload(&mut payload);
        let length = u16::try_from(payload.len()).map_err(|_| EncodeError::TooLong {
            needed: u32::try_from(payload.len()).unwrap_or(u32::MAX).saturating_mul(8),
            capacity: u32::from(u16::MAX) * 8,
        })?;
        let mut frame = BytesMut::with_capacity(payload.len() + HEADER + TRAILER);
        frame.put_u8(self.body.service().code() | if self.reliable { RELIABLE } else { 0 });
        if self.body.service() == Service::Rcp {
            frame.put_u16_le(self.body.opcode());
            frame.put_u16_le(length);
        } else {
            frame.put_u16(self.body.opcode());
            frame.put_u16(length);
        }
        frame.extend_from_slice(&payload);
        let sum = checksum(frame.get(1..).unwrap_or_default());
        frame.put_u8(sum);
        frame.put_u8(self.end);
        Ok(frame.freeze())
    }
}

/// `(~sum + 0x33) & FF` over opcode, length and payload. The service byte is not in it.
fn checksum(bytes: &[u8]) -> u8 {
    let sum = bytes.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    (!sum).wrapping_add(0x33)
}

/// A frame whose length, checksum and end byte were found right.
struct Envelope<'a> {
    service: Service,
    reliable: bool,
    opcode: u16,
    payload: &'a [u8],
    end: u8,
    rest: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn cut(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let short = |expected: usize| DecodeError::Length { expected, found: bytes.len() };
        let [first, opcode_0, opcode_1, length_0, length_1, ..] = *bytes else {
            return Err(short(HEADER + TRAILER));
        };
        let service = Service::from_code(first & !RELIABLE)
            .ok_or_else(|| DecodeError::Unknown(format!("service byte {first:02x}")))?;
        let number = if service == Service::Rcp { u16::from_le_bytes } else { u16::from_be_bytes };
        let (opcode, length) = (number([opcode_0, opcode_1]), usize::from(number([length_0, length_1])));
        let total = HEADER + length + TRAILER;
        let (frame, rest) = bytes.split_at_checked(total).ok_or_else(|| short(total))?;
        let (summed, trailer) = frame.split_at_checked(HEADER + length).ok_or_else(|| short(total))?;
        let [found, end] = *trailer else { return Err(short(total)) };
        let expected = checksum(summed.get(1..).unwrap_or_default());
        if found != expected {
            return Err(DecodeError::Checksum { expected: u32::from(expected), found: u32::from(found) });
        }
        if end != END && !(end == END_ZERO && rest.is_empty()) {
            return Err(DecodeError::Field {
                field: "end",
                at: total - 1,
                expected: "03 (or 00 as the very last byte)",
            });
        }
        let payload = summed.get(HEADER..).unwrap_or_default();
        Ok(Self { service, reliable: first & RELIABLE != 0, opcode, payload, end, rest })
    }
}
