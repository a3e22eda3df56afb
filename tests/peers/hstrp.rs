//! A repeater played by ok-dmrlib over UDP, against our codec and session on a real socket.

use crate::peer::Peer;
use std::net::UdpSocket;
use std::process::Child;
use std::time::{Duration, Instant};
use yizhan_codecs::codec::{Cargo, Codec, Dialogue, Given, Outgoing, Profile, Step, Value};
use yizhan_codecs::device;
use yizhan_codecs::message;

const DEADLINE: Duration = Duration::from_secs(60);

/// A host of one socket: every answer is given at once, as if it were stored.
struct Host {
    socket: UdpSocket,
    codec: Box<dyn Codec>,
    dialogue: Box<dyn Dialogue>,
    since: Instant,
}

impl Host {
    fn new() -> Self {
        let profile = Profile([("carrier".to_owned(), Value::Text("hstrp".into()))].into());
        let codec = device::open("hytera", &profile).expect("a good profile");
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a time-out");
        let mut dialogue = codec.dialogue().expect("a session");
        dialogue.link_up(Duration::ZERO);
        Self { socket, codec, dialogue, since: Instant::now() }
    }

    fn write(&self, out: &Outgoing) {
        self.socket.send_to(&out.bytes, out.to.expect("an address").0).expect("loopback takes it");
    }

    fn drain(&mut self) {
        while let Some(step) = self.dialogue.poll() {
            if let Step::Send(out) = step {
                self.write(&out);
            }
        }
    }

    fn serve(&mut self, repeater: &mut Child) -> bool {
        while self.since.elapsed() < DEADLINE {
            if let Some(status) = repeater.try_wait().expect("it runs") {
                return status.success();
            }
            let mut bytes = [0; 2_000];
            let Ok((count, from)) = self.socket.recv_from(&mut bytes) else { continue };
            let (frame, from, now) = (&bytes[..count], Some(message::Peer(from)), self.since.elapsed());
            let mut signals = self.codec.decode(frame, from).expect("ok-dmrlib writes what we read");
            self.dialogue.heard(now, from, frame, &mut signals);
            self.drain();
            let answers: Vec<_> = signals.iter().filter_map(|signal| self.codec.acknowledge(signal)).collect();
            for bytes in answers {
                let answer = Outgoing { bytes, to: from };
                if let Given::Write(frames) = self.dialogue.give(now, Cargo::Answer, vec![answer]) {
                    frames.iter().for_each(|frame| self.write(frame));
                }
                self.drain();
            }
        }
        panic!("the repeater did not come to an end");
    }
}

fn served(renew_s: u32) -> bool {
    let mut host = Host::new();
    let port = host.socket.local_addr().expect("bound").port().to_string();
    let mut repeater = Peer::repeater().start(&[&port, &renew_s.to_string()]);
    host.serve(&mut repeater)
}

/// Would catch a connect, an ack, a registration answer or a heartbeat that a repeater would not take.
#[test]
fn a_repeater_of_ok_dmrlib_connects_registers_a_radio_and_is_shown_a_heartbeat() {
    assert!(served(1_800));
}

#[test]
fn a_repeater_that_wants_another_renew_time_is_not_content() {
    assert!(!served(1_801));
}
