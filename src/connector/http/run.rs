//! Goes through an operation's requests in order, each seeing what the ones before it gave.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::Remote;
use super::build::{Draft, trouble};
use super::encode::scalar;
use super::exchange::{Came, Errand, Journey};
use crate::connector::dry::would_do;
use crate::connector::key::WriteKey;
use crate::connector::reply::named;
use crate::connector::results::Results;
use crate::connector::wire::Fate;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Expects, HttpStep, Idempotency, Operation, PageInto, Pages, Take, Work};
use crate::template::{Failed, Scope, from_json, to_json};

/// More rows than a conversation can use.
const MOST_ROWS: usize = 5_000;

impl Remote {
    /// Runs an operation with `inputs`, every one of which is there, null or not.
    ///
    /// # Errors
    /// How it ended, when it did not end well, and which of its writes were done before that.
    pub(in crate::connector) async fn run(&self, errand: &Errand<'_>, inputs: Map<String, Value>) -> Result<Results, Fault> {
        let Work::Http(steps) = &errand.operation.work else {
            return Err(Fault::new(Outcome::Unexpected, format!("{} is not of `kind: http`", errand.operation.name)));
        };
        let mut rng = self.rng();
        let mut results = self.begun(errand.operation, inputs, errand.now)?;
        let key = errand.key.unwrap_or_else(|| WriteKey::random(&mut rng));
        let last_write = steps.iter().filter(|step| step.writes).count().saturating_sub(1);
        let mut writes = 0;
        let mut ran = vec![false; steps.len()];
        for (at, step) in steps.iter().enumerate() {
            // Requests that come before a write, such as one that looks for it, know its key.
            results.names.insert("key".to_owned(), key.of_write(writes.min(last_write)).into());
            let stands_in = step.instead_of.iter().all(|other| !ran.get(*other).copied().unwrap_or_default());
            let runs = self.step(errand, step, stands_in, &mut results, &mut rng).await;
            let runs = runs.map_err(|fault| partly(fault, step, &results.done))?;
            if runs && step.writes {
                results.done.push(step.shown());
            }
            writes += usize::from(step.writes);
            if let Some(own) = ran.get_mut(at) {
                *own = runs;
            }
        }
        Ok(results)
    }

    /// What there is before the first request of a call.
    pub(super) fn begun(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<Results, Fault> {
        let mut results = self.seeing(inputs, now);
        results.offered = named(&operation.lets, results.offered.clone(), |offered| results.seeing(offered))
            .map_err(|wrong| Fault::new(Outcome::Unexpected, format!("{}: {wrong}", operation.name)))?;
        Ok(results)
    }

    /// What every request sees.
    pub(super) fn seeing(&self, inputs: Map<String, Value>, now: DateTime<Utc>) -> Results {
        let mut results = Results::new(inputs);
        results.offered = self.offered.clone();
        results.names.insert("now".to_owned(), now.to_rfc3339_opts(SecondsFormat::Secs, true).into());
        results
    }

    /// Runs one step, when it is its turn; whether it was is what comes back.
    async fn step(
        &self,
        errand: &Errand<'_>,
        step: &HttpStep,
        stands_in: bool,
        results: &mut Results,
        rng: &mut fastrand::Rng,
    ) -> Result<bool, Fault> {
        let scope = results.scope();
        let journey = Journey { errand, step, scope: &scope };
        let failed = |failed: Failed| unexpected(&journey, &failed);
        let runs = stands_in
            && match &step.when {
                Some(when) => when.truth(&scope).map_err(failed)?,
                None => true,
            };
        if runs && let Some(fault) = results.ended(&step.refusals, &journey.place()).map_err(failed)? {
            return Err(fault);
        }
        // It was answered. What says neither that it was done nor why not leaves that open.
        let open = |fault: Fault| {
            let unsettled = matches!(fault.outcome, Outcome::Unavailable | Outcome::Timeout | Outcome::Unexpected);
            Fault { unsettled, ..fault }
        };
        let found = if runs { self.asked(&journey, results, rng).await? } else { Found::default() };
        let result = match &found.done {
            Some(done) => done.clone(),
            None if runs => taken(&journey, &found).map_err(open)?,
            None => Value::Null,
        };
        took(results, step, found, result);
        if runs && let Some(fault) = results.ended(&step.endings, &journey.place()).map_err(|it| open(failed(it)))? {
            return Err(open(fault));
        }
        Ok(runs)
    }

    /// Sends a request and those for further pages; their bodies become one.
    pub(super) async fn asked(
        &self,
        journey: &Journey<'_>,
        results: &Results,
        rng: &mut fastrand::Rng,
    ) -> Result<Found, Fault> {
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
        if journey.errand.dry && step.writes {
            journey.note(&draft.outgoing().map_err(|it| trouble(&it, &place))?, Fate::Kept, None, &[]);
            let operation = journey.errand.operation;
            return Err(would_do(&self.connection, operation, &results.names, Some(&step.request.line())));
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
            let found = self.asked(&journey, &Results::new(Map::new()), &mut self.rng()).await?;
            taken(&journey, &found).map(|row| Some(row).filter(|row| !row.is_null()))
        })
    }
}

/// What a step's requests gave.
#[derive(Clone, Default)]
pub(super) struct Found {
    body: Value,
    http: Value,
    /// The result of a write that was done already.
    done: Option<Value>,
}

/// Lets what comes after a step see what it gave.
pub(super) fn took(results: &mut Results, step: &HttpStep, found: Found, result: Value) {
    let named = if step.take == Take::All { "rows" } else { "row" };
    let names = [("body", found.body), ("http", found.http), (named, result.clone())];
    results.names.extend(names.map(|(name, value)| (name.to_owned(), value)));
    results.names.extend(step.name.as_ref().map(|name| (name.as_str().to_owned(), result.clone())));
    results.last = result;
}

/// The part of the answer that counts, in the number that is meant.
pub(super) fn taken(journey: &Journey<'_>, found: &Found) -> Result<Value, Fault> {
    chosen(journey, rows(journey, found)?)
}

/// As many of the rows as are meant.
pub(super) fn chosen(journey: &Journey<'_>, rows: Value) -> Result<Value, Fault> {
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
    // Of a search that is an answer, see below. A write that was taken, and then told of with nothing at all, may be done.
    if found.body.is_null() && journey.step.writes && matches!(journey.step.take, Take::One | Take::First) {
        let text = format!("{} is answered with nothing", journey.place());
        return Err(Fault::new(Outcome::Unexpected, text));
    }
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

pub(super) fn unexpected(journey: &Journey<'_>, failed: &Failed) -> Fault {
    Fault::new(Outcome::Unexpected, format!("{}: {failed}", journey.place()))
}

/// The fault of an operation that ended at `step` after `done` was done. Of a write that was sent and
/// not refused it says that nobody knows whether it was done.
fn partly(mut fault: Fault, step: &HttpStep, done: &[String]) -> Fault {
    fault.unsettled &= step.writes;
    if done.is_empty() {
        return fault;
    }
    let rest = match (step.writes, fault.unsettled) {
        (true, true) => format!("whether `{}` was is not known", step.shown()),
        (true, false) => format!("`{}` was not", step.shown()),
        (false, _) => format!("it ended at `{}`", step.shown()),
    };
    fault.operator = format!("{}; `{}` was done before, {rest}", fault.operator, done.join("`, `"));
    fault.after(done.to_vec())
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
