//! Which way the arrows point: `codecs <- engine <- {daemon, simulators} <- root`, and never back.

use crate::source::{code, has_word, lines};
use crate::tree::{Finding, Tree, catches, holds};

/// Each crate's manifest and the crates of this house that it may name.
const MAY_NAME: [(&str, &[&str]); 4] = [
    ("codecs/Cargo.toml", &[]),
    ("gateway/engine/Cargo.toml", &["yizhan-codecs"]),
    ("gateway/daemon/Cargo.toml", &["yizhan-codecs", "yizhan-engine"]),
    ("simulators/Cargo.toml", &["yizhan-codecs", "yizhan-engine"]),
];

/// Crates that have no business in the language and the judgement.
const HANDS: [&str; 9] =
    ["tokio", "mio", "rusqlite", "axum", "reqwest", "tokio-serial", "serialport", "chrono", "rand"];

/// Folders of the world that must not know whom they talk to.
const FAR_SIDE: [&str; 2] = ["simulators/src/terminal/", "simulators/src/air/"];

/// Parts of the engine that `engine.rs` introduces to each other. They may read the bus, which reads none of them.
const PARTS: [&str; 4] = ["session", "outbox", "route", "bus"];

fn crates_depend_one_way(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, allowed) in MAY_NAME {
        let Some(manifest) = tree.file(path) else { continue };
        for (number, name) in dependencies(&manifest.text) {
            if name.starts_with("yizhan") && !allowed.contains(&name.as_str()) {
                let what = format!("must not depend on {name}: the arrow points the other way (ARCHITECTURE.md)");
                findings.push(manifest.finding(number, what));
            }
        }
    }
    findings
}

fn language_and_judgement_have_no_hands(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in ["codecs/Cargo.toml", "gateway/engine/Cargo.toml"].iter().filter_map(|path| tree.file(path)) {
        for (number, name) in
            dependencies(&manifest.text).into_iter().filter(|(_, name)| HANDS.contains(&name.as_str()))
        {
            findings.push(manifest.finding(number, format!("{name} does I/O, time or chance: that is the daemon's")));
        }
    }
    findings
}

fn the_far_side_does_not_know_the_engine(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| FAR_SIDE.iter().any(|folder| file.path.starts_with(folder))) {
        let code = code(&file.text);
        for line in lines(file, &code).iter().filter(|line| has_word(line.code, "yizhan_engine")) {
            findings.push(
                file.finding(line.number, "terminals and air must not know the engine: pass what it sent as bytes"),
            );
        }
    }
    findings
}

fn engine_parts_do_not_import_each_other(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in PARTS {
        let (folder, file_of_its_own) =
            (format!("gateway/engine/src/{part}/"), format!("gateway/engine/src/{part}.rs"));
        let others = PARTS.into_iter().filter(|other| *other != part && *other != "bus").collect::<Vec<_>>();
        for file in tree.rust().filter(|file| file.path.starts_with(&folder) || file.path == file_of_its_own) {
            let code = code(&file.text);
            for line in lines(file, &code) {
                if let Some(other) = others.iter().find(|other| line.code.contains(&format!("crate::{other}::"))) {
                    let what =
                        format!("{part} imports {other}: parts do not know each other, engine.rs introduces them");
                    findings.push(file.finding(line.number, what));
                }
            }
        }
    }
    findings
}

/// The names in every `…dependencies` table of a manifest with their lines, renamed ones by their own name.
fn dependencies(manifest: &str) -> Vec<(usize, String)> {
    let (mut found, mut inside) = (Vec::new(), false);
    for (i, line) in manifest.lines().enumerate() {
        let line = line.trim();
        if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_end_matches(']');
            inside = table.ends_with("dependencies");
            if let Some((_, name)) = table.rsplit_once("dependencies.") {
                found.push((i + 1, name.to_owned()));
            }
        } else if inside && !line.starts_with('#') && line.contains('=') {
            let name = line.split(['=', '.']).next().unwrap_or_default().trim();
            found.push((i + 1, name.trim_matches('"').to_owned()));
            let renamed = line.split("package = \"").nth(1).and_then(|rest| rest.split('"').next());
            found.extend(renamed.map(|name| (i + 1, name.to_owned())));
        }
    }
    found
}

#[test]
fn crates_of_this_house_depend_one_way_only() {
    holds(crates_depend_one_way);
    let back = "[package]\nname = \"yizhan-codecs\"\n[dependencies]\nbytes = \"1\"\nyizhan-engine.workspace = true\n";
    let hidden = "[dev-dependencies]\nworld = { path = \"../../simulators\", package = \"yizhan-simulators\" }\n";
    let table = "[target.'cfg(unix)'.dependencies.yizhan-daemon]\nworkspace = true\n";
    let sample = [("codecs/Cargo.toml", back), ("gateway/daemon/Cargo.toml", hidden), ("simulators/Cargo.toml", table)];
    catches(crates_depend_one_way, &sample, &[5, 2, 1]);
}

#[test]
fn codecs_and_engine_have_no_io_clock_or_chance_crates() {
    holds(language_and_judgement_have_no_hands);
    let sample =
        [("gateway/engine/Cargo.toml", "[dependencies]\nprost = \"0.14\"\n[build-dependencies]\ntokio = \"1\"\n")];
    catches(language_and_judgement_have_no_hands, &sample, &[4]);
}

#[test]
fn parts_of_the_engine_are_introduced_by_engine_rs_only() {
    holds(engine_parts_do_not_import_each_other);
    let sample = [
        ("gateway/engine/src/outbox/mod.rs", "use crate::bus::State;\nuse crate::session::Session;\n"),
        ("gateway/engine/src/bus/state.rs", "use crate::route::Target;\n"),
        ("gateway/engine/src/engine/send.rs", "use crate::outbox::Choice;\n"),
    ];
    catches(engine_parts_do_not_import_each_other, &sample, &[2, 1]);
}

#[test]
fn simulated_terminals_and_air_do_not_know_the_engine() {
    holds(the_far_side_does_not_know_the_engine);
    let sample = [("simulators/src/terminal/beidou.rs", "//! yizhan_engine\nuse yizhan_engine::io::Input;\n")];
    catches(the_far_side_does_not_know_the_engine, &sample, &[2]);
}
