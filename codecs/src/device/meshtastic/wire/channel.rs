//! Channels: a name and a key. AES in counter mode keeps nothing from being altered, so what is opened counts only when it reads as
//! [`Data`] with a port.

use super::Data;
use aes::{Aes128, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use prost::Message as _;
use thiserror::Error;

/// The key that everybody knows, by the one-byte alias 1.
const PUBLIC_KEY: [u8; 16] =
    [0xD4, 0xF1, 0xBB, 0x3A, 0x20, 0x29, 0x07, 0x59, 0xF0, 0xBC, 0xFF, 0xAB, 0xCF, 0x4E, 0x69, 0x01];

/// A channel as both ends know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    key: Key,
}

#[derive(Clone, PartialEq, Eq)]
enum Key {
    None,
    Aes128([u8; 16]),
    Aes256([u8; 32]),
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Aes128(_) => "AES-128",
            Self::Aes256(_) => "AES-256",
        })
    }
}

/// Why a channel could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a channel key has 0 to 32 bytes, found {found}")]
pub struct ChannelError {
    pub found: usize,
}

impl Channel {
    /// From the key as it is written in a radio: nothing or 0 = open, one byte = a variant of the public key, up to 16 and
    /// up to 32 bytes filled with zeros.
    ///
    /// # Errors
    /// A key of more than 32 bytes.
    pub fn new(name: &str, psk: &[u8]) -> Result<Self, ChannelError> {
        let key = match psk {
            [] | [0] => Key::None,
            [alias] => {
                let mut key = PUBLIC_KEY;
                if let Some(last) = key.last_mut() {
                    *last = last.wrapping_add(alias.wrapping_sub(1));
                }
                Key::Aes128(key)
            }
            _ if psk.len() <= 16 => Key::Aes128(filled(psk)),
            _ if psk.len() <= 32 => Key::Aes256(filled(psk)),
            _ => return Err(ChannelError { found: psk.len() }),
        };
        Ok(Self { name: name.to_owned(), key })
    }

    /// The byte by which packets on the air hint at their channel.
    #[must_use]
    pub fn hash(&self) -> u8 {
        self.name.bytes().chain(self.key().iter().copied()).fold(0, |sum, byte| sum ^ byte)
    }

    /// The key as the cipher takes it; empty for an open channel.
    #[must_use]
    pub fn key(&self) -> &[u8] {
        match &self.key {
            Key::None => &[],
            Key::Aes128(key) => key,
            Key::Aes256(key) => key,
        }
    }

    /// Encrypts or decrypts: the same step.
    #[must_use]
    pub fn turn(&self, id: u32, from: u32, bytes: &[u8]) -> Vec<u8> {
        let mut turned = bytes.to_vec();
        let nonce = nonce(id, from);
        match &self.key {
            Key::None => {}
            Key::Aes128(key) => Ctr128BE::<Aes128>::new(key.into(), &nonce.into()).apply_keystream(&mut turned),
            Key::Aes256(key) => Ctr128BE::<Aes256>::new(key.into(), &nonce.into()).apply_keystream(&mut turned),
        }
        turned
    }

    /// What stands under the cipher, where it is ours: it reads as [`Data`] and names a port.
    #[must_use]
    pub fn open(&self, id: u32, from: u32, bytes: &[u8]) -> Option<(Vec<u8>, Data)> {
        let plain = self.turn(id, from, bytes);
        let data = Data::decode(plain.as_slice()).ok().filter(|data| data.portnum != 0 && data.portnum <= 511)?;
        Some((plain, data))
    }
}

/// The first counter block.
#[must_use]
pub fn nonce(id: u32, from: u32) -> [u8; 16] {
    let mut nonce = [0; 16];
    let written = id.to_le_bytes().into_iter().chain([0; 4]).chain(from.to_le_bytes());
    for (place, byte) in nonce.iter_mut().zip(written) {
        *place = byte;
    }
    nonce
}

fn filled<const N: usize>(psk: &[u8]) -> [u8; N] {
    let mut key = [0; N];
    for (place, byte) in key.iter_mut().zip(psk) {
        *place = *byte;
    }
    key
}
