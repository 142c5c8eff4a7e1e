//! The read cache: equal reads share one call and its answer, for as long as the operation allows.
//!
//! An answer is *fresh* at first, then *stale*: kept, but no longer handed out by [`ReadCache::read`], only by
//! [`ReadCache::last`]. That something does not exist is an answer too, kept briefly; other faults are never kept. A write
//! makes the reads it outdates unreachable at once, and a read that was under way meanwhile keeps its answer to itself.
//! Operations that are not cached must not come here at all.
//!
//! Freshness is decided here with tokio's clock. moka bounds the size; its own expiry only frees memory.
//!
//! Behind what this process keeps there may be a [`SecondLevel`] that several share (`behind`). It is looked at when nothing
//! is fresh here, and every ten seconds for what is; what it has counts only while its generations are those of now. Absence
//! and what is under way stay here.

mod behind;
mod flights;
mod key;

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use moka::future::Cache;
use serde_json::Value;
use tokio::time::Instant;

use self::behind::{Behind, Found, Second, Sight, Since, Stamp, since};
use self::flights::Flights;
pub use self::key::{Key, ReadOf};
use super::SecondLevel;
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::telemetry::StoreState;
use crate::time::Clock;

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
type Eras = Mutex<HashMap<ReadOf, u64>>;

/// A read as of the writes before it: each write that outdates an operation begins a new era of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct At(Key, u64);

/// Where the answer to a read is kept, as of the writes before it was taken.
#[derive(Debug, Clone)]
pub struct Place {
    at: At,
    /// As of which writes elsewhere, once that is known.
    stamp: Arc<OnceLock<Stamp>>,
    /// What had been forgotten by then.
    begun: u64,
}

#[derive(Clone)]
struct Entry {
    answer: Answer,
    stored: Instant,
    keep: Keep,
    /// The generations that it belongs to; none when they were not to be had.
    stamp: Option<Stamp>,
    /// When these were last seen to be those of now.
    seen: Instant,
    /// What had been forgotten when it was asked for.
    begun: u64,
}

/// What is known before a call.
struct Known {
    /// A fresh answer.
    fresh: Option<Entry>,
    /// The generations of now; none when they are not to be had.
    stamp: Option<Stamp>,
}

/// How long what is kept here is believed without a look at the second level. Of what other processes outdate this one hears
/// at once; this is how long it takes when it did not hear.
const BELIEVED: Duration = Duration::from_secs(10);

/// How many answers are looked into before others get their turn.
const AT_ONCE: usize = 256;

/// The read cache of a process.
pub struct ReadCache {
    entries: Cache<At, Entry>,
    calls: Flights<At, Entry>,
    looks: Flights<At, Sight>,
    eras: Arc<Eras>,
    behind: Option<Behind>,
    /// How often something was forgotten.
    forgotten: Arc<AtomicU64>,
    /// How far its time is ahead of tokio's, for rehearsals.
    ahead: Arc<Mutex<Duration>>,
}

impl ReadCache {
    /// A cache that holds about `bytes` of answers.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        let entries = Cache::builder().max_capacity(bytes).weigher(weight).expire_after(FreeMemory).build();
        let (calls, looks) = (Flights::default(), Flights::default());
        let (eras, forgotten, ahead) = (Arc::default(), Arc::default(), Arc::default());
        Self { entries, calls, looks, eras, behind: None, forgotten, ahead }
    }

    /// The same with a level behind it that other processes share, from which `clock` tells how old an answer is. Needs a
    /// runtime.
    #[must_use]
    pub fn in_front_of(self, level: Arc<dyn SecondLevel>, clock: Arc<dyn Clock>) -> Self {
        let eras = Arc::clone(&self.eras);
        let outdated = move |reads: &[ReadOf]| begin_eras(&eras, reads.iter().cloned());
        let forgotten = Arc::clone(&self.forgotten);
        Self { behind: Some(Behind::new(level, clock, forgotten, outdated)), ..self }
    }

    /// Another way to what is kept here, without the level behind it: what is outdated or forgotten by one is so by the other.
    #[must_use]
    pub fn beside(&self) -> Self {
        let (entries, eras) = (self.entries.clone(), Arc::clone(&self.eras));
        let (forgotten, ahead) = (Arc::clone(&self.forgotten), Arc::clone(&self.ahead));
        Self { entries, calls: Flights::default(), looks: Flights::default(), eras, behind: None, forgotten, ahead }
    }

    /// Whether the second level is there, and since when; none where there is no such level.
    #[must_use]
    pub fn second_level(&self) -> Option<StoreState> {
        self.behind.as_ref().map(|behind| behind.second.watch().state())
    }

    /// Waits until the second level knows what was outdated here, for a second at most.
    pub async fn settled(&self) {
        if let Some(behind) = &self.behind {
            behind.second.settled().await;
        }
    }

    /// The fresh answer, or that of `call`, which equal reads under way share. With `refresh` a kept answer is passed over.
    ///
    /// When everybody who waits for a call has gone, the call is dropped.
    pub async fn read<C, F>(&self, key: &Key, keep: Keep, refresh: bool, call: C) -> Read
    where
        C: FnOnce() -> F,
        F: Future<Output = Result<Value, Fault>> + Send + 'static,
    {
        let at = self.at(key);
        let known = self.known(&at, refresh).await;
        if let Some(entry) = known.fresh {
            return Read { answer: entry.handed_out(self.now()), kept: true };
        }
        let begin = || self.called(&at, known.stamp, keep, call());
        let (entry, landing) = self.calls.join(&at, begin).await;
        if entry.is_worth_keeping() {
            self.insert(at.clone(), entry.clone()).await;
        }
        drop(landing);
        Read { answer: entry.handed_out(self.now()), kept: false }
    }

    /// The fresh answer; none when it has to be asked for.
    pub async fn fresh(&self, key: &Key) -> Option<Result<Cached, Fault>> {
        Some(self.known(&self.at(key), false).await.fresh?.handed_out(self.now()))
    }

    /// Where the answer to a read is kept, as of the writes so far.
    #[must_use]
    pub fn place(&self, key: &Key) -> Place {
        Place { at: self.at(key), stamp: Arc::default(), begun: self.forgotten() }
    }

    /// The fresh answer of a place; none when it has to be made.
    pub async fn fresh_at(&self, place: &Place) -> Option<Cached> {
        let Known { fresh, stamp } = self.known(&place.at, false).await;
        if let Some(stamp) = stamp {
            let _ = place.stamp.set(stamp);
        }
        fresh?.handed_out(self.now()).ok()
    }

    /// Keeps an answer that is `age` old already, in a place that was taken before it was made: what a write has outdated
    /// meanwhile is never found. Other processes find it only where the place was asked for a fresh answer before.
    pub async fn keep(&self, place: Place, value: Value, age: Duration, keep: Keep) {
        let Place { at, stamp, begun } = place;
        let (now, value) = (self.now(), Arc::new(value));
        let stamp = stamp.get().cloned();
        if let (Some(second), Some(stamp)) = (self.second(&at.0), &stamp) {
            second.put(&at.0, Arc::clone(stamp), begun, Arc::clone(&value), age, keep);
        }
        let Some(stored) = now.checked_sub(age) else { return };
        self.insert(at, Entry { answer: Ok(value), stored, keep, stamp, seen: now, begun }).await;
    }

    /// Forgets the answers of which `whose` says so, by their reads and by what they say; how many those were. What is being
    /// asked for meanwhile is not kept, whatever it comes to. The second level, which cannot be looked into, is emptied.
    pub async fn forget(&self, whose: impl Fn(&Key, Option<&Value>) -> bool) -> usize {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        if let Some(behind) = &self.behind {
            behind.second.empty();
        }
        let mut count = 0;
        for (number, (at, entry)) in self.entries.iter().enumerate() {
            if number % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            if whose(&at.0, entry.answer.as_deref().ok()) {
                self.entries.invalidate(&*at).await;
                count += 1;
            }
        }
        count
    }

    /// The last answer that is not older than its `stale` time, for when the system is down. Never a `not_found`.
    pub async fn last(&self, key: &Key) -> Option<Cached> {
        let at = self.at(key);
        let stands_in = |entry: &Entry| entry.answer.is_ok() && entry.age(self.now()) <= entry.keep.stale;
        let mut entry = self.entries.get(&at).await.filter(stands_in);
        if entry.is_none()
            && let Some(second) = self.second(key)
            && let Sight::Reached { stamp, found } = self.look(&at, second).await
        {
            entry = found.and_then(|found| self.entry(found, &stamp, self.forgotten())).filter(stands_in);
        }
        entry?.handed_out(self.now()).ok()
    }

    /// Makes every kept answer of these operations unreachable, also those of reads that are under way; those of other
    /// processes as soon as they hear of it.
    pub fn outdate<'a>(&self, connection: &ConnectionName, operations: impl IntoIterator<Item = &'a OperationName>) {
        let reads: Vec<_> = operations.into_iter().map(|operation| (connection.clone(), operation.clone())).collect();
        begin_eras(&self.eras, reads.iter().cloned());
        if let Some(behind) = self.behind.as_ref().filter(|_| !reads.is_empty()) {
            behind.second.outdate(reads.into_iter());
        }
    }

    /// Makes everything that is kept older, as if so much time had passed.
    pub fn grow_older(&self, by: Duration) {
        *locked(&self.ahead) += by;
    }

    fn now(&self) -> Instant {
        now(&self.ahead)
    }

    fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::SeqCst)
    }

    /// Keeps an answer, unless something was forgotten since it was asked for.
    async fn insert(&self, at: At, entry: Entry) {
        let begun = entry.begun;
        if begun == self.forgotten() {
            self.entries.insert(at.clone(), entry).await;
            // It may have come too late to be met by whoever forgets just now.
            if begun != self.forgotten() {
                self.entries.invalidate(&at).await;
            }
        }
    }

    fn at(&self, key: &Key) -> At {
        let eras = locked(&self.eras);
        // Eras only grow, so their sum changes with any of them.
        At(key.clone(), key.reads.iter().filter_map(|read| eras.get(read)).sum())
    }

    /// The second level, for reads that other processes share.
    fn second(&self, key: &Key) -> Option<&Arc<Second>> {
        self.behind.as_ref().filter(|_| key.shared && !key.reads.is_empty()).map(|behind| &behind.second)
    }

    async fn look(&self, at: &At, second: &Arc<Second>) -> Sight {
        let (second, key) = (Arc::clone(second), at.0.clone());
        self.looks.join(at, || async move { second.look(&key).await }).await.0
    }

    /// What is known of a read: a fresh answer, unless those are passed over, and as of which writes it would be asked for.
    async fn known(&self, at: &At, past: bool) -> Known {
        let begun = self.forgotten();
        let local = self.entries.get(at).await;
        let fresh = |entry: &Entry| !past && entry.is_fresh(self.now());
        let believed = |entry: &Entry| self.now().saturating_duration_since(entry.seen) < BELIEVED;
        let Some(second) = self.second(&at.0) else { return Known { fresh: local.filter(fresh), stamp: None } };
        if let Some(entry) = local.as_ref().filter(|entry| fresh(entry) && believed(entry)) {
            return Known { fresh: Some(entry.clone()), stamp: entry.stamp.clone() };
        }
        let Sight::Reached { stamp, found } = self.look(at, second).await else {
            // Nobody can say now whether something was written elsewhere: it is as good as without a second level.
            return Known { fresh: local.filter(fresh), stamp: None };
        };
        let found = found.and_then(|found| self.entry(found, &stamp, begun));
        let newer = |found: &Entry| local.as_ref().is_none_or(|local| found.stored > local.stored);
        let then = local.as_ref().and_then(|entry| entry.stamp.as_ref()).map(|then| since(then, &stamp));
        let entry = match (then, found.filter(newer)) {
            (Some(Since::Written), found) => {
                // What was written elsewhere, and not heard of. Only what is asked for from here on is kept here.
                begin_eras(&self.eras, at.0.reads.iter().cloned());
                return Known { fresh: found.filter(fresh), stamp: Some(stamp) };
            }
            (_, Some(found)) => Some(found),
            (Some(Since::Nothing), None) => local.map(|local| Entry { seen: self.now(), ..local }),
            // As far as anybody knows now, something may have been written since: it may stand in, and no more.
            (Some(Since::Forgotten) | None, None) => None,
        };
        if let Some(entry) = &entry {
            self.insert(at.clone(), entry.clone()).await;
        }
        Known { fresh: entry.filter(fresh), stamp: Some(stamp) }
    }

    /// An answer of the second level as one of this.
    fn entry(&self, Found { value, age, keep }: Found, stamp: &Stamp, begun: u64) -> Option<Entry> {
        let (now, stamp) = (self.now(), Some(Arc::clone(stamp)));
        Some(Entry { answer: Ok(value), stored: now.checked_sub(age)?, keep, stamp, seen: now, begun })
    }

    /// A call, whose answer is put into the second level as well.
    fn called<F>(&self, at: &At, stamp: Option<Stamp>, keep: Keep, call: F) -> impl Future<Output = Entry> + Send + 'static
    where
        F: Future<Output = Result<Value, Fault>> + Send + 'static,
    {
        let (key, second, ahead) = (at.0.clone(), self.second(&at.0).cloned(), Arc::clone(&self.ahead));
        let begun = self.forgotten();
        async move {
            let answer = call.await.map(Arc::new);
            if let (Some(second), Some(stamp), Ok(value)) = (second, &stamp, &answer) {
                second.put(&key, Arc::clone(stamp), begun, Arc::clone(value), Duration::ZERO, keep);
            }
            let now = now(&ahead);
            Entry { answer, stored: now, keep, stamp, seen: now, begun }
        }
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

/// Frees what nobody may be told any more; by moka's own clock, so it decides nothing.
struct FreeMemory;

impl moka::Expiry<At, Entry> for FreeMemory {
    fn expire_after_create(&self, _: &At, entry: &Entry, _: std::time::Instant) -> Option<Duration> {
        Some(entry.keep.stale)
    }

    fn expire_after_update(&self, _: &At, entry: &Entry, _: std::time::Instant, _: Option<Duration>) -> Option<Duration> {
        Some(entry.keep.stale)
    }
}

fn weight(At(key, _): &At, entry: &Entry) -> u32 {
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

fn begin_eras(eras: &Eras, reads: impl Iterator<Item = ReadOf>) {
    let mut eras = locked(eras);
    for read in reads {
        *eras.entry(read).or_default() += 1;
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
