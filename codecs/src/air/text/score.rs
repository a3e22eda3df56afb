//! What a set of messages costs on the air.

use super::{ModelSet, TextError, model_bytes, read, write};
use serde::Serialize;
use std::time::Duration;

/// Bytes of a slot of a Beidou card of the common grade (628 bits less the mixed mark).
const SLOT: usize = 77;
/// Header and tag of a message in one frame.
const SINGLE: usize = 5 + 4;
/// Header and extension of each fragment, and the tag and spare bytes of the whole.
const FRAGMENT: usize = 5 + 2;
const WHOLE: usize = 8 + 2;

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
    /// The longest time that a message took to be written and read back, in milliseconds.
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
        let mut outcome = Err(TextError::Long { found: 0 });
        let took = timed(&mut || outcome = there_and_back(text));
        let scored = outcome.map_err(|error| (number, error))?;
        score.worst_ms = score.worst_ms.max(took.as_secs_f64() * 1_000.0);
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

fn there_and_back(text: &str) -> Result<Scored, TextError> {
    let packed = write(text, ModelSet::own())?;
    if read(packed.codec, &packed.body)? != text {
        return Err(TextError::Bytes { codec: packed.codec, len: packed.body.len() });
    }
    let bytes = 1 + packed.body.len();
    let slots = if bytes + SINGLE <= SLOT { 1 } else { (bytes + WHOLE).div_ceil(SLOT - FRAGMENT) };
    Ok(Scored { codec: packed.codec, chars: text.chars().count(), bytes, slots })
}
