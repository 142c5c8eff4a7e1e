//! Connectors as they run: settings, operations and, for `kind: sql`, tables and statements; for `kind: http`, requests.
//!
//! [`compile_connector`] is the one way to make a [`Connector`]. It checks names, expressions, SQL text and models against
//! each other; whether the database has the tables is for `connector::Connections::verify` to say.

mod answer;
pub mod auth;
mod compile;
mod csv;
mod database;
mod example;
mod http;
mod lets;
mod operation;
mod patience;
mod rules;
mod runnable;
mod sql;
mod staged;
mod statement;
mod table;
mod tree;

pub(super) use compile::CONNECTION_KEYS;
pub(super) use operation::cache_rule;
pub(super) use staged::place_of;

pub use answer::Answer;
pub use compile::{Beside, Files, Formats, compile_connector};
pub use http::{
    Api, Batch, Body, ErrorRule, Exchange, Expects, HttpStep, HttpSystem, Idempotency, Language, Leaf, Limits, Method,
    PageInto, Pages, Part, Pieces, Received, Request, Retry, Sent, Wait, WaitSource, WaitUnit,
};
pub use patience::{Keeping, Patience, Policies};
pub use rules::{Certificate, Faults, Mode, Percent, Proxy, Reach, Rules};
pub use runnable::{
    Again, CacheRule, Connection, Connector, Ending, Ends, Example, FirstUse, Operation, OperationInput, OperationKind,
    Pool, Right, Setting, SettingValue, SqlSystem, Statement, System, Take, Work,
};
pub use sql::{Bind, Piece, Sql};
pub use staged::{NotStaged, Staged, StagedAt};
pub use table::{Column, Content, Table};
pub use tree::{Each, Entry, Tree};

#[cfg(test)]
mod tests;
