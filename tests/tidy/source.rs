//! Rust text as the rules read it: comments and literals blanked out, functions and test code found by their braces.
//!
//! Not a parser: it knows just enough of the lexical grammar never to take a word in a comment or a string for code.

use crate::tree::File;

/// The text with comments and the insides of literals replaced by spaces; lines and columns (in bytes) stay.
pub fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = blank_end(bytes, at);
        for place in out.iter_mut().take(end).skip(at) {
            if *place != b'\n' {
                *place = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(out).expect("whole literals and comments were blanked")
}

/// Where the comment or literal that begins at `at` ends; `at` itself when none begins there.
fn blank_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let before = at.checked_sub(1).map_or(b' ', |i| bytes[i]);
    if rest.starts_with(b"//") {
        return at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
    }
    if rest.starts_with(b"/*") {
        return at + block_comment(rest);
    }
    if rest[0] == b'"' {
        return at + quoted(rest);
    }
    if rest[0] == b'\'' {
        return at + char_literal(rest);
    }
    let word_before = before.is_ascii_alphanumeric() || before == b'_';
    if !word_before && let Some(length) = raw_string(rest) {
        return at + length;
    }
    at
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut i) = (0_usize, 0);
    while i < rest.len() {
        if rest[i..].starts_with(b"/*") {
            depth += 1;
            i += 2;
        } else if rest[i..].starts_with(b"*/") {
            depth -= 1;
            i += 2;
            if depth == 0 {
                return i;
            }
        } else {
            i += 1;
        }
    }
    rest.len()
}

fn quoted(rest: &[u8]) -> usize {
    let mut i = 1;
    while i < rest.len() {
        match rest[i] {
            b'\\' => i += 2,
            b'"' => return i + 1,
            _ => i += 1,
        }
    }
    rest.len()
}

/// A character, or nothing when it is a lifetime.
fn char_literal(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return rest.iter().skip(3).position(|b| *b == b'\'').map_or(rest.len(), |i| i + 4);
    }
    let width = match rest.get(1) {
        Some(b) if *b >= 0xF0 => 4,
        Some(b) if *b >= 0xE0 => 3,
        Some(b) if *b >= 0xC0 => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') { width + 2 } else { 0 }
}

fn raw_string(rest: &[u8]) -> Option<usize> {
    let prefix = [b"r".as_slice(), b"br", b"cr"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest.iter().skip(prefix).take_while(|b| **b == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let inside = rest.get(open + 1..)?;
    let end = inside.windows(close.len()).position(|w| w == close).unwrap_or(inside.len());
    Some((open + 1 + end + close.len()).min(rest.len()))
}

/// A function and the lines it covers, both counted from 1.
pub struct Function {
    pub name: String,
    pub first: usize,
    pub last: usize,
}

/// Every function with a body in blanked-out code.
pub fn functions(code: &str) -> Vec<Function> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let name: String = code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() {
            continue;
        }
        if let Some((open, close)) = body(&code[at..]) {
            found.push(Function { name, first: line_of(code, at), last: line_of(code, at + close.max(open)) });
        }
    }
    found
}

/// The braces of the item that begins here; `None` when it ends with `;` before any.
fn body(item: &str) -> Option<(usize, usize)> {
    let (mut nested, mut open) = (0_i32, None);
    for (i, c) in item.char_indices() {
        match c {
            '(' | '[' => nested += 1,
            ')' | ']' => nested -= 1,
            ';' if nested == 0 => return None,
            '{' if nested == 0 => {
                open = Some(i);
                break;
            }
            _ => {}
        }
    }
    let open = open?;
    let mut depth = 0_i32;
    for (i, c) in item[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some((open, open + i));
                }
            }
            _ => {}
        }
    }
    None
}

/// The line, counted from 1, of a byte.
pub fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// Lines of code with their numbers; `in_tests` says which of them are test code.
pub struct Line<'a> {
    pub number: usize,
    pub code: &'a str,
    pub in_tests: bool,
}

/// The lines of blanked-out code, each with whether it stands in test code.
pub fn lines<'a>(file: &File, code: &'a str) -> Vec<Line<'a>> {
    let mut tests = Vec::new();
    for (at, _) in code.match_indices("#[cfg(test)]") {
        if let Some((_, close)) = body(&code[at + "#[cfg(test)]".len()..]) {
            tests.push(line_of(code, at)..=line_of(code, at + "#[cfg(test)]".len() + close));
        }
    }
    let line = |(i, code)| {
        let number = i + 1;
        Line { number, code, in_tests: file.is_test() || tests.iter().any(|range| range.contains(&number)) }
    };
    code.lines().enumerate().map(line).collect()
}

/// Whether `word` stands in `line` as a whole word.
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

#[test]
fn words_in_comments_and_literals_are_no_code() {
    let text = "let a = \"todo!() \\\" x\"; // todo!()\n/* todo!() /* nested */ */ let b = 'x'; let c: &'static str = r#\"\"todo!()\"#;\nlet 中 = '中'; b'\\'';";
    let code = code(text);
    assert!(!code.contains("todo") && !code.contains("nested") && !code.contains('x'), "{code}");
    assert!(code.contains("let b") && code.contains("'static str") && code.contains("let 中"), "{code}");
    assert_eq!(code.len(), text.len());
}

#[test]
fn functions_and_test_modules_are_found_by_their_braces() {
    let text = "pub fn one() -> [u8; 2] {\n    [1, 2]\n}\ntrait T { fn none(&self); }\n#[cfg(test)]\nmod tests {\n    fn two() {}\n}\nfn three() {}\n";
    let names = functions(text).into_iter().map(|f| (f.name, f.first, f.last)).collect::<Vec<_>>();
    assert_eq!(names, [("one".into(), 1, 3), ("two".into(), 7, 7), ("three".into(), 9, 9)]);
    let file = &crate::tree::Tree::of(&[("codecs/src/a.rs", text)]).files[0];
    let in_tests = lines(file, text).iter().filter(|l| l.in_tests).map(|l| l.number).collect::<Vec<_>>();
    assert_eq!(in_tests, [5, 6, 7, 8]);
}
