//! What sealed frames say, for whoever holds the keys: they are looked at, not taken in. Needs no running station.
//!
//! Fourteen bits of a counter are in the frame, and nobody tells the rest: every one of the 262,144 that it may be is tried,
//! the lowest first. The tag decides.

use super::CliError;
use super::airtime::words_of;
use crate::config::Config;
use std::io::Write;
use std::process::ExitCode;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::form::Area;
use yizhan_codecs::air::fragment::Partial;
use yizhan_codecs::air::frame::{ClearMessage, Door, Message, OpenError, Opened, Proven, open_clear_object};
use yizhan_codecs::air::header::{Destination, Header, Kind, SEQ_BITS};
use yizhan_codecs::air::key::Proof;
use yizhan_codecs::air::limits::{Bearing, FRAME_MAX};
use yizhan_codecs::air::nonce::{Digest, Number};
use yizhan_codecs::air::replay::Replay;
use yizhan_codecs::message::{MessageId, StationId};
use yizhan_engine::config::AirNet;

/// What the frames turned out to be.
enum Seen {
    Message(Message),
    Clear(ClearMessage),
    /// Receipts and beacons, as they are.
    Other(Proven, String),
}

/// Opens one frame, or the rows of one message, with the keys of the config.
pub(super) fn unpack(config: &Config, frames: &[String], out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let frames: Vec<Vec<u8>> = frames.iter().map(|frame| super::airtime::from_hex(frame)).collect::<Result<_, _>>()?;
    let nets = config.open_nets().map_err(|error| CliError::Usage(error.label()))?;
    let area = config.for_engine().map(|engine| engine.area).unwrap_or_default();
    let first = frames.first().map(Vec::as_slice).unwrap_or_default();
    let (header, _) = Header::parse(first).map_err(|error| failed("不是站间帧", &error))?;
    let mut why = OpenError::NoSource;
    for net in &nets {
        for bearing in [Bearing::closed(FRAME_MAX), Bearing::open(FRAME_MAX)] {
            match look(&Door { cipher: &*net.cipher, net: &net.net, bearing: &bearing }, &header, &frames) {
                Ok(seen) => return show(net, &seen, &area, out).map(|()| ExitCode::SUCCESS),
                Err(error) => why = error,
            }
        }
    }
    Err(match why {
        _ if nets.is_empty() => CliError::Usage("配置里没有站间网：请写 [[net]] 和密钥文件".into()),
        OpenError::Own { .. } => CliError::Failed("这是本站自己发的帧：请到收的那个站去读".into()),
        OpenError::Fragment(error) => failed("帧不够，或者不是同一条报文的：请把收到的各帧都写上", &error),
        error => failed("打不开：不是本网发给本站的，期号不对，或者路上坏了", &error),
    })
}

fn failed(label: &str, error: &dyn std::error::Error) -> CliError {
    CliError::Content { label: label.into(), english: error.to_string() }
}

fn look(door: &Door<'_>, header: &Header, frames: &[Vec<u8>]) -> Result<Seen, OpenError> {
    let source = header.src.ok_or(OpenError::NoSource)?;
    let epoch = door.net.epoch_of(header.epoch_bit).unwrap_or(door.net.epoch);
    if header.kind == Kind::Extended {
        return look_at(door, &Replay::new(), frames);
    }
    let mut why = OpenError::NoSource;
    for high in 0..=u32::MAX >> SEQ_BITS {
        let counter = high << SEQ_BITS | u32::from(header.seq);
        match look_at(door, &counting(source, epoch, counter), frames) {
            // Only another counter can mend a wrong tag.
            Err(error @ OpenError::Seal(_)) => why = error,
            other => return other,
        }
    }
    Err(why)
}

/// A memory in which the source stands at this counter.
fn counting(src: StationId, epoch: u16, counter: u32) -> Replay {
    let mut replay = Replay::new();
    replay.accept(Number { src, epoch, counter }, Digest::of(b"looked at"), 0);
    replay
}

fn look_at(door: &Door<'_>, replay: &Replay, frames: &[Vec<u8>]) -> Result<Seen, OpenError> {
    let mut rows: Option<(Option<Number>, Partial)> = None;
    for frame in frames {
        let (number, row) = match door.open(replay, None, frame)? {
            Opened::Single(message) => return Ok(Seen::Message(message)),
            Opened::Clear(message) => return Ok(Seen::Clear(message)),
            Opened::Receipts { proven, receipts } => {
                return Ok(Seen::Other(proven, format!("回执 {}", json(&receipts))));
            }
            Opened::Bundle { proven, receipts } => return Ok(Seen::Other(proven, format!("回执 {}", json(&receipts)))),
            Opened::Beacon { proven, beacon } => return Ok(Seen::Other(proven, format!("信标 {}", json(&beacon)))),
            Opened::Row(sealed) => (Some(sealed.number), sealed.row),
            Opened::ClearRow(row) => (None, row),
        };
        let (_, partial) = rows.get_or_insert_with(|| (number, Partial::begin(&row)));
        partial.add(&row)?;
    }
    match rows {
        Some((Some(number), partial)) => door.open_object(number, &partial).map(Seen::Message),
        Some((None, partial)) => open_clear_object(&partial).map(Seen::Clear),
        None => Err(OpenError::NoSource),
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

fn show(net: &AirNet, seen: &Seen, area: &Area, out: &mut dyn Write) -> Result<(), CliError> {
    match seen {
        Seen::Other(proven, words) => {
            head(net, proven, out)?;
            writeln!(out, "{words}")?;
        }
        Seen::Message(message) => {
            head(net, &message.proven, out)?;
            let protected = message.protected.as_ref().map_err(|error| failed("内容读不通", error))?;
            writeln!(out, "{}", words_of(&protected.content, area)?)?;
            if !protected.riding.is_empty() {
                writeln!(out, "随带回执 {}", json(&protected.riding))?;
            }
        }
        Seen::Clear(message) => {
            let from =
                message.header.src.map_or_else(|| "没有写站号".into(), |src| format!("自称 {} 号站", src.number()));
            writeln!(out, "{}  {from}  明文", ClearMessage::LABEL)?;
            let protected = message.protected.as_ref().map_err(|error| failed("内容读不通", error))?;
            writeln!(out, "{}", words_of(&protected.content, area)?)?;
        }
    }
    Ok(())
}

/// From whom to whom, under which number, and what proves it.
fn head(net: &AirNet, proven: &Proven, out: &mut dyn Write) -> Result<(), CliError> {
    let Number { src, epoch, counter } = proven.number;
    let id = MessageId { station: src, counter };
    let to = match proven.dst {
        Destination::Everyone => "各站".into(),
        Destination::CommandPost => "指挥所".into(),
        Destination::Station(station) => format!("{} 号站", station.number()),
        Destination::Role(_) | Destination::Group(_) => "一组站".into(),
    };
    let proof = if proven.proof == Proof::Pair { "只有它与中心站能造" } else { "本网的站都能造" };
    let traffic = if net.net.traffic == Traffic::Exercise { "演练网" } else { "网" };
    writeln!(
        out,
        "{} 号站 → {to}  编号 {id}（计数 {counter}）  {}  认证码 {} 位，{proof}  {traffic} {} 第 {epoch} 期",
        src.number(),
        proven.precedence.label(),
        proven.tag.len() * 8,
        net.net.id
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KeyFile;
    use std::path::Path;
    use yizhan_codecs::air::content::Protected;
    use yizhan_codecs::air::frame::{Frames, Letter};
    use yizhan_codecs::air::nonce::Spent;
    use yizhan_codecs::air::{text, writing};
    use yizhan_codecs::message::Precedence;

    const COUNTER: u32 = 40_007;
    const WORDS: &str = "水位超警戒1.2米，速派抢险队到青龙村东堤，另请带三百条编织袋和两台水泵。";

    /// The config of a station of a net whose keys are in this folder.
    fn config(folder: &Path, station: u16) -> Config {
        let net = format!("[[net]]\nid = 5\ncentre = 1\nepoch = 2\nkey = \"{station}.key\"\n");
        Config::parse(&folder.join("gateway.toml"), &format!("[station]\nnumber = {station}\n{net}")).unwrap()
    }

    fn keys(folder: &Path) {
        let net = KeyFile::new_net(5).unwrap();
        net.write(&folder.join("1.key")).unwrap();
        net.issue(StationId::new(7).unwrap(), &[2]).unwrap().write(&folder.join("7.key")).unwrap();
    }

    /// Frames of station 7 to the command post.
    fn sealed(folder: &Path, words: &str, mtu: usize) -> Vec<String> {
        let net = config(folder, 7).open_nets().unwrap().remove(0);
        let bearing = Bearing::closed(mtu);
        let door = Door { cipher: &*net.cipher, net: &net.net, bearing: &bearing };
        let protected = Protected::from(writing::of_text(words, text::own_models()).unwrap());
        let (precedence, dst) = (Precedence::Immediate, Destination::CommandPost);
        let letter = Letter { counter: COUNTER, precedence, dst, protected, order: false };
        let frames: Frames = door.seal(&mut Spent::default(), &letter).unwrap();
        (0..frames.needed()).map(|row| hex::encode(door.frame(&frames, row).unwrap())).collect()
    }

    fn read(folder: &Path, station: u16, frames: &[String]) -> Result<String, String> {
        let mut out = Vec::new();
        let read = unpack(&config(folder, station), frames, &mut out);
        read.map(|_| String::from_utf8(out).unwrap()).map_err(|error| error.label())
    }

    #[test]
    fn a_frame_and_the_rows_of_a_message_are_read_with_the_keys_of_the_config_whatever_their_counter() {
        let folder = tempfile::tempdir().unwrap();
        keys(folder.path());
        for mtu in [77, 30] {
            let frames = sealed(folder.path(), WORDS, mtu);
            assert_eq!(frames.len() > 1, mtu == 30);
            let words = read(folder.path(), 1, &frames).unwrap();
            let (head, said) = words.trim_end().split_once('\n').unwrap();
            assert!(head.starts_with("7 号站 → 指挥所  编号 "), "{head}");
            assert!(head.contains("计数 40007") && head.contains("特急") && head.contains("网 5 第 2 期"), "{head}");
            assert_eq!(said, WORDS);
        }
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let folder = tempfile::tempdir().unwrap();
        keys(folder.path());
        let rows = sealed(folder.path(), WORDS, 30);
        let missing = read(folder.path(), 1, &rows[..1]).unwrap_err();
        assert!(missing.contains("帧不够"), "{missing}");
        assert!(read(folder.path(), 7, &rows).unwrap_err().contains("本站自己发的"));
        let short = read(folder.path(), 1, &["47".to_owned()]).unwrap_err();
        assert!(short.contains("不是站间帧"), "{short}");
        assert!(read(folder.path(), 1, &["4x".to_owned()]).unwrap_err().contains("不是十六进制"));
    }
}
