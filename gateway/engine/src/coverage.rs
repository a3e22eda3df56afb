//! Which numbers are behind a link.

use crate::config::Reach;
use std::sync::Arc;
use yizhan_codecs::codec::Codec;
use yizhan_codecs::message::TerminalId;

/// What can be reached over a link: numbers that its device can write, out of those that the link is for.
#[derive(Clone, Debug)]
pub(crate) struct Coverage {
    codec: Arc<dyn Codec>,
    reach: Arc<Reach>,
}

impl Coverage {
    pub fn new(codec: Arc<dyn Codec>, reach: Arc<Reach>) -> Self {
        Self { codec, reach }
    }

    pub fn has(&self, to: &TerminalId) -> bool {
        self.codec.reaches(to) && self.reach.has(to.number())
    }
}

/// What can be reached over any link of the station, whether it is up or not.
#[derive(Clone, Debug)]
pub(crate) struct Reached(Vec<Coverage>);

impl Reached {
    pub fn new(links: impl Iterator<Item = Coverage>) -> Self {
        Self(links.collect())
    }

    pub fn has(&self, to: &TerminalId) -> bool {
        self.0.iter().any(|link| link.has(to))
    }
}
