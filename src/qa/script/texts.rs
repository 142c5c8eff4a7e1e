//! What a user says, as stories write it: texts with annotated entities, intents with entities, and payloads of buttons.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::spec::{Kind, Node, Text};

/// A message of the user's.
#[derive(Debug, Clone, Default)]
pub(in crate::qa) struct Said {
    /// Its text, without annotations; none where only what it means is written.
    pub(in crate::qa) text: Option<String>,
    /// Its intent, where that is known.
    pub(in crate::qa) intent: Option<String>,
    /// Its entities.
    pub(in crate::qa) entities: Vec<Value>,
    /// The slots that a payload sets by itself.
    pub(in crate::qa) sets: Vec<(String, Value)>,
    /// What it brings beside.
    pub(in crate::qa) metadata: Map<String, Value>,
    /// Whether the intent stands in the text itself, as in `/greet`; otherwise only a model could tell it from the text.
    pub(in crate::qa) is_payload: bool,
}

/// `[text](entity)`, `[text](entity:value)` and `[text]{"entity": …}`.
static ANNOTATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"\[(?P<text>[^\]]+?)\](?:\((?P<entity>[^:)]+?)(?::(?P<value>[^)]+))?\)|\{(?P<fields>[^}]+?)\})"#).ok()
});

/// `/intent`, `/intent{"entity": "value"}`, with a confidence between them or not.
static PAYLOAD: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^/(?P<intent>[^{@(\s]+)(?:@[0-9.]+)?(?P<entities>\{.*\})?\s*$").ok());

/// `/SetSlots(slot=value, …)`.
static SET_SLOTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^/SetSlots\((?P<slots>.*)\)\s*$").ok());

impl Said {
    /// What a text says, with the intent that the story gives it.
    pub(in crate::qa) fn text(written: &Text, intent: Option<&Text>, out: &mut Diagnostics) -> Self {
        let source = written.value.trim();
        let intent = intent.map(|intent| intent.value.trim().trim_start_matches('/').to_owned());
        if let Some(slots) = SET_SLOTS.as_ref().and_then(|regex| regex.captures(source)) {
            let text = Some(source.to_owned());
            return Self { text, sets: set_slots(&slots["slots"]), is_payload: true, ..Self::default() };
        }
        if let Some(payload) = PAYLOAD.as_ref().and_then(|regex| regex.captures(source)) {
            let entities = payload.name("entities").map_or(Ok(Map::new()), |it| serde_json::from_str(it.as_str()));
            let entities = entities.unwrap_or_else(|_| {
                let message = "the entities of this payload are no JSON object";
                out.push(
                    Diagnostic::at(Code::BadValue, &written.span, message).help("write /INTENT{\"ENTITY\": \"VALUE\"}"),
                );
                Map::new()
            });
            let each = |(name, value): (String, Value)| match value {
                Value::Array(values) => values.into_iter().map(|value| json!({ "entity": name, "value": value })).collect(),
                value => vec![json!({ "entity": name, "value": value })],
            };
            return Self {
                text: Some(source.to_owned()),
                intent: Some(payload["intent"].to_owned()),
                entities: entities.into_iter().flat_map(each).collect(),
                is_payload: true,
                ..Self::default()
            };
        }
        let mut entities = Vec::new();
        let mut plain = String::new();
        let mut end = 0;
        for found in ANNOTATION.iter().flat_map(|regex| regex.captures_iter(source)) {
            let whole = found.get(0).map(|it| it.range()).unwrap_or_default();
            plain.push_str(source.get(end..whole.start).unwrap_or_default());
            let start = plain.chars().count();
            plain.push_str(&found["text"]);
            end = whole.end;
            match entity(&found) {
                Some(mut entity) => {
                    entity.insert("start".to_owned(), start.into());
                    entity.insert("end".to_owned(), plain.chars().count().into());
                    entities.push(Value::Object(entity));
                }
                None => {
                    let message = format!("the entity of `{}` cannot be read", &found["text"]);
                    let help = "write [TEXT](ENTITY), or [TEXT]{\"entity\": \"ENTITY\", \"role\": \"ROLE\"}";
                    out.push(Diagnostic::at(Code::BadValue, &written.span, message).help(help));
                }
            }
        }
        plain.push_str(source.get(end..).unwrap_or_default());
        Self { text: Some(plain), intent, entities, ..Self::default() }
    }

    /// A message of which only the meaning is written.
    pub(in crate::qa) fn meaning(intent: &Text, entities: &[Node]) -> Self {
        let intent = intent.value.trim().trim_start_matches('/').to_owned();
        Self { intent: Some(intent), entities: entities.iter().map(meant).collect(), ..Self::default() }
    }

    /// What Rasa knows of the message; `id` tells it from others.
    pub(in crate::qa) fn parsed(&self, id: &str) -> Value {
        let intent = self.intent.as_ref().map_or_else(|| json!({}), |name| json!({ "name": name, "confidence": 1.0 }));
        json!({
            "text": self.text, "intent": intent, "entities": self.entities, "metadata": self.metadata, "message_id": id,
        })
    }
}

/// The entity of an annotation.
fn entity(found: &Captures<'_>) -> Option<Map<String, Value>> {
    let mut entity = match found.name("fields") {
        Some(fields) => serde_json::from_str::<Map<String, Value>>(&format!("{{{}}}", fields.as_str())).ok()?,
        None => Map::from_iter([("entity".to_owned(), Value::from(&found["entity"]))]),
    };
    if !entity.get("entity").is_some_and(Value::is_string) {
        return None;
    }
    let value = found.name("value").map_or(&found["text"], |value| value.as_str());
    entity.entry("value").or_insert_with(|| value.into());
    Some(entity)
}

/// An entity without a text: its name, or its name and value with role and group.
fn meant(node: &Node) -> Value {
    let mut entity = Map::new();
    match &node.kind {
        Kind::Map(entries) => {
            for (key, value) in entries {
                match key.name.as_str() {
                    "role" | "group" => drop(entity.insert(key.name.clone(), value.to_json())),
                    name => {
                        entity.insert("entity".to_owned(), name.into());
                        // Rasa gives every entity a text.
                        entity.insert("value".to_owned(), value.to_json());
                    }
                }
            }
        }
        _ => {
            entity.insert("entity".to_owned(), node.scalar_text().into());
            entity.insert("value".to_owned(), "".into());
        }
    }
    Value::Object(entity)
}

/// `a=1, b=x y`.
fn set_slots(written: &str) -> Vec<(String, Value)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        let read = serde_json::from_str(value).ok().filter(|value: &Value| !value.is_number());
        Some((name.trim().to_owned(), read.unwrap_or_else(|| value.into())))
    };
    written.split(',').filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::File;
    use crate::spec::{Shape as _, yaml};

    fn said(text: &str) -> (Said, usize) {
        let mut out = Diagnostics::default();
        let source = format!("{text:?}");
        let node = yaml::parse(&File::new("s.yml", source)).unwrap();
        let text = Text::read(&node, &mut out).unwrap();
        (Said::text(&text, None, &mut out), out.len())
    }

    #[test]
    fn annotations_are_entities_and_no_part_of_the_text() {
        let (said, problems) =
            said(r#"ü from [Rome]{"entity": "city", "role": "from"} for [two](count:2) on [May 5](date)"#);
        assert_eq!((said.text.as_deref(), problems), (Some("ü from Rome for two on May 5"), 0));
        assert_eq!(
            said.entities,
            [
                json!({ "entity": "city", "role": "from", "value": "Rome", "start": 7, "end": 11 }),
                json!({ "entity": "count", "value": "2", "start": 16, "end": 19 }),
                json!({ "entity": "date", "value": "May 5", "start": 23, "end": 28 }),
            ]
        );
    }

    #[test]
    fn payloads_say_what_they_mean() {
        let (payload, _) = said(r#"/order_status{"order_id": "1001", "item": ["a", "b"]}"#);
        assert_eq!((payload.intent.as_deref(), payload.entities.len(), payload.is_payload), (Some("order_status"), 3, true));
        let (set, _) = said("/SetSlots(order_id=1001, gift=true)");
        assert_eq!(set.sets, [("order_id".to_owned(), json!("1001")), ("gift".to_owned(), json!(true))]);
        assert_eq!(said(r#"/a{"b": }"#).1, 1);
        assert_eq!(said("[x]{nonsense}").1, 1);
        assert_eq!(said("and/or").0.intent, None);
    }
}
