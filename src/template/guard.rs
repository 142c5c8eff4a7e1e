//! Guards: conditions that must hold before something is shown or changed, and that fail closed.
//!
//! A guard is an [`Expression`](super::Expression) read strictly. What is null, absent or blank can be compared with nothing:
//! the comparison is neither true nor false, and neither is its negation. So a guard whose data is missing refuses, whichever
//! way round it is written. Two e-mail addresses are compared without regard to case. What would make something of nothing
//! (`default`, `if`, tests and functions of values) is refused when the guard is compiled.

use std::fmt;
use std::sync::Arc;

use minijinja::machinery::ast::{self, CallArg, Expr, Spanned};
use minijinja::{Environment, Error, State, Value};

use super::bounds;
use super::engine::{self, Code};
use super::failure::{Failed, FailedKind, Wrong, fail, unsuitable};
use super::names::Reference;
use super::operators::{concat, cut, is_list, kind};
use super::scope::Scope;
use crate::format::email;

/// A compiled guard. Cheap to clone.
#[derive(Clone)]
pub struct Guard(Arc<Code>);

impl Guard {
    /// Compiles a bare condition, such as `order.customer.email == verified.email`.
    ///
    /// # Errors
    /// The first mistake, with its place.
    pub fn compile(src: &str) -> Result<Self, Wrong> {
        engine::guard(src).map(|code| Self(Arc::new(code)))
    }

    /// Whether it holds. Anything but a plain yes is a no: null, absent, blank, false, 0 and what is empty.
    ///
    /// # Errors
    /// When it cannot be evaluated; who asks takes that for a no as well.
    pub fn holds(&self, scope: &Scope) -> Result<bool, Failed> {
        self.0.value(scope).map(|value| !is_nothing(&value) && value.is_true())
    }

    /// The names that it expects of its scope, with their places in bytes of the source as it was given.
    #[must_use]
    pub fn references(&self) -> &[Reference] {
        &self.0.references
    }

    /// The source, without leading blanks.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.source
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Guard").field(&self.0.source).finish()
    }
}

/// The filters that a guard may use, each with the name under which it gives null for null.
const FILTERS: [(&str, &str); 14] = [
    ("lower", "!lower"),
    ("upper", "!upper"),
    ("trim", "!trim"),
    ("replace", "!replace"),
    ("split", "!split"),
    ("first", "!first"),
    ("last", "!last"),
    ("length", "!length"),
    ("count", "!count"),
    ("map", "!map"),
    ("to_number", "!to_number"),
    ("e164", "!e164"),
    ("regex_find", "!regex_find"),
    ("add", "!add"),
];

/// The tests that a guard may use: those that ask just whether something is there.
const TESTS: [&str; 3] = ["none", "defined", "undefined"];

/// The name under which a guard uses a filter; none for one that it may not use.
pub(super) fn strict_filter(name: &str) -> Option<&'static str> {
    FILTERS.iter().find(|(filter, _)| *filter == name).map(|(_, strict)| *strict)
}

/// Whether a guard may use a test.
pub(super) fn may_test(name: &str) -> bool {
    TESTS.contains(&name)
}

/// Whether `map` only takes a key of every entry: with a filter's name it could make something of nothing.
pub(super) fn takes_a_key(args: &[CallArg<'_>]) -> bool {
    matches!(args, [CallArg::Kwarg("attribute", _)])
}

/// What is wrong with `default` and its like in a guard.
pub(super) fn refused(what: &str, name: &str, range: std::ops::Range<usize>) -> Wrong {
    let mut wrong = Wrong::syntax(format!("a guard takes no {what}{name}"), range);
    wrong.help = Some(
        "compare values with `==`, `!=`, `<`, `in` and their like, joined by `and` and `or`; work a value out before, with `let`"
            .to_owned(),
    );
    wrong
}

/// The operator that stands for one of the engine's in a guard.
pub(super) fn strict_operator(op: ast::BinOpKind) -> Option<&'static str> {
    Some(match op {
        ast::BinOpKind::Eq => "≡",
        ast::BinOpKind::Ne => "≢",
        ast::BinOpKind::In => "∊",
        ast::BinOpKind::Concat => "!~",
        _ => return None,
    })
}

/// `not value` in a guard.
pub(super) fn strict_not<'a>(node: &Spanned<ast::UnaryOp<'a>>, expr: Expr<'a>) -> Expr<'a> {
    Expr::Filter(Spanned::new(ast::Filter { name: "¬", expr: Some(expr), args: Vec::new() }, node.span()))
}

/// Adds what guards are made of; `filters` are those of every expression.
pub(super) fn register(environment: &mut Environment<'_>, filters: impl Iterator<Item = (&'static str, Value)>) {
    environment.add_filter("≡", |state: &mut State, a: &Value, b: &Value| same(state, a, b).map(Value::from));
    environment.add_filter("≢", |state: &mut State, a: &Value, b: &Value| {
        same(state, a, b).map(|same| Value::from(same.map(|same| !same)))
    });
    environment.add_filter("∊", |state: &mut State, value: &Value, among: &Value| among_them(state, value, among));
    environment.add_filter("¬", |value: &Value| match is_nothing(value) {
        true => Value::from(()),
        false => Value::from(!value.is_true()),
    });
    environment.add_filter("!~", |state: &mut State, a: &Value, b: &Value| match is_nothing(a) || is_nothing(b) {
        true => Ok(Value::from(())),
        false => concat(state, a, b),
    });
    environment.add_filter("![:]", |state: &mut State, value: &Value, from: &Value, to: &Value, step: &Value| {
        match is_nothing(value) {
            true => Ok(Value::from(())),
            false => cut(state, value, from, to, step),
        }
    });
    for (name, function) in filters {
        let Some(strict) = strict_filter(name) else { continue };
        environment.add_filter(
            strict,
            move |state: &mut State, args: minijinja::value::Rest<minijinja::value::ValueOrKwargs>| {
                let args = args.into_values();
                match args.iter().any(is_nothing) {
                    true => Ok(Value::from(())),
                    false => function.call(state, &args),
                }
            },
        );
    }
}

/// Whether there is nothing to compare: null, absent, or a text of blanks.
fn is_nothing(value: &Value) -> bool {
    value.is_none() || value.is_undefined() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// Whether two values are the same; neither yes nor no where one is nothing, or is of another kind.
fn same(state: &mut State, a: &Value, b: &Value) -> Result<Option<bool>, Error> {
    if is_nothing(a) || is_nothing(b) {
        return Ok(None);
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        bounds::work(state, 0, a.len().saturating_add(b.len()))?;
        return Ok(Some(a == b || same_address(a, b)));
    }
    if is_list(a) && is_list(b) {
        bounds::work(state, a.len().unwrap_or(0), 0)?;
        let (a, b): (Vec<_>, Vec<_>) = (a.try_iter()?.collect(), b.try_iter()?.collect());
        let mut all = a.len() == b.len();
        for (a, b) in a.iter().zip(&b) {
            match same(state, a, b)? {
                None => return Ok(None),
                Some(same) => all &= same,
            }
        }
        return Ok(Some(all));
    }
    if a.kind() != b.kind() {
        return Ok(None);
    }
    match a.kind() {
        minijinja::value::ValueKind::Number | minijinja::value::ValueKind::Bool => Ok(Some(a == b)),
        _ => Err(unsuitable(format!("a guard compares texts, numbers, true and false and lists of them, not {}", kind(a)))),
    }
}

/// Whether two texts are one e-mail address. Only the letters of ASCII have a case here: others that become one of them when
/// written small would make one address of two.
fn same_address(a: &str, b: &str) -> bool {
    matches!((email::read(a), email::read(b)), (Ok(a), Ok(b)) if a.eq_ignore_ascii_case(&b))
}

/// Whether a value is an entry of a list. A part of a text is not asked for: half an address is nobody's.
fn among_them(state: &mut State, value: &Value, among: &Value) -> Result<Value, Error> {
    if is_nothing(value) || is_nothing(among) {
        return Ok(Value::from(()));
    }
    if !is_list(among) {
        return Err(fail(FailedKind::Unsuitable, format!("in a guard `in` asks a list, not {}", kind(among))));
    }
    bounds::work(state, among.len().unwrap_or(0), 0)?;
    for entry in among.try_iter()? {
        if same(state, value, &entry)? == Some(true) {
            return Ok(Value::from(true));
        }
    }
    Ok(Value::from(false))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;
    use crate::template::from_json;

    fn holds(source: &str) -> bool {
        let data = json!({
            "verified": { "email": "Sarah@Example.com", "phone": null, "customer": "C-7" },
            "nobody": { "email": null, "phone": null, "customer": null },
            "none": null,
            "order": { "email": "sarah@example.COM", "phone": "+15550100", "owner": null, "empty": " ", "paid": true, "total": 5,
                "shared": ["ben@example.com", null, "SARAH@example.com"], "lines": [{ "owner": "C-7" }, { "owner": null }] },
        });
        let names: HashMap<String, Value> =
            data.as_object().unwrap().iter().map(|(name, value)| (name.clone(), from_json(value))).collect();
        let guard = Guard::compile(source).unwrap_or_else(|wrong| panic!("{source}: {wrong}"));
        guard.holds(&Scope::new(Arc::new(names))).unwrap_or(false)
    }

    #[test]
    fn what_is_the_same_is_the_same() {
        for source in [
            "order.email == verified.email",
            "verified.email in order.shared",
            "verified.customer in order.lines | map(attribute='owner')",
            "order.phone == verified.phone or order.email == verified.email",
            "verified.customer and order.paid",
            "not order.email == order.phone",
            "order.email != 'ben@example.com'",
            "order.total > 4 and order.total == 5",
            "order.phone[-4:] == '0100'",
            "order.owner is none or order.owner == verified.email",
            "order.email | lower == verified.email | lower",
            "verified.customer not in ['C-8']",
        ] {
            assert!(holds(source), "{source}");
        }
    }

    #[test]
    fn what_is_nothing_is_the_same_as_nothing() {
        for source in [
            "null == null",
            "nobody.email == order.owner",
            "nobody.email != order.owner",
            "not nobody.email == order.owner",
            "nobody.email == none",
            "none.email == order.owner",
            "missing == order.owner",
            "missing.email == nothing.email",
            "order.missing == verified.missing",
            "not order.missing",
            "not order.owner",
            "order.empty == ' '",
            "order.empty == nobody.email",
            "nobody.email in [null]",
            "nobody.email not in ['a']",
            "nobody.email in order.email",
            "'sarah' in order.email",
            "[nobody.email] == [order.owner]",
            "nobody.email ~ nobody.phone == order.owner ~ order.owner",
            "nobody.phone[-4:] == order.owner[-4:]",
            "nobody.email | lower == order.owner | lower",
            "nobody.email | length == order.owner | length",
            "nobody.email | split('@') == order.owner | split('@')",
            "order.owner < 5",
            "order.total == '5'",
            "order.total != '5'",
            "verified == verified",
            "none",
            "missing",
            "(nobody.email == order.owner) == false",
            // The Kelvin sign is a k when written small.
            "'\u{212a}im@example.com' == 'kim@example.com'",
        ] {
            assert!(!holds(source), "{source}");
        }
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        for source in [
            "a | default('x') == b | default('x')",
            "a == b if c else true",
            "not (a == b or c == d)",
            "(a or b) == c",
            "a is not true",
            "a is ne(b)",
            "a | selectattr('x', 'eq', b)",
            "a | map('default', 'x') == b",
            "a | join == b | join",
            "range(3)",
            "",
        ] {
            assert!(Guard::compile(source).is_err(), "{source}");
        }
    }
}
