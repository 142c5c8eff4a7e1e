//! `kind: sql` over SQLite: opens a database, makes its tables, and runs operations as statements with bound values.
//!
//! The only module that names the database driver. SQLite works on threads of the driver, never on the runtime's. Values go
//! in as bind parameters; an error's text names statements, tables and columns, never a value.

mod bind;
mod database;
mod fault;
mod rows;
mod run;
mod scratch;
mod sessions;
mod tables;

pub(super) use database::{Database, Origin, Place};
