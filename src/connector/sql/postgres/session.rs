//! One transaction on one connection, and how statements run in it.
//!
//! The server's own clock ends a statement shortly before the call's deadline, so that its connection is clean again; what the
//! server does not end in time is stopped from outside (see `lines`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde_json::{Map, Value, json};
use sqlx::postgres::{PgArguments, PgRow, PgStatement};
use sqlx::{AssertSqlSafe, Either, Error, Executor as _, Row as _, SqlSafeStr as _, Statement as _};
use tokio::time::timeout;

use super::fault::{self, Trouble};
use super::lines::{Lent, Lines, final_of};
use super::{bind, decode};
use crate::connector::sql::fill::filled;
use crate::connector::sql::run::{self, MOST_ROWS};
use crate::fault::{Fault, Outcome};
use crate::plan::connector::Sql;
use crate::time::Deadline;

/// How much earlier than the caller the server stops.
const MARGIN: Duration = Duration::from_millis(50);
/// By how much the server's clock may be late before it is set again.
const DRIFT: Duration = Duration::from_millis(100);
/// How long the end of a transaction may take, which nothing can bound that is true: the server has done it, or not.
const ENDING: Duration = Duration::from_secs(10);
/// More dead connections in a row than a restart leaves.
const MOST_DEAD: usize = 3;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// A transaction.
pub(super) struct Transaction {
    lent: Lent,
    nested: bool,
    until: Deadline,
    most: Option<Duration>,
    armed: Duration,
    state: State,
    /// Whether what went wrong may work at once.
    pub(super) again: bool,
}

/// Which rows of a statement are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    First(usize),
    Last,
}

/// What the connection is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    /// It is dead.
    Dead,
    /// It still has more to say than anybody wants to hear.
    Talking,
}

impl Transaction {
    /// Begins one. A connection that died while nobody used it is replaced.
    ///
    /// # Errors
    /// When there is no connection, or the server refuses.
    pub(super) async fn begin(
        lines: &Arc<Lines>,
        access: Access,
        until: Deadline,
        most: Option<Duration>,
    ) -> Result<Self, Trouble> {
        let place = "the transaction";
        for _ in 0..MOST_DEAD {
            let mut lent = lines.take(until).await?;
            let (nested, reused) = (lines.is_scratch(), lent.reused);
            let armed = limit(until, most);
            let begin = match (nested, access) {
                (false, Access::Read) => "begin read only",
                (false, Access::Write) => "begin",
                (true, Access::Read) => "savepoint legwork; set transaction read only",
                (true, Access::Write) => "savepoint legwork",
            };
            // Notices may quote values, and the driver would log them.
            let hello = "set local client_min_messages = error; select pg_backend_pid()";
            let text = format!("{begin}; {}; {hello}", arming(armed));
            let begun = match lent.connection() {
                Ok(connection) => {
                    let beginning = sqlx::raw_sql(AssertSqlSafe(text)).fetch_one(connection);
                    timeout(lines.soon(until), beginning).await.map_err(|_| None)
                }
                Err(error) => Ok(Err(error)),
            };
            match begun.and_then(|begun| begun.and_then(|row| row.try_get(0)).map_err(Some)) {
                Ok(process) => {
                    lent.process = Some(process);
                    return Ok(Self { lent, nested, until, most, armed, state: State::Sound, again: false });
                }
                Err(error) => {
                    lent.close();
                    lines.forget();
                    let trouble = error.map_or_else(
                        || final_of(Outcome::Unavailable, format!("{place}: the server does not answer in time")),
                        |error| fault::of(&error, place),
                    );
                    if !(reused && trouble.close) {
                        return Err(trouble);
                    }
                }
            }
        }
        Err(final_of(Outcome::Unavailable, format!("{place}: the connection broke off")))
    }

    /// Makes what it did last.
    ///
    /// # Errors
    /// When the server did not do it, or nobody knows.
    pub(super) async fn commit(mut self) -> Result<(), Trouble> {
        let text = if self.nested { "release savepoint legwork" } else { "commit" };
        let place = "the end of the transaction";
        let committed = match self.lent.connection() {
            Ok(connection) => timeout(ENDING, sqlx::raw_sql(text).execute(connection)).await,
            Err(error) => Ok(Err(error)),
        };
        match committed {
            Ok(Ok(_)) => {
                self.lent.give_back();
                Ok(())
            }
            Ok(Err(error)) => {
                let mut trouble = fault::of(&error, place);
                if matches!(error, Error::Database(_)) && !trouble.close {
                    self.rollback().await;
                } else {
                    self.lent.close();
                    trouble.again = false;
                    trouble.fault.operator.push_str("; whether it was done is not known");
                    trouble.fault.unsettled = true;
                }
                Err(trouble)
            }
            Err(_) => {
                let text = format!("{place}: the server does not answer; whether it was done is not known");
                let mut trouble = final_of(Outcome::Unavailable, text);
                trouble.fault.unsettled = true;
                Err(trouble)
            }
        }
    }

    /// Undoes what it did.
    pub(super) async fn rollback(mut self) {
        let text = match self.nested {
            true => "rollback to savepoint legwork; release savepoint legwork",
            false => "rollback",
        };
        match (self.state, self.lent.connection()) {
            (State::Sound, Ok(connection)) => {
                let undone = timeout(ENDING, sqlx::raw_sql(text).execute(connection)).await;
                if matches!(undone, Ok(Ok(_))) {
                    self.lent.give_back();
                }
            }
            (State::Dead, _) => self.lent.close(),
            // Dropped, it is stopped and closed.
            _ => {}
        }
    }

    /// Waits until nobody else does what `key` stands for.
    ///
    /// # Errors
    /// What the server has against it.
    pub(super) async fn lock(&mut self, key: &str, place: &str) -> Result<(), Fault> {
        // What is never committed is nobody else's business, and would keep them waiting to its end.
        if self.nested {
            return Ok(());
        }
        let locking = sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))").bind(key.to_owned());
        let locked = match self.lent.connection() {
            Ok(connection) => locking.execute(connection).await,
            Err(error) => Err(error),
        };
        locked.map(drop).map_err(|error| self.troubled(fault::of(&error, place)))
    }

    fn troubled(&mut self, trouble: Trouble) -> Fault {
        if trouble.close {
            self.state = State::Dead;
        }
        self.again |= trouble.again;
        trouble.fault
    }

    /// Prepares a statement, and binds its values in the types that it asks for.
    async fn prepared(
        &mut self,
        sql: &Sql,
        names: &Map<String, Value>,
        place: &str,
    ) -> Result<(PgStatement, PgArguments), Fault> {
        let limit = limit(self.until, self.most);
        if limit + DRIFT < self.armed {
            let set = match self.lent.connection() {
                Ok(connection) => sqlx::raw_sql(AssertSqlSafe(arming(limit))).execute(connection).await,
                Err(error) => Err(error),
            };
            set.map_err(|error| self.troubled(fault::of(&error, place)))?;
            self.armed = limit;
        }
        let filled = filled(sql, names, '$')?;
        let text = AssertSqlSafe(filled.text.clone()).into_sql_str();
        let prepared = match self.lent.connection() {
            Ok(connection) => connection.prepare(text).await,
            Err(error) => Err(error),
        };
        let statement = prepared.map_err(|error| self.troubled(fault::preparing(&error, place)))?;
        let types = match statement.parameters() {
            Some(Either::Left(types)) => types,
            _ => &[],
        };
        let arguments = bind::bound(&filled, types, place)?;
        Ok((statement, arguments))
    }

    /// The first rows, or the last one, and how many were changed.
    async fn rows(
        &mut self,
        sql: &Sql,
        names: &Map<String, Value>,
        keep: Keep,
        place: &str,
    ) -> Result<(Vec<PgRow>, u64), Fault> {
        let (statement, arguments) = self.prepared(sql, names, place).await?;
        let (mut found, mut seen, mut changed) = (Vec::new(), 0, 0);
        let gone = |error: &Error| fault::of(error, place).fault;
        let connection = self.lent.connection().map_err(|error| gone(&error))?;
        let mut stream = connection.fetch_many(statement.query_with(arguments));
        let trouble = loop {
            match stream.try_next().await {
                Ok(Some(Either::Left(done))) => changed += done.rows_affected(),
                Ok(Some(Either::Right(row))) => {
                    seen += 1;
                    match keep {
                        Keep::First(most) if found.len() < most => found.push(row),
                        Keep::First(_) => {}
                        Keep::Last => found = vec![row],
                    }
                    if seen > MOST_ROWS && !sql.writes {
                        break None;
                    }
                }
                Ok(None) => {
                    drop(stream);
                    return Ok((found, changed));
                }
                Err(error) => break Some(fault::of(&error, place)),
            }
        };
        drop(stream);
        match trouble {
            Some(trouble) => Err(self.troubled(trouble)),
            None => {
                self.state = State::Talking;
                Err(run::too_many(place))
            }
        }
    }
}

impl run::Session for Transaction {
    type Row = PgRow;

    async fn fetch(&mut self, sql: &Sql, names: &Map<String, Value>, most: usize, place: &str) -> Result<Vec<PgRow>, Fault> {
        self.rows(sql, names, Keep::First(most), place).await.map(|(found, _)| found)
    }

    /// PostgreSQL knows no last id; it is what the statement is `returning` first.
    async fn change(&mut self, sql: &Sql, names: &Map<String, Value>, place: &str) -> Result<Value, Fault> {
        let (found, changed) = self.rows(sql, names, Keep::Last, place).await?;
        let id = found.last().map_or(Ok(Value::Null), decode::first)?;
        Ok(json!({ "changed": changed, "id": id }))
    }

    fn object(row: &PgRow) -> Result<Map<String, Value>, Fault> {
        decode::object(row)
    }

    fn first(row: &PgRow) -> Result<Value, Fault> {
        decode::first(row)
    }
}

/// How long the server may work on a statement that begins now.
fn limit(until: Deadline, most: Option<Duration>) -> Duration {
    let left = until.left().saturating_sub(MARGIN);
    most.map_or(left, |most| most.min(left))
}

fn arming(limit: Duration) -> String {
    // Nothing would mean no limit at all.
    format!("set local statement_timeout = {}", limit.as_millis().clamp(1, 3_600_000))
}
