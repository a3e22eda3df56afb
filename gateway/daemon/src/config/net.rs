//! Nets between stations: `[[net]]` of the config, and the key file that it names.
//!
//! **Invariants**
//! - Keys stand in their own file, which only its owner may read; a file that others can read is refused.
//! - Nothing of a key is ever printed, but into a key file.

use serde::{Deserialize, Serialize};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use yizhan_codecs::air::Traffic;
use yizhan_codecs::air::key::{GroupKey, KEY, Net, NetKey, StationKey};
use yizhan_codecs::air::seal::SoftCipher;
use yizhan_codecs::message::StationId;
use yizhan_engine::config::AirNet;

/// `[[net]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetConfig {
    pub id: u32,
    #[serde(default)]
    pub traffic: Traffic,
    pub centre: u16,
    #[serde(default)]
    pub epoch: u16,
    #[serde(default = "super::yes")]
    pub last_epoch: bool,
    pub key: PathBuf,
}

/// A key file.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, tag = "holder", rename_all = "lowercase")]
pub enum KeyFile {
    /// The centre's: every other key comes from it.
    Centre { net: u32, key: String },
    /// What the centre has issued to one station.
    Station {
        net: u32,
        station: u16,
        #[serde(rename = "epoch")]
        epochs: Vec<Issued>,
    },
}

/// A station's keys of one epoch.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Issued {
    pub number: u16,
    pub own: String,
    pub group: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, ..)", self.number)
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFile(..)")
    }
}

/// Why a key file was refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyError {
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{path} has the mode {mode:03o}: others can read it")]
    Open { path: PathBuf, mode: u32 },
    #[error("{path}: {what}")]
    Content { path: PathBuf, what: String },
    #[error("{path} is for net {found}, the config says {expected}")]
    Net { path: PathBuf, expected: u32, found: u32 },
    #[error("{path} is for station {found}, this is station {expected}")]
    Station { path: PathBuf, expected: u16, found: u16 },
    #[error("{path} has no keys of epoch {epoch}")]
    Epoch { path: PathBuf, epoch: u16 },
    #[error("{path} is the centre's, and the centre of the net is station {centre}")]
    NotCentre { path: PathBuf, centre: u16 },
}

impl KeyError {
    /// What is wrong and what to do, for the person at the screen.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Unreadable { path, source } if source.kind() == io::ErrorKind::NotFound => {
                format!("找不到密钥文件 {}：中心站用 yizhan net new 建，其余站向中心站领取", path.display())
            }
            Self::Unreadable { path, source } => format!("密钥文件 {} 读不出：{source}", path.display()),
            Self::Open { path, .. } => {
                format!("密钥文件 {0} 别人也能读：请执行 chmod 600 {0}", path.display())
            }
            Self::Content { path, what } => format!("密钥文件 {} 内容不对：{what}", path.display()),
            Self::Net { path, expected, found } => {
                format!("密钥文件 {} 是网 {found} 的，配置写的是网 {expected}", path.display())
            }
            Self::Station { path, expected, found } => {
                format!("密钥文件 {} 是发给 {found} 号站的，本站是 {expected} 号", path.display())
            }
            Self::Epoch { path, epoch } => {
                format!("密钥文件 {} 没有第 {epoch} 期的密钥：请向中心站重新领取", path.display())
            }
            Self::NotCentre { path, centre } => {
                format!("密钥文件 {} 是中心站的，而本网的中心站是 {centre} 号：请领取本站自己的", path.display())
            }
        }
    }
}

impl NetConfig {
    /// The net with its keys.
    ///
    /// # Errors
    /// [`KeyError`], with what to do.
    pub fn open(&self, me: StationId) -> Result<AirNet, KeyError> {
        let path = || self.key.clone();
        let wrong = |what: &str| KeyError::Content { path: path(), what: what.into() };
        let centre = StationId::new(self.centre).ok_or_else(|| wrong("centre is no station"))?;
        let file = KeyFile::read(&self.key)?;
        let found = file.net();
        if found != self.id {
            return Err(KeyError::Net { path: path(), expected: self.id, found });
        }
        let cipher = match &file {
            KeyFile::Centre { .. } if centre != me => {
                return Err(KeyError::NotCentre { path: path(), centre: self.centre });
            }
            KeyFile::Centre { key, .. } => {
                SoftCipher::centre(self.id, NetKey::from_bytes(&key_bytes(key).ok_or_else(|| wrong(HEX))?))
            }
            KeyFile::Station { station, epochs, .. } => {
                if *station != me.number() {
                    return Err(KeyError::Station { path: path(), expected: me.number(), found: *station });
                }
                if !epochs.iter().any(|issued| issued.number == self.epoch) {
                    return Err(KeyError::Epoch { path: path(), epoch: self.epoch });
                }
                issued_cipher(self.id, me, epochs).ok_or_else(|| wrong(HEX))?
            }
        };
        let net = Net {
            id: self.id,
            traffic: self.traffic,
            centre,
            me,
            epoch: self.epoch,
            opens_last_epoch: self.last_epoch,
        };
        Ok(AirNet { net, cipher: Arc::new(cipher) })
    }
}

const HEX: &str = "a key is 64 hex digits";

fn issued_cipher(net: u32, me: StationId, epochs: &[Issued]) -> Option<SoftCipher> {
    epochs.iter().try_fold(SoftCipher::station(net, me), |cipher, issued| {
        let own = StationKey::from_bytes(&key_bytes(&issued.own)?);
        let group = GroupKey::from_bytes(&key_bytes(&issued.group)?);
        Some(cipher.with_epoch(issued.number, own, group))
    })
}

fn key_bytes(hex: &str) -> Option<[u8; KEY]> {
    hex::decode(hex).ok()?.try_into().ok()
}

impl KeyFile {
    /// Reads a key file that only its owner can read.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode });
        }
        let source = std::fs::read_to_string(path).map_err(unreadable)?;
        // The parser's own message would quote the key.
        toml::from_str(&source)
            .map_err(|_| KeyError::Content { path: path.to_owned(), what: "不是驿站的密钥文件".into() })
    }

    /// A new net's key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new_net(net: u32) -> io::Result<Self> {
        let mut key = [0; KEY];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        Ok(Self::Centre { net, key: hex::encode(key) })
    }

    /// What one station gets of a centre's key: its own and the group's, of these epochs. `None` from a station's file.
    #[must_use]
    pub fn issue(&self, station: StationId, epochs: &[u16]) -> Option<Self> {
        let Self::Centre { net, key } = self else { return None };
        let centre = NetKey::from_bytes(&key_bytes(key)?);
        let issued = |epoch: &u16| Issued {
            number: *epoch,
            own: hex::encode(centre.station(*net, *epoch, station).reveal()),
            group: hex::encode(centre.group(*net, *epoch).reveal()),
        };
        let epochs = epochs.iter().map(issued).collect();
        Some(Self::Station { net: *net, station: station.number(), epochs })
    }

    /// Whose net it is.
    #[must_use]
    pub const fn net(&self) -> u32 {
        match self {
            Self::Centre { net, .. } | Self::Station { net, .. } => *net,
        }
    }

    /// Writes it where only its owner can read it.
    ///
    /// # Errors
    /// When the folder cannot be written, or there is a file already.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        if path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "the file is there already"));
        }
        let text = toml::to_string(self).map_err(io::Error::other)?;
        crate::api::write_private(path, text.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(id: u32, key: &Path) -> NetConfig {
        NetConfig { id, traffic: Traffic::Real, centre: 1, epoch: 2, last_epoch: true, key: key.to_owned() }
    }

    fn station(number: u16) -> StationId {
        StationId::new(number).unwrap()
    }

    #[test]
    fn what_the_centre_issues_opens_what_the_centre_seals() {
        use yizhan_codecs::air::key::{KeyName, Proof};
        use yizhan_codecs::air::nonce::{Nonce, Number, Tag, Use};
        let folder = tempfile::tempdir().unwrap();
        let (centre, outpost) = (folder.path().join("net.key"), folder.path().join("7.key"));
        let key = KeyFile::new_net(5).unwrap();
        key.write(&centre).unwrap();
        key.issue(station(7), &[1, 2]).unwrap().write(&outpost).unwrap();
        let (centre, outpost) =
            (config(5, &centre).open(station(1)).unwrap(), config(5, &outpost).open(station(7)).unwrap());
        let number = Number { src: station(1), epoch: 2, counter: 9 };
        let nonce = Nonce::of(5, number, true, Use::Single, Tag::Wide);
        let name = KeyName { station: station(7), proof: Proof::Pair, epoch: 2 };
        let sealed = centre.cipher.seal(name, &nonce, b"head", b"words", Tag::Wide).unwrap();
        assert_eq!(outpost.cipher.open(name, &nonce, b"head", &sealed, Tag::Wide).unwrap(), b"words");
    }

    #[test]
    fn a_key_that_others_can_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.key");
        KeyFile::new_net(5).unwrap().write(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = config(5, &path).open(station(1)).unwrap_err();
        assert!(matches!(error, KeyError::Open { mode: 0o644, .. }) && error.label().contains("chmod 600"));
    }

    #[test]
    fn a_key_of_another_net_station_or_epoch_is_refused_with_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let (centre, outpost) = (folder.path().join("net.key"), folder.path().join("7.key"));
        let key = KeyFile::new_net(5).unwrap();
        key.write(&centre).unwrap();
        key.issue(station(7), &[1]).unwrap().write(&outpost).unwrap();
        let open = |id, path: &Path, me| config(id, path).open(station(me)).unwrap_err();
        assert!(matches!(open(6, &centre, 1), KeyError::Net { expected: 6, found: 5, .. }));
        assert!(matches!(open(5, &centre, 7), KeyError::NotCentre { centre: 1, .. }));
        assert!(matches!(open(5, &outpost, 8), KeyError::Station { expected: 8, found: 7, .. }));
        assert!(matches!(open(5, &outpost, 7), KeyError::Epoch { epoch: 2, .. }));
        assert!(key.write(&centre).is_err(), "a key is never written over");
    }
}
