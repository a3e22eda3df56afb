//! What happens, in order, and what must be true of it.

use super::scene::{COUNTY, HANDHELD, NAMES, OUTPOST, Scene, roster};
use super::{Outcome, PairError, Settings};
use crate::live::{Api, News, Station, Stopwatch, What};
use crate::terminal::Act;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use yizhan_codecs::message::Addressee;

/// As long as a station takes, and a little more.
const ORDER: &str = include_str!("order.txt");
/// How often a station is asked how things stand.
const LOOK: Duration = Duration::from_millis(250);
/// Characters that a frame carries, about.
const CHARACTERS_A_FRAME: usize = 85;

pub(super) struct Story<'a> {
    scene: Scene<'a>,
    stations: [(Station, Api); 2],
    settings: &'a Settings,
    out: &'a mut dyn Write,
    watch: Stopwatch,
    outcome: Outcome,
}

impl<'a> Story<'a> {
    pub fn begin(scene: Scene<'a>, settings: &'a Settings, out: &'a mut dyn Write) -> Result<Self, PairError> {
        let stations = [scene.start(COUNTY)?, scene.start(OUTPOST)?];
        for (_, api) in &stations {
            api.put("/api/v1/roster", &json!({ "roster": roster(), "by": "yizhan-drill" }))?;
        }
        let (watch, outcome) = (Stopwatch::start(), Outcome::default());
        Ok(Self { scene, stations, settings, out, watch, outcome })
    }

    pub fn tell(mut self) -> Result<Outcome, PairError> {
        let Settings { period, loss_permille, .. } = *self.settings;
        self.say(&format!(
            "两个真正的驿站程序，各接一张模拟北斗卡（服务频度 {} 秒），站间报文加密、可纠删、有回执",
            period.as_secs()
        ))?;
        self.handheld()?;
        self.say(&format!("空中开始丢失 {} %", loss_permille / 10))?;
        self.scene.lose(loss_permille);
        let (id, order) = self.send_order()?;
        self.through_loss_and_restarts(&id)?;
        self.arrived(&id, &order)?;
        self.answer(&id)?;
        self.summary()
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
        let to = Addressee::Terminal(Scene::outpost_card());
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
        let rows = u64::try_from(self.settings.characters / CHARACTERS_A_FRAME).unwrap_or(1);
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

    fn arrived(&mut self, id: &str, order: &str) -> Result<(), PairError> {
        let path = format!("/api/v1/messages/{id}");
        let done = |message: &Value| {
            let rung = message["deliveries"][0]["rung"].as_str().unwrap_or_default();
            ["delivered", "read", "answered"].contains(&rung).then(|| "县指：对端驿站已收妥（已送达）".to_owned())
        };
        self.until("县指得到送达回执", COUNTY, &path, done)?;
        let text = self.api(OUTPOST).get(&path).map(|message| message["text"].clone()).unwrap_or_default();
        if text == *order {
            self.say("三合前指：一字不差，编号与县指相同，显示为已认证")?;
        } else {
            self.broken("三合前指收到的与发出的不同")?;
        }
        Ok(())
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

    fn summary(mut self) -> Result<Outcome, PairError> {
        let tallies = NAMES.map(|name| self.scene.rehearsal.tally(name).unwrap_or_default());
        self.outcome.too_early = tallies.iter().map(|tally| tally.sent_too_early).sum();
        if self.outcome.too_early > 0 {
            self.broken("有发送早于服务频度")?;
        }
        let Outcome { sent, lost, restarts, .. } = self.outcome.clone();
        self.say(&format!(
            "小结：县指发 {} 次，前指发 {} 次，空中丢 {lost} 次，断电重启 {restarts} 次，过早发送 {} 次",
            sent[COUNTY], sent[OUTPOST], self.outcome.too_early
        ))?;
        for line in self.scene.ask(COUNTY, &["report", "forecast"])?.lines() {
            self.say(line)?;
        }
        for (station, _) in &mut self.stations {
            station.stop()?;
        }
        Ok(self.outcome)
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
        let at = NAMES.iter().position(|name| *name == news.who);
        match (&news.what, at) {
            (What::Radiated(_), Some(at)) => self.outcome.sent[at] += 1,
            (What::Lost(_), _) => self.outcome.lost += 1,
            (What::Shown { text, .. }, _) if news.who == HANDHELD => {
                self.say(&format!("{HANDHELD} 的屏幕：{text}"))?;
            }
            _ => {}
        }
        Ok(())
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
