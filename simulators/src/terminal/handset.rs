//! A plain handheld on the far side of the air, and the person who holds it.
//!
//! Over Beidou it sends one message per card period, like any card. Over radio its machine acknowledges what is for
//! it, registers with the network, answers where it is, and repeats a text that nobody acknowledged, always under
//! request id 1, as real radios do. A mesh node acknowledges and repeats as well, each text under an id of its own; a
//! phone only acknowledges.

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::message::{Addressee, Bearer, Position, TerminalId};

/// Texts that wait in a handheld, at most; the oldest is dropped, as small devices do.
const TYPED_MAX: usize = 16;
/// How long a radio waits for the word that its text was taken, and how often it tries.
const TAKEN_WITHIN: Duration = Duration::from_secs(3);
const TRIES_MAX: u32 = 3;
/// The request id under which radios send every text.
const REQUEST: u32 = 1;
/// A registration that nobody took is repeated after this time.
const REGISTER_AGAIN: Duration = Duration::from_secs(20);

/// How a person behaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    /// What the person answers to a text, each with its chance and the time it takes; in order, one after the other.
    pub answers: Vec<Answering>,
    /// Whether the answer names the short number at the end of the text.
    pub names_number: bool,
    /// The number of the command post, for answers and typed texts without an address.
    pub command_post: Option<TerminalId>,
    /// Where the person stands.
    pub position: Option<Position>,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answering {
    pub text: String,
    pub chance_permille: u32,
    pub after: (Duration, Duration),
}

/// The handheld and its holder.
#[derive(Clone, Debug)]
pub struct Handset {
    own: TerminalId,
    /// Group and broadcast numbers it listens to.
    groups: Vec<TerminalId>,
    /// Least time between two transmissions.
    period: Duration,
    habits: Habits,
    seed: Seed,
    free_at: Duration,
    typed: VecDeque<Typed>,
    /// What the person or the machine will do by itself.
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    seen: Vec<String>,
    serial: u64,
    on: bool,
    tally: Tally,
}

#[derive(Clone, Debug)]
struct Typed {
    to: Addressee,
    text: String,
}

#[derive(Clone, Debug)]
enum Plan {
    Answer(String),
    /// The text with this serial was not acknowledged: once more, `left` times.
    Repeat {
        message: AirMessage,
        left: u32,
    },
    Register,
    PowerOn,
}

impl Handset {
    /// A handheld with this number. `period` is its card's 服务频度, or a radio's time per text.
    #[must_use]
    pub fn new(own: TerminalId, groups: Vec<TerminalId>, period: Duration, habits: Habits, seed: &Seed) -> Self {
        let mut seed = seed.stream(&own.to_string());
        let mut plans = Queue::default();
        if own.bearer == Bearer::Radio370 {
            plans.put(seed.time_between(Duration::from_secs(1), Duration::from_secs(30)), Plan::Register);
        }
        let mut handset = Self {
            own,
            groups,
            period,
            habits,
            seed,
            free_at: Duration::ZERO,
            typed: VecDeque::new(),
            plans,
            outputs: VecDeque::new(),
            seen: Vec::new(),
            serial: 0,
            on: true,
            tally: Tally::default(),
        };
        handset.plan_wake();
        handset
    }

    fn is_radio(&self) -> bool {
        self.own.bearer == Bearer::Radio370
    }

    /// Whether its machine tells the sender that a text for it is there: radios, mesh nodes and phones do.
    fn says_taken(&self) -> bool {
        matches!(self.own.bearer, Bearer::Radio370 | Bearer::Mesh | Bearer::Satphone)
    }

    /// Whether it sends a text again that nobody acknowledged. A phone leaves that to its network.
    fn repeats(&self) -> bool {
        matches!(self.own.bearer, Bearer::Radio370 | Bearer::Mesh)
    }

    /// The request id of the next text: radios use one for all, a mesh counts, a phone has none that arrives.
    fn next_request(&self) -> u32 {
        match self.own.bearer {
            Bearer::Radio370 => REQUEST,
            Bearer::Mesh => u32::try_from(self.serial.saturating_add(1)).unwrap_or(u32::MAX),
            _ => 0,
        }
    }

    fn plan_wake(&mut self) {
        let send = (!self.typed.is_empty() && self.on).then_some(self.free_at);
        let at = match (self.plans.next_at(), send) {
            (Some(plan), Some(send)) => Some(plan.min(send)),
            (one, other) => one.or(other),
        };
        self.outputs.extend(at.map(TerminalOutput::WakeAt));
    }

    fn radiate(&mut self, to: Addressee, said: Said) -> AirMessage {
        self.serial += 1;
        let message = AirMessage { from: self.own.clone(), to, serial: self.serial, said };
        self.tally.sent += 1;
        self.outputs.push_back(TerminalOutput::ToAir(message.clone()));
        message
    }

    /// Whom the machine talks to by itself: the network, by the number of the command post.
    fn network(&self) -> Addressee {
        self.habits.command_post.clone().map_or(Addressee::Everyone(self.own.bearer), Addressee::Terminal)
    }

    fn type_text(&mut self, to: Addressee, text: String) {
        if self.typed.len() == TYPED_MAX {
            self.typed.pop_front();
            self.tally.refused += 1;
        }
        self.typed.push_back(Typed { to, text });
    }

    fn send_typed(&mut self, now: Duration) {
        if !self.on || now < self.free_at {
            return;
        }
        let Some(Typed { to, text }) = self.typed.pop_front() else { return };
        let request = self.next_request();
        let message = self.radiate(to, Said::Text { text, request });
        self.free_at = now + self.period;
        if self.repeats() && matches!(message.to, Addressee::Terminal(_)) {
            self.plans.put(now + TAKEN_WITHIN, Plan::Repeat { message, left: TRIES_MAX - 1 });
        }
    }

    fn read(&mut self, now: Duration, from: &TerminalId, text: &str) {
        self.outputs.push_back(TerminalOutput::Shown { from: from.clone(), text: text.to_owned() });
        // A person who sees the same number twice does not answer twice.
        if self.seen.iter().any(|seen| seen == text) {
            return;
        }
        self.seen.push(text.to_owned());
        if self.seen.len() > 64 {
            self.seen.remove(0);
        }
        let number = short_number(text).filter(|_| self.habits.names_number).map_or(String::new(), |n| format!(" {n}"));
        let mut at = now;
        for answering in self.habits.answers.clone() {
            at += self.seed.time_between(answering.after.0, answering.after.1);
            if !self.seed.chance(answering.chance_permille) {
                break;
            }
            self.plans.put(at, Plan::Answer(format!("{}{number}", answering.text)));
        }
    }

    fn carry_out(&mut self, now: Duration, plan: Plan) {
        match plan {
            Plan::Answer(text) => self.type_text(self.network(), text),
            Plan::Repeat { message, left } => {
                self.tally.sent += 1;
                self.outputs.push_back(TerminalOutput::ToAir(message.clone()));
                if left > 1 {
                    self.plans.put(now + TAKEN_WITHIN, Plan::Repeat { message, left: left - 1 });
                }
            }
            Plan::Register => {
                self.radiate(self.network(), Said::Register);
                self.plans.put(now + REGISTER_AGAIN, Plan::Register);
            }
            Plan::PowerOn => {
                self.on = true;
                if self.is_radio() {
                    self.plans.put(now + Duration::from_secs(1), Plan::Register);
                }
            }
        }
    }

    /// What the machine answers without its holder.
    fn answer_network(&mut self, now: Duration, message: &AirMessage) {
        let back = Addressee::Terminal(message.from.clone());
        match &message.said {
            Said::Text { request, .. } | Said::Bytes { request, .. } => {
                if self.says_taken() && matches!(message.to, Addressee::Terminal(_)) {
                    self.radiate(back, Said::Taken { request: *request });
                }
            }
            Said::AskPresence => {
                self.radiate(back, Said::Present);
            }
            Said::AskPosition { request } => {
                let said = Said::Position { request: *request, position: self.habits.position };
                self.radiate(back, said);
            }
            // A radio's texts all have one id; a mesh node knows which text was taken.
            Said::Taken { request } => {
                let request = *request;
                self.plans.retain(|plan| !matches!(plan, Plan::Repeat { message, .. } if is_request(message, request)));
            }
            Said::Registered { renew } => {
                self.plans.retain(|plan| !matches!(plan, Plan::Register));
                self.plans.put(now + *renew * 4 / 5, Plan::Register);
            }
            Said::Register | Said::Present | Said::Position { .. } | Said::Emergency { .. } => {}
        }
    }
}

fn is_request(message: &AirMessage, wanted: u32) -> bool {
    matches!(message.said, Said::Text { request, .. } if message.from.bearer == Bearer::Radio370 || request == wanted)
}

/// The short number in the last brackets of a text.
fn short_number(text: &str) -> Option<&str> {
    let inner = text.trim_end().strip_suffix(')')?;
    inner.rsplit_once('(').map(|(_, number)| number).filter(|number| number.len() >= 5)
}

impl Terminal for Handset {
    fn heard_host(&mut self, _: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        // No cable goes in here.
        self.tally.unreadable += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if !self.on || !self.hears(&message.to) {
            return;
        }
        self.tally.received += 1;
        self.answer_network(now, message);
        match &message.said {
            Said::Text { text, .. } => self.read(now, &message.from, text),
            Said::Bytes { bytes, .. } => self.read(now, &message.from, &gibberish(bytes)),
            _ => {}
        }
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Type { to, text } => self.type_text(to.clone(), text.clone()),
            Act::Alarm { on } => {
                let said = Said::Emergency { on: *on, position: self.habits.position };
                self.radiate(self.network(), said);
            }
            Act::Reboot => {
                self.on = false;
                self.typed.clear();
                self.plans.retain(|plan| matches!(plan, Plan::Answer(_)));
                self.plans.put(now + Duration::from_secs(15), Plan::PowerOn);
            }
            Act::Battery { low } => self.on = !low,
            _ => {}
        }
        self.wake(now);
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            if let Some((_, plan)) = self.plans.take() {
                self.carry_out(now, plan);
            }
        }
        self.send_typed(now);
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(number) | Addressee::Group(number) => {
                *number == self.own || self.groups.contains(number)
            }
            Addressee::Everyone(bearer) => *bearer == self.own.bearer,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

fn gibberish(bytes: &Bytes) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bearer: Bearer, number: u32) -> TerminalId {
        TerminalId::from_number(bearer, number)
    }

    fn handset(bearer: Bearer, answers: Vec<Answering>) -> Handset {
        let habits = Habits { answers, names_number: true, command_post: Some(number(bearer, 1)), position: None };
        Handset::new(number(bearer, 7), Vec::new(), Duration::from_secs(60), habits, &Seed::new(1))
    }

    /// Runs the handset's own plans until `until`; what it radiated and when.
    fn run(handset: &mut Handset, mut now: Duration, until: Duration) -> Vec<(u64, Said)> {
        let mut said = Vec::new();
        loop {
            let mut wake = None;
            while let Some(output) = handset.poll() {
                match output {
                    TerminalOutput::ToAir(message) => said.push((now.as_secs(), message.said)),
                    TerminalOutput::WakeAt(at) => wake = Some(at),
                    _ => {}
                }
            }
            match wake {
                Some(at) if at <= until => now = at.max(now),
                _ => return said,
            }
            handset.wake(now);
        }
    }

    #[test]
    fn a_person_answers_with_the_number_of_the_text_and_once_only() {
        let soon = (Duration::from_secs(5), Duration::from_secs(5));
        let answer = Answering { text: "收到".into(), chance_permille: 1_000, after: soon };
        let mut handset = handset(Bearer::Beidou, vec![answer]);
        let said = Said::Text { text: "请撤离(0102X)".into(), request: 0 };
        let to = Addressee::Terminal(number(Bearer::Beidou, 7));
        let message = AirMessage { from: number(Bearer::Beidou, 1), to, serial: 1, said };
        handset.heard_air(Duration::ZERO, &message);
        handset.heard_air(Duration::from_secs(1), &message);
        let said = run(&mut handset, Duration::from_secs(1), Duration::from_secs(600));
        assert_eq!(said, [(5, Said::Text { text: "收到 0102X".into(), request: 0 })]);
    }

    #[test]
    fn a_beidou_handheld_sends_once_per_period() {
        let mut handset = handset(Bearer::Beidou, Vec::new());
        for n in 0..3 {
            let to = Addressee::Terminal(number(Bearer::Beidou, 1));
            handset.act(Duration::ZERO, &Act::Type { to, text: format!("第{n}条") });
        }
        let times: Vec<u64> =
            run(&mut handset, Duration::ZERO, Duration::from_secs(600)).iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 60, 120]);
    }

    #[test]
    fn a_radio_repeats_a_text_that_nobody_took_under_the_same_request() {
        let mut handset = handset(Bearer::Radio370, Vec::new());
        let to = Addressee::Terminal(number(Bearer::Radio370, 1));
        handset.act(Duration::ZERO, &Act::Type { to, text: "三号桥断了".into() });
        let texts = run(&mut handset, Duration::ZERO, Duration::from_secs(60));
        let texts: Vec<_> = texts.iter().filter(|(_, said)| matches!(said, Said::Text { request: 1, .. })).collect();
        assert_eq!(texts.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 3, 6]);
    }

    fn for_it(bearer: Bearer, said: Said) -> AirMessage {
        AirMessage { from: number(bearer, 1), to: Addressee::Terminal(number(bearer, 7)), serial: 1, said }
    }

    #[test]
    fn a_mesh_node_repeats_a_text_until_that_very_text_is_taken() {
        let mut node = handset(Bearer::Mesh, Vec::new());
        let to = Addressee::Terminal(number(Bearer::Mesh, 1));
        node.act(Duration::ZERO, &Act::Type { to, text: "断桥".into() });
        node.heard_air(Duration::from_secs(1), &for_it(Bearer::Mesh, Said::Taken { request: 99 }));
        let again = run(&mut node, Duration::from_secs(1), Duration::from_secs(4));
        let text = Said::Text { text: "断桥".into(), request: 1 };
        assert_eq!(again.iter().filter(|(_, said)| *said == text).count(), 2, "another text's ack does not count");
        node.heard_air(Duration::from_secs(5), &for_it(Bearer::Mesh, Said::Taken { request: 1 }));
        assert_eq!(run(&mut node, Duration::from_secs(5), Duration::from_secs(60)), []);
    }

    #[test]
    fn a_phone_says_that_it_took_a_text_and_neither_registers_nor_repeats() {
        let mut phone = handset(Bearer::Satphone, Vec::new());
        phone.heard_air(Duration::ZERO, &for_it(Bearer::Satphone, Said::Text { text: "集合".into(), request: 7 }));
        let to = Addressee::Terminal(number(Bearer::Satphone, 1));
        phone.act(Duration::from_secs(1), &Act::Type { to, text: "到".into() });
        let said: Vec<Said> = run(&mut phone, Duration::from_secs(1), Duration::from_secs(120))
            .into_iter()
            .map(|(_, said)| said)
            .collect();
        assert_eq!(said, [Said::Taken { request: 7 }, Said::Text { text: "到".into(), request: 0 }]);
    }
}
