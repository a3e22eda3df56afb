//! What a form is: the types that a schema file is read into. Everything else here follows from them.

use super::bits::COUNT_MAX;
use serde::Deserialize;

/// The bits of a schema id and of its version, which begin every packed form.
pub const ID_BITS: u8 = 6;
pub const VERSION_BITS: u8 = 2;
/// The bits of a shared origin's number, 0..=31.
pub const ORIGIN_BITS: u8 = 5;
/// The bits of metres north and of metres east of an origin, each −8,192..=8,191.
pub const METRES_BITS: u8 = 14;
/// The bits of latitude and longitude: cells of about 1.2 m.
pub const LATITUDE_BITS: u8 = 24;
pub const LONGITUDE_BITS: u8 = 25;
/// The bits of a minute of the day, and of one of a month.
pub const MINUTE_BITS: u8 = 11;
pub const DAY_MINUTE_BITS: u8 = 16;
/// The bits of a reference: the station's number and the low bits of its counter.
pub const STATION_BITS: u8 = 10;
pub const COUNTER_BITS: u8 = 14;

/// One version of one form.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// 0..=31, or above where no other form's `relative_id` lies.
    pub id: u8,
    /// 0..=3. A change of layout is a new version beside the old one.
    pub version: u8,
    /// The first of 32 ids that mean the same form with its position relative to origin (id − this).
    pub relative_id: Option<u8>,
    /// The machine name, the same in every version.
    pub name: String,
    /// The title in Chinese and in English.
    pub zh: String,
    pub en: String,
    /// The digit after `#` on a keypad, 0..=9.
    pub keypad: u8,
    /// Whether this form is a call for help.
    #[serde(default)]
    pub distress: bool,
    /// A newer one of the same unit with the same values in these fields takes the place of an older one that still waits.
    /// Without it every one stands for itself.
    pub replaces: Option<Vec<String>>,
    /// The fields that bare values on a keypad line mean, in their order.
    pub line: Vec<String>,
    /// How many bare values may stand alone. Beyond them all must be there: a number that was left out would shift the rest.
    pub line_least: Option<usize>,
    /// Lines for people to learn from.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// The fields in the order of the air.
    #[serde(rename = "field")]
    pub fields: Vec<Field>,
}

/// A keypad line and what it means, in Chinese.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub line: String,
    pub means: String,
}

/// One field of a form or of a row.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The machine name, in JSON.
    pub name: String,
    /// The label that people see, and what it means in English.
    pub zh: String,
    pub en: String,
    /// What may stand before a value on a keypad; the first is what we print.
    #[serde(default)]
    pub codes: Vec<String>,
    /// How it is said that the value is not known.
    #[serde(default)]
    pub absent: Absent,
    /// Where the value's word stands in the title, if it does (险情 + 续报, 红色 + 预警).
    pub title: Option<Side>,
    /// Whether people are told that it was not reported.
    #[serde(default)]
    pub say_absent: bool,
    /// Whether the label is shown before the value.
    #[serde(default = "yes")]
    pub label: bool,
    pub kind: Kind,
}

/// How the air says that a value is not known. Not known is never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Absent {
    /// The value must be given.
    #[default]
    Never,
    /// By a bit before the value.
    Bit,
    /// By a code of the value's own: 0 of a choice, of a level, of a count that begins at 1; `11` of a position.
    Code,
}

/// A side of the form's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Before,
    After,
}

/// What a field's value is, and how it is packed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Kind {
    /// One of a list; packed as its place in the list. A list only ever grows with a new version.
    Choice { bits: u8, choices: Vec<Choice> },
    /// A number of people or things, `min`..=16,520, in four classes.
    Count {
        /// The first is shown; all may be typed after the number.
        #[serde(default)]
        unit: Vec<String>,
        #[serde(default)]
        min: u16,
        /// The field beside it of which this is a part. Where that is known, the rest is packed in place of the part.
        out_of: Option<String>,
        /// When what changed since the last report may be said.
        changes: Option<Changes>,
    },
    /// A number `first`..`first + step * (2^bits - 1)`, in units of the last decimal.
    Number {
        bits: u8,
        #[serde(default)]
        first: i32,
        #[serde(default = "one")]
        step: u16,
        #[serde(default)]
        decimals: u8,
        #[serde(default)]
        unit: Vec<String>,
    },
    /// One of a few values.
    Level {
        bits: u8,
        levels: Vec<u16>,
        #[serde(default)]
        unit: Vec<String>,
        /// After how much the scale begins anew (360 degrees).
        wraps: Option<u16>,
        /// Whether other values are refused. Else they are rounded to the nearest level, and people are told 约.
        #[serde(default)]
        exact: bool,
    },
    /// A place on the earth, absolute or relative to a shared origin.
    Position {
        /// Whether the schema id says which of them.
        #[serde(default)]
        origin_in_id: bool,
    },
    /// A minute of the day in Beijing time; `day`: and a day of the month.
    Time {
        #[serde(default)]
        day: bool,
    },
    /// A number of the shared list of places, from 1.
    Place { bits: u8 },
    /// Another message: its station and the low 14 bits of its counter.
    Reference {},
    /// Yes or no, each with its words.
    Flag { yes: Vec<String>, no: Vec<String> },
    /// Several rows of the same fields, at least one; their number is packed first, less one.
    Rows { bits: u8, fields: Vec<Field> },
}

/// When a count may say what changed: while the choice field `when` is one of `is`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    pub when: String,
    pub is: Vec<String>,
}

/// One of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// Its number on a keypad.
    pub code: u8,
    pub name: String,
    pub zh: String,
    /// Other words for it on a keypad.
    pub words: Vec<String>,
    /// The unit in which this is counted, where the list is one of things.
    pub unit: Option<String>,
}

const fn yes() -> bool {
    true
}

const fn one() -> u16 {
    1
}

impl Schema {
    /// A field by its machine name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl Field {
    /// Whether the value may be unknown.
    #[must_use]
    pub fn may_be_absent(&self) -> bool {
        self.absent != Absent::Never
    }

    /// The units that may be typed after the value; the first is shown.
    #[must_use]
    pub fn units(&self) -> &[String] {
        match &self.kind {
            Kind::Count { unit, .. } | Kind::Number { unit, .. } | Kind::Level { unit, .. } => unit,
            _ => &[],
        }
    }

    /// The fields of its rows, where it has any.
    #[must_use]
    pub fn row_fields(&self) -> &[Self] {
        if let Kind::Rows { fields, .. } = &self.kind { fields } else { &[] }
    }

    /// The choices of its list, where it is one.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        if let Kind::Choice { choices, .. } = &self.kind { choices } else { &[] }
    }

    /// The fewest and the most bits that it takes, presence included. `most` of rows is that of all rows.
    #[must_use]
    pub fn bits(&self) -> (u32, u32) {
        let presence = u32::from(self.absent == Absent::Bit);
        let (fewest, most) = self.kind.bits(self.absent);
        (if self.absent == Absent::Bit { 1 } else { fewest }, presence + most)
    }
}

impl Kind {
    /// The word for this kind in the pages.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Choice { .. } => "choice",
            Self::Count { .. } => "count",
            Self::Number { .. } => "number",
            Self::Level { .. } => "level",
            Self::Position { .. } => "position",
            Self::Time { .. } => "time",
            Self::Place { .. } => "place",
            Self::Reference {} => "reference",
            Self::Flag { .. } => "flag",
            Self::Rows { .. } => "rows",
        }
    }

    fn bits(&self, absent: Absent) -> (u32, u32) {
        let same = |bits: u8| (u32::from(bits), u32::from(bits));
        let absolute = u32::from(LATITUDE_BITS + LONGITUDE_BITS);
        match self {
            Self::Choice { bits, .. } | Self::Number { bits, .. } | Self::Level { bits, .. } | Self::Place { bits } => {
                same(*bits)
            }
            // A follow-up says by one or two bits more whether it is the same or changed; a change has a sign.
            Self::Count { changes: Some(_), .. } => (2, 2 + 16 + 1 + 16),
            Self::Count { min, .. } => (if *min == 0 || absent == Absent::Code { 2 } else { 5 }, 16),
            Self::Position { origin_in_id: true } => (u32::from(2 * METRES_BITS), absolute),
            Self::Position { .. } if absent == Absent::Code => (2, 2 + absolute),
            Self::Position { .. } => (1 + u32::from(ORIGIN_BITS + 2 * METRES_BITS), 1 + absolute),
            Self::Time { day } => same(if *day { DAY_MINUTE_BITS } else { MINUTE_BITS }),
            Self::Reference {} => same(STATION_BITS + COUNTER_BITS),
            Self::Flag { .. } => same(1),
            Self::Rows { bits, fields } => {
                let (fewest, most) = fields.iter().fold((0, 0), |(a, b), field| {
                    let (fewest, most) = field.bits();
                    (a + fewest, b + most)
                });
                (u32::from(*bits) + fewest, u32::from(*bits) + most * (1 << bits))
            }
        }
    }
}

/// Whether a schema keeps the rules that the codec relies on; the first thing that is wrong, in words.
///
/// # Errors
/// What is wrong, naming the field.
pub fn check(schema: &Schema) -> Result<(), String> {
    let fits = schema.id < 1 << ID_BITS && schema.version < 1 << VERSION_BITS && schema.keypad <= 9;
    if !fits {
        return Err(format!("id {} version {} keypad {}", schema.id, schema.version, schema.keypad));
    }
    check_fields(&schema.fields, schema)?;
    for name in &schema.line {
        let field = schema.field(name).ok_or_else(|| format!("line names {name}, which is no field"))?;
        let last = schema.line.last() == Some(name);
        if matches!(field.kind, Kind::Rows { .. }) && !last {
            return Err(format!("rows {name} must end the line"));
        }
    }
    if let Some(name) = schema.replaces.iter().flatten().find(|name| schema.field(name).is_none()) {
        return Err(format!("replaces names {name}, which is no field"));
    }
    if schema.line_least.is_some_and(|least| least >= schema.line.len()) {
        return Err("line_least leaves nothing to be whole".into());
    }
    check_words(schema)
}

fn check_fields(fields: &[Field], schema: &Schema) -> Result<(), String> {
    for (at, field) in fields.iter().enumerate() {
        let before = fields.get(..at).unwrap_or_default();
        let name = &field.name;
        if before.iter().any(|other| other.name == *name) {
            return Err(format!("two fields {name}"));
        }
        check_absent(field)?;
        check_kind(field, before, schema).map_err(|what| format!("{name}: {what}"))?;
    }
    Ok(())
}

fn check_absent(field: &Field) -> Result<(), String> {
    let has_code = match &field.kind {
        Kind::Choice { .. } | Kind::Level { .. } => true,
        Kind::Count { min, out_of, changes, .. } => *min > 0 && out_of.is_none() && changes.is_none(),
        Kind::Position { origin_in_id } => !origin_in_id,
        _ => false,
    };
    let right = match field.absent {
        Absent::Never => true,
        Absent::Bit => !matches!(field.kind, Kind::Position { .. } | Kind::Rows { .. }),
        Absent::Code => has_code,
    };
    if right { Ok(()) } else { Err(format!("{} cannot be absent by {:?}", field.name, field.absent)) }
}

fn check_kind(field: &Field, before: &[Field], schema: &Schema) -> Result<(), String> {
    let room = |bits: u8, values: usize| {
        let values = values + usize::from(field.absent == Absent::Code);
        if (1..=16).contains(&bits) && values <= 1 << bits {
            Ok(())
        } else {
            Err(format!("{values} values in {bits} bits"))
        }
    };
    match &field.kind {
        Kind::Choice { bits, choices } => {
            let distinct = |key: fn(&Choice) -> String| {
                choices.iter().map(key).collect::<std::collections::BTreeSet<_>>().len() == choices.len()
            };
            if !distinct(|c| c.name.clone()) || !distinct(|c| c.code.to_string()) {
                return Err("two choices of one name or code".into());
            }
            room(*bits, choices.len())
        }
        Kind::Level { bits, levels, .. } => {
            if !levels.is_sorted_by(|a, b| a < b) {
                return Err("levels do not rise".into());
            }
            room(*bits, levels.len())
        }
        Kind::Count { min, out_of, changes, .. } => {
            let of = out_of.iter().all(|of| {
                before.iter().any(|other| other.name == *of && matches!(other.kind, Kind::Count { changes: None, .. }))
            });
            let when = changes.iter().all(|changes| {
                let known = before.iter().find(|other| other.name == changes.when && other.absent == Absent::Never);
                known.is_some_and(|o| changes.is.iter().all(|is| o.choices().iter().any(|c| c.name == *is)))
            });
            let alone = changes.is_none() || (out_of.is_none() && *min == 0 && field.absent == Absent::Bit);
            if of && when && alone && *min <= COUNT_MAX { Ok(()) } else { Err("refers to no count or choice".into()) }
        }
        Kind::Number { bits, step, .. } if *step > 0 => room(*bits, 1),
        Kind::Number { .. } => Err("step 0".into()),
        Kind::Place { bits } => room(*bits, 1),
        Kind::Position { origin_in_id } => {
            if *origin_in_id == (schema.relative_id.is_some()) {
                Ok(())
            } else {
                Err("relative_id and origin_in_id".into())
            }
        }
        Kind::Rows { bits, fields } => {
            let flat = |f: &Field| match &f.kind {
                Kind::Rows { .. } | Kind::Position { .. } => false,
                Kind::Count { changes, .. } => changes.is_none(),
                _ => true,
            };
            if !fields.iter().all(flat) || fields.first().is_none_or(Field::may_be_absent) || !(1..=6).contains(bits) {
                return Err("rows of flat fields, the first of them always given".into());
            }
            check_fields(fields, schema)
        }
        Kind::Time { .. } | Kind::Reference {} | Kind::Flag { .. } => Ok(()),
    }
}

/// A word on a keypad must mean one thing only.
fn check_words(schema: &Schema) -> Result<(), String> {
    let mut seen = std::collections::BTreeMap::new();
    for (word, of) in words(&schema.fields) {
        if word != word.to_uppercase() {
            return Err(format!("keypad word {word} of {of} is not in capitals"));
        }
        if let Some(other) = seen.insert(word.clone(), of.clone()) {
            return Err(format!("keypad word {word} means {other} and {of}"));
        }
    }
    Ok(())
}

/// Every word of every field, with what it means.
fn words(fields: &[Field]) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for field in fields {
        words.extend(field.codes.iter().map(|code| (code.clone(), field.name.clone())));
        for choice in field.choices() {
            let all = std::iter::once(&choice.zh).chain(&choice.words);
            words.extend(all.map(|word| (word.clone(), format!("{} {}", field.name, choice.name))));
        }
        if let Kind::Flag { yes, no } = &field.kind {
            words.extend(yes.iter().chain(no).map(|word| (word.clone(), field.name.clone())));
        }
        words.extend(self::words(field.row_fields()));
    }
    words
}
