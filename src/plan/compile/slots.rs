//! Slots: held against the domain, as far as there is one.

use serde_json::Value as Json;

use super::Compiler;
use super::names::Names;
use crate::diag::{Code, Diagnostic, Span};
use crate::name::SlotName;
use crate::plan::value::Value;
use crate::spec::{Map, Node, Text};

impl Compiler<'_> {
    /// Reports a slot that the domain does not have; without a domain there is nothing to hold it against.
    pub(super) fn known_slot(&mut self, name: &str, place: &Span) {
        if let Some(domain) = self.domain
            && !domain.has_slot(name)
        {
            let diagnostic = Diagnostic::at(Code::UnknownSlot, place, format!("the domain has no slot `{name}`"));
            self.out.push(diagnostic.did_you_mean(name, domain.rasa.slots.keys().map(String::as_str)));
        }
    }

    pub(super) fn slot_name(&mut self, text: &Text) -> Option<SlotName> {
        self.known_slot(&text.value, &text.span);
        self.parsed(text, "a slot", SlotName::RULE, SlotName::parse)
    }

    pub(super) fn slots(&mut self, map: &Map<Node>, names: &Names) -> Vec<(SlotName, Value)> {
        let mut slots = Vec::new();
        for (name, node) in map.iter() {
            let slot = self.slot_name(name);
            let (value, origins) = self.tracing(|compiler| compiler.value(node, names));
            self.slot_set(&name.value, origins);
            if let Some(value) = &value {
                self.fits_slot(name, node, value);
            }
            slots.extend(slot.zip(value));
        }
        slots
    }

    /// Holds a constant against the slot's type and values.
    fn fits_slot(&mut self, name: &Text, node: &Node, value: &Value) {
        let Some((slot, constant)) = self.domain.and_then(|domain| domain.rasa.slots.get(&name.value)).zip(value.constant())
        else {
            return;
        };
        let misfit = match (&constant, slot.kind.as_str()) {
            (Json::Null, _) | (_, "any") => None,
            (Json::Bool(_), "bool") | (Json::Number(_), "float") | (Json::Array(_), "list") => None,
            (Json::String(_) | Json::Number(_), "text") => None,
            (value, "categorical") => {
                let same = |listed: &Json| plain(listed).to_lowercase() == plain(value).to_lowercase();
                let listed: Vec<_> = slot.values.iter().map(plain).collect();
                if !slot.values.iter().any(same) {
                    let message = format!("the categorical slot `{}` does not list this value", name.value);
                    let diagnostic = Diagnostic::at(Code::SlotValue, &node.span, message);
                    self.out.push(diagnostic.did_you_mean(&plain(value), listed.iter().map(String::as_str)));
                }
                None
            }
            (_, "bool") => Some("true or false"),
            (_, "float") => Some("a number"),
            (_, "list") => Some("a list"),
            (_, "text") => Some("a text"),
            _ => None,
        };
        if let Some(needed) = misfit {
            let message = format!("the slot `{}` holds {needed}, not {}", name.value, node.what());
            let bool =
                constant.as_str().filter(|_| slot.kind == "bool").and_then(|word| match word.to_lowercase().as_str() {
                    "yes" | "on" | "true" => Some("write `true`, without quotes"),
                    "no" | "off" | "false" => Some("write `false`, without quotes"),
                    _ => None,
                });
            let cure = bool.unwrap_or("set a value of that type, or change the slot's type in the domain");
            self.out.push(Diagnostic::at(Code::SlotType, &node.span, message).help(cure));
        }
    }
}

/// A scalar as people read it.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
