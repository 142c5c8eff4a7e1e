//! The project's own copy of the assistant's domain: domain.yml, or a folder of such files, merged as Rasa merges them.
//!
//! `check` holds actions against it, and a validation falls back to it when a call brings no domain.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::rasa;
use crate::spec::{Kind, Node, Text};

/// The domain of a project.
#[derive(Debug, Default)]
pub struct Domain {
    /// What it says.
    pub rasa: Arc<rasa::Domain>,
    actions: Vec<Text>,
    /// The forms, each with the slots that it fills.
    forms: Vec<(String, Vec<Text>)>,
    /// The texts of each response, in the order written.
    texts: BTreeMap<String, Vec<String>>,
}

/// Slots that every conversation has.
const BUILT_IN: [&str; 2] = ["requested_slot", "session_started_metadata"];

/// Actions that Rasa itself answers, though a domain may list them.
const RASA_ACTIONS: [&str; 15] = [
    "action_listen",
    "action_restart",
    "action_default_fallback",
    "action_deactivate_loop",
    "action_revert_fallback_events",
    "action_default_ask_affirmation",
    "action_default_ask_rephrase",
    "action_two_stage_fallback",
    "action_unlikely_intent",
    "action_back",
    "action_extract_slots",
    "action_run_slot_rejections",
    "action_trigger_search",
    "action_trigger_chitchat",
    "action_clean_stack",
];

impl Domain {
    /// The domain that these files make together.
    #[must_use]
    pub fn of(files: &[Node]) -> Self {
        let mut whole = Value::Object(serde_json::Map::new());
        let (mut actions, mut forms) = (Vec::new(), Vec::new());
        for file in files {
            merge(&mut whole, file.to_json());
            actions.extend(file.get("actions").map(names).unwrap_or_default());
            let slots = |form: &Node| form.get("required_slots").map(names).unwrap_or_default();
            forms.extend(
                file.get("forms").into_iter().flat_map(Node::entries).map(|(name, form)| (name.name.clone(), slots(form))),
            );
        }
        let responses = whole.get("responses").and_then(Value::as_object).into_iter().flatten();
        let texts = responses.map(|(name, ways)| (name.clone(), texts(ways))).collect();
        Self { rasa: Arc::new(rasa::Domain::from_value(&whole)), actions, forms, texts }
    }

    /// Whether a conversation has the slot.
    #[must_use]
    pub fn has_slot(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.rasa.slots.contains_key(name)
    }

    /// The slots of every conversation; none without a domain, which leaves them open.
    pub fn slots(&self) -> impl Iterator<Item = &str> {
        let own = self.rasa.slots.keys().map(String::as_str);
        let none = self.rasa.slots.is_empty();
        own.chain(BUILT_IN.into_iter().filter(move |_| !none))
    }

    /// The custom actions it lists: those that Rasa calls an action server for.
    pub fn custom_actions(&self) -> impl Iterator<Item = &Text> {
        self.actions.iter().filter(|action| {
            let name = action.value.as_str();
            !name.starts_with("utter_") && !RASA_ACTIONS.contains(&name) && !self.rasa.forms.contains_key(name)
        })
    }

    /// Its forms, each with the slots that it lists and where they stand; those of a domain from before Rasa 3 are left out.
    pub fn forms(&self) -> impl Iterator<Item = (&str, &[Text])> {
        self.forms.iter().map(|(form, slots)| (form.as_str(), slots.as_slice()))
    }

    /// Every action that it lists, Rasa's own included.
    pub fn listed(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(Text::as_str)
    }

    /// The texts that a response has, one of which Rasa says; none of one that the domain does not have.
    #[must_use]
    pub fn texts(&self, response: &str) -> &[String] {
        self.texts.get(response).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether Rasa can run an action of that name: one that it calls, one of its own, a response or a form.
    #[must_use]
    pub fn runs(&self, action: &str) -> bool {
        self.calls(action)
            || RASA_ACTIONS.contains(&action)
            || action == "action_session_start"
            || self.rasa.forms.contains_key(action)
            || self.rasa.responses.iter().any(|response| response == action)
    }

    /// Whether Rasa calls the action: it is listed, or is one that Rasa calls by its name alone.
    #[must_use]
    pub fn calls(&self, action: &str) -> bool {
        self.actions.iter().any(|listed| listed.value == action)
            || self
                .rasa
                .slots
                .values()
                .flat_map(|slot| &slot.mappings)
                .any(|mapping| mapping.action.as_deref() == Some(action))
    }
}

/// A list of names, each a text or a mapping whose first key is the name.
fn names(node: &Node) -> Vec<Text> {
    let Kind::List(items) = &node.kind else { return Vec::new() };
    items
        .iter()
        .filter_map(|item| match &item.kind {
            Kind::Text(name) => Some(Text { span: item.span.clone(), value: name.clone() }),
            _ => item.entries().first().map(|(key, _)| Text::of_key(key)),
        })
        .collect()
}

/// The texts of the ways to say a response.
fn texts(ways: &Value) -> Vec<String> {
    let text = |way: &Value| way.get("text").and_then(Value::as_str).map(str::to_owned);
    ways.as_array().into_iter().flatten().filter_map(text).collect()
}

/// Lists are joined, mappings united; of two scalars the later stays.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}
