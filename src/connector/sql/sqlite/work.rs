//! Runs operations on SQLite, in one transaction when they write.
//!
//! A write ends committed or rolled back, and its answer says which: time can run out at any point before the commit, and
//! not once it has begun. The answer is made and held against its model before the commit.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::open::Sqlite;
use super::sessions::{Session, Turn};
use super::{bind, fault, rows};
use crate::connector::reply::reply;
use crate::connector::results::Results;
use crate::connector::sql::fill::filled;
use crate::connector::sql::run::{self, in_time};
use crate::fault::Fault;
use crate::plan::connector::{FirstUse, Operation, Sql};
use crate::time::Deadline;

impl Sqlite {
    /// Runs an operation; see [`super::super::Database::run`].
    pub(in crate::connector::sql) async fn run(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
        until: Deadline,
    ) -> Result<Value, Fault> {
        match operation.kind.writes() {
            true => self.write(operation, inputs, now, until).await,
            false => in_time(operation, until, self.read(operation, inputs, now)).await?,
        }
    }

    async fn read(&self, operation: &Operation, inputs: Map<String, Value>, now: DateTime<Utc>) -> Result<Value, Fault> {
        let (mut session, mut results) = self.begin(None, inputs, now).await?;
        let ran = run::all(session.connection().map_err(closed)?, operation, &mut results).await;
        session.finish();
        ran?;
        reply(operation, results)
    }

    async fn write(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
        until: Deadline,
    ) -> Result<Value, Fault> {
        let place = |what: &str| format!("{what} of {}", operation.name);
        // The turn comes before the session, so that writers who wait keep no session from readers.
        let turn = in_time(operation, until, self.sessions.turn()).await?;
        let (mut session, mut results) = in_time(operation, until, self.begin(Some(turn), inputs, now)).await??;
        let begun = in_time(operation, until, session.begin()).await?;
        begun.map_err(|error| fault::of(&error, &place("the transaction")))?;
        let running = async {
            run::all(session.connection().map_err(closed)?, operation, &mut results).await?;
            reply(operation, results)
        };
        let answer = in_time(operation, until, running).await??;
        session.commit().await.map_err(|error| fault::of(&error, &place("the end of the transaction")))?;
        session.finish();
        Ok(answer)
    }

    /// A session, and the names that the first statement knows.
    async fn begin(
        &self,
        turn: Option<Turn>,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
    ) -> Result<(Session, Results), Fault> {
        let mut session = self.sessions.take(turn).await.map_err(closed)?;
        let results = run::beginning(inputs, now);
        if let Some(first_use) = run::first_use_of(&self.connector, &results.names) {
            first_time(&mut session, first_use, &results.names).await?;
        }
        Ok((session, results))
    }
}

fn closed(error: sqlx::Error) -> Fault {
    fault::of(&error, "opening the database")
}

async fn first_time(session: &mut Session, first_use: &FirstUse, names: &Map<String, Value>) -> Result<(), Fault> {
    let wrong = |error: sqlx::Error| fault::of(&error, run::FIRST_USE);
    if run::are_there(session.connection().map_err(closed)?, first_use, names).await? {
        return Ok(());
    }
    session.begin().await.map_err(wrong)?;
    run::make_rows(session.connection().map_err(closed)?, first_use, names).await?;
    session.commit().await.map_err(wrong)
}

impl run::Session for SqliteConnection {
    type Row = SqliteRow;

    async fn fetch(
        &mut self,
        sql: &Sql,
        names: &Map<String, Value>,
        most: usize,
        place: &str,
    ) -> Result<Vec<SqliteRow>, Fault> {
        let filled = filled(sql, names, '?')?;
        let arguments = bind::bound(&filled)?;
        let mut stream = sqlx::query_with(AssertSqlSafe(filled.text), arguments).fetch(self);
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

    async fn change(&mut self, sql: &Sql, names: &Map<String, Value>, place: &str) -> Result<Value, Fault> {
        let filled = filled(sql, names, '?')?;
        let arguments = bind::bound(&filled)?;
        let done = sqlx::query_with(AssertSqlSafe(filled.text), arguments).execute(self).await;
        let done = done.map_err(|error| fault::of(&error, place))?;
        Ok(json!({ "changed": done.rows_affected(), "id": done.last_insert_rowid() }))
    }

    fn object(row: &SqliteRow) -> Result<Map<String, Value>, Fault> {
        rows::object(row)
    }

    fn first(row: &SqliteRow) -> Result<Value, Fault> {
        rows::first(row)
    }
}
