use super::*;
use yizhan_codecs::codec::{Cargo, Codec, Dialogue, Given, Profile, Step};
use yizhan_codecs::device;
use yizhan_codecs::frame::{Found, Framer};
use yizhan_codecs::message::{Content, Heard, Order, Signal};

const OWN: &str = "8617400000001";
const FAR: &str = "8617401234567";

fn id(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Satphone, number)
}

/// The phone and the dialogue of a real codec on one cable, in virtual time.
struct Desk {
    phone: TiantongPhone,
    codec: Box<dyn Codec>,
    framer: Box<dyn Framer>,
    dialogue: Box<dyn Dialogue>,
    now: Duration,
    phone_wake: Option<Duration>,
    host_wake: Option<Duration>,
    /// Whether the far phone says that it took what it gets, and whether we say Stored.
    far_takes: bool,
    stores: bool,
    ready: bool,
    signals: Vec<Signal>,
    aired: Vec<String>,
}

impl Desk {
    fn new(phone: TiantongPhone) -> Self {
        let codec = device::open("tiantong", &Profile::default()).unwrap();
        let mut desk = Self {
            phone,
            framer: codec.framer(),
            dialogue: codec.dialogue().unwrap(),
            codec,
            now: Duration::ZERO,
            phone_wake: None,
            host_wake: None,
            far_takes: true,
            stores: true,
            ready: false,
            signals: Vec::new(),
            aired: Vec::new(),
        };
        desk.dialogue.link_up(desk.now);
        desk.settle();
        desk
    }

    fn steady() -> Self {
        Self::new(TiantongPhone::new(id(OWN), &Seed::new(1)).unwrap().steady())
    }

    /// Drains both sides until neither says more.
    fn settle(&mut self) {
        loop {
            if let Some(step) = self.dialogue.poll() {
                match step {
                    Step::Send(out) => self.phone.heard_host(self.now, None, &out.bytes),
                    Step::Carry { frame, .. } => self.phone.heard_host(self.now, None, &frame.bytes),
                    Step::Say(signal) => self.signals.push(signal),
                    Step::WakeAt(at) => self.host_wake = Some(at),
                    Step::Ready(ready) => self.ready = ready,
                }
            } else if let Some(output) = self.phone.poll() {
                match output {
                    TerminalOutput::ToHost { bytes, .. } => self.host_hears(&bytes),
                    TerminalOutput::ToAir(message) => self.air(&message),
                    TerminalOutput::WakeAt(at) => self.phone_wake = Some(at),
                    TerminalOutput::Shown { .. } => {}
                }
            } else {
                return;
            }
        }
    }

    fn host_hears(&mut self, bytes: &[u8]) {
        self.framer.push(bytes);
        while let Some(found) = self.framer.next_found() {
            let Found::Frame(frame) = found else { continue };
            let mut signals = self.codec.decode(&frame, None).unwrap_or_default();
            self.dialogue.heard(self.now, None, &frame, &mut signals);
            for signal in signals {
                if self.stores && matches!(signal, Signal::Heard(_)) {
                    self.dialogue.stored(self.now, &signal);
                }
                self.signals.push(signal);
            }
        }
    }

    fn air(&mut self, message: &AirMessage) {
        let Said::Text { text, request } = &message.said else { return };
        self.aired.push(text.clone());
        if self.far_takes {
            let (to, said) = (Addressee::Terminal(id(OWN)), Said::Taken { request: *request });
            self.phone.heard_air(self.now, &AirMessage { from: id(FAR), to, serial: 1, said });
        }
    }

    fn runs(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let next = [self.phone_wake, self.host_wake].into_iter().flatten().min().filter(|at| *at <= end);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            if self.phone_wake.is_some_and(|at| at <= self.now) {
                self.phone_wake = None;
                self.phone.wake(self.now);
            }
            if self.host_wake.is_some_and(|at| at <= self.now) {
                self.host_wake = None;
                self.dialogue.wake(self.now);
            }
            self.settle();
        }
        self.now = end;
    }

    fn sends(&mut self, text: &str, native: u32) {
        let to = Addressee::Terminal(id(FAR));
        let order = Order::Text { card: None, to, text: text.into(), native, urgent: false };
        let frames = self.codec.encode(&order).unwrap();
        assert_eq!(self.dialogue.give(self.now, Cargo::Message { native }, frames), Given::Held);
        self.settle();
    }

    fn far_types(&mut self, text: &str, serial: u64) {
        let said = Said::Text { text: text.into(), request: 0 };
        let to = Addressee::Terminal(id(OWN));
        self.phone.heard_air(self.now, &AirMessage { from: id(FAR), to, serial, said });
        self.settle();
    }

    fn acts(&mut self, act: &Act) {
        self.phone.act(self.now, act);
        self.settle();
    }

    fn heard(&self) -> Vec<&Heard> {
        self.signals
            .iter()
            .filter_map(|signal| match signal {
                Signal::Heard(heard) => Some(heard),
                _ => None,
            })
            .collect()
    }

    fn delivered(&self) -> Vec<u32> {
        let delivered = |signal: &Signal| match signal {
            Signal::Delivery { native, delivered: true, .. } => Some(*native),
            _ => None,
        };
        self.signals.iter().filter_map(delivered).collect()
    }
}

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_long_text_leaves_as_one_and_is_reported_late() {
    let mut desk = Desk::steady();
    assert!(desk.ready);
    let text = "水".repeat(150);
    desk.sends(&text, 41);
    desk.runs(MINUTE);
    assert_eq!((desk.aired.clone(), desk.delivered()), (vec![text], vec![41]));
    let tally = desk.phone.tally();
    assert_eq!((tally.ordered, tally.sent, tally.refused, tally.unreadable), (1, 1, 0, 0));
}

#[test]
fn no_word_of_the_far_phone_is_no_delivery() {
    let mut desk = Desk::steady();
    desk.far_takes = false;
    desk.sends("有人吗", 41);
    desk.runs(MINUTE * 3);
    assert_eq!(desk.delivered(), Vec::<u32>::new());
    let trying = |s: &Signal| matches!(s, Signal::Remark { what: "短信回执：尚未送达", .. });
    assert!(desk.signals.iter().any(trying), "{:?}", desk.signals);
}

#[test]
fn what_is_typed_far_away_is_heard_and_then_deleted_from_the_phone() {
    let mut desk = Desk::steady();
    desk.far_types("三号桥请求转移", 1);
    desk.runs(MINUTE);
    let content = Content::Text { text: "三号桥请求转移".into(), lossy: false };
    assert_eq!(desk.heard().iter().map(|heard| &heard.content).collect::<Vec<_>>(), [&content]);
    assert_eq!(desk.phone.store.fill(), "0,20");
}

#[test]
fn what_is_not_stored_here_stays_in_the_phone_and_is_read_again_under_the_same_number() {
    let mut desk = Desk::steady();
    desk.stores = false;
    desk.far_types("别丢", 1);
    desk.runs(MINUTE);
    assert_eq!(desk.phone.store.fill(), "1,20");
    desk.stores = true;
    desk.dialogue.link_up(desk.now);
    desk.settle();
    desk.runs(MINUTE);
    let natives: Vec<_> = desk.heard().iter().map(|heard| heard.native).collect();
    assert_eq!(natives.len(), 2);
    assert_eq!(natives[0], natives[1]);
    assert_eq!(desk.phone.store.fill(), "0,20");
}

#[test]
fn a_full_store_holds_up_what_comes_and_loses_nothing() {
    let mut desk = Desk::new(TiantongPhone::new(id(OWN), &Seed::new(1)).unwrap().steady().with_room_for(2));
    desk.acts(&Act::Beams { strength: 0 });
    for serial in 0..7 {
        desk.far_types(&format!("第 {serial} 条来信"), serial);
    }
    desk.acts(&Act::Beams { strength: 4 });
    desk.runs(MINUTE * 5);
    assert_eq!(desk.heard().len(), 7);
}

#[test]
fn a_phone_under_a_roof_gives_the_text_back_and_is_ready_again_outside() {
    let mut desk = Desk::steady();
    desk.acts(&Act::Beams { strength: 0 });
    assert!(!desk.ready);
    desk.runs(MINUTE);
    desk.acts(&Act::Beams { strength: 3 });
    assert!(desk.ready);
    desk.sends("出来了", 3);
    desk.runs(MINUTE);
    assert_eq!(desk.delivered(), [3]);
}

#[test]
fn a_restarted_phone_is_noticed_and_set_up_anew() {
    let mut desk = Desk::steady();
    desk.acts(&Act::Reboot);
    desk.runs(MINUTE * 3);
    assert!(desk.ready);
    desk.far_types("重启之后", 1);
    desk.runs(MINUTE);
    assert_eq!(desk.heard().len(), 1);
}

#[test]
fn a_congested_network_is_tried_again_until_it_takes_the_text() {
    let mut desk = Desk::steady();
    desk.acts(&Act::Suppress { on: true });
    desk.sends("拥塞", 8);
    desk.runs(Duration::from_secs(10));
    desk.acts(&Act::Suppress { on: false });
    desk.runs(MINUTE);
    assert_eq!(desk.delivered(), [8]);
    assert!(desk.phone.tally().refused >= 1);
    assert_eq!(desk.phone.tally().ordered, 1, "the same text again is the same order");
}

#[test]
fn an_unlucky_network_loses_no_text_and_repeats_are_told_apart() {
    let mut desk = Desk::new(TiantongPhone::new(id(OWN), &Seed::new(7)).unwrap());
    for n in 1..=60_u32 {
        desk.sends(&format!("第 {n} 条"), n);
        desk.far_types(&format!("来信 {n}"), n.into());
        desk.runs(MINUTE);
    }
    desk.runs(MINUTE * 5);
    let mut delivered = desk.delivered();
    delivered.sort_unstable();
    assert_eq!(delivered, (1..=60).collect::<Vec<_>>());
    let natives: std::collections::BTreeSet<_> = desk.heard().iter().map(|heard| heard.native.unwrap().id).collect();
    assert_eq!(natives.len(), 60);
    assert!(desk.heard().len() > 60, "some were delivered twice");
}
