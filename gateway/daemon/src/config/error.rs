use super::chinese::{sentence, trouble};
use super::place::{self, Step};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a config was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}:{line}: {what}")]
    Syntax { path: PathBuf, line: usize, what: String },
    #[error("{path}:{line}: {key}: {what}")]
    Value { path: PathBuf, line: usize, key: String, what: String },
}

/// Something wrong with a value that TOML alone cannot see.
#[derive(Debug)]
pub(super) struct Wrong {
    pub path: Vec<Step>,
    pub what: String,
}

impl ConfigError {
    pub(super) fn unreadable(path: &Path, source: std::io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), source }
    }

    pub(super) fn from_toml(path: &Path, source: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let (path, line, what) = (path.to_owned(), place::line(source, at), error.message().replace('\n', "; "));
        match place::key_at(source, at) {
            Some(key) => Self::Value { path, line, key: place::written(&key), what },
            None => Self::Syntax { path, line, what },
        }
    }

    pub(super) fn from_check(path: &Path, source: &str, wrong: Wrong) -> Self {
        let at = place::span_of(source, &wrong.path).map_or(0, |span| span.start);
        let (path, line) = (path.to_owned(), place::line(source, at));
        Self::Value { path, line, key: place::written(&wrong.path), what: wrong.what }
    }

    /// What is wrong and where, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Unreadable { path, source } if source.kind() == std::io::ErrorKind::NotFound => {
                format!("找不到配置文件 {}：请用 --config 指定，样例见 gateway.example.toml", path.display())
            }
            Self::Unreadable { path, source } => format!("配置文件 {} 读不出：{}", path.display(), trouble(source)),
            Self::Syntax { path, line, what } => {
                format!("配置文件 {} 第 {line} 行不是合法的 TOML：{}", path.display(), sentence(what))
            }
            Self::Value { path, line, key, what } => {
                format!("配置文件 {} 第 {line} 行，{key}：{}", path.display(), sentence(what))
            }
        }
    }
}
