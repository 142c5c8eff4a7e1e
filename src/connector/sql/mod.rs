//! `kind: sql`: opens a database, makes its tables, and runs operations as statements with bound values.
//!
//! The only module that names the database driver. What an operation is (its statements, endings, what of the rows counts) is
//! said once, in `run`, over the small trait `Session`; `sqlite` and `postgres` are the two that fulfil it, each with its own
//! connections, binding, rows, errors and tables. Values go in as bind parameters; an error's text names statements, tables
//! and columns, never a value.

mod database;
mod fill;
mod place;
#[cfg(feature = "postgres")]
mod postgres;
mod rows;
mod run;
mod sqlite;

pub(super) use database::{Database, Finding};
pub(super) use place::Place;
pub use sqlite::Fresh;
