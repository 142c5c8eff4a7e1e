//! The assistant's domain, as far as actions look at it. Every part is optional, and a part in a form that no version of
//! Rasa writes is left out rather than refused: a domain that Rasa runs with is never a reason to fail a turn.

use indexmap::IndexMap;
use serde_json::Value;

use super::{Malformed, Object, Raw};

/// A domain, read from a call or from domain.yml. Names are in the order written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Domain {
    /// Intents by name.
    pub intents: Vec<String>,
    /// Entities by name.
    pub entities: Vec<String>,
    /// Slots by name.
    pub slots: IndexMap<String, Slot>,
    /// Forms by name.
    pub forms: IndexMap<String, Form>,
    /// Actions by name.
    pub actions: Vec<String>,
    /// Responses (`utter_…`) by name.
    pub responses: Vec<String>,
}

/// A slot as the domain declares it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slot {
    /// `text`, `bool`, `categorical`, `float`, `list` or `any`; empty when not written.
    pub kind: String,
    /// What it holds at first.
    pub initial_value: Value,
    /// What a categorical slot may hold.
    pub values: Vec<Value>,
    /// Where its value comes from.
    pub mappings: Vec<Mapping>,
}

/// One of the ways in which a slot is filled.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// `from_entity`, `from_text`, `from_intent`, `from_trigger_intent`, `custom`, `controlled` or `from_llm`.
    pub kind: String,
    /// The entity of `from_entity`.
    pub entity: Option<String>,
    /// The entity's role.
    pub role: Option<String>,
    /// The entity's group.
    pub group: Option<String>,
    /// The intents for which it holds; none means all.
    pub intent: Vec<String>,
    /// The intents for which it does not hold.
    pub not_intent: Vec<String>,
    /// The value that `from_intent` sets.
    pub value: Value,
    /// The action that fills the slot.
    pub action: Option<String>,
    /// It holds when one of these does; none means always.
    pub conditions: Vec<Condition>,
}

/// When a mapping holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Condition {
    /// The form that has to be active; the inner none stands for no form (`active_loop: null`), the outer for any state.
    pub active_loop: Option<Option<String>>,
    /// The slot that the form has to be asking for.
    pub requested_slot: Option<String>,
}

/// A form as the domain declares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// The slots that it fills, in the order it asks.
    pub required_slots: Vec<String>,
    /// The intents that fill nothing while it is active.
    pub ignored_intents: Vec<String>,
}

impl Slot {
    /// Whether the slot belongs to forms only: a mapping of it asks for an active form. Such slots are validated by
    /// `validate_<form>`, the others by `action_validate_slot_mappings`.
    #[must_use]
    pub fn is_mapped_to_form(&self) -> bool {
        let in_a_form = |condition: &Condition| matches!(&condition.active_loop, Some(Some(form)) if !form.is_empty());
        self.mappings.iter().any(|mapping| mapping.conditions.iter().any(in_a_form))
    }
}

impl Domain {
    /// The domain of a call. Responses, the longest part, are not parsed but for their names.
    ///
    /// # Errors
    /// When the text is not JSON.
    pub fn from_call(raw: &Raw) -> Result<Self, Malformed> {
        let mut parts = Object::new();
        let mut responses = Vec::new();
        for entry in raw.entries() {
            let (key, part) = entry?;
            match key.as_str() {
                "intents" | "entities" | "slots" | "forms" | "actions" => drop(parts.insert(key, part.parse()?)),
                "responses" | "templates" => {
                    responses = part.entries().map(|entry| Ok(entry?.0)).collect::<Result<_, _>>()?
                }
                _ => {}
            }
        }
        Ok(Self { responses, ..Self::from_value(&Value::Object(parts)) })
    }

    /// The domain of a domain.yml that was read elsewhere.
    #[must_use]
    pub fn from_value(domain: &Value) -> Self {
        let responses = domain.get("responses").or_else(|| domain.get("templates"));
        Self {
            intents: names(domain.get("intents")),
            entities: names(domain.get("entities")),
            slots: entries(domain.get("slots")).map(|(name, slot)| (name.to_owned(), read_slot(slot))).collect(),
            forms: read_forms(domain.get("forms")),
            actions: names(domain.get("actions")),
            responses: entries(responses).map(|(name, _)| name.to_owned()).collect(),
        }
    }
}

/// The names of a list whose elements are names, or objects with the name as their only key.
fn names(list: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(items)) = list else {
        // A mapping from names to whatever is known about them.
        return entries(list).map(|(name, _)| name.to_owned()).collect();
    };
    items.iter().flat_map(name_of).collect()
}

fn name_of(item: &Value) -> Vec<String> {
    match item {
        Value::String(name) => vec![name.clone()],
        other => entries(Some(other)).map(|(name, _)| name.to_owned()).collect(),
    }
}

fn entries(part: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    part.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn text(part: Option<&Value>) -> Option<String> {
    part.and_then(Value::as_str).map(str::to_owned)
}

/// A text or a list of texts.
fn texts(part: Option<&Value>) -> Vec<String> {
    match part {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(|item| text(Some(item))).collect(),
        _ => Vec::new(),
    }
}

fn list(part: Option<&Value>) -> &[Value] {
    part.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn read_slot(slot: &Value) -> Slot {
    Slot {
        kind: text(slot.get("type")).unwrap_or_default(),
        initial_value: slot.get("initial_value").cloned().unwrap_or_default(),
        values: list(slot.get("values")).to_vec(),
        mappings: list(slot.get("mappings")).iter().map(read_mapping).collect(),
    }
}

fn read_mapping(mapping: &Value) -> Mapping {
    Mapping {
        kind: text(mapping.get("type")).unwrap_or_default(),
        entity: text(mapping.get("entity")),
        role: text(mapping.get("role")),
        group: text(mapping.get("group")),
        intent: texts(mapping.get("intent")),
        not_intent: texts(mapping.get("not_intent")),
        value: mapping.get("value").cloned().unwrap_or_default(),
        action: text(mapping.get("action")),
        conditions: list(mapping.get("conditions")).iter().map(read_condition).collect(),
    }
}

fn read_condition(condition: &Value) -> Condition {
    let active_loop = condition.get("active_loop").map(|name| text(Some(name)));
    Condition { active_loop, requested_slot: text(condition.get("requested_slot")) }
}

/// Four generations: a list of names; slots directly below the form's name; `required_slots` with a mapping of slots; and
/// `required_slots` with a list.
fn read_forms(forms: Option<&Value>) -> IndexMap<String, Form> {
    if let Some(Value::Array(items)) = forms {
        return items
            .iter()
            .flat_map(|item| match item {
                Value::String(name) => vec![(name.clone(), Form::default())],
                other => entries(Some(other)).map(|(name, form)| (name.to_owned(), read_form(form))).collect(),
            })
            .collect();
    }
    entries(forms).map(|(name, form)| (name.to_owned(), read_form(form))).collect()
}

fn read_form(form: &Value) -> Form {
    let required_slots = match form.get("required_slots") {
        Some(slots) => names(Some(slots)),
        None => entries(Some(form)).filter(|(key, _)| *key != "ignored_intents").map(|(slot, _)| slot.to_owned()).collect(),
    };
    Form { required_slots, ignored_intents: texts(form.get("ignored_intents")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn form(form: Value) -> Vec<String> {
        let forms = json!({"forms": {"f": form}});
        Domain::from_value(&forms).forms["f"].required_slots.clone()
    }

    #[test]
    fn forms_of_every_generation_have_their_slots() {
        assert_eq!(form(json!({"required_slots": ["b", "a"], "ignored_intents": "chitchat"})), ["b", "a"]);
        assert_eq!(form(json!({"required_slots": {"b": [{"type": "from_text"}], "a": []}})), ["b", "a"]);
        assert_eq!(form(json!({"b": [{"type": "from_text"}], "a": [], "ignored_intents": ["x"]})), ["b", "a"]);
        assert_eq!(form(json!(null)), [""; 0]);
        let listed = Domain::from_value(&json!({"forms": ["f", {"g": {"required_slots": ["a"]}}]}));
        assert_eq!(listed.forms["g"].required_slots, ["a"]);
        assert!(listed.forms.contains_key("f"));
    }

    #[test]
    fn names_stand_alone_or_head_an_object() {
        let domain = Domain::from_value(&json!({
            "intents": ["greet", {"order": {"use_entities": []}}], "entities": [{"city": {"roles": ["to"]}}, "date"],
            "actions": ["action_a", {"action_b": {"send_domain": true}}], "responses": {"utter_a": [{"text": "A"}]}
        }));
        assert_eq!(domain.intents, ["greet", "order"]);
        assert_eq!(domain.entities, ["city", "date"]);
        assert_eq!(domain.actions, ["action_a", "action_b"]);
        assert_eq!(domain.responses, ["utter_a"]);
    }

    #[test]
    fn a_slot_of_a_form_is_told_from_a_global_one() {
        let domain = Domain::from_value(&json!({"slots": {
            "a": {"type": "text", "mappings": [{"type": "from_text", "conditions": [{"active_loop": "f", "requested_slot": "a"}]}]},
            "b": {"type": "text", "mappings": [{"type": "from_text", "conditions": [{"active_loop": null}]}]},
            "c": {"type": "categorical", "values": ["x", 1], "initial_value": "x",
                  "mappings": [{"type": "custom", "action": "action_c", "intent": "i", "not_intent": ["j", "k"]}]},
            "d": null
        }}));
        assert!(domain.slots["a"].is_mapped_to_form());
        assert!(!domain.slots["b"].is_mapped_to_form());
        assert_eq!(domain.slots["b"].mappings[0].conditions[0].active_loop, Some(None));
        let c = &domain.slots["c"];
        assert_eq!((c.kind.as_str(), c.values.len(), &c.initial_value), ("categorical", 2, &json!("x")));
        assert_eq!(c.mappings[0].action.as_deref(), Some("action_c"));
        assert_eq!((c.mappings[0].intent.clone(), c.mappings[0].not_intent.len()), (vec!["i".to_owned()], 2));
        assert_eq!(domain.slots["d"], Slot::default());
    }

    #[test]
    fn a_calls_domain_reads_like_the_files() {
        let domain = json!({"version": "3.1", "slots": {"a": {"type": "text"}}, "responses": {"utter_b": [], "utter_a": []},
            "forms": {"f": {"required_slots": ["a"]}}, "intents": ["i"], "entities": [], "actions": [], "e2e_actions": []});
        assert_eq!(Domain::from_call(&Raw::of(&domain)).unwrap(), Domain::from_value(&domain));
        assert_eq!(Domain::from_call(&Raw::absent()).unwrap(), Domain::default());
        assert_eq!(Domain::from_call(&Raw::of(&json!({"slots": 5, "forms": "x"}))).unwrap(), Domain::default());
    }
}
