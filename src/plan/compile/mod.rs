//! From files as written to what can run: a pure function that gathers everything that is wrong.
//!
//! Nothing here reads a file, the environment or the clock. Each submodule takes one kind of shape to its plan.

mod action;
mod call;
mod names;
mod project;
mod say;
mod settings;
mod shared;
mod steps;
mod testcase;
mod validation;

use std::collections::{BTreeMap, BTreeSet};

pub use names::OFFERED;
use names::{Names, Type};
pub use project::{Sources, compile};

use super::connector::Connector;
use super::domain::Domain;
use super::value::Value;
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::format::Format;
use crate::name::{ConnectionName, Local, SlotName};
use crate::spec::action::{FormatRef, Shared};
use crate::spec::{Kind, Map, Node, Text};
use crate::template::{Expression, Reference, Template, Wrong, WrongKind};

/// What one action is compiled against, and what is wrong with it.
struct Compiler<'a> {
    formats: &'a BTreeMap<String, Format>,
    /// The currency of amounts without one, when legwork.yml sets it.
    currency: Option<String>,
    domain: Option<&'a Domain>,
    connections: &'a BTreeMap<ConnectionName, Option<std::sync::Arc<Connector>>>,
    /// The shared files, and whether something in one could not be read.
    shared: &'a BTreeMap<String, (Shared, bool)>,
    /// Those that were compiled already.
    compiled: BTreeMap<String, shared::Used>,
    /// Those that are being compiled, each used by the one before.
    using: Vec<String>,
    /// Connections could not be read, so that nothing can be said of calls.
    blind: bool,
    /// The file could not be read wholly, so that a name without a value may only be the consequence.
    partial: bool,
    /// The action being compiled.
    acting: String,
    /// The names of the conversation that were asked for.
    asks: BTreeSet<String>,
    /// Those that legwork.yml asks for, in its messages and its `locale`, whichever action runs.
    always: BTreeSet<String>,
    out: Diagnostics,
}

impl Compiler<'_> {
    fn say_wrong(&mut self, text: &Text, wrong: Wrong) {
        let span = wrong.range.map_or_else(|| text.span.clone(), |range| text.part(range));
        let (code, similar) = match wrong.kind {
            WrongKind::Syntax => (Code::BadTemplate, None),
            WrongKind::UnknownFilter { similar, .. }
            | WrongKind::UnknownFunction { similar, .. }
            | WrongKind::UnknownTest { similar, .. } => (Code::UnknownFilter, similar),
        };
        let diagnostic = Diagnostic::at(code, &span, wrong.message);
        self.out.push(match similar {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
    }

    /// A text that may hold `{{ }}`.
    fn template(&mut self, text: &Text, names: &Names) -> Option<Template> {
        match Template::compile(&text.value) {
            Ok(template) => {
                self.check_names(template.references(), text, 0, names);
                Some(template)
            }
            Err(wrong) => {
                self.say_wrong(text, wrong);
                None
            }
        }
    }

    /// A bare expression. One in `{{ }}` is meant the same.
    fn expression(&mut self, text: &Text, names: &Names) -> Option<Expression> {
        let trimmed = text.value.trim();
        let bare = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(trimmed).trim();
        let offset = text.value.find(bare).unwrap_or_default();
        match Expression::compile(bare) {
            Ok(expression) => {
                self.check_names(expression.references(), text, offset, names);
                Some(expression)
            }
            Err(mut wrong) => {
                wrong.range = wrong.range.map(|range| range.start + offset..range.end + offset);
                self.say_wrong(text, wrong);
                None
            }
        }
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
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Float(_) => Some(Value::Leaf(Template::constant(node.to_json()))),
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
            if let (true, Some(slot)) = (root == "slots", reference.path.get(1)) {
                self.known_slot(slot, &place);
            } else if let Some((code, message, help)) = names.wrong(&reference.path)
                && !(self.partial && code == Code::UnknownName)
            {
                let diagnostic = Diagnostic::at(code, &place, message);
                self.out.push(help.into_iter().fold(diagnostic, Diagnostic::help));
            }
        }
    }

    /// Reports a slot that the domain does not have; without a domain there is nothing to hold it against.
    fn known_slot(&mut self, name: &str, place: &Span) {
        if let Some(domain) = self.domain
            && !domain.has_slot(name)
        {
            let diagnostic = Diagnostic::at(Code::UnknownSlot, place, format!("the domain has no slot `{name}`"));
            self.out.push(diagnostic.did_you_mean(name, domain.rasa.slots.keys().map(String::as_str)));
        }
    }

    fn slot_name(&mut self, text: &Text) -> Option<SlotName> {
        self.known_slot(&text.value, &text.span);
        self.parsed(text, "a slot", SlotName::RULE, SlotName::parse)
    }

    fn local(&mut self, text: &Text) -> Option<Local> {
        self.parsed(text, "a name for expressions", Local::RULE, Local::parse)
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
                    None => self.formats.get(&text.value).cloned(),
                };
                if found.is_none() {
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

    fn duration(&mut self, text: &Text) -> Option<std::time::Duration> {
        duration(text, &mut self.out)
    }
}

/// Reads a duration and reports what is wrong with it.
fn duration(text: &Text, out: &mut Diagnostics) -> Option<std::time::Duration> {
    match crate::time::duration(&text.value) {
        Ok(duration) => Some(duration),
        Err(wrong) => {
            out.push(Diagnostic::at(Code::BadValue, &text.span, wrong));
            None
        }
    }
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
