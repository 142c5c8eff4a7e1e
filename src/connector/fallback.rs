//! The action server behind this one: calls that are passed on to it as they came, and what its answers mean.

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::assistant::place;
use super::http::{Client, ClientOptions, HeaderMap, HeaderValue, Incoming, Method, Outgoing, StatusCode, Url};
use crate::fault::{Fault, Outcome};
use crate::name::ActionName;
use crate::plan::assistant::Login;
use crate::plan::fallback::Fallback as Plan;
use crate::rasa::{Answer, Reply};
use crate::secret::{Reference, Secret};
use crate::time::Deadline;

/// An action server.
pub struct Fallback {
    client: Client,
    webhook: Url,
}

impl Fallback {
    /// Makes the way to it ready; nothing is sent. `secret` reads a reference.
    ///
    /// # Errors
    /// What is missing or cannot be used, without a secret.
    pub fn open(plan: &Plan, secret: &dyn Fn(&Reference) -> Result<Secret, String>) -> Result<Self, String> {
        let (webhook, allow_private) = place(&plan.url, &Login::Open, &plan.allow_private, secret)?;
        let client = Client::new(&ClientOptions { allow_private, ..ClientOptions::default() })?;
        Ok(Self { client, webhook })
    }

    /// Passes a call on; the answer is what the server says.
    ///
    /// # Errors
    /// As an operation's call ends: `unavailable`, `timeout`, `unexpected` for what no action server answers.
    pub async fn forward(&self, call: Bytes, until: Deadline) -> Result<Reply, Fault> {
        let json = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let request = Outgoing { method: Method::POST, url: self.webhook.clone(), headers: json, body: Some(call) };
        reply(&self.client.send(request, until).await?)
    }

    /// The names of its actions.
    ///
    /// # Errors
    /// As [`Self::forward`].
    pub async fn actions(&self, until: Deadline) -> Result<Vec<String>, Fault> {
        let mut url = self.webhook.clone();
        let path = url.path().trim_end_matches('/').strip_suffix("/webhook").unwrap_or_default().to_owned();
        url.set_path(&format!("{path}/actions"));
        let request = Outgoing { method: Method::GET, url, headers: HeaderMap::new(), body: None };
        let answer = self.client.send(request, until).await?;
        let listed: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let named = |one: &Value| one["name"].as_str().map(str::to_owned);
        match listed.as_array() {
            Some(listed) if answer.status == StatusCode::OK => Ok(listed.iter().filter_map(named).collect()),
            _ => Err(Fault::new(Outcome::Unexpected, format!("the fallback server lists no actions ({})", answer.status))),
        }
    }
}

/// What an answer means, as the action server protocol says it.
fn reply(answer: &Incoming) -> Result<Reply, Fault> {
    let status = answer.status;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let action = || body["action_name"].as_str().unwrap_or_default().to_owned();
    let wrong = |outcome, what: String| Err(Fault::new(outcome, format!("the fallback server {what}")));
    match status {
        StatusCode::OK if body.is_null() && &*answer.body == b"null" => Ok(Reply::Nothing),
        StatusCode::OK => {
            let answer = Answer::reread(body).map(Reply::Answer);
            answer.or_else(|what| wrong(Outcome::Unexpected, format!("does not answer as an action server does: {what}")))
        }
        StatusCode::BAD_REQUEST if body["action_name"].is_string() => {
            let reason = body["error"].as_str().unwrap_or_default().to_owned();
            Ok(Reply::Rejected { action: action(), reason })
        }
        StatusCode::NOT_FOUND if body["action_name"].is_string() => Ok(Reply::NotRegistered { action: action() }),
        _ if status.as_u16() == 449 => match ActionName::parse(&action()) {
            Some(action) => Ok(Reply::NeedsDomain { action }),
            None => wrong(Outcome::Unexpected, "wants the domain, and does not say for which action".to_owned()),
        },
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            wrong(Outcome::Misconfigured, format!("has no webhook there ({status}): check the path of `url`"))
        }
        _ if status.is_server_error() => wrong(Outcome::Unavailable, format!("answers with {status}: its own log says why")),
        _ => wrong(Outcome::Unexpected, format!("answers with {status}")),
    }
}
