//! Runs the examples of a connector's file, so that its documentation cannot say what it does not do.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::connections::{Connections, How, Surroundings};
use crate::name::ConnectionName;
use crate::plan::connector::{Connection, Connector, Ends, Example, Operation};
use crate::resilience::Keep;
use crate::time::{Clock, Deadline};

/// Runs every example of `connector` with the settings' defaults, each on scratch data of its own. Gives a line for each
/// example that ends otherwise than it says.
pub async fn run_examples(connector: &Arc<Connector>, folder: &Path, clock: Arc<dyn Clock>) -> Vec<String> {
    let mut wrong = Vec::new();
    let Some(name) = ConnectionName::parse("example") else { return wrong };
    let connection = Connection { name: name.clone(), connector: Arc::clone(connector), settings: IndexMap::new() };
    for operation in connector.operations.values() {
        for example in &operation.examples {
            let around = Surroundings { folder, clock: Arc::clone(&clock), profiles: Keep::PROFILES, scratch: true };
            let connections = match Connections::open(std::slice::from_ref(&connection), around).await {
                Ok(connections) => connections,
                Err(problems) => {
                    wrong.extend(problems.iter().map(ToString::to_string));
                    return wrong;
                }
            };
            wrong.extend(one(&connections, &name, operation, example).await);
        }
    }
    wrong
}

async fn one(connections: &Connections, name: &ConnectionName, operation: &Operation, example: &Example) -> Option<String> {
    let how = How { deadline: Deadline::after(Duration::from_secs(10)), refresh: false };
    let ended = connections.call(name, &operation.name, example.inputs.clone(), how).await;
    let what = match (&example.ends, ended) {
        (Ends::Outcome(expected), Err(fault)) if fault.outcome == *expected => return None,
        (Ends::Answer(expected), Ok(answered)) => match differs(expected, &answered.value, "") {
            None => return None,
            Some(place) => format!("the answer is another at `{place}`: {}", answered.value),
        },
        (Ends::Outcome(expected), Ok(_)) => format!("it ends well, not with {expected}"),
        (_, Err(fault)) => format!("it ends with {fault}"),
    };
    Some(format!("{}: {}: {what}", example.place, operation.name))
}

/// Where `actual` does not hold what `expected` says. Fields that are not expected are not looked at; lists are as long.
fn differs(expected: &Value, actual: &Value, place: &str) -> Option<String> {
    let below = |step: &str| if place.is_empty() { step.to_owned() } else { format!("{place}.{step}") };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected.iter().find_map(|(name, value)| differs(value, actual.get(name).unwrap_or(&Value::Null), &below(name)))
        }
        (Value::Array(expected), Value::Array(actual)) if expected.len() == actual.len() => {
            let mut pairs = expected.iter().zip(actual).enumerate();
            pairs.find_map(|(at, (expected, actual))| differs(expected, actual, &below(&at.to_string())))
        }
        (Value::String(expected), Value::String(actual)) if like(expected, actual) => None,
        (Value::Number(expected), Value::Number(actual)) if expected.as_f64() == actual.as_f64() => None,
        (expected, actual) if expected == actual => None,
        _ => Some(if place.is_empty() { ".".to_owned() } else { place.to_owned() }),
    }
}

/// Whether a text is the expected one, in which `…` stands for anything.
fn like(expected: &str, actual: &str) -> bool {
    let mut parts = expected.split('…');
    let Some(mut rest) = parts.next().and_then(|first| actual.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_example_says_as_much_of_the_answer_as_it_wants() {
        let actual = json!({"a": 1, "b": [{"c": "shipped by UPS today", "d": null}], "e": 2.0});
        assert_eq!(differs(&json!({"a": 1, "b": [{"c": "shipped by … today"}], "e": 2}), &actual, ""), None);
        assert_eq!(differs(&json!({"b": [{"d": 1}]}), &actual, ""), Some("b.0.d".into()));
        assert_eq!(differs(&json!({"b": []}), &actual, ""), Some("b".into()));
        assert_eq!(differs(&json!({"b": [{"c": "…by"}]}), &actual, ""), Some("b.0.c".into()));
        assert_eq!(differs(&json!({"x": 1}), &actual, ""), Some("x".into()));
    }
}
