//! The read cache: equal reads share one call and its answer, for as long as the operation allows.
//!
//! An answer is *fresh* at first, then *stale*: kept, but no longer handed out by [`ReadCache::read`], only by
//! [`ReadCache::last`]. That something does not exist is an answer too, kept briefly; other faults are never kept. A write
//! makes the reads it outdates unreachable at once, and a read that was under way meanwhile keeps its answer to itself.
//! Operations that are not cached must not come here at all.
//!
//! Freshness is decided here with tokio's clock. moka bounds the size; its own expiry only frees memory.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use moka::future::Cache;
use serde_json::Value;
use tokio::time::Instant;

use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};

/// How many bytes of answers are kept when legwork.yml says nothing else.
pub const CACHE_BYTES: u64 = 32 << 20;

/// How long the answers of an operation are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How long an answer is as good as new.
    pub fresh: Duration,
    /// How long, counted from its arrival as well, it may stand in when the system is down.
    pub stale: Duration,
    /// How long "there is no such thing" is believed.
    pub missing: Duration,
}

impl Keep {
    /// What customer profiles are kept for when legwork.yml says nothing else.
    pub const PROFILES: Self = Self::new(Duration::from_secs(10 * 60), Duration::from_secs(24 * 3600));

    /// Keeps answers for these times; `stale` is never less than `fresh`. Absence is believed for 30 seconds, or for
    /// `fresh` when that is shorter.
    #[must_use]
    pub const fn new(fresh: Duration, stale: Duration) -> Self {
        const BRIEFLY: Duration = Duration::from_secs(30);
        let missing = if fresh.as_nanos() < BRIEFLY.as_nanos() { fresh } else { BRIEFLY };
        let stale = if stale.as_nanos() < fresh.as_nanos() { fresh } else { stale };
        Self { fresh, stale, missing }
    }
}

/// Which read: a connection, an operation and its inputs; or a result that is composed of several. It shows no inputs when
/// printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The name of what is composed; none for one read.
    composed: Option<Arc<str>>,
    reads: Arc<[(ConnectionName, OperationName)]>,
    inputs: Arc<str>,
}

impl Key {
    /// The read of `operation` with `inputs`; the order of the inputs does not matter, nor do those that are null.
    #[must_use]
    pub fn new(connection: &ConnectionName, operation: &OperationName, inputs: &serde_json::Map<String, Value>) -> Self {
        let reads = Arc::new([(connection.clone(), operation.clone())]);
        Self { composed: None, reads, inputs: canonical(inputs) }
    }

    /// The result called `name` that is composed of `reads` with `inputs`.
    #[must_use]
    pub fn composed(name: &str, reads: &[(ConnectionName, OperationName)], inputs: &serde_json::Map<String, Value>) -> Self {
        Self { composed: Some(name.into()), reads: reads.into(), inputs: canonical(inputs) }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.composed, &*self.reads) {
            (Some(name), _) => write!(f, "{name}(…)"),
            (None, [(connection, operation), ..]) => write!(f, "{connection}.{operation}(…)"),
            (None, []) => f.write_str("nothing"),
        }
    }
}

fn canonical(inputs: &serde_json::Map<String, Value>) -> Arc<str> {
    let mut given: Vec<_> = inputs.iter().filter(|(_, value)| !value.is_null()).collect();
    given.sort_by_key(|(name, _)| *name);
    given.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>().into()
}

/// An answer, and how long ago it came from the system.
#[derive(Debug, Clone, PartialEq)]
pub struct Cached {
    /// The answer.
    pub value: Arc<Value>,
    /// Its age; zero when it came just now.
    pub age: Duration,
}

/// What a read came to.
#[derive(Debug)]
pub struct Read {
    /// The answer, or the fault.
    pub answer: Result<Cached, Fault>,
    /// Whether it was kept from an earlier call, a `not_found` included.
    pub kept: bool,
}

type Answer = Result<Arc<Value>, Fault>;
type Flight = Pin<Box<dyn Future<Output = Entry> + Send>>;
/// A read as of the writes before it: each write that outdates an operation begins a new era of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place(Key, u64);

#[derive(Clone)]
struct Entry {
    answer: Answer,
    stored: Instant,
    keep: Keep,
}

/// The read cache of a process.
pub struct ReadCache {
    entries: Cache<Place, Entry>,
    flights: Arc<Mutex<HashMap<Place, WeakShared<Flight>>>>,
    eras: Mutex<HashMap<(ConnectionName, OperationName), u64>>,
    /// How far its time is ahead of tokio's, for rehearsals.
    ahead: Arc<Mutex<Duration>>,
}

impl ReadCache {
    /// A cache that holds about `bytes` of answers.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let entries = Cache::builder().max_capacity(bytes).weigher(weight).expire_after(FreeMemory).build();
        Self { entries, flights: Arc::default(), eras: Mutex::default(), ahead: Arc::default() }
    }

    /// The fresh answer, or that of `call`, which equal reads under way share. With `refresh` a kept answer is passed over.
    ///
    /// When everybody who waits for a call has gone, the call is dropped.
    pub async fn read<C, F>(&self, key: &Key, keep: Keep, refresh: bool, call: C) -> Read
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<Value, Fault>> + Send + 'static,
    {
        if !refresh && let Some(answer) = self.fresh(key).await {
            return Read { answer, kept: true };
        }
        let place = self.place(key);
        let flight = self.flight(&place, keep, call);
        let landing = Landing { flights: Arc::clone(&self.flights), place };
        let entry = flight.await;
        if entry.is_worth_keeping() {
            self.entries.insert(landing.place.clone(), entry.clone()).await;
        }
        drop(landing);
        Read { answer: entry.handed_out(self.now()), kept: false }
    }

    /// The fresh answer; none when it has to be asked for.
    pub async fn fresh(&self, key: &Key) -> Option<Result<Cached, Fault>> {
        let entry = self.entries.get(&self.place(key)).await.filter(|entry| entry.is_fresh(self.now()))?;
        Some(entry.handed_out(self.now()))
    }

    /// The fresh answer of a place; none when it has to be made.
    pub async fn fresh_at(&self, place: &Place) -> Option<Cached> {
        let entry = self.entries.get(place).await.filter(|entry| entry.is_fresh(self.now()))?;
        entry.handed_out(self.now()).ok()
    }

    /// Keeps an answer that is `age` old already, in a place that was taken before it was made: what a write has outdated
    /// meanwhile is never found.
    pub async fn keep(&self, place: Place, value: Value, age: Duration, keep: Keep) {
        let Some(stored) = self.now().checked_sub(age) else { return };
        self.entries.insert(place, Entry { answer: Ok(Arc::new(value)), stored, keep }).await;
    }

    /// The last answer that is not older than its `stale` time, for when the system is down. Never a `not_found`.
    pub async fn last(&self, key: &Key) -> Option<Cached> {
        let entry = self.entries.get(&self.place(key)).await?;
        let kept = entry.answer.is_ok() && entry.age(self.now()) <= entry.keep.stale;
        kept.then(|| entry.handed_out(self.now()).ok()).flatten()
    }

    /// Makes every kept answer of these operations unreachable, also those of reads that are under way.
    pub fn outdate<'a>(&self, connection: &ConnectionName, operations: impl IntoIterator<Item = &'a OperationName>) {
        let mut eras = locked(&self.eras);
        for operation in operations {
            *eras.entry((connection.clone(), operation.clone())).or_default() += 1;
        }
    }

    /// Makes everything that is kept older, as if so much time had passed.
    pub fn grow_older(&self, by: Duration) {
        *locked(&self.ahead) += by;
    }

    fn now(&self) -> Instant {
        now(&self.ahead)
    }

    /// The call under way, or a new one. A call that nobody waits for any more cannot be joined.
    fn flight<C, F>(&self, place: &Place, keep: Keep, call: C) -> Shared<Flight>
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<Value, Fault>> + Send + 'static,
    {
        let mut flights = locked(&self.flights);
        if let Some(flight) = flights.get(place).and_then(WeakShared::upgrade) {
            return flight;
        }
        let answer = call();
        let ahead = Arc::clone(&self.ahead);
        let flight: Flight =
            Box::pin(async move { Entry { answer: answer.await.map(Arc::new), stored: now(&ahead), keep } });
        let flight = flight.shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(place.clone(), weak);
        }
        flight
    }

    /// Where the answer to a read is kept, as of the writes so far.
    #[must_use]
    pub fn place(&self, key: &Key) -> Place {
        let eras = locked(&self.eras);
        // Eras only grow, so their sum changes with any of them.
        Place(key.clone(), key.reads.iter().filter_map(|read| eras.get(read)).sum())
    }
}

impl Entry {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.stored)
    }

    fn is_fresh(&self, now: Instant) -> bool {
        let span = if self.answer.is_ok() { self.keep.fresh } else { self.keep.missing };
        self.age(now) < span
    }

    fn is_worth_keeping(&self) -> bool {
        self.answer.as_ref().map_or_else(|fault| fault.outcome == Outcome::NotFound, |_| true)
    }

    fn handed_out(self, now: Instant) -> Result<Cached, Fault> {
        let age = self.age(now);
        self.answer.map(|value| Cached { value, age })
    }
}

/// Takes a call off the list once it has ended, or once the last who waited has gone.
struct Landing {
    flights: Arc<Mutex<HashMap<Place, WeakShared<Flight>>>>,
    place: Place,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = locked(&self.flights);
        let under_way = flights.get(&self.place).and_then(WeakShared::upgrade).is_some_and(|flight| flight.peek().is_none());
        if !under_way {
            flights.remove(&self.place);
        }
    }
}

/// Frees what nobody may be told any more; by moka's own clock, so it decides nothing.
struct FreeMemory;

impl moka::Expiry<Place, Entry> for FreeMemory {
    fn expire_after_create(&self, _: &Place, entry: &Entry, _: std::time::Instant) -> Option<Duration> {
        Some(entry.keep.stale)
    }

    fn expire_after_update(&self, _: &Place, entry: &Entry, _: std::time::Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.keep.stale)
    }
}

fn weight(Place(key, _): &Place, entry: &Entry) -> u32 {
    const OVERHEAD: usize = 200;
    let value = entry.answer.as_ref().map_or(0, |value| size(value));
    u32::try_from(OVERHEAD + key.inputs.len() + value).unwrap_or(u32::MAX)
}

/// About how many bytes a value takes in memory.
fn size(value: &Value) -> usize {
    const NODE: usize = 32;
    match value {
        Value::String(text) => NODE + text.len(),
        Value::Array(items) => NODE + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => {
            NODE + entries.iter().map(|(key, value)| 2 * NODE + key.len() + size(value)).sum::<usize>()
        }
        _ => NODE,
    }
}

fn now(ahead: &Mutex<Duration>) -> Instant {
    Instant::now() + *locked(ahead)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
