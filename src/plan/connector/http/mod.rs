//! `kind: http` as it runs: a vendor's API and the requests of its operations.
//!
//! Where a value goes, its type says how it is written: a [`Pieces`] of a path or of a query language has values apart from
//! the text around them, so that what runs can only encode a value, never splice it.

mod compile;
mod exchange;
mod idempotency;
mod pages;
mod pieces;
mod request;
mod rules;
mod runnable;
mod step;
mod tree;
mod words;
mod writes;

pub(super) use compile::system;
pub(super) use exchange::{exchanges, names_free};
pub(super) use step::steps;
pub(super) use words::words;

pub use exchange::{Exchange, Received, Sent};
pub use pieces::{Part, Pieces};
pub use runnable::{
    Api, Body, ErrorRule, Expects, HttpStep, HttpSystem, Idempotency, Limits, Method, PageInto, Pages, Request, Retry, Wait,
    WaitSource, WaitUnit,
};
pub use tree::{Language, Leaf};

/// Names of `kind: http` that inputs and results cannot have.
pub(super) const RESERVED: [&str; 6] = ["body", "http", "key", "settings", "codes", "rows"];

#[cfg(test)]
mod tests;
