//! One request in the place of several calls of a read that differ in one input.
//!
//! Each call ends as if it had been made by itself with the rows that belong to it; when the request fails, all of them have
//! failed.

use serde_json::{Map, Value};

use super::Remote;
use super::encode::scalar;
use super::exchange::{Errand, Journey};
use super::run::{chosen, taken, took, unexpected};
use crate::connector::key::WriteKey;
use crate::connector::results::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Batch, HttpStep, Operation, Work};
use crate::template::{Failed, from_json, to_json};

/// A call that a batch answers: what it sees, and what of its inputs is asked for.
pub(in crate::connector) struct Wanted {
    own: Results,
    /// The value that a row has to belong to.
    value: Value,
}

impl Remote {
    /// What is asked for in a batch for a call with these inputs; none when the call has to be made by itself.
    ///
    /// # Errors
    /// How the call ends before anything is sent; `unexpected` when an expression of the connector's file fails.
    pub(in crate::connector) fn part(
        &self,
        operation: &Operation,
        batch: &Batch,
        inputs: &Map<String, Value>,
    ) -> Result<Option<Wanted>, Fault> {
        let failed = |failed: Failed| Fault::new(Outcome::Unexpected, format!("the batch of {}: {failed}", operation.name));
        let step = one_request(operation)?;
        let own = self.begun(operation, inputs.clone(), self.clock.now())?;
        let scope = own.scope();
        if let Some(when) = &batch.when
            && !when.truth(&scope).map_err(failed)?
        {
            return Ok(None);
        }
        let value = match &batch.value {
            Some(value) => value.eval(&scope).and_then(|value| to_json(&value)).map_err(failed)?,
            None => inputs.get(batch.of.as_str()).cloned().unwrap_or_default(),
        };
        if scalar(&value).is_none() {
            return Ok(None);
        }
        let place = format!("{} of {}", step.request.line(), operation.name);
        match own.ended(&step.refusals, &place).map_err(failed)? {
            Some(fault) => Err(fault),
            None => Ok(Some(Wanted { own, value })),
        }
    }

    /// Runs an operation for `calls`, whose inputs differ in `batch.of` alone.
    ///
    /// # Errors
    /// How all of them ended, when the request did not end well; and how one ended, for that one.
    pub(in crate::connector) async fn run_batch(
        &self,
        errand: &Errand<'_>,
        batch: &Batch,
        calls: Vec<Wanted>,
    ) -> Result<Vec<Result<Results, Fault>>, Fault> {
        let step = one_request(errand.operation)?;
        let of = batch.of.as_str();
        let mut values: Vec<Value> = Vec::new();
        for Wanted { value, .. } in &calls {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        let mut rng = self.rng();
        let mut shared = calls.first().map(|call| call.own.names.clone()).unwrap_or_default();
        shared.insert(of.to_owned(), values.into());
        shared.insert("key".to_owned(), WriteKey::random(&mut rng).of_write(0).into());
        let shared = self.seeing(shared, errand.now);
        let scope = shared.scope();
        let journey = Journey { errand, step: &batch.step, scope: &scope };
        let found = self.asked(&journey, &shared, &mut rng).await?;
        let Value::Array(rows) = taken(&journey, &found)? else {
            return Err(wrong(errand.operation, "its `rows` are no list"));
        };
        let owner = |row: &Value| batch.by.eval(&scope.with("row", from_json(row))).and_then(|owner| to_json(&owner));
        let owners: Result<Vec<_>, Failed> = rows.iter().map(owner).collect();
        let owners: Vec<_> = owners.map_err(|failed| unexpected(&journey, &failed))?.iter().map(scalar).collect();
        let one = |Wanted { own: mut results, value }: Wanted| {
            let wanted = scalar(&value);
            let mine = rows.iter().zip(&owners).filter(|(_, owner)| owner.is_some() && **owner == wanted);
            let mine: Vec<Value> = mine.map(|(row, _)| row.clone()).collect();
            let journey = Journey { errand, step, scope: &scope };
            let failed = |failed: Failed| unexpected(&journey, &failed);
            let result = chosen(&journey, mine.into())?;
            took(&mut results, step, found.clone(), result);
            match results.ended(&step.endings, &journey.place()).map_err(failed)? {
                Some(fault) => Err(fault),
                None => Ok(results),
            }
        };
        Ok(calls.into_iter().map(one).collect())
    }
}

/// The request of an operation that is one; `compile` lets no other have a batch.
fn one_request(operation: &Operation) -> Result<&HttpStep, Fault> {
    match &operation.work {
        Work::Http(steps) => match steps.as_slice() {
            [step] => Ok(step),
            _ => Err(wrong(operation, "it is not one request")),
        },
        Work::Sql(_) => Err(wrong(operation, "it is not of `kind: http`")),
    }
}

fn wrong(operation: &Operation, text: &str) -> Fault {
    Fault::new(Outcome::Unexpected, format!("the batch of {}: {text}", operation.name))
}
