//! What messages cost on the air. Needs no running station.

use super::CliError;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use yizhan_codecs::air::form::bits_table;
use yizhan_codecs::air::text;

/// Packs every line of a file as a station would, reads it back, and says what it costs.
pub(super) fn text(file: &Path, json: bool, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::Failed(format!("读不了 {}：{error}。文件应为 UTF-8 文本，每行一条报文", file.display()))
    };
    let content = std::fs::read_to_string(file).map_err(unreadable)?;
    let lines: Vec<(usize, &str)> =
        (1..).zip(content.lines()).map(|(number, line)| (number, line.trim_end_matches('\r'))).collect();
    let messages: Vec<(usize, &str)> = lines.into_iter().filter(|(_, line)| !line.is_empty()).collect();
    // The model is unpacked once, when the station starts; no message waits for it.
    text::warm_up();
    let timed = |job: &mut dyn FnMut()| {
        let from = Instant::now();
        job();
        from.elapsed()
    };
    let scored = text::score(messages.iter().map(|(_, line)| *line), timed);
    let (score, each) = scored.map_err(|(number, error)| {
        let line = messages.get(number - 1).map_or(number, |(line, _)| *line);
        CliError::Failed(format!("{} 第 {line} 行不能发送：{error}", file.display()))
    })?;
    if json {
        let words = serde_json::to_string(&score).map_err(|error| CliError::Failed(error.to_string()))?;
        writeln!(out, "{words}")?;
        return Ok(ExitCode::SUCCESS);
    }
    for ((line, message), cost) in messages.iter().zip(&each) {
        writeln!(out, "第{line}行  {} 字 → {} 字节，{} 个时隙  {message}", cost.chars, cost.bytes, cost.slots)?;
    }
    writeln!(
        out,
        "共 {} 条 {} 字，{} 字节，每字 {:.2} 比特",
        score.messages, score.chars, score.bytes, score.bits_per_char
    )?;
    writeln!(
        out,
        "一个 77 字节时隙装得下 {:.1}%，共需 {} 个时隙；最慢一条 {:.1} 毫秒；模型 {} 字节",
        score.one_slot_share * 100.0,
        score.slots_77,
        score.worst_ms,
        score.model_bytes
    )?;
    Ok(ExitCode::SUCCESS)
}

/// What each form costs on the air.
pub(super) fn form(out: &mut dyn Write) -> Result<(), CliError> {
    write!(out, "{}", bits_table())?;
    Ok(())
}
