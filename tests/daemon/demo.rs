//! The demo that a first visitor starts.

use crate::rig::{folder, is_quick, ordinary};
use serde_json::Value;
use std::fs;
use std::process::Command;

#[test]
fn the_demo_keeps_its_promises_and_tells_them_as_lines_of_json() {
    let folder = folder();
    let program = folder.path().join("yizhan-drill");
    let built = env!("CARGO_BIN_EXE_yizhan-drill");
    fs::hard_link(built, &program).or_else(|_| fs::copy(built, &program).map(drop)).unwrap();
    let mut demo = Command::new(program);
    let seconds = if is_quick() { "25" } else { "180" };
    demo.args(["demo", "--json", "--seconds", seconds, "--keep"]).arg(folder.path().join("kept"));
    let output = ordinary(demo).current_dir(folder.path()).output().unwrap();
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
