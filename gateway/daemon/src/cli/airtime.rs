//! What messages cost on the air. Needs no running station.

use super::CliError;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use yizhan_codecs::air::content::Content;
use yizhan_codecs::air::writing::{self, ReadError};
use yizhan_codecs::air::{form, text};

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
pub(super) fn forms(out: &mut dyn Write) -> Result<(), CliError> {
    write!(out, "{}", form::bits_table())?;
    Ok(())
}

/// Says what a text or a keypad line is as a content between stations: its bytes before the seal.
pub(super) fn pack(words: &str, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let content = if form::is_line(words) {
        let form = form::read_line(words, &form::Area::default())
            .map_err(|question| CliError::Failed(format!("这一行报表不清楚：{}", question.text)))?;
        writing::of_form(&form, text::own_models())
            .map_err(|error| CliError::Failed(format!("这张表单装不成：{error}")))?
    } else {
        writing::of_text(words, text::own_models())
            .map_err(|error| CliError::Failed(format!("这段文字不能发送：{error}")))?
    };
    let bytes = content.emit().map_err(|error| CliError::Failed(error.to_string()))?;
    writeln!(out, "{}", hex::encode(&bytes))?;
    Ok(ExitCode::SUCCESS)
}

/// Says in words what the bytes of a content are.
pub(super) fn unpack(bytes: &str, out: &mut dyn Write) -> Result<ExitCode, CliError> {
    let bytes: String = bytes.split_whitespace().collect();
    let bytes = hex::decode(&bytes).map_err(|error| CliError::Usage(format!("不是十六进制：{error}")))?;
    let content = Content::parse(&bytes).map_err(|error| CliError::Failed(format!("读不通：{error}")))?;
    writeln!(out, "{}", words_of(&content)?)?;
    Ok(ExitCode::SUCCESS)
}

fn words_of(content: &Content) -> Result<String, CliError> {
    match writing::read(content, &form::Area::default()) {
        Ok(reading) => Ok(reading.words),
        Err(ReadError::Kind { .. }) => {
            serde_json::to_string(content).map_err(|error| CliError::Failed(error.to_string()))
        }
        Err(ReadError::Form(error)) => Err(CliError::Failed(format!("{} {}", error.label(), error.hex()))),
        Err(error) => Err(CliError::Failed(format!("{}：{error}", error.reason().label()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(words: &str) -> String {
        let (mut hex, mut out) = (Vec::new(), Vec::new());
        pack(words, &mut hex).unwrap();
        unpack(std::str::from_utf8(&hex).unwrap(), &mut out).unwrap();
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
        let error = unpack("ff00", &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("读不通"), "{error}");
        assert!(unpack("xyz", &mut Vec::new()).is_err());
    }
}
