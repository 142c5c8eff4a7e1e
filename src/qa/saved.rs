//! Makes a `tests:` block of a turn that was tried, and puts it into the action's file.
//!
//! What it expects is what the test's own systems answer, so it passes from the beginning; whoever saves it is told where that
//! is not what the real ones answered.

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::Failure;
use super::bench::Bench;
use super::compare::differences;
use super::recording::Called;
use super::turn::as_one;
use super::yaml::block;
use crate::name::ActionName;
use crate::plan::Project;
use crate::plan::connector::{Connection, StagedAt};
use crate::rasa::{Event, EventKind, Message, Object, Reply};
use crate::time::Clock;

/// A test that is to be written.
#[derive(Debug)]
pub struct Saved<'a> {
    /// What it shows, in words.
    pub it: &'a str,
    /// The situation, without people.
    pub call: &'a Called,
    /// What is wrong with the systems.
    pub faults: &'a [StagedAt],
    /// The time it happens at, where the project does not say when tests happen.
    pub now: Option<DateTime<Utc>>,
}

impl Saved<'_> {
    /// The test as YAML, an item of a list; it expects what `reply` is, or anything at all.
    #[must_use]
    pub fn yaml(&self, reply: Option<&Reply>) -> String {
        let mut test = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null()
                || value.as_object().is_some_and(Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                test.insert(key.to_owned(), value);
            }
        };
        let call = self.call;
        put("it", self.it.into());
        put("slots", call.slots.clone().into());
        put("text", json!(call.text));
        put("intent", json!(call.intent));
        put("entities", entities(&call.entities));
        put("metadata", call.metadata.clone().into());
        put("verified", call.verified.clone().into());
        put("channel", json!(call.channel.as_ref().filter(|channel| *channel != "rest")));
        put("active_loop", json!(call.active_loop));
        put("offered", call.offered.clone().into());
        put("events", call.events.clone().into());
        put("now", json!(self.now.map(|now| now.to_rfc3339_opts(SecondsFormat::Secs, true))));
        put("given", given(self.faults));
        test.insert("expect".to_owned(), reply.map_or_else(|| json!({}), expected));
        block(&json!([test]), 0)
    }
}

/// What is wrong with systems, as `given:` has it.
fn given(faults: &[StagedAt]) -> Value {
    let mut given: IndexMap<String, Vec<String>> = IndexMap::new();
    for StagedAt { connection, operation, fault } in faults {
        let place =
            operation.as_ref().map_or_else(|| connection.to_string(), |operation| format!("{connection}.{operation}"));
        given.entry(place).or_default().push(fault.to_string());
    }
    let state = |fault: &String| match fault.split_once(' ') {
        Some((name, value)) => (name.to_owned(), Value::from(value)),
        None => (fault.clone(), true.into()),
    };
    let value = |faults: Vec<String>| match faults.as_slice() {
        [one] => Value::from(one.as_str()),
        several => Value::Object(several.iter().map(state).collect()),
    };
    Value::Object(given.into_iter().map(|(place, faults)| (place, value(faults))).collect())
}

/// Entities by name, where they are no more than that.
fn entities(entities: &[Value]) -> Value {
    let plain = |entity: &Value| {
        let fields = entity.as_object().filter(|fields| fields.len() == 2)?;
        Some((fields.get("entity")?.as_str()?.to_owned(), fields.get("value")?.clone()))
    };
    let named: Option<Object> = entities.iter().map(plain).collect();
    named.filter(|named| named.len() == entities.len()).map_or_else(|| entities.to_vec().into(), Value::Object)
}

/// A reply as `expect:` has it.
fn expected(reply: &Reply) -> Value {
    let answer = match reply {
        Reply::Answer(answer) => answer,
        Reply::Rejected { reason, .. } => return json!({ "rejected": reason }),
        Reply::Nothing | Reply::NotRegistered { .. } | Reply::NeedsDomain { .. } => return json!({}),
    };
    if answer.responses.is_empty() && answer.events.is_empty() {
        return json!({ "nothing": true });
    }
    let mut expect = Map::new();
    let mut slots = Map::new();
    let mut events = Vec::new();
    for event in &answer.events {
        match &event.kind {
            EventKind::Slot { name, value } => drop(slots.insert(name.clone(), value.clone())),
            _ => events.push(event_of(event)),
        }
    }
    expect.insert("said".to_owned(), answer.responses.iter().map(said).collect());
    if !slots.is_empty() {
        expect.insert("slots".to_owned(), slots.into());
    }
    if !events.is_empty() {
        expect.insert("events".to_owned(), events.into());
    }
    expect.into()
}

/// A message: its text or the name of its response alone, where it is no more than that.
fn said(message: &Message) -> Value {
    let mut fields = serde_json::to_value(message).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default();
    fields.retain(|key, value| key != "template" && !is_empty(value));
    match fields.iter().next() {
        Some((key, Value::String(text))) if fields.len() == 1 && (key == "text" || key == "response") => {
            text.as_str().into()
        }
        _ => fields.into(),
    }
}

/// An event: its name alone, or its name with its fields.
fn event_of(event: &Event) -> Value {
    let mut fields = serde_json::to_value(event).ok().and_then(|value| value.as_object().cloned()).unwrap_or_default();
    let kind = fields.remove("event").unwrap_or_default();
    fields.retain(|key, value| key != "timestamp" && !is_empty(value));
    match kind.as_str() {
        Some(kind) if !fields.is_empty() => json!({ kind: fields }),
        _ => kind,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// The text of an action's file with a test more, at the end of its `tests:`; none where those stand in a form that nothing can
/// be put behind, such as `tests: []`.
#[must_use]
pub fn with_test(text: &str, test: &str) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let Some(at) = lines.iter().position(|line| line.starts_with("tests:")) else {
        return Some(format!("{}\ntests:\n{}", text.trim_end(), indented(test, "  ")));
    };
    let rest = lines.get(at)?.trim_start_matches("tests:").trim();
    if !(rest.is_empty() || rest.starts_with('#')) {
        return None;
    }
    // Up to the next key; blank lines and comments before that belong to it.
    let ours = |line: &&str| line.starts_with([' ', '-']);
    let begins = at + 1;
    let next = lines.iter().skip(begins).position(|line| !line.trim().is_empty() && !ours(line) && !line.starts_with('#'));
    let until = next.map_or(lines.len(), |next| begins + next);
    let last = lines.iter().take(until).skip(begins).rposition(ours).map(|last| begins + last)?;
    let first = lines.iter().take(until).skip(begins).find(|line| line.trim_start().starts_with('-'))?;
    let indent = first.get(..first.len() - first.trim_start().len())?.to_owned();
    let test = indented(test, &indent);
    let after = lines.split_off(last + 1);
    let after = if after.is_empty() { String::new() } else { format!("{}\n", after.join("\n")) };
    Some(format!("{}\n{test}{after}", lines.join("\n")))
}

fn indented(text: &str, indent: &str) -> String {
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}

/// Takes the turn of the last test of an action, and gives its answer and where that is not what the test expects.
///
/// # Errors
/// Why it cannot be taken.
pub async fn last_test(
    project: &Arc<Project>,
    connections: &[Connection],
    folder: &Path,
    clock: &Arc<dyn Clock>,
    action: &ActionName,
) -> Result<(Option<Reply>, Vec<Failure>), String> {
    let action = project.actions.get(action).ok_or("the action is gone")?;
    let (at, test) = action.tests.iter().enumerate().next_back().ok_or("the test is gone")?;
    let bench = Bench::new(project, connections, folder, clock);
    let taken = bench.turn(action, at, test.given.clone()).await;
    let taken = taken.map_err(|failure| format!("{}: {}", failure.what, failure.came))?;
    let reply = as_one(taken.told);
    let failures = reply.as_ref().map(|reply| differences(&test.expect, reply)).unwrap_or_default();
    Ok((reply, failures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_put_behind_the_others() {
        let test = "- it: new\n  expect: {}\n";
        for (text, expected) in [
            ("steps: []\n", Some("steps: []\ntests:\n  - it: new\n    expect: {}\n")),
            ("tests:\n  - it: a\n    expect: {}", Some("tests:\n  - it: a\n    expect: {}\n  - it: new\n    expect: {}\n")),
            (
                "tests: # of it\n- it: a\n\n# The steps.\nsteps: []\n",
                Some("tests: # of it\n- it: a\n- it: new\n  expect: {}\n\n# The steps.\nsteps: []\n"),
            ),
            ("tests: []\n", None),
        ] {
            assert_eq!(with_test(text, test).as_deref(), expected, "{text}");
        }
    }
}
