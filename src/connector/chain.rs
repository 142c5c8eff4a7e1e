//! What stands between a connection and its system: how often, how long and how patiently it is asked.
//!
//! A request passes these in this order: repeats (by `retry`, in `http::exchange`, as far as the budget here goes) → a second
//! request beside a slow read → breaker → limits → the attempt's time → sending. No lock is held while anything is waited for,
//! and every permit is a guard, so that a call that is given up leaves nothing behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::Timelike as _;
use serde::Serialize;
use tokio::time::Instant;

use crate::fault::{Class, Fault, Outcome};
use crate::name::ConnectionName;
use crate::plan::connector::{Connection, Policies};
use crate::resilience::{Breaker, BreakerState, Budget, Change, Full, Hedge, Limits, Pass, Senders, Shut, Won, hedged};
use crate::telemetry::{BreakerChanged, Hedged, HeldBack, Retried, breaker_made};
use crate::time::{Clock, Deadline};

/// The policies of one connection, at work.
pub(super) struct Chain {
    connection: ConnectionName,
    policies: Policies,
    clock: Arc<dyn Clock>,
    breaker: Option<Breaker>,
    budget: Budget,
    limits: Limits,
    hedge: Option<Hedge>,
    senders: Option<Senders>,
    retries: AtomicU64,
    hedges: AtomicU64,
    held_back: AtomicU64,
}

/// How an attempt ended that did not end well.
#[derive(Debug)]
pub(super) struct Stopped {
    /// The fault.
    pub(super) fault: Fault,
    /// Whether and by what it was held back before anything was sent.
    pub(super) held: Option<Held>,
}

/// What held an attempt back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The breaker: the system is down.
    Breaker,
    /// A limit: the system is asked enough.
    Limit,
}

/// What operators see of a breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakerHealth {
    /// `closed`, `probing` or `open`.
    pub state: &'static str,
    /// Until when the system is left alone, where it is.
    pub until: Option<chrono::DateTime<chrono::Utc>>,
}

/// What operators see of what was repeated and held back since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spared {
    /// How many requests were repeats.
    pub retries: u64,
    /// How many second requests were made beside slow reads.
    pub hedges: u64,
    /// How many requests and calls were not made, by breaker, budget and limits.
    pub held_back: u64,
}

impl Chain {
    /// Of a connection that has called nothing yet.
    ///
    /// # Errors
    /// When its policies make no sense together.
    pub(super) fn new(connection: &Connection, clock: &Arc<dyn Clock>) -> Result<Self, String> {
        let policies = Policies::of(&connection.connector, &connection.rules)?;
        let (name, clock) = (connection.name.clone(), Arc::clone(clock));
        let breaker = policies.breaker.map(|rules| {
            breaker_made(&name);
            let connection = name.clone();
            Breaker::new(rules, move |change| changed(&connection, change))
        });
        Ok(Self {
            connection: name,
            policies,
            clock,
            breaker,
            budget: Budget::new(policies.budget),
            limits: Limits::new(policies.concurrent, policies.queue, policies.rate),
            hedge: policies.hedge.map(Hedge::new),
            senders: policies.sender.map(Senders::new),
            retries: AtomicU64::new(0),
            hedges: AtomicU64::new(0),
            held_back: AtomicU64::new(0),
        })
    }

    /// The policies.
    pub(super) const fn policies(&self) -> &Policies {
        &self.policies
    }

    /// One attempt; `patience` is until when it waits for a place.
    ///
    /// # Errors
    /// How it ended, and whether anything was sent.
    pub(super) async fn attempt<T, F>(
        &self,
        until: Deadline,
        patience: Deadline,
        send: impl FnOnce(Deadline) -> F,
    ) -> Result<T, Stopped>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        // Breaker: before the limits, so that nobody waits in a queue for a system that is down.
        let mut pass = match &self.breaker {
            Some(breaker) => Some(breaker.admit().map_err(|shut| self.shut(shut))?),
            None => None,
        };
        // Limits: after the breaker, which must not take a wait for a place for slowness; a request that would come too late
        // is not made.
        let permit = self.limits.admit(patience).await.map_err(|full| self.full(&full))?;
        if let Some(pass) = &mut pass {
            pass.sent();
        }
        // The attempt's time: shorter than the call's, so that one that hangs leaves time for another.
        let own = until.bound(self.policies.timeout);
        let ended = send(own).await;
        drop(permit);
        if let Some(pass) = pass {
            judge(pass, ended.as_ref().err(), own < until);
        }
        ended.map_err(|fault| Stopped { fault, held: None })
    }

    /// Whether a second request may be made beside a read that takes long.
    pub(super) const fn hedges(&self) -> bool {
        self.hedge.is_some()
    }

    /// An attempt of a read, and a second one beside it when the first takes long and the connection wants that.
    ///
    /// # Errors
    /// How the first ended, when neither ended well.
    pub(super) async fn raced<T, F>(&self, until: Deadline, attempt: impl Fn(Deadline) -> F) -> Result<T, Stopped>
    where
        F: Future<Output = Result<T, Stopped>>,
    {
        let Some(hedge) = &self.hedge else { return attempt(until).await };
        let begun = Instant::now();
        let held = AtomicBool::new(false);
        // A second request comes out of the same budget as a repeat, and waits for nobody's place.
        let second = || {
            let beside = || async {
                let ended = attempt(Deadline::after(Duration::ZERO)).await;
                held.store(ended.as_ref().is_err_and(|stopped| stopped.held.is_some()), Ordering::Relaxed);
                ended
            };
            self.spend().then(beside)
        };
        let after = hedge.after().unwrap_or(Duration::MAX);
        let (ended, won) = hedged(after, attempt(until), second, is_answer).await;
        if won != Won::Alone && !held.load(Ordering::Relaxed) {
            self.hedges.fetch_add(1, Ordering::Relaxed);
            Hedged { connection: &self.connection, won: won == Won::Second }.emit();
        }
        if ended.is_ok() {
            hedge.took(begun.elapsed());
        }
        ended
    }

    /// Counts the first attempt of a request, which repeats are measured by.
    pub(super) fn begin(&self) {
        self.budget.call();
    }

    /// Takes a repeat out of the budget; false when none is left.
    pub(super) fn repeat(&self) -> bool {
        let left = self.spend();
        if left {
            self.retries.fetch_add(1, Ordering::Relaxed);
            Retried { connection: &self.connection }.emit();
        }
        left
    }

    /// Whether senders are limited.
    pub(super) const fn limits_senders(&self) -> bool {
        self.senders.is_some()
    }

    /// One more call of a sender, where their number is limited.
    ///
    /// # Errors
    /// `rate_limited`, for this sender alone.
    pub(super) fn sender(&self, sender: Option<&str>) -> Result<(), Fault> {
        let (Some(senders), Some(sender)) = (&self.senders, sender) else { return Ok(()) };
        senders.admit(sender).map_err(|wait| {
            self.held("sender");
            let text = format!("one sender asks {} more often than `limits.sender` allows", self.connection);
            let fault = Fault::new(Outcome::RateLimited, text);
            Fault { retry_after: Some(wait), too_often: true, ..fault }
        })
    }

    /// The system asked to be left alone for so long.
    pub(super) fn rest(&self, span: Duration) {
        self.limits.rest(span);
    }

    /// What its breaker does; none without one.
    pub(super) fn breaker(&self) -> Option<BreakerHealth> {
        let (state, left) = self.breaker.as_ref()?.state();
        Some(BreakerHealth { state: state.name(), until: left.and_then(|left| self.at(left)) })
    }

    /// What was repeated and held back since the start.
    pub(super) fn spared(&self) -> Spared {
        let [retries, hedges, held_back] =
            [&self.retries, &self.hedges, &self.held_back].map(|count| count.load(Ordering::Relaxed));
        Spared { retries, hedges, held_back }
    }

    fn spend(&self) -> bool {
        let left = self.budget.take();
        if !left {
            self.held("budget");
        }
        left
    }

    fn shut(&self, shut: Shut) -> Stopped {
        self.held("breaker");
        let text = match shut.wait.and_then(|wait| self.at(wait)) {
            Some(until) => {
                format!("{} is left alone until {}: its breaker is open", self.connection, until.format("%T UTC"))
            }
            None => format!("{} is left alone while its breaker probes whether it is back", self.connection),
        };
        let fault = Fault { retry_after: shut.wait, ..Fault::new(Outcome::Unavailable, text) };
        Stopped { fault, held: Some(Held::Breaker) }
    }

    fn full(&self, full: &Full) -> Stopped {
        self.held(full.by.name());
        let fault = Fault::new(Outcome::RateLimited, format!("{} is asked as much as it allows", self.connection));
        Stopped { fault: Fault { retry_after: full.wait, ..fault }, held: Some(Held::Limit) }
    }

    fn held(&self, by: &'static str) {
        self.held_back.fetch_add(1, Ordering::Relaxed);
        HeldBack { connection: &self.connection, by }.emit();
    }

    /// The time of day after so long, at the next whole second.
    fn at(&self, left: Duration) -> Option<chrono::DateTime<chrono::Utc>> {
        let at = self.clock.now().checked_add_signed(chrono::TimeDelta::from_std(left).ok()?)?;
        Some(at.with_nanosecond(0)? + chrono::TimeDelta::seconds(i64::from(at.nanosecond() > 0)))
    }
}

/// Tells the breaker how a request ended. `whole` is whether it had all the time that an attempt has.
fn judge(pass: Pass<'_>, fault: Option<&Fault>, whole: bool) {
    match fault.map(|fault| (fault.outcome, fault.retry_after)) {
        // A system that says when to come back is not down.
        Some((Outcome::Unavailable, None)) => pass.failed(),
        Some((Outcome::Timeout, _)) if whole => pass.failed(),
        // The turn was over, which says nothing of the system but how long it took by then.
        Some((Outcome::Timeout, _)) => drop(pass),
        _ => pass.answered(),
    }
}

/// Whether the system answered, if only by refusing.
fn is_answer<T>(ended: &Result<T, Stopped>) -> bool {
    let passes = |stopped: &Stopped| matches!(stopped.fault.class(), Class::Transient | Class::Exhausted);
    !ended.as_ref().is_err_and(passes)
}

fn changed(connection: &ConnectionName, change: &Change) {
    let level = match change.to {
        BreakerState::Closed => 0,
        BreakerState::Probing => 1,
        BreakerState::Open => 2,
    };
    BreakerChanged { connection, from: change.from.name(), to: change.to.name(), level, why: &change.why }.emit();
}
