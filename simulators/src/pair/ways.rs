//! The ways between the stations: a Beidou card at each, a mesh radio that routes IP at each, or both; and the air there.

use super::scene::{COUNTY, OUTPOST};
use super::{Over, Settings};
use crate::air::Weather;
use crate::live::{Player, Port, Radios};
use crate::seed::Seed;
use crate::terminal::beidou::{BeidouTerminal, Card, Dialect};
use crate::terminal::ip_radio::IpRadio;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};

const CARD_NAMES: [&str; 2] = ["县指北斗卡", "前指北斗卡"];
const CARDS: [u32; 2] = [142_020, 142_021];
const RADIO_NAMES: [&str; 2] = ["县指电台", "前指电台"];
/// Where each station is for the other one.
const ADDRESSES: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 4, 1), Ipv4Addr::new(127, 0, 4, 7)];
/// The port that the radios speak of; those in use are whichever are free.
const SERVICE: u16 = 4_710;
/// Bytes of a frame over IP. With the default the whole order were one frame, and had no middle to lose the power in.
pub(super) const MTU: u16 = 128;
/// Beside the pace, since no card's slot is at stake here.
const GUARD: &str = "1s";

/// How one station writes to the other one.
#[derive(Debug)]
pub(super) struct Way {
    /// Whose it is.
    pub at: usize,
    /// What it is called on the stage.
    pub name: &'static str,
    /// The other station, as it is reached here: what the roster says of that one.
    pub far: TerminalId,
    /// The station's `[[link]]`.
    pub link: String,
}

pub(super) fn card_of(at: usize) -> TerminalId {
    TerminalId::from_number(Bearer::Beidou, CARDS[at])
}

/// Everything that a station at this place has, with who plays it. `home` is the station's folder.
pub(super) fn of(at: usize, home: &Path, settings: &Settings, seed: &Seed) -> io::Result<Vec<(Way, Player)>> {
    let way = |bearer: &Bearer| match bearer {
        Bearer::Ip => radio(at, settings.period),
        _ => Ok(card(at, home, settings.period, seed)),
    };
    settings.over.bearers().iter().map(way).collect()
}

fn card(at: usize, home: &Path, period: Duration, seed: &Seed) -> (Way, Player) {
    let (name, path) = (CARD_NAMES[at], home.join("beidou"));
    let card = Card { number: CARDS[at], broadcast: 0, period, level: 3, subordinates: 0 };
    let terminal = Box::new(BeidouTerminal::new(Dialect::Rdss40, card, seed));
    let player = Player { name, id: card_of(at), terminal, port: Port::serial(&path, 115_200, seed) };
    let link = format!(
        "[[link]]\nname = \"bd\"\ndevice = \"beidou\"\nserial = {{ port = {path:?}, baud = 115200 }}\n\
         profile = {{ dialect = \"rdss40\" }}\n"
    );
    (Way { at, name, far: card_of(other(at)), link }, player)
}

/// Both stations stand on one host, so each has a radio that stands in for the other one's address and passes on what is
/// sent there: neither notices the air between them but by what it loses.
fn radio(at: usize, pace: Duration) -> io::Result<(Way, Player)> {
    let name = RADIO_NAMES[at];
    let far = ADDRESSES[other(at)];
    let radios = Radios::at(vec![far], &[SERVICE])?;
    let port = radios.port_of(SERVICE).unwrap_or(SERVICE);
    let far = SocketAddr::from((far, port));
    let own = SocketAddr::from((ADDRESSES[at], SERVICE));
    let id = TerminalId::new(Bearer::Ip, &own.to_string());
    let player = Player { name, id, terminal: Box::new(IpRadio::new(own, pace)), port: Port::Udp(radios) };
    let link = format!(
        "[[link]]\nname = \"ip\"\ndevice = \"air-udp\"\nudp = {{ bind = [\"127.0.0.1:{port}\"], peers = [\"{far}\"] }}\n\
         guard = \"{GUARD}\"\nprofile = {{ mtu = {MTU}, pace_ms = {} }}\n",
        pace.as_millis()
    );
    Ok((Way { at, name, far: TerminalId::new(Bearer::Ip, &far.to_string()), link }, player))
}

pub(super) const fn other(at: usize) -> usize {
    if at == COUNTY { OUTPOST } else { COUNTY }
}

/// Quick, so that a minute of real cards is a few seconds here. A mesh that stores and forwards brings frames late, out of
/// order and twice.
pub(super) fn weather(bearer: Bearer, loss_permille: u32) -> Weather {
    let (min, mean, duplicate_permille) = if bearer == Bearer::Ip { (100, 2_000, 300) } else { (100, 250, 0) };
    let (delay_min, delay_mean) = (Duration::from_millis(min), Duration::from_millis(mean));
    Weather { loss_permille, delay_min, delay_mean, duplicate_permille, ..Weather::typical(bearer) }
}

impl Over {
    /// The one that a station prefers where all else is equal stands first.
    pub(super) const fn bearers(self) -> &'static [Bearer] {
        match self {
            Self::Beidou => &[Bearer::Beidou],
            Self::Udp => &[Bearer::Ip],
            Self::Both => &[Bearer::Ip, Bearer::Beidou],
        }
    }

    pub(super) fn has(self, bearer: Bearer) -> bool {
        self.bearers().contains(&bearer)
    }

    /// What the air loses of each bearer while the order is on its way: with both, the mesh has failed altogether.
    pub(super) fn losses(self, loss_permille: u32) -> impl Iterator<Item = (Bearer, u32)> {
        let of = move |bearer: &Bearer| if self == Self::Both && *bearer == Bearer::Ip { 1_000 } else { loss_permille };
        self.bearers().iter().map(move |bearer| (*bearer, of(bearer)))
    }

    /// Characters that a frame carries, about.
    pub(super) const fn characters_a_frame(self) -> usize {
        if matches!(self, Self::Udp) { 125 } else { 85 }
    }
}
