//! Who calls: holds a request's credentials against the configured ones.
//!
//! Every entry is compared, in a time that depends on what was sent and on nothing that is secret. What was sent is never
//! kept or logged.

use axum::http::{HeaderMap, Uri, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq};

use super::reply::Refusal;
use super::{AuthEntry, Proof};
use crate::name::CallerName;

/// The configured entries.
#[derive(Debug)]
pub(super) struct Gate {
    entries: Vec<AuthEntry>,
}

impl Gate {
    pub(super) fn new(entries: Vec<AuthEntry>) -> Self {
        Self { entries }
    }

    /// The caller whose proof the request shows: that of the first entry that fits.
    pub(super) fn caller(&self, headers: &HeaderMap, uri: &Uri) -> Result<CallerName, Refusal> {
        if self.entries.is_empty() {
            return Ok(CallerName::anonymous());
        }
        let (mut caller, mut shown) = (None, false);
        for entry in &self.entries {
            let sent = sent(&entry.proof, headers, uri);
            shown |= !sent.is_empty();
            let mut fits = Choice::from(0);
            for credential in &sent {
                for wanted in wanted(&entry.proof) {
                    fits |= same(credential, &wanted);
                }
            }
            if bool::from(fits) && caller.is_none() {
                caller = Some(&entry.name);
            }
        }
        caller.cloned().ok_or_else(|| Refusal::Unauthorized { shown, challenges: self.challenges() })
    }

    fn challenges(&self) -> Vec<&'static str> {
        let mut challenges = Vec::new();
        for entry in &self.entries {
            let challenge = match &entry.proof {
                Proof::Bearer(_) => "Bearer realm=\"legwork\"",
                Proof::Basic { .. } => "Basic realm=\"legwork\", charset=\"UTF-8\"",
                Proof::Header { .. } | Proof::Token { .. } => "Key realm=\"legwork\"",
            };
            if !challenges.contains(&challenge) {
                challenges.push(challenge);
            }
        }
        challenges
    }
}

/// What the request shows where this proof would be.
fn sent(proof: &Proof, headers: &HeaderMap, uri: &Uri) -> Vec<Vec<u8>> {
    let authorization = |scheme: &'static str| {
        headers.get_all(header::AUTHORIZATION).iter().filter_map(move |value| {
            let (name, rest) = value.as_bytes().split_at_checked(scheme.len())?;
            let rest = rest.strip_prefix(b" ")?;
            name.eq_ignore_ascii_case(scheme.as_bytes()).then(|| rest.trim_ascii())
        })
    };
    match proof {
        Proof::Bearer(_) => authorization("bearer").map(<[u8]>::to_vec).collect(),
        Proof::Basic { .. } => authorization("basic").filter_map(|encoded| STANDARD.decode(encoded).ok()).collect(),
        Proof::Header { name, .. } => headers.get_all(name.as_str()).iter().map(|value| value.as_bytes().to_vec()).collect(),
        Proof::Token { parameter, .. } => parameters(uri.query().unwrap_or_default(), parameter.as_bytes()),
    }
}

/// What would be right: more than one text where clients encode differently.
fn wanted(proof: &Proof) -> Vec<Vec<u8>> {
    match proof {
        Proof::Bearer(value) | Proof::Header { value, .. } | Proof::Token { value, .. } => {
            vec![value.expose().as_bytes().to_vec()]
        }
        Proof::Basic { user, password } => {
            let pair = format!("{user}:{}", password.expose());
            let latin1: Option<Vec<u8>> = pair.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
            latin1.into_iter().chain([pair.into_bytes()]).collect()
        }
    }
}

/// Whether two texts are the same, in a time that depends on the first one only.
fn same(sent: &[u8], secret: &[u8]) -> Choice {
    let mut fits = (sent.len() as u64).ct_eq(&(secret.len() as u64)) & !Choice::from(u8::from(secret.is_empty()));
    for (index, byte) in sent.iter().enumerate() {
        // A shorter secret is gone round; the lengths have decided already.
        let other = secret.get(index % secret.len().max(1)).copied().unwrap_or_default();
        fits &= byte.ct_eq(&other);
    }
    fits
}

/// The values of a query parameter, decoded.
fn parameters(query: &str, name: &[u8]) -> Vec<Vec<u8>> {
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.filter(|(key, _)| decoded(key) == name).map(|(_, value)| decoded(value)).collect()
}

/// Undoes percent and plus encoding; what is no escape stays.
fn decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escape = text.get(at + 1..at + 3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (byte, escape.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                out.push(value);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn gate(proofs: Vec<(&str, Proof)>) -> Gate {
        Gate::new(
            proofs.into_iter().map(|(name, proof)| AuthEntry { name: CallerName::parse(name).unwrap(), proof }).collect(),
        )
    }

    fn caller(gate: &Gate, headers: &[(&str, &[u8])], uri: &str) -> Result<String, Refusal> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), axum::http::HeaderValue::from_bytes(value).unwrap()));
        gate.caller(&headers.collect(), &uri.parse().unwrap()).map(|name| name.to_string())
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn each_proof_lets_its_caller_in() {
        let gate = gate(vec![
            ("bearer", Proof::Bearer(secret("b3"))),
            ("header", Proof::Header { name: "X-Api-Key".into(), value: secret("h3") }),
            ("basic", Proof::Basic { user: "bot".into(), password: secret("pässword") }),
            ("token", Proof::Token { parameter: "api_key".into(), value: secret("t 3&") }),
        ]);
        assert_eq!(caller(&gate, &[("authorization", b"bearer b3")], "/webhook").unwrap(), "bearer");
        assert_eq!(caller(&gate, &[("x-api-key", b"h3")], "/webhook").unwrap(), "header");
        let latin1 = format!("Basic {}", STANDARD.encode(b"bot:p\xe4ssword"));
        assert_eq!(caller(&gate, &[("authorization", latin1.as_bytes())], "/").unwrap(), "basic");
        let utf8 = format!("Basic {}", STANDARD.encode("bot:pässword"));
        assert_eq!(caller(&gate, &[("authorization", utf8.as_bytes())], "/").unwrap(), "basic");
        assert_eq!(caller(&gate, &[], "/webhook?x=1&api_key=t+3%26").unwrap(), "token");
    }

    #[test]
    fn what_is_wrong_or_missing_is_told_apart() {
        let gate = gate(vec![
            ("a", Proof::Bearer(secret("right"))),
            ("b", Proof::Token { parameter: "token".into(), value: secret("x") }),
        ]);
        let refused = |headers: &[(&str, &[u8])], uri| caller(&gate, headers, uri).unwrap_err();
        let challenges = vec!["Bearer realm=\"legwork\"", "Key realm=\"legwork\""];
        assert_eq!(refused(&[], "/"), Refusal::Unauthorized { shown: false, challenges: challenges.clone() });
        for wrong in [
            "Bearer wrong",
            "Bearer righ",
            "Bearer rightright",
            "Bearer right right",
            "Bearer ",
            "Bearerright",
            "Basic right",
        ] {
            let refusal = refused(&[("authorization", wrong.as_bytes())], "/");
            assert!(matches!(refusal, Refusal::Unauthorized { .. }), "{wrong}");
        }
        assert_eq!(refused(&[], "/?token=y"), Refusal::Unauthorized { shown: true, challenges });
    }

    #[test]
    fn two_secrets_of_one_caller_are_both_right() {
        let gate = gate(vec![("a", Proof::Bearer(secret("old"))), ("a", Proof::Bearer(secret("new")))]);
        assert_eq!(caller(&gate, &[("authorization", b"Bearer old")], "/").unwrap(), "a");
        assert_eq!(caller(&gate, &[("authorization", b"Bearer new")], "/").unwrap(), "a");
    }

    #[test]
    fn an_empty_secret_opens_nothing() {
        let gate = gate(vec![("a", Proof::Token { parameter: "token".into(), value: secret("") })]);
        assert!(caller(&gate, &[], "/?token=").is_err());
        assert!(caller(&gate, &[], "/?token").is_err());
    }

    #[test]
    fn without_entries_everybody_is_anonymous() {
        assert_eq!(caller(&gate(vec![]), &[], "/").unwrap(), "anonymous");
    }

    #[test]
    fn queries_are_decoded() {
        assert_eq!(decoded("a+b%26c%2"), b"a b&c%2");
        assert_eq!(decoded("%C3%A4%zz"), "ä%zz".as_bytes());
    }
}
