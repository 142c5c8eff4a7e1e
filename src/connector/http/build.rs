//! Makes the request that is sent of the request that a file describes.
//!
//! What a user typed decides values, never the host, the number of segments of the path, or which keys the request has beyond
//! those that the file names.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method as HttpMethod, Url};
use serde_json::{Map, Value};

use super::client::Outgoing;
use super::encode::{self, Trouble, percent, scalar};
use crate::connector::tree::{Wrong, made};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Body, Expects, Leaf, Method, Request, Tree};
use crate::template::{Scope, Template, to_json};

/// A longer address is refused by servers, each at its own length.
const LONGEST: usize = 8 << 10;

/// A request before it is written out, so that a further page can change it.
#[derive(Clone)]
pub(super) struct Draft {
    method: HttpMethod,
    url: Url,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Content,
}

#[derive(Clone)]
enum Content {
    Empty,
    Json(Value),
    Other(&'static str, String),
}

impl Draft {
    /// The request with its values.
    ///
    /// # Errors
    /// `invalid` when a value cannot stand where it goes; `unexpected` when a template fails.
    pub(super) fn new(
        base: &Url,
        request: &Request,
        common: &[(String, Template)],
        expects: Expects,
        scope: &Scope,
    ) -> Result<Self, Trouble> {
        let path = encode::path(&request.path, scope)?;
        let url = Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/')));
        let url = url.map_err(|_| Trouble::Refused("the address cannot be made".to_owned()))?;
        if url.origin() != base.origin() || url.query().is_some() || url.fragment().is_some() {
            return Err(Trouble::Refused("the address would lead elsewhere".to_owned()));
        }
        let mut headers = HeaderMap::new();
        let accept = if expects == Expects::Json { "application/json" } else { "*/*" };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let own = |name: &String| request.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
        for (name, template) in common.iter().filter(|(name, _)| !own(name)).chain(&request.headers) {
            match scalar(&to_json(&template.eval(scope)?)?) {
                Some(text) => header(&mut headers, name, &text)?,
                None => drop(headers.remove(name.as_str())),
            }
        }
        let body = match &request.body {
            Body::Empty => Content::Empty,
            Body::Json(tree) => Content::Json(json(tree, scope)?),
            Body::Form(tree) => Content::Other("application/x-www-form-urlencoded", urlencoded(&fields(tree, scope)?)),
            Body::Xml(pieces) => Content::Other("application/xml", encode::xml(pieces, scope)?),
            Body::Text(template) => Content::Other("text/plain; charset=utf-8", template.text(scope)?),
        };
        Ok(Self { method: method(request.method), url, query: fields(&request.query, scope)?, headers, body })
    }

    /// Adds a header.
    pub(super) fn header(&mut self, name: &str, value: &str) -> Result<(), Trouble> {
        header(&mut self.headers, name, value)
    }

    /// Sets a parameter of the query.
    pub(super) fn set_query(&mut self, name: &str, value: &str) {
        self.query.retain(|(other, _)| other != name);
        self.query.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a place of the JSON body.
    pub(super) fn set_json(&mut self, place: &[String], value: Value) {
        let Content::Json(mut at) = std::mem::replace(&mut self.body, Content::Empty) else { return };
        let mut spot = &mut at;
        for step in place {
            if !spot.is_object() {
                *spot = Value::Object(Map::new());
            }
            spot = &mut spot[step.as_str()];
        }
        *spot = value;
        self.body = Content::Json(at);
    }

    /// Goes to another address of the same system, query and all; `homes` are where the system is.
    ///
    /// # Errors
    /// When it is one of another system.
    pub(super) fn set_address(&mut self, homes: &[&Url], address: &str) -> Result<(), Trouble> {
        let elsewhere = || Trouble::Refused("the next page is said to be at another host".to_owned());
        let url = self.url.join(address).map_err(|_| elsewhere())?;
        if homes.iter().all(|home| url.origin() != home.origin()) || !url.username().is_empty() {
            return Err(elsewhere());
        }
        self.query = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        self.url = url;
        self.url.set_query(None);
        self.url.set_fragment(None);
        Ok(())
    }

    /// The request as it is sent.
    ///
    /// # Errors
    /// When the address would be too long.
    pub(super) fn outgoing(&self) -> Result<Outgoing, Trouble> {
        let mut url = self.url.clone();
        if !self.query.is_empty() {
            url.set_query(Some(&urlencoded(&self.query)));
        }
        if url.as_str().len() > LONGEST {
            return Err(Trouble::Refused("the values make the address too long".to_owned()));
        }
        let mut headers = self.headers.clone();
        let (kind, body) = match &self.body {
            Content::Empty => (None, None),
            Content::Json(value) => (Some("application/json"), Some(Bytes::from(value.to_string()))),
            Content::Other(kind, text) => (Some(*kind), Some(Bytes::from(text.clone()))),
        };
        if let Some(kind) = kind
            && !headers.contains_key(CONTENT_TYPE)
        {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(Outgoing { method: self.method.clone(), url, headers, body })
    }
}

/// The fault of a request that cannot be made; `place` says which.
pub(super) fn trouble(trouble: &Trouble, place: &str) -> Fault {
    match trouble {
        Trouble::Failed(failed) => Fault::new(Outcome::Unexpected, format!("{place}: {failed}")),
        Trouble::Refused(why) => Fault::new(Outcome::Invalid, format!("{place}: {why}")),
        Trouble::Misconfigured(why) => Fault::new(Outcome::Misconfigured, format!("{place}: {why}")),
    }
}

const fn method(method: Method) -> HttpMethod {
    match method {
        Method::Get => HttpMethod::GET,
        Method::Post => HttpMethod::POST,
        Method::Put => HttpMethod::PUT,
        Method::Patch => HttpMethod::PATCH,
        Method::Delete => HttpMethod::DELETE,
    }
}

fn header(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Trouble> {
    let refused = || Trouble::Refused(format!("a value cannot stand in the header {name}"));
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
    headers.insert(name, HeaderValue::from_str(value).map_err(|_| refused())?);
    Ok(())
}

/// The value of a body.
fn json(tree: &Tree<Leaf>, scope: &Scope) -> Result<Value, Trouble> {
    made(tree, scope, &value).map_err(|Wrong { path, why }| Trouble::at(why, &path))
}

fn value(leaf: &Leaf, scope: &Scope, optional: bool) -> Result<Value, Trouble> {
    match leaf {
        Leaf::Value(template) => Ok(to_json(&template.eval(scope)?)?),
        Leaf::Encoded(language, pieces) => encode::encoded(*language, pieces, scope, optional),
    }
}

/// The fields of a query or a form; what is null is left out, and a list is its name several times.
fn fields(tree: &Tree<Leaf>, scope: &Scope) -> Result<Vec<(String, String)>, Trouble> {
    let mut fields = Vec::new();
    let Value::Object(values) = json(tree, scope)? else { return Ok(fields) };
    for (name, value) in values {
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items.iter().filter(|item| !item.is_null()) {
            let text = scalar(item).ok_or_else(|| Trouble::Refused(format!("a value cannot stand in the field {name}")))?;
            fields.push((name.clone(), text));
        }
    }
    Ok(fields)
}

fn urlencoded(fields: &[(String, String)]) -> String {
    let field = |(name, value): &(String, String)| format!("{}={}", percent(name), percent(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_at_one_of_the_systems_homes() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (base, given) = (url("https://login.example/v1"), url("https://eu7.example"));
        let draft = |at: &Url| Draft {
            method: HttpMethod::GET,
            url: at.clone(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Content::Empty,
        };
        for (homes, address, goes) in [
            (vec![&base], "/v1/all?page=2", true),
            (vec![&base], "https://login.example/v1/all?page=2", true),
            (vec![&base], "https://eu7.example/v1/all", false),
            (vec![&base, &given], "https://eu7.example/v1/all", true),
            (vec![&base, &given], "https://evil.example/v1/all", false),
            (vec![&base, &given], "//evil.example/v1/all", false),
            (vec![&base, &given], "https://u@eu7.example/v1/all", false),
            (vec![&base, &given], "http://eu7.example/v1/all", false),
        ] {
            let mut draft = draft(&base);
            assert_eq!(draft.set_address(&homes, address).is_ok(), goes, "{address}");
        }
    }
}
