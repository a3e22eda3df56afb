//! Messages.

use crate::device::beidou::settings::Settings;
use crate::device::beidou::wire::content::{
    Content as Wire, EmbeddedPosition, decode_text, encode_gb18030, is_printable,
};
use crate::device::beidou::wire::{monitor, rdss21, rdss40, rsmc3};
use crate::message::{Addressee, Bearer, Content, Heard, Signal, TerminalId};
use bytes::Bytes;

use super::place;

fn id(number: u32) -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, number)
}

pub(super) fn txxx(settings: &Settings, receiver: u32, message: &rdss40::Txxx) -> Vec<Signal> {
    let content = Wire::from_binary(message.form(), message.bits, &message.content);
    let signals = said(settings, message.sender, Addressee::Terminal(id(receiver)), &content);
    let overheard = settings.own_number.is_some_and(|own| own != receiver);
    marked(signals, overheard, message.crc != 0)
}

pub(super) fn overheard(settings: &Settings, message: &monitor::Message) -> Vec<Signal> {
    let content = Wire::from_binary(message.category >> 5 & 1, message.bits, &message.content);
    let signals = said(settings, message.sender, Addressee::Terminal(id(message.receiver)), &content);
    marked(signals, true, message.crc != 0)
}

/// Class 3 is a broadcast; the sentence does not say to which number, so it is to whoever hears it.
pub(super) fn txr(settings: &Settings, message: &rdss21::Txr) -> Vec<Signal> {
    let to = match message.class {
        3 => Addressee::Everyone(Bearer::Beidou),
        _ => own(settings),
    };
    said(settings, message.sender, to, &Wire::from_text(message.form, &message.content))
}

pub(super) fn tci(settings: &Settings, message: &rsmc3::Tci) -> Vec<Signal> {
    let content = Wire::from_encoding(message.encoding, &message.content);
    let signals = said(settings, message.sender, Addressee::Terminal(id(message.receiver)), &content);
    marked(signals, settings.own_number.is_some_and(|own| own != message.receiver), false)
}

pub(super) fn mxx(settings: &Settings, message: &rsmc3::Mxx) -> Vec<Signal> {
    let content = Wire::from_encoding(message.encoding, &message.content);
    said(settings, message.sender, own(settings), &content)
}

fn own(settings: &Settings) -> Addressee {
    Addressee::Terminal(id(settings.own_number.unwrap_or(0)))
}

fn marked(mut signals: Vec<Signal>, overheard: bool, damaged: bool) -> Vec<Signal> {
    for signal in &mut signals {
        if let Signal::Heard(heard) = signal {
            (heard.overheard, heard.damaged) = (overheard, damaged);
        }
    }
    signals
}

/// A message, and the position that is embedded in it.
fn said(settings: &Settings, sender: u32, to: Addressee, content: &Wire) -> Vec<Signal> {
    let mut signals = Vec::new();
    let bytes = content.bytes();
    let embedded = match content {
        Wire::Mixed(_) | Wire::Code(_) => EmbeddedPosition::parse(&bytes),
        Wire::Hanzi(_) | Wire::Raw(_) => None,
    };
    let mut rest = bytes.clone();
    if let Some(position) = embedded.and_then(|fix| place::embedded(&fix)) {
        signals.push(Signal::Position { of: id(sender), position, emergency: false });
        rest = bytes.slice(13.min(bytes.len())..);
        if rest.is_empty() {
            return signals;
        }
    }
    let content = match content {
        Wire::Hanzi(_) => {
            let (text, lossy) = decode_text(&rest);
            Content::Text { text, lossy }
        }
        // Digits are opaque: the same bytes may mean digits or ASCII, and only the sender knows.
        Wire::Code(_) => Content::Opaque(rest),
        Wire::Mixed(_) | Wire::Raw(_) => readable(settings, &rest),
    };
    signals.push(Signal::Heard(Heard {
        from: id(sender),
        to,
        content,
        native: None,
        part: None,
        overheard: false,
        sent_at: None,
        damaged: false,
    }));
    signals
}

/// Text where the bytes are text, also when its last character was cut by the network; else the bytes.
fn readable(settings: &Settings, bytes: &Bytes) -> Content {
    if let Some(text) = utf8(bytes).filter(|_| settings.utf8_content) {
        return Content::Text { text: text.to_owned(), lossy: false };
    }
    let (text, lossy) = decode_text(bytes);
    // Text only where its bytes can be had back: what a station packs looks like text now and then.
    let whole = !lossy && encode_gb18030(&text).is_ok_and(|again| again == *bytes);
    // Some handhelds fill up with zeros. They stay: what a station packs may end so too.
    if is_printable(text.trim_end_matches('\0')) && (whole || (lossy && cut_at_its_end(bytes))) {
        return Content::Text { text, lossy };
    }
    Content::Opaque(bytes.clone())
}

/// Whether only the last character is damaged: without its first one to three bytes all is well.
fn cut_at_its_end(bytes: &[u8]) -> bool {
    let whole = (1..=3).filter_map(|cut| bytes.get(..bytes.len().checked_sub(cut)?));
    whole.filter(|whole| whole.len() >= 4).any(|whole| !decode_text(whole).1)
}

/// UTF-8 with characters of three bytes and more and none of two: pairs of GB2312 often look like those.
fn utf8(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let wide = text.chars().any(|c| c.len_utf8() >= 3);
    (wide && !text.chars().any(|c| c.len_utf8() == 2) && is_printable(text)).then_some(text)
}
