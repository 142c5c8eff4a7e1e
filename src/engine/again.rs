//! How a turn is taken once more: the user's own intent and entities, as a button's payload.
//!
//! Answers that failed are never kept, so the repeated turn asks the systems anew. Where repeating the message would not begin
//! the same action, as in a form or a flow, there is no button; and none where the turn did not begin with an intent.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::rasa::{Button, Object, Raw, Tracker};

/// Intents that Rasa makes up itself: sending one is not what the user did.
const RASA_INTENTS: [&str; 4] = ["nlu_fallback", "session_start", "restart", "back"];

/// The parts of a call that say how it began; looked at when something failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Again {
    message: Raw,
    events: Raw,
    active_loop: Raw,
    stack: Raw,
}

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

#[derive(Deserialize)]
struct Named {
    event: Option<String>,
}

impl Again {
    pub(super) fn of(tracker: &Tracker) -> Self {
        let Tracker { latest_message, events, active_loop, stack, .. } = tracker;
        Self {
            message: latest_message.clone(),
            events: events.clone(),
            active_loop: active_loop.clone(),
            stack: stack.clone(),
        }
    }

    /// The button that takes the turn once more; none when it cannot be taken so.
    pub(super) fn button(&self, title: &str) -> Option<Button> {
        let message: Message = self.message.parse().ok()?;
        let intent = message.intent?.name?;
        let plain = !intent.is_empty() && intent.chars().all(|c| c.is_alphanumeric() || "_-./".contains(c));
        if !plain || RASA_INTENTS.contains(&intent.as_str()) || self.is_within_another() {
            return None;
        }
        let entities = entities(message.entities.unwrap_or_default())?;
        Some(Button::intent(title, &intent, &entities))
    }

    /// Whether a form or a flow is under way, or ended with this message: then the message was an answer to it.
    fn is_within_another(&self) -> bool {
        let in_form = self.active_loop.get("name").is_ok_and(|name| !name.is_absent());
        let in_flow = self.stack.items().next().is_some();
        in_form || in_flow || self.form_ended()
    }

    fn form_ended(&self) -> bool {
        let mut ended = false;
        for event in self.events.items() {
            let Some(event) = event.ok().and_then(|event| event.parse::<Named>().ok()) else { continue };
            match event.event.as_deref() {
                Some("user") => ended = false,
                Some("active_loop" | "form") => ended = true,
                _ => {}
            }
        }
        ended
    }
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
