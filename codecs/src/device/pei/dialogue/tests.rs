use super::*;
use crate::codec::{Codec, Profile};
use crate::message::{Addressee, Bearer, Order};

struct Bench {
    codec: Box<dyn Codec>,
    talk: Box<dyn Dialogue>,
    now: Duration,
    wake: Option<Duration>,
    written: Vec<String>,
    said: Vec<Signal>,
    ready: bool,
    closed: usize,
}

impl Bench {
    fn new() -> Self {
        let codec = crate::device::open("pei", &Profile::default()).unwrap();
        let mut talk = codec.dialogue().unwrap();
        talk.link_up(Duration::ZERO);
        let mut bench = Self {
            codec,
            talk,
            now: Duration::ZERO,
            wake: None,
            written: vec![],
            said: vec![],
            ready: true,
            closed: 0,
        };
        bench.drain();
        bench
    }

    fn drain(&mut self) {
        while let Some(step) = self.talk.poll() {
            match step {
                Step::Send(frame) => self.written.push(String::from_utf8(frame.bytes.to_vec()).unwrap()),
                Step::Carry { frame, last } => {
                    self.closed += usize::from(last);
                    self.written.push(String::from_utf8(frame.bytes.to_vec()).unwrap());
                }
                Step::Say(signal) => self.said.push(signal),
                Step::WakeAt(at) => self.wake = Some(at),
                Step::Ready(ready) => self.ready = ready,
            }
        }
    }

    fn hear(&mut self, line: &str) {
        let mut signals = self.codec.decode(line.as_bytes(), None).unwrap_or_default();
        self.talk.heard(self.now, None, line.as_bytes(), &mut signals);
        self.drain();
        self.said.extend(signals);
    }

    fn pass_time(&mut self) {
        self.now = self.wake.unwrap().max(self.now);
        self.talk.wake(self.now);
        self.drain();
    }

    fn started() -> Self {
        let mut bench = Self::new();
        while !bench.ready {
            bench.hear("OK\r\n");
        }
        bench.written.clear();
        bench
    }

    fn send(&mut self, native: u32) {
        let to = Addressee::Terminal(TerminalId::from_number(Bearer::Radio370, 7));
        let order = Order::Text { card: None, to, text: "撤".into(), native, urgent: false };
        let frames = self.codec.encode(&order).unwrap();
        assert_eq!(self.talk.give(self.now, Cargo::Message { native }, frames), Given::Held);
        self.drain();
    }

    fn last(&self) -> &str {
        self.written.last().unwrap()
    }
}

const REPORT: &str = "+CTSDSR: 12,7,0,1,0,32\r\n82100002\r\n";

#[test]
fn a_radio_is_ready_only_when_it_took_a_service_profile() {
    let mut bench = Bench::new();
    assert!(!bench.ready);
    for _ in 0..3 {
        bench.hear("OK\r\n");
    }
    for _ in 0..6 {
        assert!(bench.last().starts_with("AT+CTSP="));
        bench.hear("ERROR\r\n");
    }
    assert!(!bench.ready && bench.said.len() == 6);
    bench.pass_time();
    assert_eq!(bench.last(), "AT\r");
    for _ in 0..9 {
        assert!(!bench.ready);
        bench.hear("OK\r\n");
    }
    assert!(bench.ready);
}

#[test]
fn a_silent_radio_is_asked_more_and_more_rarely() {
    let mut bench = Bench::new();
    let mut asked = vec![];
    while asked.len() < 7 {
        let before = bench.written.len();
        bench.pass_time();
        if bench.written.len() > before {
            asked.push(bench.now.as_secs());
        }
    }
    let gaps: Vec<u64> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(gaps, [9, 13, 21, 35, 35, 35]);
}

#[test]
fn the_service_is_chosen_once_and_one_command_stands_at_a_time() {
    let mut bench = Bench::started();
    bench.send(2);
    assert_eq!(bench.written, ["AT+CTSDS=12,0,0,0,1\r"]);
    bench.hear("+CTTCT: 1\r\n");
    bench.hear("OK\r\n");
    assert_eq!(bench.last(), "AT+CMGS=7,48\r\n8204021A64A4\u{1a}");
    bench.hear("+CMGS: 0,4,65\r\n");
    assert_eq!(bench.closed, 0);
    bench.hear("OK\r\n");
    assert_eq!((bench.closed, bench.last()), (1, "AT\r"));
    assert_eq!(bench.said, [Signal::Progress { native: 2, rung: Rung::Radiated }]);
    bench.hear("OK\r\n");
    bench.send(3);
    assert!(bench.last().starts_with("AT+CMGS="));
}

#[test]
fn a_report_is_given_our_own_number_back_and_a_strangers_is_not() {
    let mut bench = Bench::started();
    bench.send(0x0001_0002);
    bench.hear("OK\r\n");
    bench.hear("+CMGS: 0\r\n");
    bench.hear("OK\r\n");
    bench.hear(&REPORT.replace("12,7", "12,8"));
    assert!(matches!(bench.said[..], [Signal::Remark { .. }]));
    bench.hear(REPORT);
    assert!(matches!(bench.said[1], Signal::Delivery { native: 0x0001_0002, delivered: true, .. }));
}

#[test]
fn a_report_that_interrupts_the_result_is_said_after_it() {
    let mut bench = Bench::started();
    bench.send(2);
    bench.hear("OK\r\n");
    bench.hear(REPORT);
    assert!(bench.closed == 0 && bench.said.is_empty());
    bench.hear("+CMGS: 0\r\n");
    bench.hear("OK\r\n");
    assert_eq!(bench.closed, 1);
    assert!(matches!(bench.said[..], [Signal::Delivery { native: 2, .. }]));
}

#[test]
fn a_voice_call_is_waited_out_and_the_message_goes_after_it() {
    let mut bench = Bench::started();
    bench.send(2);
    bench.hear("OK\r\n");
    while bench.now < Duration::from_secs(41) {
        bench.hear("BUSY\r\n");
        bench.pass_time();
    }
    assert!(bench.said.is_empty() && bench.last().starts_with("AT+CMGS="));
    bench.hear("+CMGS: 0\r\n");
    bench.hear("OK\r\n");
    assert_eq!(bench.closed, 1);
}

#[test]
fn after_a_minute_of_errors_the_message_is_refused_with_the_radios_code() {
    let mut bench = Bench::started();
    bench.send(2);
    bench.hear("OK\r\n");
    while bench.said.is_empty() {
        bench.hear("+CME ERROR: 31\r\n");
        if bench.said.is_empty() {
            bench.pass_time();
        }
    }
    let outcome = Outcome::Refused { code: 31 };
    assert_eq!(bench.said, [Signal::Feedback { about: Some(OrderKind::Send), outcome }]);
    assert!((50..=60).contains(&bench.now.as_secs()) && bench.closed == 0);
}

#[test]
fn an_answer_waits_for_the_send_before_it_and_a_report_that_wants_an_end_gets_one() {
    let mut bench = Bench::started();
    bench.send(2);
    bench.hear("OK\r\n");
    let answer = send("9", &[0x82, 0x10, 0, 5]);
    assert_eq!(bench.talk.give(bench.now, Cargo::Answer, vec![answer.into()]), Given::Held);
    bench.hear("+CTSDSR: 12,7,0,1,0,32\r\n82180002\r\n");
    bench.hear("+CMGS: 0\r\n");
    bench.hear("OK\r\n");
    assert_eq!(bench.last(), "AT\r");
    bench.hear("OK\r\n");
    assert!(bench.last().contains("82100005"));
    bench.hear("+CMGS: 0\r\n");
    bench.hear("OK\r\n");
    assert!(bench.last().contains("82200102"));
}

#[test]
fn a_radio_that_falls_silent_is_lost_and_its_message_refused() {
    let mut bench = Bench::started();
    bench.send(2);
    bench.hear("OK\r\n");
    bench.pass_time();
    assert!(!bench.ready);
    assert!(matches!(bench.said[..], [Signal::Feedback { .. }]));
    let mut idle = Bench::started();
    while idle.ready {
        idle.pass_time();
    }
    assert_eq!(idle.now.as_secs(), 45);
}

#[test]
fn a_radio_that_echoes_again_has_restarted_and_is_told_its_services_again() {
    let mut bench = Bench::started();
    bench.hear("AT\r");
    assert!(!bench.ready && bench.last() == "AT\r");
    // One that never leaves off its echo is no restart.
    let mut loud = Bench::new();
    while !loud.ready {
        let echo = loud.last().to_owned();
        loud.hear(&echo);
        loud.hear("OK\r\n");
    }
    loud.hear("AT\r");
    assert!(loud.ready);
}
