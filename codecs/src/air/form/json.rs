//! Forms as JSON, and the JSON schema (draft 2020-12) of each form. Values are as people mean them: choices by their
//! machine names, levels and counts as numbers, times in Beijing time. What is not known is not there.

use super::register::by_version;
use super::schema::{Choice, Field, Kind, Schema};
use super::spot::Spot;
use super::value::{DAY_MINUTES, METRES_MAX, ORIGIN_MAX, Reference, Value, Values};
use super::{Form, FormError, NOTE_MAX};
use crate::message::StationId;
use serde_json::{Map, Value as Json, json};
use thiserror::Error;

/// The pattern of a time of day, and of one that may have a day of the month before it.
const TIME: &str = "^([01][0-9]|2[0-3]):[0-5][0-9]$";
const DAY_TIME: &str = "^((0[1-9]|[12][0-9]|3[01])T)?([01][0-9]|2[0-3]):[0-5][0-9]$";
const E7: f64 = 1e7;

/// Why JSON is no form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    #[error("a form is an object with form, version and the values of its fields")]
    Object,
    #[error("there is no form {form} in version {version}")]
    Unknown { form: String, version: u64 },
    #[error("{field} is not {expected}")]
    Value { field: String, expected: &'static str },
    #[error(transparent)]
    Form(#[from] FormError),
}

impl Form {
    /// The form as a JSON object, with its version and note.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut object = Map::new();
        object.insert("form".into(), self.schema().name.as_str().into());
        object.insert("version".into(), self.schema().version.into());
        object.append(&mut write_all(&self.schema().fields, self.values()));
        if !self.note().is_empty() {
            object.insert("note".into(), self.note().into());
        }
        Json::Object(object)
    }

    /// Reads a form from a JSON object as [`Form::to_json`] writes it. Without a version it is the newest. Levels may be
    /// any number in range and are rounded.
    ///
    /// # Errors
    /// [`JsonError`] naming the field; keys that the form does not have are errors.
    pub fn from_json(json: &Json) -> Result<Self, JsonError> {
        let object = json.as_object().ok_or(JsonError::Object)?;
        let name = object.get("form").and_then(Json::as_str).ok_or(JsonError::Object)?;
        let newest = super::register::by_name(name).map_or(0, |schema| schema.version.into());
        let version = match object.get("version") {
            None => newest,
            Some(version) => version.as_u64().ok_or(JsonError::Object)?,
        };
        let schema = u8::try_from(version).ok().and_then(|version| by_version(name, version));
        let schema = schema.ok_or_else(|| JsonError::Unknown { form: name.to_owned(), version })?;
        let fields = object.iter().filter(|(key, _)| !["form", "version", "note"].contains(&key.as_str()));
        let mut form = Self::filled(schema, read_all(&schema.fields, fields)?)?;
        match object.get("note") {
            None => {}
            Some(Json::String(note)) => form.set_note(note)?,
            Some(_) => return Err(JsonError::Value { field: "note".into(), expected: "a text" }),
        }
        Ok(form)
    }
}

fn write_all(fields: &'static [Field], values: &Values) -> Map<String, Json> {
    let known = fields.iter().filter_map(|field| Some((field, values.get(field.name.as_str())?)));
    known.map(|(field, value)| (field.name.clone(), write(field, value))).collect()
}

fn write(field: &'static Field, value: &Value) -> Json {
    match value {
        Value::Choice(at) => {
            field.choices().get(usize::from(*at)).map_or(Json::Null, |choice| choice.name.as_str().into())
        }
        Value::Count(count) => (*count).into(),
        Value::Changed { now, by } => json!({ "now": now, "by": by }),
        Value::Same => "same".into(),
        Value::Number(number) => match decimals(field) {
            0 => (*number).into(),
            decimals => (f64::from(*number) / 10_f64.powi(decimals.into())).into(),
        },
        Value::Spot(Spot::Absolute { lat_e7, lon_e7 }) => {
            json!({ "lat": f64::from(*lat_e7) / E7, "lon": f64::from(*lon_e7) / E7 })
        }
        Value::Spot(Spot::Relative { origin, north_m, east_m }) => {
            json!({ "origin": origin, "north_m": north_m, "east_m": east_m })
        }
        Value::Time { day, minute } => {
            let day = day.map_or(String::new(), |day| format!("{day:02}T"));
            format!("{day}{:02}:{:02}", minute / 60, minute % 60).into()
        }
        Value::Place(number) => (*number).into(),
        Value::Reference(reference) => json!({ "station": reference.station.number(), "low": reference.low }),
        Value::Flag(yes) => (*yes).into(),
        Value::Rows(rows) => rows.iter().map(|row| Json::Object(write_all(field.row_fields(), row))).collect(),
    }
}

const fn decimals(field: &Field) -> u8 {
    if let Kind::Number { decimals, .. } = &field.kind { *decimals } else { 0 }
}

fn read_all<'j>(
    fields: &'static [Field],
    object: impl Iterator<Item = (&'j String, &'j Json)>,
) -> Result<Values, JsonError> {
    let mut values = Values::new();
    for (key, json) in object {
        let field = fields.iter().find(|field| field.name == *key);
        let field = field.ok_or_else(|| FormError::UnknownField(key.clone()))?;
        let expected = expected(field);
        let value = read(field, json)?.ok_or_else(|| JsonError::Value { field: key.clone(), expected })?;
        values.insert(&field.name, value);
    }
    Ok(values)
}

const fn expected(field: &Field) -> &'static str {
    match &field.kind {
        Kind::Choice { .. } => "one of its list",
        Kind::Count { changes: Some(_), .. } => "a count, \"same\", or now and by",
        Kind::Count { .. } => "a count",
        Kind::Number { .. } => "a number in steps",
        Kind::Level { .. } => "a number on its scale",
        Kind::Position { .. } => "lat and lon in degrees, or origin, north_m and east_m",
        Kind::Time { day: false } => "a time HH:MM",
        Kind::Time { .. } => "a time HH:MM or DDTHH:MM",
        Kind::Place { .. } => "the number of a place",
        Kind::Reference {} => "station and low",
        Kind::Flag { .. } => "true or false",
        Kind::Rows { .. } => "a list of objects",
    }
}

/// One value; `None` when it is not what is expected.
fn read(field: &'static Field, json: &Json) -> Result<Option<Value>, JsonError> {
    Ok(match &field.kind {
        Kind::Choice { choices, .. } => {
            let at = json.as_str().and_then(|name| choices.iter().position(|choice| choice.name == name));
            at.and_then(|at| u8::try_from(at).ok()).map(Value::Choice)
        }
        Kind::Count { changes, .. } => match json {
            Json::String(word) if changes.is_some() && word == "same" => Some(Value::Same),
            Json::Object(object) if changes.is_some() && object.len() == 2 => changed(object),
            _ => whole(json).map(Value::Count),
        },
        Kind::Number { .. } => {
            let by = 10_f64.powi(decimals(field).into());
            let scaled = json.as_f64().map(|number| number * by);
            // A decimal that is none in binary is off by far less than this.
            let number = scaled.filter(|scaled| (scaled - scaled.round()).abs() < 1e-6).and_then(integer);
            number.map(Value::Number)
        }
        Kind::Level { .. } => {
            json.as_f64().and_then(integer).and_then(|n| field.nearest(n.into())).map(|n| Value::Number(n.into()))
        }
        Kind::Position { .. } => json.as_object().and_then(spot).map(Value::Spot),
        Kind::Time { day } => json.as_str().and_then(|text| time(text, *day)),
        Kind::Place { .. } => whole(json).map(Value::Place),
        Kind::Reference {} => json.as_object().filter(|object| object.len() == 2).and_then(|object| {
            let station = StationId::new(whole(object.get("station")?)?)?;
            Some(Value::Reference(Reference { station, low: whole(object.get("low")?)? }))
        }),
        Kind::Flag { .. } => json.as_bool().map(Value::Flag),
        Kind::Rows { fields, .. } => match json.as_array() {
            None => None,
            Some(rows) => {
                let row = |row: &Json| read_all(fields, row.as_object().ok_or(JsonError::Object)?.iter());
                Some(Value::Rows(rows.iter().map(row).collect::<Result<_, _>>()?))
            }
        },
    })
}

fn whole(json: &Json) -> Option<u16> {
    u16::try_from(json.as_u64()?).ok()
}

/// The nearest integer, where an `i32` holds it.
fn integer(number: f64) -> Option<i32> {
    let rounded = number.round();
    let fits = (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&rounded);
    #[expect(clippy::cast_possible_truncation, reason = "the range was just checked, and it is a whole number")]
    fits.then_some(rounded as i32)
}

fn changed(object: &Map<String, Json>) -> Option<Value> {
    let by = i16::try_from(object.get("by")?.as_i64()?).ok()?;
    Some(Value::Changed { now: whole(object.get("now")?)?, by })
}

fn spot(object: &Map<String, Json>) -> Option<Spot> {
    let signed = |key: &str| i16::try_from(object.get(key)?.as_i64()?).ok();
    match object.len() {
        2 => {
            let degrees = |key: &str| integer(object.get(key)?.as_f64()? * E7);
            Spot::absolute(degrees("lat")?, degrees("lon")?)
        }
        3 => {
            let origin = u8::try_from(object.get("origin")?.as_u64()?).ok()?;
            Spot::Relative { origin, north_m: signed("north_m")?, east_m: signed("east_m")? }.checked()
        }
        _ => None,
    }
}

fn time(text: &str, day_may_stand: bool) -> Option<Value> {
    let two =
        |text: &str| text.parse::<u8>().ok().filter(|_| text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()));
    let (day, clock) = match text.split_once('T') {
        Some((day, clock)) => (Some(two(day).filter(|day| day_may_stand && (1..=31).contains(day))?), clock),
        None => (None, text),
    };
    let (hour, minute) = clock.split_once(':')?;
    let (hour, minute) = (two(hour).filter(|hour| *hour < 24)?, two(minute).filter(|minute| *minute < 60)?);
    let minute = u16::from(hour) * 60 + u16::from(minute);
    (minute < DAY_MINUTES).then_some(Value::Time { day, minute })
}

/// The JSON schema (draft 2020-12) of one version of a form. What it cannot say is checked by [`Form::from_json`] alone:
/// that a part is no more than its whole, and that no two rows are about one thing.
#[must_use]
pub fn json_schema(schema: &'static Schema) -> Json {
    let mut properties = Map::new();
    properties.insert("form".into(), json!({ "const": schema.name }));
    properties.insert("version".into(), json!({ "const": schema.version }));
    properties.append(&mut field_schemas(&schema.fields));
    properties.insert("note".into(), json!({ "type": "string", "title": "说明", "maxLength": NOTE_MAX }));
    let mut required = vec![Json::from("form"), Json::from("version")];
    required.append(&mut required_of(&schema.fields));
    let mut document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": format!("urn:yizhan:form:{}:{}", schema.name, schema.version),
        "title": schema.zh,
        "description": schema.en,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    });
    if let (Some(rules), Some(object)) = (first_report(schema), document.as_object_mut()) {
        object.insert("allOf".into(), rules);
    }
    document
}

fn field_schemas(fields: &'static [Field]) -> Map<String, Json> {
    let titled = |field: &'static Field| {
        let mut schema = field_schema(field);
        if let Some(object) = schema.as_object_mut() {
            object.insert("title".into(), field.zh.as_str().into());
            object.insert("description".into(), described(field).into());
        }
        (field.name.clone(), schema)
    };
    fields.iter().map(titled).collect()
}

fn described(field: &Field) -> String {
    field.units().first().map_or_else(|| field.en.clone(), |unit| format!("{} ({unit})", field.en))
}

fn required_of(fields: &'static [Field]) -> Vec<Json> {
    fields.iter().filter(|field| !field.may_be_absent()).map(|field| field.name.as_str().into()).collect()
}

fn field_schema(field: &'static Field) -> Json {
    let (low, high) = field.range().unwrap_or((0, 0));
    let integer = json!({ "type": "integer", "minimum": low, "maximum": high });
    match &field.kind {
        Kind::Choice { choices, .. } => {
            let one = |choice: &Choice| json!({ "const": choice.name, "title": choice.zh });
            json!({ "oneOf": choices.iter().map(one).collect::<Vec<_>>() })
        }
        Kind::Count { changes: Some(_), .. } => {
            let by = json!({ "type": "integer", "minimum": -high, "maximum": high });
            json!({ "anyOf": [integer, { "const": "same" }, object(&json!({ "now": integer, "by": by }))] })
        }
        Kind::Number { step, decimals, .. } if *decimals > 0 || *step > 1 => {
            let by = 10_f64.powi((*decimals).into());
            let (low, high, step) = (f64::from(low) / by, f64::from(high) / by, f64::from(*step) / by);
            json!({ "type": "number", "minimum": low, "maximum": high, "multipleOf": step })
        }
        Kind::Level { levels, exact: true, .. } => json!({ "enum": levels }),
        Kind::Level { wraps: Some(_), .. } => json!({ "type": "number" }),
        // The nearest level is taken, so that what is under the lowest one is in range too.
        Kind::Level { .. } => json!({ "type": "number", "minimum": 0, "maximum": high }),
        Kind::Count { .. } | Kind::Number { .. } | Kind::Place { .. } => integer,
        Kind::Position { .. } => {
            let degrees = |max: u8| json!({ "type": "number", "minimum": -i32::from(max), "maximum": max });
            let metres = json!({ "type": "integer", "minimum": -METRES_MAX - 1, "maximum": METRES_MAX });
            let origin = json!({ "type": "integer", "minimum": 0, "maximum": ORIGIN_MAX });
            json!({ "oneOf": [
                object(&json!({ "lat": degrees(90), "lon": degrees(180) })),
                object(&json!({ "origin": origin, "north_m": metres, "east_m": metres })),
            ] })
        }
        Kind::Time { day } => json!({ "type": "string", "pattern": if *day { DAY_TIME } else { TIME } }),
        Kind::Reference {} => object(&json!({
            "station": { "type": "integer", "minimum": 1, "maximum": StationId::MAX },
            "low": { "type": "integer", "minimum": 0, "maximum": Reference::LOW_MAX },
        })),
        Kind::Flag { .. } => json!({ "type": "boolean" }),
        Kind::Rows { bits, fields } => json!({
            "type": "array",
            "minItems": 1,
            "maxItems": 1_u32 << bits,
            "items": {
                "type": "object",
                "properties": field_schemas(fields),
                "required": required_of(fields),
                "additionalProperties": false,
            },
        }),
    }
}

/// An object of exactly these properties.
fn object(properties: &Json) -> Json {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// In a first report a count is only a number.
fn first_report(schema: &'static Schema) -> Option<Json> {
    let mut rules = Vec::new();
    for field in &schema.fields {
        let Kind::Count { changes: Some(changes), .. } = &field.kind else { continue };
        let mut when = Map::new();
        when.insert(changes.when.clone(), json!({ "enum": changes.is }));
        let mut only = Map::new();
        only.insert(field.name.clone(), json!({ "type": "integer" }));
        rules.push(json!({ "if": { "properties": when }, "else": { "properties": only } }));
    }
    (!rules.is_empty()).then_some(Json::Array(rules))
}
