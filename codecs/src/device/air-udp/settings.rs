use crate::air::limits::FRAME_MAX;
use crate::codec::{Profile, ProfileError};
use crate::message::Peer;
use std::net::SocketAddr;
use std::time::Duration;

const KEYS: [&str; 3] = ["mtu", "pace_ms", "group"];

/// Below this not even a receipt for a handful of messages fits beside head and tag.
const MTU_MIN: i64 = 64;

/// What a link's profile says; the keys and their defaults are in the module's doc.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) mtu: usize,
    pub(super) pace: Duration,
    /// Where frames for everyone go.
    pub(super) group: Option<Peer>,
}

impl Settings {
    pub(super) fn read(profile: &Profile) -> Result<Self, ProfileError> {
        profile.only(&KEYS)?;
        let longest = i64::try_from(FRAME_MAX).unwrap_or(i64::MAX);
        Ok(Self {
            mtu: profile.number("mtu", 1_200, MTU_MIN, longest)?,
            pace: Duration::from_millis(profile.number("pace_ms", 1_000, 0, 600_000)?),
            group: group(profile)?,
        })
    }
}

/// IPv4 only: a link joins no other groups.
fn group(profile: &Profile) -> Result<Option<Peer>, ProfileError> {
    let expected = "a multicast address and port, e.g. \"239.20.0.2:4710\"";
    let wrong = || ProfileError::Type { key: "group".into(), expected };
    let text = profile.text("group", "").map_err(|_| wrong())?;
    if text.is_empty() && !profile.0.contains_key("group") {
        return Ok(None);
    }
    let address: SocketAddr = text.parse().map_err(|_| wrong())?;
    let is_group = address.is_ipv4() && address.ip().is_multicast() && address.port() != 0;
    is_group.then_some(Some(Peer(address))).ok_or_else(wrong)
}
