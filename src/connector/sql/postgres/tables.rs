//! Makes the tables that a connector brings, each once in the life of a database.
//!
//! What was made is remembered in the table `legwork_made`, in the same transaction as the making, under a lock of the whole
//! database: of two replicas that start at once one makes and the other waits and finds. When nothing is missing, nothing is
//! locked or written, so that a user who may not create tables can work with those that another one made.

use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Error, Row as _};

use super::fault::described;
use crate::plan::connector::{Column, Content, Table};

/// How many rows go into one statement.
const AT_ONCE: usize = 500;
/// What PostgreSQL cuts names to.
const LONGEST_NAME: usize = 63;

/// Why tables could not be made.
pub(super) enum NotMade {
    /// The server or the connection failed.
    Failed(Error),
    /// An entry of `tables` is wrong.
    Wrong(String),
}

impl From<Error> for NotMade {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Which of the tables are not made yet.
///
/// # Errors
/// When the server cannot say.
pub(super) async fn missing<'a>(connection: &mut PgConnection, tables: &'a [Table]) -> Result<Vec<&'a Table>, Error> {
    let known = sqlx::raw_sql("select to_regclass('legwork_made') is not null").fetch_one(&mut *connection).await?;
    let made: Vec<String> = match known.try_get(0)? {
        true => {
            let rows = sqlx::raw_sql("select name from legwork_made").fetch_all(connection).await?;
            rows.iter().filter_map(|row| row.try_get(0).ok()).collect()
        }
        false => Vec::new(),
    };
    Ok(tables.iter().filter(|table| !made.contains(&table.name)).collect())
}

/// Makes what is not there yet.
///
/// # Errors
/// Which entry of `tables` cannot be made, and why; then nothing was.
pub(super) async fn make(connection: &mut PgConnection, tables: &[Table]) -> Result<(), NotMade> {
    if missing(connection, tables).await?.is_empty() {
        return Ok(());
    }
    let begin = "begin; set local statement_timeout = 60000; set local client_min_messages = error; \
                 select pg_advisory_xact_lock(hashtextextended('legwork_made', 0))";
    sqlx::raw_sql(begin).execute(&mut *connection).await?;
    let remember = "create table if not exists legwork_made (name text primary key)";
    named("legwork_made", sqlx::raw_sql(remember).execute(&mut *connection).await.map(drop))?;
    for table in missing(connection, tables).await? {
        one(connection, table).await?;
        let remembered = sqlx::query("insert into legwork_made (name) values ($1)").bind(&table.name);
        named(&table.name, remembered.execute(&mut *connection).await.map(drop))?;
    }
    sqlx::raw_sql("commit").execute(connection).await?;
    Ok(())
}

/// Begins the transaction of a scratch connection, and makes all tables in it, as temporary ones.
///
/// # Errors
/// Which entry of `tables` cannot be made, and why.
pub(super) async fn for_scratch(connection: &mut PgConnection, tables: &[Table]) -> Result<(), String> {
    let begin = "begin; select set_config('search_path', 'pg_temp, ' || current_setting('search_path'), true)";
    let begun = sqlx::raw_sql(begin).execute(&mut *connection).await;
    begun.map_err(|error| format!("a transaction for tests: {}", described(&error)))?;
    for table in tables {
        one(connection, table).await.map_err(said)?;
    }
    Ok(())
}

/// Why, for people.
pub(super) fn said(not_made: NotMade) -> String {
    match not_made {
        NotMade::Failed(error) => format!("`tables` cannot be made: {}", described(&error)),
        NotMade::Wrong(text) => text,
    }
}

/// An error of the server is the table's, one of the connection is nobody's.
fn named(name: &str, done: Result<(), Error>) -> Result<(), NotMade> {
    done.map_err(|error| match &error {
        Error::Database(_) => NotMade::Wrong(format!("`tables`: `{name}` cannot be made: {}", described(&error))),
        _ => NotMade::Failed(error),
    })
}

async fn one(connection: &mut PgConnection, table: &Table) -> Result<(), NotMade> {
    let name = &table.name;
    match &table.content {
        Content::Script(script) => {
            named(name, sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(connection).await.map(drop))
        }
        Content::Rows { columns, rows } => {
            if let Some(column) = columns.iter().find(|column| column.name.len() > LONGEST_NAME) {
                let text =
                    format!("`tables`: `{name}` cannot be made: the name of the column `{}` is too long", column.name);
                return Err(NotMade::Wrong(text));
            }
            named(name, sqlx::raw_sql(AssertSqlSafe(schema(name, columns))).execute(&mut *connection).await.map(drop))?;
            for some in rows.chunks(AT_ONCE) {
                let row = |row: &Vec<Value>| columns.iter().map(|it| it.name.clone()).zip(row.iter().cloned()).collect();
                let some = Value::Array(some.iter().map(|it| Value::Object(row(it))).collect());
                let insert = format!(
                    "insert into \"{name}\" select * from json_populate_recordset(null::\"{name}\", $1::text::json)"
                );
                let inserting = sqlx::query(AssertSqlSafe(insert)).bind(some.to_string()).execute(&mut *connection);
                named(name, inserting.await.map(drop))?;
            }
            Ok(())
        }
    }
}

fn schema(name: &str, columns: &[Column]) -> String {
    let sql_type = |column: &Column| match column.sql_type {
        "INTEGER" => "bigint",
        "REAL" => "double precision",
        "BOOLEAN" => "boolean",
        "TEXT" => "text",
        // Values of several types.
        _ => "jsonb",
    };
    let columns: Vec<_> = columns.iter().map(|column| format!("\"{}\" {}", column.name, sql_type(column))).collect();
    format!("create table \"{name}\" ({})", columns.join(", "))
}
