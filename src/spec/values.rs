//! The scalars and maps that shapes are made of, each with its place.

use serde_json::{Value, json};

use super::shape::{Definitions, Shape, wrong_type, wrong_type_with};
use super::yaml::{Key, Kind, Node};
use crate::diag::{Diagnostics, Span};

/// A text as written: a name, a template, an expression, a duration. Numbers and `true` are texts too where one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Where it stands.
    pub span: Span,
    /// The text.
    pub value: String,
}

impl Text {
    /// The text as a slice.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The text of a mapping's key.
    #[must_use]
    pub fn of_key(key: &Key) -> Self {
        Self { span: key.span.clone(), value: key.name.clone() }
    }

    /// The place of a part of the value, in bytes of the value. In a text with escapes or several lines the written bytes are
    /// not the value's: there the same words are looked for, and the whole is the place when they are not found.
    #[must_use]
    pub fn part(&self, range: std::ops::Range<usize>) -> Span {
        let written = self.span.file.text.get(self.span.range.clone()).unwrap_or_default();
        if self.value.is_empty() {
            return self.span.clone();
        }
        if let Some(offset) = written.find(&self.value) {
            return self.span.part(range.start + offset..range.end + offset);
        }
        let (Some(before), Some(words)) = (self.value.get(..range.start), self.value.get(range)) else {
            return self.span.clone();
        };
        if words.is_empty() {
            return self.span.clone();
        }
        let nth = before.matches(words).count();
        let found = written.match_indices(words).nth(nth);
        found.map_or_else(|| self.span.clone(), |(at, words)| self.span.part(at..at + words.len()))
    }
}

impl Shape for Text {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.scalar_text() {
            Some(value) => Some(Self { span: node.span.clone(), value }),
            None => wrong_type_with(
                node,
                "a text",
                matches!(node.kind, Kind::List(_)).then(|| "put quotes around it".to_owned()),
                out,
            ),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": ["string", "number", "boolean"] })
    }
}

/// `true` or `false`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// Where it stands.
    pub span: Span,
    /// Which of the two.
    pub value: bool,
}

impl Shape for Flag {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.kind {
            Kind::Bool(value) => Some(Self { span: node.span.clone(), value }),
            _ => wrong_type(node, "true or false", out),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "boolean" })
    }
}

/// A whole number that is not negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Where it stands.
    pub span: Span,
    /// The number.
    pub value: u64,
}

impl Shape for Whole {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.kind {
            Kind::Int(value) if value >= 0 => Some(Self { span: node.span.clone(), value: value.unsigned_abs() }),
            _ => wrong_type(node, "a whole number", out),
        }
    }

    fn schema(_: &mut Definitions) -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

/// A mapping from names that the author chose, in the order written.
#[derive(Debug, Clone)]
pub struct Map<T>(pub Vec<(Text, T)>);

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Map<T> {
    /// The entries in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &T)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The entry of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(key, _)| key.value == name).map(|(_, value)| value)
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Shape> Shape for Map<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => Some(Self(
                entries.iter().filter_map(|(key, value)| Some((Text::of_key(key), T::read(value, out)?))).collect(),
            )),
            Kind::Null => Some(Self::default()),
            _ => wrong_type(node, "a mapping of names and values", out),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

/// A value for which null stands too, since leaving it out means something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nullable<T>(pub Option<T>);

impl<T: Shape> Shape for Nullable<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.kind {
            Kind::Null => Some(Self(None)),
            _ => T::read(node, out).map(|value| Self(Some(value))),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [T::schema(definitions), { "type": "null" }] })
    }
}

/// One value or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Several<T>(pub Vec<T>);

impl<T: Shape> Shape for Several<T> {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        match node.kind {
            Kind::List(_) => Vec::read(node, out).map(Self),
            _ => T::read(node, out).map(|value| Self(vec![value])),
        }
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [T::schema(definitions), Vec::<T>::schema(definitions)] })
    }
}

/// A closed choice of values, each with further ways to say it: a list of values, or value → spellings.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Where it stands.
    pub span: Span,
    /// The values and their further spellings.
    pub values: Map<Vec<Text>>,
}

impl Shape for Choices {
    fn read(node: &Node, out: &mut Diagnostics) -> Option<Self> {
        let values = match &node.kind {
            Kind::List(_) => Map(Vec::<Text>::read(node, out)?.into_iter().map(|value| (value, Vec::new())).collect()),
            _ => Map::read(node, out)?,
        };
        Some(Self { span: node.span.clone(), values })
    }

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [Vec::<Text>::schema(definitions), Map::<Vec<Text>>::schema(definitions)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{Code, File};
    use crate::spec::{document, yaml};

    super::super::shape::shape! {
        /// A thing.
        Thing as "a thing" {
            /// Its name.
            name: Text,
            /// What it is `as`.
            r#as: Option<Text>,
            /// Things in it.
            parts: Vec<Thing>,
        }
    }

    fn read(text: &str) -> (Option<Thing>, Vec<Code>) {
        let mut out = Diagnostics::default();
        let tree = yaml::parse(&File::new("a.yml", text)).unwrap();
        let thing = Thing::read(&tree, &mut out);
        (thing, out.into_sorted().into_iter().map(|d| d.code).collect())
    }

    #[test]
    fn every_mistake_of_a_file_is_reported() {
        let (thing, codes) = read("naem: x\nparts:\n  - { name: 1, as: y }\n  - { name: [], color: red }\n");
        assert!(thing.is_none());
        assert_eq!(codes, [Code::MissingKey, Code::UnknownKey, Code::WrongType, Code::UnknownKey]);
    }

    #[test]
    fn a_part_is_found_in_quotes_escapes_and_lines() {
        for source in [
            "a: 'x {{ b }} {{ b }}'",
            r#"a: "x \t{{ b }} {{ b }}""#,
            "a: |\n  x\n  {{ b }}\n  {{ b }}\n",
            "a: x {{ b }} {{ b }}",
        ] {
            let tree = yaml::parse(&File::new("a.yml", source)).unwrap();
            let text = Text::read(tree.get("a").unwrap(), &mut Diagnostics::default()).unwrap();
            let at = text.value.rfind('b').unwrap();
            assert_eq!(text.part(at..at + 1).range.start, source.rfind('b').unwrap(), "{source}");
        }
    }

    #[test]
    fn what_is_right_is_kept_in_order() {
        let (thing, codes) = read("name: box\nparts:\n  - { name: 007, as: spy }\n");
        assert!(codes.is_empty());
        let thing = thing.unwrap();
        assert_eq!(thing.parts[0].name.value, "007");
        assert_eq!(thing.parts[0].r#as.as_ref().unwrap().value, "spy");
        assert_eq!(thing.span.line_column(), (1, 1));
        assert_eq!(thing.key("parts").map(|key| key.span.line_column()), Some((2, 1)));
        assert!(thing.key("as").is_none() && thing.parts[0].keys.len() == 2);
        assert!(thing.key("parts").is_some() && thing.key("as").is_none());
        assert_eq!(thing.parts[0].span.place(), "a.yml:3");
    }

    #[test]
    fn the_schema_says_what_is_read() {
        let schema = document::<Thing>("thing");
        let thing = &schema["definitions"]["Thing"];
        assert_eq!(thing["required"], json!(["name"]));
        assert_eq!(thing["properties"]["as"]["description"], "What it is `as`.");
        assert_eq!(thing["additionalProperties"], false);
    }
}
