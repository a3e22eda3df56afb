//! Puts what happened into words that a tired duty officer understands.

use super::ledger::{Ledger, index, variant};
use super::scene::{BEIDOU, MESH, OWN, PERIOD, PHONE, RADIO, name_of, name_of_person};
use super::screen::Side;
use crate::live::{News, Shown, What};
use crate::terminal::Said;
use serde_json::{Value, json};

/// A line to be shown.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub side: Side,
    pub text: String,
    pub facts: Value,
}

fn line(side: Side, text: String, facts: Value) -> Option<Line> {
    Some(Line { side, text, facts })
}

/// Something that happened in the world, where it is worth a line.
pub(super) fn of_world(news: &News) -> Option<Line> {
    let facts = |what: &str| json!({ "event": what, "who": news.who });
    match &news.what {
        What::Radiated(message) if !OWN.contains(&news.who) => match &message.said {
            Said::Text { text, .. } => line(Side::Field, format!("{} 发出：{text}", news.who), facts("typed")),
            _ => None,
        },
        What::Radiated(message) if news.who == BEIDOU => match &message.said {
            Said::Text { .. } => line(Side::Field, "北斗终端已把报文发上卫星".into(), facts("radiated")),
            _ => None,
        },
        What::Shown { text, .. } => line(Side::Field, format!("{} 的屏幕上显示：{text}", news.who), facts("shown")),
        What::PortFailed { why } => line(Side::Broken, format!("模拟端口出错：{why}"), facts("port_failed")),
        _ => None,
    }
}

/// A record of the journal, where it is worth a line. `ledger` knows it already.
pub(super) fn of_journal(shown: &Shown, ledger: &Ledger) -> Option<Line> {
    let (what, of) = variant(&shown.record)?;
    let text = |key: &str| of[key].as_str().unwrap_or_default();
    let id = text("id");
    let facts = json!({ "event": what, "offset": shown.offset, "record": of });
    let says = |text: String| line(Side::Station, text, facts.clone());
    match what {
        "link_changed" if of["up"] == true => says(format!("{}端口接通", link_name(text("link")))),
        "link_changed" => {
            says(format!("{}端口断开（{}），自动等待重连", link_name(text("link")), trouble(text("why"))))
        }
        "card_learned" if text("link") == BEIDOU => {
            let period_s = of["period_ms"].as_u64().unwrap_or_default() / 1_000;
            says(format!(
                "读出北斗卡 {}：服务频度 {period_s} 秒一条（真卡一般 60 秒，演示用 {} 秒）",
                text("number"),
                PERIOD.as_secs()
            ))
        }
        "message_kept" => kept(ledger, id).and_then(says),
        "routed" => routed(ledger, id).and_then(says),
        "attempted" => attempted(ledger, id, of).and_then(says),
        "attempt_ended" if text("outcome") == "crashed" => {
            says("断电前那一次发送没有回音：按“可能已发出”记账，名额作废，绝不抢发".into())
        }
        "rung_raised" => raised(ledger, id, of).and_then(says),
        _ => None,
    }
}

fn link_name(link: &str) -> &str {
    match link {
        BEIDOU => "北斗",
        RADIO => "370 兆",
        MESH => "自组网",
        PHONE => "天通",
        other => other,
    }
}

fn trouble(why: &str) -> &str {
    match why {
        "unplugged" => "线被拔了",
        "busy" => "被别的程序占用",
        "failed" => "读写失败",
        other => other,
    }
}

fn person(to: &str) -> &str {
    name_of_person(to).or_else(|| name_of(to)).unwrap_or(to)
}

fn kept(ledger: &Ledger, id: &str) -> Option<String> {
    let told = ledger.messages.get(id)?;
    let from = person(&told.from);
    match told.topic.as_str() {
        "sos" => Some(format!("◎ 已存  求救 {}，来自 {from}：已落盘，断电也在", id)),
        "answer" => Some(format!("◎ 已存  {from} 的答复 {}", id)),
        _ if told.from.is_empty() => Some(format!("◎ 已存  报文 {}：落盘之后才答应值班员", id)),
        _ => Some(format!("◎ 已存  {from} 的报文 {}", id)),
    }
}

/// Worth a line where it goes to several: an SOS that is relayed.
fn routed(ledger: &Ledger, id: &str) -> Option<String> {
    let told = ledger.messages.get(id)?;
    let names: Vec<&str> = told.deliveries.iter().map(|delivery| person(&delivery.to)).collect();
    (names.len() > 1).then(|| format!("○ 待发  求救 {} 转给 {}", id, names.join("、")))
}

fn attempted(ledger: &Ledger, id: &str, of: &Value) -> Option<String> {
    let told = ledger.messages.get(id)?;
    let delivery = told.deliveries.get(index(of))?;
    let beidou = delivery.terminal.starts_with("beidou");
    let again = if delivery.attempts > 1 {
        format!("，第 {} 次（同号副本）", delivery.attempts)
    } else {
        String::new()
    };
    beidou.then(|| format!("轮到这张卡：{} 先记下“要发了”，再交给北斗终端{again}", id))
}

fn raised(ledger: &Ledger, id: &str, of: &Value) -> Option<String> {
    let delivery = ledger.messages.get(id)?.deliveries.get(index(of))?;
    let word = rung_word(&delivery.rung, &delivery.answer);
    let bearer = delivery.terminal.split(':').next().unwrap_or_default();
    let machine = match (delivery.rung.as_str(), bearer) {
        ("taken", "beidou") => "（北斗终端收下了字节）",
        ("taken", "mesh") => "（自组网电台收下了字节）",
        ("taken", "satphone") => "（卫星电话收下了短信）",
        ("taken", _) => "（车台收下了字节）",
        ("radiated", "satphone") => "（卫星网收下了；对方手机收没收到还不知道）",
        ("radiated", _) => "（终端说发了；对方收没收到还不知道）",
        ("repeated", _) => "（邻台转发了；对方收没收到还不知道）",
        ("delivered", _) => "（对方的机器收到了；人看没看还不知道）",
        _ => "",
    };
    Some(format!("{word}  {} → {}{machine}", id, person(&delivery.to)))
}

/// A rung as people know it: its own shape and word.
pub(super) fn rung_word(rung: &str, answer: &str) -> &'static str {
    match (rung, answer) {
        ("taken", _) => "◐ 已入机",
        ("radiated", _) => "▷ 已发出",
        ("repeated", _) => "» 已转发",
        ("delivered", _) => "● 已送达",
        ("read", _) => "◆ 已读",
        ("answered", "accepted") => "★ 已答复 受领",
        ("answered", "executing") => "★ 已答复 执行中",
        ("answered", "done") => "★ 已答复 完成",
        ("answered", _) => "★ 已答复 无法执行",
        _ => "◎ 已存",
    }
}
