//! What the pages say must be there, and what no file of the repository may say.

use crate::tree::{File, Finding, Tree, catches, holds};

/// Folders at the root: a page that names a path below one of them must name something that is there.
const ROOTS: [&str; 7] = ["codecs/", "gateway/", "simulators/", "tests/", "docs/", ".cargo/", ".ci/"];

/// Every page's lines outside fenced blocks, with their numbers.
fn prose(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    file.text.lines().enumerate().filter_map(move |(i, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((i + 1, line))
    })
}

fn pages(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files.iter().filter(|file| file.path.ends_with(".md"))
}

fn links_resolve(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in pages(tree) {
        for (number, line) in prose(file) {
            for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                if !target.contains("://") && !target.starts_with("mailto:") && !resolves(tree, file, target) {
                    findings
                        .push(file.finding(number, format!("the link {target:?} leads nowhere: mend or remove it")));
                }
            }
        }
    }
    findings
}

fn resolves(tree: &Tree, from: &File, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').map_or((target, None), |(path, anchor)| (path, Some(anchor)));
    let full = if path.is_empty() { from.path.clone() } else { beside(&from.path, path) };
    match (anchor, tree.file(&full)) {
        (None, _) => tree.has(&full),
        (Some(anchor), Some(page)) => prose(page).any(|(_, line)| line.starts_with('#') && slug(line) == anchor),
        (Some(_), None) => false,
    }
}

/// `path` as seen from the folder of `from`.
fn beside(from: &str, path: &str) -> String {
    let mut parts = from.split('/').collect::<Vec<_>>();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A heading's anchor, as the usual renderers make it.
fn slug(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-' || *c == '_');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn pages_are_linked(tree: &Tree) -> Vec<Finding> {
    let links = |page: &File, target: &File| {
        let targets = page.text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        page.path != target.path && targets.map(|path| beside(&page.path, path)).any(|path| leads_to(&path, target))
    };
    let below_docs = pages(tree).filter(|page| page.path.starts_with("docs/"));
    let lonely = below_docs.filter(|page| !pages(tree).any(|other| links(other, page)));
    lonely.map(|page| page.finding(1, "no page links here, so nobody will read it: link it or remove it")).collect()
}

fn leads_to(path: &str, target: &File) -> bool {
    path == target.path || format!("{path}/README.md") == target.path
}

fn named_paths_exist(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in pages(tree).filter(|file| file.name() != "CHANGELOG.md") {
        for (number, line) in prose(file) {
            for named in line.split('`').skip(1).step_by(2).filter(|named| is_path(named)) {
                if !tree.has(named) {
                    findings
                        .push(file.finding(number, format!("names {named}, which is not there: say where it is now")));
                }
            }
        }
    }
    findings
}

/// A whole path below a root folder, without placeholders.
fn is_path(named: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    ROOTS.iter().any(|root| named.starts_with(root)) && named.chars().all(plain) && !named.contains("acme")
}

fn changelog_has_room(tree: &Tree) -> Vec<Finding> {
    let Some(log) = tree.file("CHANGELOG.md") else {
        return vec![Finding { path: "CHANGELOG.md".into(), line: 1, what: "is missing".into() }];
    };
    let unreleased = log.text.lines().any(|line| line == "## [Unreleased]");
    if unreleased { Vec::new() } else { vec![log.finding(1, "has no \"## [Unreleased]\" section for the next change")] }
}

/// Places and names of one machine. Written in halves, so that this file does not bear them itself.
const MACHINE: [(&str, &str); 12] = [
    ("/work", "/"),
    ("/tmp", "/plan"),
    ("/tmp", "/wt"),
    ("/tmp", "/target"),
    ("/root", "/"),
    ("/home", "/"),
    ("/Users", "/"),
    ("C:", "\\Users"),
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("files.", "pythonhosted"),
    ("deb.", "debian.org"),
];

fn no_machine_is_named(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.name() != "Cargo.lock") {
        for (i, line) in file.text.lines().enumerate() {
            if let Some((a, b)) = MACHINE.iter().find(|(a, b)| line.contains(&format!("{a}{b}"))) {
                findings.push(
                    file.finding(i + 1, format!("names {a}{b}…: the repository knows no machine and no package host")),
                );
            }
        }
    }
    findings
}

#[test]
fn every_link_in_the_pages_resolves() {
    holds(links_resolve);
    let page = "# A Tour: 北斗\n[ok](../README.md) [self](#a-tour-北斗) [web](https://example.org) [dir](..)\n[gone](gone.md)\n\
                ```\n[not](read.md)\n```\n[anchor](../README.md#nowhere)\n";
    catches(links_resolve, &[("docs/a.md", page), ("README.md", "# Yizhan\n"), ("docs/b.md", "")], &[3, 7]);
}

#[test]
fn every_page_below_docs_is_linked_from_another() {
    holds(pages_are_linked);
    let sample = [
        ("README.md", "[a](docs/a.md#x) [d](docs/d)"),
        ("docs/a.md", ""),
        ("docs/b.md", "[b](b.md)"),
        ("docs/d/README.md", ""),
    ];
    catches(pages_are_linked, &sample, &[1]);
}

#[test]
fn every_path_named_in_the_pages_exists() {
    holds(named_paths_exist);
    let page = "`codecs/src/` `codecs/src/lib.rs` `codecs/src/<family>` `cargo test`\n`codecs/src/gone.rs`\n";
    catches(named_paths_exist, &[("ARCHITECTURE.md", page), ("codecs/src/lib.rs", "")], &[2]);
}

#[test]
fn the_changelog_has_an_unreleased_section() {
    holds(changelog_has_room);
    catches(changelog_has_room, &[("CHANGELOG.md", "# Changelog\n## 1.0\n")], &[1]);
    catches(changelog_has_room, &[], &[1]);
}

#[test]
fn no_file_names_a_machine_or_a_package_host() {
    holds(no_machine_is_named);
    let text = format!("see {}{}x\nfine\n", "/ho", "me/");
    catches(no_machine_is_named, &[("codecs/src/a.rs", &text), ("Cargo.lock", &text)], &[1]);
}
