use super::settings::Settings;
use super::wire;
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{DatagramFramer, Framer};
use crate::message::{Addressee, Bearer, Content, Heard, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(AirUdp { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct AirUdp {
    settings: Settings,
}

impl Codec for AirUdp {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Ip,
            capacity_bits: Some(bits(self.settings.mtu)),
            period: Some(self.settings.pace),
            charset: Charset::Utf8,
            feedback_within: None,
            delivery_within: None,
            proves: Rung::Taken,
            may_encrypt: true,
            may_relay: true,
            confirms: "只在驿站之间传帧，不发明文。只知已交给本机网口（已入机）：对方驿站是否收到，要靠它自己的密封回执。",
            source: "1200 B: what an IPv6 path always carries whole (RFC 8200 §5: 1280 B) less 48 B of IPv6 and UDP, rounded \
                     down; pace 1 s chosen, so that one link leaves most of a mesh to others",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(DatagramFramer::default())
    }

    fn decode(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        wire::parse(frame)?;
        // A port or a stream tells no address, and without one nobody can be answered.
        let expected = "the address that a datagram has";
        let peer = from.ok_or(DecodeError::Field { field: "sender", at: 0, expected })?;
        Ok(vec![Signal::Heard(Heard {
            from: TerminalId::new(Bearer::Ip, &peer.0.to_string()),
            to: Addressee::Terminal(TerminalId::from_number(Bearer::Ip, 0)),
            content: Content::Opaque(Bytes::copy_from_slice(frame)),
            // The frame's own number is inside the seal's reach: the engine tells copies by it, once it is proven.
            native: None,
            part: None,
            overheard: false,
            sent_at: None,
            damaged: false,
        })])
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let Order::Payload { to, bytes, .. } = order else { return Err(EncodeError::Unsupported) };
        let (needed, capacity) = (bits(bytes.len()), bits(self.settings.mtu));
        if needed > capacity {
            return Err(EncodeError::TooLong { needed, capacity });
        }
        wire::parse(bytes).map_err(|_| EncodeError::Unsupported)?;
        Ok(vec![Outgoing { bytes: bytes.clone(), to: Some(self.bound_for(to)?) }])
    }

    fn measure(&self, _: &str) -> Result<u32, EncodeError> {
        Err(EncodeError::NoText)
    }

    /// A datagram is a frame.
    fn payload_max(&self, capacity_bits: u32) -> Option<usize> {
        usize::try_from(capacity_bits / 8).ok()
    }

    fn acknowledge(&self, _: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        None
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        station(to).is_some() || (self.settings.group.is_some() && address(to) == self.settings.group)
    }
}

impl AirUdp {
    fn bound_for(&self, to: &Addressee) -> Result<Peer, EncodeError> {
        let refused = |id: &TerminalId| EncodeError::Address(id.to_string());
        match (to, self.settings.group) {
            (Addressee::Terminal(id), _) => station(id).ok_or_else(|| refused(id)),
            (Addressee::Everyone(Bearer::Ip), Some(group)) => Ok(group),
            (Addressee::Group(id), Some(group)) if address(id) == Some(group) => Ok(group),
            (Addressee::Group(id), Some(_)) => Err(refused(id)),
            (Addressee::Group(_) | Addressee::Everyone(_), _) => Err(EncodeError::Unsupported),
        }
    }
}

/// Where one station listens.
fn station(of: &TerminalId) -> Option<Peer> {
    address(of).filter(|peer| {
        let ip = peer.0.ip();
        let is_for_many = ip.is_multicast() || matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        !is_for_many && !ip.is_unspecified() && peer.0.port() != 0
    })
}

fn address(of: &TerminalId) -> Option<Peer> {
    let number = Some(of.number()).filter(|_| of.bearer == Bearer::Ip)?;
    number.parse::<SocketAddr>().ok().map(Peer)
}

fn bits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8)
}
