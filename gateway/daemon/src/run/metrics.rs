//! Counters for `/metrics`, in Prometheus' text format.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use yizhan_engine::event::Event;

/// Counts since the start, by name and label.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<(Counter, String), u64>>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Counter {
    AttemptsReleased,
    BytesHeard,
    CaptureDropped,
    CopiesHeard,
    DeliveriesEnded,
    Errors,
    LinkDowns,
    MessagesAccepted,
    MessagesHeard,
    RecordsStored,
    SosOpened,
    TransmitsRefused,
    UnreadableHeard,
}

impl Counter {
    /// Name, the label's name, help.
    const fn text(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::AttemptsReleased => ("yizhan_attempts_released_total", "link", "Sends given to a link."),
            Self::BytesHeard => ("yizhan_bytes_heard_total", "link", "Bytes read from a link."),
            Self::CaptureDropped => ("yizhan_capture_dropped_total", "", "Captured pieces dropped: disk too slow."),
            Self::CopiesHeard => ("yizhan_copies_heard_total", "link", "Repeats of messages already kept."),
            Self::DeliveriesEnded => ("yizhan_deliveries_ended_total", "end", "Deliveries ended, by how."),
            Self::Errors => ("yizhan_journal_failures_total", "", "Failed commits: restart needed."),
            Self::LinkDowns => ("yizhan_link_downs_total", "link", "Losses of a link."),
            Self::MessagesAccepted => ("yizhan_messages_accepted_total", "precedence", "Messages taken to send."),
            Self::MessagesHeard => ("yizhan_messages_heard_total", "link", "Messages heard and kept."),
            Self::RecordsStored => ("yizhan_records_stored_total", "", "Records given to the journal."),
            Self::SosOpened => ("yizhan_sos_opened_total", "", "Calls for help."),
            Self::TransmitsRefused => {
                ("yizhan_transmits_refused_total", "link", "Sends that found a link's queue full.")
            }
            Self::UnreadableHeard => ("yizhan_unreadable_heard_total", "link", "Bytes that no codec reads."),
        }
    }
}

impl Metrics {
    pub(super) fn add(&self, counter: Counter, label: &str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let total = counts.entry((counter, label.to_owned())).or_default();
        *total = total.saturating_add(count);
    }

    pub(super) fn event(&self, event: &Event) {
        match event {
            Event::AttemptReleased { link, .. } => self.add(Counter::AttemptsReleased, link.name(), 1),
            Event::CopyHeard { link, .. } => self.add(Counter::CopiesHeard, link.name(), 1),
            Event::DeliveryEnded { end, .. } => self.add(Counter::DeliveriesEnded, end.name(), 1),
            Event::JournalFailed { .. } => self.add(Counter::Errors, "", 1),
            Event::LinkWentDown { link, .. } => self.add(Counter::LinkDowns, link.name(), 1),
            Event::MessageAccepted { precedence, .. } => self.add(Counter::MessagesAccepted, precedence.name(), 1),
            Event::MessageHeard { link, .. } => self.add(Counter::MessagesHeard, link.name(), 1),
            Event::SosOpened { .. } => self.add(Counter::SosOpened, "", 1),
            Event::UnreadableHeard { link, suppressed, .. } => {
                self.add(Counter::UnreadableHeard, link.name(), u64::from(*suppressed).saturating_add(1));
            }
            _ => {}
        }
    }

    /// Every counter as Prometheus reads it.
    #[must_use]
    pub fn render(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        let mut last = None;
        for ((counter, label), total) in counts.iter() {
            let (name, label_name, help) = counter.text();
            if last != Some(*counter) {
                let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
                last = Some(*counter);
            }
            let _ = if label_name.is_empty() {
                writeln!(text, "{name} {total}")
            } else {
                writeln!(text, "{name}{{{label_name}=\"{}\"}} {total}", escaped(label))
            };
        }
        text
    }
}

/// A label's value as the format wants it.
#[must_use]
pub fn escaped(label: &str) -> String {
    label.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
