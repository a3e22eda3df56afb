//! A person's word that does not come: the message is there, and nobody knows whether anybody has seen it.

use crate::pair::Pair;
use yizhan_codecs::message::{Answer, MessageId, Precedence, Rung};
use yizhan_engine::event::{End, Event};
use yizhan_engine::io::{Request, SendKind};

const ORDER: &str = "请三合乡前指立即转移河滩安置点全部群众，完成后回报。";

/// An order that has arrived, and of whose answer every copy was lost.
fn unheard_answer() -> (Pair, MessageId) {
    let mut pair = Pair::new(0);
    let id = pair.send(0, ORDER, Precedence::Immediate, SendKind::Order, false);
    pair.run(200);
    assert_eq!(pair.rung(0, id), (Rung::Delivered, Some(End::Delivered)));
    pair.deaf = Some(0);
    pair.ends[1].request(Request::Answer { id, answer: Answer::Accepted, by: "duty".into() });
    // Three copies: at once, after four slots, and after sixteen more.
    pair.run(25 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Delivered);
    (pair, id)
}

fn asked(pair: &Pair) -> usize {
    pair.ends[0].told(|event| matches!(event, Event::Asked { .. }))
}

#[test]
fn an_answer_of_which_every_copy_was_lost_is_asked_for_and_comes() {
    let (mut pair, id) = unheard_answer();
    pair.deaf = None;
    pair.run(40 * 62);
    assert_eq!(pair.rung(0, id), (Rung::Answered(Answer::Accepted), Some(End::Answered)));
    let sends = pair.sends();
    pair.run(24 * 3_600);
    assert_eq!(pair.sends(), sends, "nothing is said once the answer is there");
}

#[test]
fn a_restart_asks_on() {
    let (mut pair, id) = unheard_answer();
    pair.deaf = None;
    pair.restart(0);
    pair.run(40 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Accepted));
}

#[test]
fn an_order_that_nobody_answers_is_asked_about_three_times_and_no_more_whatever_restarts() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, ORDER, Precedence::Immediate, SendKind::Order, false);
    pair.run(3 * 3_600);
    assert_eq!((asked(&pair), pair.rung(0, id).0), (3, Rung::Delivered));
    pair.restart(0);
    pair.run(24 * 3_600);
    assert_eq!(asked(&pair), 0, "the three of before the restart count");
    assert_eq!(pair.message(1, id).unwrap().copies, 3, "the other side counts what comes again and shows it once");
}

#[test]
fn a_flash_is_asked_about_until_it_is_read_and_a_routine_text_never() {
    let mut pair = Pair::new(0);
    let urgent = pair.send(0, "河水过警戒线", Precedence::Flash, SendKind::Text, false);
    let routine = pair.send(0, "明日例会九点", Precedence::Routine, SendKind::Text, false);
    pair.run(30 * 62);
    assert_eq!(asked(&pair), 1);
    pair.ends[1].request(Request::MarkRead { id: urgent, by: "duty".into() });
    pair.run(24 * 3_600);
    assert_eq!((asked(&pair), pair.rung(0, urgent).0), (1, Rung::Read));
    assert_eq!(pair.message(1, routine).unwrap().copies, 0);
}

#[test]
fn an_order_that_was_read_is_asked_about_until_it_is_answered() {
    let mut pair = Pair::new(0);
    let id = pair.send(0, ORDER, Precedence::Immediate, SendKind::Order, false);
    pair.run(200);
    pair.ends[1].request(Request::MarkRead { id, by: "duty".into() });
    pair.run(30 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Read);
    pair.deaf = Some(0);
    pair.ends[1].request(Request::Answer { id, answer: Answer::Done, by: "duty".into() });
    pair.run(25 * 62);
    pair.deaf = None;
    pair.run(70 * 62);
    assert_eq!(pair.rung(0, id).0, Rung::Answered(Answer::Done));
}

#[test]
fn what_waits_for_its_first_send_goes_before_a_question() {
    let mut pair = Pair::new(0);
    let order = pair.send(0, ORDER, Precedence::Immediate, SendKind::Order, false);
    pair.run(200);
    // So many that the question becomes due among them.
    for at in 0..30 {
        pair.send(
            0,
            &format!("第{at}号物资清单：帐篷、棉被、发电机若干"),
            Precedence::Priority,
            SendKind::Order,
            false,
        );
    }
    pair.run(16 * 62);
    assert_eq!((asked(&pair), pair.rung(0, order).0), (0, Rung::Delivered));
}
