//! Which names a source uses, and where.
//!
//! Names that the source itself introduces (loops, `set`, `with`) are not reported.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::machinery::ast::Expr;

use super::rewrite::range_of;

/// A name that a source expects from its scope, as deep as the source spells it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The name and its keys: `slots`, `order_id` for `slots.order_id` and for `slots["order_id"]`.
    pub path: Vec<String>,
    /// Where, in bytes of the source.
    pub range: Range<usize>,
    /// Whether its value may come out whole: not where it is masked, cut, or only asked about.
    pub whole: bool,
}

/// A name that a source compares with a value that is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The name and its keys.
    pub path: Vec<String>,
    /// The value.
    pub value: serde_json::Value,
    /// Where the value stands, in bytes of the source.
    pub range: Range<usize>,
}

impl Reference {
    /// The path with dots between its parts.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }
}

/// The names that a source has introduced so far, innermost block last.
pub(super) struct Introduced<'a>(Vec<HashSet<&'a str>>);

impl<'a> Introduced<'a> {
    pub(super) fn new() -> Self {
        Self(vec![HashSet::new()])
    }

    pub(super) fn enter(&mut self) {
        self.0.push(HashSet::new());
    }

    pub(super) fn leave(&mut self) {
        self.0.pop();
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.0.iter().any(|block| block.contains(name))
    }

    pub(super) fn add(&mut self, name: &'a str) {
        if let Some(block) = self.0.last_mut() {
            block.insert(name);
        }
    }

    /// The names that an assignment's left side introduces.
    pub(super) fn assign(&mut self, target: &Expr<'a>) {
        match target {
            Expr::Var(var) => self.add(var.id),
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item)),
            _ => {}
        }
    }
}

/// The path of `a.b["c"]`, when it is one from a name on.
pub(super) fn path(expr: &Expr<'_>) -> Option<Reference> {
    let mut keys = Vec::new();
    let mut at = expr;
    loop {
        match at {
            Expr::Var(var) => {
                keys.push(var.id.to_owned());
                keys.reverse();
                let range = range_of(var.span()).start..range_of(expr.span()).end;
                return Some(Reference { path: keys, range, whole: true });
            }
            Expr::GetAttr(attr) => {
                keys.push(attr.name.to_owned());
                at = &attr.expr;
            }
            Expr::GetItem(item) => match &item.subscript_expr {
                Expr::Const(key) => {
                    keys.push(key.value.as_str()?.to_owned());
                    at = &item.expr;
                }
                _ => return None,
            },
            _ => return None,
        }
    }
}
