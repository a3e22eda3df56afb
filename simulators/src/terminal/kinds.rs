//! The simulated terminals there are: one entry a kind. Scenarios, the live rehearsal and `yizhan-drill terminal` all
//! look here.

use super::Terminal;
use super::beidou::{BeidouTerminal, Card, Dialect};
use super::hytera::{Carrier, HyteraModem};
use super::kiss::KissTnc;
use super::meshcore::MeshCoreRadio;
use super::meshtastic::MeshRadio;
use super::pei::PeiRadio;
use super::raw::RawModem;
use super::tiantong::TiantongPhone;
use super::trbo::TrboModem;
use crate::seed::Seed;
use std::net::Ipv4Addr;
use std::time::Duration;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::device::REGISTER;
use yizhan_codecs::device::hytera::wire::RadioIp;
use yizhan_codecs::message::{Bearer, TerminalId};

/// One kind of simulated terminal.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its name for `yizhan-drill terminal`.
    pub name: &'static str,
    /// The device's name in the register of codecs.
    pub device: &'static str,
    /// What tells it from others of its device: a key of the profile and its value. Scenarios name the value as
    /// `dialect`; without one they mean the first kind of the device.
    pub variant: Option<(&'static str, &'static str)>,
    pub wiring: Wiring,
    /// The key of the profile that names the terminal's own number, if the device cannot tell it.
    pub own_key: Option<&'static str>,
    /// Further lines of the profile, without which half of what the terminal does would not be seen.
    pub also: &'static [&'static str],
    /// Whether each text it hears bears a number of its own. Without one, what comes twice are two messages.
    pub numbers: bool,
    /// Whether the laws can tell from bytes for it that they carry a message
    /// ([`carries_message`](crate::world::carries_message)). Elsewhere they wait for the transmission.
    pub reads_bytes: bool,
    /// Numbers for somebody who names none: its own, and a far handheld's.
    pub usual: (&'static str, &'static str),
    make: Make,
}

/// Makes a terminal, or nothing where the number is of another kind.
type Make = fn(Wish<'_>) -> Option<Box<dyn Terminal>>;

/// How a terminal is connected to its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wiring {
    Serial,
    /// A TCP server.
    Stream,
    /// Datagrams: each service's port as radios speak of it, and the key of the profile that names another.
    Datagrams(&'static [(u16, &'static str)]),
}

/// What a terminal is made from. Each kind takes what it needs.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub own: TerminalId,
    /// 服务频度 of a card.
    pub period: Duration,
    /// 通信等级 of a card.
    pub level: u8,
    /// First byte of the addresses of a radio net.
    pub subnet: Option<u8>,
    /// The link's profile: a terminal that is only described speaks what it describes.
    pub profile: &'a Profile,
    pub seed: &'a Seed,
}

/// Every kind.
pub static KINDS: &[Kind] = &[
    beidou("beidou-rdss21", "rdss21"),
    beidou("beidou-rdss40", "rdss40"),
    beidou("beidou-rsmc3", "rsmc3"),
    HYTERA,
    Kind {
        name: "hytera-hrnp",
        variant: Some(("carrier", "hrnp")),
        wiring: Wiring::Serial,
        make: |wish| boxed(HyteraModem::with_carrier(wish.subnet.unwrap_or(10), wish.own.as_u32()?, Carrier::Hrnp)),
        ..HYTERA
    },
    Kind {
        name: "hytera-hstrp",
        variant: Some(("carrier", "hstrp")),
        wiring: Wiring::Datagrams(&[
            (30_001, "hstrp_rrs"),
            (30_003, "hstrp_lp"),
            (30_007, "hstrp_tmp"),
            (30_009, "hstrp_rcp"),
        ]),
        make: |wish| {
            let number = wish.own.as_u32()?;
            let ip = wish.subnet.map_or(Some(REPEATER), |subnet| Some(RadioIp::new(subnet, number)?.ip()))?;
            let repeater = Carrier::Hstrp { device: 1, slot: 1, ip };
            boxed(HyteraModem::with_carrier(wish.subnet.unwrap_or(10), number, repeater))
        },
        ..HYTERA
    },
    serial("meshtastic", ("!0badcafe", "!5e3a0c11"), |wish| boxed(MeshRadio::new(wish.own, wish.seed))),
    serial("meshcore", ("0badcafe0001", "5e3a0c110002"), |wish| boxed(MeshCoreRadio::new(wish.own, wish.seed))),
    serial("tiantong", ("8617400000001", "8617400000021"), |wish| boxed(TiantongPhone::new(wish.own, wish.seed))),
    serial("pei", ("64001", "242407"), |wish| boxed(PeiRadio::new(wish.own, wish.seed))),
    Kind {
        own_key: Some("own"),
        ..serial("kiss", ("BG0AAA-10", "BG0BBB-7"), |wish| boxed(KissTnc::new(&wish.own, wish.seed)))
    },
    TRBO,
    Kind {
        also: &["send = true"],
        numbers: false,
        ..serial("raw", ("64001", "4321"), |wish| {
            let far = TerminalId::from_number(wish.own.bearer, 0);
            boxed(RawModem::new(wish.own, far, wish.profile))
        })
    },
];

/// Where a simulated repeater stands, unless its net is a real one: there it has its radio's address.
const REPEATER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A device on a serial port that has one kind of terminal.
const fn serial(name: &'static str, usual: (&'static str, &'static str), make: Make) -> Kind {
    Kind {
        name,
        device: name,
        variant: None,
        wiring: Wiring::Serial,
        own_key: None,
        also: &[],
        numbers: true,
        reads_bytes: false,
        usual,
        make,
    }
}

const TRBO: Kind = Kind {
    wiring: Wiring::Datagrams(&[
        (TrboModem::SERVICES[0], "port_ars"),
        (TrboModem::SERVICES[1], "port_tms"),
        (TrboModem::SERVICES[2], "port_lrrp"),
    ]),
    ..serial("trbo", ("64001", "242407"), |wish| boxed(TrboModem::new(wish.subnet.unwrap_or(12), wish.own.as_u32()?)))
};

const fn beidou(name: &'static str, dialect: &'static str) -> Kind {
    let make: Make = match dialect.as_bytes() {
        b"rdss40" => |wish| card(Dialect::Rdss40, &wish),
        b"rsmc3" => |wish| card(Dialect::Rsmc3, &wish),
        _ => |wish| card(Dialect::Rdss21, &wish),
    };
    Kind {
        name,
        variant: Some(("dialect", dialect)),
        numbers: false,
        reads_bytes: true,
        ..serial("beidou", ("142020", "242407"), make)
    }
}

const HYTERA: Kind = Kind {
    name: "hytera",
    device: "hytera",
    variant: None,
    wiring: Wiring::Datagrams(&[
        (HyteraModem::SERVICES[0], "port_rrs"),
        (HyteraModem::SERVICES[1], "port_lp"),
        (HyteraModem::SERVICES[2], "port_tmp"),
    ]),
    own_key: Some("base_radio"),
    also: &[],
    numbers: true,
    reads_bytes: true,
    // Outside the range that drills give to handhelds.
    usual: ("64001", "242407"),
    make: |wish| boxed(HyteraModem::new(wish.subnet.unwrap_or(10), wish.own.as_u32()?)),
};

fn card(dialect: Dialect, wish: &Wish<'_>) -> Option<Box<dyn Terminal>> {
    let Wish { period, level, .. } = *wish;
    let card = Card { number: wish.own.as_u32()?, broadcast: 0, period, level, subordinates: 0 };
    boxed(Some(BeidouTerminal::new(dialect, card, wish.seed)))
}

fn boxed<T: Terminal + 'static>(terminal: Option<T>) -> Option<Box<dyn Terminal>> {
    terminal.map(|terminal| Box::new(terminal) as Box<dyn Terminal>)
}

impl Kind {
    /// By the name that people use.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// By device and `dialect`; without one, the first of the device.
    #[must_use]
    pub fn of(device: &str, dialect: Option<&str>) -> Option<&'static Self> {
        let fits = |kind: &&Self| dialect.is_none() || kind.variant.map(|(_, value)| value) == dialect;
        KINDS.iter().filter(|kind| kind.device == device).find(fits)
    }

    /// The bearer of its device.
    #[must_use]
    pub fn bearer(&self) -> Option<Bearer> {
        REGISTER.iter().find(|device| device.name == self.device).map(|device| device.bearer)
    }

    /// One terminal; `None` when the number is of another kind.
    #[must_use]
    pub fn make(&self, wish: Wish<'_>) -> Option<Box<dyn Terminal>> {
        (self.make)(wish)
    }

    /// The lines of the station's config for it. `way` is the line that says how it is connected, `more` are further
    /// keys of the profile.
    #[must_use]
    pub fn config(&self, own: &TerminalId, way: &str, more: &[String]) -> String {
        let variant = self.variant.map(|(key, value)| format!("{key} = {value:?}"));
        let number = own.as_u32().map_or_else(|| format!("{:?}", own.number()), |number| number.to_string());
        let own = self.own_key.map(|key| format!("{key} = {number}"));
        let also = self.also.iter().map(|line| (*line).to_owned());
        let profile: Vec<String> = variant.into_iter().chain(own).chain(also).chain(more.iter().cloned()).collect();
        let name = self.bearer().map_or(self.device, Bearer::name);
        format!(
            "  [[link]]\n  name = {name:?}\n  device = {:?}\n  {way}\n  profile = {{ {} }}",
            self.device,
            profile.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_name_of_its_own_a_registered_device_and_can_be_made() {
        let names: BTreeSet<_> = KINDS.iter().map(|kind| kind.name).collect();
        assert_eq!(names.len(), KINDS.len());
        for kind in KINDS {
            let bearer = kind.bearer().unwrap_or_else(|| panic!("{} is not registered", kind.device));
            let (own, seed) = (TerminalId::new(bearer, kind.usual.0), Seed::new(1));
            let (period, profile) = (Duration::from_secs(60), &Profile::default());
            let wish = Wish { own, period, level: 3, subnet: None, profile, seed: &seed };
            assert!(kind.make(wish).is_some(), "{}", kind.name);
            let found = Kind::of(kind.device, kind.variant.map(|(_, value)| value)).unwrap();
            assert_eq!(found.name, kind.name);
        }
    }

    #[test]
    fn every_registered_device_of_plain_terminals_has_a_kind_and_every_kind_a_link_in_the_day_of_every_terminal() {
        // Only plain terminals are simulated here: what only stations speak has another station at its far end.
        let kindless = REGISTER.iter().filter(|device| !device.is_for_stations_only()).map(|device| device.name);
        let kindless: Vec<_> = kindless.filter(|device| KINDS.iter().all(|kind| kind.device != *device)).collect();
        assert!(kindless.is_empty(), "simulators/src/terminal/kinds.rs: no kind of device {kindless:?}");
        let day = Scenario::built_in("every-terminal").unwrap();
        let kinds = day.links.iter().filter_map(|link| Kind::of(&link.device, link.dialect.as_deref()));
        let linked: BTreeSet<_> = kinds.map(|kind| kind.name).collect();
        let linkless: Vec<_> = KINDS.iter().map(|kind| kind.name).filter(|name| !linked.contains(name)).collect();
        assert!(linkless.is_empty(), "simulators/scenarios/every-terminal.toml: no link of kind {linkless:?}");
    }
}
