//! The facts of how patiently systems are asked: repeats, second requests, what was held back, and breakers.
//!
//! Labels are names of connections and words of this file.

use metrics::{counter, gauge};

use super::Metric;
use crate::name::ConnectionName;

/// A request was repeated.
#[derive(Debug, Clone, Copy)]
pub struct Retried<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
}

impl Retried<'_> {
    /// Counts.
    pub fn emit(&self) {
        counter!(Metric::RetriesTotal.name(), "connection" => self.connection.as_str().to_owned()).increment(1);
    }
}

/// A second request was made beside a read that took long.
#[derive(Debug, Clone, Copy)]
pub struct Hedged<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// Whether its answer is the one that counts.
    pub won: bool,
}

impl Hedged<'_> {
    /// Counts.
    pub fn emit(&self) {
        let (connection, won) = (self.connection.as_str().to_owned(), self.won.to_string());
        counter!(Metric::HedgesTotal.name(), "connection" => connection, "won" => won).increment(1);
    }
}

/// A request or a call was not made, to spare the system.
#[derive(Debug, Clone, Copy)]
pub struct HeldBack<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// What held it back: `breaker`, `budget`, a limit, or `sender`.
    pub by: &'static str,
}

impl HeldBack<'_> {
    /// Logs at DEBUG, since the call's end is logged too, and counts.
    pub fn emit(&self) {
        let (connection, by) = (self.connection.as_str(), self.by);
        tracing::debug!(connection, by, "held back");
        counter!(Metric::HeldBackTotal.name(), "connection" => connection.to_owned(), "by" => by).increment(1);
    }
}

/// A breaker changed what it does.
#[derive(Debug, Clone, Copy)]
pub struct BreakerChanged<'a> {
    /// The connection.
    pub connection: &'a ConnectionName,
    /// What it did: `closed`, `probing` or `open`.
    pub from: &'static str,
    /// What it does now.
    pub to: &'static str,
    /// 0 closed, 1 probing, 2 open.
    pub level: u8,
    /// Why.
    pub why: &'a str,
}

impl BreakerChanged<'_> {
    /// Logs and counts: at WARN when it opens, at INFO otherwise.
    pub fn emit(&self) {
        let (connection, from, to, why) = (self.connection.as_str(), self.from, self.to, self.why);
        if to == "open" {
            tracing::warn!(connection, from, to, why, "the breaker changed: the system is left alone");
        } else {
            tracing::info!(connection, from, to, why, "the breaker changed");
        }
        let connection = connection.to_owned();
        gauge!(Metric::BreakerState.name(), "connection" => connection.clone()).set(f64::from(self.level));
        counter!(Metric::BreakerChangesTotal.name(), "connection" => connection, "to" => to).increment(1);
    }
}

/// Shows a breaker that has not changed yet.
pub fn breaker_made(connection: &ConnectionName) {
    gauge!(Metric::BreakerState.name(), "connection" => connection.as_str().to_owned()).set(0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn what_is_held_back_and_repeated_is_counted_by_connection() {
        let metrics = Metrics::install();
        let connection = &ConnectionName::parse("patience_test").unwrap();
        breaker_made(connection);
        assert!(metrics.render().contains(r#"legwork_breaker_state{connection="patience_test"} 0"#));
        Retried { connection }.emit();
        Hedged { connection, won: true }.emit();
        HeldBack { connection, by: "budget" }.emit();
        BreakerChanged { connection, from: "closed", to: "open", level: 2, why: "5 of 10 calls failed" }.emit();
        let text = metrics.render();
        for line in [
            r#"legwork_retries_total{connection="patience_test"} 1"#,
            r#"legwork_hedges_total{connection="patience_test",won="true"} 1"#,
            r#"legwork_held_back_total{connection="patience_test",by="budget"} 1"#,
            r#"legwork_breaker_state{connection="patience_test"} 2"#,
            r#"legwork_breaker_changes_total{connection="patience_test",to="open"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
