//! What happens, in order, and what must be true of it.

use super::scene::{COUNTY, HANDHELD, NAMES, OUTPOST, Scene};
use super::{Outcome, Over, PairError, Settings, ways};
use crate::live::{Api, News, Station, Stopwatch, What};
use crate::terminal::{Act, AirMessage};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};

/// As long as a station takes, and a little more.
const ORDER: &str = include_str!("order.txt");
/// How often a station is asked how things stand.
const LOOK: Duration = Duration::from_millis(250);

pub(super) struct Story<'a> {
    scene: Scene<'a>,
    stations: [(Station, Api); 2],
    settings: &'a Settings,
    out: &'a mut dyn Write,
    watch: Stopwatch,
    outcome: Outcome,
    /// What has arrived, by sender and serial: what comes once more is a copy that the air made.
    arrived: BTreeMap<TerminalId, BTreeSet<u64>>,
}

impl<'a> Story<'a> {
    pub fn begin(scene: Scene<'a>, settings: &'a Settings, out: &'a mut dyn Write) -> Result<Self, PairError> {
        let stations = [scene.start(COUNTY)?, scene.start(OUTPOST)?];
        for (_, api) in &stations {
            api.put("/api/v1/roster", &json!({ "roster": scene.roster(), "by": "yizhan-drill" }))?;
        }
        let (watch, outcome) = (Stopwatch::start(), Outcome::default());
        Ok(Self { scene, stations, settings, out, watch, outcome, arrived: BTreeMap::new() })
    }

    pub fn tell(mut self) -> Result<Outcome, PairError> {
        self.opening()?;
        if self.settings.over.has(Bearer::Beidou) {
            self.handheld()?;
        }
        self.bad_weather()?;
        let (id, order) = self.send_order()?;
        self.through_loss_and_restarts(&id)?;
        if self.arrived(&id, &order)? {
            self.answer(&id)?;
            self.shown_once(&order)?;
        }
        self.summary()
    }

    fn opening(&mut self) -> Result<(), PairError> {
        let Settings { over, period, .. } = *self.settings;
        let (card, radio) = (format!("一张模拟北斗卡（服务频度 {} 秒）", period.as_secs()), "一部模拟 IP 自组网电台");
        let has = match over {
            Over::Beidou => format!("各接{card}"),
            Over::Udp => format!("各经一个 UDP 端口接{radio}（一帧一个数据报，一帧至多 {} 字节）", ways::MTU),
            Over::Both => format!("各接{card}、{radio}"),
        };
        self.say(&format!("两个真正的驿站程序，{has}，站间报文加密、可纠删、有回执"))
    }

    fn bad_weather(&mut self) -> Result<(), PairError> {
        let Settings { over, loss_permille, .. } = *self.settings;
        let begins = match over {
            Over::Beidou => format!("空中开始丢失 {} %", loss_permille / 10),
            Over::Udp => format!("自组网开始丢失 {} %，本来就会重复、乱序", loss_permille / 10),
            Over::Both => format!("自组网全断，本机看不出来；北斗开始丢失 {} %", loss_permille / 10),
        };
        self.scene.lose(loss_permille);
        self.say(&begins)
    }

    /// A plain handheld: a keypad line that is not clear is asked back about, a clear one goes on as a form.
    fn handheld(&mut self) -> Result<(), PairError> {
        self.types("#1 洪水 伤")?;
        let asked = |news: &News| news.who == HANDHELD && matches!(&news.what, What::Shown { .. });
        self.until_world("手持机收到中文回问或回复", asked)?;
        self.types("#2 水困 共3 伤1 位30.6521,104.0812")?;
        self.until("县指收到求救表单", COUNTY, "/api/v1/messages", |messages| {
            let list = messages["messages"].as_array().cloned().unwrap_or_default();
            let form = list.iter().find(|m| m["form"]["form"] == "sos" && m["proof"] == "station");
            form.map(|m| format!("县指屏幕：{}", m["words"].as_str().unwrap_or_default()))
        })?;
        Ok(())
    }

    fn types(&mut self, line: &str) -> Result<(), PairError> {
        self.say(&format!("{HANDHELD}（普通手持机）键入：{line}"))?;
        let to = Addressee::Terminal(ways::card_of(OUTPOST));
        self.scene.rehearsal.act(HANDHELD, Act::Type { to, text: line.into() });
        Ok(())
    }

    fn send_order(&mut self) -> Result<(String, String), PairError> {
        let order: String = ORDER.chars().filter(|c| *c != '\n').take(self.settings.characters.min(1_000)).collect();
        let body = json!({ "to": "sanhe", "text": order, "precedence": "immediate", "kind": "order", "by": "周正" });
        let foreseen = ["send", "--to", "sanhe", "--precedence", "特急", "--order", "--forecast-only", &order];
        let foreseen = self.scene.ask(COUNTY, &foreseen)?;
        self.say(&format!("发送之前的预报  {}", foreseen.trim()))?;
        if !foreseen.contains("预计") {
            self.broken("发送之前没有预报")?;
        }
        let accepted = self.api(COUNTY).post("/api/v1/messages", &body)?;
        let id = accepted["id"].as_str().unwrap_or_default().to_owned();
        self.say(&format!("县指发出 {} 字指令，编号 {id}", order.chars().count()))?;
        Ok((id, order))
    }

    /// Either station loses its power while the order is on its way; what was on disk goes on.
    fn through_loss_and_restarts(&mut self, id: &str) -> Result<(), PairError> {
        let already = self.outcome.sent[COUNTY];
        let rows = u64::try_from(self.settings.characters / self.settings.over.characters_a_frame()).unwrap_or(1);
        // A quarter of it is out, then half.
        for (frames, at) in [((rows / 4).max(1), OUTPOST), ((rows / 2).max(2), COUNTY)] {
            while self.outcome.sent[COUNTY] < already + frames {
                self.hear(LOOK)?;
                if self.rung(id)? == "delivered" {
                    return self.say("指令已经送达，不再断电");
                }
                if self.is_over() {
                    return self.broken("报文没有继续发送");
                }
            }
            self.say(&format!("{} 断电（kill -9），再启动", NAMES[at]))?;
            self.stations[at].0.kill()?;
            self.stations[at] = self.scene.start(at)?;
            self.outcome.restarts += 1;
        }
        Ok(())
    }

    /// Whether it did, as far as the county knows: else there is nothing to answer.
    fn arrived(&mut self, id: &str, order: &str) -> Result<bool, PairError> {
        let path = format!("/api/v1/messages/{id}");
        let done = |message: &Value| {
            let rung = message["deliveries"][0]["rung"].as_str().unwrap_or_default();
            ["delivered", "read", "answered"].contains(&rung).then(|| "县指：对端驿站已收妥（已送达）".to_owned())
        };
        let before = self.outcome.broken.len();
        self.until("县指得到送达回执", COUNTY, &path, done)?;
        if self.outcome.broken.len() > before {
            return Ok(false);
        }
        let message = self.api(OUTPOST).get(&path).unwrap_or_default();
        if message["text"] == *order && message["proof"] == "station" {
            self.say("三合前指：一字不差，编号与县指相同，显示为已认证")?;
        } else {
            self.broken("三合前指收到的与发出的不同，或者没有认证")?;
        }
        if self.settings.over == Over::Both {
            self.say("县指先在自组网上白发了一轮，是改走北斗送到的")?;
        }
        Ok(true)
    }

    fn answer(&mut self, id: &str) -> Result<(), PairError> {
        self.api(OUTPOST).post(&format!("/api/v1/messages/{id}/read"), &json!({ "by": "赵明" }))?;
        self.api(OUTPOST)
            .post(&format!("/api/v1/messages/{id}/answer"), &json!({ "answer": "executing", "by": "赵明" }))?;
        self.say("三合前指值班员已读，答复：执行中")?;
        self.until("县指看到人的答复", COUNTY, &format!("/api/v1/messages/{id}"), |message| {
            let delivery = &message["deliveries"][0];
            (delivery["answer"] == "executing").then(|| "县指：已答复（执行中）".to_owned())
        })
    }

    /// However often the air brought frames of the order, and whatever was cut off meanwhile, it came once.
    fn shown_once(&mut self, order: &str) -> Result<(), PairError> {
        let records = self.api(OUTPOST).journal()?;
        let kept = |record: &Value| record["kind"] == "message_kept" && record["data"]["text"] == *order;
        match records.iter().filter(|shown| kept(&shown.record)).count() {
            1 => self.say("三合前指：从头再读一遍日志，这条指令只显示过一次"),
            times => self.broken(&format!("三合前指把指令显示了 {times} 次")),
        }
    }

    fn summary(mut self) -> Result<Outcome, PairError> {
        let tallies = self.scene.ways.iter().map(|way| self.scene.rehearsal.tally(way.name).unwrap_or_default());
        self.outcome.too_early = tallies.map(|tally| tally.sent_too_early).sum();
        if self.outcome.too_early > 0 {
            self.broken("有发送早于服务频度")?;
        }
        self.say(&self.totals())?;
        let loss = match self.settings.loss_permille / 10 {
            0 => String::new(),
            percent => format!("还没有丢失 {percent} % 的经验，也"),
        };
        self.say(&format!("预报是发送之前作的：那时{loss}不知道两站都要断电"))?;
        for line in self.scene.ask(COUNTY, &["report", "forecast"])?.lines() {
            self.say(line)?;
        }
        for (station, _) in &mut self.stations {
            station.stop()?;
        }
        Ok(self.outcome)
    }

    fn totals(&self) -> String {
        let Outcome { sent, over_ip, lost, doubled, overtaken, restarts, too_early, .. } = self.outcome;
        let sent = [COUNTY, OUTPOST].map(|at| match self.settings.over {
            Over::Both => format!("{} 次（自组网 {} 次）", sent[at], over_ip[at]),
            Over::Beidou | Over::Udp => format!("{} 次", sent[at]),
        });
        let mut air = format!("空中丢 {lost} 次");
        if self.settings.over.has(Bearer::Ip) {
            air += &format!("、重复 {doubled} 次、后发先到 {overtaken} 次");
        }
        let [county, outpost] = sent;
        format!("小结：县指发 {county}，前指发 {outpost}，{air}，断电重启 {restarts} 次，过早发送 {too_early} 次")
    }

    fn rung(&self, id: &str) -> Result<String, PairError> {
        let message = self.api(COUNTY).get(&format!("/api/v1/messages/{id}"))?;
        Ok(message["deliveries"][0]["rung"].as_str().unwrap_or_default().to_owned())
    }

    fn api(&self, at: usize) -> &Api {
        &self.stations[at].1
    }

    /// Asks a station until it shows what was promised, which is then said.
    fn until(
        &mut self,
        what: &str,
        at: usize,
        path: &str,
        shows: impl Fn(&Value) -> Option<String>,
    ) -> Result<(), PairError> {
        loop {
            self.hear(LOOK)?;
            if let Ok(seen) = self.api(at).get(path)
                && let Some(line) = shows(&seen)
            {
                return self.say(&line);
            }
            if self.is_over() {
                return self.broken(&format!("没有等到：{what}"));
            }
        }
    }

    fn until_world(&mut self, what: &str, wanted: impl Fn(&News) -> bool) -> Result<(), PairError> {
        loop {
            match self.scene.told.recv_timeout(LOOK) {
                Ok(news) => {
                    self.note(&news)?;
                    if wanted(&news) {
                        return Ok(());
                    }
                }
                Err(_) if self.is_over() => return self.broken(&format!("没有等到：{what}")),
                Err(_) => {}
            }
        }
    }

    /// Takes in what happens in the world for a while; whether anything did.
    fn hear(&mut self, within: Duration) -> Result<bool, PairError> {
        let Ok(news) = self.scene.told.recv_timeout(within) else { return Ok(false) };
        self.note(&news)?;
        while let Ok(news) = self.scene.told.try_recv() {
            self.note(&news)?;
        }
        Ok(true)
    }

    fn note(&mut self, news: &News) -> Result<(), PairError> {
        match &news.what {
            What::Radiated(message) => self.radiated(news.who, message.from.bearer),
            What::Arrived(message) => self.came(message),
            What::Lost(_) => self.outcome.lost += 1,
            What::Shown { text, .. } if news.who == HANDHELD => {
                self.say(&format!("{HANDHELD} 的屏幕：{text}"))?;
            }
            What::PortFailed { why } => self.broken(&format!("{} 的端口坏了：{why}", news.who))?,
            _ => {}
        }
        Ok(())
    }

    fn radiated(&mut self, who: &str, bearer: Bearer) {
        let Some(way) = self.scene.ways.iter().find(|way| way.name == who) else { return };
        self.outcome.sent[way.at] += 1;
        self.outcome.over_ip[way.at] += u64::from(bearer == Bearer::Ip);
    }

    fn came(&mut self, message: &AirMessage) {
        let before = self.arrived.entry(message.from.clone()).or_default();
        let is_behind = before.last().is_some_and(|last| message.serial < *last);
        if !before.insert(message.serial) {
            self.outcome.doubled += 1;
        } else if is_behind {
            self.outcome.overtaken += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.watch.elapsed() > self.settings.at_most
    }

    fn broken(&mut self, what: &str) -> Result<(), PairError> {
        self.outcome.broken.push(what.into());
        self.say(&format!("✗ {what}"))
    }

    fn say(&mut self, line: &str) -> Result<(), PairError> {
        writeln!(self.out, "[{:>6.1} 秒] {line}", self.watch.elapsed().as_secs_f64())?;
        Ok(self.out.flush()?)
    }
}
