use super::number_of;
use super::wire::Channel;
use crate::codec::{Profile, ProfileError, Value};
use crate::message::{Bearer, Peer, TerminalId};
use std::net::{Ipv4Addr, SocketAddr};

/// What a link's profile says.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) text_max: u32,
    pub(super) hop_limit: u32,
    /// Index of the channel for texts to everyone.
    pub(super) channel: u32,
    pub(super) sends_alerts: bool,
    pub(super) wants_list: bool,
    /// `None`: the stream API.
    pub(super) multicast: Option<Multicast>,
}

/// How we are one of the mesh over UDP.
#[derive(Clone, Debug)]
pub(super) struct Multicast {
    pub(super) own: u32,
    pub(super) group: Peer,
    pub(super) channels: Vec<Channel>,
}

const KEYS: [&str; 9] = ["over", "text_max", "hop_limit", "channel", "alerts", "list", "channels", "own", "group"];
const GROUP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(224, 0, 0, 69)), 4403);
/// Numbers up to here have a meaning of their own.
const RESERVED: u32 = 4;

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let multicast = match profile.choice("over", &["stream", "multicast"])? {
            0 => None,
            _ => Some(Multicast::read(profile)?),
        };
        Ok(Self {
            text_max: small(profile, "text_max", 200, 20, 228)?,
            hop_limit: small(profile, "hop_limit", 3, 0, 7)?,
            channel: small(profile, "channel", 0, 0, 7)?,
            sends_alerts: profile.flag("alerts", false)?,
            wants_list: profile.flag("list", true)?,
            multicast,
        })
    }
}

impl Multicast {
    fn read(profile: &Profile) -> Result<Self, ProfileError> {
        let wrong = |key: &str, expected| ProfileError::Type { key: key.into(), expected };
        let own = text(profile, "own")?.and_then(|own| number_of(&TerminalId::new(Bearer::Mesh, own)));
        let own = own.filter(|own| *own > RESERVED && *own != super::wire::BROADCAST);
        let group = match text(profile, "group")? {
            None => GROUP,
            Some(group) => group.parse().map_err(|_| wrong("group", "an address and a port"))?,
        };
        let channels = text(profile, "channels")?.unwrap_or("LongFast=AQ==");
        let channels: Option<Vec<Channel>> =
            channels.split(';').filter(|one| !one.trim().is_empty()).map(channel).collect();
        Ok(Self {
            own: own.ok_or_else(|| wrong("own", "a number on the mesh of our own, ! and 8 hex digits"))?,
            group: Peer(group),
            channels: channels
                .filter(|channels| (1..=8).contains(&channels.len()))
                .ok_or_else(|| wrong("channels", "1 to 8 of name=key, keys in base64 or hex, divided by ;"))?,
        })
    }
}

fn channel(written: &str) -> Option<Channel> {
    let (name, key) = written.trim().split_once('=')?;
    Channel::new(name, &key_bytes(key)?).ok()
}

/// Hex where it is a whole AES key in hex digits, else base64.
fn key_bytes(written: &str) -> Option<Vec<u8>> {
    if matches!(written.len(), 32 | 64)
        && let Ok(key) = hex::decode(written)
    {
        return Some(key);
    }
    let digits = written.trim_end_matches('=');
    let (mut bits, mut held, mut key) = (0_u32, 0_u32, Vec::new());
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit.checked_sub(b'A')?,
            b'a'..=b'z' => digit.checked_sub(b'a')?.checked_add(26)?,
            b'0'..=b'9' => digit.checked_sub(b'0')?.checked_add(52)?,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = held << 6 & 0xFFFF | u32::from(value);
        bits = bits.checked_add(6)?;
        if bits >= 8 {
            bits = bits.checked_sub(8)?;
            key.push(u8::try_from(held >> bits & 0xFF).ok()?);
        }
    }
    (bits < 6).then_some(key)
}

fn text<'a>(profile: &'a Profile, key: &str) -> Result<Option<&'a str>, ProfileError> {
    match profile.0.get(key) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(ProfileError::Type { key: key.into(), expected: "text" }),
    }
}

fn small(profile: &Profile, key: &'static str, default: i64, min: i64, max: i64) -> Result<u32, ProfileError> {
    let found = profile.int(key, default, min, max)?;
    u32::try_from(found).map_err(|_| ProfileError::Range { key: key.into(), found, min, max })
}
