//! Rows: made, collected, refused.

use super::fragment::*;
use super::golden::{self, number, text, unhex};
use super::header::{Header, Kind};
use super::limits::FRAME_MAX;
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::{Value, json};

fn header(kind: Kind) -> Header {
    let (header, _) = Header::parse(&[0x4A, 0, 0xC0, 5, 1]).unwrap();
    Header { kind, ..header }
}

fn row(split: &Split, index: u8) -> Row {
    let extension = split.extension(index);
    let kind = if extension.is_source() { Kind::SourceFragment } else { Kind::RepairFragment };
    let body = [extension.emit().unwrap().as_slice(), &split.row(index).unwrap()].concat();
    Row::parse(header(kind), &body).unwrap()
}

#[test]
fn the_golden_extensions_are_read_and_written_so() {
    golden::hold(include_str!("vectors/extension.jsonl"), |case| {
        let bytes = <[u8; EXTENSION]>::try_from(unhex(text(case, "hex")).as_slice()).unwrap();
        let extension = Extension::parse(bytes).map_err(|error| error.to_string())?;
        assert_eq!(extension.emit().unwrap(), bytes);
        Ok(json!({ "n": extension.n, "index": extension.index, "pad": extension.pad }))
    });
}

#[test]
fn the_golden_messages_are_put_together_so() {
    golden::hold(include_str!("vectors/rows.jsonl"), |case| {
        let byte = |key: &str| u8::try_from(number(case, key)).unwrap();
        let rows = case["rows"].as_object().unwrap().iter().map(|(index, bytes)| {
            let extension = Extension { n: byte("n"), index: index.parse().unwrap(), pad: byte("pad") };
            let kind = if extension.is_source() { Kind::SourceFragment } else { Kind::RepairFragment };
            Row { header: header(kind), extension, bytes: unhex(bytes.as_str().unwrap()) }
        });
        let rows: Vec<Row> = rows.collect();
        let mut partial = Partial::begin(&rows[0]);
        for row in &rows[1..] {
            partial.add(row).map_err(|error| error.to_string())?;
        }
        let object = partial.finish().map_err(|error| error.to_string())?;
        let split = split(object.clone(), rows[0].bytes.len()).unwrap();
        for row in &rows {
            assert_eq!(split.row(row.extension.index).unwrap(), row.bytes);
        }
        Ok::<Value, String>(json!({ "object": hex::encode(object) }))
    });
}

#[test]
fn a_message_is_cut_into_the_fewest_rows_of_one_size() {
    let cut = |length: usize, payload: usize| split(vec![7; length], payload).map(|s| (s.n, s.size, s.pad));
    // ceil(141 / 70) = 3 rows of ceil(141 / 3) = 47, no padding; 142 takes 48 and 2 of padding.
    assert_eq!(cut(141, 70), Ok((3, 47, 0)));
    assert_eq!(cut(142, 70), Ok((3, 48, 2)));
    assert_eq!(cut(1, 70), Ok((1, 1, 0)));
    assert_eq!(cut(2_240, 70), Ok((32, 70, 0)));
    assert_eq!(cut(2_241, 70), Err(FragmentError::Length { found: 2_241, most: 2_240 }));
    assert_eq!(cut(0, 70), Err(FragmentError::Length { found: 0, most: 2_240 }));
    assert_eq!(cut(5, 0), Err(FragmentError::Length { found: 5, most: 0 }));
}

#[test]
fn a_row_in_the_wrong_kind_of_frame_is_refused() {
    let wrong = |kind: Kind, n: u8, index: u8| {
        let body = [Extension { n, index, pad: 0 }.emit().unwrap().as_slice(), &[1, 2, 3]].concat();
        Row::parse(header(kind), &body).unwrap_err()
    };
    assert_eq!(wrong(Kind::SourceFragment, 3, 3), FragmentError::Kind { kind: 1, index: 3, n: 3 });
    assert_eq!(wrong(Kind::RepairFragment, 3, 2), FragmentError::Kind { kind: 2, index: 2, n: 3 });
    assert_eq!(wrong(Kind::Single, 3, 2), FragmentError::Kind { kind: 0, index: 2, n: 3 });
    assert_eq!(Row::parse(header(Kind::SourceFragment), &[0, 0]), Err(FragmentError::Size { found: 0 }));
    assert_eq!(Row::parse(header(Kind::SourceFragment), &[0]), Err(FragmentError::Size { found: 1 }));
    let huge = vec![0; FRAME_MAX + EXTENSION + 1];
    assert_eq!(Row::parse(header(Kind::SourceFragment), &huge), Err(FragmentError::Size { found: FRAME_MAX + 1 }));
}

#[test]
fn a_row_of_another_message_is_refused() {
    let (ours, longer) = (split(vec![1; 20], 7).unwrap(), split(vec![1; 23], 8).unwrap());
    let mut partial = Partial::begin(&row(&ours, 0));
    assert_eq!(partial.add(&row(&longer, 1)), Err(FragmentError::Disagrees { index: 1 }));
    let other_pad = Row { extension: Extension { pad: 0, ..row(&ours, 1).extension }, ..row(&ours, 1) };
    assert_eq!(partial.add(&other_pad), Err(FragmentError::Disagrees { index: 1 }));
    let mut other_head = row(&ours, 1);
    other_head.header.seq += 1;
    assert_eq!(partial.add(&other_head), Err(FragmentError::Disagrees { index: 1 }));
    assert_eq!(partial.rows_missing(), 2);
}

#[test]
fn a_row_that_came_before_is_a_copy_or_a_conflict() {
    let ours = split((0..20).collect(), 7).unwrap();
    let mut partial = Partial::begin(&row(&ours, 5));
    assert_eq!(partial.add(&row(&ours, 5)), Ok(Added::Copy));
    let other = Row { bytes: vec![9; 7], ..row(&ours, 5) };
    assert_eq!(partial.add(&other), Err(FragmentError::Conflict { index: 5 }));
    assert_eq!(partial.add(&row(&ours, 0)), Ok(Added::Kept { missing: 1 }));
    assert_eq!(partial.finish(), Err(super::erasure::ErasureError::Rows { expected: 3, found: 2 }.into()));
    assert_eq!(partial.add(&row(&ours, 40)), Ok(Added::Kept { missing: 0 }));
    assert_eq!(partial.add(&row(&ours, 1)), Ok(Added::NotNeeded));
    assert_eq!(partial.held_bytes(), 21);
    assert_eq!(partial.finish().unwrap(), (0..20).collect::<Vec<u8>>());
}

#[test]
fn a_partial_message_survives_a_restart() {
    let ours = split((0..200).collect(), 7).unwrap();
    let mut partial = Partial::begin(&row(&ours, 63));
    for index in 0..28 {
        partial.add(&row(&ours, index)).unwrap();
    }
    let stored = serde_json::to_string(&partial).unwrap();
    let again: Partial = serde_json::from_str(&stored).unwrap();
    assert_eq!(again, partial);
    assert_eq!(again.finish().unwrap(), (0..200).collect::<Vec<u8>>());
}

#[test]
fn a_partial_message_that_was_tampered_with_on_disk_is_an_error() {
    let ours = split(vec![1; 20], 7).unwrap();
    let stored = serde_json::to_value(Partial::begin(&row(&ours, 0))).unwrap();
    for (key, wrong) in [("n", 0), ("n", 200), ("pad", 31), ("size", 8)] {
        let mut stored = stored.clone();
        stored[key] = wrong.into();
        let partial: Partial = serde_json::from_value(stored).unwrap();
        assert!(partial.finish().is_err(), "{key}");
    }
}

proptest! {
    #[test]
    fn any_n_rows_in_any_order_give_the_message_back(
        object in prop::collection::vec(any::<u8>(), 1..600),
        payload in 19_usize..80,
        order in Just((0..=63_u8).collect::<Vec<u8>>()).prop_shuffle(),
    ) {
        let split = split(object.clone(), payload).unwrap();
        prop_assert!(split.pad < split.n && split.size <= payload);
        let mut partial = Partial::begin(&row(&split, order[0]));
        for index in &order[1..usize::from(split.n)] {
            partial.add(&row(&split, *index)).unwrap();
        }
        prop_assert_eq!(partial.rows_missing(), 0);
        prop_assert_eq!(partial.finish().unwrap(), object);
    }

    #[test]
    fn fewer_rows_give_nothing(kept in subsequence((0..=63_u8).collect::<Vec<u8>>(), 1..10)) {
        let split = split(vec![3; 100], 10).unwrap();
        let mut partial = Partial::begin(&row(&split, kept[0]));
        for index in &kept[1..] {
            partial.add(&row(&split, *index)).unwrap();
        }
        prop_assert!(partial.finish().is_err());
    }

    #[test]
    fn no_bytes_after_a_header_make_a_row_panic(kind in 0_usize..7, body in prop::collection::vec(any::<u8>(), 0..40)) {
        if let Ok(row) = Row::parse(header(Kind::ALL[kind]), &body) {
            prop_assert!(row.extension.pad < row.extension.n);
            let _enough_or_not = Partial::begin(&row).finish();
        }
    }
}
