//! A Meshtastic radio with a host at its cable: the device's side of the stream API on one side, the mesh on the other.
//!
//! What hurts is here: results come in any order or not at all, a neighbour's repetition looks like a success, texts that
//! come too fast are refused and alerts that come too fast are dropped without a word, copies come twice, the queue is short,
//! and a reboot forgets everything and prints on the same cable.

mod air;
#[cfg(test)]
mod tests;

use super::{Act, AirMessage, Said, Tally, Terminal, TerminalOutput};
use crate::queue::Queue;
use crate::seed::Seed;
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;
use yizhan_codecs::device::meshtastic::wire::{
    BROADCAST, ChannelSettings, ChannelSlot, Config, Data, FromRadio, LIST_ONLY, Lora, MeshPacket, Message as _,
    Metadata, MyInfo, NodeInfo, QueueStatus, Routing, ToRadio, User, WITHOUT_LIST, error, framed, payload, port,
};
use yizhan_codecs::device::meshtastic::{StreamFramer, number_of, terminal};
use yizhan_codecs::frame::{Found, Framer as _};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// One packet on the channel.
const ON_AIR: Duration = Duration::from_millis(600);
/// The destination answers within this time, or the packet goes out again.
const TAKEN_WITHIN: Duration = Duration::from_secs(7);
const TRIES_MAX: u32 = 3;
/// The radio's transmit queue.
const QUEUE_MAX: usize = 16;
const CHANNELS: i32 = 8;
const HOPS: u32 = 3;
/// How many numbers of its host it remembers.
const RECENT_MAX: usize = 20;
const SEEN_MAX: usize = 200;
const PAYLOAD_MAX: usize = 233;
const BOOT: Duration = Duration::from_secs(3);
/// Out of 1000: a neighbour is heard to repeat; a packet is handed to the host twice.
const REPEATED_PERMILLE: u32 = 700;
const TWICE_PERMILLE: u32 = 100;

/// The radio.
#[derive(Clone, Debug)]
pub struct MeshRadio {
    own: u32,
    framer: StreamFramer,
    /// Counts the messages to the host.
    told: u32,
    /// Numbers of the packets that this radio makes by itself.
    made: u32,
    up_at: Duration,
    busy_until: Duration,
    waiting: VecDeque<Errand>,
    awaited: Vec<Errand>,
    taken_at: BTreeMap<u32, Duration>,
    recent: VecDeque<u32>,
    seen: VecDeque<(u32, u64)>,
    others: BTreeSet<u32>,
    plans: Queue<Plan>,
    outputs: VecDeque<TerminalOutput>,
    serial: u64,
    seed: Seed,
    tally: Tally,
}

/// A packet of the host on its way.
#[derive(Clone, Debug)]
struct Errand {
    id: u32,
    to: u32,
    said: Said,
    addressee: Addressee,
    serial: u64,
    wants_result: bool,
    is_repeated: bool,
    tries: u32,
    until: Duration,
}

#[derive(Clone, Debug)]
enum Plan {
    Channel,
    Look,
    /// A neighbour was heard to repeat this one.
    Repeated(u32),
    Booted,
}

impl MeshRadio {
    /// A radio with a number `mesh:!xxxxxxxx`; `None` for a number of another kind.
    #[must_use]
    pub fn new(own: TerminalId, seed: &Seed) -> Option<Self> {
        let own = number_of(&own)?;
        Some(Self {
            own,
            framer: StreamFramer::default(),
            told: 0,
            made: 0x7000_0000,
            up_at: Duration::ZERO,
            busy_until: Duration::ZERO,
            waiting: VecDeque::new(),
            awaited: Vec::new(),
            taken_at: BTreeMap::new(),
            recent: VecDeque::new(),
            seen: VecDeque::new(),
            others: BTreeSet::new(),
            plans: Queue::default(),
            outputs: VecDeque::new(),
            serial: 0,
            seed: seed.stream("meshtastic"),
            tally: Tally::default(),
        })
    }

    fn tell(&mut self, message: FromRadio) {
        self.told = self.told.wrapping_add(1);
        let bytes = framed(&FromRadio { id: self.told, ..message });
        self.outputs.extend(bytes.map(|bytes| TerminalOutput::ToHost { from: None, bytes }));
    }

    fn print(&mut self, line: &'static str) {
        let bytes = Bytes::from_static(line.as_bytes());
        self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes });
    }

    fn obey(&mut self, now: Duration, message: ToRadio) {
        if let Some(nonce) = message.want_config_id {
            self.introduce(nonce);
        }
        if message.heartbeat.is_some() {
            self.queue_status(0, 0);
        }
        if let Some(packet) = message.packet {
            self.take(now, packet);
        }
    }

    /// Everything that a host must know, in the order of the firmware.
    fn introduce(&mut self, nonce: u32) {
        let own = self.own;
        self.tell(FromRadio {
            my_info: Some(MyInfo { my_node_num: own, min_app_version: 30_200, ..MyInfo::default() }),
            ..FromRadio::default()
        });
        self.tell(FromRadio { node_info: Some(listed(own)), ..FromRadio::default() });
        if nonce != LIST_ONLY {
            let metadata = Metadata { firmware_version: b"2.7.26.drill".to_vec(), hw_model: 43, ..Metadata::default() };
            self.tell(FromRadio { metadata: Some(metadata), ..FromRadio::default() });
            for index in 0..CHANNELS {
                let settings = (index == 0).then(|| ChannelSettings { psk: vec![1], ..ChannelSettings::default() });
                let slot = ChannelSlot { index, settings, role: u32::from(index == 0) };
                self.tell(FromRadio { channel: Some(slot), ..FromRadio::default() });
            }
            let lora = Lora {
                use_preset: true,
                region: 4,
                hop_limit: HOPS,
                tx_enabled: true,
                tx_power: 20,
                ..Lora::default()
            };
            let config = Config { lora: Some(lora) }.encode_to_vec();
            self.tell(FromRadio { config: Some(config), ..FromRadio::default() });
        }
        if nonce != WITHOUT_LIST {
            for other in self.others.clone() {
                self.tell(FromRadio { node_info: Some(listed(other)), ..FromRadio::default() });
            }
        }
        self.tell(FromRadio { config_complete_id: Some(nonce), ..FromRadio::default() });
    }

    fn queue_status(&mut self, res: u32, id: u32) {
        let free = u32::try_from(QUEUE_MAX.saturating_sub(self.waiting.len())).unwrap_or(0);
        let maxlen = u32::try_from(QUEUE_MAX).unwrap_or(0);
        let status = QueueStatus { res: i32::try_from(res).unwrap_or(1), free, maxlen, mesh_packet_id: id };
        self.tell(FromRadio { queue_status: Some(status), ..FromRadio::default() });
    }

    fn packet_to_host(&mut self, packet: MeshPacket) {
        self.tell(FromRadio { packet: Some(packet), ..FromRadio::default() });
    }

    /// A result on port 5; from our own number it is what this radio saw by itself.
    fn result(&mut self, from: u32, id: u32, code: u32) {
        self.made = self.made.wrapping_add(1);
        let payload = Routing { error_reason: Some(code), ..Routing::default() }.encode_to_vec();
        let data = Data { portnum: port::ROUTING, payload, request_id: id, ..Data::default() };
        let (to, made) = (self.own, self.made);
        self.packet_to_host(MeshPacket {
            from,
            to,
            id: made,
            decoded: Some(data),
            hop_limit: HOPS,
            hop_start: HOPS,
            ..MeshPacket::default()
        });
    }

    /// A packet of the host.
    fn take(&mut self, now: Duration, packet: MeshPacket) {
        let Some(data) = packet.decoded else { return };
        if packet.to == self.own {
            return;
        }
        let id = if packet.id == 0 { self.next_made() } else { packet.id };
        let Some(said) = said(&data, id) else { return self.queue_status(0, id) };
        self.tally.ordered += 1;
        if self.recent.contains(&id) {
            self.tally.refused += 1;
            return self.queue_status(0, id);
        }
        if data.payload.len() > PAYLOAD_MAX {
            self.tally.too_long += 1;
            return self.result(self.own, id, error::TOO_LARGE);
        }
        let since = self.taken_at.get(&data.portnum).map(|at| now.saturating_sub(*at));
        if since.is_some_and(|since| since < least(data.portnum)) {
            self.tally.sent_too_early += 1;
            self.queue_status(0, id);
            // Of texts the host is told; of everything else it is not.
            if data.portnum == port::TEXT {
                self.result(self.own, id, error::RATE_LIMIT);
            }
            return;
        }
        if self.waiting.len() >= QUEUE_MAX {
            self.tally.refused += 1;
            return self.queue_status(error::BAD_REQUEST, id);
        }
        self.taken_at.insert(data.portnum, now);
        air::remember(&mut self.recent, RECENT_MAX, id);
        self.serial += 1;
        let errand = Errand {
            id,
            to: packet.to,
            said,
            addressee: addressee(packet.to, packet.channel),
            serial: self.serial,
            wants_result: packet.want_ack,
            is_repeated: false,
            tries: 0,
            until: Duration::ZERO,
        };
        self.waiting.push_back(errand);
        self.queue_status(0, id);
        self.plans.put(now.max(self.busy_until), Plan::Channel);
    }

    fn next_made(&mut self) -> u32 {
        self.made = self.made.wrapping_add(1);
        self.made
    }

    fn is_up(&self, now: Duration) -> bool {
        now >= self.up_at
    }

    fn plan_wake(&mut self) {
        self.outputs.extend(self.plans.next_at().map(TerminalOutput::WakeAt));
    }
}

/// Least time between two packets of a port that the radio takes from its host.
const fn least(portnum: u32) -> Duration {
    Duration::from_secs(match portnum {
        port::TEXT => 2,
        port::ALERT | port::POSITION | port::WAYPOINT | port::TELEMETRY => 10,
        _ => 0,
    })
}

fn listed(num: u32) -> NodeInfo {
    let user = User {
        id: format!("!{num:08x}").into_bytes(),
        long_name: format!("Drill {num:08x}").into_bytes(),
        short_name: format!("{:04x}", num & 0xFFFF).into_bytes(),
        hw_model: 43,
        ..User::default()
    };
    NodeInfo { num, user: Some(user), ..NodeInfo::default() }
}

fn addressee(to: u32, channel: u32) -> Addressee {
    match (to, channel) {
        (BROADCAST, 0) => Addressee::Everyone(Bearer::Mesh),
        (BROADCAST, index) => Addressee::Group(TerminalId::from_number(Bearer::Mesh, index)),
        (to, _) => Addressee::Terminal(terminal(to)),
    }
}

fn said(data: &Data, request: u32) -> Option<Said> {
    Some(match data.portnum {
        port::TEXT | port::ALERT => Said::Text { text: String::from_utf8_lossy(&data.payload).into_owned(), request },
        port::PRIVATE => Said::Bytes { bytes: data.payload.clone().into(), request },
        port::POSITION if data.want_response => Said::AskPosition { request },
        _ => return None,
    })
}

impl Terminal for MeshRadio {
    fn heard_host(&mut self, now: Duration, _: Option<SocketAddr>, bytes: &[u8]) {
        if !self.is_up(now) {
            return;
        }
        self.framer.push(bytes);
        while let Some(found) = self.framer.next_found() {
            match found {
                Found::Frame(frame) => match payload(&frame).map(ToRadio::decode) {
                    Some(Ok(message)) => self.obey(now, message),
                    _ => self.tally.unreadable += u64::try_from(frame.len()).unwrap_or(u64::MAX),
                },
                // Hosts wake a sleeping board with C3; that is no noise.
                Found::Noise { bytes, .. } => {
                    let unreadable = bytes.iter().filter(|byte| **byte != 0xC3).count();
                    self.tally.unreadable += u64::try_from(unreadable).unwrap_or(u64::MAX);
                }
            }
        }
        self.plan_wake();
    }

    fn heard_air(&mut self, now: Duration, message: &AirMessage) {
        if self.is_up(now) {
            self.pass_on(message);
        }
        self.plan_wake();
    }

    fn act(&mut self, now: Duration, act: &Act) {
        match act {
            Act::Reboot => {
                self.waiting.clear();
                self.awaited.clear();
                self.taken_at.clear();
                self.recent.clear();
                self.framer = StreamFramer::default();
                self.plans = Queue::default();
                self.up_at = now + BOOT;
                self.plans.put(self.up_at, Plan::Booted);
            }
            Act::Noise { bytes } => {
                self.outputs.push_back(TerminalOutput::ToHost { from: None, bytes: Bytes::clone(bytes) });
            }
            _ => {}
        }
        self.plan_wake();
    }

    fn wake(&mut self, now: Duration) {
        while self.plans.next_at().is_some_and(|at| at <= now) {
            match self.plans.take() {
                Some((_, Plan::Channel)) => self.use_channel(now),
                Some((_, Plan::Look)) => self.look_for_silent(now),
                Some((_, Plan::Repeated(id))) => self.result(self.own, id, 0),
                Some((_, Plan::Booted)) => {
                    self.print("INFO  | ??:??:?? 3 [Main] S:B:43,2.7.26.drill\r\n");
                    self.tell(FromRadio { rebooted: Some(true), ..FromRadio::default() });
                }
                None => {}
            }
        }
        self.plan_wake();
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        match to {
            Addressee::Terminal(to) => *to == terminal(self.own),
            other => other.bearer() == Bearer::Mesh,
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}
