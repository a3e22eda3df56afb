//! Gammu, a phone program of many years and many phones, as the host of our simulated satellite phone: what it asks is
//! answered, what it sends comes out on the far screen, and what comes from the air it reads as it was typed.
//!
//! It would catch: a PDU that only our own two halves understand (lengths, semi-octets, 7 bit packing, part numbers,
//! time stamps), AT answers that a real host cannot follow, and a prompt that comes with a line end.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};
use yizhan_simulators::live::{News, Player, Port, Rehearsal, What};
use yizhan_simulators::seed::Seed;
use yizhan_simulators::terminal::Act;
use yizhan_simulators::terminal::handset::{Habits, Handset};
use yizhan_simulators::terminal::tiantong::TiantongPhone;

const PATIENCE: Duration = Duration::from_secs(60);
const NEAR: &str = "near";
const FAR: &str = "far";
const NEAR_NUMBER: &str = "8617400000001";
const FAR_NUMBER: &str = "8617401234567";
/// 76 characters: two messages in UCS-2.
const LONG: &str = "三号桥以西河水漫堤，下游七个村已断电断网，需要冲锋舟四艘、柴油两百升、净水片五百份。\
                    老人和孩子先走高处小学，医生两名随船，夜里两点前到位，到后回话💧。";

struct Scene {
    rehearsal: Rehearsal,
    told: Receiver<News>,
    folder: tempfile::TempDir,
}

fn number(digits: &str) -> TerminalId {
    TerminalId::new(Bearer::Satphone, digits)
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let seed = Seed::new(20_261_126);
        let phone = TiantongPhone::new(number(NEAR_NUMBER), &seed).expect("a number").steady();
        let habits = Habits { command_post: Some(number(NEAR_NUMBER)), ..Habits::default() };
        let handset = Handset::new(number(FAR_NUMBER), Vec::new(), Duration::ZERO, habits, &seed);
        let port = Port::serial(&folder.path().join("phone"), 115_200, &seed);
        let players = vec![
            Player { name: NEAR, id: number(NEAR_NUMBER), terminal: Box::new(phone), port },
            Player { name: FAR, id: number(FAR_NUMBER), terminal: Box::new(handset), port: Port::None },
        ];
        let (rehearsal, told) = Rehearsal::begin(&seed, BTreeMap::new(), players).expect("a port");
        let scene = Self { rehearsal, told, folder };
        scene.until(|news| news.who == NEAR && news.what == What::Plugged);
        scene
    }

    fn until(&self, wanted: impl Fn(&News) -> bool) -> News {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let news = self.told.recv_timeout(left).expect("it happens in time");
            if wanted(&news) {
                return news;
            }
        }
    }

    fn port(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    /// What gammu prints; it must end well.
    fn gammu(&self, words: &[&str]) -> String {
        let (good, shown) = gammu(self.folder.path(), &self.port(), words);
        assert!(good, "gammu {words:?} failed:\n{shown}");
        shown
    }

    fn shown_on_the_far_screen(&self) -> String {
        let news = self.until(|news| news.who == FAR && matches!(news.what, What::Shown { .. }));
        let What::Shown { from, text } = news.what else { panic!("just matched") };
        assert_eq!(from, number(NEAR_NUMBER));
        text
    }

    fn types(&self, text: &str) {
        let to = Addressee::Terminal(number(NEAR_NUMBER));
        self.rehearsal.act(FAR, Act::Type { to, text: text.into() });
        self.until(|news| news.who == NEAR && matches!(news.what, What::Arrived(_)));
    }
}

/// Debian's gammu, from PATH or unpacked under target/peers/bin.
fn program() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin/gammu");
    let program = if unpacked.exists() { unpacked } else { "gammu".into() };
    let answers = Command::new(&program).arg("--version").output().is_ok_and(|output| output.status.success());
    assert!(answers, "gammu cannot run: install the Debian package gammu, or run ./tests/run once, it fetches it");
    program
}

fn gammu(folder: &Path, port: &Path, words: &[&str]) -> (bool, String) {
    let config = folder.join("gammurc");
    let text = format!(
        "[gammu]\ndevice = {}\nconnection = at115200\nuse_locking = no\nlogformat = textall\nlogfile = {}\n",
        port.display(),
        folder.join("gammu.log").display()
    );
    std::fs::write(&config, text).expect("a config file");
    let output = Command::new(program())
        .arg("-c")
        .arg(&config)
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .env("LANG", "C.UTF-8")
        .output()
        .expect("gammu runs");
    let mut shown = String::from_utf8_lossy(&output.stdout).into_owned();
    shown.push_str(&String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        let log = std::fs::read_to_string(folder.join("gammu.log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(80).collect();
        shown.extend(tail.into_iter().rev().map(|line| format!("\n| {line}")));
    }
    (output.status.success(), shown)
}

#[test]
fn gammu_knows_the_phone() {
    let shown = Scene::new().gammu(&["identify"]);
    for expected in ["990000000000001", "460000000000001", "1.0"] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn what_gammu_sends_is_read_on_the_far_screen() {
    let scene = Scene::new();
    let texts = [("收到，两小时后到", "-unicode"), ("ETA 02:10 {A} 7 boats @ 3 EUR", "-autolen")];
    for (text, option) in texts {
        let mut words = vec!["sendsms", "TEXT", "+8617401234567", option];
        if option == "-autolen" {
            words.push("160");
        }
        words.extend(["-text", text]);
        scene.gammu(&words);
        assert_eq!(scene.shown_on_the_far_screen(), text);
    }
}

#[test]
fn a_long_text_of_gammu_arrives_as_one() {
    let scene = Scene::new();
    scene.gammu(&["sendsms", "TEXT", "+8617401234567", "-unicode", "-len", "400", "-text", LONG]);
    assert_eq!(scene.shown_on_the_far_screen(), LONG);
    assert_eq!(scene.rehearsal.tally(NEAR).map(|tally| (tally.ordered, tally.sent)), Some((1, 1)));
}

#[test]
fn gammu_reads_what_came_from_the_air() {
    let scene = Scene::new();
    scene.types(LONG);
    scene.types("water 3.2 m {bridge} ok");
    let shown = scene.gammu(&["getallsms"]);
    assert!(reads(&shown, LONG) && reads(&shown, "water 3.2 m {bridge} ok"), "{shown}");
    assert!(shown.contains(&format!("+{FAR_NUMBER}")), "{shown}");
}

/// Whether gammu printed a text, in one piece or in its messages one after the other.
fn reads(shown: &str, text: &str) -> bool {
    joined(shown).contains(text)
}

/// The texts alone, without what gammu writes around them.
fn joined(shown: &str) -> String {
    let is_text = |line: &&str| {
        let begins = ["Location", "SMS message", "Concatenated", "Linked"].iter().any(|word| line.starts_with(word));
        !line.is_empty() && !line.contains(" : ") && !begins
    };
    shown.lines().filter(is_text).collect()
}

/// Between gammu and the phone, with one digit of the PDU made another: the comparison that the other tests make must go red.
#[test]
fn one_altered_digit_of_an_answer_is_seen() {
    let scene = Scene::new();
    scene.types("三号桥");
    let way = scene.folder.path().join("altered");
    let altering = Altering::between(&scene.port(), &way);
    let (good, shown) = gammu(scene.folder.path(), &way, &["getallsms"]);
    assert!(good && altering.has_altered(), "nothing was altered:\n{shown}");
    assert!(!reads(&shown, "三号桥") && reads(&shown, "三号桦"), "the altered answer passed:\n{shown}");
}

/// A second pseudo-terminal whose master copies both ways and alters the character 桥 (6865) on the way to the host.
struct Altering {
    count: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Altering {
    fn between(phone: &Path, way: &Path) -> Self {
        use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
        let pair = nix::pty::openpty(None, None).expect("a pseudo-terminal");
        let mut raw = tcgetattr(&pair.slave).expect("its settings");
        cfmakeraw(&mut raw);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &raw).expect("raw");
        let name = nix::unistd::ttyname(&pair.slave).expect("its name");
        std::os::unix::fs::symlink(name, way).expect("a link to it");
        let open = || std::fs::OpenOptions::new().read(true).write(true).open(phone).expect("the phone's port");
        let (mut from_phone, mut to_phone) = (open(), open());
        let master = std::fs::File::from(pair.master);
        let (mut from_host, mut to_host) = (master.try_clone().expect("a handle"), master);
        let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let altered = count.clone();
        std::thread::spawn(move || std::io::copy(&mut from_host, &mut to_phone));
        std::thread::spawn(move || {
            // Keeps the slave open while gammu opens and closes it.
            let _held = pair.slave;
            let mut line = Vec::new();
            let mut byte = [0];
            while from_phone.read(&mut byte).is_ok_and(|n| n == 1) {
                line.push(byte[0]);
                if byte[0] != b'\n' && byte[0] != b'\r' && byte[0] != b' ' {
                    continue;
                }
                if let Some(at) = line.windows(8).position(|eight| eight == b"53F76865") {
                    line[at + 7] = b'6';
                    altered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                }
                if to_host.write_all(&std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self { count }
    }

    fn has_altered(&self) -> bool {
        self.count.load(std::sync::atomic::Ordering::SeqCst) > 0
    }
}
