//! Whatever a user types, a request keeps its form, or nothing is sent at all.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use serde_json::Map;

use super::*;
use crate::connector::examples::vendor::Seen;
use crate::connector::http::percent;
use crate::plan::connector::{Body, Example, HttpStep, Idempotency, Leaf, Operation, System, Tree, Work};
use crate::template::Template;

const HOSTILE: [&str; 31] = [
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
    "]] or {{ settings.x | identifier }} [[",
    "{% for x in y %}",
    "${HOME}",
    "\u{2019} OR 1=1",
    "\u{202e}abc",
    "\u{ff07}",
    "<script>",
    "\0",
];

/// What of a request a value may not change: method, host, the path's segments, the names in query, headers and body.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Form {
    method: String,
    segments: usize,
    query: Vec<String>,
    headers: BTreeSet<String>,
    body: BTreeSet<String>,
}

fn form(seen: &Seen) -> Form {
    let (path, query) = seen.target.split_once('?').unwrap_or((&seen.target, ""));
    let name = |field: &str| field.split('=').next().unwrap_or_default().to_owned();
    let names = |fields: &str| fields.split('&').filter(|field| !field.is_empty()).map(name).collect();
    let mut body = BTreeSet::new();
    let header = |name: &str| seen.headers.iter().find(|(other, _)| other == name).map_or("", |(_, value)| value.as_str());
    match serde_json::from_slice::<Value>(&seen.body) {
        Ok(json) => places(&json, "", &mut body),
        Err(_) if header("content-type").contains("urlencoded") => {
            let fields: Vec<String> = names(&String::from_utf8_lossy(&seen.body));
            body.extend(fields.into_iter().map(|name| format!(".{name}")));
        }
        Err(_) => {}
    }
    Form {
        method: seen.method.clone(),
        segments: path.split('/').count(),
        query: names(query),
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

/// What the file says may be left out of a request: keys with `?`, and parameters, fields and headers that may be null.
#[derive(Debug, Default)]
struct Loose {
    query: BTreeSet<String>,
    headers: BTreeSet<String>,
    body: BTreeSet<String>,
}

impl Loose {
    fn of(operation: &Operation, common: &[(String, Template)]) -> Self {
        let mut loose = Self::default();
        let Work::Http(steps) = &operation.work else { panic!("{} is of kind http", operation.name) };
        for step in steps {
            loose.step(step, common);
        }
        loose
    }

    fn step(&mut self, step: &HttpStep, common: &[(String, Template)]) {
        let headers = common.iter().chain(&step.request.headers).filter(|(_, value)| value.as_constant().is_none());
        self.headers.extend(headers.map(|(name, _)| name.to_lowercase()));
        let mut query = BTreeSet::new();
        keys(&step.request.query, "", true, &mut query);
        self.query.extend(query.iter().map(|place| percent(&place[1..])));
        match &step.request.body {
            Body::Json(tree) => keys(tree, "", false, &mut self.body),
            Body::Form(tree) => {
                let mut fields = BTreeSet::new();
                keys(tree, "", true, &mut fields);
                self.body.extend(fields.iter().map(|place| format!(".{}", percent(&place[1..]))));
            }
            _ => {}
        }
        if let Idempotency::Lookup(lookup) = &step.idempotency {
            self.step(lookup, common);
        }
    }

    /// What has to be there whatever a value is.
    fn firm(&self, form: &Form) -> Form {
        let left_out = |place: &String| {
            self.body.iter().any(|key| {
                place.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            })
        };
        Form {
            query: form.query.iter().filter(|name| !self.query.contains(*name)).cloned().collect(),
            headers: form.headers.iter().filter(|name| !self.headers.contains(*name)).cloned().collect(),
            body: form.body.iter().filter(|place| !left_out(place)).cloned().collect(),
            ..form.clone()
        }
    }
}

/// The places of a tree that may be left out; of `fields`, all that may be null.
fn keys(tree: &Tree<Leaf>, at: &str, fields: bool, found: &mut BTreeSet<String>) {
    match tree {
        Tree::Leaf(_) => {}
        Tree::List(items) => items.iter().for_each(|item| keys(item, &format!("{at}[]"), fields, found)),
        Tree::Each(each) => keys(&each.item, &format!("{at}[]"), fields, found),
        Tree::Merge(parts) => parts.iter().for_each(|part| keys(part, at, fields, found)),
        Tree::Map(entries) => {
            for entry in entries {
                let place = format!("{at}.{}", entry.key);
                let constant = matches!(&entry.value, Tree::Leaf(Leaf::Value(value)) if value.as_constant().is_some())
                    || matches!(&entry.value, Tree::Leaf(Leaf::Encoded(..)));
                if entry.optional || fields && !constant {
                    found.insert(place);
                } else {
                    keys(&entry.value, &place, fields, found);
                }
            }
        }
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
        let System::Http(system) = &connector.system else { continue };
        let own = played(&connector, Vec::new()).await;
        for operation in connector.operations.values() {
            let Some(example) = operation.examples.iter().find(|it| !it.exchanges.is_empty()) else { continue };
            let loose = Loose::of(operation, &system.headers);
            // What is asked may lead to other requests of the operation; the examples show them.
            let mut shown = Vec::new();
            for example in &operation.examples {
                // Each by itself: one of them may be told to wait.
                let own = played(&connector, Vec::new()).await;
                let forms = sent(&own, operation, example, example.inputs.clone()).await.unwrap_or_default();
                shown.extend(forms.iter().map(|form| loose.firm(form)));
            }
            for input in &operation.inputs {
                let name = input.name.as_str();
                let with = |value: &str| {
                    let mut inputs = example.inputs.clone();
                    inputs.insert(name.to_owned(), value.into());
                    inputs
                };
                let given = example.inputs.get(name).and_then(Value::as_str).unwrap_or("hello").to_owned();
                let harmless = sent(&own, operation, example, with(&given)).await;
                let usual: Vec<_> = match &harmless {
                    Ok(forms) => forms.iter().map(|form| loose.firm(form)).chain(shown.iter().cloned()).collect(),
                    Err(_) => Vec::new(),
                };
                for value in HOSTILE.iter().copied().chain([long.as_str()]) {
                    let place = format!("{}.{} with {name} = {value:.40?}", connector.name, operation.name);
                    match sent(&own, operation, example, with(value)).await {
                        Err(outcome) => assert_eq!(outcome, Outcome::Invalid, "{place}"),
                        // Where a harmless value is refused, the input has a format, and every hostile one is refused as well.
                        Ok(forms) if usual.is_empty() => panic!("{place}: sends {forms:#?}, {given} ended {harmless:?}"),
                        Ok(forms) => {
                            for form in forms.iter().map(|form| loose.firm(form)) {
                                assert!(usual.contains(&form), "{place} sends {form:#?}, harmless calls send {usual:#?}");
                            }
                        }
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[tokio::test]
async fn a_form_that_a_value_changes_is_noticed() {
    let text = "kind: http\nbase: https://a.example\noperations:\n  make:\n    kind: write\n    inputs: { name: {} }\n    request: POST /a\n    \
                idempotency: none\n    query: { q: '{{ name }}' }\n    json: { note?: '{{ name }}', fields: '{{ {name or 1: 1} }}' }\n    \
                examples: [{ inputs: { name: a }, sends: { request: POST /a }, receives: {}, answer: null }]\n";
    let connector = own_connector("own", text, Path::new("."));
    let own = played(&connector, Vec::new()).await;
    let operation = &connector.operations[0];
    let loose = Loose::of(operation, &[]);
    let firm = async |name: Value| {
        let inputs = Map::from_iter([("name".to_owned(), name)]);
        let forms = sent(&own, operation, &operation.examples[0], inputs).await.unwrap();
        loose.firm(&forms[0])
    };
    assert_eq!(firm("a".into()).await, firm("a".into()).await);
    assert_ne!(firm("a".into()).await, firm("b".into()).await, "a key that a value gives");
    let (given, null) = (firm("1".into()).await, firm(Value::Null).await);
    assert_eq!(given, null, "what may be left out is");
}
