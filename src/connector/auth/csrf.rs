//! The token against forged requests that some systems ask of every write, with the cookies of the session that it belongs
//! to.

use std::sync::Arc;
use std::time::Duration;

use super::apply::sensitive;
use super::kept::{Fetched, Kept};
use super::settings::Settings;
use crate::connector::http::{
    Client, HeaderMap, HeaderName, HeaderValue, Incoming, Method, Outgoing, StatusCode, Url, shown,
};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::auth as plan;
use crate::secret::Secret;
use crate::time::{Clock, Deadline};

/// How long the fetch may take; many calls wait for one.
const FETCH: Duration = Duration::from_secs(10);

/// The sessions of one connection.
pub(super) struct Csrf {
    path: Secret,
    header: HeaderName,
    kept: Kept<Session>,
}

struct Session {
    /// Scheme, host and port: a cookie goes nowhere else.
    origin: String,
    token: HeaderValue,
    cookies: Option<HeaderValue>,
}

impl Csrf {
    /// # Errors
    /// When the path cannot be made.
    pub(super) fn new(plan: &plan::Csrf, settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let path = settings.text(&plan.path, "`auth.csrf.path`")?;
        let header = HeaderName::from_bytes(plan.header.as_bytes()).map_err(|_| "`auth.csrf.header` is no header's name")?;
        Ok(Self { path, header, kept: Kept::new(clock) })
    }

    /// The request that asks for a token at the host of `url`; it needs a proof of its own.
    pub(super) fn ask(&self, url: &Url) -> Result<Outgoing, Fault> {
        let mut at = url.clone();
        at.set_query(None);
        at.set_fragment(None);
        at.set_path(self.path.expose());
        let mut headers = HeaderMap::new();
        headers.insert(&self.header, HeaderValue::from_static("Fetch"));
        headers.insert("accept", HeaderValue::from_static("application/json"));
        Ok(Outgoing { method: Method::GET, url: at, headers, body: None })
    }

    /// Puts token and cookies into a request; by `ask` when there are none for its host.
    pub(super) async fn apply(
        &self,
        request: &mut Outgoing,
        ask: Outgoing,
        client: &Arc<Client>,
        until: Deadline,
    ) -> Result<(), Fault> {
        let origin = request.url.origin().ascii_serialization();
        self.kept.retain(|session| session.origin == origin);
        let (client, header) = (Arc::clone(client), self.header.clone());
        let session = self.kept.get(until, move || Box::pin(fetch(client, ask, header))).await?;
        request.headers.insert(&self.header, session.token.clone());
        if let Some(cookies) = &session.cookies {
            request.headers.insert("cookie", cookies.clone());
        }
        Ok(())
    }

    /// Whether an answer says that the token, and not the user, was refused.
    pub(super) fn is_refused(&self, answer: &Incoming) -> bool {
        let said = answer.headers.get(&self.header);
        answer.status == StatusCode::FORBIDDEN && said.is_some_and(|said| said.as_bytes().eq_ignore_ascii_case(b"required"))
    }

    pub(super) fn refuse(&self) {
        self.kept.refuse();
    }
}

async fn fetch(client: Arc<Client>, ask: Outgoing, header: HeaderName) -> Result<Fetched<Session>, Fault> {
    let (host, origin) = (shown(&ask.url), ask.url.origin().ascii_serialization());
    let answer = client.send(ask, Deadline::after(FETCH)).await?;
    let outcome = match answer.status.as_u16() {
        429 => Outcome::RateLimited,
        400..500 => Outcome::Misconfigured,
        500.. => Outcome::Unavailable,
        _ => Outcome::Unexpected,
    };
    let failed = || Fault::new(outcome, format!("{host} gives no {header}: status {}", answer.status.as_u16()));
    let token = answer.headers.get(&header).filter(|_| answer.status.is_success()).ok_or_else(failed)?;
    let mut token = token.clone();
    token.set_sensitive(true);
    let pairs = answer.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let cookies = pairs.map(str::trim).filter(|pair| pair.contains('=')).collect::<Vec<_>>().join("; ");
    let cookies = if cookies.is_empty() { None } else { sensitive(&cookies) };
    Ok(Fetched { value: Session { origin, token, cookies }, lifetime: None })
}
