//! Events: names and fields that Rasa accepts, and what they refer to.

use serde_json::Value as Json;

use super::Compiler;
use super::names::Names;
use super::trust::Origins;
use crate::diag::{Code, Diagnostic};
use crate::plan::action::EventPlan;
use crate::plan::value::Value;
use crate::rasa::{EventField, EventKind};
use crate::spec::{Kind, Node, Text};

/// The keys that any event may have.
const COMMON: [&str; 2] = ["timestamp", "metadata"];

/// An event as written: its name, and each field with its value.
struct Written<'a> {
    name: Text,
    fields: Vec<(Text, &'a Node)>,
}

impl Compiler<'_> {
    pub(super) fn event(&mut self, node: &Node, names: &Names) -> Option<EventPlan> {
        let (written, known) = self.read_event(node)?;
        for (key, _) in written.fields.iter().filter(|(key, _)| !has(known, &key.value)) {
            let message = format!("the event `{}` has no field `{}`", written.name.value, key.value);
            let diagnostic = Diagnostic::at(Code::BadEvent, &key.span, message);
            self.out.push(diagnostic.did_you_mean(&key.value, known.iter().map(|field| field.name)));
        }
        let given = |field: &&EventField| written.fields.iter().any(|(key, _)| key.value == field.name);
        for missing in known.iter().filter(|field| field.required && !given(field)) {
            let message = format!("the event `{}` needs the field `{}`", written.name.value, missing.name);
            let diagnostic = Diagnostic::at(Code::BadEvent, &written.name.span, message);
            self.out.push(diagnostic.help(format!("add `{}`: {}", missing.name, missing.shape.words())));
        }
        let mut fields = Vec::new();
        let mut read = Origins::new();
        for (key, node) in &written.fields {
            let (value, origins) = self.tracing(|compiler| compiler.value(node, names));
            read.extend(origins);
            let Some(value) = value else { continue };
            if let Some(Json::String(text)) = value.constant() {
                self.refers(&written.name.value, &key.value, &Text { span: node.span.clone(), value: text });
            }
            fields.push((key.value.clone(), value));
        }
        if written.name.value == "slot" {
            self.slot_sent(&fields, &read);
        }
        Some(EventPlan { name: written.name.value, fields })
    }

    /// Notes what a slot is set from by an event; one whose name is worked out may be any.
    fn slot_sent(&mut self, fields: &[(String, Value)], read: &Origins) {
        let name = fields.iter().find(|(key, _)| key == "name").and_then(|(_, value)| value.constant());
        let domain = self.domain;
        match name.as_ref().and_then(Json::as_str) {
            Some(slot) => self.slot_set(slot, read.clone()),
            None => {
                for slot in domain.into_iter().flat_map(|domain| domain.rasa.slots.keys()) {
                    self.slot_set(slot, read.clone());
                }
            }
        }
    }

    /// `pause`, `followup: action_x`, which is short for `followup: { name: action_x }`, or a name with its fields.
    fn read_event<'a>(&mut self, node: &'a Node) -> Option<(Written<'a>, &'static [EventField])> {
        let (name, value) = match &node.kind {
            Kind::Text(name) => (Text { span: node.span.clone(), value: name.clone() }, None),
            Kind::Map(entries) if entries.len() == 1 => {
                entries.first().map(|(key, value)| (Text::of_key(key), Some(value)))?
            }
            _ => {
                let diagnostic =
                    Diagnostic::at(Code::BadEvent, &node.span, "an event is a name, or one name with its fields");
                self.out.push(
                    diagnostic.help("such as `event: pause` or `event: { reminder: { intent: EXTERNAL_x, date_time: … } }`"),
                );
                return None;
            }
        };
        let Some(known) = EventKind::fields(&name.value) else {
            let diagnostic = Diagnostic::at(Code::BadEvent, &name.span, format!("Rasa has no event `{}`", name.value));
            self.out.push(diagnostic.did_you_mean(&name.value, EventKind::NAMES.iter().copied()));
            return None;
        };
        let fields = match value.map(|node| (node, &node.kind)) {
            None | Some((_, Kind::Null)) => Vec::new(),
            Some((_, Kind::Map(entries))) => entries.iter().map(|(key, value)| (Text::of_key(key), value)).collect(),
            Some((node, _)) if known.iter().any(|field| field.name == "name") => {
                vec![(Text { span: node.span.clone(), value: "name".to_owned() }, node)]
            }
            Some((node, _)) => {
                let message = format!("the event `{}` takes fields: a mapping", name.value);
                let list = known.iter().map(|field| format!("`{}`", field.name)).collect::<Vec<_>>().join(", ");
                let help = if list.is_empty() { "it has no fields".to_owned() } else { format!("its fields are {list}") };
                self.out.push(Diagnostic::at(Code::BadEvent, &node.span, message).help(help));
                return None;
            }
        };
        Some((Written { name, fields }, known))
    }

    /// Holds what an event names against the domain: an action, a slot, a form, an intent.
    fn refers(&mut self, event: &str, field: &str, name: &Text) {
        match (event, field) {
            ("followup", "name") if self.acting == name.value => {
                let diagnostic =
                    Diagnostic::at(Code::FollowsItself, &name.span, "the action asks Rasa to run itself again, without end");
                self.out.push(diagnostic.help("follow up another action; waiting for a slow system needs no followup"));
            }
            ("followup", "name") => {
                if let Some(domain) = self.domain.filter(|domain| !domain.runs(&name.value)) {
                    let message = format!("the domain does not list `{}`, so Rasa cannot run it next", name.value);
                    let diagnostic = Diagnostic::at(Code::UndeclaredAction, &name.span, message);
                    self.out.push(diagnostic.did_you_mean(&name.value, domain.listed()));
                }
            }
            ("slot", "name") => self.known_slot(&name.value, &name.span),
            ("active_loop", "name") => self.known_form(&name.value, &name.span),
            ("reminder" | "cancel_reminder", "intent") => self.known_intent(name),
            _ => {}
        }
    }
}

fn has(known: &[EventField], key: &str) -> bool {
    known.iter().any(|field| field.name == key) || COMMON.contains(&key)
}
