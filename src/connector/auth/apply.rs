//! What a connection proves itself with, and how a request comes to carry it.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use indexmap::IndexMap;

use super::aws::Signer;
use super::csrf::Csrf;
use super::oauth1;
use super::oauth2::Tokens;
use super::settings::Settings;
use crate::connector::http::{Client, HeaderName, HeaderValue, Incoming, Outgoing, StatusCode, Url, may_carry_secrets};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::SettingValue;
use crate::plan::connector::auth as plan;
use crate::secret::Secret;
use crate::store::TokenStore;
use crate::time::{Clock, Deadline};

/// What one connection proves itself with.
pub(in crate::connector) struct Auth {
    proof: Proof,
    csrf: Option<Csrf>,
    client: Arc<Client>,
}

enum Proof {
    None,
    Header { name: HeaderName, value: HeaderValue },
    Query { name: String, value: Secret },
    Path { before: Vec<Secret>, after: Vec<Secret> },
    Token(Box<Tokens>),
    OAuth1(Box<oauth1::Signer>),
    Aws(Box<Signer>),
}

impl Auth {
    /// Reads the secrets from the settings; sends nothing yet. `settings` has every setting of the connector, those that are
    /// not set with their default.
    ///
    /// # Errors
    /// What is missing or cannot be used, and what to do; never a secret.
    pub(in crate::connector) fn new(
        plan: &plan::Auth,
        settings: &IndexMap<String, Option<SettingValue>>,
        client: Arc<Client>,
        clock: Arc<dyn Clock>,
        store: Arc<dyn TokenStore>,
    ) -> Result<Self, String> {
        let settings = Settings::new(settings);
        let proof = match &plan.proof {
            plan::Proof::None => Proof::None,
            plan::Proof::Header { name, value } => {
                header(name, settings.text(value, "`auth.header`")?.expose(), "`auth.header`")?
            }
            plan::Proof::Bearer(token) => {
                let token = settings.text(token, "`auth.bearer`")?;
                header("authorization", &format!("Bearer {}", token.expose()), "`auth.bearer`")?
            }
            plan::Proof::Basic { user, password } => {
                let user = settings.text(user, "`auth.basic.user`")?;
                let password = settings.optional(password, "`auth.basic.password`")?;
                let value = basic(user.expose(), password.as_ref().map_or("", Secret::expose));
                header("authorization", value.expose(), "`auth.basic`")?
            }
            plan::Proof::Query { name, value } => {
                Proof::Query { name: name.clone(), value: settings.text(value, "`auth.query`")? }
            }
            plan::Proof::Path { before, after } => {
                let part = |part: &Option<_>, what| {
                    part.as_ref().map_or(Ok(Vec::new()), |part| segments(&settings.text(part, what)?, what))
                };
                Proof::Path { before: part(before, "`auth.path.before`")?, after: part(after, "`auth.path.after`")? }
            }
            plan::Proof::OAuth2(oauth2) => {
                Proof::Token(Box::new(Tokens::new(oauth2, &settings, Arc::clone(&client), Arc::clone(&clock), store)?))
            }
            plan::Proof::OAuth1(oauth1) => {
                Proof::OAuth1(Box::new(oauth1::Signer::new(oauth1, &settings, Arc::clone(&clock))?))
            }
            plan::Proof::Aws(aws) => Proof::Aws(Box::new(Signer::new(aws, &settings, Arc::clone(&clock))?)),
        };
        let csrf = plan.csrf.as_ref().map(|csrf| Csrf::new(csrf, &settings, clock)).transpose()?;
        Ok(Self { proof, csrf, client })
    }

    /// Makes a request carry the proof: the last thing before it is sent, since a signature covers all of it. Fetches a
    /// token when there is none or it is about to end. Where the token came with an address, the request goes there.
    ///
    /// # Errors
    /// Why there is no token, or `misconfigured` when the request would carry a secret without TLS.
    pub(in crate::connector) async fn apply(&self, request: &mut Outgoing, until: Deadline) -> Result<(), Fault> {
        self.prove(request, until).await?;
        if let Some(csrf) = self.csrf.as_ref().filter(|_| !request.method.is_safe()) {
            let ended = self.prove_freshness(csrf, request, until).await;
            match &self.proof {
                // The fetch is a request as well, and may be the first to learn that a token has ended.
                Proof::Token(tokens) if ended.as_ref().is_err_and(|fault| fault.outcome == Outcome::Misconfigured) => {
                    tokens.refuse();
                    self.prove(request, until).await?;
                    self.prove_freshness(csrf, request, until).await?;
                }
                _ => ended?,
            }
        }
        Ok(())
    }

    async fn prove_freshness(&self, csrf: &Csrf, request: &mut Outgoing, until: Deadline) -> Result<(), Fault> {
        let mut ask = csrf.ask(&request.url)?;
        self.prove(&mut ask, until).await?;
        csrf.apply(request, ask, &self.client, until).await
    }

    /// Asked of every answer with the status 401 or 403. Drops what was refused, and says whether the request may be sent
    /// once more, after another [`Self::apply`].
    pub(in crate::connector) async fn rejected(&self, answer: &Incoming) -> bool {
        if let Some(csrf) = self.csrf.as_ref().filter(|csrf| csrf.is_refused(answer)) {
            csrf.refuse();
            return true;
        }
        match &self.proof {
            Proof::Token(tokens) if answer.status == StatusCode::UNAUTHORIZED => {
                tokens.refuse();
                true
            }
            _ => false,
        }
    }

    /// The address that came with the token that was fetched last: scheme, host and port. [`Self::apply`] sends requests
    /// there by itself.
    pub(in crate::connector) fn base(&self) -> Option<Url> {
        match &self.proof {
            Proof::Token(tokens) => tokens.base(),
            _ => None,
        }
    }

    async fn prove(&self, request: &mut Outgoing, until: Deadline) -> Result<(), Fault> {
        if !matches!(self.proof, Proof::None) {
            may_carry_secrets(&request.url)?;
        }
        match &self.proof {
            Proof::None => Ok(()),
            Proof::Header { name, value } => {
                request.headers.insert(name, value.clone());
                Ok(())
            }
            Proof::Query { name, value } => {
                request.url.query_pairs_mut().append_pair(name, value.expose());
                Ok(())
            }
            Proof::Path { before, after } => surround(&mut request.url, before, after),
            Proof::Token(tokens) => tokens.apply(request, until).await,
            Proof::OAuth1(signer) => signer.sign(request),
            Proof::Aws(signer) => signer.sign(request),
        }
    }
}

impl fmt::Debug for Auth {
    /// The kind; the rest are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.proof {
            Proof::None => "no proof",
            Proof::Header { .. } => "a header",
            Proof::Query { .. } => "a parameter of the query",
            Proof::Path { .. } => "a part of the path",
            Proof::Token(_) => "a token",
            Proof::OAuth1(_) | Proof::Aws(_) => "a signature",
        })
    }
}

/// The value of `Authorization: Basic …`.
pub(super) fn basic(user: &str, password: &str) -> Secret {
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// A secret as the value of a header.
pub(super) fn sensitive(value: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(value).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn header(name: &str, value: &str, what: &str) -> Result<Proof, String> {
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{what} has no name that a header can have"))?;
    let value = sensitive(value)
        .ok_or_else(|| format!("{what} holds characters that a header cannot: check for line ends and accents"))?;
    Ok(Proof::Header { name, value })
}

/// The segments of a part of a path.
fn segments(part: &Secret, what: &str) -> Result<Vec<Secret>, String> {
    let segments: Vec<_> = part.expose().split('/').filter(|segment| !segment.is_empty()).collect();
    if segments.iter().any(|segment| matches!(*segment, "." | "..")) {
        return Err(format!("{what} leads to another place: it cannot hold `.` and `..`"));
    }
    Ok(segments.into_iter().map(|segment| Secret::new(segment.to_owned())).collect())
}

/// Puts segments around a path. They are percent-encoded, so that none of them ends the path or climbs in it.
fn surround(url: &mut Url, before: &[Secret], after: &[Secret]) -> Result<(), Fault> {
    let path = url.path().to_owned();
    let encoded = |segments: &[Secret]| -> Option<String> {
        let mut blank = url.clone();
        blank.set_path("");
        // Per cent signs would pass as they are, and could then be read as dots.
        blank.path_segments_mut().ok()?.clear().extend(segments.iter().map(Secret::expose));
        Some(blank.path().to_owned())
    };
    let no_path = || Fault::new(Outcome::Misconfigured, "the address has no path");
    let before = if before.is_empty() { String::new() } else { encoded(before).ok_or_else(no_path)? };
    let after = if after.is_empty() { String::new() } else { encoded(after).ok_or_else(no_path)? };
    let path = if after.is_empty() && !before.is_empty() && path == "/" { "" } else { path.as_str() };
    let path = if after.is_empty() { path } else { path.trim_end_matches('/') };
    url.set_path(&format!("{before}{path}{after}"));
    Ok(())
}
