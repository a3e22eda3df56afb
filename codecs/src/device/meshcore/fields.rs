use super::wire::{Contact, FromRadio, Origin, SelfInfo, TO_RADIO, Text, ToRadio};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use serde_json::Value;

/// The protocol that `explain` reads, by its name in the vectors.
pub(super) const PROTOCOLS: &[Protocol] = &[Protocol { name: "meshcore", explain }];

pub(super) const LABELS: &[Label] = &[
    ("cmd", "命令号", ""),
    ("name", "名称", ""),
    ("app", "程序名", ""),
    ("version", "协议版本", ""),
    ("channel", "频道", ""),
    ("timestamp", "时间（秒）", ""),
    ("txt_type", "文本种类（0 普通 1 命令 2 签名）", ""),
    ("attempt", "第几次重发", ""),
    ("pubkey_prefix", "公钥前缀", ""),
    ("public_key", "公钥", ""),
    ("since", "自何时起", ""),
    ("value", "数值", ""),
    ("error_code", "错误码", ""),
    ("count", "个数", ""),
    ("lastmod", "最后变动", ""),
    ("adv_type", "种类（1 人 2 中继 3 房间 4 传感器）", ""),
    ("tx_power", "发射功率", " dBm"),
    ("max_tx_power", "最大发射功率", " dBm"),
    ("radio_freq", "频率", " MHz"),
    ("radio_bw", "带宽", " kHz"),
    ("radio_sf", "扩频因子", ""),
    ("radio_cr", "编码率", ""),
    ("flags", "标志", ""),
    ("path_len", "经过几跳（255 直达或未知）", ""),
    ("out_path_hex", "路径", ""),
    ("last_advert", "最近通告", ""),
    ("route_flood", "泛洪发送", ""),
    ("expected_ack", "回执码", ""),
    ("suggested_timeout", "建议等待", " 毫秒"),
    ("snr_db", "信噪比", " dB"),
    ("signature", "签名前缀", ""),
    ("time", "电台时间（秒）", ""),
    ("level", "电池电压", " mV"),
    ("used_kb", "已用存储", " KB"),
    ("total_kb", "全部存储", " KB"),
    ("fw_ver", "固件协议版本", ""),
    ("max_contacts", "最多联系人", ""),
    ("max_channels", "最多频道", ""),
    ("ble_pin", "蓝牙配对码", ""),
    ("fw_build", "固件日期", ""),
    ("model", "型号", ""),
    ("ver", "固件版本", ""),
    ("ack", "回执码", ""),
    ("round_trip_ms", "往返", " 毫秒"),
];

fn explain(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let is_to_radio = match direction {
        Direction::ToTerminal => true,
        Direction::FromTerminal => false,
        Direction::Any => bytes.first() == Some(&TO_RADIO),
    };
    if is_to_radio {
        ToRadio::parse(bytes).map(|said| to_radio(&said))
    } else {
        FromRadio::parse(bytes).map(|said| from_radio(&said))
    }
}

fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

const fn cmd_name(said: &ToRadio) -> Option<&'static str> {
    Some(match said {
        ToRadio::AppStart { .. } => "app start",
        ToRadio::DirectText { .. } => "direct text",
        ToRadio::ChannelText { .. } => "channel text",
        ToRadio::Contacts { .. } => "get contacts",
        ToRadio::AskTime => "get time",
        ToRadio::NextMessage => "next message",
        ToRadio::Battery => "battery",
        ToRadio::Query { .. } => "query",
        ToRadio::Other { .. } => return None,
    })
}

fn to_radio(said: &ToRadio) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "cmd", said.cmd());
    if let Some(name) = cmd_name(said) {
        put(&mut fields, "name", name);
    }
    match said {
        ToRadio::AppStart { app, .. } => put(&mut fields, "app", app.trim_start()),
        ToRadio::DirectText { text_type, attempt, timestamp, to, text } => {
            put(&mut fields, "txt_type", *text_type);
            put(&mut fields, "attempt", *attempt);
            put(&mut fields, "timestamp", *timestamp);
            put(&mut fields, "pubkey_prefix", hex::encode(to));
            put(&mut fields, "text", text.as_str());
        }
        ToRadio::ChannelText { text_type, channel, timestamp, text } => {
            put(&mut fields, "txt_type", *text_type);
            put(&mut fields, "channel", *channel);
            put(&mut fields, "timestamp", *timestamp);
            put(&mut fields, "text", text.as_str());
        }
        ToRadio::Contacts { since: Some(since) } => put(&mut fields, "since", *since),
        ToRadio::Query { version } => put(&mut fields, "version", *version),
        ToRadio::Other { body, .. } => put(&mut fields, "payload_hex", hex::encode(body)),
        ToRadio::Contacts { since: None } | ToRadio::AskTime | ToRadio::NextMessage | ToRadio::Battery => {}
    }
    fields
}

fn from_radio(said: &FromRadio) -> Fields {
    let mut fields = Fields::new();
    let f = &mut fields;
    put(f, "type", said.kind());
    match said {
        FromRadio::Done { value } => value.iter().for_each(|value| put(f, "value", *value)),
        FromRadio::Refused { code } => code.iter().for_each(|code| put(f, "error_code", *code)),
        FromRadio::ContactsStart { count } => put(f, "count", *count),
        FromRadio::Contact(contact) | FromRadio::NewContact(contact) => put_contact(f, contact),
        FromRadio::ContactsEnd { last_modified } => put(f, "lastmod", *last_modified),
        FromRadio::SelfInfo(info) => put_self(f, info),
        FromRadio::Sent { flood, expected_ack, timeout_ms } => {
            put(f, "route_flood", *flood);
            put(f, "expected_ack", hex::encode(expected_ack));
            put(f, "suggested_timeout", *timeout_ms);
        }
        FromRadio::Text(text) => put_text(f, text),
        FromRadio::Time { seconds } => put(f, "time", *seconds),
        FromRadio::NoMore | FromRadio::Waiting => {}
        FromRadio::Battery { millivolt, storage_kb } => {
            put(f, "level", *millivolt);
            if let Some((used, total)) = storage_kb {
                put(f, "used_kb", *used);
                put(f, "total_kb", *total);
            }
        }
        FromRadio::DeviceInfo(info) => {
            put(f, "fw_ver", info.firmware);
            if let Some(about) = &info.about {
                put(f, "max_contacts", about.max_contacts);
                put(f, "max_channels", about.max_channels);
                put(f, "ble_pin", about.ble_pin);
                put(f, "fw_build", about.build.as_str());
                put(f, "model", about.model.as_str());
                put(f, "ver", about.version.as_str());
            }
            if !info.more.is_empty() {
                put(f, "extra_hex", hex::encode(&info.more));
            }
        }
        FromRadio::Advert { public_key } | FromRadio::Path { public_key } => {
            put(f, "public_key", hex::encode(public_key));
        }
        FromRadio::Confirmed { ack, round_trip_ms } => {
            put(f, "ack", hex::encode(ack));
            round_trip_ms.iter().for_each(|ms| put(f, "round_trip_ms", *ms));
        }
        FromRadio::Other { body, .. } => put(f, "payload_hex", hex::encode(body)),
    }
    fields
}

fn degrees(e6: i32) -> f64 {
    f64::from(e6) / 1e6
}

fn put_self(f: &mut Fields, info: &SelfInfo) {
    put(f, "adv_type", info.kind);
    put(f, "tx_power", info.tx_power);
    put(f, "max_tx_power", info.max_tx_power);
    put(f, "public_key", hex::encode(info.public_key));
    put(f, "lat", degrees(info.lat_e6));
    put(f, "lon", degrees(info.lon_e6));
    put(f, "flags", hex::encode(info.flags));
    put(f, "radio_freq", f64::from(info.frequency_khz) / 1e3);
    put(f, "radio_bw", f64::from(info.bandwidth_hz) / 1e3);
    put(f, "radio_sf", info.spreading_factor);
    put(f, "radio_cr", info.coding_rate);
    put(f, "name", info.name.as_str());
}

fn put_contact(f: &mut Fields, contact: &Contact) {
    put(f, "public_key", hex::encode(contact.public_key));
    put(f, "adv_type", contact.kind);
    put(f, "flags", contact.flags);
    put(f, "path_len", contact.path_len);
    let hops = if contact.path_len == u8::MAX { 0 } else { contact.path_len & 0x3F };
    let used = usize::from(hops).saturating_mul(usize::from(contact.path_len >> 6).saturating_add(1));
    put(f, "out_path_hex", hex::encode(contact.path.get(..used).unwrap_or(&contact.path)));
    put(f, "name", contact.name());
    put(f, "last_advert", contact.last_advert);
    put(f, "lat", degrees(contact.lat_e6));
    put(f, "lon", degrees(contact.lon_e6));
    put(f, "lastmod", contact.last_modified);
}

fn put_text(f: &mut Fields, text: &Text) {
    if let Some(snr) = text.snr_quarter_db {
        put(f, "snr_db", f64::from(snr) / 4.0);
    }
    match text.origin {
        Origin::Contact(prefix) => put(f, "pubkey_prefix", hex::encode(prefix)),
        Origin::Channel(channel) => put(f, "channel", channel),
    }
    put(f, "path_len", text.path_len);
    put(f, "txt_type", text.text_type);
    put(f, "timestamp", text.timestamp);
    if let Some(signature) = text.signature {
        put(f, "signature", hex::encode(signature));
    }
    let (words, lossy) = text.words();
    put(f, "text", words);
    if lossy {
        put(f, "lossy", true);
    }
}
