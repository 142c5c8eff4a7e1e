//! The registry of running work: a turn's work belongs to the calls that wait for it until the turn is slow, then to itself.
//!
//! Before the turn is slow, work ends when the last call that waits for it is gone. Then it is a task of its own: it runs to
//! its end, and its result waits, for a time and as far as there is room, for the call that takes it. Whether a turn is slow
//! is decided once, so that every repeat of its first call gets the same answer. Work has to end by itself and must not panic;
//! what it does and what is said is not known here.

mod kept;

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tracing::Instrument;

use self::kept::Shelf;
use super::TurnKey;
use crate::telemetry::{ResultLost, WorkRunning};

/// How much there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many turns at the same time, those included whose result waits.
    pub turns: usize,
    /// How long a result waits for the call that takes it.
    pub keep: Duration,
    /// How many bytes the results that wait may have together; the oldest make room.
    pub kept_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { turns: 20_000, keep: Duration::from_secs(120), kept_bytes: 64 << 20 }
    }
}

/// The turns that are being worked on. `T` is what work ends with. Clones are the same.
pub struct Running<T>(Arc<Registry<T>>);

impl<T> Clone for Running<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The work of each turn, with its number.
type Turns<T> = HashMap<Arc<TurnKey>, (u64, Weak<Work<T>>)>;

struct Registry<T> {
    bounds: Bounds,
    /// How many bytes a result has, roughly.
    weigh: fn(&T) -> usize,
    turns: Mutex<Turns<T>>,
    shelf: Shelf,
    ids: AtomicU64,
    /// How many turns work on by themselves.
    alone: watch::Sender<usize>,
}

/// The work of one turn. It leaves the registry when nobody holds it any more.
struct Work<T> {
    id: u64,
    key: Arc<TurnKey>,
    stamp: i64,
    slow_at: Option<Instant>,
    phase: Mutex<Phase>,
    result: Shared<BoxFuture<'static, Arc<T>>>,
    taken: AtomicBool,
    evicted: Arc<Notify>,
    registry: Arc<Registry<T>>,
}

/// What the turn's first answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Undecided,
    Result,
    Slow,
}

/// A place among those that wait for a turn's work.
pub struct Joined<T>(Arc<Work<T>>);

/// What came of entering.
pub enum Entered<T> {
    /// The turn's work began.
    Began(Joined<T>),
    /// It was there already.
    Found(Joined<T>),
    /// There is no room for another turn.
    Full,
    /// It was not to begin.
    Refused,
}

/// A turn's first answer.
#[derive(Debug, PartialEq, Eq)]
pub enum First<T> {
    /// The result.
    Result(Arc<T>),
    /// None yet: the work goes on, for a second call to join.
    Slow,
}

impl<T: Send + Sync + 'static> Running<T> {
    /// No turns yet. `weigh` says how many bytes a result has, roughly.
    #[must_use]
    pub fn new(bounds: Bounds, weigh: fn(&T) -> usize) -> Self {
        let (turns, shelf, ids) = (Mutex::default(), Shelf::new(bounds.kept_bytes), AtomicU64::new(0));
        Self(Arc::new(Registry { bounds, weigh, turns, shelf, ids, alone: watch::Sender::new(0) }))
    }

    /// The work of a turn, when there is any.
    #[must_use]
    pub fn find(&self, key: &TurnKey) -> Option<Joined<T>> {
        let turns = self.0.turns();
        turns.get(key).and_then(|(_, work)| work.upgrade()).map(Joined)
    }

    /// Joins the work of a turn, or begins what `begin` gives, which is slow after that time, or never. `stamp` differs between
    /// the calls of a turn that are not repeats of one another: a result that waits is not for a call with another stamp.
    pub fn enter<W>(
        &self,
        key: TurnKey,
        stamp: i64,
        slow_after: Option<Duration>,
        begin: impl FnOnce() -> Option<W>,
    ) -> Entered<T>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let key = Arc::new(key);
        let mut turns = self.0.turns();
        let found = turns.get(&key).and_then(|(_, found)| found.upgrade()).map(Joined);
        match found {
            Some(found) if !found.is_over() || found.0.stamp == stamp => return Entered::Found(found),
            None if turns.len() >= self.0.bounds.turns => return Entered::Full,
            _ => {}
        }
        let Some(work) = begin() else {
            drop(turns);
            return Entered::Refused;
        };
        let id = self.0.ids.fetch_add(1, Ordering::Relaxed);
        let work = Arc::new(Work {
            id,
            key: Arc::clone(&key),
            stamp,
            slow_at: slow_after.map(|after| Instant::now() + after),
            phase: Mutex::new(Phase::Undecided),
            result: work.map(Arc::new).boxed().shared(),
            taken: AtomicBool::new(false),
            evicted: Arc::default(),
            registry: Arc::clone(&self.0),
        });
        turns.insert(key, (id, Arc::downgrade(&work)));
        // What was found is let go after the lock: it may be the last to hold its work, which then takes the lock itself.
        drop(turns);
        drop(found);
        Entered::Began(Joined(work))
    }

    /// How many turns there are, those included whose result waits.
    #[must_use]
    pub fn turns(&self) -> usize {
        self.0.turns().len()
    }

    /// Lets go of results that wait for a call, and does not keep those of work that has not ended yet, where `whose` says so
    /// by the turn, and by the result where there is one; how many those were. Who waits already still gets theirs.
    pub fn forget(&self, whose: impl Fn(&TurnKey, Option<&T>) -> bool) -> usize {
        let works: Vec<_> = self.0.turns().values().filter_map(|(_, work)| work.upgrade()).collect();
        let theirs = works.iter().filter(|work| whose(&work.key, work.result.peek().map(|result| &**result)));
        theirs.map(|work| work.evicted.notify_one()).count()
    }

    /// Waits until no turn works on by itself.
    pub async fn settled(&self) {
        let mut alone = self.0.alone.subscribe();
        // The sender lives as long as this does.
        let _ = alone.wait_for(|alone| *alone == 0).await;
    }
}

impl<T> Registry<T> {
    fn turns(&self) -> MutexGuard<'_, Turns<T>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync + 'static> Joined<T> {
    /// Waits as a turn's first call does: for the result, or until the turn is slow.
    pub async fn first(self) -> First<T> {
        let slow = async {
            match self.0.slow_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        if self.0.phase() == Phase::Slow {
            return First::Slow;
        }
        let result = tokio::select! {
            biased;
            result = self.0.result.clone() => Some(result),
            () = slow => None,
        };
        let decided = self.0.decide(if result.is_some() { Phase::Result } else { Phase::Slow });
        match (decided, result) {
            (Phase::Slow, _) => First::Slow,
            (_, Some(result)) => First::Result(result),
            (_, None) => First::Result(self.0.result.clone().await),
        }
    }

    /// Waits for the result as a turn's second call does: who called first is told that the turn is slow.
    pub async fn second(self) -> Arc<T> {
        self.0.decide(Phase::Slow);
        let result = self.0.result.clone().await;
        self.0.taken.store(true, Ordering::Relaxed);
        result
    }

    fn is_over(&self) -> bool {
        self.0.result.peek().is_some()
    }
}

impl<T: Send + Sync + 'static> Work<T> {
    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides what the first answer is, unless it is decided; says what it is. Slow work is on its own from then on.
    fn decide(self: &Arc<Self>, wanted: Phase) -> Phase {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if *phase == Phase::Undecided {
            *phase = wanted;
            if wanted == Phase::Slow {
                let alone = Alone::begin(&self.registry);
                tokio::spawn(Arc::clone(self).alone(alone).in_current_span());
            }
        }
        *phase
    }

    /// Runs to the end, then holds the result until it is outdated or has to make room.
    async fn alone(self: Arc<Self>, alone: Alone<T>) {
        let weight = (self.registry.weigh)(&*self.result.clone().await);
        drop(alone);
        let _place = self.registry.shelf.put(weight, &self.evicted);
        let reason = tokio::select! {
            () = self.evicted.notified() => "evicted",
            () = sleep(self.registry.bounds.keep) => "expired",
        };
        if !self.taken.load(Ordering::Relaxed) {
            ResultLost { action: self.key.action.as_str(), reason }.emit();
        }
    }
}

impl<T> Drop for Work<T> {
    fn drop(&mut self) {
        let mut turns = self.registry.turns();
        if turns.get(&self.key).is_some_and(|(id, _)| *id == self.id) {
            turns.remove(&self.key);
        }
    }
}

/// A turn that works on by itself, counted until this is dropped.
struct Alone<T> {
    registry: Arc<Registry<T>>,
    _running: WorkRunning,
}

impl<T> Alone<T> {
    fn begin(registry: &Arc<Registry<T>>) -> Self {
        registry.alone.send_modify(|alone| *alone += 1);
        Self { registry: Arc::clone(registry), _running: WorkRunning::begin() }
    }
}

impl<T> Drop for Alone<T> {
    fn drop(&mut self) {
        self.registry.alone.send_modify(|alone| *alone = alone.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;
