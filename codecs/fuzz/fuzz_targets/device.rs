//! Every device alike: its framer, its codec and its dialogue, under each profile that its vectors name. The variable
//! `YIZHAN_FUZZ_DEVICE` says which; `./run` goes through all of them.
//!
//! The first byte picks the profile, the second the size of the pieces, the rest comes over the line. Checked: no panic,
//! no byte lost or made up, any chunking alike, what is held is bounded, and a dialogue never talks without end.
#![no_main]

mod repair;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use std::time::Duration;
use yizhan_codecs::codec::{Cargo, Codec, Dialogue, Given, Outgoing, Profile, Step, Value};
use yizhan_codecs::device;
use yizhan_codecs::frame::Found;
use yizhan_codecs::message::{Addressee, Order, Peer, Signal, TerminalId};

/// Steps that a dialogue may want after one frame.
const STEPS_MAX: usize = 10_000;

fuzz_target!(|data: &[u8]| {
    let [pick, chunk, line @ ..] = data else { return };
    let profiles = profiles();
    let (name, profile) = (device_name(), profiles.get(usize::from(*pick) % profiles.len()).expect("at least one"));
    let codec = device::open(name, profile).expect("a profile of a vector opens");
    let from = Some(Peer("10.3.100.14:4007".parse().expect("an address")));
    let whole = cut(&*codec, line, line.len().max(1));
    if codec.framer().held_max() > 0 {
        let pieces = cut(&*codec, line, usize::from(*chunk).max(1));
        assert_eq!(whole, pieces, "chunking changes what is found");
        assert_eq!(whole.iter().flat_map(|found| found.bytes().to_vec()).collect::<Vec<u8>>(), line);
    }
    let mut talk = Talk::new(&*codec);
    for found in &whole {
        if let Found::Frame(frame) = found {
            talk.heard(from, frame);
        }
    }
    talk.heard(from, line);
    for frame in repair::repaired(line) {
        talk.heard(from, &frame);
    }
});

fn device_name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| std::env::var("YIZHAN_FUZZ_DEVICE").expect("YIZHAN_FUZZ_DEVICE names a device"))
}

/// No settings, and every profile of the device's vectors.
fn profiles() -> &'static [Profile] {
    static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
    PROFILES.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/device");
        let folder = folder.join(device_name()).join("vectors");
        let mut all = vec![Profile::default()];
        for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            for line in std::fs::read_to_string(file.path()).unwrap_or_default().lines() {
                let case: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
                let Some(settings) = case.get("profile").and_then(serde_json::Value::as_object) else { continue };
                let profile = Profile(settings.iter().filter_map(|(key, v)| Some((key.clone(), value(v)?))).collect());
                if !all.contains(&profile) && device::open(device_name(), &profile).is_ok() {
                    all.push(profile);
                }
            }
        }
        all
    })
}

fn value(value: &serde_json::Value) -> Option<Value> {
    match value {
        serde_json::Value::Bool(flag) => Some(Value::Bool(*flag)),
        serde_json::Value::Number(number) => number.as_i64().map(Value::Int),
        serde_json::Value::String(text) => Some(Value::Text(text.clone())),
        _ => None,
    }
}

fn cut(codec: &dyn Codec, line: &[u8], chunk: usize) -> Vec<Found> {
    let mut framer = codec.framer();
    let (mut items, mut pushed, mut cut) = (Vec::new(), 0, 0);
    for piece in line.chunks(chunk) {
        framer.push(piece);
        pushed += piece.len();
        while let Some(found) = framer.next_found() {
            assert!(!found.bytes().is_empty(), "an empty item never ends");
            cut += found.bytes().len();
            items.push(found);
        }
        assert!(pushed - cut <= framer.held_max(), "{} bytes held", pushed - cut);
    }
    for _ in 0..=line.len() {
        framer.give_up();
        items.extend(std::iter::from_fn(|| framer.next_found()));
    }
    assert_eq!(framer.patience(), None, "held for ever");
    items
}

/// A conversation in which everything is stored at once and one message is always waiting.
struct Talk<'a> {
    codec: &'a dyn Codec,
    dialogue: Option<Box<dyn Dialogue>>,
    now: Duration,
    wake: Option<Duration>,
    native: u32,
    busy: bool,
}

impl<'a> Talk<'a> {
    fn new(codec: &'a dyn Codec) -> Self {
        let mut talk =
            Self { codec, dialogue: codec.dialogue(), now: Duration::ZERO, wake: None, native: 0, busy: false };
        if let Some(dialogue) = &mut talk.dialogue {
            dialogue.link_up(talk.now);
        }
        talk.follow();
        talk
    }

    fn heard(&mut self, from: Option<Peer>, frame: &[u8]) {
        self.now += Duration::from_millis(700);
        let mut signals = self.codec.decode(frame, from).unwrap_or_default();
        if let Some(dialogue) = &mut self.dialogue {
            dialogue.heard(self.now, from, frame, &mut signals);
        }
        for signal in &signals {
            self.keep(signal);
        }
        self.follow();
        if self.wake.is_some_and(|at| at <= self.now) {
            self.wake = None;
            if let Some(dialogue) = &mut self.dialogue {
                dialogue.wake(self.now);
            }
            self.follow();
        }
    }

    fn keep(&mut self, signal: &Signal) {
        let answer = self.codec.acknowledge(signal);
        if let Some(dialogue) = &mut self.dialogue {
            if let Some(bytes) = answer {
                let _written_or_held = dialogue.give(self.now, Cargo::Answer, vec![Outgoing { bytes, to: None }]);
            }
            dialogue.stored(self.now, signal);
        }
        if let (Signal::Heard(heard), false) = (signal, self.busy) {
            self.answer(heard.from.clone());
        }
    }

    fn answer(&mut self, to: TerminalId) {
        self.native += 1;
        let native = self.native;
        let to = Addressee::Terminal(to);
        let order = Order::Text { card: None, to, text: "收到，马上到".into(), native, urgent: native % 2 == 0 };
        let Ok(frames) = self.codec.encode(&order) else { return };
        if let Some(dialogue) = &mut self.dialogue {
            self.busy = matches!(dialogue.give(self.now, Cargo::Message { native }, frames), Given::Held);
        }
    }

    fn follow(&mut self) {
        let Some(dialogue) = &mut self.dialogue else { return };
        for _ in 0..STEPS_MAX {
            match dialogue.poll() {
                None => return,
                Some(Step::WakeAt(at)) => self.wake = Some(at),
                Some(Step::Carry { last: true, .. } | Step::Say(Signal::Feedback { .. })) => self.busy = false,
                Some(_) => {}
            }
        }
        panic!("a dialogue talks without end");
    }
}
