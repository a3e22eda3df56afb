//! Lets the story happen: starts and kills the station, waits for what should come, writes the timeline meanwhile.

use super::DemoError;
use super::ledger::{Ledger, Told};
use super::scene::{BEIDOU, LI_LEI, Scene, forward};
use super::screen::{Screen, Side};
use super::teller::{self, Line};
use crate::live::{Api, ApiError, Interrupts, News, Rehearsal, Shown, Station, Stopwatch};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

/// What came, from either side.
enum Beat {
    World(News),
    Journal(Shown),
    Interrupted,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Yes,
    /// The promise was not kept in time; noted.
    No,
    /// The curtain falls first.
    Curtain,
}

pub(super) struct Director<'a> {
    scene: Scene,
    daemon: &'a dyn Fn() -> Command,
    station: Station,
    api: Api,
    beats: Receiver<Beat>,
    feed: Sender<Beat>,
    pub ledger: Ledger,
    screen: Screen<'a>,
    watch: Stopwatch,
    ends_at: Duration,
    /// The time given was over before the story was.
    pub cut_short: bool,
    broken: Vec<String>,
    kills: u32,
}

impl<'a> Director<'a> {
    pub fn new(
        scene: Scene,
        told: Receiver<News>,
        daemon: &'a dyn Fn() -> Command,
        mut screen: Screen<'a>,
        watch: Stopwatch,
        ends_at: Duration,
    ) -> Result<Self, DemoError> {
        screen.chapter("开场：启动真正的驿站程序，接上模拟终端")?;
        let (feed, beats) = mpsc::channel();
        let world = feed.clone();
        std::thread::Builder::new().name("world".into()).spawn(move || {
            while let Ok(news) = told.recv() {
                if world.send(Beat::World(news)).is_err() {
                    return;
                }
            }
        })?;
        let (station, api) = start(&scene, daemon, &feed, 0)?;
        let ledger = Ledger::default();
        let broken = Vec::new();
        let facts = json!({ "event": "station_started", "pid": station.id() });
        screen.line(
            Side::Note,
            &format!("驿站已启动（进程 {}），日志文件 journal.db，接口只在本机", station.id()),
            &facts,
        )?;
        Ok(Self {
            scene,
            daemon,
            station,
            api,
            beats,
            feed,
            ledger,
            screen,
            watch,
            ends_at,
            broken,
            cut_short: false,
            kills: 0,
        })
    }

    /// Whoever wants the demo to end is heard between two lines.
    pub fn heed(&self, interrupts: Interrupts) -> Result<(), DemoError> {
        let feed = self.feed.clone();
        Ok(interrupts.then(move || drop(feed.send(Beat::Interrupted)))?)
    }

    pub const fn rehearsal(&self) -> &Rehearsal {
        &self.scene.rehearsal
    }

    pub fn chapter(&mut self, title: &str) -> Result<(), DemoError> {
        Ok(self.screen.chapter(title)?)
    }

    pub fn say(&mut self, side: Side, text: &str) -> Result<(), DemoError> {
        Ok(self.screen.line(side, text, &Value::Null)?)
    }

    pub fn is_over(&self) -> bool {
        self.watch.elapsed() >= self.ends_at
    }

    /// Shows what comes until `done`; `promise` is what is broken when it does not come within this time.
    pub fn until(
        &mut self,
        promise: &str,
        within: Duration,
        done: impl Fn(&Ledger) -> bool,
    ) -> Result<Came, DemoError> {
        let until = self.watch.elapsed() + within;
        loop {
            if done(&self.ledger) {
                return Ok(Came::Yes);
            }
            let now = self.watch.elapsed();
            if now >= self.ends_at {
                return Ok(Came::Curtain);
            }
            if now >= until {
                self.broke(&format!("{promise}：{} 秒内没有发生", within.as_secs()))?;
                return Ok(Came::No);
            }
            self.take(until.min(self.ends_at) - now)?;
        }
    }

    /// As [`Director::until`], with the time that the Beidou card still needs shown now and then.
    pub fn until_slot(
        &mut self,
        promise: &str,
        within: Duration,
        done: impl Fn(&Ledger) -> bool,
    ) -> Result<Came, DemoError> {
        const EVERY: Duration = Duration::from_secs(3);
        let until = self.watch.elapsed() + within;
        // What has just been done is shown before the clock.
        self.pass(Duration::from_millis(300))?;
        loop {
            self.countdown()?;
            let left = until.saturating_sub(self.watch.elapsed());
            if left <= EVERY {
                return self.until(promise, left, &done);
            }
            let pause = self.watch.elapsed() + EVERY;
            while self.watch.elapsed() < pause.min(self.ends_at) && !done(&self.ledger) {
                self.take(pause.saturating_sub(self.watch.elapsed()))?;
            }
            if done(&self.ledger) {
                return Ok(Came::Yes);
            }
            if self.is_over() {
                return Ok(Came::Curtain);
            }
        }
    }

    /// Shows what comes for a while.
    pub fn pass(&mut self, time: Duration) -> Result<(), DemoError> {
        let until = (self.watch.elapsed() + time).min(self.ends_at);
        while self.watch.elapsed() < until {
            self.take(until.saturating_sub(self.watch.elapsed()))?;
        }
        Ok(())
    }

    fn take(&mut self, within: Duration) -> Result<(), DemoError> {
        let Ok(beat) = self.beats.recv_timeout(within) else { return Ok(()) };
        let line = match beat {
            Beat::World(news) => {
                self.ledger.world(&news);
                teller::of_world(&news)
            }
            Beat::Journal(shown) => {
                self.ledger.journal(&shown);
                teller::of_journal(&shown, &self.ledger)
            }
            Beat::Interrupted => return Err(DemoError::Interrupted),
        };
        if let Some(Line { side, text, facts }) = line {
            self.screen.line(side, &text, &facts)?;
        }
        Ok(())
    }

    fn broke(&mut self, promise: &str) -> Result<(), DemoError> {
        self.broken.push(promise.into());
        self.say(Side::Broken, promise)
    }

    /// Shows how long the Beidou card must still wait, if it must.
    fn countdown(&mut self) -> Result<(), DemoError> {
        let Ok(status) = self.api.get("/api/v1/status") else { return Ok(()) };
        let links = status["links"].as_array().cloned().unwrap_or_default();
        let beidou = links.iter().find(|link| link["link"] == BEIDOU);
        let free_in_ms = beidou.and_then(|link| link["cards"][0]["free_in_ms"].as_u64()).unwrap_or(0);
        if free_in_ms < 1_000 {
            return Ok(());
        }
        let seconds = free_in_ms.div_ceil(1_000);
        let text = format!("… 北斗卡还要等 {seconds:>2} 秒才许发下一条（频度＋2 秒余量）");
        Ok(self.screen.line(Side::Note, &text, &json!({ "event": "countdown", "free_in_ms": free_in_ms }))?)
    }

    /// The officer submits a text for somebody; gives its id when the station has promised it.
    pub fn submit(
        &mut self,
        text: &str,
        precedence: &str,
        in_reply_to: Option<&str>,
    ) -> Result<Option<String>, DemoError> {
        self.say(Side::Officer, &format!("发给 {LI_LEI}：{text}"))?;
        let mut body = json!({ "to": LI_LEI, "text": text, "precedence": precedence, "by": "值班员" });
        if let (Some(answered), Some(body)) = (in_reply_to, body.as_object_mut()) {
            body.insert("in_reply_to".into(), answered.into());
        }
        match self.api.post("/api/v1/messages", &body) {
            Ok(accepted) => {
                let id = accepted["id"].as_str().map(str::to_owned);
                self.ledger.acknowledged.extend(id.clone());
                Ok(id)
            }
            Err(ApiError::Refused { status, body }) => {
                self.broke(&format!(
                    "驿站拒绝受理（{status}）：{}",
                    body["detail_zh"].as_str().unwrap_or("未说明原因")
                ))?;
                Ok(None)
            }
            Err(silent) => Err(silent.into()),
        }
    }

    /// The officer tells the station who is who.
    pub fn import_roster(&mut self, roster: &Value) -> Result<(), DemoError> {
        self.api.put("/api/v1/roster", &json!({ "roster": roster, "by": "值班员" }))?;
        Ok(())
    }

    /// Kills the station where it stands.
    pub fn kill(&mut self) -> Result<(), DemoError> {
        self.kills += 1;
        Ok(self.station.kill()?)
    }

    /// Starts the station again on what it left behind, and goes on reading where its journal was left.
    pub fn start_again(&mut self) -> Result<(), DemoError> {
        (self.station, self.api) = start(&self.scene, self.daemon, &self.feed, self.ledger.last_offset)?;
        Ok(())
    }

    /// Reads the whole journal once more, stops the station, counts, and says how it was. Gives whether every promise was
    /// kept.
    pub fn summary(mut self) -> Result<bool, DemoError> {
        let kept = self.journal_again()?;
        let too_early = self.rehearsal().tally(BEIDOU).map_or(0, |tally| tally.sent_too_early);
        let stopped = self.station.stop()?;
        let (lost, twice) = (kept.lost().max(self.ledger.lost()), self.ledger.shown_twice().max(kept.shown_twice()));
        self.screen.chapter("小结")?;
        for told in kept.messages.values() {
            self.total_of(told)?;
        }
        let radiated = self.ledger.radiated.iter().filter(|(who, _)| *who == BEIDOU).count();
        let facts = json!({
            "summary": true, "radiated_over_beidou": radiated, "accepted": self.ledger.acknowledged.len(),
            "kills": self.kills, "sent_too_early": too_early, "lost": lost, "shown_twice": twice,
            "broken": self.broken,
        });
        let answered =
            format!("受理 {} 条，北斗发出 {radiated} 条，强杀 {} 次", self.ledger.acknowledged.len(), self.kills);
        self.screen.total(&answered, &Value::Null)?;
        self.screen.total(&format!("抢发 {too_early} · 丢失 {lost} · 重复显示 {twice}"), &facts)?;
        for promise in &self.broken {
            self.screen.total(&format!("没有做到：{promise}"), &Value::Null)?;
        }
        let kept = self.broken.is_empty() && too_early == 0 && lost == 0 && twice == 0 && stopped.success();
        let verdict = match (kept, self.cut_short) {
            (true, false) => "说到的都做到了。",
            (true, true) => "到停下为止没有丢失、没有重复；没演完的不算做到。",
            (false, _) => "有说到没做到的，见上。",
        };
        self.screen.total(verdict, &json!({ "kept": kept }))?;
        Ok(kept)
    }

    /// What somebody learns from the journal who comes now.
    fn journal_again(&self) -> Result<Ledger, DemoError> {
        let mut ledger = Ledger { acknowledged: self.ledger.acknowledged.clone(), ..Ledger::default() };
        self.api.journal()?.iter().for_each(|shown| ledger.journal(shown));
        Ok(ledger)
    }

    fn total_of(&mut self, told: &Told) -> Result<(), DemoError> {
        let from = super::scene::name_of(&told.from).unwrap_or("本站");
        for delivery in &told.deliveries {
            let to = super::scene::name_of_person(&delivery.to).unwrap_or(&delivery.to);
            let rung = teller::rung_word(&delivery.rung, &delivery.answer);
            let text = format!("{}  {from} → {}  {rung}  {}", told.id, super::screen::padded(to, 4), told.text);
            let facts = json!({ "id": told.id, "to": to, "rung": delivery.rung, "answer": delivery.answer });
            self.screen.total(&text, &facts)?;
        }
        Ok(())
    }
}

/// Starts the station and follows its journal from after this record.
fn start(
    scene: &Scene,
    daemon: &dyn Fn() -> Command,
    feed: &Sender<Beat>,
    after: u64,
) -> Result<(Station, Api), DemoError> {
    let mut program = daemon();
    program.arg("run").arg("--config").arg(&scene.config);
    let mut station = Station::start(program, &scene.folder, &scene.journal)?;
    let api = station.ready()?;
    forward(api.follow("/api/v1/stream", after)?, feed.clone(), Beat::Journal)?;
    Ok((station, api))
}
