//! Messages in clear, for mutual aid: anybody may have made them. They are shown with their mark, and nothing follows from
//! what they say but for a call for help, which is never dropped for want of a seal.

use super::{Arrival, Engine, Sealed};
use crate::bus::Voucher;
use crate::engine::keep::Draft;
use crate::event::Event;
use crate::io::Offset;
use crate::time::{Instant, Now};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;
use yizhan_codecs::air::fragment::{Partial, Row};
use yizhan_codecs::air::frame::{ClearMessage, open_clear_object};
use yizhan_codecs::air::writing;
use yizhan_codecs::message::{StationId, TerminalId};

/// Messages in rows that are not whole, at most: nobody pays for beginning one.
const PARTIALS_MAX: usize = 16;
/// How long rows wait for the rest, and how long the same words under the same number are a repeat.
const LIFE: Duration = Duration::from_secs(30 * 60);

/// Who sent it, by the bearer and by itself, and its number.
type Key = (TerminalId, Option<StationId>, u16);

/// Rows of messages in clear. A restart forgets them: nothing was promised to anybody.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Clears(BTreeMap<Key, (Partial, Instant)>);

impl Clears {
    /// Keeps a row; gives the message when all of it is there.
    fn add(&mut self, now: Instant, key: &Key, row: &Row) -> Option<Partial> {
        let (partial, _) = self.0.entry(key.clone()).or_insert_with(|| (Partial::begin(row), now));
        // A row that does not belong to what came first is somebody else's, or damaged.
        let _ = partial.add(row);
        if partial.rows_missing() > 0 {
            return None;
        }
        self.0.remove(key).map(|(partial, _)| partial)
    }

    /// Lets go what is too old, or one too many; gives how many there were.
    fn trim(&mut self, now: Instant) -> usize {
        let before = self.0.len();
        self.0.retain(|_, (_, since)| now.since(*since) < LIFE);
        while self.0.len() > PARTIALS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, (_, since))| *since).map(|(key, _)| key.clone());
            let Some(oldest) = oldest else { break };
            self.0.remove(&oldest);
        }
        before - self.0.len()
    }
}

impl Engine {
    /// A row of a message in clear.
    pub(super) fn clear_row_heard(&mut self, now: Now, arrival: &Arrival, row: &Row) -> Offset {
        let key = (arrival.from.clone(), row.header.src, row.header.seq);
        let whole = self.stations.clears.add(now.mono, &key, row);
        let gone = self.stations.clears.trim(now.mono);
        if gone > 0 {
            let detail = format!("{gone} messages");
            self.tell(Event::Remarked {
                link: arrival.link.clone(), what: "未认证的分段明文没有收齐", detail
            });
        }
        match whole.map(|partial| (open_clear_object(&partial), partial.finish())) {
            None => self.state.offset,
            Some((Ok(message), _)) => self.clear_heard(now, arrival, &message),
            Some((Err(error), object)) => {
                let bytes = Bytes::from(object.unwrap_or_default());
                self.note_unreadable(now, &arrival.link, bytes, format!("未认证的明文读不通：{error}"));
                self.state.offset
            }
        }
    }

    /// A whole message in clear.
    pub(super) fn clear_heard(&mut self, now: Now, arrival: &Arrival, message: &ClearMessage) -> Offset {
        let content = message.protected.as_ref().ok().map(|protected| &protected.content);
        let read = content.map(|content| writing::read(content, &self.config.area));
        let (text, opaque) = match read {
            Some(Ok(reading)) => (reading.words, Vec::new()),
            _ => (String::new(), message.bytes.clone()),
        };
        let mut draft = Draft {
            to: format!("station:{}", self.config.station.number()),
            text,
            opaque,
            native: message.header.seq.into(),
            repeats_within: LIFE,
            ..Draft::from(&arrival.link, arrival.from.clone())
        };
        if let Some(known) = self.repeat_of(now, &draft) {
            return self.count_copy(now, &arrival.link, known);
        }
        let Some(id) = self.take_id(now) else { return self.state.offset };
        draft.sealed = Some(Sealed {
            id,
            precedence: message.header.precedence,
            voucher: Voucher::Nobody,
            traffic: arrival.traffic,
            by: message.header.src.map_or(String::new(), |src| self.station_name(src)),
            words: String::new(),
            form: String::new(),
        });
        self.keep(now, draft);
        self.state.offset
    }
}
