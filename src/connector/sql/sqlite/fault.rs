//! What SQLite's errors mean, and how they may be told.
//!
//! SQLite quotes what it stumbles over, which can be a user's search words. So at run time only the texts that cannot hold
//! a value are passed on; while statements are prepared, before any value is bound, all of them are.

use sqlx::Error;

use crate::fault::{Fault, Outcome};

/// The error of a statement that ran with values, as a fault. `place` says which statement.
pub(super) fn of(error: &Error, place: &str) -> Fault {
    let Error::Database(inner) = error else {
        let (outcome, what) = match error {
            Error::Io(_) => (Outcome::Unavailable, "the database file cannot be read or written"),
            _ => (Outcome::Unavailable, "the database connection failed"),
        };
        return Fault::new(outcome, format!("{place}: {what}"));
    };
    let code: i64 = inner.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    let (outcome, what) = match code & 0xff {
        BUSY | LOCKED => (Outcome::Unavailable, "the database is busy".to_owned()),
        CONSTRAINT if matches!(code, UNIQUE | PRIMARY_KEY) => (Outcome::Conflict, inner.message().to_owned()),
        CONSTRAINT => (Outcome::Invalid, inner.message().to_owned()),
        TOO_BIG | MISMATCH | RANGE => (Outcome::Invalid, "a value is too large or of the wrong type".to_owned()),
        INTERRUPT => (Outcome::Timeout, "the statement ran out of time".to_owned()),
        READONLY => (Outcome::Misconfigured, "the database file cannot be written".to_owned()),
        CANTOPEN | NOT_A_DB | CORRUPT | AUTH | PERM => {
            (Outcome::Misconfigured, "the database file cannot be opened, or is not an SQLite database".to_owned())
        }
        FULL | IO | NO_MEMORY => (Outcome::Unavailable, format!("the database cannot go on (SQLite code {code})")),
        _ if inner.message().starts_with("no such table: ") => (Outcome::Misconfigured, inner.message().to_owned()),
        _ => (Outcome::Misconfigured, format!("SQLite refuses the statement (code {code})")),
    };
    Fault::new(outcome, format!("{place}: {what}"))
}

/// The error of opening a database or preparing a statement, before any value is bound.
pub(super) fn described(error: &Error) -> String {
    match error {
        Error::Database(inner) => inner.message().to_owned(),
        other => other.to_string(),
    }
}

// https://www.sqlite.org/rescode.html
const PERM: i64 = 3;
const BUSY: i64 = 5;
const LOCKED: i64 = 6;
const NO_MEMORY: i64 = 7;
const READONLY: i64 = 8;
const INTERRUPT: i64 = 9;
const IO: i64 = 10;
const CORRUPT: i64 = 11;
const FULL: i64 = 13;
const CANTOPEN: i64 = 14;
const TOO_BIG: i64 = 18;
const CONSTRAINT: i64 = 19;
const MISMATCH: i64 = 20;
const AUTH: i64 = 23;
const RANGE: i64 = 25;
const NOT_A_DB: i64 = 26;
const PRIMARY_KEY: i64 = 1555;
const UNIQUE: i64 = 2067;
