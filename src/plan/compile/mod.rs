//! From files as written to what can run: a pure function that gathers everything that is wrong.
//!
//! Nothing here reads a file, the environment or the clock. Each submodule takes one kind of shape to its plan.

mod action;
mod assistants;
mod call;
mod connection;
mod event;
mod fallback;
mod keep;
mod names;
mod native;
mod outcomes;
mod patience;
mod project;
mod rules;
mod say;
mod settings;
mod shared;
mod slots;
mod steps;
mod testcase;
mod trust;
mod undo;
mod validation;
mod verify;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

pub use names::OFFERED;
use names::{Names, Type};
pub use native::NativeFacts;
pub use project::{Sources, compile};
pub use settings::known_formats as formats;

use super::connector::Connector;
use super::domain::Domain;
use super::reading;
use super::settings::Limits;
use super::value::Value;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::format::Format;
use crate::name::{ConnectionName, Local};
use crate::spec::action::{FormatRef, Shared};
use crate::spec::{Kind, Map, Node, Text};
use crate::template::{Expression, Reference, Template};

/// What one action is compiled against, and what is wrong with it.
struct Compiler<'a> {
    /// The project's formats; none for one that is wrong, which was said where it stands.
    formats: &'a BTreeMap<String, Option<Format>>,
    /// The currency of amounts without one, when legwork.yml sets it.
    currency: Option<String>,
    domain: Option<&'a Domain>,
    connections: &'a BTreeMap<ConnectionName, Option<std::sync::Arc<Connector>>>,
    /// The files under actions/shared; none for one that cannot be read, which was said where it stands.
    shared: &'a BTreeMap<String, Option<SharedFile>>,
    /// Those that were compiled already.
    compiled: BTreeMap<String, shared::Used>,
    /// Those that are being compiled, each used by the one before.
    using: Vec<String>,
    /// legwork.yml could not be read, so that nothing can be said of its connections and formats.
    blind: bool,
    /// How long a turn may take where an action does not say it.
    limits: Limits,
    /// The file could not be read wholly, so that a name without a value may only be the consequence.
    partial: bool,
    /// The action being compiled.
    acting: String,
    /// The names of the conversation that were asked for.
    asks: BTreeSet<String>,
    /// Those that legwork.yml asks for, in its messages and its `locale`, whichever action runs.
    always: BTreeSet<String>,
    /// What guards rely on, and what slots are set from.
    trust: trust::Trust,
    /// legwork.yml says how codes are sent.
    codes: bool,
    out: Diagnostics,
}

/// A file under actions/shared.
struct SharedFile {
    written: Shared,
    /// Whether something in it could not be read.
    partial: bool,
}

impl Compiler<'_> {
    /// A text that may hold `{{ }}`.
    fn template(&mut self, text: &Text, names: &Names) -> Option<Template> {
        let template = reading::template(text, &mut self.out)?;
        self.check_names(template.references(), text, 0, names);
        Some(template)
    }

    /// A bare expression.
    fn expression(&mut self, text: &Text, names: &Names) -> Option<Expression> {
        let (expression, offset) = reading::expression(text, &mut self.out)?;
        self.check_names(expression.references(), text, offset, names);
        Some(expression)
    }

    /// A value whose texts may hold `{{ }}`.
    fn value(&mut self, node: &Node, names: &Names) -> Option<Value> {
        match &node.kind {
            Kind::Text(value) => {
                let text = Text { span: node.span.clone(), value: value.clone() };
                self.template(&text, names).map(Value::Leaf)
            }
            Kind::List(items) => {
                let values: Vec<_> = items.iter().map(|item| self.value(item, names)).collect();
                values.into_iter().collect::<Option<_>>().map(Value::List)
            }
            Kind::Map(entries) => {
                let values: Vec<_> =
                    entries.iter().map(|(key, value)| Some((key.name.clone(), self.value(value, names)?))).collect();
                values.into_iter().collect::<Option<_>>().map(Value::Map)
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => {
                Some(Value::Leaf(Template::constant(node.to_json())))
            }
        }
    }

    fn entries(&mut self, map: &Map<Node>, names: &Names) -> Vec<(String, Value)> {
        map.iter().filter_map(|(key, node)| Some((key.value.clone(), self.value(node, names)?))).collect()
    }

    /// Holds the names that a source uses against what is known; `offset` is where the source begins in the text.
    fn check_names(&mut self, used: &[Reference], text: &Text, offset: usize, names: &Names) {
        for reference in used {
            let Some(root) = reference.path.first() else { continue };
            self.asks.insert(root.clone());
            let place = text.part(reference.range.start + offset..reference.range.end + offset);
            self.comes_from(reference, &place, names);
            if let (true, Some(slot)) = (root == "slots" && names.knows(root), reference.path.get(1)) {
                self.known_slot(slot, &place);
            } else if let Some((code, message, help)) = names.wrong(&reference.path)
                && !(self.partial && code == Code::UnknownName)
            {
                let hyphen = hyphenated(text, reference.range.start + offset);
                let diagnostic = Diagnostic::at(code, &place, message);
                self.out.push(hyphen.or(help).into_iter().fold(diagnostic, Diagnostic::help));
            }
        }
    }

    fn local(&mut self, text: &Text) -> Option<Local> {
        self.parsed(text, "a value", Local::RULE, Local::parse)
    }

    fn parsed<T>(&mut self, text: &Text, what: &str, rule: &str, parse: fn(&str) -> Option<T>) -> Option<T> {
        let parsed = parse(&text.value);
        if parsed.is_none() {
            let message = format!("`{}` cannot be the name of {what}", text.value);
            self.out.push(Diagnostic::at(Code::BadName, &text.span, message).help(format!("write {rule}")));
        }
        parsed
    }

    /// Names a value for what follows.
    fn define(&mut self, text: &Text, kind: Type, conditional: bool, names: &mut Names) -> Option<Local> {
        let local = self.local(text)?;
        names.define(text, kind, conditional, &mut self.out);
        Some(local)
    }

    fn format(&mut self, format: &FormatRef) -> Option<Format> {
        match format {
            FormatRef::Named(text) => {
                let found = match Format::parse(&text.value) {
                    Some(Format::Money { .. }) => Some(Format::Money { currency: self.currency.clone() }),
                    Some(format) => Some(format),
                    None => self.formats.get(&text.value).cloned().flatten(),
                };
                if found.is_none() && !self.blind && !self.formats.contains_key(&text.value) {
                    let known = Format::NAMES.iter().copied().chain(self.formats.keys().map(String::as_str));
                    let message = format!("there is no format `{}`", text.value);
                    self.out.push(Diagnostic::at(Code::UnknownFormat, &text.span, message).did_you_mean(&text.value, known));
                }
                found
            }
            FormatRef::Enum(choices) => settings::choices(choices, &mut self.out),
            FormatRef::Phone(text) => region(text, &mut self.out).map(|region| Format::Phone { region: Some(region) }),
        }
    }
}

/// The cure for `slots.order-id`, which an expression reads as a subtraction; `at` is where `id` begins.
fn hyphenated(text: &Text, at: usize) -> Option<String> {
    let before = text.value.get(..at)?.strip_suffix('-')?;
    let left = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|left| !left.is_empty())?;
    let right: String = text.value.get(at..)?.chars().take_while(|c| c.is_alphanumeric() || "_-".contains(*c)).collect();
    Some(format!("a slot with a hyphen is written `slots[\"{left}-{right}\"]`; a subtraction has blanks around its sign"))
}

/// Reads a country's two letters and reports what are none.
fn region(text: &Text, out: &mut Diagnostics) -> Option<String> {
    let region = text.value.trim().to_uppercase();
    let known = crate::format::phone::is_region(&region);
    if !known {
        let diagnostic = Diagnostic::at(Code::BadValue, &text.span, format!("there is no region `{}`", text.value));
        out.push(diagnostic.help("write a country's two letters, such as US or DE"));
    }
    known.then_some(region)
}

/// A secret that stands in a file, at a place that does not show it.
fn secret_written(place: Span) -> Diagnostic {
    let diagnostic = Diagnostic::at(Code::BadValue, &place, "a secret is not written into the file");
    diagnostic.help("write where it is: `${NAME}` for an environment variable, `${file:PATH}` for a file")
}
