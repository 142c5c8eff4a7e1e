//! The pages of operations, models and codes, and of the keys of files: made from what the engine has, so that they lack nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use legwork::connector::catalog;
use legwork::format::Format;
use legwork::model::{Codes, Field, Kind, Model};
use legwork::plan::connector::{Ends, Example, Operation, OperationInput, OperationKind};
use legwork::spec::action::{Action, Shared};
use legwork::spec::document;
use legwork::spec::settings::Settings;
use serde_json::Value;

fn format(of: &OperationInput) -> String {
    match &of.format {
        None | Some(Format::Text) => "text".to_owned(),
        Some(Format::Email) => "email".to_owned(),
        Some(Format::Phone { .. }) => "phone".to_owned(),
        Some(Format::Date) => "date".to_owned(),
        Some(Format::Time) => "time".to_owned(),
        Some(Format::DateTime) => "datetime".to_owned(),
        Some(Format::Number) => "number".to_owned(),
        Some(Format::Integer) => "integer".to_owned(),
        Some(Format::Money { .. }) => "money".to_owned(),
        Some(Format::Bool) => "yes_no".to_owned(),
        Some(Format::Enum(choices)) => {
            choices.iter().map(|choice| format!("`{}`", choice.value)).collect::<Vec<_>>().join(", ")
        }
        Some(Format::Pattern(_)) => panic!("a connector that comes with legwork has no formats of its own"),
    }
}

fn operation(of: &Operation) -> String {
    let model = of.model.map_or("a value", |model| model.name);
    let gives = if of.many { format!("a list of {model}") } else { format!("one {model}") };
    let kind = match of.kind {
        OperationKind::Read => "read",
        OperationKind::Write => "write",
        OperationKind::Payment => "payment",
    };
    let ended = |example: &Example| match &example.ends {
        Ends::Outcome(outcome) => Some(format!("`{outcome}`")),
        Ends::Answer(_) => None,
    };
    let outcomes = of.examples.iter().filter_map(ended).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let otherwise = if outcomes.is_empty() { String::new() } else { format!("; or else {}", outcomes.join(", ")) };
    let mut text = format!("\n### {}\n\n{}\n\nA {kind}, which gives {gives}{otherwise}.\n", of.name, of.description);
    text.push_str("\n| input | what it is | format | |\n|---|---|---|---|\n");
    for input in &of.inputs {
        let default = || if input.default.is_null() { String::new() } else { format!("`{}` when left out", input.default) };
        let need = if input.required { "required".to_owned() } else { default() };
        let _ = writeln!(text, "| `{}` | {} | {} | {need} |", input.name, input.doc, format(input));
    }
    text
}

fn kind(of: &Field) -> String {
    match of.kind {
        Kind::Text => "text".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Money => "Money".to_owned(),
        Kind::Date => "day".to_owned(),
        Kind::DateTime => "time".to_owned(),
        Kind::Bool => "true or false".to_owned(),
        Kind::Code(codes) => format!("code of {}", codes.name),
        Kind::One(model) => model.name.to_owned(),
        Kind::Many(model) => format!("list of {}", model.name),
    }
}

fn model(of: &Model) -> String {
    let mut text = format!("\n### {}\n\n{}\n\n| field | what it is | kind | |\n|---|---|---|---|\n", of.name, of.doc);
    for field in of.fields {
        let flags = [(field.required, "always there"), (field.sensitive, "sensitive")];
        let flags: Vec<_> = flags.into_iter().filter(|(is, _)| *is).map(|(_, flag)| flag).collect();
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", field.name, field.doc, kind(field), flags.join(", "));
    }
    text
}

fn codes(of: &Codes) -> String {
    let mut text =
        format!("\n### {}\n\n{}\n\n| code | when | in English | in German |\n|---|---|---|---|\n", of.name, of.doc);
    for code in of.codes {
        let _ = writeln!(text, "| `{}` | {} | {} | {} |", code.code, code.doc, code.label("en"), code.label("de"));
    }
    text
}

fn page() -> String {
    let (sandbox, _) = catalog::built_in("sandbox").unwrap();
    let mut text = "# Operations, models and codes\n\n\
        This page is made from the engine's own lists.\n\n\
        ## Operations that mean the same everywhere\n\n\
        The sandbox does all of these. Every other connector that has an operation of one of these names takes the same inputs\n\
        and gives the same model, so that an action works with any of them. It may take further inputs that can be left out, and\n\
        it may have operations of other names beside. A project's own connectors do well to keep to it.\n\n\
        After `or else` stand the outcomes that the sandbox has examples of. The general ones, such as `unavailable`, can come\n\
        from every operation.\n"
        .to_owned();
    sandbox.unwrap().operations.values().for_each(|one| text.push_str(&operation(one)));
    text.push_str(
        "\n## Models\n\n\
        What is not there is null, and a list that is not there is empty. An answer without what is always there is\n\
        `unexpected`. What is sensitive tells who somebody is or what they said.\n",
    );
    Model::ALL.iter().for_each(|one| text.push_str(&model(one)));
    text.push_str("\n## Codes\n\n`{{ order.status | label }}` says a code in the words of the conversation's language.\n");
    Codes::ALL.iter().for_each(|list| text.push_str(&codes(list)));
    text
}

/// Holds a page against what it has to be.
fn is_up_to_date(name: &str, now: &str) {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&fresh, now).unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(root.join("docs").join(name)).unwrap_or_default();
    assert!(kept == now, "docs/{name} is out of date; run: cp {} docs/", fresh.display());
}

#[test]
fn the_page_of_operations_models_and_codes_is_up_to_date() {
    is_up_to_date("operations.md", &page());
}

/// The shapes of the files' schemas, in the order in which they are met.
#[derive(Default)]
struct Shapes {
    known: BTreeSet<String>,
    to_show: VecDeque<(String, Value)>,
    /// Shape → the keys under which it stands.
    places: BTreeMap<String, Vec<String>>,
}

impl Shapes {
    /// What a value is, in words. The shapes that it is made of are shown later.
    fn words(&mut self, of: &Value, place: &str) -> String {
        if let Some(name) = of["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.link(name, None, place);
        }
        for key in ["allOf", "anyOf"] {
            if let Some(several) = of[key].as_array() {
                let mut words: Vec<_> = several.iter().map(|one| self.words(one, place)).collect();
                words.dedup();
                return words.join(" or ");
            }
        }
        if let Some(one) = of.get("const") {
            return format!("`{one}`");
        }
        if let Some(several) = of["enum"].as_array() {
            let bare = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
            return several.iter().map(|one| format!("`{}`", bare(one))).collect::<Vec<_>>().join(" or ");
        }
        match of["type"].as_str() {
            Some("string") => "text".to_owned(),
            Some("integer") => "whole number".to_owned(),
            Some("number") => "number".to_owned(),
            Some("boolean") => "`true` or `false`".to_owned(),
            Some("array") => format!("list of {}", grouped(&self.words(&of["items"], place))),
            Some("object") => self.mapping(of, place),
            // A text may be written as YAML reads it: `1001` is one, too.
            None if of["type"].is_array() => "text".to_owned(),
            _ => "anything".to_owned(),
        }
    }

    fn mapping(&mut self, of: &Value, place: &str) -> String {
        let described = |keys: &&serde_json::Map<String, Value>| keys.values().all(|key| key["description"].is_string());
        match (of["properties"].as_object(), &of["additionalProperties"]) {
            (Some(keys), _) if described(&keys) => self.link(place, Some(of), place),
            (Some(keys), _) => keys.keys().map(|key| format!("`{{ {key}: … }}`")).collect::<Vec<_>>().join(" or "),
            (None, Value::Bool(_) | Value::Null) => "mapping".to_owned(),
            (None, each) => format!("name → {}", grouped(&self.words(each, place))),
        }
    }

    /// Names a shape and sees to it that it is shown; one that has no name of its own comes with what it is.
    fn link(&mut self, name: &str, shape: Option<&Value>, place: &str) -> String {
        if self.known.insert(name.to_owned()) {
            self.to_show.push_back((name.to_owned(), shape.cloned().unwrap_or_default()));
        }
        let places = self.places.entry(name.to_owned()).or_default();
        if shape.is_none() && !places.iter().any(|known| known == place) {
            places.push(place.to_owned());
        }
        let anchor: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric() || *c == ' ').collect();
        format!("[{}]({})", name.replace('`', ""), format_args!("#{}", anchor.replace(' ', "-")))
    }

    fn file(&mut self, schema: &Value) -> Vec<(String, String)> {
        self.words(schema, "");
        let mut shown = Vec::new();
        while let Some((name, shape)) = self.to_show.pop_front() {
            let shape = if shape.is_null() { &schema["definitions"][&name] } else { &shape };
            shown.push((name.clone(), self.shape(&name, shape)));
        }
        shown
    }

    fn shape(&mut self, name: &str, of: &Value) -> String {
        let Some(keys) = of["properties"].as_object() else {
            return format!("\nWritten as {}.\n", self.words(of, name));
        };
        let mut text = of["description"].as_str().map_or_else(String::new, |doc| format!("\n{doc}\n"));
        text.push_str("\n| key | what it is | value |\n|---|---|---|\n");
        for (key, of_key) in keys {
            let place = format!("`{key}` of {name}");
            let mut value = self.words(of_key, &place);
            if of["required"].as_array().is_some_and(|required| required.iter().any(|one| one == key)) {
                value.push_str(", required");
            }
            if let Some(default) = of_key.get("default") {
                let _ = write!(value, ", `{default}` when left out");
            }
            let doc = of_key["description"].as_str().unwrap_or_default().replace('|', "\\|");
            let _ = writeln!(text, "| `{key}` | {doc} | {value} |");
        }
        match &of["additionalProperties"] {
            Value::Bool(false) | Value::Null => {}
            Value::Bool(true) => text.push_str("\nOther keys may stand here, too.\n"),
            each => {
                let each = self.words(each, name);
                let _ = writeln!(text, "\nEvery other key: {each}.");
            }
        }
        text
    }
}

/// Several ways to write one thing, so that it is seen where they end.
fn grouped(words: &str) -> String {
    if words.contains(" or ") { format!("({words})") } else { words.to_owned() }
}

/// The page of every key that a file may have.
fn keys() -> String {
    let mut text = "# Every key\n\n\
        All keys of `actions/*.yml`, `actions/shared/*.yml` and `legwork.yml`. This page is made from the types that read them,\n\
        so it lacks none. To learn how they go together, begin with [the first action](first-action.md) or [the\n\
        language](actions.md). The keys of a connector's file, and those that every connection may have beside the ones here, are in\n\
        [connectors](connectors.md#connections); what a connection has to be told is on [its connector's\n\
        page](connectors/README.md).\n\n\
        A *text* may also be a number, or true or false, as YAML reads it. A *name → text* is a mapping with names of your own.\n\
        A time is written as `2s`, `5m`, `1h` or `1d`. What is not called required may be left out.\n"
        .to_owned();
    let mut shapes = Shapes::default();
    let files = [
        ("actions/NAME.yml", document::<Action>("")),
        ("actions/shared/NAME.yml", document::<Shared>("")),
        ("legwork.yml", document::<Settings>("")),
    ];
    // All are gone through before one is shown: a shape of the first file may stand in the last, too.
    for (title, shown) in files.map(|(title, schema)| (title, shapes.file(&schema))) {
        let _ = write!(text, "\n## {title}\n");
        for (name, shape) in shown {
            let _ = write!(text, "\n### {name}\n");
            let places = shapes.places.get(&name).into_iter().flatten().filter(|place| !place.is_empty());
            let places: Vec<_> = places.map(String::as_str).collect();
            if !places.is_empty() {
                let _ = write!(text, "\nStands under {}.\n", places.join(", "));
            }
            text.push_str(&shape);
        }
    }
    text
}

#[test]
fn the_page_of_keys_is_up_to_date() {
    is_up_to_date("reference.md", &keys());
}
