//! The metrics: their names, units and buckets in one table, and the registry that renders them for Prometheus.

use std::sync::OnceLock;

use metrics::Unit;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

/// Seconds from half a millisecond, which a turn without calls takes, to the minute after which Rasa's lock is gone.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 60.0];

macro_rules! metrics_table {
    ($($variant:ident = $name:literal, $kind:ident, $unit:ident, $help:literal;)*) => {
        /// Every metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric { $(#[doc = $help] $variant,)* }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in Prometheus.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it counts or measures.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => $help,)* }
            }

            fn describe(self) {
                match self { $(Self::$variant => metrics_table!(@$kind $name, $unit, $help),)* }
            }
        }
    };
    (@counter $name:literal, $unit:ident, $help:literal) => { metrics::describe_counter!($name, Unit::$unit, $help) };
    (@gauge $name:literal, $unit:ident, $help:literal) => { metrics::describe_gauge!($name, Unit::$unit, $help) };
    (@histogram $name:literal, $unit:ident, $help:literal) => { metrics::describe_histogram!($name, Unit::$unit, $help) };
}

metrics_table! {
    TurnsTotal = "legwork_turns_total", counter, Count, "Turns by action, outcome and caller.";
    TurnSeconds = "legwork_turn_seconds", histogram, Seconds, "How long a turn took, by action and outcome.";
    CallsTotal = "legwork_calls_total", counter, Count, "Calls of business systems by connection, operation and outcome.";
    CallSeconds = "legwork_call_seconds", histogram, Seconds, "How long a call took with all its attempts, by connection, operation and outcome.";
    CallAttemptsTotal = "legwork_call_attempts_total", counter, Count, "Requests sent, repeats included, by connection and operation.";
    RetriesTotal = "legwork_retries_total", counter, Count, "Requests that were repeats, by connection.";
    HedgesTotal = "legwork_hedges_total", counter, Count, "Second requests beside reads that took long, by connection and won (the second one's answer counted, or not).";
    HeldBackTotal = "legwork_held_back_total", counter, Count, "Requests and calls that were not made, by connection and by (breaker, budget, busy, queue, rate, rest, sender).";
    BreakerState = "legwork_breaker_state", gauge, Count, "What a connection's breaker does: 0 closed, 1 probing, 2 open.";
    BreakerChangesTotal = "legwork_breaker_changes_total", counter, Count, "Changes of a connection's breaker, by connection and what it does then.";
    QuotaRemaining = "legwork_quota_remaining", gauge, Count, "Requests that the vendor still allows, as it last said, by connection.";
    DatabaseConnections = "legwork_database_connections", gauge, Count, "Open connections to database servers, by connector and state (busy, idle).";
    ApiEndingsTotal = "legwork_api_endings_total", counter, Count, "Answers that announced the end of what was called, by connection and operation.";
    CacheTotal = "legwork_cache_total", counter, Count, "Reads answered by the cache or past it, by connection, operation and kind (hit, stale, miss).";
    SecondLevelTotal = "legwork_second_level_total", counter, Count, "What the second cache level was asked for or given, by kind (hit, miss, away, put, left_out).";
    StoreUp = "legwork_store_up", gauge, Count, "Whether a store is there, by store (main, cache): 1 or 0.";
    TokensTotal = "legwork_tokens_total", counter, Count, "Tokens fetched for connections, by the host that was asked and outcome.";
    CallbacksTotal = "legwork_callbacks_total", counter, Count, "Calls back to assistants by caller, way (say, trigger) and outcome (ok, unheard, or why not).";
    EventsDroppedTotal = "legwork_events_dropped_total", counter, Count, "Events that the caller's version would have refused, by event.";
    RefusedTotal = "legwork_refused_total", counter, Count, "Requests refused at the door, by status and reason.";
    PanicsTotal = "legwork_panics_total", counter, Count, "Bugs that were caught and answered, in an action with the message for `unexpected`, elsewhere with 500.";
    WritesTotal = "legwork_writes_total", counter, Count, "Writes by connection, operation and what became of them (done, failed, queued, unclear, dead).";
    OutboxWrites = "legwork_outbox_writes", gauge, Count, "Writes that the store knows, by state (sending, done, failed, queued, unclear, dead, undone).";
    OutboxOldestSeconds = "legwork_outbox_oldest_seconds", gauge, Seconds, "How long ago the oldest write in a state was begun.";
    WorkJoinedTotal = "legwork_work_joined_total", counter, Count, "Calls that met work of their turn, by kind (second, repeat, afresh).";
    WorkLostTotal = "legwork_work_lost_total", counter, Count, "Results of slow turns that no call took, by reason (expired, evicted).";
    WorkRunning = "legwork_work_running", gauge, Count, "Turns that work on after their slow answer.";
    TurnsRunning = "legwork_turns_running", gauge, Count, "Turns that run now, of as many as `server.turns` allows.";
    CrowdedTotal = "legwork_crowded_total", counter, Count, "What there was no room for at once, by what (connections and bodies that had to wait, turns that were refused).";
    RequestsRunning = "legwork_requests_running", gauge, Count, "Webhook requests that are being answered.";
    ProjectChangesTotal = "legwork_project_changes_total", counter, Count, "Changes of the project while it is served, by outcome (taken, refused, back).";
    BuildInfo = "legwork_build_info", gauge, Count, "Always 1; the label says which version runs.";
    RecordingsTotal = "legwork_recordings_total", counter, Count, "Turns that `serve --record` kept or could not keep, by result (written, left_out, failed).";
}

/// The registry of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

static INSTALLED: OnceLock<Metrics> = OnceLock::new();

impl Metrics {
    /// The registry, installed at the first call. A process has one; where another recorder was installed before, this one
    /// renders nothing.
    #[must_use]
    pub fn install() -> Self {
        INSTALLED.get_or_init(Self::build).clone()
    }

    fn build() -> Self {
        // An empty list of buckets is all that it refuses.
        let builder = PrometheusBuilder::new().set_buckets(&SECONDS).unwrap_or_default();
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::error!("another metrics recorder is installed already; /metrics stays empty");
        }
        for metric in Metric::ALL {
            metric.describe();
        }
        metrics::gauge!(Metric::BuildInfo.name(), "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Self(handle)
    }

    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Sorts the samples of histograms into their buckets; to be called every few seconds, so that they do not pile up
    /// between two scrapes.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_their_unit() {
        let mut names: Vec<_> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        assert!(names.iter().all(|name| name.starts_with("legwork_")));
        assert!(Metric::TurnSeconds.name().ends_with("_seconds"));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
