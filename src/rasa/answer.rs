//! What a call is answered with, before the door gives it a status.

use serde::Serialize;
use serde_json::Value;

use super::{ClientVersion, Event, EventKind, Message, Object};
use crate::name::ActionName;

/// The body of a 200.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Events for the tracker, applied in order after the messages were said.
    pub events: Vec<Event>,
    /// Messages, said in order.
    pub responses: Vec<Message>,
}

/// Everything that a call can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// 200 with messages and events.
    Answer(Answer),
    /// 200 `null`: the call named no action.
    Nothing,
    /// 400: the action declined to run, so that Rasa's policies predict another one.
    Rejected {
        /// The action that declined.
        action: String,
        /// Why, for Rasa's log.
        reason: String,
    },
    /// 404: no such action here.
    NotRegistered {
        /// The name that was asked for.
        action: String,
    },
    /// 449: the action reads the domain, and this call sent only its digest.
    NeedsDomain {
        /// The action that reads it.
        action: ActionName,
    },
}

/// An event that was taken out of an answer, because the client would have thrown the whole answer away for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The event's name, such as `session_ended`.
    pub event: &'static str,
    /// What the client's schema refuses, without any value.
    pub reason: &'static str,
}

impl Answer {
    /// The answer without what a client of that version would refuse, and what that was.
    #[must_use]
    pub fn fit(mut self, version: ClientVersion) -> (Self, Vec<Dropped>) {
        let mut dropped = Vec::new();
        self.events.retain(|event| match flaw(event, version) {
            None => true,
            Some(reason) => {
                dropped.push(Dropped { event: event.kind.name(), reason });
                false
            }
        });
        (self, dropped)
    }
}

/// What the client's schema refuses in an event. Types leave little to refuse: only what the client looks for inside of
/// free-form parts.
fn flaw(event: &Event, version: ClientVersion) -> Option<&'static str> {
    if !event.known_to(version) {
        return Some("this client does not know the event");
    }
    match &event.kind {
        EventKind::Entities { entities } if !entities.iter().all(is_entity) => Some(ENTITIES),
        EventKind::User { parse_data, .. } => parse_data_flaw(parse_data),
        _ => None,
    }
}

const ENTITIES: &str = "its entities are not a list of objects with `entity`, `value` and the right types beside them";

fn parse_data_flaw(data: &Object) -> Option<&'static str> {
    let holds = |key: &str, fits: fn(&Value) -> bool| data.get(key).is_none_or(fits);
    if !holds("text", text_or_null) {
        return Some("`parse_data.text` is neither a text nor null");
    }
    if !holds("intent", is_intent)
        || !holds("intent_ranking", |list| list.as_array().is_some_and(|list| list.iter().all(is_intent)))
    {
        return Some("an intent of `parse_data` is not an object with a text as `name` and a number as `confidence`");
    }
    let entities =
        |list: &Value| list.as_array().is_some_and(|list| list.iter().all(|item| item.as_object().is_some_and(is_entity)));
    if !holds("entities", entities) {
        return Some(ENTITIES);
    }
    // The client's two alternatives overlap; only a selector with this list fits exactly one of them.
    if !holds("response_selector", |selector| selector.get("all_retrieval_intents").is_some_and(Value::is_array)) {
        return Some("`parse_data.response_selector` has no list `all_retrieval_intents`");
    }
    None
}

fn is_intent(intent: &Value) -> bool {
    let Some(intent) = intent.as_object() else { return false };
    intent.get("name").is_none_or(Value::is_string) && intent.get("confidence").is_none_or(Value::is_number)
}

fn is_entity(entity: &Object) -> bool {
    let holds = |key: &str, fits: fn(&Value) -> bool| entity.get(key).is_none_or(fits);
    // A float without a fraction is an integer to JSON Schema.
    let whole =
        |value: &Value| value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0);
    entity.get("entity").is_some_and(Value::is_string)
        && entity.contains_key("value")
        && holds("start", whole)
        && holds("end", whole)
        && holds("confidence", Value::is_number)
        && holds("extractor", text_or_null)
        && holds("role", text_or_null)
        && holds("group", text_or_null)
}

fn text_or_null(value: &Value) -> bool {
    value.is_string() || value.is_null()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fitted(event: Event, version: &str) -> Vec<Dropped> {
        let answer = Answer { events: vec![Event::slot("kept", 1), event], responses: Vec::new() };
        let (answer, dropped) = answer.fit(ClientVersion::parse(version));
        assert_eq!(answer.events.len(), 2 - dropped.len());
        assert_eq!(answer.events[0], Event::slot("kept", 1));
        dropped
    }

    fn event(name: &str, keys: Value) -> Event {
        Event::from_parts(name, serde_json::from_value(keys).unwrap()).unwrap()
    }

    #[test]
    fn only_rasa_pro_knows_the_end_of_a_session() {
        assert_eq!(fitted(EventKind::SessionEnded.into(), "3.6.21")[0].event, "session_ended");
        assert_eq!(fitted(EventKind::SessionEnded.into(), "").len(), 1);
        assert_eq!(fitted(EventKind::SessionEnded.into(), "3.12.0"), []);
    }

    #[test]
    fn free_form_parts_are_held_to_the_clients_schema() {
        assert_eq!(
            fitted(event("user", json!({"text": "x", "parse_data": {"intent": {"name": "a"}, "entities": []}})), "3.6"),
            []
        );
        assert_eq!(fitted(event("user", json!({"text": "x", "parse_data": {"intent": {"name": null}}})), "3.6").len(), 1);
        assert_eq!(fitted(event("user", json!({"text": "x", "parse_data": {"entities": {}}})), "3.6").len(), 1);
        assert_eq!(fitted(event("user", json!({"text": "x", "parse_data": {"text": 5}})), "3.6").len(), 1);
        assert_eq!(fitted(event("entities", json!({"entities": [{"entity": "e", "value": 1, "start": 3.0}]})), "3.6"), []);
        assert_eq!(
            fitted(event("entities", json!({"entities": [{"entity": "e", "value": 1, "start": "3"}]})), "3.6").len(),
            1
        );
        assert_eq!(
            fitted(event("entities", json!({"entities": [{"entity": "e", "value": 1, "confidence": null}]})), "3.6").len(),
            1
        );
    }
}
