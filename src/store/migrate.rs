//! The store's tables, and how a database of an earlier version gets them.
//!
//! A step that was once released is never changed; what is new is a step more, for both databases.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Error};

#[cfg(feature = "postgres")]
use super::StoreError;

/// The steps of an SQLite file.
const SQLITE: &[&str] = &[
    "create table legwork_tokens (name text primary key not null, sealed blob not null) strict, without rowid",
    "create table legwork_writes (
        id integer primary key autoincrement, key text not null unique, purpose text not null, current integer,
        turn text not null, lane text not null, reference text not null, caller text not null, sender text not null,
        action text not null, connection text not null, operation text not null, payload blob not null, result blob,
        state text not null, unsettled integer not null, promised integer not null, held integer not null,
        owner text not null, lease_until integer not null, begun_at integer not null, ended_at integer not null,
        due_at integer not null, attempts integer not null, tell_at integer, tells integer not null) strict;
     create unique index legwork_writes_purpose on legwork_writes (purpose) where current = 1;
     create index legwork_writes_turn on legwork_writes (turn);
     create index legwork_writes_lane on legwork_writes (lane, id) where state = 'queued';
     create index legwork_writes_due on legwork_writes (due_at) where state in ('queued', 'sending');
     create index legwork_writes_tell on legwork_writes (tell_at) where tell_at is not null;
     create index legwork_writes_begun on legwork_writes (begun_at);
     create table legwork_turns (
        key text primary key not null, stamp integer not null, reply blob, owner text not null, lease_until integer not null,
        keep_until integer not null) strict, without rowid;
     create index legwork_turns_keep on legwork_turns (keep_until)",
    "create table legwork_secrets (name text primary key not null, sealed blob not null) strict, without rowid;
     create table legwork_proofs (
        caller text not null, sender text not null, proved blob, proved_until integer not null, code blob,
        code_until integer not null, attempts integer not null, primary key (caller, sender)) strict, without rowid;
     create table legwork_sent (
        subject text not null, number integer not null, at integer not null, primary key (subject, number)) strict, without rowid;
     create index legwork_sent_at on legwork_sent (at);
     create table legwork_locks (
        name text primary key not null, owner text not null, lease_until integer not null) strict, without rowid;
     alter table legwork_tokens add column version integer not null default 1",
    "create table legwork_notices (id integer primary key autoincrement, at integer not null, sealed blob not null) strict",
];

/// The steps of a PostgreSQL database.
#[cfg(feature = "postgres")]
const POSTGRES: &[&str] = &[
    "create table legwork_tokens (name text primary key, sealed bytea not null)",
    "create table legwork_writes (
        id bigint generated always as identity primary key, key text not null unique, purpose text not null, current bigint,
        turn text not null, lane text not null, reference text not null, caller text not null, sender text not null,
        action text not null, connection text not null, operation text not null, payload bytea not null, result bytea,
        state text not null, unsettled bigint not null, promised bigint not null, held bigint not null,
        owner text not null, lease_until bigint not null, begun_at bigint not null, ended_at bigint not null,
        due_at bigint not null, attempts bigint not null, tell_at bigint, tells bigint not null);
     create unique index legwork_writes_purpose on legwork_writes (purpose) where current = 1;
     create index legwork_writes_turn on legwork_writes (turn);
     create index legwork_writes_lane on legwork_writes (lane, id) where state = 'queued';
     create index legwork_writes_due on legwork_writes (due_at) where state in ('queued', 'sending');
     create index legwork_writes_tell on legwork_writes (tell_at) where tell_at is not null;
     create index legwork_writes_begun on legwork_writes (begun_at);
     create table legwork_turns (
        key text primary key, stamp bigint not null, reply bytea, owner text not null, lease_until bigint not null,
        keep_until bigint not null);
     create index legwork_turns_keep on legwork_turns (keep_until)",
    "create table legwork_secrets (name text primary key, sealed bytea not null);
     create table legwork_proofs (
        caller text not null, sender text not null, proved bytea, proved_until bigint not null, code bytea,
        code_until bigint not null, attempts bigint not null, primary key (caller, sender));
     create table legwork_sent (
        subject text not null, number bigint not null, at bigint not null, primary key (subject, number));
     create index legwork_sent_at on legwork_sent (at);
     create table legwork_locks (name text primary key, owner text not null, lease_until bigint not null);
     alter table legwork_tokens add column version bigint not null default 1",
    "create table legwork_notices (
        id bigint generated always as identity primary key, at bigint not null, sealed bytea not null)",
];

/// So that processes that start together take turns: any number that nobody else locks by.
#[cfg(feature = "postgres")]
const LOCK: &str = "select pg_advisory_xact_lock(7150427813)";

/// What a database is told that has taken more steps than there are.
const NEWER: &str = "a newer legwork has made it; use that version, or another store";

/// Takes the steps that a file has not taken yet, all or none.
///
/// # Errors
/// What is wrong and what to do.
pub(super) async fn file(connection: &mut SqliteConnection) -> Result<(), String> {
    match sqlite(connection, SQLITE).await.map_err(|error| error.to_string())? <= SQLITE.len() {
        true => Ok(()),
        false => Err(NEWER.to_owned()),
    }
}

/// Takes the steps that a server's database has not taken yet, all or none, one process after the other.
///
/// # Errors
/// When the server cannot be reached, or used.
#[cfg(feature = "postgres")]
pub(super) async fn server(pool: &sqlx::PgPool) -> Result<(), StoreError> {
    match postgres(pool, POSTGRES).await.map_err(|error| super::postgres::failed(&error))? <= POSTGRES.len() {
        true => Ok(()),
        false => Err(StoreError::Misconfigured(format!("the store cannot be used: {NEWER}"))),
    }
}

macro_rules! steps {
    ($transaction:ident, $steps:expr) => {{
        let taken: i64 = sqlx::query_scalar("select count(*) from legwork_steps").fetch_one(&mut *$transaction).await?;
        let taken = usize::try_from(taken).unwrap_or_default();
        for step in $steps.iter().skip(taken) {
            sqlx::raw_sql(*step).execute(&mut *$transaction).await?;
            sqlx::query("insert into legwork_steps default values").execute(&mut *$transaction).await?;
        }
        taken
    }};
}

/// How many steps the file had taken before.
async fn sqlite(connection: &mut SqliteConnection, steps: &[&'static str]) -> Result<usize, Error> {
    // At once the only writer, so that two processes that start together do not take a step twice.
    let mut transaction = connection.begin_with("begin immediate").await?;
    let first = "create table if not exists legwork_steps (number integer primary key)";
    sqlx::query(first).execute(&mut *transaction).await?;
    let taken = steps!(transaction, steps);
    transaction.commit().await?;
    Ok(taken)
}

/// How many steps the database had taken before.
#[cfg(feature = "postgres")]
async fn postgres(pool: &sqlx::PgPool, steps: &[&'static str]) -> Result<usize, Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query(LOCK).execute(&mut *transaction).await?;
    // Asked, and not `if not exists`: whoever has no right to make tables may use those that are there.
    let begun: bool =
        sqlx::query_scalar("select to_regclass('legwork_steps') is not null").fetch_one(&mut *transaction).await?;
    if !begun {
        let first = "create table legwork_steps (number bigint generated always as identity primary key)";
        sqlx::query(first).execute(&mut *transaction).await?;
    }
    let taken = steps!(transaction, steps);
    transaction.commit().await?;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn empty() -> SqliteConnection {
        SqliteConnection::connect(":memory:").await.unwrap()
    }

    #[tokio::test]
    async fn steps_are_taken_once_and_in_order() {
        let mut file = empty().await;
        let all = ["create table a (x)", "alter table a add column y", "insert into a values (1, 2)"];
        assert_eq!(sqlite(&mut file, &all[..1]).await.unwrap(), 0);
        assert_eq!(sqlite(&mut file, &all).await.unwrap(), 1);
        assert_eq!(sqlite(&mut file, &all).await.unwrap(), 3);
        let rows: i64 = sqlx::query_scalar("select count(*) from a").fetch_one(&mut file).await.unwrap();
        assert_eq!(rows, 1);
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_nothing() {
        let mut file = empty().await;
        assert!(sqlite(&mut file, &["create table a (x)", "create table a (x)"]).await.is_err());
        assert_eq!(sqlite(&mut file, &["create table a (x)"]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_newer_file_is_refused() {
        let mut file = empty().await;
        super::file(&mut file).await.unwrap();
        sqlx::query("insert into legwork_steps default values").execute(&mut file).await.unwrap();
        assert!(super::file(&mut file).await.unwrap_err().contains("newer"));
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn both_databases_take_as_many_steps() {
        assert_eq!(SQLITE.len(), POSTGRES.len());
    }
}
