//! How big things may be.

use crate::source::{code, functions};
use crate::tree::{Finding, Tree, catches, holds};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const MAIN_LINES_MAX: usize = 60;
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// A text model is data that both ends must hold alike; this is what a station has room for.
const MODEL_BYTES_MAX: u64 = 4 * 1024 * 1024;
const MODELS: &str = "codecs/src/air/text/models/";

/// Kinds of files that people read as a whole.
const READ_WHOLE: [&str; 6] = [".rs", ".py", ".sh", ".ts", ".svelte", ".proto"];

fn files_are_short(tree: &Tree) -> Vec<Finding> {
    let read = tree.files.iter().filter(|f| READ_WHOLE.iter().any(|end| f.path.ends_with(end)) && !f.is_generated());
    read.filter_map(|file| {
        let lines = file.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| {
            file.finding(lines, format!("{lines} lines, at most {FILE_LINES_MAX}: split it where the subject changes"))
        })
    })
    .collect()
}

fn functions_are_short(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.is_generated()) {
        for function in functions(&code(&file.text)) {
            let lines = function.last - function.first + 1;
            if lines > FUNCTION_LINES_MAX {
                let what = format!("fn {} has {lines} lines, at most {FUNCTION_LINES_MAX}", function.name);
                findings.push(file.finding(function.first, what));
            }
        }
    }
    findings
}

fn mains_are_thin(tree: &Tree) -> Vec<Finding> {
    let mains = tree.rust().filter(|f| f.name() == "main.rs" && !f.is_test());
    mains
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines >= MAIN_LINES_MAX).then(|| {
                let what = format!("{lines} lines, fewer than {MAIN_LINES_MAX} wanted: move it into the library");
                file.finding(lines, what)
            })
        })
        .collect()
}

fn no_file_is_heavy(tree: &Tree) -> Vec<Finding> {
    let max = |path: &str| if path.starts_with(MODELS) { MODEL_BYTES_MAX } else { FILE_BYTES_MAX };
    let heavy = tree.files.iter().filter(|file| file.bytes > max(&file.path));
    heavy
        .map(|f| f.finding(1, format!("{} bytes, at most {}: make it in a test instead", f.bytes, max(&f.path))))
        .collect()
}

#[test]
fn files_have_at_most_600_lines() {
    holds(files_are_short);
    catches(files_are_short, &[("codecs/src/long.rs", &"//\n".repeat(601)), ("a.rs", &"//\n".repeat(600))], &[601]);
}

#[test]
fn functions_have_at_most_70_lines() {
    holds(functions_are_short);
    let long = format!("//!\nfn long() {{\n{}}}\n", "    let _ = \"{\";\n".repeat(69));
    let right = format!("fn right() {{\n{}}}\n", "    let _ = \"}\";\n".repeat(68));
    catches(functions_are_short, &[("codecs/src/a.rs", &long), ("codecs/src/b.rs", &right)], &[2]);
}

#[test]
fn mains_only_call_the_library() {
    holds(mains_are_thin);
    catches(mains_are_thin, &[("gateway/daemon/src/main.rs", &"//\n".repeat(60))], &[60]);
}

#[test]
fn no_file_is_over_a_mebibyte() {
    holds(no_file_is_heavy);
    catches(no_file_is_heavy, &[("docs/big.txt", &"x".repeat(1024 * 1024 + 1))], &[1]);
    let model = "x".repeat(4 * 1024 * 1024 + 1);
    catches(no_file_is_heavy, &[("codecs/src/air/text/models/8.model", &model)], &[1]);
}
