//! Law 6: bounded. The outbox has its limit and its FLASH places, and an unauthenticated SOS is relayed by itself at
//! most so often on a link; then a person confirms.

use super::book::printed;
use super::{Fact, Law, View};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use yizhan_codecs::message::Precedence;
use yizhan_engine::bus::journal::record::What;

/// What the house promises, whatever the config of the day says: 6 in 10 minutes.
const RELAYS_MAX: usize = 6;
const RELAY_WINDOW: Duration = Duration::from_secs(600);

#[derive(Clone, Debug, Default)]
pub(super) struct Bounded {
    /// When SOS of each link were relayed by themselves.
    relays: BTreeMap<String, VecDeque<Duration>>,
}

impl Bounded {
    pub fn observe(&mut self, view: &mut View<'_>, fact: &Fact<'_>) {
        let (Fact::Synced { records, .. } | Fact::Crashed { survivors: records, .. }) = fact else { return };
        for record in *records {
            if let Some(What::Routed(routed)) = &record.what {
                self.routed(view, routed.id);
            }
        }
        let (untried, limit) = (view.book.untried, view.ground.policy.outbox_max);
        if untried > limit {
            view.broken(Law::Bounded, format!("{untried} deliveries wait in the outbox, at most {limit}"));
        }
    }

    fn routed(&mut self, view: &mut View<'_>, id: u64) {
        let Some(message) = view.book.messages.get(&id) else { return };
        let unreserved = view.ground.policy.outbox_max.saturating_sub(view.ground.policy.flash_reserved);
        let refused = message.lines.iter().all(|line| line.end.as_deref() == Some("refused"));
        if message.precedence < Precedence::Flash && view.book.untried > unreserved && !refused {
            let what = format!("{} ({}) took a place that is kept for FLASH", printed(id), message.precedence);
            view.broken(Law::Bounded, what);
        }
        let Some(message) = view.book.messages.get(&id) else { return };
        if message.topic != "sos" || !message.is_heard() || message.confirmed {
            return;
        }
        let relays = self.relays.entry(message.link.clone()).or_default();
        while relays.front().is_some_and(|at| view.at.saturating_sub(*at) >= RELAY_WINDOW) {
            relays.pop_front();
        }
        relays.push_back(view.at);
        let (count, link) = (relays.len(), message.link.clone());
        if count > RELAYS_MAX {
            view.broken(Law::Bounded, format!("{count} SOS of {link} were relayed by themselves in 10 minutes"));
        }
    }
}
