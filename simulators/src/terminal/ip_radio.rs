//! A mesh radio that routes IP, as the station behind it meets it: a datagram for another station's address goes onto the
//! air as it is, and what the air brings comes out as if that station had sent it.
//!
//! It confirms nothing, and does not know what it carries. It is no plain terminal: whoever it reaches is a station too.

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// The radio.
#[derive(Clone, Debug)]
pub struct IpRadio {
    own: TerminalId,
    pace: Duration,
    last: Option<Duration>,
    outputs: VecDeque<TerminalOutput>,
    tally: Tally,
}

impl IpRadio {
    /// A radio whose station others of the mesh know by `own`. Datagrams less than `pace` apart count as too early; they
    /// are carried all the same.
    #[must_use]
    pub fn new(own: SocketAddr, pace: Duration) -> Self {
        Self { own: id(own), pace, last: None, outputs: VecDeque::new(), tally: Tally::default() }
    }
}

fn id(address: SocketAddr) -> TerminalId {
    TerminalId::new(Bearer::Ip, &address.to_string())
}

impl Terminal for IpRadio {
    fn heard_host(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]) {
        let Some(to) = to else {
            self.tally.unreadable += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            return;
        };
        self.tally.ordered += 1;
        self.tally.sent += 1;
        let is_early = self.last.replace(now).is_some_and(|last| now < last + self.pace);
        self.tally.sent_too_early += u64::from(is_early);
        let said = Said::Bytes { bytes: Bytes::copy_from_slice(bytes), request: 0 };
        let (from, to) = (self.own.clone(), Addressee::Terminal(id(to)));
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial: self.tally.sent, said }));
    }

    fn heard_air(&mut self, _: Duration, message: &AirMessage) {
        let (Said::Bytes { bytes, .. }, Ok(from)) = (&message.said, message.from.number().parse()) else { return };
        self.tally.received += 1;
        self.outputs.push_back(TerminalOutput::ToHost { from: Some(from), bytes: bytes.clone() });
    }

    fn act(&mut self, _: Duration, _: &Act) {}

    fn wake(&mut self, _: Duration) {}

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        *to == Addressee::Terminal(self.own.clone())
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Duration = Duration::from_secs(1);

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([10, 0, 0, host], 4_710))
    }

    #[test]
    fn a_datagram_comes_out_at_the_far_radio_as_it_went_in_from_the_address_of_its_sender() {
        let (mut near, mut far) = (IpRadio::new(address(1), PACE), IpRadio::new(address(2), PACE));
        near.heard_host(Duration::ZERO, Some(address(2)), b"sealed");
        let Some(TerminalOutput::ToAir(message)) = near.poll() else { panic!("not radiated") };
        assert!(far.hears(&message.to) && !near.hears(&message.to));
        far.heard_air(Duration::ZERO, &message);
        let out = TerminalOutput::ToHost { from: Some(address(1)), bytes: Bytes::from_static(b"sealed") };
        assert_eq!((far.poll(), far.poll()), (Some(out), None));
    }

    #[test]
    fn datagrams_that_follow_too_soon_are_counted_and_each_is_a_transmission_of_its_own() {
        let mut radio = IpRadio::new(address(1), PACE);
        for millis in [0, 1_000, 1_999] {
            radio.heard_host(Duration::from_millis(millis), Some(address(2)), b"sealed");
        }
        let serials = std::iter::from_fn(|| radio.poll()).filter_map(|output| match output {
            TerminalOutput::ToAir(message) => Some(message.serial),
            _ => None,
        });
        assert_eq!(serials.collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!((radio.tally().sent, radio.tally().sent_too_early), (3, 1));
    }
}
