use super::dialogue::Conversation;
use super::framer::PeiFramer;
use super::settings::Settings;
use super::wire::sds::read_text;
use super::wire::{Coding, HostLine, Indication, Location, RadioLine, Sds, Transfer};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::Framer;
use crate::message::{Addressee, Bearer, Content, Heard, NativeId, Order, Part, Peer, Rung, Signal, TerminalId};
use bytes::Bytes;
use std::time::Duration;

/// PID, message type, reference and coding.
const HEADER_BITS: u32 = 32;
const TEXT_PID: u8 = 0x82;
/// The called radio may be out of reach; the network stores and tries for a while.
const REPORT_WITHIN: Duration = Duration::from_secs(60);
/// References count to 255; a radio repeats within seconds where our report is lost.
const REPEATS_WITHIN: Duration = Duration::from_secs(300);
/// The highest short number; also the number of everyone.
const SHORT_MAX: u32 = 0x00FF_FFFF;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Pei { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Pei {
    settings: Settings,
}

/// Whether the radio can be told this number: a short one of 24 bits, or a long one of 15 digits.
pub(super) fn is_number(number: &str) -> bool {
    let is_long = number.len() == 15 && number.bytes().all(|b| b.is_ascii_digit());
    is_long || number.parse::<u32>().is_ok_and(|short| short <= SHORT_MAX)
}

impl Codec for Pei {
    fn limits(&self) -> Limits {
        let reports = self.settings.asks_report;
        Limits {
            bearer: Bearer::Radio370,
            capacity_bits: Some(self.settings.text_bits_max.saturating_sub(HEADER_BITS)),
            period: Some(self.settings.pace),
            charset: if self.settings.is_ucs2 { Charset::Utf16 } else { Charset::Ascii },
            feedback_within: None,
            delivery_within: reports.then_some(REPORT_WITHIN),
            proves: if reports { Rung::Delivered } else { Rung::Radiated },
            may_encrypt: true,
            may_relay: true,
            confirms: if reports {
                "单呼短信：对方电台的 SDS-TL 回执证明电台已收到，不证明有人看过。网络接收（+CMGS 状态 4）只算已发出。\
                 组呼短信无回执，谁收到不可知。"
            } else {
                "未要求回执：最多知道网络已接收（+CMGS 状态 4），对方是否收到不可知。"
            },
            source: "PEI capability reply of one radio: 8 to 1184 bits a message; SDS-TL reports by EN 300 392-2 clause 29; \
                     pace and 60 s wait chosen for a channel shared with voice, which blocks data for over 40 s",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(PeiFramer::default())
    }

    fn decode(&self, frame: &[u8], _: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        match RadioLine::parse(frame)? {
            RadioLine::Indication(indication) => self.read(&indication),
            RadioLine::Other { name, rest } if !EXPECTED.contains(&name.as_str()) => {
                Ok(vec![remark("电台提示", format!("{name}: {rest}"))])
            }
            _ => Ok(Vec::new()),
        }
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let Order::Text { to, text, native, .. } = order else { return Err(EncodeError::Unsupported) };
        let (number, is_group) = match to {
            Addressee::Terminal(id) => (self.address(id)?, false),
            Addressee::Group(id) => (self.address(id)?, true),
            Addressee::Everyone(Bearer::Radio370) => (SHORT_MAX.to_string(), true),
            Addressee::Everyone(other) => return Err(EncodeError::Address(other.to_string())),
        };
        let coding = self.coding();
        let [.., reference] = native.to_be_bytes();
        let text = coding.write(text).map_err(EncodeError::Charset)?;
        let transfer = Transfer {
            pid: TEXT_PID,
            wants: u8::from(self.settings.asks_report && !is_group),
            short_form: false,
            forward: None,
            reference,
            coding: coding.code(),
            timestamp: None,
            part: None,
            text,
        };
        let bytes = Sds::Transfer(transfer).emit();
        let bits = bits_of(&bytes);
        if bits > self.settings.text_bits_max {
            let capacity = self.settings.text_bits_max.saturating_sub(HEADER_BITS);
            return Err(EncodeError::TooLong { needed: bits.saturating_sub(HEADER_BITS), capacity });
        }
        Ok(vec![send(&number, &bytes).into()])
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        self.coding().write(text).map(|bytes| bits_of(&bytes)).map_err(EncodeError::Charset)
    }

    fn acknowledge(&self, signal: &Signal) -> Option<Bytes> {
        let Signal::Heard(Heard { from, native: Some(native), overheard: false, to: Addressee::Terminal(_), .. }) =
            signal
        else {
            return None;
        };
        let [.., pid, wants, reference] = native.id.to_be_bytes();
        let is_askable = wants & 3 != 0 && is_number(from.number());
        // Receipt is all that we know, whatever was asked: nobody has read it yet.
        let report = Sds::Report { pid, ack_required: false, status: 0, reference };
        is_askable.then(|| send(from.number(), &report.emit()))
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Conversation::new(self.settings.clone())))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        to.bearer == Bearer::Radio370 && is_number(to.number())
    }
}

/// Results and indications that come in the ordinary way and say nothing to a person.
const EXPECTED: [&str; 12] =
    ["+CTTCT", "+CTOM", "+CTSP", "+CTSDS", "+CTICN", "+CTOCP", "+CTCC", "+CTCR", "+CDTXC", "+CTXG", "+CTXN", "+CTGS"];

fn bits_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8)
}

/// The whole exchange of one send.
pub(super) fn send(to: &str, bytes: &[u8]) -> Bytes {
    HostLine::Send { to: to.into(), bits: bits_of(bytes), hex: hex::encode_upper(bytes) }.emit().into()
}

const fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}

/// What becomes of a message by its report's status (EN 300 392-2 table 29.16 as publicly known).
pub(super) const fn status_word(status: u8) -> &'static str {
    match status {
        0 => "已收到",
        2 => "已读取",
        4 => "已转到外部网络",
        5 => "已发往组，不再回执",
        6 => "分段已收到",
        0x20..=0x3F => "网络暂存，尚未送达",
        0x40 => "网络过载",
        0x41 | 0x42 => "业务不可用",
        0x43 | 0x44 => "无权限",
        0x48 | 0x49 => "有效期已过",
        0x4A => "投递失败",
        0x4B => "对方未登记",
        0x4C => "排队已满",
        0x4D => "电文过长",
        0x45..=0x47 | 0x4E..=0x7F => "未送达",
        _ => "其他状态",
    }
}

impl Pei {
    const fn coding(&self) -> Coding {
        if self.settings.is_ucs2 { Coding::Ucs2 } else { Coding::Latin1 }
    }

    fn address(&self, id: &TerminalId) -> Result<String, EncodeError> {
        if self.reaches(id) { Ok(id.number().to_owned()) } else { Err(EncodeError::Address(id.to_string())) }
    }

    fn terminal(&self, written: &str) -> TerminalId {
        TerminalId::new(Bearer::Radio370, self.settings.number(written))
    }

    fn read(&self, indication: &Indication) -> Result<Vec<Signal>, DecodeError> {
        let bytes = indication.bytes();
        if bytes.is_empty() {
            return Err(DecodeError::Content { declared: usize::try_from(indication.bits).unwrap_or(0), present: 0 });
        }
        let of = indication.calling.as_deref().map(|calling| self.terminal(calling));
        let Some(of) = of else {
            return Ok(vec![remark("无主叫号码的短数据", indication.hex.clone())]);
        };
        match (indication.service, bytes.as_slice()) {
            (13, [high, low]) => Ok(self.status(indication, of, u16::from_be_bytes([*high, *low]))),
            (12, _) if bytes.first() == Some(&super::wire::lip::PID) => location(of, &indication.hex),
            (12, _) => self.short_data(indication, of, &bytes),
            (service, _) => Ok(vec![remark("未识别的短数据业务", format!("{of}：业务 {service} {}", indication.hex))]),
        }
    }

    fn heard(&self, indication: &Indication, from: TerminalId, content: Content) -> Heard {
        Heard {
            from,
            to: Addressee::Terminal(self.terminal(&indication.called)),
            content,
            native: None,
            part: None,
            overheard: false,
            sent_at: None,
            damaged: false,
        }
    }

    fn status(&self, indication: &Indication, of: TerminalId, status: u16) -> Vec<Signal> {
        if status == self.settings.status_sos {
            return vec![Signal::Emergency { of, on: true }];
        }
        if let Some((report, reference)) = super::wire::short_report(status) {
            let delivered = report >= 2;
            return vec![Signal::Delivery { by: of, native: reference.into(), delivered, code: report.into() }];
        }
        let content = Content::Text { text: format!("状态 {status}"), lossy: false };
        vec![Signal::Heard(self.heard(indication, of, content))]
    }

    fn short_data(&self, indication: &Indication, of: TerminalId, bytes: &[u8]) -> Result<Vec<Signal>, DecodeError> {
        let signal = match Sds::parse(bytes)? {
            Sds::Simple { coding, text, .. } => {
                let (text, lossy) = read_text(coding, &text);
                Signal::Heard(self.heard(indication, of, Content::Text { text, lossy }))
            }
            Sds::Transfer(transfer) => {
                let (text, lossy) = read_text(transfer.coding, &transfer.text);
                let id = u64::from_be_bytes([0, 0, 0, 0, 0, transfer.pid, transfer.wants, transfer.reference]);
                Signal::Heard(Heard {
                    native: Some(NativeId { id, repeats_within: REPEATS_WITHIN }),
                    part: transfer.part.map(|(reference, total, number)| Part {
                        reference: reference.into(),
                        number,
                        total,
                    }),
                    ..self.heard(indication, of, Content::Text { text, lossy })
                })
            }
            Sds::Report { status, reference, .. } => report(of, status, reference.into()),
            Sds::Ack { status, reference, .. } => {
                remark("回执已被确认", format!("{of}：状态 {status}，编号 {reference}"))
            }
            Sds::Other { pid, .. } => remark("未识别的短数据协议", format!("{of}：PID {pid:02X} {}", indication.hex)),
        };
        Ok(vec![signal])
    }
}

/// Receipt and reading prove that the radio has it; "stored" and "passed on" only that the network took it.
fn report(by: TerminalId, status: u8, native: u32) -> Signal {
    match status {
        0 | 2 | 6 => Signal::Delivery { by, native, delivered: true, code: status.into() },
        0x40..=0x7F => Signal::Delivery { by, native, delivered: false, code: status.into() },
        4 | 5 | 0x20..=0x3F => Signal::Progress { native, rung: Rung::Radiated },
        _ => remark("回执状态不明", format!("{by}：状态 {status}，编号 {native}")),
    }
}

fn location(of: TerminalId, digits: &str) -> Result<Vec<Signal>, DecodeError> {
    Ok(match Location::parse(digits)? {
        Location::Other(kind) => vec![remark("未解的定位长报告", format!("{of}：类型 {kind} {digits}"))],
        Location::Short(short) => match short.position() {
            Some(position) => vec![Signal::Position { of, position, emergency: short.is_emergency() }],
            None if short.is_emergency() => vec![Signal::Emergency { of, on: true }],
            None => vec![remark("无有效定位", of.to_string())],
        },
    })
}
