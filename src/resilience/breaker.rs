//! The breaker: leaves a system alone that fails or is too slow most of the time, and tries a few calls before it trusts it
//! again.
//!
//! *Closed* lets everything through and counts. *Open* refuses everything at once for a while. *Probing* lets a few through
//! and refuses the rest. What counts as a failure is for the caller to say. A [`Pass`] is a guard: one that is dropped without
//! a verdict gives a probe's place back, and says nothing but that it took long, where it did.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::share::Share;
use super::window::Window;

/// When a breaker opens and closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerRules {
    /// What is looked back over.
    pub window: Duration,
    /// Fewer calls than that in the window say nothing.
    pub calls: NonZeroU32,
    /// It opens when so many of them failed.
    pub failures: Share,
    /// A call that takes as long is slow.
    pub slow_after: Duration,
    /// It opens when so many of them were slow.
    pub slow: Share,
    /// How long it stays open.
    pub rest: Duration,
    /// How many calls are tried then, all of which have to end well.
    pub probes: NonZeroU32,
}

impl Default for BreakerRules {
    /// Half of at least ten calls in 30 seconds failed, or eight of ten took 10 seconds; 10 seconds of rest, three probes.
    fn default() -> Self {
        const CALLS: NonZeroU32 = NonZeroU32::new(10).unwrap();
        const PROBES: NonZeroU32 = NonZeroU32::new(3).unwrap();
        Self {
            window: Duration::from_secs(30),
            calls: CALLS,
            failures: Share::of(50),
            slow_after: Duration::from_secs(10),
            slow: Share::of(80),
            rest: Duration::from_secs(10),
            probes: PROBES,
        }
    }
}

/// What a breaker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// It lets everything through.
    Closed,
    /// It lets a few through, to see whether the system is back.
    Probing,
    /// It lets nothing through.
    Open,
}

impl BreakerState {
    /// The name in logs, metrics and pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Probing => "probing",
            Self::Open => "open",
        }
    }
}

/// A change of what a breaker does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it did.
    pub from: BreakerState,
    /// What it does now.
    pub to: BreakerState,
    /// Why, for operators.
    pub why: String,
}

/// A call that is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shut {
    /// After what time the system is tried again; none while it is being tried.
    pub wait: Option<Duration>,
}

/// The breaker of one system.
pub struct Breaker {
    rules: BreakerRules,
    inner: Mutex<Inner>,
    told: Box<dyn Fn(&Change) + Send + Sync>,
}

struct Inner {
    state: State,
    /// Calls, failures and slow ones.
    window: Window<3>,
    /// Grows with every change: a call that began before one has no say after it.
    era: u64,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Closed,
    Open { until: Instant },
    Probing { running: u32, good: u32 },
}

/// The right to one call, until its verdict or until it is dropped.
pub struct Pass<'a> {
    breaker: &'a Breaker,
    era: u64,
    sent: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Good,
    Failed,
    /// It was given up, however it would have ended.
    Unknown,
}

impl Breaker {
    /// Closed, with nothing counted. `told` hears of every change, in order; it must not ask the breaker anything.
    #[must_use]
    pub fn new(rules: BreakerRules, told: impl Fn(&Change) + Send + Sync + 'static) -> Self {
        let inner = Inner { state: State::Closed, window: Window::new(rules.window), era: 0 };
        Self { rules, inner: Mutex::new(inner), told: Box::new(told) }
    }

    /// Lets a call through, or not; never waits.
    ///
    /// # Errors
    /// When the system is left alone.
    pub fn admit(&self) -> Result<Pass<'_>, Shut> {
        let mut inner = self.inner();
        if let State::Open { until } = inner.state {
            let left = until.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Err(Shut { wait: Some(left) });
            }
            self.change(&mut inner, State::Probing { running: 0, good: 0 }, "its rest is over".to_owned());
        }
        if let State::Probing { running, good } = &mut inner.state {
            if *running + *good >= self.rules.probes.get() {
                return Err(Shut { wait: None });
            }
            *running += 1;
        }
        Ok(Pass { breaker: self, era: inner.era, sent: None })
    }

    /// What it does, and for how long still where it is open. One whose rest is over is about to probe.
    #[must_use]
    pub fn state(&self) -> (BreakerState, Option<Duration>) {
        match self.inner().state {
            State::Closed => (BreakerState::Closed, None),
            State::Probing { .. } => (BreakerState::Probing, None),
            State::Open { until } => match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => (BreakerState::Probing, None),
                left => (BreakerState::Open, Some(left)),
            },
        }
    }

    fn ended(&self, era: u64, verdict: Verdict, took: Option<Duration>) {
        let slow = took.is_some_and(|took| took >= self.rules.slow_after);
        let mut inner = self.inner();
        if inner.era != era {
            return;
        }
        match &mut inner.state {
            State::Open { .. } => {}
            State::Closed if verdict == Verdict::Unknown && !slow => {}
            State::Closed => {
                inner.window.count([true, verdict == Verdict::Failed, slow]);
                // The first good answers of a system that is back do not shut it out.
                let bad = slow || verdict == Verdict::Failed;
                if let Some(why) = self.too_bad(inner.window.sums()).filter(|_| bad) {
                    self.open(&mut inner, why);
                }
            }
            State::Probing { running, .. } if verdict == Verdict::Unknown && !slow => *running = running.saturating_sub(1),
            State::Probing { .. } if slow || verdict == Verdict::Failed => {
                let what = if verdict == Verdict::Failed { "failed" } else { "was too slow" };
                self.open(&mut inner, format!("a probe {what}"));
            }
            State::Probing { running, good } => {
                *running = running.saturating_sub(1);
                *good += 1;
                if *good >= self.rules.probes.get() {
                    inner.window.clear();
                    self.change(&mut inner, State::Closed, "all probes ended well".to_owned());
                }
            }
        }
    }

    /// Why what happened lately is too bad to go on.
    fn too_bad(&self, [calls, failed, slow]: [u32; 3]) -> Option<String> {
        if calls < self.rules.calls.get() {
            return None;
        }
        if self.rules.failures.reached(failed, calls) {
            return Some(format!("{failed} of {calls} calls failed"));
        }
        let slow_after = self.rules.slow_after;
        self.rules.slow.reached(slow, calls).then(|| format!("{slow} of {calls} calls took {slow_after:?} or longer"))
    }

    fn open(&self, inner: &mut Inner, why: String) {
        self.change(inner, State::Open { until: Instant::now() + self.rules.rest }, why);
    }

    fn change(&self, inner: &mut Inner, to: State, why: String) {
        let change = Change { from: inner.state.name(), to: to.name(), why };
        inner.state = to;
        inner.era += 1;
        (self.told)(&change);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Breaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breaker").field("rules", &self.rules).field("state", &self.state()).finish_non_exhaustive()
    }
}

impl State {
    const fn name(self) -> BreakerState {
        match self {
            Self::Closed => BreakerState::Closed,
            Self::Open { .. } => BreakerState::Open,
            Self::Probing { .. } => BreakerState::Probing,
        }
    }
}

impl Pass<'_> {
    /// The call begins now: what it waited for before is no fault of the system.
    pub fn sent(&mut self) {
        self.sent = Some(Instant::now());
    }

    /// The system answered, whatever it said.
    pub fn answered(mut self) {
        self.end(Verdict::Good);
    }

    /// The system failed.
    pub fn failed(mut self) {
        self.end(Verdict::Failed);
    }

    fn end(&mut self, verdict: Verdict) {
        let took = self.sent.take().map(|sent| sent.elapsed());
        self.breaker.ended(self.era, verdict, took);
        // Its verdict is given; an era that never comes lets the drop say nothing.
        self.era = u64::MAX;
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.end(Verdict::Unknown);
    }
}

#[cfg(test)]
mod tests;
