//! The draft of a connector from the description of an API: a request, a mapping of the answer and an example for each operation
//! that was picked.
//!
//! What a description does not tell, and a person has to decide, is marked with `DECIDE`.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::openapi::{Described, Description, sample};
use super::text::{flow, mapping, phrase, scalar, snake};
use crate::name::{Local, OperationName};

/// The beginning of the file: everything above `operations`.
pub(super) struct Head {
    pub(super) text: String,
    /// The path that every request begins with.
    base: String,
    /// The settings of a connection, each with what is written there.
    pub(super) settings: Vec<(String, String)>,
}

/// One operation of the file.
pub(super) struct Drafted {
    pub(super) name: String,
    pub(super) text: String,
    /// Its examples; taken out when they do not hold.
    pub(super) examples: String,
}

/// Drafts what stands above the operations of the connector `name`.
pub(super) fn head(name: &str, of: &Description) -> Head {
    let title = [of.text("/info/title"), name].into_iter().find(|title| !title.is_empty()).unwrap_or_default();
    let mut text = format!(
        "# Drafted from an OpenAPI description. Search for DECIDE.\nkind: http\ndescription: {}\n",
        Value::from(format!("{title}."))
    );
    let version = of.text("/info/version");
    let docs = Some(of.text("/externalDocs/url")).filter(|url| url.starts_with("https://"));
    if !version.is_empty() {
        let docs = docs.map(|docs| ("docs".to_owned(), Value::from(docs).to_string()));
        let _ = writeln!(
            text,
            "api: {}",
            mapping([("version".to_owned(), Value::from(version).to_string())].into_iter().chain(docs))
        );
    }
    let server = of.text("/servers/0/url");
    let (host, base) = match server.strip_prefix("https://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
        Some((host, path)) => (Some(host), path),
        None => (None, server.split("://").last().and_then(|rest| rest.split_once('/')).map_or("", |(_, path)| path)),
    };
    let base = match base.contains('{') {
        true => String::new(),
        false => {
            Some(base.trim_matches('/')).filter(|base| !base.is_empty()).map(|base| format!("/{base}")).unwrap_or_default()
        }
    };
    let host = host.filter(|host| !host.contains('{') && !host.is_empty());
    let (auth, secret) = auth(of);
    let prefix = snake(name).to_uppercase();
    let mut settings = Vec::new();
    let mut lines = String::new();
    if host.is_none() {
        lines
            .push_str("  host: { description: \"Where the API is, such as api.example.com.\", example: api.example.com }\n");
        settings.push(("host".to_owned(), "api.example.com".to_owned()));
    }
    if let Some(secret) = secret {
        if secret == "password" {
            lines.push_str("  user: { description: The user., example: legwork }\n");
            settings.push(("user".to_owned(), "legwork".to_owned()));
        }
        let _ =
            writeln!(lines, "  {secret}: {{ description: The {secret} of your account., secret: true, example: secret }}");
        settings.push((secret.to_owned(), format!("\"${{{prefix}_{}}}\"", secret.to_uppercase())));
    }
    if !lines.is_empty() {
        let _ = write!(text, "settings:\n{lines}");
    }
    let host = host.map_or_else(|| "{{ settings.host }}".to_owned(), str::to_owned);
    let _ = writeln!(text, "base: https://{host}{base}");
    text.push_str(&auth);
    text.push_str("# DECIDE: what the vendor allows, such as `limits: { concurrent: 4, requests: 10, per: 1s }`.\n");
    Head { text, base, settings }
}

/// How requests prove who asks, and the setting with the secret.
fn auth(of: &Description) -> (String, Option<&'static str>) {
    let Some((_, scheme)) = of.schemes().next() else {
        return ("# DECIDE: the description does not say how requests prove who asks; docs/connectors.md has the ways of `auth`.\n".to_owned(), None);
    };
    let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
    let several = match of.schemes().count() {
        1 => "",
        _ => "# DECIDE: the description has several ways to prove who asks; this is its first.\n",
    };
    let named = |key: &str| {
        format!("{several}auth: {{ {key}: {{ name: {}, value: \"{{{{ settings.key }}}}\" }} }}\n", scalar(text("name")))
    };
    match (text("type"), text("scheme").to_lowercase().as_str(), text("in")) {
        ("apiKey", _, "header") => (named("header"), Some("key")),
        ("apiKey", _, "query") => (named("query"), Some("key")),
        ("http", "basic", _) => {
            let user = "auth: { basic: { user: \"{{ settings.user }}\", password: \"{{ settings.password }}\" } }\n";
            (format!("{several}{user}"), Some("password"))
        }
        ("http", "bearer", _) => (format!("{several}auth: {{ bearer: \"{{{{ settings.token }}}}\" }}\n"), Some("token")),
        (kind, ..) => {
            let why = format!(
                "# DECIDE: the description says `{kind}`, which this takes for a token that you have; docs/connectors.md has `oauth2`.\n"
            );
            (format!("{several}{why}auth: {{ bearer: \"{{{{ settings.token }}}}\" }}\n"), Some("token"))
        }
    }
}

/// An input of an operation while it is drafted.
struct Input {
    name: String,
    line: String,
    required: bool,
    sample: Value,
}

/// Drafts one operation.
///
/// # Errors
/// Why it cannot be.
pub(super) fn operation(of: &Described<'_>, head: &Head) -> Result<Drafted, String> {
    let name = snake(&of.id());
    if OperationName::parse(&name).is_none() {
        return Err(format!("`{}` cannot be made into the name of an operation", of.id()));
    }
    let mut inputs: Vec<Input> = Vec::new();
    let (mut path, mut asked) = (of.path.to_owned(), format!("{}{}", head.base, of.path));
    let (mut query, mut sent_query, mut headers) = (Vec::new(), Vec::new(), Vec::new());
    for parameter in of.parameters() {
        if parameter.place == "cookie"
            || ["accept", "content-type", "authorization"].contains(&parameter.name.to_lowercase().as_str())
        {
            continue;
        }
        let input = input(parameter.name, parameter.doc, parameter.required, &parameter.schema, &inputs);
        let (value, placed) = (template(&input.name), format!("{{{}}}", parameter.name));
        let shown = input.sample.as_str().map_or_else(|| input.sample.to_string(), str::to_owned);
        match parameter.place {
            "path" => {
                path = path.replace(&placed, &format!("{{{{ {} }}}}", input.name));
                asked = asked.replace(&placed, &shown);
            }
            "header" => headers.push((scalar(parameter.name), value)),
            _ => {
                query.push((scalar(parameter.name), value));
                sent_query.extend(input.required.then(|| (scalar(parameter.name), flow(&input.sample))));
            }
        }
        inputs.push(input);
    }
    let (mut text, mut work, mut sent) = (String::new(), String::new(), String::new());
    let writes = of.method != "get";
    if writes {
        text.push_str(
            "    # DECIDE: `payment` where it moves money; without `kind` where it only reads.\n    kind: write\n",
        );
    }
    let description = if of.doc().is_empty() { of.id() } else { of.doc().to_owned() };
    let _ = writeln!(text, "    description: {}", Value::from(description));
    let _ = writeln!(work, "    request: {} {path}", of.method.to_uppercase());
    for (key, entries) in [("query", &query), ("headers", &headers)] {
        if !entries.is_empty() {
            let _ = writeln!(work, "    {key}: {}", mapping(entries.iter().cloned()));
        }
    }
    if let Some(found) = of.body() {
        body(found, &mut inputs, &mut work, &mut sent);
    }
    if writes {
        let (how, why) = match of.method {
            "put" | "delete" => ("upsert", "is it the same to do it twice?"),
            _ => ("none", "does the vendor know a key, as `{ header: Idempotency-Key }`?"),
        };
        let _ = write!(work, "    # DECIDE: {why}\n    idempotency: {how}\n");
    }
    let (status, schema) = of.answer();
    let (answer, receives, expected) = answer(status, schema.as_ref());
    work.push_str(&answer);
    if !inputs.is_empty() {
        text.push_str("    inputs:\n");
        inputs.iter().for_each(|input| text.push_str(&input.line));
    }
    text.push_str(&work);
    let given = mapping(inputs.iter().filter(|input| input.required).map(|input| (input.name.clone(), flow(&input.sample))));
    let query = if sent_query.is_empty() { String::new() } else { format!(", query: {}", mapping(sent_query.into_iter())) };
    let sends = format!("{{ request: {}{query}{sent} }}", scalar(&format!("{} {asked}", of.method.to_uppercase())));
    let mut examples = format!(
        "    examples:\n      - inputs: {given}\n        sends: {sends}\n        receives: {receives}\n        answer: {expected}\n"
    );
    // What nobody has: another value in the path.
    if let Some(Input { name, sample, .. }) = inputs.iter().find(|it| path.contains(&format!("{{{{ {} }}}}", it.name))) {
        let (other, shown) = if sample.is_number() { (json!(404), "404") } else { (json!("nobody"), "nobody") };
        let others = inputs
            .iter()
            .filter(|it| it.required)
            .map(|it| (it.name.clone(), flow(if it.name == *name { &other } else { &it.sample })));
        let was = sample.as_str().map_or_else(|| sample.to_string(), str::to_owned);
        let sends = sends.replacen(&format!("/{was}"), &format!("/{shown}"), 1);
        let given = mapping(others);
        let _ = write!(
            examples,
            "      - inputs: {given}\n        sends: {sends}\n        receives: {{ status: 404, json: {{}} }}\n        outcome: not_found\n"
        );
    }
    Ok(Drafted { name, text, examples })
}

fn template(name: &str) -> String {
    format!("\"{{{{ {name} }}}}\"")
}

/// An input for a value of the description.
fn input(name: &str, doc: &str, required: bool, schema: &Value, others: &[Input]) -> Input {
    let mut own = snake(name);
    let taken = ["now", "row", "rows", "body", "http", "key", "settings", "codes", "page"];
    while Local::parse(&own).is_none() || taken.contains(&own.as_str()) || others.iter().any(|other| other.name == own) {
        own = if own.is_empty() || own.starts_with(|c: char| c.is_ascii_digit()) {
            format!("value_{own}")
        } else {
            format!("{own}_value")
        };
    }
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    let doc = [doc, text("description"), name].into_iter().map(phrase).find(|doc| !doc.is_empty()).unwrap_or_default();
    let texts = |all: &Vec<Value>| all.iter().all(|one| one.as_str().is_some_and(|text| !text.trim().is_empty()));
    let listed = schema.get("enum").and_then(Value::as_array).filter(|all| !all.is_empty() && texts(all));
    let format = match (listed, text("type"), text("format")) {
        (Some(listed), ..) => Some(format!("{{ enum: {} }}", flow(&Value::Array(listed.clone())))),
        (_, "string", "email") => Some("email".to_owned()),
        (_, "string", "date") => Some("date".to_owned()),
        (_, "integer", _) => Some("integer".to_owned()),
        (_, "number", _) => Some("number".to_owned()),
        (_, "boolean", _) => Some("yes_no".to_owned()),
        _ => None,
    };
    let keys = [
        Some(("description", Value::from(format!("{}.", super::text::capital(&doc))).to_string())),
        format.map(|format| ("format", format)),
        required.then(|| ("required", "true".to_owned())),
    ];
    let line = format!("      {own}: {}\n", mapping(keys.into_iter().flatten().map(|(key, value)| (key.to_owned(), value))));
    Input { name: own, line, required, sample: sample(schema) }
}

/// The body of a request: a key for each of its properties, with an input that has the value.
fn body(found: Result<(&'static str, Value), &str>, inputs: &mut Vec<Input>, work: &mut String, sent: &mut String) {
    let (key, schema) = match found {
        Ok(found) => found,
        Err(kind) => {
            let _ = writeln!(work, "    # DECIDE: it takes a body of `{kind}`; docs/connectors.md has `text` and `xml`.");
            return;
        }
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
        let input = input("content", "What is sent", true, &schema, inputs);
        let _ = writeln!(
            work,
            "    # DECIDE: the description does not say what the body consists of.\n    {key}: {}",
            template(&input.name)
        );
        let _ = write!(sent, ", {key}: {}", flow(&input.sample));
        inputs.push(input);
        return;
    };
    let needed = required(&schema);
    let (mut written, mut example) = (Vec::new(), Vec::new());
    let nested = properties.values().any(|property| property.get("properties").is_some());
    for (name, property) in properties.iter().filter(|(_, it)| it.get("readOnly").and_then(Value::as_bool) != Some(true)) {
        let is_needed = needed.contains(&name.as_str());
        let input = input(name, "", is_needed, property, inputs);
        let optional = if is_needed || key == "form" { scalar(name) } else { scalar(&format!("{name}?")) };
        written.push((optional, template(&input.name)));
        example.extend(is_needed.then(|| (scalar(name), flow(&input.sample))));
        inputs.push(input);
    }
    if nested {
        work.push_str(
            "    # DECIDE: inputs that are objects are sent as they are given; write out what users really say.\n",
        );
    }
    let _ = writeln!(work, "    {key}:");
    for (name, value) in written {
        let _ = writeln!(work, "      {name}: {value}");
    }
    let _ = write!(sent, ", {key}: {}", mapping(example.into_iter()));
}

fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// How the answer is made, what an example receives, and what comes of it.
fn answer(status: u16, schema: Option<&Value>) -> (String, String, String) {
    let Some(schema) = schema else {
        return ("    answer: \"{{ http.status }}\"\n".to_owned(), format!("{{ status: {status} }}"), status.to_string());
    };
    let mut text =
        "    # DECIDE: what actions need of it. With `model: NAME` (docs/operations.md) other systems can take its place.\n"
            .to_owned();
    let body = sample(schema);
    let receives = format!("{{ status: {status}, json: {} }}", flow(&body));
    let (fields, root) = match schema.get("type").and_then(Value::as_str) {
        Some("array") => (schema.get("items"), "one"),
        _ => (Some(schema), "body"),
    };
    let none = Map::new();
    let properties = fields.and_then(|fields| fields.get("properties")?.as_object()).unwrap_or(&none);
    if properties.is_empty() {
        text.push_str("    answer: \"{{ body }}\"\n");
        return (text, receives, flow(&body));
    }
    let needed = fields.map(required).unwrap_or_default();
    text.push_str("    answer:\n");
    if root == "one" {
        text.push_str("      $each: body\n      $as: one\n");
    }
    let key = |name: &str| snake(name);
    for name in properties.keys().filter(|name| !key(name).is_empty()) {
        let bare = Local::parse(name).is_some();
        let path = if bare { format!("{root}.{name}") } else { format!("{root}['{}']", name.replace('\'', "")) };
        let absent = if needed.contains(&name.as_str()) { "" } else { " | default(none)" };
        let _ = writeln!(text, "      {}: \"{{{{ {path}{absent} }}}}\"", key(name));
    }
    let made = |one: &Value| {
        let entries = properties.keys().filter_map(|name| Some((key(name), one.get(name)?.clone())));
        Value::Object(entries.filter(|(key, _)| !key.is_empty()).collect())
    };
    let expected = match body.as_array() {
        Some(items) => Value::Array(items.iter().map(made).collect()),
        None => made(&body),
    };
    (text, receives, flow(&expected))
}
