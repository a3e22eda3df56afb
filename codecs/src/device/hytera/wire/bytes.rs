use crate::codec::DecodeError;
pub(super) use crate::device::reader::Reader;
use std::fmt;

/// A fixed field of printable text, filled up with NUL where it is shorter.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ascii<const N: usize>([u8; N]);

impl<const N: usize> Ascii<N> {
    /// Nothing but NUL: a field that says nothing.
    pub const EMPTY: Self = Self([0; N]);

    /// From text of at most `N` printable ASCII characters; `None` otherwise.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let mut field = [0; N];
        if text.len() > N || !text.bytes().all(|b| (0x20..0x7F).contains(&b)) {
            return None;
        }
        field.iter_mut().zip(text.bytes()).for_each(|(slot, byte)| *slot = byte);
        Some(Self(field))
    }

    pub(super) fn read(reader: &mut Reader<'_>, field: &'static str) -> Result<Self, DecodeError> {
        let at = reader.at();
        let bytes = reader.array::<N>()?;
        if bytes.iter().all(|b| *b == 0 || (0x20..0x7F).contains(b)) {
            Ok(Self(bytes))
        } else {
            Err(DecodeError::Field { field, at, expected: "printable ASCII or NUL" })
        }
    }

    /// The text without its filling.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_matches('\0')
    }

    /// The field as it stands on the wire.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Ascii<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text())
    }
}
