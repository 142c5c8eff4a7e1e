//! The assistant's domain as `check` sees it: which slots, responses, intents, forms and actions exist, and where they stand.
//!
//! It is the project's own copy, from domain.yml or a folder of such files. What a call brings along is `rasa::Domain`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::diag::Span;
use crate::spec::{Kind, Node, Text};

/// The domain of a project, gathered from its files.
#[derive(Debug, Default)]
pub struct Domain {
    slots: BTreeMap<String, Slot>,
    responses: BTreeMap<String, Span>,
    intents: BTreeMap<String, Span>,
    forms: BTreeMap<String, Vec<String>>,
    actions: Vec<Text>,
    json: serde_json::Map<String, Value>,
}

/// A slot of the domain.
#[derive(Debug)]
pub struct Slot {
    /// Rasa's type: `text`, `bool`, `float`, `list`, `categorical`, `any`.
    pub kind: String,
    /// The values of a categorical slot.
    pub values: Vec<Value>,
    /// The actions that its mappings name.
    pub mapped_by: Vec<String>,
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
    /// Takes in one file of the domain.
    pub fn add(&mut self, file: &Node) {
        for (key, node) in file.entries() {
            match key.name.as_str() {
                "slots" => self.slots.extend(node.entries().iter().map(|(name, slot)| (name.name.clone(), read_slot(slot)))),
                "responses" => self.responses.extend(node.entries().iter().map(|(name, _)| (name.name.clone(), name.span.clone()))),
                "intents" => self.intents.extend(names(node).into_iter().map(|text| (text.value, text.span))),
                "forms" => self.forms.extend(node.entries().iter().map(|(name, form)| (name.name.clone(), required(form)))),
                "actions" => self.actions.extend(names(node)),
                _ => {}
            }
        }
        if let Value::Object(fields) = file.to_json() {
            for (key, value) in fields {
                merge(self.json.entry(key).or_insert(Value::Null), value);
            }
        }
    }

    /// The slot of that name.
    #[must_use]
    pub fn slot(&self, name: &str) -> Option<&Slot> {
        self.slots.get(name)
    }

    /// Whether a conversation has the slot.
    #[must_use]
    pub fn has_slot(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.slots.contains_key(name)
    }

    /// The names of all slots.
    pub fn slots(&self) -> impl Iterator<Item = &str> {
        self.slots.keys().map(String::as_str)
    }

    /// The names of all responses.
    pub fn responses(&self) -> impl Iterator<Item = &str> {
        self.responses.keys().map(String::as_str)
    }

    /// Whether there is the response.
    #[must_use]
    pub fn has_response(&self, name: &str) -> bool {
        self.responses.contains_key(name)
    }

    /// The names of all intents.
    pub fn intents(&self) -> impl Iterator<Item = &str> {
        self.intents.keys().map(String::as_str)
    }

    /// Whether there is the intent.
    #[must_use]
    pub fn has_intent(&self, name: &str) -> bool {
        self.intents.contains_key(name)
    }

    /// The required slots of a form.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&[String]> {
        self.forms.get(name).map(Vec::as_slice)
    }

    /// The names of all forms.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        self.forms.keys().map(String::as_str)
    }

    /// The custom actions it lists: those that Rasa calls an action server for.
    pub fn custom_actions(&self) -> impl Iterator<Item = &Text> {
        self.actions.iter().filter(|action| {
            let name = action.value.as_str();
            !name.starts_with("utter_") && !RASA_ACTIONS.contains(&name) && !self.forms.contains_key(name)
        })
    }

    /// The whole domain as Rasa would send it.
    #[must_use]
    pub fn json(&self) -> Value {
        Value::Object(self.json.clone())
    }
}

fn read_slot(node: &Node) -> Slot {
    let text = |node: &Node, key: &str| node.get(key).and_then(Node::scalar_text);
    let mappings = match node.get("mappings").map(|node| &node.kind) {
        Some(Kind::List(items)) => items.as_slice(),
        _ => &[],
    };
    let values = match node.get("values").map(|node| &node.kind) {
        Some(Kind::List(items)) => items.iter().map(Node::to_json).collect(),
        _ => Vec::new(),
    };
    Slot {
        kind: text(node, "type").unwrap_or_else(|| "any".to_owned()),
        values,
        mapped_by: mappings.iter().filter_map(|mapping| text(mapping, "action")).collect(),
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

fn required(form: &Node) -> Vec<String> {
    let slots = form.get("required_slots").unwrap_or(form);
    match &slots.kind {
        Kind::List(items) => items.iter().filter_map(Node::scalar_text).collect(),
        Kind::Map(entries) => entries.iter().map(|(key, _)| key.name.clone()).filter(|name| name != "ignored_intents").collect(),
        _ => Vec::new(),
    }
}

/// Rasa merges the files of a domain folder: lists are joined, mappings united.
fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (Value::Object(into), Value::Object(from)) => into.extend(from),
        (into, from) => *into = from,
    }
}
