//! A claim about who we are, signed with RS256: the JSON Web Token of RFC 7523.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

use super::settings::Settings;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::secret::Secret;

/// Makes signed claims.
pub(super) struct Assertion {
    key: KeyPair,
    header: String,
    /// What every claim says.
    claims: Map<String, Value>,
    lifetime: TimeDelta,
}

impl Assertion {
    /// # Errors
    /// What is missing, or wrong with the key.
    pub(super) fn new(plan: &plan::Assertion, settings: &Settings) -> Result<Self, String> {
        let key = key(&settings.text(&plan.key, "`auth.oauth2.assertion.key`")?)?;
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let Some(id) = &plan.key_id
            && let Some(id) = settings.optional(id, "`auth.oauth2.assertion.key_id`")?
        {
            header["kid"] = id.expose().into();
        }
        let mut claims = Map::new();
        for (name, value) in settings.map(&plan.claims)? {
            claims.insert(name, value.expose().into());
        }
        for (name, template) in [("iss", &plan.issuer), ("sub", &plan.subject), ("aud", &plan.audience)] {
            let value = settings.text(template, &format!("`{name}` of `auth.oauth2.assertion`"))?;
            claims.insert(name.to_owned(), value.expose().into());
        }
        let lifetime = TimeDelta::from_std(plan.lifetime).map_err(|_| "`auth.oauth2.assertion.lifetime` is too long")?;
        Ok(Self { key, header: encoded(&header), claims, lifetime })
    }

    /// The claim as of `now`, signed.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub(super) fn sign(&self, now: DateTime<Utc>) -> Result<Secret, Fault> {
        let cannot = |_| Fault::new(Outcome::Misconfigured, "the private key of `auth.oauth2.assertion` cannot sign");
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), now.timestamp().into());
        claims.insert("exp".to_owned(), (now + self.lifetime).timestamp().into());
        // Some vendors refuse a claim that they have seen before.
        let mut unique = [0; 16];
        SystemRandom::new().fill(&mut unique).map_err(cannot)?;
        claims.insert("jti".to_owned(), URL_SAFE_NO_PAD.encode(unique).into());
        let text = format!("{}.{}", self.header, encoded(&Value::Object(claims)));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).map_err(cannot)?;
        Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn key(pem: &Secret) -> Result<KeyPair, String> {
    let what = "`auth.oauth2.assertion.key`";
    if pem.expose().contains("ENCRYPTED") {
        return Err(format!(
            "{what} is encrypted: decrypt it with `openssl pkey -in KEY -out FILE`, and keep it as a secret"
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(pem.expose().as_bytes())
        .map_err(|_| format!("{what} holds no private key; it has to begin with -----BEGIN PRIVATE KEY-----"))?;
    let pair = match &key {
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(format!("{what} is not an RSA key")),
    };
    pair.map_err(|_| format!("{what} is not an RSA key of 2048 bits or more"))
}
