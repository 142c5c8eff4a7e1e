//! The tracker of a conversation as Rasa keeps it: a pure state machine over events, and the calls that Rasa would make of it.
//!
//! It knows no domain but the slots that a conversation begins with, and decides nothing: which event comes next is the
//! player's part.

use serde_json::{Value, json};

use crate::rasa::Object;

/// The state of a conversation.
#[derive(Debug, Clone)]
pub(super) struct Tracker {
    /// The conversation's id.
    pub(super) sender: String,
    /// The channel that the user writes on.
    pub(super) channel: String,
    /// What every slot holds at first.
    initial: Object,
    /// What the slots hold.
    pub(super) slots: Object,
    /// Every event that counts, in order.
    pub(super) events: Vec<Value>,
    /// The user's last message.
    pub(super) message: Value,
    active_loop: Value,
    /// The action that ran last.
    pub(super) latest_action: Option<String>,
    /// The action that an answer asked for next.
    pub(super) followup: Option<String>,
    paused: bool,
}

/// The event of a slot that is set.
pub(super) fn slot(name: &str, value: &Value) -> Value {
    json!({ "event": "slot", "name": name, "value": value, "timestamp": null })
}

/// The event of an action that ran.
pub(super) fn ran(name: &str) -> Value {
    json!({ "event": "action", "name": name, "policy": null, "confidence": null, "timestamp": null })
}

/// The event of a loop that begins, or of one that ends.
pub(super) fn looped(name: Option<&str>) -> Value {
    json!({ "event": "active_loop", "name": name, "timestamp": null })
}

/// The event of a message of the user's; `parsed` is what is known of it.
pub(super) fn said(parsed: &Value) -> Value {
    json!({ "event": "user", "text": parsed.get("text"), "parse_data": parsed, "timestamp": null })
}

impl Tracker {
    /// A conversation in which nothing has happened yet.
    pub(super) fn new(sender: &str, channel: &str, initial: Object) -> Self {
        Self {
            sender: sender.to_owned(),
            channel: channel.to_owned(),
            slots: initial.clone(),
            initial,
            events: Vec::new(),
            message: json!({}),
            active_loop: json!({}),
            latest_action: None,
            followup: None,
            paused: false,
        }
    }

    /// The active form.
    pub(super) fn active_loop(&self) -> Option<&str> {
        self.active_loop.get("name").and_then(Value::as_str)
    }

    /// From now on this form is active, or none.
    pub(super) fn is_in(&mut self, form: Option<&str>) {
        self.active_loop = form.map_or_else(|| json!({}), |name| json!({ "name": name }));
    }

    /// What a slot holds; null when nothing.
    pub(super) fn slot(&self, name: &str) -> &Value {
        self.slots.get(name).unwrap_or(&Value::Null)
    }

    /// Takes an event, as Rasa does.
    pub(super) fn take(&mut self, event: Value) {
        let name = event.get("name").and_then(Value::as_str);
        match event.get("event").and_then(Value::as_str).unwrap_or_default() {
            "slot" => {
                if let Some(name) = name {
                    self.slots.insert(name.to_owned(), event.get("value").cloned().unwrap_or_default());
                }
            }
            "user" => {
                self.message = event.get("parse_data").cloned().unwrap_or_default();
                self.followup = None;
            }
            "action" => {
                self.latest_action = name.map(str::to_owned);
                self.followup = None;
            }
            "active_loop" => {
                let name = name.map(str::to_owned);
                self.is_in(name.as_deref());
            }
            "followup" => self.followup = name.map(str::to_owned),
            "reset_slots" => self.slots = self.initial.clone(),
            "session_started" | "restart" => self.begin_anew(),
            "pause" => self.paused = true,
            "resume" => self.paused = false,
            "undo" => return self.back_to("action"),
            "rewind" => return self.back_to("user"),
            _ => {}
        }
        self.events.push(event);
    }

    /// The body of a call of `action` now.
    pub(super) fn body(&self, action: &str) -> Value {
        json!({
            "next_action": action,
            "sender_id": self.sender,
            "tracker": {
                "sender_id": self.sender,
                "slots": self.slots,
                "latest_message": self.message,
                "events": self.events,
                "active_loop": self.active_loop,
                "paused": self.paused,
                "followup_action": self.followup,
                "latest_action_name": self.latest_action,
                "latest_input_channel": self.channel,
            },
            "version": "3.6.21",
        })
    }

    /// The events since the user's last message, that included.
    pub(super) fn turn(&self) -> &[Value] {
        let last = self.events.iter().rposition(|event| is(event, "user"));
        self.events.get(last.unwrap_or_default()..).unwrap_or_default()
    }

    fn begin_anew(&mut self) {
        self.slots = self.initial.clone();
        (self.message, self.active_loop) = (json!({}), json!({}));
        (self.latest_action, self.followup, self.paused) = (None, None, false);
    }

    /// Undoes the last event of that kind and all after it.
    fn back_to(&mut self, kind: &str) {
        let mut events = std::mem::take(&mut self.events);
        if let Some(at) = events.iter().rposition(|event| is(event, kind)) {
            events.truncate(at);
        }
        self.begin_anew();
        events.into_iter().for_each(|event| self.take(event));
    }
}

/// Whether an event is of that kind.
pub(super) fn is(event: &Value, kind: &str) -> bool {
    event.get("event").and_then(Value::as_str) == Some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracker() -> Tracker {
        let initial = Object::from_iter([("a".to_owned(), json!("first")), ("b".to_owned(), Value::Null)]);
        Tracker::new("s", "rest", initial)
    }

    #[test]
    fn events_make_the_state() {
        let mut tracker = tracker();
        for event in [
            ran("action_listen"),
            said(&json!({ "text": "hi", "intent": { "name": "greet" } })),
            looped(Some("f")),
            slot("a", &json!(2)),
            json!({ "event": "followup", "name": "action_x" }),
        ] {
            tracker.take(event);
        }
        assert_eq!((tracker.active_loop(), tracker.slot("a")), (Some("f"), &json!(2)));
        let body = tracker.body("action_x");
        assert_eq!(body["tracker"]["followup_action"], "action_x");
        assert_eq!(body["tracker"]["latest_message"]["intent"]["name"], "greet");
        assert_eq!(tracker.turn().len(), 4);
        tracker.take(json!({ "event": "reset_slots" }));
        assert_eq!(tracker.slot("a"), "first");
        tracker.take(json!({ "event": "restart" }));
        assert_eq!((tracker.active_loop(), tracker.latest_action.clone()), (None, None));
    }

    #[test]
    fn what_is_undone_has_not_been() {
        let mut tracker = tracker();
        tracker.take(ran("action_listen"));
        tracker.take(said(&json!({ "text": "hi" })));
        tracker.take(slot("b", &json!(1)));
        tracker.take(ran("action_x"));
        tracker.take(slot("a", &json!("second")));
        tracker.take(json!({ "event": "undo" }));
        assert_eq!((tracker.slot("a"), tracker.slot("b")), (&json!("first"), &json!(1)));
        tracker.take(json!({ "event": "rewind" }));
        assert_eq!((tracker.slot("b"), tracker.latest_action.as_deref()), (&Value::Null, Some("action_listen")));
    }
}
