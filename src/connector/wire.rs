//! The requests that one call made, for `legwork try`.
//!
//! They hold values, so they go to the terminal of whoever asked for them and never to a log. Secrets are not among them: what
//! proves who we are is put into a request after it is noted.

use std::sync::{Mutex, PoisonError};

/// A request that was made, or would have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Method and address.
    pub line: String,
    /// The body, where it has one.
    pub body: Option<String>,
    /// What became of it.
    pub fate: Fate,
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

/// The requests of one call, in order.
#[derive(Debug, Default)]
pub struct Wire(Mutex<Vec<Noted>>);

impl Wire {
    /// All of them so far.
    #[must_use]
    pub fn noted(&self) -> Vec<Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn note(&self, noted: Noted) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
    }
}
