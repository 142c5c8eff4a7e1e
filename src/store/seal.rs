//! Sealing: AES-256-GCM under keys that an operator provides and may replace one by one.
//!
//! What is sealed is bound to its place, so that one sealed value cannot be put where another stood. A key is never shown.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};

use crate::secret::Secret;

const KEY: usize = 32;
const ID: usize = 8;
/// The first byte of everything that is sealed in this way.
const VERSION: u8 = 1;
/// How long a passphrase has to be: whoever has a copy of the store may try passphrases for as long as they like.
const PASSPHRASE: usize = 20;

/// The keys, newest first: the first one seals, any of them opens.
#[derive(Clone)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: [u8; ID],
    cipher: RandomizedNonceKey,
}

/// Why something does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// None of the keys sealed it.
    #[error("it was sealed with a key that is not configured any more")]
    UnknownKey,
    /// It was changed, or belongs somewhere else.
    #[error("it was changed after it was sealed, or belongs to another place")]
    Changed,
}

impl Keys {
    /// Keys from what an operator wrote, newest first: 32 bytes in base64, or a passphrase.
    ///
    /// # Errors
    /// When there is none, or one is too easy to guess; never with a key.
    pub fn new(secrets: &[Secret]) -> Result<Self, String> {
        let keys: Result<Vec<_>, _> = secrets.iter().map(Key::new).collect();
        match keys? {
            keys if keys.is_empty() => Err("at least one key is needed".to_owned()),
            keys => Ok(Self(keys.into())),
        }
    }

    /// Seals `plain` for `place`, with the newest key.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |_| "the machine cannot seal".to_owned();
        let key = self.0.first().ok_or("there is no key")?;
        let mut text = plain.to_vec();
        let nonce = key.cipher.seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut text).map_err(failed)?;
        let head = [VERSION].into_iter().chain(key.id).chain(*nonce.as_ref());
        Ok(head.chain(text).collect())
    }

    /// Whether the newest key sealed it.
    #[must_use]
    pub fn is_newest(&self, sealed: &[u8]) -> bool {
        let by = sealed.split_first().and_then(|(_, rest)| rest.first_chunk::<ID>());
        self.0.first().is_some_and(|key| by == Some(&key.id))
    }

    /// Opens what was sealed for `place`, with whichever key sealed it.
    ///
    /// # Errors
    /// Why it does not open.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (version, rest) = sealed.split_first().ok_or(NotOpened::Changed)?;
        let (id, rest) = rest.split_first_chunk::<ID>().ok_or(NotOpened::Changed)?;
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(NotOpened::Changed)?;
        if *version != VERSION {
            return Err(NotOpened::Changed);
        }
        let key = self.0.iter().find(|key| key.id == *id).ok_or(NotOpened::UnknownKey)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = key.cipher.open_in_place(nonce, Aad::from(place.as_bytes()), &mut text);
        plain.map(|plain| plain.to_vec()).map_err(|_| NotOpened::Changed)
    }
}

impl Key {
    fn new(secret: &Secret) -> Result<Self, String> {
        let written = secret.expose().trim();
        let decoded = STANDARD.decode(written).or_else(|_| STANDARD_NO_PAD.decode(written));
        let material = match decoded {
            Ok(bytes) if bytes.len() == KEY => bytes,
            _ if written.chars().count() >= PASSPHRASE => written.as_bytes().to_vec(),
            _ => {
                return Err(format!(
                    "a key has 32 bytes in base64, as `openssl rand -base64 32` makes them, or is a passphrase of at least \
                     {PASSPHRASE} characters"
                ));
            }
        };
        let failed = |_| "the key cannot be used".to_owned();
        let (mut bytes, mut id) = ([0; KEY], [0; ID]);
        derive(&material, b"sealing", &mut bytes).map_err(failed)?;
        derive(&material, b"identity", &mut id).map_err(failed)?;
        let cipher = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(failed)?;
        Ok(Self { id, cipher })
    }
}

/// Fills `out` with what follows from `material` for one purpose and no other.
fn derive(material: &[u8], purpose: &[u8], out: &mut [u8]) -> Result<(), aws_lc_rs::error::Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let salt = Salt::new(HKDF_SHA256, b"legwork store 1");
    salt.extract(material).expand(&[purpose], Length(out.len()))?.fill(out)
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|text| Secret::new((*text).to_owned())).collect::<Vec<_>>()).unwrap()
    }

    const OLD: &str = "an old passphrase, long enough";
    const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn what_is_sealed_opens_and_shows_nothing() {
        let keys = keys(&[NEW]);
        let sealed = keys.seal("a", b"hunter2").unwrap();
        assert_eq!(keys.open("a", &sealed).unwrap(), b"hunter2");
        assert!(!sealed.windows(7).any(|window| window == b"hunter2"));
        assert_ne!(sealed, keys.seal("a", b"hunter2").unwrap(), "the nonce has to differ");
        assert_eq!(format!("{keys:?}"), "1 keys");
    }

    #[test]
    fn it_opens_in_its_place_and_unchanged_only() {
        let keys = keys(&[NEW]);
        let sealed = keys.seal("a", b"hunter2").unwrap();
        assert_eq!(keys.open("b", &sealed), Err(NotOpened::Changed));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(keys.open("a", &changed).is_err(), "byte {at}");
            assert!(keys.open("a", &sealed[..at]).is_err(), "the first {at} bytes");
        }
    }

    #[test]
    fn the_newest_key_seals_and_any_opens() {
        let (before, both, after) = (keys(&[OLD]), keys(&[NEW, OLD]), keys(&[NEW]));
        let old = before.seal("a", b"1").unwrap();
        assert_eq!(both.open("a", &old).unwrap(), b"1");
        assert!(before.is_newest(&old) && !both.is_newest(&old));
        assert_eq!(after.open("a", &old), Err(NotOpened::UnknownKey));
        let new = both.seal("a", b"2").unwrap();
        assert_eq!(after.open("a", &new).unwrap(), b"2");
        assert_eq!(before.open("a", &new), Err(NotOpened::UnknownKey));
    }

    #[test]
    fn a_key_that_is_easy_to_guess_is_refused_without_being_shown() {
        let refused = Keys::new(&[Secret::new("hunter2".into())]).unwrap_err();
        assert!(refused.contains("openssl rand -base64 32") && !refused.contains("hunter2"), "{refused}");
        assert!(Keys::new(&[]).is_err());
    }
}
