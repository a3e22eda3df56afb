//! The two pages that are made from the schema files. `UPDATE=1 cargo test -p yizhan-codecs --lib form::pages` writes them.

use super::schema::{Absent, Choice, Field, Kind, Schema};
use super::*;
use std::fmt::Write;
use std::path::PathBuf;

const BITS_HEAD: &str = include_str!("pages/air-forms.head.txt");
const KEYPAD_HEAD: &str = include_str!("pages/keypad.head.txt");

fn page_is_in_step(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == text,
        "docs/{name} is not what the schema files say: run UPDATE=1 cargo test -p yizhan-codecs --lib form::pages"
    );
}

#[test]
fn the_page_of_bit_layouts_is_what_the_schema_files_say() {
    let mut page = BITS_HEAD.replace("{table}", &cost_rows());
    for schema in schemas() {
        page.push_str(&layout(schema));
    }
    page_is_in_step("air-forms.md", &page);
}

#[test]
fn the_pocket_page_of_the_keypad_is_what_the_schema_files_say() {
    let mut page = KEYPAD_HEAD.to_owned();
    for schema in current() {
        page.push_str(&pocket(schema));
    }
    page_is_in_step("keypad.zh.md", &page);
}

fn cost_rows() -> String {
    let row = |cost: Cost| {
        let target = cost.target.map_or_else(|| "–".to_owned(), |target| target.to_string());
        let (bytes, text) = (cost.bits.div_ceil(8), cost.text_bytes);
        format!("| {} | {} | {target} | {bytes} | {text} | `{}` |\n", cost.en, cost.bits, cost.line)
    };
    costs().into_iter().map(row).collect::<String>().trim_end().to_owned()
}

/// One form's section of the page of bit layouts.
fn layout(schema: &'static Schema) -> String {
    let mut text = format!("\n## {} {}, version {}\n\n", schema.en, schema.zh, schema.version);
    let ids = schema.relative_id.map_or_else(String::new, |id| {
        format!(", or {id} + the number of the origin to which its position is relative")
    });
    let keypad = format!("keypad `#{}`", schema.keypad);
    writeln!(text, "`{}` · schema id {}{ids} · {keypad}\n", schema.name, schema.id).unwrap();
    if let Some(fields) = &schema.replaces {
        let fields: Vec<String> = fields.iter().map(|name| format!("`{name}`")).collect();
        let same = if fields.is_empty() { String::new() } else { format!(" with the same {}", fields.join(", ")) };
        writeln!(text, "A newer one of the same unit{same} takes the place of one that still waits.\n").unwrap();
    }
    text.push_str("| field | label | kind | bits | values | not known |\n|---|---|---|---|---|---|\n");
    for field in &schema.fields {
        text.push_str(&layout_row(field, ""));
        for inner in field.row_fields() {
            text.push_str(&layout_row(inner, &format!("{}.", field.name)));
        }
    }
    for field in schema.fields.iter().flat_map(|field| std::iter::once(field).chain(field.row_fields())) {
        if let Kind::Choice { choices, .. } = &field.kind {
            let first = usize::from(field.absent == Absent::Code);
            let one = |(at, choice): (usize, &Choice)| {
                let unit = choice.unit.as_ref().map_or(String::new(), |unit| format!(" ({unit})"));
                format!("{} {} {}{unit}", at + first, choice.name, choice.zh)
            };
            let list: Vec<String> = choices.iter().enumerate().map(one).collect();
            writeln!(text, "\n`{}`: {}.", field.name, list.join(" · ")).unwrap();
        }
    }
    text
}

fn layout_row(field: &'static Field, of: &str) -> String {
    let (fewest, most) = field.bits();
    let bits = if fewest == most { most.to_string() } else { format!("{fewest}–{most}") };
    let absent = match (field.absent, &field.kind) {
        (Absent::Never, _) => "–",
        (Absent::Bit, _) => "bit 0 before it",
        (Absent::Code, Kind::Position { .. }) => "code `11`",
        (Absent::Code, _) => "code 0",
    };
    let (name, zh, kind) = (&field.name, &field.zh, field.kind.name());
    format!("| `{of}{name}` | {zh} | {kind} | {bits} | {} | {absent} |\n", values(field))
}

fn values(field: &'static Field) -> String {
    let unit = field.units().first().map_or(String::new(), |unit| format!(" {unit}"));
    let range = field.range().map_or(String::new(), |(low, high)| format!("{low}..={high}{unit}"));
    match &field.kind {
        Kind::Choice { choices, .. } => format!("{} choices, below", choices.len()),
        Kind::Count { out_of: Some(of), .. } => format!("{range}; where `{of}` is known: `{of}` less it"),
        Kind::Count { changes: Some(changes), .. } => {
            format!("{range}; change where `{}` is {}", changes.when, changes.is.join(" or "))
        }
        Kind::Number { step, decimals, .. } if *step > 1 || *decimals > 0 => {
            format!("{range} in steps of {step}, {decimals} decimals")
        }
        Kind::Level { levels, wraps, exact, .. } => {
            let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
            let rule = match (wraps, exact) {
                (Some(wraps), _) => format!("; nearest, around {wraps}"),
                (None, true) => "; no others".to_owned(),
                (None, false) => "; nearest".to_owned(),
            };
            format!("{}{unit}{rule}", levels.join(" "))
        }
        Kind::Position { origin_in_id: true } => "the schema id says which".into(),
        Kind::Position { .. } => "`0` relative, `1` absolute (`10` where it may be unknown)".into(),
        Kind::Time { day: false } => "minute of the day".into(),
        Kind::Time { .. } => "minute of the month, or of a day that is not said".into(),
        Kind::Reference {} => "station, low 14 bits of its counter".into(),
        Kind::Flag { yes, no } => {
            let first = |words: &[String]| words.first().cloned().unwrap_or_default();
            format!("1 {}, 0 {}", first(yes), first(no))
        }
        Kind::Rows { bits, .. } => format!("1..={} rows, of these:", 1 << bits),
        Kind::Count { .. } | Kind::Number { .. } | Kind::Place { .. } => range,
    }
}

/// One form's section of the pocket page.
fn pocket(schema: &'static Schema) -> String {
    let mut text = format!("\n## #{} {}\n\n", schema.keypad, schema.zh);
    for example in &schema.examples {
        writeln!(text, "- `{}`：{}", example.line, example.means).unwrap();
    }
    let in_line = schema.line.iter().filter_map(|name| schema.field(name));
    let order: Vec<String> = in_line.map(in_order).collect();
    let least = schema.line_least.filter(|least| *least > 0);
    let whole = least.map_or(String::new(), |least| format!("（第 {least} 项之后要么写全，要么写代号）"));
    writeln!(text, "\n顺序：{}{whole}。", order.join("、")).unwrap();
    let fields: Vec<&'static Field> =
        schema.fields.iter().flat_map(|field| std::iter::once(field).chain(field.row_fields())).collect();
    let coded: Vec<String> = fields.iter().filter_map(|field| code(field)).collect();
    writeln!(text, "代号：{}。", coded.join("、")).unwrap();
    for field in fields {
        match &field.kind {
            Kind::Choice { choices, .. } => {
                let one = |choice: &Choice| {
                    let unit = choice.unit.as_ref().map_or(String::new(), |unit| format!("（{unit}）"));
                    format!("{}{}{unit}", choice.code, choice.zh)
                };
                // The list of hazards is long and the same everywhere.
                let list = if field.name == "hazard" && schema.name != "situation" {
                    "同 #1".to_owned()
                } else {
                    choices.iter().map(one).collect::<Vec<_>>().join(" ")
                };
                writeln!(text, "{}：{list}。", field.zh).unwrap();
            }
            Kind::Flag { yes, no } => {
                let first = |words: &[String]| words.first().cloned().unwrap_or_default();
                writeln!(text, "{}：直接写 {} 或 {}。", field.zh, first(yes), first(no)).unwrap();
            }
            _ => {}
        }
    }
    text.replace("。\n", "。  \n").trim_end().to_owned() + "\n"
}

fn in_order(field: &'static Field) -> String {
    match &field.kind {
        Kind::Rows { fields, .. } => {
            let inner: Vec<&str> = fields.iter().map(|field| field.zh.as_str()).collect();
            format!("{}（每行 {}，行与行之间写 空格/空格）", field.zh, inner.join(" "))
        }
        _ => field.zh.clone(),
    }
}

/// A field's code with what it stands for, where the code is not the label itself.
fn code(field: &'static Field) -> Option<String> {
    let code = field.codes.first()?;
    let letters = field.codes.iter().find(|code| code.chars().all(|c| c.is_ascii_uppercase()));
    let letters = letters.map_or(String::new(), |letters| format!("/{letters}"));
    let unit = field.units().first().map_or(String::new(), |unit| format!("（{unit}）"));
    let label = if *code == field.zh { String::new() } else { format!("={}", field.zh) };
    Some(format!("{code}{letters}{label}{unit}"))
}
