//! The messages of the protocol: what the assistant says to the user.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use super::Object;

/// One message. A client renders all messages of an answer before it applies the events, so values that an `utter_…`
/// response needs travel in `extra`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// The text. With both text and response, Open Source says the text and Rasa Pro the response: set one.
    pub text: Option<String>,
    /// The name of an `utter_…` response of the domain, rendered with `extra` as its variables.
    pub response: Option<String>,
    /// Buttons below the text.
    pub buttons: Vec<Button>,
    /// Cards of a carousel, as the channel wants them.
    pub elements: Vec<Value>,
    /// A payload that the channel passes through.
    pub custom: Object,
    /// The url of an image.
    pub image: Option<String>,
    /// A url, or an object as the channel wants it.
    pub attachment: Option<Value>,
    /// Further keys. One that has the name of a key above is not sent.
    pub extra: Object,
}

const KEYS: [&str; 8] = ["text", "buttons", "elements", "custom", "template", "response", "image", "attachment"];

impl Message {
    /// A message that says `text`.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// A message that says a response of the domain with these variables.
    #[must_use]
    pub fn response(name: impl Into<String>, variables: Object) -> Self {
        Self { response: Some(name.into()), extra: variables, ..Self::default() }
    }

    /// The further keys that are sent.
    pub fn further(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.extra.iter().filter(|(key, _)| !KEYS.contains(&key.as_str()))
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("text", &self.text)?;
        map.serialize_entry("buttons", &self.buttons)?;
        map.serialize_entry("elements", &self.elements)?;
        map.serialize_entry("custom", &self.custom)?;
        // What older clients call the response.
        map.serialize_entry("template", &self.response)?;
        map.serialize_entry("response", &self.response)?;
        map.serialize_entry("image", &self.image)?;
        map.serialize_entry("attachment", &self.attachment)?;
        for (key, value) in self.further() {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A button: what it says, and what the assistant gets as the user's message when it is pressed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Button {
    /// What it says.
    pub title: String,
    /// What is sent: an intent such as `/affirm`, or a text.
    pub payload: String,
    /// Further keys, as the channel wants them.
    pub extra: Object,
}

impl Button {
    /// A button that sends `payload`.
    #[must_use]
    pub fn new(title: impl Into<String>, payload: impl Into<String>) -> Self {
        Self { title: title.into(), payload: payload.into(), extra: Object::new() }
    }

    /// A button that means an intent with entities: `/intent{"entity":"value"}`, or `/intent` without any.
    #[must_use]
    pub fn intent(title: impl Into<String>, intent: &str, entities: &Object) -> Self {
        let entities = if entities.is_empty() { String::new() } else { Value::Object(entities.clone()).to_string() };
        Self::new(title, format!("/{intent}{entities}"))
    }
}

impl Serialize for Button {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("title", &self.title)?;
        map.serialize_entry("payload", &self.payload)?;
        for (key, value) in self.extra.iter().filter(|(key, _)| !["title", "payload"].contains(&key.as_str())) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn all_eight_keys_are_written_and_further_ones_after_them() {
        let message = Message::response("utter_order_status", object(json!({"order_status": "shipped", "text": "x"})));
        assert_eq!(
            serde_json::to_string(&message).unwrap(),
            r#"{"text":null,"buttons":[],"elements":[],"custom":{},"template":"utter_order_status","#.to_owned()
                + r#""response":"utter_order_status","image":null,"attachment":null,"order_status":"shipped"}"#
        );
    }

    #[test]
    fn a_button_carries_entities_as_json_without_blanks() {
        let entities = object(json!({"order_id": "A \"1\"", "count": 2}));
        assert_eq!(Button::intent("Yes", "pick", &entities).payload, r#"/pick{"order_id":"A \"1\"","count":2}"#);
        assert_eq!(Button::intent("Yes", "affirm", &Object::new()).payload, "/affirm");
    }

    #[test]
    fn a_button_writes_its_further_keys() {
        let button = Button { extra: object(json!({"style": "primary", "title": "no"})), ..Button::new("Ok", "/affirm") };
        assert_eq!(serde_json::to_string(&button).unwrap(), r#"{"title":"Ok","payload":"/affirm","style":"primary"}"#);
    }
}
