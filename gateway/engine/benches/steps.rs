//! Engine inputs per second, beside the load that design asks for: 20,000 terminals, 50 messages a second.
//!
//! Run with `cargo bench -p yizhan-engine`. Prints one table; asserts nothing about time.

#![expect(clippy::disallowed_types, reason = "a bench measures wall time")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant as Stopwatch};
use yizhan_codecs::air::form::Area;
use yizhan_codecs::codec::Profile;
use yizhan_codecs::device::hytera::wire::{Body, Hdap, RadioIp, Rrs, Tmp, TmpMessage};
use yizhan_codecs::message::{LinkId, Peer, Precedence, StationId};
use yizhan_engine::Engine;
use yizhan_engine::config::{EngineConfig, LinkConfig, Policy};
use yizhan_engine::io::{Input, LinkTrouble, Output, Recipient, Request, SendKind, Ticket};
use yizhan_engine::time::{Instant, Now, Utc};

const RADIOS: u32 = 20_000;
const TEXTS: u32 = 20_000;
/// Deliveries in an outbox that takes no more ROUTINE.
const PLACES: u32 = 1_344;
const LOOKS: u32 = 20;
/// Messages a second that two cores must carry.
const LOAD: f64 = 50.0;

struct Run {
    engine: Engine,
    now: Now,
    inputs: u64,
    stored: u64,
}

impl Run {
    fn input(&mut self, input: Input) {
        self.inputs += 1;
        self.engine.handle_input(self.now, input);
        let mut through = None;
        let mut written = Vec::new();
        while let Some(output) = self.engine.poll_output() {
            match output {
                Output::Store { records } => through = records.last().map(|record| record.offset).or(through),
                Output::Transmit { id, .. } => written.push(id),
                _ => {}
            }
        }
        if let Some(through) = through {
            self.stored = through.0;
            self.input(Input::Stored { through });
        }
        for id in written {
            self.input(Input::Transmitted { id });
        }
    }

    /// One of twenty people sends a text that no link carries now.
    fn send(&mut self, n: u32) {
        let request = Request::Send {
            to: Recipient::Terminal(format!("radio370:{}", 1 + n % RADIOS)),
            text: format!("第{n}号点请报水位"),
            precedence: Precedence::Routine,
            kind: SendKind::Text,
            exercise: false,
            in_reply_to: None,
            supersedes: None,
            by: format!("officer-{}", n % 20),
        };
        self.input(Input::Submit { ticket: Ticket(n.into()), request });
    }

    fn hear(&mut self, radio: u32, body: Body) {
        let bytes = Hdap::plain(body).emit().expect("a frame of ours");
        let from = RadioIp::new(10, radio).expect("24 bits").ip();
        let from = Some(Peer(SocketAddr::new(from.into(), 3004)));
        self.now.mono = self.now.mono.after(Duration::from_millis(20));
        self.input(Input::Heard { link: LinkId::new("radio"), from, bytes });
    }
}

fn main() {
    let link = LinkConfig {
        id: LinkId::new("radio"),
        device: "hytera".into(),
        profile: Profile(BTreeMap::new()),
        reach: yizhan_engine::config::Reach::default(),
        period: None,
        capacity_bits: None,
        guard: Duration::ZERO,
    };
    let station = StationId::new(1).expect("1 is a station");
    let config =
        EngineConfig { station, links: vec![link], policy: Policy::default(), nets: Vec::new(), area: Area::default() };
    let now = Now { mono: Instant(0), wall: Some(Utc(1_790_000_000_000)) };
    let engine = Engine::recover(config, now, None, []).expect("an empty journal");
    let mut run = Run { engine, now, inputs: 0, stored: 0 };
    run.input(Input::LinkUp { link: LinkId::new("radio") });

    println!("{:<34} {:>12} {:>12} {:>14}", "engine, one core", "inputs/s", "messages/s", "x of 50 msg/s");
    let registrations = measure(&mut run, |run| {
        for radio in 1..=RADIOS {
            let radio_ip = RadioIp::new(10, radio).expect("24 bits");
            run.hear(radio, Body::Rrs(Rrs::Register { radio: radio_ip }));
        }
    });
    report("20,000 radios register", registrations, RADIOS);
    let texts = measure(&mut run, |run| {
        for n in 0..TEXTS {
            let radio = 1 + n % RADIOS;
            let (to, from) = (RadioIp::new(10, 1).expect("24 bits"), RadioIp::new(10, radio).expect("24 bits"));
            let text = format!("第{n}号点水位上涨，请求支援").as_str().into();
            run.hear(radio, Body::Tmp(Tmp::from(TmpMessage::PrivateText { request: 1, to, from, text })));
        }
    });
    report("20,000 texts heard and kept", texts, TEXTS);
    let hash = measure(&mut run, |run| {
        run.inputs += 1;
        assert_ne!(run.engine.state_hash(), [0; 32]);
    });
    // A desk that looks at a full outbox every two seconds.
    run.input(Input::LinkDown { link: LinkId::new("radio"), why: LinkTrouble::Unplugged });
    for n in 0..PLACES {
        run.send(n);
    }
    let looks = measure(&mut run, |run| {
        for _ in 0..LOOKS {
            assert_eq!(run.engine.outbox(run.now).len(), usize::try_from(PLACES).unwrap_or(0));
        }
    });
    let look = looks.0.as_secs_f64() * 1e3 / f64::from(LOOKS);
    println!(
        "outbox of {PLACES} deliveries with forecasts: {look:.1} ms, {:.2} of the two seconds between looks",
        look / 2e3
    );
    println!("state hash of {} records: {:.1} ms", run.stored, hash.0.as_secs_f64() * 1e3);
}

fn measure(run: &mut Run, work: impl FnOnce(&mut Run)) -> (Duration, u64) {
    let before = run.inputs;
    let watch = Stopwatch::now();
    work(run);
    (watch.elapsed(), run.inputs - before)
}

fn report(what: &str, (took, inputs): (Duration, u64), messages: u32) {
    let seconds = took.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a few million at most")]
    let inputs_per_s = inputs as f64 / seconds;
    let messages_per_s = f64::from(messages) / seconds;
    println!("{what:<34} {inputs_per_s:>12.0} {messages_per_s:>12.0} {:>14.0}", messages_per_s / LOAD);
}
