//! Reads an event as a designer wrote it, or as a template rendered it: a name and an object of keys.

use serde_json::Value;

use super::{Event, EventField, EventKind, Shape};
use crate::rasa::Object;

impl Event {
    /// The event `name` with these keys; `timestamp` and `metadata` may be among them.
    ///
    /// # Errors
    /// A text for the author that names the wrong event, key or value and what would be right; never the value itself.
    pub fn from_parts(name: &str, keys: Object) -> Result<Self, String> {
        let known = EventKind::fields(name)
            .ok_or_else(|| format!("there is no event `{name}`; the events are {}", EventKind::NAMES.join(", ")))?;
        let mut keys = Keys { event: name, known, keys };
        keys.check()?;
        let timestamp = match keys.take("timestamp") {
            Value::Null => None,
            Value::Number(number) => number.as_f64(),
            _ => return Err(format!("`timestamp` of the event `{name}` must be a number of seconds since 1970, or null")),
        };
        let metadata = match keys.take("metadata") {
            Value::Null => None,
            Value::Object(metadata) => Some(metadata),
            _ => return Err(format!("`metadata` of the event `{name}` must be an object or null")),
        };
        Ok(Self { kind: kind(&mut keys), timestamp, metadata })
    }
}

/// The keys of one event, which [`Keys::check`] has held against the table; so each is there and has its shape.
struct Keys<'a> {
    event: &'a str,
    known: &'static [EventField],
    keys: Object,
}

impl Keys<'_> {
    fn check(&self) -> Result<(), String> {
        let event = self.event;
        for key in self.keys.keys() {
            if !self.known.iter().any(|field| field.name == key) && !["timestamp", "metadata"].contains(&key.as_str()) {
                let mut right: Vec<_> = self.known.iter().map(|field| field.name).collect();
                right.extend(["timestamp", "metadata"]);
                return Err(format!("the event `{event}` has no key `{key}`; its keys are {}", right.join(", ")));
            }
        }
        for field in self.known {
            match self.keys.get(field.name) {
                Some(Value::Null) if !field.required => {}
                Some(value) if !fits(value, field.shape) => {
                    return Err(format!("`{}` of the event `{event}` must be {}", field.name, field.shape.words()));
                }
                None if field.required => {
                    return Err(format!("the event `{event}` needs `{}`: {}", field.name, field.shape.words()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn take(&mut self, key: &str) -> Value {
        self.keys.get_mut(key).map(Value::take).unwrap_or_default()
    }

    fn text(&mut self, key: &str) -> String {
        self.maybe_text(key).unwrap_or_default()
    }

    fn maybe_text(&mut self, key: &str) -> Option<String> {
        if let Value::String(text) = self.take(key) { Some(text) } else { None }
    }

    fn maybe_object(&mut self, key: &str) -> Option<Object> {
        if let Value::Object(object) = self.take(key) { Some(object) } else { None }
    }

    fn maybe_number(&mut self, key: &str) -> Option<f64> {
        self.take(key).as_f64()
    }
}

fn kind(keys: &mut Keys<'_>) -> EventKind {
    match keys.event {
        "slot" => EventKind::Slot { name: keys.text("name"), value: keys.take("value") },
        "followup" => EventKind::Followup { name: keys.text("name") },
        "reset_slots" => EventKind::ResetSlots,
        "restart" => EventKind::Restart,
        "session_started" => EventKind::SessionStarted,
        "session_ended" => EventKind::SessionEnded,
        "pause" => EventKind::Pause,
        "resume" => EventKind::Resume,
        "undo" => EventKind::Undo,
        "rewind" => EventKind::Rewind,
        "active_loop" => EventKind::ActiveLoop { name: keys.maybe_text("name") },
        "loop_interrupted" => {
            EventKind::LoopInterrupted { is_interrupted: keys.take("is_interrupted") == Value::Bool(true) }
        }
        "reminder" => EventKind::Reminder {
            intent: keys.text("intent"),
            entities: keys.take("entities"),
            date_time: keys.text("date_time"),
            name: keys.maybe_text("name"),
            kill_on_user_msg: keys.take("kill_on_user_msg").as_bool().unwrap_or(true),
        },
        "cancel_reminder" => EventKind::CancelReminder {
            name: keys.maybe_text("name"),
            intent: keys.maybe_text("intent"),
            entities: keys.take("entities"),
        },
        "action" => EventKind::Action {
            name: keys.maybe_text("name"),
            policy: keys.maybe_text("policy"),
            confidence: keys.maybe_number("confidence"),
        },
        "action_execution_rejected" => EventKind::ActionExecutionRejected {
            name: keys.text("name"),
            policy: keys.maybe_text("policy"),
            confidence: keys.maybe_number("confidence"),
        },
        "user" => EventKind::User {
            text: keys.maybe_text("text"),
            parse_data: keys.maybe_object("parse_data").unwrap_or_default(),
            input_channel: keys.maybe_text("input_channel"),
        },
        "bot" => EventKind::Bot { text: keys.maybe_text("text"), data: keys.maybe_object("data") },
        "agent" => EventKind::Agent { text: keys.maybe_text("text"), data: keys.maybe_object("data") },
        "entities" => EventKind::Entities { entities: objects(keys.take("entities")) },
        // The table has one event more than the arms above, and `check` lets no other name through.
        _ => EventKind::Export,
    }
}

fn objects(list: Value) -> Vec<Object> {
    let Value::Array(items) = list else { return Vec::new() };
    items.into_iter().filter_map(|item| if let Value::Object(object) = item { Some(object) } else { None }).collect()
}

fn fits(value: &Value, shape: Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Text => value.is_string(),
        Shape::TextOrNull => value.is_string() || value.is_null(),
        Shape::NumberOrNull => value.is_number() || value.is_null(),
        Shape::Bool => value.is_boolean(),
        Shape::Object => value.is_object(),
        Shape::ObjectOrNull => value.is_object() || value.is_null(),
        Shape::Entities => value.as_array().is_some_and(|items| items.iter().all(is_entity)),
        Shape::EntitiesOrNull => value.is_null() || value.is_object() || fits(value, Shape::Entities),
        Shape::Moment => value.as_str().is_some_and(is_moment),
    }
}

fn is_entity(item: &Value) -> bool {
    item.get("entity").is_some_and(Value::is_string) && item.get("value").is_some()
}

/// With an offset or without; the assistant takes one without as its own zone.
fn is_moment(text: &str) -> bool {
    chrono::DateTime::parse_from_rfc3339(text).is_ok()
        || ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .any(|format| chrono::NaiveDateTime::parse_from_str(text, format).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(name: &str, keys: Value) -> Result<Event, String> {
        let Value::Object(keys) = keys else { panic!("not an object") };
        Event::from_parts(name, keys)
    }

    #[test]
    fn every_event_of_the_table_reads_back_as_itself() {
        for name in EventKind::NAMES {
            let mut keys = Object::new();
            for field in EventKind::fields(name).unwrap() {
                let value = match field.shape {
                    Shape::Any | Shape::Text | Shape::TextOrNull => json!("x"),
                    Shape::NumberOrNull => json!(0.5),
                    Shape::Bool => json!(false),
                    Shape::Object | Shape::ObjectOrNull => json!({"intent": {"name": "greet"}}),
                    Shape::Entities | Shape::EntitiesOrNull => json!([{"entity": "e", "value": 1}]),
                    Shape::Moment => json!("2026-03-01T09:30:00+01:00"),
                };
                keys.insert(field.name.to_owned(), value);
            }
            keys.insert("timestamp".into(), json!(12.5));
            keys.insert("metadata".into(), json!({"m": 1}));
            let event = Event::from_parts(name, keys.clone()).unwrap();
            assert_eq!(event.kind.name(), name);
            let written = serde_json::to_value(&event).unwrap();
            keys.insert("event".into(), json!(name));
            assert_eq!(written, Value::Object(keys));
        }
    }

    #[test]
    fn wrong_keys_are_named_beside_the_right_ones() {
        assert_eq!(
            read("slot", json!({"slot": "a", "value": 1})).unwrap_err(),
            "the event `slot` has no key `slot`; its keys are name, value, timestamp, metadata"
        );
        assert_eq!(read("slot", json!({"name": "a"})).unwrap_err(), "the event `slot` needs `value`: any value");
        assert!(read("slots", json!({})).unwrap_err().contains("there is no event `slots`; the events are slot, followup"));
    }

    #[test]
    fn wrong_values_are_refused_without_being_quoted() {
        let refused = read("slot", json!({"name": 4711, "value": null})).unwrap_err();
        assert_eq!(refused, "`name` of the event `slot` must be a text");
        assert!(read("pause", json!({"timestamp": "now"})).unwrap_err().contains("number of seconds"));
        assert!(read("pause", json!({"metadata": []})).unwrap_err().contains("object or null"));
        assert!(read("reminder", json!({"intent": "i", "date_time": "tomorrow"})).unwrap_err().contains("point in time"));
        assert!(read("entities", json!({"entities": [{"value": 1}]})).unwrap_err().contains("`entity` and `value`"));
        assert!(read("user", json!({"text": "x", "parse_data": []})).unwrap_err().contains("an object"));
    }

    #[test]
    fn what_may_be_left_out_is_null() {
        assert_eq!(read("action", json!({"name": "a"})).unwrap(), Event::action("a"));
        let reminder = read("reminder", json!({"intent": "i", "date_time": "2026-03-01T09:30:00", "name": null})).unwrap();
        assert!(matches!(reminder.kind, EventKind::Reminder { kill_on_user_msg: true, name: None, .. }));
    }
}
