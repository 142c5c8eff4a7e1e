//! Connectors as they run: settings, operations and, for `kind: sql`, tables and statements; for `kind: http`, requests.
//!
//! [`compile_connector`] is the one way to make a [`Connector`]. It checks names, expressions, SQL text and models against
//! each other; whether the database has the tables is for `connector::Connections::verify` to say.

mod answer;
pub mod auth;
mod compile;
mod csv;
mod http;
mod operation;
mod rules;
mod runnable;
mod sql;
mod statement;
mod table;

pub(super) use compile::CONNECTION_KEYS;

pub use answer::{Answer, Each};
pub use compile::{Files, compile_connector};
pub use http::{
    Api, Body, Entry, ErrorRule, Exchange, Expects, HttpStep, HttpSystem, Idempotency, Language, Leaf, Limits, Method,
    PageInto, Pages, Part, Pieces, Received, Request, Retry, Sent, Tree, Wait, WaitSource, WaitUnit,
};
pub use rules::{Certificate, Faults, Mode, Percent, Proxy, Reach, Rules};
pub use runnable::{
    CacheRule, Connection, Connector, Ending, Ends, Example, FirstUse, Operation, OperationInput, OperationKind, Setting,
    SettingValue, SqlSystem, Statement, System, Take, Work,
};
pub use sql::{Bind, Piece, Sql};
pub use table::{Column, Content, Table};

#[cfg(test)]
mod tests;
