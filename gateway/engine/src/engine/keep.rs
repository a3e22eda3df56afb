//! Keeping what was heard: repeats, numbered parts, answers, calls for help, relaying.

use super::Engine;
use super::admit::Applicant;
use super::foresee::Far;
use super::hear::fix_of;
use super::stations::Sealed;
use super::typed::Typed;
use crate::bus::journal::{self, record::What};
use crate::bus::{CardKey, Gated, OriginKey, Partial, Voucher, id_to_u64};
use crate::event::{Event, HoldReason};
use crate::io::{Offset, Recipient};
use crate::outbox::{Card, Cards, Pending};
use crate::people::Topic;
use crate::route::{self, Target};
use crate::time::Now;
use std::time::Duration;
use yizhan_codecs::air::form::Question;
use yizhan_codecs::air::{Traffic, split_short_id};
use yizhan_codecs::message::{
    Addressee, Answer, Content, Heard, LinkId, MessageId, Part, Position, Precedence, Rung, TerminalId,
};

/// A command unit may hear the same message twice: as a copy of its subordinate's, and as its own.
const OVERHEARD_WINDOW: Duration = Duration::from_secs(300);
/// How long the first part of a text waits for the rest.
const PARTS_WAIT: Duration = Duration::from_secs(600);
/// Senders with a text in parts, at most; beyond it each part is shown as it comes.
const PARTIALS_MAX: usize = 256;
/// Units with an open SOS, at most; beyond it each call stands alone.
const SOS_MAX: usize = 1_024;
/// Message ids are reserved on disk this many at a time, when fewer than half of them are left.
const IDS_RESERVED_AT_ONCE: u32 = 64;

/// What is known of a message before it has an id.
pub(super) struct Draft<'a> {
    pub link: &'a LinkId,
    pub from: TerminalId,
    pub to: String,
    pub text: String,
    pub opaque: Vec<u8>,
    pub position: Option<Position>,
    pub native: u64,
    pub part: Option<Part>,
    pub repeats_within: Duration,
    pub sent_at_ms: i64,
    pub overheard: bool,
    pub lossy: bool,
    pub damaged: bool,
    pub joined: bool,
    pub alarm: bool,
    /// Set where another station sent it.
    pub sealed: Option<Sealed>,
}

impl Engine {
    /// Takes a message from a terminal in; gives the record that its acknowledgement must wait for.
    pub(super) fn heard(&mut self, now: Now, link: &LinkId, heard: &Heard) -> Offset {
        let session = self.sessions.get(link);
        if session.is_some_and(|session| session.is_own(&heard.from)) {
            // Our own card's message came back: the bearer's echo, not traffic.
            let detail = format!("{} 的回送", heard.from);
            self.tell(Event::Remarked { link: link.clone(), what: "本机回送", detail });
            return self.state.offset;
        }
        if let Some(offset) = self.frame_heard(now, link, heard) {
            return offset;
        }
        let others = matches!(&heard.to, Addressee::Terminal(to) if !self.is_for_us(link, to));
        let (text, opaque, lossy) = match &heard.content {
            Content::Text { text, lossy } => (text.trim_end_matches('\0').to_owned(), Vec::new(), *lossy),
            Content::Opaque(bytes) => {
                // A call for help goes before a byte that does not belong.
                let call = route::call_among(bytes);
                let lossy = call.is_some();
                (call.unwrap_or_default(), bytes.to_vec(), lossy)
            }
        };
        let draft = Draft {
            to: address(&heard.to),
            text,
            opaque,
            native: heard.native.map_or(0, |native| native.id),
            part: heard.part,
            repeats_within: heard.native.map_or(Duration::ZERO, |native| native.repeats_within),
            sent_at_ms: heard.sent_at.map_or(0, |at| at.0),
            overheard: heard.overheard || others,
            lossy,
            damaged: heard.damaged,
            ..Draft::from(link, heard.from.clone())
        };
        if let Some(known) = self.repeat_of(now, &draft) {
            return self.count_copy(now, link, known);
        }
        if let Some(offset) = self.keep_part(now, &draft) {
            return offset;
        }
        self.keep(now, draft).map_or(self.state.offset, |(_, offset)| offset)
    }

    /// Whether a number on the air is ours: a card of ours, its broadcast number, or 0, which is how a dialect that
    /// names no receiver says "this card". Before any card is known everything is.
    fn is_for_us(&self, link: &LinkId, to: &TerminalId) -> bool {
        let there = |(key, card): &(&CardKey, &Card)| !key.number.is_empty() && Cards::is_there(key, card);
        let mut ours = self.outbox.cards.on(link).filter(there).peekable();
        let broadcast = |key| self.state.cards.get(key).is_some_and(|fact| fact.broadcast == to.number());
        ours.peek().is_none() || to.number() == "0" || ours.any(|(key, _)| key.number == to.number() || broadcast(key))
    }

    /// The message that this one repeats: a retransmission of the terminal, a copy through a command unit, or one of
    /// ours that came back through another station or terminal.
    pub(super) fn repeat_of(&self, now: Now, draft: &Draft<'_>) -> Option<MessageId> {
        if !draft.repeats_within.is_zero() || draft.overheard {
            let key = draft.key();
            if self.repeats.get(&key).is_some_and(|until| *until > now.mono) {
                return self.state.origins.get(&key).copied();
            }
        }
        let (body, id) = split_short_id(&draft.text);
        let known = self.state.message(id?)?;
        let words = route::without_own_id(known.shown(), known.id);
        let whole = !words.is_empty() && body.contains(words);
        let heard = draft.text.trim();
        let mut parts = known.deliveries.iter().flat_map(|delivery| delivery.plans.values().flatten());
        (whole || parts.any(|part| part.text == heard)).then_some(known.id)
    }

    pub(super) fn count_copy(&mut self, now: Now, link: &LinkId, of: MessageId) -> Offset {
        let record = journal::CopyCounted { id: id_to_u64(of), link: link.name().into() };
        self.append(now, What::CopyCounted(record));
        self.tell(Event::CopyHeard { of, link: link.clone() });
        self.state.message(of).map_or(self.state.offset, |message| message.offset)
    }

    /// Keeps one numbered part of a text until the rest has come. A call for help never waits.
    fn keep_part(&mut self, now: Now, draft: &Draft<'_>) -> Option<Offset> {
        let (reference, part, total, body) = match draft.part {
            // 0 means a text that numbers its parts itself.
            Some(part) => (u32::from(part.reference) + 1, part.number.into(), part.total.into(), draft.text.as_str()),
            None => route::numbered_part(&draft.text).map(|(part, total, body)| (0, part, total, body))?,
        };
        let full = self.state.partials.len() >= PARTIALS_MAX && !self.state.partials.contains_key(&draft.from);
        if route::is_sos(&draft.text) || route::is_sos(body) || draft.overheard || full {
            return None;
        }
        if draft.part.is_some()
            && self.state.contacts.get(&draft.from).is_some_and(|c| c.joined == mark(reference, total))
        {
            let last = self.state.contacts.get(&draft.from).and_then(|contact| contact.last_message)?;
            return Some(self.count_copy(now, draft.link, last));
        }
        let other = |held: &Partial| (held.reference, held.total) != (reference, total);
        if self.state.partials.get(&draft.from).is_some_and(other) {
            // Another text has begun: what there is of the first is shown, with its gaps.
            self.join_parts(now, &draft.from);
        }
        let record = journal::PartKept {
            from: draft.from.to_string(),
            link: draft.link.name().into(),
            part,
            total,
            text: body.into(),
            reference,
        };
        let offset = self.append(now, What::PartKept(record));
        self.partial_deadlines.entry(draft.from.clone()).or_insert(now.mono.after(PARTS_WAIT));
        let whole = self.state.partials.get(&draft.from).is_some_and(|held| held.parts.len() == total as usize);
        if whole {
            self.join_parts(now, &draft.from);
        }
        Some(offset)
    }

    /// Shows a text whose parts have come, or whose time is over, naming what is missing.
    pub(super) fn join_parts(&mut self, now: Now, from: &TerminalId) {
        self.partial_deadlines.remove(from);
        let Some(held) = self.state.partials.get(from).cloned() else { return };
        let link = LinkId::new(&held.link);
        let text = (1..=held.total)
            .map(|part| held.parts.get(&part).cloned().unwrap_or_else(|| format!("【缺第{part}段】")))
            .collect::<String>();
        let draft = Draft {
            text,
            native: if held.reference > 0 { mark(held.reference, held.total) } else { 0 },
            lossy: held.parts.len() < held.total as usize,
            joined: true,
            ..Draft::from(&link, from.clone())
        };
        self.keep(now, draft);
    }

    /// A terminal's alarm without words. While the unit's SOS is open, only its position follows.
    pub(super) fn alarm(&mut self, now: Now, link: &LinkId, of: &TerminalId, position: Option<Position>) {
        if self.state.sos.contains_key(&(of.clone(), Traffic::Real)) {
            return;
        }
        let draft =
            Draft { text: "求救：终端报警".into(), position, alarm: true, ..Draft::from(link, of.clone()) };
        self.keep(now, draft);
    }

    /// Gives a message its id, journals it, shows it once it is synced, and sends it on where it has to go.
    pub(super) fn keep(&mut self, now: Now, draft: Draft<'_>) -> Option<(MessageId, Offset)> {
        self.evidence.heard(&Far::Terminal(draft.from.clone()));
        let typed = match &draft.sealed {
            Some(sealed) => Typed::sealed(sealed, &self.config.area),
            None => self.typed_line(&draft),
        };
        let said = if typed.is_line { typed.answer } else { route::answer_word(&draft.text) };
        // A station answers with a receipt; the words of one are words.
        let answer = said.filter(|_| !draft.overheard && draft.sealed.is_none()).and_then(|(answer, named)| {
            route::answer_target(&self.state, &draft.from, answer, named).map(|target| (answer, target))
        });
        let topic = topic_of(&draft, &typed, answer.is_some());
        let usual = draft.sealed.as_ref().map_or(Precedence::Priority, |sealed| sealed.precedence);
        let precedence = if topic == Topic::Sos { Precedence::Flash } else { usual };
        let answered = answer.map(|(_, (id, _))| id);
        let exercise = self.is_exercise(&draft, answered);
        // What another station relays keeps its id, so that every station knows it again.
        let sealed_id = draft.sealed.as_ref().map(|sealed| sealed.id);
        let foreign = if answer.is_none() && !typed.is_line { route::relayed_id(&draft.text) } else { None };
        let foreign = foreign.filter(|id| id.station != self.config.station && self.state.message(*id).is_none());
        let Some(id) = sealed_id.or(foreign).or_else(|| self.take_id(now)) else {
            let bytes = bytes::Bytes::from(draft.text.into_bytes());
            self.note_unreadable(now, draft.link, bytes, "本站报文编号已用完".into());
            return None;
        };
        let record = journal::MessageKept {
            id: id_to_u64(id),
            from: draft.from.to_string(),
            link: draft.link.name().into(),
            by: self.author(&draft),
            to: draft.to.clone(),
            text: draft.text.clone(),
            opaque: draft.opaque.clone(),
            topic: topic.name().into(),
            precedence: precedence.name().into(),
            kind: "text".into(),
            exercise,
            lossy: draft.lossy,
            damaged: draft.damaged,
            sent_at_ms: draft.sent_at_ms,
            position: draft.position.or(typed.position).as_ref().map(fix_of),
            native: draft.native,
            native_repeats_ms: u64::try_from(draft.repeats_within.as_millis()).unwrap_or(0),
            in_reply_to: answered.map_or(0, id_to_u64),
            supersedes: 0,
            life_ms: u64::try_from(self.config.policy.life.of(precedence).as_millis()).unwrap_or(0),
            overheard: draft.overheard,
            answer: answer.map_or(String::new(), |(answer, _)| answer.name().into()),
            joined: draft.joined,
            form: typed.json,
            words: typed.words,
            proof: draft.sealed.as_ref().map_or("", |sealed| sealed.voucher.name()).into(),
        };
        let offset = self.append(now, What::MessageKept(record));
        if !draft.repeats_within.is_zero() || draft.overheard {
            let window = if draft.overheard { OVERHEARD_WINDOW } else { draft.repeats_within };
            self.repeats.insert(draft.key(), now.mono.after(window));
        }
        let (from, link) = (draft.from.clone(), draft.link.clone());
        self.hold(now, Gated::Tell(Event::MessageHeard { id, offset, from, link, topic, precedence }));
        if self.poisoned.is_some() {
            self.tell(Event::RelayedUnstored { id });
        }
        if let Some((answer, (answered, delivery))) = answer {
            self.answered(now, answered, delivery, answer, &format!("message {id}"));
        }
        self.send_on(now, id, &draft, topic);
        self.ask_back(now, id, &draft, typed.question.filter(|_| topic != Topic::Sos));
        Some((id, offset))
    }

    /// Whose terminal it was, or which station's.
    fn author(&self, draft: &Draft<'_>) -> String {
        let holder = self.state.roster().holder(&draft.from).map(|person| person.id.clone());
        draft.sealed.as_ref().map_or_else(|| holder.unwrap_or_default(), |sealed| sealed.by.clone())
    }

    /// Only an answer to exercise traffic, or a text that says so, is exercise; an SOS without the mark is real.
    fn is_exercise(&self, draft: &Draft<'_>, answered: Option<MessageId>) -> bool {
        if let Some(sealed) = draft.sealed.as_ref().filter(|sealed| sealed.voucher != Voucher::Nobody) {
            return sealed.traffic == Traffic::Exercise;
        }
        let enrolled = self.state.roster().holder(&draft.from).is_some();
        let answers = answered.and_then(|id| self.state.message(id));
        let answers_exercise = answers.is_some_and(|message| message.traffic == Traffic::Exercise);
        enrolled && (answers_exercise || Traffic::of_plain_text(&draft.text) == Traffic::Exercise)
    }

    /// Sends a message on: an SOS by the relay table, a text to the one it names, the rest nowhere.
    fn send_on(&mut self, now: Now, id: MessageId, draft: &Draft<'_>, topic: Topic) {
        if topic == Topic::Sos {
            self.sos(now, id, draft);
        }
        let unproven = draft.sealed.as_ref().is_some_and(|sealed| sealed.voucher == Voucher::Nobody);
        if draft.damaged || draft.overheard || (unproven && topic != Topic::Sos) {
            return;
        }
        let mut targets = self.relayed_to(&draft.from, topic);
        if topic == Topic::Text
            && let Some(target) = self.named_addressee(&draft.text)
        {
            targets.extend(target.into_iter().filter(|target| !target.terminals.contains(&draft.from)));
        }
        if targets.is_empty() {
            return;
        }
        if topic == Topic::Sos && !self.may_relay_sos(now, draft.link) {
            self.append(now, What::Held(journal::Held { id: id_to_u64(id), why: "sos_flood".into() }));
            self.hold(now, Gated::Tell(Event::ConfirmationWanted { id, why: HoldReason::SosFlood }));
            return;
        }
        self.route(now, id, &targets);
        self.replace_older(now, id);
    }

    pub(super) fn relayed_to(&self, from: &TerminalId, topic: Topic) -> Vec<Target> {
        let (roster, reached) = (self.state.roster(), self.reached());
        let mut targets = route::relay_targets(roster, &roster.relay_groups(topic), &reached, from);
        // A call for help goes to the centre of the net, whatever the table says.
        let centre = self.net(Traffic::Real).map(|net| net.net.centre).filter(|centre| *centre != self.config.station);
        let centre = centre.and_then(|centre| roster.station_number(centre)).filter(|_| topic == Topic::Sos);
        let centre = centre.and_then(|centre| route::to_station(centre, &reached));
        let missing = |target: &Target| !targets.contains(target) && !target.terminals.contains(from);
        targets.extend(centre.filter(missing));
        targets
    }

    /// `@李雷 …` or `@救援队 …`: a plain handheld speaks to someone through the station.
    fn named_addressee(&self, text: &str) -> Option<Vec<Target>> {
        let name = addressed(text)?;
        let (roster, reached) = (self.state.roster(), self.reached());
        route::resolve(roster, &Recipient::Person(name.into()), &reached)
            .or_else(|_| route::resolve(roster, &Recipient::Group(name.into()), &reached))
            .ok()
    }

    /// What is said to somebody who spoke to a name that nobody has, or whom nothing reaches.
    pub(super) fn unknown_addressee(&self, text: &str) -> Option<Question> {
        let name = addressed(text)?;
        let known = self.named_addressee(text).is_some();
        (!known).then(|| Question {
            field: None, text: format!("名册里没有“{name}”，或者联系不上，只给了值班员看")
        })
    }

    fn may_relay_sos(&mut self, now: Now, link: &LinkId) -> bool {
        let policy = &self.config.policy;
        let relays = self.relays.entry(link.clone()).or_default();
        while relays.front().is_some_and(|at| now.mono.since(*at) >= policy.sos_relay_window) {
            relays.pop_front();
        }
        if relays.len() >= policy.sos_relays_max {
            return false;
        }
        relays.push_back(now.mono);
        true
    }

    fn sos(&mut self, now: Now, id: MessageId, draft: &Draft<'_>) {
        let from = draft.from.clone();
        // An exercise is never joined to a real call, nor a real call to an exercise.
        let traffic = self.state.message(id).map_or(Traffic::Real, |message| message.traffic);
        let opened = !self.state.sos.contains_key(&(from.clone(), traffic)) && self.state.sos.len() < SOS_MAX;
        let what = if opened { "opened" } else { "updated" };
        let record =
            journal::SosChanged { id: id_to_u64(id), what: what.into(), from: from.to_string(), by: String::new() };
        self.append(now, What::SosChanged(record));
        let event = if opened { Event::SosOpened { id, from } } else { Event::SosUpdated { id, from } };
        self.hold(now, Gated::Tell(event));
        if opened && draft.sealed.is_none() && !draft.overheard && !draft.damaged && self.config.policy.sos_auto_answer
        {
            self.answer_sos(now, id, &draft.from);
        }
    }

    /// Journals to whom a message goes and queues it, as far as the outbox has room; the rest is refused with a reason.
    pub(super) fn route(&mut self, now: Now, id: MessageId, targets: &[Target]) {
        let Some(message) = self.state.message(id) else { return };
        let (precedence, first, life_ms) = (message.precedence, message.deliveries.len(), message.life_ms);
        let room = self.room_for(precedence);
        let applicant = Applicant::of(message, targets.len());
        let too_much = self.within_share(now, &applicant).err().filter(|_| message.from.is_some());
        self.append(now, What::Routed(routed_record(id, targets)));
        for index in 0..targets.len() {
            let Ok(number) = u16::try_from(first + index) else { break };
            if let Some(too_much) = &too_much {
                self.end_delivery(now, id, number, crate::event::End::Refused, &too_much.label());
            } else if index < room {
                self.outbox.pending.insert((id, number), Pending::new(now.mono));
            } else {
                self.end_delivery(now, id, number, crate::event::End::Refused, "待发队列已满");
            }
        }
        self.deadlines.entry(id).or_insert(now.mono.after(Duration::from_millis(life_ms)));
        self.outbox.touch();
    }

    /// A person has answered: the rung rises and the delivery ends.
    pub(super) fn answered(&mut self, now: Now, id: MessageId, delivery: u16, answer: Answer, by: &str) {
        self.raise(now, id, delivery, Rung::Answered(answer), by);
        self.end_delivery(now, id, delivery, crate::event::End::Answered, answer.label());
        // The message of another station was answered by the person to whom it was brought on.
        self.owe_human(now, id, super::stations::human_of(answer));
    }

    /// The next message id, reserving more on disk before they run out.
    pub(super) fn take_id(&mut self, now: Now) -> Option<MessageId> {
        let next = self.state.id_last.checked_add(1)?;
        let left = self.state.ids_through.saturating_sub(self.state.id_last);
        if left < IDS_RESERVED_AT_ONCE / 2 && self.poisoned.is_none() {
            let through = self.state.ids_through.saturating_add(IDS_RESERVED_AT_ONCE);
            self.append(now, What::IdsReserved(journal::IdsReserved { through }));
        }
        (next <= self.state.ids_through).then_some(MessageId { station: self.config.station, counter: next })
    }
}

impl<'a> Draft<'a> {
    /// A message of which only the sender and the link are known yet.
    pub fn from(link: &'a LinkId, from: TerminalId) -> Self {
        Self {
            link,
            from,
            to: String::new(),
            text: String::new(),
            opaque: Vec::new(),
            position: None,
            native: 0,
            part: None,
            repeats_within: Duration::ZERO,
            sent_at_ms: 0,
            overheard: false,
            lossy: false,
            damaged: false,
            joined: false,
            alarm: false,
            sealed: None,
        }
    }

    fn key(&self) -> OriginKey {
        let content = if self.opaque.is_empty() { self.text.as_bytes() } else { &self.opaque };
        OriginKey::new(&self.from, self.to.clone(), self.native, content)
    }
}

/// To whom a message goes.
pub(super) fn routed_record(id: MessageId, targets: &[Target]) -> journal::Routed {
    let delivery = |target: &Target| journal::routed::Delivery {
        person: target.person.clone().unwrap_or_default(),
        terminals: target.terminals.iter().map(ToString::to_string).collect(),
        group: target.group,
        station: target.station.map_or(0, |station| station.number().into()),
    };
    journal::Routed { id: id_to_u64(id), deliveries: targets.iter().map(delivery).collect() }
}

/// What a message is about: a call for help goes before everything else that it may be.
fn topic_of(draft: &Draft<'_>, typed: &Typed, is_answer: bool) -> Topic {
    let calls = if draft.sealed.is_some() { route::brings_sos(&draft.text) } else { route::is_sos(&draft.text) };
    let sos = draft.alarm || typed.distress || calls;
    match (sos, is_answer, draft.opaque.is_empty()) {
        (true, ..) => Topic::Sos,
        (_, true, _) => Topic::Answer,
        (_, _, false) => Topic::Data,
        _ if !typed.json.is_empty() => Topic::Form,
        _ => Topic::Text,
    }
}

/// One text that a bearer cut, as its sender's contact remembers it.
const fn mark(reference: u32, total: u32) -> u64 {
    (reference as u64) << 32 | total as u64
}

/// The name after the `@` with which a text begins.
pub(super) fn addressed(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix(['@', '＠'])?;
    rest.split([' ', '\u{3000}', ':', '：', ',', '，']).next().filter(|name| !name.is_empty())
}

fn address(to: &Addressee) -> String {
    match to {
        Addressee::Terminal(id) => id.to_string(),
        Addressee::Group(id) => format!("group {id}"),
        Addressee::Everyone(bearer) => format!("all {bearer}"),
    }
}
