//! Every device is in the register and has its recorded cases.

use crate::source::code;
use crate::tree::{File, Finding, Tree, catches, holds};
use serde_json::Value;
use std::collections::BTreeSet;

const DEVICES: &str = "codecs/src/device/";
const DEVICE: &str = "pub static DEVICE: Device = Device { name: \"acme\" };\n";
const REGISTER: &str = "codecs/src/device/mod.rs";

/// What a device's vectors must show, by their `expect`.
const KINDS: [&str; 4] = ["decode", "encode", "refuse", "stream"];
/// What else an `expect` may be: accepted on input with a warning, never emitted by us.
const LENIENT: &str = "lenient";

/// How a source begins: where bytes come from is told truthfully.
const INVENTED: &str = "invented";

/// Folders right under the devices.
fn devices(tree: &Tree) -> BTreeSet<&str> {
    let folders = tree.under(DEVICES).filter_map(|file| file.path.strip_prefix(DEVICES)?.split_once('/'));
    folders.map(|(name, _)| name).collect()
}

/// A device is named like its folder, and its folder opens it.
fn devices_are_opened_under_their_name(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for device in devices(tree) {
        let folder = format!("{DEVICES}{device}/");
        let opens =
            |file: &File| code(&file.text).contains(": Device =") && file.text.contains(&format!("name: \"{device}\""));
        if !tree.under(&folder).any(opens) {
            let what = format!("opens no Device named {device:?}: folder, config and vectors share one name");
            findings.push(Finding { path: folder, line: 1, what });
        }
    }
    findings
}

fn devices_are_registered(tree: &Tree) -> Vec<Finding> {
    let Some(register) = tree.file(REGISTER) else { return Vec::new() };
    let code = code(&register.text);
    let list = code.split("REGISTER").nth(1).and_then(|rest| rest.split(';').next()).unwrap_or_default();
    // A folder may have a dash in its name, a module may not.
    let missing = devices(tree).into_iter().filter(|device| !list.contains(&format!("{}::", device.replace('-', "_"))));
    missing.map(|device| register.finding(1, format!("the folder {device} is not in REGISTER: add its line"))).collect()
}

fn devices_have_all_kinds_of_vectors(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for device in devices(tree) {
        let folder = format!("{DEVICES}{device}/vectors/");
        let kinds = tree.under(&folder).flat_map(cases).filter_map(|(_, case)| expect(&case?).map(str::to_owned));
        let kinds = kinds.collect::<BTreeSet<_>>();
        for kind in KINDS.iter().filter(|kind| !kinds.contains(**kind)) {
            let what = format!("no vector with \"expect\": {kind:?}: every device shows at least one");
            findings.push(Finding { path: folder.clone(), line: 1, what });
        }
    }
    findings
}

fn vectors_are_whole(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = tree.files.iter().filter(|f| f.path.contains("/vectors/") && f.path.ends_with(".jsonl"));
    for file in files {
        let mut ids = BTreeSet::new();
        for (line, case) in cases(file) {
            let wrong = match case {
                None => Some("is no JSON object: one case a line".to_owned()),
                Some(case) => wrong_case(&case).or_else(|| {
                    let id = text(&case, "id").unwrap_or_default().to_owned();
                    (!ids.insert(id.clone())).then(|| format!("a second case with the id {id:?}"))
                }),
            };
            findings.extend(wrong.map(|what| file.finding(line, what)));
        }
    }
    findings
}

/// Each case of a file with its line; `None` where the line is no JSON object.
fn cases(file: &File) -> Vec<(usize, Option<Value>)> {
    let lines = file.text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(i, line)| (i + 1, serde_json::from_str(line).ok().filter(Value::is_object))).collect()
}

fn wrong_case(case: &Value) -> Option<String> {
    if let Some(missing) =
        ["id", "protocol", "expect", "source"].iter().find(|key| text(case, key).is_none_or(str::is_empty))
    {
        return Some(format!(
            "no {missing:?}: a case names what it is and where its bytes come from ({INVENTED} if nowhere)"
        ));
    }
    let expect = expect(case)?;
    let known = KINDS.contains(&expect) || expect == LENIENT;
    (!known).then(|| format!("\"expect\": {expect:?} is none of {KINDS:?} or {LENIENT:?}"))
}

fn text<'a>(case: &'a Value, key: &str) -> Option<&'a str> {
    case.get(key)?.as_str()
}

fn expect(case: &Value) -> Option<&str> {
    text(case, "expect")
}

fn data_files_parse(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let error = if file.path.ends_with(".toml") {
            toml::from_str::<toml::Table>(&file.text).err().map(|error| {
                (
                    error.span().map_or(1, |span| crate::source::line_of(&file.text, span.start)),
                    error.message().to_owned(),
                )
            })
        } else if file.path.ends_with(".json") {
            serde_json::from_str::<Value>(&file.text).err().map(|error| (error.line(), error.to_string()))
        } else {
            None
        };
        findings.extend(error.map(|(line, error)| file.finding(line, format!("does not parse: {error}"))));
    }
    findings
}

#[test]
fn every_device_folder_is_in_the_register() {
    holds(devices_are_registered);
    let register = "//! acme::DEVICE\nmod acme;\npub static REGISTER: &[Device] = &[beidou::DEVICE];\n";
    let sample =
        [(REGISTER, register), ("codecs/src/device/acme/mod.rs", DEVICE), ("codecs/src/device/beidou/mod.rs", "")];
    catches(devices_are_registered, &sample, &[1]);
    let dashed = register.replace("beidou::", "bei_dou::");
    let sample = [(REGISTER, dashed.as_str()), ("codecs/src/device/bei-dou/mod.rs", "")];
    catches(devices_are_registered, &sample, &[]);
}

#[test]
fn every_device_folder_opens_a_device_of_its_name() {
    holds(devices_are_opened_under_their_name);
    let other = DEVICE.replace("acme", "emca");
    let sample = [("codecs/src/device/acme/mod.rs", other.as_str()), ("codecs/src/device/b/wire.rs", "")];
    catches(devices_are_opened_under_their_name, &sample, &[1, 1]);
    catches(devices_are_opened_under_their_name, &[("codecs/src/device/acme/mod.rs", DEVICE)], &[]);
}

#[test]
fn every_device_has_vectors_of_the_four_kinds() {
    holds(devices_have_all_kinds_of_vectors);
    let cases = "{\"expect\": \"decode\"}\n{\"expect\": \"encode\"}\n{\"expect\": \"refuse\"}\n";
    let sample = [
        ("codecs/src/device/acme/vectors/a.jsonl", cases),
        ("codecs/src/device/acme/mod.rs", DEVICE),
        ("codecs/src/device/mod.rs", ""),
    ];
    catches(devices_have_all_kinds_of_vectors, &sample, &[1]);
}

#[test]
fn every_vector_is_whole_and_names_its_source() {
    holds(vectors_are_whole);
    let whole = "{\"id\": \"a\", \"protocol\": \"p\", \"expect\": \"decode\", \"source\": \"invented\"}";
    let text = format!(
        "{whole}\n\n{whole}\n[]\n{{\n{}\n{}\n",
        whole.replace("invented", "").replace("\"a\"", "\"b\""),
        whole.replace("decode", "maybe").replace("\"a\"", "\"c\"")
    );
    catches(vectors_are_whole, &[("codecs/src/device/acme/vectors/a.jsonl", &text)], &[3, 4, 5, 6, 7]);
}

#[test]
fn scenarios_and_other_data_files_parse() {
    holds(data_files_parse);
    let sample =
        [("simulators/scenarios/a.toml", "[a]\nb = 1\nb = 2\n"), ("docs/a.json", "{}\n"), ("docs/b.json", "{\n,}\n")];
    catches(data_files_parse, &sample, &[3, 2]);
}
