//! Named fields of 4.0 frames and of what a command unit overhears.

use super::Named;
use crate::device::Fields;
use crate::device::beidou::feedback;
use crate::device::beidou::wire::monitor::Overheard;
use crate::device::beidou::wire::rdss40::{Angle, Body, Dwxx, Frame, Gnpx, Gpsx, Icxx, Sjxx, Txsq, Txxx, Zjxx};
use serde_json::json;

/// Bytes before the body.
const BODY_AT: usize = 10;

pub(super) fn fields(frame: &Frame, bytes: &[u8]) -> Fields {
    let mut named = Named::default();
    let body = bytes.get(BODY_AT..bytes.len().saturating_sub(1)).unwrap_or_default();
    named
        .put("sentence", format!("${}", frame.letters().escape_ascii()))
        .put("length", bytes.len())
        .put("user_addr", frame.user);
    match &frame.body {
        Body::Icjc { page } => named.put("frame_no", *page),
        Body::Icxx(card) => own_card(&mut named, card),
        Body::IcxxPage { page, subordinates } => named.put("frame_no", *page).put("addresses", json!(subordinates)),
        Body::Xtzj { period_s } | Body::Sjsc { period_s } | Body::Gnps { period_s } | Body::Gnvs { period_s } => {
            named.put("freq_s", *period_s)
        }
        Body::Zjxx(test) => self_test(&mut named, test),
        Body::Txsq(send) => sent(&mut named, send),
        Body::Txxx(heard) => received(&mut named, heard),
        Body::Fkxx { flag, extra } => fed_back(&mut named, *flag, *extra),
        Body::Dwsq(ask) => named
            .put("category", hex_byte(ask.category))
            .put("emergency", ask.category >> 5 & 1)
            .put("height_mode", ask.category >> 2 & 3)
            .put("high_altitude", ask.category & 1)
            .put("height_and_antenna", hex::encode_upper(ask.height_and_antenna))
            .put("pressure_temperature", hex::encode_upper(ask.pressure_temperature))
            .put("freq_s", ask.period_s),
        Body::Dwxx(fix) => position(&mut named, fix),
        Body::Gljc { period_min: value } | Body::Cksc { rate: value } => named.put("value", *value),
        Body::Glzk { beams } => named.put("beam_power", json!(beams)),
        Body::Sjxx(clock) => time(&mut named, clock),
        Body::Bbxx { version } => named.put("version", String::from_utf8_lossy(version)),
        Body::Xhxx { serial } => named.put("serial", *serial),
        Body::Txhz { receiver, receipts } => {
            let of = |[hour, minute]: [u8; 2]| format!("{hour:02}:{minute:02}");
            let list: Vec<_> = receipts.iter().map(|r| json!({"sent": of(r.sent), "fetched": of(r.fetched)})).collect();
            named.put("receiver_addr", *receiver).put("count", list.len()).put("receipts", list)
        }
        Body::Gnts { zone, period_s } => named.put("zone", *zone).put("freq_s", *period_s),
        Body::Gnpx(fix) => satellite_fix(&mut named, fix),
        Body::Gntx { zone, time: [year, month, day, hour, minute, second] } => named
            .put("zone", *zone)
            .put("date", format!("{:04}-{month:02}-{day:02}", 2000 + u16::from(*year)))
            .put("time", format!("{hour:02}:{minute:02}:{second:02}")),
        Body::Gnvx { class, satellites } => {
            let one = |s: &crate::device::beidou::wire::rdss40::Satellite| json!({"id": s.id, "elevation": s.elevation, "azimuth": s.azimuth, "snr": s.snr});
            named.put("class", *class).put("satellites", satellites.iter().map(one).collect::<Vec<_>>())
        }
        Body::Gpsx(fix) => vendor_fix(&mut named, fix),
        Body::Forbidden { .. } => named.put("forbidden", true).put("body_hex", hex::encode_upper(body)),
        Body::Bbdq | Body::Xhdq => &mut named,
        _ => named.put("body_hex", hex::encode_upper(body)),
    };
    named.0
}

/// A message between others, with the names of `$TXXX`.
pub(super) fn overheard(frame: &Overheard, bytes: &[u8]) -> Fields {
    let mut named = Named::default();
    named.put("length", bytes.len());
    match frame {
        Overheard::Position { body } => named.put("sentence", "$BDXSD").put("body_hex", hex::encode_upper(body)),
        Overheard::Message(message) => named
            .put("sentence", "$BDXST")
            .put("user_addr", message.receiver)
            .put("category", hex_byte(message.category))
            .put("sender_addr", message.sender)
            .put("hour", message.hour)
            .put("minute", message.minute)
            .put("crc_flag", message.crc)
            .binary_content(message.category >> 5 & 1, message.bits, &message.content),
    };
    named.0
}

fn hex_byte(byte: u8) -> String {
    format!("{byte:02X}")
}

fn own_card<'a>(named: &'a mut Named, card: &Icxx) -> &'a mut Named {
    named
        .put("frame_no", 0)
        .put("broadcast_id", card.broadcast)
        .put("user_feature", card.feature)
        .put("service_freq_s", card.period_s)
        .put("comm_level", card.level)
        .put("encrypted", card.encrypted)
        .put("subordinates", card.subordinates)
}

fn self_test<'a>(named: &'a mut Named, test: &Zjxx) -> &'a mut Named {
    named
        .put("ic_state", test.ic)
        .put("hw_state", test.hardware)
        .put("battery", test.battery)
        .put("inbound_state", test.inbound)
        .put("beam_power", json!(test.beams))
}

fn sent<'a>(named: &'a mut Named, send: &Txsq) -> &'a mut Named {
    let kind = match send.category >> 5 {
        0b010 => "message",
        0b011 => "query",
        _ => "other",
    };
    let class = match send.category >> 2 & 3 {
        0 => "urgent",
        1 => "ordinary",
        _ => "other",
    };
    named
        .put("category", hex_byte(send.category))
        .put("kind", kind)
        .put("comm_class", class)
        .put("has_key", send.category >> 4 & 1)
        .put("password", send.category & 1)
        .put("dest_addr", send.dest)
        .put("answer", send.answer)
        .binary_content(send.form(), send.bits, &send.content)
}

fn received<'a>(named: &'a mut Named, heard: &Txxx) -> &'a mut Named {
    named
        .put("category", hex_byte(heard.category))
        .put("receipt", heard.category >> 4 & 1)
        .put("via_query", heard.category >> 3 & 1)
        .put("has_key", heard.category >> 2 & 1)
        .put("sender_addr", heard.sender)
        .put("hour", heard.hour)
        .put("minute", heard.minute)
        .put("crc_flag", heard.crc)
        .binary_content(heard.form(), heard.bits, &heard.content)
}

fn fed_back(named: &mut Named, flag: u8, extra: [u8; 4]) -> &mut Named {
    let meaning = match flag {
        0 => "success",
        1 => "failed",
        2 => "signal not locked",
        3 => "battery low",
        4 => "service frequency not reached",
        5 => "encryption error",
        6 => "CRC error",
        7 => "transmission suppressed",
        8 => "suppression lifted",
        9..=0xA0 => "reserved",
        _ => "vendor",
    };
    named.put("flag", flag).put("meaning", meaning);
    if matches!(flag, 0 | 1 | 6) && extra.iter().all(u8::is_ascii_uppercase) {
        return named.put("command", extra.escape_ascii().to_string());
    }
    if flag == 4 {
        named.put("wait_s", feedback::fkxx_wait_s(extra, feedback::FkxxWait::Robust));
    }
    named.put("extra_hex", hex::encode_upper(extra))
}

fn position<'a>(named: &'a mut Named, fix: &Dwxx) -> &'a mut Named {
    let [hour, minute, second, hundredths] = fix.time;
    named
        .put("category", hex_byte(fix.category))
        .put("query_addr", fix.queried)
        .put("time", format!("{hour:02}:{minute:02}:{second:02}.{hundredths:02}"))
        .angle("lon_deg", fix.lon.e7())
        .angle("lat_deg", fix.lat.e7())
        .put("height_m", fix.height_m())
        .put("height_anomaly_m", fix.anomaly_m())
}

fn time<'a>(named: &'a mut Named, clock: &Sjxx) -> &'a mut Named {
    named
        .put("date", format!("{:04}-{:02}-{:02}", clock.year, clock.month, clock.day))
        .put("time", format!("{:02}:{:02}:{:02}", clock.hour, clock.minute, clock.second))
}

fn signed_angle(angle: Angle, hemisphere: u8) -> Option<i32> {
    angle.e7().map(|e7| if matches!(hemisphere, b'S' | b'W') { -e7 } else { e7 })
}

fn satellite_fix<'a>(named: &'a mut Named, fix: &Gnpx) -> &'a mut Named {
    let magnitude = i32::from(fix.height & 0x7FFF);
    named
        .put("ew", char::from(fix.ew).to_string())
        .angle("lon_deg", signed_angle(fix.lon, fix.ew))
        .put("ns", char::from(fix.ns).to_string())
        .angle("lat_deg", signed_angle(fix.lat, fix.ns))
        .put("height_m", if fix.height & 0x8000 == 0 { magnitude } else { -magnitude })
        .put("speed", fix.speed)
        .put("heading", fix.heading)
        .put("satellites", fix.satellites)
        .put("status", fix.status)
        .put("pdop", f64::from(fix.pdop_tenth) / 10.0)
        .put("error", fix.error)
}

fn vendor_fix<'a>(named: &'a mut Named, fix: &Gpsx) -> &'a mut Named {
    let ([year, month, day], [hour, minute, second]) = (fix.date, fix.time);
    named
        .put("date", format!("{:04}-{month:02}-{day:02}", 2000 + u16::from(year)))
        .put("time", format!("{hour:02}:{minute:02}:{second:02}"))
        .put("ew", char::from(fix.ew).to_string())
        .angle("lon_deg", signed_angle(fix.lon, fix.ew))
        .put("ns", char::from(fix.ns).to_string())
        .angle("lat_deg", signed_angle(fix.lat, fix.ns))
        .put("tail_hex", hex::encode_upper(fix.tail))
}
