//! An action that calls a connector, to begin with: made of the operation that says most about it.

use std::fmt::Write;

use super::sheet::{OperationSheet, Sheet};
use crate::model::Model;

/// The name of the action's file, and the action; none for a connector that nothing can be asked of.
pub(super) fn action(sheet: &Sheet) -> Option<(String, String)> {
    let operation = telling(sheet)?;
    let needed = || operation.inputs.iter().filter(|input| input.required).map(|input| input.name.as_str());
    let mut text = String::new();
    if needed().next().is_some() {
        text += "inputs:\n";
        for name in needed() {
            let _ = writeln!(text, "  {name}: {{ from: metadata }}");
        }
    }
    let _ = write!(text, "steps:\n  - call: {}.{}\n", sheet.connection_name(), operation.name);
    if needed().next().is_some() {
        let with: Vec<_> = needed().map(|name| format!("{name}: \"{{{{ {name} }}}}\"")).collect();
        let _ = writeln!(text, "    with: {{ {} }}", with.join(", "));
    }
    let _ = write!(
        text,
        "    as: found\n    outcomes: {{ not_found: There is no such thing. }}\n  - say: \"{}\"\n",
        said(operation)
    );
    Some((format!("actions/action_{}.yml", operation.name), text))
}

/// The first read that needs something and answers one thing, else any read, else anything.
fn telling(sheet: &Sheet) -> Option<&OperationSheet> {
    let is =
        |wanted: &dyn Fn(&OperationSheet) -> bool| sheet.operations.iter().find(|it| it.deprecated.is_none() && wanted(it));
    let read = |it: &OperationSheet| it.kind == "read";
    let named = |it: &OperationSheet| read(it) && it.name == format!("find_{}", it.name.trim_start_matches("find_"));
    is(&|it| named(it) && it.model.is_some())
        .or_else(|| is(&|it| read(it) && it.model.is_some()))
        .or_else(|| is(&read))
        .or_else(|| is(&|_| true))
        .or_else(|| sheet.operations.first())
}

fn said(operation: &OperationSheet) -> String {
    let Some(model) = &operation.model else { return "{{ found }}".to_owned() };
    if model.starts_with('[') {
        return "I found {{ found | length }}.".to_owned();
    }
    let field = Model::find(model).and_then(|model| model.fields.first()).map_or("", |field| field.name);
    format!("I found {{{{ found.{field} }}}}.")
}
