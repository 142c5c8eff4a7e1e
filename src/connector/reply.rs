//! Makes an operation's answer of its results, and holds it against the model.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::sql::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Answer, Operation};
use crate::template::{Failed, Scope, from_json, to_json};

/// The answer.
///
/// # Errors
/// `unexpected` when a template fails or the answer does not fit the model: wrong data is worse than none.
pub(super) fn reply(operation: &Operation, results: Results) -> Result<Value, Fault> {
    let wrong = |failed: &Failed| Fault::new(Outcome::Unexpected, format!("the answer of {}: {failed}", operation.name));
    let answer = match &operation.answer {
        None => results.last,
        Some(answer @ Answer::Object(_)) if operation.many => {
            each(answer, &results).map_err(|failed| wrong(&failed))?.ok_or_else(|| {
                let text = format!("the last statement of {} gives no list to answer with", operation.name);
                Fault::new(Outcome::Unexpected, text)
            })?
        }
        Some(answer) => made(answer, &results.scope()).map_err(|failed| wrong(&failed))?,
    };
    let Some(model) = operation.model else { return Ok(answer) };
    let fitted = if operation.many { model.conform_many(&answer) } else { model.conform(&answer) };
    fitted.map_err(|misfit| {
        Fault::new(Outcome::Unexpected, format!("the answer of {} does not fit {}: {misfit}", operation.name, model.name))
    })
}

/// The answer made of each row of the last result; none when that is no list.
fn each(answer: &Answer, results: &Results) -> Result<Option<Value>, Failed> {
    let Value::Array(rows) = &results.last else { return Ok(None) };
    let scope = results.scope();
    let made = rows.iter().map(|row| made(answer, &scope.with(Arc::from("row"), from_json(row))));
    made.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
}

fn made(answer: &Answer, scope: &Scope) -> Result<Value, Failed> {
    match answer {
        Answer::Value(template) => to_json(&template.eval(scope)?),
        Answer::List(items) => items.iter().map(|item| made(item, scope)).collect::<Result<Vec<_>, _>>().map(Value::Array),
        Answer::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| Ok((name.clone(), made(field, scope)?)));
            fields.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
    }
}
