//! Makes an operation's answer of its results, and holds it against the model.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::results::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Answer, Each, Operation};
use crate::template::{Failed, Scope, from_json, to_json};

/// The answer.
///
/// # Errors
/// `unexpected` when a template fails or the answer does not fit the model: wrong data is worse than none.
pub(super) fn reply(operation: &Operation, mut results: Results) -> Result<Value, Fault> {
    let done = std::mem::take(&mut results.done);
    fitted(operation, results).map_err(|fault| fault.after(done))
}

fn fitted(operation: &Operation, results: Results) -> Result<Value, Fault> {
    let wrong = |it: &Wrong| Fault::new(Outcome::Unexpected, format!("the answer of {}: {it}", operation.name));
    let answer = match &operation.answer {
        None => results.last,
        Some(answer @ Answer::Object(_)) if operation.many => {
            each(answer, &results).map_err(|it| wrong(&it))?.ok_or_else(|| {
                let text = format!("the last step of {} gives no list to answer with", operation.name);
                Fault::new(Outcome::Unexpected, text)
            })?
        }
        Some(answer) => made(answer, &results.scope()).map_err(|it| wrong(&it))?,
    };
    let Some(model) = operation.model else { return Ok(answer) };
    let fitted = if operation.many { model.conform_many(&answer) } else { model.conform(&answer) };
    fitted.map_err(|misfit| {
        Fault::new(Outcome::Unexpected, format!("the answer of {} does not fit {}: {misfit}", operation.name, model.name))
    })
}

/// Where in an answer a template fails.
struct Wrong {
    path: String,
    failed: Failed,
}

impl Wrong {
    fn within(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
}

impl From<Failed> for Wrong {
    fn from(failed: Failed) -> Self {
        Self { path: String::new(), failed }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}", self.failed)
    }
}

/// The answer made of each row of the last result; none when that is no list.
fn each(answer: &Answer, results: &Results) -> Result<Option<Value>, Wrong> {
    let Value::Array(rows) = &results.last else { return Ok(None) };
    let scope = results.scope();
    let made = rows.iter().map(|row| made(answer, &scope.with(Arc::from("row"), from_json(row))));
    made.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
}

fn made(answer: &Answer, scope: &Scope) -> Result<Value, Wrong> {
    match answer {
        Answer::Value(template) => Ok(to_json(&template.eval(scope)?)?),
        Answer::List(items) => items.iter().map(|item| made(item, scope)).collect::<Result<Vec<_>, _>>().map(Value::Array),
        Answer::Object(fields) => {
            let field = |(name, field): &(String, Answer)| {
                Ok((name.clone(), made(field, scope).map_err(|wrong| wrong.within(name))?))
            };
            fields.iter().map(field).collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        Answer::Each(each) => list(each, scope),
    }
}

/// A list made of another one. What is no list fails as an absent value does.
fn list(each: &Each, scope: &Scope) -> Result<Value, Wrong> {
    let entries = each.list.eval(scope)?;
    if entries.is_none() {
        return Ok(Value::Array(Vec::new()));
    }
    let Value::Array(entries) = to_json(&entries)? else {
        return Ok(Value::Null);
    };
    let mut items = Vec::new();
    for entry in &entries {
        let scope = scope.with(each.name.as_str(), from_json(entry));
        let counts = match &each.when {
            Some(when) => when.truth(&scope)?,
            None => true,
        };
        if counts {
            items.push(made(&each.item, &scope)?);
        }
    }
    Ok(Value::Array(items))
}
