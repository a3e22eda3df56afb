//! BDS-3 regional short message sentences (RSMC 3.0 §4) and the vendor sentences that carry messages.

use super::text::{Clock, Fields, Line};
use crate::codec::DecodeError;
use bytes::Bytes;

/// How content is encoded (编码类别): 1 Chinese text, 2 code, 3 mixed, 4 compressed Chinese, 5 compressed code.
pub const ENCODINGS: std::ops::RangeInclusive<u8> = 1..=5;

/// `$CCTCQ`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcq {
    pub dest: u32,
    /// Frequency point, 1–5 = Lf0–Lf4.
    pub point: u8,
    /// Inbound confirmation (入站确认): 1 not needed, 2 needed.
    pub confirm: u8,
    pub encoding: u8,
    /// One module family has an empty field before the content.
    pub extra_field: bool,
    pub content: Bytes,
    /// 0 = once; some modules want it, some do not.
    pub period_s: Option<u32>,
}

/// `$BDTCI`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tci {
    pub sender: u32,
    pub receiver: u32,
    pub order: TciOrder,
    pub time: Clock,
    pub encoding: u8,
    pub content: Bytes,
}

/// The two orders of fields in `$BDTCI`, told apart by the width of field 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TciOrder {
    /// Frequency point, time, encoding, a field that is 0 in all samples, content: real lines.
    A { point: u8, mark: u32 },
    /// Time, encoding, data mark, length, content: seen in templates only.
    B { mark: u32, length: u32 },
}

/// `$BDFKI`, 3.0 form. `sent` wins over `reason`: Y with a reason exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fki {
    pub time: Clock,
    pub command: [u8; 3],
    pub sent: bool,
    /// 0 none, 1 频率未到, 2 发射抑制, 3 发射静默, 4 功率未锁定, 5 未检测到IC, 6 权限不足, 11 checksum error.
    pub reason: u8,
    pub wait_s: u32,
}

/// `$CCICR`: kind 0 own, 1 groups, 2 subordinates, 3 work mode of the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Icr {
    pub kind: u8,
    pub page: u8,
}

/// `$BDICP`. Only the fields that every source names alike are read; the others are kept as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icp {
    pub user: u32,
    pub broadcast: u32,
    /// Fields 3–12, whose names differ between sources.
    pub marks: [Bytes; 10],
    pub regional_service: u8,
    pub period_s: u32,
    pub level: u8,
    pub global_mark: u8,
    pub gsmc_permission: u8,
    pub gsmc_period_s: u32,
    pub gsmc_level: u8,
    pub subordinates: u32,
    pub group_permission: u32,
    pub groups_owned: u32,
    pub groups_joined: u32,
}

/// `$BDPWI`: the counts decide the width.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pwi {
    pub time: Clock,
    /// BDS-2 beams: three numbers each, the first the beam.
    pub rdss2: Vec<[u16; 3]>,
    pub rdss3: Vec<Beam>,
}

/// A BDS-3 beam: carrier to noise of S2C_d and S2C_p in dB-Hz, and a field that is 0 in all samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beam {
    pub id: u16,
    pub cn0_d: u16,
    pub cn0_p: u16,
    pub mark: u16,
}

/// `$CCMSG`: one vendor's send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msg {
    pub dest: u32,
    pub point: u8,
    pub encoding: u8,
    pub content: Bytes,
}

/// `$BDMXX`: one vendor's received message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mxx {
    pub sender: u32,
    pub time: Clock,
    pub encoding: u8,
    pub content: Bytes,
}

fn encoding(f: &mut Fields<'_>) -> Result<u8, DecodeError> {
    let field = f.next("encoding")?;
    let number = field.whole()?;
    if ENCODINGS.contains(&number) { Ok(number) } else { Err(field.wrong("1 to 5")) }
}

/// Cuts the trailing frequency off what follows the encoding: whole digits after the last comma.
fn split_frequency(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some(comma) = rest.iter().rposition(|c| *c == b',') else { return (rest, None) };
    let (content, tail) = rest.split_at(comma);
    let tail = tail.get(1..).unwrap_or_default();
    if is_frequency(tail) { (content, Some(tail)) } else { (rest, None) }
}

fn is_frequency(field: &[u8]) -> bool {
    !field.is_empty() && field.len() <= 6 && field.iter().all(u8::is_ascii_digit)
}

impl Tcq {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let (dest, point, confirm) = (f.whole("dest_id")?, f.whole("freq_point")?, f.whole("confirm")?);
        let encoding = encoding(f)?;
        let rest = f.verbatim("content")?;
        // Where nothing but a frequency follows the comma, the content is empty and there is no extra field.
        let (extra_field, bytes) = match rest.bytes {
            [b',', after @ ..] if !is_frequency(after) => (true, after),
            bytes => (false, bytes),
        };
        let (content, period) = split_frequency(bytes);
        let digits = |sum: u32, c: &u8| sum * 10 + u32::from(c - b'0');
        Ok(Self {
            dest,
            point,
            confirm,
            encoding,
            extra_field,
            content: Bytes::copy_from_slice(content),
            period_s: period.map(|tail| tail.iter().fold(0, digits)),
        })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("CCTCQ").field(self.dest).field(self.point).field(self.confirm).field(self.encoding);
        let line = if self.extra_field { line.bytes(b"") } else { line };
        let line = line.content(&self.content);
        match self.period_s {
            Some(period) => line.field(period),
            None => line,
        }
    }
}

impl Tci {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let (sender, receiver, third) = (f.whole("sender_id")?, f.whole("receiver_id")?, f.next("freq_point")?);
        if third.bytes.len() == 1 {
            let (time, encoding) = (f.next("time")?.clock()?, encoding(f)?);
            let order = TciOrder::A { point: third.whole()?, mark: f.whole("field6")? };
            return Ok(Self { sender, receiver, order, time, encoding, content: f.verbatim("content")?.copy() });
        }
        let (time, encoding) = (third.clock()?, encoding(f)?);
        let order = TciOrder::B { mark: f.whole("data_mark")?, length: f.whole("length")? };
        Ok(Self { sender, receiver, order, time, encoding, content: f.verbatim("content")?.copy() })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDTCI").field(self.sender).field(self.receiver);
        let time = seconds(self.time);
        match self.order {
            TciOrder::A { point, mark } => line.field(point).field(time).field(self.encoding).field(mark),
            TciOrder::B { mark, length } => line.field(time).field(self.encoding).field(mark).field(length),
        }
        .content(&self.content)
    }
}

/// `hhmmss`, as most BDS-3 sentences write it; hundredths only where there are some.
fn seconds(time: Clock) -> String {
    let whole = time.to_string();
    whole.strip_suffix(".00").map_or(whole.clone(), str::to_owned)
}

impl Fki {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(5)?;
        Ok(Self {
            time: f.next("time")?.clock()?,
            command: f.next("command")?.id()?,
            sent: f.yes("sent")?,
            reason: f.whole("reason")?,
            wait_s: f.whole("remaining_s")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("BDFKI")
            .field(seconds(self.time))
            .bytes(&self.command)
            .flag(self.sent, ['Y', 'N'])
            .field(self.reason)
            .field(self.wait_s)
    }
}

impl Icr {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(2)?;
        Ok(Self { kind: f.whole("type")?, page: f.whole("frame")? })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCICR").field(self.kind).field(format_args!("{:02}", self.page))
    }
}

impl Icp {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(23)?;
        let (user, broadcast) = (f.whole("user_id")?, f.whole("broadcast_id")?);
        let mut marks: [Bytes; 10] = Default::default();
        for mark in &mut marks {
            *mark = f.next("mark")?.copy();
        }
        Ok(Self {
            user,
            broadcast,
            marks,
            regional_service: f.whole("regional_service")?,
            period_s: f.whole("regional_freq_s")?,
            level: f.whole("regional_level")?,
            global_mark: f.whole("global_mark")?,
            gsmc_permission: f.whole("gsmc_permission")?,
            gsmc_period_s: f.whole("gsmc_freq")?,
            gsmc_level: f.whole("gsmc_level")?,
            subordinates: f.whole("subordinates")?,
            group_permission: f.whole("group_permission")?,
            groups_owned: f.whole("groups_owned")?,
            groups_joined: f.whole("groups_joined")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDICP").field(self.user).field(self.broadcast);
        self.marks
            .iter()
            .fold(line, |line, mark| line.bytes(mark))
            .field(self.regional_service)
            .field(self.period_s)
            .field(self.level)
            .field(self.global_mark)
            .field(self.gsmc_permission)
            .field(self.gsmc_period_s)
            .field(self.gsmc_level)
            .field(self.subordinates)
            .field(self.group_permission)
            .field(self.groups_owned)
            .field(self.groups_joined)
    }

    /// A civil card as one is sold: fields 3–12 as the public sample has them.
    #[must_use]
    pub fn civil(user: u32, period_s: u32, level: u8) -> Self {
        let marks = [b"0", b"3", b"0", b"N", b"2", b"N", b"1", b"0", b"0", b"3"];
        Self {
            user,
            broadcast: 0,
            marks: marks.map(|mark| Bytes::from_static(mark)),
            regional_service: 1,
            period_s,
            level,
            global_mark: 0,
            gsmc_permission: 0,
            gsmc_period_s: 0,
            gsmc_level: 0,
            subordinates: 0,
            group_permission: 0,
            groups_owned: 0,
            groups_joined: 0,
        }
    }
}

impl Pwi {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let time = f.next("time")?.clock()?;
        let count: u8 = f.whole("rdss2_beams")?;
        let mut rdss2 = Vec::new();
        for _ in 0..count {
            rdss2.push([f.whole("beam")?, f.whole("beam")?, f.whole("beam")?]);
        }
        let count: u8 = f.whole("rdss3_beams")?;
        f.exactly(usize::from(count) * 4)?;
        let mut rdss3 = Vec::new();
        for _ in 0..count {
            rdss3.push(Beam {
                id: f.whole("id")?,
                cn0_d: f.whole("cn0_d")?,
                cn0_p: f.whole("cn0_p")?,
                mark: f.next("mark")?.whole_or_empty()?.unwrap_or(0),
            });
        }
        Ok(Self { time, rdss2, rdss3 })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDPWI").field(self.time).field(format_args!("{:02}", self.rdss2.len()));
        let line = self.rdss2.iter().flatten().fold(line, Line::field);
        self.rdss3.iter().fold(line.field(format_args!("{:02}", self.rdss3.len())), |line, beam| {
            line.field(beam.id).field(beam.cn0_d).field(beam.cn0_p).field(beam.mark)
        })
    }
}

impl Msg {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            dest: f.whole("dest_id")?,
            point: f.whole("freq_point")?,
            encoding: encoding(f)?,
            content: f.verbatim("content")?.copy(),
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCMSG").field(self.dest).field(self.point).field(self.encoding).content(&self.content)
    }
}

impl Mxx {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            sender: f.whole("sender_id")?,
            time: f.next("time")?.clock()?,
            encoding: encoding(f)?,
            content: f.verbatim("content")?.copy(),
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("BDMXX").field(self.sender).field(seconds(self.time)).field(self.encoding).content(&self.content)
    }
}
