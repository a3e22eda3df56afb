//! Commands that only look.

use super::CliError;
use super::client::Client;
use super::forecast;
use super::words::{self, duration, flag, list, number, text};
use serde_json::Value;
use std::io::Write;

pub(super) fn status(client: &Client, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let status = client.get("/api/v1/status")?;
    if json {
        writeln!(out, "{status:#}")?;
        return Ok(());
    }
    write!(out, "{}", status_words(&status))?;
    Ok(())
}

fn status_words(status: &Value) -> String {
    let mut lines = Vec::new();
    let name = Some(text(status, "name")).filter(|name| !name.is_empty()).map(|name| format!(" {name}"));
    lines.push(format!("本站 {}{}", number(status, "station"), name.unwrap_or_default()));
    let source = match text(status, "clock_source") {
        "host" => "主机",
        "gnss" => "卫星定位",
        "beidou" => "北斗",
        _ => "",
    };
    lines.push(match status.get("utc").and_then(Value::as_str) {
        Some(utc) => format!("时间 {}（北京时间，来自{source}）", words::beijing(Some(utc))),
        None => "时间 未可信：报文不判过期；重启前留下的指令和预警，人工确认后才发".to_owned(),
    });
    lines.push(match text(status, "journal_failed") {
        "" => format!("日志 已存 {} 条", number(status, "stored")),
        why => format!("日志 存储失败（{why}）：此后报文未留存，请检查磁盘并重启"),
    });
    let outbox = |name: &str| status.get("outbox").map_or(0, |outbox| number(outbox, name));
    lines.push(format!(
        "待发 特提 {}  特急 {}  加急 {}  平急 {}  （共可容 {}）",
        outbox("flash"),
        outbox("immediate"),
        outbox("priority"),
        outbox("routine"),
        number(status, "outbox_max"),
    ));
    let ids = |key: &str| list(status, key).iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    if !ids("sos_open").is_empty() {
        lines.push(format!("求救 未关闭：{}", ids("sos_open")));
    }
    if !ids("held").is_empty() {
        lines.push(format!("等待人工确认：{}", ids("held")));
    }
    if let Some(card) = status.get("own_card").filter(|card| !card.is_null()) {
        let (person, terminal) = (text(card, "person"), words::terminal(text(card, "terminal")));
        lines.push(format!("名册有误：{person} 的 {terminal} 是本站自己的卡，请改成本人手里的卡号"));
    }
    lines.push(String::new());
    lines.extend(list(status, "stations").iter().map(station_words));
    for link in list(status, "links") {
        lines.extend(link_words(link));
    }
    if list(status, "links").is_empty() {
        lines.push("没有配置链路".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

fn station_words(station: &Value) -> String {
    let heard = match station.get("last_heard_ms_ago").and_then(Value::as_u64) {
        Some(ms) => format!("{}前有来报或回执", duration(ms)),
        None => "本次启动后还没有收到它的来报或回执".to_owned(),
    };
    let silent = if flag(station, "silent") {
        "  最近三次发送都没有回音：请查对方是否开机、能否收到"
    } else {
        ""
    };
    let open = match number(station, "open_deliveries") {
        0 => String::new(),
        open => format!("  {open} 条未了"),
    };
    format!("站 {}  {} 号  {heard}{open}{silent}", text(station, "name"), number(station, "number"))
}

fn link_words(link: &Value) -> Vec<String> {
    let state = if !flag(link, "up") {
        match text(link, "trouble_label") {
            "" => "未接通".to_owned(),
            label => label.to_owned(),
        }
    } else if !flag(link, "ready") {
        "已接通，终端未就绪".to_owned()
    } else if !flag(link, "signal_usable") {
        "已接通，信号不可用".to_owned()
    } else {
        "可发".to_owned()
    };
    let heard = match link.get("last_heard_ms_ago").and_then(Value::as_u64) {
        Some(ms) => format!("{}前有数据", duration(ms)),
        None => "尚未收到数据".to_owned(),
    };
    let bound: Vec<&str> = list(link, "bound").iter().filter_map(Value::as_str).collect();
    let bound = if bound.is_empty() { String::new() } else { format!("  [{}]", bound.join(" ")) };
    let mut lines = vec![format!("● {}  {}  {state}  {heard}{bound}", text(link, "link"), text(link, "device"))];
    for card in list(link, "cards") {
        let name = match text(card, "number") {
            "" => "终端".to_owned(),
            card => format!("卡 {card}"),
        };
        let slot = match number(card, "free_in_ms") {
            0 => "现在可发".to_owned(),
            ms => format!("{}后可发", duration(ms)),
        };
        let bits = number(card, "capacity_bits");
        let sends = number(card, "sends_total");
        lines.push(format!(
            "    {name}  间隔 {}  {slot}  单条 {bits} 比特  已发 {sends} 次",
            duration(number(card, "slot_ms"))
        ));
    }
    lines
}

pub(super) fn outbox(client: &Client, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let outbox = client.get("/api/v1/outbox")?;
    if json {
        writeln!(out, "{outbox:#}")?;
        return Ok(());
    }
    let lines = list(&outbox, "outbox");
    if lines.is_empty() {
        writeln!(out, "没有待发或在途的报文")?;
    }
    for line in lines {
        let held = if flag(line, "held") { "  等待人工确认" } else { "" };
        let left = line.get("life_left_ms").and_then(Value::as_u64);
        let left = left.map_or_else(String::new, |ms| format!("  时限还有{}", duration(ms)));
        let outlook = line.get("forecast").unwrap_or(&Value::Null);
        let slot = match line.get("slot_in_ms").and_then(Value::as_u64) {
            None if number(line, "sent") > 0 && number(outlook, "parts") == 0 => "  不再发送".to_owned(),
            None => "  没有可用的卡".to_owned(),
            Some(0) => String::new(),
            Some(ms) => format!("  {}后轮到发送", duration(ms)),
        };
        writeln!(
            out,
            "{} [{}] → {}  {}  已发 {} 次{slot}{left}{held}  {}",
            text(line, "id"),
            words::precedence(text(line, "precedence")),
            words::terminal(text(line, "to")),
            text(line, "rung_label"),
            number(line, "sent"),
            words::on_one_line(text(line, "text")),
        )?;
        writeln!(out, "    {}", forecast::words(outlook))?;
    }
    Ok(())
}

pub(super) fn roster(client: &Client, json: bool, out: &mut dyn Write) -> Result<(), CliError> {
    let roster = client.get("/api/v1/roster")?;
    if json {
        writeln!(out, "{roster:#}")?;
        return Ok(());
    }
    let joined = |value: &Value, key: &str| {
        list(value, key).iter().filter_map(Value::as_str).map(words::terminal).collect::<Vec<_>>().join(" ")
    };
    if list(&roster, "person").is_empty() {
        writeln!(out, "名册为空：yizhan roster import 文件")?;
    }
    for person in list(&roster, "person") {
        let (id, name, unit) = (text(person, "id"), text(person, "name"), text(person, "unit"));
        writeln!(out, "{id}  {name}  {unit}  {}", joined(person, "terminals"))?;
    }
    for station in list(&roster, "station") {
        let (id, name, number) = (text(station, "id"), text(station, "name"), number(station, "number"));
        writeln!(out, "站 {id}  {name}  {number} 号  {}", joined(station, "terminals"))?;
    }
    for group in list(&roster, "group") {
        let (id, name) = (text(group, "id"), text(group, "name"));
        writeln!(out, "组 {id}  {name}  成员：{}  组号：{}", joined(group, "members"), joined(group, "numbers"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_station_that_does_not_answer_is_said_to_be_silent_and_what_to_look_at() {
        let heard = json!({ "name": "三合乡前指", "number": 7, "last_heard_ms_ago": 61_000, "silent": false });
        assert_eq!(station_words(&heard), "站 三合乡前指  7 号  1分1秒前有来报或回执");
        let silent = json!({ "name": "三合乡前指", "number": 7, "last_heard_ms_ago": null, "silent": true,
            "open_deliveries": 2 });
        let words = station_words(&silent);
        assert!(words.contains("还没有收到") && words.contains("2 条未了") && words.contains("没有回音"), "{words}");
    }

    #[test]
    fn a_person_with_the_stations_own_card_is_pointed_out() {
        let card = json!({ "own_card": { "person": "li-lei", "terminal": "beidou:142020" } });
        assert!(status_words(&card).contains("li-lei 的 北斗:142020 是本站自己的卡"));
        assert!(!status_words(&json!({ "own_card": null })).contains("名册有误"));
    }

    #[test]
    fn a_closed_port_says_what_to_do_and_a_card_says_when_it_may_send() {
        let down =
            json!({ "link": "bd-1", "device": "beidou", "up": false, "trouble_label": "端口不存在：请检查线缆" });
        assert!(link_words(&down)[0].contains("请检查线缆"));
        let up = json!({
            "link": "bd-1", "device": "beidou", "up": true, "ready": true, "signal_usable": true,
            "last_heard_ms_ago": 2_000,
            "cards": [{ "number": "142020", "slot_ms": 62_000, "free_in_ms": 14_200, "capacity_bits": 1_680 }],
        });
        assert_eq!(
            link_words(&up),
            ["● bd-1  beidou  可发  2秒前有数据", "    卡 142020  间隔 1分2秒  15秒后可发  单条 1680 比特  已发 0 次"]
        );
    }
}
