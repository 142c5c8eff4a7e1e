//! Makes values of trees: answers, bodies, parameters. What a leaf becomes is for who asks.

use std::fmt;

use serde_json::{Map, Value};

use crate::plan::connector::{Each, Tree};
use crate::template::{Failed, Scope, from_json, to_json};

/// Where in a tree a value cannot be made, and why.
pub(super) struct Wrong<E> {
    pub(super) path: String,
    pub(super) why: E,
}

impl<E> Wrong<E> {
    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl<E> From<E> for Wrong<E> {
    fn from(why: E) -> Self {
        Self { path: String::new(), why }
    }
}

impl<E: fmt::Display> fmt::Display for Wrong<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.why)
    }
}

/// The value of a tree. `leaf` makes those of its ends, and is told whether null leaves the end's key out.
///
/// # Errors
/// The first place whose value cannot be made.
pub(super) fn made<L, E: From<Failed>>(
    tree: &Tree<L>,
    scope: &Scope,
    leaf: &impl Fn(&L, &Scope, bool) -> Result<Value, E>,
) -> Result<Value, Wrong<E>> {
    match tree {
        Tree::Leaf(end) => Ok(leaf(end, scope, false)?),
        Tree::List(items) => {
            items.iter().map(|item| made(item, scope, leaf)).collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        Tree::Map(entries) => {
            let mut object = Map::new();
            for entry in entries {
                let value = match &entry.value {
                    Tree::Leaf(end) => leaf(end, scope, entry.optional).map_err(Wrong::from),
                    tree => made(tree, scope, leaf),
                };
                let value = value.map_err(|wrong| wrong.within(&entry.key))?;
                if !(entry.optional && value.is_null()) {
                    object.insert(entry.key.clone(), value);
                }
            }
            Ok(Value::Object(object))
        }
        Tree::Each(each) => list(each, scope, leaf),
        Tree::Merge(parts) => {
            let mut object = Map::new();
            for part in parts {
                match made(part, scope, leaf)? {
                    Value::Null => {}
                    Value::Object(fields) => object.extend(fields),
                    _ => return Err(unfit("`$merge` joins mappings, and this is none")),
                }
            }
            Ok(Value::Object(object))
        }
    }
}

/// A list made of another one.
fn list<L, E: From<Failed>>(
    each: &Each<L>,
    scope: &Scope,
    leaf: &impl Fn(&L, &Scope, bool) -> Result<Value, E>,
) -> Result<Value, Wrong<E>> {
    let failed = |failed: Failed| Wrong::from(E::from(failed));
    let entries = match each.list.eval(scope).and_then(|list| to_json(&list)).map_err(failed)? {
        Value::Null => Vec::new(),
        Value::Array(entries) => entries,
        _ => return Err(unfit("`$each` goes through a list, and this is none")),
    };
    let mut items = Vec::new();
    for entry in &entries {
        let scope = scope.with(each.name.as_str(), from_json(entry));
        let counts = match &each.when {
            Some(when) => when.truth(&scope).map_err(failed)?,
            None => true,
        };
        if counts {
            items.push(made(&each.item, &scope, leaf)?);
        }
    }
    Ok(Value::Array(items))
}

fn unfit<E: From<Failed>>(what: &str) -> Wrong<E> {
    Wrong::from(E::from(Failed::unsuitable(what)))
}
