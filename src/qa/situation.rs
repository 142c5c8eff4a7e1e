//! From the situation of a test to the body that Rasa would send.

use serde_json::{Map, Value, json};

use super::tracker::{Tracker, said, slot};
use crate::plan::testcase::Situation;

/// The body of a call of `action` in a situation.
#[must_use]
pub fn body(action: &str, situation: &Situation) -> Value {
    let sender = situation.sender.as_deref().unwrap_or("test");
    let slots = situation.slots.iter().cloned().collect();
    let mut tracker = Tracker::new(sender, situation.channel.as_deref().unwrap_or("rest"), slots);
    // What a test tells of the past is told, not lived through.
    tracker.events.clone_from(&situation.events);
    tracker.take(said(&json!({
        "text": situation.text,
        "intent": situation.intent.as_ref().map_or_else(|| json!({}), |name| json!({ "name": name, "confidence": 1.0 })),
        "entities": situation.entities,
        "metadata": situation.metadata.iter().cloned().collect::<Map<_, _>>(),
        "message_id": "test",
    })));
    situation.offered.iter().for_each(|(name, value)| tracker.take(slot(name, value)));
    tracker.is_in(situation.active_loop.as_deref());
    tracker.latest_action = Some("action_listen".to_owned());
    tracker.body(action)
}

/// Makes a call the one that follows an answer which asked for the same action once more.
pub(super) fn second(body: &mut Value, action: &str) {
    for key in ["followup_action", "latest_action_name"] {
        body["tracker"][key] = json!(action);
    }
}

/// The same call for another message of the user, an earlier one.
pub(super) fn earlier(mut body: Value) -> Value {
    body["tracker"]["latest_message"]["message_id"] = json!("earlier");
    body
}
