//! Text with values in it that are kept apart from it: paths, and texts in a query language.
//!
//! Only plain placeholders may stand in it, so what is text and what is a value is decided when the file is read.

use std::ops::Range;

use crate::template::{Expression, Reference, Wrong};

/// Text with values in it.
#[derive(Debug)]
pub struct Pieces(pub Vec<Part>);

/// A part of such a text.
#[derive(Debug)]
pub enum Part {
    /// Text of the file.
    Text(String),
    /// A value.
    Value(Expression),
}

/// What is wrong with such a text.
#[derive(Debug)]
pub(super) enum Refused {
    /// A placeholder does not compile; its place in the text is added to the mistake's.
    Wrong(Wrong, usize),
    /// Something else than a placeholder stands in it.
    Shape(&'static str, Range<usize>),
}

impl Pieces {
    /// Parses a text. References are in bytes of `source`.
    pub(super) fn parse(source: &str) -> Result<(Self, Vec<Reference>), Refused> {
        let mut parts = Vec::new();
        let mut names = Vec::new();
        let mut at = 0;
        while let Some(open) = source[at..].find('{').map(|found| at + found) {
            match source.get(open..open + 2) {
                Some("{{") => {}
                Some("{%" | "{#") => {
                    return Err(Refused::Shape("only values in {{ }} can stand here", open..open + 2));
                }
                _ => {
                    push(&mut parts, &source[at..=open]);
                    at = open + 1;
                    continue;
                }
            }
            push(&mut parts, &source[at..open]);
            let inner = open + 2;
            let close = closing(&source[inner..]).ok_or(Refused::Shape("this {{ is not closed", open..open + 2))? + inner;
            let expression = Expression::compile(&source[inner..close]).map_err(|wrong| Refused::Wrong(wrong, inner))?;
            names.extend(
                expression
                    .references()
                    .iter()
                    .map(|it| Reference { path: it.path.clone(), range: it.range.start + inner..it.range.end + inner }),
            );
            parts.push(Part::Value(expression));
            at = close + 2;
        }
        push(&mut parts, &source[at..]);
        Ok((Self(parts), names))
    }

    /// Whether it is one value and nothing else.
    #[must_use]
    pub fn is_one_value(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Value(_)])
    }

    /// Whether a value stands in it.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(_)))
    }

    /// The text before and after each value.
    pub(super) fn around(&self) -> impl Iterator<Item = (&str, &str)> {
        let text = |at: Option<usize>| match at.and_then(|at| self.0.get(at)) {
            Some(Part::Text(text)) => text.as_str(),
            _ => "",
        };
        let values = self.0.iter().enumerate().filter(|(_, part)| matches!(part, Part::Value(_)));
        values.map(move |(at, _)| (text(at.checked_sub(1)), text(Some(at + 1))))
    }
}

fn push(parts: &mut Vec<Part>, text: &str) {
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

/// Where the `}}` stands that closes an expression; braces of maps and quoted texts are passed over.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_u32;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') => return text[at..].starts_with("}}").then_some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> Vec<String> {
        let (pieces, _) = Pieces::parse(source).unwrap();
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Value(value) => format!("<{}>", value.source().trim()),
        };
        pieces.0.iter().map(part).collect()
    }

    #[test]
    fn values_are_apart_from_the_text() {
        assert_eq!(shown("/a/{{ b }}/c({{ d['}}'] }})"), ["/a/", "<b>", "/c(", "<d['}}']>", ")"]);
        assert_eq!(shown("{ a } {{ {'b': {'c': 1}}.b.c }}"), ["{ a } ", "<{'b': {'c': 1}}.b.c>"]);
        assert_eq!(shown(""), Vec::<String>::new());
        let (pieces, names) = Pieces::parse("é {{ order.id }}").unwrap();
        assert!(!pieces.is_one_value() && pieces.has_values());
        assert_eq!((names[0].dotted(), names[0].range.clone()), ("order.id".to_owned(), 6..14));
    }

    #[test]
    fn nothing_but_values_stands_in_it() {
        for source in ["{% if a %}", "{# a #}", "{{ a", "{{ a }", "{{ }}", "{{ | }}"] {
            assert!(Pieces::parse(source).is_err(), "{source}");
        }
    }
}
