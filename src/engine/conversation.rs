//! What the expressions of an action can ask of the conversation, read from the call as far as they do ask.
//!
//! Parts that no expression of the action names are not parsed. What is parsed is read before the first step, so that a call
//! that is not what the protocol says is refused before anything was done.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::again::Again;
use super::ladder::Tells;
use super::slots::Slots;
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::settings::Settings;
use crate::plan::wording::Wording;
use crate::rasa::{Call, Malformed, Object, Raw};
use crate::template::{Names, Scope, Value, from_json, open_map};

/// The conversation as expressions see it.
pub(super) struct Conversation {
    /// The names it offers.
    pub(super) names: Arc<dyn Names>,
    /// Whose it is.
    pub(super) sender: String,
    /// The slots, when the action asks for them.
    pub(super) slots: Slots,
    /// The entities of the last message.
    pub(super) entities: Json,
    /// The metadata of the last message.
    pub(super) metadata: Json,
    /// The input channel.
    pub(super) channel: Option<String>,
    /// The language of the answer.
    pub(super) locale: String,
    /// The time of the call.
    pub(super) now: DateTime<Utc>,
    /// The action's own words for what legwork says by itself.
    pub(super) wording: Arc<Wording>,
    /// How the same turn is taken again.
    pub(super) again: Again,
    /// What is told of how the turn went.
    pub(super) tells: Tells,
}

/// The few names that an action asks for; looking through them is quicker than any table.
pub(super) struct Offered(pub(super) Vec<(&'static str, Value)>);

impl Names for Offered {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.iter().find(|(offered, _)| *offered == name).map(|(_, value)| value.clone())
    }
}

/// The names that are read from the last message.
const OF_MESSAGE: [&str; 5] = ["latest_message", "user_text", "intent", "entities", "metadata"];

impl Conversation {
    /// Reads what `asks` names.
    ///
    /// # Errors
    /// When a part is not what the protocol says.
    pub(super) fn read(call: &Call, action: &Action, project: &Project, now: DateTime<Utc>) -> Result<Self, Malformed> {
        let (asks, settings) = (&action.asks, &project.settings);
        let asked = |name: &str| asks.contains(name);
        let tracker = &call.tracker;
        let slots = match asked("slots") {
            true => Slots::of(&object(&tracker.slots)?),
            false => Slots::unseen(&tracker.slots.pick(&single_slots(asks))?),
        };
        let mut offered: Vec<(&'static str, Value)> = Vec::with_capacity(12);
        offered.push(("now", Value::from(now.to_rfc3339_opts(SecondsFormat::Millis, true))));
        offered.push(("timezone", Value::from(settings.timezone.name())));
        if asked("slots") {
            offered.extend(slots.value().map(|slots| ("slots", slots)));
        }
        for (name, text) in [
            ("sender_id", Some(&call.sender_id)),
            ("channel", tracker.latest_input_channel.as_ref()),
            ("latest_action_name", tracker.latest_action_name.as_ref()),
        ] {
            if asked(name) {
                offered.push((name, text.map_or(Value::from(()), |text| Value::from(text.as_str()))));
            }
        }
        let (mut entities, mut metadata) = (Json::Null, Json::Null);
        if OF_MESSAGE.iter().any(|name| asked(name)) {
            let mut message = object(&tracker.latest_message)?;
            for (key, empty) in
                [("text", Json::Null), ("intent", json!({})), ("entities", json!([])), ("metadata", json!({}))]
            {
                let slot = message.entry(key).or_insert(Json::Null);
                if slot.is_null() {
                    *slot = empty;
                }
            }
            let part = |key: &str| message.get(key).cloned().unwrap_or_default();
            (entities, metadata) = (part("entities"), part("metadata"));
            offered.push(("user_text", from_json(&part("text"))));
            offered.push(("intent", from_json(part("intent").get("name").unwrap_or(&Json::Null))));
            offered.push(("entities", from_json(&entities)));
            offered.push(("metadata", from_json(&metadata)));
            offered.push(("latest_message", from_json(&Json::Object(message))));
        }
        for name in ["data_age", "as_of"] {
            if asked(name) {
                offered.push((name, Value::from(())));
            }
        }
        if asked("active_loop") {
            offered.push(("active_loop", open_map(&object(&tracker.active_loop)?)));
        }
        if asked("stack") {
            offered.push(("stack", from_json(&list(&tracker.stack)?)));
        }
        if asked("events") {
            offered.push(("events", from_json(&list(&tracker.events)?)));
        }
        if asked("transcript") {
            offered.push(("transcript", from_json(&transcript(&tracker.events)?)));
        }
        let locale = locale(settings, &offered);
        offered.push(("locale", Value::from(locale.as_str())));
        offered.extend(settings.words_in(&locale).map(|words| ("legwork", words.clone())));
        let channel = tracker.latest_input_channel.clone();
        let (wording, again) = (Arc::clone(&action.messages), Again::of(tracker));
        let tells = Tells::of(call, action, project);
        let names: Arc<dyn Names> = Arc::new(Offered(offered));
        let sender = call.sender_id.clone();
        Ok(Self { names, sender, slots, entities, metadata, channel, locale, now, wording, again, tells })
    }
}

/// The slots that inputs take while no expression looks at slots.
fn single_slots(asks: &BTreeSet<String>) -> Vec<&str> {
    asks.iter().filter_map(|name| name.strip_prefix("slots.")).collect()
}

/// The language of the answer: what legwork.yml says, or English when that gives none.
fn locale(settings: &Settings, offered: &[(&'static str, Value)]) -> String {
    if let Some(constant) = settings.locale.as_constant() {
        return constant.as_str().unwrap_or("en").to_owned();
    }
    let scope = Scope::new(Arc::new(Offered(offered.to_vec())));
    settings.locale.text(&scope).ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "en".to_owned())
}

fn object(raw: &Raw) -> Result<Object, Malformed> {
    if raw.is_absent() { Ok(Object::new()) } else { raw.parse() }
}

fn list(raw: &Raw) -> Result<Json, Malformed> {
    if raw.is_absent() { Ok(json!([])) } else { raw.parse::<Vec<Json>>().map(Json::Array) }
}

/// An event as far as a transcript looks at it; the rest of it, often long, is skipped.
#[derive(Deserialize)]
struct Uttered {
    event: Option<String>,
    text: Option<Json>,
}

/// Who said what, out of the events.
fn transcript(events: &Raw) -> Result<Json, Malformed> {
    let mut said = Vec::new();
    for event in events.items() {
        let event: Uttered = event?.parse()?;
        let who = event.event.as_deref().filter(|event| ["user", "bot"].contains(event));
        let text = event.text.as_ref().and_then(Json::as_str).filter(|text| !text.is_empty());
        said.extend(who.zip(text).map(|(who, text)| json!({ "who": who, "text": text })));
    }
    Ok(Json::Array(said))
}
