use super::carried::{hrnp, hstrp, put_rcp};
use super::wire::{Body, Dds, Gps, Hdap, Lp, RadioIp, Rrs, Service, Tmp, TmpMessage, Utf16, Window};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Protocol};
use serde_json::{Value, json};

/// The HDAP services and their carriers that `explain` reads, by their names in the vectors.
pub(super) const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "hytera-rrs", explain: |_: Direction, bytes| explain(Service::Rrs, bytes) },
    Protocol { name: "hytera-lp", explain: |_: Direction, bytes| explain(Service::Lp, bytes) },
    Protocol { name: "hytera-hdap-tmp", explain: |_: Direction, bytes| explain(Service::Tmp, bytes) },
    Protocol { name: "hytera-dds", explain: |_: Direction, bytes| explain(Service::Dds, bytes) },
    Protocol { name: "hytera-rcp", explain: |_: Direction, bytes| explain(Service::Rcp, bytes) },
    Protocol { name: "hytera-hrnp", explain: |_: Direction, bytes| hrnp(bytes) },
    Protocol { name: "hytera-hstrp", explain: |_: Direction, bytes| hstrp(bytes) },
];

/// The direction adds nothing here: every opcode says which way it goes, and texts go both ways.
///
/// What no rule can refuse: the reliable bit. It stands outside the checksum and is lawful in every service, so a frame
/// with that one bit wrong reads as another frame.
fn explain(service: Service, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let (frame, rest) = Hdap::parse(bytes)?;
    if frame.body.service() != service {
        return Err(DecodeError::Unknown(format!("service {}: not {}", frame.body.service().name(), service.name())));
    }
    let mut fields = hdap(&frame);
    if !rest.is_empty() {
        put(&mut fields, "trailing_hex", hex::encode(rest));
    }
    Ok(fields)
}

/// The fields of a frame, for every layer that carries HDAP.
pub(super) fn hdap(frame: &Hdap) -> Fields {
    let mut fields = Fields::new();
    let service = frame.body.service();
    put(&mut fields, "service", service.name());
    put(&mut fields, "reliable", frame.reliable);
    put(&mut fields, "opcode", format!("0x{:04x}", frame.body.opcode()));
    put(&mut fields, "payload_len", frame.payload_len());
    put(&mut fields, "end", format!("0x{:02x}", frame.end));
    match &frame.body {
        Body::Rrs(rrs) => put_rrs(&mut fields, rrs),
        Body::Lp(lp) => put_lp(&mut fields, lp),
        Body::Tmp(tmp) => put_tmp(&mut fields, tmp),
        Body::Dds(dds) => put_dds(&mut fields, dds),
        Body::Rcp(rcp) => put_rcp(&mut fields, rcp),
    }
    fields
}

pub(super) fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

fn put_radio(fields: &mut Fields, radio: RadioIp) {
    put(fields, "radio_ip", radio.to_string());
    put(fields, "radio_id", radio.id());
}

fn put_rrs(fields: &mut Fields, rrs: &Rrs) {
    let name = match rrs {
        Rrs::Register { .. } => "register",
        Rrs::RegisterAck { .. } => "register_ack",
        Rrs::Offline { .. } => "offline",
        Rrs::StatusCheck { .. } => "status_check",
        Rrs::StatusCheckAnswer { .. } => "status_check_answer",
    };
    put(fields, "type", name);
    put_radio(fields, rrs.radio());
    match rrs {
        Rrs::RegisterAck { result, renew_s, .. } => {
            put(fields, "result", *result);
            put(fields, "renew_seconds", *renew_s);
        }
        Rrs::StatusCheckAnswer { state, .. } => put(fields, "state", *state),
        Rrs::Register { .. } | Rrs::Offline { .. } | Rrs::StatusCheck { .. } => {}
    }
}

/// The name of a location opcode.
pub(super) const fn lp_name(opcode: u16) -> &'static str {
    match opcode {
        0xA001 => "standard_request",
        0xA002 => "standard_report",
        0xA003 => "standard_report_rssi",
        0xB001 => "emergency_stop_request",
        0xB002 => "emergency_stop_answer",
        0xB003 => "emergency_report",
        0xC001 => "timed_request",
        0xC002 => "timed_answer",
        0xC003 => "timed_report",
        0xC004 => "timed_stop_request",
        0xC005 => "timed_stop_answer",
        0xD001 => "condition_request",
        0xD002 => "condition_answer",
        0xD003 => "condition_report",
        0xD004 => "condition_report_rssi",
        0xD011 => "quick_gps_request",
        0xD012 => "quick_gps_answer",
        0xE001 => "rssi_config_request",
        0xE002 => "rssi_config_answer",
        _ => "unknown",
    }
}

fn put_lp(fields: &mut Fields, lp: &Lp) {
    put(fields, "type", lp_name(lp.opcode()));
    match lp {
        Lp::Request { request, radio, extra } => {
            put(fields, "request_id", *request);
            put_radio(fields, *radio);
            if let Some(extra) = extra {
                put(fields, "extra_hex", format!("{extra:02x}"));
            }
        }
        Lp::Report { request, radio, result, gps, rssi, .. } => {
            put(fields, "request_id", *request);
            put_radio(fields, *radio);
            put(fields, "result", *result);
            put(fields, "gps", gps_fields(gps));
            if let Some(rssi) = rssi {
                put(fields, "rssi", *rssi);
            }
        }
        Lp::EmergencyReport { radio, kind, gps } => {
            put_radio(fields, *radio);
            put(fields, "emergency_type", *kind);
            put(fields, "gps", gps_fields(gps));
        }
        Lp::TimedRequest { request, radio, window } => {
            put(fields, "request_id", *request);
            put_radio(fields, *radio);
            put_window(fields, window);
        }
        Lp::TimedReport { request, radio, remaining, gps } => {
            put(fields, "request_id", *request);
            put_radio(fields, *radio);
            put(fields, "remaining", remaining.text());
            put(fields, "gps", gps_fields(gps));
        }
        Lp::ConditionRequest { request, radio, trigger, distance, window, max_interval } => {
            put(fields, "request_id", *request);
            put_radio(fields, *radio);
            put(fields, "trigger_type", *trigger);
            put(fields, "distance", *distance);
            put_window(fields, window);
            put(fields, "max_interval_ddhhmmss", max_interval.text());
        }
        Lp::Opaque { payload, .. } => put(fields, "payload_hex", hex::encode(payload)),
    }
}

fn put_window(fields: &mut Fields, window: &Window) {
    put(fields, "start", window.start.text());
    put(fields, "stop", window.stop.text());
    put(fields, "interval_ddhhmmss", window.interval.text());
}

fn gps_fields(gps: &Gps) -> Value {
    json!({
        "valid": gps.status.text(),
        "utc_time": gps.time.text(),
        "utc_date_ddmmyy": gps.date.text(),
        "ns": gps.north_south.text(),
        "lat_raw": gps.latitude.text(),
        "ew": gps.east_west.text(),
        "lon_raw": gps.longitude.text(),
        "speed_knots_raw": gps.speed.text(),
        "course_raw": gps.course.text(),
        "lat": gps.latitude_e4().map(degrees),
        "lon": gps.longitude_e4().map(degrees),
    })
}

/// 1e-4 minutes in degrees with six decimals, rounded once: times 5, over 3, is in millionths.
fn degrees(minutes_e4: i32) -> f64 {
    let millionths = (i64::from(minutes_e4) * 5 + i64::from(minutes_e4.signum())) / 3;
    f64::from(i32::try_from(millionths).unwrap_or(0)) / 1e6
}

fn put_tmp(fields: &mut Fields, tmp: &Tmp) {
    let name = match &tmp.message {
        TmpMessage::PrivateText { .. } => "private_message",
        TmpMessage::PrivateAck { .. } => "private_ack",
        TmpMessage::GroupText { .. } => "group_message",
        TmpMessage::GroupAck { .. } => "group_ack",
        TmpMessage::PrivateData { .. } => "private_short_data",
        TmpMessage::PrivateDataAck { .. } => "private_short_data_ack",
        TmpMessage::GroupData { .. } => "group_short_data",
        TmpMessage::GroupDataAck { .. } => "group_short_data_ack",
        TmpMessage::WorkOrder { .. } => "work_order",
    };
    put(fields, "type", name);
    put(fields, "flag_bit7", u8::from(tmp.flag_7));
    put(fields, "flag_option", u8::from(tmp.options.is_some()));
    if tmp.reserved != 0 {
        put(fields, "flag_reserved", tmp.reserved);
    }
    if let Some(options) = &tmp.options {
        put(fields, "option_len", options.len());
        put(fields, "option_hex", hex::encode(options));
    }
    match &tmp.message {
        TmpMessage::PrivateText { request, to, from, text } | TmpMessage::GroupText { request, to, from, text } => {
            put_way(fields, *request, *to, Some(*from));
            put_text(fields, text);
        }
        TmpMessage::PrivateData { request, to, from, data } | TmpMessage::GroupData { request, to, from, data } => {
            put_way(fields, *request, *to, Some(*from));
            put(fields, "data_hex", hex::encode(data));
        }
        TmpMessage::PrivateAck { request, to, from, result }
        | TmpMessage::PrivateDataAck { request, to, from, result } => {
            put_way(fields, *request, *to, Some(*from));
            put(fields, "result", *result);
        }
        TmpMessage::GroupAck { request, to, result } | TmpMessage::GroupDataAck { request, to, result } => {
            put_way(fields, *request, *to, None);
            put(fields, "result", *result);
        }
        TmpMessage::WorkOrder { payload, .. } => put(fields, "payload_hex", hex::encode(payload)),
    }
}

fn put_way(fields: &mut Fields, request: u32, to: RadioIp, from: Option<RadioIp>) {
    put(fields, "request_id", request);
    put(fields, "dest_ip", to.to_string());
    put(fields, "dest_id", to.id());
    if let Some(from) = from {
        put(fields, "src_ip", from.to_string());
        put(fields, "src_id", from.id());
    }
}

fn put_text(fields: &mut Fields, text: &Utf16) {
    let (words, lossy) = text.text();
    put(fields, "text", words);
    if lossy {
        put(fields, "lossy", true);
    }
}

fn put_dds(fields: &mut Fields, dds: &Dds) {
    put(fields, "about_service", format!("0x{:02x}", dds.about.code()));
    put_radio(fields, dds.radio);
    put(fields, "about_opcode", format!("0x{:04x}", dds.about_opcode));
    put(fields, "result", dds.result);
}

#[cfg(test)]
mod tests {
    use super::degrees;

    #[test]
    fn degrees_are_rounded_once_to_the_nearest_millionth() {
        for e4 in -54_000_000..=-53_900_000 {
            let exact = f64::from(e4) / 600_000.0;
            assert!((degrees(e4) - exact).abs() < 0.500_001e-6, "{e4}");
            assert!((degrees(-e4) + exact).abs() < 0.500_001e-6, "{e4}");
        }
        assert_eq!(degrees(47 * 600_000 + 366_977), 47.611_628);
    }
}
