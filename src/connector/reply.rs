//! Makes an operation's answer of its results, and holds it against the model.

use std::sync::Arc;

use serde_json::Value;

use super::results::Results;
use super::tree::{Wrong, made};
use crate::fault::{Fault, Outcome};
use crate::name::Local;
use crate::plan::connector::{Answer, Operation};
use crate::template::{Failed, Scope, Template, from_json, to_json};

/// The answer.
///
/// # Errors
/// `unexpected` when a template fails or the answer does not fit the model: wrong data is worse than none.
pub(super) fn reply(operation: &Operation, mut results: Results) -> Result<Value, Fault> {
    let done = std::mem::take(&mut results.done);
    fitted(operation, results).map_err(|fault| fault.after(done))
}

fn fitted(operation: &Operation, results: Results) -> Result<Value, Fault> {
    let wrong = |it: &Wrong<Failed>| Fault::new(Outcome::Unexpected, format!("the answer of {}: {it}", operation.name));
    let answer = match &operation.answer {
        None => results.last,
        Some(answer @ (Answer::Map(_) | Answer::Merge(_))) if operation.many => {
            each(answer, &results).map_err(|it| wrong(&it))?.ok_or_else(|| {
                let text = format!("the last step of {} gives no list to answer with", operation.name);
                Fault::new(Outcome::Unexpected, text)
            })?
        }
        Some(answer) => made(answer, &results.scope(), &leaf).map_err(|it| wrong(&it))?,
    };
    let Some(model) = operation.model else { return Ok(answer) };
    let fitted = if operation.many { model.conform_many(&answer) } else { model.conform(&answer) };
    fitted.map_err(|misfit| {
        Fault::new(Outcome::Unexpected, format!("the answer of {} does not fit {}: {misfit}", operation.name, model.name))
    })
}

/// The answer made of each row of the last result; none when that is no list.
fn each(answer: &Answer, results: &Results) -> Result<Option<Value>, Wrong<Failed>> {
    let Value::Array(rows) = &results.last else { return Ok(None) };
    let scope = results.scope();
    let made = rows.iter().map(|row| made(answer, &scope.with(Arc::from("row"), from_json(row)), &leaf));
    made.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
}

fn leaf(template: &Template, scope: &Scope, _: bool) -> Result<Value, Failed> {
    to_json(&template.eval(scope)?)
}

/// What `let` names, as the engine's value: a map of settings keeps its null for what it does not have.
pub(super) fn named(lets: &[(Local, Answer)], mut offered: Scope, seen: impl Fn(&Scope) -> Scope) -> Result<Scope, String> {
    for (name, answer) in lets {
        let scope = seen(&offered);
        let value = match answer {
            Answer::Leaf(template) => template.eval(&scope).map_err(|failed| failed.to_string()),
            _ => made(answer, &scope, &leaf).map(|json| from_json(&json)).map_err(|wrong| wrong.to_string()),
        };
        offered.set(name.as_str(), value.map_err(|wrong| format!("`let` {name}: {wrong}"))?);
    }
    Ok(offered)
}
