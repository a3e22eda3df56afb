//! What stations say to each other: header, fragment, seal, receipt, text models, forms. The layout is
//! `docs/air-format.md`; this module holds the types that the engine needs before there is any content.

pub mod form;

use crate::message::MessageId;
use serde::{Deserialize, Serialize};

/// 0xA4 begins mixed content (混发) on Beidou; the byte after it tells an air frame of ours (version 1, top bits `01`)
/// from text. Stations know each other from the roster, so this is a check, not a guess.
pub const VERSION: u8 = 1;

/// Which traffic a net carries. Exercise traffic has its own net id and keys: a real station cannot authenticate it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traffic {
    #[default]
    Real,
    Exercise,
}

impl Traffic {
    /// The mark that begins every clear text of an exercise, counted in its length.
    pub const MARK: &'static str = "【演练】";

    /// Whether a text typed on a plain terminal declares itself an exercise.
    #[must_use]
    pub fn of_plain_text(text: &str) -> Self {
        let text = text.trim_start_matches([' ', '\u{3000}', '【', '[', '(', '（']);
        if text.starts_with("演练") { Self::Exercise } else { Self::Real }
    }
}

/// The message id that a plain text ends with, if it does, and the text before it: `…(0102X)` or `…(0102X 1/3)`.
#[must_use]
pub fn split_short_id(text: &str) -> (&str, Option<MessageId>) {
    let trimmed = text.trim_end();
    let Some(body) = trimmed.strip_suffix(')').or_else(|| trimmed.strip_suffix('）')) else { return (text, None) };
    let Some(open) = body.rfind(['(', '（']) else { return (text, None) };
    let (before, after) = body.split_at(open);
    let inner = after.trim_start_matches(['(', '（']);
    let number = inner.split_once(' ').filter(|(_, part)| part.contains('/')).map_or(inner, |(number, _)| number);
    match number.parse() {
        Ok(id) => (before, Some(id)),
        Err(_) => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::StationId;

    #[test]
    fn a_short_id_at_the_end_is_found_in_both_widths_of_bracket() {
        let id = MessageId { station: StationId::new(7).unwrap(), counter: 99 };
        let text = format!("三号桥断了({id})");
        assert_eq!(split_short_id(&text), ("三号桥断了", Some(id)));
        let wide = text.replace('(', "（").replace(')', "）");
        assert_eq!(split_short_id(&wide), ("三号桥断了", Some(id)));
        assert_eq!(split_short_id(&format!("三号桥({id} 1/3)")), ("三号桥", Some(id)));
        assert_eq!(split_short_id("水位(12.3)"), ("水位(12.3)", None));
    }

    #[test]
    fn only_a_text_that_begins_with_the_word_is_an_exercise() {
        assert_eq!(Traffic::of_plain_text("【演练】三组到达"), Traffic::Exercise);
        assert_eq!(Traffic::of_plain_text("演练 三组到达"), Traffic::Exercise);
        assert_eq!(Traffic::of_plain_text("三组到达，不是演练"), Traffic::Real);
    }
}
