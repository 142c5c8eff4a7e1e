//! Descriptions of APIs, OpenAPI 3.0 and 3.1: operations with what they take and give, references followed within the file.
//!
//! It is plain walking over JSON: what a description says in a way that is not looked for here is left out, and the draft made
//! of it is for a person to complete.

use serde_json::{Map, Value, json};

/// A description.
pub(super) struct Description(Value);

/// One operation of it.
pub(super) struct Described<'a> {
    of: &'a Description,
    /// In small letters.
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    path_item: &'a Value,
    operation: &'a Value,
}

/// A value that stands in the path, the query or a header.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    pub(super) place: &'a str,
    pub(super) doc: &'a str,
    pub(super) required: bool,
    pub(super) schema: Value,
}

/// How deep schemas are followed; those that hold themselves have no end.
const DEPTH: usize = 6;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl Description {
    /// Takes a description that was read as JSON or YAML.
    ///
    /// # Errors
    /// When it is of another version or kind.
    pub(super) fn new(whole: Value) -> Result<Self, String> {
        let version = whole.get("openapi").and_then(Value::as_str).unwrap_or_default();
        if version.starts_with("3.0") || version.starts_with("3.1") {
            return Ok(Self(whole));
        }
        Err(match whole.get("swagger").is_some() {
            true => "it is of version 2 (`swagger:`); tools such as swagger2openapi make version 3 of it".to_owned(),
            false => "it is no OpenAPI description of version 3.0 or 3.1 (`openapi: 3.…` is missing)".to_owned(),
        })
    }

    /// Every operation, in the order of the file.
    pub(super) fn operations(&self) -> Vec<Described<'_>> {
        let mut described = Vec::new();
        for (path, item) in self.0.get("paths").and_then(Value::as_object).into_iter().flatten() {
            let path_item = self.resolved(item);
            for method in METHODS {
                if let Some(operation) = path_item.get(method) {
                    described.push(Described { of: self, method, path, path_item, operation });
                }
            }
        }
        described
    }

    /// A text at a place, such as `/info/title`.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.0.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The schemes of proof, by name.
    pub(super) fn schemes(&self) -> impl Iterator<Item = (&String, &Value)> {
        let schemes = self.0.pointer("/components/securitySchemes").and_then(Value::as_object).into_iter().flatten();
        schemes.map(|(name, scheme)| (name, self.resolved(scheme)))
    }

    /// What `$ref` leads to, within the file; the value itself where there is none, or one that leads nowhere.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut at = value;
        for _ in 0..DEPTH {
            let Some(reference) = at.get("$ref").and_then(Value::as_str) else { return at };
            let Some(target) = reference
                .strip_prefix('#')
                .and_then(|pointer| self.0.pointer(&pointer.replace("%7B", "{").replace("%7D", "}")))
            else {
                return at;
            };
            at = target;
        }
        at
    }

    /// A schema with its references followed, its `allOf` joined, and the first of `oneOf` and `anyOf` taken.
    fn schema(&self, value: &Value, depth: usize) -> Value {
        let schema = self.resolved(value);
        let Some(written) = schema.as_object().filter(|_| depth < DEPTH) else { return json!({}) };
        let mut whole: Map<String, Value> = written.clone();
        let parts = |key: &str| written.get(key).and_then(Value::as_array).into_iter().flatten();
        let is_null = |part: &&Value| part.get("type").and_then(Value::as_str) == Some("null");
        let one = parts("oneOf").chain(parts("anyOf")).find(|part| !is_null(part));
        for part in parts("allOf").chain(one) {
            let part = self.schema(part, depth + 1);
            join(&mut whole, part);
        }
        if let Some(types) = written.get("type").and_then(Value::as_array) {
            let kind = types.iter().find(|kind| kind.as_str() != Some("null")).cloned().unwrap_or_default();
            whole.insert("type".into(), kind);
        }
        if let Some(properties) = whole.get("properties").and_then(Value::as_object).cloned() {
            let properties = properties.iter().map(|(name, property)| (name.clone(), self.schema(property, depth + 1)));
            whole.insert("properties".into(), Value::Object(properties.collect()));
        }
        if let Some(items) = whole.get("items").cloned() {
            whole.insert("items".into(), self.schema(&items, depth + 1));
        }
        Value::Object(whole)
    }
}

/// Joins a part of an `allOf`.
fn join(whole: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => into.extend(from),
            (Some(Value::Array(into)), Value::Array(from)) => into.extend(from),
            (Some(_), _) => {}
            (None, value) => drop(whole.insert(key, value)),
        }
    }
}

impl<'a> Described<'a> {
    /// Its name: `operationId`, or method and path.
    pub(super) fn id(&self) -> String {
        let id = self.operation.get("operationId").and_then(Value::as_str);
        id.map_or_else(|| format!("{} {}", self.method.to_uppercase(), self.path), str::to_owned)
    }

    /// What it does.
    pub(super) fn doc(&self) -> &'a str {
        let text = |key: &str| self.operation.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        text("summary").or_else(|| text("description")).and_then(|text| text.trim().lines().next()).unwrap_or_default()
    }

    /// What it takes besides a body; of two with one name, the operation's own.
    pub(super) fn parameters(&self) -> Vec<Parameter<'a>> {
        let of = |value: &'a Value| value.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let mut all: Vec<Parameter<'a>> = Vec::new();
        for written in of(self.operation).chain(of(self.path_item)) {
            let written = self.of.resolved(written);
            let text = |key: &str| written.get(key).and_then(Value::as_str).unwrap_or_default();
            let (name, place) = (text("name"), text("in"));
            if all.iter().any(|other| other.name == name && other.place == place) {
                continue;
            }
            let mut schema = self.of.schema(written.get("schema").unwrap_or(&Value::Null), 0);
            if let (Some(example), Some(schema)) = (written.get("example"), schema.as_object_mut()) {
                schema.insert("example".into(), example.clone());
            }
            let required = place == "path" || written.get("required").and_then(Value::as_bool) == Some(true);
            all.push(Parameter { name, place, doc: text("description"), required, schema });
        }
        all
    }

    /// The body that it takes: `json` or `form`, its schema, and whether it has to be there; none without one, the type of the
    /// content where it is another.
    pub(super) fn body(&self) -> Option<Result<(&'static str, Value), &'a str>> {
        let body = self.of.resolved(self.operation.get("requestBody")?);
        let content = body.get("content")?.as_object()?;
        let schema = |media: &Value| {
            let mut schema = self.of.schema(media.get("schema").unwrap_or(&Value::Null), 0);
            if let (Some(example), Some(schema)) = (media.get("example"), schema.as_object_mut()) {
                schema.insert("example".into(), example.clone());
            }
            schema
        };
        if let Some((_, media)) = content.iter().find(|(kind, _)| kind.contains("json")) {
            return Some(Ok(("json", schema(media))));
        }
        match content.get("application/x-www-form-urlencoded") {
            Some(media) => Some(Ok(("form", schema(media)))),
            None => content.keys().next().map(|kind| Err(kind.as_str())),
        }
    }

    /// How it answers when all is well: the status, and the schema of the JSON where there is some.
    pub(super) fn answer(&self) -> (u16, Option<Value>) {
        let responses = self.operation.get("responses").and_then(Value::as_object).into_iter().flatten();
        let good = responses.filter(|(status, _)| status.starts_with('2') || *status == "default");
        let Some((status, response)) = good.min_by_key(|(status, _)| status.as_str()) else { return (200, None) };
        let content = self.of.resolved(response).get("content").and_then(Value::as_object);
        let media =
            content.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")).map(|(_, media)| media));
        let schema = media.map(|media| {
            let mut schema = self.of.schema(media.get("schema").unwrap_or(&Value::Null), 0);
            let several = media.get("examples").and_then(Value::as_object).and_then(|all| all.values().next());
            let example = media.get("example").or_else(|| self.of.resolved(several?).get("value"));
            if let (Some(example), Some(schema)) = (example, schema.as_object_mut()) {
                schema.insert("example".into(), example.clone());
            }
            schema
        });
        (status.parse().unwrap_or(200), schema)
    }
}

/// A value that fits a schema: its example where it has one.
pub(super) fn sample(schema: &Value) -> Value {
    sample_at(schema, 0)
}

/// Objects within objects within objects are left out of an example, since some hold themselves.
fn sample_at(schema: &Value, depth: usize) -> Value {
    let first = |key: &str| schema.get(key).and_then(Value::as_array).and_then(|all| all.first());
    let written = schema.get("example").or_else(|| first("examples")).or_else(|| schema.get("const"));
    if let Some(value) = written.or_else(|| schema.get("default")).or_else(|| first("enum")).filter(|value| !value.is_null())
    {
        return value.clone();
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    match (schema.get("type").and_then(Value::as_str), properties) {
        (Some("integer"), _) => schema.get("minimum").filter(|it| it.is_i64()).cloned().unwrap_or(json!(1)),
        (Some("number"), _) => json!(12.5),
        (Some("boolean"), _) => json!(true),
        (Some("array"), _) => json!([schema.get("items").map_or(json!("one"), |items| sample_at(items, depth))]),
        (_, Some(properties)) => {
            let deep = |property: &Value| {
                property.get("properties").is_some() || property.get("type").is_none_or(|it| it == "array")
            };
            let shown = properties.iter().filter(|(_, property)| depth < 1 || !deep(property));
            Value::Object(shown.map(|(name, property)| (name.clone(), sample_at(property, depth + 1))).collect())
        }
        (Some("string"), _) => json!(match schema.get("format").and_then(Value::as_str) {
            Some("date") => "2026-01-20",
            Some("date-time") => "2026-01-20T11:20:00Z",
            Some("email") => "sarah@example.com",
            Some("uuid") => "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            Some("uri" | "url") => "https://example.com",
            _ => "a1",
        }),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(paths: Value, schemas: Value) -> Description {
        Description::new(json!({ "openapi": "3.0.3", "paths": paths, "components": { "schemas": schemas } })).unwrap()
    }

    #[test]
    fn references_are_followed_and_those_to_themselves_come_to_an_end() {
        let node = json!({ "allOf": [
            { "type": "object", "required": ["id"], "properties": { "id": { "type": "integer", "example": 7 } } },
            { "properties": { "next": { "$ref": "#/components/schemas/Node" }, "name": { "type": ["null", "string"] } } },
        ] });
        let content = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Node" } } });
        let paths = json!({ "/nodes/{id}": {
            "parameters": [{ "name": "id", "in": "path", "schema": { "type": "integer" } }],
            "get": { "responses": { "404": {}, "200": { "content": content } } },
        } });
        let description = description(paths, json!({ "Node": node }));
        let all = description.operations();
        assert_eq!((all.len(), all[0].id().as_str()), (1, "GET /nodes/{id}"));
        assert!(all[0].parameters()[0].required);
        let (status, schema) = all[0].answer();
        assert_eq!(
            (status, sample(&schema.unwrap())),
            (200, json!({ "id": 7, "next": { "id": 7, "name": "a1" }, "name": "a1" }))
        );
    }

    #[test]
    fn a_reference_in_a_circle_leads_nowhere() {
        let description = description(json!({}), json!({ "A": { "$ref": "#/components/schemas/A" } }));
        assert_eq!(sample(&description.schema(&json!({ "$ref": "#/components/schemas/A" }), 0)), json!({}));
    }

    #[test]
    fn another_version_is_refused_with_a_way_on() {
        assert!(Description::new(json!({ "swagger": "2.0" })).err().unwrap().contains("version 3"));
        assert!(Description::new(json!([])).err().unwrap().contains("openapi: 3"));
    }
}
