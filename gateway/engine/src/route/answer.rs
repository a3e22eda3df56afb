//! What a person on a plain handheld means by「收到」.

use crate::bus::State;
use yizhan_codecs::air::split_short_id;
use yizhan_codecs::message::{Answer, MessageId, Rung, TerminalId, half_width};

const WORDS: &[(Answer, &[&str])] = &[
    (Answer::Accepted, &["收到", "受领", "明白", "知道了", "已收到", "收到了", "收到明白", "1"]),
    (Answer::Executing, &["执行中", "正在执行", "已出发", "在路上", "2"]),
    (Answer::Done, &["完成", "已完成", "完成了", "任务完成", "3"]),
    (Answer::Unable, &["无法执行", "不能执行", "无法完成", "做不到", "4"]),
];

const PUNCTUATION: &str = "。.,!~、;:()";

/// The answer that a text is, when it is nothing else, and the message that it names.
///
/// A bare digit counts only together with a message's short id: a lone「1」may mean anything.
pub(crate) fn answer_word(text: &str) -> Option<(Answer, Option<MessageId>)> {
    let text: String = text.chars().map(half_width).collect();
    let (body, named) = match split_short_id(&text) {
        (body, Some(id)) => (body, Some(id)),
        (body, None) => trailing_id(body),
    };
    let body = body.trim_matches(|c: char| c.is_whitespace() || PUNCTUATION.contains(c));
    let (answer, _) = WORDS.iter().find(|(_, words)| words.contains(&body))?;
    let digit = body.len() == 1;
    (!digit || named.is_some()).then_some((*answer, named))
}

/// An id typed without brackets, after a blank or right after the word:「收到 0102X」,「收到0102X」.
fn trailing_id(text: &str) -> (&str, Option<MessageId>) {
    let (before, word) = trailing_word(text);
    word.parse().map_or((text, None), |id| (before, Some(id)))
}

/// The letters and digits at the end, and what is before them.
fn trailing_word(text: &str) -> (&str, &str) {
    let trimmed = text.trim_end_matches(|c: char| c.is_whitespace() || PUNCTUATION.contains(c));
    let before = trimmed.trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    (before, trimmed.get(before.len()..).unwrap_or_default())
}

/// What was typed after an answer's word as the number of a message, and is none: a character is wrong.
pub(crate) fn mistyped_id(text: &str) -> Option<String> {
    let text: String = text.chars().map(half_width).collect();
    let (before, word) = trailing_word(&text);
    // Four characters are a number that lacks one; those of most stations begin with 0, and quantities do not.
    let length = word.len() >= 5 || (word.len() == 4 && word.starts_with('0'));
    let like_id = length && word.len() <= 10 && word.parse::<MessageId>().is_err();
    let body = before.trim_matches(|c: char| c.is_whitespace() || PUNCTUATION.contains(c));
    let answers = WORDS.iter().any(|(_, words)| words.contains(&body)) && body.len() > 1;
    (like_id && answers).then(|| word.to_owned())
}

/// Which delivery an answer from this terminal is about. An answer that names no message counts only when exactly
/// one can be meant: a wrong「已答复」is worse than none.
pub(crate) fn answer_target(
    state: &State,
    from: &TerminalId,
    answer: Answer,
    named: Option<MessageId>,
) -> Option<(MessageId, u16)> {
    let person = state.roster().holder(from).map(|person| person.id.as_str());
    let mut candidates = Vec::new();
    for message in state.messages() {
        for (index, delivery) in message.deliveries.iter().enumerate() {
            let theirs = (delivery.person.is_some() && delivery.person.as_deref() == person)
                || delivery.terminals.contains(from)
                || (delivery.group && person.is_some() && named.is_some());
            let closed = matches!(delivery.rung, Rung::Answered(Answer::Done | Answer::Unable));
            let same = delivery.rung == Rung::Answered(answer);
            // Who names a message has seen it, even when it went out while the journal had failed and no record tells.
            let sent = named.is_some() || delivery.spent() > 0 || delivery.rung >= Rung::Taken;
            if theirs && sent && !closed && !same && named.is_none_or(|id| id == message.id) {
                candidates.push((message.id, u16::try_from(index).ok()?, delivery.answer().is_some()));
            }
        }
    }
    let one = |list: &[(MessageId, u16, bool)]| match list {
        [(id, delivery, _)] => Some((*id, *delivery)),
        _ => None,
    };
    one(&candidates).or_else(|| {
        // 「完成」after「收到」: of several, the one already taken up is meant.
        let taken_up: Vec<_> = candidates.iter().copied().filter(|(_, _, answered)| *answered).collect();
        if answer == Answer::Accepted { None } else { one(&taken_up) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::message::StationId;

    #[test]
    fn only_a_text_that_is_nothing_but_an_answer_is_one() {
        assert_eq!(answer_word("收到。"), Some((Answer::Accepted, None)));
        assert_eq!(answer_word(" 完成 "), Some((Answer::Done, None)));
        assert_eq!(answer_word("收到三箱水"), None);
        assert_eq!(answer_word("1"), None);
    }

    #[test]
    fn an_answer_may_name_its_message() {
        let id = MessageId { station: StationId::new(3).unwrap(), counter: 70 };
        let wide: String = id.to_string().chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect();
        let typed = [format!("收到 {id}"), format!("1 {id}"), format!("收到({id})"), format!("收到，{id}")];
        let hasty = [format!("收到{id}"), format!("收到{id}。"), format!("收到　{wide}"), format!("１ {wide}")];
        for text in typed.into_iter().chain(hasty) {
            assert_eq!(answer_word(&text), Some((Answer::Accepted, Some(id))), "{text}");
            assert_eq!(mistyped_id(&text), None, "{text}");
        }
    }

    #[test]
    fn a_number_with_a_wrong_character_is_noticed_after_an_answers_word_only() {
        for text in ["收到 0102Q", "收到0102Q", "完成（０１０２Ｑ）", "无法执行 0102QZ", "收到 0102"]
        {
            assert_eq!(answer_word(text), None, "{text}");
            assert!(mistyped_id(text).is_some_and(|word| word.starts_with("0102")), "{text}");
        }
        for text in ["收到 三箱水", "收到水5箱", "G318国道", "收到", "完成 80", "完成 1200", "1 0102Q"]
        {
            assert_eq!(mistyped_id(text), None, "{text}");
        }
    }
}
