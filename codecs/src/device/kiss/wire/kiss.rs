//! `C0 type data C0`: port in the high half of the type, what it is in the low half; C0 inside is `DB DC`, DB `DB DD`.

use crate::codec::DecodeError;
use bytes::Bytes;

/// Begins and ends a frame.
pub const FEND: u8 = 0xC0;
const FESC: u8 = 0xDB;
const TFEND: u8 = 0xDC;
const TFESC: u8 = 0xDD;

/// What the low half of the type says.
pub const DATA: u8 = 0;
const SETTINGS_LAST: u8 = 5;
const HARDWARE: u8 = 6;
const LEAVE: u8 = 0xFF;

/// One frame between host and TNC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kiss {
    pub port: u8,
    /// 0 data, 1 TXDELAY, 2 persistence, 3 slot time, 4 TX tail, 5 full duplex, 6 hardware, 15 leave KISS.
    pub command: u8,
    pub data: Bytes,
}

impl Kiss {
    /// A data frame for one port of the TNC.
    #[must_use]
    pub const fn data(port: u8, data: Bytes) -> Self {
        Self { port, command: DATA, data }
    }

    /// Reads what stands between two delimiters.
    ///
    /// # Errors
    /// For an escape that is none, an empty frame, a type that KISS does not have, a setting without its one byte.
    pub fn parse_inside(inside: &[u8]) -> Result<Self, DecodeError> {
        let bytes = unescape(inside)?;
        let Some((kind, data)) = bytes.split_first() else {
            return Err(DecodeError::Length { expected: 1, found: 0 });
        };
        let (port, command) = (kind >> 4, kind & 0x0F);
        match (command, data.len()) {
            _ if *kind == LEAVE && data.is_empty() => {}
            (DATA | HARDWARE, _) | (1..=SETTINGS_LAST, 1) => {}
            (1..=SETTINGS_LAST, found) => {
                return Err(DecodeError::Length { expected: 2, found: found.saturating_add(1) });
            }
            _ => return Err(DecodeError::Unknown(format!("KISS command {command:#04x}"))),
        }
        Ok(Self { port, command, data: Bytes::copy_from_slice(data) })
    }

    /// Reads one frame as the framer gives it: the leading delimiter may be the one that ended the frame before.
    ///
    /// # Errors
    /// Without its closing delimiter, or as [`Self::parse_inside`].
    pub fn parse(frame: &[u8]) -> Result<Self, DecodeError> {
        let Some(open) = frame.strip_suffix(&[FEND]) else {
            return Err(DecodeError::Field { field: "end", at: frame.len(), expected: "C0" });
        };
        let inside = open.iter().position(|byte| *byte != FEND).and_then(|at| open.get(at..)).unwrap_or_default();
        if let Some(at) = inside.iter().position(|byte| *byte == FEND) {
            return Err(DecodeError::Trailing(inside.len().saturating_sub(at)));
        }
        Self::parse_inside(inside)
    }

    /// As it is written, both delimiters with it.
    #[must_use]
    pub fn emit(&self) -> Bytes {
        let mut out = vec![FEND];
        for byte in std::iter::once(self.port << 4 | self.command & 0x0F).chain(self.data.iter().copied()) {
            match byte {
                FEND => out.extend([FESC, TFEND]),
                FESC => out.extend([FESC, TFESC]),
                plain => out.push(plain),
            }
        }
        out.push(FEND);
        out.into()
    }
}

fn unescape(inside: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::with_capacity(inside.len());
    let mut bytes = inside.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        out.push(match byte {
            &FESC => match bytes.next() {
                Some((_, &TFEND)) => FEND,
                Some((_, &TFESC)) => FESC,
                _ => return Err(DecodeError::Field { field: "escape", at, expected: "DB DC or DB DD" }),
            },
            plain => *plain,
        });
    }
    Ok(out)
}
