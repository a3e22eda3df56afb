//! Inputs in, effects out. Another kind of output is a sign that some part does I/O in disguise.

use crate::event::Event;
use crate::outbox::outlook::Outlook;
use crate::people::Roster;
use crate::time::Instant;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use yizhan_codecs::air::Traffic;
use yizhan_codecs::message::{Answer, LinkId, MessageId, Peer, Precedence, TerminalId};

/// Where a record stands in the journal, from 1. `Offset(0)` is before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Offset(pub u64);

/// Names a caller of the engine who waits for a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Names bytes given to a link, so that the link can say what became of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransmitId(pub u64);

/// What the hands tell the engine.
#[derive(Clone, Debug)]
pub enum Input {
    /// Bytes came in: any chunk of a stream, or one whole datagram (`from` is set then).
    Heard { link: LinkId, from: Option<Peer>, bytes: Bytes },
    /// The port is open.
    LinkUp { link: LinkId },
    /// The port is gone.
    LinkDown { link: LinkId, why: LinkTrouble },
    /// The bytes were written to the port completely.
    Transmitted { id: TransmitId },
    /// The bytes were not written, or not all of them.
    TransmitFailed { id: TransmitId, why: TransmitTrouble },
    /// A person or a program asks for something.
    Submit { ticket: Ticket, request: Request },
    /// Every record up to here is synced.
    Stored { through: Offset },
    /// The journal failed: nothing after the last `Stored` is promised any more, nor ever will be by this process.
    StoreFailed { why: StoreTrouble },
    /// The time asked for has come (or any other moment: waking too often is harmless).
    Wake,
}

/// What the engine wants done. Drained to `None` before the next input.
#[derive(Clone, Debug)]
#[must_use]
pub enum Output {
    /// Write these bytes to the port. Answer with `Transmitted` or `TransmitFailed`.
    Transmit { link: LinkId, to: Option<Peer>, id: TransmitId, bytes: Bytes },
    /// Append these records, in this order and in one transaction (a crash keeps all of them or none), and sync. Answer
    /// with `Stored` or `StoreFailed`.
    Store { records: Vec<StoredRecord> },
    /// The answer to a `Submit`.
    Reply { ticket: Ticket, reply: Reply },
    /// Something happened that people or programs want to know. Never needed for correctness.
    Tell(Event),
    /// Call with `Wake` at this time; replaces the one before.
    WakeAt(Instant),
}

/// One encoded record and its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    pub offset: Offset,
    /// A `bus.proto` Record.
    pub body: Bytes,
}

/// Why a port is gone, in the words the operator needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkTrouble {
    /// No such device: unplugged, or the path is wrong.
    Unplugged,
    /// Another program holds it.
    Busy,
    /// The path is not a serial port.
    NotATty,
    /// No permission to open it.
    Denied,
    /// The address cannot be bound.
    AddressInUse,
    /// It failed while in use.
    Failed,
    /// The station stops in good order.
    Stopped,
}

impl LinkTrouble {
    const ALL: [Self; 7] =
        [Self::Unplugged, Self::Busy, Self::NotATty, Self::Denied, Self::AddressInUse, Self::Failed, Self::Stopped];

    /// Reads a machine name, as records have it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trouble| trouble.name() == name)
    }

    /// Machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unplugged => "unplugged",
            Self::Busy => "busy",
            Self::NotATty => "not_a_tty",
            Self::Denied => "denied",
            Self::AddressInUse => "address_in_use",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    /// What it is and what to do, for the person at the screen.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unplugged => "端口不存在：请检查线缆是否插好、路径是否正确",
            Self::Busy => "端口被其他程序占用：请关闭占用它的程序",
            Self::NotATty => "该路径不是串口：请改配置中的端口路径",
            Self::Denied => "没有权限打开端口：请把运行用户加入 dialout 组",
            Self::AddressInUse => "网络地址被占用：请换端口或关闭占用它的程序",
            Self::Failed => "端口读写失败：正在自动重连",
            Self::Stopped => "本站正常停止",
        }
    }
}

/// Why bytes were not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransmitTrouble {
    /// Nothing was written.
    NotWritten,
    /// Some of it may have been written: the terminal may have acted on it.
    Unknown,
}

/// Why the journal failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreTrouble {
    DiskFull,
    SyncFailed,
    Other,
}

/// Whom a message is for, as people say it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person of the roster, by id or name; the message goes to the person, on whichever terminal is best.
    Person(String),
    /// A group of the roster.
    Group(String),
    /// One terminal, `beidou:142020`, enrolled or not.
    Terminal(String),
}

/// What a person or a program asks the engine for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Send a text. `by` is the user or program that asks.
    Send {
        to: Recipient,
        text: String,
        precedence: Precedence,
        kind: SendKind,
        exercise: bool,
        /// The inbound message that this answers.
        in_reply_to: Option<MessageId>,
        /// A message of ours that this one replaces.
        supersedes: Option<MessageId>,
        by: String,
    },
    /// Tell what such a text would cost and when it would arrive, and store nothing.
    Forecast { to: Recipient, text: String, precedence: Precedence, kind: SendKind, exercise: bool, by: String },
    /// Stop what is not sent yet.
    Cancel { id: MessageId, by: String },
    /// A person has seen an inbound message.
    MarkRead { id: MessageId, by: String },
    /// A person's verdict on something held for them: relay an SOS beyond the limit, send an order whose age is unknown.
    Confirm { id: MessageId, by: String },
    /// A person here answers a message that another station sent.
    Answer { id: MessageId, answer: Answer, by: String },
    /// A person reports what they learned another way (by voice, by courier) about one of our messages.
    NoteAnswer { id: MessageId, person: String, answer: Answer, by: String },
    /// Everything for a station, as frames for a courier.
    CarryOut { to: String, by: String },
    /// What a courier brought.
    CarryIn { frames: Vec<Bytes>, by: String },
    /// Replace the roster.
    ImportRoster { roster: Roster, by: String },
    /// Close an open SOS.
    CloseSos { id: MessageId, by: String },
}

/// What kind of text is sent; orders and evacuations are held for a person's yes while the clock is not trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendKind {
    #[default]
    Text,
    Order,
    Warning,
    /// A form, asked for as its keypad line; one that orders or warns is kept as [`Self::Order`] or [`Self::Warning`].
    Form,
}

impl SendKind {
    /// Whether people act on it at once: it is not held against its sender's share, and is not sent while its age is unknown.
    #[must_use]
    pub const fn urges(self) -> bool {
        matches!(self, Self::Order | Self::Warning)
    }
}

/// The engine's answer to a request. Given only after what it promises is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The message is stored and will end as law 5 says. `recipients` counts people or terminals.
    /// `forecast` tells of each recipient what is to be expected.
    Accepted { id: MessageId, offset: Offset, recipients: usize, forecast: Vec<Outlook> },
    /// What would be told of each recipient; nothing was stored.
    Forecast(Vec<Outlook>),
    /// Done and stored.
    Done { offset: Offset },
    /// What a courier takes along: every frame once, of so many messages, and so many receipts.
    Carried { frames: Vec<Bytes>, messages: usize, receipts: usize },
    /// What a courier brought is stored: frames that were opened or kept, frames that this station had written itself, frames
    /// that were of no use here or not authentic, and what came of them; `receipts` of the frames were receipts.
    Brought { frames: usize, own: usize, refused: usize, new: usize, copies: usize, receipts: usize },
    /// Refused; nothing was stored.
    Refused(Refusal),
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    #[error("no person, group or terminal {name:?}")]
    UnknownRecipient { name: String },
    #[error("{name:?} has no terminal that a link of this station reaches")]
    NoTerminal { name: String },
    #[error("{name:?} is this station itself")]
    ThisStation { name: String },
    #[error("{name:?} is a station, and there is no net for {traffic:?} traffic here")]
    NoNet { name: String, traffic: Traffic },
    #[error("the outbox holds {held} of {max} entries and takes no more {precedence}")]
    OutboxFull { held: usize, max: usize, precedence: Precedence },
    #[error("{by:?} holds {held} queued slots of {allowed} that one sender may hold; this wants {wanted}")]
    SenderShare { by: String, held: u64, allowed: u64, wanted: u64 },
    #[error("the text has {found} characters, at most {max}")]
    TooLong { found: usize, max: usize },
    #[error("the text is empty")]
    Empty,
    /// What is asked about a keypad line that is not clear, in Chinese.
    #[error("the form is not clear: {question}")]
    FormUnclear { question: String },
    #[error("no message {id}")]
    UnknownMessage { id: MessageId },
    #[error("message {id} is no open call for help")]
    NotOpenSos { id: MessageId },
    #[error("message {id} has already ended")]
    AlreadyEnded { id: MessageId },
    #[error("message {id} waits for no confirmation")]
    NothingToConfirm { id: MessageId },
    #[error("message {id} did not come from another station, or was refused")]
    NotFromStation { id: MessageId },
    #[error("message {id} was sent from here: that it was read is for its receiver to say")]
    OwnMessage { id: MessageId },
    #[error("character {found:?} cannot be carried by {bearer}")]
    Charset { found: char, bearer: yizhan_codecs::message::Bearer },
    #[error("the only way there is {bearer}, between stations, which carries no text")]
    NoText { bearer: yizhan_codecs::message::Bearer },
    #[error("the journal failed: nothing more can be promised until the station is restarted")]
    Poisoned,
    #[error("roster: {0}")]
    Roster(#[from] crate::people::RosterError),
    #[error("{terminal} of {id:?} is this station's own card")]
    OwnCard { id: String, terminal: TerminalId },
    #[error("message ids of this station are used up")]
    IdsExhausted,
}

impl Refusal {
    /// Machine name, as in the API's problem type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::UnknownRecipient { .. } => "unknown_recipient",
            Self::NoTerminal { .. } => "no_terminal",
            Self::ThisStation { .. } => "this_station",
            Self::NoNet { .. } => "no_net",
            Self::OutboxFull { .. } => "outbox_full",
            Self::SenderShare { .. } => "sender_share",
            Self::TooLong { .. } => "too_long",
            Self::Empty => "empty",
            Self::FormUnclear { .. } => "form_unclear",
            Self::UnknownMessage { .. } => "unknown_message",
            Self::NotOpenSos { .. } => "not_open_sos",
            Self::AlreadyEnded { .. } => "already_ended",
            Self::NothingToConfirm { .. } => "nothing_to_confirm",
            Self::NotFromStation { .. } => "not_from_station",
            Self::OwnMessage { .. } => "own_message",
            Self::Charset { .. } => "charset",
            Self::NoText { .. } => "no_text",
            Self::Poisoned => "journal_failed",
            Self::Roster(_) => "roster",
            Self::OwnCard { .. } => "own_card",
            Self::IdsExhausted => "ids_exhausted",
        }
    }

    /// What happened and what to do, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownRecipient { name } => format!("名册中没有“{name}”：请核对姓名，或用 beidou:卡号 直接指定终端"),
            Self::NoTerminal { name } => {
                format!("“{name}”没有本站可达的终端：请核对号码，在名册中登记终端，或检查链路")
            }
            Self::ThisStation { name } => format!("“{name}”就是本站：报文不用发，请改写收件人"),
            Self::NoNet { name, traffic: Traffic::Exercise } => {
                format!("“{name}”是驿站，而本站没有演练网，演练报文发不过去：请在配置中加一个演练网")
            }
            Self::NoNet { name, traffic: Traffic::Real } => {
                format!("“{name}”是驿站，而本站没有站间网，报文发不过去：请在配置中加 [[net]] 和密钥")
            }
            Self::OutboxFull { held, max, precedence } => {
                format!(
                    "待发队列已满（{held}/{max} 条），暂不接收{}报文：请稍后再发，或撤销不急的报文",
                    precedence.label()
                )
            }
            Self::SenderShare { by, held, allowed, wanted } => format!(
                "“{by}”的待发报文已占 {held} 个时隙，一个发信人最多 {allowed} 个，这条还要 {wanted} 个：请撤销不急的报文，或稍后再发；命令、预警和特提不受此限"
            ),
            Self::TooLong { found, max } => format!("正文 {found} 字，最多 {max} 字：请缩短或分开发送"),
            Self::Empty => "正文为空：请输入内容".into(),
            Self::FormUnclear { question } => format!("报表没有看懂：{question}"),
            Self::UnknownMessage { id } => format!("没有编号为 {id} 的报文：请核对编号"),
            Self::NotOpenSos { id } => format!("报文 {id} 不是未关闭的求救：用 yizhan status 看未关闭的求救"),
            Self::AlreadyEnded { id } => format!("报文 {id} 已经结束，不能再操作"),
            Self::NothingToConfirm { id } => format!("报文 {id} 没有等待确认的事项"),
            Self::NotFromStation { id } => {
                format!("报文 {id} 不是别的驿站发来的：给手持机的答复请用 yizhan send --reply-to")
            }
            Self::OwnMessage { id } => format!("报文 {id} 是本站发出的：有没有人读，由收方回报；用 yizhan outbox 查看"),
            Self::Charset { found, bearer } => format!("字符“{found}”无法经{}发送：请换一个字", bearer.label()),
            Self::NoText { bearer } => {
                format!("收方只能经{}到达，那里只有驿站，不收明文：请在名册中登记其手持终端", bearer.label())
            }
            Self::Poisoned => "存储故障：报文未留存，不能受理。请检查磁盘并重启本站".into(),
            Self::Roster(error) => format!("名册有误：{}", error.label()),
            Self::OwnCard { id, terminal } => {
                format!("名册有误：{id} 的 {terminal} 是本站自己的卡，发给它等于发给自己：请改成本人手里的卡号")
            }
            Self::IdsExhausted => "本站报文编号已用完：请换站号".into(),
        }
    }
}
