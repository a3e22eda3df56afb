//! Readable text for plain terminals: what it says of itself, how it is cut, and what is read back from it.

use crate::bus::Message;
use crate::people::Topic;
use encoding_rs::GB18030;
use yizhan_codecs::air::{Traffic, form, split_short_id};
use yizhan_codecs::codec::EncodeError;
use yizhan_codecs::message::{MessageId, Utc};

/// Characters of a sender's name in a relayed text, marks before it included, at most.
const SENDER_CHARS_MAX: usize = 40;

/// Words that begin a call for help on a plain terminal.
const SOS_WORDS: &[&str] = &["SOS", "ＳＯＳ", "求救", "求援", "救命", "呼救", "紧急求助"];

/// Whether a text from the field is a call for help: typed there in words or on a keypad, well or badly, or relayed by
/// another station with its sender.
pub(crate) fn is_sos(text: &str) -> bool {
    says_sos(text) || form::line_schema(text).is_some_and(|schema| schema.distress)
}

/// The words of a call for help among bytes that are no text: a control character, padding or noise is in it.
pub(crate) fn call_among(bytes: &[u8]) -> Option<String> {
    let (text, ..) = GB18030.decode(bytes);
    let words: String = text.chars().filter(|c| !c.is_control() && *c != char::REPLACEMENT_CHARACTER).collect();
    Some(words).filter(|words| begins_with_sos(words))
}

/// Whether a text that a station sent calls for help, in its own words or in those of the sender that it names.
pub(crate) fn brings_sos(text: &str) -> bool {
    let named = text.split_once('：').filter(|(sender, _)| sender.chars().count() <= SENDER_CHARS_MAX);
    is_sos(text) || named.is_some_and(|(_, words)| begins_with_sos(words))
}

/// Whether the words themselves tell a person that it is a call for help.
fn says_sos(text: &str) -> bool {
    let relayed = relayed_id(text).and_then(|_| text.split_once('：'));
    begins_with_sos(text) || relayed.is_some_and(|(_, words)| begins_with_sos(words))
}

fn begins_with_sos(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| {
        c.is_whitespace() || c.is_control() || c == '\u{FEFF}' || "【[(（!！".contains(c)
    });
    let text = text.strip_prefix("演练").unwrap_or(text);
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || "】])）:：,，".contains(c));
    SOS_WORDS.iter().any(|word| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)))
}

/// A message's text as a plain terminal shows it, without its id and part number.
///
/// `sender` is named when the message is relayed; `origin` is set when its age is not known to be small.
pub(crate) fn render(message: &Message, sender: Option<&str>, origin: Option<Utc>, unstored: bool) -> String {
    let mut text = String::new();
    if message.traffic == Traffic::Exercise {
        text.push_str(Traffic::MARK);
    }
    if unstored {
        text.push_str("【未留存】");
    }
    if let Some(origin) = origin {
        text.push_str(&format!("原{} ", origin.beijing_short()));
    }
    if let Some(sender) = sender {
        if message.topic == Topic::Sos && !says_sos(message.shown()) {
            text.push_str("求救 ");
        }
        text.push_str(sender);
        text.push('：');
    }
    let words = without_own_id(message.shown(), message.id);
    let body = words.strip_prefix(Traffic::MARK).filter(|_| message.traffic == Traffic::Exercise);
    text.push_str(body.unwrap_or(words));
    // The words of a form say where it is.
    if let Some(fix) = message.position.as_ref().filter(|_| sender.is_some() && message.words.is_empty()) {
        text.push_str(&format!(" {:.4},{:.4}", fix.lat(), fix.lon()));
    }
    text
}

/// The id of a text that another station relays: it names its sender, as relays do, and ends with the id. Brackets at
/// the end of anything else are the sender's own words: one in 32 would pass the check by chance.
pub(crate) fn relayed_id(text: &str) -> Option<MessageId> {
    let (body, id) = split_short_id(text);
    let (sender, words) = body.split_once('：')?;
    let named = (1..=SENDER_CHARS_MAX).contains(&sender.chars().count()) && !words.trim().is_empty();
    id.filter(|_| named)
}

/// A text without its own id at its end, which is set anew whenever it goes out.
pub(crate) fn without_own_id(text: &str, id: MessageId) -> &str {
    match split_short_id(text) {
        (body, Some(found)) if found == id => body,
        _ => text,
    }
}

/// Cuts a text at characters so that every part fits `capacity` bits, and ends every part with the message's short id
/// and its number: `(0102X)` or `(0102X 1/3)`.
///
/// # Errors
/// [`EncodeError::Charset`] for a character that the bearer cannot carry, [`EncodeError::TooLong`] when more than
/// `parts_max` parts would be needed.
pub(crate) fn split(
    text: &str,
    id: MessageId,
    capacity: u32,
    parts_max: usize,
    measure: &dyn Fn(&str) -> Result<u32, EncodeError>,
) -> Result<Vec<String>, EncodeError> {
    let whole = format!("{text}({id})");
    let needed = measure(&whole)?;
    if needed <= capacity {
        return Ok(vec![whole]);
    }
    // The suffix of part 1 of 9 and of 10 of 12 differ in length, so the number of digits is tried upward.
    for digits in 1..=2_usize {
        let widest = format!("({id} {0}/{0})", "9".repeat(digits));
        let bodies = cut(text, &widest, capacity, measure)?;
        let most = 10_usize.pow(u32::try_from(digits).unwrap_or(1)) - 1;
        if bodies.len() <= most.min(parts_max) {
            let total = bodies.len();
            return Ok(bodies.iter().zip(1..).map(|(body, n)| format!("{body}({id} {n}/{total})")).collect());
        }
    }
    Err(EncodeError::TooLong { needed, capacity })
}

/// Greedy cut: each body as long as it can be with the widest suffix, never inside a character.
fn cut(
    text: &str,
    suffix: &str,
    capacity: u32,
    measure: &dyn Fn(&str) -> Result<u32, EncodeError>,
) -> Result<Vec<String>, EncodeError> {
    let mut bodies = Vec::new();
    let mut rest: Vec<char> = text.chars().collect();
    while !rest.is_empty() {
        // The cost grows with every character, so the longest fitting prefix is found by halving.
        let (mut fits, mut over) = (0, rest.len() + 1);
        while over - fits > 1 {
            let middle = usize::midpoint(fits, over);
            let candidate: String = rest.iter().take(middle).collect::<String>() + suffix;
            if measure(&candidate)? <= capacity {
                fits = middle;
            } else {
                over = middle;
            }
        }
        if fits == 0 {
            return Err(EncodeError::TooLong { needed: measure(suffix)?, capacity });
        }
        let tail = rest.split_off(fits);
        bodies.push(rest.into_iter().collect());
        rest = tail;
    }
    Ok(bodies)
}

/// Reads a part number at the start or the end of a text from a plain terminal: `(1/3)…`, `1/3 …`, `…(1/3)`.
/// Gives part, total and the text without it.
pub(crate) fn numbered_part(text: &str) -> Option<(u32, u32, &str)> {
    let trimmed = text.trim();
    let (number, body) = if let Some(rest) = trimmed.strip_prefix(['(', '（']) {
        let (number, body) = rest.split_once([')', '）'])?;
        (number, body)
    } else if let Some(rest) = trimmed.strip_suffix([')', '）']) {
        let at = rest.rfind(['(', '（'])?;
        let (body, number) = rest.split_at(at);
        (number.trim_start_matches(['(', '（']), body)
    } else {
        let (number, body) = trimmed.split_once([' ', '\u{3000}'])?;
        (number, body)
    };
    let (part, total) = number.split_once(['/', '／'])?;
    let (part, total) = (part.trim().parse::<u32>().ok()?, total.trim().parse::<u32>().ok()?);
    let plausible = (2..=32).contains(&total) && (1..=total).contains(&part) && !body.trim().is_empty();
    plausible.then_some((part, total, body.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::message::StationId;

    fn id() -> MessageId {
        MessageId { station: StationId::new(1).unwrap(), counter: 2 }
    }

    /// 14 bits a Chinese character, 7 an ASCII one: Beidou's hanzi mode.
    fn bits(text: &str) -> Result<u32, EncodeError> {
        Ok(text.chars().map(|c| if c.is_ascii() { 7 } else { 14 }).sum())
    }

    #[test]
    fn a_long_text_is_cut_at_characters_and_every_part_fits_and_is_numbered() {
        let text = "上游水库泄洪，沿河村组立即转移到高处安置点，".repeat(9);
        let parts = split(&text, id(), 628, 32, &bits).unwrap();
        assert!(parts.len() > 3);
        let mut joined = String::new();
        for (n, part) in parts.iter().enumerate() {
            assert!(bits(part).unwrap() <= 628, "{part}");
            let suffix = format!("({} {}/{})", id(), n + 1, parts.len());
            joined.push_str(part.strip_suffix(suffix.as_str()).unwrap());
        }
        assert_eq!(joined, text);
    }

    #[test]
    fn a_short_text_is_one_part_with_its_id() {
        assert_eq!(split("三组原地待命", id(), 628, 32, &bits).unwrap(), vec![format!("三组原地待命({})", id())]);
    }

    #[test]
    fn a_text_beyond_the_most_parts_is_refused_with_numbers() {
        let error = split(&"水".repeat(500), id(), 280, 3, &bits).unwrap_err();
        assert!(matches!(error, EncodeError::TooLong { capacity: 280, .. }));
    }

    #[test]
    fn calls_for_help_are_told_from_talk_about_them() {
        for text in
            ["SOS 两人被困", "sos", "求救！三号桥", "【演练】求救 三组", "ＳＯＳ", "#2", "＃２ 乱写", "演练 #2 1"]
        {
            assert!(is_sos(text), "{text}");
        }
        for text in ["没有人求救", "收到SOS", "", "安", "#1 2 1", "#22", "2"] {
            assert!(!is_sos(text), "{text}");
        }
    }

    #[test]
    fn part_numbers_are_read_at_either_end() {
        assert_eq!(numbered_part("(1/3)桥断了"), Some((1, 3, "桥断了")));
        assert_eq!(numbered_part("2/3 人都在"), Some((2, 3, "人都在")));
        assert_eq!(numbered_part("等水（3/3）"), Some((3, 3, "等水")));
        assert_eq!(numbered_part("4/3 人都在"), None);
        assert_eq!(numbered_part("今天转移了1/3"), None);
    }
}
