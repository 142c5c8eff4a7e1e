//! How an operation's answer is made of its results: a tree of templates, checked against the model that it promises.

use std::collections::BTreeSet;

use super::compile::template;
use super::tree::{EACH, MERGE, Tree, item_of, key_of};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::model::{Kind as FieldKind, Model};
use crate::spec::yaml::{Kind, Node};
use crate::template::Template;

/// A value made of templates: an answer, or what `let` names.
pub type Answer = Tree<Template>;

/// Compiles `node`, whose templates may use `names`.
pub(super) fn compile(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Answer> {
    Tree::compile(node, names, leaf, out)
}

fn leaf(node: &Node, names: &BTreeSet<&str>, out: &mut Diagnostics) -> Option<Template> {
    match &node.kind {
        Kind::Text(text) => {
            let text = crate::spec::Text { span: node.span.clone(), value: text.clone() };
            template(&text, names, out)
        }
        Kind::Map(entries) => {
            let (key, _) = entries.first()?;
            let diagnostic = Diagnostic::at(Code::BadValue, &key.span, format!("there is no word `{}` here", key.name));
            out.push(diagnostic.did_you_mean(&key.name, [EACH, MERGE]).help("a language belongs into a request"));
            None
        }
        _ => Some(Template::constant(node.to_json())),
    }
}

/// Reports where a mapping can never fit the model, as far as it is written out.
pub(super) fn check_model(node: &Node, model: &'static Model, out: &mut Diagnostics) {
    let node = &item_of(node);
    if let Some(Node { kind: Kind::List(parts), .. }) = node.get(MERGE) {
        // What an expression joins to it is not known here, so nothing can be said to be missing.
        parts.iter().for_each(|part| check_fields(part, model, out));
        return;
    }
    let Kind::Map(entries) = &node.kind else { return };
    check_fields(node, model, out);
    let given = |name: &str| entries.iter().any(|(key, _)| key_of(&key.name).0 == name);
    let missing: Vec<_> =
        model.fields.iter().filter(|field| field.required && !given(field.name)).map(|field| field.name).collect();
    if !missing.is_empty() {
        let message = format!("every {} has `{}`, which this answer lacks", model.name, missing.join("`, `"));
        out.push(Diagnostic::at(Code::MissingKey, &node.span, message).help("add what is missing, made of the results"));
    }
}

/// Reports the fields that a model does not have, or has in another form.
fn check_fields(node: &Node, model: &'static Model, out: &mut Diagnostics) {
    for (key, value) in node.entries() {
        let name = key_of(&key.name).0;
        let Some(field) = model.field(name) else {
            let message = format!("{} has no field `{name}`", model.name);
            let known = model.fields.iter().map(|field| field.name);
            out.push(Diagnostic::at(Code::UnknownField, &key.span, message).did_you_mean(name, known));
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
            (Kind::Map(_) | Kind::List(_), kind) => misfit(&value.span, name, kind, out),
            (Kind::Null, _) if field.required => misfit(&value.span, name, field.kind, out),
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
}

fn misfit(span: &Span, field: &str, kind: FieldKind, out: &mut Diagnostics) {
    let diagnostic = Diagnostic::at(Code::WrongType, span, format!("`{field}` should be {}", kind.expected()));
    out.push(diagnostic.help("every system answers a model's field in the same form"));
}
