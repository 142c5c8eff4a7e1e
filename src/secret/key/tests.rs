//! Keys as OpenSSL writes them, all of them the same one under the password `hunter2`.

use super::*;

macro_rules! pem {
    ($name:literal) => {
        include_bytes!(concat!("testdata/", $name, ".pem"))
    };
}

fn password() -> Secret {
    Secret::new("hunter2".to_owned())
}

fn der(pem: &[u8], password: Option<&Secret>) -> Result<Vec<u8>, NoKey> {
    private_key(pem, password).map(|key| key.secret_der().to_vec())
}

#[test]
fn an_open_key_needs_no_password() {
    let plain = der(pem!("plain"), None).unwrap();
    assert_eq!(der(pem!("plain"), Some(&password())).unwrap(), plain);
    assert_eq!(der(b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", None), Err(NoKey::Missing));
}

#[test]
fn the_password_opens_every_cipher_and_function() {
    let plain = der(pem!("plain"), None).unwrap();
    for encrypted in [&pem!("a256")[..], &pem!("a192")[..], &pem!("a128")[..]] {
        assert_eq!(der(encrypted, Some(&password())).unwrap(), plain);
        assert_eq!(der(encrypted, None), Err(NoKey::NoPassword));
    }
}

#[test]
fn no_other_password_does() {
    // Many of them, since one in 256 has padding that looks right.
    for number in 0..600 {
        let other = Secret::new(format!("other {number}"));
        assert_eq!(der(pem!("a256"), Some(&other)), Err(NoKey::WrongPassword), "{number}");
    }
}

#[test]
fn other_encryptions_are_told_apart() {
    for encrypted in [&pem!("des3")[..], &pem!("scrypt")[..], &pem!("old")[..]] {
        assert_eq!(der(encrypted, Some(&password())), Err(NoKey::OtherEncryption));
    }
}

#[test]
fn a_broken_file_is_no_key() {
    let text = std::str::from_utf8(pem!("a128")).unwrap();
    let encoded: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let whole = STANDARD.decode(encoded).unwrap();
    for length in 0..whole.len() {
        let cut = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(&whole[..length]));
        assert_eq!(der(cut.as_bytes(), Some(&password())), Err(NoKey::OtherEncryption), "{length}");
    }
    assert_eq!(der(format!("{BEGIN}\nMIHs").as_bytes(), Some(&password())), Err(NoKey::Missing));
    assert_eq!(der(format!("{BEGIN}\n*\n{END}").as_bytes(), Some(&password())), Err(NoKey::Missing));
}
