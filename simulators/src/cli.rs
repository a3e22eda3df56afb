//! The command line of `yizhan-drill`.

use crate::demo::{self, DemoError, Settings, Style};
use crate::drill;
use crate::live::{self, SoloError, Wanted};
use crate::pair::{self, PairError};
use crate::scenario::{Scenario, ScenarioError};
use crate::terminal::kinds::KINDS;
use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;
use thiserror::Error;

/// 驿站的演练与演示：模拟终端、真实程序。
#[derive(Debug, Parser)]
#[command(name = "yizhan-drill", version, about = "驿站演练：模拟终端、空中信道与灾情")]
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
    /// 两站：两个真正的驿站程序经模拟北斗卡或 IP 自组网互通，空中丢失、两头断电，看长指令、回执与答复
    Pair {
        /// 两站之间走什么
        #[arg(long, value_enum, default_value_t)]
        over: pair::Over,
        /// 服务频度，秒；自组网上是两帧的最短间隔
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=9_999))]
        period: u64,
        /// 空中丢失，百分之几
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=80))]
        loss: u32,
        /// 指令字数
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000))]
        characters: u64,
        /// 最多演多少秒
        #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(10..=36_000))]
        seconds: u64,
        /// 随机种子
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 把配置、密钥、日志留在这个目录
        #[arg(long, value_name = "DIR")]
        keep: Option<PathBuf>,
    },
    /// 虚拟时间里的一场演练：跑完场景，查七条规矩，写报告；规矩被破则以失败退出
    Run {
        /// 场景：自带的名字（county-2h、every-terminal、flood-night、radio-and-beidou），或一个 .toml 文件
        scenario: String,
        /// 随机种子：同一场景同一种子，逐字节重演
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 报告写到这个文件；不给就写到屏幕
        #[arg(long, value_name = "OUT")]
        report: Option<PathBuf>,
    },
    /// 量一量空闲时的内存、处理器占用和落盘次数（请加 --release 编译再量）
    Idle {
        /// 量多少分钟
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_440))]
        minutes: u64,
    },
    /// 一台模拟终端：显示它听到什么；键入的每一行是远端发来的一条报文
    Terminal {
        /// 设备
        #[arg(value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name)))]
        device: String,
        /// 串口终端：要建立的路径；数据报电台：几个 UDP 端口的第一个；TCP 终端：地址:端口
        #[arg(long)]
        port: String,
        /// 本机号码：卡号、电台号、节点号……不给就用惯用的
        #[arg(long)]
        number: Option<String>,
        /// 服务频度，秒
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=9_999))]
        period: u64,
        /// 通信等级
        #[arg(long, default_value_t = 3)]
        level: u8,
        /// 远端手持机的号码；不给就用惯用的
        #[arg(long)]
        far: Option<String>,
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
    Pair(#[from] PairError),
    #[error(transparent)]
    Terminal(#[from] SoloError),
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    #[error("{path}: {why}")]
    File { path: PathBuf, why: io::Error },
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
        Task::Pair { over, period, loss, characters, seconds, seed, keep } => {
            let settings = pair::Settings {
                over,
                period: Duration::from_secs(period),
                loss_permille: loss * 10,
                characters: usize::try_from(characters).unwrap_or(1_000),
                at_most: Duration::from_secs(seconds),
                seed,
                keep,
            };
            Ok(pair::play(&settings, daemon, &mut io::stdout().lock())?.broken.is_empty())
        }
        Task::Run { scenario, seed, report } => run(&scenario, seed, report.as_deref()),
        Task::Idle { minutes } => {
            let time = Duration::from_secs(minutes.saturating_mul(60));
            Ok(demo::idle::measure(time, daemon, &mut io::stdout().lock())?)
        }
        Task::Terminal { device, port, number, period, level, far, baud } => {
            let period = Duration::from_secs(period);
            let wanted = Wanted { device, port, number, period, level, far, baud };
            live::solo(&wanted, io::stdin().lock(), io::stdout())?;
            Ok(true)
        }
    }
}

/// Runs a drill and says whether every law was kept.
fn run(scenario: &str, seed: u64, out: Option<&Path>) -> Result<bool, CliError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |why| CliError::File { path, why }
    };
    let scenario = if scenario.ends_with(".toml") {
        let path = Path::new(scenario);
        Scenario::read(&std::fs::read_to_string(path).map_err(failed(path))?)?
    } else {
        Scenario::built_in(scenario)?
    };
    let report = drill::run(&scenario, seed)?;
    match out {
        Some(path) => std::fs::write(path, report.to_string()).map_err(failed(path))?,
        None => print!("{report}"),
    }
    Ok(report.holds())
}

fn style(json: bool) -> Style {
    match (json, live::wants_colour()) {
        (true, _) => Style::Json,
        (false, true) => Style::Coloured,
        (false, false) => Style::Plain,
    }
}
