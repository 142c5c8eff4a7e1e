//! A connector's page of the documentation, and the table of what which connector does.
//!
//! Both are the same on every day and for every project, so that a test can hold them against the files.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::sheet::{InputSheet, OperationSheet, Sheet};
use super::words::first_sentence;
use crate::plan::SANDBOX;

/// The page of one connector.
#[must_use]
pub fn page(sheet: &Sheet) -> String {
    let mut text = format!("# {}\n\n{}\n", sheet.name, sheet.description);
    if let Some(api) = &sheet.api {
        let until = api.supported_until.map_or_else(
            || "no end of its support is known".to_owned(),
            |until| format!("the vendor supports it until {until}"),
        );
        let docs = api.docs.as_ref().map(|docs| format!(": <{docs}>")).unwrap_or_default();
        let _ = write!(text, "\nIt speaks version {} of the API; {until}{docs}\n", api.version);
    }
    if let Some(limits) = &sheet.limits {
        let _ = write!(text, "\nlegwork asks for at most {limits}.\n");
    }
    if !sheet.lacks.is_empty() {
        text += "\n## What the system does not offer\n\n";
        for (name, why) in &sheet.lacks {
            let _ = writeln!(text, "- {}: {}", named(name), escaped(why.as_str().unwrap_or_default()));
        }
    }
    credentials(&mut text, sheet);
    text += "\n## Settings\n\n";
    if sheet.settings.is_empty() {
        text += "None.\n";
    } else {
        text += "| setting | what it is | matches | without it |\n|---|---|---|---|\n";
    }
    for setting in &sheet.settings {
        let pattern = setting.pattern.as_ref().map(|pattern| code(pattern)).unwrap_or_default();
        let default = match (&setting.needed_when, &setting.default) {
            (Some(when), _) => format!("needed when {when}"),
            (None, _) if setting.required => "required".to_owned(),
            (None, Some(default)) => code(default),
            (None, None) => "nothing".to_owned(),
        };
        let secret = if setting.secret { " A secret: a reference such as `${NAME}`." } else { "" };
        let _ = writeln!(text, "| `{}` | {}{secret} | {pattern} | {default} |", setting.name, escaped(&setting.description));
    }
    let _ = write!(text, "\n```yaml\n# legwork.yml\n{}```\n", sheet.block);
    text += "\n## Operations\n\n| operation | kind | what it does | inputs | answer | repeats and cache |\n|---|---|---|---|---|---|\n";
    for operation in &sheet.operations {
        row(&mut text, operation);
    }
    text += "\nAn input with a star has to be given.\n";
    if let Some((file, action)) = super::call::action(sheet) {
        let _ = write!(text, "\n## In an action\n\n```yaml\n# {file}\n{action}```\n");
    }
    text + "\nMade of the connector's file by `legwork connectors --format markdown --out docs/connectors`.\n"
}

/// How to get credentials with the least rights.
fn credentials(text: &mut String, sheet: &Sheet) {
    let has_secrets = sheet.settings.iter().any(|setting| setting.secret);
    if !has_secrets && sheet.rights.is_empty() {
        return;
    }
    *text += "\n## Credentials\n\n";
    for setting in sheet
        .settings
        .iter()
        .filter(|setting| setting.kind == "text" && (setting.required || setting.needed_when.is_some() || setting.secret))
    {
        let when = setting.needed_when.as_ref().map(|when| format!(" Needed when {when}.")).unwrap_or_default();
        let _ = writeln!(text, "- `{}`: {}{when}", setting.name, escaped(&setting.description));
    }
    if !sheet.rights.is_empty() {
        *text += "\nThe account needs these rights and no more:\n\n| right | what for |\n|---|---|\n";
    }
    for right in &sheet.rights {
        let _ = writeln!(text, "| {} | {} |", escaped(&right.name), escaped(right.purpose.as_deref().unwrap_or_default()));
    }
    if let Some(test) = &sheet.test {
        let _ = write!(
            text,
            "\n`legwork connectors test {}` runs `{test}` and says whether they are right.\n",
            sheet.connection_name()
        );
    }
}

fn row(text: &mut String, operation: &OperationSheet) {
    let inputs: Vec<_> = operation.inputs.iter().map(input).collect();
    let drops = operation.drops.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let drops = (!drops.is_empty()).then(|| format!("outdates {drops}"));
    let notes: Vec<_> = [operation.repeats.clone(), operation.cache.clone(), drops].into_iter().flatten().collect();
    let deprecated = operation
        .deprecated
        .as_ref()
        .map(|instead| format!(" Deprecated: {}.", escaped(instead.trim_end_matches('.'))))
        .unwrap_or_default();
    let _ = writeln!(
        text,
        "| `{}` | {} | {}{} | {} | {} | {} |",
        operation.name,
        operation.kind,
        escaped(&operation.description),
        deprecated,
        inputs.join("; "),
        operation.model.as_ref().map(|model| code(model)).unwrap_or_else(|| "plain".to_owned()),
        escaped(&notes.join("; "))
    );
}

fn input(input: &InputSheet) -> String {
    let star = if input.required { "\\*" } else { "" };
    let mut parts: Vec<String> = Vec::new();
    parts.extend(input.format.as_ref().map(|format| escaped(format)));
    parts.extend(input.pattern.as_ref().map(|pattern| code(pattern)));
    parts.extend((!input.default.is_null()).then(|| format!("without it {}", code(&input.default.to_string()))));
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    format!("`{}`{star}{parts}", input.name)
}

/// What is not offered: an operation that others have is code, anything else is words.
fn named(name: &str) -> String {
    if name.contains(' ') { escaped(name) } else { format!("`{name}`") }
}

/// A text in a cell of a table.
fn escaped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|").replace('<', "\\<").replace('*', "\\*")
}

/// Code in a cell of a table.
fn code(text: &str) -> String {
    let ticks = if text.contains('`') { "``" } else { "`" };
    format!("{ticks}{}{ticks}", text.replace('|', "\\|"))
}

/// The table of what which connector does, with a line each.
#[must_use]
pub fn index(sheets: &[Sheet]) -> String {
    let mut text =
        "# Connectors\n\nA page each. What a system of your own needs is in [connectors.md](../connectors.md).\n\n\
                    | connector | system | API version | supported until |\n|---|---|---|---|\n"
            .to_owned();
    for sheet in sheets {
        let api = sheet.api.as_ref();
        let _ = writeln!(
            text,
            "| [{0}]({0}.md) | {1} | {2} | {3} |",
            sheet.name,
            escaped(first_sentence(&sheet.description)),
            api.map(|api| escaped(&api.version)).unwrap_or_default(),
            api.and_then(|api| api.supported_until).map(|until| until.to_string()).unwrap_or_default()
        );
    }
    text += "\n## What each of them does\n\n✓ it does · – the system's API does not offer it · nothing: it has no such operation.\n\
             What each of them takes and gives is in [operations.md](../operations.md).\n\n| operation |";
    for sheet in sheets {
        let _ = write!(text, " {} |", sheet.name);
    }
    let _ = write!(text, "\n|---|{}\n", "---|".repeat(sheets.len()));
    for name in worth_a_row(sheets) {
        let _ = write!(text, "| `{name}` |");
        for sheet in sheets {
            let mark = if sheet.has(name) {
                "✓"
            } else if sheet.lacks.contains_key(name) {
                "–"
            } else {
                ""
            };
            let _ = write!(text, " {mark} |");
        }
        text.push('\n');
    }
    text + "\nOperations that one connector alone has are on its page.\n\nMade of the connectors' files by \
            `legwork connectors --format markdown --out docs/connectors`.\n"
}

/// The operations that several connectors have or lack, and all of the sandbox, whose order the table follows; those that are
/// there for testing a connection are nobody's to call.
fn worth_a_row(sheets: &[Sheet]) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for sheet in sheets {
        let operations =
            sheet.operations.iter().map(|it| it.name.as_str()).filter(|name| sheet.test.as_deref() != Some(*name));
        operations.for_each(|name| *counts.entry(name).or_default() += 1);
    }
    let sandbox = sheets.iter().find(|sheet| sheet.name == SANDBOX);
    let first: Vec<&str> = sandbox.iter().flat_map(|it| &it.operations).map(|it| it.name.as_str()).collect();
    let lacked = |name: &str| sheets.iter().any(|sheet| sheet.lacks.contains_key(name));
    let rest = counts.into_iter().filter(|(name, number)| !first.contains(name) && (*number > 1 || lacked(name)));
    first.iter().copied().chain(rest.map(|(name, _)| name)).collect()
}
