use super::dialogue::Sequences;
use super::settings::Settings;
use super::wire::ars::{Ars, Body as ArsBody};
use super::wire::lrrp::{Lrrp, Token, latitude, longitude};
use super::wire::tms::{Body as TmsBody, SEQUENCE_MAX, Tms, words};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{DatagramFramer, Framer};
use crate::message::{
    Addressee, Bearer, Content, Heard, NativeId, Order, Peer, Position, Rung, Signal, TerminalId, Utc,
};
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

const UNIT_BITS: u32 = 16;
const ID_MAX: u32 = 0x00FF_FFFF;
/// A radio acknowledges within seconds; a channel full of voice takes longer.
const ACK_WITHIN: Duration = Duration::from_secs(30);
/// An acknowledgement without a sequence answers a service availability; above every sequence.
const NO_SEQUENCE: u64 = 256;
/// The earliest year of a believable fix: cold radios report the year of their firmware's epoch.
const YEAR_MIN: u16 = 2020;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Trbo { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Trbo {
    settings: Settings,
}

/// One datagram, by its service.
enum Datagram {
    Ars(Ars),
    Tms(Tms),
    Lrrp(Lrrp),
}

impl Codec for Trbo {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Radio370,
            capacity_bits: Some(u32::from(self.settings.text_max) * UNIT_BITS),
            period: Some(self.settings.pace),
            charset: Charset::Utf16,
            feedback_within: None,
            delivery_within: Some(ACK_WITHIN),
            proves: Rung::Delivered,
            may_encrypt: true,
            may_relay: true,
            confirms: "单呼短信：对方电台自己回执（TMS），证明电台已收到，不证明有人看过。组呼短信没有回执，只知已交给本机电台。",
            source: "TMS as captured from radios: 280 characters, 138 on first-generation firmware; 140 and the pace chosen for a \
                     channel shared with voice; sequence of 5 bits",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(DatagramFramer::default())
    }

    fn decode(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        Ok(match self.service(frame, from)? {
            Datagram::Ars(ars) => self.registration(&ars, from),
            Datagram::Tms(tms) => self.text_service(&tms, from),
            Datagram::Lrrp(lrrp) => location(&lrrp, &number_of(from)),
        })
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let settings = &self.settings;
        match order {
            Order::Text { to, text, native, .. } => self.text(to, text, *native).map(|frame| vec![frame]),
            Order::AskPosition { of: Addressee::Terminal(of), native } => {
                let to = peer(settings.subnet, radio(of)?, settings.port_lrrp);
                Ok(vec![Outgoing { bytes: Lrrp::immediate(*native).emit(), to: Some(to) }])
            }
            Order::AskPresence { of } => {
                let to = peer(settings.subnet, radio(of)?, settings.port_ars);
                Ok(vec![Outgoing { bytes: Ars::query().emit()?, to: Some(to) }])
            }
            Order::AskPosition { .. } | Order::Payload { .. } | Order::AskCard | Order::AskStrength { .. } => {
                Err(EncodeError::Unsupported)
            }
        }
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        Ok(units(text).saturating_mul(UNIT_BITS))
    }

    fn acknowledge(&self, signal: &Signal) -> Option<Bytes> {
        match signal {
            Signal::Presence { registered_as: Some(_), .. } => {
                Ars::registered(self.settings.renew_half_hours).emit().ok()
            }
            Signal::Heard(heard) => Tms::ack(u8::try_from(heard.native?.id).ok()).emit().ok(),
            _ => None,
        }
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Sequences::default()))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        radio(to).is_ok()
    }
}

/// Reading.
impl Trbo {
    /// The service is told by the port, the same number on both sides; without one by whichever reads the bytes.
    fn service(&self, frame: &[u8], from: Option<Peer>) -> Result<Datagram, DecodeError> {
        let (tms, ars, lrrp) = (|| Tms::parse(frame), || Ars::parse(frame), || Lrrp::parse(frame));
        let port = from.map(|peer| peer.0.port());
        if port == Some(self.settings.port_tms) {
            return tms().map(Datagram::Tms);
        }
        if port == Some(self.settings.port_ars) {
            return ars().map(Datagram::Ars);
        }
        if port == Some(self.settings.port_lrrp) {
            return lrrp().map(Datagram::Lrrp);
        }
        tms().map(Datagram::Tms).or_else(|_| ars().map(Datagram::Ars)).or_else(|_| lrrp().map(Datagram::Lrrp))
    }

    fn registration(&self, ars: &Ars, from: Option<Peer>) -> Vec<Signal> {
        match &ars.body {
            ArsBody::Register { device, .. } => {
                let named = device.trim().parse().ok().filter(|id| *id <= ID_MAX);
                let of = named.map_or_else(|| number_of(from), |id| TerminalId::from_number(Bearer::Radio370, id));
                let mut signals = Vec::new();
                if named.is_some() && self.is_other(&of, from) {
                    signals.push(remark("登记来源地址不符", format!("{of} 从 {} 登记", number_of(from))));
                }
                let registered_as = Some(of.as_u32().unwrap_or_default());
                signals.insert(0, Signal::Presence { of, present: true, registered_as });
                signals
            }
            ArsBody::Leave => vec![Signal::Presence { of: number_of(from), present: false, registered_as: None }],
            ArsBody::Ack { success: true, extra: None } => {
                vec![Signal::Presence { of: number_of(from), present: true, registered_as: None }]
            }
            // What hosts say.
            ArsBody::Query | ArsBody::Ack { .. } => Vec::new(),
        }
    }

    /// Whether a datagram came from another radio's address; one outside the radios' subnet says nothing.
    fn is_other(&self, of: &TerminalId, from: Option<Peer>) -> bool {
        let Some(IpAddr::V4(ip)) = from.map(|peer| peer.0.ip()) else { return false };
        ip.octets().first() == Some(&self.settings.subnet) && number_of(from) != *of
    }

    fn text_service(&self, tms: &Tms, from: Option<Peer>) -> Vec<Signal> {
        let by = number_of(from);
        match &tms.body {
            // Which of our texts it was, the dialogue knows.
            TmsBody::Ack { sequence: Some(sequence) } => {
                vec![Signal::Delivery { by, native: u32::from(*sequence), delivered: true, code: 0 }]
            }
            TmsBody::Ack { sequence: None } => Vec::new(),
            TmsBody::Availability { .. } => vec![remark("短信业务就绪", by.to_string())],
            TmsBody::Text { sequence, text, .. } => {
                let (words, lossy) = words(text);
                let text = words.strip_prefix("\r\n").filter(|_| self.settings.crlf).unwrap_or(&words).to_owned();
                let id = sequence.map_or(NO_SEQUENCE, u64::from);
                let native = NativeId { id, repeats_within: self.settings.repeats_within };
                vec![Signal::Heard(Heard {
                    from: by,
                    // A datagram does not say for whom it was: it came to us.
                    to: Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 0)),
                    content: Content::Text { text, lossy },
                    native: tms.wants_ack().then_some(native),
                    part: None,
                    overheard: false,
                    sent_at: None,
                    damaged: false,
                })]
            }
        }
    }
}

/// Writing.
impl Trbo {
    fn text(&self, to: &Addressee, text: &str, native: u32) -> Result<Outgoing, EncodeError> {
        let settings = &self.settings;
        let (needed, capacity) = (units(text), u32::from(settings.text_max));
        if needed > capacity {
            return Err(EncodeError::TooLong { needed: needed * UNIT_BITS, capacity: capacity * UNIT_BITS });
        }
        let (subnet, number, wants_ack) = match to {
            Addressee::Terminal(id) => (settings.subnet, radio(id)?, true),
            Addressee::Group(id) => (settings.group_subnet, radio(id)?, false),
            Addressee::Everyone(_) => return Err(EncodeError::Unsupported),
        };
        // Our numbers go up over restarts, so a receiver never takes a new text for the last one.
        let sequence = u8::try_from(native % u32::from(SEQUENCE_MAX)).unwrap_or_default() + 1;
        let text = if settings.crlf { format!("\r\n{text}") } else { text.to_owned() };
        let bytes = Tms::text(sequence, &text, wants_ack).emit()?;
        Ok(Outgoing { bytes, to: Some(peer(subnet, number, settings.port_tms)) })
    }
}

fn location(lrrp: &Lrrp, of: &TerminalId) -> Vec<Signal> {
    let (mut position, mut at, mut result) = (None::<Position>, None, None);
    let (mut height, mut speed, mut course) = (None, None, None);
    for token in &lrrp.tokens {
        match token {
            Token::Point { lat, lon } => position = Position::from_degrees(latitude(*lat), longitude(*lon)),
            Token::Time(time) => at = utc(*time),
            Token::Result(code) => result = Some(*code),
            Token::AltitudeM(metres) => height = whole(metres * 10.0),
            Token::SpeedMps(speed_m) => speed = whole(speed_m * 100.0).and_then(|cm| u32::try_from(cm).ok()),
            Token::Heading(two) => course = Some(u16::from(*two) * 20 % 3_600),
            _ => {}
        }
    }
    match (position, result) {
        (Some(position), _) => {
            let (height_dm, speed_cm_s, course_ddeg) = (height, speed, course);
            let position = Position { height_dm, speed_cm_s, course_ddeg, at, ..position };
            vec![Signal::Position { of: of.clone(), position, emergency: false }]
        }
        (None, Some(code)) if code != 0 => vec![remark("无有效定位", format!("{of}：结果 {code}"))],
        _ => Vec::new(),
    }
}

fn utc([year, month, day, hour, minute, second]: [u16; 6]) -> Option<Utc> {
    let small = |value: u16| u8::try_from(value).ok();
    let at = Utc::from_civil(year, small(month)?, small(day)?, small(hour)?, small(minute)?, small(second)?);
    at.filter(|_| year >= YEAR_MIN)
}

/// A measured value as a whole number; `None` where it is out of all reason.
fn whole(value: f64) -> Option<i32> {
    #[expect(clippy::cast_possible_truncation, reason = "the range was just checked")]
    (value.abs() < 1e8).then(|| value.round() as i32)
}

/// The radio behind an address: its 24-bit number.
fn number_of(from: Option<Peer>) -> TerminalId {
    let id = match from.map(|peer| peer.0.ip()) {
        Some(IpAddr::V4(ip)) => ip.to_bits() & ID_MAX,
        _ => 0,
    };
    TerminalId::from_number(Bearer::Radio370, id)
}

fn radio(id: &TerminalId) -> Result<u32, EncodeError> {
    let number = id.as_u32().filter(|number| id.bearer == Bearer::Radio370 && *number <= ID_MAX);
    number.ok_or_else(|| EncodeError::Address(id.to_string()))
}

fn peer(subnet: u8, id: u32, port: u16) -> Peer {
    Peer(SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(u32::from(subnet) << 24 | id)), port))
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX / UNIT_BITS)
}

fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}
