//! The command line. `run` is the station; everything else talks to a running one through its API, except what needs
//! none: `check`, `verify`, `explain`, `airtime`.
//!
//! **Invariants**
//! - Exit codes: 0 done, 1 failed, 2 wrong usage or config.
//! - Errors say what to do next, Chinese first.

mod airtime;
mod ask;
mod carry;
mod client;
mod forecast;
mod net;
mod offline;
mod story;
mod talk;
mod unseal;
pub mod usage;
mod words;

use crate::config::{Config, ConfigError};
use crate::run::{self, RunError};
use crate::storage::JournalError;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use client::{CallError, Client};
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use thiserror::Error;
use yizhan_codecs::air::form::Area;

/// 驿站：断路、断网、断电时的报文中继站。
#[derive(Debug, Parser)]
#[command(name = "yizhan", version, about = "驿站：断路、断网、断电时的报文中继站", max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    what: What,
}

/// 找到本站的办法
#[derive(Clone, Debug, Args)]
struct Place {
    /// 配置文件
    #[arg(long, global = true, env = "YIZHAN_CONFIG", default_value = "gateway.toml", value_name = "文件")]
    config: PathBuf,
    /// 数据文件夹（日志所在处）；给出后命令行不读配置
    #[arg(long, global = true, env = "YIZHAN_DATA", value_name = "文件夹")]
    data: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// 运行本站
    Run,
    /// 检查配置并说明将做什么
    Check,
    /// 发报文
    Send(Send),
    /// 跟看日志
    Tail {
        /// 先显示最近几条
        #[arg(short = 'n', long, default_value_t = 20, value_name = "条数")]
        last: u64,
        /// 每条一行 JSON
        #[arg(long)]
        json: bool,
        /// 显示完就退出
        #[arg(long)]
        once: bool,
    },
    /// 本站状态
    Status {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 待发与在途
    Outbox {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
    /// 名册
    Roster {
        #[command(subcommand)]
        what: RosterWhat,
    },
    /// 报表
    Report {
        #[command(subcommand)]
        what: ReportWhat,
    },
    /// 标记已读
    Read {
        /// 报文编号
        #[arg(value_name = "编号")]
        id: String,
    },
    /// 确认等待人工确认的报文
    Confirm {
        /// 报文编号
        #[arg(value_name = "编号")]
        id: String,
    },
    /// 撤销未发出的部分
    Cancel {
        /// 报文编号
        #[arg(value_name = "编号")]
        id: String,
    },
    /// 答复别的驿站发来的报文；给出“谁”时，登记由其他途径（口头、人送）得知的某人的答复
    Answer {
        /// 报文编号
        #[arg(value_name = "编号")]
        id: String,
        /// [谁] 答复：受领、执行中、完成、无法执行
        #[arg(required = true, num_args = 1..=2, value_name = "谁 答复")]
        words: Vec<String>,
    },
    /// 人送：把给某站的报文写成文件或二维码，读入别站带来的
    Carry {
        #[command(subcommand)]
        what: CarryWhat,
    },
    /// 站间网：建网、给各站发密钥
    Net {
        #[command(subcommand)]
        what: NetWhat,
    },
    /// 关闭一个求救
    CloseSos {
        /// 报文编号
        #[arg(value_name = "编号")]
        id: String,
    },
    /// 检验日志
    Verify {
        /// 日志文件；不给则取配置中的
        #[arg(value_name = "文件")]
        journal: Option<PathBuf>,
    },
    /// 逐帧解释
    Explain(Explain),
    /// 把文字或按键报表（#…）装成站间内容，输出十六进制（加密之前）
    Pack {
        /// 文字，或 #2 这样的按键报表
        #[arg(value_name = "文字")]
        text: String,
    },
    /// 读站间内容（十六进制）；加 --sealed 读加密的帧
    Unpack {
        /// 站间内容的字节；加 --sealed 时是帧，一条报文的各帧都写上
        #[arg(value_name = "十六进制", required = true)]
        hex: Vec<String>,
        /// 用配置里的密钥打开加密的帧：只看，不当作收到
        #[arg(long)]
        sealed: bool,
    },
    /// 空口用量：一条报文占多少字节、几个时隙
    Airtime {
        #[command(subcommand)]
        what: AirtimeWhat,
    },
}

#[derive(Debug, Subcommand)]
enum AirtimeWhat {
    /// 文字压缩：文件每行一条报文
    Text {
        /// 报文文件，UTF-8，每行一条
        #[arg(value_name = "文件")]
        file: PathBuf,
        /// 输出一个 JSON 对象
        #[arg(long)]
        json: bool,
    },
    /// 各表单占的位数
    Form,
    /// 算账：本站策略与对照方案在模拟空口上并列，列义见 docs/airtime.md（完整约需五分钟，请用 --release 编译）
    Table {
        /// 只算几秒钟的小样
        #[arg(long)]
        quick: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ReportWhat {
    /// 预报对账：受理时报的送达时间准不准
    Forecast {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
struct Send {
    /// 收件：名册中的人或组（group:组号），或 beidou:卡号 这样的终端
    #[arg(long, value_name = "谁")]
    to: String,
    /// 等级：特提 特急 加急 平急（flash immediate priority routine）；不写是平急，报表按种类：求救特提，指令单、预警单特急，其余加急
    #[arg(long, value_name = "等级")]
    precedence: Option<String>,
    /// 这是指令
    #[arg(long, conflicts_with = "warning")]
    order: bool,
    /// 这是预警
    #[arg(long)]
    warning: bool,
    /// 正文是按键报表，如 "#1 续报 滑坡 死3 失2"：到驿站是报表，到手持机是读得懂的话
    #[arg(long, conflicts_with_all = ["order", "warning"])]
    form: bool,
    /// 这是演练
    #[arg(long)]
    exercise: bool,
    /// 答复哪一条
    #[arg(long, value_name = "编号")]
    reply_to: Option<String>,
    /// 取代哪一条
    #[arg(long, value_name = "编号")]
    supersedes: Option<String>,
    /// 一直看到送达、答复或结束
    #[arg(long)]
    wait: bool,
    /// 只看预报，不发送
    #[arg(long, conflicts_with_all = ["wait", "reply_to", "supersedes"])]
    forecast_only: bool,
    /// 正文
    #[arg(value_name = "正文")]
    text: String,
}

#[derive(Debug, Subcommand)]
enum CarryWhat {
    /// 写出给某站的、它还没说收到的全部报文和欠它的回执
    Export {
        /// 名册中的站
        #[arg(long, value_name = "站")]
        to: String,
        /// 写到哪里
        #[arg(long, value_name = "文件")]
        out: Option<PathBuf>,
        /// 在屏幕上显示二维码
        #[arg(long)]
        qr: bool,
    },
    /// 读入别站带来的文件（- 为标准输入，扫码得到的文字逐行贴入也行）；重复读不会重复收
    Import {
        /// 带来的文件
        #[arg(value_name = "文件")]
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum NetWhat {
    /// 建一个网：写出中心站的密钥文件
    New {
        /// 网号，1 到 4294967295；真实与演练各用一个
        #[arg(long, value_name = "网号", value_parser = clap::value_parser!(u32).range(1..))]
        id: u32,
        /// 写到哪里
        #[arg(long, value_name = "文件")]
        out: PathBuf,
    },
    /// 给一个站发密钥：写出它的密钥文件，用 U 盘送去
    Issue {
        /// 中心站的密钥文件
        #[arg(long, value_name = "文件")]
        key: PathBuf,
        /// 站号，1 到 1023
        #[arg(long, value_name = "站号", value_parser = clap::value_parser!(u16).range(1..=1023))]
        station: u16,
        /// 第几期，可给两个（旧的与新的）
        #[arg(long, default_values_t = [0], num_args = 1..=2, value_name = "期号")]
        epoch: Vec<u16>,
        /// 写到哪里
        #[arg(long, value_name = "文件")]
        out: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum RosterWhat {
    /// 导入 TOML 名册（样例见 roster.example.toml），取代原有名册
    Import {
        /// 名册文件
        #[arg(value_name = "文件")]
        file: PathBuf,
    },
    /// 显示名册
    Show {
        /// 输出 JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AnswerWord {
    #[value(alias = "受领")]
    Accepted,
    #[value(alias = "执行中")]
    Executing,
    #[value(alias = "完成")]
    Done,
    #[value(alias = "无法执行")]
    Unable,
}

#[derive(Debug, Args)]
struct Explain {
    /// 每行一个 JSON 对象（标准输入，或给出的文件），标准输出每行一个结果
    #[arg(long)]
    jsonl: bool,
    /// 协议名；不给则逐个试
    #[arg(long, value_name = "协议")]
    protocol: Option<String>,
    /// 方向：to_terminal（发给终端）、from_terminal（终端发来）或 any（不论）
    #[arg(long, default_value = "any", value_name = "方向")]
    direction: String,
    /// 把内容当文字而不是十六进制
    #[arg(long)]
    text: bool,
    /// 文字的字符集
    #[arg(long, default_value = "utf-8", value_name = "字符集")]
    charset: String,
    /// 一帧，或抓包文件、用例文件（.jsonl）；不给则读标准输入，每行一帧
    #[arg(value_name = "帧或文件")]
    frame: Option<String>,
}

/// Why a command did not do what was asked.
#[derive(Debug, Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Run(#[from] RunError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("{english}")]
    Content { label: String, english: String },
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Failed(String),
    #[error(transparent)]
    Output(#[from] std::io::Error),
}

impl CliError {
    fn label(&self) -> String {
        match self {
            Self::Config(error) => error.label(),
            Self::Run(error) => error.label(),
            Self::Journal(error) => error.label(),
            Self::Call(error) => error.label(),
            Self::Content { label: text, .. } | Self::Usage(text) | Self::Failed(text) => text.clone(),
            Self::Output(error) => format!("读写失败：{}", words::trouble(error)),
        }
    }

    fn code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::Usage(_) => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Prints the airtime table, quick or full. The simulations stand in a crate that this one does not know; the program
/// passes it in.
pub type AirtimeTable = fn(quick: bool) -> String;

/// Runs a command line and says how it went. The first argument is the program's own name.
pub fn main(args: impl IntoIterator<Item = OsString>, table: AirtimeTable) -> ExitCode {
    let matches = match usage::read(Cli::command(), args) {
        Ok(matches) => matches,
        Err(code) => return code,
    };
    // clap has checked the line against the same description.
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match perform(cli, table) {
        Ok(code) => code,
        // Whoever read our output has enough (`yizhan tail | head`).
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let (label, english) = (error.label(), error.to_string());
            let _ = writeln!(std::io::stderr(), "yizhan: {label}");
            if label != english {
                let _ = writeln!(std::io::stderr(), "        {english}");
            }
            error.code()
        }
    }
}

fn perform(cli: Cli, table: AirtimeTable) -> Result<ExitCode, CliError> {
    let Cli { place, what } = cli;
    let mut out = std::io::stdout().lock();
    let out: &mut dyn Write = &mut out;
    match what {
        What::Run => run::run(Config::load(&place.config)?)?,
        What::Check => return offline::check(&place.config, &Config::load(&place.config)?, out),
        What::Verify { journal } => return offline::verify(&place, journal, out),
        What::Explain(explain) => return offline::explain(&explain, out),
        What::Airtime { what: AirtimeWhat::Text { file, json } } => return airtime::text(&file, json, out),
        What::Pack { text } => return airtime::pack(&text, &place.area()?, out),
        What::Unpack { hex, sealed: false } => return airtime::unpack(&hex.concat(), &place.area()?, out),
        What::Unpack { hex, sealed: true } => return unseal::unpack(&Config::load(&place.config)?, &hex, out),
        What::Airtime { what: AirtimeWhat::Form } => airtime::forms(out)?,
        What::Airtime { what: AirtimeWhat::Table { quick } } => out.write_all(table(quick).as_bytes())?,
        What::Send(send) => return talk::send(&place.client()?, &send, out),
        What::Tail { last, json, once } => talk::tail(&place.client()?, last, json, once, out)?,
        What::Status { json } => ask::status(&place.client()?, json, out)?,
        What::Outbox { json } => ask::outbox(&place.client()?, json, out)?,
        What::Report { what: ReportWhat::Forecast { json } } => forecast::report(&place.client()?, json, out)?,
        What::Roster { what: RosterWhat::Show { json } } => ask::roster(&place.client()?, json, out)?,
        What::Roster { what: RosterWhat::Import { file } } => talk::import(&place.client()?, &file, out)?,
        What::Read { id } => talk::act(&place.client()?, &id, "read", "已标记已读", out)?,
        What::Confirm { id } => talk::act(&place.client()?, &id, "confirm", "已确认", out)?,
        What::Cancel { id } => {
            talk::act(&place.client()?, &id, "cancel", "已撤销尚未发出的部分；已发出的收不回，只是不再重发", out)?
        }
        What::CloseSos { id } => talk::close_sos(&place.client()?, &id, out)?,
        What::Answer { id, words } => talk::answer(&place, &id, &words, out)?,
        What::Carry { what } => carry::perform(&place.client()?, &what, out)?,
        What::Net { what } => net::perform(&what, out)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Place {
    /// Where the journal lies, and beside it the token and the address of the running station.
    fn journal(&self) -> Result<PathBuf, ConfigError> {
        match &self.data {
            Some(folder) => Ok(folder.join("journal.db")),
            None => Ok(Config::load(&self.config)?.journal.path),
        }
    }

    /// Origins and places by name, where there is a config.
    fn area(&self) -> Result<Area, ConfigError> {
        if !self.config.exists() {
            return Ok(Area::default());
        }
        Ok(Config::load(&self.config)?.for_engine().map(|engine| engine.area).unwrap_or_default())
    }

    fn client(&self) -> Result<Client, CliError> {
        Ok(Client::beside(&self.journal()?)?)
    }
}

#[cfg(test)]
mod tests;
