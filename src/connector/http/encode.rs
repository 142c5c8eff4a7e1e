//! How a value is written into each language, so that it stays one value whatever a user typed.
//!
//! What a language cannot hold safely is refused, never repaired by guessing. A refusal names no value.

use serde_json::{Value, json};

use crate::plan::connector::{Language, Part, Pieces};
use crate::template::{Expression, Failed, Scope, to_json};

/// Why a text cannot be made.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A template fails.
    Failed(String),
    /// A value cannot stand where it goes.
    Refused(String),
    /// A setting cannot stand where it goes.
    Misconfigured(String),
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed.to_string())
    }
}

impl Trouble {
    /// The same at a place of a body.
    pub(super) fn at(self, path: &str) -> Self {
        let placed = |why: String| if path.is_empty() { why } else { format!("{path}: {why}") };
        match self {
            Self::Failed(why) => Self::Failed(placed(why)),
            Self::Refused(why) => Self::Refused(placed(why)),
            Self::Misconfigured(why) => Self::Misconfigured(placed(why)),
        }
    }
}

/// A text in a language, as the JSON value that is sent. One that may be left out is null when a value in it is, or when
/// nothing of it stands.
pub(super) fn encoded(language: Language, pieces: &Pieces, scope: &Scope, optional: bool) -> Result<Value, Trouble> {
    if optional && !all_there(&pieces.0, scope)? {
        return Ok(Value::Null);
    }
    if language == Language::Adf {
        let text = joined(&pieces.0, scope, &|value, _| Ok(plain(value)))?;
        return Ok(document(&text));
    }
    let refused = |why| Trouble::Refused(format!("a value in a `{}` text {why}", language.key()));
    let text = joined(&pieces.0, scope, &|value, before| written(language, value, before).map_err(refused))?;
    Ok(if optional && text.trim().is_empty() { Value::Null } else { Value::String(text) })
}

/// Whether every value that stands outside of optional parts is there.
fn all_there(parts: &[Part], scope: &Scope) -> Result<bool, Failed> {
    for part in parts {
        if let Part::Value(expression) | Part::Name(expression) = part
            && expression.eval(scope)?.is_none()
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The text of parts, whose values are written by `write`: the value, and what stands before it.
fn joined(
    parts: &[Part],
    scope: &Scope,
    write: &dyn Fn(&Value, &str) -> Result<String, Trouble>,
) -> Result<String, Trouble> {
    let mut text = String::new();
    join(parts, scope, write, &mut text)?;
    Ok(text)
}

fn join(
    parts: &[Part],
    scope: &Scope,
    write: &dyn Fn(&Value, &str) -> Result<String, Trouble>,
    text: &mut String,
) -> Result<(), Trouble> {
    for part in parts {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Value(expression) => {
                let value = to_json(&expression.eval(scope)?)?;
                *text += &write(&value, text)?;
            }
            Part::Name(expression) => match to_json(&expression.eval(scope)?)? {
                Value::String(name) if is_identifier(&name) => *text += &name,
                _ => return Err(Trouble::Misconfigured(no_identifier(expression))),
            },
            Part::Optional(inner) if all_there(inner, scope)? => join(inner, scope, write, text)?,
            Part::Optional(_) => {}
        }
    }
    Ok(())
}

/// Whether a text is the name of a field or an object in every query language.
pub(super) fn is_identifier(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
}

/// What is said of a setting that is no such name.
pub(super) fn no_identifier(expression: &Expression) -> String {
    format!(
        "`{}` is not the name of a field or an object: a letter or _, then letters, digits, _ and .",
        expression.source().trim()
    )
}

/// A path: every value is a segment or a part of one.
pub(super) fn path(pieces: &Pieces, scope: &Scope) -> Result<String, Trouble> {
    let path = joined(&pieces.0, scope, &|value, _| {
        let refused = |why: &str| Trouble::Refused(format!("a value in a path {why}"));
        let text = scalar(value).filter(|text| !text.is_empty()).ok_or_else(|| refused("is empty, or no text"))?;
        if text.chars().any(char::is_control) || text.split(['/', '\\']).any(|step| step == "." || step == "..") {
            return Err(refused("has control characters, or leads elsewhere"));
        }
        Ok(percent(&text))
    })?;
    // An address made of parts may lead elsewhere although none of the parts does.
    let leads = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..");
    match path.split('/').any(leads) {
        true => Err(Trouble::Refused("a value in a path leads elsewhere".to_owned())),
        false => Ok(path),
    }
}

/// XML, whose values are text.
pub(super) fn xml(pieces: &Pieces, scope: &Scope) -> Result<String, Trouble> {
    joined(&pieces.0, scope, &|value, _| {
        let value = plain(value);
        if value.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')) {
            return Err(Trouble::Refused("a value in XML has control characters".to_owned()));
        }
        Ok(escaped(&value))
    })
}

/// Everything but the characters that need no encoding anywhere in a url.
pub(in crate::connector) fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

/// The text of a value that is no list, no object and not null.
pub(in crate::connector) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        other => scalar(other).unwrap_or_else(|| other.to_string()),
    }
}

/// A value in a text of that language, of which `before` stands already.
fn written(language: Language, value: &Value, before: &str) -> Result<String, &'static str> {
    if let Value::Array(items) = value {
        return list(language, items, before);
    }
    match language {
        Language::Html => return Ok(escaped(&plain(value)).replace('\n', "<br>")),
        Language::Plain => return Ok(plain(value)),
        _ => {}
    }
    let Some(text) = scalar(value) else { return Err("is null, or an object") };
    let literal = !value.is_string();
    match language {
        Language::Soql if literal => Ok(text),
        Language::Soql => Ok(format!("'{}'", spaced(&text).replace('\\', "\\\\").replace('\'', "\\'"))),
        Language::Coql if literal => Ok(text),
        // Zoho's FAQ on COQL doubles quotes; what a backslash does is not documented.
        Language::Coql if text.contains('\\') => Err("has backslashes"),
        Language::Coql => Ok(format!("'{}'", spaced(&text).replace('\'', "''"))),
        Language::Jql if literal => Ok(text),
        Language::Jql => {
            let text = spaced(&text);
            // After `~` the text is a search of its own, with operators.
            let text = if before.trim_end().ends_with('~') { words(&text) } else { text };
            Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
        }
        Language::Odata if literal || is_guid(&text) => Ok(text),
        Language::Odata => Ok(format!("'{}'", spaced(&text).replace('\'', "''"))),
        Language::Zendesk => Ok(format!("\"{}\"", spaced(&text).replace(['"', '\\'], " "))),
        Language::Freshdesk if literal => Ok(text),
        Language::Freshdesk if text.contains(['\'', '"', '\\']) || text.chars().any(char::is_control) => {
            Err("has quotes, backslashes or control characters")
        }
        Language::Freshdesk => Ok(format!("'{text}'")),
        Language::ServiceNow if text.contains('^') || text.chars().any(char::is_control) => {
            Err("has ^ or control characters")
        }
        Language::ServiceNow if text.trim_start().to_lowercase().starts_with("javascript:") => {
            Err("would be run as a script")
        }
        Language::ServiceNow => Ok(text),
        Language::Shopify => Ok(format!("\"{}\"", spaced(&text).replace(['"', '\'', '\\'], " "))),
        Language::Like => Ok(spaced(&text).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")),
        Language::Html | Language::Plain | Language::Adf => Ok(text),
    }
}

/// Several values where a language has a form for them: `('a', 'b')` in queries, terms in searches.
fn list(language: Language, items: &[Value], before: &str) -> Result<String, &'static str> {
    let field = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    // Shopify has a field before each value, not before a list of them.
    let each = (language == Language::Shopify && field.ends_with(':')).then(|| format!(" OR {field}"));
    let (open, between, close) = match language {
        Language::Soql | Language::Coql | Language::Jql | Language::Odata => ("(", ", ", ")"),
        Language::Zendesk => ("", " ", ""),
        Language::Shopify => each.as_deref().map_or(("(", " OR ", ")"), |each| ("", each, "")),
        Language::ServiceNow => ("", ",", ""),
        _ => return Err("is a list"),
    };
    if items.is_empty() {
        return Err("is an empty list");
    }
    let items = items.iter().map(|item| match item {
        Value::Array(_) => Err("is a list of lists"),
        Value::String(text) if language == Language::ServiceNow && text.contains(',') => Err("has a comma in a list"),
        item => written(language, item, before),
    });
    Ok(format!("{open}{}{close}", items.collect::<Result<Vec<_>, _>>()?.join(between)))
}

/// The text with blanks in place of control characters.
fn spaced(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The words of a text, without the characters that a search gives a meaning to.
fn words(text: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '@' || c == '.' || c == '_';
    text.split(|c| !word(c)).filter(|word| !matches!(*word, "" | "AND" | "OR" | "NOT")).collect::<Vec<_>>().join(" ")
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            c => escaped.push(c),
        }
    }
    escaped
}

/// A document of Jira's editor, a paragraph for each line.
fn document(text: &str) -> Value {
    let paragraph = |line: &str| match line.trim() {
        "" => json!({ "type": "paragraph", "content": [] }),
        line => json!({ "type": "paragraph", "content": [{ "type": "text", "text": line }] }),
    };
    json!({ "type": "doc", "version": 1, "content": text.lines().map(paragraph).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(language: Language, value: Value) -> Result<String, &'static str> {
        written(language, &value, "")
    }

    #[test]
    fn a_value_stays_one_value_in_every_language() {
        let ok = |language, text: &str, expected: &str| {
            assert_eq!(write(language, text.into()).as_deref(), Ok(expected), "{language:?}")
        };
        ok(Language::Soql, "O'Brien\\", "'O\\'Brien\\\\'");
        ok(Language::Soql, "a\n' OR Name != '", "'a \\' OR Name != \\''");
        ok(Language::Coql, "O'Brien", "'O''Brien'");
        ok(Language::Jql, "x\" OR project = \"Y\\", "\"x\\\" OR project = \\\"Y\\\\\"");
        ok(Language::Odata, "x' or 1 eq 1 or 'a' eq '", "'x'' or 1 eq 1 or ''a'' eq '''");
        ok(Language::Odata, "00000000-0000-0000-0000-00000000000A", "00000000-0000-0000-0000-00000000000A");
        ok(Language::Zendesk, "a\" type:user -\\", "\"a  type:user - \"");
        ok(Language::Shopify, "a' OR email:*", "\"a  OR email:*\"");
        ok(Language::Like, "50%_\\", "50\\%\\_\\\\");
        ok(Language::Html, "<b onclick='x'>&\nhi", "&lt;b onclick=&#39;x&#39;&gt;&amp;<br>hi");
        ok(Language::Freshdesk, "a@b.co", "'a@b.co'");
        ok(Language::ServiceNow, "INC0010001", "INC0010001");
        assert_eq!(written(Language::Jql, &"foo* -bar AND \"x".into(), "text ~ "), Ok("\"foo bar x\"".to_owned()));
    }

    /// Whether `literal` is one quoted literal and ends where it ends; `escape` says how a quote is written within it.
    fn is_one_literal(literal: &str, quote: char, escape: char) -> bool {
        let Some(mut rest) = literal.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).map(str::chars) else {
            return false;
        };
        while let Some(c) = rest.next() {
            let escaped = c == escape && rest.next().is_some_and(|next| escape == '\\' || next == quote);
            if (c == quote || c == escape) && !escaped {
                return false;
            }
        }
        true
    }

    #[test]
    fn whatever_is_typed_is_one_literal() {
        let parts = [
            "'", "\"", "\\", "''", "\\'", " or ", "a", "ü", "\n", "\0", "--", "(", ")", ":", "*", "^", "%", "\u{2019}", "{{",
        ];
        let mut rng = fastrand::Rng::with_seed(11);
        for _ in 0..20_000 {
            let typed: String = (0..rng.usize(0..9)).map(|_| parts[rng.usize(0..parts.len())]).collect();
            for (language, quote, escape) in [
                (Language::Soql, '\'', '\\'),
                (Language::Coql, '\'', '\''),
                (Language::Jql, '"', '\\'),
                (Language::Odata, '\'', '\''),
                (Language::Zendesk, '"', '\\'),
                (Language::Shopify, '"', '\\'),
                (Language::Freshdesk, '\'', '\\'),
            ] {
                if let Ok(literal) = write(language, typed.as_str().into()) {
                    assert!(is_one_literal(&literal, quote, escape), "{language:?}: {typed:?} became {literal:?}");
                    assert!(!literal.chars().any(char::is_control), "{language:?}: {typed:?}");
                }
            }
        }
    }

    #[test]
    fn what_a_language_cannot_hold_is_refused() {
        for (language, text) in [
            (Language::Freshdesk, "a' OR status:2"),
            (Language::Freshdesk, "a\" x"),
            (Language::Coql, "O\\' or id is not null"),
            (Language::ServiceNow, "x^ORactive=true"),
            (Language::ServiceNow, " JavaScript:gs.sleep(1)"),
            (Language::ServiceNow, "a\nb"),
        ] {
            assert!(write(language, text.into()).is_err(), "{text}");
        }
        assert!(write(Language::Soql, Value::Null).is_err(), "Email = null finds whoever has none");
        assert!(write(Language::Soql, json!([])).is_err());
    }

    #[test]
    fn numbers_truths_and_lists_have_their_forms() {
        assert_eq!(write(Language::Soql, json!(["a'", 2, true])), Ok("('a\\'', 2, true)".to_owned()));
        assert_eq!(write(Language::Zendesk, json!(["a", "b c"])), Ok("\"a\" \"b c\"".to_owned()));
        assert_eq!(write(Language::Shopify, json!(["a", "b' OR *"])), Ok("(\"a\" OR \"b  OR *\")".to_owned()));
        let named = |before: &str| written(Language::Shopify, &json!(["#1", "x\" OR y:z"]), before);
        assert_eq!(named("status:\"open\" AND (name:"), Ok("\"#1\" OR name:\"x  OR y:z\"".to_owned()));
        assert_eq!(written(Language::Shopify, &json!([]), "name:"), Err("is an empty list"));
        assert_eq!(write(Language::Freshdesk, json!(2)), Ok("2".to_owned()));
        assert_eq!(percent("a/b ü+%"), "a%2Fb%20%C3%BC%2B%25");
    }

    #[test]
    fn the_name_of_a_field_is_one_word() {
        for (text, is) in [
            ("Email", true),
            ("_a1.B__c", true),
            ("", false),
            ("1a", false),
            ("a b", false),
            ("a'", false),
            ("a,b", false),
            ("é", false),
        ] {
            assert_eq!(is_identifier(text), is, "{text}");
        }
    }

    #[test]
    fn a_document_has_a_paragraph_for_each_line() {
        assert_eq!(document("Hi *you*\n\nBye")["content"][0]["content"][0]["text"], "Hi *you*");
        assert_eq!(document("Hi\n\nBye")["content"][1]["content"], json!([]));
    }
}
