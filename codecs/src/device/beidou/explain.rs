//! A frame as named fields, as vectors and `explain` name them.

mod binary;
mod sentence;

use super::wire::content::{Content, decode_text, is_printable};
use super::wire::{monitor, rdss40, text};
use crate::codec::DecodeError;
use crate::device::{Direction, Fields, Protocol};
use bytes::Bytes;
use serde_json::{Value, json};

/// The protocols of a Beidou port.
pub const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "rdss40", explain: explain_binary },
    Protocol { name: "rdss21", explain: explain_text },
    Protocol { name: "rsmc3", explain: explain_text },
    Protocol { name: "nmea", explain: explain_text },
];

fn explain_binary(_: Direction, frame: &[u8]) -> Result<Fields, DecodeError> {
    Ok(binary::fields(&rdss40::parse(frame)?, frame))
}

/// The text dialects answer each other's questions, so one reader serves them all.
fn explain_text(_: Direction, frame: &[u8]) -> Result<Fields, DecodeError> {
    if is_monitor(frame) {
        return Ok(binary::overheard(&monitor::parse(frame)?, frame));
    }
    let envelope = text::open(frame, text::Leniency::default())?;
    sentence::fields(&text::read(&envelope)?, &envelope)
}

/// Whether a frame begins as `$BDXST` or `$BDXSD` binary does.
pub(super) fn is_monitor(frame: &[u8]) -> bool {
    let header = frame.starts_with(b"$BDXST") || frame.starts_with(b"$BDXSD");
    header && frame.get(6) != Some(&b',')
}

/// Collects named values.
#[derive(Debug, Default)]
struct Named(Fields);

impl Named {
    fn put(&mut self, name: &str, value: impl Into<Value>) -> &mut Self {
        self.0.insert(name.into(), value.into());
        self
    }

    fn angle(&mut self, name: &str, e7: Option<i32>) -> &mut Self {
        self.put(name, e7.map(|e7| f64::from(e7) / 1e7))
    }

    /// The bytes after `A4`: hex, text where it is text, position where it is one.
    fn mixed(&mut self, payload: &Bytes) -> &mut Self {
        self.put("payload_hex", hex::encode_upper(payload));
        let (text, lossy) = decode_text(payload);
        if !lossy && is_printable(&text) {
            self.put("text", text);
        }
        self.position(payload)
    }

    fn position(&mut self, content: &[u8]) -> &mut Self {
        let Some(fix) = super::wire::content::EmbeddedPosition::parse(content) else { return self };
        let [hour, minute, second, hundredths] = fix.time;
        let (lat, lon) = (fix.lat.e7().map(f64::from), fix.lon.e7().map(f64::from));
        self.put(
            "embedded_position",
            json!({
                "time": format!("{hour:02}:{minute:02}:{second:02}.{hundredths:02}"),
                "lat_deg": lat.map(|e7| e7 / 1e7),
                "lon_deg": lon.map(|e7| e7 / 1e7),
            }),
        )
    }

    /// Content of a 4.0 frame.
    fn binary_content(&mut self, form: u8, bits: u16, bytes: &Bytes) -> &mut Self {
        self.put("form", form).put("bit_length", bits);
        match Content::from_binary(form, bits, bytes) {
            Content::Mixed(payload) => self.put("encoding", "mixed").put("prefix", "A4").mixed(&payload),
            Content::Code(digits) => self.put("encoding", "code").put("nibbles", digits).position(bytes),
            other => {
                let (text, lossy) = decode_text(&other.bytes());
                if lossy {
                    self.put("lossy", true);
                }
                self.put("encoding", "hanzi").put("text", text)
            }
        }
    }
}
