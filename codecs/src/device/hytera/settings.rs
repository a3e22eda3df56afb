use super::wire::{RadioIp, Service, SpeedUnit};
use crate::codec::{Profile, ProfileError, Value};
use crate::message::Peer;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// What a link's profile says about its radios. Everything that differs between networks and firmwares is here.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// `subnet` (10): the first byte of every radio's IP.
    subnet: u8,
    /// `port_rrs`, `port_lp`, `port_tmp` (3002, 3003, 3004). Radios answer to the constant, not to the source port.
    pub(super) port_rrs: u16,
    pub(super) port_lp: u16,
    pub(super) port_tmp: u16,
    /// `base_radio` (0 = not told): the id of the radio that the station speaks through, the source of our texts.
    pub(super) base_radio: u32,
    /// `base_ip` (the base radio's own radio IP): where group texts are handed over. USB radios are 192.168.10.1.
    base_ip: Option<Ipv4Addr>,
    /// `text_max` (140): UTF-16 units of one text.
    pub(super) text_max: u16,
    /// `pace_ms` (2000): least time between two sends.
    pub(super) pace: Duration,
    /// `renew_s` (1800): how soon a radio must register again.
    pub(super) renew_s: u32,
    /// `tmp_ack` (`on`): whether a private text to us is answered.
    pub(super) acks_texts: bool,
    /// `tmp_flag7` (`no_ack`): what bit 7 of a text's flags means to these radios. `no_ack`: sent clear, so that an ack
    /// comes; `ack_request`: sent set, for the same reason. Never judged on receipt.
    pub(super) sends_flag_7: bool,
    /// `repeat_s` (10): how long the same request id, sender and text is a repeat. Radios number every text 1.
    pub(super) repeats_within: Duration,
    /// `strip_crlf` (true): drop one leading CR LF, which Motorola radios put before a text.
    pub(super) strips_crlf: bool,
    /// `a001_form` (`nine`): whether a position request carries the ninth byte of the captures.
    pub(super) a001_has_ninth: bool,
    /// `end_byte` (`lenient`): `require_03` refuses frames that end with 00.
    pub(super) requires_end_03: bool,
    /// `speed_unit` (`knots`): the unit of the speed field, which no capture proves.
    pub(super) speed_unit: SpeedUnit,
    /// `carrier` (`hdap`): what stands around HDAP.
    pub(super) carrier: Carrier,
    /// `hrnp_version` (4): our first word to a radio; then its own.
    pub(super) hrnp_version: u8,
    /// `hstrp_rrs`, `hstrp_lp`, `hstrp_tmp`, `hstrp_rcp` (30001, 30003, 30007, 30009): a repeater's ports of slot 1;
    /// slot 2 has the next ones.
    pub(super) hstrp_ports: [(Service, u16); 4],
    /// `heartbeat_s` (6): how often repeater and host show themselves.
    pub(super) heartbeat: Duration,
}

/// What stands around HDAP on this link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// Nothing: datagrams to and from the radios' own addresses.
    Hdap,
    /// A cable to one radio, or its UDP port 3005.
    Hrnp,
    /// Repeaters that forward to us.
    Hstrp,
}

const KEYS: [&str; 23] = [
    "subnet",
    "port_rrs",
    "port_lp",
    "port_tmp",
    "base_radio",
    "base_ip",
    "text_max",
    "pace_ms",
    "renew_s",
    "tmp_ack",
    "tmp_flag7",
    "repeat_s",
    "strip_crlf",
    "a001_form",
    "end_byte",
    "speed_unit",
    "carrier",
    "hrnp_version",
    "hstrp_rrs",
    "hstrp_lp",
    "hstrp_tmp",
    "hstrp_rcp",
    "heartbeat_s",
];

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        Ok(Self {
            subnet: small(profile, "subnet", 10, 0, 255)?,
            port_rrs: small(profile, "port_rrs", 3002, 1, 65_535)?,
            port_lp: small(profile, "port_lp", 3003, 1, 65_535)?,
            port_tmp: small(profile, "port_tmp", 3004, 1, 65_535)?,
            base_radio: small(profile, "base_radio", 0, 0, i64::from(RadioIp::ID_MAX))?,
            base_ip: base_ip(profile)?,
            text_max: small(profile, "text_max", 140, 1, 2_000)?,
            pace: Duration::from_millis(small(profile, "pace_ms", 2_000, 0, 600_000)?),
            renew_s: small(profile, "renew_s", 1_800, 1, 65_534)?,
            acks_texts: profile.choice("tmp_ack", &["on", "off"])? == 0,
            sends_flag_7: profile.choice("tmp_flag7", &["no_ack", "ack_request"])? == 1,
            repeats_within: Duration::from_secs(small(profile, "repeat_s", 10, 0, 3_600)?),
            strips_crlf: profile.flag("strip_crlf", true)?,
            a001_has_ninth: profile.choice("a001_form", &["nine", "eight"])? == 0,
            requires_end_03: profile.choice("end_byte", &["lenient", "require_03"])? == 1,
            speed_unit: match profile.choice("speed_unit", &["knots", "km_h"])? {
                0 => SpeedUnit::Knots,
                _ => SpeedUnit::KmPerHour,
            },
            carrier: match profile.choice("carrier", &["hdap", "hrnp", "hstrp"])? {
                0 => Carrier::Hdap,
                1 => Carrier::Hrnp,
                _ => Carrier::Hstrp,
            },
            hrnp_version: small(profile, "hrnp_version", 4, 0, 255)?,
            hstrp_ports: [
                (Service::Rrs, small(profile, "hstrp_rrs", 30_001, 1, 65_534)?),
                (Service::Lp, small(profile, "hstrp_lp", 30_003, 1, 65_534)?),
                (Service::Tmp, small(profile, "hstrp_tmp", 30_007, 1, 65_534)?),
                (Service::Rcp, small(profile, "hstrp_rcp", 30_009, 1, 65_534)?),
            ],
            heartbeat: Duration::from_secs(small(profile, "heartbeat_s", 6, 1, 600)?),
        })
    }

    /// The address of a radio in our subnet; `None` for an id of more than 24 bits.
    pub(super) fn radio(&self, id: u32) -> Option<RadioIp> {
        RadioIp::new(self.subnet, id)
    }

    /// The base radio's address, the source of our texts; id 0 when it is not told.
    pub(super) fn base(&self) -> RadioIp {
        self.radio(self.base_radio).unwrap_or(RadioIp(0))
    }

    /// Where what the base radio itself must do is handed over; `None` when the profile tells neither its id nor its IP.
    pub(super) fn base_peer(&self, port: u16) -> Option<Peer> {
        let ip = self.base_ip.or_else(|| (self.base_radio != 0).then(|| self.base().ip()))?;
        Some(Peer(SocketAddr::new(IpAddr::V4(ip), port)))
    }
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
