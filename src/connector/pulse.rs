//! The health of all connections, safe to poll: each is tested at most once a minute, whoever asks and however often.
//!
//! Asking waits for the tests that run, and no longer than it may. A test outlives who asked for it; until it ends, the result
//! before it is shown.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::Connections;
use super::chain::{BreakerHealth, Spared};
use super::handbook::{ApiSheet, Support};
use super::open::Open;
use super::probe::{Tested, UNTESTED};
use crate::name::ConnectionName;
use crate::plan::connector::{Mode, System};
use crate::time::Deadline;

/// How long a result is as good as a new one.
const FRESH: Duration = Duration::from_secs(60);
/// How long one test may take.
const LONGEST: Duration = Duration::from_secs(30);

/// Tests connections; what came of it is remembered with each.
pub struct Pulse {
    connections: Arc<Connections>,
    ended: watch::Sender<()>,
}

/// What is known of the health of one connection.
#[derive(Default)]
pub(super) struct Beat {
    begun: Option<Instant>,
    running: bool,
    last: Option<Last>,
}

/// The health of all connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `failing` when a connection is; `testing` when of one nothing is known yet; else `ok`.
    pub status: &'static str,
    /// Each of them, in the order of legwork.yml.
    pub connections: Vec<ConnectionHealth>,
}

/// The health of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConnectionHealth {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// What may be done on it.
    pub mode: &'static str,
    /// For how many of a hundred senders it is there.
    pub share: Option<u8>,
    /// The version of the vendor's API, and until when the vendor supports it.
    pub api: Option<ApiSheet>,
    /// How long that is, seen from today.
    pub support: Option<Support>,
    /// `ok`, `failing`, `testing` (nothing is known yet), `off` (by its mode) or `untested` (its connector names no operation).
    pub state: &'static str,
    /// Whether a test runs.
    pub testing: bool,
    /// What came of the last test that ended.
    pub last: Option<Last>,
    /// How many calls there were since the start, tests among them; answers that were kept are none.
    pub calls: u64,
    /// How many of them failed, but for those that the system refused for good reason.
    pub failed: u64,
    /// What its breaker does; none without one.
    pub breaker: Option<BreakerHealth>,
    /// What was repeated and held back since the start.
    pub spared: Spared,
    /// What goes wrong on purpose, by `--fault`.
    pub staged: Vec<String>,
}

/// What came of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// `ok`, or the outcome that it ended with.
    pub outcome: &'static str,
    /// When it ended.
    pub at: DateTime<Utc>,
    /// How many milliseconds it took.
    pub ms: u64,
    /// What is wrong, for operators.
    pub detail: Option<String>,
    /// What to do about it.
    pub cure: Option<String>,
}

impl Pulse {
    /// Of these connections, none of which is tested before somebody asks.
    #[must_use]
    pub fn new(connections: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self { connections, ended: watch::channel(()).0 })
    }

    /// Of the connections of a project that has changed.
    #[must_use]
    pub fn changed(&self, connections: Arc<Connections>) -> Arc<Self> {
        Arc::new(Self { connections, ended: self.ended.clone() })
    }

    /// The health of all connections by `until` at the latest. Those whose last test began over a minute ago are tested.
    pub async fn health(self: &Arc<Self>, until: Deadline) -> Health {
        let mut ended = self.ended.subscribe();
        for name in self.connections.names() {
            self.begin(name);
        }
        while self.connections.names().filter_map(|name| self.connections.one(name)).any(|open| beat(open).running) {
            if !matches!(timeout_at(until.instant(), ended.changed()).await, Ok(Ok(()))) {
                break;
            }
        }
        let connections: Vec<_> = self.connections.names().filter_map(|name| self.one(name)).collect();
        let any = |state: &str| connections.iter().any(|one| one.state == state);
        let status = if any(FAILING) {
            FAILING
        } else if any(TESTING) {
            TESTING
        } else {
            "ok"
        };
        Health { status, connections }
    }

    /// Begins a test, when none runs and the last one began long enough ago.
    fn begin(self: &Arc<Self>, name: &ConnectionName) {
        let Some(open) = self.connections.one(name).filter(|open| testable(open)) else { return };
        {
            let mut beat = beat(open);
            if beat.running || beat.begun.is_some_and(|begun| begun.elapsed() < FRESH) {
                return;
            }
            (beat.running, beat.begun) = (true, Some(Instant::now()));
        }
        let running = Running { pulse: Arc::clone(self), open: Arc::clone(open) };
        tokio::spawn(async move {
            if let Some(tested) = running.pulse.connections.probe(&running.open.name, Deadline::after(LONGEST)).await {
                running.keep(tested);
            }
        });
    }

    fn one(&self, name: &ConnectionName) -> Option<ConnectionHealth> {
        let open = self.connections.one(name)?;
        let (testing, last) = {
            let beat = beat(open);
            (beat.running, beat.last.clone())
        };
        let state = match &last {
            _ if open.rules.mode == Mode::Off => "off",
            _ if !testable(open) => UNTESTED,
            None => TESTING,
            Some(last) if last.outcome == "ok" => "ok",
            Some(_) => FAILING,
        };
        let api = match &open.connector.system {
            System::Http(system) => system.api.as_ref().map(ApiSheet::of),
            System::Sql(_) => None,
        };
        let support = api.as_ref().map(|api| api.support(self.connections.clock.now().date_naive()));
        let (calls, failed) = open.tally.read();
        Some(ConnectionHealth {
            name: open.name.to_string(),
            connector: open.connector.name.to_string(),
            mode: open.rules.mode.name(),
            share: open.rules.share.map(crate::plan::connector::Percent::get),
            api,
            support,
            state,
            testing,
            last,
            calls,
            failed,
            breaker: open.chain.breaker(),
            spared: open.chain.spared(),
            staged: open.shown_staged(),
        })
    }
}

fn beat(open: &Open) -> MutexGuard<'_, Beat> {
    open.beat.lock().unwrap_or_else(PoisonError::into_inner)
}

const FAILING: &str = "failing";
const TESTING: &str = "testing";

/// Whether there is something to test, and it may be tested.
fn testable(open: &Open) -> bool {
    let names_test = match &open.connector.system {
        System::Http(system) => system.test.is_some(),
        System::Sql(_) => true,
    };
    names_test && open.rules.mode != Mode::Off
}

/// A test that runs. When it is dropped, however it ended, no test runs any more and whoever waits is told.
struct Running {
    pulse: Arc<Pulse>,
    open: Arc<Open>,
}

impl Running {
    fn keep(&self, tested: Tested) {
        let Tested { outcome, ms, detail, cure, .. } = tested;
        let at = self.pulse.connections.clock.now();
        beat(&self.open).last = Some(Last { outcome, at, ms, detail, cure });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        beat(&self.open).running = false;
        self.pulse.ended.send_replace(());
    }
}
