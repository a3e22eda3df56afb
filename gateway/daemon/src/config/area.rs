//! What all stations of a net know under the same numbers: origins of positions, and names of places.

use super::error::Wrong;
use super::place::Step;
use serde::Deserialize;
use yizhan_codecs::air::form::{Area, ORIGIN_MAX, Origin};

/// The highest number of a place: forms have ten bits for it.
const PLACE_MAX: u16 = (1 << 10) - 1;
/// A name is typed on a keypad and shown on a small screen.
const NAME_CHARS_MAX: usize = 20;

/// `[[origin]]`
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OriginConfig {
    pub number: u8,
    pub lat: f64,
    pub lon: f64,
}

/// `[[place]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceConfig {
    pub number: u16,
    pub name: String,
}

/// Both lists as the codecs take them.
pub(super) fn read(origins: &[OriginConfig], places: &[PlaceConfig]) -> Result<Area, Wrong> {
    let mut area = Area::default();
    for (index, entry) in origins.iter().enumerate() {
        let wrong = |key: &str, what: String| wrong("origin", index, key, what);
        if entry.number > ORIGIN_MAX {
            return Err(wrong("number", format!("{} is outside 0..={ORIGIN_MAX}", entry.number)));
        }
        let origin = origin(entry).ok_or_else(|| {
            wrong("lat", format!("{}, {} is no place: latitude -80..=80, longitude -180..=180", entry.lat, entry.lon))
        })?;
        if area.origins.insert(entry.number, origin).is_some() {
            return Err(wrong("number", format!("{} is used twice", entry.number)));
        }
    }
    for (index, entry) in places.iter().enumerate() {
        let wrong = |key: &str, what: String| wrong("place", index, key, what);
        if entry.number == 0 || entry.number > PLACE_MAX {
            return Err(wrong("number", format!("{} is outside 1..={PLACE_MAX}", entry.number)));
        }
        let name = entry.name.trim();
        if name.is_empty() || name.chars().count() > NAME_CHARS_MAX {
            return Err(wrong("name", format!("{name:?} is not 1 to {NAME_CHARS_MAX} characters long")));
        }
        if area.places.values().any(|known| known == name) {
            return Err(wrong("name", format!("{name} is used twice: nobody could tell which is meant")));
        }
        if area.places.insert(entry.number, name.to_owned()).is_some() {
            return Err(wrong("number", format!("{} is used twice", entry.number)));
        }
    }
    Ok(area)
}

fn origin(entry: &OriginConfig) -> Option<Origin> {
    let place = yizhan_codecs::message::Position::from_degrees(entry.lat, entry.lon)?;
    Origin::new(place.lat_e7, place.lon_e7)
}

fn wrong(list: &str, index: usize, key: &str, what: String) -> Wrong {
    Wrong { path: vec![Step::Key(list.into()), Step::Index(index), Step::Key(key.into())], what }
}
