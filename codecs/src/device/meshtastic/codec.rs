use super::dialogue::Handshake;
use super::framer::StreamFramer;
use super::multicast;
use super::settings::Settings;
use super::signals::{queue, read, remark, words};
use super::wire::{self, BROADCAST, Data, FromRadio, MeshPacket, ToRadio, framed, payload, port, priority};
use super::{number_of, terminal};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{DatagramFramer, Framer};
use crate::message::{Addressee, Bearer, CardInfo, CardState, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use prost::Message as _;
use std::time::Duration;

/// Radios refuse texts of their host that come faster.
pub(super) const PERIOD: Duration = Duration::from_secs(2);
/// Three tries of a direct text are over after 20 to 35 s on the slowest usual preset.
const RESULT_WITHIN: Duration = Duration::from_secs(60);
/// Log lines of a radio from here on are errors.
const LOG_ERROR: u32 = 40;
/// Bytes of packed content in one packet.
const PAYLOAD_MAX: usize = 200;
/// Channels of a radio.
const CHANNELS: u32 = 8;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Meshtastic { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Meshtastic {
    settings: Settings,
}

impl Codec for Meshtastic {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Mesh,
            capacity_bits: Some(self.settings.text_max.saturating_mul(8)),
            period: Some(PERIOD),
            charset: Charset::Utf8,
            feedback_within: None,
            delivery_within: Some(RESULT_WITHIN),
            proves: Rung::Delivered,
            may_encrypt: true,
            may_relay: true,
            confirms: "单发：收方电台自己的回执证明已送达，不证明有人看过；只听到邻台转发（隐式回执）只记已转发，绝不记已送达。\
                       群发：至多知道有邻台转发，谁收到不可知。",
            source: "Meshtastic firmware 2.6 to 2.8: 233 bytes of payload, 200 as the official apps; one text every 2 s; three \
                     tries of a direct text; results on port 5",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        match self.settings.multicast {
            None => Box::new(StreamFramer::default()),
            Some(_) => Box::new(DatagramFramer::default()),
        }
    }

    fn decode(&self, frame: &[u8], _: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        match &self.settings.multicast {
            None => Ok(said(&from_radio(frame)?)),
            Some(multicast) => multicast.decode(frame),
        }
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let packet = match order {
            Order::Text { to, text, native, urgent, .. } => {
                let max = self.settings.text_max;
                let found = u32::try_from(text.len()).unwrap_or(u32::MAX);
                if found > max {
                    return Err(EncodeError::TooLong {
                        needed: found.saturating_mul(8),
                        capacity: max.saturating_mul(8),
                    });
                }
                let alert = *urgent && self.settings.sends_alerts;
                let portnum = if alert { port::ALERT } else { port::TEXT };
                let packet =
                    self.packet(to, *native, Data { portnum, payload: text.clone().into(), ..Data::default() })?;
                if alert { MeshPacket { priority: priority::ALERT, ..packet } } else { packet }
            }
            Order::Payload { to, bytes, native, .. } => {
                let (needed, capacity) = (bytes.len(), self.settings.text_max.saturating_mul(8));
                let needed = u32::try_from(needed).unwrap_or(u32::MAX).saturating_mul(8);
                if needed > capacity {
                    return Err(EncodeError::TooLong { needed, capacity });
                }
                let data = Data { portnum: port::PRIVATE, payload: bytes.to_vec(), ..Data::default() };
                self.packet(to, *native, data)?
            }
            Order::AskPosition { of, native } => {
                let data = Data { portnum: port::POSITION, want_response: true, ..Data::default() };
                self.packet(of, *native, data)?
            }
            Order::AskCard | Order::AskStrength { .. } | Order::AskPresence { .. } => {
                return Err(EncodeError::Unsupported);
            }
        };
        let outgoing = match &self.settings.multicast {
            Some(multicast) => multicast.outgoing(packet, self.settings.hop_limit)?,
            None => {
                framed(&ToRadio { packet: Some(packet), ..ToRadio::default() }).ok_or(EncodeError::Unsupported)?.into()
            }
        };
        Ok(vec![outgoing])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        Ok(u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(8))
    }

    /// Radios acknowledge by themselves.
    /// Delivery is poor above 200 bytes, whatever the firmware takes.
    fn payload_max(&self, capacity_bits: u32) -> Option<usize> {
        Some(usize::try_from(capacity_bits / 8).ok()?.min(PAYLOAD_MAX))
    }

    fn acknowledge(&self, _: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        match &self.settings.multicast {
            None => Some(Box::new(Handshake::new(&self.settings))),
            Some(multicast) => Some(Box::new(multicast::Membership::new(multicast.own, self.settings.text_max))),
        }
    }

    /// A radio, or a channel by its index.
    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == Bearer::Mesh && (number_of(to).is_some() || to.as_u32().is_some_and(|index| index < CHANNELS))
    }
}

impl Meshtastic {
    fn packet(&self, to: &Addressee, native: u32, data: Data) -> Result<MeshPacket, EncodeError> {
        let (to, channel) = match to {
            Addressee::Terminal(id) => (number_of(id).ok_or_else(|| EncodeError::Address(id.to_string()))?, 0),
            Addressee::Group(id) => {
                let index = id.as_u32().filter(|index| id.bearer == Bearer::Mesh && *index < CHANNELS);
                (BROADCAST, index.ok_or_else(|| EncodeError::Address(id.to_string()))?)
            }
            Addressee::Everyone(Bearer::Mesh) => (BROADCAST, self.settings.channel),
            Addressee::Everyone(bearer) => return Err(EncodeError::Address(bearer.to_string())),
        };
        Ok(MeshPacket {
            to,
            channel,
            decoded: Some(data),
            id: native,
            hop_limit: self.settings.hop_limit,
            // On a broadcast it asks our own radio to tell when a neighbour repeats it; the air does not carry it.
            want_ack: true,
            priority: priority::RELIABLE,
            ..MeshPacket::default()
        })
    }
}

/// The message in one frame of the stream.
pub(super) fn from_radio(frame: &[u8]) -> Result<FromRadio, DecodeError> {
    let bytes = payload(frame).ok_or(DecodeError::Length { expected: wire::HEADER, found: frame.len() })?;
    FromRadio::decode(bytes).map_err(|error| DecodeError::Unknown(format!("FromRadio: {error}")))
}

fn said(message: &FromRadio) -> Vec<Signal> {
    let mut signals = Vec::new();
    if let Some(packet) = &message.packet {
        stream_packet(packet, &mut signals);
    }
    if let Some(info) = message.my_info.as_ref().filter(|info| info.my_node_num != 0) {
        signals.push(Signal::Card(card(info.my_node_num, None)));
    }
    if let Some(status) = &message.queue_status {
        signals.extend(queue(status));
    }
    if message.rebooted == Some(true) {
        signals.push(remark("电台已重启", String::new()));
    }
    if let Some(log) = message.log_record.as_ref().filter(|log| log.level >= LOG_ERROR) {
        signals.push(remark("电台报错", format!("{} {}", words(&log.source), words(&log.message))));
    }
    if let Some(notice) = &message.notification {
        signals.push(remark("电台通知", words(&notice.message)));
    }
    signals
}

fn stream_packet(packet: &MeshPacket, signals: &mut Vec<Signal>) {
    match (&packet.decoded, &packet.encrypted) {
        (Some(_), _) if packet.from == 0 => {
            signals.push(remark("发方号为 0 的报文", format!("编号 {:08x}", packet.id)))
        }
        (Some(data), _) => read(packet, data, signals),
        (None, Some(bytes)) => {
            let detail = format!("{} 信道 {:#04x}，{} 字节", terminal(packet.from), packet.channel, bytes.len());
            signals.push(remark("电台未能解密的报文", detail));
        }
        (None, None) => {}
    }
}

/// Our own radio's number, and what one message carries.
pub(super) fn card(own: u32, text_max: Option<u32>) -> CardInfo {
    CardInfo {
        state: CardState::Present,
        own: terminal(own),
        period: Some(PERIOD),
        capacity_bits: text_max.map(|bytes| bytes.saturating_mul(8)),
        broadcast: None,
        subordinates: 0,
    }
}
