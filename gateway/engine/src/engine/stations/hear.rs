//! Frames of other stations: from bytes to messages.

use super::{Arrival, Engine, Sealed, door, number_record};
use crate::bus::journal::{self, record::What};
use crate::bus::{Voucher, id_to_u64};
use crate::engine::keep::Draft;
use crate::event::Event;
use crate::io::Offset;
use crate::time::Now;
use bytes::Bytes;
use yizhan_codecs::air::beacon::Beacon;
use yizhan_codecs::air::content::Content as Packed;
use yizhan_codecs::air::form::Area;
use yizhan_codecs::air::frame::{Message, OpenError, Opened, Proven};
use yizhan_codecs::air::header::{Destination, Header};
use yizhan_codecs::air::key::Proof;
use yizhan_codecs::air::limits::Bearing;
use yizhan_codecs::air::nonce::Tag;
use yizhan_codecs::air::receipt::{Reason, Receipt, State};
use yizhan_codecs::air::replay::Verdict;
use yizhan_codecs::air::seal::SealError;
use yizhan_codecs::air::{Traffic, VERSION, writing};
use yizhan_codecs::message::{Content, Heard, LinkId, MessageId, StationId};

/// What a content turned out to be.
struct Read {
    text: String,
    words: String,
    form: String,
    opaque: Vec<u8>,
    is_order: bool,
    /// Why it could not be read, which its sender is told.
    refused: Option<Reason>,
}

impl Engine {
    /// Takes a frame of another station; gives the record that its acknowledgement must wait for. `None`: it is none.
    pub(in crate::engine) fn frame_heard(&mut self, now: Now, link: &LinkId, heard: &Heard) -> Option<Offset> {
        let sender = self.state.roster().station_at(&heard.from).and_then(crate::people::StationEntry::station);
        let bytes = match (&heard.content, sender) {
            (Content::Opaque(bytes), _) => bytes.clone(),
            // One packed frame in twenty thousand reads as Chinese by chance.
            (text, Some(_)) => text.gb18030_bytes(),
            _ => return None,
        };
        let arrival = Arrival { link: link.clone(), from: heard.from.clone(), traffic: Traffic::Real };
        let header = match Header::parse(&bytes) {
            Ok((header, _)) => header,
            // Of a station nothing else is expected: it was altered on the way.
            Err(error) if sender.is_some() && bytes.first().is_some_and(|first| first >> 6 == VERSION) => {
                self.not_opened(now, &arrival, sender, bytes, error.into());
                return Some(self.state.offset);
            }
            Err(_) => return None,
        };
        let session = self.sessions.get(link)?;
        let bearing = self.bearing(now, session, None)?;
        self.frame_in(now, arrival, header.src.or(sender), bytes, &bearing)
    }

    /// Opens a frame in every net there is. `None`: there is none here.
    pub(super) fn frame_in(
        &mut self,
        now: Now,
        arrival: Arrival,
        named: Option<StationId>,
        bytes: Bytes,
        bearing: &Bearing,
    ) -> Option<Offset> {
        let mut refused: Option<OpenError> = None;
        for net in self.config.nets.clone() {
            let traffic = net.net.traffic;
            match door(&net, bearing).open(&self.net_state(traffic).replay, named, &bytes) {
                Ok(opened) => return Some(self.opened(now, &Arrival { traffic, ..arrival.clone() }, opened)),
                // A tag that was wrong says more than a net whose epoch does not fit.
                Err(error) if refused.is_none() || error == SealError::Tag.into() => refused = Some(error),
                Err(_) => {}
            }
        }
        // One payload in five of a vendor's terminal looks like the head of a frame. Unless a station of the roster is
        // named it is kept as the data that it is.
        let is_known = named.is_some_and(|named| self.state.roster().station_number(named).is_some());
        let error = refused.filter(|_| is_known)?;
        self.not_opened(now, &arrival, named, bytes, error);
        Some(self.state.offset)
    }

    fn opened(&mut self, now: Now, arrival: &Arrival, opened: Opened) -> Offset {
        match opened {
            Opened::Single(message) => self.message_heard(now, arrival, message),
            Opened::Row(row) => self.row_heard(now, arrival, &row),
            Opened::Receipts { proven, receipts } => {
                // Numbers of two stations are often alike: what is said to another one says nothing of ours.
                let ours = self.is_for_this_station(arrival.traffic, proven.dst);
                if ours && self.is_new(now, arrival, &proven) {
                    self.receipts_heard(now, arrival, proven.number.src, &receipts);
                }
                self.state.offset
            }
            Opened::Bundle { proven, receipts } => {
                if self.is_new(now, arrival, &proven) {
                    let ours = receipts.iter().filter(|bundled| bundled.src == self.config.station);
                    let ours: Vec<Receipt> = ours.map(|bundled| bundled.receipt).collect();
                    self.receipts_heard(now, arrival, proven.number.src, &ours);
                }
                self.state.offset
            }
            Opened::Beacon { proven, beacon } => {
                if self.is_new(now, arrival, &proven) {
                    let (exercise, station) = (arrival.traffic == Traffic::Exercise, proven.number.src.number().into());
                    let models = beacon.models.bits();
                    self.append(now, What::ModelsLearned(journal::ModelsLearned { exercise, station, models }));
                    if beacon.flags & Beacon::WANTS_BEACON != 0 {
                        self.stations.counts.asked(now.mono, arrival.traffic, proven.number.src);
                        self.outbox.touch();
                    }
                }
                self.state.offset
            }
            Opened::Clear(message) => self.clear_heard(now, arrival, &message),
            Opened::ClearRow(row) => self.clear_row_heard(now, arrival, &row),
        }
    }

    /// Whether a frame without a message was never seen; it is noted then.
    fn is_new(&mut self, now: Now, arrival: &Arrival, proven: &Proven) -> bool {
        let new = self.net_state(arrival.traffic).replay.judge(proven.number, proven.content) == Verdict::New;
        if new {
            self.accept_number(now, arrival, proven);
        }
        new
    }

    fn accept_number(&mut self, now: Now, arrival: &Arrival, proven: &Proven) {
        self.stations.gatherings.forget(arrival.traffic, proven.number);
        self.stations.counts.opened(arrival.traffic, proven.number.src);
        let record = journal::FrameAccepted {
            exercise: arrival.traffic == Traffic::Exercise,
            number: Some(number_record(proven.number)),
            content: proven.content.to_u64(),
        };
        self.append(now, What::FrameAccepted(record));
        self.way_works(now, proven.number.src, &arrival.link, &arrival.from);
    }

    /// A whole authentic message.
    pub(super) fn message_heard(&mut self, now: Now, arrival: &Arrival, message: Message) -> Offset {
        let proven = message.proven;
        if !self.is_for_this_station(arrival.traffic, proven.dst) {
            return self.state.offset;
        }
        let id = MessageId { station: proven.number.src, counter: proven.number.counter };
        match self.net_state(arrival.traffic).replay.judge(proven.number, proven.content) {
            Verdict::New => self.accept(now, arrival, &message),
            // Nobody waits for a receipt of these.
            Verdict::Copy if is_told_once(&message) => self.state.offset,
            Verdict::Copy => self.copy_heard(now, arrival, id, proven.number),
            Verdict::Conflict => {
                // Two contents under one number: a cloned disk, or somebody who has the keys.
                let bytes = Bytes::from(message.bytes);
                self.note_unreadable(
                    now,
                    &arrival.link,
                    bytes,
                    format!("编号 {id} 已用于另一条报文：密钥或磁盘可能被复制"),
                );
                self.state.offset
            }
            Verdict::Stale => self.too_old(arrival, id),
        }
    }

    /// Nothing is said to its sender: whether it ever was here nobody knows any more.
    pub(super) fn too_old(&mut self, arrival: &Arrival, id: MessageId) -> Offset {
        let detail = id.to_string();
        self.tell(Event::Remarked { link: arrival.link.clone(), what: "过时的站间报文，不收", detail });
        self.state.offset
    }

    /// The same message came again: its sender has not heard that it is here.
    pub(super) fn copy_heard(
        &mut self,
        now: Now,
        arrival: &Arrival,
        id: MessageId,
        number: yizhan_codecs::air::nonce::Number,
    ) -> Offset {
        self.owe_again(now, arrival.traffic, number);
        self.stations.counts.opened(arrival.traffic, number.src);
        self.way_works(now, number.src, &arrival.link, &arrival.from);
        let record = journal::CopyCounted { id: id_to_u64(id), link: arrival.link.name().into() };
        self.append(now, What::CopyCounted(record));
        self.tell(Event::CopyHeard { of: id, link: arrival.link.clone() });
        self.state.offset
    }

    fn accept(&mut self, now: Now, arrival: &Arrival, message: &Message) -> Offset {
        let proven = message.proven;
        let lost = self.rows_lost(arrival.traffic, proven.number);
        self.accept_number(now, arrival, &proven);
        let riding = message.protected.as_ref().map(|protected| protected.riding.clone()).unwrap_or_default();
        self.receipts_heard(now, arrival, proven.number.src, &riding);
        if let Ok(protected) = &message.protected
            && let Packed::Receipts(receipts) = &protected.content
        {
            self.receipts_heard(now, arrival, proven.number.src, &receipts.clone());
            return self.state.offset;
        }
        if let Ok(protected) = &message.protected
            && let Packed::Positions(positions) = &protected.content
        {
            self.positions_heard(now, arrival, proven.number.src, positions);
            return self.state.offset;
        }
        let mut read = read(message, &self.config.area);
        if read.refused.is_none() && read.is_order && proven.tag == Tag::Narrow {
            read.refused = Some(Reason::TagTooShort);
        }
        let state = read.refused.map_or(State::Complete, State::Refused);
        let voucher = if proven.proof == Proof::Pair { Voucher::Station } else { Voucher::Net };
        let sealed = Sealed {
            id: MessageId { station: proven.number.src, counter: proven.number.counter },
            precedence: proven.precedence,
            voucher,
            traffic: arrival.traffic,
            by: self.station_name(proven.number.src),
            words: read.words,
            form: read.form,
        };
        self.keep_sealed(now, arrival, sealed, read.text, read.opaque);
        self.owe(now, arrival.traffic, proven.number, state, proven.precedence, lost);
        self.state.offset
    }

    fn keep_sealed(&mut self, now: Now, arrival: &Arrival, sealed: Sealed, text: String, opaque: Vec<u8>) {
        let draft = Draft {
            to: format!("station:{}", self.config.station.number()),
            text,
            opaque,
            sealed: Some(sealed),
            ..Draft::from(&arrival.link, arrival.from.clone())
        };
        self.keep(now, draft);
    }

    pub(super) fn station_name(&self, station: StationId) -> String {
        let entry = self.state.roster().station_number(station);
        entry.map_or_else(|| format!("station:{}", station.number()), |entry| entry.id.clone())
    }

    pub(super) fn is_for_this_station(&self, traffic: Traffic, dst: Destination) -> bool {
        match dst {
            Destination::Everyone | Destination::Role(_) | Destination::Group(_) => true,
            Destination::Station(to) => to == self.config.station,
            Destination::CommandPost => self.net(traffic).is_some_and(|net| net.net.centre == self.config.station),
        }
    }

    /// A frame that was not opened: kept among the unreadable, counted against the station that it names.
    pub(super) fn not_opened(
        &mut self,
        now: Now,
        arrival: &Arrival,
        named: Option<StationId>,
        bytes: Bytes,
        error: OpenError,
    ) {
        let link = &arrival.link;
        if matches!(error, OpenError::Own { .. }) {
            self.tell(Event::Remarked { link: link.clone(), what: "本机回送", detail: error.to_string() });
            return;
        }
        if let (OpenError::Seal(SealError::Tag), Some(station)) = (&error, named)
            && self.stations.failures.count(now.mono, station)
        {
            let detail = format!("station {} : more than 20 wrong tags within an hour", station.number());
            self.tell(Event::Remarked {
                link: link.clone(),
                what: "站间报文认证屡次失败：疑有人冒充，改收长认证码",
                detail,
            });
        }
        let lost = matches!(error, OpenError::Seal(SealError::Tag) | OpenError::Counter { .. });
        if let Some(station) = named.filter(|_| lost && !super::carry::is_courier(link)) {
            self.perhaps_lost_count(now, arrival, station);
        }
        self.note_unreadable(now, link, bytes, format!("站间报文打不开：{error}"));
    }
}

/// Receipts and positions: no message, never repeated.
fn is_told_once(message: &Message) -> bool {
    let content = message.protected.as_ref().map(|protected| &protected.content);
    matches!(content, Ok(Packed::Receipts(_) | Packed::Positions(_)))
}

/// Reads what was authentic. What cannot be read is shown as it is, and its sender is told.
fn read(message: &Message, area: &Area) -> Read {
    let unread = |reason| Read {
        text: String::new(),
        words: String::new(),
        form: String::new(),
        opaque: message.bytes.clone(),
        is_order: false,
        refused: Some(reason),
    };
    let protected = match &message.protected {
        Ok(protected) => protected,
        Err(yizhan_codecs::air::content::ContentError::Type { .. }) => return unread(Reason::UnknownType),
        Err(_) => return unread(Reason::Unreadable),
    };
    match writing::read(&protected.content, area) {
        Ok(reading) => {
            let is_order = reading.form.as_ref().is_some_and(|form| form.schema().name == "order");
            let form = reading.form.map(|form| form.to_json().to_string()).unwrap_or_default();
            let words = if form.is_empty() { String::new() } else { reading.words.clone() };
            Read { text: reading.words, words, form, opaque: Vec::new(), is_order, refused: None }
        }
        Err(error) => unread(error.reason()),
    }
}
