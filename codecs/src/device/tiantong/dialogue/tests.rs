//! A phone in words: what it says, and what it is told.

use super::super::tests::{DELIVER, FAR, codec, id, indication, text};
use crate::codec::{Cargo, Codec, Dialogue, Given, Step};
use crate::message::{OrderKind, Outcome, Rung, Signal};
use std::time::Duration;

struct Talk {
    codec: Box<dyn Codec>,
    phone: Box<dyn Dialogue>,
    now: Duration,
    wake: Option<Duration>,
    ready: bool,
    /// What was written, in order; what carries a message stands behind `*` (`**` the last).
    written: Vec<String>,
    said: Vec<Signal>,
    refuses: Vec<&'static str>,
}

impl Talk {
    fn new() -> Self {
        let codec = codec(&[]);
        let phone = codec.dialogue().unwrap();
        let now = Duration::from_secs(100);
        let mut talk =
            Self { codec, phone, now, wake: None, ready: false, written: vec![], said: vec![], refuses: vec![] };
        talk.phone.link_up(now);
        talk.drain();
        talk
    }

    fn drain(&mut self) {
        while let Some(step) = self.phone.poll() {
            let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\r').to_owned();
            match step {
                Step::Send(out) => self.written.push(shown(&out.bytes)),
                Step::Carry { frame, last } => {
                    self.written.push(format!("{}{}", if last { "**" } else { "*" }, shown(&frame.bytes)));
                }
                Step::Say(signal) => self.said.push(signal),
                Step::WakeAt(at) => self.wake = Some(at),
                Step::Ready(ready) => self.ready = ready,
            }
        }
    }

    /// One frame from the phone.
    fn hears(&mut self, line: &str) {
        let frame = if line == "> " { "\r\n> ".into() } else { format!("\r\n{}\r\n", line.trim()) };
        let mut signals = self.codec.decode(frame.as_bytes(), None).unwrap_or_default();
        self.phone.heard(self.now, None, frame.as_bytes(), &mut signals);
        self.said.extend(signals);
        self.drain();
    }

    /// A phone that answers everything that stands written, until nothing more is.
    fn answers(&mut self) {
        while let Some(line) = (!self.written.is_empty()).then(|| self.written.remove(0)) {
            if self.refuses.iter().any(|refused| line.starts_with(refused)) {
                self.hears("+CMS ERROR: 303");
                continue;
            }
            match line.as_str() {
                "AT+CPIN?" => self.hears("+CPIN: READY"),
                "AT+CREG?" => self.hears("+CREG: 1,1"),
                "AT+CSQ" => self.hears("+CSQ: 20,99"),
                "AT+CNUM" => self.hears("+CNUM: \"\",\"+8617400000001\",145"),
                _ => {}
            }
            self.hears("OK");
        }
    }

    fn started() -> Self {
        let mut talk = Self::new();
        talk.answers();
        assert!(talk.ready);
        talk.said.clear();
        talk
    }

    fn gives(&mut self, words: &str, native: u32) {
        let frames = self.codec.encode(&text(words, native)).unwrap();
        assert_eq!(self.phone.give(self.now, Cargo::Message { native }, frames), Given::Held);
        self.drain();
    }

    fn takes(&mut self) -> String {
        assert!(!self.written.is_empty(), "nothing was written; said {:?}", self.said);
        self.written.remove(0)
    }

    fn sleeps_until_woken(&mut self) {
        self.now = self.wake.take().expect("it wants to be woken").max(self.now);
        self.phone.wake(self.now);
        self.drain();
    }

    /// One part goes through the prompt and is taken under `reference`.
    fn carries(&mut self, reference: u8) -> String {
        assert!(self.takes().starts_with("AT+CMGS="));
        self.hears("> ");
        let pdu = self.takes();
        self.hears(&format!("+CMGS: {reference}"));
        self.hears("OK");
        pdu
    }

    fn reports(&mut self, reference: u8, status: u8) {
        let number = "687104214365F7";
        let pdu = format!("0006{reference:02X}0D91{number}6211424150002362114241213023{status:02X}");
        self.hears(&indication("+CDS: ", &pdu));
    }

    fn deliveries(&self) -> Vec<(u32, bool)> {
        let delivery = |signal: &Signal| match signal {
            Signal::Delivery { native, delivered, .. } => Some((*native, *delivered)),
            _ => None,
        };
        self.said.iter().filter_map(delivery).collect()
    }
}

#[test]
fn a_phone_is_ready_when_the_start_up_is_through_and_it_is_registered() {
    let mut talk = Talk::new();
    assert_eq!(talk.written, ["\u{1b}AT"]);
    assert!(!talk.ready);
    talk.answers();
    assert!(talk.ready);
    assert!(talk.said.iter().any(|signal| matches!(signal, Signal::Card(card) if card.own == id("8617400000001"))));
    assert!(talk.said.iter().any(|signal| matches!(signal, Signal::Strength { usable: true, .. })));
}

#[test]
fn a_phone_that_refuses_what_can_be_done_without_is_ready_all_the_same() {
    let mut talk = Talk::new();
    talk.refuses = vec!["ATE0", "AT+CMEE", "AT+CSMS", "AT+CPMS", "AT+CNMI", "AT+CNUM", "AT+CREG", "AT+CSQ"];
    talk.answers();
    assert!(talk.ready);
    assert!(talk.said.iter().any(|s| matches!(s, Signal::Remark { what: "手机不提示来信", .. })), "{:?}", talk.said);
}

#[test]
fn a_locked_card_is_said_and_asked_for_again() {
    let mut talk = Talk::new();
    for line in ["OK", "OK", "OK", "+CPIN: SIM PIN", "OK"] {
        talk.hears(line);
    }
    assert!(!talk.ready);
    assert!(talk.said.iter().any(|s| matches!(s, Signal::Remark { what: "卫星电话卡不可用", .. })));
    talk.written.clear();
    talk.sleeps_until_woken();
    talk.answers();
    assert!(talk.ready, "the card was unlocked meanwhile");
}

#[test]
fn a_phone_that_sits_silent_is_asked_again_and_again() {
    let mut talk = Talk::new();
    for _ in 0..6 {
        talk.written.clear();
        while talk.written.is_empty() {
            talk.sleeps_until_woken();
        }
        assert_eq!(talk.written, ["\u{1b}AT"]);
    }
}

#[test]
fn a_long_text_is_delivered_when_every_part_is_reported_in_any_order() {
    let mut talk = Talk::started();
    talk.gives(&"水".repeat(140), 77);
    assert!(talk.carries(254).starts_with('*'));
    assert!(talk.carries(255).starts_with('*'));
    assert!(talk.carries(0).starts_with("**"));
    assert!(talk.said.contains(&Signal::Progress { native: 77, rung: Rung::Radiated }));
    talk.reports(0, 0);
    talk.reports(254, 0x30);
    talk.reports(0, 0);
    assert_eq!(talk.deliveries(), [], "two parts are still out; the same report twice is one");
    talk.reports(255, 0);
    talk.reports(254, 0);
    assert_eq!(talk.deliveries(), [(77, true)]);
}

#[test]
fn a_part_that_failed_for_good_is_a_text_that_failed() {
    let mut talk = Talk::started();
    talk.gives(&"水".repeat(100), 5);
    talk.carries(1);
    talk.carries(2);
    talk.reports(1, 0);
    talk.reports(2, 0x46);
    assert_eq!(talk.deliveries(), [(5, false)]);
}

#[test]
fn a_report_before_the_answer_to_its_send_counts() {
    let mut talk = Talk::started();
    talk.gives("到了", 9);
    talk.takes();
    talk.hears("> ");
    talk.takes();
    talk.reports(33, 0);
    talk.hears("+CMGS: 33");
    talk.hears("OK");
    assert_eq!(talk.deliveries(), [(9, true)]);
}

#[test]
fn a_report_that_fits_nothing_is_a_remark_and_no_delivery() {
    let mut talk = Talk::started();
    talk.reports(3, 0);
    assert_eq!(talk.deliveries(), []);
    assert!(matches!(talk.said[..], [Signal::Remark { .. }]));
}

#[test]
fn a_busy_network_is_tried_again_without_airtime_and_then_refused() {
    let mut talk = Talk::started();
    talk.gives("拥塞", 4);
    for attempt in 0..4 {
        while !talk.written.iter().any(|line| line.starts_with("AT+CMGS=")) {
            talk.answers();
            talk.sleeps_until_woken();
        }
        assert!(talk.takes().starts_with("AT+CMGS="), "try {attempt}");
        talk.hears("> ");
        assert_eq!(talk.takes().starts_with("**"), attempt == 0, "airtime is counted once");
        talk.hears("+CMS ERROR: 42");
    }
    assert_eq!(talk.deliveries(), [(4, false)], "the phone had it whole, so its end is said by name");
}

#[test]
fn what_is_wrong_with_the_message_is_refused_at_once() {
    let mut talk = Talk::started();
    talk.gives("格式", 4);
    talk.takes();
    talk.hears("+CMS ERROR: 304");
    let refused = Signal::Feedback { about: Some(OrderKind::Send), outcome: Outcome::Refused { code: 304 } };
    assert!(talk.said.contains(&refused), "{:?}", talk.said);
    assert!(!talk.said.iter().any(|s| matches!(s, Signal::Remark { what: "短信错误", .. })), "said once, not twice");
}

#[test]
fn a_lost_registration_gives_back_what_is_in_hand_and_its_return_makes_ready() {
    let mut talk = Talk::started();
    talk.gives("脱网", 4);
    talk.takes();
    talk.hears("+CREG: 0");
    assert!(!talk.ready);
    assert!(talk.said.contains(&Signal::Feedback { about: Some(OrderKind::Send), outcome: Outcome::NoSignal }));
    talk.hears("+CREG: 5");
    assert!(talk.ready);
}

#[test]
fn a_stored_message_is_deleted_only_when_it_is_stored_here() {
    let mut talk = Talk::started();
    talk.hears("+CMTI: \"ME\",7");
    assert_eq!(talk.takes(), "AT+CMGR=7");
    talk.hears(&indication("+CMGR: 0,,", DELIVER));
    talk.hears("OK");
    assert!(talk.written.is_empty(), "nothing is deleted yet");
    let heard = talk.said.iter().find(|s| matches!(s, Signal::Heard(heard) if heard.from == id(FAR))).cloned();
    talk.phone.stored(talk.now, &heard.expect("it was given on"));
    talk.drain();
    assert_eq!(talk.written, ["AT+CMGD=7"]);
}

#[test]
fn two_copies_in_the_phone_are_both_deleted() {
    let mut talk = Talk::started();
    for index in [2, 5] {
        talk.hears(&indication(&format!("+CMGL: {index},1,,"), DELIVER));
    }
    let heard = talk.said.iter().find(|s| matches!(s, Signal::Heard(_))).cloned().unwrap();
    talk.phone.stored(talk.now, &heard);
    talk.drain();
    talk.answers();
    assert!(talk.written.is_empty());
}

#[test]
fn a_send_without_an_answer_is_left_unknown_and_the_phone_is_brought_out_of_it() {
    let mut talk = Talk::started();
    talk.gives("无应答", 4);
    talk.takes();
    talk.hears("> ");
    talk.takes();
    while talk.written.is_empty() {
        talk.sleeps_until_woken();
    }
    assert_eq!(talk.takes(), "\u{1b}");
    assert_eq!(talk.deliveries(), []);
    assert!(talk.said.iter().any(|s| matches!(s, Signal::Remark { what: "短信结果不明", .. })));
}

#[test]
fn a_phone_that_echoes_again_has_restarted_and_is_set_up_anew() {
    let mut talk = Talk::started();
    talk.hears("AT+CREG?");
    assert!(!talk.ready);
    assert_eq!(talk.written, ["\u{1b}AT"]);
}

#[test]
fn two_polls_without_an_answer_are_a_lost_phone() {
    let mut talk = Talk::started();
    while talk.ready {
        talk.sleeps_until_woken();
    }
    assert!(talk.said.iter().any(|s| matches!(s, Signal::Remark { what: "卫星电话没有应答", .. })));
}
