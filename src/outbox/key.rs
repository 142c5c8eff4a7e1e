//! What makes two calls the same turn.
//!
//! A key is compared whole: two turns that differ anywhere in it never share work, whatever their hashes.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::name::{ActionName, CallerName};
use crate::rasa::{Call, Raw};

/// A turn: who calls, in which conversation, which action, about which message of the user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TurnKey {
    /// Who calls. Two assistants may both have a sender called `default`.
    pub caller: CallerName,
    /// The conversation.
    pub sender: Box<str>,
    /// The action.
    pub action: ActionName,
    /// The user's message that the turn answers.
    pub message: UserMessage,
}

/// A message of the user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum UserMessage {
    /// The channel's or Rasa's id of it.
    Id(Box<str>),
    /// One without an id: the last `user` event, as the tracker writes it; empty where there is none.
    Event {
        /// Its timestamp.
        timestamp: Box<str>,
        /// Its text.
        text: Box<str>,
    },
}

/// The letters of a reference: none that are taken for one another when they are read out.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl TurnKey {
    /// The turn of a call. A part that is not what the protocol says counts as left out.
    #[must_use]
    pub fn of(call: &Call, caller: &CallerName, action: &ActionName) -> Self {
        let sender = call.sender_id.as_str().into();
        Self { caller: caller.clone(), sender, action: action.clone(), message: UserMessage::of(call) }
    }

    /// What a user can quote and an operator find in the log: eight letters and digits, the same for the same turn on every
    /// replica. It tells nothing of the turn.
    #[must_use]
    pub fn reference(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        let hash = hasher.finish();
        let letter = |at: u32| char::from(LETTERS[(hash >> (at * 5) & 31) as usize]);
        (0..8).map(letter).collect()
    }
}

impl UserMessage {
    fn of(call: &Call) -> Self {
        let picked = call.tracker.latest_message.pick(&["message_id"]).unwrap_or_default();
        let id = picked.get("message_id").and_then(serde_json::Value::as_str).filter(|id| !id.is_empty());
        match id {
            Some(id) => Self::Id(id.into()),
            None => Self::last_in(&call.tracker.events),
        }
    }

    fn last_in(events: &Raw) -> Self {
        let is_user = |event: &Raw| event.get("event").is_ok_and(|name| name.as_str() == "\"user\"");
        let last = events.items().filter_map(Result::ok).filter(is_user).last();
        let part = |key: &str| {
            let part = last.as_ref().and_then(|event| event.get(key).ok());
            part.map(|part| part.as_str().into()).unwrap_or_default()
        };
        Self::Event { timestamp: part("timestamp"), text: part("text") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(message: Value, events: Value) -> TurnKey {
        let mut call = Call { sender_id: "s".to_owned(), ..Call::default() };
        call.tracker.latest_message = Raw::of(&message);
        call.tracker.events = Raw::of(&events);
        TurnKey::of(&call, &CallerName::anonymous(), &ActionName::parse("action_x").unwrap())
    }

    fn said(timestamp: f64, text: &str) -> Value {
        json!([{"event": "user", "timestamp": timestamp, "text": text}, {"event": "slot", "name": "a", "value": "user"}])
    }

    #[test]
    fn a_message_is_known_by_its_id_else_by_its_event() {
        assert_eq!(key(json!({"message_id": "m"}), said(1.0, "a")), key(json!({"message_id": "m"}), said(2.0, "b")));
        assert_ne!(key(json!({"message_id": "m"}), json!([])), key(json!({"message_id": "n"}), json!([])));
        for none in [json!({}), json!(null), json!({"message_id": null}), json!({"message_id": ""})] {
            assert_eq!(key(none.clone(), said(1.0, "a")), key(json!({}), said(1.0, "a")), "{none}");
            assert_ne!(key(none.clone(), said(1.0, "a")), key(none.clone(), said(1.0, "b")), "{none}");
            assert_ne!(key(none.clone(), said(1.0, "a")), key(none, said(2.0, "a")));
        }
        let event = UserMessage::Event { timestamp: "1.0".into(), text: "\"a\"".into() };
        assert_eq!(key(json!({}), said(1.0, "a")).message, event);
        assert_eq!(key(json!({}), json!("no list")).message, key(json!({}), json!([])).message);
    }

    #[test]
    fn a_reference_is_the_same_for_the_same_turn_only() {
        let reference = key(json!({"message_id": "m"}), json!([])).reference();
        assert_eq!(reference, key(json!({"message_id": "m"}), json!([])).reference());
        assert_ne!(reference, key(json!({"message_id": "n"}), json!([])).reference());
        assert!(reference.len() == 8 && reference.bytes().all(|letter| LETTERS.contains(&letter)), "{reference}");
    }
}
