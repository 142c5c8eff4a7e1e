//! The list of connectors and everything about one, for a terminal.

use std::fmt::Write;

use super::sheet::{Listed, OperationSheet, SettingSheet, Support};
use super::words::{count, first_sentence};

/// Every connector in two lines each: what it is; version, operations and connections.
#[must_use]
pub fn list(all: &[Listed]) -> String {
    let width = all.iter().map(|one| one.sheet.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for one in all {
        let own = if one.own { " (of this project)" } else { "" };
        let _ = writeln!(text, "{:<width$}  {}{own}", one.sheet.name, first_sentence(&one.sheet.description));
        let parts = [version(one), Some(kinds(&one.sheet.operations)), used(one)];
        let parts: Vec<_> = parts.into_iter().flatten().collect();
        let _ = writeln!(text, "{:<width$}  {}", "", parts.join(" · "));
    }
    text
}

/// The version of the API and until when the vendor supports it.
fn version(one: &Listed) -> Option<String> {
    let api = one.sheet.api.as_ref()?;
    let until = api.supported_until.map(|until| match one.support {
        Some(Support::Ended) => format!(", ENDED on {until}"),
        Some(Support::EndsSoon) => format!(", ENDS SOON, on {until}"),
        _ => format!(", supported until {until}"),
    });
    Some(format!("API {}{}", api.version, until.unwrap_or_default()))
}

/// How many operations there are of each kind.
fn kinds(operations: &[OperationSheet]) -> String {
    let of = |kind: &str| operations.iter().filter(|operation| operation.kind == kind).count();
    let parts = ["read", "write", "payment"].map(|kind| (of(kind), kind));
    let parts: Vec<_> = parts.iter().filter(|(number, _)| *number > 0).map(|(number, kind)| count(*number, kind)).collect();
    parts.join(", ")
}

fn used(one: &Listed) -> Option<String> {
    (!one.connections.is_empty()).then(|| format!("used by {}", one.connections.join(", ")))
}

/// Everything about one.
#[must_use]
pub fn detail(one: &Listed) -> String {
    let sheet = &one.sheet;
    let mut text = format!("{}: {}\n", sheet.name, sheet.description);
    for line in [version(one), sheet.api.as_ref().and_then(|api| api.docs.clone()), used(one)].into_iter().flatten() {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(limits) = &sheet.limits {
        let _ = writeln!(text, "  at most {limits}");
    }
    if let Some(test) = &sheet.test {
        let _ = writeln!(text, "  `legwork connectors test` runs {test}");
    }
    if !sheet.lacks.is_empty() {
        text += "\nThe system does not offer\n";
        for (name, why) in &sheet.lacks {
            let _ = writeln!(text, "  {name}: {}", why.as_str().unwrap_or_default());
        }
    }
    if !sheet.rights.is_empty() {
        text += "\nLeast rights\n";
        let width = sheet.rights.iter().map(|right| right.name.chars().count()).max().unwrap_or_default();
        for right in &sheet.rights {
            let _ = match &right.purpose {
                Some(purpose) => writeln!(text, "  {:<width$}  {purpose}", right.name),
                None => writeln!(text, "  {}", right.name),
            };
        }
    }
    if !sheet.settings.is_empty() {
        text += "\nSettings\n";
        sheet.settings.iter().for_each(|setting| tell_setting(&mut text, setting));
    }
    text += "\nOperations\n";
    sheet.operations.iter().for_each(|operation| tell_operation(&mut text, operation));
    let _ = write!(text, "\nTo paste into legwork.yml\n\n{}", sheet.block);
    text
}

fn tell_setting(text: &mut String, setting: &SettingSheet) {
    let mut marks = vec![match &setting.needed_when {
        Some(when) => format!("needed when {when}"),
        None => if setting.required { "required" } else { "optional" }.to_owned(),
    }];
    marks.extend((setting.kind == "map").then(|| "a map".to_owned()));
    marks.extend(setting.secret.then(|| "a secret: write a reference such as ${NAME}".to_owned()));
    let _ = writeln!(text, "  {} ({})\n    {}", setting.name, marks.join(", "), setting.description);
    if let Some(pattern) = &setting.pattern {
        let _ = writeln!(text, "    matches {pattern}");
    }
    if let Some(default) = &setting.default {
        let _ = writeln!(text, "    without it: {default}");
    }
}

fn tell_operation(text: &mut String, operation: &OperationSheet) {
    let model = operation.model.as_ref().map(|model| format!(" → {model}")).unwrap_or_default();
    let _ = writeln!(text, "  {} ({}){model}\n    {}", operation.name, operation.kind, operation.description);
    if let Some(instead) = &operation.deprecated {
        let _ = writeln!(text, "    deprecated: {instead}");
    }
    for input in &operation.inputs {
        let mut parts = vec![if input.required { "required".to_owned() } else { "optional".to_owned() }];
        parts.extend(input.format.clone());
        parts.extend(input.pattern.as_ref().map(|pattern| format!("matches {pattern}")));
        parts.extend((!input.default.is_null()).then(|| format!("without it: {}", input.default)));
        let description = if input.description.is_empty() { String::new() } else { format!(": {}", input.description) };
        let _ = writeln!(text, "    - {} ({}){description}", input.name, parts.join(", "));
    }
    let drops = (!operation.drops.is_empty()).then(|| format!("outdates {}", operation.drops.join(", ")));
    for line in [operation.cache.clone(), operation.repeats.clone(), drops].into_iter().flatten() {
        let _ = writeln!(text, "    {line}");
    }
    for example in &operation.examples {
        let description = example.description.as_ref().map(|text| format!(" {text}")).unwrap_or_default();
        let asked = serde_json::Value::Object(example.inputs.clone());
        let _ = writeln!(text, "    example:{description}\n      asked    {asked}");
        for exchange in &example.exchanges {
            let _ = writeln!(text, "      sends    {}\n      receives {}", exchange["sends"], exchange["receives"]);
        }
        match (&example.answer, example.outcome) {
            (Some(answer), _) => drop(writeln!(text, "      answers  {answer}")),
            (None, outcome) => drop(writeln!(text, "      ends     {}", outcome.unwrap_or_default())),
        }
    }
}
