//! What a run did, step by step, for `legwork try` and for the failures that `legwork test` prints.
//!
//! A trace holds values; it goes to the terminal of whoever asked for it and never to a log.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::connector::Noted;
use crate::diag::Span;
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};

/// One thing that a run did.
#[derive(Debug, Clone)]
pub enum Entry {
    /// An input got its value.
    Input {
        /// The input.
        name: String,
        /// Where it came from, in words.
        from: String,
        /// The value after formatting.
        value: Value,
        /// Where it is declared.
        place: Span,
    },
    /// A step began.
    Step {
        /// Its verb.
        verb: &'static str,
        /// Where it stands.
        place: Span,
        /// Whether its `when` held.
        runs: bool,
    },
    /// A call was made.
    Call {
        /// The connection.
        connection: ConnectionName,
        /// The operation.
        operation: OperationName,
        /// The inputs.
        inputs: Value,
        /// The requests that it made, or would have made.
        requests: Vec<Noted>,
        /// What came back.
        result: Result<Value, Fault>,
    },
    /// The answer of the call before was kept from an earlier one.
    Kept {
        /// How old it is.
        age: Duration,
        /// The answer, when it stands in for the system's.
        instead: Option<Value>,
    },
    /// The result of shared steps was kept from an earlier run.
    Recalled {
        /// Whose.
        name: String,
        /// How old its oldest part is.
        age: Duration,
        /// The result.
        value: Value,
    },
    /// A guard was asked.
    Guard {
        /// Where it stands.
        place: Span,
        /// Whether it held.
        holds: bool,
    },
    /// A template or an event failed.
    Problem {
        /// Where.
        place: Span,
        /// What went wrong.
        message: String,
    },
}

/// The entries of one run, in order.
#[derive(Debug, Default)]
pub struct Trace(Mutex<Vec<Entry>>);

impl Trace {
    /// Adds an entry.
    pub fn push(&self, entry: Entry) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    /// All entries so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
