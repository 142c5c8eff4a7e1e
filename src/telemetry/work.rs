//! Facts about the work of slow turns: who joined it, what was never taken, how much of it runs.

use metrics::{counter, gauge};

use super::Metric;

/// How a call met work of its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// The second call of a turn found the work of the first.
    Second,
    /// The first call came again.
    Repeat,
    /// A second call found no work here, after a restart or on another replica, and began it anew.
    Afresh,
}

impl JoinKind {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Repeat => "repeat",
            Self::Afresh => "afresh",
        }
    }
}

/// A call met work of its turn.
#[derive(Debug, Clone, Copy)]
pub struct WorkJoined {
    /// How.
    pub kind: JoinKind,
}

impl WorkJoined {
    /// Logs at INFO and counts.
    pub fn emit(&self) {
        let kind = self.kind.name();
        tracing::info!(kind, "joined the work of its turn");
        counter!(Metric::WorkJoinedTotal.name(), "kind" => kind).increment(1);
    }
}

/// The result of a slow turn was given up before any call took it.
#[derive(Debug, Clone, Copy)]
pub struct ResultLost<'a> {
    /// The action.
    pub action: &'a str,
    /// Why: `expired` when its time was over, `evicted` when others needed the room.
    pub reason: &'static str,
}

impl ResultLost<'_> {
    /// Logs at WARN and counts.
    pub fn emit(&self) {
        tracing::warn!(action = self.action, reason = self.reason, "the result of a slow turn was never asked for");
        counter!(Metric::WorkLostTotal.name(), "reason" => self.reason).increment(1);
    }
}

/// A turn that has a place, counted until this is dropped.
#[derive(Debug)]
pub struct TurnRunning(());

impl TurnRunning {
    /// One more.
    #[must_use]
    pub fn begin() -> Self {
        gauge!(Metric::TurnsRunning.name()).increment(1.0);
        Self(())
    }
}

impl Drop for TurnRunning {
    fn drop(&mut self) {
        gauge!(Metric::TurnsRunning.name()).decrement(1.0);
    }
}

/// A turn that works on after its slow answer, counted until this is dropped.
#[derive(Debug)]
pub struct WorkRunning(());

impl WorkRunning {
    /// One more.
    #[must_use]
    pub fn begin() -> Self {
        gauge!(Metric::WorkRunning.name()).increment(1.0);
        Self(())
    }
}

impl Drop for WorkRunning {
    fn drop(&mut self) {
        gauge!(Metric::WorkRunning.name()).decrement(1.0);
    }
}
