//! The shapes of what is said: a text, a list of texts, or messages with everything Rasa knows.

use serde_json::{Value, json};

use super::shape::{Definitions, Shape, shape, wrong_type};
use super::values::{Map, Text};
use super::yaml::{Kind, Node};
use crate::diag::{Diagnostics, Span};

/// What to say: one or more messages, in order. A bare text is a message's text; one that is only the name of an `utter_…`
/// response is that response.
#[derive(Debug, Clone)]
pub struct Say {
    /// Where it stands.
    pub span: Span,
    /// The messages.
    pub messages: Vec<Message>,
}

shape! {
    /// One message. What renders as nothing is left out, and so is a message that is left with nothing.
    Message as "a message" {
        /// The message is said only when this expression is true.
        when: Option<Text>,
        /// The text.
        text: Option<Text>,
        /// A response of the domain, by its name.
        response: Option<Text>,
        /// Values for the response, or further keys of the message.
        with: Map<Node>,
        /// Buttons.
        buttons: Vec<Button>,
        /// The address of a picture.
        image: Option<Text>,
        /// An attachment, as the channel takes it.
        attachment: Option<Node>,
        /// A payload of the channel's own.
        custom: Option<Node>,
        /// Elements such as the cards of a carousel.
        elements: Option<Node>,
        /// What is said instead on some input channels.
        channels: Map<Say>,
    }

    /// A button: a title, and what a click says.
    Button as "a button" {
        /// The button is there only when this expression is true.
        when: Option<Text>,
        /// What it shows.
        title: Text,
        /// The intent of a click.
        intent: Option<Text>,
        /// The entities that go with the intent.
        entities: Map<Node>,
        /// Instead of an intent: the text that a click sends, as it is.
        payload: Option<Text>,
        /// One button for every item of the list that this expression gives.
        each: Option<Text>,
        /// The item's name.
        r#as: Option<Text>,
    }
}

impl Message {
    /// A message that is a bare text.
    fn of_text(text: Text) -> Self {
        let (text, response) = if is_response(&text.value) { (None, Some(text)) } else { (Some(text), None) };
        let span = text.as_ref().or(response.as_ref()).map(|t| t.span.clone());
        Self {
            // One of the two is there; the place is taken from it.
            span: span.unwrap_or_else(|| Span::start_of(&crate::diag::File::new("", ""))),
            keys: Vec::new(),
            when: None,
            text,
            response,
            with: Map::default(),
            buttons: Vec::new(),
            image: None,
            attachment: None,
            custom: None,
            elements: None,
            channels: Map::default(),
        }
    }
}

/// Whether a bare text is the name of a response.
fn is_response(text: &str) -> bool {
    text.strip_prefix("utter_")
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || "_-/".contains(c)))
}

impl Shape for Say {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let one = |node: &Node, out: &mut Diagnostics| match &node.kind {
            Kind::Map(_) => Message::read(node, out),
            Kind::List(_) | Kind::Null => {
                wrong_type(node, "a message (a text, or a mapping with `text`, `response`, `buttons`, …)", out)
            }
            _ => Text::read(node, out).map(Message::of_text),
        };
        let messages = match &node.kind {
            Kind::List(items) => items.iter().filter_map(|item| one(item, out)).collect(),
            _ => vec![one(node, out)?],
        };
        Some(Self { span: node.span.clone(), messages })
    }

    fn schema(definitions: &mut Definitions) -> Value {
        let message = Message::schema(definitions);
        let one = json!({ "anyOf": [{ "type": ["string", "number", "boolean"] }, message] });
        definitions.insert("Say".into(), json!({ "anyOf": [one, { "type": "array", "items": one }] }));
        json!({ "$ref": "#/definitions/Say" })
    }
}
