//! The facts. Each has one `emit`, which logs and counts; what is routine counts at the level of its importance only.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::Metric;
use crate::fault::{Class, Fault};
use crate::name::{ActionName, CallerName, ConnectionName, OperationName};

/// A turn was answered.
#[derive(Debug, Clone, Copy)]
pub struct TurnFinished<'a> {
    /// The action; none when no such action is registered, which metrics show as `unknown`.
    pub action: Option<&'a ActionName>,
    /// How it ended: `answered`, `rejected`, the name of an outcome, and so on.
    pub outcome: &'static str,
    /// From the call's arrival to its answer.
    pub elapsed: Duration,
    /// Who called.
    pub caller: &'a CallerName,
}

impl TurnFinished<'_> {
    /// Logs at INFO and counts.
    pub fn emit(&self) {
        let action = self.action.map_or("unknown", ActionName::as_str);
        tracing::info!(
            action,
            outcome = self.outcome,
            caller = self.caller.as_str(),
            ms = millis(self.elapsed),
            "turn finished"
        );
        let (turns, seconds) = turn_metrics(action, self.outcome, self.caller.as_str());
        turns.increment(1);
        seconds.record(self.elapsed);
    }
}

/// The metrics of one action, outcome and caller. Looking them up by their labels costs more than some turns do otherwise, so
/// what was looked up is kept; actions, outcomes and callers are few.
fn turn_metrics(action: &str, outcome: &'static str, caller: &str) -> (Counter, Histogram) {
    type Kept = Vec<(&'static str, String, Counter, Histogram)>;
    thread_local! {
        static KEPT: RefCell<HashMap<String, Kept>> = RefCell::default();
    }
    KEPT.with_borrow_mut(|kept| {
        let of_action = kept.get(action).into_iter().flatten();
        if let Some((_, _, turns, seconds)) = of_action.clone().find(|(o, c, ..)| *o == outcome && c == caller) {
            return (turns.clone(), seconds.clone());
        }
        let labels = [("action", action.to_owned()), ("outcome", outcome.to_owned())];
        let seconds = histogram!(Metric::TurnSeconds.name(), &labels);
        let [action_label, outcome_label] = labels;
        let turns = counter!(Metric::TurnsTotal.name(), &[action_label, outcome_label, ("caller", caller.to_owned())]);
        let entry = (outcome, caller.to_owned(), turns.clone(), seconds.clone());
        kept.entry(action.to_owned()).or_default().push(entry);
        (turns, seconds)
    })
}

/// A call of a business system ended, its retries included.
#[derive(Debug, Clone, Copy)]
pub struct CallFinished<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// Why it failed; none when it did not.
    pub fault: Option<&'a Fault>,
    /// With all attempts and the waits between them.
    pub elapsed: Duration,
    /// How many requests were sent; 0 when the breaker or a limit stood before them.
    pub attempts: u32,
}

impl CallFinished<'_> {
    /// Logs and counts: what an operator must mend at ERROR, what may pass at WARN, the rest at DEBUG.
    pub fn emit(&self) {
        let (connection, operation) = (self.connection.as_str(), self.operation.as_str());
        let outcome = self.fault.map_or("ok", |fault| fault.outcome.name());
        let detail = self.fault.map(|fault| fault.operator.as_str());
        let (attempts, ms) = (self.attempts, millis(self.elapsed));
        macro_rules! log {
            ($level:ident) => {
                tracing::$level!(connection, operation, outcome, detail, attempts, ms, "call finished")
            };
        }
        match self.fault.map(Fault::class) {
            Some(Class::Misconfigured | Class::Bug) => log!(error),
            Some(Class::Transient | Class::Exhausted) => log!(warn),
            Some(Class::Rejected) | None => log!(debug),
        }
        let labels = [("connection", connection.to_owned()), ("operation", operation.to_owned())];
        counter!(Metric::CallAttemptsTotal.name(), &labels).increment(u64::from(attempts));
        let [connection, operation] = labels;
        let labels = [connection, operation, ("outcome", outcome.to_owned())];
        counter!(Metric::CallsTotal.name(), &labels).increment(1);
        histogram!(Metric::CallSeconds.name(), &labels).record(self.elapsed);
    }
}

/// A call that changes something was not made, since its connection has `mode: dry_run`.
#[derive(Debug, Clone, Copy)]
pub struct WouldDo<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// `write` or `payment`.
    pub kind: &'static str,
    /// The names of the inputs that were given.
    pub inputs: &'a str,
    /// The request that would be sent, as the connector's file has it.
    pub request: Option<&'a str>,
}

impl WouldDo<'_> {
    /// Logs at INFO; `CallFinished` counts it as denied.
    pub fn emit(&self) {
        let (connection, operation) = (self.connection.as_str(), self.operation.as_str());
        let (kind, inputs, request) = (self.kind, self.inputs, self.request);
        tracing::info!(connection, operation, kind, inputs, request, "dry run: this would be done");
    }
}

/// A token was fetched, or was to be renewed while the old one was still good.
#[derive(Debug, Clone, Copy)]
pub struct TokenFetched<'a> {
    /// The host that was asked.
    pub host: &'a str,
    /// Why it gave none; none when it did.
    pub fault: Option<&'a Fault>,
    /// How long it took.
    pub elapsed: Duration,
}

impl TokenFetched<'_> {
    /// Logs and counts: failures at WARN, since whether a call fails for it is not said yet.
    pub fn emit(&self) {
        let (host, ms) = (self.host, millis(self.elapsed));
        let outcome = self.fault.map_or("ok", |fault| fault.outcome.name());
        match self.fault.map(|fault| fault.operator.as_str()) {
            Some(detail) => tracing::warn!(host, outcome, detail, ms, "token not fetched"),
            None => tracing::debug!(host, outcome, ms, "token fetched"),
        }
        counter!(Metric::TokensTotal.name(), "host" => host.to_owned(), "outcome" => outcome).increment(1);
    }
}

/// What the cache had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheKind {
    /// A fresh value.
    Hit,
    /// A value past its fresh time, used because the system did not answer.
    Stale,
    /// Nothing; the system was asked.
    Miss,
}

impl CacheKind {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
        }
    }
}

/// A read asked the cache.
#[derive(Debug, Clone, Copy)]
pub struct CacheUsed<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// What came of it.
    pub kind: CacheKind,
}

impl CacheUsed<'_> {
    /// Logs at DEBUG and counts.
    pub fn emit(&self) {
        let (connection, operation, kind) = (self.connection.as_str(), self.operation.as_str(), self.kind.name());
        tracing::debug!(connection, operation, kind, "cache used");
        let (connection, operation) = (connection.to_owned(), operation.to_owned());
        counter!(Metric::CacheTotal.name(), "connection" => connection, "operation" => operation, "kind" => kind)
            .increment(1);
    }
}

/// A vendor said how many requests are left.
#[derive(Debug, Clone, Copy)]
pub struct QuotaLeft<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// How many.
    pub left: f64,
}

impl QuotaLeft<'_> {
    /// Sets the gauge.
    pub fn emit(&self) {
        gauge!(Metric::QuotaRemaining.name(), "connection" => self.connection.as_str().to_owned()).set(self.left);
    }
}

/// A vendor announced the end of what was called, with the headers `Deprecation` or `Sunset`.
#[derive(Debug, Clone, Copy)]
pub struct ApiEnding<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// The day, where the vendor said it.
    pub ends: Option<chrono::NaiveDate>,
    /// Whether this is the first time of this operation.
    pub first: bool,
}

impl ApiEnding<'_> {
    /// Counts, and logs at WARN the first time.
    pub fn emit(&self) {
        let (connection, operation) = (self.connection.as_str(), self.operation.as_str());
        if self.first {
            let ends = self.ends.map(|day| day.to_string());
            tracing::warn!(connection, operation, ends, "the vendor announces the end of what this operation calls");
        }
        let labels = [("connection", connection.to_owned()), ("operation", operation.to_owned())];
        counter!(Metric::ApiEndingsTotal.name(), &labels).increment(1);
    }
}

/// An event was taken out of an answer, because the client would have thrown the whole answer away for it.
#[derive(Debug, Clone, Copy)]
pub struct EventDropped<'a> {
    /// The event's name.
    pub event: &'static str,
    /// What the client refuses about it.
    pub reason: &'static str,
    /// The action whose answer it was in.
    pub action: &'a str,
}

impl EventDropped<'_> {
    /// Logs at WARN and counts.
    pub fn emit(&self) {
        tracing::warn!(event_name = self.event, reason = self.reason, action = self.action, "event dropped from an answer");
        counter!(Metric::EventsDroppedTotal.name(), "event" => self.event).increment(1);
    }
}

/// A request was refused before any action was asked.
#[derive(Clone, Copy)]
pub struct Refused<'a> {
    /// The HTTP status.
    pub status: u16,
    /// A name for the reason, such as `body_too_large`.
    pub reason: &'static str,
    /// More for the operator, without anything of the request.
    pub detail: &'a dyn Display,
}

impl Refused<'_> {
    /// Logs at WARN and counts.
    pub fn emit(&self) {
        tracing::warn!(status = self.status, reason = self.reason, detail = %self.detail, "request refused");
        counter!(Metric::RefusedTotal.name(), "status" => self.status.to_string(), "reason" => self.reason).increment(1);
    }
}

/// Counts the webhook requests that are being answered.
pub struct Requests(Gauge);

impl Requests {
    /// The counter, looked up once; the registry has to be installed before.
    #[must_use]
    pub fn new() -> Self {
        Self(gauge!(Metric::RequestsRunning.name()))
    }

    /// One more, until what is returned is dropped: when it is answered, or when the caller has gone.
    #[must_use]
    pub fn begin(&self) -> Running<'_> {
        self.0.increment(1.0);
        Running(&self.0)
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self::new()
    }
}

/// A webhook request that is being answered.
pub struct Running<'a>(&'a Gauge);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// A system could not be reached at the start, and is looked for again by the first call.
#[derive(Clone, Copy)]
pub struct SystemAway<'a> {
    /// Which, and why; never a secret.
    pub problem: &'a dyn Display,
}

impl SystemAway<'_> {
    /// Logs at WARN.
    pub fn emit(&self) {
        tracing::warn!(problem = %self.problem, "a system cannot be reached yet");
    }
}

/// What a connection to a database server is for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineUse {
    /// A call works on it.
    Busy,
    /// It waits for the next.
    Idle,
}

/// A connection to a database server, counted until it is dropped.
pub struct DatabaseLine(Gauge);

impl DatabaseLine {
    /// One more, of that connector.
    #[must_use]
    pub fn new(connector: &str, used: LineUse) -> Self {
        let state = match used {
            LineUse::Busy => "busy",
            LineUse::Idle => "idle",
        };
        let gauge = gauge!(Metric::DatabaseConnections.name(), "connector" => connector.to_owned(), "state" => state);
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for DatabaseLine {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Milliseconds with three digits after the point.
fn millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Outcome;
    use crate::telemetry::Metrics;

    #[test]
    fn facts_are_counted_under_bounded_labels() {
        let metrics = Metrics::install();
        let (connection, operation) = (ConnectionName::parse("facts_test").unwrap(), OperationName::parse("find").unwrap());
        let fault = Fault::new(Outcome::Timeout, "no answer");
        let call = CallFinished {
            connection: &connection,
            operation: &operation,
            fault: Some(&fault),
            elapsed: Duration::from_millis(3),
            attempts: 2,
        };
        call.emit();
        CallFinished { fault: None, ..call }.emit();
        CacheUsed { connection: &connection, operation: &operation, kind: CacheKind::Stale }.emit();
        TokenFetched { host: "login.facts.test", fault: Some(&fault), elapsed: Duration::ZERO }.emit();
        TurnFinished { action: None, outcome: "not_registered", elapsed: Duration::ZERO, caller: &CallerName::anonymous() }
            .emit();
        let text = metrics.render();
        for line in [
            r#"legwork_calls_total{connection="facts_test",operation="find",outcome="timeout"} 1"#,
            r#"legwork_calls_total{connection="facts_test",operation="find",outcome="ok"} 1"#,
            r#"legwork_call_attempts_total{connection="facts_test",operation="find"} 4"#,
            r#"legwork_call_seconds_bucket{connection="facts_test",operation="find",outcome="ok",le="0.005"} 1"#,
            r#"legwork_cache_total{connection="facts_test",operation="find",kind="stale"} 1"#,
            r#"legwork_tokens_total{host="login.facts.test",outcome="timeout"} 1"#,
            r#"legwork_turns_total{action="unknown",outcome="not_registered",caller="anonymous"} "#,
            "# TYPE legwork_turn_seconds histogram",
            "legwork_build_info{version=",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn milliseconds_are_short() {
        assert_eq!(millis(Duration::from_nanos(1_234_567)).to_string(), "1.235");
    }
}
