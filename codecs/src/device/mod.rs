//! THE REGISTER: one line a device. A device is a folder: `mod.rs` (its codec), `wire.rs` (parse and emit, both
//! directions), `dialogue.rs` where it has one, `vectors/*.jsonl`.

// The folder has the device's name, which Rust cannot say.
#[path = "air-udp/mod.rs"]
pub mod air_udp;
pub mod beidou;
pub mod hytera;
pub mod kiss;
pub mod meshcore;
pub mod meshtastic;
pub mod pei;
pub mod raw;
pub mod tiantong;
pub mod trbo;

use crate::codec::{Codec, DecodeError, Profile, ProfileError};
use crate::message::Bearer;
use serde_json::{Map, Value};

/// Every device the station can speak to.
pub static REGISTER: &[Device] = &[
    air_udp::DEVICE,
    beidou::DEVICE,
    hytera::DEVICE,
    kiss::DEVICE,
    meshcore::DEVICE,
    meshtastic::DEVICE,
    pei::DEVICE,
    raw::DEVICE,
    tiantong::DEVICE,
    trbo::DEVICE,
];

/// A family of hardware.
#[derive(Clone, Copy, Debug)]
pub struct Device {
    /// The name in config, vectors and the folder.
    pub name: &'static str,
    /// The name a person sees.
    pub label: &'static str,
    pub bearer: Bearer,
    /// The protocols that `explain` knows for it.
    pub protocols: &'static [Protocol],
    /// Chinese words for the fields that only its protocols have.
    pub labels: &'static [Label],
    /// Opens a codec from a link's profile.
    pub open: fn(&Profile) -> Result<Box<dyn Codec>, ProfileError>,
}

impl Device {
    /// Whether only stations speak it: then it carries no text, there is no plain terminal of it to simulate, and
    /// `explain` names it only where nothing else reads the bytes.
    #[must_use]
    pub const fn is_for_stations_only(&self) -> bool {
        self.bearer.is_between_stations()
    }
}

/// A protocol by its name in the vectors.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    pub name: &'static str,
    /// Reads exactly one frame into named fields.
    pub explain: fn(Direction, &[u8]) -> Result<Fields, DecodeError>,
}

/// The word for a field, for a person: its name in the vectors, its label, its unit (with a leading blank) or nothing.
pub type Label = (&'static str, &'static str, &'static str);

/// Named fields of a frame, as `vectors/` and `explain --jsonl` name them.
pub type Fields = Map<String, Value>;

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToTerminal,
    FromTerminal,
    /// Not known: every reading is tried.
    Any,
}

impl Direction {
    /// The name in the vectors.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "to_terminal" => Some(Self::ToTerminal),
            "from_terminal" => Some(Self::FromTerminal),
            "any" => Some(Self::Any),
            _ => None,
        }
    }
}

/// Opens the codec of a device by name.
///
/// # Errors
/// [`ProfileError`] for an unknown device or a profile that the device refuses.
pub fn open(name: &str, profile: &Profile) -> Result<Box<dyn Codec>, ProfileError> {
    let device = REGISTER.iter().find(|device| device.name == name).ok_or_else(|| ProfileError::UnknownDevice {
        name: name.into(),
        known: REGISTER.iter().map(|device| device.name).collect::<Vec<_>>().join(", "),
    })?;
    (device.open)(profile)
}
