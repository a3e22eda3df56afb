//! A member of the mesh over UDP: bare encrypted packets in datagrams.
//!
//! Nothing that is heard is written again. A copy of our own packet with fewer hops left is a neighbour's repetition.

use super::codec::card;
use super::settings::Multicast;
use super::signals::{read, remark};
use super::terminal;
use super::wire::MeshPacket;
use crate::codec::{Cargo, DecodeError, Dialogue, EncodeError, Given, Outgoing, Step};
use crate::message::{Addressee, Peer, Rung, Signal};
use prost::Message as _;
use std::collections::VecDeque;
use std::time::Duration;

/// Hops that the three bits on the air can say.
const HOPS_MAX: u32 = 7;
const SENT_MAX: usize = 256;

impl Multicast {
    pub(super) fn decode(&self, datagram: &[u8]) -> Result<Vec<Signal>, DecodeError> {
        let mut packet =
            MeshPacket::decode(datagram).map_err(|error| DecodeError::Unknown(format!("MeshPacket: {error}")))?;
        let Some(encrypted) = packet.encrypted.take() else {
            let field = "encrypted";
            return Err(DecodeError::Field { field, at: 0, expected: "an encrypted packet: others are spoofed" });
        };
        if packet.from == 0 || packet.hop_limit > HOPS_MAX || packet.hop_start > HOPS_MAX {
            return Ok(vec![remark("不可信的自组网报文", format!("{} 编号 {:08x}", terminal(packet.from), packet.id))]);
        }
        if packet.from == self.own {
            let repeated = packet.hop_limit < packet.hop_start;
            return Ok(repeated
                .then_some(Signal::Progress { native: packet.id, rung: Rung::Repeated })
                .into_iter()
                .collect());
        }
        let hinted =
            self.channels.iter().zip(0_u32..).filter(|(channel, _)| u32::from(channel.hash()) == packet.channel);
        let opened = hinted
            .filter_map(|(channel, index)| Some((channel.open(packet.id, packet.from, &encrypted)?.1, index)))
            .next();
        let mut signals = Vec::new();
        match opened {
            Some((data, index)) => {
                packet.channel = index;
                read(&packet, &data, &mut signals);
            }
            None => {
                let detail =
                    format!("{} 信道 {:#04x}，{} 字节", terminal(packet.from), packet.channel, encrypted.len());
                signals.push(remark("无密钥的自组网报文", detail));
            }
        }
        let own = terminal(self.own);
        for signal in &mut signals {
            if let Signal::Heard(heard) = signal {
                heard.overheard = matches!(&heard.to, Addressee::Terminal(to) if *to != own);
            }
        }
        // A result for somebody else is not about a message of ours.
        signals.retain(|signal| {
            let result = matches!(signal, Signal::Delivery { .. } | Signal::Progress { .. });
            !result || (packet.to == self.own && packet.from != packet.to)
        });
        Ok(signals)
    }

    /// Encrypts a packet under its channel, as one of the mesh.
    pub(super) fn outgoing(&self, mut packet: MeshPacket, hops: u32) -> Result<Outgoing, EncodeError> {
        let index = usize::try_from(packet.channel).unwrap_or(usize::MAX);
        let channel = self.channels.get(index);
        let channel = channel.ok_or_else(|| EncodeError::Address(format!("channel {}", packet.channel)))?;
        let data = packet.decoded.take().unwrap_or_default().encode_to_vec();
        packet.from = self.own;
        packet.channel = u32::from(channel.hash());
        packet.encrypted = Some(channel.turn(packet.id, self.own, &data));
        packet.hop_limit = hops;
        packet.hop_start = hops;
        // The air carries neither; an answer is asked for only from one radio.
        packet.priority = 0;
        packet.want_ack = packet.to != super::wire::BROADCAST;
        Ok(Outgoing { bytes: packet.encode_to_vec().into(), to: Some(self.group) })
    }
}

/// Tells our own number when the link comes up, since there is nobody to ask, and remembers where our packets went.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    own: u32,
    text_max: u32,
    /// Our packets: number and destination.
    sent: VecDeque<(u32, u32)>,
    steps: VecDeque<Step>,
}

impl Membership {
    pub(super) fn new(own: u32, text_max: u32) -> Self {
        Self { own, text_max, sent: VecDeque::new(), steps: VecDeque::new() }
    }
}

impl Dialogue for Membership {
    fn link_up(&mut self, _: Duration) {
        self.steps = [Step::Say(Signal::Card(card(self.own, Some(self.text_max)))), Step::Ready(true)].into();
    }

    /// Only the destination's own word is a delivery.
    fn heard(&mut self, _: Duration, _: Option<Peer>, _: &[u8], signals: &mut Vec<Signal>) {
        for signal in signals {
            if let Signal::Delivery { by, native, delivered: true, .. } = signal
                && self.sent.iter().any(|(id, to)| id == native && terminal(*to) != *by)
            {
                *signal = Signal::Progress { native: *native, rung: Rung::Repeated };
            }
        }
    }

    fn give(&mut self, _: Duration, _: Cargo, frames: Vec<Outgoing>) -> Given {
        for packet in frames.iter().filter_map(|frame| MeshPacket::decode(frame.bytes.as_ref()).ok()) {
            while self.sent.len() >= SENT_MAX {
                self.sent.pop_front();
            }
            self.sent.push_back((packet.id, packet.to));
        }
        Given::Write(frames)
    }

    fn wake(&mut self, _: Duration) {}

    fn poll(&mut self) -> Option<Step> {
        self.steps.pop_front()
    }
}
