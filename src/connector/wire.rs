//! What one call did, for `legwork try` and for recordings: the requests it made, and how each operation it asked for ended.
//!
//! It holds values, so it goes to the terminal of whoever asked for it, or masked into a recording, and never to a log. Secrets
//! are not among it: what proves who we are is put into a request after it is noted, and is in no answer that is noted.

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use super::connections::Answered;
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};

/// A request that was made, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Method and address.
    pub line: String,
    /// The body, where it has one.
    pub body: Option<String>,
    /// What became of it.
    pub fate: Fate,
    /// The answer's body, where it was answered with one.
    pub answer: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was answered with this status.
    Answered(u16),
    /// It was not answered.
    Unanswered,
    /// It was not sent, since the connection's `mode` is `dry_run`.
    Kept,
}

/// An operation that was asked for, and how that ended: enough to answer the same once more.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// The connection.
    pub connection: ConnectionName,
    /// The operation.
    pub operation: OperationName,
    /// The inputs, as they were given.
    pub inputs: Map<String, Value>,
    /// The answer, or how it failed.
    pub ended: Result<Answered, Fault>,
}

/// Everything that one call did, each kind in its order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Notes {
    /// The requests.
    pub requests: Vec<Noted>,
    /// The operations.
    pub ended: Vec<Ended>,
}

/// Where a call notes what it does.
#[derive(Debug, Default)]
pub struct Wire(Mutex<Notes>);

impl Wire {
    /// All of it so far.
    #[must_use]
    pub fn noted(&self) -> Notes {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, noted: Noted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).requests.push(noted);
    }

    pub(super) fn end(&self, ended: Ended) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ended.push(ended);
    }
}
