//! Runs the examples of a connector's file, so that its documentation cannot say what it does not do.
//!
//! Those of `kind: sql` run on scratch data, those of `kind: http` against a vendor on this machine that answers as the example
//! says, and to which nothing but what the example says may be sent.

mod exchanges;
pub(super) mod vendor;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

pub use self::exchanges::decoded;
pub use self::vendor::Seen;
use self::vendor::Vendor;
use super::chain::Chain;
use super::connections::{Answered, Connections, How, Surroundings, filled};
use super::http::{Errand, Remote};
use super::results::Results;
use super::stack::accepted;
use crate::fault::{Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::{Connection, Connector, Ends, Example, Operation, Received, Rules, Setting, SettingValue};
use crate::resilience::{CACHE_BYTES, Keep};
use crate::store::NoTokens;
use crate::time::{Clock, Deadline, FixedClock};

/// Runs every example of `connector` with the settings' defaults, each on scratch data or against a vendor of its own. Gives a
/// line for each example that ends otherwise than it says.
pub async fn run_examples(connector: &Arc<Connector>, folder: &Path, clock: Arc<dyn Clock>) -> Vec<String> {
    let mut wrong = Vec::new();
    for operation in connector.operations.values() {
        for example in &operation.examples {
            let differing = one(connector, operation, example, folder, &clock).await.err();
            wrong.extend(differing.map(|what| format!("{}: {}: {what}", example.place, operation.name)));
        }
    }
    wrong
}

/// A connection to `connector` as `example` has it, whose requests go to `stand_in`.
fn connection_of(connector: &Arc<Connector>, example: &Example, stand_in: Option<String>) -> Option<Connection> {
    let mut connection = connection(connector, stand_in)?;
    for (name, value) in &example.settings {
        match value {
            Some(value) => drop(connection.settings.insert(name.clone(), value.clone())),
            None => drop(connection.settings.shift_remove(name)),
        }
    }
    Some(connection)
}

/// The clock of `example`.
fn clock_of(example: &Example, clock: &Arc<dyn Clock>) -> Arc<dyn Clock> {
    example.now.map_or_else(|| Arc::clone(clock), |now| Arc::new(FixedClock::at(now)))
}

/// A connection to `connector` as its examples have it, whose requests go to `stand_in`.
pub(super) fn connection(connector: &Arc<Connector>, stand_in: Option<String>) -> Option<Connection> {
    let example = |setting: &Setting| {
        let text = setting.example.clone()?;
        let value =
            if setting.is_map { SettingValue::Map(serde_json::from_str(&text).ok()?) } else { SettingValue::Text(text) };
        Some((setting.name.clone(), value))
    };
    let settings = connector.settings.iter().filter_map(example).collect();
    let rules = Rules { stand_in, ..Rules::default() };
    Some(Connection { name: ConnectionName::parse("example")?, connector: Arc::clone(connector), settings, rules })
}

/// The requests that a call of `operation` with `inputs` sends, as they arrive at a vendor on this machine that gives `answers`
/// in their order and then only hangs up. Settings and time are those of `example`, and no credentials are sent; how the call
/// ends does not matter.
///
/// # Errors
/// When no vendor can listen, or the connection cannot be opened.
pub async fn requests_of(
    connector: &Arc<Connector>,
    operation: &Operation,
    example: &Example,
    inputs: serde_json::Map<String, Value>,
    answers: &[Received],
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Seen>, String> {
    let (vendor, _) = called(connector, operation, example, inputs, answers.iter(), Path::new("."), clock).await?;
    Ok(vendor.seen())
}

/// Calls `operation` where a vendor that answers so stands in for the system.
async fn called<'a>(
    connector: &Arc<Connector>,
    operation: &Operation,
    example: &Example,
    inputs: serde_json::Map<String, Value>,
    answers: impl Iterator<Item = &'a Received>,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<(Vendor, Result<Answered, Fault>), String> {
    let answers = answers.map(exchanges::answer);
    let vendor = Vendor::open(answers).await.map_err(|error| format!("no vendor can listen: {error}"))?;
    let connection = connection_of(connector, example, Some(vendor.address())).ok_or("no connection can be made")?;
    let around = surroundings(folder, clock_of(example, clock));
    let opened = Connections::open(std::slice::from_ref(&connection), around).await;
    let connections = opened.map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
    let how = How::by(Deadline::after(Duration::from_secs(10)));
    let ended = match several(operation, &inputs) {
        None => connections.call(&connection.name, &operation.name, inputs, how).await,
        Some(calls) => {
            let answers = connections.call_many(&connection.name, &operation.name, calls, how).await;
            let value = |ended: Result<Answered, Fault>| match ended {
                Err(fault) if fault.outcome == Outcome::NotFound => Ok(Value::Null),
                ended => ended.map(|answered| answered.value),
            };
            answers.into_iter().map(value).collect::<Result<_, _>>().map(|value| Answered { value, age: None })
        }
    };
    Ok((vendor, ended))
}

/// The calls that inputs stand for which have a list where a batch may have several values.
fn several(operation: &Operation, inputs: &serde_json::Map<String, Value>) -> Option<Vec<serde_json::Map<String, Value>>> {
    let of = operation.batch.as_ref()?.of.as_str();
    let values = inputs.get(of)?.as_array()?;
    let call = |value: &Value| {
        let mut inputs = inputs.clone();
        inputs.insert(of.to_owned(), value.clone());
        inputs
    };
    Some(values.iter().map(call).collect())
}

async fn one(
    connector: &Arc<Connector>,
    operation: &Operation,
    example: &Example,
    folder: &Path,
    clock: &Arc<dyn Clock>,
) -> Result<(), String> {
    let answers = example.exchanges.iter().map(|exchange| &exchange.received);
    let (vendor, ended) = called(connector, operation, example, example.inputs.clone(), answers, folder, clock).await?;
    for (at, (exchange, seen)) in example.exchanges.iter().zip(vendor.seen()).enumerate() {
        if let Some(what) = exchanges::differing(&exchange.sent, &seen) {
            return Err(format!("request {} is another: {what}", at + 1));
        }
    }
    let ends = match (&example.ends, ended) {
        (Ends::Outcome(expected), Err(fault)) if fault.outcome == *expected => match (&example.says, &fault.public) {
            (Some(says), Some(public)) if like(says, public) => Ok(()),
            (None, _) => Ok(()),
            (Some(_), other) => Err(format!("what the user may be told is {other:?}")),
        },
        (Ends::Answer(expected), Ok(answered)) => match differs(expected, &answered.value, "") {
            None => Ok(()),
            Some(place) => Err(format!("the answer is another at `{place}`: {}", answered.value)),
        },
        (Ends::Outcome(expected), Ok(_)) => Err(format!("it ends well, not with {expected}")),
        (_, Err(fault)) => Err(format!("it ends with {fault}")),
    };
    ends?;
    match (vendor.seen().len(), vendor.left()) {
        (_, left) if left > 0 => Err(format!("{left} of its requests are not sent")),
        (sent, _) if sent > example.exchanges.len() => {
            Err(format!("{sent} requests are sent, {} are expected", example.exchanges.len()))
        }
        _ => Ok(()),
    }
}

/// A remote system that is played by its connector's examples: what an example asks for is answered as the example says.
pub(super) struct Played {
    connector: Arc<Connector>,
    clock: Arc<dyn Clock>,
}

impl Played {
    /// The examples of `connector`.
    pub(super) fn new(connector: &Arc<Connector>, clock: &Arc<dyn Clock>) -> Self {
        Self { connector: Arc::clone(connector), clock: Arc::clone(clock) }
    }

    /// Runs the operation of `errand` against a vendor that answers as the example with these inputs says, as patiently as
    /// `chain` says.
    ///
    /// # Errors
    /// How the example ends; `unavailable` when there is none with these inputs.
    pub(super) async fn run(
        &self,
        errand: &Errand<'_>,
        inputs: serde_json::Map<String, Value>,
        chain: &Arc<Chain>,
    ) -> Result<Results, Fault> {
        let operation = errand.operation;
        let place = format!("{}.{}", self.connector.name, operation.name);
        let unavailable = |why: &str| Fault::new(Outcome::Unavailable, format!("{place} is played by its examples: {why}"));
        let same = |example: &&Example| {
            let asked = accepted(operation, example.inputs.clone(), clock_of(example, &self.clock).now());
            asked.is_ok_and(|asked| asked == inputs) && !example.exchanges.is_empty()
        };
        // One with the usual settings goes before one that shows what others do.
        let found = operation.examples.iter().filter(same).min_by_key(|it| (!it.settings.is_empty(), it.now.is_some()));
        let example = found.ok_or_else(|| unavailable("none of them has these inputs"))?;
        let answers = example.exchanges.iter().map(|exchange| exchanges::answer(&exchange.received));
        let vendor = Vendor::open(answers).await.map_err(|_| unavailable("no vendor can listen"))?;
        let connection = connection_of(&self.connector, example, Some(vendor.address()))
            .ok_or_else(|| unavailable("they cannot be run"))?;
        let settings = filled(&self.connector, &connection.settings);
        let around = surroundings(Path::new("."), clock_of(example, &self.clock));
        let remote = Remote::open(&connection, &settings, &around, fastrand::Rng::with_seed(0), Arc::clone(chain));
        remote.map_err(|why| unavailable(&why))?.run(errand, inputs).await
    }
}

/// What an example is played in: it leaves nothing behind.
fn surroundings(folder: &Path, clock: Arc<dyn Clock>) -> Surroundings<'_> {
    let (rng, tokens) = (fastrand::Rng::with_seed(0), Arc::new(NoTokens));
    Surroundings {
        folder,
        clock,
        profiles: Keep::PROFILES,
        cache_bytes: CACHE_BYTES,
        tokens,
        rng,
        scratch: true,
        fresh: None,
    }
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
