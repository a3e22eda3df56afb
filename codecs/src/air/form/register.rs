//! Every form that there is, read once from the files in `schema/`.

use super::schema::{ID_BITS, ORIGIN_BITS, Schema};
use std::sync::LazyLock;

/// The files, the newest version of each form first. An older one stays for as long as anybody may send it.
const FILES: [(&str, &str); 11] = [
    ("situation.toml", include_str!("schema/situation.toml")),
    ("sos.toml", include_str!("schema/sos.toml")),
    ("headcount.toml", include_str!("schema/headcount.toml")),
    ("order.toml", include_str!("schema/order.toml")),
    ("answer.toml", include_str!("schema/answer.toml")),
    ("warning.toml", include_str!("schema/warning.toml")),
    ("call_out.toml", include_str!("schema/call_out.toml")),
    ("supply.toml", include_str!("schema/supply.toml")),
    ("status.toml", include_str!("schema/status.toml")),
    ("position.toml", include_str!("schema/position.toml")),
    ("status.0.toml", include_str!("schema/status.0.toml")),
];

static SCHEMAS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| match toml::from_str(text) {
        Ok(schema) => schema,
        // The files are part of this program: a test reads them all before anybody else does.
        Err(error) => panic!("schema/{name}: {error}"),
    };
    FILES.iter().map(read).collect()
});

/// Every version of every form, the newest of each first.
#[must_use]
pub fn schemas() -> &'static [Schema] {
    &SCHEMAS
}

/// The newest version of each form, in the order of the keypad from 1 to 9, then 0.
pub fn current() -> impl Iterator<Item = &'static Schema> {
    let newest = |schema: &&Schema| !schemas().iter().any(|o| o.name == schema.name && o.version > schema.version);
    schemas().iter().filter(newest)
}

/// The newest version of a form by its machine name.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Schema> {
    current().find(|schema| schema.name == name)
}

/// One version of a form by its machine name.
#[must_use]
pub fn by_version(name: &str, version: u8) -> Option<&'static Schema> {
    schemas().iter().find(|schema| schema.name == name && schema.version == version)
}

/// The newest version of the form behind a digit of the keypad.
#[must_use]
pub fn by_keypad(digit: u8) -> Option<&'static Schema> {
    current().find(|schema| schema.keypad == digit)
}

/// What a schema id on the air means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnAir {
    /// A form, in a version that we have, and the origin that its id names.
    Known(&'static Schema, Option<u8>),
    /// A form of ours in a version that we do not have.
    OtherVersion,
    Unknown,
}

/// Looks up an id (0..=63) and a version (0..=3) as they stand on the air.
pub(super) fn on_air(id: u8, version: u8) -> OnAir {
    let origin_in = |schema: &Schema| {
        let above = id.checked_sub(schema.relative_id?)?;
        (above < 1 << ORIGIN_BITS && id < 1 << ID_BITS).then_some(above)
    };
    let of_form = |schema: &&Schema| schema.id == id || origin_in(schema).is_some();
    let mut forms = schemas().iter().filter(of_form).peekable();
    if forms.peek().is_none() {
        return OnAir::Unknown;
    }
    match forms.find(|schema| schema.version == version) {
        Some(schema) => OnAir::Known(schema, origin_in(schema)),
        None => OnAir::OtherVersion,
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::{Kind, check};
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn every_schema_file_is_read_and_keeps_the_rules() {
        for ((file, _), schema) in FILES.iter().zip(schemas()) {
            check(schema).unwrap_or_else(|what| panic!("{file}: {what}"));
        }
    }

    #[test]
    fn ten_forms_share_the_ten_digits_of_a_keypad_and_no_id() {
        let digits: Vec<u8> = current().map(|schema| schema.keypad).collect();
        assert_eq!(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
        let ids: BTreeSet<(u8, u8)> = schemas().iter().map(|schema| (schema.id, schema.version)).collect();
        assert_eq!(ids.len(), schemas().len());
        for schema in schemas() {
            let same = schemas().iter().filter(|other| other.name == schema.name);
            assert!(same.into_iter().all(|o| (o.id, o.keypad, &o.zh) == (schema.id, schema.keypad, &schema.zh)));
            assert!(schema.id < 32 && schema.relative_id.is_none_or(|id| id == 32), "{}", schema.name);
        }
    }

    #[test]
    fn a_list_of_one_name_has_the_same_numbers_in_every_form() {
        let mut lists = BTreeMap::new();
        for schema in current() {
            for field in schema.fields.iter().filter(|field| ["hazard"].contains(&field.name.as_str())) {
                let Kind::Choice { choices, .. } = &field.kind else { continue };
                let list = lists.entry(&field.name).or_insert(choices);
                assert_eq!(*list, choices, "{} {}", schema.name, field.name);
            }
        }
        assert_eq!(lists.len(), 1);
    }

    #[test]
    fn an_id_on_the_air_is_a_form_a_version_that_we_lack_or_unknown() {
        assert!(matches!(on_air(10, 0), OnAir::Known(schema, None) if schema.name == "position"));
        assert!(matches!(on_air(35, 0), OnAir::Known(schema, Some(3)) if schema.name == "position"));
        assert!(matches!(on_air(9, 0), OnAir::Known(schema, None) if schema.version == 0));
        assert!(matches!(on_air(9, 1), OnAir::Known(schema, None) if schema.version == 1));
        assert_eq!(on_air(9, 2), OnAir::OtherVersion);
        assert_eq!(on_air(35, 1), OnAir::OtherVersion);
        assert_eq!(on_air(31, 0), OnAir::Unknown);
    }

    #[test]
    fn a_schema_that_breaks_a_rule_is_named() {
        let good = FILES.iter().find(|(name, _)| *name == "sos.toml").map(|(_, text)| *text).unwrap();
        let broken = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            match toml::from_str::<Schema>(&good.replacen(from, to, 1)) {
                Ok(schema) => check(&schema).unwrap_err(),
                Err(error) => error.message().to_owned(),
            }
        };
        assert!(broken("bits = 4", "bits = 3").contains("nature: 16 values in 3 bits"));
        assert!(broken("\"injured\"]", "\"nobody\"]").contains("nobody"));
        assert!(broken("code = 2", "code = 1").contains("two choices"));
        assert!(broken("\"MY\"", "\"SK\"").contains("SK means nature water and nature buried"));
        assert!(broken("\"MY\"", "\"my\"").contains("capitals"));
        assert!(broken("id = 2", "id = 64").contains("id 64"));
        assert!(broken("kind.count = { min = 1", "kind.count = { min = 0").contains("people cannot be absent"));
        assert!(broken("zh = \"求救\"", "zh = \"求救\"\ncolour = 1").contains("unknown field"));
        assert!(broken("kind.position = {}", "kind.position = { far = true }").contains("unexpected keys"));
        assert!(broken("0, 1, 2, 5", "0, 2, 1, 5").contains("do not rise"));
    }
}
