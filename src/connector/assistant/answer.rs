//! What an assistant's answer means: that the message is on its way, that nobody hears it, or why it failed.

use serde_json::Value;

use crate::connector::http::{Incoming, StatusCode};
use crate::fault::{Fault, Outcome};
use crate::plan::assistant::LATEST;

/// What became of a call that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The channel that it was for; none where the user has not written on any yet.
    pub channel: Option<String>,
    /// Whether that channel can be sent something that nobody asked for. If not, what was said stands in the conversation's
    /// history and nobody has heard it; saying it again changes nothing.
    pub heard: bool,
}

/// The channels of Rasa that only answer: their users hear nothing between their own messages.
const ONLY_ANSWERING: [&str; 7] = ["rest", "cmdline", "rasa", "botframework", "hangouts", "mattermost", "twilio_voice"];

/// Whether a user on that channel (`latest_input_channel`) can be told something that they did not just ask for. A channel
/// that is not one of Rasa's own is taken for one that can.
#[must_use]
pub fn can_push(channel: Option<&str>) -> bool {
    channel.is_some_and(|channel| !ONLY_ANSWERING.contains(&channel))
}

/// Reads the answer of a call to a conversation, whose state is at `at` in it.
///
/// # Errors
/// See [`refused`]; `misconfigured` for an answer that no Rasa gives, or of another conversation.
pub(super) fn told(incoming: &Incoming, host: &str, at: &str, sender: &str, channel: &str) -> Result<Told, Fault> {
    refused(incoming, host)?;
    let body: Value = serde_json::from_slice(&incoming.body).unwrap_or_default();
    let state = if at.is_empty() { &body } else { &body[at] };
    if state["sender_id"] != *sender {
        let text = format!("{host} does not answer as a Rasa does about this conversation: check `url`");
        return Err(Fault::new(Outcome::Misconfigured, text));
    }
    let channel = if channel == LATEST { state["latest_input_channel"].as_str() } else { Some(channel) };
    Ok(Told { channel: channel.map(str::to_owned), heard: can_push(channel) })
}

/// Whether an answer is no refusal.
///
/// # Errors `misconfigured` for credentials that are refused and an API that is not there, `not_found` for an intent or a
/// conversation that Rasa says it does not know, `unavailable` for trouble of its own and while it has no model,
/// `rate_limited` where something before it says so, `unexpected` for the rest. Nothing of the body is in it.
pub(super) fn refused(incoming: &Incoming, host: &str) -> Result<(), Fault> {
    let status = incoming.status;
    let (outcome, text) = match status {
        StatusCode::OK => return Ok(()),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => (
            Outcome::Misconfigured,
            format!(
                "{host} refuses the credentials ({status}): `token` has to be its --auth-token, or `jwt_secret` its \
                 --jwt-secret (HS256)"
            ),
        ),
        StatusCode::NOT_FOUND if has_reason(incoming) => {
            (Outcome::NotFound, format!("{host} does not know the intent, or not the conversation"))
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => (
            Outcome::Misconfigured,
            format!("{host} has no such API ({status}): start Rasa with --enable-api, and check the path of `url`"),
        ),
        StatusCode::CONFLICT => (Outcome::Unavailable, format!("{host} has no model loaded")),
        StatusCode::TOO_MANY_REQUESTS => (Outcome::RateLimited, format!("{host} asks to be called less often")),
        StatusCode::REQUEST_TIMEOUT => (Outcome::Unavailable, format!("{host} gave up waiting for the request")),
        _ if status.is_server_error() => (
            Outcome::Unavailable,
            format!(
                "{host} answers with {status}: the conversation may be busy, or its channel not to be reached; the \
                 assistant's own log says which"
            ),
        ),
        _ => (Outcome::Unexpected, format!("{host} answers with {status}")),
    };
    let wait = incoming.headers.get("retry-after").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Err(Fault { retry_after: wait.map(std::time::Duration::from_secs), ..Fault::new(outcome, text) })
}

/// Whether Rasa's API itself refused it, rather than the web server that looked for the API.
fn has_reason(incoming: &Incoming) -> bool {
    serde_json::from_slice::<Value>(&incoming.body).is_ok_and(|body| body["reason"].is_string())
}
