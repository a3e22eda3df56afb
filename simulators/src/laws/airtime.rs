//! Law 4: within airtime. The terminal's own clock says that no send came too early, and none was longer than its card
//! carries, crashes included.

use super::{Fact, Law, View};
use crate::terminal::Tally;
use std::collections::BTreeMap;
use yizhan_codecs::message::LinkId;

#[derive(Clone, Debug, Default)]
pub(super) struct Airtime {
    seen: BTreeMap<LinkId, Tally>,
}

impl Airtime {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        let Fact::Counted { link, tally } = fact else { return };
        let seen = self.seen.insert((*link).clone(), *tally).unwrap_or_default();
        if tally.sent_too_early > seen.sent_too_early {
            view.broken(Law::WithinAirtime, format!("the card on {link} was told to send before its slot was free"));
        }
        if tally.too_long > seen.too_long {
            view.broken(Law::WithinAirtime, format!("the card on {link} was given more than its grade carries"));
        }
    }
}
