//! The JWTs that Rasa takes with `--jwt-secret`: HS256, with a user of a role.
//!
//! The role `user` may do to the conversation of its own name what `admin` may do to all, so a token that is seen on its way
//! opens no other one, and that for a minute only.

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::secret::Secret;

/// How long a token is good. Rasa allows for clocks that differ by three minutes.
const LIFETIME: TimeDelta = TimeDelta::seconds(60);

/// Whom a token is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role<'a> {
    /// Who asks about the server itself.
    Admin,
    /// Who speaks in this conversation.
    User(&'a str),
}

/// A token as of `now`.
pub(super) fn sign(secret: &Secret, role: Role<'_>, now: DateTime<Utc>) -> Secret {
    let (username, role) = match role {
        Role::Admin => ("legwork", "admin"),
        Role::User(sender) => (sender, "user"),
    };
    let claims = json!({
        "user": { "username": username, "role": role },
        "iat": now.timestamp(),
        "exp": (now + LIFETIME).timestamp(),
    });
    let text = format!("{}.{}", encoded(&json!({ "alg": "HS256", "typ": "JWT" })), encoded(&claims));
    let key = hmac::Key::new(HMAC_SHA256, secret.expose().as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&key, text.as_bytes()));
    Secret::new(format!("{text}.{signature}"))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
