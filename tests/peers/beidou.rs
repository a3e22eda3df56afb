//! Beidou: RDSS 4.0, 2.1, BDS-3 and positions.

use crate::frames::Frames;
use crate::peer::{Peer, altered};
use serde_json::Value;
use std::process::Command;

const COUNT: usize = 100_000;
const SEED: u64 = 20_261_123;

#[test]
fn we_read_their_frames_as_they_mean_them() {
    Peer::beidou().compare(SEED, COUNT).is_full_agreement(COUNT);
}

#[test]
fn they_read_our_frames_as_we_mean_them() {
    let cases = Frames::new(SEED).take(COUNT).collect::<Vec<_>>();
    Peer::beidou().check(&cases).is_full_agreement(COUNT);
}

#[test]
fn we_read_our_own_frames_as_we_mean_them() {
    let cases = Frames::new(SEED + 1).take(COUNT / 10).collect::<Vec<_>>();
    Peer::beidou().compare_cases(&cases).is_full_agreement(COUNT / 10);
}

#[test]
fn one_altered_field_of_their_frames_is_seen() {
    let peer = Peer::beidou();
    let mut cases = peer.generate(SEED, 200);
    let at = cases.iter().position(|case| case["expect"] == "decode").expect("most are valid");
    cases[at] = altered(&cases[at]);
    let verdict = peer.compare_cases(&cases);
    assert_eq!((verdict.agreed, verdict.differed, verdict.good), (199, 1, false), "{}", verdict.shown);
}

#[test]
fn one_altered_field_of_our_frames_is_seen() {
    let mut cases = Frames::new(SEED).take(200).collect::<Vec<_>>();
    cases[100] = altered(&cases[100]);
    let verdict = Peer::beidou().check(&cases);
    assert_eq!((verdict.agreed, verdict.differed, verdict.good), (199, 1, false), "{}", verdict.shown);
}

#[test]
fn a_broken_frame_that_is_taken_for_a_message_is_seen() {
    let peer = Peer::beidou();
    let mut cases = peer.generate(SEED, 200);
    let at = cases.iter().position(|case| case["expect"] == "decode").expect("most are valid");
    cases[at]["expect"] = Value::from("refuse");
    let verdict = peer.compare_cases(&cases);
    assert_eq!((verdict.differed, verdict.good), (1, false), "{}", verdict.shown);
}

#[test]
fn the_peer_passes_its_own_tests() {
    let root = env!("CARGO_MANIFEST_DIR");
    let output =
        Command::new("python3").args(["-m", "unittest", "discover", "-s", "tests/peers"]).current_dir(root).output();
    let output = output.expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("\nOK") && !said.contains("Ran 0 tests"), "{said}");
}
