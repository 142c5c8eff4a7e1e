//! What an operation of `kind: sql` is: its statements in order, their endings, and what of their rows counts.
//!
//! How statements reach a database is a [`Session`]'s part, and what surrounds them (transactions, time) is each database's.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use crate::connector::results::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Connector, FirstUse, Operation, Sql, SqlSystem, Statement, System, Take, Work};
use crate::time::Deadline;

/// More rows than a conversation can use; a statement that finds more lacks a `limit`.
pub(super) const MOST_ROWS: usize = 5_000;

/// A connection on which statements run, whichever kind of database it leads to.
pub(super) trait Session: Send {
    /// A row as the driver has it.
    type Row: Send + Sync;

    /// The first rows of a statement. A statement that changes rows is run to its end whatever it gives.
    ///
    /// # Errors
    /// What the database has against it; `place` says which statement.
    fn fetch(
        &mut self,
        sql: &Sql,
        names: &Map<String, Value>,
        most: usize,
        place: &str,
    ) -> impl Future<Output = Result<Vec<Self::Row>, Fault>> + Send;

    /// Runs a statement for what it does: `{ changed, id }`.
    ///
    /// # Errors
    /// As [`Session::fetch`].
    fn change(
        &mut self,
        sql: &Sql,
        names: &Map<String, Value>,
        place: &str,
    ) -> impl Future<Output = Result<Value, Fault>> + Send;

    /// A row as an object: column name → value, in the order of the columns. `lines_json` becomes `lines`, parsed.
    ///
    /// # Errors
    /// `unexpected`, naming the column, when a value has no form in JSON.
    fn object(row: &Self::Row) -> Result<Map<String, Value>, Fault>;

    /// The value of the first column.
    ///
    /// # Errors
    /// As [`Session::object`].
    fn first(row: &Self::Row) -> Result<Value, Fault>;
}

/// Runs every statement of an operation.
///
/// # Errors
/// The first that does not end well, or an ending that a result decides.
pub(super) async fn all<S: Session>(session: &mut S, operation: &Operation, results: &mut Results) -> Result<(), Fault> {
    let statements = statements_of(operation);
    let mut ran = vec![false; statements.len()];
    for (at, statement) in statements.iter().enumerate() {
        let place = statement_name(statement, at);
        let failed = |failed: crate::template::Failed| Fault::new(Outcome::Unexpected, format!("{place}: {failed}"));
        let stands_in = statement.instead_of.iter().all(|other| !ran.get(*other).copied().unwrap_or_default());
        let runs = stands_in
            && match &statement.when {
                Some(when) => when.truth(&results.scope()).map_err(failed)?,
                None => true,
            };
        if runs && let Some(fault) = results.ended(&statement.refusals, &place).map_err(failed)? {
            return Err(fault);
        }
        results.last = if runs { one(session, statement, &results.names, &place).await? } else { Value::Null };
        if let Some(name) = &statement.name {
            results.names.insert(name.as_str().to_owned(), results.last.clone());
        }
        if let Some(own) = ran.get_mut(at) {
            *own = runs;
        }
        if runs && let Some(fault) = results.ended(&statement.endings, &place).map_err(failed)? {
            return Err(fault);
        }
    }
    Ok(())
}

async fn one<S: Session>(
    session: &mut S,
    statement: &Statement,
    names: &Map<String, Value>,
    place: &str,
) -> Result<Value, Fault> {
    let most = match statement.take {
        Take::All => MOST_ROWS + 1,
        Take::One | Take::Optional => 2,
        Take::First | Take::Value => 1,
        Take::Nothing => return session.change(&statement.sql, names, place).await,
    };
    let found = session.fetch(&statement.sql, names, most, place).await?;
    let row = |row: &S::Row| S::object(row).map(Value::Object);
    match (statement.take, found.as_slice()) {
        (Take::All, all) if all.len() > MOST_ROWS => Err(too_many(place)),
        (Take::All, all) => all.iter().map(row).collect::<Result<_, _>>().map(Value::Array),
        (Take::One | Take::First, []) => Err(Fault::new(Outcome::NotFound, format!("{place} finds no row"))),
        (Take::One | Take::Optional, [_, _, ..]) => {
            Err(Fault::new(Outcome::Ambiguous, format!("{place} finds several rows where one is meant")))
        }
        (Take::Value, [first, ..]) => S::first(first),
        (_, [first, ..]) => row(first),
        (_, []) => Ok(Value::Null),
    }
}

/// The fault of a statement that finds more rows than anybody reads.
pub(super) fn too_many(place: &str) -> Fault {
    Fault::new(Outcome::Unexpected, format!("{place} finds more than {MOST_ROWS} rows; give it a `limit`"))
}

/// The names that the first statement knows.
pub(super) fn beginning(inputs: Map<String, Value>, now: DateTime<Utc>) -> Results {
    let mut results = Results::new(inputs);
    results.names.insert("now".to_owned(), now.to_rfc3339_opts(SecondsFormat::Secs, true).into());
    results
}

/// The rows that are made at first use, where this call says who it is for.
pub(super) fn first_use_of<'a>(connector: &'a Connector, names: &Map<String, Value>) -> Option<&'a FirstUse> {
    let System::Sql(SqlSystem { first_use: Some(first_use), .. }) = &connector.system else { return None };
    names.get(first_use.of.as_str()).is_some_and(|who| !who.is_null()).then_some(first_use)
}

/// What `first_use` is called in errors.
pub(super) const FIRST_USE: &str = "`first_use`";

/// Whether the rows of somebody are there.
pub(super) async fn are_there<S: Session>(
    session: &mut S,
    first_use: &FirstUse,
    names: &Map<String, Value>,
) -> Result<bool, Fault> {
    Ok(!session.fetch(&first_use.unless, names, 1, FIRST_USE).await?.is_empty())
}

/// Makes the rows of somebody. Somebody else may have been first while this one waited for its transaction.
pub(super) async fn make_rows<S: Session>(
    session: &mut S,
    first_use: &FirstUse,
    names: &Map<String, Value>,
) -> Result<(), Fault> {
    if are_there(session, first_use, names).await? {
        return Ok(());
    }
    for sql in &first_use.statements {
        session.change(sql, names, FIRST_USE).await?;
    }
    Ok(())
}

/// What `work` gives, unless time runs out; then it is dropped, and the database stops.
pub(super) async fn in_time<T>(operation: &Operation, until: Deadline, work: impl Future<Output = T>) -> Result<T, Fault> {
    tokio::time::timeout_at(until.instant(), work).await.map_err(|_| late(operation))
}

/// The fault of an operation that is out of time.
pub(super) fn late(operation: &Operation) -> Fault {
    Fault::new(Outcome::Timeout, format!("{} ran out of time", operation.name))
}

/// The statements of an operation.
pub(super) fn statements_of(operation: &Operation) -> &[Statement] {
    match &operation.work {
        Work::Sql(statements) => statements,
        Work::Http(_) => &[],
    }
}

/// What a statement is called in errors: by its name, else by its place.
pub(super) fn statement_name(statement: &Statement, at: usize) -> String {
    match &statement.name {
        Some(name) => format!("the statement `{name}`"),
        None => format!("statement {}", at + 1),
    }
}

/// What a system brings to its database.
pub(super) fn tables_of(connector: &Connector) -> &[crate::plan::connector::Table] {
    match &connector.system {
        System::Sql(system) => system.tables.as_slice(),
        System::Http(_) => &[],
    }
}
