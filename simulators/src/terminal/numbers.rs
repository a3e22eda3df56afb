//! Under which number a terminal told its host of a message: another copy of it, or another try, bears the same.

use super::AirMessage;
use std::collections::VecDeque;
use yizhan_codecs::message::TerminalId;

/// Messages that a terminal remembers.
const REMEMBERED_MAX: usize = 256;

/// Numbers by sender and message.
#[derive(Clone, Debug)]
pub struct Numbers<N> {
    known: VecDeque<((TerminalId, u64), N)>,
}

impl<N> Default for Numbers<N> {
    fn default() -> Self {
        Self { known: VecDeque::new() }
    }
}

impl<N: Copy> Numbers<N> {
    /// The number of this message: the one it had, or the next one.
    pub fn number(&mut self, message: &AirMessage, next: impl FnOnce() -> N) -> N {
        let known = self.known.iter().find(|((from, serial), _)| *from == message.from && *serial == message.serial);
        if let Some((_, number)) = known {
            return *number;
        }
        let number = next();
        self.known.push_back(((message.from.clone(), message.serial), number));
        if self.known.len() > REMEMBERED_MAX {
            self.known.pop_front();
        }
        number
    }
}
