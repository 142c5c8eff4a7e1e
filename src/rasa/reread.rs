//! Reads an answer that was written before, so that it can be given once more.

use serde_json::Value;

use super::{Answer, Button, Event, Message, Object};

impl Answer {
    /// The answer that was written as `written`.
    ///
    /// # Errors
    /// What is not as it would have been written; never a value.
    pub fn reread(written: Value) -> Result<Self, String> {
        let mut keys = object(written, "an answer")?;
        let events = list(keys.remove("events"))?.into_iter().map(Event::reread).collect::<Result<_, _>>()?;
        let responses = list(keys.remove("responses"))?.into_iter().map(Message::reread).collect::<Result<_, _>>()?;
        Ok(Self { events, responses })
    }
}

impl Event {
    fn reread(written: Value) -> Result<Self, String> {
        let mut keys = object(written, "an event")?;
        let name = text(keys.remove("event")).ok_or("an event has no name")?;
        Self::from_parts(&name, keys)
    }
}

impl Message {
    fn reread(written: Value) -> Result<Self, String> {
        let mut keys = object(written, "a message")?;
        let (text_of, response) = (text(keys.remove("text")), text(keys.remove("response")));
        keys.remove("template");
        let buttons = list(keys.remove("buttons"))?.into_iter().map(Button::reread).collect::<Result<_, _>>()?;
        let elements = list(keys.remove("elements"))?;
        let custom = object(keys.remove("custom").unwrap_or_default(), "`custom`").unwrap_or_default();
        let (image, attachment) = (text(keys.remove("image")), keys.remove("attachment").filter(|it| !it.is_null()));
        Ok(Self { text: text_of, response, buttons, elements, custom, image, attachment, extra: keys })
    }
}

impl Button {
    fn reread(written: Value) -> Result<Self, String> {
        let mut keys = object(written, "a button")?;
        let (title, payload) = (text(keys.remove("title")), text(keys.remove("payload")));
        Ok(Self { title: title.unwrap_or_default(), payload: payload.unwrap_or_default(), extra: keys })
    }
}

fn object(value: Value, what: &str) -> Result<Object, String> {
    match value {
        Value::Object(keys) => Ok(keys),
        _ => Err(format!("{what} is no object")),
    }
}

fn list(value: Option<Value>) -> Result<Vec<Value>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err("a list is none".to_owned()),
    }
}

fn text(value: Option<Value>) -> Option<String> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::*;
    use crate::rasa::{EventKind, Shape};

    fn object_of(value: Value) -> Object {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let button = Button { extra: object_of(json!({"style": "x"})), ..Button::new("Ok", "/affirm") };
        let full = Message {
            text: Some("a".to_owned()),
            buttons: vec![button],
            elements: vec![json!({"b": 1})],
            custom: object_of(json!({"c": null})),
            image: Some("d".to_owned()),
            attachment: Some(json!({"e": 1})),
            extra: object_of(json!({"f": [1]})),
            ..Message::default()
        };
        let listen = EventKind::Action { name: Some("action_listen".to_owned()), policy: None, confidence: Some(1.0) };
        let events = vec![
            Event::slot("a", json!({"b": 1})),
            Event::slot("a", Value::Null),
            Event::followup("action_x"),
            Event::undo(),
            Event::action("action_x"),
            Event::from(EventKind::SessionStarted),
            Event { timestamp: Some(1.5), metadata: Some(object_of(json!({"m": 1}))), ..Event::from(listen) },
        ];
        let said =
            vec![full, Message::text("x"), Message::response("utter_x", object_of(json!({"y": 1}))), Message::default()];
        let answer = Answer { events, responses: said };
        let written = serde_json::to_value(&answer).unwrap();
        assert_eq!(Answer::reread(written), Ok(answer));
        assert!(Answer::reread(json!([])).is_err());
    }

    fn example(shape: Shape) -> Value {
        match shape {
            Shape::Any | Shape::Text | Shape::TextOrNull => json!("a"),
            Shape::NumberOrNull => json!(0.5),
            Shape::Bool => json!(true),
            Shape::Object | Shape::ObjectOrNull => json!({"a": 1}),
            Shape::Entities | Shape::EntitiesOrNull => json!([{"entity": "a", "value": "b"}]),
            Shape::Moment => json!("2026-03-01T09:30:00+00:00"),
        }
    }

    #[test]
    fn every_event_is_read_as_it_was_written() {
        for name in EventKind::NAMES {
            let mut keys = Object::new();
            for field in EventKind::fields(name).unwrap() {
                keys.insert(field.name.to_owned(), example(field.shape));
            }
            let event = Event::from_parts(name, keys).unwrap();
            let written = serde_json::to_value(&event).unwrap();
            assert_eq!(Event::reread(written), Ok(event), "{name}");
        }
    }
}
