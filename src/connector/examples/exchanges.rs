//! Holds a request as it arrived against the one that an example says is sent.

use serde_json::Value;

use super::vendor::{Answers, Seen};
use super::{differs, like};
use crate::plan::connector::{Received, Sent};

/// The answer of an example, as the vendor sends it.
pub(super) fn answer(received: &Received) -> Answers {
    let mut headers = received.headers.clone();
    let (kind, body) = match (&received.json, &received.text) {
        (Some(json), _) => ("application/json; charset=utf-8", json.to_string()),
        (None, Some(text)) => ("text/plain; charset=utf-8", text.clone()),
        (None, None) => ("application/json", String::new()),
    };
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), kind.to_owned()));
    }
    Answers::whole(received.status, &headers, body.as_bytes())
}

/// Where a request is not the one that was expected.
pub(super) fn differing(expected: &Sent, seen: &Seen) -> Option<String> {
    if seen.method != expected.method.name() {
        return Some(format!("it is a {}, not a {}", seen.method, expected.method.name()));
    }
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    if path != expected.path {
        return Some(format!("its path is {path}"));
    }
    let fields = fields(query);
    if let Some(what) = other_fields(&expected.query, &fields) {
        return Some(format!("its query has {what}"));
    }
    for (name, value) in &expected.headers {
        let found = seen.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        match (value, found) {
            (None, None) => {}
            (Some(value), Some((_, actual))) if like(value, actual) => {}
            (_, Some((_, actual))) => return Some(format!("its header {name} is {actual}")),
            (Some(_), None) => return Some(format!("it has no header {name}")),
        }
    }
    let body = String::from_utf8_lossy(&seen.body);
    match (&expected.json, expected.form.is_empty(), &expected.text) {
        (Some(json), ..) => other_json(json, &body),
        (None, false, _) => {
            other_fields(&expected.form, &super::exchanges::fields(&body)).map(|what| format!("its form has {what}"))
        }
        (None, true, Some(text)) => (!like(text, &body)).then(|| format!("its body is {body}")),
        (None, true, None) => (!body.is_empty()).then(|| format!("it has a body: {body}")),
    }
}

/// A body has nothing but what is expected, unlike an answer.
fn other_json(expected: &Value, body: &str) -> Option<String> {
    let Ok(actual) = serde_json::from_str::<Value>(body) else { return Some(format!("its body is no JSON: {body}")) };
    let place = differs(expected, &actual, "").or_else(|| differs(&shape(&actual, expected), expected, ""));
    place.map(|place| format!("its body is another at `{place}`: {actual}"))
}

/// The keys of `actual`, each with the expected value where there is one, so that keys too many are found.
fn shape(actual: &Value, expected: &Value) -> Value {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            let field = |(name, value): (&String, &Value)| {
                let value = expected.get(name).map_or_else(|| Value::String("nothing".to_owned()), |it| shape(value, it));
                (name.clone(), value)
            };
            Value::Object(actual.iter().map(field).collect())
        }
        (Value::Array(actual), Value::Array(expected)) => {
            Value::Array(actual.iter().zip(expected).map(|(actual, expected)| shape(actual, expected)).collect())
        }
        (_, expected) => expected.clone(),
    }
}

/// The fields of a query or a form, decoded.
pub(super) fn fields(encoded: &str) -> Vec<(String, String)> {
    let parts = encoded.split('&').filter(|part| !part.is_empty());
    let field = |part: &str| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decoded(name), decoded(value))
    };
    parts.map(field).collect()
}

/// What of the fields is not as expected: names in any order, the values of one name in theirs.
fn other_fields(expected: &[(String, Vec<String>)], actual: &[(String, String)]) -> Option<String> {
    for (name, values) in expected {
        let mut found = actual.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        for value in values {
            match found.next() {
                Some(actual) if like(value, actual) => {}
                Some(actual) => return Some(format!("{name}={actual}")),
                None => return Some(format!("no {name}, where {value} is expected")),
            }
        }
        if let Some(more) = found.next() {
            return Some(format!("{name}={more} besides"));
        }
    }
    let more = actual.iter().find(|(name, _)| !expected.iter().any(|(other, _)| other == name));
    more.map(|(name, value)| format!("{name}={value} besides"))
}

/// A text as it was before it was put into a query or a form.
#[must_use]
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = || u8::from_str_radix(std::str::from_utf8(after.get(..2)?).ok()?, 16).ok();
        match first {
            b'%' if hex().is_some() => {
                bytes.extend(hex());
                rest = after.get(2..).unwrap_or_default();
            }
            b'+' => {
                bytes.push(b' ');
                rest = after;
            }
            other => {
                bytes.push(*other);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_has_nothing_besides() {
        assert_eq!(other_json(&json!({"a": {"b": 1}}), r#"{"a":{"b":1}}"#), None);
        assert!(other_json(&json!({"a": {"b": 1}}), r#"{"a":{"b":1,"c":2}}"#).unwrap().contains("a.c"));
        assert!(other_json(&json!({"a": null}), r#"{"a":1}"#).is_some());
        assert!(other_json(&json!({"a": [1]}), r#"{"a":[1,2]}"#).is_some());
    }

    #[test]
    fn queries_are_compared_decoded() {
        assert_eq!(fields("q=a%20b%2B&x=%C3%BC"), [("q".into(), "a b+".into()), ("x".into(), "ü".into())]);
        assert!(other_fields(&[], &fields("a=1")).unwrap().contains("a=1 besides"));
    }
}
