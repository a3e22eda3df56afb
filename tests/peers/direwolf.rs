//! Packet radio: direwolf as the TNC, without a sound card, and its `decode_aprs` as another reader of APRS.
//!
//! Audio of frames made by `gen_packets` goes into its demodulator, so that what reaches our framer is what a TNC makes
//! of the air; what we write to its KISS port it prints as it radiates.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use yizhan_codecs::codec::{Codec, Profile, Value as Setting};
use yizhan_codecs::device;
use yizhan_codecs::explain::explain;
use yizhan_codecs::frame::Found;
use yizhan_codecs::message::{Addressee, Bearer, Content, Order, Signal, TerminalId};

const DEADLINE: Duration = Duration::from_secs(60);
/// A tenth of a second of silence, 16-bit samples at 44100 Hz.
const SILENCE: [u8; 8820] = [0; 8820];
const TICK: Duration = Duration::from_millis(100);
const NEEDS: &str = "Run ./tests/run once, it fetches what is missing (Debian package direwolf)";

/// A program of Debian's direwolf, on the PATH or unpacked under `target/peers`.
fn program(name: &str) -> Command {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/bin").join(name);
    if fetched.exists() { Command::new(fetched) } else { Command::new(name) }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// A running TNC; its receiver hears what is sent into `audio`, else silence.
struct Direwolf {
    child: Child,
    port: u16,
    lines: Receiver<String>,
    audio: Option<Sender<Vec<u8>>>,
    _folder: tempfile::TempDir,
}

impl Direwolf {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (agw, port) = (free_port(), free_port());
        let config =
            format!("ADEVICE stdin null\nCHANNEL 0\nMYCALL N0CALL-1\nMODEM 1200\nAGWPORT {agw}\nKISSPORT {port}\n");
        let file = folder.path().join("direwolf.conf");
        std::fs::write(&file, config).expect("the config is written");
        let mut child = program("direwolf")
            .args(["-t", "0", "-r", "44100", "-c"])
            .arg(&file)
            .arg("-")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("direwolf cannot run: {error}. {NEEDS}"));
        let mut stdin = child.stdin.take().expect("piped");
        let stdout = child.stdout.take().expect("piped");
        let (said, lines) = channel();
        thread::spawn(move || {
            let mut stdout = BufReader::new(stdout);
            let mut line = Vec::new();
            while stdout.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
                if said.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                    break;
                }
                line.clear();
            }
        });
        let (audio, heard) = channel::<Vec<u8>>();
        thread::spawn(move || {
            loop {
                // The pace of silence is the pace of its clock: fed faster, it would only burn the processor.
                let sound = match heard.recv_timeout(TICK) {
                    Ok(sound) => sound,
                    Err(RecvTimeoutError::Timeout) => SILENCE.to_vec(),
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if stdin.write_all(&sound).is_err() {
                    break;
                }
            }
        });
        let direwolf = Self { child, port, lines, audio: Some(audio), _folder: folder };
        direwolf.line("Ready to accept KISS");
        direwolf
    }

    /// The next line with these words in it.
    fn line(&self, words: &str) -> String {
        let until = Instant::now() + DEADLINE;
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if line.contains(words) => return line,
                Ok(line) => seen.push(line),
                Err(why) => panic!("direwolf did not say {words:?} ({why}): {seen:#?}"),
            }
        }
    }

    fn attach(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("direwolf's KISS port");
        stream.set_read_timeout(Some(DEADLINE)).expect("a deadline");
        self.line("Attached to KISS");
        stream
    }

    /// Frames as monitors write them, put on the air one after another.
    fn hears(&self, frames: &[&str]) {
        let folder = tempfile::tempdir().expect("a folder");
        let (text, wave) = (folder.path().join("frames.txt"), folder.path().join("frames.wav"));
        std::fs::write(&text, frames.iter().map(|frame| format!("{frame}\n")).collect::<String>()).expect("written");
        let made = program("gen_packets").arg("-o").arg(&wave).arg(&text).output();
        let made = made.unwrap_or_else(|error| panic!("gen_packets cannot run: {error}. {NEEDS}"));
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let sound = std::fs::read(&wave).expect("a wave file").split_off(44);
        self.audio.as_ref().expect("running").send(sound).expect("direwolf listens");
    }
}

impl Drop for Direwolf {
    fn drop(&mut self) {
        self.audio = None;
        let _it_may_be_gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn codec() -> Box<dyn Codec> {
    let own = ("own".to_owned(), Setting::Text("BG0AAA-10".into()));
    device::open("kiss", &Profile([own].into())).expect("a lawful profile")
}

fn mesh(call: &str) -> TerminalId {
    TerminalId::new(Bearer::Mesh, call)
}

/// Reads from the KISS port until so many signals are heard.
fn signals(stream: &mut TcpStream, count: usize) -> Vec<Signal> {
    let codec = codec();
    let (mut framer, mut heard, mut bytes) = (codec.framer(), Vec::new(), [0; 4096]);
    while heard.len() < count {
        let length = stream.read(&mut bytes).expect("frames before the deadline");
        assert!(length > 0, "direwolf hung up after {heard:?}");
        framer.push(&bytes[..length]);
        while let Some(found) = framer.next_found() {
            let Found::Frame(frame) = found else { panic!("noise from a TNC: {found:?}") };
            heard.extend(codec.decode(&frame, None).expect("a frame that we can read"));
        }
    }
    heard
}

/// The words of a signal that these tests compare.
fn brief(signal: &Signal) -> String {
    match signal {
        Signal::Heard(heard) => match &heard.content {
            Content::Text { text, .. } => format!("{} → {:?}: {text}", heard.from, heard.to),
            Content::Opaque(bytes) => format!("{} → {:?}: {bytes:?}", heard.from, heard.to),
        },
        Signal::Position { of, position, emergency } => {
            format!("{of} {} {} {emergency}", position.lat_e7, position.lon_e7)
        }
        Signal::Delivery { by, native, delivered, .. } => format!("{by} {native} {delivered}"),
        other => format!("{other:?}"),
    }
}

const ON_AIR: [&str; 4] = [
    "BG0BBB-7>APZYZN,WIDE1-1::BG0AAA-10:三号桥已断{0a9",
    "BG0BBB-7>APZYZN,WIDE1-1:!3955.50N/11623.20E-",
    "BG0BBB-7>332UVT:`(_fn\"Oj/",
    "BG0BBB-7>APZYZN,BG0DGI-1*,WIDE2-1::BG0AAA-10:ack00001",
];

fn meant() -> [String; 4] {
    let us = Addressee::Terminal(mesh("BG0AAA-10"));
    [
        format!("mesh:BG0BBB-7 → {us:?}: 三号桥已断"),
        "mesh:BG0BBB-7 399250000 1163866667 false".into(),
        "mesh:BG0BBB-7 334273333 -1121290000 true".into(),
        "mesh:BG0BBB-7 1 true".into(),
    ]
}

/// Catches: a framer that loses frames glued together, an address or SSID read wrongly, a text that keeps the line end
/// which the TNC left in it, a Mic-E latitude read from the wrong place.
#[test]
fn frames_off_the_air_reach_us_through_the_tnc_as_they_were_meant() {
    let direwolf = Direwolf::start();
    let mut stream = direwolf.attach();
    direwolf.hears(&ON_AIR);
    let heard: Vec<String> = signals(&mut stream, 4).iter().map(brief).collect();
    assert_eq!(heard, meant());
}

/// The same comparison with one altered frame: it must not agree.
#[test]
fn one_altered_frame_off_the_air_is_seen() {
    let direwolf = Direwolf::start();
    let mut stream = direwolf.attach();
    direwolf.hears(&["BG0BBB-7>APZYZN,WIDE1-1:!3955.51N/11623.20E-"]);
    let heard = signals(&mut stream, 1);
    assert_ne!(brief(&heard[0]), meant()[1]);
    assert_eq!(brief(&heard[0]), "mesh:BG0BBB-7 399251667 1163866667 false");
}

fn written(order: &Order) -> Vec<u8> {
    codec().encode(order).expect("a lawful order").iter().flat_map(|frame| frame.bytes.to_vec()).collect()
}

fn text(to: Addressee, text: &str) -> Vec<u8> {
    written(&Order::Text { card: None, to, text: text.into(), native: 1, urgent: false })
}

/// Catches: escapes, addresses, the last-address bit, PID or control that a real TNC would not radiate.
#[test]
fn what_we_write_is_radiated_as_we_meant_it() {
    let direwolf = Direwolf::start();
    let mut stream = direwolf.attach();
    let to = || Addressee::Terminal(mesh("BG0BBB-7"));
    stream.write_all(&text(to(), "gateway test")).expect("written");
    let line = direwolf.line("[0L]");
    assert_eq!(line, "[0L] BG0AAA-10>APZYZN,WIDE1-1,WIDE2-1::BG0BBB-7 :gateway test{00001");
    stream.write_all(&text(Addressee::Everyone(Bearer::Mesh), "road cut")).expect("written");
    let line = direwolf.line("[0L]");
    assert_eq!(line, "[0L] BG0AAA-10>APZYZN,WIDE1-1,WIDE2-1::BLN1     :road cut");
}

/// One byte of the callsign altered on the cable shows in what is radiated.
#[test]
fn one_altered_byte_of_ours_is_seen() {
    let direwolf = Direwolf::start();
    let mut stream = direwolf.attach();
    let mut frame = text(Addressee::Terminal(mesh("BG0BBB-7")), "gateway test");
    frame[9] ^= 2;
    stream.write_all(&frame).expect("written");
    let line = direwolf.line("[0L]");
    assert!(line.ends_with(":gateway test{00001") && !line.contains("BG0AAA-10>"), "{line}");
}

/// What `decode_aprs` makes of each frame: latitude and longitude in degrees, where it gives them.
fn decoded(frames: &[String]) -> Vec<Option<(f64, f64)>> {
    let mut child = program("decode_aprs")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("decode_aprs cannot run: {error}. {NEEDS}"));
    let mut stdin = child.stdin.take().expect("piped");
    let input: String = frames.iter().map(|frame| format!("{frame}\n")).collect();
    let feeder = thread::spawn(move || stdin.write_all(input.as_bytes()).expect("it reads"));
    let output = child.wait_with_output().expect("it ends");
    feeder.join().expect("all written");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut rest = shown.as_str();
    let mut places = Vec::new();
    for (at, frame) in frames.iter().enumerate() {
        let from = rest.find(frame.as_str()).unwrap_or_else(|| panic!("decode_aprs lost {frame}"));
        rest = &rest[from + frame.len()..];
        let end = frames.get(at + 1).and_then(|next| rest.find(next.as_str())).unwrap_or(rest.len());
        places.push(rest[..end].lines().find_map(place));
    }
    places
}

/// `N 39 55.5000, E 116 23.2000` at the end of some colour codes.
fn place(line: &str) -> Option<(f64, f64)> {
    let line = line.rsplit('m').next()?;
    let mut halves = line.split(", ");
    let mut degrees = || -> Option<f64> {
        let mut words = halves.next()?.split_whitespace();
        let sign = match words.next()? {
            "N" | "E" => 1.0,
            "S" | "W" => -1.0,
            _ => return None,
        };
        let whole: f64 = words.next()?.parse().ok()?;
        Some(sign * (whole + words.next()?.parse::<f64>().ok()? / 60.0))
    };
    Some((degrees()?, degrees()?))
}

/// Frames whose place we read elsewhere than `decode_aprs`, and how many both gave a place for.
fn differing(frames: &[String], theirs: &[Option<(f64, f64)>]) -> (Vec<String>, usize) {
    let (mut differ, mut both) = (Vec::new(), 0);
    for (frame, theirs) in frames.iter().zip(theirs) {
        let ours = explain(Some("aprs"), device::Direction::Any, frame.as_bytes()).map(|explained| explained.fields);
        let get = |name: &str| ours.as_ref().ok().and_then(|fields| fields.get(name)).and_then(Value::as_f64);
        let ours = get("lat").zip(get("lon"));
        // A hundredth of a minute held in four decimals; base 91 is a little coarser.
        let near = |(a, b): (f64, f64), (c, d): (f64, f64)| (a - c).abs() < 1e-5 && (b - d).abs() < 1e-5;
        both += usize::from(ours.is_some() && theirs.is_some());
        if !ours.zip(*theirs).map_or(ours.is_none() && theirs.is_none(), |(ours, theirs)| near(ours, theirs)) {
            differ.push(format!("{frame}: ours {ours:?}, theirs {theirs:?}"));
        }
    }
    (differ, both)
}

/// Every form of position, from a fixed walk over the globe.
fn positions() -> Vec<String> {
    let mut frames = Vec::new();
    for step in 0_u32..300 {
        let (lat, lon) = (step * 7_919 % 540_000, step * 104_729 % 1_080_000);
        let (ns, ew) = (if step % 3 == 0 { 'S' } else { 'N' }, if step % 5 == 0 { 'W' } else { 'E' });
        let minutes = |hundredths: u32| (hundredths / 6000, hundredths % 6000 / 100, hundredths % 100);
        let ((a, b, c), (d, e, f)) = (minutes(lat), minutes(lon));
        let plain = format!("{a:02}{b:02}.{c:02}{ns}/{d:03}{e:02}.{f:02}{ew}>");
        let digits = |mut value: u32| {
            let mut text = [0_u8; 4];
            for byte in text.iter_mut().rev() {
                *byte = u8::try_from(value % 91).expect("small") + 33;
                value /= 91;
            }
            String::from_utf8_lossy(&text).into_owned()
        };
        let packed = format!("/{}{}> sT", digits(step * 228_555 % 68_574_961), digits(step * 190_463 % 68_574_961));
        let body = if step % 2 == 0 { plain } else { packed };
        frames.push(match step % 7 {
            0 => format!("BG0BBB-7>APZYZN:={body}088/036 {step}"),
            1 => format!("BG0BBB-7>APZYZN:@092345z{body} {step}"),
            2 => format!("BG0BBB-7>APZYZN:;OBJ{step:<6}*092345z{body}"),
            3 => format!("BG0BBB-7>APZYZN:)ITEM{step}!{body}"),
            _ => format!("BG0BBB-7>APZYZN:!{body} {step}"),
        });
    }
    frames.push("BG0BBB-7>S32UVT:`(_fn\"Oj/".into());
    frames.push("BG0BBB-7>T8RPSU:`*8Jl!Cj/".into());
    frames
}

/// Catches: a sign, a minute or a base 91 digit read wrongly in any form of position.
#[test]
fn decode_aprs_puts_every_position_where_we_put_it() {
    let frames = positions();
    let (differ, both) = differing(&frames, &decoded(&frames));
    assert!(differ.is_empty(), "{} of {}:\n{}", differ.len(), frames.len(), differ.join("\n"));
    assert!(both > 290, "only {both} of {} frames were compared", frames.len());
}

/// One altered answer of `decode_aprs` is seen.
#[test]
fn one_altered_place_is_seen() {
    let frames = positions();
    let mut theirs = decoded(&frames);
    theirs[7] = theirs[7].map(|(lat, lon)| (lat + 0.000_2, lon));
    assert_eq!(differing(&frames, &theirs).0.len(), 1);
}
