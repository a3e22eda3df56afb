//! From frames to signals.
//!
//! A receiver of 0 means "our own card, whose number this sentence does not say": 2.1 and vendor sentences carry the
//! sender alone. The engine knows the number from [`Signal::Card`]. A message to another number (`$TXXX` on a command
//! unit) keeps both addresses; it is marked overheard where the profile has `own_number`, and always for `$BDXST`.
//! A message from our own number is the terminal's self-echo and is passed on as heard.

mod heard;
mod place;
#[cfg(test)]
mod tests;

use super::settings::{RdssClock, Settings};
use super::wire::monitor::{self, Overheard};
use super::wire::rdss40::{self, Body, Frame};
use super::wire::text::{self, Sentence};
use super::{card, explain, feedback};
use crate::codec::DecodeError;
use crate::message::{Signal, Utc};
use std::time::Duration;

/// C/N0 in dB-Hz from which a beam of BDS-3 counts as 1, 2, 3, 4 bars (our own steps).
const BARS_DB_HZ: [u16; 4] = [1, 35, 40, 45];
/// Beam power from which sending makes sense (§2.7).
const USABLE: u8 = 2;

/// RNSS sentences that come every second and say nothing that we keep.
const CHATTER: [&[u8; 3]; 6] = [b"GSA", b"GSV", b"VTG", b"GST", b"TXT", b"DHV"];

/// What a whole frame says.
pub(super) fn decode(settings: &Settings, frame: &[u8]) -> Result<Vec<Signal>, DecodeError> {
    if explain::is_monitor(frame) {
        return Ok(match monitor::parse(frame)? {
            Overheard::Message(message) => heard::overheard(settings, &message),
            Overheard::Position { body } => remark("兼收定位", hex::encode_upper(body)),
        });
    }
    if is_sentence(frame) {
        return Ok(sentence(settings, text::read(&text::open(frame, settings.leniency)?)?));
    }
    Ok(binary(settings, rdss40::parse(frame)?))
}

/// Whether a frame begins as `$CCTXA,` does. The comma alone would not do: it is also the length byte of a binary
/// frame of 44 or 300 bytes, before which the high byte stands instead of a letter.
fn is_sentence(frame: &[u8]) -> bool {
    frame.get(5).is_some_and(u8::is_ascii_alphanumeric) && frame.get(6) == Some(&b',')
}

fn remark(what: &'static str, detail: impl Into<String>) -> Vec<Signal> {
    vec![Signal::Remark { what, detail: detail.into() }]
}

fn binary(settings: &Settings, frame: Frame) -> Vec<Signal> {
    let letters = frame.letters().escape_ascii().to_string();
    match frame.body {
        Body::Txxx(message) => heard::txxx(settings, frame.user, &message),
        Body::Fkxx { flag, extra } => vec![feedback::fkxx(flag, extra, settings)],
        Body::Icxx(card) => vec![card::icxx(frame.user, &card)],
        Body::Zjxx(test) => {
            let mut signals = beams(&test.beams);
            signals.push(Signal::Battery { percent: Some(test.battery).filter(|percent| *percent <= 100) });
            if test.inbound != 2 {
                signals.extend(remark("入站状态异常", format!("{:#04x}", test.inbound)));
            }
            signals
        }
        Body::Glzk { beams: powers } => beams(&powers),
        Body::Dwxx(fix) => place::dwxx(frame.user, &fix).into_iter().collect(),
        Body::Gnpx(fix) => place::gnpx(frame.user, &fix).into_iter().collect(),
        Body::Gpsx(fix) => place::gpsx(frame.user, &fix).into_iter().collect(),
        Body::Sjxx(clock) => clock_signal(settings, &clock),
        Body::Txhz { receiver, receipts } => remark("通信回执", format!("{receiver}: {}", receipts.len())),
        Body::Bbxx { version } => remark("版本", String::from_utf8_lossy(&version)),
        Body::Xhxx { serial } => remark("序列号", serial.to_string()),
        Body::Forbidden { .. } => remark("禁发指令", letters),
        Body::Other { .. } => remark("未识别帧", letters),
        _ => Vec::new(),
    }
}

fn clock_signal(settings: &Settings, clock: &rdss40::Sjxx) -> Vec<Signal> {
    let at = Utc::from_civil(clock.year, clock.month, clock.day, clock.hour, clock.minute, clock.second);
    let shift = match settings.rdss_clock {
        RdssClock::Unknown => return Vec::new(),
        RdssClock::Utc => 0,
        RdssClock::Beijing => 8 * 3_600_000,
    };
    at.map(|at| Signal::Time { at: Utc(at.millis() - shift), gnss: false }).into_iter().collect()
}

fn sentence(settings: &Settings, sentence: Sentence) -> Vec<Signal> {
    match sentence {
        Sentence::Txr(message) => heard::txr(settings, &message),
        Sentence::Tci(message) => heard::tci(settings, &message),
        Sentence::Mxx(message) => heard::mxx(settings, &message),
        Sentence::Fki(said) => vec![feedback::fki21(&said, settings)],
        Sentence::Fki3(said) => vec![feedback::fki3(&said)],
        Sentence::Ici(card) => vec![card::ici(&card)],
        Sentence::Icp(card) => vec![card::icp(&card)],
        Sentence::Bsi(status) => beams(&status.powers),
        Sentence::Pwi(status) => {
            carriers(status.rdss3.iter().map(|beam| beam.cn0_d.max(beam.cn0_p)), !status.rdss2.is_empty())
        }
        Sentence::Snr { values } => carriers(values.into_iter(), false),
        Sentence::Ttc { wait_s } => vec![Signal::Countdown { wait: Duration::from_secs(wait_s.into()) }],
        Sentence::Dwr(fix) => place::dwr(&fix).into_iter().collect(),
        Sentence::Waa(fix) if !fix.sent => place::waa(&fix).into_iter().collect(),
        Sentence::Gga(fix) => place::gga(settings, &fix).into_iter().collect(),
        Sentence::Gll(fix) => place::gll(settings, &fix).into_iter().collect(),
        Sentence::Rmc(fix) => place::rmc(settings, &fix),
        Sentence::Zda(clock) => clock.utc().map(|at| Signal::Time { at, gnss: true }).into_iter().collect(),
        Sentence::Hzr(answer) => remark("通信回执", format!("{}: {}", answer.user, answer.receipts.len())),
        Sentence::Klt(heard) => remark("口令识别", heard.user.to_string()),
        Sentence::Zti(status) if status.flags.iter().flatten().any(|flag| *flag != 0) => {
            remark("自检信息", format!("{:?}", status.flags.map(|flag| flag.unwrap_or(0))))
        }
        Sentence::Forbidden { id } => remark("禁发指令", id.escape_ascii().to_string()),
        Sentence::Other { talker, id, args } if talker == *b"BD" && !CHATTER.contains(&&id) => {
            let args: Vec<_> = args.iter().map(|arg| super::wire::content::decode_text(arg).0).collect();
            remark("其他语句", format!("{}: {}", id.escape_ascii(), args.join(",")))
        }
        _ => Vec::new(),
    }
}

fn beams(powers: &[u8]) -> Vec<Signal> {
    let best = powers.iter().copied().max().unwrap_or(0).min(4);
    vec![Signal::Strength { best, usable: best >= USABLE }]
}

/// Strength from carrier-to-noise ratios. BDS-2 beams whose scale is not known count as nothing, but are no proof of
/// none either.
fn carriers(ratios: impl Iterator<Item = u16>, others: bool) -> Vec<Signal> {
    let best = ratios.max().unwrap_or(0);
    if best == 0 && others {
        return Vec::new();
    }
    let bars = BARS_DB_HZ.iter().filter(|step| best >= **step).count();
    let best = u8::try_from(bars).unwrap_or(0);
    vec![Signal::Strength { best, usable: best >= USABLE }]
}
