//! Short messages as octets (TS 23.040 §9.2), each behind the SMSC field of TS 27.005 §3.1.

mod address;
mod data;

pub use address::Address;
pub use data::{Concat, UserData};

use super::alphabet::Alphabet;
use super::reader::Reader;
use crate::codec::{DecodeError, EncodeError};
use crate::message::Utc;
use bytes::Bytes;

/// TP-MTI, bits 1..0 of the first octet.
const MTI: u8 = 0x03;
const MTI_DELIVER: u8 = 0;
const MTI_SUBMIT: u8 = 1;
const MTI_STATUS_REPORT: u8 = 2;
/// TP-UDHI: the user data begins with a header.
const UDHI: u8 = 0x40;
/// TP-SRR of a SUBMIT: a report is wanted.
const SRR: u8 = 0x20;
/// TP-VPF, bits 4..3 of a SUBMIT.
const VPF: u8 = 0x18;
const VPF_ENHANCED: u8 = 0x08;
const VPF_RELATIVE: u8 = 0x10;

/// One short message with its SMSC field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pdu {
    /// The service centre; `None` = as the SIM says, or not told.
    pub smsc: Option<Address>,
    pub message: Message,
}

/// The kinds of TPDU that pass the cable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    Deliver(Deliver),
    Submit(Submit),
    Report(Report),
}

/// SMS-DELIVER (§9.2.2.1): a message that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// First octet without kind and header bit: TP-MMS (04, clear = more wait), TP-LP, TP-SRI, TP-RP.
    pub flags: u8,
    pub from: Address,
    pub pid: u8,
    pub dcs: u8,
    pub at: Scts,
    pub data: UserData,
}

/// SMS-SUBMIT (§9.2.2.2): a message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    pub rejects_duplicates: bool,
    pub reply_path: bool,
    /// TP-SRR.
    pub wants_report: bool,
    pub reference: u8,
    pub to: Address,
    pub pid: u8,
    pub dcs: u8,
    pub validity: Validity,
    pub data: UserData,
}

/// TP-VP (§9.2.3.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    None,
    Relative(u8),
    Enhanced([u8; 7]),
    Absolute(Scts),
}

/// SMS-STATUS-REPORT (§9.2.2.3): what became of a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub flags: u8,
    pub reference: u8,
    pub to: Address,
    pub at: Scts,
    pub discharged: Scts,
    pub status: u8,
    /// TP-PI and what it announces, as it stands.
    pub rest: Bytes,
}

/// Seven octets of time with zone (§9.2.3.11), as they stand: centres that write nonsense exist, and a text counts all
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scts(pub [u8; 7]);

impl Scts {
    /// In UTC; `None` when it is no date.
    #[must_use]
    pub fn utc(self) -> Option<Utc> {
        let [year, month, day, hour, minute, second, zone] = self.0;
        let decimal = |octet: u8| -> Option<u8> {
            let (tens, ones) = (octet & 0x0F, octet >> 4);
            (tens < 10 && ones < 10).then(|| tens.saturating_mul(10).saturating_add(ones))
        };
        let year = u16::from(decimal(year)?);
        let century = if year < 70 { 2000 } else { 1900 };
        let year = year.saturating_add(century);
        let local =
            Utc::from_civil(year, decimal(month)?, decimal(day)?, decimal(hour)?, decimal(minute)?, decimal(second)?)?;
        let quarters = i64::from(decimal(zone & !0x08)?);
        let quarters = if zone & 0x08 == 0 { quarters } else { -quarters };
        Some(Utc(local.millis().checked_sub(quarters.checked_mul(900_000)?)?))
    }

    /// From UTC, written in a zone of so many quarters of an hour.
    #[must_use]
    pub fn from_utc(at: Utc, quarters: i8) -> Self {
        let local = Utc(at.millis().saturating_add(i64::from(quarters).saturating_mul(900_000)));
        let (year, month, day, hour, minute, second, _) = local.civil();
        let swapped = |value: u8| ((value % 10) << 4) | (value / 10 % 10);
        let year = u8::try_from(year.rem_euclid(100)).unwrap_or(0);
        let sign = if quarters < 0 { 0x08 } else { 0 };
        let zone = swapped(quarters.unsigned_abs() % 80) | sign;
        Self([swapped(year), swapped(month), swapped(day), swapped(hour), swapped(minute), swapped(second), zone])
    }
}

impl Validity {
    /// The shortest relative period of at least so many minutes (§9.2.3.12.1).
    #[must_use]
    pub fn of_minutes(minutes: u32) -> Self {
        let steps = |n: u32| u8::try_from(n.min(255)).unwrap_or(u8::MAX);
        Self::Relative(match minutes {
            0..=720 => steps(minutes.div_ceil(5).saturating_sub(1)),
            721..=1_440 => steps(minutes.saturating_sub(720).div_ceil(30).saturating_add(143)),
            1_441..=43_200 => steps(minutes.div_ceil(1_440).saturating_add(166)),
            _ => steps(minutes.div_ceil(10_080).saturating_add(192)),
        })
    }

    /// In minutes, where it is relative.
    #[must_use]
    pub fn minutes(self) -> Option<u32> {
        let Self::Relative(value) = self else { return None };
        let value = u32::from(value);
        Some(match value {
            0..=143 => value.saturating_add(1).saturating_mul(5),
            144..=167 => value.saturating_sub(143).saturating_mul(30).saturating_add(720),
            168..=196 => value.saturating_sub(166).saturating_mul(1_440),
            _ => value.saturating_sub(192).saturating_mul(10_080),
        })
    }
}

impl Pdu {
    /// Reads octets of one message, all of them.
    ///
    /// # Errors
    /// [`DecodeError`] for lengths that lie, octets left over, or a kind that does not pass this cable.
    pub fn parse(octets: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(octets);
        let smsc = Address::read_smsc(&mut reader)?;
        let first = reader.u8()?;
        let message = match first & MTI {
            MTI_DELIVER => Message::Deliver(Deliver::read(first, &mut reader)?),
            MTI_SUBMIT => Message::Submit(Submit::read(first, &mut reader)?),
            MTI_STATUS_REPORT => Message::Report(Report::read(first, &mut reader)?),
            other => return Err(DecodeError::Unknown(format!("TP-MTI {other}"))),
        };
        reader.finish()?;
        Ok(Self { smsc, message })
    }

    /// The octets, and how many of them are the TPDU (what `AT+CMGS=` and indications count).
    ///
    /// # Errors
    /// [`EncodeError`] when an address or the user data does not fit.
    pub fn emit(&self) -> Result<(Vec<u8>, usize), EncodeError> {
        let mut out = Vec::new();
        match &self.smsc {
            Some(smsc) => smsc.write_smsc(&mut out)?,
            None => out.push(0),
        }
        let prefix = out.len();
        match &self.message {
            Message::Deliver(deliver) => deliver.write(&mut out)?,
            Message::Submit(submit) => submit.write(&mut out)?,
            Message::Report(report) => report.write(&mut out)?,
        }
        let length = out.len().saturating_sub(prefix);
        Ok((out, length))
    }
}

const fn header_bit(data: &UserData) -> u8 {
    if data.header.is_some() { UDHI } else { 0 }
}

impl Deliver {
    fn read(first: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let from = Address::read(reader)?;
        let (pid, dcs) = (reader.u8()?, reader.u8()?);
        let at = Scts(reader.seven()?);
        let data = UserData::read(first & UDHI != 0, dcs, reader)?;
        Ok(Self { flags: first & !(MTI | UDHI), from, pid, dcs, at, data })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.push(self.flags & !(MTI | UDHI) | MTI_DELIVER | header_bit(&self.data));
        self.from.write(out)?;
        out.extend([self.pid, self.dcs]);
        out.extend(self.at.0);
        self.data.write(out)
    }
}

impl Submit {
    fn read(first: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reference = reader.u8()?;
        let to = Address::read(reader)?;
        let (pid, dcs) = (reader.u8()?, reader.u8()?);
        let validity = match first & VPF {
            0 => Validity::None,
            VPF_RELATIVE => Validity::Relative(reader.u8()?),
            VPF_ENHANCED => Validity::Enhanced(reader.seven()?),
            _ => Validity::Absolute(Scts(reader.seven()?)),
        };
        let data = UserData::read(first & UDHI != 0, dcs, reader)?;
        let (rejects_duplicates, reply_path) = (first & 0x04 != 0, first & 0x80 != 0);
        let wants_report = first & SRR != 0;
        Ok(Self { rejects_duplicates, reply_path, wants_report, reference, to, pid, dcs, validity, data })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let format = match self.validity {
            Validity::None => 0,
            Validity::Relative(_) => VPF_RELATIVE,
            Validity::Enhanced(_) => VPF_ENHANCED,
            Validity::Absolute(_) => VPF,
        };
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        let flags = flag(self.rejects_duplicates, 0x04) | flag(self.wants_report, SRR) | flag(self.reply_path, 0x80);
        out.extend([MTI_SUBMIT | format | flags | header_bit(&self.data), self.reference]);
        self.to.write(out)?;
        out.extend([self.pid, self.dcs]);
        match self.validity {
            Validity::None => {}
            Validity::Relative(value) => out.push(value),
            Validity::Enhanced(octets) | Validity::Absolute(Scts(octets)) => out.extend(octets),
        }
        self.data.write(out)
    }
}

impl Report {
    fn read(first: u8, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let reference = reader.u8()?;
        let to = Address::read(reader)?;
        let (at, discharged) = (Scts(reader.seven()?), Scts(reader.seven()?));
        let status = reader.u8()?;
        let mut ahead = *reader;
        read_announced(&mut ahead)?;
        let rest = reader.take(reader.left().saturating_sub(ahead.left()))?;
        let rest = Bytes::copy_from_slice(rest);
        Ok(Self { flags: first & !MTI, reference, to, at, discharged, status, rest })
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend([self.flags & !MTI | MTI_STATUS_REPORT, self.reference]);
        self.to.write(out)?;
        out.extend(self.at.0);
        out.extend(self.discharged.0);
        out.push(self.status);
        out.extend_from_slice(&self.rest);
        Ok(())
    }
}

/// TP-PI (§9.2.3.27) and the fields that it announces, where a report goes on after its status.
fn read_announced(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    if reader.left() == 0 {
        return Ok(());
    }
    let announced = reader.u8()?;
    let mut more = announced;
    while more & 0x80 != 0 {
        more = reader.u8()?;
    }
    if announced & 0x01 != 0 {
        reader.u8()?;
    }
    let dcs = if announced & 0x02 == 0 { 0 } else { reader.u8()? };
    if announced & 0x04 != 0 {
        let count = usize::from(reader.u8()?);
        let octets = if Alphabet::of(dcs) == Alphabet::Gsm7 { count.saturating_mul(7).div_ceil(8) } else { count };
        reader.take(octets)?;
    }
    Ok(())
}
