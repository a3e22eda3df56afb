//! Events as lines of the day's log. What people wrote, where they are and their full numbers stand there only at
//! trace level.

use std::collections::BTreeMap;
use std::time::Duration;
use tracing::Level;
use yizhan_codecs::message::{CardState, LinkId, TerminalId};
use yizhan_engine::event::{AttemptOutcome, Event, SlotReason};
use yizhan_engine::io::LinkTrouble;
use yizhan_engine::time::Instant;

/// A number with all but its last four characters hidden.
fn masked(terminal: &TerminalId) -> String {
    let number = terminal.number();
    let hidden = number.chars().count().saturating_sub(4);
    let shown: String = number.chars().skip(hidden).collect();
    format!("{}:{}{shown}", terminal.bearer.label(), if hidden > 0 { "…" } else { "" })
}

/// After this time a remark is news again.
const REMARK_AGAIN: Duration = Duration::from_secs(3_600);

/// Writes events into the log and remembers which remarks stand there already: the engine passes on every one of them,
/// and a device may make the same one with each frame.
#[derive(Debug, Default)]
pub(super) struct DayLog {
    /// When a remark of a link was last written where everybody sees it. A device has a fixed set of them.
    remarked: BTreeMap<(LinkId, &'static str), Instant>,
}

impl DayLog {
    pub(super) fn write(&mut self, at: Instant, event: &Event) {
        tracing::trace!(?event);
        match self.level(at, event) {
            Level::ERROR => tracing::error!("{}", line(event)),
            Level::WARN => tracing::warn!("{}", line(event)),
            Level::INFO => tracing::info!("{}", line(event)),
            _ => tracing::debug!("{}", line(event)),
        }
    }

    fn level(&mut self, at: Instant, event: &Event) -> Level {
        match event {
            Event::JournalFailed { .. } | Event::FlashOverdue { .. } | Event::RelayedUnstored { .. } => Level::ERROR,
            Event::LinkWentDown { why: LinkTrouble::Stopped, .. } => Level::INFO,
            Event::LinkWentDown { .. } | Event::CardLost { .. } | Event::ConfirmationWanted { .. } => Level::WARN,
            Event::SosOpened { .. } | Event::SosUpdated { .. } => Level::WARN,
            Event::LinkCameUp { .. }
            | Event::CardFound { .. }
            | Event::SignalChanged { .. }
            | Event::SosClosed { .. }
            | Event::ClockTrusted { .. }
            | Event::Recovered { .. } => Level::INFO,
            Event::Remarked { link, what, .. } if self.is_news(at, link, what) => Level::INFO,
            _ => Level::DEBUG,
        }
    }

    fn is_news(&mut self, at: Instant, link: &LinkId, what: &'static str) -> bool {
        let key = (link.clone(), what);
        let news = self.remarked.get(&key).is_none_or(|last| at.since(*last) >= REMARK_AGAIN);
        if news {
            self.remarked.insert(key, at);
        }
        news
    }
}

fn line(event: &Event) -> String {
    match event {
        Event::LinkCameUp { link } => format!("{link} 链路可用"),
        Event::LinkWentDown { link, why } => format!("{link} 链路中断：{}", why.label()),
        Event::CardFound { link, card } if card.state == CardState::Present => {
            format!("{link} 读到卡 {}，服务频度 {} 秒", masked(&card.own), card.period.map_or(0, |p| p.as_secs()))
        }
        Event::CardFound { link, .. } => format!("{link} 终端在线但未插卡"),
        Event::CardLost { link } => format!("{link} 卡已拔出"),
        Event::SignalChanged { link, best, usable } => {
            format!("{link} 信号 {best} 格，{}", if *usable { "可发" } else { "不可发" })
        }
        Event::UnreadableHeard { link, bytes, why, suppressed } => {
            format!("{link} 收到 {} 字节不能识别（{why}），另有 {suppressed} 条未列出", bytes.len())
        }
        Event::MessageHeard { id, from, link, topic, precedence, .. } => {
            format!("{link} 收到报文 {id}：{}，{}，来自 {}", topic.name(), precedence.label(), masked(from))
        }
        Event::RowHeard { id, link, missing } => format!("{link} 收到报文 {id} 的一帧，还缺 {missing} 帧"),
        Event::CopyHeard { of, link } => format!("{link} 收到报文 {of} 的重复"),
        Event::Asked { id, delivery, times } => {
            format!("报文 {id} 第 {} 路已送达，没有听到人的答复：催问第 {times} 次", delivery + 1)
        }
        Event::MessageAccepted { id, precedence, .. } => format!("已受理报文 {id}（{}）", precedence.label()),
        Event::SosOpened { id, from } => format!("求救！{} 报文 {id}", masked(from)),
        Event::SosUpdated { id, from } => format!("求救更新：{} 报文 {id}", masked(from)),
        Event::SosClosed { id } => format!("求救 {id} 已关闭"),
        Event::ConfirmationWanted { id, why } => format!("报文 {id} 等待人工确认（{why:?}）：yizhan confirm {id}"),
        Event::RungReached { id, delivery, rung } => format!("报文 {id} 第 {} 路：{}", delivery + 1, rung.label()),
        Event::DeliveryEnded { id, delivery, end, .. } => {
            format!("报文 {id} 第 {} 路结束：{}", delivery + 1, end.label())
        }
        Event::FlashOverdue { id, .. } => format!("特提报文 {id} 超过时限仍未送达：请人工处置"),
        Event::ClockTrusted { source } => format!("时间已可信（{source:?}）"),
        Event::JournalFailed { why } => format!("存储失败（{why:?}）：此后报文未留存，请检查磁盘并重启本站"),
        Event::RelayedUnstored { id } => format!("报文 {id} 未留存，仍已转发"),
        Event::Recovered { records, open, unknown_attempts } => {
            format!("已恢复：读记录 {records} 条，待办 {open} 路，结果不明的发送 {unknown_attempts} 次")
        }
        other => attempt_line(other),
    }
}

fn attempt_line(event: &Event) -> String {
    match event {
        Event::AttemptReleased { attempt, link, part, parts, .. } => {
            format!("{link} 第 {} 次发送，第 {}/{parts} 段", attempt.0, part)
        }
        Event::AttemptEnded { attempt, link, outcome } => {
            format!("{link} 第 {} 次发送：{}", attempt.0, outcome_label(*outcome))
        }
        Event::SlotSpent { link, why, .. } => {
            let why = match why {
                SlotReason::Sent => "刚发送过".to_owned(),
                SlotReason::Told { wait } => format!("终端要求等待 {} 秒", wait.as_secs()),
                SlotReason::Started => "启动后按刚发送过计".to_owned(),
                SlotReason::Held(outcome) => format!("终端暂不能发（{outcome:?}）"),
            };
            format!("{link} 等待发送时机：{why}")
        }
        Event::Acknowledged { link, offset } => format!("{link} 已回执（记录 {}）", offset.0),
        // The detail may be words, a place or a number.
        Event::Remarked { link, what, .. } => format!("{link} {what}"),
        // Events that this version has no words for; their names are at trace level.
        _ => "（详见 trace 级日志）".to_owned(),
    }
}

fn outcome_label(outcome: AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Said(said) => format!("终端反馈 {said:?}"),
        AttemptOutcome::Written => "已写入终端".into(),
        AttemptOutcome::Delivered { delivered: true, .. } => "对方已收到".into(),
        AttemptOutcome::Delivered { code, .. } => format!("对方未收到（代码 {code}）"),
        AttemptOutcome::Silent => "终端没有回话，结果不明".into(),
        AttemptOutcome::NotWritten => "没有写到端口".into(),
        AttemptOutcome::Crashed => "上次运行中断，结果不明".into(),
        AttemptOutcome::Withdrawn => "发送前撤回".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use yizhan_codecs::message::Bearer;

    #[test]
    fn a_log_line_hides_the_number_and_the_bytes() {
        let card = TerminalId::new(Bearer::Beidou, "13142020");
        assert_eq!(masked(&card), "北斗:…2020");
        assert_eq!(masked(&TerminalId::new(Bearer::Mesh, "7")), "自组网:7");
        let unreadable = Event::UnreadableHeard {
            link: LinkId::new("bd-1"),
            bytes: "三号桥断了".as_bytes().to_vec().into(),
            why: "checksum".into(),
            suppressed: 0,
        };
        let line = line(&unreadable);
        assert!(line.contains("15 字节") && !line.contains("三号桥"), "{line}");
    }

    #[test]
    fn a_remark_is_seen_once_an_hour_and_never_with_its_detail() {
        let remark = |link: &str, what| Event::Remarked {
            link: LinkId::new(link),
            what,
            detail: "北斗:13142020 三号桥断了".into(),
        };
        let mut log = DayLog::default();
        let mut level = |seconds: u64, event: &Event| log.level(Instant(seconds * 1_000_000), event);
        assert_eq!(level(1, &remark("mesh-1", "电台拒绝")), Level::INFO);
        assert_eq!(level(2, &remark("mesh-1", "电台拒绝")), Level::DEBUG);
        assert_eq!(level(2, &remark("mesh-2", "电台拒绝")), Level::INFO);
        assert_eq!(level(3, &remark("mesh-1", "电台已重启")), Level::INFO);
        assert_eq!(level(3_600, &remark("mesh-1", "电台拒绝")), Level::DEBUG);
        assert_eq!(level(3_601, &remark("mesh-1", "电台拒绝")), Level::INFO);
        assert_eq!(line(&remark("mesh-1", "电台拒绝")), "mesh-1 电台拒绝");
    }
}
