//! The repository as the rules see it: paths and texts, read once.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Folders that are made by tools and are no part of the repository.
const MADE_BY_TOOLS: [&str; 6] = [".git", "target", "node_modules", "dist", "artifacts", "__pycache__"];

/// Where the fuzzers keep what they found.
const FOUND_BY_FUZZERS: &str = "codecs/fuzz/corpus";

/// The repository, or a bad sample in its place.
pub struct Tree {
    pub files: Vec<File>,
}

/// One file. `text` is empty for what is no UTF-8.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    pub text: String,
    pub bytes: u64,
}

/// One place where a rule does not hold, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

impl File {
    pub fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { path: self.path.clone(), line, what: what.into() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Written by a program, never by hand; a test elsewhere keeps it in step with its source.
    pub fn is_generated(&self) -> bool {
        self.path.ends_with("/generated.rs")
    }

    /// The whole file is test code.
    pub fn is_test(&self) -> bool {
        self.path.starts_with("tests/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }

    /// The name without folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl Tree {
    /// The repository that this test was built from, read once for all rules.
    pub fn here() -> &'static Self {
        static HERE: LazyLock<Tree> = LazyLock::new(|| {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let mut files = Vec::new();
            read_folder(root, root, &mut files);
            files.sort_by(|a: &File, b: &File| a.path.cmp(&b.path));
            assert!(files.len() > 20, "the repository at {} could not be read", root.display());
            Tree { files }
        });
        &HERE
    }

    /// A made-up repository, to see a rule fail.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).into(),
            text: (*text).into(),
            bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
        };
        Self { files: files.iter().map(file).collect() }
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    pub fn rust(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.is_rust())
    }

    /// Files under a folder, whose path is given with its `/` at the end.
    pub fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files.iter().filter(move |file| file.path.starts_with(folder))
    }

    /// Whether a file or a folder stands there.
    pub fn has(&self, path: &str) -> bool {
        let folder = format!("{}/", path.trim_end_matches('/'));
        path.is_empty() || self.files.iter().any(|file| file.path == path || file.path.starts_with(&folder))
    }
}

fn read_folder(root: &Path, folder: &Path, files: &mut Vec<File>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path: PathBuf = entry.expect("a directory entry").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_symlink() || MADE_BY_TOOLS.contains(&name) || path.ends_with(FOUND_BY_FUZZERS) {
            continue;
        }
        if path.is_dir() {
            read_folder(root, &path, files);
            continue;
        }
        let raw = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let relative = path.strip_prefix(root).expect("under the root");
        files.push(File {
            path: relative.to_str().expect("a UTF-8 path").replace('\\', "/"),
            bytes: u64::try_from(raw.len()).unwrap_or(u64::MAX),
            text: String::from_utf8(raw).unwrap_or_default(),
        });
    }
}

/// Fails with every place where the rule does not hold.
pub fn holds(rule: fn(&Tree) -> Vec<Finding>) {
    let findings = rule(Tree::here());
    let list = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(findings.is_empty(), "{} places break a house rule:\n{list}", findings.len());
}

/// Fails unless the rule finds exactly `lines` in a bad sample: a rule that cannot fail is no rule.
pub fn catches(rule: fn(&Tree) -> Vec<Finding>, sample: &[(&str, &str)], lines: &[usize]) {
    let findings = rule(&Tree::of(sample));
    let found = findings.iter().map(|finding| finding.line).collect::<Vec<_>>();
    assert_eq!(found, lines, "{findings:?}");
}
