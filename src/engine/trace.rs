//! What a run did, step by step, for `legwork try`, for the failures that `legwork test` prints, and for recordings.
//!
//! A trace holds values; it goes to the terminal of whoever asked for it, or masked into a recording, and never to a log.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::time::Instant;

use crate::connector::Notes;
use crate::diag::Span;
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};
use crate::plan::Project;
use crate::plan::action::Action;

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
        /// What it did: the requests that it made, or would have made, and how its connection ended it.
        notes: Notes,
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

/// What a run began with, beside what its call says.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The project as it was then.
    pub project: Arc<Project>,
    /// The action.
    pub action: Arc<Action>,
    /// The time that it saw as `now`.
    pub now: DateTime<Utc>,
    /// What the user had proved: `email`, `phone`, `customer`.
    pub proved: Vec<(String, String)>,
}

/// The entries of one run, in order.
#[derive(Debug, Default)]
pub struct Trace {
    begun: OnceLock<Begun>,
    entries: Mutex<Vec<(Instant, Entry)>>,
}

impl Trace {
    /// Says what the run begins with; the first word counts.
    pub(super) fn begin(&self, begun: Begun) {
        let _ = self.begun.set(begun);
    }

    /// What the run began with; none of a call for which nothing ran.
    #[must_use]
    pub fn begun(&self) -> Option<&Begun> {
        self.begun.get()
    }

    /// Adds an entry.
    pub fn push(&self, entry: Entry) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), entry));
    }

    /// All entries so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.timed().into_iter().map(|(_, entry)| entry).collect()
    }

    /// All entries so far, with the moment at which each was made.
    #[must_use]
    pub fn timed(&self) -> Vec<(Instant, Entry)> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
