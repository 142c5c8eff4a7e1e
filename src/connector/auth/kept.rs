//! Something that is fetched, kept until shortly before its end, and fetched anew: by one at a time, for all who wait.
//!
//! A fetch belongs to nobody: it goes on when those who wait for it have gone, so that what a system has given away only
//! once is not lost. Every one of them waits by its own deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt as _, Shared};
use tokio::time::timeout_at;

use crate::fault::{Fault, Outcome};
use crate::time::{Clock, Deadline};

/// How long before its end something is fetched anew, at most.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a renewal that failed is not tried again while what is kept is still good.
const HOLD_OFF: Duration = Duration::from_secs(5);
/// For how long a refusal is taken to be about what was there before. No request takes longer to be refused.
const GRACE: Duration = Duration::from_secs(15);

/// What came of a fetch.
pub(super) struct Fetched<T> {
    pub(super) value: T,
    /// How long it is good; none for until it is refused.
    pub(super) lifetime: Option<Duration>,
}

/// A fetch that is to be made.
pub(super) type Fetch<T> = BoxFuture<'static, Result<Fetched<T>, Fault>>;

type Flight<T> = Shared<BoxFuture<'static, Result<Arc<T>, Fault>>>;

pub(super) struct Kept<T> {
    state: Arc<Mutex<State<T>>>,
    clock: Arc<dyn Clock>,
}

struct State<T> {
    current: Option<Held<T>>,
    flight: Option<Flight<T>>,
    /// Before this, no renewal while what is kept is good.
    not_before: Option<DateTime<Utc>>,
    /// Whether there was one already.
    had_one: bool,
    /// Before this, a refusal is about the one before.
    grace_until: Option<DateTime<Utc>>,
}

struct Held<T> {
    value: Arc<T>,
    renew_at: Option<DateTime<Utc>>,
    ends_at: Option<DateTime<Utc>>,
}

impl<T: Send + Sync + 'static> Kept<T> {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let state = State { current: None, flight: None, not_before: None, had_one: false, grace_until: None };
        Self { state: Arc::new(Mutex::new(state)), clock }
    }

    /// What is kept; fetched when there is none, and anew when it is about to end.
    ///
    /// # Errors
    /// Why the fetch failed, or `timeout` when it has not come back by `until`.
    pub(super) async fn get(&self, until: Deadline, fetch: impl FnOnce() -> Fetch<T>) -> Result<Arc<T>, Fault> {
        let flight = {
            let now = self.clock.now();
            let mut state = lock(&self.state);
            let (good, due) = state.current.as_ref().map_or((None, true), |held| held.at(now));
            match good {
                Some(value) => {
                    if due && state.not_before.is_none_or(|at| now >= at) {
                        drop(self.fly(&mut state, fetch));
                    }
                    return Ok(value);
                }
                None => self.fly(&mut state, fetch),
            }
        };
        let late = || Err(Fault::new(Outcome::Timeout, "the fetch of a token has not come back in time"));
        timeout_at(until.instant(), flight).await.unwrap_or_else(|_| late())
    }

    /// Takes note that a system refuses what it was shown; what is kept is dropped, unless it has only just taken the
    /// place of what was most likely shown.
    pub(super) fn refuse(&self) {
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if state.grace_until.is_none_or(|until| now >= until) {
            state.current = None;
        }
    }

    /// Drops what is kept when it is not of use.
    pub(super) fn retain(&self, useful: impl FnOnce(&T) -> bool) {
        let mut state = lock(&self.state);
        if state.current.as_ref().is_some_and(|held| !useful(&held.value)) {
            state.current = None;
        }
    }

    /// The fetch that is under way, or else this one.
    fn fly(&self, state: &mut State<T>, fetch: impl FnOnce() -> Fetch<T>) -> Flight<T> {
        if let Some(flight) = &state.flight {
            return flight.clone();
        }
        let (fetch, shared, clock) = (fetch(), Arc::clone(&self.state), Arc::clone(&self.clock));
        let task = tokio::spawn(async move {
            let fetched = fetch.await;
            lock(&shared).land(fetched, clock.now())
        });
        let shared = Arc::clone(&self.state);
        let flight = async move {
            task.await.unwrap_or_else(|_| {
                lock(&shared).flight = None;
                Err(Fault::new(Outcome::Unexpected, "the fetch of a token broke off"))
            })
        };
        let flight = flight.boxed().shared();
        state.flight = Some(flight.clone());
        flight
    }
}

impl<T> State<T> {
    fn land(&mut self, fetched: Result<Fetched<T>, Fault>, now: DateTime<Utc>) -> Result<Arc<T>, Fault> {
        self.flight = None;
        let fetched = fetched.inspect_err(|_| self.not_before = Some(now + HOLD_OFF))?;
        let value = Arc::new(fetched.value);
        let before_end = |part: u32| {
            let lifetime = fetched.lifetime?;
            Some(now + lifetime.saturating_sub(MARGIN.min(lifetime / 10) / part))
        };
        self.current = Some(Held { value: Arc::clone(&value), renew_at: before_end(1), ends_at: before_end(2) });
        self.not_before = None;
        self.grace_until = self.had_one.then(|| now + GRACE);
        self.had_one = true;
        Ok(value)
    }
}

impl<T> Held<T> {
    /// What it is, while it is good, and whether it is about to end.
    fn at(&self, now: DateTime<Utc>) -> (Option<Arc<T>>, bool) {
        let passed = |at: Option<DateTime<Utc>>| at.is_some_and(|at| now >= at);
        ((!passed(self.ends_at)).then(|| Arc::clone(&self.value)), passed(self.renew_at))
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
