//! JWTs with public keys; the rest is tried through the front door.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256};
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::secret::Reference;

const NOW: i64 = 1_768_910_400;

fn pem(der: &[u8]) -> Secret {
    Secret::new(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der)))
}

fn token(key: &Secret, algorithms: &[PublicAlgorithm]) -> Result<Token, String> {
    let signed = Signed::Public(Reference::Env("KEY".to_owned()), algorithms.to_vec(), Addressed::default());
    let claims = ["email", "phone", "sub"].map(str::to_owned);
    Token::new(&SignedMetadata { key: "t".to_owned(), signed, claims, sender: "sender".to_owned() }, key)
}

fn jwt(algorithm: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let claims =
        json!({ "sender": "s1", "exp": NOW + 60, "email": "a@example.com", "phone": "(415) 555-0123", "sub": " C-1 " });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": algorithm, "kid": "1" })), part(&claims));
    let signature = sign(text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn proves(token: &Token, jwt: &str) -> Result<Proved, &'static str> {
    token.proves(jwt, "s1", "US", DateTime::from_timestamp(NOW, 0).unwrap())
}

#[test]
fn public_keys_check_what_their_private_ones_signed() {
    const BOTH: [PublicAlgorithm; 2] = [PublicAlgorithm::Rs256, PublicAlgorithm::Es256];
    let random = SystemRandom::new();
    let curve = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let by_curve = |text: &[u8]| curve.sign(&random, text).unwrap().as_ref().to_vec();
    let by_rsa = |text: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, text, &mut signature).unwrap();
        signature
    };
    let curve_pem = pem(AsDer::<PublicKeyX509Der<'_>>::as_der(curve.public_key()).unwrap().as_ref());
    let rsa_pem = pem(AsDer::<PublicKeyX509Der<'_>>::as_der(rsa.public_key()).unwrap().as_ref());
    let (of_curve, of_rsa) = (token(&curve_pem, &BOTH).unwrap(), token(&rsa_pem, &BOTH).unwrap());
    for (token, jwt) in [(&of_curve, jwt("ES256", by_curve)), (&of_rsa, jwt("RS256", by_rsa))] {
        let proved = proves(token, &jwt).unwrap_or_else(|wrong| panic!("{wrong}"));
        assert_eq!(proved.email.as_deref(), Some("a@example.com"));
        assert_eq!((proved.phone.as_deref(), proved.customer.as_deref()), (Some("+14155550123"), Some("C-1")));
        assert_eq!(proved.at, None);
    }
    let wrong = |token: &Token, jwt: &str| proves(token, jwt).err().unwrap();
    assert_eq!(wrong(&of_curve, &jwt("RS256", by_rsa)), "it is signed by an algorithm that is not taken");
    assert_eq!(wrong(&of_rsa, &jwt("RS256", by_curve)), "its signature is not right");
    // A public key is known to everybody: as the secret of HS256 it would let everybody sign.
    let by_public =
        |text: &[u8]| hmac::sign(&hmac::Key::new(HMAC_SHA256, rsa_pem.expose().as_bytes()), text).as_ref().to_vec();
    assert_eq!(wrong(&of_rsa, &jwt("HS256", by_public)), "it is signed by an algorithm that is not taken");
    assert!(token(&curve_pem, &[PublicAlgorithm::Rs256]).err().unwrap().contains("fits none"));
    assert!(token(&Secret::new("no key".to_owned()), &BOTH).err().unwrap().contains("BEGIN PUBLIC KEY"));
}
