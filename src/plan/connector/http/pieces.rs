//! Text with values in it that are kept apart from it: paths, and texts in a query language.
//!
//! What is text, what is a value and what is a name is decided when the file is read. In a text of a language, a part in
//! `[[ ]]` stands only when its values are there, and `{{ settings.field | identifier }}` is a name.

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
    /// The name of a field or an object, which settings give.
    Name(Expression),
    /// `[[ … ]]`: stands only when every value in it is there. None stands in another.
    Optional(Vec<Part>),
}

/// What is wrong with such a text.
#[derive(Debug)]
pub(super) enum Refused {
    /// A placeholder does not compile; its place in the text is added to the mistake's.
    Wrong(Wrong, usize),
    /// Something else than a placeholder stands in it, and what to do.
    Shape(&'static str, &'static str, Range<usize>),
}

/// What may stand in a text beside values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    /// Nothing: a path, or XML.
    None,
    /// Parts in `[[ ]]` and names of settings: a text in a language.
    Language,
}

const VALUES: &str = "write values as `{{ name }}`; what is to be decided goes into an expression";
/// What makes a name of a placeholder.
const NAME: &str = "identifier";

impl Pieces {
    /// Parses a text. References are in bytes of `source`.
    pub(super) fn parse(source: &str, marks: Marks) -> Result<(Self, Vec<Reference>), Refused> {
        let mut scanner = Scanner { source, marks, parts: Vec::new(), optional: None, names: Vec::new() };
        scanner.run()?;
        Ok((Self(scanner.parts), scanner.names))
    }

    /// Whether it is one value and nothing else.
    #[must_use]
    pub fn is_one_value(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Value(_)])
    }

    /// Whether something stands in it that is made anew for each request.
    #[must_use]
    pub fn has_values(&self) -> bool {
        self.0.iter().any(|part| !matches!(part, Part::Text(_)))
    }

    /// The expressions of its names.
    pub fn names(&self) -> impl Iterator<Item = &Expression> {
        self.flat().filter_map(|part| match part {
            Part::Name(name) => Some(name),
            _ => None,
        })
    }

    /// The text before and after each value, optional parts standing.
    pub(super) fn around(&self) -> impl Iterator<Item = (&str, &str)> {
        let parts: Vec<&Part> = self.flat().collect();
        let text = |at: Option<usize>| match at.and_then(|at| parts.get(at)) {
            Some(Part::Text(text)) => text.as_str(),
            _ => "",
        };
        let values = parts.iter().enumerate().filter(|(_, part)| matches!(part, Part::Value(_)));
        values.map(|(at, _)| (text(at.checked_sub(1)), text(Some(at + 1)))).collect::<Vec<_>>().into_iter()
    }

    fn flat(&self) -> impl Iterator<Item = &Part> {
        self.0.iter().flat_map(|part| match part {
            Part::Optional(inner) => inner.as_slice(),
            other => std::slice::from_ref(other),
        })
    }
}

struct Scanner<'a> {
    source: &'a str,
    marks: Marks,
    parts: Vec<Part>,
    /// Where an open `[[` stands, and what it holds so far.
    optional: Option<(usize, Vec<Part>)>,
    names: Vec<Reference>,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Refused> {
        let mut at = 0;
        while let Some(found) = self.source[at..].find(['{', '[', ']']).map(|found| at + found) {
            self.text(at..found);
            at = match self.source.get(found..found + 2) {
                Some("{{") => self.placeholder(found)?,
                Some("{%" | "{#") => {
                    return Err(Refused::Shape("only values in {{ }} can stand here", VALUES, found..found + 2));
                }
                Some("[[") if self.marks == Marks::Language => self.open(found)?,
                Some("]]") if self.marks == Marks::Language => self.close(found)?,
                _ => {
                    self.text(found..found + 1);
                    found + 1
                }
            };
        }
        self.text(at..self.source.len());
        match self.optional {
            Some((open, _)) => {
                Err(Refused::Shape("this `[[` is not closed", "close the optional part with `]]`", open..open + 2))
            }
            None => Ok(()),
        }
    }

    /// Takes the placeholder that opens at `open`, and gives where it ends.
    fn placeholder(&mut self, open: usize) -> Result<usize, Refused> {
        let inner = open + 2;
        let rest = &self.source[inner..];
        let close = closing(rest).ok_or(Refused::Shape("this {{ is not closed", VALUES, open..inner))? + inner;
        let source = &self.source[inner..close];
        let name = if self.marks == Marks::Language { name_of(source) } else { None };
        let expression = Expression::compile(name.unwrap_or(source)).map_err(|wrong| Refused::Wrong(wrong, inner))?;
        let moved = |it: &Reference| Reference { range: it.range.start + inner..it.range.end + inner, ..it.clone() };
        let references: Vec<_> = expression.references().iter().map(moved).collect();
        if name.is_some()
            && let Some(other) = references.iter().find(|it| it.path.first().is_none_or(|root| root != "settings"))
        {
            let help = "make it one of the connector's `settings`; what a user says is a value";
            return Err(Refused::Shape(
                "the name of a field or an object comes from settings only",
                help,
                other.range.clone(),
            ));
        }
        self.names.extend(references);
        let part = if name.is_some() { Part::Name(expression) } else { Part::Value(expression) };
        self.into().push(part);
        Ok(close + 2)
    }

    fn open(&mut self, at: usize) -> Result<usize, Refused> {
        if self.optional.is_some() {
            let help = "close the first with `]]`";
            return Err(Refused::Shape("optional parts cannot stand in one another", help, at..at + 2));
        }
        self.optional = Some((at, Vec::new()));
        Ok(at + 2)
    }

    fn close(&mut self, at: usize) -> Result<usize, Refused> {
        let Some((open, inner)) = self.optional.take() else {
            let help = "open the optional part with `[[`";
            return Err(Refused::Shape("this `]]` closes nothing", help, at..at + 2));
        };
        if inner.iter().all(|part| matches!(part, Part::Text(_))) {
            let help = "a part is optional by a value: `[[ and email = {{ email }} ]]`";
            return Err(Refused::Shape("nothing decides whether this part stands", help, open..at + 2));
        }
        self.parts.push(Part::Optional(inner));
        Ok(at + 2)
    }

    fn text(&mut self, range: Range<usize>) {
        let text = &self.source[range];
        if text.is_empty() {
            return;
        }
        match self.into().last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => {
                let text = Part::Text(text.to_owned());
                self.into().push(text);
            }
        }
    }

    fn into(&mut self) -> &mut Vec<Part> {
        match &mut self.optional {
            Some((_, inner)) => inner,
            None => &mut self.parts,
        }
    }
}

/// What stands before `| identifier`.
fn name_of(source: &str) -> Option<&str> {
    source.trim_end().strip_suffix(NAME)?.trim_end().strip_suffix('|')
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
        let (pieces, _) = Pieces::parse(source, Marks::Language).unwrap();
        pieces.0.iter().map(written).collect()
    }

    fn written(part: &Part) -> String {
        match part {
            Part::Text(text) => text.clone(),
            Part::Value(value) => format!("<{}>", value.source().trim()),
            Part::Name(name) => format!("<!{}>", name.source().trim()),
            Part::Optional(inner) => format!("[{}]", inner.iter().map(written).collect::<String>()),
        }
    }

    #[test]
    fn values_are_apart_from_the_text() {
        assert_eq!(shown("/a/{{ b }}/c({{ d['}}'] }})"), ["/a/", "<b>", "/c(", "<d['}}']>", ")"]);
        assert_eq!(shown("{ a } {{ {'b': {'c': 1}}.b.c }}"), ["{ a } ", "<{'b': {'c': 1}}.b.c>"]);
        assert_eq!(shown(""), Vec::<String>::new());
        let (pieces, names) = Pieces::parse("é {{ order.id }}", Marks::None).unwrap();
        assert!(!pieces.is_one_value() && pieces.has_values());
        assert_eq!((names[0].dotted(), names[0].range.clone()), ("order.id".to_owned(), 6..14));
    }

    #[test]
    fn nothing_but_values_stands_in_it() {
        for source in ["{% if a %}", "{# a #}", "{{ a", "{{ a }", "{{ }}", "{{ | }}"] {
            assert!(Pieces::parse(source, Marks::Language).is_err(), "{source}");
        }
    }

    #[test]
    fn a_part_may_depend_on_its_values_and_a_name_comes_from_settings() {
        assert_eq!(shown("a = {{ a }}[[ and b = {{ b }}]] x"), ["a = ", "<a>", "[ and b = <b>]", " x"]);
        assert_eq!(shown("{{ settings.field | identifier }} = {{ a }}"), ["<!settings.field>", " = ", "<a>"]);
        assert_eq!(shown("a[0] ]"), ["a[0] ]"]);
        let (plain, _) = Pieces::parse("/a[[b]]/{{ c }}", Marks::None).unwrap();
        assert_eq!(written(&plain.0[0]), "/a[[b]]/", "a path has no optional parts");
        let (pieces, _) = Pieces::parse("'[[{{ a }}]]'", Marks::Language).unwrap();
        assert_eq!(pieces.around().collect::<Vec<_>>(), [("'", "'")]);
        for (source, says, at) in [
            ("[[ and 1 = 1 ]]", "nothing decides", 0),
            ("x ]]", "closes nothing", 2),
            ("x [[ {{ a }}", "not closed", 2),
            ("[[ {{ a }} [[ {{ b }} ]] ]]", "in one another", 11),
            ("{{ email | identifier }} = 1", "settings only", 3),
            ("{{ settings.a ~ email | identifier }}", "settings only", 16),
        ] {
            match Pieces::parse(source, Marks::Language).unwrap_err() {
                Refused::Shape(message, _, range) => {
                    assert!(message.contains(says) && range.start == at, "{source}: {message} at {range:?}");
                }
                other => panic!("{source}: {other:?}"),
            }
        }
        assert!(Pieces::parse("/{{ settings.a | identifier }}", Marks::None).is_err());
    }

    #[test]
    fn any_text_is_parsed_without_a_panic() {
        let mut rng = fastrand::Rng::with_seed(7);
        let parts = ["{{", "}}", "[[", "]]", "[", "]", "{", "}", " a ", "ä", "|", "identifier", "'", "{%", "\\"];
        for _ in 0..20_000 {
            let source: String = (0..rng.usize(0..12)).map(|_| parts[rng.usize(0..parts.len())]).collect();
            let _ = Pieces::parse(&source, Marks::Language);
        }
    }
}
