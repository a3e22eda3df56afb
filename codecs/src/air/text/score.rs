//! What a set of messages costs on the air.

use crate::air::header::Destination;
use crate::air::limits::Bearing;

use super::{Packed, TextError, model_bytes, own_models, read, write};
use serde::Serialize;
use std::time::Duration;

/// Bytes of a slot of a Beidou card of the common grade (628 bits less the mixed mark).
const SLOT: usize = 77;

/// What one message costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scored {
    pub codec: u8,
    pub chars: usize,
    /// Content byte, body and check; header and tag are not in it.
    pub bytes: usize,
    /// Slots of 77 bytes, sealed.
    pub slots: usize,
}

/// What a set of messages costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    pub messages: usize,
    pub chars: usize,
    pub bytes: usize,
    pub bits_per_char: f64,
    /// The part of the messages that go into one slot of 77 bytes, sealed: 0 to 1.
    pub one_slot_share: f64,
    pub slots_77: usize,
    /// The longest time that a message took to be written, or to be read, in milliseconds.
    pub worst_ms: f64,
    pub model_bytes: usize,
}

/// Writes every message, reads it back, and sums up. `timed` runs a job and says how long it took: this crate has no clock.
///
/// # Errors
/// The first message that cannot be sent, or that does not come back the same, with its number from 1.
#[expect(clippy::cast_precision_loss, reason = "figures for people, far below 2^52")]
pub fn score<'a>(
    messages: impl Iterator<Item = &'a str>,
    mut timed: impl FnMut(&mut dyn FnMut()) -> Duration,
) -> Result<(Score, Vec<Scored>), (usize, TextError)> {
    let mut score = Score { model_bytes: model_bytes(), ..Score::default() };
    let mut each = Vec::new();
    let mut one_slot = 0;
    for (number, text) in (1..).zip(messages) {
        let mut packed = Err(TextError::Long { found: 0 });
        let writing = timed(&mut || packed = write(text, own_models()));
        let packed = packed.map_err(|error| (number, error))?;
        let mut again = Err(TextError::Long { found: 0 });
        let reading = timed(&mut || again = read(packed.codec, &packed.body));
        let scored = scored(text, &packed, again).map_err(|error| (number, error))?;
        score.worst_ms = score.worst_ms.max(writing.max(reading).as_secs_f64() * 1_000.0);
        score.messages += 1;
        score.chars += scored.chars;
        score.bytes += scored.bytes;
        score.slots_77 += scored.slots;
        one_slot += usize::from(scored.slots == 1);
        each.push(scored);
    }
    score.bits_per_char = (score.bytes * 8) as f64 / score.chars.max(1) as f64;
    score.one_slot_share = one_slot as f64 / score.messages.max(1) as f64;
    Ok((score, each))
}

/// What a message costs, if it came back as it was.
fn scored(text: &str, packed: &Packed, again: Result<String, TextError>) -> Result<Scored, TextError> {
    if again? != text {
        return Err(TextError::Bytes { codec: packed.codec, len: packed.body.len() });
    }
    let bytes = 1 + packed.body.len();
    Ok(Scored { codec: packed.codec, chars: text.chars().count(), bytes, slots: slots(bytes) })
}

/// Slots of a message of so many protected bytes; one that takes more than 32 rows goes as several messages.
fn slots(bytes: usize) -> usize {
    let frames = |bytes| Bearing::closed(SLOT).frames(Destination::Everyone, bytes, false).map(usize::from);
    let whole = Bearing::closed(SLOT).usable_row(Destination::Everyone) * 32;
    frames(bytes).unwrap_or_else(|| {
        bytes.div_ceil(whole) + bytes.div_ceil(Bearing::closed(SLOT).usable_row(Destination::Everyone))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_the_test_set() -> Score {
        let messages = include_str!("vectors/messages-zh.txt").lines();
        score(messages, |job| {
            job();
            Duration::ZERO
        })
        .unwrap()
        .0
    }

    #[test]
    fn a_message_of_the_test_set_costs_what_was_promised() {
        let score = of_the_test_set();
        assert_eq!((score.messages, score.chars), (120, 5_251));
        assert!(score.bits_per_char <= 6.5, "{score:?}");
        assert!(score.one_slot_share >= 0.93, "{score:?}");
        assert!(score.model_bytes <= 4_000_000, "{score:?}");
    }

    #[test]
    fn a_slot_holds_68_protected_bytes_and_a_row_70() {
        assert_eq!((slots(68), slots(69), slots(132), slots(133)), (1, 2, 2, 3));
    }

    #[test]
    fn no_message_of_the_test_set_stands_in_the_corpus() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/messages");
        let files =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let mut pieces = std::collections::BTreeSet::new();
        let ten = |line: &str| {
            let characters: Vec<char> = line.chars().collect();
            characters.windows(10).map(|piece| piece.iter().collect::<String>()).collect::<Vec<_>>()
        };
        pieces.extend(include_str!("vectors/messages-zh.txt").lines().flat_map(ten));
        for text in files {
            for line in text.lines() {
                assert!(ten(line).iter().all(|piece| !pieces.contains(piece)), "{line}");
            }
        }
    }
}
