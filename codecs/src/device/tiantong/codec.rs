use super::dialogue::Phone;
use super::framer::AtFramer;
use super::settings::{Settings, is_number};
use super::wire::pdu::Message;
use super::wire::{
    Alphabet, At, Concat, Deliver, Packed, Pdu, Report, Submit, UserData, alphabet, cme_words, cms_words, report_words,
};
use crate::codec::{Charset, Codec, DecodeError, Dialogue, EncodeError, Limits, Outgoing, Profile, ProfileError};
use crate::frame::Framer;
use crate::message::{
    Addressee, Bearer, CardInfo, CardState, Content, Heard, NativeId, Order, Part, Peer, Rung, Signal, TerminalId,
};
use bytes::Bytes;

/// Bits of one message alone, and of one part of several: 140 octets, or 134 behind the header.
const ALONE_BITS: u32 = 1_120;
const PART_BITS: u32 = 1_072;
/// TP-DCS of what we send.
const DCS_GSM7: u8 = 0x00;
const DCS_DATA: u8 = 0x04;
const DCS_UCS2: u8 = 0x08;

pub(super) fn open(profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    Ok(Box::new(Tiantong { settings: Settings::read(profile)? }))
}

#[derive(Clone, Debug)]
struct Tiantong {
    settings: Settings,
}

impl Codec for Tiantong {
    fn limits(&self) -> Limits {
        Limits {
            bearer: Bearer::Satphone,
            capacity_bits: Some(self.capacity()),
            period: Some(self.settings.pace),
            charset: Charset::Utf16,
            feedback_within: None,
            delivery_within: self.settings.wants_reports.then_some(self.settings.report_within),
            proves: if self.settings.wants_reports { Rung::Delivered } else { Rung::Radiated },
            may_encrypt: true,
            may_relay: true,
            confirms: "已发出＝卫星网络已收下。已送达＝对方手机已收到（短信回执），不证明有人看过。对方关机、在室内或海上无信号时，\
                       回执可能很晚，也可能没有。",
            source: "TS 23.040 §9.2.3.24 (140 octets, 134 behind a part number), §9.2.3.15 (status of a report); pace and \
                     wait chosen for a satellite channel, not measured on one",
        }
    }

    fn framer(&self) -> Box<dyn Framer> {
        Box::new(AtFramer::default())
    }

    fn decode(&self, frame: &[u8], _from: Option<Peer>) -> Result<Vec<Signal>, DecodeError> {
        Ok(match At::parse(frame)? {
            At::Message { pdu, .. } => self.message(&pdu),
            At::CmsError(code) => vec![remark("短信错误", format!("{code} {}", cms_words(code)))],
            At::CmeError(code) => vec![remark("手机错误", format!("{code} {}", cme_words(code)))],
            At::Quality { rssi, .. } => vec![Signal::Strength { best: bars(rssi), usable: rssi != 0 }],
            At::Own(Some(number)) => vec![self.card(self.settings.dialled(&number))],
            At::Storage { used, total } if total > 0 && used >= total => {
                vec![remark("手机短信存储已满", format!("{used}/{total} 条，新来信进不来；本站存好一条删一条"))]
            }
            At::Call(what) if what == "RING" => vec![remark("卫星电话来电", "本站不接电话".into())],
            At::Info { name, value } => vec![remark("手机的其他通报", format!("{name}: {value}"))],
            _ => Vec::new(),
        })
    }

    fn encode(&self, order: &Order) -> Result<Vec<Outgoing>, EncodeError> {
        let (to, dcs, parts, native) = match order {
            Order::Text { to, text, native, .. } => {
                let alphabet = self.alphabet(text);
                let dcs = if alphabet == Alphabet::Gsm7 { DCS_GSM7 } else { DCS_UCS2 };
                self.fits(self.measure(text)?)?;
                (to, dcs, alphabet::parts(text, alphabet), *native)
            }
            Order::Payload { to, bytes, native, .. } => {
                let pieces = pieces(bytes);
                self.fits(bits(pieces.len(), pieces.last().map_or(0, Vec::len), 8))?;
                (to, DCS_DATA, pieces.into_iter().map(Packed::Octets).collect(), *native)
            }
            _ => return Err(EncodeError::Unsupported),
        };
        let Addressee::Terminal(to) = to else { return Err(EncodeError::Unsupported) };
        let total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        let [.., reference] = native.to_be_bytes();
        let numbered = (1_u8..).zip(parts).map(|(number, body)| {
            let concat = Concat { reference: reference.into(), is_wide: false, total, number };
            let header = (total > 1).then(|| concat.element());
            self.submit(to, dcs, UserData { header, body })
        });
        numbered.map(|pdu| Ok(At::send(&pdu?)?.into())).collect()
    }

    fn measure(&self, text: &str) -> Result<u32, EncodeError> {
        let alphabet = self.alphabet(text);
        let parts = alphabet::parts(text, alphabet);
        let (length, unit) = match parts.last() {
            Some(Packed::Septets(septets)) => (septets.len(), 7),
            Some(Packed::Octets(octets)) => (octets.len(), 8),
            None => (0, 8),
        };
        Ok(bits(parts.len(), length, unit))
    }

    /// One short message each: a text in several would be lost as a whole with any of them.
    fn payload_max(&self, _capacity_bits: u32) -> Option<usize> {
        Some(alphabet::OCTETS_MAX)
    }

    /// The phone itself answers the network; see the dialogue for what it is told once a message is stored.
    fn acknowledge(&self, _signal: &Signal) -> Option<Bytes> {
        None
    }

    fn dialogue(&self) -> Option<Box<dyn Dialogue>> {
        Some(Box::new(Phone::new(self.settings.clone())))
    }

    fn reaches(&self, to: &TerminalId) -> bool {
        is_number(to)
    }
}

/// Reading.
impl Tiantong {
    fn message(&self, pdu: &Pdu) -> Vec<Signal> {
        match &pdu.message {
            Message::Deliver(deliver) => vec![Signal::Heard(self.heard(deliver, pdu))],
            Message::Report(report) => self.report(report),
            // What was written on the phone itself, or sent from it.
            Message::Submit(_) => Vec::new(),
        }
    }

    fn heard(&self, deliver: &Deliver, pdu: &Pdu) -> Heard {
        let data = &deliver.data;
        let content = match (data.text(deliver.dcs), &data.body) {
            (Some((text, lossy)), _) => Content::Text { text, lossy },
            (None, Packed::Octets(octets) | Packed::Septets(octets)) => Content::Opaque(Bytes::copy_from_slice(octets)),
        };
        let part = data.concat().filter(|concat| concat.total > 1);
        Heard {
            from: self.settings.terminal(&deliver.from),
            to: Addressee::Terminal(TerminalId::from_number(Bearer::Satphone, 0)),
            content,
            native: Some(NativeId { id: mark_of(pdu), repeats_within: self.settings.repeats_within }),
            part: part.map(|c| Part { reference: c.reference, number: c.number, total: c.total }),
            overheard: false,
            sent_at: deliver.at.utc(),
            damaged: false,
        }
    }

    /// `native` is the message reference here; the dialogue puts our number in its place.
    fn report(&self, report: &Report) -> Vec<Signal> {
        let (by, native) = (self.settings.terminal(&report.to), u32::from(report.reference));
        let code = u16::from(report.status);
        let words = || format!("{}：{code:#04x} {}", by, report_words(report.status));
        match report.status {
            0x00 => vec![Signal::Delivery { by, native, delivered: true, code }],
            0x01..=0x3F => {
                let what = remark("短信回执：尚未送达", words());
                vec![Signal::Progress { native, rung: Rung::Radiated }, what]
            }
            _ => {
                let what = remark("短信回执：未送达", words());
                vec![Signal::Delivery { by, native, delivered: false, code }, what]
            }
        }
    }

    fn card(&self, own: TerminalId) -> Signal {
        Signal::Card(CardInfo {
            state: CardState::Present,
            own,
            period: Some(self.settings.pace),
            capacity_bits: Some(self.capacity()),
            broadcast: None,
            subordinates: 0,
        })
    }
}

/// Writing.
impl Tiantong {
    fn capacity(&self) -> u32 {
        match self.settings.parts_max {
            1 => ALONE_BITS,
            parts => PART_BITS * u32::from(parts),
        }
    }

    fn fits(&self, needed: u32) -> Result<(), EncodeError> {
        let capacity = self.capacity();
        if needed > capacity { Err(EncodeError::TooLong { needed, capacity }) } else { Ok(()) }
    }

    fn alphabet(&self, text: &str) -> Alphabet {
        if self.settings.packs_gsm7 && alphabet::is_gsm7(text) { Alphabet::Gsm7 } else { Alphabet::Ucs2 }
    }

    fn submit(&self, to: &TerminalId, dcs: u8, data: UserData) -> Result<Pdu, EncodeError> {
        let message = Message::Submit(Submit {
            rejects_duplicates: false,
            reply_path: false,
            wants_report: self.settings.wants_reports,
            // The phone counts its own references and tells them in +CMGS.
            reference: 0,
            to: self.settings.address(to)?,
            pid: 0,
            dcs,
            validity: self.settings.validity,
            data,
        });
        Ok(Pdu { smsc: self.settings.smsc(), message })
    }
}

/// Air bits of so many parts, the last of which has so many units.
fn bits(parts: usize, last: usize, unit: u32) -> u32 {
    let wide = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    wide(parts.saturating_sub(1)).saturating_mul(PART_BITS).saturating_add(wide(last).saturating_mul(unit))
}

fn pieces(bytes: &Bytes) -> Vec<Vec<u8>> {
    if bytes.len() <= alphabet::OCTETS_MAX {
        return vec![bytes.to_vec()];
    }
    bytes.chunks(134).map(<[u8]>::to_vec).collect()
}

/// A number that stays the same however often the message is read, or the network delivers it: FNV-1a over the sender,
/// the centre's time, and what stands in it.
pub(super) fn mark_of(pdu: &Pdu) -> u64 {
    let Message::Deliver(deliver) = &pdu.message else { return 0 };
    let concat = deliver.data.concat().map(|part| part.element());
    let body = match &deliver.data.body {
        Packed::Septets(body) | Packed::Octets(body) => body.as_slice(),
    };
    let parts = [deliver.from.value.as_bytes(), &deliver.at.0, concat.as_deref().unwrap_or_default(), body];
    let bytes = parts.into_iter().flat_map(|part| part.iter().copied().chain([0]));
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

const fn bars(rssi: u8) -> u8 {
    match rssi {
        0 | 32.. => 0,
        1..=9 => 1,
        10..=14 => 2,
        15..=19 => 3,
        _ => 4,
    }
}

pub(super) fn remark(what: &'static str, detail: String) -> Signal {
    Signal::Remark { what, detail }
}
