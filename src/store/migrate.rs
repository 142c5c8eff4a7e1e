//! The store's tables, and how a file of an earlier version gets them.
//!
//! A step that was once released is never changed; what is new is a step more.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Error};

const STEPS: &[&str] =
    &["create table legwork_tokens (name text primary key not null, sealed blob not null) strict, without rowid"];

/// Takes the steps that a file has not taken yet, all or none.
///
/// # Errors
/// What is wrong and what to do.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), String> {
    let taken = steps(connection, STEPS).await.map_err(|error| error.to_string())?;
    match taken <= STEPS.len() {
        true => Ok(()),
        false => Err("a newer legwork has made it; use that version, or another file".to_owned()),
    }
}

/// How many steps the file had taken before.
async fn steps(connection: &mut SqliteConnection, steps: &[&'static str]) -> Result<usize, Error> {
    // At once the only writer, so that two processes that start together do not take a step twice.
    let mut transaction = connection.begin_with("begin immediate").await?;
    sqlx::query("create table if not exists legwork_steps (number integer primary key)").execute(&mut *transaction).await?;
    let taken: i64 = sqlx::query_scalar("select count(*) from legwork_steps").fetch_one(&mut *transaction).await?;
    let taken = usize::try_from(taken).unwrap_or_default();
    for step in steps.iter().skip(taken) {
        sqlx::raw_sql(*step).execute(&mut *transaction).await?;
        sqlx::query("insert into legwork_steps default values").execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions as _;
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    #[tokio::test]
    async fn steps_are_taken_once_and_in_order() {
        let mut connection = SqliteConnectOptions::new().filename(":memory:").connect().await.unwrap();
        let all = ["create table a (x)", "alter table a add column y", "insert into a values (1, 2)"];
        assert_eq!(steps(&mut connection, &all[..1]).await.unwrap(), 0);
        assert_eq!(steps(&mut connection, &all).await.unwrap(), 1);
        assert_eq!(steps(&mut connection, &all).await.unwrap(), 3);
        let rows: i64 = sqlx::query_scalar("select count(*) from a").fetch_one(&mut connection).await.unwrap();
        assert_eq!(rows, 1);
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_nothing() {
        let mut connection = SqliteConnectOptions::new().filename(":memory:").connect().await.unwrap();
        assert!(steps(&mut connection, &["create table a (x)", "create table a (x)"]).await.is_err());
        assert_eq!(steps(&mut connection, &["create table a (x)"]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_newer_file_is_refused() {
        let mut connection = SqliteConnectOptions::new().filename(":memory:").connect().await.unwrap();
        migrate(&mut connection).await.unwrap();
        sqlx::query("insert into legwork_steps default values").execute(&mut connection).await.unwrap();
        assert!(migrate(&mut connection).await.unwrap_err().contains("newer"));
    }
}
