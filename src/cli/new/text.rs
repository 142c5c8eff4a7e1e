//! YAML as the drafts write it: scalars with quotes where they need some, values in one line.

use serde_json::Value;

/// A text as a scalar: bare where YAML reads it as the same text in every place.
pub(super) fn scalar(text: &str) -> String {
    let word = |c: char| c.is_ascii_alphanumeric() || "_-/.".contains(c);
    let bare = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic())
        && text.chars().all(word)
        && !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_lowercase().as_str());
    if bare { text.to_owned() } else { Value::from(text).to_string() }
}

/// A value in one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => mapping(entries.iter().map(|(key, value)| (scalar(key), flow(value)))),
        other => other.to_string(),
    }
}

/// Entries that are written already as a mapping in one line.
pub(super) fn mapping(entries: impl Iterator<Item = (String, String)>) -> String {
    let entries: Vec<_> = entries.map(|(key, value)| format!("{key}: {value}")).collect();
    if entries.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", entries.join(", ")) }
}

/// What a documentation says of a value, to go on with in a sentence: without its end, beginning small.
pub(super) fn phrase(doc: &str) -> String {
    let first = doc.split(['\n', ';']).next().unwrap_or_default().split(". ").next().unwrap_or_default();
    let first = first.trim().trim_end_matches('.');
    let mut chars = first.chars();
    let small = |c: char| {
        if first.chars().nth(1).is_some_and(char::is_uppercase) { c.to_string() } else { c.to_lowercase().collect() }
    };
    chars.next().map(|c| small(c) + chars.as_str()).unwrap_or_default()
}

/// A name in words: `ServiceRequest` and `service_request` as `service request`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::new();
    for (at, c) in name.chars().enumerate() {
        if c == '_' || c == '-' || c == '.' {
            words.push(' ');
            continue;
        }
        if c.is_uppercase() && at > 0 {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}

/// A sentence's first letter in capitals.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// A name as files and templates have it: `serviceRequest` as `service_request`.
pub(super) fn snake(name: &str) -> String {
    let (mut snake, mut small) = (String::new(), false);
    for c in name.chars() {
        let word = c.is_ascii_alphanumeric();
        if (!word || (c.is_uppercase() && small)) && !snake.is_empty() && !snake.ends_with('_') {
            snake.push('_');
        }
        if word {
            snake.extend(c.to_lowercase());
        }
        small = c.is_lowercase() || c.is_ascii_digit();
    }
    snake.trim_matches('_').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_yaml_would_read_otherwise_has_quotes() {
        assert_eq!(scalar("sarah"), "sarah");
        for text in ["yes", "1001", "a: b", "{{ x }}", "", "#1", "- a", "null", "on"] {
            assert_eq!(scalar(text), format!("{text:?}"));
        }
        assert_eq!(flow(&json!({ "a b": [1, "x", null], "c": {} })), "{ \"a b\": [1, x, null], c: {} }");
    }

    #[test]
    fn names_become_words_and_words_names() {
        assert_eq!(
            (words("ServiceRequest"), snake("getPetById"), snake("X-Api Key")),
            ("service request".into(), "get_pet_by_id".into(), "x_api_key".into())
        );
        assert_eq!(phrase("The order's number, such as 1001; a # does not matter."), "the order's number, such as 1001");
        assert_eq!(snake("GET /pets/{petID}"), "get_pets_pet_id");
        assert_eq!(phrase("ID of the pet."), "ID of the pet");
    }
}
