//! Whoever sent something through the station from a handheld is told when it reached nobody.
//!
//! **Invariants**
//! - Told once, when the last delivery has ended, and only of what nobody is known to have got. A call for help is the command
//!   post's affair: whoever waits for rescue is not told who was not reached.
//! - One such word at a time is on its way to a terminal: a flood costs no airtime.

use super::Engine;
use super::submit::{OWN_NAME, OwnWords};
use crate::bus::Message;
use crate::event::End;
use crate::people::Topic;
use crate::time::Now;
use yizhan_codecs::message::{MessageId, Precedence, TerminalId};

/// Characters by which somebody knows his message again.
const QUOTED: usize = 12;

impl Engine {
    /// Tells the sender of a relayed message that has just ended, where it reached nobody.
    pub(super) fn tell_sender(&mut self, now: Now, id: MessageId) {
        let Some(message) = self.state.message(id) else { return };
        let Some(to) = message.from.clone().filter(|_| is_lost(message)) else { return };
        let Some(delivery) = message.deliveries.last().filter(|_| self.state.roster().holder(&to).is_some()) else {
            return;
        };
        let why = match delivery.end {
            Some(End::Expired) => "超时没能发出",
            Some(End::Unknown) => "已发出，没有回音",
            // Nothing more is known here than whether it ever went out: the reason is at the station's screen.
            _ if delivery.spent() > 0 => "对方没有收下",
            _ => "本站没有受理",
        };
        let (whom, quoted) = (self.named_in_roster(&delivery.whom()), quoted(&message.text));
        let supersedes = self.notice_on_its_way(&to);
        let text = match supersedes {
            None => format!("没有转给{whom}：“{quoted}”，{why}"),
            Some(_) => format!("最近几条没有转出，最后一条给{whom}：“{quoted}”，{why}"),
        };
        let words =
            OwnWords {
                text, precedence: Precedence::Routine, supersedes, failed: "没有转出的报文未能告知发信人"
            };
        self.answer_by_itself(now, id, &to, words);
    }

    fn named_in_roster(&self, whom: &str) -> String {
        let roster = self.state.roster();
        let person = roster.person(whom).map(|person| person.name.clone());
        person.or_else(|| roster.station(whom).map(|station| station.name.clone())).unwrap_or_else(|| whom.to_owned())
    }

    fn notice_on_its_way(&self, to: &TerminalId) -> Option<MessageId> {
        let mut open = self.state.open.iter().filter_map(|(id, _)| self.state.message(*id));
        let notice = open.find(|message| {
            let about = message.in_reply_to.and_then(|id| self.state.message(id));
            message.by == OWN_NAME
                && about.is_some_and(is_lost)
                && message.deliveries.iter().any(|delivery| delivery.terminals.contains(to))
        });
        notice.map(|message| message.id)
    }
}

/// Whether a message of a handheld was to be sent on and nobody is known to have got it.
fn is_lost(message: &Message) -> bool {
    let lost = |end: Option<End>| matches!(end, Some(End::Expired | End::Unknown | End::Refused));
    message.proof.is_none()
        && message.topic != Topic::Sos
        && !message.deliveries.is_empty()
        && message.deliveries.iter().all(|delivery| lost(delivery.end))
}

fn quoted(text: &str) -> String {
    let text = text.trim();
    let head: String = text.chars().take(QUOTED).collect();
    if head.len() < text.len() { format!("{head}…") } else { head }
}
