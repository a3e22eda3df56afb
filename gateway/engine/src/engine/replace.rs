//! Reports of which only the newest counts: one that has not been sent yet gives way to the next of its unit.

use super::Engine;
use crate::bus::{Delivery, Message};
use crate::event::End;
use crate::time::Now;
use yizhan_codecs::air::form::Form;
use yizhan_codecs::message::MessageId;

impl Engine {
    /// Ends what waits of older reports that this one makes void, where this one goes to the same end. Of what has begun to go
    /// out the rest follows: half a report has cost its airtime and helps nobody.
    pub(super) fn replace_older(&mut self, now: Now, id: MessageId) {
        let Some(newer) = self.state.message(id) else { return };
        let Some(form) = form_of(newer).filter(|form| form.schema().replaces.is_some()) else { return };
        let older = self.state.open.iter().filter(|(other, number)| {
            let other = self.state.message(*other).filter(|other| other.id != id);
            let delivery = other.and_then(|other| Some((other, other.delivery(*number)?)));
            delivery.is_some_and(|(other, delivery)| {
                same_unit(newer, other)
                    && newer.deliveries.iter().any(|own| own.end.is_none() && same_end(own, delivery))
                    && form_of(other).is_some_and(|other| form.replaces(&other))
            })
        });
        let waits = |(id, number): &(MessageId, u16)| {
            let begun = self.state.open_attempts().any(|open| (open.id, open.delivery) == (*id, *number));
            !begun && self.state.delivery(*id, *number).is_some_and(|delivery| delivery.spent() == 0)
        };
        let older: Vec<(MessageId, u16)> = older.copied().filter(waits).collect();
        for (other, number) in older {
            self.end_delivery(now, other, number, End::Superseded, &format!("由 {id} 更新"));
        }
    }
}

fn form_of(message: &Message) -> Option<Form> {
    let json = serde_json::from_str(&message.form).ok()?;
    Form::from_json(&json).ok()
}

fn same_unit(newer: &Message, older: &Message) -> bool {
    (&newer.from, &newer.by, newer.traffic) == (&older.from, &older.by, older.traffic)
}

fn same_end(a: &Delivery, b: &Delivery) -> bool {
    (a.station, &a.person, &a.terminals) == (b.station, &b.person, &b.terminals)
}
