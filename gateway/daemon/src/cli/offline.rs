//! Commands that need no running station: check, verify, explain, airtime.

use super::{CliError, Explain, Place};
use crate::config::{Config, Link, NetConfig, Tcp, TcpWay};
use crate::storage;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::device::Direction;
use yizhan_codecs::explain::{explain_line, explain_recorded, explain_words, wire_bytes};
use yizhan_codecs::message::StationId;

/// Says what a station with this config would do, or why it would not start.
pub(super) fn check(path: &Path, config: &Config, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let keys = config.open_nets();
    match &keys {
        Ok(_) => writeln!(out, "配置 {} 无误", path.display())?,
        Err(_) => writeln!(out, "配置 {} 写法无误，但站间网的密钥不可用，本站启动不了", path.display())?,
    }
    writeln!(out, "本站 {} {}", config.station.number, config.station.name)?;
    writeln!(out, "日志 {}", config.journal.path.display())?;
    writeln!(out, "接口 http://{}", config.api.listen)?;
    if !config.api.listen.ip().is_loopback() {
        writeln!(out, "  注意：接口对外开放且未加密，令牌会被同网的人看到")?;
    }
    if let Some(dir) = &config.capture.dir {
        writeln!(
            out,
            "抓包 {}（每个文件 {} 字节，留 {} 个）",
            dir.display(),
            config.capture.file_size.0,
            config.capture.files
        )?;
    }
    for net in &config.nets {
        writeln!(out, "{}", net_words(config, net))?;
    }
    if config.links.is_empty() {
        writeln!(out, "没有链路：本站收不到也发不出")?;
    }
    for link in &config.links {
        writeln!(out, "{}", link_words(link))?;
    }
    Ok(if keys.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn net_words(config: &Config, net: &NetConfig) -> String {
    let traffic = if net.traffic == Traffic::Exercise { "演练" } else { "真实" };
    let keys = match StationId::new(config.station.number).map(|me| net.open(me)) {
        Some(Ok(_)) => "密钥可用".to_owned(),
        Some(Err(error)) => error.label(),
        None => String::new(),
    };
    format!("站间网 {}  {traffic}  中心 {} 号站  第 {} 期  {keys}", net.id, net.centre, net.epoch)
}

fn link_words(link: &Link) -> String {
    let port = match (&link.serial, &link.udp) {
        (Some(serial), _) if serial.port.exists() => format!("串口 {} {} 波特", serial.port.display(), serial.baud),
        (Some(serial), _) => format!("串口 {}（现在不存在，插上后自动接通）", serial.port.display()),
        (None, Some(udp)) => {
            let bind: Vec<String> = udp.bind.iter().map(ToString::to_string).collect();
            let whom = if udp.any_peer { "任何来源" } else { "只收已列出的来源" };
            format!("数据报 {}，{whom}", bind.join(" "))
        }
        (None, None) => match link.tcp.as_ref().and_then(Tcp::way) {
            Some(TcpWay::Connect(address)) => format!("TCP 主动连接 {address}，断了自动重连"),
            Some(TcpWay::Listen(address)) => format!("TCP 在 {address} 等终端连接，只收已列出的来源，一次一台"),
            None => String::new(),
        },
    };
    match link.codec() {
        Ok(codec) => {
            let limits = codec.limits();
            format!("链路 {}  {}（{}）  {port}\n  {}", link.name, link.device, limits.bearer.label(), limits.confirms)
        }
        Err(error) => format!("链路 {}  {}  {port}\n  {error}", link.name, link.device),
    }
}

pub(super) fn verify(place: &Place, journal: Option<PathBuf>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let path = journal.map_or_else(|| place.journal(), Ok)?;
    if !path.exists() {
        return Err(CliError::Failed(format!("没有日志文件 {}", path.display())));
    }
    let verdict = storage::verify(&path)?;
    writeln!(out, "日志 {}", path.display())?;
    writeln!(out, "记录 {} 条，依法抹除 {} 条", verdict.records, verdict.erased)?;
    writeln!(out, "链尾 {}", hex::encode(verdict.head))?;
    let mut faults = verdict.faults.iter().map(storage::Fault::label).collect::<Vec<_>>();
    if verdict.fault_count == 0 && verdict.erased == 0 {
        faults.extend(fold(&path, out)?);
    }
    for fault in &faults {
        writeln!(out, "有误：{fault}")?;
    }
    let unlisted = verdict.fault_count.saturating_sub(u64::try_from(verdict.faults.len()).unwrap_or(u64::MAX));
    if unlisted > 0 {
        writeln!(out, "另有 {unlisted} 处未列出")?;
    }
    writeln!(out, "{}", if faults.is_empty() { "完好" } else { "不完好：请保留原文件并从备份恢复" })?;
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Folds the whole journal, and again from each snapshot: both must come to the same state.
fn fold(path: &Path, out: &mut dyn Write) -> Result<Vec<String>, CliError> {
    let folded = storage::fold(path)?;
    match folded {
        storage::Folded::Whole { state, snapshots } => {
            let same = match snapshots {
                0 => String::new(),
                count => format!("；{count} 个快照各加其后的记录，结果相同"),
            };
            writeln!(out, "状态 {}（从第一条起重算{same}）", hex::encode(state))?;
            Ok(Vec::new())
        }
        storage::Folded::Unreadable { offset, why } => Ok(vec![format!("第 {offset} 条不能重算：{why}")]),
        storage::Folded::Differs { snapshot } => {
            Ok(vec![format!("从第 {snapshot} 条处的快照起算，与从第一条起算的结果不同")])
        }
    }
}

/// One line out for every line in, whatever stands there: the caller counts on it.
fn explain_lines<R: Read>(lines: &mut BufReader<R>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = String::from_utf8_lossy(&line);
        writeln!(out, "{}", explain_line(text.trim_end_matches(['\n', '\r'])))?;
        line.clear();
        // A caller that writes a line and waits for its answer gets it; one that pipes a file pays no flush a line.
        if lines.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// A capture, or a file of `vectors/`, for a person: frame by frame.
fn explain_file<R: Read>(file: BufReader<R>, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let (mut lines, mut unread) = (0_u64, 0_u64);
    for line in file.split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        if line.trim().is_empty() {
            continue;
        }
        let (words, good) = explain_recorded(&line);
        writeln!(out, "{}", words.trim_end())?;
        writeln!(out)?;
        lines += 1;
        unread += u64::from(!good);
    }
    writeln!(out, "共 {lines} 行，{unread} 行读不通")?;
    out.flush()?;
    Ok(if unread == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(super) fn explain(explain: &Explain, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let file = match &explain.frame {
        Some(name) if Path::new(name).is_file() => Some(BufReader::with_capacity(1 << 16, File::open(name)?)),
        Some(name) if explain.jsonl || name.ends_with(".jsonl") => {
            return Err(CliError::Usage(format!("没有文件 {name}")));
        }
        _ => None,
    };
    let mut stdin = BufReader::with_capacity(1 << 16, std::io::stdin().lock());
    match (file, explain.jsonl) {
        (Some(mut file), true) => return explain_lines(&mut file, &mut out),
        (None, true) => return explain_lines(&mut stdin, &mut out),
        (Some(file), false) => return explain_file(file, &mut out),
        (None, false) => {}
    }
    let direction = Direction::from_name(&explain.direction).ok_or_else(|| {
        CliError::Usage(format!("不认识的方向 {}（to_terminal、from_terminal、any）", explain.direction))
    })?;
    let mut good = true;
    let mut one = |frame: &str, out: &mut dyn Write| -> Result<(), CliError> {
        let (hex, text) = if explain.text { (None, Some(frame)) } else { (Some(frame), None) };
        let words = wire_bytes(hex, text, Some(&explain.charset))
            .and_then(|bytes| explain_words(explain.protocol.as_deref(), direction, &bytes));
        match words {
            Ok(words) => writeln!(out, "{words}")?,
            Err(error) => {
                good = false;
                writeln!(out, "{}\n", error.words())?;
            }
        }
        Ok(())
    };
    match &explain.frame {
        Some(frame) => one(frame, &mut out)?,
        None => {
            for line in stdin.lines() {
                one(line?.trim(), &mut out)?;
            }
        }
    }
    out.flush()?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
