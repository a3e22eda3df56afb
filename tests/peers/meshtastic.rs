//! Meshtastic: the public command-line client (PyPI `meshtastic`, a separate program) is the host of our simulated radios,
//! so that a mistake which both our ends share cannot hide; and a real broker (mosquitto) carries envelopes to `explain`.

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;
use yizhan_codecs::message::{Bearer, TerminalId};
use yizhan_simulators::air::Weather;
use yizhan_simulators::live::{Player, Port, Rehearsal, Stopwatch};
use yizhan_simulators::seed::Seed;
use yizhan_simulators::terminal::meshtastic::MeshRadio;

const NEAR: &str = "!a1b2c3d4";
const FAR: &str = "!0badcafe";
/// For whatever a program has to do here; generous, because the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(90);

/// Two radios within hearing of each other: the near one on a serial port, the far one over TCP.
struct Mesh {
    folder: tempfile::TempDir,
    far: SocketAddr,
    rehearsal: Rehearsal,
    _news: std::sync::mpsc::Receiver<yizhan_simulators::live::News>,
}

impl Mesh {
    fn begin() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let seed = Seed::new(7);
        let player = |name: &'static str, number: &str, port: Port| {
            let id = TerminalId::new(Bearer::Mesh, number);
            let radio = MeshRadio::new(id.clone(), &seed.stream(name)).expect("a number of a radio");
            Player { name, id, terminal: Box::new(radio), port }
        };
        let serial = Port::serial(&folder.path().join("near"), 115_200, &seed.stream("near"));
        let (tcp, far) = Port::tcp(&seed.stream("far")).expect("a free port");
        let players = vec![player("near", NEAR, serial), player("far", FAR, tcp)];
        let (rehearsal, news) = Rehearsal::begin(&seed, BTreeMap::new(), players).expect("the ports are made");
        Self { folder, far, rehearsal, _news: news }
    }

    /// What tells the client where a radio is.
    fn place(&self, name: &str) -> [String; 2] {
        match name {
            "far" => ["--host".into(), self.far.to_string()],
            _ => ["--port".into(), self.folder.path().join(name).display().to_string()],
        }
    }

    /// Runs the client at a radio to its end.
    fn client(&self, name: &str, arguments: &[&str]) -> String {
        let output = bounded(python()).args(["-m", "meshtastic"]).args(self.place(name)).args(arguments).output();
        shown(&output.expect("timeout runs"))
    }

    /// Nothing passes any more.
    fn silence(&self) {
        let mut weather = Weather::typical(Bearer::Mesh);
        weather.loss_permille = 1_000;
        self.rehearsal.weather(Bearer::Mesh, weather);
    }
}

/// A program under `timeout`, so that one that never ends fails its test.
fn bounded(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("timeout");
    command.arg("--kill-after=5").arg(DEADLINE.as_secs().to_string()).arg(program).stdin(Stdio::null());
    command
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The Python with the client in it.
fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers/clients/bin/python");
    let answers = Command::new(&python).args(["-m", "meshtastic", "--version"]).output();
    assert!(
        answers.is_ok_and(|output| output.status.success()),
        "no client: PyPI meshtastic 2.7.11 is needed under target/peers/clients. Run ./tests/run once, it fetches it"
    );
    python
}

/// A Debian program on the path, where administrators' programs lie, or where `./tests/run` unpacked it.
fn debian(name: &str, package: &str) -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/peers");
    let folders = ["bin", "debian/usr/sbin", "debian/usr/bin"].map(|folder| unpacked.join(folder));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    places
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .unwrap_or_else(|| panic!("{name} is not here: it needs the Debian package {package}. Run ./tests/run once"))
}

/// Lines of a running program until one says what is waited for.
fn wait_for(lines: &mut BufReader<ChildStdout>, what: &str) -> String {
    let mut all = String::new();
    while !all.contains(what) {
        let read = lines.read_line(&mut all).expect("UTF-8");
        assert!(read > 0, "it ended without saying {what:?}:\n{all}");
    }
    all
}

/// Catches a start-up that a real host does not accept, and numbers or names that it reads otherwise than we mean them.
#[test]
fn the_real_client_accepts_the_radio_and_reads_its_number() {
    let mesh = Mesh::begin();
    let info = mesh.client("near", &["--info", "--timeout", "30"]);
    assert!(info.contains("Drill a1b2c3d4") && info.contains("2712847316"), "{info}");
    let nodes = mesh.client("near", &["--nodes", "--timeout", "30"]);
    assert!(nodes.contains(NEAR), "{nodes}");
}

/// Catches a text that is altered on its way from one real host to another, a result that is not taken for the
/// destination's own word, and a packet that a real host drops.
#[test]
fn a_text_of_one_real_client_reaches_another_and_its_result_comes_back() {
    let mesh = Mesh::begin();
    let mut listener = bounded(python())
        .args(["-u", "-m", "meshtastic"])
        .args(mesh.place("far"))
        .args(["--listen", "--timeout", "30"])
        .stdout(Stdio::piped())
        .stderr(Stdio::from(std::fs::File::create(mesh.folder.path().join("heard")).expect("a file")))
        .spawn()
        .expect("timeout runs");
    let mut lines = BufReader::new(listener.stdout.take().expect("piped"));
    wait_for(&mut lines, "Connected to radio");
    let sent = mesh.client("near", &["--sendtext", "bridge 3 is closed", "--dest", FAR, "--ack", "--timeout", "30"]);
    assert!(sent.contains("Received an ACK.") || sent.contains("Received an implicit ACK"), "{sent}");
    let heard = mesh.folder.path().join("heard");
    let came = until(|| std::fs::read_to_string(&heard).is_ok_and(|text| text.contains("bridge 3 is closed")));
    kill(&mut listener);
    assert!(came, "the far client heard {}", std::fs::read_to_string(&heard).unwrap_or_default());
}

/// Catches a radio that calls a text delivered which nobody took, and shows the comparison red: the same question with
/// another answer on the air has another outcome at the client.
#[test]
fn a_text_that_nobody_takes_is_never_called_delivered() {
    let mesh = Mesh::begin();
    mesh.silence();
    let sent = mesh.client("near", &["--sendtext", "anybody?", "--dest", FAR, "--ack", "--timeout", "60"]);
    assert!(!sent.contains("Received an ACK."), "{sent}");
    assert!(sent.contains("Received a NAK") || sent.contains("implicit ACK"), "{sent}");
    assert_eq!(mesh.rehearsal.tally("near").map(|tally| tally.ordered), Some(1));
}

fn until(mut holds: impl FnMut() -> bool) -> bool {
    let watch = Stopwatch::start();
    while watch.elapsed() < DEADLINE {
        if holds() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn kill(child: &mut Child) {
    // `timeout` hands the signal on to what it runs.
    let _ended_already = Command::new("kill").arg(child.id().to_string()).status();
    let _status = child.wait();
}

/// A broker on a free port of the loopback network.
struct Broker {
    child: Child,
    port: u16,
}

impl Broker {
    fn begin(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let config = folder.join("mosquitto.conf");
        let lines = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        std::fs::write(&config, lines).expect("a file");
        let child = bounded(debian("mosquitto", "mosquitto"))
            .arg("-c")
            .arg(config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("timeout runs");
        let broker = Self { child, port };
        assert!(until(|| TcpStream::connect(("127.0.0.1", port)).is_ok()), "the broker does not answer");
        broker
    }

    /// Bytes as they come out of the broker when they are put in at a topic.
    fn carried(&self, topic: &str, bytes: &[u8]) -> Vec<u8> {
        let port = self.port.to_string();
        let publish = debian("mosquitto_pub", "mosquitto-clients");
        let mut publisher = bounded(publish)
            .args(["-h", "127.0.0.1", "-p", &port, "-q", "1", "-r", "-t", topic, "-s"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("timeout runs");
        publisher.stdin.take().expect("piped").write_all(bytes).expect("it takes them");
        assert!(publisher.wait().expect("it ends").success(), "mosquitto_pub failed");
        // Retained, so that it does not matter who is first.
        let mut subscriber = bounded(debian("mosquitto_sub", "mosquitto-clients"))
            .args(["-h", "127.0.0.1", "-p", &port, "-C", "1", "-N", "-t", topic])
            .stdout(Stdio::piped())
            .spawn()
            .expect("timeout runs");
        let mut out = Vec::new();
        subscriber.stdout.take().expect("piped").read_to_end(&mut out).expect("it is read");
        assert!(subscriber.wait().expect("it ends").success(), "mosquitto_sub failed");
        out
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

fn envelopes() -> Vec<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("codecs/src/device/meshtastic/vectors/mqtt.jsonl");
    let text = std::fs::read_to_string(file).expect("recorded cases");
    let cases = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON object"));
    cases.filter(|case| case["expect"] == "decode" && case["hex"].is_string()).collect()
}

fn explained(bytes: &[u8]) -> Value {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let line = serde_json::json!({ "protocol": "mqtt", "direction": "any", "hex": hex }).to_string();
    let [program, words @ ..] = crate::peer::EXPLAIN;
    let mut child =
        Command::new(program).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("explain runs");
    child.stdin.take().expect("piped").write_all(line.as_bytes()).expect("it takes a line");
    let output = child.wait_with_output().expect("it ends");
    serde_json::from_slice(&output.stdout).expect("a JSON line")
}

/// Whether an answer holds every field that was recorded.
fn agrees(answer: &Value, case: &Value) -> bool {
    let fields = case["fields"].as_object().expect("fields");
    let near = |found: &Value, wanted: &Value| match (found.as_f64(), wanted.as_f64()) {
        (Some(found), Some(wanted)) => (found - wanted).abs() <= 1.5e-6,
        _ => found == wanted,
    };
    answer["ok"] == true && fields.iter().all(|(name, wanted)| near(&answer["fields"][name], wanted))
}

fn unhex(case: &Value) -> Vec<u8> {
    let digits = case["hex"].as_str().expect("hex");
    let pairs = (0..digits.len()).step_by(2).filter_map(|at| digits.get(at..at + 2));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hex")).collect()
}

fn topic(case: &Value) -> String {
    case["given"]["topic"].as_str().unwrap_or("msh/CN/2/e/LongFast/!a1b2c3d4").to_owned()
}

/// Catches an envelope that reads otherwise after a real broker than before it, and a topic that a broker refuses.
#[test]
fn an_envelope_through_a_real_broker_reads_as_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broker = Broker::begin(folder.path());
    let cases = envelopes();
    assert!(cases.len() >= 4, "{} cases", cases.len());
    for case in &cases {
        let answer = explained(&broker.carried(&topic(case), &unhex(case)));
        assert!(agrees(&answer, case), "{}\n{answer}", case["fields"]);
    }
}

/// Shows that the comparison above can fail: one byte of an envelope is altered on its way.
#[test]
fn an_envelope_altered_on_its_way_is_seen() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let broker = Broker::begin(folder.path());
    let case = envelopes().remove(0);
    let mut bytes = unhex(&case);
    bytes[4] ^= 1;
    let answer = explained(&broker.carried(&topic(&case), &bytes));
    assert!(!agrees(&answer, &case), "{answer}");
}
