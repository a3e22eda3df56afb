//! What a person on a plain handheld means by「收到」.

use crate::bus::State;
use yizhan_codecs::air::split_short_id;
use yizhan_codecs::message::{Answer, MessageId, Rung, TerminalId};

const WORDS: &[(Answer, &[&str])] = &[
    (Answer::Accepted, &["收到", "受领", "明白", "知道了", "已收到", "收到了", "收到明白", "1"]),
    (Answer::Executing, &["执行中", "正在执行", "已出发", "在路上", "2"]),
    (Answer::Done, &["完成", "已完成", "完成了", "任务完成", "3"]),
    (Answer::Unable, &["无法执行", "不能执行", "无法完成", "做不到", "4"]),
];

/// The answer that a text is, when it is nothing else, and the message that it names.
///
/// A bare digit counts only together with a message's short id: a lone「1」may mean anything.
pub(crate) fn answer_word(text: &str) -> Option<(Answer, Option<MessageId>)> {
    let (body, named) = match split_short_id(text) {
        (body, Some(id)) => (body, Some(id)),
        (body, None) => trailing_id(body),
    };
    let body = body.trim_matches(|c: char| c.is_whitespace() || "。.,，!！~～、;；:：".contains(c));
    let (answer, _) = WORDS.iter().find(|(_, words)| words.contains(&body))?;
    let digit = body.len() == 1;
    (!digit || named.is_some()).then_some((*answer, named))
}

/// An id typed after a space, without brackets:「收到 0102X」.
fn trailing_id(text: &str) -> (&str, Option<MessageId>) {
    let trimmed = text.trim_end();
    match trimmed.rsplit_once([' ', '\u{3000}', ',', '，']) {
        Some((before, word)) => match word.parse() {
            Ok(id) => (before, Some(id)),
            Err(_) => (text, None),
        },
        None => (text, None),
    }
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
        for text in [format!("收到 {id}"), format!("1 {id}"), format!("收到({id})"), format!("收到，{id}")] {
            assert_eq!(answer_word(&text), Some((Answer::Accepted, Some(id))), "{text}");
        }
    }
}
