//! Makes HTTP responses: the one place that knows our status codes. Every response is JSON, `/metrics` aside, and no
//! response repeats anything of a request's body.

use std::fmt;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use crate::rasa::{Malformed, Reply};
use crate::telemetry::Refused;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a request did not get as far as an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Neither a credential nor one that is right; what would be looked for, as `WWW-Authenticate` says it.
    Unauthorized { shown: bool, challenges: Vec<&'static str> },
    /// No such page.
    NoSuchPath,
    /// The page has other methods.
    WrongMethod,
    /// The body did not arrive in time.
    Slow,
    /// The body, as sent or inflated, has more bytes than this.
    TooLarge { limit: usize },
    /// There are so many bodies that there was no room for this one in time.
    NoRoom,
    /// The content type is not JSON.
    NotJson,
    /// A content encoding that is not known here.
    Encoding,
    /// The body broke off, or does not inflate.
    Damaged(&'static str),
    /// The body is not a call.
    Malformed(Malformed),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized { .. } => StatusCode::UNAUTHORIZED,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::NotJson | Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Damaged(_) | Self::Malformed(_) => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Unauthorized { shown: true, .. } => "wrong_credentials",
            Self::Unauthorized { shown: false, .. } => "no_credentials",
            Self::NoSuchPath => "no_such_path",
            Self::WrongMethod => "wrong_method",
            Self::Slow => "body_too_slow",
            Self::TooLarge { .. } => "body_too_large",
            Self::NoRoom => "no_room",
            Self::NotJson => "not_json",
            Self::Encoding => "unknown_encoding",
            Self::Damaged(_) => "damaged_body",
            Self::Malformed(_) => "malformed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthorized { shown: true, .. } => f.write_str("the credentials are not right"),
            Self::Unauthorized { shown: false, .. } => f.write_str("credentials are needed"),
            Self::NoSuchPath => f.write_str("there is no such page; calls go to POST /webhook"),
            Self::WrongMethod => f.write_str("this page does not take that method; calls go to POST /webhook"),
            Self::Slow => f.write_str("the body did not arrive in time"),
            Self::TooLarge { limit } => write!(f, "the body is larger than {limit} bytes"),
            Self::NoRoom => f.write_str("the server has no room for another body now; send it again"),
            Self::NotJson => f.write_str("the content type has to be application/json"),
            Self::Encoding => f.write_str("the content encoding has to be gzip, deflate or identity"),
            Self::Damaged(what) => f.write_str(what),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        Refused { status: status.as_u16(), reason: self.reason(), detail: &self }.emit();
        let mut response = of(status, &json!({"error": self.to_string()}));
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized { challenges, .. } => {
                for challenge in challenges {
                    headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
                }
            }
            Self::Encoding => {
                drop(headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, identity")))
            }
            // The rest of the body is not going to be read, so this connection has no next request.
            Self::TooLarge { .. } | Self::Slow | Self::NoRoom => {
                drop(headers.insert(header::CONNECTION, HeaderValue::from_static("close")))
            }
            _ => {}
        }
        response
    }
}

/// What the engine said, under the status that Rasa knows it by.
pub(super) fn reply(reply: &Reply) -> Response {
    match reply {
        Reply::Answer(answer) => of(StatusCode::OK, answer),
        Reply::Nothing => of(StatusCode::OK, &()),
        Reply::Rejected { action, reason } => of(StatusCode::BAD_REQUEST, &json!({"error": reason, "action_name": action})),
        Reply::NotRegistered { action } => {
            let error = format!("No registered action found for name '{action}'.");
            of(StatusCode::NOT_FOUND, &json!({"error": error, "action_name": action}))
        }
        Reply::NeedsDomain { action } => {
            // Not an official status, but the one that Rasa Pro resends the domain after.
            let status = StatusCode::from_u16(449).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let error = "the action reads the domain, and the call came without it";
            of(status, &json!({"error": error, "action_name": action.as_str()}))
        }
    }
}

/// A page of the operators.
pub(super) fn page(value: &impl Serialize) -> Response {
    of(StatusCode::OK, value)
}

/// A health check's answer while the server is about to stop.
pub(super) fn draining() -> Response {
    of(StatusCode::SERVICE_UNAVAILABLE, &json!({"status": "draining"}))
}

/// Metrics in Prometheus' text format.
pub(super) fn prometheus(text: String) -> Response {
    let content_type = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// A bug of ours: its request id, by which the log has more, and nothing else.
pub(super) fn bug(request_id: &str) -> Response {
    of(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "internal error", "request_id": request_id}))
}

fn of(status: StatusCode, value: &impl Serialize) -> Response {
    let mut text = Vec::with_capacity(512);
    if serde_json::to_writer(&mut text, value).is_err() {
        // Only maps with keys that are no texts fail, and nothing here has one.
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(header::CONTENT_TYPE, JSON);
    (status, headers, Body::from(text)).into_response()
}

/// Puts the request's id on its response.
pub(super) fn tag(response: &mut Response, request_id: &str) {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
}

/// A short name of a reply for a log line.
pub(super) fn describe(reply: &Reply) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match reply {
        Reply::Answer(answer) => write!(text, "{} messages, {} events", answer.responses.len(), answer.events.len()),
        Reply::Nothing => write!(text, "no action named"),
        Reply::Rejected { .. } => write!(text, "rejected"),
        Reply::NotRegistered { .. } => write!(text, "not registered"),
        Reply::NeedsDomain { .. } => write!(text, "needs the domain"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::ActionName;
    use crate::rasa::Answer;

    #[test]
    fn every_reply_has_its_status() {
        let name = ActionName::parse("a").unwrap();
        for (value, status) in [
            (Reply::Answer(Answer::default()), 200),
            (Reply::Nothing, 200),
            (Reply::Rejected { action: "a".into(), reason: "no".into() }, 400),
            (Reply::NotRegistered { action: "a".into() }, 404),
            (Reply::NeedsDomain { action: name }, 449),
        ] {
            let response = reply(&value);
            assert_eq!(response.status().as_u16(), status, "{value:?}");
            assert_eq!(response.headers()["content-type"], "application/json");
        }
    }

    #[test]
    fn the_door_itself_never_says_400() {
        for refusal in [
            Refusal::Unauthorized { shown: true, challenges: vec!["Bearer"] },
            Refusal::NoSuchPath,
            Refusal::WrongMethod,
            Refusal::Slow,
            Refusal::TooLarge { limit: 1 },
            Refusal::NoRoom,
            Refusal::NotJson,
            Refusal::Encoding,
            Refusal::Damaged("x"),
            Refusal::Malformed(Malformed::new("", "x", None)),
        ] {
            assert_ne!(refusal.status(), StatusCode::BAD_REQUEST);
        }
    }
}
