//! Runs an operation's statements in order, in one transaction when it writes.
//!
//! A write ends committed or rolled back, and its answer says which: time can run out at any point before the commit, and
//! not once it has begun. The answer is made and held against its model before the commit.

use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Connection as _};

use super::sessions::Session;
use super::{Database, bind, fault, rows};
use crate::connector::reply::reply;
use crate::connector::results::Results;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{FirstUse, Operation, Sql, SqlSystem, Statement, System, Take, Work};
use crate::time::Deadline;

/// More rows than a conversation can use; a statement that finds more lacks a `limit`.
const MOST_ROWS: usize = 5_000;

impl Database {
    /// Runs `operation` with `inputs`, every one of which is there, null or not, and gives its answer.
    ///
    /// # Errors
    /// How it ended, when it did not end well; then a write has changed nothing, also when only its answer is wrong.
    pub(in crate::connector) async fn run(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        until: Deadline,
    ) -> Result<Value, Fault> {
        match operation.kind.writes() {
            true => self.write(operation, inputs, until).await,
            false => in_time(operation, until, self.read(operation, inputs)).await?,
        }
    }

    async fn read(&self, operation: &Operation, inputs: Map<String, Value>) -> Result<Value, Fault> {
        let (mut session, mut results) = self.begin(inputs).await?;
        let ran = all(session.connection().map_err(closed)?, operation, &mut results).await;
        session.finish();
        ran?;
        reply(operation, results)
    }

    async fn write(&self, operation: &Operation, inputs: Map<String, Value>, until: Deadline) -> Result<Value, Fault> {
        let place = |what: &str| format!("{what} of {}", operation.name);
        // The turn comes before the session, so that writers who wait keep no session from readers.
        let _turn = in_time(operation, until, self.sessions.turn()).await?;
        let (mut session, mut results) = in_time(operation, until, self.begin(inputs)).await??;
        let begun = session.connection().map_err(closed)?.begin_with("begin immediate");
        let begun = in_time(operation, until, begun).await?;
        let mut transaction = begun.map_err(|error| fault::of(&error, &place("the transaction")))?;
        let running = async {
            all(&mut transaction, operation, &mut results).await?;
            reply(operation, results)
        };
        let ended = match in_time(operation, until, running).await? {
            Ok(answer) => transaction.commit().await.map(|()| Ok(answer)),
            Err(fault) => transaction.rollback().await.map(|()| Err(fault)),
        };
        session.finish();
        ended.unwrap_or_else(|error| Err(fault::of(&error, &place("the end of the transaction"))))
    }

    /// A session, and the names that the first statement knows.
    async fn begin(&self, inputs: Map<String, Value>) -> Result<(Session<'_>, Results), Fault> {
        let mut session = self.sessions.take().await.map_err(closed)?;
        let mut results = Results::new(inputs);
        results.names.insert("now".to_owned(), timestamp(self.clock.now()).into());
        if let System::Sql(SqlSystem { first_use: Some(first_use), .. }) = &self.connector.system
            && results.names.get(first_use.of.as_str()).is_some_and(|who| !who.is_null())
        {
            first_time(session.connection().map_err(closed)?, first_use, &results.names).await?;
        }
        Ok((session, results))
    }
}

/// What `work` gives, unless time runs out; then it is dropped, and SQLite stops.
async fn in_time<T>(operation: &Operation, until: Deadline, work: impl Future<Output = T>) -> Result<T, Fault> {
    let late = |_| Fault::new(Outcome::Timeout, format!("{} ran out of time", operation.name));
    tokio::time::timeout_at(until.instant(), work).await.map_err(late)
}

fn closed(error: sqlx::Error) -> Fault {
    fault::of(&error, "opening the database")
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

async fn first_time(
    connection: &mut SqliteConnection,
    first_use: &FirstUse,
    names: &Map<String, Value>,
) -> Result<(), Fault> {
    let wrong = |error: &sqlx::Error| fault::of(error, "`first_use`");
    if !fetch(connection, &first_use.unless, names, 1, "`first_use`").await?.is_empty() {
        return Ok(());
    }
    let mut transaction = connection.begin_with("begin immediate").await.map_err(|error| wrong(&error))?;
    // Somebody else may have been first while this one waited for the transaction.
    if fetch(&mut transaction, &first_use.unless, names, 1, "`first_use`").await?.is_empty() {
        for sql in &first_use.statements {
            let (text, arguments) = bind::filled(sql, names)?;
            let made = sqlx::query_with(AssertSqlSafe(text), arguments).execute(&mut *transaction).await;
            made.map_err(|error| wrong(&error))?;
        }
    }
    transaction.commit().await.map_err(|error| wrong(&error))
}

async fn all(connection: &mut SqliteConnection, operation: &Operation, results: &mut Results) -> Result<(), Fault> {
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
        results.last = if runs { one(connection, statement, &results.names, &place).await? } else { Value::Null };
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

async fn one(
    connection: &mut SqliteConnection,
    statement: &Statement,
    names: &Map<String, Value>,
    place: &str,
) -> Result<Value, Fault> {
    let sql = &statement.sql;
    let most = match statement.take {
        Take::All => MOST_ROWS + 1,
        Take::One | Take::Optional => 2,
        Take::First | Take::Value => 1,
        Take::Nothing => {
            let (text, arguments) = bind::filled(sql, names)?;
            let done = sqlx::query_with(AssertSqlSafe(text), arguments).execute(connection).await;
            let done = done.map_err(|error| fault::of(&error, place))?;
            return Ok(json!({ "changed": done.rows_affected(), "id": done.last_insert_rowid() }));
        }
    };
    let found = fetch(connection, sql, names, most, place).await?;
    let row = |row: &SqliteRow| rows::object(row).map(Value::Object);
    match (statement.take, found.as_slice()) {
        (Take::All, all) if all.len() > MOST_ROWS => {
            Err(Fault::new(Outcome::Unexpected, format!("{place} finds more than {MOST_ROWS} rows; give it a `limit`")))
        }
        (Take::All, all) => all.iter().map(row).collect::<Result<_, _>>().map(Value::Array),
        (Take::One | Take::First, []) => Err(Fault::new(Outcome::NotFound, format!("{place} finds no row"))),
        (Take::One | Take::Optional, [_, _, ..]) => {
            Err(Fault::new(Outcome::Ambiguous, format!("{place} finds several rows where one is meant")))
        }
        (Take::Value, [first, ..]) => rows::first(first),
        (_, [first, ..]) => row(first),
        (_, []) => Ok(Value::Null),
    }
}

/// The first rows of a statement. A statement that changes rows is run to its end whatever it gives.
async fn fetch(
    connection: &mut SqliteConnection,
    sql: &Sql,
    names: &Map<String, Value>,
    most: usize,
    place: &str,
) -> Result<Vec<SqliteRow>, Fault> {
    let (text, arguments) = bind::filled(sql, names)?;
    let mut stream = sqlx::query_with(AssertSqlSafe(text), arguments).fetch(connection);
    let mut found = Vec::new();
    while let Some(row) = stream.try_next().await.map_err(|error| fault::of(&error, place))? {
        if found.len() < most {
            found.push(row);
        }
        if found.len() == most && !sql.writes {
            break;
        }
    }
    Ok(found)
}

fn timestamp(now: DateTime<Utc>) -> String {
    now.to_rfc3339_opts(SecondsFormat::Secs, true)
}
