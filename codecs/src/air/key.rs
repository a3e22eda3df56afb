//! Who holds which key. The centre holds the net key and derives the others; a station holds its own and the group's.
//!
//! ```text
//! station key    = HMAC-SM3(net key,   "yizhan air 1 station" 00 | net:4 | epoch:2 | station:2)
//! group key      = HMAC-SM3(net key,   "yizhan air 1 group"   00 | net:4 | epoch:2 | 0000)
//! source subkey  = HMAC-SM3(group key, "yizhan air 1 source"  00 | net:4 | epoch:2 | source:2)
//! ```
//!
//! A station key or a source subkey is 32 bytes: the first 16 are the SM4 key, the last 16 the key of the fragment tag.

use super::header::Destination;
use super::plain::Traffic;
use crate::message::StationId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sm3::Sm3;
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of every key that is handed out.
pub const KEY: usize = 32;
/// Bytes of a block of SM3.
const BLOCK: usize = 64;

const STATION_LABEL: &[u8] = b"yizhan air 1 station";
const GROUP_LABEL: &[u8] = b"yizhan air 1 group";
const SOURCE_LABEL: &[u8] = b"yizhan air 1 source";

/// 32 bytes that are wiped when they are dropped and never shown.
#[derive(Clone)]
struct Secret(Zeroizing<[u8; KEY]>);

impl Secret {
    fn of(bytes: &[u8; KEY]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    fn derive(&self, label: &[u8], net: u32, epoch: u16, station: u16) -> Self {
        let parts: [&[u8]; 5] = [label, &[0], &net.to_be_bytes(), &epoch.to_be_bytes(), &station.to_be_bytes()];
        Self(hmac_sm3(&*self.0, &parts))
    }
}

/// HMAC-SM3 over the parts, one after another, with a key of at most [`BLOCK`] bytes.
pub(super) fn hmac_sm3(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; KEY]> {
    // As RFC 2104 does itself: a key is filled up to a block with zeros. So there is no length that could fail.
    let mut block = Zeroizing::new([0; BLOCK]);
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    let mut mac = Hmac::<Sm3>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    let mut out = Zeroizing::new([0; KEY]);
    out.copy_from_slice(&mac.finalize().into_bytes());
    out
}

macro_rules! key {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        ///
        /// 32 bytes; wiped when dropped, and `Debug` shows nothing of them.
        #[derive(Clone)]
        pub struct $name(Secret);

        impl $name {
            /// From its bytes, as they were provisioned.
            #[must_use]
            pub fn from_bytes(bytes: &[u8; KEY]) -> Self {
                Self(Secret::of(bytes))
            }

            /// The bytes, to hand them out.
            #[must_use]
            pub fn reveal(&self) -> &[u8; KEY] {
                &self.0.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

key!(NetKey, "The key of a net. Only the centre holds it.");
key!(StationKey, "What one station and the centre share, in one epoch.");
key!(GroupKey, "What all stations of a net share, in one epoch.");
key!(
    SourceKey,
    "What a station seals with for all: anybody with the group key can make it, so it proves membership only."
);

impl NetKey {
    /// A station's own key.
    #[must_use]
    pub fn station(&self, net: u32, epoch: u16, station: StationId) -> StationKey {
        StationKey(self.0.derive(STATION_LABEL, net, epoch, station.number()))
    }

    /// The group's key.
    #[must_use]
    pub fn group(&self, net: u32, epoch: u16) -> GroupKey {
        GroupKey(self.0.derive(GROUP_LABEL, net, epoch, 0))
    }
}

impl GroupKey {
    /// The subkey that `source` seals with, so that no two stations share a nonce space.
    #[must_use]
    pub fn source(&self, net: u32, epoch: u16, source: StationId) -> SourceKey {
        SourceKey(self.0.derive(SOURCE_LABEL, net, epoch, source.number()))
    }
}

/// What a tag proves of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// Somebody of the net made it, and says that it was this station.
    Group,
    /// The centre or this one station made it.
    Pair,
}

/// Which key a sealing takes. A cipher finds the key; who asks for it need not hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeyName {
    /// Whose station key, or whose source subkey.
    pub station: StationId,
    /// Which of the two.
    pub proof: Proof,
    /// The key epoch.
    pub epoch: u16,
}

/// A net as one station sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Net {
    /// The net's number; an exercise has another than real traffic.
    pub id: u32,
    /// What the net carries.
    pub traffic: Traffic,
    /// The station that holds the net key: whom [`Destination::CommandPost`] means.
    pub centre: StationId,
    /// Ourselves.
    pub me: StationId,
    /// The epoch that we seal with.
    pub epoch: u16,
    /// Whether frames of the epoch before are still opened.
    pub opens_last_epoch: bool,
}

impl Net {
    /// The epoch that a header means; `None` where it is one that we do not open.
    #[must_use]
    pub fn epoch_of(&self, bit: bool) -> Option<u16> {
        if (self.epoch & 1 == 1) == bit {
            return Some(self.epoch);
        }
        self.epoch.checked_sub(1).filter(|_| self.opens_last_epoch)
    }

    /// The key between a source and a destination: one station's, where the centre is at one end and that station alone at
    /// the other, else the group subkey of the source.
    #[must_use]
    pub fn key_name(&self, src: StationId, dst: Destination, epoch: u16) -> KeyName {
        let pair = match dst {
            Destination::Station(to) if src == self.centre && to != src => Some(to),
            Destination::Station(to) if to == self.centre && to != src => Some(src),
            Destination::CommandPost if src != self.centre => Some(src),
            _ => None,
        };
        match pair {
            Some(station) => KeyName { station, proof: Proof::Pair, epoch },
            None => KeyName { station: src, proof: Proof::Group, epoch },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, number, text, unhex};
    use crate::air::header::{Group, Role};
    use serde_json::json;

    fn station(number: u16) -> StationId {
        StationId::new(number).unwrap()
    }

    #[test]
    fn the_golden_keys_are_derived_so() {
        golden::hold(include_str!("vectors/key.jsonl"), |case| {
            let bytes = <[u8; KEY]>::try_from(unhex(text(case, "net_key")).as_slice()).unwrap();
            let key = NetKey::from_bytes(&bytes);
            let net = u32::try_from(number(case, "net")).unwrap();
            let epoch = u16::try_from(number(case, "epoch")).unwrap();
            let who = station(u16::try_from(number(case, "station")).unwrap());
            let group = key.group(net, epoch);
            Ok(json!({
                "station_key": hex::encode(key.station(net, epoch, who).reveal()),
                "group_key": hex::encode(group.reveal()),
                "source_key": hex::encode(group.source(net, epoch, who).reveal()),
            }))
        });
    }

    #[test]
    fn hmac_sm3_is_the_standard_one() {
        // Computed with OpenSSL: printf abc | openssl dgst -sm3 -mac HMAC -macopt hexkey:0102…20.
        let key: Vec<u8> = (1..=32).collect();
        let mac = hmac_sm3(&key, &[b"a", b"bc"]);
        assert_eq!(hex::encode(*mac), HMAC_ABC);
    }

    const HMAC_ABC: &str = "44809d3ff5336f44071be1917887380730ae145f940a53819279801784c65e17";

    #[test]
    fn no_key_is_shown() {
        let key = NetKey::from_bytes(&[0xAB; KEY]);
        let shown = format!("{key:?} {:?} {:?}", key.station(1, 0, station(1)), key.group(1, 0));
        assert_eq!(shown, "NetKey(..) StationKey(..) GroupKey(..)");
        assert_eq!(key.reveal(), &[0xAB; KEY]);
    }

    fn net(me: u16) -> Net {
        let (centre, me) = (station(1), station(me));
        Net { id: 7, traffic: Traffic::Real, centre, me, epoch: 5, opens_last_epoch: true }
    }

    #[test]
    fn centre_and_one_station_share_that_stations_key_both_ways() {
        let pair = |of| KeyName { station: station(of), proof: Proof::Pair, epoch: 5 };
        let net = net(3);
        assert_eq!(net.key_name(station(3), Destination::CommandPost, 5), pair(3));
        assert_eq!(net.key_name(station(3), Destination::Station(station(1)), 5), pair(3));
        assert_eq!(net.key_name(station(1), Destination::Station(station(3)), 5), pair(3));
    }

    #[test]
    fn everything_else_takes_the_group_subkey_of_its_source() {
        let net = net(3);
        let group = |of| KeyName { station: station(of), proof: Proof::Group, epoch: 5 };
        let all = [
            Destination::Everyone,
            Destination::Role(Role::new(2).unwrap()),
            Destination::Group(Group::new(3).unwrap()),
            Destination::Station(station(4)),
        ];
        for dst in all {
            assert_eq!(net.key_name(station(3), dst, 5), group(3), "{dst:?}");
        }
        assert_eq!(net.key_name(station(1), Destination::Everyone, 5), group(1));
        assert_eq!(net.key_name(station(1), Destination::CommandPost, 5), group(1));
        assert_eq!(net.key_name(station(1), Destination::Station(station(1)), 5), group(1));
    }

    #[test]
    fn the_epoch_is_ours_or_the_one_before() {
        let net = net(3);
        assert_eq!((net.epoch_of(true), net.epoch_of(false)), (Some(5), Some(4)));
        let strict = Net { opens_last_epoch: false, ..net };
        assert_eq!((strict.epoch_of(true), strict.epoch_of(false)), (Some(5), None));
        let first = Net { epoch: 0, ..net };
        assert_eq!((first.epoch_of(true), first.epoch_of(false)), (None, Some(0)));
    }
}
