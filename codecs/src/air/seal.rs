//! SM4 in CCM mode with short tags, behind a trait so that a certified card can take its place.
//!
//! What is sealed is encrypted and authenticated; the header as it is on the air is authenticated with it. A tag of 4 bytes
//! is for single frames on a bearer that carries one try a minute; 8 bytes for everything else (GCM would break at such
//! lengths, CCM does not).

use super::key::{GroupKey, KEY, KeyName, NetKey, Proof, SourceKey, StationKey, hmac_sm3};
use super::nonce::{NONCE, Nonce, Tag};
use crate::message::StationId;
use ccm::aead::{Aead, Payload};
use ccm::consts::{U4, U8, U13};
use ccm::{Ccm, KeyInit};
use sm4::Sm4;
use std::collections::BTreeMap;
use std::fmt;
use thiserror::Error;

/// Bytes of the tag that a single row bears on open radio.
pub const MARK: usize = 2;
/// Most bytes that CCM takes with a nonce of 13.
pub const PLAIN_MAX: usize = 65_535;
/// Epochs whose keys a station holds at once.
pub const EPOCHS_MAX: usize = 2;
/// The part of a key that is SM4's; the rest is for the marks.
const SM4_KEY: usize = 16;

/// Why something was not sealed or not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SealError {
    #[error("no key for station {station} in epoch {epoch}")]
    NoKey { station: u16, epoch: u16 },
    #[error("the tag is wrong: altered on the way, or sealed with another key")]
    Tag,
    #[error("{found} bytes to seal, at most {PLAIN_MAX}")]
    Length { found: usize },
    #[error("the cipher failed: {code}")]
    Cipher { code: u32 },
}

/// Whatever seals and opens: this process, or a card that keeps its keys to itself.
pub trait Cipher: fmt::Debug + Send + Sync {
    /// Encrypts `plain` and appends the tag over it and `aad`.
    ///
    /// # Errors
    /// [`SealError::NoKey`], [`SealError::Length`], [`SealError::Cipher`].
    fn seal(&self, key: KeyName, nonce: &Nonce, aad: &[u8], plain: &[u8], tag: Tag) -> Result<Vec<u8>, SealError>;

    /// Verifies the tag at the end of `sealed` and decrypts what is before it.
    ///
    /// # Errors
    /// [`SealError::Tag`] where it does not verify; nothing of the content comes out then. Also as [`Self::seal`].
    fn open(&self, key: KeyName, nonce: &Nonce, aad: &[u8], sealed: &[u8], tag: Tag) -> Result<Vec<u8>, SealError>;

    /// The first two bytes of HMAC-SM3 over the nonce and these parts, with the second half of the key: it keeps junk out of
    /// a message that is being put together, and proves nothing.
    ///
    /// # Errors
    /// [`SealError::NoKey`], [`SealError::Cipher`].
    fn mark(&self, key: KeyName, nonce: &Nonce, parts: &[&[u8]]) -> Result<[u8; MARK], SealError>;
}

/// SM4 in this process.
#[derive(Clone, Debug)]
pub struct SoftCipher {
    net: u32,
    keys: Keys,
}

#[derive(Clone, Debug)]
enum Keys {
    Centre(NetKey),
    Station { me: StationId, epochs: BTreeMap<u16, (StationKey, GroupKey)> },
}

impl SoftCipher {
    /// The centre of net `net`: every key, in every epoch.
    #[must_use]
    pub const fn centre(net: u32, key: NetKey) -> Self {
        Self { net, keys: Keys::Centre(key) }
    }

    /// A station of net `net`, before it has any key.
    #[must_use]
    pub const fn station(net: u32, me: StationId) -> Self {
        Self { net, keys: Keys::Station { me, epochs: BTreeMap::new() } }
    }

    /// With the keys of another epoch. A station keeps those of the latest [`EPOCHS_MAX`]; the centre needs none.
    #[must_use]
    pub fn with_epoch(mut self, epoch: u16, own: StationKey, group: GroupKey) -> Self {
        if let Keys::Station { epochs, .. } = &mut self.keys {
            epochs.insert(epoch, (own, group));
            while epochs.len() > EPOCHS_MAX {
                epochs.pop_first();
            }
        }
        self
    }

    fn key(&self, name: KeyName) -> Result<Found, SealError> {
        let missing = SealError::NoKey { station: name.station.number(), epoch: name.epoch };
        match (&self.keys, name.proof) {
            (Keys::Centre(net), Proof::Pair) => Ok(Found::Station(net.station(self.net, name.epoch, name.station))),
            (Keys::Centre(net), Proof::Group) => {
                Ok(Found::Source(net.group(self.net, name.epoch).source(self.net, name.epoch, name.station)))
            }
            (Keys::Station { me, epochs }, Proof::Pair) if *me == name.station => {
                epochs.get(&name.epoch).map(|(own, _)| Found::Station(own.clone())).ok_or(missing)
            }
            (Keys::Station { .. }, Proof::Pair) => Err(missing),
            (Keys::Station { epochs, .. }, Proof::Group) => {
                let (_, group) = epochs.get(&name.epoch).ok_or(missing)?;
                Ok(Found::Source(group.source(self.net, name.epoch, name.station)))
            }
        }
    }
}

/// A key that something is sealed with.
enum Found {
    Station(StationKey),
    Source(SourceKey),
}

impl Found {
    fn halves(&self) -> (&[u8], &[u8]) {
        let bytes: &[u8; KEY] = match self {
            Self::Station(key) => key.reveal(),
            Self::Source(key) => key.reveal(),
        };
        bytes.split_at_checked(SM4_KEY).unwrap_or_default()
    }
}

type Narrow = Ccm<Sm4, U4, U13>;
type Wide = Ccm<Sm4, U8, U13>;

impl Cipher for SoftCipher {
    fn seal(&self, key: KeyName, nonce: &Nonce, aad: &[u8], plain: &[u8], tag: Tag) -> Result<Vec<u8>, SealError> {
        if plain.len() > PLAIN_MAX {
            return Err(SealError::Length { found: plain.len() });
        }
        let key = self.key(key)?;
        let (key, payload) = (key.halves().0, Payload { msg: plain, aad });
        match tag {
            Tag::Narrow => keyed::<Narrow>(key)?.encrypt(&(*nonce.bytes()).into(), payload),
            Tag::Wide => keyed::<Wide>(key)?.encrypt(&(*nonce.bytes()).into(), payload),
        }
        .map_err(|_| SealError::Length { found: plain.len() })
    }

    fn open(&self, key: KeyName, nonce: &Nonce, aad: &[u8], sealed: &[u8], tag: Tag) -> Result<Vec<u8>, SealError> {
        let key = self.key(key)?;
        let (key, payload) = (key.halves().0, Payload { msg: sealed, aad });
        match tag {
            Tag::Narrow => keyed::<Narrow>(key)?.decrypt(&(*nonce.bytes()).into(), payload),
            Tag::Wide => keyed::<Wide>(key)?.decrypt(&(*nonce.bytes()).into(), payload),
        }
        .map_err(|_| SealError::Tag)
    }

    fn mark(&self, key: KeyName, nonce: &Nonce, parts: &[&[u8]]) -> Result<[u8; MARK], SealError> {
        let key = self.key(key)?;
        let nonce: &[u8; NONCE] = nonce.bytes();
        let parts: Vec<&[u8]> = std::iter::once(nonce.as_slice()).chain(parts.iter().copied()).collect();
        Ok(hmac_sm3(key.halves().1, &parts).first_chunk().copied().unwrap_or_default())
    }
}

fn keyed<C: KeyInit>(key: &[u8]) -> Result<C, SealError> {
    C::new_from_slice(key).map_err(|_| SealError::Cipher { code: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::air::golden::{self, number, text, unhex};
    use crate::air::nonce::{Number, Use};
    use ccm::consts::{U12, U16};
    use proptest::prelude::*;
    use serde_json::json;
    use sm4::cipher::{Array, BlockCipherEncrypt};

    const NET: u32 = 0x0051_0001;

    fn station(number: u16) -> StationId {
        StationId::new(number).unwrap()
    }

    fn centre() -> SoftCipher {
        SoftCipher::centre(NET, NetKey::from_bytes(&[0x42; KEY]))
    }

    fn outpost(number: u16, epoch: u16) -> SoftCipher {
        let net = NetKey::from_bytes(&[0x42; KEY]);
        SoftCipher::station(NET, station(number)).with_epoch(
            epoch,
            net.station(NET, epoch, station(number)),
            net.group(NET, epoch),
        )
    }

    fn nonce(tag: Tag) -> Nonce {
        Nonce::of(NET, Number { src: station(3), epoch: 5, counter: 77 }, false, Use::Single, tag)
    }

    fn name(of: u16, proof: Proof) -> KeyName {
        KeyName { station: station(of), proof, epoch: 5 }
    }

    #[test]
    fn sm4_is_the_standard_one() {
        // GB/T 32907-2016 A.1: key and block alike.
        let key = unhex("0123456789abcdeffedcba9876543210");
        let mut block = Array::try_from(key.as_slice()).unwrap();
        Sm4::new_from_slice(&key).unwrap().encrypt_block(&mut block);
        assert_eq!(hex::encode(block), "681edf34d206965e86b3e94f536e4246");
    }

    #[test]
    fn sm4_ccm_is_that_of_rfc_8998() {
        // RFC 8998, appendix A.2.
        let key = unhex("0123456789abcdeffedcba9876543210");
        let plain = unhex(concat!(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd",
            "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
        ));
        let aad = unhex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let nonce = Array::try_from(unhex("00001234567800000000abcd").as_slice()).unwrap();
        let sealed = Ccm::<Sm4, U16, U12>::new_from_slice(&key).unwrap();
        let sealed = sealed.encrypt(&nonce, Payload { msg: &plain, aad: &aad }).unwrap();
        let expected = concat!(
            "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094",
            "fd12e518ce062c98acee28d95df4416bed31a2f04476c18bb40c84a74b97dc5b",
            "16842d4fa186f56ab33256971fa110f4"
        );
        assert_eq!(hex::encode(sealed), expected);
    }

    #[test]
    fn the_golden_seals_are_made_so() {
        golden::hold(include_str!("vectors/seal.jsonl"), |case| {
            let key = <[u8; KEY]>::try_from(unhex(text(case, "key")).as_slice()).unwrap();
            let nonce = unhex(text(case, "nonce"));
            let (aad, sealed) = (unhex(text(case, "aad")), unhex(text(case, "hex")));
            let tag = if number(case, "tag") == 4 { Tag::Narrow } else { Tag::Wide };
            let nonce: Nonce = serde_json::from_value(json!(nonce)).unwrap();
            let me = station(9);
            let group = NetKey::from_bytes(&[1; KEY]).group(NET, 5);
            let cipher = SoftCipher::station(NET, me).with_epoch(5, StationKey::from_bytes(&key), group);
            let own = name(9, Proof::Pair);
            let plain = cipher.open(own, &nonce, &aad, &sealed, tag).map_err(|error| error.to_string())?;
            assert_eq!(cipher.seal(own, &nonce, &aad, &plain, tag).unwrap(), sealed);
            let mark = cipher.mark(own, &nonce, &[&aad, &sealed]).unwrap();
            Ok(json!({ "plain": hex::encode(plain), "mark": hex::encode(mark) }))
        });
    }

    #[test]
    fn the_centre_and_a_station_open_what_the_other_sealed() {
        for tag in [Tag::Narrow, Tag::Wide] {
            for proof in [Proof::Pair, Proof::Group] {
                let sealed = outpost(3, 5).seal(name(3, proof), &nonce(tag), b"head", b"to the bridge", tag).unwrap();
                assert_eq!(sealed.len(), 13 + tag.len());
                let opened = centre().open(name(3, proof), &nonce(tag), b"head", &sealed, tag);
                assert_eq!(opened.unwrap(), b"to the bridge");
            }
        }
    }

    #[test]
    fn a_station_cannot_open_what_is_for_another() {
        let sealed = centre().seal(name(4, Proof::Pair), &nonce(Tag::Wide), b"", b"secret", Tag::Wide).unwrap();
        let tried = outpost(3, 5).open(name(4, Proof::Pair), &nonce(Tag::Wide), b"", &sealed, Tag::Wide);
        assert_eq!(tried, Err(SealError::NoKey { station: 4, epoch: 5 }));
        let tried = outpost(4, 6).open(name(4, Proof::Pair), &nonce(Tag::Wide), b"", &sealed, Tag::Wide);
        assert_eq!(tried, Err(SealError::NoKey { station: 4, epoch: 5 }), "keys of another epoch");
    }

    #[test]
    fn a_station_keeps_the_keys_of_two_epochs() {
        let net = NetKey::from_bytes(&[0x42; KEY]);
        let keys = |epoch| (net.station(NET, epoch, station(3)), net.group(NET, epoch));
        let mut cipher = SoftCipher::station(NET, station(3));
        for epoch in [4, 5, 6] {
            let (own, group) = keys(epoch);
            cipher = cipher.with_epoch(epoch, own, group);
        }
        let has = |epoch| cipher.key(KeyName { epoch, ..name(3, Proof::Pair) }).is_ok();
        assert_eq!((has(4), has(5), has(6)), (false, true, true));
    }

    #[test]
    fn more_than_ccm_takes_is_refused() {
        let huge = vec![0; PLAIN_MAX + 1];
        let tried = centre().seal(name(3, Proof::Group), &nonce(Tag::Wide), b"", &huge, Tag::Wide);
        assert_eq!(tried, Err(SealError::Length { found: PLAIN_MAX + 1 }));
    }

    #[test]
    fn a_cipher_shows_no_key() {
        let shown = format!("{:?} {:?}", centre(), outpost(3, 5));
        assert!(!shown.contains("66") && !shown.contains("0x42") && shown.contains("NetKey(..)"), "{shown}");
    }

    proptest! {
        #[test]
        fn one_altered_bit_is_never_accepted(
            plain in prop::collection::vec(any::<u8>(), 0..80), aad in prop::collection::vec(any::<u8>(), 1..8),
            wide: bool, place: prop::sample::Index,
        ) {
            let tag = if wide { Tag::Wide } else { Tag::Narrow };
            let mut sealed = centre().seal(name(3, Proof::Group), &nonce(tag), &aad, &plain, tag).unwrap();
            let place = place.index(sealed.len() * 8);
            sealed[place / 8] ^= 1 << (place % 8);
            prop_assert_eq!(centre().open(name(3, Proof::Group), &nonce(tag), &aad, &sealed, tag), Err(SealError::Tag));
        }

        #[test]
        fn random_bytes_do_not_open(sealed in prop::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(centre().open(name(3, Proof::Group), &nonce(Tag::Wide), b"", &sealed, Tag::Wide).is_err());
        }
    }
}
