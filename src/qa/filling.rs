//! How a message of the user's fills slots: the mappings of the domain, as Rasa reads them before it asks any policy.
//!
//! Pure. What only an action can fill is named, not filled.

use serde_json::Value;

use super::tracker::Tracker;
use crate::rasa::{Domain, Mapping, Slot};

/// The slots that the user's last message fills, in the order of the domain.
pub(super) fn filled(domain: &Domain, tracker: &Tracker) -> Vec<(String, Value)> {
    let fill = |(name, slot): (&String, &Slot)| {
        let holds = |mapping: &&Mapping| applies(domain, tracker, mapping);
        let value = slot.mappings.iter().filter(holds).find_map(|mapping| value(domain, tracker, name, slot, mapping));
        value.map(|value| (name.clone(), value))
    };
    domain.slots.iter().filter_map(fill).collect()
}

/// The actions that fill slots of a conversation in this state, each once.
pub(super) fn actions(domain: &Domain, tracker: &Tracker) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mappings = domain.slots.values().flat_map(|slot| &slot.mappings);
    for mapping in mappings.filter(|mapping| mapping.kind == "custom" && applies(domain, tracker, mapping)) {
        found.extend(mapping.action.clone().filter(|action| !found.contains(action)));
    }
    found
}

/// Whether an entity that fills one slot of the form could fill another of it just as well: then it fills only the one that is
/// asked for.
pub(super) fn is_shared(domain: &Domain, form: &str, slot: &str, mapping: &Mapping) -> bool {
    let Some(form) = domain.forms.get(form) else { return false };
    let same = |other: &Mapping| {
        other.kind == mapping.kind
            && (&other.entity, &other.role, &other.group) == (&mapping.entity, &mapping.role, &mapping.group)
    };
    let others = form.required_slots.iter().filter(|name| *name != slot);
    mapping.kind == "from_entity"
        && others.filter_map(|name| domain.slots.get(name)).flat_map(|slot| &slot.mappings).any(same)
}

/// Whether a mapping holds for the last message, in this state.
fn applies(domain: &Domain, tracker: &Tracker, mapping: &Mapping) -> bool {
    let active = tracker.active_loop();
    let intent = tracker.message.pointer("/intent/name").and_then(Value::as_str).unwrap_or_default();
    let ignored = active.and_then(|form| domain.forms.get(form)).map(|form| form.ignored_intents.as_slice());
    let is_meant = (mapping.intent.is_empty() || mapping.intent.iter().any(|one| one == intent))
        && !mapping.not_intent.iter().chain(ignored.unwrap_or_default()).any(|one| one == intent);
    if mapping.kind == "from_trigger_intent" {
        // It fills a slot of the form that the message starts.
        let of = |form: &str| {
            mapping.conditions.iter().any(|one| one.active_loop.as_ref().is_some_and(|it| it.as_deref() == Some(form)))
        };
        return is_meant && active.is_none_or(|form| !of(form));
    }
    let asked = tracker.slot("requested_slot").as_str();
    let here = mapping.conditions.is_empty()
        || mapping.conditions.iter().any(|condition| {
            condition.active_loop.as_ref().is_none_or(|form| form.as_deref() == active)
                && condition.requested_slot.as_deref().is_none_or(|slot| Some(slot) == asked)
        });
    is_meant && here
}

fn value(domain: &Domain, tracker: &Tracker, name: &str, slot: &Slot, mapping: &Mapping) -> Option<Value> {
    let constant = || Some(mapping.value.clone()).filter(|value| !value.is_null());
    match mapping.kind.as_str() {
        "from_entity" => {
            let is_asked = tracker.slot("requested_slot").as_str() == Some(name);
            if !is_asked && tracker.active_loop().is_some_and(|form| is_shared(domain, form, name, mapping)) {
                return None;
            }
            let values = entities(tracker, mapping);
            match slot.kind.as_str() {
                "list" => Some(Value::Array(values)).filter(|values| values != &Value::Array(Vec::new())),
                _ => values.into_iter().next_back(),
            }
        }
        "from_text" => {
            tracker.message.get("text").filter(|text| text.as_str().is_some_and(|text| !text.is_empty())).cloned()
        }
        "from_intent" | "from_trigger_intent" => constant(),
        _ => None,
    }
}

/// The values that the last message has for the entity of a mapping.
fn entities(tracker: &Tracker, mapping: &Mapping) -> Vec<Value> {
    let entities = tracker.message.get("entities").and_then(Value::as_array);
    let text = |entity: &Value, key: &str| entity.get(key).and_then(Value::as_str).map(str::to_owned);
    let is_it = |entity: &&Value| {
        text(entity, "entity") == mapping.entity
            && text(entity, "role") == mapping.role
            && text(entity, "group") == mapping.group
    };
    entities.into_iter().flatten().filter(is_it).filter_map(|entity| entity.get("value").cloned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tracker::{looped, said, slot as set};
    use super::*;

    fn domain() -> Domain {
        Domain::from_value(&json!({
            "forms": { "f": { "required_slots": ["from", "to", "why"], "ignored_intents": ["chitchat"] } },
            "slots": {
                "from": { "type": "text", "mappings": [{ "type": "from_entity", "entity": "city", "role": "from" }, { "type": "from_entity", "entity": "city" }] },
                "to": { "type": "text", "mappings": [{ "type": "from_entity", "entity": "city", "role": "to" }, { "type": "from_entity", "entity": "city" }] },
                "why": { "type": "text", "mappings": [{ "type": "from_text", "not_intent": "stop", "conditions": [{ "active_loop": "f", "requested_slot": "why" }] }] },
                "yes": { "type": "bool", "mappings": [{ "type": "from_intent", "intent": "affirm", "value": true }, { "type": "from_intent", "intent": "deny", "value": false }] },
                "all": { "type": "list", "mappings": [{ "type": "from_entity", "entity": "item" }] },
                "kind": { "type": "text", "mappings": [{ "type": "from_trigger_intent", "intent": "start", "value": "new", "conditions": [{ "active_loop": "f" }] }] },
                "tier": { "type": "text", "mappings": [{ "type": "custom", "action": "action_tier" }] },
                "own": { "type": "text", "mappings": [{ "type": "from_text", "conditions": [{ "active_loop": null }] }] }
            }
        }))
    }

    fn fills(events: &[Value], message: Value) -> Vec<(String, Value)> {
        let mut tracker = Tracker::new("s", "rest", serde_json::Map::new());
        events.iter().for_each(|event| tracker.take(event.clone()));
        tracker.take(said(&message));
        filled(&domain(), &tracker)
    }

    fn entity(entity: &str, value: &str, role: Option<&str>) -> Value {
        json!({ "entity": entity, "value": value, "role": role })
    }

    #[test]
    fn entities_fill_by_role_and_what_two_slots_could_take_goes_to_the_one_that_is_asked_for() {
        let form = [looped(Some("f")), set("requested_slot", &json!("to"))];
        let both = json!({ "entities": [entity("city", "Rome", Some("from")), entity("city", "Oslo", None)] });
        assert_eq!(fills(&form, both), [("from".into(), json!("Rome")), ("to".into(), json!("Oslo"))]);
        let items = json!({ "entities": [entity("item", "a", None), entity("item", "b", None)] });
        assert_eq!(fills(&[], items), [("all".into(), json!(["a", "b"]))]);
    }

    #[test]
    fn texts_and_intents_fill_where_their_conditions_hold() {
        let why = [looped(Some("f")), set("requested_slot", &json!("why"))];
        let says = |intent: &str| json!({ "text": "so", "intent": { "name": intent } });
        assert_eq!(fills(&why, says("inform")), [("why".into(), json!("so"))]);
        assert_eq!(fills(&why, says("stop")), []);
        assert_eq!(fills(&why, says("chitchat")), [], "an ignored intent fills nothing");
        assert_eq!(fills(&[], says("deny")), [("yes".into(), json!(false)), ("own".into(), json!("so"))]);
        assert_eq!(fills(&[], json!({ "intent": { "name": "start" } })), [("kind".into(), json!("new"))]);
        assert_eq!(fills(&[looped(Some("f"))], json!({ "intent": { "name": "start" } })), []);
        let tracker = Tracker::new("s", "rest", serde_json::Map::new());
        assert_eq!(actions(&domain(), &tracker), ["action_tier"]);
    }
}
