//! The quick tables, word for word, and every bound in them. `UPDATE=1 cargo test -p yizhan-simulators airtime` writes them
//! anew; the difference is then for a person to read.

use super::table::{Part, SECTIONS, Scale};
use std::path::Path;

/// Runs a section, and holds it to its kept table and its bounds.
fn hold(name: &str) {
    let section = SECTIONS.iter().find(|section| section.name == name).expect("a section of this name");
    let Part { text, bounds } = (section.part)(Scale::Quick);
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/airtime/tables/{name}.txt"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&kept, &text).expect("the kept table can be written");
    }
    let missed: Vec<_> = bounds.iter().filter(|bound| !bound.is_met()).collect();
    assert!(missed.is_empty(), "{missed:#?}\n{text}");
    assert!(!bounds.is_empty());
    let before = std::fs::read_to_string(&kept).expect("a kept table: UPDATE=1 writes it");
    assert!(before == text, "{} is not what the section says now (UPDATE=1 writes it anew):\n{text}", kept.display());
}

#[test]
fn delivery_comes_within_a_twentieth_of_the_bound_and_loses_nothing_silently() {
    hold("delivery");
}

#[test]
fn the_scheduler_beats_the_numbers_whoever_floods() {
    hold("scheduler");
}

#[test]
fn two_fading_bearers_cost_no_more_than_eight_tenths_of_a_slot_a_message() {
    hold("bearers");
}

#[test]
fn nine_of_ten_messages_arrive_inside_the_window_that_was_told() {
    hold("forecast");
}

#[test]
fn contents_go_into_one_slot_as_promised() {
    hold("contents");
}

#[test]
fn no_message_is_accepted_that_its_station_did_not_send() {
    hold("forgery");
}

#[test]
fn every_section_has_a_kept_table() {
    for section in SECTIONS {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/airtime/tables/{}.txt", section.name));
        assert!(kept.is_file(), "{} is held by no test: write one and run it with UPDATE=1", section.name);
    }
}
