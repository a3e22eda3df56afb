//! Two daemons over two simulated cards: the long order, loss, a power cut at either end, receipts, a person's answer.

use crate::rig::is_quick;
use std::process::Command;
use std::time::Duration;
use yizhan_simulators::pair::{Settings, play};

#[test]
fn a_long_order_crosses_a_lossy_air_whole_though_both_ends_lose_their_power() {
    // Every frame takes a slot of some three seconds; the quick version sends a shorter order.
    let (characters, loss_permille) = if is_quick() { (250, 200) } else { (1_000, 300) };
    let settings = Settings {
        period: Duration::from_secs(1),
        loss_permille,
        characters,
        at_most: Duration::from_secs(300),
        seed: 1,
        keep: None,
    };
    let mut told = Vec::new();
    let outcome = play(&settings, &|| Command::new(env!("CARGO_BIN_EXE_yizhan")), &mut told).unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert!(outcome.broken.is_empty(), "{told}");
    assert_eq!(outcome.too_early, 0, "{told}");
    assert!(outcome.lost > 0 && outcome.restarts > 0, "the weather was too good to show anything: {told}");
}
