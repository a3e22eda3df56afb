//! Lines of a keypad from plain terminals: what they say as forms, and what is asked back.
//!
//! **Invariants**
//! - What was typed is kept as it was typed, read or not.
//! - Only an enrolled terminal is asked back, and one question at a time is on its way to it: a stranger costs no airtime.

use super::Engine;
use super::keep::{Draft, addressed};
use super::stations::Sealed;
use super::submit::{OWN_NAME, OwnWords};
use crate::io::{Refusal, SendKind};
use crate::people::Topic;
use crate::route;
use crate::time::Now;
use yizhan_codecs::air::form::{self, Area, Form, Question, Reference, Value};
use yizhan_codecs::message::{Answer, MessageId, Position, Precedence, TerminalId};

/// Forms whose position is that of the sender. Others tell where something happened.
const OWN_PLACE: [&str; 3] = ["sos", "position", "status"];

/// What is asked of somebody who numbered the parts of a line by hand.
const IN_ONE_PIECE: &str = "按键报表请写在一条里，不要自己分段，请重发";

/// What is said of a form that does not begin as one.
const NO_LINE: &str = "报表以 # 和编号开头，例如 #1 续报 滑坡 死3 失2";

/// What a keypad line says. Of any other text nothing.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub is_line: bool,
    pub words: String,
    pub json: String,
    /// What it answers, and to which message.
    pub answer: Option<(Answer, Option<MessageId>)>,
    /// Where the sender is.
    pub position: Option<Position>,
    /// What is not clear.
    pub question: Option<Question>,
    /// It is a form that calls for help.
    pub distress: bool,
}

/// What is granted to a message for which nobody says how urgent it is: a form says it by itself.
#[must_use]
pub fn usual_precedence(kind: SendKind, text: &str) -> Precedence {
    let schema = form::line_schema(text).filter(|_| kind == SendKind::Form);
    match schema {
        Some(schema) if schema.distress => Precedence::Flash,
        Some(schema) if ["order", "warning"].contains(&schema.name.as_str()) => Precedence::Immediate,
        Some(_) => Precedence::Priority,
        None => Precedence::default(),
    }
}

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    Line,
    Name,
    Number,
}

impl Doubt {
    fn about(text: &str) -> Option<Self> {
        let name = || addressed(text).map(|_| Self::Name);
        let number = || wrong_number(text).map(|_| Self::Number);
        if form::is_line(text) { Some(Self::Line) } else { name().or_else(number) }
    }

    /// What is said of the earlier ones, to which no answer has gone out.
    const fn of_earlier_ones(self) -> &'static str {
        match self {
            Self::Line => "；前面不清的报表也请重发",
            Self::Name => "；前面几条也是",
            Self::Number => "；前面的答复也请重发",
        }
    }
}

/// What is asked of somebody whose answer names no message that there can be.
fn wrong_number(text: &str) -> Option<Question> {
    let number = route::mistyped_id(text)?;
    Some(Question {
        field: None, text: format!("编号“{number}”不对，请照原报文末尾的编号再答一次")
    })
}

impl Typed {
    /// What a form of another station says.
    pub fn sealed(sealed: &Sealed, area: &Area) -> Self {
        let json = serde_json::from_str(&sealed.form).ok();
        let form = json.and_then(|json| Form::from_json(&json).ok());
        let distress = form.as_ref().is_some_and(|form| form.schema().distress);
        let position = form.as_ref().and_then(|form| own_place(form, area));
        Self { words: sealed.words.clone(), json: sealed.form.clone(), position, distress, ..Self::default() }
    }
}

impl Engine {
    /// Reads a keypad line, or the name before a text. One with gaps is none: nobody should be asked about what the air took.
    pub(super) fn typed_line(&self, draft: &Draft<'_>) -> Typed {
        let whole = draft.opaque.is_empty() && !draft.lossy && !draft.damaged;
        if !whole {
            return Typed::default();
        }
        if !form::is_line(&draft.text) {
            let question = self.unknown_addressee(&draft.text).or_else(|| wrong_number(&draft.text));
            return Typed { question, ..Typed::default() };
        }
        let unclear = |question| Typed { is_line: true, question: Some(question), ..Typed::default() };
        // Where a person cut a text, a space may be lost: `3` and `2 14` would be 32 and 14.
        if draft.joined && draft.native == 0 {
            return unclear(Question { field: None, text: IN_ONE_PIECE.into() });
        }
        self.read_line(&draft.text).unwrap_or_else(unclear)
    }

    fn read_line(&self, line: &str) -> Result<Typed, Question> {
        let mut area = self.config.area.clone();
        area.counters.insert(self.config.station.number(), self.state.id_last);
        let form = form::read_line(line, &area)?;
        Ok(Typed {
            is_line: true,
            words: form.words(&area),
            json: form.to_json().to_string(),
            answer: answer(&form).map(|(answer, about)| (answer, Some(self.named(about)))),
            position: own_place(&form, &area),
            ..Typed::default()
        })
    }

    /// What somebody at the station sends, and as what kind: a form is asked for as its keypad line.
    pub(super) fn typed_here(&self, kind: SendKind, text: &str) -> Result<(SendKind, Typed), Refusal> {
        if kind != SendKind::Form {
            return Ok((kind, Typed::default()));
        }
        if !form::is_line(text) {
            return Err(Refusal::FormUnclear { question: NO_LINE.into() });
        }
        let typed = self.read_line(text).map_err(|question| Refusal::FormUnclear { question: question.text })?;
        let kind = match form::line_schema(text).map(|schema| schema.name.as_str()) {
            Some("order") => SendKind::Order,
            Some("warning") => SendKind::Warning,
            _ => SendKind::Form,
        };
        Ok((kind, typed))
    }

    /// The message that a reference means: of this station the one nearest to the newest, of another one the first.
    fn named(&self, reference: Reference) -> MessageId {
        let own = reference.station == self.config.station;
        reference.near(if own { self.state.id_last } else { 0 })
    }

    /// Asks the sender of a line that is not clear. A newer question takes the place of one of its kind that is still on its way,
    /// and says so.
    pub(super) fn ask_back(&mut self, now: Now, about: MessageId, draft: &Draft<'_>, question: Option<Question>) {
        let to = &draft.from;
        let enrolled = self.state.roster().holder(to).is_some();
        let Some(question) = question.filter(|_| enrolled && !draft.overheard && self.config.policy.keypad_questions)
        else {
            return;
        };
        let kind = Doubt::about(&draft.text);
        let supersedes = kind.and_then(|kind| self.question_on_its_way(to, kind));
        let earlier = kind.filter(|_| supersedes.is_some()).map_or("", Doubt::of_earlier_ones);
        let words = OwnWords {
            text: format!("{}{earlier}", question.text),
            precedence: Precedence::Priority,
            supersedes,
            failed: "按键报表的回问未发",
        };
        self.answer_by_itself(now, about, to, words);
    }

    fn question_on_its_way(&self, to: &TerminalId, kind: Doubt) -> Option<MessageId> {
        let mut open = self.state.open.iter().filter_map(|(id, _)| self.state.message(*id));
        let question = open.find(|message| {
            let about = message.in_reply_to.and_then(|id| self.state.message(id));
            let same = about.is_some_and(|about| about.topic != Topic::Sos && Doubt::about(&about.text) == Some(kind));
            same && message.by == OWN_NAME && message.deliveries.iter().any(|d| d.terminals.contains(to))
        });
        question.map(|message| message.id)
    }
}

fn answer(form: &Form) -> Option<(Answer, Reference)> {
    let answer = match form.chosen("answer")? {
        "accepted" => Answer::Accepted,
        "executing" => Answer::Executing,
        "done" => Answer::Done,
        "unable" => Answer::Unable,
        _ => return None,
    };
    let Some(Value::Reference(about)) = form.get("about") else { return None };
    (form.schema().name == "answer").then_some((answer, *about))
}

/// Where the sender is, unless the form says that it is old news.
fn own_place(form: &Form, area: &Area) -> Option<Position> {
    let fresh = matches!(form.get("age"), None | Some(Value::Number(0)));
    let Some(Value::Spot(spot)) = form.get("fix").filter(|_| fresh) else { return None };
    let (lat_e7, lon_e7) = area.degrees(*spot).filter(|_| OWN_PLACE.contains(&form.schema().name.as_str()))?;
    Some(Position { lat_e7, lon_e7, ..Position::from_degrees(0.0, 0.0)? })
}
