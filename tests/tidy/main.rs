//! The rules of the house, as tests. Each rule is one function over the files of the repository; each test shows that
//! the rule holds here and that it fails on a bad sample: a rule that cannot fail is no rule.
//!
//! To add a rule: a function `fn(&Tree) -> Vec<Finding>` in the file of its subject, and a test named for what is true
//! when it passes. A finding names the place and says what to do.

mod arrows;
mod habits;
mod licences;
mod prose;
mod register;
mod size;
mod source;
mod tree;
mod words;
