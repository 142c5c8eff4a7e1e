//! The page of operations, models and codes: made from what the engine has, so that it lacks nothing.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use legwork::connector::catalog;
use legwork::format::Format;
use legwork::model::{Codes, Field, Kind, Model};
use legwork::plan::connector::{Ends, Example, Operation, OperationInput, OperationKind};

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

#[test]
fn the_page_of_operations_models_and_codes_is_up_to_date() {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join("operations.md");
    std::fs::write(&fresh, page()).unwrap();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(root.join("docs/operations.md")).unwrap_or_default();
    assert!(kept == page(), "docs/operations.md is out of date; run: cp {} docs/", fresh.display());
}
