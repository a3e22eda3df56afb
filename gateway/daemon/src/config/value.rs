//! Durations, sizes and peers as people write them.

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;
use yizhan_codecs::message::Peer;

/// A duration written `"500ms"`, `"90s"`, `"5m"`, `"2h"` or `"3d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

/// A size written `"512 B"`, `"64 KiB"`, `"4 MiB"` or `"1 GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Whose datagrams a link takes: one address and port, one address, or a subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerRule {
    net: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

/// Why a value could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ParseValueError {
    #[error("{0:?} is no duration: write a whole number and ms, s, m, h or d, e.g. \"90s\"")]
    Span(String),
    #[error("{0:?} is no size: write a whole number and B, KiB, MiB or GiB, e.g. \"4 MiB\"")]
    Size(String),
    #[error("{0:?} is no peer: write ADDRESS:PORT, ADDRESS or ADDRESS/PREFIX, e.g. \"10.0.0.0/8\"")]
    Peer(String),
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

impl FromStr for Span {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (number, unit) = number_and_unit(text)?;
            let unit_ms = match unit {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                _ => return None,
            };
            number.checked_mul(unit_ms).map(|ms| Self(Duration::from_millis(ms)))
        };
        read().ok_or_else(|| ParseValueError::Span(text.into()))
    }
}

impl FromStr for Size {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (number, unit) = number_and_unit(text)?;
            let unit_bytes = match unit {
                "B" => 1,
                "KiB" => 1 << 10,
                "MiB" => 1 << 20,
                "GiB" => 1 << 30,
                _ => return None,
            };
            number.checked_mul(unit_bytes).map(Self)
        };
        read().ok_or_else(|| ParseValueError::Size(text.into()))
    }
}

impl FromStr for PeerRule {
    type Err = ParseValueError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let whole = |net: IpAddr| if net.is_ipv4() { 32 } else { 128 };
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { net: address.ip(), prefix: whole(address.ip()), port: Some(address.port()) });
        }
        if let Ok(net) = text.parse::<IpAddr>() {
            return Ok(Self { net, prefix: whole(net), port: None });
        }
        let subnet = || {
            let (net, prefix) = text.split_once('/')?;
            let (net, prefix) = (net.parse::<IpAddr>().ok()?, prefix.parse::<u8>().ok()?);
            (prefix <= whole(net)).then_some(Self { net, prefix, port: None })
        };
        subnet().ok_or_else(|| ParseValueError::Peer(text.into()))
    }
}

impl PeerRule {
    /// Whether the rule admits this peer.
    #[must_use]
    pub fn admits(&self, peer: Peer) -> bool {
        if self.port.is_some_and(|port| port != peer.0.port()) {
            return false;
        }
        match (self.net, peer.0.ip().to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(from)) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                net.to_bits() & mask == from.to_bits() & mask
            }
            (IpAddr::V6(net), IpAddr::V6(from)) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
                net.to_bits() & mask == from.to_bits() & mask
            }
            _ => false,
        }
    }
}

macro_rules! deserialize_from_text {
    ($($value:ty: $expected:literal),*) => {$(
        impl<'de> Deserialize<'de> for $value {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &$expected))
            }
        }
    )*};
}

deserialize_from_text!(
    Span: "a whole number and ms, s, m, h or d, e.g. \"90s\"",
    Size: "a whole number and B, KiB, MiB or GiB, e.g. \"4 MiB\"",
    PeerRule: "ADDRESS:PORT, ADDRESS or ADDRESS/PREFIX, e.g. \"10.0.0.0/8\""
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_read_as_people_write_them() {
        assert_eq!("90s".parse(), Ok(Span(Duration::from_secs(90))));
        assert_eq!("500ms".parse(), Ok(Span(Duration::from_millis(500))));
        assert_eq!("3 d".parse(), Ok(Span(Duration::from_secs(3 * 86_400))));
        assert_eq!("4 MiB".parse(), Ok(Size(4 << 20)));
        for wrong in ["", "90", "s", "-1s", "1.5s", "9999999999999999999s", "18446744073709551615d", "1分"] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong}");
        }
        assert!("4 MB".parse::<Size>().is_err());
    }

    #[test]
    fn a_peer_rule_admits_its_address_its_subnet_and_nobody_else() {
        let admits = |rule: &str, peer: &str| rule.parse::<PeerRule>().unwrap().admits(Peer(peer.parse().unwrap()));
        assert!(admits("10.0.0.7:3007", "10.0.0.7:3007"));
        assert!(!admits("10.0.0.7:3007", "10.0.0.7:3008"));
        assert!(admits("10.0.0.7", "10.0.0.7:9"));
        assert!(admits("10.0.0.0/8", "10.255.3.1:1"));
        assert!(!admits("10.0.0.0/8", "11.0.0.1:1"));
        assert!(admits("0.0.0.0/0", "8.8.8.8:53"));
        assert!(!admits("0.0.0.0/0", "[2001:db8::1]:53"));
        assert!(admits("2001:db8::/32", "[2001:db8:1::1]:53"));
        assert!(admits("10.0.0.7", "[::ffff:10.0.0.7]:1"), "a mapped address is the same peer");
        assert!("10.0.0.0/33".parse::<PeerRule>().is_err());
    }
}
