//! The checked way back to an assistant: where its HTTP API is, what it asks of its callers, and which channel messages go
//! to.
//!
//! Secrets are references here; they are read when the project is opened.

use std::time::Duration;

use super::settings::is_loopback;
use crate::secret::Reference;

/// The way back to one assistant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assistant {
    /// Where its HTTP API is.
    pub url: Address,
    /// What its API asks for.
    pub login: Login,
    /// The channel that messages go to; [`LATEST`] is the one that the user last wrote on.
    pub output_channel: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// The hosts that may have private addresses and be talked to without TLS, beside this machine.
    pub allow_private: Vec<String>,
    /// A PEM file with the only authorities that are trusted, in the project's folder.
    pub authorities: Option<String>,
}

/// The channel that the user last wrote on, as Rasa's API calls it.
pub const LATEST: &str = "latest";

/// How long a call may take where nothing else is said: Rasa holds a conversation for its running turn as long at most, and
/// a call that is given up while it waits is not made.
pub const TIMEOUT: Duration = Duration::from_secs(60);

/// Where an API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// As written, and checked.
    Written(String),
    /// Where the address is.
    Kept(Reference),
}

/// What an assistant's API asks of its callers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// Nothing.
    Open,
    /// The token of `--auth-token`.
    Token(Reference),
    /// A JWT, signed with the secret of `--jwt-secret`.
    Jwt(Reference),
}

impl Login {
    /// What it is, for people.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Open => "no credentials",
            Self::Token(_) => "token",
            Self::Jwt(_) => "JWT",
        }
    }
}

/// Holds an address against what may be sent there.
///
/// # Errors
/// What is wrong, and what to do. The address itself is in neither, since it may hold a secret.
pub fn fit(address: &str, login: &Login, allow_private: &[String]) -> Result<(), (String, &'static str)> {
    const FORM: &str = "write scheme, host, port and path: `http://localhost:5005`, `https://rasa.example`";
    let (plain, rest) = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => (false, rest),
        (_, Some(rest)) => (true, rest),
        _ => return Err(("an address begins with http:// or https://".to_owned(), FORM)),
    };
    if address.contains(['@', '?', '#']) {
        let cure = "write scheme, host, port and path; credentials belong under `token` or `jwt_secret`";
        return Err(("the address holds more than its place".to_owned(), cure));
    }
    let host = host(rest);
    if host.is_empty() || address.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(("this is not an address".to_owned(), FORM));
    }
    let bare = host.trim_matches(['[', ']']);
    if !plain || is_loopback(bare) {
        return Ok(());
    }
    if *login != Login::Open {
        let what = format!("a secret would be sent to {host} without TLS");
        return Err((what, "write https://, or reach it over this machine's own address"));
    }
    if !allow_private.iter().any(|allowed| allowed.eq_ignore_ascii_case(bare)) {
        let what = format!("what is said would be sent to {host} without TLS");
        return Err((what, "write https://, or name the host under `allow_private` if nobody else can listen there"));
    }
    Ok(())
}

/// The host of what stands behind a scheme.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.find(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_messages_travel_in_the_open_on_this_machine_only() {
        let token = Login::Token(Reference::Env("T".to_owned()));
        let rasa = ["rasa".to_owned()];
        let may = |address: &str, login: &Login, allowed: &[String]| fit(address, login, allowed).is_ok();
        for address in ["http://localhost:5005", "http://127.0.0.1:5005/", "http://[::1]:5005", "https://rasa.example/x"] {
            assert!(may(address, &token, &[]) && may(address, &Login::Open, &[]), "{address}");
        }
        assert!(may("http://RASA:5005", &Login::Open, &rasa) && may("https://rasa", &token, &rasa));
        for (address, login, allowed) in
            [("http://rasa:5005", &Login::Open, &[][..]), ("http://rasa:5005", &token, &rasa[..])]
        {
            let (what, _) = fit(address, login, allowed).unwrap_err();
            assert!(what.ends_with("sent to rasa without TLS"), "{what}");
        }
    }

    #[test]
    fn an_address_is_a_place_and_nothing_besides() {
        for wrong in [
            "localhost:5005",
            "ftp://x",
            "https://",
            "http://:5005",
            "https://u:hunter2@x",
            "https://x?token=hunter2",
            "https://a b",
        ] {
            let (what, cure) = fit(wrong, &Login::Open, &[]).unwrap_err();
            assert!(!what.contains("hunter2") && !cure.is_empty(), "{wrong}: {what}");
        }
    }
}
