//! How a turn is taken once more: the user's own intent and entities, as a button's payload.
//!
//! Answers that failed are never kept, so the repeated turn asks the systems anew. Where repeating the message would not begin
//! the same action, as in a form or a flow, there is no button; and none where the turn did not begin with an intent.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::rasa::{Button, Object, Raw, Tracker};

/// Intents that Rasa makes up itself: sending one is not what the user did.
const RASA_INTENTS: [&str; 4] = ["nlu_fallback", "session_start", "restart", "back"];

/// The events that say that a form began or ended, as JSON writes their names.
const FORM_EVENTS: [&str; 2] = ["\"active_loop\"", "\"form\""];

/// What the user's message began the turn with, when the same message would begin it again. It holds nothing of the call's
/// body, since a turn may wait for long.
#[derive(Debug, Clone, Default)]
pub(super) struct Again(Option<(String, Object)>);

#[derive(Deserialize)]
struct Message {
    intent: Option<Intent>,
    entities: Option<Vec<Entity>>,
}

#[derive(Deserialize)]
struct Intent {
    name: Option<String>,
}

#[derive(Deserialize)]
struct Entity {
    entity: String,
    value: Json,
    role: Option<String>,
    group: Option<String>,
}

impl Again {
    pub(super) fn of(tracker: &Tracker) -> Self {
        Self(begun_with(tracker))
    }

    /// The button that takes the turn once more; none when it cannot be taken so.
    pub(super) fn button(&self, title: &str) -> Option<Button> {
        let (intent, entities) = self.0.as_ref()?;
        Some(Button::intent(title, intent, entities))
    }
}

fn begun_with(tracker: &Tracker) -> Option<(String, Object)> {
    let message: Message = tracker.latest_message.parse().ok()?;
    let intent = message.intent?.name?;
    let plain = !intent.is_empty() && intent.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
    if !plain || RASA_INTENTS.contains(&intent.as_str()) || is_within_another(tracker) {
        return None;
    }
    Some((intent, entities(message.entities.unwrap_or_default())?))
}

/// Whether a form or a flow is under way, or ended with this message: then the message was an answer to it.
fn is_within_another(tracker: &Tracker) -> bool {
    let in_form = tracker.active_loop.get("name").is_ok_and(|name| !name.is_absent());
    let in_flow = tracker.stack.items().next().is_some();
    in_form || in_flow || form_ended(&tracker.events)
}

fn form_ended(events: &Raw) -> bool {
    // Most conversations have had no form, and their events, of which there may be many, need not be gone through.
    if !FORM_EVENTS.iter().any(|name| events.as_str().contains(name)) {
        return false;
    }
    let mut ended = false;
    for event in events.items().filter_map(Result::ok) {
        let Ok(name) = event.get("event") else { continue };
        match name.as_str() {
            "\"user\"" => ended = false,
            name if FORM_EVENTS.contains(&name) => ended = true,
            _ => {}
        }
    }
    ended
}

/// Entities as a payload has them; none where a payload cannot say all of one.
fn entities(found: Vec<Entity>) -> Option<Object> {
    let mut several: Vec<(String, Vec<Json>)> = Vec::new();
    for Entity { entity, value, role, group } in found {
        if role.is_some() || group.is_some() {
            return None;
        }
        match several.iter_mut().find(|(name, _)| *name == entity) {
            // Two extractors found the same.
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => values.push(value),
            None => several.push((entity, vec![value])),
        }
    }
    // Rasa reads a list as several entities of one name.
    let value = |mut values: Vec<Json>| match values.as_slice() {
        [one] if !one.is_array() => values.swap_remove(0),
        _ => Json::Array(values),
    };
    Some(several.into_iter().map(|(name, values)| (name, value(values))).collect())
}
