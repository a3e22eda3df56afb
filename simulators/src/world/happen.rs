//! What happens in a step.

use super::{Happening, World};
use crate::air::Verdict;
use crate::laws::Fact;
use crate::terminal::{Act, AirMessage, TerminalOutput};
use bytes::Bytes;
use std::net::SocketAddr;
use yizhan_codecs::message::Peer;
use yizhan_engine::io::Input;

impl World {
    pub(crate) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Boot => self.boot(),
            Happening::Input { boot, input } if self.runs(boot) => self.feed(input),
            Happening::Bytes { boot, link, from, bytes, hands } if self.runs(boot) => {
                if !self.links.get(&link).is_some_and(|link| link.up) {
                    return;
                }
                let input = Input::Heard { link: link.clone(), from: from.map(Peer), bytes };
                if let Some(message) = hands {
                    self.fact(&Fact::Handed { link: &link, message: &message, boot });
                }
                self.feed(input);
            }
            Happening::Synced { boot } if self.runs(boot) => self.disk_synced(),
            Happening::Wake { boot, at } if self.runs(boot) => self.wake_engine(at),
            Happening::Input { .. } | Happening::Bytes { .. } | Happening::Synced { .. } | Happening::Wake { .. } => {}
            Happening::ToTerminal { name, to, bytes } => self.terminal_hears_host(&name, to, &bytes),
            Happening::Air { name, message } => {
                if let Some(stand) = self.terminals.get_mut(&name) {
                    stand.terminal.heard_air(self.now, &message);
                    if stand.link.is_some() {
                        self.fact(&Fact::TakenUp { message: &message });
                    }
                    self.drain_terminal(&name, Some(&message));
                }
            }
            Happening::WakeTerminal { name, at } => {
                let Some(stand) = self.terminals.get_mut(&name).filter(|stand| stand.wake_at == Some(at)) else {
                    return;
                };
                stand.wake_at = None;
                stand.terminal.wake(self.now);
                self.drain_terminal(&name, None);
            }
            Happening::Script { index } => self.act_out(index),
            Happening::Operator(errand) => self.operate(errand),
        }
    }

    fn runs(&self, boot: u32) -> bool {
        self.station.engine.is_some() && self.station.boot == boot
    }

    fn terminal_hears_host(&mut self, name: &str, to: Option<SocketAddr>, bytes: &Bytes) {
        let Some(stand) = self.terminals.get_mut(name) else { return };
        stand.terminal.heard_host(self.now, to, bytes);
        self.drain_terminal(name, None);
    }

    pub(crate) fn act_on_terminal(&mut self, name: &str, act: &Act) {
        let Some(stand) = self.terminals.get_mut(name) else { return };
        stand.terminal.act(self.now, act);
        self.drain_terminal(name, None);
    }

    /// Does what a terminal wants done. `because` is the message of the air that made it speak.
    pub(crate) fn drain_terminal(&mut self, name: &str, because: Option<&AirMessage>) {
        while let Some(output) = self.terminals.get_mut(name).and_then(|stand| stand.terminal.poll()) {
            match output {
                TerminalOutput::ToHost { from, bytes } => self.write_to_host(name, from, bytes, because),
                TerminalOutput::ToAir(message) => self.radiated(name, &message),
                TerminalOutput::Shown { from, text } => {
                    self.fact(&Fact::Shown { terminal: name, from: &from, text: &text })
                }
                TerminalOutput::WakeAt(at) => {
                    let at = at.max(self.now);
                    if let Some(stand) = self.terminals.get_mut(name).filter(|stand| stand.wake_at != Some(at)) {
                        stand.wake_at = Some(at);
                        self.queue.put(at, Happening::WakeTerminal { name: name.to_owned(), at });
                    }
                }
            }
        }
        let Some(stand) = self.terminals.get_mut(name) else { return };
        let tally = stand.terminal.tally();
        if let Some(link) = stand.link.clone().filter(|_| stand.told != tally) {
            stand.told = tally;
            self.fact(&Fact::Counted { link: &link, tally });
        }
    }

    fn write_to_host(&mut self, name: &str, from: Option<SocketAddr>, bytes: Bytes, because: Option<&AirMessage>) {
        let Some(id) = self.terminals.get(name).and_then(|stand| stand.link.clone()) else { return };
        let boot = self.station.boot;
        if !self.runs(boot) || self.now < self.station.ports_open_at {
            return;
        }
        let Some(link) = self.links.get_mut(&id).filter(|link| link.up) else { return };
        let mut pieces = link.read(self.now, bytes, &mut self.seed).into_iter().peekable();
        while let Some((at, bytes)) = pieces.next() {
            let hands = because.filter(|_| pieces.peek().is_none()).cloned();
            self.queue.put(at, Happening::Bytes { boot, link: id.clone(), from, bytes, hands });
        }
    }

    fn radiated(&mut self, name: &str, message: &AirMessage) {
        let link = self.terminals.get(name).and_then(|stand| stand.link.clone());
        self.fact(&Fact::Radiated { link: link.as_ref(), message });
        let Some(net) = self.terminals.get(name).map(|stand| stand.net) else { return };
        if self.air.is_garbled(self.now, net, message) {
            return;
        }
        let receivers: Vec<String> = self
            .terminals
            .iter()
            .filter(|(other, stand)| *other != name && stand.net == net && stand.terminal.hears(&message.to))
            .map(|(other, _)| other.clone())
            .collect();
        for receiver in receivers {
            let number = self.number_of(&receiver, message);
            if let Verdict::Deliver { after, again } = self.air.verdict(self.now, message, &number) {
                for after in std::iter::once(after).chain(again) {
                    let happening = Happening::Air { name: receiver.clone(), message: message.clone() };
                    self.queue.put(self.now + after, happening);
                }
            }
        }
    }

    /// The receiver's number, as the air's shadows name it: field terminals are named by it.
    fn number_of(&self, receiver: &str, message: &AirMessage) -> yizhan_codecs::message::TerminalId {
        receiver.parse().unwrap_or_else(|_| match &message.to {
            yizhan_codecs::message::Addressee::Terminal(number) | yizhan_codecs::message::Addressee::Group(number) => {
                number.clone()
            }
            yizhan_codecs::message::Addressee::Everyone(bearer) => {
                yizhan_codecs::message::TerminalId::from_number(*bearer, 0)
            }
        })
    }
}
