//! Random frames of ours, built with the emitters, with the fields that they mean.
//!
//! The fields are written down from the values that a frame is built of, never by reading the frame.

mod air;
mod binary;
mod radio;
mod sentence;

use serde_json::{Map, Value};

pub use air::AirFrames;
pub use radio::RadioFrames;

/// What a builder makes: protocol, direction, bytes, fields.
type Built = (&'static str, &'static str, Vec<u8>, Map<String, Value>);

/// Beidou cases without end, the same for the same seed.
pub struct Frames(Chance);

impl Frames {
    pub fn new(seed: u64) -> Self {
        Self(Chance(seed))
    }
}

impl Iterator for Frames {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let chance = &mut self.0;
        let built = if chance.below(2) == 0 { binary::build(chance) } else { sentence::build(chance) };
        Some(case(built))
    }
}

fn case((protocol, direction, bytes, fields): Built) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    serde_json::json!({
        "id": format!("ours-{protocol}"),
        "protocol": protocol,
        "direction": direction,
        "hex": hex,
        "charset": "gb18030",
        "expect": "decode",
        "fields": fields,
    })
}

/// `{name: value, …}` as fields.
macro_rules! fields {
    ($($name:literal: $value:expr),* $(,)?) => {
        serde_json::Map::from_iter([$(($name.to_owned(), serde_json::Value::from($value))),*])
    };
}
pub(crate) use fields;

/// Chance from a seed: SplitMix64.
pub struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// Evenly below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.next() % u64::from(limit)).expect("below a u32")
    }

    pub fn byte_below(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(limit.into())).expect("below a u8")
    }

    pub fn yes(&mut self) -> bool {
        self.below(2) == 1
    }

    /// One of a few, with the first and the last as likely as any.
    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(u32::try_from(choices.len()).expect("few")) as usize]
    }

    /// A Beidou number, the edges often.
    pub fn number(&mut self) -> u32 {
        let inside = 1 + self.below(0x00FF_FFFE);
        self.one_of(&[0, 0x00FF_FFFF, 9_999_999, inside, inside, inside])
    }

    pub fn bytes(&mut self, length: u32) -> Vec<u8> {
        (0..length).map(|_| u8::try_from(self.below(256)).expect("a byte")).collect()
    }

    /// A length from 0 to `max`, both ends often.
    pub fn length(&mut self, max: u32) -> u32 {
        let inside = self.below(max + 1);
        self.one_of(&[0, 1, max, inside, inside, inside])
    }

    /// Readable text of GB2312 hanzi and, where `ascii`, letters and marks.
    pub fn text(&mut self, chars: u32, ascii: bool) -> String {
        const HANZI: &[char] = &[
            '北', '斗', '短', '报', '文', '三', '号', '桥', '断', '了', '水', '位', '上', '涨', '请', '派', '艇', '村',
            '民', '转', '移', '完', '毕', '，', '。', '！', '？', '（', '）', '鼯', '丨', '啊', '座', '齄', '　', '１',
            'Ａ',
        ];
        let mut one = || if ascii && self.below(3) == 0 { self.ascii() } else { self.one_of(HANZI) };
        (0..chars).map(|_| one()).collect()
    }

    fn ascii(&mut self) -> char {
        char::from(0x20 + self.byte_below(0x5F))
    }
}
