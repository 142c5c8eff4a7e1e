//! Bodies, queries and forms: the leaves of their trees are values, or texts in a language whose values are encoded for it.
//!
//! A leaf that mixes text and values is refused where the vendor may read it as a language; it then says which one it is.

use std::collections::BTreeSet;

use super::pieces::{Marks, Pieces, Refused};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::plan::connector::compile::{known_names, template};
use crate::plan::connector::tree::{EACH, MERGE, Tree, is_word, item_of};
use crate::plan::reading::refused;
use crate::spec::{Key, Kind, Map, Node, Text};
use crate::template::Template;

/// A value at the end of a tree.
#[derive(Debug)]
pub enum Leaf {
    /// A value as it is.
    Value(Template),
    /// A text in a language.
    Encoded(Language, Pieces),
}

macro_rules! languages {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// The languages that texts of a request can be in; each writes the values in them in its own way.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Language { $($(#[$doc])* $variant,)* }

        impl Language {
            /// Each with its key in files.
            pub const ALL: &'static [(&'static str, Self)] = &[$(($name, Self::$variant),)*];
        }
    };
}

languages! {
    /// Salesforce's query language.
    Soql = "$soql";
    /// Zoho's query language.
    Coql = "$coql";
    /// Jira's query language.
    Jql = "$jql";
    /// OData, as in `$filter`.
    Odata = "$odata";
    /// Zendesk's search.
    Zendesk = "$zendesk";
    /// Freshdesk's search.
    Freshdesk = "$freshdesk";
    /// ServiceNow's encoded queries.
    ServiceNow = "$servicenow";
    /// Shopify's search.
    Shopify = "$shopify";
    /// A pattern of SQL's `like`.
    Like = "$like";
    /// HTML.
    Html = "$html";
    /// A document of Jira's editor; its text is plain.
    Adf = "$adf";
    /// Text that is no language at all.
    Plain = "$text";
}

impl Language {
    /// The key in files.
    #[must_use]
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(_, language)| *language == self).map_or("", |(key, _)| key)
    }

    /// Whether it is a query, which has names of fields in it.
    const fn queries(self) -> bool {
        self.quotes() || matches!(self, Self::ServiceNow)
    }

    /// Whether values get their own quotes, so that none may stand around a placeholder.
    const fn quotes(self) -> bool {
        matches!(self, Self::Soql | Self::Coql | Self::Jql | Self::Odata | Self::Zendesk | Self::Freshdesk | Self::Shopify)
    }
}

/// A body in JSON, where texts are texts.
pub(super) fn json(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Tree<Leaf>> {
    Tree::compile(node, names, value, out)
}

/// The variables of a GraphQL query, which the vendor may read as a language.
pub(super) fn variables(
    written: &Map<Node>,
    place: &Span,
    names: &BTreeSet<&str>,
    out: &mut Diagnostics,
) -> Option<Tree<Leaf>> {
    Tree::object(&mapping(written, place), names, guarded, true, out)
}

/// The parameters of a query or the fields of a form: names with one value or a list of values.
pub(super) fn fields(
    written: &Map<Node>,
    place: &Span,
    names: &BTreeSet<&str>,
    out: &mut Diagnostics,
) -> Option<Tree<Leaf>> {
    let node = mapping(written, place);
    let before = out.len();
    flat(&node, out);
    let tree = Tree::object(&node, names, guarded, false, out)?;
    (out.len() == before).then_some(tree)
}

fn mapping(written: &Map<Node>, place: &Span) -> Node {
    let entry = |(name, node): (&Text, &Node)| (Key { span: name.span.clone(), name: name.value.clone() }, node.clone());
    Node { span: place.clone(), kind: Kind::Map(written.iter().map(entry).collect()) }
}

/// Reports what has objects where only values and lists of them can stand.
fn flat(node: &Node, out: &mut Diagnostics) {
    if let Some(Node { kind: Kind::List(parts), .. }) = node.get(MERGE) {
        parts.iter().filter(|part| part.get(EACH).is_none()).for_each(|part| flat(part, out));
        return;
    }
    let one = |node: &Node| match &node.kind {
        Kind::Map(entries) => is_word(entries) && node.get(MERGE).is_none(),
        Kind::List(_) => false,
        _ => true,
    };
    let several = |node: &Node| match &node.kind {
        Kind::List(items) => items.iter().all(one),
        _ => node.get(EACH).is_some() && one(&item_of(node)),
    };
    for (_, value) in node.entries().iter().filter(|(_, value)| !one(value) && !several(value)) {
        out.push(
            Diagnostic::at(Code::WrongType, &value.span, "one value is needed here, or a list of values")
                .help("objects have their place in `json`"),
        );
    }
}

/// A value in JSON.
fn value(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Leaf> {
    match &node.kind {
        Kind::Map(entries) => {
            let (key, value) = entries.first()?;
            encoded(&Text::of_key(key), value, names, out)
        }
        Kind::Text(text) if text.contains("| identifier") => {
            let message = "the name of a field stands in a text of a query language, and this is none";
            out.push(
                Diagnostic::at(Code::BadTemplate, &node.span, message).help("say which language it is: `{ $soql: … }`"),
            );
            None
        }
        Kind::Text(text) => {
            let text = Text { span: node.span.clone(), value: text.clone() };
            template(&text, names, out).map(Leaf::Value)
        }
        _ => Some(Leaf::Value(Template::constant(node.to_json()))),
    }
}

/// A value where the vendor may read a language: text and values do not mix without it being said which one.
fn guarded(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Leaf> {
    let leaf = value(node, names, out)?;
    if let Leaf::Value(template) = &leaf
        && !template.is_typed()
    {
        let help = "say which language it is, such as `{ $soql: … }`, so that values are encoded for it; \
                    `{ $text: … }` when it is none";
        let message = "text and values are mixed here, and the vendor may read it as a language";
        out.push(Diagnostic::at(Code::UnsafeText, &node.span, message).help(help));
        return None;
    }
    Some(leaf)
}

fn encoded(key: &Text, value: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Leaf> {
    let Some((_, language)) = Language::ALL.iter().find(|(name, _)| *name == key.as_str()) else {
        let message = format!("there is no language `{}`", key.value);
        let known = Language::ALL.iter().map(|(name, _)| *name).chain([EACH, MERGE]);
        out.push(Diagnostic::at(Code::BadValue, &key.span, message).did_you_mean(key.as_str(), known));
        return None;
    };
    let Some(source) = value.scalar_text() else {
        out.push(
            Diagnostic::at(Code::WrongType, &value.span, format!("a text is needed here, not {}", value.what()))
                .help("write the text in quotes, with its values in {{ }}"),
        );
        return None;
    };
    let text = Text { span: value.span.clone(), value: source };
    let pieces = parsed(&text, Marks::Language, names, out)?;
    if !language.queries() && pieces.names().next().is_some() {
        let message = format!("a text in `{}` has no names of fields", language.key());
        out.push(Diagnostic::at(Code::BadTemplate, &value.span, message).help("take `| identifier` out"));
        return None;
    }
    let quoted = |(before, after): (&str, &str)| before.ends_with(['\'', '"']) || after.starts_with(['\'', '"']);
    if language.quotes() && pieces.around().any(quoted) {
        let message = "a value gets its own quotes here, and has some already";
        out.push(Diagnostic::at(Code::UnsafeText, &value.span, message).help("take the quotes around {{ }} out"));
        return None;
    }
    if *language == Language::Adf && !pieces.is_one_value() {
        out.push(
            Diagnostic::at(Code::BadValue, &value.span, "a document is made of one value")
                .help("write `{ $adf: \"{{ name }}\" }`"),
        );
        return None;
    }
    Some(Leaf::Encoded(*language, pieces))
}

/// Parses a text with values whose names are known: a path, or XML.
pub(super) fn pieces(text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Pieces> {
    parsed(text, Marks::None, names, out)
}

fn parsed(text: &Text, marks: Marks, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Pieces> {
    match Pieces::parse(text.as_str(), marks) {
        Ok((pieces, references)) => {
            for reference in references {
                known_names(&reference, 0, text, names, out);
            }
            Some(pieces)
        }
        Err(Refused::Shape(message, help, range)) => {
            out.push(Diagnostic::at(Code::BadTemplate, &text.part(range), message).help(help));
            None
        }
        Err(Refused::Wrong(mut wrong, at)) => {
            wrong.range = wrong.range.map(|range| range.start + at..range.end + at);
            out.push(refused(wrong, text));
            None
        }
    }
}
