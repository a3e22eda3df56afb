//! Two daemons over two simulated cards, and over a mesh of two simulated IP radios: the long order, loss, a power cut at
//! either end, receipts, a person's answer.

use crate::rig::is_quick;
use std::process::Command;
use std::time::Duration;
use yizhan_simulators::pair::{Outcome, Over, Settings, play};

/// Plays it and gives what was seen, once every promise was kept.
fn played(over: Over, seed: u64, loss_permille: u32, characters: usize) -> Outcome {
    let settings = Settings {
        over,
        period: Duration::from_secs(1),
        loss_permille,
        characters,
        at_most: Duration::from_secs(400),
        seed,
        keep: None,
    };
    let mut told = Vec::new();
    let outcome = play(&settings, &|| Command::new(env!("CARGO_BIN_EXE_yizhan")), &mut told).unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(outcome.broken.is_empty(), "{told}");
    assert_eq!(outcome.too_early, 0, "{told}");
    assert!(outcome.lost > 0 && outcome.restarts > 0, "the weather was too good to show anything: {told}");
    outcome
}

#[test]
fn a_long_order_crosses_a_lossy_air_whole_though_both_ends_lose_their_power() {
    // Every frame takes a slot of some three seconds; the quick version sends a shorter order.
    let (characters, loss_permille) = if is_quick() { (250, 200) } else { (1_000, 300) };
    let outcome = played(Over::Beidou, 1, loss_permille, characters);
    assert_eq!(outcome.over_ip, [0, 0]);
}

#[test]
fn it_crosses_a_mesh_that_loses_doubles_and_disorders_datagrams_too_and_is_shown_once() {
    // Each transmission's fate follows from the seed; with this one the first few are of every kind.
    let outcome = played(Over::Udp, 4, 300, if is_quick() { 400 } else { 1_000 });
    assert_eq!(outcome.over_ip, outcome.sent);
    assert!(outcome.doubled + outcome.overtaken > 0, "the mesh kept order: {outcome:?}");
}

#[test]
fn it_goes_round_by_beidou_when_the_mesh_is_dead_and_neither_station_can_see_that() {
    let (characters, loss_permille) = if is_quick() { (250, 200) } else { (1_000, 300) };
    let outcome = played(Over::Both, 1, loss_permille, characters);
    assert!(outcome.over_ip[0] > 0 && outcome.over_ip[0] < outcome.sent[0], "{outcome:?}");
}
