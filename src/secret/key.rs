//! Private keys as files hold them, in the open or under a password.
//!
//! Of the encrypted ones it takes PKCS #8 under PBES2 with PBKDF2 and AES-CBC, which is what OpenSSL writes. All that is
//! done here is finding the parts; the decryption itself is the TLS library's. Neither key nor password gets into a text.

use std::num::NonZeroU32;

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::pbkdf2;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Secret;

const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";
/// In an older form, an encrypted key has the label of an open one, and says in a line of its own that it is none.
const OLD_FORM: &str = "Proc-Type: 4,ENCRYPTED";
/// More rounds than this would keep a start waiting for minutes; no tool makes as many.
const MOST_ROUNDS: u32 = 20_000_000;

/// Why there is no private key to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoKey {
    /// None is there.
    #[error("holds no private key; it has to begin with -----BEGIN PRIVATE KEY-----")]
    Missing,
    /// It is encrypted, and no password was given.
    #[error("is encrypted, and no password is given for it")]
    NoPassword,
    /// The password does not open it, or the file is broken.
    #[error("does not open with the password that is given")]
    WrongPassword,
    /// It is encrypted in a way that is not taken.
    #[error(
        "is encrypted in a way that is not taken; encrypt it anew: `openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out FILE`"
    )]
    OtherEncryption,
}

/// The private key of a PEM text, decrypted with the password where that is needed. Of several keys it is the first.
///
/// # Errors
/// Why there is none.
pub fn private_key(pem: &[u8], password: Option<&Secret>) -> Result<PrivateKeyDer<'static>, NoKey> {
    let text = String::from_utf8_lossy(pem);
    if text.contains(OLD_FORM) {
        return Err(NoKey::OtherEncryption);
    }
    let Some((_, rest)) = text.split_once(BEGIN) else {
        return PrivateKeyDer::from_pem_slice(pem).map_err(|_| NoKey::Missing);
    };
    let (lines, _) = rest.split_once(END).ok_or(NoKey::Missing)?;
    let encoded: String = lines.split_whitespace().collect();
    let der = STANDARD.decode(encoded).map_err(|_| NoKey::Missing)?;
    let encrypted = Encrypted::read(&der).ok_or(NoKey::OtherEncryption)?;
    let key = encrypted.open(password.ok_or(NoKey::NoPassword)?)?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key)))
}

/// An encrypted key in its parts. RFC 5958, section 3; RFC 8018, appendix A.
struct Encrypted<'a> {
    salt: &'a [u8],
    rounds: NonZeroU32,
    function: pbkdf2::Algorithm,
    cipher: &'static Algorithm,
    key_length: usize,
    start: [u8; 16],
    text: &'a [u8],
}

impl<'a> Encrypted<'a> {
    /// The parts; none when it is encrypted in another way, or is broken.
    fn read(der: &'a [u8]) -> Option<Self> {
        let mut whole = Der(Der(der).take(SEQUENCE)?);
        let mut scheme = Der(whole.take(SEQUENCE)?);
        let text = whole.take(OCTETS)?;
        (scheme.take(OBJECT)? == PBES2).then_some(())?;
        let mut parts = Der(scheme.take(SEQUENCE)?);
        let mut derivation = Der(parts.take(SEQUENCE)?);
        (derivation.take(OBJECT)? == PBKDF2).then_some(())?;
        let mut parameters = Der(derivation.take(SEQUENCE)?);
        let salt = parameters.take(OCTETS)?;
        let rounds = parameters
            .take(INTEGER)?
            .iter()
            .try_fold(0_u32, |sum, byte| sum.checked_mul(256)?.checked_add((*byte).into()))?;
        // The length of the key, which the cipher says as well.
        parameters.take(INTEGER);
        let function = match parameters.take(SEQUENCE) {
            None => pbkdf2::PBKDF2_HMAC_SHA1,
            Some(function) => match Der(function).take(OBJECT)? {
                HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
                HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
                HMAC_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
                HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
                _ => return None,
            },
        };
        let mut encryption = Der(parts.take(SEQUENCE)?);
        let (cipher, key_length) = match encryption.take(OBJECT)? {
            AES_128_CBC => (&AES_128, 16),
            AES_192_CBC => (&AES_192, 24),
            AES_256_CBC => (&AES_256, 32),
            _ => return None,
        };
        let start = encryption.take(OCTETS)?.try_into().ok()?;
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= MOST_ROUNDS)?;
        Some(Self { salt, rounds, function, cipher, key_length, start, text })
    }

    fn open(&self, password: &Secret) -> Result<Vec<u8>, NoKey> {
        let wrong = |_| NoKey::WrongPassword;
        let mut key = vec![0; self.key_length];
        pbkdf2::derive(self.function, self.rounds, self.salt, password.expose().as_bytes(), &mut key);
        let key = UnboundCipherKey::new(self.cipher, &key).map_err(wrong)?;
        let key = PaddedBlockDecryptingKey::cbc_pkcs7(key).map_err(wrong)?;
        let mut text = self.text.to_vec();
        let context = DecryptionContext::Iv128(FixedLength::from(&self.start));
        let plain = key.decrypt(&mut text, context).map_err(wrong)?;
        // One wrong password in 256 leaves something whose padding looks right.
        Der(plain).take(SEQUENCE).ok_or(NoKey::WrongPassword)?;
        Ok(plain.to_vec())
    }
}

/// A reader of DER values, one after the other.
struct Der<'a>(&'a [u8]);

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

impl<'a> Der<'a> {
    /// The content of the next value; none, and nothing is taken, when it is of another type.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (length, rest) = match self.0 {
            [first, length @ 0..=0x7f, rest @ ..] if *first == tag => (usize::from(*length), rest),
            [first, 0x81, length, rest @ ..] if *first == tag => (usize::from(*length), rest),
            [first, 0x82, high, low, rest @ ..] if *first == tag => (usize::from(u16::from_be_bytes([*high, *low])), rest),
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }
}

// 1.2.840.113549.1.5.13, .1.5.12 and .2.n; 2.16.840.1.101.3.4.1.n
const PBES2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d];
const PBKDF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0c];
const HMAC_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x07];
const HMAC_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x09];
const HMAC_SHA384: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x0a];
const HMAC_SHA512: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x02, 0x0b];
const AES_128_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x02];
const AES_192_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x16];
const AES_256_CBC: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a];

#[cfg(test)]
mod tests;
