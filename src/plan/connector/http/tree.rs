//! Bodies, queries and forms: trees whose leaves are values, or texts in a language whose values are encoded for it.
//!
//! A leaf that mixes text and values is refused where the vendor may read it as a language; it then says which one it is.

use std::collections::BTreeSet;

use super::pieces::{Pieces, Refused};
use crate::diag::{Code, Diagnostic, Diagnostics};
use crate::plan::connector::compile::{known_names, template};
use crate::plan::reading::refused;
use crate::spec::{Kind, Node, Text};
use crate::template::Template;

/// A JSON value that is made for each request.
#[derive(Debug)]
pub enum Tree {
    /// A value.
    Leaf(Leaf),
    /// A list.
    List(Vec<Tree>),
    /// An object.
    Map(Vec<Entry>),
}

/// One key of an object.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Whether it is left out when its value is null.
    pub optional: bool,
    /// The value.
    pub value: Tree,
}

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

    /// Whether values get their own quotes, so that none may stand around a placeholder.
    const fn quotes(self) -> bool {
        matches!(self, Self::Soql | Self::Coql | Self::Jql | Self::Odata | Self::Zendesk | Self::Freshdesk | Self::Shopify)
    }
}

/// Where a leaf stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Where the vendor may read a language: a query, a form.
    Query,
    /// In JSON, where texts are texts.
    Json,
}

impl Tree {
    pub(super) fn compile(node: &Node, spot: Spot, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) => {
                if let [(key, value)] = entries.as_slice()
                    && key.name.starts_with('$')
                {
                    return encoded(&Text::of_key(key), value, names, out).map(Self::Leaf);
                }
                let parts = entries.iter().map(|(key, value)| {
                    let (name, optional) = match key.name.strip_suffix('?') {
                        Some(name) => (name, true),
                        None => (key.name.as_str(), false),
                    };
                    Some(Entry { key: name.to_owned(), optional, value: Self::compile(value, spot, names, out)? })
                });
                parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Self::Map)
            }
            Kind::List(items) => {
                let parts = items.iter().map(|item| Self::compile(item, spot, names, out));
                parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Self::List)
            }
            Kind::Text(text) => {
                let text = Text { span: node.span.clone(), value: text.clone() };
                let compiled = template(&text, names, out)?;
                if spot == Spot::Query && !compiled.is_typed() {
                    let help = "say which language it is, such as `{ $soql: … }`, so that values are encoded for it; \
                                `{ $text: … }` when it is none";
                    let message = "text and values are mixed here, and the vendor may read it as a language";
                    out.push(Diagnostic::at(Code::UnsafeText, &node.span, message).help(help));
                    return None;
                }
                Some(Self::Leaf(Leaf::Value(compiled)))
            }
            _ => Some(Self::Leaf(Leaf::Value(Template::constant(node.to_json())))),
        }
    }
}

/// A leaf of a query or a form, which have no objects.
pub(super) fn leaf(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Leaf> {
    match Tree::compile(node, Spot::Query, names, out)? {
        Tree::Leaf(leaf) => Some(leaf),
        _ => {
            out.push(
                Diagnostic::at(Code::WrongType, &node.span, "one value is needed here")
                    .help("write one value, or a list of values in `json`"),
            );
            None
        }
    }
}

fn encoded(key: &Text, value: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Leaf> {
    let Some((_, language)) = Language::ALL.iter().find(|(name, _)| *name == key.as_str()) else {
        let message = format!("there is no language `{}`", key.value);
        let known = Language::ALL.iter().map(|(name, _)| *name);
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
    let pieces = pieces(&text, names, out)?;
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

/// Parses a text with values whose names are known.
pub(super) fn pieces(text: &Text, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Pieces> {
    match Pieces::parse(text.as_str()) {
        Ok((pieces, references)) => {
            for reference in references {
                known_names(&reference, 0, text, names, out);
            }
            Some(pieces)
        }
        Err(Refused::Shape(message, range)) => {
            out.push(
                Diagnostic::at(Code::BadTemplate, &text.part(range), message)
                    .help("write values as `{{ name }}`; what is to be decided goes into an expression"),
            );
            None
        }
        Err(Refused::Wrong(mut wrong, at)) => {
            wrong.range = wrong.range.map(|range| range.start + at..range.end + at);
            out.push(refused(wrong, text));
            None
        }
    }
}
