//! Rows of a message that does not fit into one frame: kept on disk as they come, until they are a message.

use super::{Arrival, Engine, door, number_record};
use crate::bus::journal::{self, record::What};
use crate::clock::age;
use crate::event::Event;
use crate::io::Offset;
use crate::stream::Gathering;
use crate::time::Now;
use bytes::Bytes;
use std::time::Duration;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::fragment::Added;
use yizhan_codecs::air::frame::SealedRow;
use yizhan_codecs::air::limits::{
    Bearing, FRAME_MAX, PARTIAL_BYTES_MAX, PARTIAL_LIFE_BEIDOU, PARTIAL_LIFE_RADIO, PARTIALS_MAX,
    PARTIALS_PER_SOURCE_MAX,
};
use yizhan_codecs::air::nonce::Number;
use yizhan_codecs::air::replay::Standing;
use yizhan_codecs::message::{MessageId, Precedence};

impl Engine {
    /// A row: kept where it is of use.
    pub(super) fn row_heard(&mut self, now: Now, arrival: &Arrival, sealed: &SealedRow) -> Offset {
        let (number, row) = (sealed.number, &sealed.row);
        if !self.is_for_this_station(arrival.traffic, row.header.dst) {
            return self.state.offset;
        }
        let id = MessageId { station: number.src, counter: number.counter };
        let state = self.net_state(arrival.traffic);
        match state.replay.standing(number) {
            Standing::Accepted => return self.copy_heard(now, arrival, id, number),
            Standing::Stale => return self.too_old(arrival, id),
            Standing::Open => {}
        }
        if !self.is_likely_sender(arrival, number) {
            let detail = format!("{} for station {}", arrival.from, number.src.number());
            self.tell(Event::Remarked {
                link: arrival.link.clone(),
                what: "站间报文来自未登记的终端，不收分段",
                detail,
            });
            return self.state.offset;
        }
        let added = state.gathered.get(&number).map(|gathered| gathered.partial.clone().add(row));
        match added {
            Some(Ok(Added::Copy | Added::NotNeeded)) => {
                self.stations.gatherings.heard(now, arrival, number, false);
                return self.state.offset;
            }
            // One of the two is not what the station sent. The newer one is believed: a forger must go on for ever.
            Some(Err(_)) => self.drop_rows(now, arrival.traffic, number, "disagrees"),
            Some(Ok(Added::Kept { .. })) => {}
            None => self.make_room(now, arrival.traffic, number),
        }
        self.keep_row(now, arrival, sealed);
        self.finish(now, arrival, number);
        self.state.offset
    }

    /// On a bearer that names the sender a row must come from a terminal of the station; it has no tag of its own.
    fn is_likely_sender(&self, arrival: &Arrival, number: Number) -> bool {
        let entry = self.state.roster().station_number(number.src);
        super::is_open_radio(arrival.from.bearer)
            || super::carry::is_courier(&arrival.link)
            || entry.is_some_and(|entry| entry.terminals.iter().any(|terminal| terminal.0 == arrival.from))
    }

    fn keep_row(&mut self, now: Now, arrival: &Arrival, sealed: &SealedRow) {
        let (number, row) = (sealed.number, &sealed.row);
        let (Ok(header), Ok(extension)) = (row.header.emit(), row.extension.emit()) else { return };
        let record = journal::RowKept {
            exercise: arrival.traffic == Traffic::Exercise,
            number: Some(number_record(number)),
            frame: [header.as_slice(), &extension, &row.bytes].concat(),
            from: arrival.from.to_string(),
            link: arrival.link.name().into(),
        };
        self.append(now, What::RowKept(record));
        let (rows, flash) = (row.extension.n, row.header.precedence == Precedence::Flash);
        let (slot, loss) = (self.slot_of(&arrival.link), self.loss_to(number.src));
        let begin = || Gathering::new(rows, loss, flash);
        self.stations.gatherings.begin(arrival.traffic, number, slot, begin);
        self.stations.gatherings.heard(now, arrival, number, true);
        self.tell(Event::RowHeard {
            id: MessageId { station: number.src, counter: number.counter },
            link: arrival.link.clone(),
            missing: self.rows_missing(arrival.traffic, number),
        });
    }

    fn rows_missing(&self, traffic: Traffic, number: Number) -> u8 {
        self.net_state(traffic).gathered.get(&number).map_or(0, |gathered| gathered.partial.rows_missing())
    }

    /// Of 1000 rows of a message that is whole now, how many the air took.
    pub(super) fn rows_lost(&self, traffic: Traffic, number: Number) -> u32 {
        let Some(gathered) = self.net_state(traffic).gathered.get(&number) else { return self.loss_to(number.src) };
        let sent = u32::from(gathered.highest).saturating_add(1);
        let came = u32::from(gathered.partial.extension().n);
        sent.saturating_sub(came).saturating_mul(1_000) / sent
    }

    /// Opens a message all of whose rows are there. One that is not authentic was spoiled by a forged row.
    fn finish(&mut self, now: Now, arrival: &Arrival, number: Number) {
        if self.rows_missing(arrival.traffic, number) > 0 {
            return;
        }
        let Some(net) = self.net(arrival.traffic).cloned() else { return };
        // The tag of the whole says all; what the bearer demands of a frame was looked at as it came.
        let bearing = Bearing::closed(FRAME_MAX);
        let Some(gathered) = self.net_state(arrival.traffic).gathered.get(&number) else { return };
        match door(&net, &bearing).open_object(number, &gathered.partial) {
            Ok(message) => {
                self.message_heard(now, arrival, message);
            }
            Err(error) => {
                self.drop_rows(now, arrival.traffic, number, "forged");
                self.not_opened(now, arrival, Some(number.src), Bytes::new(), error);
            }
        }
    }

    /// Room for one more message in rows: within the bounds, the oldest of the lowest precedence goes.
    fn make_room(&mut self, now: Now, traffic: Traffic, number: Number) {
        loop {
            let gathered = &self.net_state(traffic).gathered;
            let of_source = gathered.keys().filter(|known| known.src == number.src).count();
            let bytes: usize = gathered.values().map(|gathered| gathered.partial.held_bytes()).sum();
            let full_source = of_source >= PARTIALS_PER_SOURCE_MAX;
            if !full_source && gathered.len() < PARTIALS_MAX && bytes < PARTIAL_BYTES_MAX {
                return;
            }
            let candidates = gathered.iter().filter(|(known, _)| !full_source || known.src == number.src);
            let least = candidates.min_by_key(|(_, g)| (g.partial.header().precedence, g.first_ms));
            let Some((least, _)) = least else { return };
            let least = *least;
            self.drop_rows(now, traffic, least, "room");
        }
    }

    fn drop_rows(&mut self, now: Now, traffic: Traffic, number: Number, why: &str) {
        let record = journal::RowsDropped {
            exercise: traffic == Traffic::Exercise,
            number: Some(number_record(number)),
            why: why.into(),
        };
        self.append(now, What::RowsDropped(record));
        self.stations.gatherings.forget(traffic, number);
    }

    /// Rows whose message never became whole leave when their time is over. Nothing is over while no clock is trusted.
    pub(in crate::engine) fn drop_old_rows(&mut self, now: Now) {
        let Some(utc) = self.clock.utc(now.mono) else { return };
        let mut old: Vec<(Traffic, Number)> = Vec::new();
        for (traffic, net) in &self.state.nets {
            let is_old = |gathered: &crate::bus::Gathered| {
                let open = super::is_open_radio(gathered.from.bearer);
                let life = if open { PARTIAL_LIFE_RADIO } else { PARTIAL_LIFE_BEIDOU };
                gathered.first_ms != 0 && age(utc, gathered.first_ms) > life
            };
            old.extend(net.gathered.iter().filter(|(_, g)| is_old(g)).map(|(number, _)| (*traffic, *number)));
        }
        for (traffic, number) in old {
            self.drop_rows(now, traffic, number, "old");
        }
    }

    /// After a restart: what was heard of each message is counted again, as if it had come just now.
    pub(in crate::engine) fn take_up_rows(&mut self, now: Now) {
        let mut found = Vec::new();
        for (traffic, net) in &self.state.nets {
            found.extend(net.gathered.iter().map(|(number, gathered)| (*traffic, *number, gathered.clone())));
        }
        for (traffic, number, gathered) in found {
            let arrival = Arrival { link: gathered.link.clone(), from: gathered.from.clone(), traffic };
            let rows = gathered.partial.extension().n;
            let flash = gathered.partial.header().precedence == Precedence::Flash;
            let (slot, loss) = (self.slot_of(&arrival.link), self.loss_to(number.src));
            self.stations.gatherings.begin(traffic, number, slot, || Gathering::new(rows, loss, flash));
            for _ in 0..rows.saturating_sub(gathered.partial.rows_missing()) {
                self.stations.gatherings.heard(now, &arrival, number, true);
            }
        }
    }

    /// What a card of this link takes for a send.
    pub(super) fn slot_of(&self, link: &yizhan_codecs::message::LinkId) -> Duration {
        let slots = self.outbox.cards.on(link).map(|(_, card)| card.slot);
        slots.max().unwrap_or(Duration::from_secs(60)).max(Duration::from_millis(100))
    }
}
