//! Which numbers are behind a link.

use crate::config::Reach;
use std::sync::Arc;
use yizhan_codecs::codec::Codec;
use yizhan_codecs::message::{StationId, TerminalId};

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
pub(crate) struct Reached {
    /// The station itself: nothing is sent to it.
    me: StationId,
    links: Vec<Coverage>,
}

impl Reached {
    pub fn new(me: StationId, links: impl Iterator<Item = Coverage>) -> Self {
        Self { me, links: links.collect() }
    }

    pub fn has(&self, to: &TerminalId) -> bool {
        self.links.iter().any(|link| link.has(to))
    }

    pub fn is_me(&self, station: Option<StationId>) -> bool {
        station == Some(self.me)
    }
}
