//! The `connections:` block of a connector: every setting with what it is, ready to paste.
//!
//! What has to be set stands there, with an example; what may be left out stands in comments. A secret is always a reference.

use std::fmt::Write;

use super::sheet::{SettingSheet, Sheet};

/// The longest line of a comment.
const WIDTH: usize = 100;

/// The block.
pub(super) fn block(sheet: &Sheet) -> String {
    let mut text = format!("connections:\n  {}:\n    connector: {}\n", sheet.connection_name(), sheet.name);
    let (needed, others): (Vec<_>, Vec<_>) = sheet.settings.iter().partition(|setting| setting.usual);
    for setting in needed {
        comment(&mut text, setting);
        let value = if setting.secret { reference(sheet, setting) } else { example(sheet, setting) };
        let _ = writeln!(text, "    {}: {value}", setting.name);
    }
    for setting in others {
        comment(&mut text, setting);
        let value = match setting.secret {
            true => reference(sheet, setting),
            false => example(sheet, setting),
        };
        let default = match &setting.default {
            Some(default) => format!(" # without it: {}", shown(setting, default)),
            None => String::new(),
        };
        let _ = writeln!(text, "    # {}: {value}{default}", setting.name);
    }
    text + "    # What may be done: live, no_payments, read_only, dry_run or off.\n    mode: read_only\n"
}

fn comment(text: &mut String, setting: &SettingSheet) {
    let pattern = setting.pattern.as_ref().map(|pattern| format!(" It matches {pattern}")).unwrap_or_default();
    let when = setting.needed_when.as_ref().map(|when| format!(" Needed when {when}.")).unwrap_or_default();
    for line in wrapped(&format!("{}{when}{pattern}", setting.description)) {
        let _ = writeln!(text, "    # {line}");
    }
}

/// Lines of at most [`WIDTH`] characters, but for words that are longer.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            if line.is_empty() {
                *line += word;
                continue;
            }
            if line.chars().count() + 1 + word.chars().count() <= WIDTH {
                line.push(' ');
                *line += word;
                continue;
            }
        }
        lines.push(word.to_owned());
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// The environment variable that a setting would be in.
fn reference(sheet: &Sheet, setting: &SettingSheet) -> String {
    format!("\"${{{}_{}}}\"", sheet.name.to_uppercase(), setting.name.to_uppercase())
}

fn example(sheet: &Sheet, setting: &SettingSheet) -> String {
    match setting.example.as_ref().or(setting.default.as_ref()) {
        Some(value) => shown(setting, value),
        None if setting.kind == "map" => "{}".to_owned(),
        None => reference(sheet, setting),
    }
}

/// A value as YAML: a map as JSON, which YAML reads; a text in quotes unless it is a plain word.
fn shown(setting: &SettingSheet, value: &str) -> String {
    if setting.kind == "map" {
        return value.to_owned();
    }
    let plain = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c))
        && !["true", "false", "null", "yes", "no", "on", "off"].contains(&value.to_lowercase().as_str());
    if plain { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}
