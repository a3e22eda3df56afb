use super::dialogue::KissDialogue;
use super::fields::monitor_line;
use super::framer::KissFramer;
use super::settings::Settings;
use super::wire::ax25::{INFO_MAX, NO_LAYER_3};
use super::wire::extension::Extension;
use super::wire::kiss::DATA;
use super::wire::{Aprs, Ax25, Bulletin, Call, Kiss, Message, Place, aprs};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::Framer;
use crate::message::{Addressee, Bearer, Content, Heard, NativeId, Order, Peer, Position, Rung, Signal, TerminalId};
use bytes::Bytes;

const BYTE_BITS: u32 = 8;
/// Message numbers have five digits of base 36.
const NUMBERS: u32 = 36_u32.pow(5);
/// A word that some programs send in place of an alarm key.
const EMERGENCY: &str = "EMERGENCY";
/// What a rejected message is reported with.
const REJECTED: u16 = 1;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(KissCodec { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct KissCodec {
    settings: Settings,
}

impl Codec for KissCodec {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Mesh,
            capacity_bits: Some(self.settings.text_max.saturating_mul(BYTE_BITS)),
            period: Some(self.settings.pace),
            charset: Charset::Utf8,
            feedback_within: None,
            delivery_within: Some(self.settings.ack_within),
            proves: Rung::Delivered,
            // Amateur bands forbid what others cannot read. Emergency traffic of others may be passed on, by the
            // licence of the operator, whose duty it is.
            may_encrypt: false,
            may_relay: true,
            confirms: "单呼：对方电台自动回执（ack）证明对方机器已收到，不证明有人看过；听到中继台转发只说明已转发。\
                       通告：只知已交给 TNC，是否发出、谁收到均不可知。明文发送，人人可听。",
            source: "APRS Protocol Reference 1.0.1, chapter 14: 67 characters (here of Chinese, 3 bytes each), no answer \
                     from a KISS TNC; pace and 40 s wait chosen for a shared 1200 bit/s channel with two hops",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(KissFramer::default())
    }

    fn decode(&self, frame: &[u8], _: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        let kiss = Kiss::parse(frame)?;
        if kiss.command != DATA {
            return Ok(vec![remark("TNC 命令帧", format!("{:x} {}", kiss.command, hex::encode(&kiss.data)))]);
        }
        let heard = Ax25::parse(&kiss.data)?;
        if !heard.is_ui() || heard.pid != Some(NO_LAYER_3) {
            let detail = format!("{}>{} {} {}", heard.from, heard.to, heard.name(), hex::encode(&heard.info));
            return Ok(vec![remark("非 APRS 分组", detail)]);
        }
        let aprs = Aprs::parse(heard.to.name(), &heard.info)?;
        if self.settings.own.as_ref() == Some(&heard.from) {
            return Ok(echo(&heard, &aprs));
        }
        Ok(self.read(&heard.from, &aprs))
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let info = match order {
            Order::Text { to, text, native, .. } => self.text(to, text, *native)?,
            Order::AskPosition { of: Addressee::Terminal(of), .. } => Message {
                to: callsign(of)?.to_string(),
                text: "?APRSP".into(),
                lossy: false,
                number: None,
                reply_ack: None,
            }
            .emit(),
            _ => return Err(EncodeError::Unsupported),
        };
        let needed = u32::try_from(info.len()).unwrap_or(u32::MAX);
        if info.len() > INFO_MAX {
            let capacity = u32::try_from(INFO_MAX).unwrap_or(u32::MAX).saturating_mul(BYTE_BITS);
            return Err(EncodeError::TooLong { needed: needed.saturating_mul(BYTE_BITS), capacity });
        }
        Ok(vec![Outgoing::from(self.frame(self.own()?, info))])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        if let Some(wrong) = text.chars().find(|c| is_unlawful(*c)) {
            return Err(EncodeError::Charset(wrong));
        }
        Ok(u32::try_from(text.len()).unwrap_or(u32::MAX).saturating_mul(BYTE_BITS))
    }

    /// An ack for a numbered message to us.
    fn acknowledge(&self, signal: &Signal) -> Option<Bytes> {
        let Signal::Heard(Heard { from, to: Addressee::Terminal(to), native: Some(native), overheard: false, .. }) =
            signal
        else {
            return None;
        };
        let own = self.settings.own.as_ref().filter(|own| own.to_string() == to.number())?;
        let number = number_of(native.id)?;
        Some(self.frame(own, aprs::emit_ack(&callsign(from).ok()?, &number)))
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        let own = self.settings.own.as_ref().map(terminal);
        let capacity = self.settings.text_max.saturating_mul(BYTE_BITS);
        Some(Box::new(KissDialogue::new(own, self.settings.pace, capacity)))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == Bearer::Mesh && callsign(to).is_ok()
    }
}

/// Reading.
impl KissCodec {
    fn read(&self, from: &Call, aprs: &Aprs) -> Vec<Signal> {
        match aprs {
            Aprs::Position { place, more, .. } => placed(from, place, more, is_alarm(&more.comment)),
            Aprs::MicE(report) => {
                let more = Extension {
                    course: report.place.course,
                    speed_knots: report.place.speed_knots,
                    altitude_ft: report.place.altitude_ft,
                    ..Extension::default()
                };
                let alarm = report.is_emergency() || is_alarm(&report.comment);
                let mut signals = placed(from, &report.place, &more, alarm);
                if !report.comment.is_empty() {
                    signals.push(remark("位置附言", format!("{from} {}", report.comment)));
                }
                signals
            }
            Aprs::Message(message) => self.message(from, message),
            Aprs::Ack { to, number } => self.answer(from, to, number, true),
            Aprs::Rej { to, number } => self.answer(from, to, number, false),
            Aprs::Bulletin(bulletin) => vec![bulletin_heard(from, bulletin)],
            Aprs::Object { name, alive, place, more, .. } | Aprs::Item { name, alive, place, more } => {
                let state = if *alive { "" } else { "（撤除）" };
                let detail = format!("{name}{state} {:.5},{:.5} {} 由 {from}", place.lat, place.lon, more.comment);
                vec![remark("【标点】", detail)]
            }
            Aprs::Status { text, .. } => {
                let mut signals = vec![remark("状态", format!("{from} {text}"))];
                signals.extend(is_alarm(text).then(|| Signal::Emergency { of: terminal(from), on: true }));
                signals
            }
            Aprs::Telemetry { sequence, analog, digital, .. } => {
                vec![remark("遥测", format!("{from} {sequence} {analog:?} {digital}"))]
            }
            Aprs::Query { query, rest } => vec![remark("查询", format!("{from} {query} {rest}"))],
            Aprs::ThirdParty { frame } => self.third_party(from, frame),
        }
    }

    /// A frame that a gate brought in. Messages in it count as from their own sender; a gate in a gate is not opened.
    fn third_party(&self, gate: &Call, frame: &[u8]) -> Vec<Signal> {
        let inner = monitor_line(frame).ok().and_then(|(source, path, info)| {
            let destination = path.first().and_then(|word| word.split('-').next()).unwrap_or_default();
            Some((source.parse::<Call>().ok()?, Aprs::parse(destination, info).ok()?))
        });
        match inner {
            Some((_, Aprs::ThirdParty { .. })) | None => {
                vec![remark("外网转入", format!("{gate} {}", String::from_utf8_lossy(frame)))]
            }
            Some((source, _)) if self.settings.own.as_ref() == Some(&source) => Vec::new(),
            Some((source, aprs)) => self.read(&source, &aprs),
        }
    }

    fn is_own(&self, to: &str) -> bool {
        self.settings.own.as_ref().is_some_and(|own| own.to_string() == to)
    }

    fn message(&self, from: &Call, message: &Message) -> Vec<Signal> {
        let mine = self.is_own(&message.to);
        let mut signals = Vec::new();
        if let Some(number) = message.reply_ack.as_deref().filter(|_| mine).and_then(native_of) {
            signals.push(Signal::Delivery { by: terminal(from), native: number, delivered: true, code: 0 });
        }
        // A question to a machine is no message to a person.
        if message.text.starts_with('?') && message.number.is_none() {
            signals.push(remark("查询", format!("{from} → {} {}", message.to, message.text)));
            return signals;
        }
        if is_alarm(&message.text) {
            signals.push(Signal::Emergency { of: terminal(from), on: true });
        }
        let native = message.number.as_deref().and_then(id_of);
        signals.push(Signal::Heard(Heard {
            from: terminal(from),
            to: Addressee::Terminal(TerminalId::new(Bearer::Mesh, &message.to)),
            content: Content::Text { text: message.text.clone(), lossy: message.lossy },
            native: native.map(|id| NativeId { id, repeats_within: self.settings.repeats_within }),
            part: None,
            overheard: !mine,
            sent_at: None,
            damaged: false,
        }));
        signals
    }

    fn answer(&self, from: &Call, to: &str, number: &str, delivered: bool) -> Vec<Signal> {
        match native_of(number) {
            Some(native) if self.is_own(to) => {
                let code = if delivered { 0 } else { REJECTED };
                vec![Signal::Delivery { by: terminal(from), native, delivered, code }]
            }
            _ => vec![remark("回执", format!("{from} → {to} {}{number}", if delivered { "ack" } else { "rej" }))],
        }
    }
}

/// Writing.
impl KissCodec {
    fn own(&self) -> Result<&Call, EncodeError> {
        let not_told = || EncodeError::Address("own callsign not told: set `own` in the link's profile".into());
        self.settings.own.as_ref().ok_or_else(not_told)
    }

    fn frame(&self, own: &Call, info: String) -> Bytes {
        let Settings { tocall, path, kiss_port, .. } = &self.settings;
        Kiss::data(*kiss_port, Ax25::ui(own.clone(), tocall.clone(), path, info.into()).emit()).emit()
    }

    fn text(&self, to: &Addressee, text: &str, native: u32) -> Result<String, EncodeError> {
        let (needed, capacity) = (self.measure(text)?, self.settings.text_max.saturating_mul(BYTE_BITS));
        if needed > capacity {
            return Err(EncodeError::TooLong { needed, capacity });
        }
        let text = text.replace(['\r', '\n'], " ");
        match to {
            Addressee::Terminal(to) => {
                let number = Some(number(native));
                Ok(Message { to: callsign(to)?.to_string(), text, lossy: false, number, reply_ack: None }.emit())
            }
            // Lines of one bulletin have different digits: the same one again would replace the line before.
            Addressee::Everyone(Bearer::Mesh) => {
                let line = char::from_digit(native % 10, 10).unwrap_or('0');
                Ok(aprs::emit_bulletin(line, &text))
            }
            Addressee::Group(id) => {
                let line = id.number().strip_prefix("BLN").filter(|_| id.bearer == Bearer::Mesh);
                let mut letters = line.unwrap_or_default().chars();
                match (letters.next(), letters.next()) {
                    (Some(line), None) if line.is_ascii_alphanumeric() => Ok(aprs::emit_bulletin(line, &text)),
                    _ => Err(EncodeError::Address(id.to_string())),
                }
            }
            Addressee::Everyone(_) => Err(EncodeError::Unsupported),
        }
    }
}

/// What the protocol reserves inside a text, and what no screen shows.
const fn is_unlawful(c: char) -> bool {
    matches!(c, '{' | '|' | '~' | '\0'..='\x09' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\x7F')
}

/// Our own frame heard back: when a digipeater has repeated it, that is known now.
fn echo(heard: &Ax25, aprs: &Aprs) -> Vec<Signal> {
    match aprs {
        Aprs::Message(Message { number: Some(number), .. }) if heard.is_repeated() => {
            native_of(number).map(|native| Signal::Progress { native, rung: Rung::Repeated }).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn bulletin_heard(from: &Call, bulletin: &Bulletin) -> Signal {
    let to = match &bulletin.group {
        None => Addressee::Everyone(Bearer::Mesh),
        Some(group) => Addressee::Group(TerminalId::new(Bearer::Mesh, &format!("BLN{}{group}", bulletin.id))),
    };
    let content = Content::Text { text: bulletin.text.clone(), lossy: bulletin.lossy };
    let from = terminal(from);
    Signal::Heard(Heard {
        from,
        to,
        content,
        native: None,
        part: None,
        overheard: false,
        sent_at: None,
        damaged: false,
    })
}

fn placed(from: &Call, place: &Place, more: &Extension, emergency: bool) -> Vec<Signal> {
    let mut signals = Vec::new();
    // A latitude and longitude of exactly nothing is a receiver without a fix.
    let fix = Position::from_degrees(place.lat, place.lon).filter(|_| place.lat != 0.0 || place.lon != 0.0);
    match fix {
        Some(position) => {
            let position = Position {
                height_dm: more.altitude_ft.and_then(|feet| whole(feet * 3.048)),
                speed_cm_s: more.speed_knots.and_then(|knots| whole(knots * 51.444)),
                // 0 is unknown, north is 360.
                course_ddeg: more.course.filter(|c| *c != 0).map(|course| (course % 360).saturating_mul(10)),
                ..position
            };
            signals.push(Signal::Position { of: terminal(from), position, emergency });
        }
        None => {
            signals.extend(emergency.then(|| Signal::Emergency { of: terminal(from), on: true }));
            signals.push(remark("无有效定位", format!("{from} {},{}", place.lat, place.lon)));
        }
    }
    if place.ambiguity > 0 {
        signals.push(remark("位置有意模糊", format!("{from} 隐去 {} 位", place.ambiguity)));
    }
    if !more.comment.is_empty() {
        signals.push(remark("位置附言", format!("{from} {}", more.comment)));
    }
    signals
}

fn whole<T: TryFrom<i64>>(value: f64) -> Option<T> {
    #[expect(clippy::cast_possible_truncation, reason = "a float saturates, and the range is checked after it")]
    let value = value.round() as i64;
    T::try_from(value).ok()
}

fn is_alarm(text: &str) -> bool {
    text.match_indices('!').any(|(at, _)| {
        let word = text.get(at.saturating_add(1)..).and_then(|rest| rest.split_once('!'));
        word.is_some_and(|(word, _)| word.eq_ignore_ascii_case(EMERGENCY))
    })
}

fn terminal(call: &Call) -> TerminalId {
    TerminalId::new(Bearer::Mesh, &call.to_string())
}

/// A callsign that is one: three to six characters with a digit and a letter, and nothing of another family's numbers.
fn callsign(id: &TerminalId) -> Result<Call, EncodeError> {
    let wrong = || EncodeError::Address(id.to_string());
    let call: Call = id.number().parse().map_err(|_| wrong())?;
    let has = |kind: fn(&u8) -> bool| call.name().as_bytes().iter().any(kind);
    let lawful = call.name().len() >= 3 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    if lawful && id.bearer == Bearer::Mesh { Ok(call) } else { Err(wrong()) }
}

/// The number that an ack will name: five digits of base 36.
pub(super) fn number(native: u32) -> String {
    let mut rest = native % NUMBERS;
    let mut digits = Vec::new();
    for _ in 0..5 {
        digits.push(char::from_digit(rest % 36, 36).unwrap_or('0').to_ascii_uppercase());
        rest /= 36;
    }
    digits.iter().rev().collect()
}

/// What of our number an ack can name; the dialogue knows the rest. Numbers of another length are not ours.
fn native_of(number: &str) -> Option<u32> {
    (number.len() == 5).then(|| u32::from_str_radix(number, 36).ok())?
}

/// The short form of one of our numbers, as acks name it.
pub(super) const fn short(native: u32) -> u32 {
    native % NUMBERS
}

/// A message number of up to five characters, kept whole in the id so that the ack can name it.
fn id_of(number: &str) -> Option<u64> {
    let fits = (1..=5).contains(&number.len());
    fits.then(|| number.bytes().fold(0, |id, byte| id << 8 | u64::from(byte)))
}

fn number_of(id: u64) -> Option<String> {
    let bytes = id.to_be_bytes();
    let text = bytes.iter().skip_while(|byte| **byte == 0).map(|byte| char::from(*byte)).collect::<String>();
    ((1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())).then_some(text)
}

fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}
