use super::{Byteorder, Charset, Checksum, Framing, Id, IdForm, Length, Mark, Place, Sum, TextField, put};
use crate::codec::{DecodeError, EncodeError, Profile, ProfileError, Value};
use bytes::Bytes;
use std::time::Duration;

/// What a vendor disclosed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub framing: Framing,
    pub head: Bytes,
    pub tail: Bytes,
    pub max: usize,
    pub checksum: Option<Checksum>,
    pub id: Option<Id>,
    pub to: Option<Id>,
    pub text: Option<TextField>,
    pub text_if: Option<Mark>,
    pub position_if: Option<Mark>,
    pub charset: Charset,
    pub place: Option<Place>,
}

/// The keys of a profile that describe a frame.
pub(in super::super) const KEYS: [&str; 16] = [
    "framing",
    "idle_ms",
    "delimiter",
    "head",
    "tail",
    "length",
    "size",
    "max",
    "checksum",
    "id",
    "to",
    "text",
    "text_if",
    "position_if",
    "charset",
    "position",
];

/// The layout without a profile, invented after common radio modules: 68, the length of what follows up to the check (u16,
/// high byte first), the far terminal's number (u32), a text in GB18030, the sum of all before it but the head, 10.
pub const DEFAULT: [(&str, &str); 8] = [
    ("framing", "frame"),
    ("head", "68"),
    ("tail", "10"),
    ("length", "1,2,be,5"),
    ("checksum", "sum8,1,-2,-2"),
    ("id", "3,4,be"),
    ("text", "7,rest"),
    ("charset", "gb18030"),
];

impl Layout {
    /// The layout of a profile. Keys that describe no frame are not looked at.
    ///
    /// # Errors
    /// [`ProfileError`] naming the key.
    pub fn read(profile: &Profile) -> Result<Self, ProfileError> {
        if !profile.0.contains_key("framing") {
            if let Some(key) = KEYS.iter().find(|key| profile.0.contains_key(**key)) {
                return Err(ProfileError::Type {
                    key: (*key).into(),
                    expected: "framing as well: without it the layout is the default one",
                });
            }
            let default = DEFAULT.map(|(key, value)| (key.to_owned(), Value::Text(value.into())));
            return Self::described(&Profile(default.into()));
        }
        Self::described(profile)
    }

    fn described(profile: &Profile) -> Result<Self, ProfileError> {
        let keys = Keys(profile);
        let max = keys.int("max", 512, 16, 4_096)?;
        let framing = match profile.choice("framing", &["idle", "line", "datagram", "frame", "fixed"])? {
            0 => Framing::Idle(Duration::from_millis(keys.int("idle_ms", 30, 20, 50)?.try_into().unwrap_or(30))),
            1 => Framing::Line(keys.hex("delimiter")?.unwrap_or_else(|| Bytes::from_static(b"\r\n"))),
            2 => Framing::Datagram,
            3 => Framing::Frame(keys.length()?),
            _ => Framing::Fixed(keys.int("size", 0, 1, 4_096)?),
        };
        for (key, belongs) in [
            ("idle_ms", matches!(framing, Framing::Idle(_))),
            ("delimiter", matches!(framing, Framing::Line(_))),
            ("length", matches!(framing, Framing::Frame(_))),
            ("size", matches!(framing, Framing::Fixed(_))),
        ] {
            if profile.0.contains_key(key) && !belongs {
                return Err(wrong(key, "another framing"));
            }
        }
        let layout = Self {
            max: if let Framing::Fixed(size) = framing { size } else { max },
            framing,
            head: keys.hex("head")?.unwrap_or_default(),
            tail: keys.hex("tail")?.unwrap_or_default(),
            checksum: keys.checksum()?,
            id: keys.id("id")?,
            to: keys.id("to")?,
            text: keys.text()?,
            text_if: keys.mark("text_if")?,
            position_if: keys.mark("position_if")?,
            charset: match profile.choice("charset", &["utf-8", "gb18030", "utf-16le", "utf-16be"])? {
                0 => Charset::Utf8,
                1 => Charset::Gb18030,
                2 => Charset::Utf16Le,
                _ => Charset::Utf16Be,
            },
            place: keys.place()?,
        };
        if layout.head.is_empty() && matches!(layout.framing, Framing::Frame(_)) {
            return Err(wrong("head", "at least one byte in hex, by which a frame is found"));
        }
        Ok(layout)
    }

    /// Bytes behind a frame's content.
    fn behind(&self) -> usize {
        let delimiter = if let Framing::Line(delimiter) = &self.framing { delimiter.len() } else { 0 };
        let sum = self.checksum.map_or(0, |sum| sum.at_end());
        self.tail.len().max(sum).max(delimiter)
    }

    pub(super) fn text_bytes<'a>(&self, field: &TextField, frame: &'a [u8]) -> Option<&'a [u8]> {
        let end = frame.len().checked_sub(self.behind())?;
        match field.length {
            Some(length) => super::at(frame.get(..end)?, field.offset, length),
            None => frame.get(field.offset..end),
        }
    }

    /// The most bytes of a text.
    #[must_use]
    pub fn text_max(&self) -> usize {
        let Some(field) = &self.text else { return 0 };
        let room = self.max.saturating_sub(field.offset).saturating_sub(self.behind());
        let by_length = match &self.framing {
            Framing::Frame(length) => {
                let bits = u32::try_from(length.size.min(4).saturating_mul(8)).unwrap_or(32);
                let most = 1_i64.checked_shl(bits).unwrap_or(i64::MAX).saturating_sub(1).saturating_add(length.adds);
                let most = usize::try_from(most).unwrap_or(0);
                most.saturating_sub(field.offset).saturating_sub(self.behind())
            }
            _ => usize::MAX,
        };
        field.length.unwrap_or(usize::MAX).min(room).min(by_length)
    }

    /// Whether a whole frame is as described.
    pub(super) fn check(&self, frame: &[u8]) -> Result<(), DecodeError> {
        let found = frame.len();
        let expected = match &self.framing {
            Framing::Frame(length) => length.of(frame).unwrap_or(found.saturating_add(1)),
            Framing::Fixed(size) => *size,
            Framing::Idle(_) | Framing::Line(_) | Framing::Datagram => found,
        };
        if found != expected || found > self.max || found == 0 {
            return Err(DecodeError::Length { expected, found });
        }
        let end = match &self.framing {
            Framing::Line(delimiter) => delimiter,
            _ => &self.tail,
        };
        if !frame.starts_with(&self.head) {
            return Err(DecodeError::Field { field: "head", at: 0, expected: "the head of the profile" });
        }
        if !frame.ends_with(end) || found < self.head.len().saturating_add(end.len()) {
            let at = found.saturating_sub(end.len());
            return Err(DecodeError::Field { field: "tail", at, expected: "the end of the profile" });
        }
        self.checksum.map_or(Ok(()), |sum| sum.check(frame))
    }

    /// Puts the end, the length and the check to a frame.
    pub(super) fn seal(&self, mut frame: Vec<u8>) -> Result<Bytes, EncodeError> {
        let end = match &self.framing {
            Framing::Line(delimiter) => delimiter,
            _ => &self.tail,
        };
        let whole = frame.len().saturating_add(self.behind());
        let whole = if let Framing::Fixed(size) = self.framing { size.max(whole) } else { whole };
        let bits = |bytes: usize| u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
        let too_long = || EncodeError::TooLong { needed: bits(whole), capacity: bits(self.max) };
        if whole > self.max {
            return Err(too_long());
        }
        put(&mut frame, whole.saturating_sub(end.len()), end);
        if let Framing::Frame(length) = &self.framing {
            length.write(&mut frame).ok_or_else(too_long)?;
        }
        if let Some(sum) = &self.checksum {
            sum.write(&mut frame).ok_or(EncodeError::Unsupported)?;
        }
        Ok(frame.into())
    }
}

fn wrong(key: &str, expected: &'static str) -> ProfileError {
    ProfileError::Type { key: key.into(), expected }
}

/// A profile's keys, each error with its name.
struct Keys<'a>(&'a Profile);

impl Keys<'_> {
    fn int(&self, key: &'static str, default: i64, min: i64, max: i64) -> Result<usize, ProfileError> {
        let found = self.0.int(key, default, min, max)?;
        let out = || ProfileError::Range { key: key.into(), found, min, max };
        usize::try_from(found).ok().filter(|_| found >= min).ok_or_else(out)
    }

    fn words(&self, key: &'static str, expected: &'static str) -> Result<Option<&str>, ProfileError> {
        match self.0.0.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) if text == "none" => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(wrong(key, expected)),
        }
    }

    fn hex(&self, key: &'static str) -> Result<Option<Bytes>, ProfileError> {
        const EXPECTED: &str = "1 to 8 bytes in hex";
        let Some(text) = self.words(key, EXPECTED)? else { return Ok(None) };
        let bytes = hex::decode(text).ok().filter(|bytes| (1..=8).contains(&bytes.len()));
        bytes.map(|bytes| Some(bytes.into())).ok_or_else(|| wrong(key, EXPECTED))
    }

    fn length(&self) -> Result<Length, ProfileError> {
        const EXPECTED: &str = "\"offset,size,be|le,adds\" with a size of 1 to 4";
        let read = |text: &str| {
            let [offset, size, order, adds] = split(text)?;
            let size = number(size).filter(|size| (1..=4).contains(size))?;
            Some(Length { offset: number(offset)?, size, order: byteorder(order)?, adds: signed(adds)? })
        };
        self.words("length", EXPECTED)?.and_then(read).ok_or_else(|| wrong("length", EXPECTED))
    }

    fn checksum(&self) -> Result<Option<Checksum>, ProfileError> {
        const EXPECTED: &str =
            "none or \"kind,from,to,at[,be|le]\" with sum8, sum8c33, xor8, crc16-ccitt or crc16-modbus";
        let read = |text: &str| {
            let (text, order) = match text.rsplit_once(',') {
                Some((front, last)) if byteorder(last).is_some() => (front, byteorder(last)?),
                _ => (text, Byteorder::Big),
            };
            let [kind, from, to, at] = split(text)?;
            let sum = match kind {
                "sum8" => Sum::Sum8,
                "sum8c33" => Sum::Sum8c33,
                "xor8" => Sum::Xor8,
                "crc16-ccitt" => Sum::Crc16Ccitt,
                "crc16-modbus" => Sum::Crc16Modbus,
                _ => return None,
            };
            Some(Checksum { sum, from: signed(from)?, to: signed(to)?, at: signed(at)?, order })
        };
        self.optional("checksum", EXPECTED, read)
    }

    fn id(&self, key: &'static str) -> Result<Option<Id>, ProfileError> {
        const EXPECTED: &str = "\"offset,size,be|le|ascii|bcd\" with a size of 1 to 8, ascii to 16";
        self.optional(key, EXPECTED, |text| {
            let [offset, size, form] = split(text)?;
            let form = match form {
                "ascii" => IdForm::Ascii,
                "bcd" => IdForm::Bcd,
                order => IdForm::Number(byteorder(order)?),
            };
            let most = if form == IdForm::Ascii { 16 } else { 8 };
            Some(Id { offset: number(offset)?, size: number(size).filter(|size| (1..=most).contains(size))?, form })
        })
    }

    fn text(&self) -> Result<Option<TextField>, ProfileError> {
        self.optional("text", "\"offset,length\" or \"offset,rest\"", |text| {
            let [offset, length] = split(text)?;
            let length = if length == "rest" { None } else { Some(number(length).filter(|length| *length > 0)?) };
            Some(TextField { offset: number(offset)?, length })
        })
    }

    fn mark(&self, key: &'static str) -> Result<Option<Mark>, ProfileError> {
        self.optional(key, "\"offset,hex\"", |text| {
            let [offset, bytes] = split(text)?;
            let bytes = hex::decode(bytes).ok().filter(|bytes| !bytes.is_empty())?;
            Some(Mark { offset: number(offset)?, bytes: bytes.into() })
        })
    }

    fn place(&self) -> Result<Option<Place>, ProfileError> {
        const EXPECTED: &str = "none, nmea, \"e7:offset,be|le\" or \"fraction:offset,n,be|le\" with n of 1 to 31";
        self.optional("position", EXPECTED, |text| match text.split_once(':') {
            None => (text == "nmea").then_some(Place::Nmea),
            Some(("e7", rest)) => {
                let [offset, order] = split(rest)?;
                Some(Place::E7 { offset: number(offset)?, order: byteorder(order)? })
            }
            Some(("fraction", rest)) => {
                let [offset, bits, order] = split(rest)?;
                let bits = bits.parse().ok().filter(|bits| (1..=31).contains(bits))?;
                Some(Place::Fraction { offset: number(offset)?, bits, order: byteorder(order)? })
            }
            Some(_) => None,
        })
    }

    fn optional<T>(
        &self,
        key: &'static str,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ProfileError> {
        self.words(key, expected)?.map(|text| read(text).ok_or_else(|| wrong(key, expected))).transpose()
    }
}

fn split<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split(',').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

/// An offset or a size.
fn number(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number| *number <= 4_096)
}

fn signed(text: &str) -> Option<i64> {
    text.parse().ok().filter(|number: &i64| number.abs() <= 4_096)
}

fn byteorder(text: &str) -> Option<Byteorder> {
    match text.trim() {
        "be" => Some(Byteorder::Big),
        "le" => Some(Byteorder::Little),
        _ => None,
    }
}
