//! The project's files as written: spanned, and possibly wrong.
//!
//! A file becomes a tree of [`yaml`] nodes, and the tree a [`Shape`]: a struct whose fields are the file's keys. Reading a
//! shape reports every unknown, missing or misshapen key; it does not ask whether names exist or expressions compile. That
//! is `plan`'s part, and nothing here runs.

pub mod action;
pub mod auth;
pub mod connection;
pub mod connector;
pub mod connector_http;
mod known;
pub mod message;
pub mod settings;
mod shape;
pub mod story;
pub mod testcase;
mod values;
pub mod yaml;

pub use known::{Entry, Known, Taken, complete};
pub use shape::{Definitions, Shape, document};
pub use values::{Choices, Flag, Map, Nullable, Several, Text, Whole};
pub use yaml::{Key, Kind, Node};
