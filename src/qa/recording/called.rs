//! What of a call its action needs: the situation that it is made in, as a `tests:` block has it.
//!
//! What the action does not look at is not in it, so it cannot be kept by mistake: no slots but those that it reads, no text of
//! the user unless it asks for one, no token that proves who somebody is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::mask::Mask;
use crate::plan::Project;
use crate::plan::action::{Action, Body};
use crate::plan::testcase::Situation;
use crate::rasa::{Call, Malformed, Object, Raw};

/// The situation of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Called {
    /// The conversation's id.
    pub sender: String,
    /// The slots that the action reads.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub slots: Object,
    /// The user's message, where the action looks at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its intent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Its entities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<Value>,
    /// Its metadata, where the action looks at it.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub metadata: Object,
    /// What the user has proved.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub verified: Object,
    /// The input channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The active form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_loop: Option<String>,
    /// What the message offers to a validation.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub offered: Object,
    /// The events before, where the action looks at them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Value>,
    /// The dialogue stack of Rasa Pro, where the action looks at it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stack: Vec<Value>,
}

/// More events than these are not kept: the latest are.
const MOST_EVENTS: usize = 200;

impl Called {
    /// What `action` needs of a call; `proved` is what the user had proved.
    ///
    /// # Errors
    /// When a part of the call is not what the protocol says.
    pub fn of(call: &Call, project: &Project, action: &Action, proved: &[(String, String)]) -> Result<Self, Malformed> {
        let asks = |name: &str| action.asks.contains(name);
        let (tracker, signed) = (&call.tracker, project.settings.verify.metadata.as_ref());
        let message: Object = object(&tracker.latest_message)?;
        let part = |key: &str| message.get(key).cloned().unwrap_or_default();
        let text_of = |value: Value| value.as_str().map(str::to_owned);
        let whole = asks("latest_message");
        let metadata = if whole || asks("metadata") { part("metadata") } else { Value::Null };
        let mut metadata = metadata.as_object().cloned().unwrap_or_default();
        metadata.retain(|key, _| signed.is_none_or(|signed| signed.key != *key));
        let form = matches!(action.body, Body::Validation(_));
        let (mut events, mut offered) = (Vec::new(), Object::new());
        if form || asks("events") || asks("transcript") {
            events = tracker.events.items().map(|event| event?.parse()).collect::<Result<Vec<Value>, _>>()?;
            offered = latest_slots(&mut events);
            if !(asks("events") || asks("transcript")) {
                events.clear();
            }
            events.drain(..events.len().saturating_sub(MOST_EVENTS));
        }
        let active: Object = object(&tracker.active_loop)?;
        let heard = whole || ["user_text", "events", "transcript"].into_iter().any(asks);
        let stack: Vec<Value> =
            if asks("stack") && !tracker.stack.is_absent() { tracker.stack.parse()? } else { Vec::new() };
        let mut slots: Object = object(&tracker.slots)?;
        let reads = |slot: &str| asks("slots") || asks(&format!("slots.{slot}")) || (form && slot == "requested_slot");
        slots.retain(|slot, value| reads(slot) && !value.is_null() && !offered.contains_key(slot));
        Ok(Self {
            sender: call.sender_id.clone(),
            slots,
            text: text_of(part("text")).filter(|_| heard),
            intent: text_of(part("intent").get("name").cloned().unwrap_or_default()),
            entities: part("entities").as_array().cloned().unwrap_or_default().iter().map(entity).collect(),
            metadata,
            verified: proved.iter().map(|(what, value)| (what.clone(), value.clone().into())).collect(),
            channel: tracker.latest_input_channel.clone(),
            active_loop: active.get("name").and_then(Value::as_str).map(str::to_owned),
            offered: if form { offered } else { Object::new() },
            events,
            stack,
        })
    }

    /// The same without people.
    #[must_use]
    pub fn masked(&self, mask: &Mask) -> Self {
        let all = |values: &[Value]| values.iter().map(|value| mask.value(value)).collect();
        // Names of things are the project's own.
        let entity = |entity: &Value| {
            let mut fields = entity.as_object().cloned().unwrap_or_default();
            if let Some(value) = fields.get_mut("value") {
                *value = mask.value(value);
            }
            Value::Object(fields)
        };
        Self {
            sender: mask.sender(&self.sender),
            slots: mask.fields(&self.slots),
            text: self.text.as_deref().map(|text| mask.text(text)),
            intent: self.intent.clone(),
            entities: self.entities.iter().map(entity).collect(),
            metadata: mask.fields(&self.metadata),
            verified: mask.fields(&self.verified),
            channel: self.channel.clone(),
            active_loop: self.active_loop.clone(),
            offered: mask.fields(&self.offered),
            events: all(&self.events),
            stack: all(&self.stack),
        }
    }

    /// Everything in it that may name somebody.
    #[must_use]
    pub fn values(&self) -> Value {
        let parts = [&self.slots, &self.metadata, &self.offered].map(|fields| Value::Object(fields.clone()));
        let named = |entity: &Value| {
            let name = entity.get("entity").and_then(Value::as_str).unwrap_or_default().to_owned();
            Value::Object([(name, entity.get("value").cloned().unwrap_or_default())].into_iter().collect())
        };
        parts.into_iter().chain(self.entities.iter().map(named)).collect()
    }

    /// The situation of a test.
    #[must_use]
    pub fn situation(&self) -> Situation {
        let pairs = |fields: &Object| fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let verified = |(what, value): (&String, &Value)| Some((what.clone(), value.as_str()?.to_owned()));
        Situation {
            slots: pairs(&self.slots),
            text: self.text.clone(),
            intent: self.intent.clone(),
            entities: self.entities.clone(),
            metadata: pairs(&self.metadata),
            verified: self.verified.iter().filter_map(verified).collect(),
            sender: Some(self.sender.clone()),
            channel: self.channel.clone(),
            active_loop: self.active_loop.clone(),
            offered: pairs(&self.offered),
            events: self.events.clone(),
        }
    }

    /// The body that Rasa would send.
    #[must_use]
    pub fn body(&self, action: &str) -> Value {
        let mut body = crate::qa::body(action, &self.situation());
        if !self.stack.is_empty() {
            body["tracker"]["stack"] = self.stack.clone().into();
        }
        body
    }
}

/// The slots that the last message set, and the events before that message.
fn latest_slots(events: &mut Vec<Value>) -> Object {
    let mut slots = Object::new();
    let kind = |event: &Value, kind: &str| event.get("event").and_then(Value::as_str) == Some(kind);
    while let Some(event) = events.pop_if(|event| kind(event, "slot")) {
        let name = event.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        slots.insert(name, event.get("value").cloned().unwrap_or_default());
    }
    if let Some(at) = events.iter().rposition(|event| kind(event, "user")) {
        events.truncate(at);
    }
    slots.into_iter().rev().collect()
}

/// An entity without what only says how it was found.
fn entity(entity: &Value) -> Value {
    let keys = ["entity", "value", "role", "group"];
    let kept = keys.iter().filter_map(|key| Some(((*key).to_owned(), entity.get(*key)?.clone())));
    Value::Object(kept.filter(|(_, value)| !value.is_null()).collect())
}

fn object(raw: &Raw) -> Result<Object, Malformed> {
    if raw.is_absent() { Ok(Object::new()) } else { raw.parse() }
}
