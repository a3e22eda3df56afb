//! What a device speaks: [`Codec`] (stateless translation), [`Dialogue`] (a small machine where the device wants one),
//! [`Limits`] (what the device can carry and confirm, with its source).

use crate::frame::Framer;
use crate::message::{Bearer, Order, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// Translates between frames and words. Every method takes `&self`: a codec does not send, look up, wait, log or
/// remember.
pub trait Codec: CodecClone + fmt::Debug + Send + Sync {
    /// What the device can carry and confirm.
    fn limits(&self) -> Limits;

    /// A fresh framer for one link.
    fn framer(&self) -> Box<dyn Framer>;

    /// What a whole frame says. An empty list is a frame that was understood and has nothing to say.
    ///
    /// # Errors
    /// [`DecodeError`] when the frame is well cut but does not mean anything we know; it is published unreadable.
    fn decode(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError>;

    /// The frames that carry an order, in the order in which they must be written.
    ///
    /// # Errors
    /// [`EncodeError`] when the device cannot carry this order, or not in one message.
    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError>;

    /// Air bits that a text would take from [`Limits::capacity_bits`], for splitting before encoding.
    ///
    /// # Errors
    /// [`EncodeError::Charset`] when a character cannot be carried at all, [`EncodeError::NoText`] when no text can.
    fn measure(&self, text: &str) -> Result<u32, EncodeError>;

    /// Bytes of packed content ([`Order::Payload`]) that one message of so many air bits carries; `None` where the device
    /// carries none, so that stations cannot speak to each other over it.
    fn payload_max(&self, capacity_bits: u32) -> Option<usize> {
        let _most_devices_carry_text_only = capacity_bits;
        None
    }

    /// The service answer to a signal that is stored now; `None` where the device wants none. Asked only after Stored.
    fn acknowledge(&self, signal: &Signal) -> Option<Bytes>;

    /// The device's own small machine, where it has one (start-up inquiry, handshake, AT commands).
    fn dialogue(&self) -> Option<Box<dyn Dialogue>>;

    /// Whether this is a number of the kind that the device can write: several families share a bearer, each with its
    /// own way of numbering.
    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == self.limits().bearer
    }
}

/// Bytes for the wire and, on a datagram link, where they go. `to: None` = back where the terminal was last heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    pub bytes: Bytes,
    pub to: Option<Peer>,
}

impl From<Bytes> for Outgoing {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, to: None }
    }
}

/// What a device can carry and confirm. Numbers a card can tell are `None` here and asked from the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub bearer: Bearer,
    /// Air budget of one message, bits; `None` = by the card's grade ([`crate::message::CardInfo`]).
    pub capacity_bits: Option<u32>,
    /// Least time between two sends; `None` = by the card.
    pub period: Option<Duration>,
    /// The charset of readable text.
    pub charset: Charset,
    /// Whether the terminal reports what became of each send ([`Signal::Feedback`]) and how long to wait for it.
    pub feedback_within: Option<Duration>,
    /// How long to wait for [`Signal::Delivery`] of a text to one terminal; `None` = the bearer has no such report.
    pub delivery_within: Option<Duration>,
    /// The highest rung that the bearer itself can prove, without a person's answer.
    pub proves: Rung,
    /// Whether content may be encrypted on this bearer (amateur bands: no).
    pub may_encrypt: bool,
    /// Whether messages of others may be relayed over it.
    pub may_relay: bool,
    /// What this terminal can and cannot confirm, in plain Chinese.
    pub confirms: &'static str,
    /// Where these numbers come from.
    pub source: &'static str,
}

/// The charset of readable text on a bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Gb18030,
    Utf8,
    Utf16,
    Ascii,
}

/// A device's own small machine. Time is an argument: `now` counts from any fixed start.
///
/// It sees every frame that is heard and every frame that is to be written. What it keeps is what a conversation needs
/// and a restart may forget: packet numbers, the command that is being answered, who said what already. It never decides
/// what is sent, to whom, or whether it has arrived.
pub trait Dialogue: DialogueClone + fmt::Debug + Send {
    /// The link has come up: start from the beginning.
    fn link_up(&mut self, now: Duration);

    /// A frame was heard. `signals` is what the codec made of it: the dialogue may take away what it has seen before,
    /// complete what only the conversation knows (whose answer this is, the number that we gave), or add what follows.
    fn heard(&mut self, now: Duration, from: Option<Peer>, frame: &[u8], signals: &mut Vec<Signal>);

    /// Frames are to be written, in this order. They are given back as they have to be on the wire now, or held and
    /// written later: a message's with [`Step::Carry`], an answer's with [`Step::Send`].
    fn give(&mut self, now: Duration, cargo: Cargo, frames: Vec<Outgoing>) -> Given {
        let _plain_devices_take_frames_as_they_are = (now, cargo);
        Given::Write(frames)
    }

    /// A signal that this device gave is synced to disk now: the device may be told to forget it.
    fn stored(&mut self, now: Duration, signal: &Signal) {
        let _most_devices_forget_by_themselves = (now, signal);
    }

    /// The time asked for with [`Step::WakeAt`] has come.
    fn wake(&mut self, now: Duration);

    /// What to do next; drained to `None` after every call above.
    fn poll(&mut self) -> Option<Step>;
}

/// What the frames are that a dialogue is given to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// The frames of one order, under the number that we gave it. One at a time: the next comes when this one has been
    /// written completely, or was said to have failed.
    Message { native: u32 },
    /// The service answer to a signal that is stored.
    Answer,
}

/// What a dialogue does with frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Given {
    /// Write these now.
    Write(Vec<Outgoing>),
    /// The dialogue writes them itself when the device is ready. A message that it holds ends in one of two ways: its
    /// last byte is written ([`Step::Carry`] with `last`), or the dialogue says why not ([`Signal::Feedback`] through
    /// [`Step::Say`] or [`Dialogue::heard`]).
    Held,
}

/// What a dialogue wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Write these bytes. They never spend airtime.
    Send(Outgoing),
    /// Write these bytes of the message that the dialogue holds. After the `last` of them the terminal has it.
    Carry { frame: Outgoing, last: bool },
    /// The device has said this, though no single frame says it.
    Say(Signal),
    /// Call [`Dialogue::wake`] at this time; a later one replaces it.
    WakeAt(Duration),
    /// Whether the terminal is ready to be given messages. After every [`Dialogue::link_up`] it is not, until said so.
    Ready(bool),
}

/// Lets boxed dialogues be cloned.
pub trait DialogueClone {
    fn clone_box(&self) -> Box<dyn Dialogue>;
}

impl<T: Dialogue + Clone + 'static> DialogueClone for T {
    fn clone_box(&self) -> Box<dyn Dialogue> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Dialogue> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// Lets boxed codecs be cloned.
pub trait CodecClone {
    fn clone_box(&self) -> Box<dyn Codec>;
}

impl<T: Codec + Clone + 'static> CodecClone for T {
    fn clone_box(&self) -> Box<dyn Codec> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Codec> {
    fn clone(&self) -> Self {
        self.clone_box()
    }
}

/// Why a whole frame could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Bytes of the whole frame, head and check included.
    #[error("frame is {found} bytes, {expected} needed")]
    Length { expected: usize, found: usize },
    #[error("checksum is {found:#x}, computed {expected:#x}")]
    Checksum { expected: u32, found: u32 },
    #[error("unknown sentence or opcode {0}")]
    Unknown(String),
    #[error("field {field} at byte {at} is not {expected}")]
    Field { field: &'static str, at: usize, expected: &'static str },
    #[error("{found} fields, {expected} needed")]
    FieldCount { expected: usize, found: usize },
    #[error("content declares {declared} bits, {present} bytes present")]
    Content { declared: usize, present: usize },
    #[error("mixed content (混发) does not begin with A4")]
    MixedWithoutMark,
    #[error("content is not an even number of hex digits: {digits} digits")]
    Hex { digits: usize },
    #[error("bytes after the end of the frame: {0}")]
    Trailing(usize),
}

impl DecodeError {
    /// For the person who looks at the frame.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Length { expected, found } => format!("长度不对：{found} 字节，应为 {expected} 字节"),
            Self::Checksum { expected, found } => format!("校验错：帧里是 {found:02X}，算得 {expected:02X}"),
            Self::Unknown(what) => format!("不认识：{what}"),
            Self::Field { field, at, expected } => format!("第 {at} 字节的 {field} 不对，应为：{expected}"),
            Self::FieldCount { expected, found } => format!("字段数不对：{found} 个，应为 {expected} 个"),
            Self::Content { declared, present } => format!("电文声明 {declared} 比特，只有 {present} 字节"),
            Self::MixedWithoutMark => "混发电文不以 A4 开头".into(),
            Self::Hex { digits } => format!("电文不是成对的十六进制：{digits} 个字符"),
            Self::Trailing(count) => format!("帧尾之后还有 {count} 字节"),
        }
    }
}

/// Why an order could not be put into frames.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EncodeError {
    #[error("this device has no such order")]
    Unsupported,
    #[error("content takes {needed} bits, the card carries {capacity}")]
    TooLong { needed: u32, capacity: u32 },
    #[error("character {0:?} cannot be carried")]
    Charset(char),
    #[error("only stations are there, and no text is carried")]
    NoText,
    #[error("{0} is no address of this device")]
    Address(String),
}

impl EncodeError {
    /// The same for an operator.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Unsupported => "设备没有这种功能".into(),
            Self::TooLong { needed, capacity } => format!("需 {needed} 比特，只有 {capacity} 比特"),
            Self::Charset(found) => format!("字符“{found}”发不出"),
            Self::NoText => "那里只有驿站，不收明文".into(),
            Self::Address(address) => format!("{address} 不是本设备的地址"),
        }
    }
}

/// What a link's config says about its device, read by the device itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile(pub BTreeMap<String, Value>);

/// One value of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Text(String),
}

/// Why a profile was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    #[error("unknown key {key:?}; keys of this device: {known}")]
    UnknownKey { key: String, known: String },
    #[error("{key} = {found:?} is not one of {choices}")]
    Choice { key: String, found: String, choices: String },
    #[error("{key} = {found} is outside {min}..={max}")]
    Range { key: String, found: i64, min: i64, max: i64 },
    #[error("{key} wants {expected}")]
    Type { key: String, expected: &'static str },
    #[error("no device {name:?}; devices: {known}")]
    UnknownDevice { name: String, known: String },
}

impl Profile {
    /// Refuses keys outside `known`.
    ///
    /// # Errors
    /// [`ProfileError::UnknownKey`] naming the first unknown key.
    pub fn only(&self, known: &[&str]) -> Result<(), ProfileError> {
        match self.0.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(ProfileError::UnknownKey { key: key.clone(), known: known.join(", ") }),
            None => Ok(()),
        }
    }

    /// A word out of `choices`, the first of which is the default; gives its index.
    ///
    /// # Errors
    /// When the value is not text or not one of the choices.
    pub fn choice(&self, key: &str, choices: &[&str]) -> Result<usize, ProfileError> {
        let wrong = |found: String| ProfileError::Choice { key: key.into(), found, choices: choices.join(", ") };
        match self.0.get(key) {
            None => Ok(0),
            Some(Value::Text(text)) => {
                choices.iter().position(|choice| choice == text).ok_or_else(|| wrong(text.clone()))
            }
            Some(_) => Err(ProfileError::Type { key: key.into(), expected: "text" }),
        }
    }

    /// A whole number within `min..=max`.
    ///
    /// # Errors
    /// When the value is not a whole number or out of range.
    pub fn int(&self, key: &str, default: i64, min: i64, max: i64) -> Result<i64, ProfileError> {
        match self.0.get(key) {
            None => Ok(default),
            Some(Value::Int(found)) if (min..=max).contains(found) => Ok(*found),
            Some(Value::Int(found)) => Err(ProfileError::Range { key: key.into(), found: *found, min, max }),
            Some(_) => Err(ProfileError::Type { key: key.into(), expected: "a whole number" }),
        }
    }

    /// A whole number within `min..=max`, in the type that it is for.
    ///
    /// # Errors
    /// As [`Profile::int`].
    pub fn number<T: TryFrom<i64>>(&self, key: &str, default: i64, min: i64, max: i64) -> Result<T, ProfileError> {
        let found = self.int(key, default, min, max)?;
        T::try_from(found).map_err(|_| ProfileError::Range { key: key.into(), found, min, max })
    }

    /// Text, or what stands for none.
    ///
    /// # Errors
    /// When the value is not text.
    pub fn text(&self, key: &str, default: &str) -> Result<String, ProfileError> {
        match self.0.get(key) {
            None => Ok(default.to_owned()),
            Some(Value::Text(found)) => Ok(found.clone()),
            Some(_) => Err(ProfileError::Type { key: key.into(), expected: "text" }),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When the value is neither `true` nor `false`.
    pub fn flag(&self, key: &str, default: bool) -> Result<bool, ProfileError> {
        match self.0.get(key) {
            None => Ok(default),
            Some(Value::Bool(found)) => Ok(*found),
            Some(_) => Err(ProfileError::Type { key: key.into(), expected: "true or false" }),
        }
    }
}
