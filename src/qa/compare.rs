//! Holds an answer against what was expected, and says each difference.

use serde_json::Value;

use super::report::Failure;
use crate::plan::testcase::{Expect, Matcher, Pattern, Said};
use crate::rasa::{Answer, EventKind, Message, Reply};

/// Every way in which a reply differs from what was expected.
pub(super) fn differences(expect: &Expect, reply: &Reply) -> Vec<Failure> {
    let empty = Answer::default();
    let mut found = Vec::new();
    let answer = match (reply, &expect.rejected) {
        (Reply::Answer(answer), None) => answer,
        (Reply::Rejected { reason, .. }, Some(pattern)) => {
            if !pattern.matches(reason) {
                found.push(Failure::differs("rejected", &pattern.written, reason));
            }
            return found;
        }
        (Reply::Answer(answer), Some(pattern)) => {
            found.push(Failure::differs("rejected", &pattern.written, "the action ran"));
            answer
        }
        (Reply::Rejected { reason, .. }, None) => {
            found.push(Failure::differs("rejected", "the action runs", format!("it declined: {reason}")));
            &empty
        }
        (other, _) => {
            found.push(Failure::differs("reply", "an answer", format!("{other:?}")));
            &empty
        }
    };
    said(expect, answer, &mut found);
    slots(expect, answer, &mut found);
    events(expect, answer, &mut found);
    if expect.nothing && *answer != Answer::default() {
        let came = format!("{} messages and {} events", answer.responses.len(), answer.events.len());
        found.push(Failure::differs("nothing", "no message and no event", came));
    }
    found
}

fn said(expect: &Expect, answer: &Answer, found: &mut Vec<Failure>) {
    let Some(expected) = &expect.said else { return };
    for at in 0..expected.len().max(answer.responses.len()) {
        let (expected, came) = (expected.get(at), answer.responses.get(at));
        let fits = match (expected, came) {
            (Some(expected), Some(came)) => is_said(expected, came),
            _ => false,
        };
        if !fits {
            let nothing = || "(nothing)".to_owned();
            let expected = expected.map_or_else(nothing, written);
            found.push(Failure::differs(format!("said[{at}]"), expected, came.map_or_else(nothing, shown)));
        }
    }
}

fn is_said(expected: &Said, came: &Message) -> bool {
    match expected {
        Said::Text(pattern) => words(came).is_some_and(|text| pattern.matches(text)),
        Said::Message(fields) => {
            let came = serde_json::to_value(came).unwrap_or_default();
            fields.iter().all(|(key, matcher)| match (matcher, came.get(key)) {
                (Matcher::Text(pattern), Some(Value::String(text))) => pattern.matches(text),
                (Matcher::Text(Pattern { written, .. }), Some(other)) => other == written,
                (Matcher::Value(value), Some(came)) => holds(value, came),
                (_, None) => false,
            })
        }
    }
}

/// What a message says: its text, or the name of its response.
pub(super) fn words(message: &Message) -> Option<&str> {
    message.text.as_deref().or(message.response.as_deref())
}

fn written(said: &Said) -> String {
    match said {
        Said::Text(pattern) => pattern.written.clone(),
        Said::Message(fields) => {
            let field = |(key, matcher): &(String, Matcher)| match matcher {
                Matcher::Text(pattern) => format!("{key}: {}", pattern.written),
                Matcher::Value(value) => format!("{key}: {value}"),
            };
            fields.iter().map(field).collect::<Vec<_>>().join(", ")
        }
    }
}

/// A message in a line: what it says, and what else it has.
pub(crate) fn shown(message: &Message) -> String {
    let mut parts: Vec<String> = words(message).map(str::to_owned).into_iter().collect();
    if !message.buttons.is_empty() {
        let titles =
            message.buttons.iter().map(|button| format!("[{}] {}", button.title, button.payload)).collect::<Vec<_>>();
        parts.push(titles.join("  "));
    }
    parts.extend(message.image.iter().map(|image| format!("image {image}")));
    for (what, value) in [
        ("custom", Value::Object(message.custom.clone())),
        ("with", Value::Object(message.extra.clone())),
        ("elements", Value::Array(message.elements.clone())),
        ("attachment", message.attachment.clone().unwrap_or_default()),
    ] {
        let empty = value.is_null()
            || value.as_object().is_some_and(serde_json::Map::is_empty)
            || value.as_array().is_some_and(Vec::is_empty);
        if !empty {
            parts.push(format!("{what} {value}"));
        }
    }
    parts.join("  ")
}

fn slots(expect: &Expect, answer: &Answer, found: &mut Vec<Failure>) {
    let last = |slot: &str| {
        answer.events.iter().rev().find_map(|event| match &event.kind {
            EventKind::Slot { name, value } if name == slot => Some(value),
            _ => None,
        })
    };
    for (slot, expected) in &expect.slots {
        let came = last(slot);
        if came.is_none_or(|came| !same(expected, came)) {
            let came = came.map_or_else(|| "(not set)".to_owned(), Value::to_string);
            found.push(Failure::differs(format!("slots.{slot}"), expected.to_string(), came));
        }
    }
    for slot in &expect.unset {
        if let Some(came) = last(slot) {
            found.push(Failure::differs(format!("slots.{slot}"), "(not set)", came.to_string()));
        }
    }
}

fn events(expect: &Expect, answer: &Answer, found: &mut Vec<Failure>) {
    let Some(expected) = &expect.events else { return };
    let other = |event: &&crate::rasa::Event| !matches!(event.kind, EventKind::Slot { .. });
    let came: Vec<Value> =
        answer.events.iter().filter(other).map(|event| serde_json::to_value(event).unwrap_or_default()).collect();
    for at in 0..expected.len().max(came.len()) {
        let fits = expected.get(at).zip(came.get(at)).is_some_and(|(expected, came)| holds(expected, came));
        if !fits {
            let text = |value: Option<&Value>| value.map_or_else(|| "(nothing)".to_owned(), without_null);
            found.push(Failure::differs(format!("events[{at}]"), text(expected.get(at)), text(came.get(at))));
        }
    }
}

/// An event as people read it: without the keys that are null.
fn without_null(value: &Value) -> String {
    let Value::Object(fields) = value else { return value.to_string() };
    Value::Object(
        fields.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone())).collect(),
    )
    .to_string()
}

/// Whether what came has all that is expected; what is not named is not looked at.
fn holds(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Object(expected), Value::Object(came)) => {
            expected.iter().all(|(key, value)| holds(value, came.get(key).unwrap_or(&Value::Null)))
        }
        (Value::Array(expected), Value::Array(came)) => {
            expected.len() == came.len() && expected.iter().zip(came).all(|(expected, came)| holds(expected, came))
        }
        (expected, came) => same(expected, came),
    }
}

/// Equal, where 5 and 5.0 are: YAML writers do not think of types of numbers.
pub(super) fn same(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Number(expected), Value::Number(came)) => expected.as_f64() == came.as_f64(),
        (Value::String(expected), Value::String(came)) if Pattern::is_one(expected) => {
            Pattern::parse(expected).is_ok_and(|pattern| pattern.matches(came))
        }
        (Value::Array(expected), Value::Array(came)) => {
            expected.len() == came.len() && expected.iter().zip(came).all(|(expected, came)| same(expected, came))
        }
        (Value::Object(expected), Value::Object(came)) => {
            expected.len() == came.len()
                && expected.iter().all(|(key, value)| came.get(key).is_some_and(|came| same(value, came)))
        }
        (expected, came) => expected == came,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rasa::Event;

    fn answer() -> Reply {
        let message = Message::text("Order 1001 is on its way.");
        let events = vec![Event::slot("status", json!("shipped")), Event::from(EventKind::Pause)];
        Reply::Answer(Answer { events, responses: vec![message] })
    }

    fn text(pattern: &str) -> Said {
        Said::Text(Pattern::parse(pattern).unwrap())
    }

    #[test]
    fn what_is_as_expected_says_nothing() {
        let expect = Expect {
            said: Some(vec![text("Order … is on its way.")]),
            slots: vec![("status".into(), json!("shipped")), ("status".into(), json!("/^(shipped|sent)$/"))],
            unset: vec!["other".into()],
            events: Some(vec![json!({ "event": "pause" })]),
            ..Expect::default()
        };
        assert!(differences(&expect, &answer()).is_empty());
    }

    #[test]
    fn every_difference_is_said() {
        let expect = Expect {
            said: Some(vec![text("Order 1002 …"), text("Bye")]),
            slots: vec![("status".into(), json!("/^ship$/")), ("other".into(), json!(null))],
            unset: vec!["status".into()],
            events: Some(vec![]),
            nothing: true,
            ..Expect::default()
        };
        let found: Vec<_> = differences(&expect, &answer()).into_iter().map(|failure| failure.what).collect();
        assert_eq!(found, ["said[0]", "said[1]", "slots.status", "slots.other", "slots.status", "events[0]", "nothing"]);
    }

    #[test]
    fn a_rejection_is_expected_or_not() {
        let rejected = Reply::Rejected { action: "a".into(), reason: "not now".into() };
        let expect = Expect { rejected: Some(Pattern::parse("not …").unwrap()), ..Expect::default() };
        assert!(differences(&expect, &rejected).is_empty());
        assert_eq!(differences(&Expect::default(), &rejected).len(), 1);
        assert_eq!(differences(&expect, &answer()).len(), 1);
    }
}
