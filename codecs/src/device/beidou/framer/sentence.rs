//! Where a text sentence ends.
//!
//! It ends at LF (CR before it optional), or where `*HH` that checks is directly followed by a whole header. A bare `$`
//! or `*` is content. A control byte inside, or [`SENTENCE_MAX`] bytes without an end, make it noise.

use super::{BeidouFramer, HEADER_MAX, Header, Noise, SENTENCE_MAX, Verdict};
use std::collections::VecDeque;

/// Bytes of the header that ends in a comma.
const HEADER: usize = 7;

/// Bytes after which a sentence without an end is noise, the header of a seam included.
const LOOK_MAX: usize = SENTENCE_MAX + 3 + HEADER_MAX;

/// What was found of ends from `from` on. Candidates only ever begin later, so each byte is looked at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    from: usize,
    looked: usize,
    stop: Option<Stop>,
    /// Positions of `*HH` directly followed by a whole header.
    seams: VecDeque<usize>,
}

/// The first byte that no sentence goes beyond.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Feed(usize),
    Control(usize),
}

impl Stop {
    const fn at(self) -> usize {
        match self {
            Self::Feed(at) | Self::Control(at) => at,
        }
    }
}

impl Ends {
    pub(super) fn shift(&mut self, by: usize) {
        let from = self.from;
        if from < by && self.stop.is_some_and(|stop| stop.at() < by) || self.looked < by {
            *self = Self::default();
            return;
        }
        self.from = from.saturating_sub(by);
        self.looked -= by;
        self.stop = self.stop.map(|stop| match stop {
            Stop::Feed(at) => Stop::Feed(at - by),
            Stop::Control(at) => Stop::Control(at - by),
        });
        self.seams.retain(|at| *at >= by);
        self.seams.iter_mut().for_each(|at| *at -= by);
    }

    /// Looks on from where it stopped looking, for a candidate whose fields begin at `from`.
    fn look(&mut self, framer: &BeidouFramer, from: usize, last: bool) {
        if from < self.from || self.looked < from || self.stop.is_some_and(|stop| stop.at() < from) {
            *self = Self { from, looked: from, ..Self::default() };
        }
        while self.seams.front().is_some_and(|at| *at < from) {
            self.seams.pop_front();
        }
        while self.stop.is_none() && self.looked < from + LOOK_MAX {
            let Some(byte) = framer.byte(self.looked) else { return };
            match byte {
                b'\n' => self.stop = Some(Stop::Feed(self.looked)),
                b'\r' => match framer.byte(self.looked + 1) {
                    Some(b'\n') => {}
                    None => return,
                    Some(_) => self.stop = Some(Stop::Control(self.looked)),
                },
                b'\t' => {}
                0..0x20 | 0x7F => self.stop = Some(Stop::Control(self.looked)),
                b'*' => match framer.seam(self.looked) {
                    Some(true) => self.seams.push_back(self.looked),
                    None if !last => return,
                    _ => {}
                },
                _ => {}
            }
            self.looked += 1;
        }
    }
}

impl BeidouFramer {
    /// Whether `*` here is followed by two checksum digits and a whole header; `None` = not known yet.
    fn seam(&self, star: usize) -> Option<bool> {
        for ahead in 1..=2 {
            let digit = self.byte(star + ahead)?;
            if !digit.is_ascii_hexdigit() {
                return Some(false);
            }
        }
        if self.byte(star + 3)? != b'$' {
            return Some(false);
        }
        match self.header(star + 3) {
            Header::Undecided => None,
            Header::None => Some(false),
            _ => Some(true),
        }
    }

    /// The checksum that stands after a `*`, and the one that was computed over what is between.
    fn checksums(&self, at: usize, star: usize) -> Option<(u8, u8)> {
        let digit = |at| match self.byte(at)? {
            c @ b'0'..=b'9' => Some(c - b'0'),
            c @ b'A'..=b'F' => Some(c - b'A' + 10),
            c @ b'a'..=b'f' if self.lenient.lower_case => Some(c - b'a' + 10),
            _ => None,
        };
        Some((self.sum(at + 1, star)?, digit(star + 1)? << 4 | digit(star + 2)?))
    }

    fn checks(&self, at: usize, star: usize) -> bool {
        let agree = |(expected, found)| found == expected || (self.lenient.with_dollar && found == expected ^ b'$');
        self.checksums(at, star).is_some_and(agree)
    }

    pub(super) fn judge_sentence(&self, at: usize, ends: &mut Ends, last: bool) -> Verdict {
        let from = at + HEADER;
        ends.look(self, from, last);
        let limit = at + SENTENCE_MAX;
        for star in ends.seams.iter().take_while(|star| **star < limit) {
            if self.checks(at, *star) {
                return self.unless_sentence_inside(at, *star, star + 3);
            }
        }
        match ends.stop {
            Some(stop) if stop.at() >= limit => Verdict::Noise(Noise::Unending { max: SENTENCE_MAX }),
            Some(Stop::Control(_)) => Verdict::Noise(Noise::Malformed),
            Some(Stop::Feed(feed)) => {
                let end = if self.byte(feed - 1) == Some(b'\r') { feed - 1 } else { feed };
                self.judge_end(at, end, feed + 1)
            }
            None if self.held.len() >= at + LOOK_MAX => Verdict::Noise(Noise::Unending { max: SENTENCE_MAX }),
            None if last => self.judge_cut_off(at),
            None => Verdict::Wait((at + LOOK_MAX).saturating_sub(self.held.len())),
        }
    }

    /// Judges a sentence at whose end no more bytes came: whole without its line end, or half.
    fn judge_cut_off(&self, at: usize) -> Verdict {
        let past = self.held.len();
        let end = if self.held.last() == Some(&b'\r') { past - 1 } else { past };
        match self.judge_end(at, end, past) {
            Verdict::Noise(_) => Verdict::Wait(0),
            verdict => verdict,
        }
    }

    /// Judges a sentence whose text ends before `end` and whose bytes end before `past`.
    fn judge_end(&self, at: usize, end: usize, past: usize) -> Verdict {
        let Some(star) = end.checked_sub(3).filter(|star| *star >= at + HEADER && self.byte(*star) == Some(b'*'))
        else {
            return Verdict::Noise(Noise::Malformed);
        };
        match self.checksums(at, star) {
            Some(_) if self.checks(at, star) => self.unless_sentence_inside(at, star, past),
            Some((expected, found)) => {
                Verdict::Noise(Noise::Checksum { expected: expected.into(), found: found.into() })
            }
            None => Verdict::Noise(Noise::Malformed),
        }
    }

    /// A half header before a valid sentence makes a candidate that ends where the sentence ends and checks in one case
    /// of 256. The inner one is the truth, unless the outer has raw text there, in which anything may stand.
    fn unless_sentence_inside(&self, at: usize, star: usize, past: usize) -> Verdict {
        let inside = (at + HEADER..star).find(|inner| {
            self.byte(*inner) == Some(b'$') && self.header(*inner) == Header::Sentence && self.checks(*inner, star)
        });
        match inside {
            Some(inner) if self.raw_text_from(at, star).is_none_or(|raw| inner < raw) => {
                Verdict::Noise(Noise::Malformed)
            }
            _ => Verdict::Frame(past),
        }
    }

    /// Where the raw text of a sentence begins, if it has any: form 0 of 2.1, encoding 1 of BDS-3.
    fn raw_text_from(&self, at: usize, star: usize) -> Option<usize> {
        let fields = self.held.get(at + HEADER..star)?;
        let (form, raw, after) = match self.held.get(at + 3..at + 6)? {
            b"TXA" => (2, b'0', 3),
            b"TXR" => (2, b'0', 4),
            b"KLT" => (2, b'0', 3),
            b"TCQ" => (3, b'1', 4),
            b"TCI" => (4, b'1', 6),
            b"MXX" => (2, b'1', 3),
            b"MSG" => (2, b'1', 3),
            _ => return None,
        };
        let leading: Vec<&[u8]> = fields.splitn(after + 1, |c| *c == b',').collect();
        let is_raw = leading.get(form).is_some_and(|field| *field == [raw]);
        let content = leading.get(after)?;
        // A `$` in the leading fields is the seam itself.
        let clean = leading.iter().take(after).all(|field| !field.contains(&b'$'));
        (is_raw && clean).then(|| star - content.len())
    }
}
