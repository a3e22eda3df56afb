//! The mesh's side of the radio.

use super::{
    AirMessage, BROADCAST, Data, Errand, HOPS, MeshPacket, MeshRadio, ON_AIR, Plan, REPEATED_PERMILLE, SEEN_MAX, Said,
    TAKEN_WITHIN, TRIES_MAX, TWICE_PERMILLE, TerminalOutput, User, error, listed, number_of, port, terminal,
};
use std::collections::VecDeque;
use std::time::Duration;
use yizhan_codecs::device::meshtastic::wire::{Message as _, Position as Place};
use yizhan_codecs::message::{Addressee, Position};

impl MeshRadio {
    pub(super) fn radiate(&mut self, to: Addressee, serial: Option<u64>, said: Said) {
        let serial = serial.unwrap_or_else(|| {
            self.serial += 1;
            self.serial
        });
        let from = terminal(self.own);
        self.outputs.push_back(TerminalOutput::ToAir(AirMessage { from, to, serial, said }));
    }

    /// The channel may be free: the next packet goes out.
    pub(super) fn use_channel(&mut self, now: Duration) {
        if now < self.busy_until {
            return self.plans.put(self.busy_until, Plan::Channel);
        }
        let Some(mut errand) = self.waiting.pop_front() else { return };
        errand.tries += 1;
        self.tally.sent += 1;
        self.busy_until = now + ON_AIR;
        self.radiate(errand.addressee.clone(), Some(errand.serial), errand.said.clone());
        let is_repeated = self.seed.chance(REPEATED_PERMILLE);
        if is_repeated && !errand.is_repeated && errand.wants_result {
            self.plans.put(self.busy_until + ON_AIR, Plan::Repeated(errand.id));
        }
        errand.is_repeated |= is_repeated;
        let is_done = errand.to == BROADCAST && errand.is_repeated;
        if errand.wants_result && !is_done {
            errand.until = now + TAKEN_WITHIN;
            self.plans.put(errand.until, Plan::Look);
            self.awaited.push(errand);
        }
        self.plans.put(self.busy_until, Plan::Channel);
    }

    pub(super) fn look_for_silent(&mut self, now: Duration) {
        let (over, still): (Vec<_>, Vec<_>) = self.awaited.drain(..).partition(|errand| errand.until <= now);
        self.awaited = still;
        for errand in over {
            if errand.tries < TRIES_MAX {
                self.waiting.push_back(errand);
                self.plans.put(now.max(self.busy_until), Plan::Channel);
            } else {
                self.result(self.own, errand.id, error::MAX_RETRANSMIT);
            }
        }
    }

    /// The destination has it: nothing more goes out, and the host is told in the destination's name.
    fn taken(&mut self, by: u32, request: u32) {
        let is_it = |errand: &Errand| errand.id == request && errand.to == by;
        if self.awaited.iter().chain(&self.waiting).any(is_it) {
            self.awaited.retain(|errand| !is_it(errand));
            self.waiting.retain(|errand| !is_it(errand));
            self.result(by, request, 0);
        }
    }

    pub(super) fn pass_on(&mut self, message: &AirMessage) {
        let Some(from) = number_of(&message.from).filter(|from| *from != self.own) else { return };
        self.others.insert(from);
        let (to, channel) = match &message.to {
            Addressee::Terminal(to) if *to == terminal(self.own) => (self.own, 0),
            Addressee::Terminal(_) => return,
            Addressee::Group(group) => (BROADCAST, group.as_u32().unwrap_or(0)),
            Addressee::Everyone(_) => (BROADCAST, 0),
        };
        let request = match &message.said {
            Said::Text { request, .. } | Said::Bytes { request, .. } => *request,
            _ => 0,
        };
        if request != 0 && to == self.own {
            // Every copy is answered; one answer may be lost.
            self.radiate(Addressee::Terminal(message.from.clone()), None, Said::Taken { request });
        }
        if self.seen.contains(&(from, message.serial)) {
            return;
        }
        remember(&mut self.seen, SEEN_MAX, (from, message.serial));
        let id = if request == 0 { self.next_made() } else { request };
        for (n, data) in (0..).zip(self.words(from, message)) {
            self.tally.received += 1;
            let packet = MeshPacket {
                from,
                to,
                channel,
                id: id.wrapping_add(n),
                decoded: Some(data),
                rx_snr: 6.25,
                rx_rssi: Some(-97),
                hop_limit: HOPS,
                hop_start: HOPS,
                ..MeshPacket::default()
            };
            let copy = MeshPacket { hop_limit: HOPS - 1, rx_snr: -3.5, ..packet.clone() };
            self.packet_to_host(packet);
            if self.seed.chance(TWICE_PERMILLE) {
                self.packet_to_host(copy);
            }
        }
    }

    /// What a transmission is to the host; answers to this radio's own asking are none.
    fn words(&mut self, from: u32, message: &AirMessage) -> Vec<Data> {
        match &message.said {
            Said::Text { text, .. } => vec![data(port::TEXT, text.clone().into())],
            Said::Bytes { bytes, .. } => vec![data(port::PRIVATE, bytes.to_vec())],
            Said::Taken { request } => {
                self.taken(from, *request);
                Vec::new()
            }
            Said::Position { position, .. } => vec![data(port::POSITION, place(position.as_ref()))],
            Said::Emergency { on: true, position } => {
                let place = position.as_ref().map(|position| data(port::POSITION, place(Some(position))));
                std::iter::once(data(port::ALERT, "SOS".into())).chain(place).collect()
            }
            Said::Register | Said::Present => {
                let user: Option<User> = listed(from).user;
                user.map(|user| data(port::NODE_INFO, user.encode_to_vec())).into_iter().collect()
            }
            Said::AskPosition { request } => {
                let to = Addressee::Terminal(message.from.clone());
                self.radiate(to, None, Said::Position { request: *request, position: None });
                Vec::new()
            }
            Said::Emergency { on: false, .. } | Said::Registered { .. } | Said::AskPresence => Vec::new(),
        }
    }
}

fn data(portnum: u32, payload: Vec<u8>) -> Data {
    Data { portnum, payload, ..Data::default() }
}

fn place(position: Option<&Position>) -> Vec<u8> {
    let place = Place {
        latitude_i: position.map(|position| position.lat_e7),
        longitude_i: position.map(|position| position.lon_e7),
        altitude: position.and_then(|position| position.height_dm).map(|height| height / 10),
        precision_bits: 32,
        ..Place::default()
    };
    place.encode_to_vec()
}

pub(super) fn remember<T>(list: &mut VecDeque<T>, max: usize, item: T) {
    while list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}
