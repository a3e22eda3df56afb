//! RDSS 2.1 sentences (BD 410004 family, RDSS 2.1 §3). Card numbers are written as seven digits and read as numbers;
//! decimals are kept in thousandths, positions in 1e-7 degrees.

use super::content::Form;
use super::text::{Fields, Line};
use crate::codec::DecodeError;
use bytes::Bytes;

pub use super::text::Clock;

const HIGH_LOW: [u8; 2] = *b"HL";
const ALARM: [u8; 2] = *b"AV";
const NORTH: [u8; 2] = *b"NS";
const EAST: [u8; 2] = *b"EW";

/// `$CCTXA`: content as on the wire (GB2312 bytes, digits, or hex after `A4`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txa {
    pub dest: u32,
    pub urgent: bool,
    pub form: Form,
    pub content: Bytes,
}

/// `$BDTXR`: class 1 ordinary, 2 urgent, 3 broadcast, 4 reply to "latest", 5 reply to "by sender".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Txr {
    pub class: u8,
    pub sender: u32,
    pub form: Form,
    pub time: Option<[u8; 2]>,
    pub content: Bytes,
}

/// `$BDFKI`, 2.1 form. `suppression`: 0 none or lifted, 1 system, 2 low battery, 3 silence; some firmware omits it.
/// `wait` is the number as written: `MMSS` or plain seconds, see [`Fki::wait_s`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fki {
    pub command: [u8; 3],
    pub executed: bool,
    pub frequency_ok: bool,
    pub suppression: Option<u8>,
    pub wait: u32,
}

/// `$CCICA`: own card, or a page of subordinates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ica {
    pub subordinates: bool,
    pub page: u8,
}

/// `$BDICI`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ici {
    pub user: u32,
    pub serial: u32,
    pub broadcast: u32,
    pub feature: u8,
    pub period_s: u32,
    pub level: u8,
    pub encrypted: bool,
    pub subordinates: u32,
}

/// `$BDICZ`: total and up to 40 numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icz {
    pub total: u32,
    pub numbers: Vec<u32>,
}

/// `$BDBSI`: ten beam powers 0–4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bsi {
    pub response: u8,
    pub difference: u8,
    pub powers: [u8; 10],
}

/// `$CCBSS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bss {
    pub response: u8,
    pub difference: u8,
}

/// `$CCRMO`: mode 1 off one, 2 on one, 3 all off, 4 all on; period 0 = once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rmo {
    pub id: Option<[u8; 3]>,
    pub mode: u8,
    pub period_s: Option<u32>,
}

/// `$CCDWA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dwa {
    pub user: u32,
    pub emergency: bool,
    pub height_mode: u8,
    pub high: bool,
    pub height_mm: Option<i64>,
    pub antenna_mm: Option<i64>,
    pub pressure_milli: Option<i64>,
    pub temperature_milli: Option<i64>,
    pub period_s: u32,
}

/// `$BDDWR`: kind 1 own fix, 2 query, 3 position report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dwr {
    pub kind: u8,
    pub user: u32,
    pub time: Option<Clock>,
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub height_mm: Option<i64>,
    pub anomaly_mm: Option<i64>,
    /// Meaning not established: passed through.
    pub precision: Option<u32>,
    pub emergency: bool,
    pub multi_value: bool,
    pub high: bool,
}

/// `$BDWAA` / `$CCWAA`: position report 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waa {
    /// 1 = sent by us, 0 = received.
    pub sent: bool,
    pub period_s: Option<u32>,
    pub user: u32,
    pub time: Option<Clock>,
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub height_mm: Option<i64>,
}

/// `$CCWBA`: position report 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wba {
    pub user: u32,
    pub high: bool,
    pub antenna_mm: Option<i64>,
    pub period_s: u32,
}

/// `$CCCXA`: `message` or position query; method 1 latest, 2 by sender, 3 receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cxa {
    pub message: bool,
    pub method: u8,
    pub address: Option<u32>,
}

/// `$BDHZR`: pairs of sent and fetched, hour and minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hzr {
    pub user: u32,
    pub receipts: Vec<[[u8; 2]; 2]>,
}

/// `$CCKLS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kls {
    pub user: u32,
    pub set: bool,
}

/// `$BDKLT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Klt {
    /// `P` rather than `Z`.
    pub p: bool,
    pub user: u32,
    pub form: Form,
    pub content: Bytes,
}

/// `$BDZTI`: PRM module, crypto module, antenna, channel, power, charging; an empty flag is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zti {
    pub flags: [Option<u8>; 6],
}

impl Txa {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            dest: f.whole("dest_id")?,
            urgent: f.letter("comm_class", *b"01", "0 or 1")?,
            form: f.next("form")?.form()?,
            content: f.verbatim("content")?.copy(),
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCTXA").id(self.dest).flag(self.urgent, ['0', '1']).field(self.form.number()).content(&self.content)
    }
}

impl Txr {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let class = f.next("info_class")?;
        let number: u8 = class.whole()?;
        if !(1..=5).contains(&number) {
            return Err(class.wrong("1 to 5"));
        }
        let (sender, form, time) = (f.whole("sender_id")?, f.next("form")?.form()?, f.next("time")?);
        let time = if time.bytes.is_empty() { None } else { Some(time.hour_minute()?) };
        Ok(Self { class: number, sender, form, time, content: f.verbatim("content")?.copy() })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDTXR").field(self.class).id(self.sender).field(self.form.number());
        let line = match self.time {
            Some(time) => line.hour_minute(time),
            None => line.bytes(b""),
        };
        line.content(&self.content)
    }
}

impl Fki {
    /// Seconds to wait: `MMSS` when both halves are below 60, else plain seconds. Both readings agree below 60.
    #[must_use]
    pub const fn wait_s(&self) -> u32 {
        let (minutes, seconds) = (self.wait / 100, self.wait % 100);
        if minutes < 60 && seconds < 60 { minutes * 60 + seconds } else { self.wait }
    }

    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.between(4, 5)?;
        let five = f.left() == 5;
        let (command, executed, frequency_ok) = (f.next("command")?.id()?, f.yes("executed")?, f.yes("freq_ok")?);
        let suppression = if five { Some(f.whole("suppress")?) } else { None };
        Ok(Self { command, executed, frequency_ok, suppression, wait: f.whole("wait_s")? })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDFKI").bytes(&self.command);
        let line = line.flag(self.executed, ['Y', 'N']).flag(self.frequency_ok, ['Y', 'N']);
        let line = match self.suppression {
            Some(suppression) => line.field(suppression),
            None => line,
        };
        line.field(format_args!("{:04}", self.wait))
    }
}

impl Ica {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(2)?;
        Ok(Self { subordinates: f.letter("type", *b"10", "0 or 1")?, page: f.whole("frame")? })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCICA").flag(self.subordinates, ['1', '0']).field(format_args!("{:02}", self.page))
    }
}

impl Ici {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(8)?;
        Ok(Self {
            user: f.whole("user_id")?,
            serial: f.whole("serial")?,
            broadcast: f.whole("broadcast_id")?,
            feature: f.whole("user_feature")?,
            period_s: whole_seconds(f)?,
            level: f.whole("comm_level")?,
            encrypted: f.letter("encrypted", *b"EN", "E or N")?,
            subordinates: f.whole("subordinates")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("BDICI")
            .id(self.user)
            .field(format_args!("{:08}", self.serial))
            .id(self.broadcast)
            .field(self.feature)
            .field(self.period_s)
            .field(self.level)
            .flag(self.encrypted, ['E', 'N'])
            .field(self.subordinates)
    }
}

/// Modules write decimals here; a fraction is rounded up, never to a shorter wait.
fn whole_seconds(f: &mut Fields<'_>) -> Result<u32, DecodeError> {
    let field = f.next("service_freq_s")?;
    let wrong = field.wrong("seconds");
    let milli = field.thousandths()?.and_then(|milli| u64::try_from(milli).ok()).ok_or(wrong.clone())?;
    u32::try_from(milli.div_ceil(1_000)).map_err(|_| wrong)
}

impl Icz {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self { total: f.whole("total")?, numbers: f.remaining("number")? })
    }

    pub(super) fn line(&self) -> Line {
        self.numbers.iter().fold(Line::new("BDICZ").field(self.total), |line, number| line.id(*number))
    }
}

impl Bsi {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(12)?;
        let (response, difference) = (f.whole("response_beam")?, f.whole("diff_beam")?);
        let mut powers = [0; 10];
        for power in &mut powers {
            let field = f.next("power")?;
            *power = field.whole()?;
            if *power > 4 {
                return Err(field.wrong("0 to 4"));
            }
        }
        Ok(Self { response, difference, powers })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDBSI").field(format_args!("{:02}", self.response));
        self.powers.iter().fold(line.field(format_args!("{:02}", self.difference)), Line::field)
    }
}

impl Bss {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(2)?;
        Ok(Self { response: f.whole("response_beam")?, difference: f.whole("diff_beam")? })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCBSS").field(format_args!("{:02}", self.response)).field(format_args!("{:02}", self.difference))
    }
}

impl Rmo {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(3)?;
        let target = f.next("target")?;
        let id = if target.bytes.is_empty() { None } else { Some(target.id()?) };
        let mode = f.next("mode")?;
        let number: u8 = mode.whole()?;
        if !(1..=4).contains(&number) {
            return Err(mode.wrong("1 to 4"));
        }
        Ok(Self { id, mode: number, period_s: f.next("rate")?.whole_or_empty()? })
    }

    pub(super) fn line(&self) -> Line {
        let line = match &self.id {
            Some(id) => Line::new("CCRMO").bytes(id),
            None => Line::new("CCRMO").bytes(b""),
        };
        line.field(self.mode).option(self.period_s)
    }
}

impl Dwa {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(9)?;
        Ok(Self {
            user: f.whole("user_id")?,
            emergency: f.letter("emergency", ALARM, "A or V")?,
            height_mode: f.whole("height_mode")?,
            high: f.letter("height_type", HIGH_LOW, "H or L")?,
            height_mm: f.next("height")?.thousandths()?,
            antenna_mm: f.next("antenna")?.thousandths()?,
            pressure_milli: f.next("pressure")?.thousandths()?,
            temperature_milli: f.next("temperature")?.thousandths()?,
            period_s: f.whole("freq_s")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCDWA")
            .id(self.user)
            .flag(self.emergency, ['A', 'V'])
            .field(self.height_mode)
            .flag(self.high, ['H', 'L'])
            .thousandths(self.height_mm)
            .thousandths(self.antenna_mm)
            .thousandths(self.pressure_milli)
            .thousandths(self.temperature_milli)
            .field(self.period_s)
    }
}

impl Dwr {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(15)?;
        let (kind, user, time) = (f.whole("info_type")?, f.whole("user_id")?, f.next("time")?.clock_or_empty()?);
        let (lat_e7, lon_e7) = (f.angle("lat", 2, NORTH)?, f.angle("lon", 3, EAST)?);
        let height_mm = f.next("height")?.thousandths()?;
        f.next("unit")?;
        let anomaly_mm = f.next("anomaly")?.thousandths()?;
        f.next("unit")?;
        Ok(Self {
            kind,
            user,
            time,
            lat_e7,
            lon_e7,
            height_mm,
            anomaly_mm,
            precision: f.next("precision")?.whole_or_empty()?,
            emergency: f.letter("emergency", ALARM, "A or V")?,
            multi_value: f.letter("multi_value", ALARM, "A or V")?,
            high: f.letter("height_type", HIGH_LOW, "H or L")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("BDDWR")
            .field(self.kind)
            .id(self.user)
            .option(self.time)
            .angle(self.lat_e7, 2, ['N', 'S'])
            .angle(self.lon_e7, 3, ['E', 'W'])
            .thousandths(self.height_mm)
            .field('M')
            .thousandths(self.anomaly_mm)
            .field('M')
            .option(self.precision)
            .flag(self.emergency, ['A', 'V'])
            .flag(self.multi_value, ['A', 'V'])
            .flag(self.high, ['H', 'L'])
    }
}

impl Waa {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(10)?;
        let sent = f.letter("info_type", *b"10", "0 or 1")?;
        let (period_s, user) = (f.next("freq")?.whole_or_empty()?, f.whole("user_id")?);
        let time = f.next("time")?.clock_or_empty()?;
        let (lat_e7, lon_e7) = (f.angle("lat", 2, NORTH)?, f.angle("lon", 3, EAST)?);
        let height_mm = f.next("height")?.thousandths()?;
        f.next("unit")?;
        Ok(Self { sent, period_s, user, time, lat_e7, lon_e7, height_mm })
    }

    pub(super) fn line(&self) -> Line {
        let header = if self.sent { "CCWAA" } else { "BDWAA" };
        Line::new(header)
            .flag(self.sent, ['1', '0'])
            .option(self.period_s)
            .id(self.user)
            .option(self.time)
            .angle(self.lat_e7, 2, ['N', 'S'])
            .angle(self.lon_e7, 3, ['E', 'W'])
            .thousandths(self.height_mm)
            .field('M')
    }
}

impl Wba {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(4)?;
        Ok(Self {
            user: f.whole("user_id")?,
            high: f.letter("height_type", HIGH_LOW, "H or L")?,
            antenna_mm: f.next("antenna")?.thousandths()?,
            period_s: f.whole("freq_s")?,
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCWBA").id(self.user).flag(self.high, ['H', 'L']).thousandths(self.antenna_mm).field(self.period_s)
    }
}

impl Cxa {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(3)?;
        Ok(Self {
            message: f.letter("query_type", *b"10", "0 or 1")?,
            method: f.whole("method")?,
            address: f.next("address")?.whole_or_empty()?,
        })
    }

    pub(super) fn line(&self) -> Line {
        let address = self.address.map(|number| format!("{number:07}"));
        Line::new("CCCXA").flag(self.message, ['1', '0']).field(self.method).option(address)
    }
}

impl Hzr {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let (user, count) = (f.whole("user_id")?, f.next("count")?);
        let number: u8 = count.whole()?;
        if number > 5 {
            return Err(count.wrong("0 to 5"));
        }
        f.exactly(usize::from(number) * 2)?;
        let mut receipts = Vec::new();
        for _ in 0..number {
            receipts.push([f.next("sent")?.hour_minute()?, f.next("fetched")?.hour_minute()?]);
        }
        Ok(Self { user, receipts })
    }

    pub(super) fn line(&self) -> Line {
        let line = Line::new("BDHZR").id(self.user).field(self.receipts.len());
        self.receipts.iter().fold(line, |line, [sent, fetched]| line.hour_minute(*sent).hour_minute(*fetched))
    }
}

impl Kls {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(2)?;
        Ok(Self { user: f.whole("user_id")?, set: f.yes("set")? })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("CCKLS").id(self.user).flag(self.set, ['Y', 'N'])
    }
}

impl Klt {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            p: f.letter("kind", *b"PZ", "P or Z")?,
            user: f.whole("user_id")?,
            form: f.next("form")?.form()?,
            content: f.verbatim("content")?.copy(),
        })
    }

    pub(super) fn line(&self) -> Line {
        Line::new("BDKLT").flag(self.p, ['P', 'Z']).id(self.user).field(self.form.number()).content(&self.content)
    }
}

impl Zti {
    pub(super) fn read(f: &mut Fields<'_>) -> Result<Self, DecodeError> {
        f.exactly(6)?;
        let mut flags = [None; 6];
        for flag in &mut flags {
            *flag = f.next("flag")?.whole_or_empty()?;
        }
        Ok(Self { flags })
    }

    pub(super) fn line(&self) -> Line {
        self.flags.iter().fold(Line::new("BDZTI"), |line, flag| line.option(*flag))
    }
}
