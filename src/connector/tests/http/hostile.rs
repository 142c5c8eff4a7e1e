//! Whatever a user types, a request keeps its form, or nothing is sent at all.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use serde_json::Map;

use super::*;
use crate::connector::examples::vendor::Seen;
use crate::plan::connector::{Example, Operation};

const HOSTILE: [&str; 30] = [
    "' OR '1'='1",
    "\" OR \"\"=\"",
    "'; DROP TABLE orders; --",
    "x' and 1 eq 1 or 'a' eq '",
    "\\",
    "\\' OR 1=1",
    "a\nb",
    "a\r\nX-Evil: 1",
    "javascript:alert(1)",
    "x^ORactive=true",
    "../../admin",
    "..",
    ".",
    "a/../../b",
    "..\\..\\b",
    "%2e%2e/%2e%2e",
    "a?b=c&d=e#f",
    "a;b",
    "*",
    "(",
    "type:user status<closed",
    "-x AND NOT y",
    "{{ 7*7 }}",
    "{% for x in y %}",
    "${HOME}",
    "\u{2019} OR 1=1",
    "\u{202e}abc",
    "\u{ff07}",
    "<script>",
    "\0",
];

/// What of a request a value may not change: method, host, the path's segments, the names in query, headers and body.
#[derive(Debug, PartialEq, Eq)]
struct Form {
    method: String,
    segments: usize,
    query: Vec<String>,
    headers: BTreeSet<String>,
    body: BTreeSet<String>,
}

fn form(seen: &Seen) -> Form {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let mut body = BTreeSet::new();
    if let Ok(json) = serde_json::from_slice::<Value>(&seen.body) {
        places(&json, "", &mut body);
    }
    Form {
        method: seen.method.clone(),
        segments: path.split('/').count(),
        query: query.split('&').map(|field| field.split('=').next().unwrap_or_default().to_owned()).collect(),
        headers: seen.headers.iter().map(|(name, _)| name.clone()).filter(|name| name != "content-length").collect(),
        body,
    }
}

/// Every place of a JSON value, by its keys.
fn places(value: &Value, at: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| places(value, &format!("{at}.{name}"), found)),
        Value::Array(items) => items.iter().for_each(|item| places(item, &format!("{at}[]"), found)),
        _ => drop(found.insert(at.to_owned())),
    }
}

/// The forms of the requests that a call sends, or how it ended when none was sent.
async fn sent(
    (vendor, own): &(Vendor, Connections),
    operation: &Operation,
    example: &Example,
    inputs: Map<String, Value>,
) -> Result<Vec<Form>, Outcome> {
    let answers = example.exchanges.iter().map(|exchange| {
        let received = &exchange.received;
        let headers: Vec<_> = received.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        json(received.status, &headers, received.json.as_ref().unwrap_or(&Value::Null))
    });
    vendor.begin_anew(answers);
    let (own_name, past) = (ConnectionName::parse("own").unwrap(), How { refresh: true, ..how() });
    let ended = own.call(&own_name, &operation.name, inputs, past).await;
    let forms: Vec<_> = vendor.seen().iter().map(form).collect();
    match ended {
        Err(fault) if forms.is_empty() => Err(fault.outcome),
        _ => Ok(forms),
    }
}

#[tokio::test]
async fn a_user_s_value_changes_no_request_s_form() {
    let long = "x".repeat(100_000);
    let mut tried = 0;
    for connector in catalogue::all() {
        let own = played(&connector, Vec::new()).await;
        for operation in connector.operations.values() {
            let Some(example) = operation.examples.iter().find(|it| !it.exchanges.is_empty()) else { continue };
            for input in &operation.inputs {
                let name = input.name.as_str();
                let with = |value: &str| {
                    let mut inputs = example.inputs.clone();
                    inputs.insert(name.to_owned(), value.into());
                    inputs
                };
                // Harmless values of several sorts: one word or two decide whether a name has a first part, and so on. Where
                // all are refused, the input has a format, and every hostile value is refused as well.
                let given = example.inputs.get(name).and_then(Value::as_str).unwrap_or("hello").to_owned();
                let mut usual = Vec::new();
                for harmless in [given.as_str(), "hello", "hello world"] {
                    usual.extend(sent(&own, operation, example, with(harmless)).await);
                }
                for value in HOSTILE.iter().copied().chain([long.as_str()]) {
                    let place = format!("{}.{} with {name} = {value:.40?}", connector.name, operation.name);
                    match sent(&own, operation, example, with(value)).await {
                        Err(outcome) => assert_eq!(outcome, Outcome::Invalid, "{place}"),
                        Ok(forms) => {
                            let same = |usual: &Vec<Form>| {
                                let shared = forms.len().min(usual.len());
                                forms[..shared] == usual[..shared]
                            };
                            assert!(usual.iter().any(same), "{place}: sends {forms:#?}, harmless values {usual:#?}");
                        }
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}
