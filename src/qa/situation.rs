//! From the situation of a test to the body that Rasa would send.

use serde_json::{Map, Value, json};

use crate::plan::testcase::Situation;

/// The body of a call of `action` in a situation.
#[must_use]
pub fn body(action: &str, situation: &Situation) -> Value {
    let sender = situation.sender.as_deref().unwrap_or("test");
    let mut slots: Map<String, Value> = situation.slots.iter().cloned().collect();
    slots.extend(situation.offered.iter().cloned());
    let message = json!({
        "text": situation.text,
        "intent": situation.intent.as_ref().map_or_else(|| json!({}), |name| json!({ "name": name, "confidence": 1.0 })),
        "entities": situation.entities,
        "metadata": situation.metadata.iter().cloned().collect::<Map<_, _>>(),
        "message_id": "test",
    });
    let mut events = situation.events.clone();
    events.push(json!({ "event": "user", "text": situation.text, "parse_data": message, "timestamp": null }));
    events.extend(
        situation
            .offered
            .iter()
            .map(|(name, value)| json!({ "event": "slot", "name": name, "value": value, "timestamp": null })),
    );
    json!({
        "next_action": action,
        "sender_id": sender,
        "tracker": {
            "sender_id": sender,
            "slots": slots,
            "latest_message": message,
            "events": events,
            "active_loop": situation.active_loop.as_ref().map_or_else(|| json!({}), |name| json!({ "name": name })),
            "paused": false,
            "followup_action": null,
            "latest_action_name": "action_listen",
            "latest_input_channel": situation.channel.as_deref().unwrap_or("rest"),
        },
        "version": "3.6.21",
    })
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
