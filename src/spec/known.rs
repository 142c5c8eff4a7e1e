//! The names of one project in the JSON Schemas of its files, so that editors complete them: operations with their inputs,
//! slots, responses, formats and the like.
//!
//! What may be written otherwise, such as a template in place of a name, stays valid; where `check` knows the names, the
//! schema does too. What the project does not have (no domain, no connections) is left as every project has it.

use serde_json::{Map, Value, json};

/// The names that a project knows.
#[derive(Debug, Default)]
pub struct Known {
    /// What can be called: `CONNECTION.OPERATION`.
    pub operations: Vec<Entry>,
    /// The connections of legwork.yml.
    pub connections: Vec<String>,
    /// The connectors that a connection can name, each with its settings.
    pub connectors: Vec<Entry>,
    /// The slots of the domain, with those that every conversation has.
    pub slots: Vec<String>,
    /// The responses of the domain.
    pub responses: Vec<String>,
    /// The intents of the domain.
    pub intents: Vec<String>,
    /// The forms of the domain.
    pub forms: Vec<String>,
    /// legwork's formats and those of legwork.yml.
    pub formats: Vec<String>,
    /// The files of actions/shared.
    pub shared: Vec<String>,
    /// The outcomes of calls.
    pub outcomes: Vec<String>,
}

/// Something with a name that takes values with names.
#[derive(Debug)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// What it takes.
    pub takes: Vec<Taken>,
}

/// A value that something takes.
#[derive(Debug)]
pub struct Taken {
    /// Its key.
    pub name: String,
    /// What it is.
    pub doc: String,
    /// Whether it has to be there.
    pub required: bool,
    /// The values that it can have; none when there is no list of them.
    pub values: Vec<String>,
}

/// How a key is completed.
enum By {
    /// Its value is one of these names.
    Name(fn(&Known) -> &[String]),
    /// Its value is one of these names, or a template.
    NameOrTemplate(fn(&Known) -> &[String]),
    /// Its value is an operation, and the inputs stand in `with` beside it.
    Call,
    /// Its value is a list of these names.
    Names(fn(&Known) -> &[String]),
    /// Its value is a format.
    Format,
    /// Its keys are these names.
    Keys(fn(&Known) -> &[String]),
    /// Its keys are mostly these names.
    SomeKeys(fn(&Known) -> &[String]),
    /// Its keys are connections and operations.
    Systems,
}

/// Shape, key, and what completes it.
const PLACES: [(&str, &str, By); 24] = [
    ("Step", "call", By::Call),
    ("SlotRule", "call", By::Call),
    ("Undo", "call", By::Call),
    ("Prepare", "call", By::Call),
    ("OneTimeCode", "call", By::Call),
    ("Step", "set", By::Keys(|known| &known.slots)),
    ("Step", "clear", By::Names(|known| &known.slots)),
    ("Step", "use", By::Name(|known| &known.shared)),
    ("Step", "outcomes", By::Keys(|known| &known.outcomes)),
    ("SlotRule", "set", By::Keys(|known| &known.slots)),
    ("SlotRule", "format", By::Format),
    ("Input", "format", By::Format),
    ("Action", "inputs", By::SomeKeys(|known| &known.slots)),
    ("Action", "slots", By::Keys(|known| &known.slots)),
    ("Action", "required", By::Keys(|known| &known.slots)),
    ("Message", "response", By::NameOrTemplate(|known| &known.responses)),
    ("Button", "intent", By::NameOrTemplate(|known| &known.intents)),
    ("Test", "slots", By::SomeKeys(|known| &known.slots)),
    ("Test", "offered", By::SomeKeys(|known| &known.slots)),
    ("Test", "intent", By::NameOrTemplate(|known| &known.intents)),
    ("Test", "active_loop", By::NameOrTemplate(|known| &known.forms)),
    ("Test", "given", By::Systems),
    ("Expect", "slots", By::SomeKeys(|known| &known.slots)),
    ("Expect", "unset", By::Names(|known| &known.slots)),
];

/// Puts the names of a project into the schema of a kind of its files.
pub fn complete(schema: &mut Value, known: &Known) {
    let Some(definitions) = schema.get_mut("definitions").and_then(Value::as_object_mut) else { return };
    for (shape, key, by) in &PLACES {
        let Some(shape) = definitions.get_mut(*shape) else { continue };
        if let (By::Call, false) = (by, known.operations.is_empty()) {
            inputs(shape, &known.operations);
        }
        if let Some(place) = shape.get_mut("properties").and_then(|keys| keys.get_mut(*key)) {
            by.put(place, known);
        }
    }
    if let Some(say) = definitions.get_mut("Say").filter(|_| !known.responses.is_empty()) {
        said(say, &known.responses);
    }
    let connections =
        definitions.get_mut("Settings").and_then(|it| it.pointer_mut("/properties/connections/additionalProperties"));
    if let Some(connection) = connections {
        settings(connection, &known.connectors);
    }
}

impl By {
    fn put(&self, place: &mut Value, known: &Known) {
        match self {
            Self::Name(names) if !names(known).is_empty() => replace(place, json!({ "enum": names(known) })),
            Self::NameOrTemplate(names) if !names(known).is_empty() => {
                replace(place, or_template(json!({ "enum": names(known) })))
            }
            Self::Names(names) if !names(known).is_empty() => {
                replace(place, json!({ "type": "array", "items": { "enum": names(known) } }))
            }
            Self::Call if !known.operations.is_empty() => replace(place, named(&known.operations)),
            Self::Format => {
                if let Some(name) = place.pointer_mut("/anyOf/0") {
                    *name = json!({ "enum": known.formats });
                }
            }
            Self::Keys(names) if !names(known).is_empty() => keys(place, names(known).iter().map(String::as_str), true),
            Self::SomeKeys(names) => keys(place, names(known).iter().map(String::as_str), false),
            Self::Systems if !known.connections.is_empty() => {
                let operations = known.operations.iter().map(|operation| operation.name.as_str());
                keys(place, known.connections.iter().map(String::as_str).chain(operations), true);
            }
            _ => {}
        }
    }
}

/// Puts another schema in the place of one, whose description it keeps.
fn replace(place: &mut Value, by: Value) {
    let description = place.get("description").cloned();
    *place = by;
    if let (Some(description), Some(object)) = (description, place.as_object_mut()) {
        object.insert("description".into(), description);
    }
}

fn or_template(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": "\\{\\{" }] })
}

/// One of several names, each with what it is.
fn named(entries: &[Entry]) -> Value {
    let one = |entry: &Entry| json!({ "const": entry.name, "description": entry.doc });
    json!({ "anyOf": entries.iter().map(one).collect::<Vec<_>>() })
}

/// The keys of a mapping; others are refused when it is `closed`.
fn keys<'a>(place: &mut Value, names: impl Iterator<Item = &'a str>, closed: bool) {
    let Some(object) = place.as_object_mut() else { return };
    let each = object.get("additionalProperties").cloned().unwrap_or(json!(true));
    object.insert("properties".into(), names.map(|name| (name.to_owned(), each.clone())).collect::<Map<_, _>>().into());
    if closed {
        object.insert("additionalProperties".into(), json!(false));
    }
}

/// What stands in `with` beside each `call`.
fn inputs(shape: &mut Value, operations: &[Entry]) {
    let beside = |operation: &Entry| {
        let required: Vec<_> = operation.takes.iter().filter(|it| it.required).map(|it| it.name.as_str()).collect();
        let with = json!({ "properties": takes(&operation.takes), "required": required, "additionalProperties": false });
        let needed: &[&str] = if required.is_empty() { &[] } else { &["with"] };
        json!({
            "if": { "properties": { "call": { "const": operation.name } }, "required": ["call"] },
            "then": { "properties": { "with": with }, "required": needed },
        })
    };
    if let Some(object) = shape.as_object_mut() {
        object.insert("allOf".into(), operations.iter().map(beside).collect());
    }
}

fn takes(taken: &[Taken]) -> Map<String, Value> {
    let one = |it: &Taken| {
        let schema = match it.values.is_empty() {
            true => json!({ "description": it.doc }),
            // Users' words for a value, a template, a number: the format decides.
            false => json!({ "description": it.doc, "anyOf": [{ "enum": it.values }, true] }),
        };
        (it.name.clone(), schema)
    };
    taken.iter().map(one).collect()
}

/// Bare texts that are responses of the domain; what looks like one and is none is refused.
fn said(say: &mut Value, responses: &[String]) {
    let text = json!({ "anyOf": [
        { "enum": responses },
        { "type": ["string", "number", "boolean"], "not": { "pattern": "^utter_[\\w/-]+$" } },
    ] });
    for path in ["/anyOf/0/anyOf/0", "/anyOf/1/items/anyOf/0"] {
        if let Some(place) = say.pointer_mut(path) {
            place.clone_from(&text);
        }
    }
}

/// The connectors that a connection can have, and the settings of each.
fn settings(connection: &mut Value, connectors: &[Entry]) {
    let Some(object) = connection.as_object_mut() else { return };
    if let Some(keys) = object.get_mut("properties").and_then(Value::as_object_mut) {
        keys.insert("connector".into(), named(connectors));
    }
    let beside = |connector: &Entry| {
        json!({
            "if": { "properties": { "connector": { "const": connector.name } }, "required": ["connector"] },
            "then": { "properties": takes(&connector.takes) },
        })
    };
    object.insert("allOf".into(), connectors.iter().map(beside).collect());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::action::{Action, Shared};
    use crate::spec::document;
    use crate::spec::settings::Settings;

    #[test]
    fn every_place_is_one_of_a_schema() {
        let documents = [document::<Action>(""), document::<Shared>(""), document::<Settings>("")];
        for (shape, key, _) in PLACES {
            let path = format!("/definitions/{shape}/properties/{key}");
            assert!(documents.iter().any(|document| document.pointer(&path).is_some()), "{path}");
        }
        assert!(
            documents[2].pointer("/definitions/Settings/properties/connections/additionalProperties/properties").is_some()
        );
        for path in ["/definitions/Say/anyOf/0/anyOf/0/type", "/definitions/Say/anyOf/1/items/anyOf/0/type"] {
            assert!(documents[0].pointer(path).is_some(), "{path}");
        }
        assert!(documents[0].pointer("/definitions/Input/properties/format/anyOf/0/type").is_some());
    }

    #[test]
    fn nothing_known_changes_little() {
        let mut schema = document::<Action>("");
        let before = schema.clone();
        complete(&mut schema, &Known { formats: vec!["email".into()], ..Known::default() });
        assert_eq!(schema["definitions"]["Step"]["properties"]["call"], before["definitions"]["Step"]["properties"]["call"]);
        assert_eq!(schema["definitions"]["Message"], before["definitions"]["Message"]);
    }
}
