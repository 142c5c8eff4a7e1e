//! Goes through an operation's requests in order, each seeing what the ones before it gave.

use std::future::Future;
use std::pin::Pin;

use chrono::SecondsFormat;
use serde_json::{Map, Value};

use super::Remote;
use super::build::{Draft, trouble};
use super::encode::scalar;
use super::exchange::{Came, Journey};
use crate::connector::attempts::Attempts;
use crate::connector::reply::named;
use crate::connector::results::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Expects, HttpStep, Idempotency, Operation, PageInto, Pages, Take, Work};
use crate::template::{Failed, Scope, from_json, to_json};
use crate::time::Deadline;

/// More rows than a conversation can use.
const MOST_ROWS: usize = 5_000;

impl Remote {
    /// Runs `operation` with `inputs`, every one of which is there, null or not.
    ///
    /// # Errors
    /// How it ended, when it did not end well.
    pub(in crate::connector) async fn run(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        until: Deadline,
        sent: &Attempts,
    ) -> Result<Results, Fault> {
        let Work::Http(steps) = &operation.work else {
            return Err(Fault::new(Outcome::Unexpected, format!("{} is not of `kind: http`", operation.name)));
        };
        let mut rng = self.rng();
        let mut results = Results::new(inputs);
        results.offered = self.offered.clone();
        results.names.insert("now".to_owned(), self.clock.now().to_rfc3339_opts(SecondsFormat::Secs, true).into());
        results.offered = named(&operation.lets, results.offered.clone(), |offered| results.seeing(offered))
            .map_err(|wrong| Fault::new(Outcome::Unexpected, format!("{}: {wrong}", operation.name)))?;
        results.names.insert("key".to_owned(), key(&mut rng).into());
        for step in steps {
            self.step(operation, step, &mut results, until, sent, &mut rng).await?;
        }
        Ok(results)
    }

    async fn step(
        &self,
        operation: &Operation,
        step: &HttpStep,
        results: &mut Results,
        until: Deadline,
        sent: &Attempts,
        rng: &mut fastrand::Rng,
    ) -> Result<(), Fault> {
        let scope = results.scope();
        let journey = Journey { operation, step, scope: &scope, until, sent };
        let runs = match &step.when {
            Some(when) => when.truth(&scope).map_err(|failed| unexpected(&journey, &failed))?,
            None => true,
        };
        let found = if runs { self.asked(&journey, rng).await? } else { Found::default() };
        let result = match &found.done {
            Some(done) => done.clone(),
            None if runs => taken(&journey, &found)?,
            None => Value::Null,
        };
        let named = if step.take == Take::All { "rows" } else { "row" };
        let names = [("body", found.body), ("http", found.http), (named, result.clone())];
        results.names.extend(names.map(|(name, value)| (name.to_owned(), value)));
        results.names.extend(step.name.as_ref().map(|name| (name.as_str().to_owned(), result.clone())));
        results.last = result;
        if !runs {
            return Ok(());
        }
        let scope = results.scope();
        for ending in &step.endings {
            if ending.when.truth(&scope).map_err(|failed| unexpected(&journey, &failed))? {
                let fault = Fault::new(ending.outcome, format!("{} ended with {}", journey.place(), ending.outcome));
                return Err(match &ending.say {
                    Some(say) => fault.saying(say.text(&scope).map_err(|failed| unexpected(&journey, &failed))?),
                    None => fault,
                });
            }
        }
        Ok(())
    }

    /// Sends a request and those for further pages; their bodies become one.
    async fn asked(&self, journey: &Journey<'_>, rng: &mut fastrand::Rng) -> Result<Found, Fault> {
        let step = journey.step;
        let place = journey.place();
        let headers = self.system().map(|system| system.headers.as_slice()).unwrap_or_default();
        let mut draft = Draft::new(&self.base, &step.request, headers, step.expects, journey.scope)
            .map_err(|it| trouble(&it, &place))?;
        if let Idempotency::Key { header: Some(header), .. } = &step.idempotency
            && step.writes
        {
            let key = journey.scope.get("key").and_then(|key| key.as_str().map(str::to_owned)).unwrap_or_default();
            draft.header(header, &key).map_err(|it| trouble(&it, &place))?;
        }
        let mut found = Found::default();
        let mut page = 0;
        loop {
            let answer = match self.exchange(journey, &draft, rng).await? {
                Came::Answer(answer) => answer,
                Came::Done(done) => return Ok(Found { done: Some(done), ..found }),
            };
            page += 1;
            found.http = answer.http(page);
            let last_body = answer.body;
            let Some(pages) = &step.pages else {
                found.body = last_body;
                return Ok(found);
            };
            let next = next(journey, pages, &found, &last_body)?;
            join(&mut found.body, last_body);
            let rows = rows(journey, &found)?;
            let count = rows.as_array().map_or(0, Vec::len);
            let Some(next) = next else { return Ok(found) };
            if enough(journey, pages)?.is_some_and(|enough| count >= enough) {
                return Ok(found);
            }
            if page >= pages.most.get() || count > MOST_ROWS {
                let text = format!("{place} has more than {page} pages; narrow it, or raise `most`");
                return Err(Fault::new(Outcome::Unexpected, text));
            }
            match (&pages.into, scalar(&next)) {
                (PageInto::Query(name), Some(value)) => draft.set_query(name, &value),
                (PageInto::Json(place), _) => draft.set_json(place, next),
                (PageInto::Link, Some(address)) => {
                    // A vendor that gives an address away with the token writes its links with it.
                    let given = self.auth.base();
                    let homes: Vec<_> = [Some(&self.base), given.as_ref()].into_iter().flatten().collect();
                    draft.set_address(&homes, &address).map_err(|it| match it {
                        super::encode::Trouble::Refused(why) => Fault::new(Outcome::Unexpected, format!("{place}: {why}")),
                        other => trouble(&other, &place),
                    })?
                }
                _ => {
                    return Err(Fault::new(
                        Outcome::Unexpected,
                        format!("{place}: the next page is neither a text nor a number"),
                    ));
                }
            }
        }
    }

    /// Whether a write was done already. A look-up that fails leaves that open, so nothing is repeated.
    pub(super) fn looked_up<'a>(
        &'a self,
        journey: &'a Journey<'_>,
        lookup: &'a HttpStep,
    ) -> Pin<Box<dyn Future<Output = Result<Option<Value>, Fault>> + Send + 'a>> {
        Box::pin(async move {
            let journey = Journey { step: lookup, ..*journey };
            let found = self.asked(&journey, &mut self.rng()).await?;
            taken(&journey, &found).map(|row| Some(row).filter(|row| !row.is_null()))
        })
    }
}

/// What a step's requests gave.
#[derive(Default)]
struct Found {
    body: Value,
    http: Value,
    /// The result of a write that was done already.
    done: Option<Value>,
}

/// The part of the answer that counts, in the number that is meant.
fn taken(journey: &Journey<'_>, found: &Found) -> Result<Value, Fault> {
    let rows = rows(journey, found)?;
    let place = || journey.place();
    let none = || Fault::new(Outcome::NotFound, format!("{} finds nothing", place()));
    match (journey.step.take, rows) {
        (Take::All, Value::Array(rows)) if rows.len() > MOST_ROWS => {
            Err(Fault::new(Outcome::Unexpected, format!("{} finds more than {MOST_ROWS} rows", place())))
        }
        (Take::All, rows) => Ok(rows),
        (Take::Optional, Value::Array(rows)) if rows.is_empty() => Ok(Value::Null),
        (Take::One | Take::Optional, Value::Array(rows)) if rows.len() > 1 => {
            Err(Fault::new(Outcome::Ambiguous, format!("{} finds several where one is meant", place())))
        }
        (_, Value::Array(rows)) => rows.into_iter().next().ok_or_else(none),
        (Take::One | Take::First, Value::Null) => Err(none()),
        (_, one) => Ok(one),
    }
}

fn rows(journey: &Journey<'_>, found: &Found) -> Result<Value, Fault> {
    let Some(rows) = &journey.step.rows else { return Ok(found.body.clone()) };
    // Nothing at all is no rows: that is how some vendors say that they found none.
    if found.body.is_null() && journey.step.expects == Expects::Json {
        return Ok(if journey.step.take == Take::All { Value::Array(Vec::new()) } else { Value::Null });
    }
    let scope = with(journey.scope, &found.body, &found.http);
    rows.eval(&scope).and_then(|rows| to_json(&rows)).map_err(|failed| unexpected(journey, &failed))
}

/// What the next page is asked by; none at the last.
fn next(journey: &Journey<'_>, pages: &Pages, found: &Found, body: &Value) -> Result<Option<Value>, Fault> {
    if body.is_null() {
        return Ok(None);
    }
    let scope = with(journey.scope, body, &found.http);
    let this = Found { body: body.clone(), http: found.http.clone(), done: None };
    let scope = scope.with("rows", from_json(&rows(journey, &this)?));
    let next = pages.next.eval(&scope).and_then(|next| to_json(&next)).map_err(|failed| unexpected(journey, &failed))?;
    Ok(Some(next).filter(|next| !matches!(next, Value::Null | Value::Bool(_)) && next.as_str() != Some("")))
}

fn enough(journey: &Journey<'_>, pages: &Pages) -> Result<Option<usize>, Fault> {
    let Some(enough) = &pages.enough else { return Ok(None) };
    let value =
        enough.eval(journey.scope).and_then(|value| to_json(&value)).map_err(|failed| unexpected(journey, &failed))?;
    Ok(value.as_u64().and_then(|number| usize::try_from(number).ok()))
}

fn with(scope: &Scope, body: &Value, http: &Value) -> Scope {
    scope.with("body", from_json(body)).with("http", from_json(http))
}

/// Joins the body of a further page to those before: lists grow, anything else is the latest.
fn join(body: &mut Value, page: Value) {
    match (body, page) {
        (Value::Array(rows), Value::Array(more)) => rows.extend(more),
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                join(fields.entry(name).or_insert(Value::Null), value);
            }
        }
        (body, page) => *body = page,
    }
}

fn unexpected(journey: &Journey<'_>, failed: &Failed) -> Fault {
    Fault::new(Outcome::Unexpected, format!("{}: {failed}", journey.place()))
}

/// The key of one write, by which a vendor knows it again.
fn key(rng: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(rng.u128(..).to_be_bytes()).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_become_one() {
        let mut body = json!({"tickets": [1], "meta": {"after": "x", "ids": ["a"]}, "count": 3});
        join(&mut body, json!({"tickets": [2, 3], "meta": {"after": null, "ids": ["b"]}, "count": 3}));
        assert_eq!(body, json!({"tickets": [1, 2, 3], "meta": {"after": null, "ids": ["a", "b"]}, "count": 3}));
        let mut list = json!([1]);
        join(&mut list, json!([2]));
        assert_eq!(list, json!([1, 2]));
    }
}
