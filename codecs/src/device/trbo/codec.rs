use super::dialogue::Talk;
use super::settings::{ID_MAX, Settings};
use super::wire::{Ars, ArsBody, Lrrp, Point, Tms, TmsBody, Token, UTF_16, doc_name, utf16, words};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{DatagramFramer, Framer};
use crate::message::{Addressee, Bearer, Content, Heard, NativeId, Order, Peer, Position, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::time::Duration;

/// Bits of one UTF-16 unit.
const UNIT_BITS: u32 = 16;
/// How long the radio's ack of a text may take: the channel may be busy with voice.
const ACK_WITHIN: Duration = Duration::from_secs(30);
/// The native number of a text without a sequence; sequences go to 127.
const NO_SEQUENCE: u64 = 128;

pub(super) const NO_POSITION: &str = "无有效定位";
pub(super) const NO_SOURCE: &str = "数据报没有来源地址";
pub(super) const OUTSIDE: &str = "来源地址不在电台网段";

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Trbo { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Trbo {
    settings: Settings,
}

/// A datagram of one of the three services.
#[derive(Clone, Debug)]
pub(super) enum Datagram {
    Tms(Tms),
    Ars(Ars),
    Lrrp(Lrrp),
}

impl Datagram {
    /// Of the service whose port the peer speaks from; where the port tells nothing (a translated address), of the one
    /// that reads it. A location document begins with its number, the others with the high byte of a length.
    pub(super) fn read(settings: &Settings, frame: &[u8], from: Option<Peer>) -> Result<Self, DecodeError> {
        match from.map(|peer| peer.0.port()) {
            Some(port) if port == settings.port_tms => Tms::parse(frame).map(Self::Tms),
            Some(port) if port == settings.port_ars => Ars::parse(frame).map(Self::Ars),
            Some(port) if port == settings.port_lrrp => Lrrp::parse(frame).map(Self::Lrrp),
            _ if frame.first().is_some_and(|first| *first != 0) => Lrrp::parse(frame).map(Self::Lrrp),
            _ => Tms::parse(frame).map(Self::Tms).or_else(|error| Ars::parse(frame).map(Self::Ars).map_err(|_| error)),
        }
    }
}

impl Codec for Trbo {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Radio370,
            capacity_bits: Some(self.settings.units_max().saturating_mul(UNIT_BITS)),
            period: Some(self.settings.pace),
            charset: Charset::Utf16,
            feedback_within: None,
            delivery_within: Some(ACK_WITHIN),
            proves: Rung::Delivered,
            may_encrypt: true,
            may_relay: true,
            confirms: "单呼短信：由对方电台自己的回执（TMS ack）证明对方电台已收到，不证明有人看过。组呼短信：没有回执，只知已交给本站电台，\
                       是否发射、谁收到均不可知。",
            source: "TRBO data services: text limit 140 units of first-generation radios (newer ones 280); TMS ack; pace and \
                     30 s wait chosen for a slot of about 1600 bit/s shared with voice",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(DatagramFramer::default())
    }

    fn decode(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        let datagram = Datagram::read(&self.settings, frame, from)?;
        let mut signals = Vec::new();
        let Some((id, inside)) = from.and_then(|peer| self.settings.whose(peer)) else {
            // Only a registration says by itself whose it is.
            match datagram {
                Datagram::Ars(ars) => self.read_ars(&ars, None, &mut signals),
                Datagram::Tms(_) | Datagram::Lrrp(_) => signals.push(remark(NO_SOURCE, hex::encode(frame))),
            }
            return Ok(signals);
        };
        let of = terminal(id);
        if !inside {
            signals.push(remark(OUTSIDE, from.map(|peer| peer.0.to_string()).unwrap_or_default()));
        }
        match datagram {
            Datagram::Tms(tms) => signals.push(self.read_tms(&tms, of)),
            Datagram::Ars(ars) => self.read_ars(&ars, Some((of, inside)), &mut signals),
            Datagram::Lrrp(document) => signals.push(read_lrrp(&document, of)),
        }
        Ok(signals)
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let settings = &self.settings;
        let outgoing = match order {
            Order::Text { to, text, native, .. } => self.text(to, text, *native)?,
            Order::AskPosition { of: Addressee::Terminal(of), native } => {
                Outgoing { bytes: Lrrp::ask(*native).emit()?, to: Some(self.radio(of, settings.port_lrrp)?) }
            }
            Order::AskPresence { of } => {
                Outgoing { bytes: Ars::QUERY.emit()?, to: Some(self.radio(of, settings.port_ars)?) }
            }
            Order::AskPosition { .. } | Order::Payload { .. } | Order::AskCard | Order::AskStrength { .. } => {
                return Err(EncodeError::Unsupported);
            }
        };
        Ok(vec![outgoing])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        Ok(units(text).saturating_mul(UNIT_BITS))
    }

    fn acknowledge(&self, signal: &Signal) -> Option<Bytes> {
        match signal {
            Signal::Presence { present: true, registered_as: Some(_), .. } => {
                Ars::accept(self.settings.renew_half_hours).emit().ok()
            }
            Signal::Heard(heard) if self.settings.acks_texts => {
                let native = heard.native?.id;
                let sequence = u8::try_from(native).ok().filter(|_| native < NO_SEQUENCE);
                ack_of(sequence).emit().ok()
            }
            _ => None,
        }
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Talk::new(self.settings.clone())))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == Bearer::Radio370 && to.as_u32().is_some_and(|id| (1..=ID_MAX).contains(&id))
    }
}

/// Reading.
impl Trbo {
    fn read_tms(&self, tms: &Tms, from: TerminalId) -> Signal {
        match &tms.body {
            TmsBody::Text { sequence, encoding, data } => {
                // A text that wants no ack comes once: its number tells no repeat, and it is not answered.
                let native = tms.header.bit_6().then(|| NativeId {
                    id: sequence.map_or(NO_SEQUENCE, u64::from),
                    repeats_within: self.settings.repeats_within,
                });
                let content = match encoding {
                    None | Some(UTF_16) => self.words(data),
                    Some(_) => Content::Opaque(data.clone()),
                };
                // To our radio or to a group of it: the datagram does not say which.
                let to = Addressee::Terminal(terminal(0));
                Signal::Heard(Heard {
                    from,
                    to,
                    content,
                    native,
                    part: None,
                    overheard: false,
                    sent_at: None,
                    damaged: false,
                })
            }
            TmsBody::Available { .. } => Signal::Presence { of: from, present: true, registered_as: None },
            TmsBody::Ack { sequence: Some(sequence) } => {
                Signal::Delivery { by: from, native: u32::from(*sequence), delivered: true, code: 0 }
            }
            TmsBody::Ack { sequence: None } => remark("不带序号的短信回执", from.to_string()),
        }
    }

    fn words(&self, data: &[u8]) -> Content {
        let (text, lossy) = words(data);
        let text = match text.strip_prefix("\r\n") {
            Some(stripped) if self.settings.strips_crlf => stripped.to_owned(),
            _ => text,
        };
        Content::Text { text, lossy }
    }

    /// `from` and whether it is a radio's address.
    fn read_ars(&self, ars: &Ars, from: Option<(TerminalId, bool)>, signals: &mut Vec<Signal>) {
        let peer = from.as_ref().map(|(of, _)| of.clone());
        match &ars.body {
            ArsBody::Register { by_user, device, user, .. } => {
                let written = if *by_user { None } else { number_of(device) };
                let Some(id) = written.or_else(|| peer.as_ref()?.as_u32()) else {
                    return signals.push(remark("登记号码不可读", hex::encode(device)));
                };
                signals.push(Signal::Presence { of: terminal(id), present: true, registered_as: Some(id) });
                if let Some((of, true)) = &from
                    && of.as_u32() != Some(id)
                {
                    signals.push(remark("登记来源地址不符", format!("{} 从 {of} 登记", terminal(id))));
                }
                if !user.is_empty() {
                    signals.push(remark("登记用户", String::from_utf8_lossy(user).into_owned()));
                }
            }
            ArsBody::Leave => {
                signals.extend(peer.map(|of| Signal::Presence { of, present: false, registered_as: None }));
            }
            ArsBody::Ack { value: None } if !ars.header.bit_6() => {
                signals.extend(peer.map(|of| Signal::Presence { of, present: true, registered_as: None }));
            }
            ArsBody::Ack { value } => signals.push(remark("登记应答", format!("{peer:?} {value:?}"))),
            ArsBody::Query => signals.push(remark("有电台在询问登记", format!("{peer:?}"))),
        }
        if signals.is_empty() {
            signals.push(remark(NO_SOURCE, format!("ARS {:02x}", ars.header.0)));
        }
    }
}

/// Writing.
impl Trbo {
    /// The sequence is the dialogue's; here it is taken from our number so that the frame is whole.
    fn text(&self, to: &Addressee, text: &str, native: u32) -> Result<Outgoing, EncodeError> {
        let (needed, capacity) = (units(text), self.settings.units_max());
        if needed > capacity {
            let bits = |units: u32| units.saturating_mul(UNIT_BITS);
            return Err(EncodeError::TooLong { needed: bits(needed), capacity: bits(capacity) });
        }
        let data = if self.settings.puts_crlf { utf16(&format!("\r\n{text}")) } else { utf16(text) };
        let (peer, wants_ack) = match to {
            Addressee::Terminal(id) => (self.radio(id, self.settings.port_tms)?, true),
            Addressee::Group(id) => {
                let number = id.as_u32().filter(|_| id.bearer == Bearer::Radio370);
                let peer = number.and_then(|number| self.settings.group(number));
                (peer.ok_or_else(|| EncodeError::Address(id.to_string()))?, false)
            }
            Addressee::Everyone(_) => return Err(EncodeError::Unsupported),
        };
        Ok(Outgoing { bytes: Tms::text(first_sequence(native), wants_ack, data).emit()?, to: Some(peer) })
    }

    fn radio(&self, id: &TerminalId, port: u16) -> Result<Peer, EncodeError> {
        let number = id.as_u32().filter(|_| id.bearer == Bearer::Radio370);
        let peer = number.and_then(|number| self.settings.radio(number, port));
        peer.ok_or_else(|| EncodeError::Address(id.to_string()))
    }
}

/// The ack of a text: its own sequence, in as many bytes as that needs.
fn ack_of(sequence: Option<u8>) -> Tms {
    match sequence {
        Some(_) => Tms::ack(sequence),
        None => Tms { header: super::wire::Header(0x3F), ..Tms::ack(None) },
    }
}

fn read_lrrp(document: &Lrrp, of: TerminalId) -> Signal {
    let name = doc_name(document.doc).unwrap_or_default();
    let mut found = None;
    let (mut at, mut speed, mut heading) = (None, None, None);
    let mut result = None;
    for token in &document.tokens {
        match token {
            Token::Point(point) => found = found.or(Some(*point)),
            Token::Time(stamp) => at = stamp.utc(),
            Token::Speed(value) => speed = whole(value.value() * 100.0),
            Token::Heading(steps) => {
                heading = Some(u16::from(*steps).saturating_mul(20).checked_rem(3600).unwrap_or(0))
            }
            Token::Result { code, .. } => result = Some(*code),
            _ => {}
        }
    }
    if let Some(position) = found.filter(|point| (point.lat_raw, point.lon_raw) != (0, 0)).and_then(|p| place(&p)) {
        let position = Position { at, speed_cm_s: speed, course_ddeg: heading, ..position };
        return Signal::Position { of, position, emergency: false };
    }
    match result {
        Some(code) if code != 0 => remark(NO_POSITION, format!("{of}：{name}，结果 {code}")),
        _ if found.is_some() => remark(NO_POSITION, format!("{of}：{name}，坐标不成立")),
        _ => remark("定位服务", format!("{of}：{name} {:?}", document.tokens)),
    }
}

fn place(point: &Point) -> Option<Position> {
    let (lat, lon) = point.degrees();
    let height_dm = point.altitude.and_then(|altitude| {
        let size = whole(altitude.value().abs() * 10.0).and_then(|size| i32::try_from(size).ok())?;
        Some(if altitude.negative { size.saturating_neg() } else { size })
    });
    Some(Position { height_dm, ..Position::from_degrees(lat, lon)? })
}

/// To the nearest whole number; `None` where it does not fit.
fn whole(value: f64) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked first")]
    let number = (0.0..4e9).contains(&value).then(|| value.round() as u32);
    number
}

/// A registration's number: decimal text of at most 24 bits.
fn number_of(device: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(device).ok()?;
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|id| (1..=ID_MAX).contains(id))
}

/// The sequence of the first text to a radio: of our own number, so that a restarted station does not begin with the
/// number that it sent last.
pub(super) fn first_sequence(native: u32) -> u8 {
    super::dialogue::next_sequence(None, native)
}

fn terminal(id: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, id)
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX / UNIT_BITS)
}

fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}
