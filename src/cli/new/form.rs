//! The draft of a form's validation: a rule for each slot, by its type, its name and the project's formats, and tests of what is
//! taken and what is not.

use std::fmt::Write;

use serde_json::{Value, json};

use super::text::{flow, mapping, scalar, words};
use crate::plan::domain::Domain;
use crate::rasa::Slot;
use crate::spec::settings::Settings;

/// How a slot is checked.
struct Rule {
    /// The keys before `refuse`.
    keys: Vec<(&'static str, String)>,
    /// Something that is taken, and what becomes of it.
    right: (Value, Value),
    /// Something that is not taken.
    wrong: Option<Value>,
}

/// The validation without its tests, and the tests.
pub(super) fn draft(form: &str, domain: &Domain, settings: Option<&Settings>) -> (String, Vec<String>) {
    let none = Slot::default();
    let slots = domain.rasa.forms.get(form).map(|form| form.required_slots.as_slice()).unwrap_or_default();
    let mut text = format!("description: {}\nslots:\n", Value::from(format!("Checks what {form} gathers.")));
    let (mut offered, mut taken, mut tests) = (Vec::new(), Vec::new(), Vec::new());
    for name in slots {
        let rule = rule(name, domain.rasa.slots.get(name).unwrap_or(&none), settings);
        let response = format!("utter_invalid_{name}");
        let known = domain.rasa.responses.contains(&response);
        let refuse =
            if known { response } else { format!("I can't use that here ({}). Could you say it again?", words(name)) };
        let keys = rule.keys.into_iter().map(|(key, value)| (key.to_owned(), value));
        let refusal = rule.wrong.as_ref().map(|_| ("refuse".to_owned(), scalar(&refuse)));
        let _ = writeln!(text, "  {}: {}", scalar(name), mapping(keys.chain(refusal)));
        offered.push((scalar(name), flow(&rule.right.0)));
        taken.push((scalar(name), flow(&rule.right.1)));
        if let Some(wrong) = rule.wrong {
            let offered = mapping([(scalar(name), flow(&wrong))].into_iter());
            let expected = mapping([(scalar(name), "null".to_owned())].into_iter());
            tests.push(format!(
                "  - it: asks again when {} cannot be right\n    active_loop: {form}\n    offered: {offered}\n    expect: {{ said: [{}], slots: {expected} }}\n",
                words(name),
                scalar(&refuse),
            ));
        }
    }
    let right = format!(
        "  - it: takes what is right\n    active_loop: {form}\n    offered: {}\n    expect: {{ said: [], slots: {} }}\n",
        mapping(offered.into_iter()),
        mapping(taken.into_iter()),
    );
    tests.insert(0, right);
    (text, tests)
}

fn rule(name: &str, slot: &Slot, settings: Option<&Settings>) -> Rule {
    let format = |format: &str, right: Value, becomes: Value, wrong: &str| Rule {
        keys: vec![("format", format.to_owned())],
        right: (right, becomes),
        wrong: Some(wrong.into()),
    };
    let same = |kind: &str, value: Value, wrong: &str| format(kind, value.clone(), value, wrong);
    let has = |parts: &[&str]| name.split(['_', '-']).any(|part| parts.contains(&part.to_lowercase().as_str()));
    match slot.kind.as_str() {
        "bool" => return format("yes_no", json!("yes"), json!(true), "perhaps"),
        "float" => return format("number", json!("12.5"), json!(12.5), "a few"),
        "categorical" if !slot.values.is_empty() && slot.values.iter().all(Value::is_string) => {
            let first = slot.values.first().cloned().unwrap_or_default();
            return same(&format!("{{ enum: {} }}", flow(&Value::Array(slot.values.clone()))), first, "something else");
        }
        "list" | "any" => return Rule { keys: Vec::new(), right: (json!(["one"]), json!(["one"])), wrong: None },
        _ => {}
    }
    if let Some(own) = own_format(name, settings) {
        return own;
    }
    match () {
        () if has(&["email", "mail"]) => same("email", json!("sarah@example.com"), "at home"),
        () if has(&["phone", "mobile", "telephone"]) => same("phone", json!("+14155550123"), "none"),
        () if has(&["date", "day", "birthday", "deadline"]) => same("date", json!("2026-03-05"), "whenever"),
        () if has(&["time"]) => same("time", json!("15:30"), "whenever"),
        () if has(&["age", "count", "quantity", "persons", "people", "guests"]) => {
            format("integer", json!("3"), json!(3), "a few")
        }
        () => Rule {
            keys: vec![("accept", "value | length > 1".to_owned())],
            right: (json!("something"), json!("something")),
            wrong: Some("x".into()),
        },
    }
}

/// A format of legwork.yml that has the slot's name, or the beginning of it (`order_number` for `order_id` has not).
fn own_format(name: &str, settings: Option<&Settings>) -> Option<Rule> {
    let (format, written) = settings?.formats.iter().find(|(format, _)| format.value == name)?;
    let example =
        |taken: bool| written.examples.iter().find(|(_, becomes)| taken != matches!(becomes.kind, crate::spec::Kind::Null));
    let (right, becomes) = example(true)?;
    Some(Rule {
        keys: vec![("format", format.value.clone())],
        right: (right.value.clone().into(), becomes.to_json()),
        wrong: example(false).map(|(wrong, _)| wrong.value.clone().into()),
    })
}
