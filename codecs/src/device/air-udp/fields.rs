use super::wire;
use crate::air::header::{Destination, Kind};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Label, Protocol};
use crate::message::StationId;
use serde_json::Value;

pub(super) const PROTOCOLS: &[Protocol] = &[Protocol { name: "air-udp", explain }];

pub(super) const LABELS: &[Label] = &[
    ("kind", "帧类", ""),
    ("precedence", "等级", ""),
    ("src", "发方驿站号（无：看来源地址）", ""),
    ("seq", "计数器低 14 位", ""),
    ("dst", "收方", ""),
    ("dst_number", "收方号", ""),
    ("epoch_bit", "密钥期号末位", ""),
    ("rows", "原始段数", " 段"),
    ("row", "段号（自 0 起）", ""),
    ("pad", "末段填充", " 字节"),
    ("seal", "密封", ""),
];

/// The same both ways: stations speak as equals.
fn explain(_: Direction, bytes: &[u8]) -> Result<Fields, DecodeError> {
    let (header, body) = wire::parse(bytes)?;
    let (dst, dst_number) = destination(header.dst);
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.into(), value));
    put("kind", header.kind.name().into());
    put("precedence", header.precedence.name().into());
    put("epoch_bit", u8::from(header.epoch_bit).into());
    put("src", header.src.map(StationId::number).into());
    put("seq", header.seq.into());
    put("dst", dst.into());
    if let Some(number) = dst_number {
        put("dst_number", number.into());
    }
    if let Some(row) = wire::row(&header, body)? {
        put("rows", row.n.into());
        put("row", row.index.into());
        put("pad", row.pad.into());
    }
    // Nobody here has a key: what reads well may still be forged.
    put("seal", if header.kind == Kind::Extended { "none" } else { "unopened" }.into());
    put("payload_len", body.len().into());
    put("payload_hex", hex::encode(body).into());
    Ok(fields)
}

fn destination(dst: Destination) -> (&'static str, Option<u16>) {
    match dst {
        Destination::Everyone => ("everyone", None),
        Destination::CommandPost => ("command_post", None),
        Destination::Role(role) => ("role", Some(role.number().into())),
        Destination::Station(station) => ("station", Some(station.number())),
        Destination::Group(group) => ("group", Some(group.number())),
    }
}
