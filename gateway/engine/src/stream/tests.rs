use super::*;

/// A loss of 1000, and the sends for 90, 99 and 99.9 %.
type Column = (u32, [u32; 3]);

/// Sends for 90, 99 and 99.9 % by rows and loss (of 1000), as published for an ideal erasure code.
const TABLE: [(u8, [Column; 4]); 6] = [
    (1, [(20, [1, 2, 2]), (50, [1, 2, 3]), (200, [2, 3, 5]), (400, [3, 6, 8])]),
    (2, [(20, [2, 3, 4]), (50, [2, 3, 4]), (200, [4, 5, 7]), (400, [5, 8, 11])]),
    (3, [(20, [3, 4, 5]), (50, [4, 5, 6]), (200, [5, 7, 9]), (400, [7, 11, 14])]),
    (4, [(20, [4, 5, 6]), (50, [5, 6, 7]), (200, [6, 9, 10]), (400, [9, 13, 16])]),
    (8, [(20, [9, 10, 10]), (50, [9, 11, 12]), (200, [12, 15, 17]), (400, [17, 22, 26])]),
    (16, [(20, [17, 18, 19]), (50, [18, 20, 21]), (200, [23, 26, 29]), (400, [32, 38, 43])]),
];

/// Sends a stream without any receipt, and the slots in which its rows went out.
fn unanswered(stream: &mut Stream, slots: u64) -> Vec<u64> {
    let mut out = Vec::new();
    for slot in 0..slots {
        if stream.is_due(slot) {
            stream.sent(slot);
            out.push(slot);
        }
    }
    out
}

#[test]
fn every_cell_of_the_table_is_reproduced() {
    for (rows, losses) in TABLE {
        for (loss, expected) in losses {
            let found = [900, 990, 999].map(|share| slots_for(rows, loss, share));
            assert_eq!(found, expected, "{rows} rows at a loss of {loss} per mille");
            assert_eq!(Stream::new(rows, loss).burst(), expected[2]);
        }
    }
}

#[test]
fn a_share_that_is_met_exactly_counts_as_met() {
    assert_eq!(slots_for(1, 100, 999), 3);
    assert_eq!(slots_for(1, 0, 999), 1);
    assert_eq!(slots_for(32, 0, 999), 32);
}

#[test]
fn sizes_stay_finite_whatever_is_asked() {
    assert!(slots_for(u8::MAX, u32::MAX, u32::MAX) < SLOTS_MAX);
    assert_eq!(slots_for(0, 0, 0), 1);
}

#[test]
fn a_burst_sends_one_row_a_slot_and_then_waits_four_eight_sixteen_sixteen() {
    let mut stream = Stream::new(1, 50);
    assert_eq!(unanswered(&mut stream, 70), [0, 1, 2, 6, 14, 30, 46, 62]);
}

#[test]
fn rows_are_different_until_all_have_been_out() {
    let mut stream = Stream::new(32, 400);
    let mut rows = Vec::new();
    for slot in 0..66 {
        rows.push(stream.row());
        stream.sent(slot);
    }
    assert_eq!(rows[..64], (0..64).collect::<Vec<u8>>());
    assert_eq!(rows[64..], [0, 1]);
    let mut single = Stream::new(1, 400);
    single.sent(0);
    assert_eq!(single.row(), 0);
}

#[test]
fn complete_ends_the_stream_in_the_middle_of_a_burst() {
    let mut stream = Stream::new(8, 200);
    unanswered(&mut stream, 9);
    stream.heard(9, Said::Complete);
    assert_eq!(stream.due(), None);
    stream.heard(10, Said::Need(3));
    assert!(stream.is_complete() && stream.due().is_none(), "a late NEED does not open it again");
}

#[test]
fn need_starts_a_burst_of_its_own_size_at_once() {
    let mut stream = Stream::new(8, 200);
    unanswered(&mut stream, 17);
    assert_eq!(stream.due(), Some(20));
    stream.heard(18, Said::Need(2));
    assert_eq!((stream.due(), stream.burst()), (Some(18), slots_for(2, 200, 999)));
    let mut slots = 0;
    for slot in 18..40 {
        if stream.is_due(slot) {
            stream.sent(slot);
            slots += 1;
        }
    }
    // Seven, and one probe each after four and eight slots.
    assert_eq!(slots, 9);
}

#[test]
fn what_is_superseded_anyway_goes_out_once() {
    let mut position = Stream::once(1);
    assert_eq!(unanswered(&mut position, 60), [0]);
}

#[test]
fn a_new_estimate_of_the_loss_resizes_the_burst() {
    let mut stream = Stream::new(8, 50);
    stream.expect_loss(400);
    assert_eq!(stream.burst(), 26);
}

#[test]
fn complete_is_said_once_twice_or_thrice_by_the_loss() {
    assert_eq!([0, 50, 65, 200, 400].map(complete_copies), [1, 1, 1, 2, 3]);
    assert!(complete_copies(u32::MAX) < 40);
}

#[test]
fn a_late_row_is_answered_again() {
    let mut gathering = Gathering::new(2, 50, false);
    gathering.heard(0, true);
    assert_eq!(gathering.due(1), None);
    gathering.heard(1, true);
    assert_eq!(gathering.due(1), Some(Said::Complete));
    gathering.said(1);
    assert_eq!(gathering.due(2), None);
    gathering.heard(3, false);
    assert_eq!(gathering.due(3), Some(Said::Complete));
}

#[test]
fn a_missing_row_is_asked_for_after_four_silent_slots_and_then_more_and_more_rarely() {
    let mut gathering = Gathering::new(4, 50, false);
    gathering.heard(10, true);
    let mut asked = Vec::new();
    for slot in 11..80 {
        if let Some(said) = gathering.due(slot) {
            assert_eq!(said, Said::Need(3));
            gathering.said(slot);
            asked.push(slot);
        }
    }
    assert_eq!(asked, [14, 18, 26, 42, 58, 74]);
}

#[test]
fn a_flash_is_asked_for_after_two_missing_slots() {
    let mut gathering = Gathering::new(2, 50, true);
    gathering.heard(5, true);
    assert_eq!((gathering.due(6), gathering.due(7)), (None, Some(Said::Need(1))));
}

#[test]
fn a_probe_after_a_silence_is_answered_at_once() {
    let mut gathering = Gathering::new(3, 200, false);
    gathering.heard(0, true);
    gathering.heard(9, true);
    assert_eq!(gathering.due(9), Some(Said::Need(1)));
    gathering.said(9);
    gathering.heard(10, false);
    assert_eq!(gathering.due(10), None, "once in four slots");
}

#[test]
fn a_stream_survives_being_stored() {
    let mut stream = Stream::new(8, 200);
    unanswered(&mut stream, 5);
    let stored = serde_json::to_string(&stream).unwrap();
    assert_eq!(serde_json::from_str::<Stream>(&stored).unwrap(), stream);
}

#[test]
fn a_sign_of_life_of_the_way_ends_a_wait() {
    let mut stream = Stream::new(1, 50);
    stream.sent(0);
    stream.revive(0);
    assert_eq!(stream.due(), Some(1), "a burst that runs is not hurried");
    unanswered(&mut stream, 32);
    assert_eq!(stream.due(), Some(46));
    stream.revive(35);
    assert_eq!(unanswered(&mut stream, 45)[0], 35);
    assert_eq!(stream.due(), Some(47), "then it waits four, eight, sixteen slots again");
}
