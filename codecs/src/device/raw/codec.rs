use super::framer::framer;
use super::wire::{self, Layout, Said};
use crate::codec::{
    Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError, Value,
};
use crate::frame::Framer;
use crate::message::{Addressee, Bearer, Content, Heard, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::time::Duration;

const KEYS: [&str; 5] = ["far", "own", "send", "peer", "pace_ms"];

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    let known: Vec<&str> = wire::KEYS.iter().chain(&KEYS).copied().collect();
    profile.only(&known)?;
    let layout = Layout::read(profile)?;
    let sends = profile.flag("send", false)?;
    if sends && layout.text.is_none() {
        return Err(ProfileError::Type {
            key: "send".into(),
            expected: "text as well: what is not described is not sent",
        });
    }
    let pace = profile.int("pace_ms", 2_000, 0, 600_000)?;
    Ok(Box::new(Raw {
        layout,
        sends,
        far: number(profile, "far", "0")?,
        own: number(profile, "own", "1")?,
        peer: peer(profile)?,
        pace: Duration::from_millis(u64::try_from(pace).unwrap_or(0)),
    }))
}

/// A terminal's number, written as a number or as text.
fn number(profile: &Profile, key: &str, default: &str) -> Result<String, ProfileError> {
    let wrong = || ProfileError::Type { key: key.into(), expected: "a terminal's number: 1 to 16 letters and digits" };
    let text = match profile.0.get(key) {
        None => default.to_owned(),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Bool(_)) => return Err(wrong()),
    };
    let is_number = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_number.then_some(text).ok_or_else(wrong)
}

fn peer(profile: &Profile) -> Result<Option<Peer>, ProfileError> {
    let wrong = || ProfileError::Type { key: "peer".into(), expected: "ip:port" };
    match profile.0.get("peer") {
        None => Ok(None),
        Some(Value::Text(text)) => text.parse().map(|address| Some(Peer(address))).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

#[derive(Clone, Debug)]
struct Raw {
    layout: Layout,
    sends: bool,
    far: String,
    own: String,
    peer: Option<Peer>,
    pace: Duration,
}

impl Codec for Raw {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Radio370,
            capacity_bits: Some(bits(self.layout.text_max())),
            period: Some(self.pace),
            charset: match self.layout.charset {
                wire::Charset::Utf8 => Charset::Utf8,
                wire::Charset::Gb18030 => Charset::Gb18030,
                wire::Charset::Utf16Le | wire::Charset::Utf16Be => Charset::Utf16,
            },
            feedback_within: None,
            delivery_within: None,
            proves: Rung::Taken,
            may_encrypt: true,
            may_relay: true,
            confirms: "只知已写入设备（已入机）：是否发出、是否送达都不可知，要靠对方答复。",
            source: "the link's own profile, after what the vendor disclosed; pace 2 s chosen",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        framer(&self.layout)
    }

    fn decode(&self, frame: &[u8], _: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        let said = self.layout.parse(frame)?;
        let from = terminal(said.id.as_deref().unwrap_or(&self.far));
        let to = Addressee::Terminal(terminal(said.to.as_deref().unwrap_or("0")));
        let mut signals = Vec::new();
        if let Some((text, lossy)) = said.text.filter(|(text, _)| !text.is_empty()) {
            signals.push(Signal::Heard(Heard {
                from: from.clone(),
                to,
                content: Content::Text { text, lossy },
                native: None,
                part: None,
                overheard: false,
                sent_at: None,
                damaged: false,
            }));
        }
        if let Some(position) = said.position {
            signals.push(Signal::Position { of: from.clone(), position, emergency: false });
        }
        if signals.is_empty() {
            signals.push(Signal::Remark {
                what: "资料未描述的帧", detail: format!("{from} {}", hex::encode(frame))
            });
        }
        Ok(signals)
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let (true, Order::Text { to, text, .. }) = (self.sends, order) else { return Err(EncodeError::Unsupported) };
        let (needed, capacity) = (self.measure(text)?, bits(self.layout.text_max()));
        if needed > capacity {
            return Err(EncodeError::TooLong { needed, capacity });
        }
        let (id, to) = self.addresses(to)?;
        let bytes = self.layout.emit(&Said { id, to, text: Some((text.clone(), false)), position: None })?;
        Ok(vec![Outgoing { bytes, to: self.peer }])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        Ok(bits(self.layout.charset.write(text)?.len()))
    }

    fn acknowledge(&self, _: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        None
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        self.sends
            && self.addresses(&Addressee::Terminal(to.clone())).is_ok_and(|(id, to)| {
                // Whether the number fits into its field is only known by writing it.
                self.layout.emit(&Said { id, to, ..Said::default() }).is_ok()
            })
    }
}

impl Raw {
    /// What stands in the fields `id` and `to` of a text of ours.
    fn addresses(&self, to: &Addressee) -> Result<(Option<String>, Option<String>), EncodeError> {
        let refused = || match to {
            Addressee::Terminal(id) | Addressee::Group(id) => EncodeError::Address(id.to_string()),
            Addressee::Everyone(_) => EncodeError::Unsupported,
        };
        let has_address = self.layout.id.is_some() || self.layout.to.is_some();
        match to {
            Addressee::Terminal(id) if id.bearer != Bearer::Radio370 => Err(refused()),
            Addressee::Terminal(id) if self.layout.to.is_some() => {
                Ok((self.layout.id.map(|_| self.own.clone()), Some(id.number().to_owned())))
            }
            Addressee::Terminal(id) if has_address => Ok((Some(id.number().to_owned()), None)),
            Addressee::Terminal(id) if *id == terminal(&self.far) => Ok((None, None)),
            Addressee::Everyone(_) if !has_address => Ok((None, None)),
            _ => Err(refused()),
        }
    }
}

fn terminal(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Radio370, number)
}

fn bits(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX).saturating_mul(8)
}
