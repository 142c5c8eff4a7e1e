//! Calls as Rasa makes them: the body of a turn's first call, and of the one that its slow answer asks for.

use serde_json::{Map, Value, json};

use crate::record::Turn;

/// What an assistant knows of a conversation.
#[derive(Debug, Default)]
pub struct Tracker {
    events: Vec<Value>,
    slots: Map<String, Value>,
    now: f64,
}

/// How many events a tracker has at most; with more of them the calls of a long run would be mostly these.
const EVENTS: usize = 60;

impl Tracker {
    /// A conversation that begins.
    pub fn new() -> Self {
        let mut tracker = Self { now: 1_770_000_000.0, ..Self::default() };
        tracker.add(json!({ "event": "action", "name": "action_session_start", "policy": null, "confidence": 1.0 }));
        tracker.add(json!({ "event": "session_started" }));
        tracker.add(json!({ "event": "action", "name": "action_listen", "policy": null, "confidence": null }));
        tracker
    }

    fn add(&mut self, mut event: Value) {
        self.now += 0.25;
        event["timestamp"] = json!(self.now);
        self.events.push(event);
        if self.events.len() > EVENTS {
            self.events.drain(..EVENTS / 2);
        }
    }

    /// The user says something: the body of the call that it leads to.
    pub fn first(&mut self, turn: &Turn, message_id: Option<&str>) -> Value {
        self.now += 5.0;
        let text = format!("What about {}?", turn.order);
        let message = json!({
            "intent": { "name": "ask", "confidence": 0.98 },
            "entities": [{ "entity": "order_id", "value": turn.order, "start": 11, "end": 11 + turn.order.len() }],
            "text": text, "message_id": message_id, "metadata": {}, "intent_ranking": [{ "name": "ask", "confidence": 0.98 }],
        });
        self.add(json!({
            "event": "user", "text": text, "parse_data": message, "input_channel": "rest", "message_id": message_id, "metadata": {},
        }));
        for slot in ["order_status", "ticket", "lead", "booking", "note", "entry", "action_outcome", "data_age"] {
            self.slots.insert(slot.to_owned(), Value::Null);
        }
        self.slots.insert("order_id".to_owned(), json!(turn.order));
        self.add(json!({ "event": "slot", "name": "order_id", "value": turn.order }));
        self.body(turn, &message, "action_listen", &Value::Null)
    }

    /// What a slow answer leads to: the body of the second call.
    pub fn second(&mut self, turn: &Turn, first: &Value, slow: &Value) -> Value {
        self.add(json!({ "event": "action", "name": turn.action.name, "policy": "RulePolicy", "confidence": 1.0 }));
        for message in slow["responses"].as_array().into_iter().flatten() {
            self.add(json!({ "event": "bot", "text": message["text"], "data": {}, "metadata": {} }));
        }
        self.add(json!({ "event": "followup", "name": turn.action.name }));
        self.body(turn, &first["tracker"]["latest_message"], turn.action.name, &json!(turn.action.name))
    }

    /// The turn is over.
    pub fn listen(&mut self, turn: &Turn, answer: &Value) {
        self.add(json!({ "event": "action", "name": turn.action.name, "policy": "RulePolicy", "confidence": 1.0 }));
        for event in answer["events"].as_array().into_iter().flatten().filter(|event| event["event"] == "slot") {
            self.add(event.clone());
        }
        self.add(json!({ "event": "action", "name": "action_listen", "policy": "RulePolicy", "confidence": 1.0 }));
    }

    fn body(&self, turn: &Turn, message: &Value, latest: &str, followup: &Value) -> Value {
        json!({
            "next_action": turn.action.name,
            "sender_id": turn.sender,
            "tracker": {
                "sender_id": turn.sender,
                "slots": self.slots,
                "latest_message": message,
                "latest_event_time": self.now,
                "followup_action": followup,
                "paused": false,
                "events": self.events,
                "latest_input_channel": "rest",
                "active_loop": {},
                "latest_action": { "action_name": latest },
                "latest_action_name": latest,
            },
            "version": "3.6.21",
        })
    }
}
