//! What messages cost on the air. Needs no running station.

use super::CliError;
use super::words::trouble;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use yizhan_codecs::air::content::Content;
use yizhan_codecs::air::writing::{self, ReadError, WriteError};
use yizhan_codecs::air::{form, text};

/// Packs every line of a file as a station would, reads it back, and says what it costs.
pub(super) fn text(file: &Path, json: bool, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let unreadable = |error: std::io::Error| {
        CliError::Failed(format!("读不了 {}：{}。应为 UTF-8 文本，每行一条报文", file.display(), trouble(&error)))
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
        refused(format!("{} 第 {line} 行不能发送：{}", file.display(), error.label()), &error)
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
pub(super) fn forms(out: &mut dyn Write) -> Result<(), CliError> {
    write!(out, "{}", form::bits_table())?;
    Ok(())
}

/// Says what a text or a keypad line is as a content between stations: its bytes before the seal.
pub(super) fn pack(words: &str, area: &form::Area, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    if words.trim().is_empty() {
        let example = "没有要装的内容：请把文字或按键报表写在引号里，如 yizhan pack \"水位上涨\"";
        return Err(CliError::Usage(example.into()));
    }
    let content = if form::is_line(words) {
        let form = form::read_line(words, area)
            .map_err(|question| CliError::Failed(format!("这一行报表不清楚：{}", question.text)))?;
        writing::of_form(&form, text::own_models()).map_err(|error| match &error {
            WriteError::Text(text) => refused(format!("报表的说明不能发送：{}", text.label()), &error),
            _ => refused("这张表单装不成：请核对各项数字".into(), &error),
        })?
    } else {
        writing::of_text(words, text::own_models()).map_err(|error| match &error {
            WriteError::Text(text) => refused(format!("这段文字不能发送：{}", text.label()), &error),
            _ => refused("这段文字不能发送".into(), &error),
        })?
    };
    let bytes = content.emit().map_err(|error| refused(format!("装不成：{}", error.label()), &error))?;
    writeln!(out, "{}", hex::encode(&bytes))?;
    Ok(ExitCode::SUCCESS)
}

/// Says in words what the bytes of a content are.
pub(super) fn unpack(bytes: &str, area: &form::Area, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let bytes = from_hex(bytes)?;
    let content = Content::parse(&bytes).map_err(|error| refused(format!("读不通：{}", error.label()), &error))?;
    writeln!(out, "{}", words_of(&content, area)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Bytes as people write them down.
pub(super) fn from_hex(bytes: &str) -> Result<Vec<u8>, CliError> {
    let bytes: String = bytes.split_whitespace().collect();
    if bytes.is_empty() {
        return Err(CliError::Usage("没有要读的内容：请给出 yizhan pack 输出的那种十六进制".into()));
    }
    hex::decode(&bytes).map_err(|error| refused(not_hex(error), &error))
}

fn not_hex(error: hex::FromHexError) -> String {
    match error {
        hex::FromHexError::InvalidHexCharacter { c, index } => {
            format!("不是十六进制：第 {} 个字符是“{c}”，只能用 0 到 9、a 到 f", index.saturating_add(1))
        }
        _ => "不是十六进制：两个字符一字节，现在是单数，请核对是否抄漏".into(),
    }
}

pub(super) fn words_of(content: &Content, area: &form::Area) -> Result<String, CliError> {
    match writing::read(content, area) {
        Ok(reading) => Ok(reading.words),
        Err(ReadError::Kind { .. }) => {
            serde_json::to_string(content).map_err(|error| CliError::Failed(error.to_string()))
        }
        Err(error) => Err(match &error {
            ReadError::Text(text) => refused(format!("读不通：{}", text.label()), &error),
            ReadError::Form(form) => refused(format!("{} {}", form.label(), form.hex()), &error),
            _ => refused("读不通：表单后面的说明不合格式".into(), &error),
        }),
    }
}

fn refused(label: String, error: &dyn std::error::Error) -> CliError {
    CliError::Content { label, english: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(words: &str) -> String {
        let (mut hex, mut out) = (Vec::new(), Vec::new());
        let area = form::Area::default();
        pack(words, &area, &mut hex).unwrap();
        unpack(std::str::from_utf8(&hex).unwrap(), &area, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_and_a_keypad_line_are_packed_and_come_back_in_words() {
        assert_eq!(there_and_back("水位超警戒1.2米，速派抢险队。"), "水位超警戒1.2米，速派抢险队。\n");
        let words = there_and_back("#2 水困 共3 伤1 位30.6521,104.0812");
        assert!(words.contains("求救") && words.contains('3'), "{words}");
    }

    #[test]
    fn what_is_no_content_is_refused_in_words() {
        for (bytes, words) in [
            ("ff00", "读不通：第 7 类内容，本版本不认识"),
            ("20", "读不通：第 1 类内容只有开头，没有正文"),
            ("xy", "不是十六进制：第 1 个字符是“x”，只能用 0 到 9、a 到 f"),
            ("001", "不是十六进制：两个字符一字节，现在是单数，请核对是否抄漏"),
            ("1f00", "读不通：本站没有第 31 号文字编码：请对方不用模型重发"),
            (" ", "没有要读的内容：请给出 yizhan pack 输出的那种十六进制"),
        ] {
            assert_eq!(unpack(bytes, &form::Area::default(), &mut Vec::new()).unwrap_err().label(), words, "{bytes}");
        }
    }

    #[test]
    fn nothing_is_not_packed() {
        for nothing in ["", " ", "　"] {
            let error = pack(nothing, &form::Area::default(), &mut Vec::new()).unwrap_err();
            assert!(error.label().starts_with("没有要装的内容"), "{error}");
        }
    }
}
