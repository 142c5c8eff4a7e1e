//! Writes a value as YAML that people would have written: no more quotes than it needs, a key a line.

use serde_json::Value;

/// Words that YAML readers of one version or another take for something else than a text.
const TAKEN: [&str; 12] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "none"];

/// A value as a block, its lines so many steps of two blanks to the right.
pub(super) fn block(value: &Value, depth: usize) -> String {
    let pad = "  ".repeat(depth);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let field = |(key, value): (&String, &Value)| format!("{pad}{}:{}", scalar(key), below(value, depth));
            fields.iter().map(field).collect()
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| format!("{pad}- {}", item_of(item, depth))).collect()
        }
        other => format!("{pad}{}\n", inline(other)),
    }
}

/// What follows a key.
fn below(value: &Value, depth: usize) -> String {
    match value {
        Value::Object(fields) if !fields.is_empty() => format!("\n{}", block(value, depth + 1)),
        Value::Array(items) if !items.is_empty() => format!("\n{}", block(value, depth + 1)),
        other => format!(" {}\n", inline(other)),
    }
}

/// What follows a dash: the first key stands in its line.
fn item_of(item: &Value, depth: usize) -> String {
    let text = block(item, depth + 1);
    text.trim_start().to_owned()
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text, in quotes where it would be taken for something else without.
fn scalar(text: &str) -> String {
    let begins = text.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    let plain = |c: char| c.is_alphanumeric() || " _.,'/()!?+…-".contains(c);
    let safe = begins && text.chars().all(plain) && !text.ends_with(' ');
    if safe && !TAKEN.contains(&text.to_lowercase().as_str()) { text.to_owned() } else { Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diag::File;
    use crate::spec::yaml;

    #[test]
    fn what_is_written_reads_back() {
        let value = json!({
            "it": "works: always", "slots": { "order_id": "#1001", "n": "1001", "off": "no", "empty": "", "list": [], "none": null },
            "said": ["Hello, you!", { "text": "- a", "buttons": [{ "title": "Ok", "payload": "/a{\"b\":1}" }] }, ["x", 1.5], {}],
        });
        let text = block(&value, 0);
        assert_eq!(yaml::parse(&File::new("x.yml", text.as_str())).unwrap().to_json(), value, "{text}");
        assert!(text.contains("  order_id: \"#1001\"\n") && text.contains("- Hello, you!\n"), "{text}");
    }
}
