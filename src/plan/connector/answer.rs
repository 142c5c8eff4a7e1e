//! How an operation's answer is made of its results: a tree of templates, checked against the model that it promises.

use std::collections::BTreeSet;

use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::model::{Kind as FieldKind, Model};
use crate::name::Local;
use crate::spec::Text;
use crate::spec::yaml::{Key, Kind, Node};
use crate::template::{Expression, Template};

use super::compile::{expression, template};

/// The answer, made of templates.
#[derive(Debug)]
pub enum Answer {
    /// A value.
    Value(Template),
    /// An object.
    Object(Vec<(String, Answer)>),
    /// A list.
    List(Vec<Answer>),
    /// A list made of another one, entry by entry.
    Each(Box<Each>),
}

/// A list made of another one: `{ $each: order.lines, $as: line, name: "{{ line.title }}" }`.
#[derive(Debug)]
pub struct Each {
    /// The other one; null is none.
    pub list: Expression,
    /// The name of its entry.
    pub name: Local,
    /// Which entries count.
    pub when: Option<Expression>,
    /// What is made of an entry.
    pub item: Answer,
}

/// The keys that make a mapping a list.
const EACH: &str = "$each";
const AS: &str = "$as";
const WHEN: &str = "$when";

impl Answer {
    /// Compiles `node`, whose templates may use `names`.
    pub(super) fn compile(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) if node.get(EACH).is_some() => {
                each(node, entries, names, out).map(|it| Self::Each(Box::new(it)))
            }
            Kind::Map(entries) => {
                let parts = entries.iter().map(|(key, value)| Some((key.name.clone(), Self::compile(value, names, out)?)));
                parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Self::Object)
            }
            Kind::List(items) => {
                let parts = items.iter().map(|item| Self::compile(item, names, out));
                parts.collect::<Vec<_>>().into_iter().collect::<Option<_>>().map(Self::List)
            }
            Kind::Text(text) => {
                let text = crate::spec::Text { span: node.span.clone(), value: text.clone() };
                template(&text, names, out).map(Self::Value)
            }
            _ => Some(Self::Value(Template::constant(node.to_json()))),
        }
    }
}

fn each(node: &Node, entries: &[(Key, Node)], names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Each> {
    let text = |key: &str| {
        let node = node.get(key)?;
        node.scalar_text().map(|value| Text { span: node.span.clone(), value })
    };
    let list = text(EACH).and_then(|text| expression(&text, names, out));
    let named = text(AS);
    let name = named.as_ref().map_or("item", Text::as_str);
    let Some(local) = Local::parse(name).filter(|_| !names.contains(name)) else {
        let span = named.as_ref().map_or(&node.span, |text| &text.span);
        let message = format!("`{name}` cannot be the name of an entry: it has a value already, or is no name");
        out.push(Diagnostic::at(Code::BadName, span, message).help(format!("choose another with `{AS}`")));
        return None;
    };
    let inner: BTreeSet<&str> = names.iter().copied().chain([name]).collect();
    let when = text(WHEN).map(|text| expression(&text, &inner, out));
    let fields = entries.iter().filter(|(key, _)| ![EACH, AS, WHEN].contains(&key.name.as_str())).cloned().collect();
    let item = Answer::compile(&Node { span: node.span.clone(), kind: Kind::Map(fields) }, &inner, out);
    Some(Each { list: list?, name: local, when: when.map_or(Some(None), |it| it.map(Some))?, item: item? })
}

/// Reports where a mapping can never fit the model, as far as it is written out.
pub(super) fn check_model(node: &Node, model: &'static Model, out: &mut Diagnostics) {
    let Kind::Map(entries) = &node.kind else { return };
    for (key, value) in entries.iter().filter(|(key, _)| ![EACH, AS, WHEN].contains(&key.name.as_str())) {
        let Some(field) = model.field(&key.name) else {
            let message = format!("{} has no field `{}`", model.name, key.name);
            let known = model.fields.iter().map(|field| field.name);
            out.push(Diagnostic::at(Code::UnknownField, &key.span, message).did_you_mean(&key.name, known));
            continue;
        };
        match (&value.kind, field.kind) {
            (Kind::Map(_), FieldKind::Many(inner)) if value.get(EACH).is_some() => check_model(value, inner, out),
            (Kind::Map(_), FieldKind::One(_) | FieldKind::Money) => {
                if let Some(inner) = field.inner() {
                    check_model(value, inner, out);
                }
            }
            (Kind::List(items), FieldKind::Many(inner)) => items.iter().for_each(|item| check_model(item, inner, out)),
            (Kind::Map(_) | Kind::List(_), kind) => misfit(&value.span, &key.name, kind, out),
            (Kind::Null, _) if field.required => misfit(&value.span, &key.name, field.kind, out),
            (Kind::Text(text), FieldKind::Code(codes))
                if !text.contains("{{") && !text.contains("{%") && codes.codes.iter().all(|code| code.code != text) =>
            {
                let message = format!("{} has no code `{text}`", codes.name);
                let known = codes.codes.iter().map(|code| code.code);
                out.push(Diagnostic::at(Code::BadValue, &value.span, message).did_you_mean(text, known));
            }
            _ => {}
        }
    }
    let given = |name: &str| entries.iter().any(|(key, _)| key.name == name);
    let missing: Vec<_> =
        model.fields.iter().filter(|field| field.required && !given(field.name)).map(|field| field.name).collect();
    if !missing.is_empty() {
        let message = format!("every {} has `{}`, which this answer lacks", model.name, missing.join("`, `"));
        out.push(Diagnostic::at(Code::MissingKey, &node.span, message).help("add what is missing, made of the results"));
    }
}

fn misfit(span: &Span, field: &str, kind: FieldKind, out: &mut Diagnostics) {
    let diagnostic = Diagnostic::at(Code::WrongType, span, format!("`{field}` should be {}", kind.expected()));
    out.push(diagnostic.help("every system answers a model's field in the same form"));
}
