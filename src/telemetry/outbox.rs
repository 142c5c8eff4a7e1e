//! The facts of writes: how they ended, and what waits to be made.

use std::time::Duration;

use metrics::{counter, gauge};

use super::Metric;
use crate::name::{ConnectionName, OperationName};

/// A write was settled, or put off.
#[derive(Debug, Clone, Copy)]
pub struct WriteSettled<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// What became of it: `done`, `failed`, `queued`, `unclear`, `dead`.
    pub state: &'static str,
}

impl WriteSettled<'_> {
    /// Counts.
    pub fn emit(&self) {
        let (connection, operation) = (self.connection.as_str().to_owned(), self.operation.as_str().to_owned());
        let labels = [("connection", connection), ("operation", operation), ("state", self.state.to_owned())];
        counter!(Metric::WritesTotal.name(), &labels).increment(1);
    }
}

/// A write that was to be made later was tried.
#[derive(Debug, Clone, Copy)]
pub struct WriteDelivered<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// What the user can quote.
    pub reference: &'a str,
    /// What became of it.
    pub state: &'static str,
    /// `ok`, or how it ended.
    pub outcome: &'static str,
    /// How often it was tried.
    pub attempts: u32,
    /// Why, when it did not end well.
    pub detail: Option<&'a str>,
}

impl WriteDelivered<'_> {
    /// Logs: at ERROR what somebody has to look at.
    pub fn emit(&self) {
        let (connection, operation) = (self.connection.as_str(), self.operation.as_str());
        let Self { reference, state, outcome, attempts, detail, .. } = *self;
        match state {
            "done" => tracing::info!(connection, operation, reference, attempts, "a queued write was made"),
            "queued" => {
                tracing::warn!(connection, operation, reference, outcome, attempts, detail, "a queued write has to wait");
            }
            _ => tracing::error!(
                connection,
                operation,
                reference,
                state,
                outcome,
                attempts,
                detail,
                "a queued write cannot be made: `legwork outbox` shows it"
            ),
        }
    }
}

/// How many writes there are in a state.
#[derive(Debug, Clone, Copy)]
pub struct OutboxSize {
    /// The state.
    pub state: &'static str,
    /// How many.
    pub count: i64,
    /// How long ago the oldest was begun.
    pub oldest: Duration,
}

impl OutboxSize {
    /// Sets the gauges.
    pub fn emit(&self) {
        let count = u32::try_from(self.count).map_or(f64::from(u32::MAX), f64::from);
        gauge!(Metric::OutboxWrites.name(), "state" => self.state).set(count);
        gauge!(Metric::OutboxOldestSeconds.name(), "state" => self.state).set(self.oldest.as_secs_f64());
    }
}
