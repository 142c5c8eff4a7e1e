//! Talking to an assistant as a user does, over its REST channel, and seeing what its tracker holds: for tests.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::answer::refused;
use super::open::Assistant;
use super::token::Role;
use crate::connector::http::{Incoming, Method, Outgoing, StatusCode, shown};
use crate::fault::{Fault, Outcome};
use crate::name::CallerName;
use crate::plan::assistant::{Address, Assistant as Plan, LATEST, Login, TIMEOUT, fit};
use crate::secret::{Reference, Secret};
use crate::time::{Clock, Deadline};

/// A running assistant.
pub struct Talk(Assistant);

impl Talk {
    /// An assistant at this address, with the token of its API where it asks for one; nothing is sent yet. A host of a private
    /// network may be named without TLS, as long as no token is sent there.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn at(url: &str, token: Option<Secret>, clock: &Arc<dyn Clock>) -> Result<Self, String> {
        let login = match &token {
            Some(_) => Login::Token(Reference::Env("LEGWORK_RASA_TOKEN".to_owned())),
            None => Login::Open,
        };
        let host = url.split("://").nth(1).unwrap_or_default().split(['/', ':']).next().unwrap_or_default().to_owned();
        let allow_private = vec![host];
        fit(url, &login, &allow_private).map_err(|(what, cure)| format!("{what}: {cure}"))?;
        let plan = Plan {
            url: Address::Written(url.to_owned()),
            login,
            output_channel: LATEST.to_owned(),
            timeout: TIMEOUT,
            allow_private,
            authorities: None,
        };
        let secret = |_: &Reference| token.clone().ok_or_else(|| "there is no token".to_owned());
        Assistant::open(&CallerName::anonymous(), &plan, &secret, Path::new("."), clock).map(Self)
    }

    /// Whether there is an assistant.
    ///
    /// # Errors
    /// Why not.
    pub async fn reached(&self) -> Result<(), Fault> {
        let request = self.0.about("version")?;
        refused(&self.send(request).await?, &shown(&self.0.base))
    }

    /// A user says something; what the assistant answers, each message as the REST channel has it.
    ///
    /// # Errors
    /// As for every call of the assistant's, and `misconfigured` where it has no REST channel.
    pub async fn say(&self, sender: &str, text: &str, metadata: &Value) -> Result<Vec<Value>, Fault> {
        let body = json!({ "sender": sender, "message": text, "metadata": metadata });
        let request = self.0.request(Method::POST, "webhooks/rest/webhook", None, Some(&body), Role::User(sender))?;
        let answer = self.send(request).await?;
        if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) {
            let text = format!("{} has no REST channel: write `rest:` in its credentials.yml", shown(&self.0.base));
            return Err(Fault::new(Outcome::Misconfigured, text));
        }
        refused(&answer, &shown(&self.0.base))?;
        match serde_json::from_slice(&answer.body) {
            Ok(Value::Array(messages)) => Ok(messages),
            _ => Err(Fault::new(Outcome::Misconfigured, format!("{} does not answer as a Rasa does", shown(&self.0.base)))),
        }
    }

    /// The tracker of a conversation; none where the assistant's API is not switched on.
    ///
    /// # Errors
    /// As for every call of the assistant's.
    pub async fn tracker(&self, sender: &str) -> Result<Option<Value>, Fault> {
        let path = format!("conversations/{sender}/tracker");
        let request = self.0.request(Method::GET, &path, Some(&[("include_events", "ALL")]), None, Role::User(sender))?;
        let answer = self.send(request).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        refused(&answer, &shown(&self.0.base))?;
        Ok(serde_json::from_slice(&answer.body).ok())
    }

    /// Sets slots in a conversation.
    ///
    /// # Errors
    /// As for every call of the assistant's; `misconfigured` where its API is not switched on.
    pub async fn set(&self, sender: &str, slots: &[(String, Value)]) -> Result<(), Fault> {
        let event = |(name, value): &(String, Value)| json!({ "event": "slot", "name": name, "value": value });
        let events: Value = slots.iter().map(event).collect();
        let request = self.0.to(sender, "tracker/events", &[], &events)?;
        refused(&self.send(request).await?, &shown(&self.0.base))
    }

    async fn send(&self, request: Outgoing) -> Result<Incoming, Fault> {
        self.0.client.send(request, Deadline::after(self.0.timeout)).await
    }
}

impl fmt::Debug for Talk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Talk(…)")
    }
}
