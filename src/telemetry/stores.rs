//! The facts of what a server keeps its state in: whether it is there, since when, and what is taken from the second cache
//! level.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use metrics::{Gauge, counter, gauge};
use serde::Serialize;

use super::Metric;
use crate::time::Clock;

/// The second cache level was asked, or given something.
#[derive(Debug, Clone, Copy)]
pub struct SecondLevelUsed {
    /// What came of it: `hit`, `miss`, `away`, `put`, `left_out`.
    pub kind: &'static str,
}

impl SecondLevelUsed {
    /// Counts.
    pub fn emit(self) {
        counter!(Metric::SecondLevelTotal.name(), "kind" => self.kind).increment(1);
    }
}

/// Whether a store is there. Each change is one line of the log.
pub struct StoreWatch {
    name: &'static str,
    kind: &'static str,
    clock: Arc<dyn Clock>,
    held: Mutex<Held>,
    gauge: Gauge,
}

struct Held {
    up: bool,
    since: DateTime<Utc>,
    why: String,
}

/// What operators see of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoreState {
    /// Which one: `main` or `cache`, as legwork.yml calls them.
    pub name: &'static str,
    /// What it is: `sqlite`, `postgres`, `memory` or `redis`.
    pub kind: &'static str,
    /// `ok` or `down`.
    pub state: &'static str,
    /// Since when.
    pub since: String,
    /// What is wrong, when it is down; never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl StoreState {
    /// Whether it is there.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == OK
    }
}

const OK: &str = "ok";

impl StoreWatch {
    /// A store that is there, until somebody finds that it is not.
    #[must_use]
    pub fn new(name: &'static str, kind: &'static str, clock: Arc<dyn Clock>) -> Self {
        let held = Mutex::new(Held { up: true, since: clock.now(), why: String::new() });
        let gauge = gauge!(Metric::StoreUp.name(), "store" => name);
        gauge.set(1.0);
        Self { name, kind, clock, held, gauge }
    }

    /// What went wrong last; that alone does not make it down.
    pub fn failed(&self, why: &str) {
        let mut held = self.held();
        if held.why != why {
            why.clone_into(&mut held.why);
        }
    }

    /// It is down, for what went wrong last. Logs at WARN when it was not.
    pub fn is_down(&self) {
        let mut held = self.held();
        if held.up {
            (held.up, held.since) = (false, self.clock.now());
            self.gauge.set(0.0);
            let (store, kind, detail) = (self.name, self.kind, held.why.as_str());
            tracing::warn!(store, kind, detail, "a store is down: the server goes on without it");
        }
    }

    /// It is there. Logs at INFO when it was not.
    pub fn is_up(&self) {
        let mut held = self.held();
        if !held.up {
            (held.up, held.since) = (true, self.clock.now());
            self.gauge.set(1.0);
            tracing::info!(store = self.name, kind = self.kind, "a store is back");
        }
    }

    /// What operators see.
    #[must_use]
    pub fn state(&self) -> StoreState {
        let held = self.held();
        StoreState {
            name: self.name,
            kind: self.kind,
            state: if held.up { OK } else { "down" },
            since: held.since.to_rfc3339_opts(SecondsFormat::Secs, true),
            detail: (!held.up).then(|| held.why.clone()),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::Metrics;
    use crate::time::FixedClock;

    #[test]
    fn a_store_says_what_is_wrong_and_since_when() {
        let metrics = Metrics::install();
        let clock = FixedClock::at("2026-01-20T12:00:00Z".parse().unwrap());
        let watch = StoreWatch::new("watch_test", "redis", Arc::new(clock.clone()));
        watch.failed("once");
        clock.advance(Duration::from_secs(60));
        assert_eq!((watch.state().state, watch.state().since.as_str()), ("ok", "2026-01-20T12:00:00Z"));
        watch.failed("nobody listens there");
        watch.is_down();
        clock.advance(Duration::from_secs(60));
        watch.is_down();
        let down = watch.state();
        assert_eq!((down.is_up(), down.since.as_str()), (false, "2026-01-20T12:01:00Z"));
        assert_eq!(down.detail.as_deref(), Some("nobody listens there"));
        assert!(metrics.render().contains("legwork_store_up{store=\"watch_test\"} 0"));
        watch.is_up();
        let up = watch.state();
        assert_eq!((up.is_up(), up.since.as_str(), up.detail), (true, "2026-01-20T12:02:00Z", None));
        assert!(metrics.render().contains("legwork_store_up{store=\"watch_test\"} 1"));
    }
}
