//! Signed tokens: `v1.PAYLOAD.SIGNATURE` with HMAC-SHA256, and JWTs.
//!
//! A token holds when it is signed by who may sign, has not expired, and names this very conversation: shown in another one it
//! proves nothing. Which algorithm checks it is the settings' choice, never the token's.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value};

use crate::format::{email, phone};
use crate::plan::settings::{Addressed, PublicAlgorithm, Signed, SignedMetadata};
use crate::secret::Secret;
use crate::store::{By, Proved};

/// No login needs more.
const LONGEST: usize = 8 << 10;
/// A secret shorter than the digest would be the weakest part.
const SHORTEST_SECRET: usize = 32;

/// How tokens are checked.
pub(super) struct Token {
    /// The key of the metadata.
    pub(super) key: String,
    check: Check,
    claims: [String; 3],
    sender: String,
}

enum Check {
    Compact(hmac::Key),
    Hs256(hmac::Key, Addressed),
    Public(Vec<(PublicAlgorithm, ParsedPublicKey)>, Addressed),
}

impl Token {
    pub(super) fn new(settings: &SignedMetadata, secret: &Secret) -> Result<Self, String> {
        let check = match &settings.signed {
            Signed::Compact(_) => Check::Compact(symmetric(secret)?),
            Signed::Hs256(_, addressed) => Check::Hs256(symmetric(secret)?, addressed.clone()),
            Signed::Public(_, algorithms, addressed) => Check::Public(public(secret, algorithms)?, addressed.clone()),
        };
        let (key, claims, sender) = (settings.key.clone(), settings.claims.clone(), settings.sender.clone());
        Ok(Self { key, check, claims, sender })
    }

    /// What a token proves to this conversation.
    pub(super) fn proves(
        &self,
        token: &str,
        sender: &str,
        region: &str,
        now: DateTime<Utc>,
    ) -> Result<Proved, &'static str> {
        let claims = self.signed(token)?;
        let time = |name: &str| claims.get(name).and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a double for longer than the calendar")]
        let now = now.timestamp_millis() as f64 / 1000.0;
        if time("exp").ok_or("it does not say when it expires")? <= now {
            return Err("it has expired");
        }
        if claims.contains_key("nbf") && time("nbf").is_none_or(|from| from > now) {
            return Err("it is not valid yet");
        }
        if claims.get(&self.sender).and_then(Value::as_str) != Some(sender) {
            return Err("it is for another conversation, or for none");
        }
        if let Check::Hs256(_, addressed) | Check::Public(_, addressed) = &self.check {
            addressed_here(addressed, &claims)?;
        }
        let denied = |name: &str| claims.get(name).is_some_and(|value| *value != Value::Bool(true));
        let text = |claim: &str| match claims.get(claim) {
            Some(Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let [email_claim, phone_claim, customer_claim] = &self.claims;
        let email = text(email_claim).filter(|_| !denied("email_verified"));
        let phone = text(phone_claim).filter(|_| !denied("phone_number_verified"));
        let proved = Proved {
            email: email.and_then(|text| email::read(&text).ok()),
            phone: phone.and_then(|text| phone::read(&text, region).ok()),
            customer: text(customer_claim),
            by: By::Metadata,
            #[expect(clippy::cast_possible_truncation, reason = "a time is whole seconds; one out of range is none")]
            at: time("iat").and_then(|at| DateTime::from_timestamp(at as i64, 0)),
        };
        match (&proved.email, &proved.phone, &proved.customer) {
            (None, None, None) => Err("it says nothing of who the user is"),
            _ => Ok(proved),
        }
    }

    /// The claims of a token whose signature is right.
    fn signed(&self, token: &str) -> Result<Map<String, Value>, &'static str> {
        const FORM: &str = "it does not have the form of a token";
        if token.len() > LONGEST {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
        let (head, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.')).ok_or(FORM)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| FORM)?;
        let object = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice::<Map<String, Value>>(&bytes).ok()
        };
        let right = match &self.check {
            Check::Compact(key) => head == "v1" && hmac::verify(key, signed.as_bytes(), &signature).is_ok(),
            Check::Hs256(key, _) => {
                algorithm(&object(head).ok_or(FORM)?)? == "HS256" && hmac::verify(key, signed.as_bytes(), &signature).is_ok()
            }
            Check::Public(keys, _) => {
                let head = object(head).ok_or(FORM)?;
                let wanted = match algorithm(&head)? {
                    "RS256" => PublicAlgorithm::Rs256,
                    "ES256" => PublicAlgorithm::Es256,
                    _ => return Err("it is signed by an algorithm that is not taken"),
                };
                let key = keys.iter().find(|(algorithm, _)| *algorithm == wanted).map(|(_, key)| key);
                let key = key.ok_or("it is signed by an algorithm that is not taken")?;
                key.verify_sig(signed.as_bytes(), &signature).is_ok()
            }
        };
        if right { object(payload).ok_or(FORM) } else { Err("its signature is not right") }
    }
}

/// The algorithm that a JWT names. One with extensions that have to be understood is not understood.
fn algorithm(head: &Map<String, Value>) -> Result<&str, &'static str> {
    if head.contains_key("crit") {
        return Err("it has extensions that are not taken");
    }
    head.get("alg").and_then(Value::as_str).ok_or("it does not say how it is signed")
}

fn addressed_here(addressed: &Addressed, claims: &Map<String, Value>) -> Result<(), &'static str> {
    let is = |claim: Option<&Value>, wanted: &str| claim.and_then(Value::as_str) == Some(wanted);
    if addressed.issuer.as_ref().is_some_and(|wanted| !is(claims.get("iss"), wanted)) {
        return Err("it was issued by another");
    }
    let audience = claims.get("aud");
    let among = |wanted: &str| match audience {
        Some(Value::Array(several)) => several.iter().any(|one| is(Some(one), wanted)),
        one => is(one, wanted),
    };
    match addressed.audience.as_ref().is_some_and(|wanted| !among(wanted)) {
        true => Err("it is for another audience"),
        false => Ok(()),
    }
}

fn symmetric(secret: &Secret) -> Result<hmac::Key, String> {
    let bytes = secret.expose().as_bytes();
    match bytes.len() < SHORTEST_SECRET {
        true => Err(format!("is shorter than {SHORTEST_SECRET} characters; make one with `openssl rand -base64 32`")),
        false => Ok(hmac::Key::new(HMAC_SHA256, bytes)),
    }
}

/// The key for those of the algorithms that it fits.
fn public(pem: &Secret, algorithms: &[PublicAlgorithm]) -> Result<Vec<(PublicAlgorithm, ParsedPublicKey)>, String> {
    let der = SubjectPublicKeyInfoDer::from_pem_slice(pem.expose().as_bytes())
        .map_err(|_| "has no `-----BEGIN PUBLIC KEY-----`".to_owned())?;
    let parsed = |algorithm: PublicAlgorithm| {
        let of: &'static dyn VerificationAlgorithm = match algorithm {
            PublicAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            PublicAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
        };
        ParsedPublicKey::new(of, der.as_ref()).ok().map(|key| (algorithm, key))
    };
    let keys: Vec<_> = algorithms.iter().copied().filter_map(parsed).collect();
    match keys.is_empty() {
        true => {
            Err("fits none of the `algorithms`: RS256 takes an RSA key of 2048 bits or more, ES256 one on P-256".to_owned())
        }
        false => Ok(keys),
    }
}

#[cfg(test)]
mod tests;
