//! YAML as a tree whose every node knows its place; only this module and its own name the YAML reader.
//!
//! A file is parsed once into [`Node`]s, within bounds on depth, size and aliases. The tree is then read by
//! [`Shape`](super::Shape)s, which can go on after a mistake and so report all of a file at once; serde alone stops at the first.

mod refused;

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use self::refused::{located, refused};
use crate::diag::{Diagnostic, File, Span};

/// A piece of YAML and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a piece of YAML is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order written; keys are texts and stand once.
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// Where it stands.
    pub span: Span,
    /// The key as text.
    pub name: String,
}

impl Node {
    /// The entry of that key, when this is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.name == key).map(|(_, node)| node)
    }

    /// The entries of a mapping; none of anything else.
    #[must_use]
    pub fn entries(&self) -> &[(Key, Node)] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    /// What it is, with an article, for messages.
    #[must_use]
    pub const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "true or false",
            Kind::Int(_) | Kind::Float(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The scalar as it was written, `007` and `1.10` included; none of lists, mappings and null.
    #[must_use]
    pub fn scalar_text(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
                self.span.file.text.get(self.span.range.clone()).map(|raw| raw.trim().to_owned())
            }
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// The same value as JSON.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.kind {
            Kind::Null => serde_json::Value::Null,
            Kind::Bool(value) => (*value).into(),
            Kind::Int(value) => (*value).into(),
            Kind::Float(value) => (*value).into(),
            Kind::Text(value) => value.clone().into(),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Map(entries) => {
                serde_json::Value::Object(entries.iter().map(|(k, v)| (k.name.clone(), v.to_json())).collect())
            }
        }
    }
}

/// Parses a file.
///
/// # Errors
/// One diagnostic, `yaml-syntax` or `duplicate-name`: the reader cannot go on after the first.
pub fn parse(file: &Arc<File>) -> Result<Node, Box<Diagnostic>> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_nodes: 100_000, max_aliases: 1_000, max_depth: 64 },
        with_snippet: false,
        strict_booleans: true,
    };
    let parsed: Result<Spanned<Raw>, _> = serde_saphyr::from_str_with_options(&file.text, options);
    parsed.map(|raw| place(raw, file)).map_err(|error| Box::new(refused(&error, file)))
}

fn place(raw: Spanned<Raw>, file: &Arc<File>) -> Node {
    // Where an alias stands, the place is that of what it stands for: there the text is that is read, and to be mended.
    let mut span = located(raw.defined, file);
    let kind = match raw.value {
        Raw::Null => Kind::Null,
        Raw::Bool(value) => Kind::Bool(value),
        Raw::Int(value) => Kind::Int(value),
        Raw::Float(value) => number(value, &span),
        Raw::Text(value) => Kind::Text(value),
        Raw::List(items) => Kind::List(items.into_iter().map(|item| place(item, file)).collect()),
        Raw::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|(key, value)| (Key { span: located(key.defined, file), name: key.value }, place(value, file)))
                .collect(),
        ),
    };
    // Of entries merged in by `<<`, the place is elsewhere.
    let own = |key: &Key| key.span.range.start >= span.range.start;
    if let Kind::Map(entries) = &kind
        && let Some((_, last)) =
            entries.iter().rfind(|(key, value)| own(key) && value.span.range.start >= key.span.range.start)
    {
        span.range.end = last.span.range.end.max(span.range.end);
    }
    Node { span, kind }
}

/// The reader takes `007` for a number with a point, which it has not.
fn number(value: f64, span: &Span) -> Kind {
    let written = span.file.text.get(span.range.clone()).unwrap_or_default().trim();
    written.parse().map_or(Kind::Float(value), Kind::Int)
}

/// A node before it is placed in its file.
enum Raw {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> DeserializeSeed<'de> for RawVisitor {
    type Value = Raw;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Int(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a whole number past i64 is kept as the nearest float, as YAML readers do"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or(Raw::Float(value as f64), Raw::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Code;

    fn read(text: &str) -> Node {
        parse(&File::new("a.yml", text)).unwrap()
    }

    fn covered(node: &Node) -> &str {
        &node.span.file.text[node.span.range.clone()]
    }

    #[test]
    fn every_scalar_knows_its_place_and_type() {
        let tree = read("a: 1\nb: 'x: y'\nc: [true, ~, 1.5, 007]\nd:\n  e: \"{{ f }}\"\n");
        assert_eq!(tree.get("a").unwrap().kind, Kind::Int(1));
        let b = tree.get("b").unwrap();
        assert_eq!((b.kind.clone(), covered(b)), (Kind::Text("x: y".into()), "'x: y'"));
        let Kind::List(items) = &tree.get("c").unwrap().kind else { panic!("a list") };
        assert_eq!(items[1].kind, Kind::Null);
        assert_eq!(items[3].scalar_text().as_deref(), Some("007"));
        let e = tree.get("d").and_then(|d| d.get("e")).unwrap();
        assert_eq!(e.span.line_column(), (5, 6));
        assert_eq!(tree.entries()[3].0.span.line_column(), (4, 1));
        assert!(covered(tree.get("d").unwrap()).starts_with("e:"));
    }

    #[test]
    fn anchors_and_merges_are_read() {
        let tree = read("base: &b { x: 1, y: 2 }\nother: { <<: *b, y: 3 }\n");
        assert_eq!(tree.get("other").unwrap().to_json(), serde_json::json!({ "x": 1, "y": 3 }));
    }

    #[test]
    fn what_is_not_yaml_is_refused_with_a_place() {
        let refused = |text| *parse(&File::new("a.yml", text)).unwrap_err();
        for (text, covered, cure) in [
            ("a: [1\nb: 2\n", "[1", "close it"),
            ("a: 1\n\tb: 2\n", "\t", "indent with blanks, two for each level"),
            ("a: {{ x }}: y\n", "{{ x }}: y", "write \"{{ x }}: y\""),
            ("a: { b: {{ x }} }\n", "{{ x }}", "write \"{{ x }}\""),
            ("a: so: {{ x }}\n", "so: {{ x }}", "write \"so: {{ x }}\""),
            ("- a: \"hi\n- b: 1\n", "\"hi", "put \" at the end of the text as well"),
            ("- a: 'it's'\n", "'it's'", "write '' for a quote inside single quotes, or put double quotes around"),
            ("a: { b: #1 }\n", "{ b: #1 }", "put quotes around the text that begins with `#`"),
            ("a\n  - b: 1\n", "a", "write `a:`, if it is one"),
        ] {
            let refusal = refused(text);
            let span = refusal.span.clone().unwrap();
            assert_eq!((refusal.code, refusal.help.as_deref()), (Code::YamlSyntax, Some(cure)), "{text}");
            assert_eq!(&text[span.range], covered);
        }
        assert_eq!(refused("a: 1\na: 2\n").code, Code::DuplicateName);
    }

    #[test]
    fn what_an_alias_stands_for_is_read_where_it_stands() {
        let tree = read("a: &a 007\nb: *a\nc: &c { x: 1 }\nd: { <<: *c, y: 2 }\n");
        assert_eq!(tree.get("b").unwrap().scalar_text().as_deref(), Some("007"));
        assert_eq!(covered(tree.get("d").unwrap()), "{ <<: *c, y: 2");
    }

    #[test]
    fn a_bomb_is_refused() {
        let mut bomb = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for level in 1..10 {
            let before = format!("*a{}", level - 1);
            bomb += &format!("a{level}: &a{level} [{}]\n", [before.as_str(); 9].join(","));
        }
        assert_eq!(parse(&File::new("bomb.yml", bomb)).unwrap_err().code, Code::YamlSyntax);
        let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(parse(&File::new("deep.yml", deep)).unwrap_err().code, Code::YamlSyntax);
    }
}
