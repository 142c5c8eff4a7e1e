//! Tokens of OAuth 2: asks for one and reads the answer.
//!
//! When a token is asked for is decided in `kept`, and what becomes of a refresh token in `refresh`. Of an answer nothing
//! but its status and the standard's names of errors ever gets into a text.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use regex::Regex;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::apply::{basic, sensitive};
use super::assertion::Assertion;
use super::kept::{Fetch, Fetched, Kept};
use super::refresh::Refresh;
use super::settings::Settings;
use crate::connector::http::{Client, HeaderMap, HeaderName, HeaderValue, Method, Outgoing, Url, may_carry_secrets, shown};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::secret::Secret;
use crate::store::TokenStore;
use crate::telemetry::TokenFetched;
use crate::template::{Scope, Template, Value as Shown};
use crate::time::{Clock, Deadline};

/// How long the fetch of a token may take. Many calls wait for one, so it cannot depend on the deadline of any.
pub(super) const FETCH: Duration = Duration::from_secs(10);
/// The names of errors that a text may repeat: those of RFC 6749 and RFC 7523, and a few of vendors.
const KNOWN_ERRORS: [&str; 14] = [
    "access_denied",
    "inactive_org",
    "inactive_user",
    "invalid_assertion",
    "invalid_client",
    "invalid_client_id",
    "invalid_code",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
];

/// The tokens of one connection.
pub(super) struct Tokens {
    kept: Kept<HeaderValue>,
    source: Arc<Source>,
    sent_in: HeaderName,
}

impl Tokens {
    pub(super) fn new(
        plan: &plan::OAuth2,
        settings: &Settings,
        client: Arc<Client>,
        clock: Arc<dyn Clock>,
        store: Arc<dyn TokenStore>,
    ) -> Result<Self, String> {
        let sent_in =
            HeaderName::from_bytes(plan.sent_in.as_bytes()).map_err(|_| "`auth.oauth2.sent_in` is no header's name")?;
        let source = Source::new(plan, settings, client, Arc::clone(&clock), store)?;
        Ok(Self { kept: Kept::new(clock), source: Arc::new(source), sent_in })
    }

    /// Puts the token into a request, and sends the request where the token says.
    pub(super) async fn apply(&self, request: &mut Outgoing, until: Deadline) -> Result<(), Fault> {
        let fetch = || -> Fetch<HeaderValue> {
            let source = Arc::clone(&self.source);
            Box::pin(async move {
                let started = Instant::now();
                let fetched = source.fetch().await;
                TokenFetched { host: &shown(&source.url), fault: fetched.as_ref().err(), elapsed: started.elapsed() }.emit();
                fetched
            })
        };
        let token = self.kept.get(until, fetch).await?;
        if let Some(base) = self.base() {
            move_to(&mut request.url, &base)?;
            may_carry_secrets(&request.url)?;
        }
        request.headers.insert(&self.sent_in, HeaderValue::clone(&token));
        Ok(())
    }

    pub(super) fn refuse(&self) {
        self.kept.refuse();
    }

    pub(super) fn base(&self) -> Option<Url> {
        self.source.address.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Where the tokens of one connection come from.
struct Source {
    url: Url,
    grant: Grant,
    client: Arc<Client>,
    clock: Arc<dyn Clock>,
    /// What every request for a token says.
    fields: Vec<(String, Secret)>,
    headers: HeaderMap,
    json: bool,
    expires_after: Option<Duration>,
    sent_as: Template,
    scope: Scope,
    base: Option<(String, Regex)>,
    /// The address that came with the last token.
    address: Mutex<Option<Url>>,
}

enum Grant {
    ClientCredentials,
    RefreshToken(Box<Refresh>),
    JwtBearer(Box<Assertion>),
}

/// What a token endpoint gave away.
pub(super) struct Granted {
    access: Secret,
    /// A refresh token for the next time, where the answer brings one.
    pub(super) refresh: Option<Secret>,
    lifetime: Option<Duration>,
    address: Option<Url>,
}

/// Why a token endpoint gave nothing away.
pub(super) struct NotGranted {
    pub(super) fault: Fault,
    /// Whether the grant itself, such as a refresh token, is no longer good.
    pub(super) grant_is_over: bool,
}

/// A request for a token that is under way.
pub(super) type Asking<'a> = BoxFuture<'a, Result<Granted, NotGranted>>;

impl From<Fault> for NotGranted {
    fn from(fault: Fault) -> Self {
        Self { fault, grant_is_over: false }
    }
}

impl Source {
    fn new(
        plan: &plan::OAuth2,
        settings: &Settings,
        client: Arc<Client>,
        clock: Arc<dyn Clock>,
        store: Arc<dyn TokenStore>,
    ) -> Result<Self, String> {
        let url = settings.text(&plan.token_url, "`auth.oauth2.token_url`")?;
        let url = Url::parse(url.expose()).map_err(|_| "`auth.oauth2.token_url` is not an address: write https://…")?;
        may_carry_secrets(&url).map_err(|fault| format!("`auth.oauth2.token_url`: {}", fault.operator))?;
        let optional =
            |template: &Option<Template>, what| template.as_ref().map_or(Ok(None), |it| settings.text(it, what).map(Some));
        let id = optional(&plan.client_id, "`auth.oauth2.client_id`")?;
        let secret = optional(&plan.client_secret, "`auth.oauth2.client_secret`")?;
        let mut headers = HeaderMap::new();
        for (name, value) in settings.map(&plan.headers)? {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header's name"))?;
            let value = sensitive(value.expose())
                .ok_or_else(|| format!("the header {name} holds characters that a header cannot"))?;
            headers.insert(name, value);
        }
        let mut fields = settings.map(&plan.params)?;
        let grant = match &plan.grant {
            plan::Grant::ClientCredentials => Grant::ClientCredentials,
            plan::Grant::JwtBearer(assertion) => Grant::JwtBearer(Box::new(Assertion::new(assertion, settings)?)),
            plan::Grant::RefreshToken { token, rotates } => {
                let token = settings.text(token, "`auth.oauth2.refresh_token`")?;
                let who = [url.as_str(), id.as_ref().map_or("", Secret::expose)];
                Grant::RefreshToken(Box::new(Refresh::new(token, who, rotates.then_some(store), Arc::clone(&clock))?))
            }
        };
        // As they are, without the encoding that RFC 6749 asks for, which most vendors do not undo.
        if let Some(id) = &id
            && plan.client_basic
        {
            let value = basic(id.expose(), secret.as_ref().map_or("", Secret::expose));
            let value = sensitive(value.expose()).ok_or("`auth.oauth2.client_id` cannot be sent in a header")?;
            headers.insert("authorization", value);
        } else {
            fields.extend(id.map(|id| ("client_id".to_owned(), id)));
            fields.extend(secret.map(|secret| ("client_secret".to_owned(), secret)));
        }
        headers.insert("accept", HeaderValue::from_static("application/json"));
        let kind = if plan.json { "application/json" } else { "application/x-www-form-urlencoded" };
        headers.insert("content-type", HeaderValue::from_static(kind));
        Ok(Self {
            url,
            grant,
            client,
            clock,
            fields,
            headers,
            json: plan.json,
            expires_after: plan.expires_after,
            sent_as: plan.sent_as.clone(),
            scope: settings.scope().clone(),
            base: plan.base.as_ref().map(|base| (base.from.clone(), base.host.clone())),
            address: Mutex::default(),
        })
    }

    async fn fetch(&self) -> Result<Fetched<HeaderValue>, Fault> {
        let until = Deadline::after(FETCH);
        let granted = match &self.grant {
            Grant::ClientCredentials => self.ask("client_credentials", None, until).await.map_err(|failed| failed.fault)?,
            Grant::JwtBearer(assertion) => {
                let claim = assertion.sign(self.clock.now())?;
                let kind = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                self.ask(kind, Some(("assertion", &claim)), until).await.map_err(|failed| failed.fault)?
            }
            Grant::RefreshToken(refresh) => {
                let ask = |token: Secret, until: Deadline| -> Asking<'_> {
                    Box::pin(async move { self.ask("refresh_token", Some(("refresh_token", &token)), until).await })
                };
                refresh.redeem(ask).await?
            }
        };
        let scope = self.scope.with("token", Shown::from(granted.access.expose()));
        let unfit = || self.unexpected("a token that cannot be sent in a header");
        let value = self.sent_as.text(&scope).map_err(|_| unfit())?;
        let value = sensitive(&value).ok_or_else(unfit)?;
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = granted.address;
        Ok(Fetched { value, lifetime: granted.lifetime.or(self.expires_after) })
    }

    /// Asks for a token once.
    async fn ask(&self, grant: &str, with: Option<(&str, &Secret)>, until: Deadline) -> Result<Granted, NotGranted> {
        let own = self.fields.iter().map(|(name, value)| (name.as_str(), value.expose()));
        let fields = [("grant_type", grant)].into_iter().chain(with.map(|(name, value)| (name, value.expose()))).chain(own);
        let body = if self.json { as_json(fields) } else { as_form(self.url.clone(), fields) };
        let request =
            Outgoing { method: Method::POST, url: self.url.clone(), headers: self.headers.clone(), body: Some(body) };
        let answer = self.client.send(request, until).await?;
        let body: Option<Map<String, Value>> = serde_json::from_slice(&answer.body).ok();
        let error = body.as_ref().and_then(|body| body.get("error")).and_then(Value::as_str);
        if !answer.status.is_success() || error.is_some() {
            return Err(self.refused(answer.status.as_u16(), error, &answer.headers));
        }
        let body = body.ok_or_else(|| self.unexpected("something else than a JSON object"))?;
        Ok(self.granted(&body)?)
    }

    fn granted(&self, body: &Map<String, Value>) -> Result<Granted, Fault> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let access = text("access_token").ok_or_else(|| self.unexpected("no `access_token`"))?;
        let lifetime = body.get("expires_in").and_then(seconds).filter(|lifetime| !lifetime.is_zero());
        let address = match &self.base {
            None => None,
            Some((from, host)) => {
                let address = text(from).ok_or_else(|| self.unexpected(&format!("no `{from}`")))?;
                Some(address_in(address, host).ok_or_else(|| {
                    self.unexpected(&format!("an address in `{from}` whose host the connector's file does not allow"))
                })?)
            }
        };
        let refresh = text("refresh_token").map(|token| Secret::new(token.to_owned()));
        Ok(Granted { access: Secret::new(access.to_owned()), refresh, lifetime, address })
    }

    fn refused(&self, status: u16, error: Option<&str>, headers: &HeaderMap) -> NotGranted {
        let error = error.filter(|error| KNOWN_ERRORS.contains(error));
        let host = shown(&self.url);
        let said = error.map(|error| format!(" ({error})")).unwrap_or_default();
        let transient = matches!(error, Some("server_error" | "temporarily_unavailable"));
        let (outcome, text) = match status {
            429 => (Outcome::RateLimited, format!("{host} gives no token: it was asked too often")),
            500.. => (Outcome::Unavailable, format!("{host} gives no token: status {status}{said}")),
            _ if transient => (Outcome::Unavailable, format!("{host} gives no token: status {status}{said}")),
            _ => {
                let what = match &self.grant {
                    Grant::RefreshToken(_) if grant_is_over(error) => {
                        "the refresh token is no longer good: get a new one, and set it"
                    }
                    Grant::JwtBearer(_) => "check client, user, audience and key, and that the certificate is known there",
                    _ => "check the client's id and secret, and what it may ask for",
                };
                (Outcome::Misconfigured, format!("{host} gives no token: status {status}{said}; {what}"))
            }
        };
        let mut fault = Fault::new(outcome, text);
        fault.retry_after =
            headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok()).map(Duration::from_secs);
        NotGranted { fault, grant_is_over: outcome == Outcome::Misconfigured && grant_is_over(error) }
    }

    fn unexpected(&self, what: &str) -> Fault {
        Fault::new(Outcome::Unexpected, format!("{} answers the request for a token with {what}", shown(&self.url)))
    }
}

fn grant_is_over(error: Option<&str>) -> bool {
    matches!(error, Some("invalid_grant" | "invalid_code"))
}

/// Some vendors write the number as a text.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn address_in(text: &str, host: &Regex) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let allowed = host.is_match(url.host_str()?) && url.username().is_empty() && url.password().is_none();
    (allowed && may_carry_secrets(&url).is_ok()).then_some(url)
}

/// The same path and query at another host.
fn move_to(url: &mut Url, base: &Url) -> Result<(), Fault> {
    let moved =
        url.set_scheme(base.scheme()).is_ok() && url.set_host(base.host_str()).is_ok() && url.set_port(base.port()).is_ok();
    match moved {
        true => Ok(()),
        false => Err(Fault::new(Outcome::Unexpected, "the address that came with the token cannot be used")),
    }
}

fn as_json<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Bytes {
    let object: Map<String, Value> = fields.map(|(name, value)| (name.to_owned(), value.into())).collect();
    Value::Object(object).to_string().into()
}

/// A form is written as a query is, which an address can do.
fn as_form<'a>(mut url: Url, fields: impl Iterator<Item = (&'a str, &'a str)>) -> Bytes {
    url.query_pairs_mut().clear().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned().into()
}
