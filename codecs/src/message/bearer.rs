use serde::{Deserialize, Serialize};
use std::fmt;

/// What carries a message between stations and terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bearer {
    /// Beidou short message (北斗短报文).
    Beidou,
    /// Satellite phone (天通).
    Satphone,
    /// 370 MHz narrow-band radio.
    Radio370,
    /// Ad-hoc mesh radio.
    Mesh,
    /// Between stations, over whatever IP there is.
    Ip,
}

impl Bearer {
    /// Every bearer, in display order.
    pub const ALL: [Self; 5] = [Self::Beidou, Self::Satphone, Self::Radio370, Self::Mesh, Self::Ip];

    /// The machine name, as in config, roster and API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beidou => "beidou",
            Self::Satphone => "satphone",
            Self::Radio370 => "radio370",
            Self::Mesh => "mesh",
            Self::Ip => "ip",
        }
    }

    /// The word a person sees.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Beidou => "北斗",
            Self::Satphone => "天通",
            Self::Radio370 => "370兆",
            Self::Mesh => "自组网",
            Self::Ip => "网络",
        }
    }

    /// Whether only stations are on it: it carries packed frames and no text.
    #[must_use]
    pub const fn is_between_stations(self) -> bool {
        matches!(self, Self::Ip)
    }

    /// Reads a machine name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bearer| bearer.name() == name)
    }
}

impl fmt::Display for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
