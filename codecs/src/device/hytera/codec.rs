use super::fields::lp_name;
use super::framer::HrnpFramer;
use super::hrnp::HrnpDialogue;
use super::hstrp::HstrpDialogue;
use super::settings::{Carrier, Settings};
use super::wire::{
    Body, Dds, Gps, Hdap, Hrnp, HrnpKind, Hstrp, HstrpKind, Lp, OPTION_DEVICE, OPTION_SLOT, REGISTERED, RadioIp, Rrs,
    Tmp, TmpMessage, Utf16,
};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::{DatagramFramer, Framer};
use crate::message::{
    Addressee, Bearer, Content, Heard, NativeId, Order, OrderKind, Outcome, Peer, Rung, Signal, TerminalId,
};
use bytes::Bytes;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// Bits of one UTF-16 unit.
const UNIT_BITS: u32 = 16;
/// How long an ack of a text may take: the channel may be busy with voice, and the network itself tries again.
const ACK_WITHIN: Duration = Duration::from_secs(20);
/// The ninth byte of a position request, as most captures have it.
const A001_NINTH: u8 = 1;

/// The remark of a report that gives no position.
pub(super) const NO_POSITION: &str = "无有效定位";

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Hytera { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Hytera {
    settings: Settings,
}

impl Codec for Hytera {
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
            confirms: "单呼短信：由电台网络回执（TMP A2）证明对方电台已收到，不证明有人看过。组呼短信：只知已发射，谁收到不可知。",
            source: "Hytera data interface: TMP text limit 140 characters as its host programs set it; TMP A2, B2 results; \
                     pace and 20 s wait chosen for a slot of about 1600 bit/s shared with voice",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        match self.settings.carrier {
            Carrier::Hrnp => Box::new(HrnpFramer::default()),
            Carrier::Hdap | Carrier::Hstrp => Box::new(DatagramFramer::default()),
        }
    }

    fn decode(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        match self.settings.carrier {
            Carrier::Hdap => self.read_bare(frame, from),
            Carrier::Hrnp => self.read_hrnp(frame),
            Carrier::Hstrp => self.read_hstrp(frame),
        }
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let settings = &self.settings;
        match order {
            Order::Text { to, text, native, .. } => self.text(to, text, *native).map(|frame| vec![frame]),
            Order::AskPosition { of: Addressee::Terminal(of), native } => {
                let radio = self.radio(of)?;
                let extra = settings.a001_has_ninth.then_some(A001_NINTH);
                let ask = Lp::Request { request: *native, radio, extra };
                Ok(vec![self.to_radio(&ask.into(), radio, settings.port_lp)?])
            }
            Order::AskPresence { of } => {
                let radio = self.radio(of)?;
                // With the reliable bit, as the only known sample has it.
                let ask = Hdap { reliable: true, ..Rrs::StatusCheck { radio }.into() };
                Ok(vec![self.to_radio(&ask, radio, settings.port_rrs)?])
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
        let answer = match signal {
            Signal::Presence { registered_as: Some(address), .. } => Hdap::from(Rrs::RegisterAck {
                radio: RadioIp(*address),
                result: REGISTERED,
                renew_s: self.settings.renew_s,
            }),
            Signal::Heard(heard) if self.settings.acks_texts && !heard.overheard => self.text_ack(heard)?.into(),
            _ => return None,
        };
        answer.emit().ok()
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        match self.settings.carrier {
            Carrier::Hdap => None,
            Carrier::Hrnp => Some(Box::new(HrnpDialogue::new(self.settings.hrnp_version))),
            Carrier::Hstrp => Some(Box::new(HstrpDialogue::new(&self.settings))),
        }
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        self.radio(to).is_ok()
    }
}

/// Reading.
impl Hytera {
    fn read_bare(&self, frame: &[u8], from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        let mut signals = Vec::new();
        let (first, mut rest) = Hdap::parse(frame)?;
        self.check_end(&first, frame.len().saturating_sub(rest.len()))?;
        self.read(&first, from, &mut signals);
        // One frame a datagram is the rule; several are read, and a tail that is none is kept in words.
        while !rest.is_empty() {
            let Ok((next, after)) = Hdap::parse(rest) else {
                signals.push(remark("帧后有多余字节", hex::encode(rest)));
                break;
            };
            self.read(&next, from, &mut signals);
            rest = after;
        }
        Ok(signals)
    }

    /// The cable's own words (connect, accept, acks) are the dialogue's.
    fn read_hrnp(&self, bytes: &[u8]) -> Result<Vec<Signal>, DecodeError> {
        let (frame, _padding) = Hrnp::parse(bytes)?;
        match frame.kind {
            HrnpKind::Data if !frame.payload.is_empty() => self.read_bare(&frame.payload, None),
            HrnpKind::Reject => Ok(vec![remark("电台拒绝数据连接", hex::encode(bytes))]),
            HrnpKind::Close => Ok(vec![remark("电台关闭数据连接", hex::encode(bytes))]),
            _ => Ok(Vec::new()),
        }
    }

    fn read_hstrp(&self, bytes: &[u8]) -> Result<Vec<Signal>, DecodeError> {
        let datagram = Hstrp::parse(bytes)?;
        let mut signals = Vec::new();
        for frame in datagram.frames()? {
            self.check_end(&frame, bytes.len())?;
            self.read(&frame, None, &mut signals);
        }
        let what = match datagram.kind {
            HstrpKind::Connect if !datagram.ack => "中继连入",
            HstrpKind::Close if !datagram.ack => "中继断开",
            HstrpKind::Reject => "中继拒绝连接",
            _ => return Ok(signals),
        };
        let (device, slot) = (datagram.option(OPTION_DEVICE), datagram.option(OPTION_SLOT));
        let told = |number: Option<u64>| number.map_or_else(|| "未说".to_owned(), |number| number.to_string());
        signals.push(remark(what, format!("中继 {}，时隙 {}", told(device), told(slot))));
        Ok(signals)
    }
    fn check_end(&self, frame: &Hdap, length: usize) -> Result<(), DecodeError> {
        if self.settings.requires_end_03 && frame.end != super::wire::END {
            return Err(DecodeError::Field { field: "end", at: length.saturating_sub(1), expected: "03" });
        }
        Ok(())
    }

    fn read(&self, frame: &Hdap, from: Option<Peer>, signals: &mut Vec<Signal>) {
        match &frame.body {
            Body::Rrs(rrs) => self.read_rrs(rrs, from, signals),
            Body::Lp(lp) => self.read_lp(lp, signals),
            Body::Tmp(tmp) => self.read_tmp(tmp, signals),
            Body::Dds(dds) => signals.push(read_dds(dds)),
            Body::Rcp(rcp) => signals.extend(super::control::read(rcp, &self.settings)),
        }
    }

    fn read_rrs(&self, rrs: &Rrs, from: Option<Peer>, signals: &mut Vec<Signal>) {
        let of = terminal(rrs.radio());
        match rrs {
            Rrs::Register { radio } => {
                signals.push(Signal::Presence { of, present: true, registered_as: Some(radio.0) });
                signals.extend(self.source_differs(*radio, from));
            }
            Rrs::Offline { .. } => signals.push(Signal::Presence { of, present: false, registered_as: None }),
            Rrs::StatusCheckAnswer { state, .. } => {
                signals.push(Signal::Presence { of, present: *state == 0, registered_as: None });
            }
            // What hosts say: nothing is learnt of the radio.
            Rrs::RegisterAck { .. } | Rrs::StatusCheck { .. } => {}
        }
    }

    /// A registration that came from another radio's address. An address outside the radios' subnet (a base radio on
    /// USB, a translated address) says nothing about it.
    fn source_differs(&self, radio: RadioIp, from: Option<Peer>) -> Option<Signal> {
        let IpAddr::V4(ip) = from?.0.ip() else { return None };
        let source = RadioIp(ip.to_bits());
        (source.subnet() == radio.subnet() && source.id() != radio.id())
            .then(|| remark("登记来源地址不符", format!("{} 从 {ip} 登记", terminal(radio))))
    }

    fn read_lp(&self, lp: &Lp, signals: &mut Vec<Signal>) {
        match lp {
            Lp::Report { radio, result: 0, gps, .. } | Lp::TimedReport { radio, gps, .. } => {
                signals.push(self.position(*radio, gps, false).unwrap_or_else(|| no_fix(*radio, gps)));
            }
            Lp::Report { radio, result, .. } => {
                let detail = format!("{}：结果 {result}（{}）", terminal(*radio), location_result(*result));
                signals.push(remark(NO_POSITION, detail));
            }
            Lp::EmergencyReport { radio, gps, .. } => match self.position(*radio, gps, true) {
                Some(position) => signals.push(position),
                None => signals.extend([Signal::Emergency { of: terminal(*radio), on: true }, no_fix(*radio, gps)]),
            },
            Lp::Opaque { opcode, payload } => {
                signals.push(remark(
                    "未公开格式的定位帧",
                    format!("{} {opcode:04x} {}", lp_name(*opcode), hex::encode(payload)),
                ));
            }
            Lp::Request { .. } | Lp::TimedRequest { .. } | Lp::ConditionRequest { .. } => {}
        }
    }

    fn position(&self, radio: RadioIp, gps: &Gps, emergency: bool) -> Option<Signal> {
        let position = gps.position(self.settings.speed_unit)?;
        Some(Signal::Position { of: terminal(radio), position, emergency })
    }

    fn read_tmp(&self, tmp: &Tmp, signals: &mut Vec<Signal>) {
        signals.push(match &tmp.message {
            TmpMessage::PrivateText { request, to, from, text } => self.private(*request, *to, *from, self.words(text)),
            TmpMessage::GroupText { request, to, from, text } => self.group(*request, *to, *from, self.words(text)),
            TmpMessage::PrivateData { request, to, from, data } => {
                self.private(*request, *to, *from, Content::Opaque(data.clone()))
            }
            TmpMessage::GroupData { request, to, from, data } => {
                self.group(*request, *to, *from, Content::Opaque(data.clone()))
            }
            // The called radio is the destination: acks echo the text's two addresses, their subnet bytes may be 0 and
            // the source was once seen wrong.
            TmpMessage::PrivateAck { request, to, result, .. }
            | TmpMessage::PrivateDataAck { request, to, result, .. } => {
                let code = u16::from(*result);
                Signal::Delivery { by: terminal(*to), native: *request, delivered: code == 0, code }
            }
            TmpMessage::GroupAck { result, .. } | TmpMessage::GroupDataAck { result, .. } => {
                Signal::Feedback { about: Some(OrderKind::Send), outcome: group_outcome(*result) }
            }
            TmpMessage::WorkOrder { service, payload } => {
                remark("工单", format!("{service:02x} {}", hex::encode(payload)))
            }
        });
    }

    fn private(&self, request: u32, to: RadioIp, from: RadioIp, content: Content) -> Signal {
        let base = self.settings.base_radio;
        let overheard = base != 0 && to.id() != base;
        Signal::Heard(self.heard(request, Addressee::Terminal(terminal(to)), from, content, overheard))
    }

    fn group(&self, request: u32, to: RadioIp, from: RadioIp, content: Content) -> Signal {
        Signal::Heard(self.heard(request, Addressee::Group(terminal(to)), from, content, false))
    }

    fn heard(&self, request: u32, to: Addressee, from: RadioIp, content: Content, overheard: bool) -> Heard {
        let native = Some(NativeId { id: u64::from(request), repeats_within: self.settings.repeats_within });
        Heard { from: terminal(from), to, content, native, part: None, overheard, sent_at: None, damaged: false }
    }

    fn words(&self, text: &Utf16) -> Content {
        let (words, lossy) = text.text();
        let text = match words.strip_prefix("\r\n") {
            Some(stripped) if self.settings.strips_crlf => stripped.to_owned(),
            _ => words,
        };
        Content::Text { text, lossy }
    }
}

/// Writing.
impl Hytera {
    fn text(&self, to: &Addressee, text: &str, native: u32) -> Result<Outgoing, EncodeError> {
        let settings = &self.settings;
        let (needed, capacity) = (units(text), u32::from(settings.text_max));
        if needed > capacity {
            return Err(EncodeError::TooLong { needed: needed * UNIT_BITS, capacity: capacity * UNIT_BITS });
        }
        let (from, text) = (settings.base(), Utf16::from(text));
        match to {
            Addressee::Terminal(id) => {
                let to = self.radio(id)?;
                let message = TmpMessage::PrivateText { request: native, to, from, text };
                let frame = Tmp { flag_7: settings.sends_flag_7, ..message.into() };
                self.to_radio(&frame.into(), to, settings.port_tmp)
            }
            Addressee::Group(id) => {
                // A group number stands alone: it is no address of our subnet.
                let to = RadioIp(self.radio(id)?.id());
                let message = TmpMessage::GroupText { request: native, to, from, text };
                let bytes = Hdap::from(Tmp::from(message)).emit()?;
                if settings.carrier != Carrier::Hdap {
                    return Ok(bytes.into());
                }
                let peer = settings.base_peer(settings.port_tmp);
                let peer = peer.ok_or_else(|| EncodeError::Address(format!("{id}: no base_radio or base_ip told")))?;
                Ok(Outgoing { bytes, to: Some(peer) })
            }
            Addressee::Everyone(_) => Err(EncodeError::Unsupported),
        }
    }

    /// Bare HDAP goes to the radio's own address. Inside a carrier the dialogue knows where it goes.
    fn to_radio(&self, frame: &Hdap, radio: RadioIp, port: u16) -> Result<Outgoing, EncodeError> {
        let peer = Peer(SocketAddr::new(IpAddr::V4(radio.ip()), port));
        let to = (self.settings.carrier == Carrier::Hdap).then_some(peer);
        Ok(Outgoing { bytes: frame.emit()?, to })
    }

    fn radio(&self, id: &TerminalId) -> Result<RadioIp, EncodeError> {
        let number = id.as_u32().filter(|_| id.bearer == Bearer::Radio370);
        let radio = number.and_then(|number| self.settings.radio(number));
        radio.ok_or_else(|| EncodeError::Address(id.to_string()))
    }

    /// The ack of a message to us alone: the same two addresses, result 0. Group messages have none.
    fn text_ack(&self, heard: &Heard) -> Option<Tmp> {
        let Addressee::Terminal(to) = &heard.to else { return None };
        let request = u32::try_from(heard.native?.id).ok()?;
        let (to, from) = (self.radio(to).ok()?, self.radio(&heard.from).ok()?);
        Some(Tmp::from(match heard.content {
            Content::Text { .. } => TmpMessage::PrivateAck { request, to, from, result: 0 },
            Content::Opaque(_) => TmpMessage::PrivateDataAck { request, to, from, result: 0 },
        }))
    }
}

fn terminal(radio: RadioIp) -> TerminalId {
    TerminalId::from_number(Bearer::Radio370, radio.id())
}

fn units(text: &str) -> u32 {
    u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX / UNIT_BITS)
}

fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}

fn no_fix(radio: RadioIp, gps: &Gps) -> Signal {
    let status = if gps.is_valid() { "标为有效，但坐标不成立" } else { "未定位" };
    remark(NO_POSITION, format!("{}：{status}", terminal(radio)))
}

const fn location_result(result: u16) -> &'static str {
    match result {
        super::wire::RESULT_NO_POSITION => "无定位",
        105 => "格式错",
        _ => "未知原因",
    }
}

/// A delivery state carries no request id, so it proves nothing about one message of ours; texts have their own ack.
fn read_dds(dds: &Dds) -> Signal {
    let outcome = if dds.result == 0 { "已送达" } else { "未送达" };
    let detail = format!(
        "{}：{} {:04x} {outcome}，结果 {}",
        terminal(dds.radio),
        dds.about.name(),
        dds.about_opcode,
        dds.result
    );
    remark("投递状态", detail)
}

/// What a group ack says: codes of the vendor's listing, of which some have a word of their own here.
fn group_outcome(result: u8) -> Outcome {
    match result {
        0 => Outcome::Radiated,
        6 => Outcome::LowBattery,
        3 => Outcome::CorruptCommand,
        code => Outcome::Refused { code: u16::from(code) },
    }
}
