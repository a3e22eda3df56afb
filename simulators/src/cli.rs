//! The command line of `yizhan-drill`.

use crate::demo::{self, DemoError, Settings, Style};
use crate::live::{self, DEVICES, SoloError, Wanted};
use clap::{Parser, Subcommand};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;
use thiserror::Error;

/// 驿站的演练与演示：模拟终端、真实程序。
#[derive(Debug, Parser)]
#[command(name = "yizhan-drill", version, about)]
struct Line {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// 演示：启动真正的驿站程序，模拟终端演一段救援故事，约 80 秒
    Demo {
        /// 最多演多少秒，到时小结
        #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=3_600))]
        seconds: u64,
        /// 每行一个 JSON 事件，供程序读
        #[arg(long)]
        json: bool,
        /// 把配置、日志文件、运行日志留在这个目录
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
        /// 随机种子：同一种子，同样的时延
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// 一台模拟终端：显示它听到什么；键入的每一行是远端发来的一条报文
    Terminal {
        /// 设备
        #[arg(value_parser = DEVICES)]
        device: String,
        /// 北斗：要建立的串口路径；电台：三个 UDP 端口的第一个
        #[arg(long)]
        port: String,
        /// 卡号
        #[arg(long, default_value_t = 142_020)]
        number: u32,
        /// 服务频度，秒
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=9_999))]
        period: u64,
        /// 通信等级
        #[arg(long, default_value_t = 3)]
        level: u8,
        /// 远端手持机的号码
        #[arg(long, default_value_t = 242_407)]
        far: u32,
        /// 串口速率
        #[arg(long, default_value_t = 115_200)]
        baud: u32,
    },
}

/// Why the command ended without doing what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CliError {
    #[error(transparent)]
    Demo(#[from] DemoError),
    #[error(transparent)]
    Terminal(#[from] SoloError),
}

/// Reads the command line and does what it says. `daemon` gives the real daemon, ready for its own arguments.
pub fn main(daemon: &dyn Fn() -> Command) -> ExitCode {
    match carry_out(Line::parse().task, daemon) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("yizhan-drill: {error}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(task: Task, daemon: &dyn Fn() -> Command) -> Result<bool, CliError> {
    match task {
        Task::Demo { seconds, json, keep, seed } => {
            let settings = Settings { at_most: Duration::from_secs(seconds), style: style(json), keep, seed };
            Ok(demo::play(&settings, daemon, &mut io::stdout().lock())?)
        }
        Task::Terminal { device, port, number, period, level, far, baud } => {
            let period = Duration::from_secs(period);
            let wanted = Wanted { device, port, number, period, level, far, baud };
            live::solo(&wanted, io::stdin().lock(), io::stdout())?;
            Ok(true)
        }
    }
}

fn style(json: bool) -> Style {
    match (json, live::wants_colour()) {
        (true, _) => Style::Json,
        (false, true) => Style::Coloured,
        (false, false) => Style::Plain,
    }
}
