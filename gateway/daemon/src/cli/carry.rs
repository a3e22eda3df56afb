//! By courier: a file, or QR codes on the screen to be photographed.

use super::client::Client;
use super::talk::me;
use super::words::{self, number};
use super::{CarryWhat, CliError};
use qrcode::{EcLevel, QrCode};
use serde_json::json;
use std::io::Write;
use std::path::Path;
use yizhan_codecs::air::carry;

pub(super) fn perform(client: &Client, what: &CarryWhat, out: &mut dyn Write) -> Result<(), CliError> {
    match what {
        CarryWhat::Export { to, out: file, qr } => export(client, to, file.as_deref(), *qr, out),
        CarryWhat::Import { file } => import(client, file, out),
    }
}

fn export(client: &Client, to: &str, file: Option<&Path>, qr: bool, out: &mut dyn Write) -> Result<(), CliError> {
    if file.is_none() && !qr {
        return Err(CliError::Usage("请给出 --out 文件，或用 --qr 在屏幕上显示二维码".into()));
    }
    let carried = client.call("POST", "/api/v1/carry/export", Some(&json!({ "to": to, "by": me() })))?;
    let lines: Vec<&str> = words::list(&carried, "lines").iter().filter_map(|line| line.as_str()).collect();
    let (messages, receipts) = (number(&carried, "messages"), number(&carried, "receipts"));
    if lines.is_empty() {
        return Err(CliError::Failed(format!("没有要带给 {to} 的报文和回执，没有写文件")));
    }
    if let Some(file) = file {
        let text = lines.join("\n");
        crate::api::write_private(file, &text)
            .map_err(|error| CliError::Failed(format!("{} 写不了：{}", file.display(), words::trouble(&error))))?;
        writeln!(out, "已写 {}：{messages} 条报文、{receipts} 条回执，{} 行", file.display(), lines.len())?;
        writeln!(out, "已加密，可用 U 盘送去；对方执行 yizhan carry import 文件。读几次都一样")?;
    }
    if qr {
        for (at, line) in (1..).zip(&lines) {
            writeln!(out, "第 {at}/{} 个二维码（{messages} 条报文、{receipts} 条回执），顺序不限", lines.len())?;
            writeln!(out, "{}", picture(line)?)?;
        }
    }
    Ok(())
}

fn picture(line: &str) -> Result<String, CliError> {
    let code = QrCode::with_error_correction_level(line, EcLevel::L)
        .map_err(|error| CliError::Failed(format!("这一行做不成二维码（{error}）：请改用 --out 文件")))?;
    Ok(code.render::<qrcode::render::unicode::Dense1x2>().quiet_zone(true).build())
}

fn import(client: &Client, file: &Path, out: &mut dyn Write) -> Result<(), CliError> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(file)
            .map_err(|error| CliError::Usage(format!("{} 读不出：{}", file.display(), words::trouble(&error))))?
    };
    // Looked at here first, so that the line is named before anything is asked.
    carry::read(&text).map_err(|error| CliError::Usage(format!("{}：{}", file.display(), label(&error))))?;
    let brought = client.call("POST", "/api/v1/carry/import", Some(&json!({ "text": text, "by": me() })))?;
    let [frames, own, refused, new, copies, receipts] =
        ["frames", "own", "refused", "new", "copies", "receipts"].map(|key| number(&brought, key));
    writeln!(out, "读入 {frames} 帧：新报文 {new} 条，已有的 {copies} 条，回执 {receipts} 帧")?;
    if own > 0 {
        writeln!(out, "另有 {own} 帧是本站自己写的：请送到收的那个站去读")?;
    }
    if refused > 0 {
        writeln!(out, "另有 {refused} 帧不收：不是本网的，或来报的站不在名册，或已经读过")?;
    }
    Ok(())
}

fn label(error: &carry::CarryError) -> String {
    use carry::CarryError as E;
    match error {
        E::Nothing => format!("没有以 {} 开头的行：不是驿站的携带文件", carry::MARK),
        E::Hex { line } | E::Check { line } | E::Frame { line, .. } => {
            format!("第 {line} 行坏了或不全：请重新拷贝或重新扫这一个码")
        }
        E::TooMany => format!("超过 {} 行：请分几次读", carry::LINES_MAX),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_two_frames_is_a_code_that_fits_the_screen() {
        let line = carry::write([[7_u8; 77].as_slice(), &[9; 77]]).remove(0);
        let picture = picture(&line).unwrap();
        let width = picture.lines().map(|line| line.chars().count()).max().unwrap();
        assert!((40..=80).contains(&width), "{width} columns");
    }
}
