//! An answer as conditions and templates see it: status, headers, links, and a body that is JSON or text.
//!
//! A body that is neither what was asked for nor readable is null here; what that means is decided where errors are.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value, json};

use super::client::Incoming;
use crate::plan::connector::Expects;

/// An answer.
pub(super) struct Received {
    pub(super) status: u16,
    pub(super) body: Value,
    /// What is wrong with the body, when it cannot be read as what was asked for.
    pub(super) unreadable: Option<String>,
    headers: HeaderMap,
}

impl Received {
    pub(super) fn read(incoming: &Incoming, expects: Expects) -> Self {
        let (body, unreadable) = match expects {
            _ if incoming.body.iter().all(u8::is_ascii_whitespace) => (Value::Null, None),
            Expects::Text => match std::str::from_utf8(&incoming.body) {
                Ok(text) => (text.into(), None),
                Err(_) => (Value::Null, Some("its body is no text".to_owned())),
            },
            Expects::Json => from_json(incoming),
        };
        Self { status: incoming.status.as_u16(), body, unreadable, headers: incoming.headers.clone() }
    }

    /// A header's text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `http` of conditions and templates: status, headers by their names in lower case, links, and the number of pages.
    pub(super) fn http(&self, page: u32) -> Value {
        let headers: Map<_, _> = self
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.into())))
            .collect();
        let links = self.header("link").map(links).unwrap_or_default();
        json!({ "status": self.status, "headers": headers, "links": links, "page": page })
    }
}

fn from_json(incoming: &Incoming) -> (Value, Option<String>) {
    let kind = incoming.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !(kind.ends_with("/json") || kind.ends_with("+json")) {
        // Only the kinds that are known are named: a header can hold anything.
        let what = match kind.as_str() {
            "" => "a body without a content type",
            "text/html" => "an HTML page",
            "text/plain" => "plain text",
            "text/xml" | "application/xml" => "XML",
            _ => "something else",
        };
        return (Value::Null, Some(format!("it sends {what} where JSON is expected")));
    }
    match serde_json::from_slice(&incoming.body) {
        Ok(value) => (value, None),
        Err(error) if error.is_eof() => (Value::Null, Some("its JSON breaks off".to_owned())),
        Err(_) => (Value::Null, Some("its body is not JSON, or is nested too deep".to_owned())),
    }
}

/// The links of a `Link` header: relation → address.
fn links(header: &str) -> Map<String, Value> {
    let link = |part: &str| {
        let (address, parameters) = part.split_once('>')?;
        let relation = parameters.split([';', ',']).find_map(|it| it.trim().strip_prefix("rel="))?;
        Some((relation.trim_matches('"').to_owned(), address.into()))
    };
    header.split('<').skip(1).filter_map(link).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_by_their_relation() {
        let found = links("<https://a.example/x?page=2,3>; rel=\"next\", <https://a.example/x>; title=a; rel=first");
        assert_eq!(Value::Object(found), json!({"next": "https://a.example/x?page=2,3", "first": "https://a.example/x"}));
        assert!(links("nonsense").is_empty());
    }
}
