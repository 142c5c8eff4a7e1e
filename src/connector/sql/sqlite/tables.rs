//! Makes the tables that a connector brings, each once in the life of a database.
//!
//! What was made is remembered in the table `legwork_made`, in the same transaction as the making: a start that is cut off
//! leaves nothing half done, and of two processes that start at once one makes and the other finds.

use serde_json::Value;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments as _, AssertSqlSafe, Connection as _, Error, Row as _};

use super::fault::described;
use crate::plan::connector::{Column, Content, Table};

/// Makes what is not there yet.
///
/// # Errors
/// Which entry of `tables` cannot be made, and why.
pub(super) async fn make(connection: &mut SqliteConnection, tables: &[Table]) -> Result<(), String> {
    let remember = "create table if not exists legwork_made (name text primary key) without rowid";
    let failed = |name: &str, error: &Error| format!("`tables`: `{name}` cannot be made: {}", described(error));
    let mut transaction = connection.begin_with("begin immediate").await.map_err(|error| failed("legwork_made", &error))?;
    sqlx::raw_sql(remember).execute(&mut *transaction).await.map_err(|error| failed("legwork_made", &error))?;
    let made = sqlx::raw_sql("select name from legwork_made").fetch_all(&mut *transaction).await;
    let made: Vec<String> =
        made.map_err(|error| failed("legwork_made", &error))?.iter().filter_map(|row| row.try_get(0).ok()).collect();
    for table in tables.iter().filter(|table| !made.contains(&table.name)) {
        one(&mut transaction, table).await.map_err(|error| failed(&table.name, &error))?;
    }
    transaction.commit().await.map_err(|error| failed("legwork_made", &error))
}

async fn one(connection: &mut SqliteConnection, table: &Table) -> Result<(), Error> {
    match &table.content {
        Content::Script(script) => {
            sqlx::raw_sql(AssertSqlSafe(script.clone())).execute(&mut *connection).await?;
        }
        Content::Rows { columns, rows } => {
            sqlx::raw_sql(AssertSqlSafe(schema(&table.name, columns))).execute(&mut *connection).await?;
            insert(connection, &table.name, columns, rows).await?;
        }
    }
    sqlx::query("insert into legwork_made (name) values (?)").bind(&table.name).execute(connection).await?;
    Ok(())
}

fn schema(name: &str, columns: &[Column]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| format!("\"{}\" {}", column.name, column.sql_type)).collect();
    format!("create table \"{name}\" ({})", columns.join(", "))
}

async fn insert(
    connection: &mut SqliteConnection,
    name: &str,
    columns: &[Column],
    rows: &[Vec<Value>],
) -> Result<(), Error> {
    let marks = vec!["?"; columns.len()].join(", ");
    let statement = format!("insert into \"{name}\" values ({marks})");
    for row in rows {
        let mut arguments = SqliteArguments::default();
        for value in row {
            let added = match value {
                Value::Bool(truth) => arguments.add(*truth),
                Value::String(text) => arguments.add(text.clone()),
                Value::Number(number) => match number.as_i64() {
                    Some(whole) => arguments.add(whole),
                    None => arguments.add(number.as_f64()),
                },
                _ => arguments.add(None::<i64>),
            };
            added.map_err(Error::Encode)?;
        }
        sqlx::query_with(AssertSqlSafe(statement.clone()), arguments).execute(&mut *connection).await?;
    }
    Ok(())
}
