use serde::{Deserialize, Serialize};
use std::fmt;

/// How urgent a message is; the order is the order of urgency (`Routine < Flash`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precedence {
    /// 平急
    #[default]
    Routine,
    /// 加急
    Priority,
    /// 特急
    Immediate,
    /// 特提. An SOS is always FLASH.
    Flash,
}

impl Precedence {
    /// Most urgent first.
    pub const ALL: [Self; 4] = [Self::Flash, Self::Immediate, Self::Priority, Self::Routine];

    /// The machine name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Priority => "priority",
            Self::Immediate => "immediate",
            Self::Flash => "flash",
        }
    }

    /// The word a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Routine => "平急",
            Self::Priority => "加急",
            Self::Immediate => "特急",
            Self::Flash => "特提",
        }
    }

    /// Reads a machine name, or the Chinese word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name().eq_ignore_ascii_case(name) || p.label() == name)
    }
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
