//! A terminal that speaks a layout of a profile: the far side of device `raw`, driven by the same description.
//!
//! It confirms nothing, as such devices do.

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use bytes::Bytes;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::device::raw::framer;
use yizhan_codecs::device::raw::wire::{self, Layout};
use yizhan_codecs::frame::{Found, Framer};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// The terminal.
#[derive(Clone, Debug)]
pub struct RawModem {
    own: TerminalId,
    /// Whom a frame without a number is for.
    far: TerminalId,
    layout: Layout,
    framer: Box<dyn Framer>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    tally: Tally,
}

impl RawModem {
    /// A modem of number `own` whose other end, where frames do not name it, is `far`; `None` for a profile without a
    /// layout.
    #[must_use]
    pub fn new(own: TerminalId, far: TerminalId, profile: &Profile) -> Option<Self> {
        let layout = Layout::read(profile).ok()?;
        let framer = framer(&layout);
        let (outputs, tally) = (VecDeque::new(), Tally::default());
        Some(Self { own, far, layout, framer, outputs, serial: 0, tally })
    }

    fn radiate(&mut self, to: Addressee, said: Said) {
        self.serial += 1;
        let (from, serial) = (self.own.clone(), self.serial);
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    fn drain(&mut self) {
        while let Some(found) = self.framer.next_found() {
            let said = match &found {
                Found::Frame(frame) => self.layout.parse(frame).ok(),
                Found::Noise { .. } => None,
            };
            let Some(said) = said else {
                self.tally.unreadable += u64::try_from(found.bytes().len()).unwrap_or(u64::MAX);
                continue;
            };
            self.tally.ordered += 1;
            let number = said.to.as_deref().or(said.id.as_deref());
            let to = number.map_or_else(|| self.far.clone(), |number| TerminalId::new(Bearer::Radio370, number));
            match said.text {
                Some((text, _)) => {
                    self.tally.sent += 1;
                    self.radiate(Addressee::Terminal(to), Said::Text { text, request: 0 });
                }
                None => self.tally.refused += 1,
            }
        }
    }

    fn plan_wake(&mut self, now: Duration) {
        self.outputs.extend(self.framer.patience().map(|patience| TerminalOutput::WakeAt(now + patience)));
    }
}

impl Terminal for RawModem {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        self.framer.push(bytes);
        self.drain();
        self.plan_wake(now);
    }

    fn heard_air(&mut self, _: Duration, message: &AirMessage) {
        let (text, position) = match &message.said {
            Said::Text { text, .. } => (Some((text.clone(), false)), None),
            Said::Position { position, .. } | Said::Emergency { on: true, position } => (None, *position),
            _ => return,
        };
        let id = self.layout.id.map(|_| message.from.number().to_owned());
        let to = self.layout.to.map(|_| self.own.number().to_owned());
        // What the layout cannot say is lost here, as it is in such a device.
        let Ok(bytes) = self.layout.emit(&wire::Said { id, to, text, position }) else { return };
        self.tally.received += 1;
        self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes });
    }

    fn act(&mut self, _: Duration, act: &Act) {
        match act {
            Act::Type { to, text } => self.radiate(to.clone(), Said::Text { text: text.clone(), request: 0 }),
            Act::Reboot => self.framer = framer(&self.layout),
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: Bytes::clone(bytes) });
            }
            _ => {}
        }
    }

    /// The line has been silent: what waits is over. Waking early cuts a burst, as a slow line does.
    fn wake(&mut self, now: Duration) {
        self.framer.give_up();
        self.drain();
        self.plan_wake(now);
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(id) => *id == self.own,
            other => other.bearer() == Bearer::Radio370,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::codec::Value;
    use yizhan_codecs::device;
    use yizhan_codecs::message::{Content, Order, Signal};

    fn id(number: &str) -> TerminalId {
        TerminalId::new(Bearer::Radio370, number)
    }

    #[test]
    fn both_ends_of_a_described_device_understand_each_other() {
        let profile = Profile([("send".to_owned(), Value::Bool(true))].into());
        let codec = device::open("raw", &profile).unwrap();
        let mut modem = RawModem::new(id("1"), id("7"), &profile).unwrap();
        let to = Addressee::Terminal(id("7"));
        let order = Order::Text { card: None, to: to.clone(), text: "撤离".into(), native: 1, urgent: false };
        let frames = codec.encode(&order).unwrap();
        modem.heard_host(Duration::ZERO, None, &frames[0].bytes);
        let Some(TerminalOutput::ToAir(message)) = modem.poll() else { panic!("not radiated") };
        assert_eq!((&message.to, &message.said), (&to, &Said::Text { text: "撤离".into(), request: 0 }));
        let back = AirMessage { from: id("7"), to: Addressee::Terminal(id("1")), ..message };
        modem.heard_air(Duration::ZERO, &back);
        let Some(TerminalOutput::ToHost { bytes, .. }) = modem.poll() else { panic!("not told") };
        let signals = codec.decode(&bytes, None).unwrap();
        let [Signal::Heard(heard)] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!((&heard.from, &heard.content), (&id("7"), &Content::Text { text: "撤离".into(), lossy: false }));
        assert_eq!((modem.tally().ordered, modem.tally().sent), (1, 1));
    }

    #[test]
    fn a_burst_is_obeyed_after_its_silence() {
        let text = |text: &str| Value::Text(text.into());
        let profile = Profile([("framing".to_owned(), text("idle")), ("text".to_owned(), text("0,rest"))].into());
        let mut modem = RawModem::new(id("1"), id("7"), &profile).unwrap();
        modem.heard_host(Duration::ZERO, None, b"hel");
        modem.heard_host(Duration::ZERO, None, b"lo");
        assert!(matches!(modem.poll(), Some(TerminalOutput::WakeAt(_))));
        modem.wake(Duration::from_millis(31));
        let said = std::iter::from_fn(|| modem.poll()).find_map(|output| match output {
            TerminalOutput::ToAir(message) => Some(message.said),
            _ => None,
        });
        assert_eq!(said, Some(Said::Text { text: "hello".into(), request: 0 }));
    }
}
