use super::wire::pdu::{Message, Pdu};
use super::wire::{Address, Alphabet, At, Packed, Place, Scts, UserData, Validity, cme_words, cms_words, report_words};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use crate::message::Utc;
use serde_json::{Value, json};

pub(super) const PROTOCOLS: &[Protocol] =
    &[Protocol { name: "sms-pdu", explain: explain_pdu }, Protocol { name: "at-sms", explain: explain_at }];

pub(super) const LABELS: &[Label] = &[
    ("type", "类型", ""),
    ("smsc", "短信中心", ""),
    ("from", "发方", ""),
    ("from_type", "发方号码类型", ""),
    ("to", "收方", ""),
    ("to_type", "收方号码类型", ""),
    ("text", "内容", ""),
    ("lossy", "有字节未能读出", ""),
    ("data_hex", "数据", ""),
    ("timestamp", "短信中心时间", ""),
    ("discharge_time", "投递时间", ""),
    ("status", "回执状态", ""),
    ("meaning", "含义", ""),
    ("delivered", "对方手机已收到", ""),
    ("reference", "短信参考号", ""),
    ("pid", "协议标识", ""),
    ("dcs", "编码方案", ""),
    ("alphabet", "字符集", ""),
    ("length", "用户数据长度", ""),
    ("udh_hex", "用户数据头", ""),
    ("concat_ref", "长短信参考号", ""),
    ("concat_part", "第几条", ""),
    ("concat_total", "共几条", ""),
    ("report_requested", "要求回执", ""),
    ("reject_duplicates", "拒收重复", ""),
    ("validity_min", "有效期", " 分钟"),
    ("validity_until", "有效至", ""),
    ("more_messages", "还有来信", ""),
    ("reply_path", "回复路径", ""),
    ("command", "命令", ""),
    ("name", "名称", ""),
    ("value", "值", ""),
    ("code", "错误号", ""),
    ("memory", "存储器", ""),
    ("index", "存储位置", ""),
    ("state", "存储状态（0 未读 1 已读 2 未发 3 已发）", ""),
    ("rssi", "场强等级（99 不明）", ""),
    ("ber", "误码等级（99 不明）", ""),
    ("registration", "网络登记（1 本网 5 漫游）", ""),
    ("number", "本机号码", ""),
    ("used", "已用", " 条"),
    ("total", "总容量", " 条"),
    ("service", "短信服务级别", ""),
    ("pdu_hex", "短信数据", ""),
    ("pdu_type", "短信类型", ""),
    ("tpdu_length", "短信长度", " 字节"),
];

fn put(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

/// The octets, or the hex digits that stand for them on the cable: no PDU begins with an octet as high as a digit.
fn explain_pdu(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let trimmed = bytes.trim_ascii();
    let is_hex = !trimmed.is_empty() && trimmed.iter().all(u8::is_ascii_hexdigit);
    let octets = if is_hex {
        hex::decode(trimmed).map_err(|_| DecodeError::Hex { digits: trimmed.len() })?
    } else {
        bytes.to_vec()
    };
    let pdu = Pdu::parse(&octets)?;
    let fits = match pdu.message {
        Message::Submit(_) => true,
        Message::Deliver(_) | Message::Report(_) => direction != Direction::ToTerminal,
    };
    if !fits {
        return Err(DecodeError::Unknown("a TPDU that no host sends".into()));
    }
    Ok(pdu_fields(&pdu))
}

fn pdu_fields(pdu: &Pdu) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "smsc", pdu.smsc.as_ref().map(ToString::to_string));
    match &pdu.message {
        Message::Deliver(deliver) => {
            put(&mut fields, "type", "deliver");
            put_address(&mut fields, "from", &deliver.from);
            put(&mut fields, "timestamp", time(deliver.at));
            put(&mut fields, "more_messages", deliver.flags & 0x04 == 0);
            put(&mut fields, "reply_path", deliver.flags & 0x80 != 0);
            put_data(&mut fields, deliver.pid, deliver.dcs, &deliver.data);
        }
        Message::Submit(submit) => {
            put(&mut fields, "type", "submit");
            put(&mut fields, "reference", submit.reference);
            put_address(&mut fields, "to", &submit.to);
            put(&mut fields, "report_requested", submit.wants_report);
            put(&mut fields, "reject_duplicates", submit.rejects_duplicates);
            put(&mut fields, "reply_path", submit.reply_path);
            if let Some(minutes) = submit.validity.minutes() {
                put(&mut fields, "validity_min", minutes);
            }
            if let Validity::Absolute(until) = submit.validity {
                put(&mut fields, "validity_until", time(until));
            }
            put_data(&mut fields, submit.pid, submit.dcs, &submit.data);
        }
        Message::Report(report) => {
            put(&mut fields, "type", "status_report");
            put(&mut fields, "reference", report.reference);
            put_address(&mut fields, "to", &report.to);
            put(&mut fields, "timestamp", time(report.at));
            put(&mut fields, "discharge_time", time(report.discharged));
            put(&mut fields, "status", report.status);
            put(&mut fields, "meaning", report_words(report.status));
            put(&mut fields, "delivered", report.status == 0);
        }
    }
    fields
}

fn put_address(fields: &mut Fields, name: &str, address: &Address) {
    put(fields, name, address.to_string());
    put(fields, &format!("{name}_type"), address.kind_name());
}

/// UTC to the second, as RFC 3339; `null` where the seven octets are no date.
fn time(at: Scts) -> Option<String> {
    at.utc().map(rfc3339)
}

fn rfc3339(at: Utc) -> String {
    at.to_string().replace(".000Z", "Z")
}

fn put_data(fields: &mut Fields, pid: u8, dcs: u8, data: &UserData) {
    put(fields, "pid", pid);
    put(fields, "dcs", dcs);
    put(fields, "alphabet", Alphabet::of(dcs).name());
    put(fields, "length", data.length());
    if let Some(header) = &data.header {
        put(fields, "udh_hex", hex::encode(header));
    }
    if let Some(concat) = data.concat() {
        put(fields, "concat_ref", concat.reference);
        put(fields, "concat_part", concat.number);
        put(fields, "concat_total", concat.total);
    }
    match (data.text(dcs), &data.body) {
        (Some((text, lossy)), _) => {
            put(fields, "text", text);
            put(fields, "lossy", lossy);
        }
        (None, Packed::Octets(octets) | Packed::Septets(octets)) => put(fields, "data_hex", hex::encode(octets)),
    }
}

fn explain_at(direction: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let at = At::parse(bytes)?;
    let is_ours = matches!(at, At::Command { .. } | At::Data(_));
    if direction == Direction::ToTerminal && !is_ours {
        return Err(DecodeError::Unknown("a line that no host sends".into()));
    }
    let mut fields = Fields::new();
    put(&mut fields, "type", at_type(&at));
    match at {
        At::Blank | At::Ok | At::Error | At::Prompt => {}
        At::CmsError(code) => extend(&mut fields, json!({"code": code, "meaning": cms_words(code)})),
        At::CmeError(code) => extend(&mut fields, json!({"code": code, "meaning": cme_words(code)})),
        At::Command { line, pdu } => {
            put(&mut fields, "command", line);
            put_pdu(&mut fields, pdu.as_ref());
        }
        At::Data(octets) => put(&mut fields, "pdu_hex", hex::encode(octets)),
        At::Sent { reference } => put(&mut fields, "reference", reference),
        At::Message { place, pdu } => {
            match place {
                Place::Direct | Place::Report => {}
                Place::Read { state } => put(&mut fields, "state", state),
                Place::Listed { index, state } => extend(&mut fields, json!({"index": index, "state": state})),
            }
            put_pdu(&mut fields, Some(&pdu));
        }
        At::Stored { memory, index, .. } => extend(&mut fields, json!({"memory": memory, "index": index})),
        At::Sim(value) | At::Call(value) => put(&mut fields, "value", value),
        At::Quality { rssi, ber } => extend(&mut fields, json!({"rssi": rssi, "ber": ber})),
        At::Registration(value) => put(&mut fields, "registration", value),
        At::Own(number) => put(&mut fields, "number", number),
        At::Storage { used, total } => extend(&mut fields, json!({"used": used, "total": total})),
        At::Service(value) => put(&mut fields, "service", value),
        At::Info { name, value } => extend(&mut fields, json!({"name": name, "value": value})),
    }
    Ok(fields)
}

fn at_type(at: &At) -> &'static str {
    match at {
        At::Blank => "blank",
        At::Ok => "ok",
        At::Error => "error",
        At::Prompt => "prompt",
        At::CmsError(_) => "cms_error",
        At::CmeError(_) => "cme_error",
        At::Command { .. } => "command",
        At::Data(_) => "pdu",
        At::Sent { .. } => "cmgs",
        At::Message { place: Place::Direct, .. } => "cmt",
        At::Message { place: Place::Report, .. } => "cds",
        At::Message { place: Place::Read { .. }, .. } => "cmgr",
        At::Message { place: Place::Listed { .. }, .. } => "cmgl",
        At::Stored { is_report: false, .. } => "cmti",
        At::Stored { is_report: true, .. } => "cdsi",
        At::Sim(_) => "cpin",
        At::Quality { .. } => "csq",
        At::Registration(_) => "creg",
        At::Own(_) => "cnum",
        At::Storage { .. } => "cpms",
        At::Service(_) => "csms",
        At::Info { .. } => "info",
        At::Call(_) => "call",
    }
}

fn extend(fields: &mut Fields, more: Value) {
    if let Value::Object(more) = more {
        fields.extend(more);
    }
}

/// The fields of a message beside those of its line, which has the `type`; the message's own stands as `pdu_type`.
fn put_pdu(fields: &mut Fields, pdu: Option<&Pdu>) {
    let Some(pdu) = pdu else { return };
    let mut inner = pdu_fields(pdu);
    if let Some(kind) = inner.remove("type") {
        put(fields, "pdu_type", kind);
    }
    if let Ok((_, length)) = pdu.emit() {
        put(fields, "tpdu_length", length);
    }
    fields.extend(inner);
}
