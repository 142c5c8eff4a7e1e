//! What operators see of connections: where each goes, what it allows, how patient it is, and how its calls have ended.
//!
//! No secret is among it: secrets are taken out of the settings before an address is made of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::connections::filled;
use super::http;
use super::open::Open;
use super::sql::Place;
use crate::fault::{Class, Fault};
use crate::plan::connector::{CacheRule, Connection, Connector, Operation, Policies, Rules, SettingValue, System};
use crate::resilience::{BreakerRules, HedgeAfter, Keep};

/// What operators see of a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Which system that is.
    pub description: String,
    /// Where its data lives: `memory`, `file`, `postgres` or `http`; `examples` in tests.
    pub system: &'static str,
    /// The host, or the file; none when the settings that it is made of cannot be read.
    pub address: Option<String>,
    /// Whether something on this machine plays the vendor.
    pub stand_in: bool,
    /// The version of the vendor's API.
    pub api_version: Option<String>,
    /// The last day on which the vendor supports it.
    pub supported_until: Option<chrono::NaiveDate>,
    /// What may be done on it: `live`, `read_only` and so on.
    pub mode: &'static str,
    /// For how many of a hundred senders it is there; all without it.
    pub share: Option<u8>,
    /// What goes wrong on purpose.
    pub faults: Option<FaultFacts>,
    /// How much is asked of it and how patiently, where it is asked over a network.
    pub limits: Option<LimitFacts>,
    /// When it is left alone; never without it.
    pub breaker: Option<BreakerFacts>,
    /// How many calls one sender may make, where that is limited.
    pub sender: Option<SenderFacts>,
    /// What is staged to be wrong with it, by `--fault` or a test.
    pub staged: Vec<String>,
    /// What can be asked.
    pub operations: Vec<OperationFacts>,
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FaultFacts {
    /// By how many seconds every answer comes later.
    pub latency_seconds: Option<f64>,
    /// How many of a hundred calls find the system down.
    pub errors: Option<u8>,
    /// How many of a hundred answers make no sense.
    pub malformed: Option<u8>,
    /// How many of a hundred answers break off.
    pub resets: Option<u8>,
}

/// How much is asked of a system, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LimitFacts {
    /// How long one attempt may take, in seconds.
    pub timeout_seconds: f64,
    /// How many attempts there are in all.
    pub attempts: u32,
    /// How many requests at the same time.
    pub concurrent: u32,
    /// How many requests in `per_seconds`, where there is such a limit.
    pub requests: Option<u32>,
    /// The time of `requests`.
    pub per_seconds: Option<f64>,
    /// How many may wait.
    pub queue: u32,
    /// Of how many of a hundred requests there may be a repeat.
    pub budget: u8,
    /// How many repeats there may be in a second whatever the number of requests.
    pub budget_floor: u32,
    /// When a second request is made beside a slow read: after so many seconds, or null by how long reads take; not made when
    /// left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_seconds: Option<Option<f64>>,
}

/// When a system is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BreakerFacts {
    /// What is looked back over.
    pub window_seconds: f64,
    /// How many requests there have to be in it.
    pub calls: u32,
    /// How many of a hundred have to fail,
    pub failures: u8,
    /// or to take `slow_seconds`.
    pub slow: u8,
    /// From when on a request is slow.
    pub slow_seconds: f64,
    /// How long it is left alone.
    pub rest_seconds: f64,
    /// How many requests are tried then.
    pub probes: u32,
}

/// How many calls one sender may make.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SenderFacts {
    /// How many.
    pub calls: u32,
    /// In which time.
    pub per_seconds: f64,
}

/// What operators see of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationFacts {
    /// Its name.
    pub name: String,
    /// `read`, `write` or `payment`.
    pub kind: &'static str,
    /// What it does.
    pub description: String,
    /// What to call in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// How many seconds an answer is as good as new, when answers are kept.
    pub fresh_seconds: Option<u64>,
    /// How many seconds it may stand in when the system is down.
    pub stale_seconds: Option<u64>,
}

/// How the calls of a connection have ended since the start.
#[derive(Debug, Default)]
pub(super) struct Tally {
    calls: AtomicU64,
    failed: AtomicU64,
}

impl Tally {
    /// One more; what the system refuses for good reason is no failure of the system.
    pub(super) fn count(&self, fault: Option<&Fault>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if fault.is_some_and(|fault| fault.class() != Class::Rejected) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many there were, and how many of them failed.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.calls.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }
}

/// What there is to see of connections that are not open; `profiles` is how long customer profiles are kept.
#[must_use]
pub fn facts(connections: &[Connection], profiles: Keep) -> Vec<Facts> {
    let one = |connection: &Connection| {
        let address = address(connection);
        let system = match &connection.connector.system {
            System::Http(_) => "http",
            System::Sql(system) => match Place::of(system, &filled(&connection.connector, &connection.settings)) {
                Ok(Place::Memory) => "memory",
                Ok(Place::Server { .. }) => "postgres",
                _ => "file",
            },
        };
        let facts =
            Facts { name: connection.name.to_string(), system, ..of(&connection.connector, &connection.rules, profiles) };
        Facts { address, ..facts }
    };
    connections.iter().map(one).collect()
}

impl Open {
    /// What there is to see of it.
    pub(super) fn facts(&self, profiles: Keep) -> Facts {
        let (name, system) = (self.name.to_string(), self.system.shown());
        let address = self.address.clone();
        Facts { name, system, address, staged: self.shown_staged(), ..of(&self.connector, &self.rules, profiles) }
    }
}

/// What is the same of every connection with these rules.
fn of(connector: &Connector, rules: &Rules, profiles: Keep) -> Facts {
    let http = match &connector.system {
        System::Http(system) => Some(system),
        System::Sql(_) => None,
    };
    let api = http.and_then(|system| system.api.as_ref());
    let faults = rules.faults;
    // Policies that make no sense together are said by `check`.
    let policies = Policies::of(connector, rules).ok();
    let operation = |operation: &Operation| OperationFacts {
        name: operation.name.to_string(),
        kind: operation.kind.name(),
        description: operation.description.clone(),
        deprecated: operation.deprecated.clone(),
        fresh_seconds: keep(operation, rules, profiles).map(|keep| keep.fresh.as_secs()),
        stale_seconds: keep(operation, rules, profiles).map(|keep| keep.stale.as_secs()),
    };
    Facts {
        name: String::new(),
        connector: connector.name.to_string(),
        description: connector.description.clone(),
        system: "",
        address: None,
        stand_in: rules.stand_in.is_some(),
        api_version: api.map(|api| api.version.clone()),
        supported_until: api.and_then(|api| api.supported_until),
        mode: rules.mode.name(),
        share: rules.share.map(crate::plan::connector::Percent::get),
        faults: faults.any().then(|| FaultFacts {
            latency_seconds: faults.latency.as_ref().map(Duration::as_secs_f64),
            errors: faults.errors.map(|share| share.get()),
            malformed: faults.malformed.map(|share| share.get()),
            resets: faults.resets.map(|share| share.get()),
        }),
        limits: policies.filter(|_| http.is_some()).map(|policies| LimitFacts {
            timeout_seconds: policies.timeout.as_secs_f64(),
            attempts: policies.backoff.attempts().get(),
            concurrent: policies.concurrent.get(),
            requests: policies.rate.map(|(requests, _)| requests.get()),
            per_seconds: policies.rate.map(|(_, per)| per.as_secs_f64()),
            queue: policies.queue,
            budget: policies.budget.share.get(),
            budget_floor: policies.budget.floor,
            hedge_seconds: policies.hedge.map(|after| match after {
                HedgeAfter::Span(span) => Some(span.as_secs_f64()),
                HedgeAfter::P95 => None,
            }),
        }),
        breaker: rules.patience.breaker.map(breaker),
        sender: rules
            .patience
            .sender
            .map(|rate| SenderFacts { calls: rate.calls.get(), per_seconds: rate.per.as_secs_f64() }),
        staged: Vec::new(),
        operations: connector.operations.values().map(operation).collect(),
    }
}

/// What there is to see of a breaker.
pub(super) fn breaker(rules: BreakerRules) -> BreakerFacts {
    BreakerFacts {
        window_seconds: rules.window.as_secs_f64(),
        calls: rules.calls.get(),
        failures: rules.failures.get(),
        slow: rules.slow.get(),
        slow_seconds: rules.slow_after.as_secs_f64(),
        rest_seconds: rules.rest.as_secs_f64(),
        probes: rules.probes.get(),
    }
}

/// How long the answers of an operation are kept.
pub(super) fn keep(operation: &Operation, rules: &Rules, profiles: Keep) -> Option<Keep> {
    match rules.patience.keeping.rule(operation)? {
        CacheRule::Profiles => Some(profiles),
        CacheRule::Own(keep) => Some(keep),
    }
}

const MEMORY: &str = "memory";

/// The host of a connection, or the file of its database; none when that cannot be told without a secret or a setting that is
/// missing.
pub(super) fn address(connection: &Connection) -> Option<String> {
    let mut settings = filled(&connection.connector, &connection.settings);
    for (_, value) in &mut settings {
        value.take_if(|value| matches!(value, SettingValue::Secret(_)));
    }
    let missing = |name: &String| settings.get(name).is_none_or(Option::is_none);
    let choice = connection.connector.choice();
    let chosen = choice.and_then(|choice| match settings.get(&choice.by) {
        Some(Some(SettingValue::Text(value))) => choice.of(value),
        _ => None,
    });
    let needed = |name: &str| choice.is_none_or(|choice| choice.needs(name, chosen));
    if connection.connector.settings.iter().any(|it| it.required && !it.secret && needed(&it.name) && missing(&it.name)) {
        return None;
    }
    match &connection.connector.system {
        System::Http(system) => http::host(system, &settings, &connection.rules),
        System::Sql(system) => match Place::of(system, &settings).ok()? {
            Place::Memory => Some(MEMORY.to_owned()),
            Place::File(path) => Some(path.display().to_string()),
            Place::Server { main, .. } => main.host(),
        },
    }
}
