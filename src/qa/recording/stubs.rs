//! Writes the answers of recordings as the stubs that Rasa Pro's end-to-end tests take in the place of an action server.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::file::{Recording, Said};
use crate::qa::yaml::block;

/// `stub_custom_actions` of these recordings: of each action the newest, since a file of tests has one stub an action; for one
/// test case, where one is named. What an action declined has no form there, and is left out.
#[must_use]
pub fn stubs(recordings: &[(String, Recording)], case: Option<&str>) -> String {
    let mut by_action: IndexMap<&str, Vec<&(String, Recording)>> = IndexMap::new();
    for recording in recordings {
        by_action.entry(&recording.1.action).or_default().push(recording);
    }
    by_action.sort_keys();
    let mut text = "stub_custom_actions:\n".to_owned();
    for (action, mut of_it) in by_action {
        of_it.sort_by_key(|(file, recording)| (recording.at, file));
        let Some((file, newest)) = of_it.iter().rev().find(|(_, recording)| recording.told.rejected.is_none()) else {
            let _ = writeln!(text, "  # {action} declined in every recording, which no stub can say.");
            continue;
        };
        let more = match of_it.len() - 1 {
            0 => String::new(),
            1 => ", the newest of 2 recordings".to_owned(),
            more => format!(", the newest of {} recordings", more + 1),
        };
        let _ = writeln!(text, "  # From {file}{more}.");
        let name = case.map_or_else(|| action.to_owned(), |case| format!("{case}::{action}"));
        text += &block(&json!({ name: stub(&newest.told) }), 1);
    }
    text
}

fn stub(told: &Said) -> Value {
    let all = |values: &[Value]| values.iter().map(without_null).collect::<Vec<_>>();
    json!({ "events": all(&told.events), "responses": all(&told.responses) })
}

/// An event or a message without the keys that say nothing.
fn without_null(value: &Value) -> Value {
    let Value::Object(fields) = value else { return value.clone() };
    // The value of a slot that is emptied says something.
    let is_slot = fields.get("event").is_some_and(|kind| kind == "slot");
    let says = |key: &str, value: &Value| match value {
        Value::Null => is_slot && key == "value",
        Value::Array(items) => !items.is_empty() || is_slot,
        Value::Object(fields) => !fields.is_empty() || is_slot,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => key != "template",
    };
    let kept = fields.iter().filter(|(key, value)| says(key, value));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}
