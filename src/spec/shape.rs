//! A shape: what a mapping of a file may hold, declared once and used twice.
//!
//! [`shape!`] declares a struct whose doc comments, field names and types give both the reading (with every mistake
//! reported, not only the first) and the JSON Schema that editors use. So a key cannot be read and yet be missing in the
//! schema, or be described otherwise than it is read.

use serde_json::{Value, json};

use super::yaml::{Kind, Node};
use crate::diag::{Code, Diagnostic, Diagnostics};

/// Something that a node can be read as.
pub trait Shape: Sized {
    /// Reads it. What is wrong goes to `out`; none when it cannot be used at all.
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self>;

    /// The value of a key that is not there; none when the key has to be.
    fn absent() -> Option<Self> {
        None
    }

    /// The JSON Schema, with shared parts in `definitions`.
    fn schema(definitions: &mut Definitions) -> Value;
}

/// The named parts of a JSON Schema.
pub type Definitions = serde_json::Map<String, Value>;

/// The whole JSON Schema of files of one shape.
#[must_use]
pub fn document<T: Shape>(title: &str) -> Value {
    let mut definitions = Definitions::new();
    let mut root = T::schema(&mut definitions);
    if let Some(object) = root.as_object_mut() {
        object.insert("$schema".into(), "http://json-schema.org/draft-07/schema#".into());
        object.insert("title".into(), title.into());
        object.insert("definitions".into(), Value::Object(definitions));
    }
    root
}

/// Reports that `node` is not what is needed here.
pub(crate) fn wrong_type<T>(node: &Node, needed: &str, out: &mut Diagnostics) -> Option<T> {
    wrong_type_with(node, needed, None, out)
}

/// The same with a cure, for when no sign that YAML read otherwise than it was meant explains it.
pub(crate) fn wrong_type_with<T>(node: &Node, needed: &str, cure: Option<String>, out: &mut Diagnostics) -> Option<T> {
    let diagnostic = Diagnostic::at(Code::WrongType, &node.span, format!("{needed} is needed here, not {}", node.what()));
    let cure = slip(node).map(str::to_owned).or(cure);
    out.push(cure.into_iter().fold(diagnostic, Diagnostic::help));
    None
}

/// The sign that YAML read otherwise than it was meant, when that is why a node is not what it should be.
fn slip(node: &Node) -> Option<&'static str> {
    let text = &node.span.file.text;
    let rest = text.get(node.span.range.start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    match &node.kind {
        Kind::Null if rest.trim_start_matches([':', ' ']).starts_with('#') => {
            Some("`#` begins a comment; a text that begins with it needs quotes around it")
        }
        Kind::Map(_) if rest.starts_with('{') => Some("a text that begins with a brace needs quotes around it"),
        Kind::Map(entries) if entries.iter().any(|(key, _)| key.name.starts_with('-')) => {
            Some("a dash needs a blank behind it")
        }
        Kind::Text(text) if text.contains(':') && !text.contains(' ') => Some("a colon needs a blank behind it"),
        _ => None,
    }
}

/// How the list that is needed is made of what stands there.
pub(crate) fn as_list(node: &Node) -> Option<String> {
    match node.kind {
        Kind::Map(_) => Some("begin every entry with a dash and a blank: `- `".to_owned()),
        _ => node.scalar_text().map(|text| format!("put brackets around it: `[{text}]`")),
    }
}

/// How the mapping that is needed is made of what stands there.
fn as_mapping(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text(text) if !text.contains(' ') => Some(format!("a key has a colon behind it: `{text}: …`")),
        Kind::List(_) => Some("write `KEY: VALUE` lines without dashes".to_owned()),
        _ => None,
    }
}

/// What people write for a key from other habits, and the keys it may mean.
const OTHER_WORDS: &[(&str, &str)] = &[
    ("if", "when"),
    ("condition", "when"),
    ("else", "otherwise"),
    ("default", "otherwise"),
    ("then", "steps"),
    ("do", "steps"),
    ("actions", "steps"),
    ("utter", "say"),
    ("message", "say"),
    ("text", "say"),
    ("args", "with"),
    ("params", "with"),
    ("inputs", "with"),
    ("result", "as"),
    ("name", "as"),
    ("slot", "set"),
    ("slots", "set"),
    ("for", "each"),
    ("foreach", "each"),
    ("parallel", "together"),
    ("sleep", "wait"),
    ("errors", "outcomes"),
    ("on_error", "outcomes"),
    ("return", "stop"),
    ("include", "use"),
    ("label", "title"),
    ("url", "image"),
];

/// Reports a key that the shape `what` does not have.
pub(crate) fn unknown_key(key: &super::Key, whole: &Node, what: &str, known: &[&str], out: &mut Diagnostics) {
    let diagnostic = Diagnostic::at(Code::UnknownKey, &key.span, format!("{what} has no key `{}`", key.name));
    let at = whole.entries().iter().position(|(other, _)| other.span == key.span).unwrap_or_default();
    let above = whole.entries().iter().take(at).rfind(|(other, _)| known.contains(&other.name.as_str()));
    out.push(match above {
        // `set:` with its slots not indented below it.
        Some((above, Node { kind: Kind::Null, .. })) => {
            diagnostic.help(format!("when it belongs to `{}`, indent it by two more blanks", above.name))
        }
        _ => match OTHER_WORDS.iter().find(|(other, meant)| *other == key.name && known.contains(meant)) {
            Some((_, meant)) => diagnostic.help(format!("write `{meant}`")),
            None => diagnostic.did_you_mean(&key.name, known.iter().copied()),
        },
    });
}

impl<T: Shape> Shape for Option<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        T::read(node, out).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        T::schema(definitions)
    }
}

impl<T: Shape> Shape for Box<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        T::read(node, out).map(Box::new)
    }

    fn schema(definitions: &mut Definitions) -> Value {
        T::schema(definitions)
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => Some(items.iter().filter_map(|item| T::read(item, out)).collect()),
            Kind::Null => Some(Vec::new()),
            _ => wrong_type_with(node, "a list", as_list(node), out),
        }
    }

    fn absent() -> Option<Self> {
        Some(Vec::new())
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "type": "array", "items": T::schema(definitions) })
    }
}

/// Any YAML at all, kept as it is.
impl Shape for Node {
    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(node.clone())
    }

    fn schema(_: &mut Definitions) -> Value {
        json!(true)
    }
}

/// Declares a struct that is read from a mapping: doc comments become the schema's descriptions, a field of type `Option`,
/// `Vec` or `Map` may be left out, every other has to be there. Each struct also has `span`, the place of the mapping, and
/// `keys`, those that were written. A last line `..part: Part` takes in the keys of another shape, which then stand in the same
/// mapping: keys that several shapes have are declared once.
macro_rules! shape {
    ($($(#[doc = $doc:literal])* $name:ident as $what:literal {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)*
        $(..$part:ident: $part_type:ty,)?
    })*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// Where it stands.
            pub span: $crate::diag::Span,
            /// The keys as they were written, unknown ones included.
            pub keys: Vec<$crate::spec::Key>,
            $($(#[doc = $field_doc])* pub $field: $type,)*
            $(/// The keys that it has in common with other shapes.
            pub $part: $part_type,)?
        }

        impl $name {
            /// The keys that it may have.
            pub const KEYS: &'static [&'static str] = &$crate::spec::shape::joined::<{
                [$(stringify!($field),)*].len() $(+ <$part_type>::KEYS.len())?
            }>(
                &[$($crate::spec::shape::key_name(stringify!($field)),)*],
                &[$(<$part_type>::KEYS)?],
            );

            /// The key of that name, when it was written.
            #[must_use]
            pub fn key(&self, name: &str) -> Option<&$crate::spec::Key> {
                self.keys.iter().find(|key| key.name == name)
            }

            /// Takes its keys out of `entries`, those of the mapping `node`, which `what` names.
            pub(crate) fn take(
                entries: &mut Vec<(&$crate::spec::Key, &$crate::spec::Node)>,
                node: &$crate::spec::Node,
                what: &str,
                out: &mut $crate::diag::Diagnostics,
            ) -> Option<Self> {
                use $crate::spec::shape::{field, key_name};
                $(let $field: Option<$type> = field(entries, node, what, key_name(stringify!($field)), concat!($($field_doc,)*), out);)*
                $(let $part = <$part_type>::take(entries, node, what, out);)?
                let keys = node.entries().iter().map(|(key, _)| key.clone()).collect();
                Some(Self { span: node.span.clone(), keys, $($field: $field?,)* $($part: $part?,)? })
            }

            /// Adds what the schema says of its keys.
            pub(crate) fn describe(
                definitions: &mut $crate::spec::Definitions,
                properties: &mut $crate::spec::Definitions,
                required: &mut Vec<&'static str>,
            ) {
                $(
                    let key = $crate::spec::shape::key_name(stringify!($field));
                    let schema = <$type as $crate::spec::Shape>::schema(definitions);
                    properties.insert(key.into(), $crate::spec::shape::described(schema, concat!($($field_doc,)*)));
                    if <$type as $crate::spec::Shape>::absent().is_none() {
                        required.push(key);
                    }
                )*
                $(<$part_type>::describe(definitions, properties, required);)?
            }
        }

        impl $crate::spec::Shape for $name {
            fn read(node: &$crate::spec::Node, out: &mut $crate::diag::Diagnostics) -> Option<Self> {
                let mut entries = $crate::spec::shape::entries(node, $what, out)?;
                let read = Self::take(&mut entries, node, $what, out);
                for (key, _) in entries {
                    $crate::spec::shape::unknown_key(key, node, $what, Self::KEYS, out);
                }
                read
            }

            fn schema(definitions: &mut $crate::spec::Definitions) -> serde_json::Value {
                if !definitions.contains_key(stringify!($name)) {
                    definitions.insert(stringify!($name).into(), serde_json::Value::Null);
                    let (mut properties, mut required) = (serde_json::Map::new(), Vec::new());
                    Self::describe(definitions, &mut properties, &mut required);
                    let schema = serde_json::json!({
                        "type": "object",
                        "description": concat!($($doc,)*).trim(),
                        "properties": properties,
                        "required": required,
                        "additionalProperties": false,
                    });
                    definitions.insert(stringify!($name).into(), schema);
                }
                serde_json::json!({ "$ref": concat!("#/definitions/", stringify!($name)) })
            }
        }
    )*};
}
pub(crate) use shape;

/// The keys of a shape and those of the shapes that are part of it; `N` is how many.
pub(crate) const fn joined<const N: usize>(own: &[&'static str], parts: &[&[&'static str]]) -> [&'static str; N] {
    let mut all = [""; N];
    let mut at = 0;
    while at < own.len() {
        all[at] = own[at];
        at += 1;
    }
    let mut part = 0;
    while part < parts.len() {
        let mut key = 0;
        while key < parts[part].len() {
            all[at] = parts[part][key];
            at += 1;
            key += 1;
        }
        part += 1;
    }
    all
}

/// A field's key: its name without the `r#` that Rust needs before its own words.
pub(crate) const fn key_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// The entries of a mapping, to be taken out one by one; a node without content has none.
pub(crate) fn entries<'a>(node: &'a Node, what: &str, out: &mut Diagnostics) -> Option<Vec<(&'a super::Key, &'a Node)>> {
    match &node.kind {
        Kind::Map(entries) => Some(entries.iter().map(|(key, value)| (key, value)).collect()),
        Kind::Null => Some(Vec::new()),
        _ => wrong_type_with(node, &format!("{what}, a mapping of keys and values,"), as_mapping(node), out),
    }
}

/// Takes one key out of the entries and reads it.
pub(crate) fn field<T: Shape>(
    entries: &mut Vec<(&super::Key, &Node)>,
    whole: &Node,
    what: &str,
    name: &str,
    doc: &str,
    out: &mut Diagnostics,
) -> Option<T> {
    if let Some(at) = entries.iter().position(|(key, _)| key.name == name) {
        let (_, node) = entries.remove(at);
        return T::read(node, out);
    }
    let absent = T::absent();
    if absent.is_none() {
        let diagnostic = Diagnostic::at(Code::MissingKey, &whole.span, format!("{what} needs the key `{name}`"));
        out.push(diagnostic.help(format!("add `{name}: …`: {}", lowered(doc.trim()))));
    }
    absent
}

/// A sentence as the continuation of another.
fn lowered(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
        .trim_end_matches('.')
        .to_owned()
}

/// A field's schema with its description; a `$ref` stands in `allOf`, since siblings of `$ref` are ignored by readers.
pub(crate) fn described(schema: Value, doc: &str) -> Value {
    let doc = doc.trim();
    match schema {
        Value::Object(object) if object.contains_key("$ref") => json!({ "description": doc, "allOf": [object] }),
        Value::Object(mut object) => {
            object.insert("description".into(), doc.into());
            Value::Object(object)
        }
        other => json!({ "description": doc, "anyOf": [other] }),
    }
}
