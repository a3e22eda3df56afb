use super::*;
use crate::terminal::{Said, TerminalOutput};
use bytes::Bytes;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;
use yizhan_codecs::message::Addressee;

const PATIENCE: Duration = Duration::from_secs(20);

/// Says back to its host what it hears, and onto the air; shows what the air brings. Ticks once, after a while.
#[derive(Clone, Debug)]
struct Parrot {
    id: TerminalId,
    far: TerminalId,
    outputs: VecDeque<TerminalOutput>,
    tally: Tally,
}

impl Parrot {
    fn boxed(id: &TerminalId, far: &TerminalId) -> Box<dyn Terminal> {
        Box::new(Self { id: id.clone(), far: far.clone(), outputs: VecDeque::new(), tally: Tally::default() })
    }
}

impl Terminal for Parrot {
    fn heard_host(&mut self, now: Duration, to: Option<SocketAddr>, bytes: &[u8]) {
        let bytes = Bytes::copy_from_slice(bytes);
        self.tally.ordered += 1;
        self.outputs.push_back(TerminalOutput::ToHost { from: to, bytes: bytes.clone() });
        let to = Addressee::Terminal(self.far.clone());
        let said = Said::Bytes { bytes, request: 0 };
        let message = AirMessage { from: self.id.clone(), to, serial: self.tally.ordered, said };
        self.outputs.push_back(TerminalOutput::ToAir(message));
        self.outputs.push_back(TerminalOutput::WakeAt(now + Duration::from_millis(20)));
    }

    fn heard_air(&mut self, _now: Duration, message: &AirMessage) {
        self.tally.received += 1;
        self.outputs.push_back(TerminalOutput::Shown { from: message.from.clone(), text: "heard".into() });
    }

    fn act(&mut self, _now: Duration, _act: &Act) {}

    fn wake(&mut self, _now: Duration) {
        self.outputs.push_back(TerminalOutput::Shown { from: self.id.clone(), text: "woke".into() });
    }

    fn poll(&mut self) -> Option<TerminalOutput> {
        self.outputs.pop_front()
    }

    fn hears(&self, to: &Addressee) -> bool {
        *to == Addressee::Terminal(self.id.clone())
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

struct Duet {
    rehearsal: Rehearsal,
    told: Receiver<News>,
    folder: tempfile::TempDir,
}

fn duet() -> Duet {
    let folder = tempfile::tempdir().unwrap();
    let [near, far] = [1, 2].map(|number| TerminalId::from_number(Bearer::Beidou, number));
    let seed = Seed::new(1);
    let serial = Port::serial(&folder.path().join("near"), 115_200, &seed);
    let players = vec![
        Player { name: "near", terminal: Parrot::boxed(&near, &far), id: near.clone(), port: serial },
        Player { name: "far", terminal: Parrot::boxed(&far, &near), id: far, port: Port::None },
    ];
    let (rehearsal, told) = Rehearsal::begin(&seed, BTreeMap::new(), players).unwrap();
    let duet = Duet { rehearsal, told, folder };
    duet.until("near", |what| *what == What::Plugged);
    duet
}

impl Duet {
    fn host(&self) -> File {
        OpenOptions::new().read(true).write(true).open(self.path()).unwrap()
    }

    fn path(&self) -> std::path::PathBuf {
        Path::join(self.folder.path(), "near")
    }

    fn until(&self, who: &str, wanted: impl Fn(&What) -> bool) -> News {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = self.told.recv_timeout(left).expect("it happens in time");
            if news.who == who && wanted(&news.what) {
                return news;
            }
        }
    }
}

#[test]
fn a_host_and_the_air_reach_a_terminal_and_a_terminal_reaches_both() {
    let duet = duet();
    let mut host = duet.host();
    let sent: Vec<u8> = (0..=255).cycle().take(2_000).collect();
    host.write_all(&sent).unwrap();
    let mut back = vec![0; sent.len()];
    host.read_exact(&mut back).unwrap();
    assert_eq!(back, sent, "cut, glued and paced, but whole");
    duet.until("far", |what| matches!(what, What::Shown { text, .. } if text == "heard"));
    duet.until("near", |what| matches!(what, What::Shown { text, .. } if text == "woke"));
    let tally = duet.rehearsal.tally("near").unwrap();
    assert!(tally.ordered >= 1);
    assert_eq!(duet.rehearsal.tally("nobody"), None);
}

#[test]
fn a_host_that_dies_and_comes_back_finds_the_port_under_the_same_path() {
    let duet = duet();
    let mut dead = duet.host();
    dead.write_all(b"last words").unwrap();
    duet.until("near", |what| matches!(what, What::HostWrote { .. }));
    drop(dead);
    duet.until("near", |what| *what == What::HostLeft);
    let mut back = duet.host();
    back.write_all(b"again").unwrap();
    let mut heard = [0; 5];
    back.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"again");
}

#[test]
fn a_pulled_plug_takes_the_path_away_and_plugging_in_brings_it_back() {
    let duet = duet();
    let mut host = duet.host();
    duet.rehearsal.unplug("near");
    duet.until("near", |what| *what == What::Unplugged);
    assert_eq!(host.read(&mut [0; 8]).unwrap(), 0, "hung up");
    assert!(!duet.path().exists());
    duet.rehearsal.plug("near");
    duet.until("near", |what| *what == What::Plugged);
    duet.host().write_all(b"here").unwrap();
    duet.until("near", |what| matches!(what, What::HostWrote { .. }));
}

#[test]
fn bad_weather_loses_what_it_should_and_says_so() {
    let duet = duet();
    let storm = Weather { loss_permille: 1_000, ..Weather::typical(Bearer::Beidou) };
    duet.rehearsal.weather(Bearer::Beidou, storm);
    duet.host().write_all(b"help").unwrap();
    duet.until("far", |what| matches!(what, What::Lost(_)));
    assert_eq!(duet.rehearsal.tally("far").unwrap().received, 0);
}

#[test]
fn a_terminal_on_the_network_keeps_every_byte_and_serves_one_host_at_a_time() {
    let [near, far] = [1, 2].map(|number| TerminalId::from_number(Bearer::Mesh, number));
    let seed = Seed::new(1);
    let (port, address) = Port::tcp(&seed).unwrap();
    let players = vec![Player { name: "near", terminal: Parrot::boxed(&near, &far), id: near, port }];
    let (rehearsal, told) = Rehearsal::begin(&seed, BTreeMap::new(), players).unwrap();
    let duet = Duet { rehearsal, told, folder: tempfile::tempdir().unwrap() };
    let mut host = std::net::TcpStream::connect(address).unwrap();
    let sent: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut writer = host.try_clone().unwrap();
    let writes = {
        let sent = sent.clone();
        std::thread::spawn(move || writer.write_all(&sent).unwrap())
    };
    let mut back = vec![0; sent.len()];
    host.read_exact(&mut back).unwrap();
    writes.join().unwrap();
    assert!(back == sent, "cut and glued, but whole and in order");
    let mut later = std::net::TcpStream::connect(address).unwrap();
    duet.until("near", |what| *what == What::HostLeft);
    assert_eq!(host.read(&mut [0; 8]).unwrap(), 0, "the one before is let go");
    later.write_all(b"here").unwrap();
    let mut heard = [0; 4];
    later.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"here");
    duet.rehearsal.unplug("near");
    assert_eq!(later.read(&mut [0; 8]).unwrap(), 0, "hung up");
}
