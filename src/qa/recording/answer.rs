//! Holds what an action says now against what was recorded, and says each difference.

use serde_json::Value;

use super::file::Said;
use crate::qa::Failure;

/// What stands for a reference to a write, which is another one in every run.
const REFERENCE: &str = "(reference)";

/// Every way in which what came differs from what was recorded.
pub(super) fn differences(recorded: &Said, came: &Said) -> Vec<Failure> {
    let mut found = Vec::new();
    let declines = |said: &Said| {
        let reason = said.rejected.as_ref().map(|reason| format!("it declines: {}", neutral(reason, &said.references)));
        reason.unwrap_or_else(|| "it runs".to_owned())
    };
    if declines(recorded) != declines(came) {
        found.push(Failure::differs("rejected", declines(recorded), declines(came)));
    }
    for (what, expected, actual) in
        [("said", &recorded.responses, &came.responses), ("events", &recorded.events, &came.events)]
    {
        let lines = |values: &[Value], said: &Said| -> Vec<String> {
            values.iter().map(|value| neutral(&shown(value), &said.references)).collect()
        };
        let (expected, actual) = (lines(expected, recorded), lines(actual, came));
        for at in 0..expected.len().max(actual.len()) {
            let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "(nothing)".to_owned());
            if expected.get(at) != actual.get(at) {
                found.push(Failure::differs(format!("{what}[{at}]"), line(&expected), line(&actual)));
            }
        }
    }
    found
}

fn neutral(text: &str, references: &[String]) -> String {
    references.iter().fold(text.to_owned(), |text, reference| text.replace(reference, REFERENCE))
}

/// A message or an event as people read it: a text that stands alone as it is, all else without what is empty.
fn shown(value: &Value) -> String {
    let Value::Object(fields) = value else { return value.to_string() };
    let said = fields.iter().filter(|(key, value)| !is_empty(value) && *key != "template");
    let said: serde_json::Map<String, Value> = said.map(|(key, value)| (key.clone(), value.clone())).collect();
    match (said.len(), said.get("text").and_then(Value::as_str)) {
        (1, Some(text)) => text.to_owned(),
        _ if said.get("event").is_some_and(|kind| kind == "slot") => {
            let part = |key: &str| fields.get(key).cloned().unwrap_or_default();
            format!("slot {} = {}", part("name").as_str().unwrap_or_default(), part("value"))
        }
        _ => Value::Object(said).to_string(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_and_what_is_empty_make_no_difference() {
        let said = |text: &str, reference: &str, value: Value| Said {
            responses: vec![json!({ "text": text, "buttons": [], "custom": {} })],
            events: vec![json!({ "event": "slot", "name": "a", "value": value, "timestamp": null })],
            references: vec![reference.to_owned()],
            ..Said::default()
        };
        let recorded = said("Kept as ABC.", "ABC", json!(null));
        assert_eq!(differences(&recorded, &said("Kept as XYZ.", "XYZ", json!(null))), []);
        let found = differences(&recorded, &said("Gone: XYZ.", "XYZ", json!(1)));
        let lines: Vec<_> = found.iter().map(|it| (&*it.what, &*it.expected, &*it.came)).collect();
        let expected =
            [("said[0]", "Kept as (reference).", "Gone: (reference)."), ("events[0]", "slot a = null", "slot a = 1")];
        assert_eq!(lines, expected);
    }
}
