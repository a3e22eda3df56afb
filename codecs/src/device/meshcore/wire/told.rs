//! What a radio says: answers (below 80) and what it says unasked (80 and above).

use super::bytes::Reader;
use super::{FROM_RADIO, HEADER, Prefix, framed, payload};
use crate::codec::{DecodeError, EncodeError};
use ::bytes::Bytes;

/// One frame of a radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FromRadio {
    /// 00: done; some commands give a number back.
    Done { value: Option<u32> },
    /// 01: refused: 1 unsupported, 2 not found, 3 table full, 4 bad state, 5 file, 6 illegal argument.
    Refused { code: Option<u8> },
    /// 02: so many contacts follow.
    ContactsStart { count: u32 },
    /// 03
    Contact(Contact),
    /// 04: that was the last; `last_modified` for asking again.
    ContactsEnd { last_modified: u32 },
    /// 05: the answer to app start.
    SelfInfo(SelfInfo),
    /// 06: a text is sent; its ack will carry this code.
    Sent { flood: u8, expected_ack: [u8; 4], timeout_ms: u32 },
    /// 07, 10 (a contact), 08, 11 (a channel): a text that waited.
    Text(Text),
    /// 09: the radio's clock, seconds.
    Time { seconds: u32 },
    /// 0A: no text waits.
    NoMore,
    /// 0C
    Battery { millivolt: u16, storage_kb: Option<(u32, u32)> },
    /// 0D
    DeviceInfo(DeviceInfo),
    /// 80: a known contact was heard.
    Advert { public_key: [u8; 32] },
    /// 81: the way to a contact has changed.
    Path { public_key: [u8; 32] },
    /// 82: the far radio has the text with this code.
    Confirmed { ack: [u8; 4], round_trip_ms: Option<u32> },
    /// 83: texts wait.
    Waiting,
    /// 8A: a contact that was not known before.
    NewContact(Contact),
    /// A kind that the protocol has and we do not read.
    Other { kind: u8, body: Bytes },
}

/// Who the radio is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfInfo {
    pub kind: u8,
    pub tx_power: u8,
    pub max_tx_power: u8,
    pub public_key: [u8; 32],
    /// In 1e-6 degree, as it was set by a person; 0, 0 where it was not.
    pub lat_e6: i32,
    pub lon_e6: i32,
    /// Acks, position policy, telemetry, manual contacts.
    pub flags: [u8; 4],
    pub frequency_khz: u32,
    pub bandwidth_hz: u32,
    pub spreading_factor: u8,
    pub coding_rate: u8,
    pub name: String,
}

/// Somebody whom the radio knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    pub public_key: [u8; 32],
    /// 1 a person, 2 a repeater, 3 a room, 4 a sensor.
    pub kind: u8,
    pub flags: u8,
    /// 255: none, it is flooded.
    pub path_len: u8,
    pub path: [u8; 64],
    pub name: [u8; 32],
    pub last_advert: u32,
    pub lat_e6: i32,
    pub lon_e6: i32,
    pub last_modified: u32,
}

/// A text as the radio kept it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Of the third version of the protocol only, quarters of a decibel.
    pub snr_quarter_db: Option<i8>,
    pub origin: Origin,
    pub path_len: u8,
    /// 0 plain, 1 command line, 2 signed.
    pub text_type: u8,
    pub timestamp: u32,
    /// In front of signed texts: who of a room wrote it.
    pub signature: Option<[u8; 4]>,
    pub text: Bytes,
}

/// Where a text came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Contact(Prefix),
    Channel(u8),
}

/// What kind of radio it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    pub firmware: u8,
    /// From the third version on.
    pub about: Option<About>,
    /// What later versions add.
    pub more: Bytes,
}

/// Numbers and names of a radio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub max_contacts: u16,
    pub max_channels: u8,
    pub ble_pin: u32,
    pub build: String,
    pub model: String,
    pub version: String,
}

/// Kinds that the protocol has besides those that we read.
const KNOWN: [(u8, u8); 4] = [(0x0B, 0x0B), (0x0E, 0x0F), (0x12, 0x1D), (0x84, 0x90)];
const SIGNED: u8 = 2;

impl FromRadio {
    /// The number in front of the payload.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Done { .. } => 0x00,
            Self::Refused { .. } => 0x01,
            Self::ContactsStart { .. } => 0x02,
            Self::Contact(_) => 0x03,
            Self::ContactsEnd { .. } => 0x04,
            Self::SelfInfo(_) => 0x05,
            Self::Sent { .. } => 0x06,
            Self::Text(text) => match (text.origin, text.snr_quarter_db) {
                (Origin::Contact(_), None) => 0x07,
                (Origin::Channel(_), None) => 0x08,
                (Origin::Contact(_), Some(_)) => 0x10,
                (Origin::Channel(_), Some(_)) => 0x11,
            },
            Self::Time { .. } => 0x09,
            Self::NoMore => 0x0A,
            Self::Battery { .. } => 0x0C,
            Self::DeviceInfo(_) => 0x0D,
            Self::Advert { .. } => 0x80,
            Self::Path { .. } => 0x81,
            Self::Confirmed { .. } => 0x82,
            Self::Waiting => 0x83,
            Self::NewContact(_) => 0x8A,
            Self::Other { kind, .. } => *kind,
        }
    }

    /// Reads one whole frame of a radio.
    ///
    /// # Errors
    /// [`DecodeError`] for what is no frame, or whose payload is not of its kind.
    pub fn parse(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload(frame, FROM_RADIO)?, HEADER);
        let r = &mut reader;
        let kind = r.u8()?;
        let read = match kind {
            0x00 => Self::Done { value: optional(r)? },
            0x01 => Self::Refused { code: if r.left() == 0 { None } else { Some(r.u8()?) } },
            0x02 => Self::ContactsStart { count: r.u32()? },
            0x03 => Self::Contact(Contact::read(r)?),
            0x04 => Self::ContactsEnd { last_modified: r.u32()? },
            0x05 => Self::SelfInfo(SelfInfo::read(r)?),
            0x06 => Self::Sent { flood: r.u8()?, expected_ack: r.array()?, timeout_ms: r.u32()? },
            0x07 | 0x08 | 0x10 | 0x11 => Self::Text(Text::read(r, kind)?),
            0x09 => Self::Time { seconds: r.u32()? },
            0x0A => Self::NoMore,
            0x0C => Self::Battery {
                millivolt: r.u16()?,
                storage_kb: if r.left() == 0 { None } else { Some((r.u32()?, r.u32()?)) },
            },
            0x0D => Self::DeviceInfo(DeviceInfo::read(r)?),
            0x80 => Self::Advert { public_key: r.array()? },
            0x81 => Self::Path { public_key: r.array()? },
            0x82 => Self::Confirmed { ack: r.array()?, round_trip_ms: optional(r)? },
            0x83 => Self::Waiting,
            0x8A => Self::NewContact(Contact::read(r)?),
            _ if KNOWN.iter().any(|(from, to)| (*from..=*to).contains(&kind)) => Self::Other { kind, body: r.all() },
            _ => return Err(DecodeError::Unknown(format!("{kind:#04x}"))),
        };
        reader.finish()?;
        Ok(read)
    }

    /// The frame on the wire.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] beyond what a frame takes.
    pub fn emit(&self) -> Result<Bytes, EncodeError> {
        let mut body = vec![self.kind()];
        match self {
            Self::Done { value } => body.extend(value.iter().flat_map(|value| value.to_le_bytes())),
            Self::Refused { code } => body.extend(code),
            Self::ContactsStart { count: number }
            | Self::ContactsEnd { last_modified: number }
            | Self::Time { seconds: number } => body.extend(number.to_le_bytes()),
            Self::Contact(contact) | Self::NewContact(contact) => contact.write(&mut body),
            Self::SelfInfo(info) => info.write(&mut body),
            Self::Sent { flood, expected_ack, timeout_ms } => {
                body.push(*flood);
                body.extend(expected_ack);
                body.extend(timeout_ms.to_le_bytes());
            }
            Self::Text(text) => text.write(&mut body),
            Self::NoMore | Self::Waiting => {}
            Self::Battery { millivolt, storage_kb } => {
                body.extend(millivolt.to_le_bytes());
                body.extend(storage_kb.iter().flat_map(|(used, all)| [used.to_le_bytes(), all.to_le_bytes()].concat()));
            }
            Self::DeviceInfo(info) => info.write(&mut body),
            Self::Advert { public_key } | Self::Path { public_key } => body.extend(public_key),
            Self::Confirmed { ack, round_trip_ms } => {
                body.extend(ack);
                body.extend(round_trip_ms.iter().flat_map(|ms| ms.to_le_bytes()));
            }
            Self::Other { body: rest, .. } => body.extend(rest),
        }
        framed(FROM_RADIO, &body)
    }
}

fn optional(reader: &mut Reader<'_>) -> Result<Option<u32>, DecodeError> {
    if reader.left() == 0 { Ok(None) } else { reader.u32().map(Some) }
}

impl SelfInfo {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: r.u8()?,
            tx_power: r.u8()?,
            max_tx_power: r.u8()?,
            public_key: r.array()?,
            lat_e6: r.i32()?,
            lon_e6: r.i32()?,
            flags: r.array()?,
            frequency_khz: r.u32()?,
            bandwidth_hz: r.u32()?,
            spreading_factor: r.u8()?,
            coding_rate: r.u8()?,
            name: r.name(r.left())?,
        })
    }

    fn write(&self, body: &mut Vec<u8>) {
        body.extend([self.kind, self.tx_power, self.max_tx_power]);
        body.extend(self.public_key);
        body.extend(self.lat_e6.to_le_bytes());
        body.extend(self.lon_e6.to_le_bytes());
        body.extend(self.flags);
        body.extend(self.frequency_khz.to_le_bytes());
        body.extend(self.bandwidth_hz.to_le_bytes());
        body.extend([self.spreading_factor, self.coding_rate]);
        body.extend(self.name.bytes());
    }
}

impl Contact {
    /// The name, without its filling.
    #[must_use]
    pub fn name(&self) -> String {
        Reader::new(&self.name, 0).name(self.name.len()).unwrap_or_default()
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            public_key: r.array()?,
            kind: r.u8()?,
            flags: r.u8()?,
            path_len: r.u8()?,
            path: r.array()?,
            name: r.array()?,
            last_advert: r.u32()?,
            lat_e6: r.i32()?,
            lon_e6: r.i32()?,
            last_modified: r.u32()?,
        })
    }

    fn write(&self, body: &mut Vec<u8>) {
        body.extend(self.public_key);
        body.extend([self.kind, self.flags, self.path_len]);
        body.extend(self.path);
        body.extend(self.name);
        body.extend(self.last_advert.to_le_bytes());
        body.extend(self.lat_e6.to_le_bytes());
        body.extend(self.lon_e6.to_le_bytes());
        body.extend(self.last_modified.to_le_bytes());
    }
}

impl Text {
    fn read(r: &mut Reader<'_>, kind: u8) -> Result<Self, DecodeError> {
        let snr_quarter_db = if kind >= 0x10 {
            let snr = r.i8()?;
            let _reserved = r.take(2)?;
            Some(snr)
        } else {
            None
        };
        let origin = if matches!(kind, 0x07 | 0x10) { Origin::Contact(r.array()?) } else { Origin::Channel(r.u8()?) };
        let (path_len, text_type, timestamp) = (r.u8()?, r.u8()?, r.u32()?);
        let is_signed = text_type == SIGNED && matches!(origin, Origin::Contact(_));
        let signature = if is_signed { Some(r.array()?) } else { None };
        Ok(Self { snr_quarter_db, origin, path_len, text_type, timestamp, signature, text: r.all() })
    }

    fn write(&self, body: &mut Vec<u8>) {
        if let Some(snr) = self.snr_quarter_db {
            body.extend(snr.to_le_bytes());
            body.extend([0, 0]);
        }
        match self.origin {
            Origin::Contact(prefix) => body.extend(prefix),
            Origin::Channel(channel) => body.push(channel),
        }
        body.extend([self.path_len, self.text_type]);
        body.extend(self.timestamp.to_le_bytes());
        body.extend(self.signature.iter().flatten());
        body.extend(&self.text);
    }

    /// The words, and whether bytes had to be replaced. NULs at the end are filling.
    #[must_use]
    pub fn words(&self) -> (String, bool) {
        let end = self.text.iter().rposition(|byte| *byte != 0).map_or(0, |at| at.saturating_add(1));
        let bytes = self.text.get(..end).unwrap_or_default();
        std::str::from_utf8(bytes)
            .map_or_else(|_| (String::from_utf8_lossy(bytes).into_owned(), true), |text| (text.to_owned(), false))
    }
}

impl DeviceInfo {
    const BUILD: usize = 12;
    const MODEL: usize = 40;
    const VERSION: usize = 20;

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let firmware = r.u8()?;
        let about = if firmware >= 3 {
            Some(About {
                max_contacts: u16::from(r.u8()?).saturating_mul(2),
                max_channels: r.u8()?,
                ble_pin: r.u32()?,
                build: r.name(Self::BUILD)?,
                model: r.name(Self::MODEL)?,
                version: r.name(Self::VERSION)?,
            })
        } else {
            None
        };
        Ok(Self { firmware, about, more: r.all() })
    }

    fn write(&self, body: &mut Vec<u8>) {
        body.push(self.firmware);
        if let Some(about) = &self.about {
            body.extend([u8::try_from(about.max_contacts / 2).unwrap_or(u8::MAX), about.max_channels]);
            body.extend(about.ble_pin.to_le_bytes());
            for (text, size) in
                [(&about.build, Self::BUILD), (&about.model, Self::MODEL), (&about.version, Self::VERSION)]
            {
                body.extend(text.bytes().chain(std::iter::repeat(0)).take(size));
            }
        }
        body.extend(&self.more);
    }
}
