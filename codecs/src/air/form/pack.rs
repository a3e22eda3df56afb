//! Forms in bits. Schema id (6), version (2), then every field in the order of its schema.

use super::bits::{BitReader, BitWriter, BitsError};
use super::register::{OnAir, on_air};
use super::schema::{
    Absent, COUNTER_BITS, DAY_MINUTE_BITS, Field, ID_BITS, Kind, LATITUDE_BITS, LONGITUDE_BITS, METRES_BITS,
    MINUTE_BITS, ORIGIN_BITS, STATION_BITS, VERSION_BITS,
};
use super::spot::{Spot, cells};
use super::value::{DAY_MINUTES, METRES_MAX, Reference, Value, Values, changes_allowed, whole};
use super::{Form, FormError};
use crate::message::StationId;
use thiserror::Error;

/// A packed form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The bits, most significant first; the last byte is filled up with zero bits.
    pub bytes: Vec<u8>,
    /// How many bits count.
    pub bits: usize,
}

/// Why bytes are no form that we can read. Every variant has the bytes, so that they can be shown: nothing is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnpackError {
    #[error("unknown form, schema id {id} version {version}: {hex}")]
    UnknownSchema { id: u8, version: u8, hex: String },
    #[error("schema id {id} in version {version}, which is not known here: {hex}")]
    UnknownVersion { id: u8, version: u8, hex: String },
    #[error("{source}: {hex}")]
    Bits { source: BitsError, hex: String },
    #[error("field {field} has the code {found}, which means nothing: {hex}")]
    Code { field: &'static str, found: u32, hex: String },
    #[error("{source}: {hex}")]
    Form { source: FormError, hex: String },
    #[error("{bits} bits after the end of the form, or some that fill it up are not zero: {hex}")]
    Trailing { bits: usize, hex: String },
}

impl UnpackError {
    /// The bytes that could not be read, in hex.
    #[must_use]
    pub fn hex(&self) -> &str {
        match self {
            Self::UnknownSchema { hex, .. }
            | Self::UnknownVersion { hex, .. }
            | Self::Bits { hex, .. }
            | Self::Code { hex, .. }
            | Self::Form { hex, .. }
            | Self::Trailing { hex, .. } => hex,
        }
    }

    /// What to show a person beside the hex.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::UnknownSchema { id, version, .. } => format!("不认识的表单（{id}版本{version}），原码照示"),
            Self::UnknownVersion { id, version, .. } => format!("表单{id}的版本{version}本站没有，原码照示"),
            _ => "表单读不通，原码照示".into(),
        }
    }
}

impl Form {
    /// The form in bits, without its note.
    ///
    /// # Errors
    /// [`FormError`] when a value is missing or two do not go together.
    pub fn pack(&self) -> Result<Packed, FormError> {
        self.check()?;
        let mut writer = BitWriter::default();
        let schema = self.schema();
        let origin = schema.relative_id.and_then(|relative| {
            self.values().values().find_map(|value| match value {
                Value::Spot(Spot::Relative { origin, .. }) => relative.checked_add(*origin),
                _ => None,
            })
        });
        let packed = writer
            .put(origin.unwrap_or(schema.id).into(), ID_BITS)
            .and_then(|()| writer.put(schema.version.into(), VERSION_BITS))
            .and_then(|()| write(&mut writer, &schema.fields, self.values()));
        // Values are checked when they are set, so that they have their bits.
        packed.map_err(|_| FormError::UnknownForm(schema.name.clone()))?;
        let bits = writer.len();
        Ok(Packed { bytes: writer.into_bytes(), bits })
    }

    /// Reads a form that fills these bytes, but for up to seven zero bits at the end.
    ///
    /// # Errors
    /// [`UnpackError`] for everything else.
    pub fn unpack(bytes: &[u8]) -> Result<Self, UnpackError> {
        let (form, bits) = Self::unpack_first(bytes)?;
        if bits.div_ceil(8) == bytes.len() {
            return Ok(form);
        }
        let bits = bytes.len().saturating_mul(8).saturating_sub(bits);
        Err(UnpackError::Trailing { bits, hex: hex::encode(bytes) })
    }

    /// Reads a form that begins these bytes, and says how many bits it has. What else there is begins at the next byte;
    /// the bits before it must be zero.
    ///
    /// # Errors
    /// [`UnpackError`] when they begin with no form that is known here.
    pub fn unpack_first(bytes: &[u8]) -> Result<(Self, usize), UnpackError> {
        let hex = || hex::encode(bytes);
        let mut reader = BitReader::new(bytes);
        let mut head = |bits| reader.take(bits).map(|value| u8::try_from(value).unwrap_or(u8::MAX));
        let (id, version) = head(ID_BITS)
            .and_then(|id| Ok((id, head(VERSION_BITS)?)))
            .map_err(|source| UnpackError::Bits { source, hex: hex() })?;
        let (schema, origin) = match on_air(id, version) {
            OnAir::Known(schema, origin) => (schema, origin),
            OnAir::OtherVersion => return Err(UnpackError::UnknownVersion { id, version, hex: hex() }),
            OnAir::Unknown => return Err(UnpackError::UnknownSchema { id, version, hex: hex() }),
        };
        let values = read(&mut reader, &schema.fields, origin).map_err(|fault| fault.with(hex()))?;
        let bits = reader.at();
        let fill = u8::try_from(bits.div_ceil(8).saturating_mul(8).saturating_sub(bits)).unwrap_or(0);
        if reader.take(fill) != Ok(0) {
            return Err(UnpackError::Trailing { bits: fill.into(), hex: hex() });
        }
        let form = Self::filled(schema, values).map_err(|source| UnpackError::Form { source, hex: hex() })?;
        Ok((form, bits))
    }
}

fn write(writer: &mut BitWriter, fields: &[Field], values: &Values) -> Result<(), BitsError> {
    for field in fields {
        match values.get(field.name.as_str()) {
            None => write_absent(writer, field)?,
            Some(value) => {
                if field.absent == Absent::Bit {
                    writer.put(1, 1)?;
                }
                write_value(writer, field, value, fields, values)?;
            }
        }
    }
    Ok(())
}

fn write_absent(writer: &mut BitWriter, field: &Field) -> Result<(), BitsError> {
    match (field.absent, &field.kind) {
        (Absent::Bit, _) => writer.put(0, 1),
        (Absent::Code, Kind::Choice { bits, .. } | Kind::Level { bits, .. }) => writer.put(0, *bits),
        (Absent::Code, Kind::Position { .. }) => writer.put(0b11, 2),
        (Absent::Code, _) => writer.put_count(0),
        (Absent::Never, _) => Ok(()),
    }
}

fn write_value(
    writer: &mut BitWriter,
    field: &Field,
    value: &Value,
    fields: &[Field],
    values: &Values,
) -> Result<(), BitsError> {
    let after_absent = u32::from(field.absent == Absent::Code);
    match (&field.kind, value) {
        (Kind::Choice { bits, .. }, Value::Choice(at)) => writer.put(u32::from(*at) + after_absent, *bits),
        (Kind::Count { out_of, .. }, Value::Count(count)) => {
            if changes_allowed(field, fields, values) {
                writer.put(0, 1)?;
            }
            let rest = whole(out_of.as_deref(), values).and_then(|whole| whole.checked_sub(*count));
            writer.put_count(rest.unwrap_or(*count))
        }
        (Kind::Count { .. }, Value::Same) => writer.put(0b10, 2),
        (Kind::Count { .. }, Value::Changed { now, by }) => {
            writer.put(0b11, 2)?;
            writer.put_count(*now)?;
            writer.put(u32::from(*by < 0), 1)?;
            writer.put_count(by.unsigned_abs())
        }
        (Kind::Number { bits, first, step, .. }, Value::Number(number)) => {
            let steps = number.saturating_sub(*first).checked_div((*step).into());
            writer.put(steps.and_then(|steps| u32::try_from(steps).ok()).unwrap_or(u32::MAX), *bits)
        }
        (Kind::Level { bits, levels, .. }, Value::Number(number)) => {
            let at = levels.iter().position(|level| i32::from(*level) == *number);
            let at = at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX);
            writer.put(at.saturating_add(after_absent), *bits)
        }
        (Kind::Position { origin_in_id }, Value::Spot(spot)) => write_spot(writer, *spot, *origin_in_id, field.absent),
        (Kind::Time { day: false }, Value::Time { minute, .. }) => writer.put((*minute).into(), MINUTE_BITS),
        (Kind::Time { .. }, Value::Time { day, minute }) => {
            // The 32nd day of a month is none.
            let days = u32::from(day.unwrap_or(32)).saturating_sub(1);
            writer.put(days * u32::from(DAY_MINUTES) + u32::from(*minute), DAY_MINUTE_BITS)
        }
        (Kind::Place { bits }, Value::Place(number)) => writer.put((*number).into(), *bits),
        (Kind::Reference {}, Value::Reference(reference)) => {
            writer.put(reference.station.number().into(), STATION_BITS)?;
            writer.put(reference.low.into(), COUNTER_BITS)
        }
        (Kind::Flag { .. }, Value::Flag(yes)) => writer.put((*yes).into(), 1),
        (Kind::Rows { bits, fields }, Value::Rows(rows)) => {
            writer.put(u32::try_from(rows.len()).unwrap_or(0).saturating_sub(1), *bits)?;
            rows.iter().try_for_each(|row| write(writer, fields, row))
        }
        // A value of another kind was refused when it was set.
        _ => Ok(()),
    }
}

fn write_spot(writer: &mut BitWriter, spot: Spot, origin_in_id: bool, absent: Absent) -> Result<(), BitsError> {
    match spot {
        Spot::Relative { origin, north_m, east_m } => {
            if !origin_in_id {
                writer.put(0, 1)?;
                writer.put(origin.into(), ORIGIN_BITS)?;
            }
            writer.put(above_floor(north_m), METRES_BITS)?;
            writer.put(above_floor(east_m), METRES_BITS)
        }
        Spot::Absolute { lat_e7, lon_e7 } => {
            if !origin_in_id {
                writer.put(1, 1)?;
                if absent == Absent::Code {
                    writer.put(0, 1)?;
                }
            }
            let (lat, lon) = cells(lat_e7, lon_e7).unwrap_or((u32::MAX, u32::MAX));
            writer.put(lat, LATITUDE_BITS)?;
            writer.put(lon, LONGITUDE_BITS)
        }
    }
}

/// Metres −8,192..=8,191 as 0..=16,383.
fn above_floor(metres: i16) -> u32 {
    u32::try_from(i32::from(metres) + i32::from(METRES_MAX) + 1).unwrap_or(u32::MAX)
}

/// What went wrong, without the bytes.
#[derive(Debug)]
enum Fault {
    Bits(BitsError),
    Code(&'static str, u32),
}

impl Fault {
    fn with(self, hex: String) -> UnpackError {
        match self {
            Self::Bits(source) => UnpackError::Bits { source, hex },
            Self::Code(field, found) => UnpackError::Code { field, found, hex },
        }
    }
}

impl From<BitsError> for Fault {
    fn from(error: BitsError) -> Self {
        Self::Bits(error)
    }
}

fn read(reader: &mut BitReader<'_>, fields: &'static [Field], origin: Option<u8>) -> Result<Values, Fault> {
    let mut values = Values::new();
    for field in fields {
        if field.absent == Absent::Bit && !reader.take_bit()? {
            continue;
        }
        if let Some(value) = read_value(reader, field, fields, &values, origin)? {
            values.insert(&field.name, value);
        }
    }
    Ok(values)
}

/// One value; `None` when a code of its own says that it is not known.
fn read_value(
    reader: &mut BitReader<'_>,
    field: &'static Field,
    fields: &'static [Field],
    values: &Values,
    origin: Option<u8>,
) -> Result<Option<Value>, Fault> {
    let coded = field.absent == Absent::Code;
    let small = |found: u32| u8::try_from(found).map_err(|_| Fault::Code(&field.name, found));
    let value = match &field.kind {
        Kind::Choice { bits, choices } => {
            let found = reader.take(*bits)?;
            let Some(at) = found.checked_sub(coded.into()) else { return Ok(None) };
            let at = small(at)?;
            if usize::from(at) >= choices.len() {
                return Err(Fault::Code(&field.name, found));
            }
            Value::Choice(at)
        }
        Kind::Level { bits, levels, .. } => {
            let found = reader.take(*bits)?;
            let Some(at) = found.checked_sub(coded.into()) else { return Ok(None) };
            let level = usize::try_from(at).ok().and_then(|at| levels.get(at));
            Value::Number((*level.ok_or(Fault::Code(&field.name, found))?).into())
        }
        Kind::Count { out_of, .. } if !changes_allowed(field, fields, values) => {
            let count = reader.take_count()?;
            if coded && count == 0 {
                return Ok(None);
            }
            match whole(out_of.as_deref(), values) {
                Some(whole) => Value::Count(whole.checked_sub(count).ok_or(Fault::Code(&field.name, count.into()))?),
                None => Value::Count(count),
            }
        }
        Kind::Count { .. } => read_change(reader, &field.name)?,
        Kind::Number { bits, first, step, .. } => {
            let steps = i32::try_from(reader.take(*bits)?).unwrap_or(i32::MAX);
            Value::Number(first.saturating_add(steps.saturating_mul(i32::from(*step))))
        }
        Kind::Position { origin_in_id } => match read_spot(reader, field, *origin_in_id, origin)? {
            None => return Ok(None),
            Some(spot) => Value::Spot(spot),
        },
        Kind::Time { day: false } => Value::Time { day: None, minute: narrow(reader.take(MINUTE_BITS)?) },
        Kind::Time { .. } => {
            let found = reader.take(DAY_MINUTE_BITS)?;
            let day = small(found / u32::from(DAY_MINUTES) + 1)?;
            if day > 32 {
                return Err(Fault::Code(&field.name, found));
            }
            Value::Time { day: (day < 32).then_some(day), minute: narrow(found % u32::from(DAY_MINUTES)) }
        }
        Kind::Place { bits } => Value::Place(narrow(reader.take(*bits)?)),
        Kind::Reference {} => {
            let station = narrow(reader.take(STATION_BITS)?);
            let low = narrow(reader.take(COUNTER_BITS)?);
            let station = StationId::new(station).ok_or(Fault::Code(&field.name, station.into()))?;
            Value::Reference(Reference { station, low })
        }
        Kind::Flag { .. } => Value::Flag(reader.take_bit()?),
        Kind::Rows { bits, fields } => {
            let rows = reader.take(*bits)?.saturating_add(1);
            Value::Rows((0..rows).map(|_| read(reader, fields, None)).collect::<Result<_, _>>()?)
        }
    };
    Ok(Some(value))
}

/// A count that may say what changed, after its presence bit.
fn read_change(reader: &mut BitReader<'_>, field: &'static str) -> Result<Value, Fault> {
    if !reader.take_bit()? {
        return Ok(Value::Count(reader.take_count()?));
    }
    if !reader.take_bit()? {
        return Ok(Value::Same);
    }
    let now = reader.take_count()?;
    let fewer = reader.take_bit()?;
    // COUNT_MAX is within i16.
    let by = i16::try_from(reader.take_count()?).unwrap_or(i16::MAX);
    if fewer && by == 0 {
        return Err(Fault::Code(field, 0));
    }
    Ok(Value::Changed { now, by: if fewer { -by } else { by } })
}

fn read_spot(
    reader: &mut BitReader<'_>,
    field: &'static Field,
    origin_in_id: bool,
    origin: Option<u8>,
) -> Result<Option<Spot>, Fault> {
    let relative_to = match (origin_in_id, origin) {
        (true, origin) => origin,
        (false, _) if reader.take_bit()? => {
            if field.absent == Absent::Code && reader.take_bit()? {
                return Ok(None);
            }
            None
        }
        (false, _) => u8::try_from(reader.take(ORIGIN_BITS)?).ok(),
    };
    let Some(origin) = relative_to else {
        let (lat, lon) = (reader.take(LATITUDE_BITS)?, reader.take(LONGITUDE_BITS)?);
        return Ok(Spot::from_cells(lat, lon));
    };
    let mut metres = || -> Result<i16, BitsError> {
        let above = i32::try_from(reader.take(METRES_BITS)?).unwrap_or(0);
        Ok(i16::try_from(above - i32::from(METRES_MAX) - 1).unwrap_or(0))
    };
    Ok(Some(Spot::Relative { origin, north_m: metres()?, east_m: metres()? }))
}

/// A value of at most 16 bits.
fn narrow(value: u32) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{any_current_form, any_form};
    use super::super::{by_name, by_version};
    use super::*;
    use crate::message::MessageId;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_form_comes_back_from_its_bits(form in any_form()) {
            let packed = form.pack().unwrap();
            prop_assert_eq!(packed.bits.div_ceil(8), packed.bytes.len());
            prop_assert_eq!(Form::unpack(&packed.bytes), Ok(form.clone()));
            let followed = [packed.bytes.as_slice(), "桥断了".as_bytes()].concat();
            prop_assert_eq!(Form::unpack_first(&followed), Ok((form, packed.bits)));
        }

        #[test]
        fn any_bytes_are_a_form_of_exactly_these_bytes_or_an_error_with_their_hex(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            match Form::unpack(&bytes) {
                Ok(form) => prop_assert_eq!(form.pack().unwrap().bytes, bytes),
                Err(error) => prop_assert_eq!(error.hex(), hex::encode(bytes)),
            }
        }

        #[test]
        fn the_note_is_not_in_the_bits(form in any_current_form()) {
            let mut bare = form.clone();
            bare.set_note("").unwrap();
            prop_assert_eq!(form.pack(), bare.pack());
        }

        #[test]
        fn a_form_that_was_cut_off_is_refused(form in any_form(), cut in any::<prop::sample::Index>()) {
            let packed = form.pack().unwrap();
            let left = cut.index(packed.bytes.len());
            prop_assert!(Form::unpack(&packed.bytes[..left]).is_err());
        }
    }

    #[test]
    fn what_is_not_known_here_is_an_error_with_the_hex() {
        let unknown = Form::unpack(&[31 << 2, 0xAB]).unwrap_err();
        assert_eq!(unknown, UnpackError::UnknownSchema { id: 31, version: 0, hex: "7cab".into() });
        let version = Form::unpack(&[9 << 2 | 3, 0xAB]).unwrap_err();
        assert_eq!(version, UnpackError::UnknownVersion { id: 9, version: 3, hex: "27ab".into() });
        assert_eq!(version.label(), "表单9的版本3本站没有，原码照示");
    }

    #[test]
    fn an_older_version_is_read_and_renewed() {
        let schema = by_version("status", 0).unwrap();
        let mut old = Form::of(schema);
        old.choose("state", "stuck").unwrap();
        old.set("people", Value::Count(12)).unwrap();
        let packed = old.pack().unwrap();
        assert_eq!(hex::encode(&packed.bytes), "24903180");
        let read = Form::unpack(&packed.bytes).unwrap();
        assert_eq!((read.schema().version, &read), (0, &old));
        let renewed = read.renewed();
        assert_eq!(renewed.schema(), by_name("status").unwrap());
        assert_eq!(renewed.get("people"), Some(&Value::Count(12)));
        assert_ne!(renewed.pack().unwrap().bytes, packed.bytes);
    }

    #[test]
    fn values_are_refused_that_a_field_cannot_have() {
        let mut form = Form::new("situation").unwrap();
        assert_eq!(form.pack(), Err(FormError::Missing { field: "report" }));
        form.choose("report", "first").unwrap();
        form.choose("hazard", "landslide").unwrap();
        let too_many = form.set("dead", Value::Count(16_521)).unwrap_err();
        assert_eq!(too_many, FormError::Range { field: "dead", found: 16_521, min: 0, max: 16_520 });
        assert_eq!(form.set("dead", Value::Flag(true)), Err(FormError::Kind { field: "dead", expected: "count" }));
        assert_eq!(form.set("colour", Value::Count(1)), Err(FormError::UnknownField("colour".into())));
        let change = Value::Changed { now: 3, by: 5 };
        assert_eq!(form.set("dead", change), Err(FormError::Change { field: "dead", now: 3, by: 5 }));
        form.set("dead", Value::Same).unwrap();
        assert_eq!(form.pack(), Err(FormError::FirstReport { field: "dead" }));
        form.choose("report", "followup").unwrap();
        assert!(form.pack().is_ok());
        assert!(Form::new("weather").is_err());
    }

    #[test]
    fn a_part_is_packed_as_what_is_left_of_the_whole() {
        let row = |planned: u16, moved: u16| {
            let values =
                [("site", Value::Number(1)), ("planned", Value::Count(planned)), ("moved", Value::Count(moved))];
            let mut form = Form::new("headcount").unwrap();
            form.set("sites", Value::Rows(vec![values.into_iter().collect()]))?;
            form.pack()
        };
        assert_eq!(row(1_560, 1_558).unwrap().bits - row(1_560, 1_560).unwrap().bits, 3);
        assert_eq!(row(50, 60), Err(FormError::MoreThanWhole { field: "moved", found: 60, whole: 50 }));
    }

    #[test]
    fn a_reference_is_the_station_and_the_low_bits_of_its_counter() {
        let id = MessageId { station: StationId::new(1).unwrap(), counter: 2 };
        let mut form = Form::new("answer").unwrap();
        form.choose("answer", "done").unwrap();
        form.set("about", Value::Reference(Reference::of(id))).unwrap();
        assert_eq!(form.pack().unwrap().bits, 37);
        let mut no_station = form.pack().unwrap().bytes;
        no_station[1] &= 0b1110_0000;
        no_station[2] &= 0b0000_0111;
        assert!(matches!(Form::unpack(&no_station), Err(UnpackError::Code { field: "about", found: 0, .. })));
    }
}
