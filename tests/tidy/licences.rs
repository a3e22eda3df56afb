//! Every crate that is built may be given away under Apache-2.0, and comes from the public registry.

use crate::tree::{Finding, Tree, catches, holds};
use serde_json::Value;
use std::process::Command;

/// The same list as in `deny.toml`, which the last test here holds in step.
const ALLOWED: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "MPL-2.0",
    "CC0-1.0",
    "0BSD",
    "BSL-1.0",
];

/// Whether one may choose allowed licences only: `OR` is a choice (`/` in old manifests), `AND` wants all.
fn may_be_used(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words = spaced.split_whitespace().collect::<Vec<_>>();
    let mut at = 0;
    let fine = choice(&words, &mut at);
    fine && at == words.len()
}

fn choice(words: &[&str], at: &mut usize) -> bool {
    let mut fine = all_of(words, at);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        fine |= all_of(words, at);
    }
    fine
}

fn all_of(words: &[&str], at: &mut usize) -> bool {
    let mut fine = one(words, at);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        fine &= one(words, at);
    }
    fine
}

fn one(words: &[&str], at: &mut usize) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let fine = choice(words, at);
        *at += 1;
        return fine;
    }
    match (words.get(*at), words.get(*at + 1)) {
        (Some(&"WITH"), Some(exception)) => {
            *at += 2;
            ALLOWED.contains(&format!("{word} WITH {exception}").as_str())
        }
        _ => ALLOWED.contains(word),
    }
}

/// What `cargo metadata` knows of every package that is built on this kind of machine, tests and benches included.
fn packages() -> Vec<Value> {
    let host = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let host = String::from_utf8(host.stdout).expect("UTF-8");
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host])
        .args(["--manifest-path", manifest])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    metadata["packages"].as_array().expect("a list of packages").clone()
}

fn sources_are_public(tree: &Tree) -> Vec<Finding> {
    // Cargo writes the public registry's address the same in every lock file; another registry has another.
    const PUBLIC: [&str; 2] = ["source = \"registry+https://github.com/rust-lang/", ".io-index\""];
    let [start, end] = PUBLIC;
    let public = |line: &str| line.starts_with(start) && line.ends_with(end);
    let Some(lock) = tree.file("Cargo.lock") else { return Vec::new() };
    let sources = lock.text.lines().enumerate().filter(|(_, line)| line.starts_with("source = ") && !public(line));
    sources
        .map(|(i, _)| {
            lock.finding(i + 1, "a crate from elsewhere than the public registry: nobody else could build this")
        })
        .collect()
}

fn allow_list_is_written_once(tree: &Tree) -> Vec<Finding> {
    let Some(deny) = tree.file("deny.toml") else { return Vec::new() };
    let table = toml::from_str::<toml::Table>(&deny.text).ok();
    let listed = table.as_ref().and_then(|t| t.get("licenses")?.get("allow")?.as_array());
    let listed = listed.into_iter().flatten().filter_map(toml::Value::as_str).collect::<Vec<_>>();
    if listed == ALLOWED {
        Vec::new()
    } else {
        vec![deny.finding(1, "licenses.allow differs from tests/tidy/licences.rs")]
    }
}

#[test]
fn every_crate_has_an_allowed_licence() {
    let packages = packages();
    assert!(packages.len() > 10, "only {} packages were seen", packages.len());
    let name = |package: &Value, key: &str| package[key].as_str().unwrap_or_default().to_owned();
    let bad = packages.iter().filter(|package| !may_be_used(&name(package, "license"))).collect::<Vec<_>>();
    let list = bad.iter().map(|p| format!("{} {}: {:?}", name(p, "name"), name(p, "version"), name(p, "license")));
    assert!(bad.is_empty(), "crates whose licence is not on the list:\n{}", list.collect::<Vec<_>>().join("\n"));
}

#[test]
fn licence_expressions_are_read_as_spdx_means_them() {
    for fine in [
        "MIT",
        "GPL-2.0 OR MIT",
        "MIT/Apache-2.0",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR MIT",
    ] {
        assert!(may_be_used(fine), "{fine}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND AGPL-3.0", "GPL-3.0 WITH LLVM-exception", "MIT MIT"]
    {
        assert!(!may_be_used(bad), "{bad}");
    }
}

#[test]
fn every_crate_comes_from_the_public_registry() {
    holds(sources_are_public);
    let lock =
        "source = \"registry+https://github.com/rust-lang/x.io-index\"\nsource = \"git+https://example.org/x#1\"\n";
    catches(sources_are_public, &[("Cargo.lock", lock)], &[2]);
}

#[test]
fn the_allow_list_and_deny_toml_agree() {
    holds(allow_list_is_written_once);
    catches(allow_list_is_written_once, &[("deny.toml", "[licenses]\nallow = [\"MIT\"]\n")], &[1]);
}
