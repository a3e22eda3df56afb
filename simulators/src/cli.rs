//! The command line of `yizhan-drill`.

use crate::demo::{self, DemoError, Settings, Style};
use crate::drill;
use crate::live::{self, SoloError, Wanted};
use crate::pair::{self, PairError};
use crate::scenario::{Scenario, ScenarioError};
use crate::terminal::kinds::KINDS;
use clap::builder::PossibleValuesParser;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
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
        #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=3_600), value_name = "秒")]
        seconds: u64,
        /// 每行一个 JSON 事件，供程序读
        #[arg(long)]
        json: bool,
        /// 把配置、日志文件、运行日志留在这个目录
        #[arg(long, value_name = "文件夹")]
        keep: Option<PathBuf>,
        /// 随机种子：同一种子，同样的时延
        #[arg(long, default_value_t = 1, value_name = "种子")]
        seed: u64,
    },
    /// 两站：两个真正的驿站程序经模拟北斗卡或 IP 自组网互通，空中丢失、两头断电，看长指令、回执与答复
    Pair {
        /// 两站之间走什么
        #[arg(long, value_enum, default_value_t, value_name = "方式")]
        over: pair::Over,
        /// 服务频度，秒；自组网上是两帧的最短间隔
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=9_999), value_name = "秒")]
        period: u64,
        /// 空中丢失，百分之几
        #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(0..=80), value_name = "百分之几")]
        loss: u32,
        /// 指令字数
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000), value_name = "字数")]
        characters: u64,
        /// 最多演多少秒
        #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(10..=36_000), value_name = "秒")]
        seconds: u64,
        /// 随机种子
        #[arg(long, default_value_t = 1, value_name = "种子")]
        seed: u64,
        /// 把配置、密钥、日志留在这个目录
        #[arg(long, value_name = "文件夹")]
        keep: Option<PathBuf>,
    },
    /// 虚拟时间里的一场演练：跑完场景，查七条规矩，写报告；规矩被破则以失败退出
    Run {
        /// 场景：自带的名字（county-2h、every-terminal、flood-night、radio-and-beidou），或一个 .toml 文件
        #[arg(value_name = "场景")]
        scenario: String,
        /// 随机种子：同一场景同一种子，逐字节重演
        #[arg(long, default_value_t = 1, value_name = "种子")]
        seed: u64,
        /// 报告写到这个文件；不给就写到屏幕
        #[arg(long, value_name = "文件")]
        report: Option<PathBuf>,
    },
    /// 量一量空闲时的内存、处理器占用和落盘次数（请加 --release 编译再量）
    Idle {
        /// 量多少分钟
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_440), value_name = "分钟")]
        minutes: u64,
    },
    /// 一台模拟终端：显示它听到什么；键入的每一行是远端发来的一条报文
    Terminal {
        /// 设备
        #[arg(value_parser = PossibleValuesParser::new(KINDS.iter().map(|kind| kind.name)), value_name = "设备")]
        device: String,
        /// 串口终端：要建立的路径；数据报电台：几个 UDP 端口的第一个；TCP 终端：地址:端口
        #[arg(long, value_name = "端口")]
        port: String,
        /// 本机号码：卡号、电台号、节点号……不给就用惯用的
        #[arg(long, value_name = "号码")]
        number: Option<String>,
        /// 服务频度，秒
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=9_999), value_name = "秒")]
        period: u64,
        /// 通信等级
        #[arg(long, default_value_t = 3, value_name = "等级")]
        level: u8,
        /// 远端手持机的号码；不给就用惯用的
        #[arg(long, value_name = "号码")]
        far: Option<String>,
        /// 串口速率
        #[arg(long, default_value_t = 115_200, value_name = "波特率")]
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

impl CliError {
    /// What happened and what to do, for the person at the screen.
    fn label(&self) -> String {
        match self {
            Self::Scenario(error) => error.label(),
            Self::Terminal(error) => error.label(),
            Self::Demo(DemoError::Interrupted) => "已中断".into(),
            Self::Demo(_) => "演示演不下去".into(),
            Self::Pair(_) => "两站演不下去".into(),
            Self::File { path, .. } => format!("{} 读不出或写不了", path.display()),
        }
    }
}

/// Reads the command line and does what it says. `read` tells the line's own words in the operator's language, or has told
/// what was wrong; `daemon` gives the real daemon, ready for its own arguments.
pub fn main(
    read: impl FnOnce(clap::Command) -> Result<ArgMatches, ExitCode>,
    daemon: &dyn Fn() -> Command,
) -> ExitCode {
    let matches = match read(Line::command()) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    // clap has checked the line against the same description.
    let line = Line::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match carry_out(line.task, daemon) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("yizhan-drill: {}\n        {error}", error.label());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn is_chinese(words: &str) -> bool {
        words.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_task_argument_and_value_has_chinese_words() {
        Line::command().debug_assert();
        for task in Line::command().get_subcommands() {
            assert!(task.get_about().is_some_and(|about| is_chinese(&about.to_string())), "{}", task.get_name());
            for arg in task.get_arguments() {
                let (task, name) = (task.get_name(), arg.get_id());
                assert!(arg.get_help().is_some_and(|help| is_chinese(&help.to_string())), "{task} {name}");
                let values = arg.get_value_names().filter(|_| arg.get_action().takes_values()).unwrap_or_default();
                assert!(values.iter().all(|value| is_chinese(value)), "{task} {name} {values:?}");
            }
        }
    }
}
