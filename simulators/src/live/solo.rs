//! One simulated terminal at somebody's keyboard: shows what it hears, and sends what is typed as a message from the far
//! side.

use super::{HOST, Player, Port, PortError, Radios, Rehearsal, What, address_of};
use crate::seed::Seed;
use crate::terminal::beidou::{BeidouTerminal, Card, Dialect};
use crate::terminal::handset::{Habits, Handset};
use crate::terminal::hytera::HyteraModem;
use crate::terminal::{Act, Said};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use thiserror::Error;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// The devices that can be had alone.
pub const DEVICES: [&str; 4] = ["beidou-rdss40", "beidou-rdss21", "beidou-rsmc3", "hytera"];

const NEAR: &str = "near";
const FAR: &str = "far";
/// The number of the base radio: outside the range that drills give to handhelds.
const BASE_RADIO: u32 = 64_001;

/// What the person asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub device: String,
    /// The path to make, or for radios the first of three UDP ports.
    pub port: String,
    /// The number of the card, or of the far radio.
    pub number: u32,
    /// 服务频度 of the card.
    pub period: Duration,
    /// 通信等级 of the card.
    pub level: u8,
    /// The number of the handheld on the far side.
    pub far: u32,
    pub baud: u32,
}

/// Why a terminal could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SoloError {
    #[error("no device {name:?}; devices: {}", DEVICES.join(", "))]
    UnknownDevice { name: String },
    #[error("{found:?} is no UDP port with two more after it (1..=65533)")]
    UdpPort { found: String },
    #[error("number {found} does not fit the device")]
    Number { found: u32 },
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("the screen or the keyboard failed: {0}")]
    Screen(#[from] std::io::Error),
}

/// Runs until the keyboard ends.
///
/// # Errors
/// [`SoloError`]
pub fn run(wanted: &Wanted, keyboard: impl BufRead, screen: impl Write + Send + 'static) -> Result<(), SoloError> {
    let seed = Seed::new(u64::from(wanted.number));
    let (near, card, advice) = near(wanted, &seed)?;
    let far = TerminalId::from_number(card.bearer, wanted.far);
    let period = if card.bearer == Bearer::Beidou { Duration::from_secs(1) } else { Duration::ZERO };
    let habits = Habits { command_post: Some(card.clone()), ..Habits::default() };
    let handset = Handset::new(far.clone(), Vec::new(), period, habits, &seed);
    let handset = Player { name: FAR, id: far.clone(), terminal: Box::new(handset), port: Port::None };
    let (rehearsal, told) = Rehearsal::begin(&seed, BTreeMap::new(), vec![near, handset])?;
    let mut shown = screen;
    writeln!(shown, "{advice}\n远端手持机 {far}。直接输入文字＝远端发来一条；/help 看其余操作；Ctrl-D 结束。")?;
    let printer = std::thread::Builder::new().name("screen".into()).spawn(move || print(&told, &mut shown))?;
    for line in keyboard.lines() {
        obey(&rehearsal, &card, line?.trim());
    }
    // Ends the news, and with it the printer.
    drop(rehearsal);
    let _panicked_is_printed = printer.join();
    Ok(())
}

fn near(wanted: &Wanted, seed: &Seed) -> Result<(Player, TerminalId, String), SoloError> {
    let name = wanted.device.as_str();
    if name == "hytera" {
        return near_radio(wanted);
    }
    let spoken = name.strip_prefix("beidou-").unwrap_or_default();
    let dialect = Dialect::from_name(spoken).ok_or_else(|| SoloError::UnknownDevice { name: name.into() })?;
    let Wanted { number, period, level, .. } = *wanted;
    let terminal = BeidouTerminal::new(dialect, Card { number, broadcast: 0, period, level, subordinates: 0 }, seed);
    let id = TerminalId::from_number(Bearer::Beidou, number);
    let port = Port::serial(Path::new(&wanted.port), wanted.baud, seed);
    let advice = format!(
        "北斗终端已接好：卡号 {number}，服务频度 {} 秒，等级 {level}。\n在本站配置里写：\n  [[link]]\n  name = \"beidou\"\n  \
         device = \"beidou\"\n  serial = {{ port = {:?}, baud = {} }}\n  profile = {{ dialect = \"{spoken}\" }}",
        period.as_secs(),
        wanted.port,
        wanted.baud
    );
    Ok((Player { name: NEAR, id: id.clone(), terminal: Box::new(terminal), port }, id, advice))
}

fn near_radio(wanted: &Wanted) -> Result<(Player, TerminalId, String), SoloError> {
    let wrong = || SoloError::UdpPort { found: wanted.port.clone() };
    let first: u16 = wanted.port.parse().map_err(|_| wrong())?;
    let ports: Vec<u16> = (0..3).map(|n| first.checked_add(n)).collect::<Option<_>>().ok_or_else(wrong)?;
    let services: BTreeMap<u16, u16> = HyteraModem::SERVICES.into_iter().zip(ports.iter().copied()).collect();
    let number = |number| TerminalId::from_number(Bearer::Radio370, number);
    let place = |id: u32| address_of(&number(id)).ok_or(SoloError::Number { found: id });
    let addresses: Vec<Ipv4Addr> = vec![place(BASE_RADIO)?, place(wanted.far)?];
    let modem = HyteraModem::new(127, BASE_RADIO).ok_or(SoloError::Number { found: BASE_RADIO })?;
    let bind: Vec<String> = ports.iter().map(|port| format!("\"{HOST}:{port}\"")).collect();
    let advice = format!(
        "370 兆车台已接好，远端电台地址 {}。\n在本站配置里写：\n  [[link]]\n  name = \"radio\"\n  device = \"hytera\"\n  \
         udp = {{ bind = [{}], peers = [\"127.0.0.0/8\"] }}\n  profile = {{ subnet = 127, base_radio = {BASE_RADIO}, \
         port_rrs = {}, port_lp = {}, port_tmp = {} }}",
        addresses.last().copied().unwrap_or(HOST),
        bind.join(", "),
        ports.first().copied().unwrap_or_default(),
        ports.get(1).copied().unwrap_or_default(),
        ports.get(2).copied().unwrap_or_default(),
    );
    let port = Port::Udp(Radios::on(addresses, services));
    let id = number(BASE_RADIO);
    Ok((Player { name: NEAR, id: id.clone(), terminal: Box::new(modem), port }, id, advice))
}

fn obey(rehearsal: &Rehearsal, card: &TerminalId, line: &str) {
    let act = |who, act| rehearsal.act(who, act);
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [] => {}
        ["/help"] => eprintln!(
            "/sos 按报警键  /unplug 拔线  /plug 插线  /beams 0..4 信号  /suppress on|off 抑制  /card on|off 插拔卡\n\
             /battery low|ok 电量  /feedback off|毫秒 反馈  /reboot 重启"
        ),
        ["/sos"] => act(FAR, Act::Alarm { on: true }),
        ["/unplug"] => rehearsal.unplug(NEAR),
        ["/plug"] => rehearsal.plug(NEAR),
        ["/reboot"] => act(NEAR, Act::Reboot),
        ["/beams", strength] => act(NEAR, Act::Beams { strength: strength.parse().unwrap_or(4) }),
        ["/suppress", on] => act(NEAR, Act::Suppress { on: *on == "on" }),
        ["/card", on] => act(NEAR, Act::Card { present: *on == "on" }),
        ["/battery", state] => act(NEAR, Act::Battery { low: *state == "low" }),
        ["/feedback", after] => {
            act(NEAR, Act::Feedback { after: after.parse().ok().map(Duration::from_millis) });
        }
        [word, ..] if word.starts_with('/') => eprintln!("没有这个操作：{word}；/help 看有哪些"),
        _ => act(FAR, Act::Type { to: Addressee::Terminal(card.clone()), text: line.into() }),
    }
}

fn print(told: &Receiver<super::News>, screen: &mut impl Write) {
    while let Ok(news) = told.recv() {
        let near = news.who == NEAR;
        let line = match news.what {
            What::Plugged if near => "端口就绪".to_owned(),
            What::Unplugged => "已拔线".into(),
            What::HostLeft => "本站放开了端口".into(),
            What::Radiated(message) => match message.said {
                Said::Text { text, .. } if near => format!("本站发出 → {}：{text}", addressee(&message.to)),
                Said::Text { text, .. } => format!("远端发出：{text}"),
                _ => continue,
            },
            What::Lost(_) => "空中丢失一条".into(),
            What::Shown { from, text } => format!("远端屏幕显示（来自 {from}）：{text}"),
            What::PortFailed { why } => format!("端口出错：{why}"),
            _ => continue,
        };
        if writeln!(screen, "[{:>7.1}s] {line}", news.at.as_secs_f64()).is_err() {
            return;
        }
    }
}

fn addressee(to: &Addressee) -> String {
    match to {
        Addressee::Terminal(id) | Addressee::Group(id) => id.to_string(),
        Addressee::Everyone(bearer) => bearer.label().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(device: &str, port: &str) -> Wanted {
        let period = Duration::from_secs(60);
        Wanted { device: device.into(), port: port.into(), number: 142_020, period, level: 3, far: 7, baud: 115_200 }
    }

    /// Free on one address a moment ago; the radios have addresses that nobody else uses.
    fn free_port() -> u16 {
        let socket = std::net::UdpSocket::bind((HOST, 0)).unwrap();
        socket.local_addr().unwrap().port().min(65_533)
    }

    #[test]
    fn a_typed_line_is_a_message_from_the_far_side_and_the_config_to_write_is_shown() {
        for device in DEVICES {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("port");
            let port = if device == "hytera" { free_port().to_string() } else { path.display().to_string() };
            let seen = folder.path().join("seen");
            let screen = std::fs::File::create(&seen).unwrap();
            run(&wanted(device, &port), "求救 三号桥\n".as_bytes(), screen).unwrap();
            let seen = std::fs::read_to_string(seen).unwrap();
            assert!(seen.contains("[[link]]") && seen.contains(&port), "{device}: {seen}");
            assert!(seen.contains("远端发出：求救 三号桥"), "{device}: {seen}");
        }
    }

    #[test]
    fn an_unknown_device_or_port_is_refused_with_the_choices() {
        let refused = |device, port| run(&wanted(device, port), "".as_bytes(), Vec::new()).unwrap_err().to_string();
        assert!(refused("acme", "x").contains("beidou-rdss40"));
        assert!(refused("hytera", "65534").contains("65534"));
    }
}
