//! Runs a peer and reads its verdict.

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};

/// The product under test, as a program: explains one frame a line.
pub const EXPLAIN: [&str; 3] = [env!("CARGO_BIN_EXE_yizhan"), "explain", "--jsonl"];

/// A peer: a Python program with the Python that has what it needs.
pub struct Peer {
    python: PathBuf,
    script: &'static str,
}

/// What a peer said in its last line.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub agreed: usize,
    pub differed: usize,
    /// Whether it called the comparison good by its exit status.
    pub good: bool,
    pub shown: String,
}

impl Peer {
    /// The decoder written by another hand: standard library only.
    pub fn beidou() -> Self {
        Self::found("python3".into(), "beidou_peer.py", "Python 3.11 or newer (Debian package python3)")
    }

    /// The air format written by another hand: standard library only.
    pub fn air() -> Self {
        Self::found("python3".into(), "air_peer.py", "Python 3.11 or newer (Debian package python3)")
    }

    /// ok-dmrlib, in the Python that `./tests/run` made for it.
    pub fn hdap() -> Self {
        let python = root().join("target/peers/okdmr/bin/python");
        Self::found(python, "hdap_peer.py", "ok-dmrlib 0.8.0 under target/peers/okdmr")
    }

    /// ok-dmrlib as a repeater that forwards to its host.
    pub fn repeater() -> Self {
        let python = root().join("target/peers/okdmr/bin/python");
        Self::found(python, "hstrp_peer.py", "ok-dmrlib 0.8.0 under target/peers/okdmr")
    }

    /// Starts it beside the test.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut peer = Command::new(&self.python);
        peer.arg(root().join("tests/peers").join(self.script)).args(arguments).spawn().expect("it starts")
    }

    /// Fails loudly when the peer cannot run: a peer that is not there agrees with everything.
    fn found(python: PathBuf, script: &'static str, needs: &str) -> Self {
        let peer = Self { python, script };
        let answers = peer.run(&["--help"]).is_ok_and(|output| output.status.success());
        assert!(answers, "{script} cannot run: it needs {needs}. Run ./tests/run once, it fetches what is missing");
        peer
    }

    fn run(&self, arguments: &[&str]) -> std::io::Result<Output> {
        Command::new(&self.python).arg(root().join("tests/peers").join(self.script)).args(arguments).output()
    }

    /// Random frames of the peer, asked of our program; the peer judges our answers.
    pub fn compare(&self, seed: u64, count: usize) -> Verdict {
        self.asked(&["--seed", &seed.to_string(), "--count", &count.to_string()])
    }

    /// The same for one protocol that is asked about only by name.
    pub fn compare_protocol(&self, protocol: &str, seed: u64, count: usize) -> Verdict {
        self.asked(&["--protocol", protocol, "--seed", &seed.to_string(), "--count", &count.to_string()])
    }

    /// The same for cases at hand.
    pub fn compare_cases(&self, cases: &[Value]) -> Verdict {
        let file = written(cases);
        self.asked(&["--cases", file.path().to_str().expect("a UTF-8 path")])
    }

    fn asked(&self, options: &[&str]) -> Verdict {
        self.verdict(&[&["compare"], options, EXPLAIN.as_slice()].concat())
    }

    /// Cases of ours, read by the peer, which must find the fields that we meant.
    pub fn check(&self, cases: &[Value]) -> Verdict {
        let file = written(cases);
        self.verdict(&["check", file.path().to_str().expect("a UTF-8 path")])
    }

    /// Random cases of the peer.
    pub fn generate(&self, seed: u64, count: usize) -> Vec<Value> {
        let output =
            self.run(&["generate", "--seed", &seed.to_string(), "--count", &count.to_string()]).expect("it runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
    }

    fn verdict(&self, arguments: &[&str]) -> Verdict {
        let output = self.run(arguments).expect("the peer runs");
        let mut shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = shown.lines().last().unwrap_or_default();
        let number = |word: &str| last.split(word).next().and_then(|before| before.rsplit(' ').next()?.parse().ok());
        let (agreed, differed) = (number(" agreed"), number(" differed"));
        shown.push_str(&String::from_utf8_lossy(&output.stderr));
        let (Some(agreed), Some(differed)) = (agreed, differed) else {
            panic!("no verdict of {}:\n{shown}", self.script)
        };
        Verdict { agreed, differed, good: output.status.success(), shown }
    }
}

impl Verdict {
    /// Fails unless at least `count` cases were asked and every one agreed.
    pub fn is_full_agreement(&self, count: usize) {
        assert!(self.good && self.differed == 0 && self.agreed >= count, "{count} cases wanted\n{}", self.shown);
    }
}

/// The case with the first of its fields that is a number or a text made another.
pub fn altered(case: &Value) -> Value {
    let mut case = case.clone();
    let fields = case["fields"].as_object_mut().expect("a case has fields");
    let altered = fields.iter_mut().find_map(|(_, value)| {
        *value = match value {
            Value::Number(number) => Value::from(number.as_i64()? + 1),
            Value::String(text) => Value::from(format!("{text}?")),
            _ => return None,
        };
        Some(())
    });
    assert!(altered.is_some(), "nothing to alter in {case}");
    case
}

fn written(cases: &[Value]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    for case in cases {
        writeln!(file, "{case}").expect("it takes a line");
    }
    file
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
