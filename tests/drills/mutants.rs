//! Mutants: subtle faults put between the station and its world, each of which the laws must catch with a named seed.
//! The production code has no switch for any of them; without a tamper the same drills keep every law.

use crate::tampers::*;
use std::time::Duration;
use yizhan_simulators::drill;
use yizhan_simulators::laws::{Law, Violation};
use yizhan_simulators::scenario::Scenario;
use yizhan_simulators::world::Tamper;

/// More orders than places, all at once.
const CROWDED: &str = r#"
name = "crowded"
title = "待发队列拥挤"
minutes = 20.0
settle_minutes = 40.0
station = 4
clock_trusted_from_min = 0.0
[policy]
outbox_max = 12
flash_reserved = 6
sender_share = 1000
life_min = [15, 20, 30, 30]
[[link]]
name = "beidou"
device = "beidou"
dialect = "rdss40"
number = 142020
[[crowd]]
id = "team"
name = "组"
count = 10
bearers = ["beidou"]
first = 166501
[[traffic]]
from_min = 1.0
to_min = 8.0
every_s = 12.0
who = "duty"
to = ["crowd:team"]
texts = ["{n}号：请报告"]
"#;

/// A mesh whose neighbours repeat what they hear, while the person it is for is out of reach.
const LONELY_MESH: &str = r#"
name = "lonely-mesh"
title = "邻居转发，对方不在"
minutes = 30.0
settle_minutes = 60.0
station = 4
clock_trusted_from_min = 0.0
[policy]
life_min = [15, 20, 30, 30]
[[link]]
name = "mesh"
device = "meshtastic"
number = "!0badcafe"
[air.mesh]
shadowed = ["mesh:!5e3a0c11"]
[[person]]
id = "away"
name = "不在"
terminals = ["mesh:!5e3a0c11"]
[[traffic]]
from_min = 2.0
to_min = 25.0
every_s = 60.0
who = "duty"
to = ["person:away"]
texts = ["{n}号：请报告"]
"#;

/// A radio of which only the layout is known: it confirms nothing.
const DESCRIBED: &str = r#"
name = "described"
title = "只知格式的电台"
minutes = 30.0
settle_minutes = 60.0
station = 4
clock_trusted_from_min = 0.0
[policy]
life_min = [15, 20, 30, 30]
[[link]]
name = "radio"
device = "raw"
number = 6
profile = { send = true }
[[person]]
id = "near"
name = "在场"
terminals = ["radio370:2306"]
[[traffic]]
from_min = 2.0
to_min = 25.0
every_s = 60.0
who = "duty"
to = ["person:near"]
texts = ["{n}号：请报告"]
"#;

fn scenario(name: &str) -> Scenario {
    match name {
        "crowded" => Scenario::read(CROWDED).unwrap(),
        "lonely-mesh" => Scenario::read(LONELY_MESH).unwrap(),
        "described" => Scenario::read(DESCRIBED).unwrap(),
        _ => Scenario::built_in(name).unwrap(),
    }
}

/// The whole drill with the fault in it.
fn in_one_run(name: &str, seed: u64, tamper: impl Tamper + 'static) -> Vec<Violation> {
    let scenario = scenario(name);
    let mut world = scenario.world(seed).unwrap();
    world.set_tamper(Box::new(tamper));
    drill::finish(&scenario, &mut world);
    world.laws.violations().to_vec()
}

/// The drill with the fault in it, and a crash in a fork after every `every`th step, until one breaks a law.
fn with_crashes(name: &str, seed: u64, every: u64, horizon_s: u64, tamper: impl Tamper + 'static) -> Vec<Violation> {
    let scenario = scenario(name);
    let mut world = scenario.world(seed).unwrap();
    world.set_tamper(Box::new(tamper));
    world.stop_log();
    let mut told = 0;
    while world.step(scenario.duration()) {
        let inputs = world.station().inputs();
        if inputs == told || !inputs.is_multiple_of(every) || world.station().engine().is_none() {
            continue;
        }
        told = inputs;
        let fork = drill::fork_and_crash(&world, Duration::from_millis(1_500), Duration::from_secs(horizon_s));
        if !fork.laws.violations().is_empty() {
            return fork.laws.violations().to_vec();
        }
    }
    world.laws.violations().to_vec()
}

fn catches(law: Law, violations: &[Violation]) {
    let found: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(violations.iter().any(|violation| violation.law == law), "law {} saw nothing of it: {found:#?}", law as u8);
}

#[test]
fn law_1_catches_a_disk_that_reports_stored_before_it_synced() {
    catches(Law::AcknowledgedMeansKept, &in_one_run("county-2h", 1, SynchronousOff));
}

#[test]
fn law_1_catches_a_disk_that_reports_more_than_the_sync_covered() {
    catches(Law::AcknowledgedMeansKept, &in_one_run("county-2h", 1, StoredRunsAhead));
}

#[test]
fn law_2_catches_a_recovery_that_forgets_what_a_radio_may_repeat() {
    catches(Law::Once, &with_crashes("radio-and-beidou", 1, 1, 20, RepeatsForgotten));
}

#[test]
fn law_2_catches_a_recovery_that_forgets_who_has_answered() {
    catches(Law::Once, &with_crashes("county-2h", 1, 40, 600, EvidenceForgotten));
}

#[test]
fn law_2_catches_copies_without_their_number() {
    catches(Law::Once, &with_crashes("county-2h", 1, 40, 600, NumberLost));
}

#[test]
fn law_3_catches_a_flash_that_was_taken_in_as_routine() {
    catches(Law::LifeFirst, &in_one_run("county-2h", 1, FlashIgnored));
}

#[test]
fn law_3_catches_a_recovery_that_forgets_what_is_flash() {
    catches(Law::LifeFirst, &with_crashes("flood-night", 1, 60, 900, FlashForgotten));
}

#[test]
fn law_4_catches_a_missing_guard_time() {
    catches(Law::WithinAirtime, &in_one_run("flood-night", 1, GuardOmitted));
}

#[test]
fn law_4_catches_a_clock_that_runs_five_percent_fast() {
    catches(Law::WithinAirtime, &in_one_run("flood-night", 1, FastClock));
}

#[test]
fn law_4_catches_a_start_that_does_not_owe_the_last_slot() {
    catches(Law::WithinAirtime, &with_crashes("flood-night", 1, 20, 80, StartForgivesASlot));
}

#[test]
fn law_5_catches_ends_that_are_not_written_down() {
    catches(Law::NothingVanishes, &in_one_run("county-2h", 1, EndLost));
}

#[test]
fn law_5_catches_a_rung_that_beidou_cannot_prove() {
    catches(Law::NothingVanishes, &in_one_run("county-2h", 1, RungInflated));
}

#[test]
fn law_5_catches_a_neighbours_repeat_that_is_called_delivered() {
    catches(Law::NothingVanishes, &in_one_run("lonely-mesh", 1, RepeatCalledDelivered));
}

#[test]
fn law_5_catches_a_described_radio_whose_taking_is_called_delivered() {
    catches(Law::NothingVanishes, &in_one_run("described", 1, TakenCalledDelivered));
}

#[test]
fn the_lonely_mesh_and_the_described_radio_without_a_fault_keep_every_law() {
    for name in ["lonely-mesh", "described"] {
        let report = drill::run(&scenario(name), 1).unwrap();
        assert!(report.holds(), "{report}");
        let shown = report.by_precedence.values().flat_map(|figures| figures.rungs.keys()).collect::<Vec<_>>();
        assert!(!shown.contains(&&"已送达"), "{shown:?}");
    }
}

#[test]
fn law_5_catches_a_link_that_loses_answers_on_the_last_metre() {
    catches(Law::NothingVanishes, &in_one_run("county-2h", 1, AnswerWordsLost));
}

#[test]
fn law_6_catches_relays_of_calls_for_help_without_a_limit() {
    catches(Law::Bounded, &in_one_run("flood-night", 1, RelaysUnbounded));
}

#[test]
fn law_6_catches_an_outbox_without_a_limit() {
    catches(Law::Bounded, &in_one_run("crowded", 1, OutboxUnbounded));
}

#[test]
fn law_6_catches_flash_places_that_are_given_away() {
    catches(Law::Bounded, &in_one_run("crowded", 1, ReservedPlacesGivenAway));
}

#[test]
fn law_7_catches_an_exercise_that_is_taken_in_as_real() {
    catches(Law::DrillIsADrill, &in_one_run("county-2h", 1, ExerciseForgotten));
}

#[test]
fn law_7_catches_a_real_message_that_is_shown_as_an_exercise() {
    catches(Law::DrillIsADrill, &in_one_run("county-2h", 1, EverythingIsExercise));
}

#[test]
fn law_7_catches_a_copy_without_its_mark() {
    catches(Law::DrillIsADrill, &with_crashes("radio-and-beidou", 1, 10, 400, MarkLost));
}

#[test]
fn the_crowded_drill_without_a_fault_keeps_every_law() {
    let report = drill::run(&scenario("crowded"), 1).unwrap();
    assert!(report.holds(), "{report}");
}
