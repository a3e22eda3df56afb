//! SIGKILL at random moments under traffic.

use crate::kept::Kept;
use crate::rig::{
    BEIDOU, FAR, FAR_NUMBER, RADIO, Rig, WANG, WANG_NUMBER, ZHANG, ZHANG_NUMBER, is_quick, is_taken, journal, number,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use yizhan_codecs::message::Bearer;
use yizhan_simulators::live::{Api, ApiError, Follower, News, What};
use yizhan_simulators::seed::Seed;

/// A write of the station to its Beidou terminal that is longer than any question holds a message.
const LONGER_THAN_QUESTIONS: usize = 30;
/// A radio tries a text three times, twelve seconds apart, before it gives up.
const GIVES_UP: Duration = Duration::from_secs(40);

/// When a life ends.
enum Moment {
    /// So long after its start, ready or not.
    After(Duration),
    /// The moment a radio has been told that its text was taken: it must be on the disk.
    AtAPromise,
    /// So long after it has given its Beidou terminal the next message, or after a while without one.
    InASend(Duration),
}

/// Everything that was promised or shown so far, over all lives.
struct Traffic {
    rig: Rig,
    seed: Seed,
    texts: u32,
    /// Ids that an API answer has promised.
    promised: BTreeSet<String>,
    /// What each radio's holder has typed last, and when, until the station took it.
    typed: BTreeMap<&'static str, (String, Instant)>,
    /// Texts that the station took from a radio: sender and text.
    taken: BTreeSet<(String, String)>,
    /// Records that a follower was shown.
    shown: BTreeMap<u64, Value>,
}

/// Somebody at the command post who writes all the time.
struct Officer {
    stop: Sender<()>,
    writes: JoinHandle<Vec<String>>,
}

impl Officer {
    /// Writes to everybody, with pauses, until the station is gone or it is told to stop.
    fn begin(api: Api, mut seed: Seed, life: u32) -> Self {
        let (stop, stopped) = mpsc::channel::<()>();
        let writes = std::thread::spawn(move || {
            let mut promised = Vec::new();
            for n in 0_u32.. {
                let to = match seed.below(4) {
                    0 => format!("beidou:{FAR_NUMBER}"),
                    1 | 2 => format!("radio370:{WANG_NUMBER}"),
                    _ => format!("radio370:{ZHANG_NUMBER}"),
                };
                let text = format!("第{life}次开机以来的第{n}条通知，请各组注意查收");
                match api.post("/api/v1/messages", &json!({ "to": to, "text": text, "precedence": "priority" })) {
                    Ok(accepted) => promised.push(accepted["id"].as_str().expect("an id").to_owned()),
                    // Refused: nothing was promised.
                    Err(ApiError::Refused { .. }) => {}
                    Err(_) => break,
                }
                let pause = seed.time_between(Duration::from_millis(50), Duration::from_millis(900));
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            promised
        });
        Self { stop, writes }
    }

    fn end(self) -> Vec<String> {
        drop(self.stop);
        self.writes.join().unwrap()
    }
}

impl Traffic {
    fn moment(&mut self) -> Moment {
        let millis = |seed: &mut Seed, most| Duration::from_millis(seed.below(most));
        match self.seed.below(20) {
            0..3 => Moment::After(millis(&mut self.seed, 60)),
            3..9 => Moment::After(millis(&mut self.seed, 1_200)),
            9..13 => Moment::AtAPromise,
            _ => Moment::InASend(millis(&mut self.seed, 1_500)),
        }
    }

    /// One life of the station: started, written to from all sides, killed.
    fn live(&mut self, life: u32) {
        let moment = self.moment();
        let mut station = self.rig.launch(self.rig.daemon());
        let began = Instant::now();
        if let Moment::After(time) = moment
            && time < Duration::from_millis(60)
        {
            self.pass(began + time, |_| false);
            return station.kill().unwrap();
        }
        let api = station.ready().unwrap_or_else(|error| panic!("life {life}: {error}"));
        let last = self.shown.last_key_value().map_or(0, |(offset, _)| *offset);
        // Refused or cut off only by a kill, which is not yet.
        let follower = api.follow("/api/v1/stream", last).unwrap();
        let officer = Officer::begin(api, self.seed.stream(&format!("officer {life}")), life);
        match moment {
            Moment::After(time) => drop(self.pass(Instant::now() + time, |_| false)),
            Moment::AtAPromise => {
                let radios = [WANG_NUMBER, ZHANG_NUMBER].map(|radio| number(Bearer::Radio370, radio));
                let promised = |news: &News| radios.iter().any(|radio| is_taken(news, radio));
                self.pass(began + Duration::from_secs(8), promised);
            }
            Moment::InASend(time) => {
                let a_send = |news: &News| {
                    news.who == BEIDOU
                        && matches!(news.what, What::HostWrote { bytes } if bytes > LONGER_THAN_QUESTIONS)
                };
                if self.pass(began + Duration::from_secs(8), a_send) {
                    self.pass(Instant::now() + time, |_| false);
                }
            }
        }
        station.kill().unwrap();
        self.promised.extend(officer.end());
        self.note_shown(&follower, life);
    }

    /// What a follower was shown before the kill. A record that is shown again, or otherwise, was not on the disk.
    fn note_shown(&mut self, follower: &Follower, life: u32) {
        while let Some(shown) = follower.wait() {
            let twice = self.shown.insert(shown.offset, shown.record);
            assert_eq!(twice, None, "life {life}: record {} was shown twice", shown.offset);
        }
    }

    /// Lets the field write, until a moment or until something happens; gives whether it happened.
    fn pass(&mut self, until: Instant, stop: impl Fn(&News) -> bool) -> bool {
        loop {
            self.field_writes();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let Some(news) = self.rig.next(left.min(Duration::from_millis(100))) else { continue };
            self.note(&news);
            if stop(&news) {
                return true;
            }
        }
    }

    /// A radio's machine was told that its text was taken: the station has promised to keep it.
    fn note(&mut self, news: &News) {
        for (who, radio) in [(WANG, WANG_NUMBER), (ZHANG, ZHANG_NUMBER)] {
            let id = number(Bearer::Radio370, radio);
            if is_taken(news, &id)
                && let Some((text, _)) = self.typed.remove(who)
            {
                self.taken.insert((id.to_string(), text));
            }
        }
    }

    /// Each radio's holder writes when the last text was taken or given up; the Beidou handheld now and then.
    fn field_writes(&mut self) {
        for who in [WANG, ZHANG] {
            let waits = self.typed.get(who).is_some_and(|(_, at)| at.elapsed() < GIVES_UP);
            if !waits && self.seed.chance(200) {
                let text = self.text();
                self.rig.types(who, &text);
                self.typed.insert(who, (text, Instant::now()));
            }
        }
        if self.seed.chance(20) {
            let text = self.text();
            self.rig.types(FAR, &text);
        }
    }

    fn text(&mut self) -> String {
        self.texts += 1;
        format!("现场报告第{}号", self.texts)
    }
}

#[test]
fn killed_at_random_moments_it_loses_nothing_shows_nothing_twice_and_never_sends_too_early() {
    let kills = if is_quick() { 20 } else { 200 };
    let (seed, rig) = (Seed::new(20_261_123), Rig::new());
    let mut traffic = Traffic {
        rig,
        seed: seed.stream("kills"),
        texts: 0,
        promised: BTreeSet::new(),
        typed: BTreeMap::new(),
        taken: BTreeSet::new(),
        shown: BTreeMap::new(),
    };
    for life in 1..=kills {
        traffic.live(life);
    }
    let (mut station, api) = traffic.rig.start();
    let kept = Kept::of(&journal(&api));
    let tally = traffic.rig.rehearsal.tally(BEIDOU).unwrap();
    println!(
        "{kills} kills: {} sends over Beidou, {} too early; {} promised over the API, {} to radios; {} records shown; \
         {} attempts cut off",
        tally.sent,
        tally.sent_too_early,
        traffic.promised.len(),
        traffic.taken.len(),
        traffic.shown.len(),
        kept.crashed
    );
    assert_eq!(tally.sent_too_early, 0, "sends that came too early");
    let lost: Vec<_> = traffic.promised.difference(&kept.ids).collect();
    assert!(lost.is_empty(), "promised over the API and lost: {lost:?}");
    let heard: BTreeSet<_> = kept.heard.keys().cloned().collect();
    let lost: Vec<_> = traffic.taken.difference(&heard).collect();
    assert!(lost.is_empty(), "taken from a radio and lost: {lost:?}");
    assert_eq!(kept.shown_twice(), Vec::<&(String, String)>::new(), "shown twice");
    for (offset, record) in &traffic.shown {
        assert_eq!(kept.records.get(offset), Some(record), "shown as record {offset}, and not kept");
    }
    // It was no quiet time.
    let least = u64::from(kills) / 20;
    assert!(tally.sent >= least && kept.crashed > 0, "{tally:?}, {} attempts cut off", kept.crashed);
    assert!(traffic.promised.len() >= 20 && !traffic.taken.is_empty(), "{} promised", traffic.promised.len());
    assert!(traffic.rig.rehearsal.tally(RADIO).unwrap().sent >= least);
    assert!(station.stop().unwrap().success());
}
