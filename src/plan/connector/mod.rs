//! Connectors as they run: settings, operations and, for `kind: sql`, tables and statements.
//!
//! [`compile_connector`] is the one way to make a [`Connector`]. It checks names, expressions, SQL text and models against
//! each other; whether the database has the tables is for `connector::Connections::verify` to say.

mod answer;
pub mod auth;
mod compile;
mod csv;
mod operation;
mod runnable;
mod sql;
mod statement;
mod table;

pub use answer::Answer;
pub use compile::{Files, compile_connector};
pub use runnable::{
    CacheRule, Connection, Connector, Ending, Ends, Example, FirstUse, Operation, OperationInput, OperationKind, Setting,
    SettingValue, SqlSystem, Statement, System, Take, Work,
};
pub use sql::{Bind, Piece, Sql};
pub use table::{Column, Content, Table};

#[cfg(test)]
mod tests;
