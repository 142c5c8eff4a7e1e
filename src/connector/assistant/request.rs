//! The requests to an assistant's API: what they hold, and where a conversation is.

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::open::{Assistant, Proof};
use super::token::{Role, sign};
use crate::connector::http::{HeaderMap, HeaderValue, Method, Outgoing, Url, may_carry_secrets};
use crate::fault::{Fault, Outcome};
use crate::rasa::Message;

impl Assistant {
    /// A request about the server itself.
    pub(super) fn about(&self, path: &str) -> Result<Outgoing, Fault> {
        self.request(Method::GET, path, None, None, Role::Admin)
    }

    /// A request to a conversation; its answer leaves the events out.
    pub(super) fn to(&self, sender: &str, what: &str, more: &[(&str, &str)], body: &Value) -> Result<Outgoing, Fault> {
        let path = place(sender, what)?;
        let query = [&[("output_channel", self.channel.as_str()), ("include_events", "NONE")], more].concat();
        self.request(Method::POST, &path, Some(&query), Some(body), Role::User(sender))
    }

    /// A request about a conversation, with all of its answer.
    pub(super) fn of(&self, sender: &str, what: &str) -> Result<Outgoing, Fault> {
        self.request(Method::GET, &place(sender, what)?, None, None, Role::User(sender))
    }

    /// A request of any path; `query` and `body` where there are some.
    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        query: Option<&[(&str, &str)]>,
        body: Option<&Value>,
        role: Role<'_>,
    ) -> Result<Outgoing, Fault> {
        let mut url: Url = self.base.clone();
        url.set_path(&format!("{}/{path}", self.base.path().trim_end_matches('/')));
        if let Some(query) = query {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut headers = HeaderMap::new();
        match &self.proof {
            Proof::Open => {}
            Proof::Token(token) => {
                may_carry_secrets(&url)?;
                url.query_pairs_mut().append_pair("token", token.expose());
            }
            Proof::Jwt(secret) => {
                let token = sign(secret, role, self.clock.now());
                let header = HeaderValue::try_from(format!("Bearer {}", token.expose()));
                let mut header = header.map_err(|_| Fault::new(Outcome::Unexpected, "a JWT does not fit a header"))?;
                header.set_sensitive(true);
                headers.insert(AUTHORIZATION, header);
            }
        }
        let body = body.map(|body| {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Bytes::from(body.to_string())
        });
        Ok(Outgoing { method, url, headers, body })
    }
}

/// Where a conversation is.
fn place(sender: &str, what: &str) -> Result<String, Fault> {
    if !addressable(sender) {
        let text = "the conversation cannot be called back: its sender id has characters that have to be encoded in an \
                    address, and Rasa takes those for another conversation's";
        return Err(Fault::new(Outcome::Invalid, text));
    }
    Ok(format!("conversations/{sender}/{what}"))
}

/// The longest sender id that is sent: an address as a whole has to stay below Rasa's 8 KiB.
const LONGEST: usize = 2000;

/// Whether a sender id can stand in an address as it is. Rasa does not decode it there, so what would have to be encoded
/// leads to another conversation; and it is never let out of its place.
pub(super) fn addressable(sender: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@".contains(c);
    let segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(plain);
    sender.len() <= LONGEST && sender.split('/').all(segment)
}

/// Messages as the events that Rasa makes of those of its own.
///
/// # Errors
/// `invalid` for a response of the domain, which Rasa renders within its own turns only.
pub(super) fn events(messages: &[Message]) -> Result<Value, Fault> {
    messages.iter().map(event).collect::<Result<Vec<_>, _>>().map(Value::Array)
}

fn event(message: &Message) -> Result<Value, Fault> {
    if let Some(response) = &message.response {
        let text =
            format!("`{response}` cannot be said by a call back: write the text, or trigger an intent that leads to it");
        return Err(Fault::new(Outcome::Invalid, text));
    }
    let mut data = serde_json::Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data.insert(key.to_owned(), value);
        }
    };
    put("buttons", (!message.buttons.is_empty()).then(|| json!(message.buttons)));
    put("elements", (!message.elements.is_empty()).then(|| json!(message.elements)));
    put("custom", (!message.custom.is_empty()).then(|| json!(message.custom)));
    put("image", message.image.as_ref().map(|image| json!(image)));
    put("attachment", message.attachment.clone());
    let metadata: serde_json::Map<_, _> =
        message.further().filter(|(key, _)| *key != "timestamp").map(|(key, value)| (key.clone(), value.clone())).collect();
    Ok(json!({ "event": "bot", "text": message.text, "data": data, "metadata": metadata }))
}
