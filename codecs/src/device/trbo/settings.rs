use crate::codec::{Profile, ProfileError, Value};
use crate::message::Peer;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The highest radio number.
pub(super) const ID_MAX: u32 = 0x00FF_FFFF;

/// What a link's profile says about its radios; the keys and their defaults are in the module's doc.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) subnet: u8,
    group_subnet: u8,
    pub(super) port_ars: u16,
    pub(super) port_tms: u16,
    pub(super) port_lrrp: u16,
    base_radio: u32,
    base_ip: Option<Ipv4Addr>,
    pub(super) text_max: u16,
    pub(super) puts_crlf: bool,
    pub(super) strips_crlf: bool,
    pub(super) acks_texts: bool,
    pub(super) renew_half_hours: u8,
    pub(super) repeats_within: Duration,
    pub(super) pace: Duration,
}

const KEYS: [&str; 14] = [
    "subnet",
    "group_subnet",
    "port_ars",
    "port_tms",
    "port_lrrp",
    "base_radio",
    "base_ip",
    "text_max",
    "crlf",
    "strip_crlf",
    "tms_ack",
    "renew_half_hours",
    "repeat_s",
    "pace_ms",
];

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        Ok(Self {
            subnet: small(profile, "subnet", 12, 0, 255)?,
            group_subnet: small(profile, "group_subnet", 225, 0, 255)?,
            port_ars: small(profile, "port_ars", 4005, 1, 65_535)?,
            port_tms: small(profile, "port_tms", 4007, 1, 65_535)?,
            port_lrrp: small(profile, "port_lrrp", 4001, 1, 65_535)?,
            base_radio: small(profile, "base_radio", 0, 0, i64::from(ID_MAX))?,
            base_ip: base_ip(profile)?,
            text_max: small(profile, "text_max", 140, 8, 2_000)?,
            puts_crlf: profile.flag("crlf", true)?,
            strips_crlf: profile.flag("strip_crlf", true)?,
            acks_texts: profile.choice("tms_ack", &["on", "off"])? == 0,
            renew_half_hours: small(profile, "renew_half_hours", 1, 1, 255)?,
            repeats_within: Duration::from_secs(small(profile, "repeat_s", 60, 0, 3_600)?),
            pace: Duration::from_millis(small(profile, "pace_ms", 2_000, 0, 600_000)?),
        })
    }

    /// Where a radio listens. The radio on the cable listens at its host-side address where one is told.
    pub(super) fn radio(&self, id: u32, port: u16) -> Option<Peer> {
        match self.base_ip {
            Some(ip) if id == self.base_radio && id != 0 => Some(Peer(SocketAddr::new(IpAddr::V4(ip), port))),
            _ => address(self.subnet, id, port),
        }
    }

    pub(super) fn group(&self, id: u32) -> Option<Peer> {
        address(self.group_subnet, id, self.port_tms)
    }

    /// Whose address this is, and whether it lies where radios' addresses do.
    pub(super) fn whose(&self, peer: Peer) -> Option<(u32, bool)> {
        let IpAddr::V4(ip) = peer.0.ip() else { return None };
        if self.base_ip == Some(ip) && self.base_radio != 0 {
            return Some((self.base_radio, true));
        }
        let [subnet, a, b, c] = ip.octets();
        Some((u32::from_be_bytes([0, a, b, c]), subnet == self.subnet))
    }

    /// Units that a text may have beside the line break before it.
    pub(super) fn units_max(&self) -> u32 {
        u32::from(self.text_max).saturating_sub(if self.puts_crlf { 2 } else { 0 })
    }
}

fn address(subnet: u8, id: u32, port: u16) -> Option<Peer> {
    let [0, a, b, c] = id.to_be_bytes() else { return None };
    (id != 0).then(|| Peer(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(subnet, a, b, c)), port)))
}

fn small<T: TryFrom<i64>>(
    profile: &Profile,
    key: &'static str,
    default: i64,
    min: i64,
    max: i64,
) -> Result<T, ProfileError> {
    let found = profile.int(key, default, min, max)?;
    T::try_from(found).map_err(|_| ProfileError::Range { key: key.into(), found, min, max })
}

fn base_ip(profile: &Profile) -> Result<Option<Ipv4Addr>, ProfileError> {
    let wrong = || ProfileError::Type { key: "base_ip".into(), expected: "an IPv4 address" };
    match profile.0.get("base_ip") {
        None => Ok(None),
        Some(Value::Text(text)) => text.parse().map(Some).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}
