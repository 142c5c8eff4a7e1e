//! What makes two calls the same turn.
//!
//! A key is compared whole: two turns that differ anywhere in it never share work, whatever their hashes.

use serde_json::{Value, json};

use crate::connector::WriteKey;
use crate::name::{ActionName, CallerName, ConnectionName};
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

impl TurnKey {
    /// The turn of a call. A part that is not what the protocol says counts as left out.
    #[must_use]
    pub fn of(call: &Call, caller: &CallerName, action: &ActionName) -> Self {
        let sender = call.sender_id.as_str().into();
        Self { caller: caller.clone(), sender, action: action.clone(), message: UserMessage::of(call) }
    }

    /// The turn as the store knows it; it tells nothing of the turn.
    #[must_use]
    pub fn digest(&self) -> WriteKey {
        WriteKey::of(&json!(["turn", self.parts()]).to_string())
    }

    /// In which order the writes of the conversation are made at a connection: one lane.
    pub(super) fn lane(&self, connection: &ConnectionName) -> WriteKey {
        WriteKey::of(&json!(["lane", self.caller.as_str(), self.sender, connection.as_str()]).to_string())
    }

    fn parts(&self) -> Value {
        let message = match &self.message {
            UserMessage::Id(id) => json!([id]),
            UserMessage::Event { timestamp, text } => json!([timestamp, text]),
        };
        json!([self.caller.as_str(), self.sender, self.action.as_str(), message])
    }
}

/// A write of a turn: which one, and what it has in common with the same wish in another message.
#[derive(Debug, Clone, Copy)]
pub struct WriteOf<'a> {
    /// The turn.
    pub turn: &'a TurnKey,
    /// The place of the call, in the file and in the loops around it.
    pub step: &'a str,
    /// The action's declared inputs.
    pub inputs: &'a Value,
    /// What is written, as far as it does not depend on the time.
    pub meant: &'a Value,
}

impl WriteOf<'_> {
    /// The key of the write: the same turn has the same again, whatever it would write by then.
    pub(super) fn key(&self) -> WriteKey {
        WriteKey::of(&json!(["write", self.turn.parts(), self.inputs, self.step]).to_string())
    }

    /// What it has in common with another try of the user.
    ///
    /// The declared inputs are not enough for that: an action may take what it writes from the user's words.
    pub(super) fn purpose(&self) -> WriteKey {
        let TurnKey { caller, sender, action, .. } = self.turn;
        let purpose = json!(["purpose", caller.as_str(), sender, action.as_str(), self.inputs, self.step, self.meant]);
        WriteKey::of(&purpose.to_string())
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
    fn a_repeat_has_the_same_key_and_another_message_the_same_purpose() {
        let of = |turn: &TurnKey, step: &str, inputs: Value, meant: Value| {
            let write = WriteOf { turn, step, inputs: &inputs, meant: &meant };
            (write.key(), write.purpose())
        };
        let (turn, other) = (key(json!({"message_id": "m"}), json!([])), key(json!({"message_id": "n"}), json!([])));
        let first = of(&turn, "a.yml:1", json!({"n": 1}), json!({"text": "x"}));
        assert_eq!(of(&turn, "a.yml:1", json!({"n": 1}), json!({"text": "y"})).0, first.0);
        assert_ne!(of(&turn, "a.yml:1", json!({"n": 1}), json!({"text": "y"})).1, first.1);
        let again = of(&other, "a.yml:1", json!({"n": 1}), json!({"text": "x"}));
        assert!(again.0 != first.0 && again.1 == first.1);
        for (step, inputs) in [("a.yml:2", json!({"n": 1})), ("a.yml:1", json!({"n": 2}))] {
            let another = of(&turn, step, inputs, json!({"text": "x"}));
            assert!(another.0 != first.0 && another.1 != first.1);
        }
        assert_ne!(turn.digest(), other.digest());
        let shop = ConnectionName::parse("shop").unwrap();
        assert_eq!(turn.lane(&shop), other.lane(&shop));
    }
}
