use super::dialogue::Conversation;
use super::framer::{Companion, Side};
use super::settings::Settings;
use super::wire::{Contact, FromRadio, Origin, Prefix, SelfInfo, Text, ToRadio};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{Cutter, Framer};
use crate::message::{
    Addressee, Bearer, CardInfo, CardState, Content, Heard, NativeId, Order, Peer, Position, Rung, Signal, TerminalId,
    Utc,
};
use bytes::Bytes;

const PREFIX_DIGITS: usize = 12;
/// Fewer digits than this are a channel, not a key whose leading zeros are gone.
const KEY_DIGITS_MIN: usize = 6;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(MeshCore { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct MeshCore {
    settings: Settings,
}

impl Codec for MeshCore {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Mesh,
            capacity_bits: Some(self.capacity()),
            period: Some(self.settings.pace),
            charset: Charset::Utf8,
            feedback_within: None,
            delivery_within: Some(self.settings.ack_within),
            proves: Rung::Delivered,
            may_encrypt: true,
            may_relay: true,
            confirms: "发给联系人：本机电台应答证明已发出，对方电台的回执证明已送达，不证明有人看过。频道消息：只知已发出，谁收到不可知。",
            source: "MeshCore companion protocol: text limit 160 bytes with the sender's name before a channel text; ack code \
                     of each direct text; pace chosen for a shared LoRa channel",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(Cutter::new(Companion::of(Side::Radio)))
    }

    fn decode(&self, frame: &[u8], _from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        Ok(match FromRadio::parse(frame)? {
            FromRadio::SelfInfo(info) => vec![self.card(&info)],
            FromRadio::Text(text) => vec![self.text(&text)],
            FromRadio::NewContact(contact) => new_contact(&contact),
            FromRadio::Advert { public_key } => {
                vec![Signal::Presence { of: terminal(prefix(&public_key)), present: true, registered_as: None }]
            }
            FromRadio::Battery { millivolt, .. } => {
                vec![Signal::Battery { percent: None }, remark("电池电压", format!("{millivolt} mV"))]
            }
            FromRadio::Refused { code } => {
                vec![remark("电台拒绝", code.map_or_else(String::new, |code| format!("{code} {}", refusal(code))))]
            }
            FromRadio::DeviceInfo(info) => {
                let about = info.about.map_or_else(String::new, |about| format!("{} {}", about.model, about.version));
                vec![remark("电台型号", format!("协议 {} {about}", info.firmware))]
            }
            FromRadio::Other { kind, body } => {
                vec![remark("未解的电台帧", format!("{kind:02x} {}", hex::encode(body)))]
            }
            // What only the conversation makes something of.
            FromRadio::Done { .. }
            | FromRadio::ContactsStart { .. }
            | FromRadio::Contact(_)
            | FromRadio::ContactsEnd { .. }
            | FromRadio::Sent { .. }
            | FromRadio::Time { .. }
            | FromRadio::NoMore
            | FromRadio::Path { .. }
            | FromRadio::Confirmed { .. }
            | FromRadio::Waiting => Vec::new(),
        })
    }

    /// A text's time is our number until the conversation, which knows the radio's clock, writes the time there.
    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let Order::Text { to, text, native, .. } = order else { return Err(EncodeError::Unsupported) };
        let (needed, capacity) = (bits(text), self.capacity());
        if needed > capacity {
            return Err(EncodeError::TooLong { needed, capacity });
        }
        let (timestamp, text) = (*native, text.clone());
        let frame = match to {
            Addressee::Terminal(id) => {
                let to = key_prefix(id).ok_or_else(|| EncodeError::Address(id.to_string()))?;
                ToRadio::DirectText { text_type: 0, attempt: 0, timestamp, to, text }
            }
            Addressee::Group(id) => {
                let channel = channel(id).ok_or_else(|| EncodeError::Address(id.to_string()))?;
                ToRadio::ChannelText { text_type: 0, channel, timestamp, text }
            }
            // The first channel is the public one.
            Addressee::Everyone(_) => ToRadio::ChannelText { text_type: 0, channel: 0, timestamp, text },
        };
        Ok(vec![frame.emit()?.into()])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        Ok(bits(text))
    }

    fn acknowledge(&self, _: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Conversation::new(self.settings.clone())))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == Bearer::Mesh && (key_prefix(to).is_some() || channel(to).is_some())
    }
}

impl MeshCore {
    fn capacity(&self) -> u32 {
        self.settings.text_max.saturating_mul(8)
    }

    fn card(&self, info: &SelfInfo) -> Signal {
        Signal::Card(CardInfo {
            state: CardState::Present,
            own: terminal(prefix(&info.public_key)),
            period: Some(self.settings.pace),
            capacity_bits: Some(self.capacity()),
            broadcast: None,
            subordinates: 0,
        })
    }

    fn text(&self, heard: &Text) -> Signal {
        let (text, lossy) = heard.words();
        let (from, to) = match heard.origin {
            Origin::Contact(prefix) => {
                (terminal(prefix), Addressee::Terminal(TerminalId::from_number(Bearer::Mesh, 0)))
            }
            Origin::Channel(channel) => (
                TerminalId::new(Bearer::Mesh, &format!("ch{channel}")),
                Addressee::Group(TerminalId::from_number(Bearer::Mesh, channel.into())),
            ),
        };
        Signal::Heard(Heard {
            from,
            to,
            content: Content::Text { text, lossy },
            native: Some(NativeId { id: heard.timestamp.into(), repeats_within: self.settings.repeats_within }),
            part: None,
            overheard: false,
            sent_at: believable(heard.timestamp),
            damaged: false,
        })
    }
}

/// A radio without a set clock counts from its first day, or from the day its firmware was built.
fn believable(timestamp: u32) -> Option<Utc> {
    const FIRST: u32 = 1_704_067_200;
    (timestamp >= FIRST).then(|| Utc(i64::from(timestamp).saturating_mul(1_000)))
}

fn new_contact(contact: &Contact) -> Vec<Signal> {
    let of = terminal(prefix(&contact.public_key));
    let mut signals = vec![
        Signal::Presence { of: of.clone(), present: true, registered_as: None },
        remark("新的联系人", format!("{of} {}", contact.name())),
    ];
    signals.extend(position(contact.lat_e6, contact.lon_e6).map(|position| Signal::Position {
        of,
        position,
        emergency: false,
    }));
    signals
}

/// 0, 0 is a position that nobody set.
fn position(lat_e6: i32, lon_e6: i32) -> Option<Position> {
    let is_set = lat_e6 != 0 || lon_e6 != 0;
    is_set.then(|| Position::from_degrees(f64::from(lat_e6) / 1e6, f64::from(lon_e6) / 1e6)).flatten()
}

fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}

pub(super) const fn refusal(code: u8) -> &'static str {
    match code {
        1 => "不支持",
        2 => "没有这个联系人或频道",
        3 => "队列或表已满",
        4 => "此时不能",
        5 => "存储出错",
        6 => "参数不对",
        _ => "未知原因",
    }
}

fn bits(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(8)
}

/// The name of a contact: the first bytes of its key.
pub(super) fn prefix(public_key: &[u8; 32]) -> Prefix {
    public_key.first_chunk().copied().unwrap_or_default()
}

/// The number of a contact, as the roster writes it.
#[must_use]
pub fn terminal(prefix: Prefix) -> TerminalId {
    TerminalId::new(Bearer::Mesh, &hex::encode(prefix))
}

/// The key prefix that a number writes; one of digits only has lost its leading zeros.
#[must_use]
pub fn key_prefix(id: &TerminalId) -> Option<Prefix> {
    let number = id.number();
    let lost_zeros = number.bytes().all(|byte| byte.is_ascii_digit()) && number.len() >= KEY_DIGITS_MIN;
    let is_whole = number.len() == PREFIX_DIGITS && !number.bytes().any(|byte| byte.is_ascii_uppercase());
    if id.bearer != Bearer::Mesh || number.len() > PREFIX_DIGITS || !(is_whole || lost_zeros) {
        return None;
    }
    hex::decode(format!("{number:0>PREFIX_DIGITS$}")).ok()?.try_into().ok()
}

fn channel(id: &TerminalId) -> Option<u8> {
    id.as_u32().filter(|_| id.bearer == Bearer::Mesh).and_then(|number| u8::try_from(number).ok())
}
