//! The exchanges of examples: requests as they are sent, answers as the vendor documents them.

use serde_json::Value;

use super::{Method, RESERVED};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::spec::connector as spec;
use crate::spec::connector_http::{Receives, Sends};
use crate::spec::{Map, Nullable, Several, Text};

/// A request with its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    /// The request.
    pub sent: Sent,
    /// The answer.
    pub received: Received,
}

/// A request as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The method.
    pub method: Method,
    /// The whole path, encoded.
    pub path: String,
    /// The whole query, decoded: names in any order, the values of one name in this.
    pub query: Vec<(String, Vec<String>)>,
    /// Headers that it has, among others; none for one that it does not have.
    pub headers: Vec<(String, Option<String>)>,
    /// The JSON body.
    pub json: Option<Value>,
    /// The form, as the query.
    pub form: Vec<(String, Vec<String>)>,
    /// The body as text.
    pub text: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The JSON body.
    pub json: Option<Value>,
    /// The body as text.
    pub text: Option<String>,
}

/// The exchanges of an example, in order.
pub(in crate::plan::connector) fn exchanges(written: &spec::Example, out: &mut Diagnostics) -> Vec<Exchange> {
    match (&written.sends, &written.receives, written.exchanges.as_slice()) {
        (Some(sends), Some(receives), []) => one(sends, receives, out).into_iter().collect(),
        (None, None, exchanges) => exchanges.iter().filter_map(|it| one(&it.sends, &it.receives, out)).collect(),
        _ => {
            let message = "an example has `sends` and `receives`, or `exchanges` when there are several";
            out.push(
                Diagnostic::at(Code::MisplacedKey, &written.span, message)
                    .help("write each request with its answer as an entry of `exchanges`"),
            );
            Vec::new()
        }
    }
}

fn one(sends: &Sends, receives: &Receives, out: &mut Diagnostics) -> Option<Exchange> {
    let line = sends.request.as_str().split_once(' ');
    let parsed =
        line.and_then(|(method, path)| Some((Method::ALL.into_iter().find(|it| it.name() == method)?, path.trim())));
    let Some((method, path)) = parsed.filter(|(_, path)| path.starts_with('/')) else {
        let message = "a request as it is sent is a method and a path, such as `GET /api/v2/tickets/1`";
        out.push(
            Diagnostic::at(Code::BadRequest, &sends.request.span, message)
                .help("write the path with the one of `base`, and the query under `query`"),
        );
        return None;
    };
    let status = match &receives.status {
        None => 200,
        Some(whole) => match u16::try_from(whole.value).ok().filter(|status| (200..600).contains(status)) {
            Some(status) => status,
            None => {
                out.push(
                    Diagnostic::at(Code::BadValue, &whole.span, "this is no status of an answer")
                        .help("write one from 200 to 599"),
                );
                return None;
            }
        },
    };
    let pairs = |map: &Map<Text>| map.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
    let several = |map: &Map<Several<Text>>| {
        let values = |texts: &Several<Text>| texts.0.iter().map(|text| text.value.clone()).collect();
        map.iter().map(|(name, texts)| (name.value.clone(), values(texts))).collect()
    };
    let header = |(name, value): (&Text, &Nullable<Text>)| (name.value.clone(), value.0.as_ref().map(|it| it.value.clone()));
    let sent = Sent {
        method,
        path: path.to_owned(),
        query: several(&sends.query),
        headers: sends.headers.iter().map(header).collect(),
        json: sends.json.as_ref().map(crate::spec::Node::to_json),
        form: several(&sends.form),
        text: sends.text.as_ref().map(|text| text.value.clone()),
    };
    let received = Received {
        status,
        headers: pairs(&receives.headers),
        json: receives.json.as_ref().map(crate::spec::Node::to_json),
        text: receives.text.as_ref().map(|text| text.value.clone()),
    };
    Some(Exchange { sent, received })
}

/// Whether a name is not one of the engine's own.
pub(in crate::plan::connector) fn names_free(name: &str) -> bool {
    !RESERVED.contains(&name)
}
