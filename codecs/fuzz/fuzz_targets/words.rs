//! What people type and what an authentic content says, whoever made it: packed text, forms, keypad lines.
//!
//! Checked: no panic; a text is read back as it was and is never longer than its plain form and a byte; a keypad line that is
//! understood is read back as the same form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use yizhan_codecs::air::content::Content;
use yizhan_codecs::air::form::{self, Area, Form};
use yizhan_codecs::air::{text, writing};

// The model is unpacked before anything is timed, as at a station.
fuzz_target!(init: text::warm_up(), |data: &[u8]| {
    let Some((pick, bytes)) = data.split_first() else { return };
    match pick & 3 {
        0 => read(bytes),
        1 => drop(form::Form::unpack(bytes)),
        2 => typed(&String::from_utf8_lossy(bytes)),
        _ => said(&String::from_utf8_lossy(bytes)),
    }
});

fn area() -> Area {
    let mut area = Area::default();
    area.origins.extend(form::Origin::new(306_500_000, 1_040_800_000).map(|origin| (3, origin)));
    area.places.insert(12, "青龙村".into());
    area
}

fn read(bytes: &[u8]) {
    if let Ok(content) = Content::parse(bytes) {
        let _words = writing::read(&content, &area());
    }
}

fn typed(line: &str) {
    let Ok(form) = form::read_line(line, &area()) else { return };
    let Ok(content) = writing::of_form(&form, text::own_models()) else { return };
    let bytes = content.emit().expect("what was made is written");
    let again = Content::parse(&bytes).expect("and read");
    let reading = writing::read(&again, &area()).expect("in words");
    assert_eq!(reading.form.as_ref().map(Form::to_json), Some(form.to_json()), "{line:?}");
}

fn said(words: &str) {
    let Ok(content) = writing::of_text(words, text::own_models()) else { return };
    let bytes = content.emit().expect("what was made is written");
    assert!(bytes.len() <= words.len() + 1, "{} bytes of {}", bytes.len(), words.len());
    let again = Content::parse(&bytes).expect("and read");
    assert_eq!(writing::read(&again, &area()).expect("in words").words, words);
}
