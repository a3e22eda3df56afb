use super::Bearer;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use thiserror::Error;

/// One running gateway, 1..=1023 on the air. Never a person or a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StationId(u16);

impl StationId {
    /// The highest station number that fits into an air frame.
    pub const MAX: u16 = 1023;

    /// `None` outside 1..=1023.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        if number >= 1 && number <= Self::MAX { Some(Self(number)) } else { None }
    }

    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// A local port of the station, by its name in the config.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(Arc<str>);

impl LinkId {
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A device that a person or a station speaks through: bearer and number, e.g. `beidou:142020`.
///
/// Numbers are canonical text: decimal without leading zeros where the bearer counts, on IP an address and port as Rust
/// prints them (`ip:10.0.0.2:4710`, `ip:[fd00::2]:4710`), verbatim elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TerminalId {
    pub bearer: Bearer,
    number: Arc<str>,
}

impl TerminalId {
    /// From a number as the bearer writes it; leading zeros of an all-digit number are dropped, and an address has one
    /// spelling, or the same station would be two.
    #[must_use]
    pub fn new(bearer: Bearer, number: &str) -> Self {
        if let Some(address) = Some(number).filter(|_| bearer == Bearer::Ip).and_then(canonical_address) {
            return Self { bearer, number: address.to_string().into() };
        }
        let trimmed = if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
            let stripped = number.trim_start_matches('0');
            if stripped.is_empty() { "0" } else { stripped }
        } else {
            number
        };
        Self { bearer, number: trimmed.into() }
    }

    /// From a card or radio number.
    #[must_use]
    pub fn from_number(bearer: Bearer, number: u32) -> Self {
        Self { bearer, number: number.to_string().into() }
    }

    /// The number as text.
    #[must_use]
    pub fn number(&self) -> &str {
        &self.number
    }

    /// The number as an integer, where it is one.
    #[must_use]
    pub fn as_u32(&self) -> Option<u32> {
        self.number.parse().ok()
    }
}

/// An IPv4 address that a socket for both families heard is an IPv4 address.
fn canonical_address(text: &str) -> Option<SocketAddr> {
    let mut address: SocketAddr = text.parse().ok()?;
    address.set_ip(address.ip().to_canonical());
    Some(address)
}

impl fmt::Display for TerminalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.bearer, self.number)
    }
}

/// Bytes of a number: room for an IPv6 address with a zone and a port.
const NUMBER_BYTES_MAX: usize = 64;

/// Why a terminal's name could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a terminal is written BEARER:NUMBER with a bearer of beidou, satphone, radio370, mesh, ip")]
pub struct ParseTerminalIdError;

impl FromStr for TerminalId {
    type Err = ParseTerminalIdError;

    /// What an input method wrote full-width is meant half-width.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text: String = text.trim().chars().map(half_width).collect();
        let (bearer, number) = text.split_once(':').ok_or(ParseTerminalIdError)?;
        let bearer = Bearer::from_name(bearer).ok_or(ParseTerminalIdError)?;
        if number.is_empty() || number.len() > NUMBER_BYTES_MAX || number.chars().any(|c| c.is_control() || c == ' ') {
            return Err(ParseTerminalIdError);
        }
        Ok(Self::new(bearer, number))
    }
}

/// The ASCII character that a full-width one stands for; any other character as it is.
#[must_use]
pub fn half_width(c: char) -> char {
    let ascii = u32::from(c).checked_sub(0xFEE0).filter(|_| ('\u{FF01}'..='\u{FF5E}').contains(&c));
    ascii.and_then(char::from_u32).unwrap_or(c)
}

/// Whom a message on the air is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Addressee {
    Terminal(TerminalId),
    /// A group number on the bearer (radio group, broadcast number).
    Group(TerminalId),
    /// Whoever hears it.
    Everyone(Bearer),
}

impl Addressee {
    /// The bearer the address belongs to.
    #[must_use]
    pub const fn bearer(&self) -> Bearer {
        match self {
            Self::Terminal(id) | Self::Group(id) => id.bearer,
            Self::Everyone(bearer) => *bearer,
        }
    }
}

/// The far address of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Peer(pub SocketAddr);

/// A message's name everywhere: the station that made it and that station's 32-bit counter. Never reused.
///
/// Printed in Crockford's alphabet: two characters for the station, two or more for the counter, one check
/// character: `01021` and up. The check is over GF(32), so one wrong character and one swapped pair are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    pub station: StationId,
    pub counter: u32,
}

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a message id could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseMessageIdError {
    #[error("a message id has 5 to 10 characters, found {found}")]
    Length { found: usize },
    #[error("character {at} is not of the alphabet 0-9 A-Z without I L O U")]
    Character { at: usize },
    #[error("the check character does not fit: a character is wrong or two are swapped")]
    Check,
    #[error("station number {found} is outside 1..=1023, or the counter is too large")]
    Range { found: u16 },
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = vec![five_bits(u32::from(self.station.0) >> 5), five_bits(u32::from(self.station.0))];
        let mut shift = 30_u32;
        while shift > 5 && self.counter >> shift == 0 {
            shift -= 5;
        }
        loop {
            digits.push(five_bits(self.counter >> shift));
            if shift == 0 {
                break;
            }
            shift -= 5;
        }
        digits.push(check_digit(&digits));
        for digit in digits {
            let letter = CROCKFORD.get(usize::from(digit)).copied().unwrap_or(b'0');
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl FromStr for MessageId {
    type Err = ParseMessageIdError;

    /// Reads upper and lower case, and `I L` as 1, `O` as 0 (Crockford's rule for handwriting and radio).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if !(5..=10).contains(&length) {
            return Err(ParseMessageIdError::Length { found: length });
        }
        let digits = text
            .chars()
            .enumerate()
            .map(|(at, c)| crockford_value(c).ok_or(ParseMessageIdError::Character { at }))
            .collect::<Result<Vec<u8>, _>>()?;
        let Some((check, body)) = digits.split_last() else { return Err(ParseMessageIdError::Check) };
        if check_digit(body) != *check {
            return Err(ParseMessageIdError::Check);
        }
        let (station, counter) = body.split_at(2);
        let station = station.iter().fold(0_u16, |sum, d| sum << 5 | u16::from(*d));
        let counter = counter.iter().fold(0_u64, |sum, d| sum << 5 | u64::from(*d));
        match (StationId::new(station), u32::try_from(counter)) {
            (Some(station), Ok(counter)) => Ok(Self { station, counter }),
            _ => Err(ParseMessageIdError::Range { found: station }),
        }
    }
}

const fn five_bits(value: u32) -> u8 {
    (value & 31) as u8
}

fn crockford_value(c: char) -> Option<u8> {
    let upper = match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    CROCKFORD.iter().position(|known| char::from(*known) == upper).and_then(|at| u8::try_from(at).ok())
}

/// Sum of `a^(i+1) · digit_i` over GF(32) with `a^5 = a^2 + 1`: distinct powers find every single wrong digit and
/// every swap of neighbours.
fn check_digit(digits: &[u8]) -> u8 {
    let double = |x: u8| if x & 16 == 0 { x << 1 } else { (x << 1 ^ 0b10_0101) & 31 };
    digits.iter().rev().fold(0, |sum, digit| double(sum ^ digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(station: u16, counter: u32) -> MessageId {
        MessageId { station: StationId::new(station).unwrap(), counter }
    }

    #[test]
    fn a_message_id_reads_back_as_it_was_printed() {
        for counter in [0, 1, 31, 1_023, 1_024, 33_554_431, 33_554_432, u32::MAX] {
            let printed = id(1023, counter).to_string();
            assert_eq!(printed.parse(), Ok(id(1023, counter)), "{printed}");
            assert_eq!(printed.to_lowercase().parse(), Ok(id(1023, counter)));
        }
        assert_eq!(id(1, 2).to_string(), "01021");
    }

    #[test]
    fn one_wrong_character_or_a_swapped_pair_is_found() {
        let printed = id(37, 48_113).to_string();
        let letters: Vec<char> = printed.chars().collect();
        for at in 0..letters.len() {
            for wrong in CROCKFORD.iter().map(|b| char::from(*b)).filter(|c| *c != letters[at]) {
                let mut altered = letters.clone();
                altered[at] = wrong;
                let text: String = altered.into_iter().collect();
                assert!(text.parse::<MessageId>().is_err(), "{text} passed for {printed}");
            }
            if at > 0 && letters[at] != letters[at - 1] {
                let mut swapped = letters.clone();
                swapped.swap(at, at - 1);
                let text: String = swapped.into_iter().collect();
                assert!(text.parse::<MessageId>().is_err(), "{text} passed for {printed}");
            }
        }
    }

    #[test]
    fn card_numbers_compare_by_value_whatever_the_padding() {
        assert_eq!(TerminalId::new(Bearer::Beidou, "0142020"), "beidou:142020".parse().unwrap());
        assert_eq!(TerminalId::new(Bearer::Beidou, "0000000").number(), "0");
        assert!("beidou:".parse::<TerminalId>().is_err());
    }

    #[test]
    fn an_address_reads_back_as_it_was_printed_and_has_one_spelling() {
        let widest = "ip:[2001:db8:1111:2222:3333:4444:5555:6666%4294967295]:65535";
        for text in ["ip:10.0.0.2:4710", "ip:[fd00::2]:4710", "ip:[fe80::1%3]:4710", widest] {
            let id: TerminalId = text.parse().unwrap();
            assert_eq!((id.bearer, id.to_string().as_str()), (Bearer::Ip, text));
        }
        let same = |one: &str, other: &str| assert_eq!(one.parse::<TerminalId>(), other.parse(), "{one}");
        same("ip:[FD00:0:0::0002]:4710", "ip:[fd00::2]:4710");
        same("ip:[::ffff:10.0.0.2]:4710", "ip:10.0.0.2:4710");
        assert_eq!("mesh:[FD00::2]:1".parse::<TerminalId>().unwrap().number(), "[FD00::2]:1");
    }
}
