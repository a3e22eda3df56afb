//! From a frame to what it says.

use super::{Door, Message, OpenError, Opened, Proven, SealedRow, clear};
use crate::air::beacon::{BODY, Beacon, BeaconError};
use crate::air::content::Protected;
use crate::air::fragment::{Partial, Row};
use crate::air::header::{Destination, Header, Kind};
use crate::air::key::Proof;
use crate::air::limits::FRAME_MAX;
use crate::air::nonce::{Digest, Number, Tag, Use};
use crate::air::receipt;
use crate::air::replay::Replay;
use crate::air::seal::SealError;
use crate::message::StationId;

/// A frame whose head was read.
struct Head<'a> {
    header: Header,
    /// The head as it was on the air.
    bytes: &'a [u8],
    src: StationId,
    epoch: u16,
    counters: Vec<u32>,
}

impl Door<'_> {
    /// Opens a frame. `sender` is the station whose terminal the bearer named, where it named one. Nothing is accepted yet:
    /// that is for [`Replay::accept`], once the frame is kept.
    ///
    /// # Errors
    /// [`OpenError`] for everything that is not a whole frame of this net, sealed for a key that is held here.
    pub fn open(&self, replay: &Replay, sender: Option<StationId>, frame: &[u8]) -> Result<Opened, OpenError> {
        if frame.len() > FRAME_MAX {
            return Err(OpenError::Long { found: frame.len() });
        }
        let (header, body) = Header::parse(frame)?;
        let src = header.src.or(sender);
        if src == Some(self.net.me) {
            return Err(OpenError::Own { seq: header.seq });
        }
        if header.kind == Kind::Extended {
            return clear::open(header, body);
        }
        let src = src.ok_or(OpenError::NoSource)?;
        let bytes = frame.get(..header.dst.header_len()).unwrap_or_default();
        let epoch = self.net.epoch_of(header.epoch_bit).ok_or(OpenError::Epoch { bit: header.epoch_bit })?;
        let counters = replay.candidates(src, epoch, header.seq);
        let head = Head { header, bytes, src, epoch, counters };
        match header.kind {
            Kind::Single => self.open_single(&head, body),
            Kind::SourceFragment | Kind::RepairFragment => self.open_row(&head, body),
            Kind::Receipt => self.open_receipts(&head, body),
            Kind::Bundle => self.open_bundle(&head, body),
            Kind::Beacon => self.open_beacon(&head, body),
            Kind::Extended => Err(OpenError::Kind { found: header.kind.number() }),
        }
    }

    /// Opens a message all of whose rows are there.
    ///
    /// # Errors
    /// [`OpenError::Fragment`] while rows are missing, [`OpenError::Seal`] where the message is not authentic: then all its
    /// rows are to be thrown away.
    pub fn open_object(&self, number: Number, partial: &Partial) -> Result<Message, OpenError> {
        let header = *partial.header();
        if header.kind != Kind::SourceFragment {
            return Err(OpenError::Kind { found: header.kind.number() });
        }
        let object = partial.finish()?;
        let aad = [header.emit()?.as_slice(), &partial.extension().emit()?].concat();
        let key = self.key(number.src, header.dst, number.epoch);
        let nonce = self.nonce(number, Use::Fragmented, Tag::Wide);
        let plain = self.cipher.open(key, &nonce, &aad, &object, Tag::Wide)?;
        message(self.proven(number, &header, Tag::Wide, &plain), plain)
    }

    fn open_single(&self, head: &Head<'_>, body: &[u8]) -> Result<Opened, OpenError> {
        let (number, tag, plain) = self.unseal(head, Use::Single, body)?;
        message(self.proven(number, &head.header, tag, &plain), plain).map(Opened::Single)
    }

    fn open_row(&self, head: &Head<'_>, body: &[u8]) -> Result<Opened, OpenError> {
        let row_len = body.len().checked_sub(self.bearing.mark_len());
        let short = OpenError::Short { expected: self.bearing.mark_len(), found: body.len() };
        let (row, mark) = row_len.and_then(|at| body.split_at_checked(at)).ok_or(short)?;
        let parsed = Row::parse(head.header, row)?;
        let mut wrong = OpenError::Counter { seq: head.header.seq };
        for counter in &head.counters {
            let number = head.number(*counter);
            if mark.is_empty() || self.mark(head, number, row)? == mark {
                return Ok(Opened::Row(SealedRow { number, row: parsed }));
            }
            wrong = SealError::Tag.into();
        }
        Err(wrong)
    }

    fn mark(&self, head: &Head<'_>, number: Number, row: &[u8]) -> Result<[u8; 2], SealError> {
        let key = self.key(head.src, head.header.dst, head.epoch);
        self.cipher.mark(key, &self.nonce(number, Use::Fragmented, Tag::Wide), &[head.bytes, row])
    }

    fn open_receipts(&self, head: &Head<'_>, body: &[u8]) -> Result<Opened, OpenError> {
        if !matches!(head.header.dst, Destination::Station(_)) {
            return Err(OpenError::NotOneStation { seq: head.header.seq });
        }
        let (number, tag, plain) = self.unseal(head, Use::Receipt, body)?;
        let receipts = receipt::parse_list(&plain)?;
        Ok(Opened::Receipts { proven: self.proven(number, &head.header, tag, &plain), receipts })
    }

    fn open_bundle(&self, head: &Head<'_>, body: &[u8]) -> Result<Opened, OpenError> {
        let (number, tag, plain) = self.unseal(head, Use::Bundle, body)?;
        let receipts = receipt::parse_bundle(&plain)?;
        Ok(Opened::Bundle { proven: self.proven(number, &head.header, tag, &plain), receipts })
    }

    fn open_beacon(&self, head: &Head<'_>, body: &[u8]) -> Result<Opened, OpenError> {
        let expected = BODY.saturating_add(Tag::Wide.len());
        let (said, tag) = body
            .split_at_checked(BODY)
            .filter(|_| body.len() == expected)
            .ok_or(OpenError::Short { expected, found: body.len() })?;
        let beacon = Beacon::parse(said)?;
        let [_, epoch] = head.epoch.to_be_bytes();
        let number = head.number(beacon.counter);
        if number.seq() != head.header.seq {
            return Err(BeaconError::Counter { counter: beacon.counter, seq: head.header.seq }.into());
        }
        if beacon.epoch != epoch {
            return Err(OpenError::BeaconEpoch { expected: epoch, found: beacon.epoch });
        }
        let aad = [head.bytes, said].concat();
        let key = self.key(head.src, head.header.dst, head.epoch);
        self.cipher.open(key, &self.nonce(number, Use::Beacon, Tag::Wide), &aad, tag, Tag::Wide)?;
        Ok(Opened::Beacon { proven: self.proven(number, &head.header, Tag::Wide, said), beacon })
    }

    /// Tries the counters and tags that the frame may have; the nonce differs for each, so that one at most fits.
    fn unseal(&self, head: &Head<'_>, what: Use, sealed: &[u8]) -> Result<(Number, Tag, Vec<u8>), OpenError> {
        let key = self.key(head.src, head.header.dst, head.epoch);
        let mut wrong = OpenError::Counter { seq: head.header.seq };
        for number in head.counters.iter().map(|counter| head.number(*counter)) {
            for tag in self.bearing.accepted_tags() {
                match self.cipher.open(key, &self.nonce(number, what, *tag), head.bytes, sealed, *tag) {
                    Ok(plain) => return Ok((number, *tag, plain)),
                    Err(SealError::Tag) => wrong = SealError::Tag.into(),
                    Err(other) => return Err(other.into()),
                }
            }
        }
        Err(wrong)
    }

    fn proven(&self, number: Number, header: &Header, tag: Tag, content: &[u8]) -> Proven {
        Proven {
            number,
            dst: header.dst,
            precedence: header.precedence,
            proof: self.key(number.src, header.dst, number.epoch).proof,
            tag,
            content: Digest::of(content),
        }
    }
}

impl Head<'_> {
    const fn number(&self, counter: u32) -> Number {
        Number { src: self.src, epoch: self.epoch, counter }
    }
}

/// Looks into what was authentic. A control is taken only with the long tag, from the centre or for it alone.
fn message(proven: Proven, bytes: Vec<u8>) -> Result<Message, OpenError> {
    let protected = Protected::parse(&bytes).and_then(|protected| {
        protected.may_go_to(proven.dst)?;
        Ok(protected)
    });
    let is_order = protected.as_ref().is_ok_and(|protected| protected.content.is_order());
    if is_order && (proven.tag, proven.proof) != (Tag::Wide, Proof::Pair) {
        return Err(OpenError::WeakOrder { tag_bytes: proven.tag.len() });
    }
    Ok(Message { proven, bytes, protected })
}
