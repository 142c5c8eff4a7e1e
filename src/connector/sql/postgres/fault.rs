//! What PostgreSQL's errors mean, what becomes of the connection, and how they may be told.
//!
//! The server quotes values in its messages, so at run time none of them is passed on: the code, and the names of table, column
//! and constraint, say enough. While a statement is prepared, before any value is bound, the message is.

use std::io::ErrorKind;

use sqlx::Error;
use sqlx::postgres::PgDatabaseError;

use crate::fault::{Fault, Outcome};

/// An error, and what follows from it.
pub(super) struct Trouble {
    /// What the call ends with.
    pub(super) fault: Fault,
    /// Whether the connection is not to be used again.
    pub(super) close: bool,
    /// Whether the same may work at once, where nothing was committed.
    pub(super) again: bool,
}

/// The error of a statement that ran with values. `place` says which.
pub(super) fn of(error: &Error, place: &str) -> Trouble {
    let Some(inner) = database(error) else { return broken(error, place) };
    let code = inner.code();
    let named = |what: &str| {
        let part = |word: &str, name: Option<&str>| name.map(|name| format!(" {word} {name}")).unwrap_or_default();
        let (constraint, column, table) =
            (part("constraint", inner.constraint()), part("column", inner.column()), part("of table", inner.table()));
        format!("{what}:{constraint}{column}{table}")
    };
    let (outcome, what) = match code {
        "23505" => (Outcome::Conflict, named("there is one already")),
        "23P01" => (Outcome::Conflict, named("it excludes another")),
        "23502" => (Outcome::Invalid, named("a value is missing")),
        "23503" => (Outcome::Invalid, named("it refers to what is not there, or is referred to")),
        _ if code.starts_with("23") => (Outcome::Invalid, named("a rule of the table refuses it")),
        _ if code.starts_with("22") => (Outcome::Invalid, format!("a value does not fit (SQLSTATE {code})")),
        "P0001" => (Outcome::Invalid, "a function or trigger of the database refuses it".to_owned()),
        "57014" => (Outcome::Timeout, "the server stopped the statement: it took too long".to_owned()),
        "40001" | "40P01" => (Outcome::Unavailable, "it kept getting in the way of other transactions".to_owned()),
        "55P03" => (Outcome::Unavailable, "what it needs is locked".to_owned()),
        "25006" => (
            Outcome::Misconfigured,
            "it changes something, and an operation of kind read, or this server, cannot".to_owned(),
        ),
        "42501" => (Outcome::Misconfigured, "the user of the connection may not do that".to_owned()),
        _ => return connecting(inner, place),
    };
    let again = matches!(code, "40001" | "40P01");
    Trouble { fault: Fault::new(outcome, format!("{place}: {what}")), close: false, again }
}

/// The error of connecting, or of anything else that has no value in it.
fn connecting(inner: &PgDatabaseError, place: &str) -> Trouble {
    let code = inner.code();
    let (outcome, what, close) = match code {
        "28P01" | "28000" => (Outcome::Misconfigured, "user, password or address is refused".to_owned(), true),
        "3D000" => (Outcome::Misconfigured, "there is no such database".to_owned(), true),
        "53300" => (Outcome::Unavailable, "the server has no connection left".to_owned(), true),
        _ if code.starts_with("57P") || code.starts_with("08") => {
            (Outcome::Unavailable, "the server is going down or coming up".to_owned(), true)
        }
        _ if code.starts_with("53") || code.starts_with("58") || code.starts_with("XX") => {
            (Outcome::Unavailable, format!("the server cannot go on (SQLSTATE {code})"), true)
        }
        // A prepared statement that the server does not know, or whose tables have changed since.
        "26000" | "0A000" => (Outcome::Misconfigured, format!("the server refuses the statement (SQLSTATE {code})"), true),
        _ => (Outcome::Misconfigured, format!("the server refuses the statement (SQLSTATE {code})"), false),
    };
    let again = close && matches!(code, "26000" | "0A000" | "57P01" | "57P02" | "08006");
    Trouble { fault: Fault::new(outcome, format!("{place}: {what}")), close, again }
}

/// The error of a connection and not of the server.
fn broken(error: &Error, place: &str) -> Trouble {
    let fault = |outcome, what: &str| Fault::new(outcome, format!("{place}: {what}"));
    let unavailable = |what| fault(Outcome::Unavailable, what);
    let no_tls = || {
        let text = "no TLS with this server as the address asks for it: without `sslmode` it has to show a certificate for its \
                    name from a public authority; add `sslrootcert=FILE` for one of your own, or `sslmode=require` to encrypt \
                    without knowing whom you talk to";
        (fault(Outcome::Misconfigured, text), false)
    };
    let (fault, again) = match error {
        Error::Io(io) => match io.kind() {
            ErrorKind::ConnectionRefused => (unavailable("the server refuses the connection: nobody listens there"), false),
            ErrorKind::NotFound => (unavailable("there is no such host, socket or file"), false),
            ErrorKind::TimedOut => (unavailable("the server does not answer in time"), false),
            // A certificate that is not accepted comes as this.
            ErrorKind::InvalidData => no_tls(),
            _ => (unavailable("the connection broke off"), true),
        },
        Error::Tls(_) => no_tls(),
        Error::Configuration(_) => (fault(Outcome::Misconfigured, "the address cannot be used"), false),
        _ => (unavailable("the connection broke off"), true),
    };
    Trouble { fault, close: true, again }
}

/// The error of preparing a statement, before any value is bound.
pub(super) fn preparing(error: &Error, place: &str) -> Trouble {
    let mut trouble = of(error, place);
    if let Some(inner) = database(error).filter(|inner| inner.code().starts_with("42")) {
        trouble.fault = Fault::new(Outcome::Misconfigured, format!("{place}: {}", inner.message()));
    }
    trouble
}

/// The error of making a table or preparing a statement, in the server's words.
pub(super) fn described(error: &Error) -> String {
    match database(error) {
        Some(inner) => inner.message().to_owned(),
        None => broken(error, "").fault.operator.trim_start_matches(": ").to_owned(),
    }
}

fn database(error: &Error) -> Option<&PgDatabaseError> {
    match error {
        Error::Database(inner) => inner.try_downcast_ref::<PgDatabaseError>(),
        _ => None,
    }
}
