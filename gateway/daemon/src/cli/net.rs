//! Making a net and issuing keys. Needs no running station.

use super::words::trouble;
use super::{CliError, NetWhat};
use crate::config::KeyFile;
use std::io::Write;
use std::path::Path;
use yizhan_codecs::message::StationId;

pub(super) fn perform(what: &NetWhat, out: &mut dyn Write) -> Result<(), CliError> {
    match what {
        NetWhat::New { id, out: path } => {
            let key = KeyFile::new_net(*id).map_err(|error| CliError::Failed(format!("系统没有随机数：{error}")))?;
            write_key(&key, path)?;
            writeln!(out, "网 {id} 的中心站密钥已写到 {}", path.display())?;
            writeln!(out, "只放在中心站，另存一份锁起来；各站的密钥用 yizhan net issue 发")?;
        }
        NetWhat::Issue { key, station, epoch, out: path } => {
            let centre = KeyFile::read(key).map_err(|error| CliError::Usage(error.label()))?;
            let station = StationId::new(*station).ok_or_else(|| CliError::Usage("站号应为 1 到 1023".into()))?;
            let issued = centre.issue(station, epoch).ok_or_else(|| {
                CliError::Usage(format!("{} 不是中心站的密钥文件：只有中心站能发密钥", key.display()))
            })?;
            write_key(&issued, path)?;
            let epochs: Vec<String> = epoch.iter().map(ToString::to_string).collect();
            let (net, station) = (issued.net(), station.number());
            writeln!(out, "网 {net} 第 {} 期 {station} 号站的密钥已写到 {}", epochs.join("、"), path.display())?;
            writeln!(out, "用 U 盘送到该站，配置写 [[net]] id = {net}，送到后从 U 盘上删掉")?;
        }
    }
    Ok(())
}

fn write_key(key: &KeyFile, path: &Path) -> Result<(), CliError> {
    key.write(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            CliError::Usage(format!("{} 已经存在，不覆盖：请换个文件名", path.display()))
        }
        _ => CliError::Failed(format!("{} 写不了：{}", path.display(), trouble(&error))),
    })
}
