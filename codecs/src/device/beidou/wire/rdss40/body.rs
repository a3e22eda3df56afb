//! The bodies of 4.0 frames.

use super::{
    Angle, Body, Dwsq, Dwxx, FORBIDDEN, Gnpx, Gpsx, Icxx, Reader, Receipt, Satellite, Sjxx, Txsq, Txxx, Zjxx,
    content_bytes, put_u24,
};
use crate::codec::{DecodeError, EncodeError};
use bytes::{BufMut, Bytes, BytesMut};

pub(super) fn parse(letters: [u8; 4], bytes: &[u8]) -> Result<Body, DecodeError> {
    if FORBIDDEN.contains(&&letters) {
        return Ok(Body::Forbidden { letters });
    }
    let mut reader = Reader::new(bytes, 10);
    let r = &mut reader;
    let body = match &letters {
        b"ICJC" => Body::Icjc { page: r.u8()? },
        b"ICXX" => card(r)?,
        b"XTZJ" => Body::Xtzj { period_s: r.u16()? },
        b"ZJXX" => {
            Body::Zjxx(Zjxx { ic: r.u8()?, hardware: r.u8()?, battery: r.u8()?, inbound: r.u8()?, beams: r.array()? })
        }
        b"TXSQ" => Body::Txsq(send(r)?),
        b"TXXX" => Body::Txxx(received(r)?),
        b"FKXX" => Body::Fkxx { flag: r.u8()?, extra: r.array()? },
        b"DWSQ" => Body::Dwsq(Dwsq {
            category: r.u8()?,
            height_and_antenna: r.array()?,
            pressure_temperature: r.array()?,
            period_s: r.u16()?,
        }),
        b"DWXX" => Body::Dwxx(position(r)?),
        b"GLJC" => Body::Gljc { period_min: r.u8()? },
        b"GLZK" => Body::Glzk { beams: r.array()? },
        b"SJSC" => Body::Sjsc { period_s: r.u16()? },
        b"SJXX" => Body::Sjxx(clock(r)?),
        b"BBDQ" => Body::Bbdq,
        b"BBXX" => Body::Bbxx { version: Bytes::copy_from_slice(r.rest()) },
        b"CKSC" => Body::Cksc { rate: r.u8()? },
        b"BSSZ" => Body::Bssz { beams: Bytes::copy_from_slice(r.rest()) },
        b"JSZL" => Body::Jszl { command: Bytes::copy_from_slice(r.rest()) },
        b"XHDQ" => Body::Xhdq,
        b"XHXX" => Body::Xhxx { serial: r.u32()? },
        b"TXHZ" => receipts(r)?,
        b"GNPS" => Body::Gnps { period_s: r.u16()? },
        b"GNVS" => Body::Gnvs { period_s: r.u16()? },
        b"GNTS" => Body::Gnts { zone: r.u8()?, period_s: r.u16()? },
        b"GNPX" => Body::Gnpx(fix(r)?),
        b"GNTX" => Body::Gntx { zone: r.u8()?, time: r.array()? },
        b"GNVX" => satellites(r)?,
        b"GPSP" => Body::Gpsp { setting: r.array()? },
        b"GPSX" => Body::Gpsx(Gpsx {
            date: r.array()?,
            time: r.array()?,
            ew: r.u8()?,
            lon: Angle::read(r)?,
            ns: r.u8()?,
            lat: Angle::read(r)?,
            tail: r.array()?,
        }),
        _ => Body::Other { letters, body: Bytes::copy_from_slice(r.rest()) },
    };
    reader.end()?;
    Ok(body)
}

fn card(r: &mut Reader<'_>) -> Result<Body, DecodeError> {
    let page = r.u8()?;
    if page == 0 {
        return Ok(Body::Icxx(Icxx {
            broadcast: r.u24()?,
            feature: r.u8()?,
            period_s: r.u16()?,
            level: r.u8()?,
            encrypted: r.u8()?,
            subordinates: r.u16()?,
        }));
    }
    let mut subordinates = Vec::new();
    while !r.rest.is_empty() {
        subordinates.push(r.u24()?);
    }
    Ok(Body::IcxxPage { page, subordinates })
}

/// Content must have exactly the bytes that its bit length needs: a right XOR alone does not make it true.
fn content(r: &mut Reader<'_>, bits: u16, after: usize) -> Result<Bytes, DecodeError> {
    let present = r.rest.len().saturating_sub(after);
    if present != content_bytes(bits) || r.rest.len() < after {
        return Err(DecodeError::Content { declared: bits.into(), present });
    }
    r.take(present).map(Bytes::copy_from_slice)
}

fn send(r: &mut Reader<'_>) -> Result<Txsq, DecodeError> {
    let (category, dest, bits, answer) = (r.u8()?, r.u24()?, r.u16()?, r.u8()?);
    Ok(Txsq { category, dest, bits, answer, content: content(r, bits, 0)? })
}

fn received(r: &mut Reader<'_>) -> Result<Txxx, DecodeError> {
    let (category, sender, hour, minute, bits) = (r.u8()?, r.u24()?, r.u8()?, r.u8()?, r.u16()?);
    Ok(Txxx { category, sender, hour, minute, bits, content: content(r, bits, 1)?, crc: r.u8()? })
}

fn position(r: &mut Reader<'_>) -> Result<Dwxx, DecodeError> {
    Ok(Dwxx {
        category: r.u8()?,
        queried: r.u24()?,
        time: r.array()?,
        lon: Angle::read(r)?,
        lat: Angle::read(r)?,
        height: r.u16()?,
        anomaly: r.u16()?,
    })
}

fn clock(r: &mut Reader<'_>) -> Result<Sjxx, DecodeError> {
    Ok(Sjxx { year: r.u16()?, month: r.u8()?, day: r.u8()?, hour: r.u8()?, minute: r.u8()?, second: r.u8()? })
}

fn receipts(r: &mut Reader<'_>) -> Result<Body, DecodeError> {
    let (receiver, count) = (r.u24()?, r.u8()?);
    let mut receipts = Vec::new();
    for _ in 0..count {
        receipts.push(Receipt { sent: r.array()?, fetched: r.array()? });
    }
    Ok(Body::Txhz { receiver, receipts })
}

fn fix(r: &mut Reader<'_>) -> Result<Gnpx, DecodeError> {
    Ok(Gnpx {
        ew: r.u8()?,
        lon: Angle::read(r)?,
        ns: r.u8()?,
        lat: Angle::read(r)?,
        height: r.u16()?,
        speed: r.u16()?,
        heading: r.u16()?,
        satellites: r.u8()?,
        status: r.u8()?,
        pdop_tenth: r.u8()?,
        error: r.u16()?,
    })
}

fn satellites(r: &mut Reader<'_>) -> Result<Body, DecodeError> {
    let (class, count) = (r.u8()?, r.u8()?);
    let mut satellites = Vec::new();
    for _ in 0..count {
        satellites.push(Satellite { id: r.u8()?, elevation: r.u8()?, azimuth: r.u16()?, snr: r.u8()? });
    }
    Ok(Body::Gnvx { class, satellites })
}

pub(super) const fn letters(body: &Body) -> [u8; 4] {
    match body {
        Body::Icjc { .. } => *b"ICJC",
        Body::Icxx(_) | Body::IcxxPage { .. } => *b"ICXX",
        Body::Xtzj { .. } => *b"XTZJ",
        Body::Zjxx(_) => *b"ZJXX",
        Body::Txsq(_) => *b"TXSQ",
        Body::Txxx(_) => *b"TXXX",
        Body::Fkxx { .. } => *b"FKXX",
        Body::Dwsq(_) => *b"DWSQ",
        Body::Dwxx(_) => *b"DWXX",
        Body::Gljc { .. } => *b"GLJC",
        Body::Glzk { .. } => *b"GLZK",
        Body::Sjsc { .. } => *b"SJSC",
        Body::Sjxx(_) => *b"SJXX",
        Body::Bbdq => *b"BBDQ",
        Body::Bbxx { .. } => *b"BBXX",
        Body::Cksc { .. } => *b"CKSC",
        Body::Bssz { .. } => *b"BSSZ",
        Body::Xhdq => *b"XHDQ",
        Body::Xhxx { .. } => *b"XHXX",
        Body::Jszl { .. } => *b"JSZL",
        Body::Txhz { .. } => *b"TXHZ",
        Body::Gnps { .. } => *b"GNPS",
        Body::Gnvs { .. } => *b"GNVS",
        Body::Gnts { .. } => *b"GNTS",
        Body::Gnpx(_) => *b"GNPX",
        Body::Gntx { .. } => *b"GNTX",
        Body::Gnvx { .. } => *b"GNVX",
        Body::Gpsp { .. } => *b"GPSP",
        Body::Gpsx(_) => *b"GPSX",
        Body::Forbidden { letters } | Body::Other { letters, .. } => *letters,
    }
}

pub(super) fn put(body: &Body, out: &mut BytesMut) -> Result<(), EncodeError> {
    match body {
        Body::Icjc { page } => out.put_u8(*page),
        Body::Icxx(card) => {
            out.put_u8(0);
            put_u24(out, card.broadcast)?;
            out.put_u8(card.feature);
            out.put_u16(card.period_s);
            out.put_slice(&[card.level, card.encrypted]);
            out.put_u16(card.subordinates);
        }
        Body::IcxxPage { page, subordinates } => {
            out.put_u8(*page);
            subordinates.iter().try_for_each(|number| put_u24(out, *number))?;
        }
        Body::Txsq(send) => {
            out.put_u8(send.category);
            put_u24(out, send.dest)?;
            out.put_u16(send.bits);
            out.put_u8(send.answer);
            out.put_slice(&send.content);
        }
        Body::Txxx(heard) => {
            out.put_u8(heard.category);
            put_u24(out, heard.sender)?;
            out.put_slice(&[heard.hour, heard.minute]);
            out.put_u16(heard.bits);
            out.put_slice(&heard.content);
            out.put_u8(heard.crc);
        }
        Body::Txhz { receiver, receipts } => {
            put_u24(out, *receiver)?;
            out.put_u8(count(receipts.len())?);
            for receipt in receipts {
                out.put_slice(&receipt.sent);
                out.put_slice(&receipt.fetched);
            }
        }
        Body::Dwxx(fix) => put_position(out, fix)?,
        Body::Gnvx { class, satellites } => {
            out.put_slice(&[*class, count(satellites.len())?]);
            for satellite in satellites {
                out.put_slice(&[satellite.id, satellite.elevation]);
                out.put_u16(satellite.azimuth);
                out.put_u8(satellite.snr);
            }
        }
        Body::Gnpx(fix) => put_fix(out, fix),
        Body::Gpsx(fix) => {
            out.put_slice(&fix.date);
            out.put_slice(&fix.time);
            out.put_u8(fix.ew);
            fix.lon.put(out);
            out.put_u8(fix.ns);
            fix.lat.put(out);
            out.put_slice(&fix.tail);
        }
        other => put_plain(out, other),
    }
    Ok(())
}

/// Bodies that always fit.
fn put_plain(out: &mut BytesMut, body: &Body) {
    match body {
        Body::Xtzj { period_s } | Body::Sjsc { period_s } | Body::Gnps { period_s } | Body::Gnvs { period_s } => {
            out.put_u16(*period_s);
        }
        Body::Zjxx(test) => {
            out.put_slice(&[test.ic, test.hardware, test.battery, test.inbound]);
            out.put_slice(&test.beams);
        }
        Body::Fkxx { flag, extra } => {
            out.put_u8(*flag);
            out.put_slice(extra);
        }
        Body::Dwsq(ask) => {
            out.put_u8(ask.category);
            out.put_slice(&ask.height_and_antenna);
            out.put_slice(&ask.pressure_temperature);
            out.put_u16(ask.period_s);
        }
        Body::Gljc { period_min: byte } | Body::Cksc { rate: byte } => out.put_u8(*byte),
        Body::Glzk { beams } => out.put_slice(beams),
        Body::Sjxx(clock) => {
            out.put_u16(clock.year);
            out.put_slice(&[clock.month, clock.day, clock.hour, clock.minute, clock.second]);
        }
        Body::Bbxx { version: bytes }
        | Body::Bssz { beams: bytes }
        | Body::Jszl { command: bytes }
        | Body::Other { body: bytes, .. } => out.put_slice(bytes),
        Body::Xhxx { serial } => out.put_u32(*serial),
        Body::Gnts { zone, period_s } => {
            out.put_u8(*zone);
            out.put_u16(*period_s);
        }
        Body::Gntx { zone, time } => {
            out.put_u8(*zone);
            out.put_slice(time);
        }
        Body::Gpsp { setting } => out.put_slice(setting),
        _ => {}
    }
}

fn put_position(out: &mut BytesMut, fix: &Dwxx) -> Result<(), EncodeError> {
    out.put_u8(fix.category);
    put_u24(out, fix.queried)?;
    out.put_slice(&fix.time);
    fix.lon.put(out);
    fix.lat.put(out);
    out.put_u16(fix.height);
    out.put_u16(fix.anomaly);
    Ok(())
}

fn put_fix(out: &mut BytesMut, fix: &Gnpx) {
    out.put_u8(fix.ew);
    fix.lon.put(out);
    out.put_u8(fix.ns);
    fix.lat.put(out);
    for value in [fix.height, fix.speed, fix.heading] {
        out.put_u16(value);
    }
    out.put_slice(&[fix.satellites, fix.status, fix.pdop_tenth]);
    out.put_u16(fix.error);
}

fn count(items: usize) -> Result<u8, EncodeError> {
    let needed = u32::try_from(items).unwrap_or(u32::MAX);
    u8::try_from(items).map_err(|_| EncodeError::TooLong { needed, capacity: u8::MAX.into() })
}
