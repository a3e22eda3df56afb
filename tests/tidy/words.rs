//! What our own public items may be called.

use crate::source::{code, lines};
use crate::tree::{File, Finding, Tree, catches, holds};

/// Words that say nothing, or that mean something else in this field.
const BANNED: [&str; 11] =
    ["node", "endpoint", "connection", "packet", "command", "job", "manager", "helper", "util", "common", "process"];

/// Items that bear such a word because the field does. Each with its reason.
const EXCEPTIONS: [(&str, &str); 0] = [];

const ITEMS: [&str; 9] = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod", "union"];
/// What may stand between `pub` and the kind of item.
const QUALIFIERS: [&str; 4] = ["const", "async", "unsafe", "extern"];

fn public_names_are_our_words(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust().filter(|file| !file.is_test() && !file.is_generated() && !is_wire(file)) {
        let code = code(&file.text);
        for line in lines(file, &code).iter().filter(|line| !line.in_tests) {
            let Some(name) = public_item(line.code) else { continue };
            if let Some(word) = banned_word(name).filter(|_| !EXCEPTIONS.iter().any(|(item, _)| *item == name)) {
                let what = format!("public {name} bears the word {word:?}: say what it is in this field's words");
                findings.push(file.finding(line.number, what));
            }
        }
    }
    findings
}

fn file_names_are_our_words(tree: &Tree) -> Vec<Finding> {
    let ours = tree.rust().filter(|file| !is_wire(file));
    let named = ours.filter_map(|file| {
        let word = file.path.split('/').find_map(|part| banned_word(part.trim_end_matches(".rs")))?;
        Some(file.finding(1, format!("a path with the word {word:?}: name the file after its subject")))
    });
    named.collect()
}

/// A protocol's own words stay inside its wire files.
fn is_wire(file: &File) -> bool {
    file.path.ends_with("/wire.rs") || file.path.contains("/wire/")
}

/// The name of the public item that this line begins.
fn public_item(line: &str) -> Option<&str> {
    let mut words = line.trim_start().strip_prefix("pub ")?.split_whitespace();
    let mut kind = words.next()?;
    loop {
        let next = words.next()?;
        let fresh = next.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let name = fresh.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        if QUALIFIERS.contains(&kind) && (ITEMS.contains(&name) || QUALIFIERS.contains(&name)) {
            kind = name;
        } else {
            return ITEMS.contains(&kind).then_some(name).filter(|name| !name.is_empty());
        }
    }
}

/// The first banned word, alone or as a plural, among the words of a name.
fn banned_word(name: &str) -> Option<&'static str> {
    let mut words = vec![String::new()];
    let mut before = '_';
    let mut letters = name.chars().peekable();
    while let Some(c) = letters.next() {
        let hump =
            c.is_uppercase() && (!before.is_uppercase() || letters.peek().is_some_and(|next| next.is_lowercase()));
        if c == '_' || c == '-' || hump {
            words.push(String::new());
        }
        words.last_mut().expect("never empty").extend(Some(c).filter(|c| c.is_alphanumeric()));
        before = c;
    }
    let plain = words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
    BANNED.into_iter().find(|banned| plain.iter().any(|word| word == banned || word.strip_suffix('s') == Some(banned)))
}

#[test]
fn public_items_bear_the_words_of_the_house() {
    holds(public_names_are_our_words);
    let bad = "pub struct Node;\npub const fn open_connection() {}\npub mod utils;\npub static JOB_QUEUE: u8 = 0;\n\
               pub async unsafe fn process() {}\npub struct HTTPEndpoint;\n";
    let good = "struct Node;\npub(crate) fn helper() {}\npub struct Nodule { pub process: std::process::Command }\n\
                pub use std::process::Command;\n// pub struct Packet;\n#[cfg(test)]\nmod tests {\n    pub fn job() {}\n}\n";
    let sample = [("gateway/engine/src/a.rs", bad), ("gateway/engine/src/b.rs", good), ("codecs/src/x/wire.rs", bad)];
    catches(public_names_are_our_words, &sample, &[1, 2, 3, 4, 5, 6]);
}

#[test]
fn files_bear_the_words_of_the_house() {
    holds(file_names_are_our_words);
    catches(file_names_are_our_words, &[("codecs/src/util.rs", ""), ("gateway/engine/src/common/x.rs", "")], &[1, 1]);
}

#[test]
fn every_exception_is_still_needed() {
    for (item, reason) in EXCEPTIONS {
        assert!(!reason.is_empty(), "{item} is excepted without a reason");
        let used = Tree::here().rust().any(|file| code(&file.text).lines().any(|line| public_item(line) == Some(item)));
        assert!(used, "{item} is excepted from the banned words but is no item any more: remove the exception");
    }
}
