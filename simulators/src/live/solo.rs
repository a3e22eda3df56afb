//! One simulated terminal at somebody's keyboard: shows what it hears, and sends what is typed as a message from the far
//! side.

use super::{HOST, Player, Port, PortError, Radios, Rehearsal, What, address_of};
use crate::seed::Seed;
use crate::terminal::handset::{Habits, Handset};
use crate::terminal::kinds::{KINDS, Kind, Wiring, Wish};
use crate::terminal::{Act, Said};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::mpsc::Receiver;
use std::time::Duration;
use thiserror::Error;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

const NEAR: &str = "near";
const FAR: &str = "far";
/// The first byte of loopback addresses, which the radios have.
const SUBNET: u8 = 127;

/// What the person asked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub device: String,
    /// The path to make, for datagrams the first of the UDP ports, for TCP the address to listen on.
    pub port: String,
    /// The terminal's own number; `None` = the kind's usual one.
    pub number: Option<String>,
    /// 服务频度 of the card.
    pub period: Duration,
    /// 通信等级 of the card.
    pub level: u8,
    /// The number of the handheld on the far side; `None` = the kind's usual one.
    pub far: Option<String>,
    pub baud: u32,
}

/// Why a terminal could not be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SoloError {
    #[error("no device {name:?}; devices: {}", known())]
    UnknownDevice { name: String },
    #[error("{found:?} is no UDP port with room for {more} more after it")]
    UdpPort { found: String, more: u16 },
    #[error("{found:?} is no address: write ADDRESS:PORT, e.g. 127.0.0.1:4403")]
    Address { found: String },
    #[error("number {found} does not fit the device")]
    Number { found: String },
    #[error(transparent)]
    Port(#[from] PortError),
    #[error("the screen or the keyboard failed: {0}")]
    Screen(#[from] std::io::Error),
}

impl SoloError {
    /// What is wrong and what to write instead, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownDevice { name } => format!("没有设备“{name}”：可用 {}", known()),
            Self::UdpPort { found, more } => {
                format!("“{found}”不是 UDP 端口，或后面放不下另 {more} 个：请写一个小些的数")
            }
            Self::Address { found } => format!("“{found}”不是地址：请写“地址:端口”，如 127.0.0.1:4403"),
            Self::Number { found } => format!("号码 {found} 不合这种设备"),
            Self::Port(_) => "端口建不起来：请看路径的文件夹在不在，或换一个端口".into(),
            Self::Screen(_) => "屏幕或键盘断了".into(),
        }
    }
}

/// Runs until the keyboard ends.
///
/// # Errors
/// [`SoloError`]
pub fn run(wanted: &Wanted, keyboard: impl BufRead, screen: impl Write + Send + 'static) -> Result<(), SoloError> {
    let kind = Kind::named(&wanted.device).ok_or_else(|| SoloError::UnknownDevice { name: wanted.device.clone() })?;
    let bearer = kind.bearer().ok_or_else(|| SoloError::UnknownDevice { name: wanted.device.clone() })?;
    let number = |given: &Option<String>, usual: &str| TerminalId::new(bearer, given.as_deref().unwrap_or(usual));
    let (card, far) = (number(&wanted.number, kind.usual.0), number(&wanted.far, kind.usual.1));
    let seed = Seed::new(1).stream(&card.to_string());
    let (near, advice) = near(kind, wanted, &card, &far, &seed)?;
    let period = if bearer == Bearer::Beidou { Duration::from_secs(1) } else { Duration::ZERO };
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

fn known() -> String {
    KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")
}

/// The terminal at its port, and what to write into the station's config.
fn near(
    kind: &Kind,
    wanted: &Wanted,
    own: &TerminalId,
    far: &TerminalId,
    seed: &Seed,
) -> Result<(Player, String), SoloError> {
    let (port, way, more) = match kind.wiring {
        Wiring::Serial => {
            let way = format!("serial = {{ port = {:?}, baud = {} }}", wanted.port, wanted.baud);
            (Port::serial(Path::new(&wanted.port), wanted.baud, seed), way, Vec::new())
        }
        Wiring::Stream => {
            let at = wanted.port.parse().map_err(|_| SoloError::Address { found: wanted.port.clone() })?;
            (Port::tcp_at(at, seed), format!("tcp = {{ connect = \"{at}\" }}"), Vec::new())
        }
        Wiring::Datagrams(services) => datagrams(services, wanted, own, far)?,
    };
    let Wanted { period, level, .. } = *wanted;
    let profile = &Profile::default();
    let wish = Wish { own: own.clone(), period, level, subnet: Some(SUBNET), profile, seed };
    let terminal = kind.make(wish).ok_or_else(|| SoloError::Number { found: own.number().into() })?;
    let card = if own.bearer == Bearer::Beidou {
        format!("，服务频度 {} 秒，等级 {level}", period.as_secs())
    } else {
        String::new()
    };
    let config = kind.config(own, &way, &more);
    let advice = format!("模拟终端 {} 已接好：号码 {}{card}。\n在本站配置里写：\n{config}", kind.name, own.number());
    Ok((Player { name: NEAR, id: own.clone(), terminal, port }, advice))
}

/// Radios behind a base radio: an address each, and the services on ports as far from each other as the usual ones are,
/// since the ports between may have a meaning too.
fn datagrams(
    services: &[(u16, &str)],
    wanted: &Wanted,
    own: &TerminalId,
    far: &TerminalId,
) -> Result<(Port, String, Vec<String>), SoloError> {
    let lowest = services.iter().map(|(service, _)| *service).min().unwrap_or_default();
    let offsets = services.iter().map(|(service, _)| service.saturating_sub(lowest));
    let more = offsets.clone().max().unwrap_or_default();
    let wrong = || SoloError::UdpPort { found: wanted.port.clone(), more };
    let first: u16 = wanted.port.parse().map_err(|_| wrong())?;
    let ports: Vec<u16> = offsets.map(|offset| first.checked_add(offset)).collect::<Option<_>>().ok_or_else(wrong)?;
    let place = |id: &TerminalId| address_of(id).ok_or_else(|| SoloError::Number { found: id.number().into() });
    let addresses: Vec<Ipv4Addr> = vec![place(own)?, place(far)?];
    let bind: Vec<String> = ports.iter().map(|port| format!("\"{HOST}:{port}\"")).collect();
    let way = format!("udp = {{ bind = [{}], peers = [\"127.0.0.0/8\"] }}", bind.join(", "));
    let keys = services.iter().zip(&ports).map(|((_, key), port)| format!("{key} = {port}"));
    let more = std::iter::once(format!("subnet = {SUBNET}")).chain(keys).collect();
    let used: BTreeMap<u16, u16> = services.iter().map(|(service, _)| *service).zip(ports).collect();
    Ok((Port::Udp(Radios::on(addresses, used)), way, more))
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
        let (device, port) = (device.into(), port.into());
        Wanted { device, port, number: None, period, level: 3, far: None, baud: 115_200 }
    }

    /// Free on one address a moment ago; the radios have addresses that nobody else uses.
    fn free_port() -> u16 {
        let socket = std::net::UdpSocket::bind((HOST, 0)).unwrap();
        socket.local_addr().unwrap().port().min(65_527)
    }

    #[test]
    fn a_typed_line_is_a_message_from_the_far_side_and_the_config_to_write_is_shown() {
        for kind in KINDS {
            let device = kind.name;
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("port");
            let port = match kind.wiring {
                Wiring::Serial => path.display().to_string(),
                Wiring::Stream => format!("{HOST}:{}", free_port()),
                Wiring::Datagrams(_) => free_port().to_string(),
            };
            let seen = folder.path().join("seen");
            let screen = std::fs::File::create(&seen).unwrap();
            run(&wanted(device, &port), "求救 三号桥\n".as_bytes(), screen).unwrap();
            let seen = std::fs::read_to_string(seen).unwrap();
            assert!(seen.contains("[[link]]") && seen.contains(&port), "{device}: {seen}");
            assert!(seen.contains("远端发出：求救 三号桥"), "{device}: {seen}");
        }
    }

    #[test]
    fn a_repeater_calls_its_host_from_an_address_that_it_has() {
        let host = std::net::UdpSocket::bind((HOST, 0)).unwrap();
        host.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let first = host.local_addr().unwrap().port();
        let kind = Kind::named("hytera-hstrp").unwrap();
        let [own, far] = [kind.usual.0, kind.usual.1].map(|number| TerminalId::new(Bearer::Radio370, number));
        let seed = Seed::new(1);
        let (near, advice) = near(kind, &wanted("hytera-hstrp", &first.to_string()), &own, &far, &seed).unwrap();
        assert!(advice.contains(&format!("hstrp_lp = {}", first + 2)), "slot 2 of the first lies between: {advice}");
        let (_rehearsal, _told) = Rehearsal::begin(&seed, BTreeMap::new(), vec![near]).unwrap();
        let (_, from) = host.recv_from(&mut [0; 512]).expect("a datagram of the repeater");
        assert_eq!((from.ip(), from.port()), (address_of(&own).unwrap().into(), first));
    }

    #[test]
    fn an_unknown_device_or_port_is_refused_with_the_choices() {
        let refused = |device, port| run(&wanted(device, port), "".as_bytes(), Vec::new()).unwrap_err().to_string();
        assert!(refused("nosuch", "x").contains("beidou-rdss40"));
        assert!(refused("hytera", "65535").contains("65535"));
    }
}
