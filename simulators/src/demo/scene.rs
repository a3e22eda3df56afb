//! Who plays and where: the field team, two radios, a mesh radio, a satellite phone, the station's own terminals, its config
//! and its roster.

use super::DemoError;
use crate::air::Weather;
use crate::live::{Follower, News, Player, Port, Radios, Rehearsal, address_of};
use crate::seed::Seed;
use crate::terminal::beidou::{BeidouTerminal, Card, Dialect};
use crate::terminal::handset::{Answering, Habits, Handset};
use crate::terminal::hytera::HyteraModem;
use crate::terminal::meshtastic::MeshRadio;
use crate::terminal::tiantong::TiantongPhone;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};

/// The station's own terminals.
pub(super) const BEIDOU: &str = "beidou";
pub(super) const RADIO: &str = "radio";
pub(super) const MESH: &str = "mesh";
pub(super) const PHONE: &str = "phone";
/// All of them.
pub(super) const OWN: [&str; 4] = [BEIDOU, RADIO, MESH, PHONE];
/// Whose handhelds.
pub(super) const LI_LEI: &str = "李雷";
pub(super) const WANG_FANG: &str = "王芳";
pub(super) const ZHANG_QIANG: &str = "张强";
pub(super) const CHEN_JING: &str = "陈静";
pub(super) const ZHAO_MIN: &str = "赵敏";
/// Whom an SOS is relayed to.
pub(super) const RESCUERS: [&str; 4] = [WANG_FANG, ZHANG_QIANG, CHEN_JING, ZHAO_MIN];

/// Name, terminal, unit, person id.
const PEOPLE: [(&str, Bearer, &str, &str, &str); 5] = [
    (LI_LEI, Bearer::Beidou, "242407", "石门村救援组", "li-lei"),
    (WANG_FANG, Bearer::Radio370, "103001", "消防一中队", "wang-fang"),
    (ZHANG_QIANG, Bearer::Radio370, "103002", "县医院急救组", "zhang-qiang"),
    (CHEN_JING, Bearer::Mesh, "!5e3a0c11", "山地搜救组", "chen-jing"),
    (ZHAO_MIN, Bearer::Satphone, "8617400000021", "市应急局", "zhao-min"),
];

pub(super) const CARD: u32 = 142_020;
const BASE_RADIO: u32 = 64_001;
const MESH_OWN: &str = "!0badcafe";
const PHONE_OWN: &str = "8617400000001";
/// 服务频度. Real cards have 60 s; this keeps the story moving and can still be watched.
pub(super) const PERIOD: Duration = Duration::from_secs(14);

/// The world of the demo and where the station keeps its things.
pub(super) struct Scene {
    pub rehearsal: Rehearsal,
    pub folder: PathBuf,
    pub config: PathBuf,
    pub journal: PathBuf,
}

impl Scene {
    /// Sets everything up in `folder`.
    pub fn set(folder: &Path, seed: &Seed) -> Result<(Self, Receiver<News>), DemoError> {
        let number = TerminalId::from_number;
        let addresses = PEOPLE.iter().filter(|(_, bearer, ..)| *bearer == Bearer::Radio370);
        let addresses = addresses.map(|(_, bearer, id, ..)| TerminalId::new(*bearer, id));
        let addresses = addresses.chain([number(Bearer::Radio370, BASE_RADIO)]);
        let addresses = addresses.filter_map(|id| address_of(&id)).collect();
        let radios = Radios::at(addresses, &HyteraModem::SERVICES).map_err(DemoError::Setting)?;
        let (config, journal) = (folder.join("gateway.toml"), folder.join("journal.db"));
        let ports =
            SerialPorts { beidou: folder.join("beidou"), mesh: folder.join("mesh"), phone: folder.join("phone") };
        fs::write(&config, config_text(&journal, &ports, &radios)).map_err(DemoError::Setting)?;
        let card = Card { number: CARD, broadcast: 0, period: PERIOD, level: 3, subordinates: 0 };
        let beidou = BeidouTerminal::new(Dialect::Rdss40, card, seed);
        let serial = |path: &Path| Port::serial(path, 115_200, seed);
        let (mesh_own, phone_own) = (own(Bearer::Mesh), own(Bearer::Satphone));
        let mesh = MeshRadio::new(mesh_own.clone(), seed).ok_or(DemoError::Story("the mesh radio has no number"))?;
        let phone = TiantongPhone::new(phone_own.clone(), seed).ok_or(DemoError::Story("the phone has no number"))?;
        let modem = HyteraModem::new(127, BASE_RADIO).ok_or(DemoError::Story("the base radio has no number"))?;
        let mut players = vec![
            Player {
                name: BEIDOU,
                id: number(Bearer::Beidou, CARD),
                terminal: Box::new(beidou),
                port: serial(&ports.beidou),
            },
            Player { name: MESH, id: mesh_own, terminal: Box::new(mesh), port: serial(&ports.mesh) },
            Player { name: PHONE, id: phone_own, terminal: Box::new(phone), port: serial(&ports.phone) },
            Player {
                name: RADIO,
                id: number(Bearer::Radio370, BASE_RADIO),
                terminal: Box::new(modem),
                port: Port::Udp(radios),
            },
        ];
        players.extend(PEOPLE.iter().map(|(name, bearer, id, ..)| Player {
            name,
            id: TerminalId::new(*bearer, id),
            terminal: Box::new(Handset::new(
                TerminalId::new(*bearer, id),
                Vec::new(),
                period(*bearer),
                habits(*bearer),
                seed,
            )),
            port: Port::None,
        }));
        let (rehearsal, told) = Rehearsal::begin(seed, weather(), players)?;
        Ok((Self { rehearsal, folder: folder.to_path_buf(), config, journal }, told))
    }
}

/// The serial ports, as paths.
struct SerialPorts {
    beidou: PathBuf,
    mesh: PathBuf,
    phone: PathBuf,
}

/// The station's own number on a bearer.
fn own(bearer: Bearer) -> TerminalId {
    match bearer {
        Bearer::Beidou => TerminalId::from_number(bearer, CARD),
        Bearer::Mesh => TerminalId::new(bearer, MESH_OWN),
        Bearer::Satphone => TerminalId::new(bearer, PHONE_OWN),
        Bearer::Radio370 | Bearer::Ip => TerminalId::from_number(bearer, BASE_RADIO),
    }
}

/// The name that goes with a terminal.
pub(super) fn name_of(terminal: &str) -> Option<&'static str> {
    PEOPLE.iter().find(|(_, bearer, id, ..)| format!("{bearer}:{id}") == terminal).map(|(name, ..)| *name)
}

/// The name that goes with a person id of the roster.
pub(super) fn name_of_person(person: &str) -> Option<&'static str> {
    PEOPLE.iter().find(|(.., id)| *id == person).map(|(name, ..)| *name)
}

/// What the roster says: five people, one group, and who is told of an SOS.
pub(super) fn roster() -> Value {
    let people: Vec<Value> = PEOPLE
        .iter()
        .map(|(name, bearer, number, unit, id)| {
            json!({ "id": id, "name": name, "unit": unit, "terminals": [format!("{bearer}:{number}")] })
        })
        .collect();
    json!({
        "person": people,
        "group": [{ "id": "rescue", "name": "救援群", "members": ["wang-fang", "zhang-qiang", "chen-jing", "zhao-min"] }],
        "relay": [{ "topic": "sos", "groups": ["rescue"] }],
    })
}

fn config_text(journal: &Path, ports: &SerialPorts, radios: &Radios) -> String {
    let SerialPorts { beidou, mesh, phone } = ports;
    let [rrs, lp, tmp] = HyteraModem::SERVICES.map(|service| radios.port_of(service).unwrap_or(service));
    format!(
        r#"[station]
number = 1
name = "县应急指挥中心"
clock = "trust"

[journal]
path = {journal:?}

[api]
listen = "127.0.0.1:0"

# The answer of the story comes from a person; see the policy in gateway.example.toml.
[policy]
sos_auto_answer = false

[[link]]
name = "{BEIDOU}"
device = "beidou"
serial = {{ port = {beidou:?}, baud = 115200 }}
profile = {{ dialect = "rdss40" }}

[[link]]
name = "{RADIO}"
device = "hytera"
udp = {{ bind = ["127.0.0.1:{rrs}", "127.0.0.1:{lp}", "127.0.0.1:{tmp}"], peers = ["127.0.0.0/8"] }}
profile = {{ subnet = 127, base_radio = {BASE_RADIO}, port_rrs = {rrs}, port_lp = {lp}, port_tmp = {tmp} }}

[[link]]
name = "{MESH}"
device = "meshtastic"
serial = {{ port = {mesh:?}, baud = 115200 }}

[[link]]
name = "{PHONE}"
device = "tiantong"
serial = {{ port = {phone:?}, baud = 115200 }}
"#
    )
}

/// No loss: the story is told once and must be told whole; drills are for bad weather.
fn weather() -> BTreeMap<Bearer, Weather> {
    let calm = |bearer, delay_min, delay_mean| {
        let [delay_min, delay_mean] = [delay_min, delay_mean].map(Duration::from_millis);
        (bearer, Weather { loss_permille: 0, delay_min, delay_mean, ..Weather::typical(bearer) })
    };
    BTreeMap::from([
        calm(Bearer::Beidou, 1_200, 1_800),
        calm(Bearer::Radio370, 150, 400),
        calm(Bearer::Mesh, 300, 600),
        calm(Bearer::Satphone, 1_000, 1_500),
    ])
}

const fn period(bearer: Bearer) -> Duration {
    match bearer {
        Bearer::Beidou => PERIOD,
        _ => Duration::ZERO,
    }
}

/// Who is called over Beidou reads, thinks, and answers with the number of the text. The others only read.
fn habits(bearer: Bearer) -> Habits {
    let after = (Duration::from_secs(3), Duration::from_secs(4));
    let answers = match bearer {
        Bearer::Beidou => vec![Answering { text: "收到".into(), chance_permille: 1_000, after }],
        _ => Vec::new(),
    };
    Habits { answers, names_number: true, command_post: Some(own(bearer)), position: None }
}

/// Gives every record of a follower to `told`, until the station or the listener goes away.
pub(super) fn forward<T: Send + 'static>(
    follower: Follower,
    told: std::sync::mpsc::Sender<T>,
    wrap: impl Fn(crate::live::Shown) -> T + Send + 'static,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("journal".into()).spawn(move || {
        while let Some(shown) = follower.wait() {
            if told.send(wrap(shown)).is_err() {
                return;
            }
        }
    })?;
    Ok(())
}
