use super::{Inquiry, Settings};
use crate::codec::{Dialogue, Profile, Step};
use crate::message::{Bearer, CardInfo, CardState, Signal, TerminalId};
use std::time::Duration;

const ASK: &str = "$CCICA,0,00*7B\r\n";
const OUTPUT: &str = "$CCRMO,BSI,2,10*17\r\n";

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn card(state: CardState) -> Vec<Signal> {
    let own = TerminalId::from_number(Bearer::Beidou, 142_020);
    let (period, capacity_bits) = (Some(at(60)), Some(628));
    vec![Signal::Card(CardInfo { state, own, period, capacity_bits, broadcast: None, subordinates: 0 })]
}

/// Steps in short words.
fn steps(inquiry: &mut Inquiry) -> Vec<String> {
    let word = |step| match step {
        Step::Send(out) => String::from_utf8(out.bytes.to_vec()).unwrap(),
        Step::WakeAt(at) => format!("wake {}", at.as_secs()),
        Step::Ready(ready) => format!("ready {ready}"),
        other => panic!("an inquiry holds no messages and says nothing by itself: {other:?}"),
    };
    std::iter::from_fn(|| inquiry.poll()).map(word).collect()
}

fn fresh() -> Inquiry {
    Inquiry::new(Settings::read(&Profile::default()).unwrap())
}

#[test]
fn the_card_is_asked_for_until_it_answers_ever_more_slowly() {
    let mut inquiry = fresh();
    inquiry.link_up(at(0));
    assert_eq!(steps(&mut inquiry), ["ready false", ASK, "wake 2"]);
    let mut now = 2;
    for pause in [4, 8, 16, 30, 30] {
        inquiry.wake(at(now));
        assert_eq!(steps(&mut inquiry), [ASK.to_owned(), format!("wake {}", now + pause)]);
        now += pause;
    }
    inquiry.heard(at(now), None, b"", &mut card(CardState::Present));
    assert_eq!(steps(&mut inquiry), [OUTPUT.to_owned(), "ready true".into(), format!("wake {}", now + 60)]);
}

#[test]
fn a_terminal_without_a_card_is_never_ready() {
    let mut inquiry = fresh();
    inquiry.link_up(at(0));
    steps(&mut inquiry);
    inquiry.heard(at(1), None, b"", &mut card(CardState::Missing));
    assert_eq!(steps(&mut inquiry), Vec::<String>::new());
    inquiry.wake(at(2));
    assert_eq!(steps(&mut inquiry), [ASK, "wake 6"]);
}

#[test]
fn a_card_that_is_pulled_out_ends_readiness() {
    let mut inquiry = fresh();
    inquiry.link_up(at(0));
    inquiry.heard(at(1), None, b"", &mut card(CardState::Present));
    steps(&mut inquiry);
    inquiry.heard(at(100), None, b"", &mut card(CardState::Missing));
    assert_eq!(steps(&mut inquiry), ["ready false", ASK, "wake 102"]);
}

#[test]
fn a_restart_is_noticed_by_an_unasked_card_and_gets_the_settings_again() {
    let mut inquiry = fresh();
    inquiry.link_up(at(0));
    inquiry.heard(at(1), None, b"", &mut card(CardState::Present));
    steps(&mut inquiry);
    inquiry.heard(at(3), None, b"", &mut card(CardState::Present));
    assert_eq!(steps(&mut inquiry), Vec::<String>::new(), "a late answer is no restart");
    inquiry.heard(at(40), None, b"", &mut card(CardState::Present));
    assert_eq!(steps(&mut inquiry), [OUTPUT]);
}

#[test]
fn a_minute_of_silence_starts_over_and_traffic_puts_it_off() {
    let mut inquiry = fresh();
    inquiry.link_up(at(0));
    inquiry.heard(at(1), None, b"", &mut card(CardState::Present));
    steps(&mut inquiry);
    inquiry.heard(at(31), None, b"", &mut Vec::new());
    inquiry.wake(at(61));
    assert_eq!(steps(&mut inquiry), ["wake 91"]);
    inquiry.wake(at(91));
    assert_eq!(steps(&mut inquiry), ["ready false", ASK, "wake 93"]);
}
