//! MeshCore: the real client (PyPI `meshcore`) at the simulated radio, over a pseudo-terminal and over TCP, both ways. The radio
//! writes and reads with the codec's own `wire`: what is wrong there, the client does not understand.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use yizhan_codecs::message::{Addressee, Bearer, TerminalId};
use yizhan_simulators::live::{Player, Port, Rehearsal, What};
use yizhan_simulators::seed::Seed;
use yizhan_simulators::terminal::meshcore::MeshCoreRadio;
use yizhan_simulators::terminal::{Act, Said};

const NEAR: &str = "near";
const FAR: &str = "far";
const NEAR_KEY: &str = "a0a1a2a3a4a5";
const FAR_KEY: &str = "b0b1b2b3b4b5";
const THERE: &str = "请三号桥人员撤离";
const BACK: &str = "收到，正在撤离";
const NEEDS: &str = "meshcore 2.3.17 under target/peers/clients";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The client as a process; it is ended when the test ends.
struct Client {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Client {
    fn at(port: &str) -> Self {
        let python: PathBuf = root().join("target/peers/clients/bin/python");
        let script = root().join("tests/peers/meshcore_peer.py");
        let runs = Command::new(&python).arg(&script).arg("--help").stdout(Stdio::null()).status();
        let runs = runs.is_ok_and(|status| status.success());
        assert!(
            runs,
            "meshcore_peer.py cannot run: it needs {NEEDS}. Run ./tests/run once, it fetches what is missing"
        );
        let mut child = Command::new(python)
            .arg(script)
            .arg(port)
            .args([FAR_KEY, THERE])
            .stdout(Stdio::piped())
            .spawn()
            .expect("it just ran");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// The next line; fails when the client has ended instead, which it does by itself when it waits too long.
    fn line(&mut self) -> Value {
        let line = self.lines.next().expect("the client goes on").expect("UTF-8");
        serde_json::from_str(&line).expect("a JSON object")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _its_status_says_nothing = self.child.wait();
    }
}

fn id(number: &str) -> TerminalId {
    TerminalId::new(Bearer::Mesh, number)
}

fn radio(number: &str, seed: &Seed) -> MeshCoreRadio {
    MeshCoreRadio::new(id(number), seed).expect("a key prefix")
}

/// Plays the two radios and the client, on a cable or over TCP; what the client said, and what the near radio sent for it.
fn played(is_tcp: bool) -> (Vec<Value>, Vec<Said>) {
    let seed = Seed::new(7);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("radio").display().to_string();
    let near = radio(NEAR_KEY, &seed).knows(&[(id(FAR_KEY), "山脊")]);
    let (port, place) = if is_tcp {
        let (port, address) = Port::tcp(&seed).expect("a free port");
        (port, address.to_string())
    } else {
        (Port::serial(path.as_ref(), 115_200, &seed), path)
    };
    let players = vec![
        Player { name: NEAR, id: id(NEAR_KEY), terminal: Box::new(near), port },
        Player { name: FAR, id: id(FAR_KEY), terminal: Box::new(radio(FAR_KEY, &seed)), port: Port::None },
    ];
    let (rehearsal, news) = Rehearsal::begin(&seed, BTreeMap::new(), players).expect("ports");
    let mut client = Client::at(&place);
    let mut said = Vec::new();
    while said.last() != Some(&json!({ "ready": true })) {
        said.push(client.line());
    }
    rehearsal.act(FAR, Act::Type { to: Addressee::Terminal(id(NEAR_KEY)), text: BACK.into() });
    said.push(client.line());
    drop(rehearsal);
    let radiated = news.iter().filter_map(|news| match news.what {
        What::Radiated(message) if news.who == NEAR => Some(message.said),
        _ => None,
    });
    (said, radiated.collect())
}

/// What the client must have understood.
fn agrees(said: &[Value]) -> bool {
    let expected = [
        json!({ "self": NEAR_KEY, "name": "驿站a0a1" }),
        json!({ "contacts": { FAR_KEY: "山脊" } }),
        json!({ "acked": true }),
        json!({ "battery": 3_980 }),
        json!({ "ready": true }),
        json!({ "heard": BACK, "sender": FAR_KEY }),
    ];
    said == expected
}

/// Would catch: a wrong layout of self info, contacts, ack code, battery or received text; a text of the client that our
/// reading of its command turns into another one.
#[test]
fn the_real_client_and_the_radio_understand_each_other_both_ways() {
    for is_tcp in [false, true] {
        let (said, radiated) = played(is_tcp);
        assert!(agrees(&said), "tcp {is_tcp}: {said:#?}");
        let sent = |said: &Said| matches!(said, Said::Text { text, request } if text == THERE && *request != 0);
        assert!(radiated.iter().any(sent), "tcp {is_tcp}: {radiated:?}");
    }
}

/// Would catch: a comparison that agrees with everything. One word of the client is altered, each in turn.
#[test]
fn one_altered_answer_of_the_client_is_seen() {
    let (said, _) = played(false);
    assert!(agrees(&said), "{said:#?}");
    for at in 0..said.len() {
        let mut altered = said.clone();
        let (_, value) =
            altered[at].as_object_mut().and_then(|line| line.iter_mut().next()).expect("a line says something");
        *value = json!("another");
        assert!(!agrees(&altered), "line {at}");
    }
}
