//! Positions: to the bit, to the metre, and nine to a frame.

use super::golden::{self, number, text, unhex};
use super::position::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn origin(id: u8, lat_e7: i32, lon_e7: i32) -> Origin {
    Origin::new(OriginId::new(id).unwrap(), lat_e7, lon_e7).unwrap()
}

fn shown(unit: u16, (lat, lon): (i32, i32), status: Status) -> Value {
    let Status { age, battery, speed, course } = status;
    json!({ "unit": unit, "lat_e7": lat, "lon_e7": lon, "age_s": age.seconds(), "battery": battery.percent(),
            "kmh": speed.kmh(), "course_ddeg": course.ddeg() })
}

#[test]
fn the_golden_positions_are_read_and_written_so() {
    golden::hold(include_str!("vectors/position.jsonl"), |case| {
        let body = unhex(text(case, "hex"));
        let variant = u8::try_from(number(case, "variant")).unwrap();
        let positions = Positions::parse(variant, &body).map_err(|error| error.to_string())?;
        assert_eq!((positions.emit().unwrap(), positions.variant()), (body, variant));
        let units: Vec<Value> = match &positions {
            Positions::Relative { origin: id, units } => {
                let e7 = |key: &str| i32::try_from(case["origin"][key].as_i64().unwrap()).unwrap();
                assert_eq!(Some(u64::from(id.number())), case["origin"]["id"].as_u64());
                let about = origin(id.number(), e7("lat_e7"), e7("lon_e7"));
                units.iter().map(|u| shown(u.unit, u.place.place(&about), u.status)).collect()
            }
            Positions::Absolute { units } => units.iter().map(|u| shown(u.unit, u.place.place(), u.status)).collect(),
        };
        Ok(json!({ "units": units }))
    });
}

#[test]
fn nine_units_fill_the_67_bytes_that_a_sealed_frame_of_77_has() {
    let about = origin(3, 282_000_000, 1_129_000_000);
    let place = Offset::of(&about, 282_001_000, 1_129_001_000).unwrap();
    let unit = Unit { unit: UNIT_MAX, place, status: Status::default() };
    let length = |count| Positions::Relative { origin: about.id(), units: vec![unit; count] }.emit().unwrap().len();
    assert_eq!((length(9), 9 * RELATIVE_BITS + 5), (67, 67 * 8));
    assert_eq!((length(8), length(10)), (60, 75));
}

#[test]
fn a_unit_out_of_range_is_not_written() {
    let cell = Cell::of(0, 0).unwrap();
    let unit = Unit { unit: 8_192, place: cell, status: Status::default() };
    let emit = |units| Positions::Absolute { units }.emit();
    assert_eq!(emit(vec![unit]), Err(PositionError::Unit { found: 8_192 }));
    assert_eq!(emit(vec![]), Err(PositionError::Count { found: 0 }));
    assert_eq!(emit(vec![Unit { unit: 0, ..unit }; 256]), Err(PositionError::Count { found: 256 }));
}

#[test]
fn a_place_outside_the_square_needs_an_absolute_one() {
    let about = origin(0, 300_000_000, 1_040_000_000);
    assert!(Offset::of(&about, 300_000_000 + 8_191 * 90, 1_040_000_000).is_some());
    assert_eq!(Offset::of(&about, 300_000_000 + 8_192 * 90, 1_040_000_000), None);
    assert!(Offset::of(&about, 300_000_000 - 8_192 * 90, 1_040_000_000).is_some());
    assert_eq!(Offset::of(&about, 300_000_000, 1_041_000_000), None);
}

#[test]
fn a_square_may_lie_across_the_date_line() {
    let about = origin(1, 0, 1_800_000_000);
    let west = Offset::of(&about, 0, -1_799_999_100).unwrap();
    assert_eq!(west.place(&about), (0, -1_799_999_100));
}

#[test]
fn origins_near_a_pole_or_off_the_globe_are_not_made() {
    let id = OriginId::new(31).unwrap();
    assert_eq!(OriginId::new(32), None);
    assert!(Origin::new(id, 859_999_999, 0).is_some());
    assert_eq!(Origin::new(id, 860_000_000, 0), None);
    assert_eq!(Origin::new(id, 0, 1_800_000_001), None);
    assert_eq!((Cell::of(900_000_001, 0), Cell::of(0, -1_800_000_001)), (None, None));
}

#[test]
#[expect(clippy::cast_possible_truncation, reason = "a check of small numbers against floating point")]
fn a_step_to_the_east_is_about_a_metre_at_every_latitude() {
    for degrees in 0..86_i32 {
        let about = origin(0, about_lat(degrees), 0);
        let expected = (90.0 / (f64::from(degrees) + 0.5).to_radians().cos()).round() as i32;
        // Only a whole number of steps comes back exactly.
        let east = (about_lat(degrees), expected * 1_001);
        assert_eq!(Offset::of(&about, east.0, east.1).map(|offset| offset.place(&about)), Some(east), "{degrees}");
    }
}

fn about_lat(degrees: i32) -> i32 {
    degrees * 10_000_000 + 5_000_000
}

#[test]
fn an_age_is_never_shown_younger_than_it_is() {
    for seconds in (0..400_000).step_by(7) {
        match Age::of(Some(seconds)).seconds() {
            Some(shown) => assert!(shown >= seconds && shown <= seconds + seconds / 4 + 8, "{seconds} {shown}"),
            None => assert!(seconds > 393_208, "{seconds}"),
        }
    }
    assert_eq!(Age::of(None).seconds(), None);
    let codes: Vec<_> = (0..8).map(|code| Age::of(Some([0, 2, 4, 6, 8, 12, 16, 20][code])).seconds()).collect();
    assert_eq!(codes, [0, 2, 4, 6, 8, 12, 16, 20].map(Some));
}

#[test]
fn battery_speed_and_course_are_rounded_as_written() {
    let battery: Vec<_> = [0, 9, 10, 39, 40, 84, 85, 100].into_iter().map(|p| Battery::of(Some(p)).percent()).collect();
    assert_eq!(battery, [0, 0, 10, 25, 40, 70, 85, 85].map(Some));
    assert_eq!(Battery::of(None).percent(), None);
    let speed: Vec<_> = [0, 7, 12, 13, 70, 69, 250, 900].into_iter().map(|s| Speed::of(Some(s)).kmh()).collect();
    assert_eq!(speed, [0, 7, 10, 15, 80, 60, 260, 260].map(Some));
    assert_eq!(Speed::of(None).kmh(), None);
    let course: Vec<_> = [0, 112, 113, 1_800, 3_487, 3_488, 3_599].into_iter().map(|c| Course::of(c).ddeg()).collect();
    assert_eq!(course, [0, 0, 225, 1_800, 3_375, 0, 0]);
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_as_it_was(variant in 0_u8..3, body in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(positions) = Positions::parse(variant, &body) {
            prop_assert_eq!(positions.emit().unwrap(), body);
        }
    }

    #[test]
    fn a_place_comes_back_within_a_cell(lat in -900_000_000..=900_000_000_i32, lon in -1_800_000_000..=1_799_999_900_i32) {
        let (lat_back, lon_back) = Cell::of(lat, lon).unwrap().place();
        // Half a cell is 53.6; the north pole is the cell below it.
        prop_assert!(lat.abs_diff(lat_back) <= 54 || lat > 899_999_890, "{} {}", lat, lat_back);
        prop_assert!(lon.abs_diff(lon_back) <= 54 || lon_back == -1_800_000_000, "{} {}", lon, lon_back);
    }

    #[test]
    fn a_place_in_the_square_comes_back_within_a_step(
        lat in -850_000_000..850_000_000_i32, lon in -1_800_000_000..=1_800_000_000_i32,
        north in -700_000..700_000_i32, east in -700_000..700_000_i32,
    ) {
        let about = origin(9, lat, lon);
        let lon_there = lon.saturating_add(east).clamp(-1_800_000_000, 1_799_999_999);
        let offset = Offset::of(&about, lat + north, lon_there).unwrap();
        let (lat_back, lon_back) = offset.place(&about);
        prop_assert!(lat_back.abs_diff(lat + north) <= 45);
        prop_assert!(lon_back.abs_diff(lon_there) <= 574 || lon_there.abs_diff(lon_back) > 3_599_000_000);
    }
}
