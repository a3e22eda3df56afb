//! The demo that a first visitor starts.

use crate::rig::{folder, is_quick, ordinary};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// The demo's program, where an ordinary user can run it and leave nothing elsewhere.
fn demo_in(folder: &Path) -> Command {
    let program = folder.join("yizhan-drill");
    let built = env!("CARGO_BIN_EXE_yizhan-drill");
    fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
    let mut demo = ordinary(Command::new(program));
    demo.args(["demo", "--json"]).current_dir(folder).env("TMPDIR", folder);
    demo
}

#[test]
fn an_interrupted_demo_leaves_no_process_and_no_folder_behind() {
    let folder = folder();
    let mut demo = demo_in(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let started = lines.by_ref().map(Result::unwrap).find(|line| line.contains("station_started")).expect("it starts");
    let station = serde_json::from_str::<Value>(&started).unwrap()["pid"].as_u64().unwrap();
    let id = Pid::from_raw(i32::try_from(demo.id()).unwrap());
    kill(id, Signal::SIGTERM).unwrap();
    assert!(!demo.wait().unwrap().success());
    assert!(!Path::new(&format!("/proc/{station}/exe")).exists(), "the station is gone");
    let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["yizhan-drill"], "nothing is left");
}

#[test]
fn the_demo_keeps_its_promises_and_tells_them_as_lines_of_json() {
    let folder = folder();
    let mut demo = demo_in(folder.path());
    let seconds = if is_quick() { "25" } else { "180" };
    demo.args(["--seconds", seconds, "--keep"]).arg(folder.path().join("kept"));
    let output = demo.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let summary = lines.iter().find(|line| line["summary"] == true).expect("it ends with a summary");
    for promise in ["sent_too_early", "lost", "shown_twice"] {
        assert_eq!(summary[promise], 0, "{summary}");
    }
    let answered = lines.iter().filter(|line| line["event"] == "rung_raised" && line["record"]["rung"] == "answered");
    let (kills, answers) = (summary["kills"].as_u64(), answered.count());
    assert!(
        is_quick() || (kills == Some(1) && answers == 4),
        "{kills:?} kills, {answers} answers: the story was cut short"
    );
    assert_eq!(lines.last().unwrap()["kept"], true);
}
