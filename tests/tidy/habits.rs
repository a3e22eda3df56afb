//! Habits of the code: what tests, lints and errors may not do.

use crate::source::{Line, code, has_word, lines};
use crate::tree::{File, Finding, Tree, catches, holds};

/// Where time and chance are arguments. What talks to real ports and real people is free of this.
const VIRTUAL: [&str; 3] = ["codecs/src/", "gateway/engine/src/", "simulators/src/"];
const LIVE: [&str; 4] =
    ["simulators/src/live/", "simulators/src/demo/", "simulators/src/cli/", "simulators/src/main.rs"];

/// Where `anyhow` may stand: mains and the glue between a person and the library.
const GLUE: [&str; 2] = ["/main.rs", "/cli/"];

/// Every line of every Rust file for which `wrong` has something to say.
fn wrong_lines(
    tree: &Tree,
    files: impl Fn(&File) -> bool,
    wrong: impl Fn(&Line<'_>) -> Option<&'static str>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.is_generated() && files(file)) {
        let code = code(&file.text);
        findings.extend(lines(file, &code).iter().filter_map(|line| Some(file.finding(line.number, wrong(line)?))));
    }
    findings
}

fn tests_do_not_sleep(tree: &Tree) -> Vec<Finding> {
    let sleeps =
        |line: &Line<'_>| line.in_tests && (has_word(line.code, "sleep") || has_word(line.code, "park_timeout"));
    wrong_lines(
        tree,
        |_| true,
        |line| {
            sleeps(line)
                .then_some("a test that sleeps is slow or flaky: wait for the event, with one generous deadline")
        },
    )
}

fn lints_are_expected_with_reasons(tree: &Tree) -> Vec<Finding> {
    wrong_lines(
        tree,
        |_| true,
        |line| {
            let allows = line.code.contains("#[allow") || line.code.contains("#![allow");
            allows.then_some("write #[expect(lint, reason = \"...\")] instead: it goes away when it is not needed")
        },
    )
}

fn nothing_is_left_undone(tree: &Tree) -> Vec<Finding> {
    wrong_lines(
        tree,
        |_| true,
        |line| {
            let ignored = line.code.contains("#[ignore]");
            let undone = ["todo!", "unimplemented!", "dbg!"].iter().any(|word| line.code.contains(word));
            (ignored || undone).then_some("nothing unfinished is landed; an ignored test says why: #[ignore = \"...\"]")
        },
    )
}

fn time_and_chance_are_arguments(tree: &Tree) -> Vec<Finding> {
    const WORDS: [&str; 9] = [
        "HashMap",
        "HashSet",
        "SystemTime",
        "thread_rng",
        "RandomState",
        "getrandom",
        "available_parallelism",
        "temp_dir",
        "env",
    ];
    let is_virtual = |file: &File| {
        VIRTUAL.iter().any(|f| file.path.starts_with(f)) && !LIVE.iter().any(|f| file.path.starts_with(f))
    };
    wrong_lines(tree, is_virtual, |line| {
        let word = WORDS.iter().any(|word| match *word {
            "env" => line.code.contains("env::var"),
            word => has_word(line.code, word),
        });
        let clock = line.code.contains("Instant::now") || line.code.contains("std::time::Instant");
        (!line.in_tests && (word || clock))
            .then_some("no clock, hash order, environment or chance here: it must replay")
    })
}

fn libraries_have_typed_errors(tree: &Tree) -> Vec<Finding> {
    let library = |file: &File| !file.is_test() && !GLUE.iter().any(|glue| file.path.contains(glue));
    wrong_lines(tree, library, |line| {
        has_word(line.code, "anyhow").then_some("a library says what failed with a thiserror enum; anyhow is for mains")
    })
}

fn wire_files_never_panic(tree: &Tree) -> Vec<Finding> {
    let wire = |file: &File| {
        file.path.starts_with("codecs/src/")
            && (file.path.ends_with("/wire.rs") || file.path.contains("/wire/"))
            && !file.is_test()
    };
    wrong_lines(tree, wire, |line| {
        let panics = [".unwrap()", ".expect(", "panic!(", "unreachable!("].iter().any(|word| line.code.contains(word));
        if line.in_tests {
            None
        } else if panics {
            Some("bytes from outside must not panic: return a DecodeError with the numbers")
        } else if indexes(line.code) {
            Some("bytes from outside are not indexed: use get, split_at_checked, or a checked getter")
        } else if narrows(line.code) {
            Some("`as` loses bits silently: use try_from, from, or to_be_bytes")
        } else {
            None
        }
    })
}

/// `value[...]`, but not `#[...]`, `![...]`, `[u8; 2]`, `&[...]` or a slice pattern.
fn indexes(line: &str) -> bool {
    line.match_indices('[').any(|(at, _)| {
        let before = &line[..at];
        let word = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_' && c != '\'').next().unwrap_or_default();
        // The bytes of a number are an array whose length the compiler knows.
        let of_a_number = before.ends_with("e_bytes()");
        let keyword = ["in", "return", "match", "mut", "dyn", "if", "else", "let", "ref", "as"].contains(&word);
        before.ends_with([')', ']', '?']) && !of_a_number || !word.is_empty() && !word.starts_with('\'') && !keyword
    })
}

/// `value as u8`, but not `self as u8`: an enum's own code.
fn narrows(line: &str) -> bool {
    ["u8", "u16", "u32", "i8", "i16", "i32", "usize", "isize"].iter().any(|kind| {
        line.match_indices(&format!(" as {kind}")).any(|(at, found)| {
            let whole = !line[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
            whole && !line[..at].ends_with("self")
        })
    })
}

#[test]
fn tests_wait_for_events_and_never_sleep() {
    holds(tests_do_not_sleep);
    let inline = "fn live() { std::thread::sleep(d); }\n#[cfg(test)]\nmod tests {\n    fn a() { tokio::time::sleep(d).await; }\n}\n";
    catches(
        tests_do_not_sleep,
        &[("gateway/daemon/src/a.rs", inline), ("tests/daemon/b.rs", "thread::sleep(d);\n")],
        &[4, 1],
    );
}

#[test]
fn lint_exceptions_are_expectations_with_a_reason() {
    holds(lints_are_expected_with_reasons);
    let sample = [(
        "codecs/src/a.rs",
        "//! #[allow]\n#![allow(dead_code)]\n#[allow(unused)]\n#[expect(unused, reason = \"\")]\n",
    )];
    catches(lints_are_expected_with_reasons, &sample, &[2, 3]);
}

#[test]
fn nothing_unfinished_is_landed() {
    holds(nothing_is_left_undone);
    let sample = "fn a() { todo!() }\nfn b() { let _ = \"todo!()\"; }\n#[ignore]\n#[ignore = \"takes an hour: --long\"]\nunimplemented!();\n";
    catches(nothing_is_left_undone, &[("codecs/src/a.rs", sample)], &[1, 3, 5]);
}

#[test]
fn virtual_parts_have_no_clock_hash_order_or_chance() {
    holds(time_and_chance_are_arguments);
    let bad = "use std::collections::HashMap;\nlet t = std::time::SystemTime::now();\nlet i = Instant::now();\nlet e = std::env::var(x);\n";
    let sample =
        [("gateway/engine/src/a.rs", bad), ("simulators/src/live/pty.rs", bad), ("gateway/daemon/src/a.rs", bad)];
    catches(time_and_chance_are_arguments, &sample, &[1, 2, 3, 4]);
}

#[test]
fn anyhow_is_for_mains_and_the_command_line() {
    holds(libraries_have_typed_errors);
    let sample = [
        ("gateway/daemon/src/cli/send.rs", "use anyhow::Result;\n"),
        ("gateway/daemon/src/link/a.rs", "use anyhow::Result;\n"),
    ];
    catches(libraries_have_typed_errors, &sample, &[1]);
}

#[test]
fn wire_files_never_index_unwrap_or_narrow() {
    holds(wire_files_never_panic);
    let bad = "let a = bytes[0];\nlet b = bytes.get(1).unwrap();\nlet c = n as u8;\nlet d = f()[1..].len();\nunreachable!()\n";
    let good = "#[derive(Debug)]\nfn f(a: &[u8], b: [u8; 2], c: &'a [u8]) -> Vec<[u8; 4]> { vec![0]; for x in [1] {} }\n\
                let [a, b] = x;\nlet n = u32::from(y) as u64 + self as u8 + n.to_be_bytes()[0];\n#[cfg(test)]\nmod tests { fn t() { a[0].unwrap(); } }\n";
    catches(
        wire_files_never_panic,
        &[("codecs/src/device/a/wire.rs", bad), ("codecs/src/device/b/wire.rs", good)],
        &[1, 2, 3, 4, 5],
    );
}
