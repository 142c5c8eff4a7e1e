//! The second level behind the cache of this process: never on a turn's way for longer than it is worth.
//!
//! A look at it takes 50 milliseconds at most; one that is slow or down is left alone for a while, and a turn goes to the
//! business system instead. What is put there is put in the background, and left out when there is too much. Only what a write
//! has outdated is never left out: until the second level knows, this process takes nothing from it that the write outdates.
//! Nor is that it has to be emptied: until it is, this process takes nothing from it at all.

use std::collections::HashMap;
use std::future::Future;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::Keep;
use super::key::{Key, ReadOf};
use crate::resilience::share::Share;
use crate::resilience::{Breaker, BreakerRules, BreakerState, Pass, SecondLevel};
use crate::store::StoreError;
use crate::telemetry::{SecondLevelUsed, StoreWatch};
use crate::time::Clock;

/// How long a turn waits for it.
const LOOK: Duration = Duration::from_millis(50);
/// How long anything else waits for it.
const WORK: Duration = Duration::from_secs(1);
/// How long emptying it may take.
const EMPTY: Duration = Duration::from_secs(30);
/// How often it is asked whether it is there.
const BEAT: Duration = Duration::from_secs(5);
/// How soon it is asked again after it was not.
const AGAIN: Duration = Duration::from_secs(1);
/// How much may wait to be put there.
const WAITING: usize = 256;
/// What takes more memory than that is kept in this process alone.
const LARGEST: usize = 64 << 10;
/// Generations that lie further apart than that have nothing to do with each other.
const NEAR: i64 = 1 << 32;

const SLOW: &str = "it takes too long to answer";

/// The generations of a key's reads when an answer was asked for.
pub(super) type Stamp = Arc<[i64]>;

/// What became of the generations between two stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// Nothing was written.
    Nothing,
    /// Something was.
    Written,
    /// The second level has forgotten meanwhile.
    Forgotten,
}

pub(super) fn since(then: &[i64], now: &[i64]) -> Since {
    let moved = then.iter().zip(now).map(|(then, now)| now.checked_sub(*then).filter(|by| (0..NEAR).contains(by)));
    match moved.collect::<Option<Vec<_>>>() {
        Some(moved) if moved.iter().all(|by| *by == 0) => Since::Nothing,
        Some(_) => Since::Written,
        None => Since::Forgotten,
    }
}

/// What a look at the second level shows.
#[derive(Clone)]
pub(super) enum Sight {
    /// Nothing: it is away, or owes a write.
    Away,
    /// The generations of now, and the answer of these generations where there is one.
    Reached { stamp: Stamp, found: Option<Found> },
}

/// An answer of the second level.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) value: Arc<Value>,
    pub(super) age: Duration,
    pub(super) keep: Keep,
}

/// An answer as it is kept there. Times are in milliseconds, the arrival since 1970.
#[derive(Serialize, Deserialize)]
struct Kept<V> {
    generations: Vec<i64>,
    arrived: i64,
    fresh: u64,
    stale: u64,
    value: V,
}

struct Put {
    key: Key,
    stamp: Stamp,
    value: Arc<Value>,
    arrived: i64,
    keep: Keep,
    /// What had been forgotten when it was asked for.
    begun: u64,
}

/// The second level and those who work for it, as long as it is held.
pub(super) struct Behind {
    pub(super) second: Arc<Second>,
    _works: [AbortOnDropHandle<()>; 2],
}

impl Behind {
    /// Begins to use `level`; `outdated` hears what other processes outdate, and `forgotten` says how often something was
    /// forgotten. Needs a runtime.
    pub(super) fn new(
        level: Arc<dyn SecondLevel>,
        clock: Arc<dyn Clock>,
        forgotten: Arc<AtomicU64>,
        outdated: impl Fn(&[ReadOf]) + Send + Sync + 'static,
    ) -> Self {
        let watch = Arc::new(StoreWatch::new("cache", level.kind(), Arc::clone(&clock)));
        let told = Arc::clone(&watch);
        let breaker = Breaker::new(rules(), move |change| match change.to {
            BreakerState::Open => told.is_down(),
            BreakerState::Closed => told.is_up(),
            BreakerState::Probing => {}
        });
        let (puts, waiting) = mpsc::channel(WAITING);
        let (owed, wake, paid) = (Mutex::default(), Notify::new(), Notify::new());
        let emptied = AtomicU64::default();
        let second = Arc::new(Second { level, clock, breaker, watch, owed, emptied, forgotten, puts, wake, paid });
        let (worker, listener) = (Arc::clone(&second), Arc::clone(&second));
        let works = tokio::spawn(async move { worker.works(waiting).await });
        let hears = tokio::spawn(async move { listener.hears(&outdated).await });
        Self { second, _works: [AbortOnDropHandle::new(works), AbortOnDropHandle::new(hears)] }
    }
}

/// A cache that is in doubt is not worth asking: three of five looks that fail or take too long are enough.
fn rules() -> BreakerRules {
    const THREE: NonZeroU32 = NonZeroU32::new(3).unwrap();
    BreakerRules {
        window: Duration::from_secs(10),
        calls: THREE,
        failures: Share::of(60),
        slow_after: LOOK,
        slow: Share::of(60),
        rest: BEAT,
        probes: NonZeroU32::MIN,
    }
}

/// The second level.
pub(super) struct Second {
    level: Arc<dyn SecondLevel>,
    clock: Arc<dyn Clock>,
    breaker: Breaker,
    watch: Arc<StoreWatch>,
    /// What was outdated here and is not there yet; how often.
    owed: Mutex<HashMap<ReadOf, u64>>,
    /// How often something was forgotten here.
    forgotten: Arc<AtomicU64>,
    /// As of how often it was emptied.
    emptied: AtomicU64,
    puts: mpsc::Sender<Put>,
    wake: Notify,
    paid: Notify,
}

impl Second {
    /// What is there of a read.
    pub(super) async fn look(&self, key: &Key) -> Sight {
        let sight = self.sight(key).await;
        let kind = match &sight {
            Sight::Away => "away",
            Sight::Reached { found: Some(_), .. } => "hit",
            Sight::Reached { found: None, .. } => "miss",
        };
        SecondLevelUsed { kind }.emit();
        sight
    }

    async fn sight(&self, key: &Key) -> Sight {
        if self.owes(&key.reads) || self.has_to_be_emptied().is_some() {
            return Sight::Away;
        }
        let name = key.whole();
        match self.ask(LOOK, self.level.look(&name, &key.reads)).await {
            Some(looked) => {
                let found = looked.kept.and_then(|bytes| serde_json::from_slice::<Kept<Value>>(&bytes).ok());
                let found = found.filter(|kept| kept.generations == looked.generations).map(|kept| self.found(kept));
                Sight::Reached { stamp: looked.generations.into(), found }
            }
            None => Sight::Away,
        }
    }

    fn found(&self, kept: Kept<Value>) -> Found {
        let Kept { arrived, fresh, stale, value, .. } = kept;
        // Clocks of machines differ a little: what comes from the future came just now.
        let age = u64::try_from(self.now().saturating_sub(arrived)).unwrap_or_default();
        let keep = Keep::new(Duration::from_millis(fresh), Duration::from_millis(stale));
        Found { value: Arc::new(value), age: Duration::from_millis(age), keep }
    }

    /// Puts an answer there that is `age` old, in the background, unless something was forgotten since it was `begun`.
    pub(super) fn put(&self, key: &Key, stamp: Stamp, begun: u64, value: Arc<Value>, age: Duration, keep: Keep) {
        let arrived = self.now().saturating_sub(millis(age));
        let fits = super::size(&value) <= LARGEST;
        if !fits || self.puts.try_send(Put { key: key.clone(), stamp, value, arrived, keep, begun }).is_err() {
            SecondLevelUsed { kind: "left_out" }.emit();
        }
    }

    /// Empties it, since something was forgotten, in the background but for sure.
    pub(super) fn empty(&self) {
        self.wake.notify_one();
    }

    /// Outdates reads there too, in the background but for sure.
    pub(super) fn outdate(&self, reads: impl Iterator<Item = ReadOf>) {
        let mut owed = self.owed();
        for read in reads {
            *owed.entry(read).or_default() += 1;
        }
        drop(owed);
        self.wake.notify_one();
    }

    /// Waits until it knows of everything that was outdated here, for a second at most.
    pub(super) async fn settled(&self) {
        let settled = async {
            loop {
                let paid = self.paid.notified();
                if self.owed().is_empty() {
                    return;
                }
                paid.await;
            }
        };
        // What it does not know by then it will not know of this process; others take it for no longer than `fresh`.
        let _ = timeout(WORK, settled).await;
    }

    /// Whether it is there, and since when.
    pub(super) const fn watch(&self) -> &Arc<StoreWatch> {
        &self.watch
    }

    async fn works(&self, mut waiting: mpsc::Receiver<Put>) {
        let mut beat = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = sleep_until(beat) => {
                    let reached = self.ask(WORK, self.level.reached()).await;
                    beat = Instant::now() + if reached.is_some() { BEAT } else { AGAIN };
                }
                put = waiting.recv() => match put {
                    Some(put) => self.puts(put).await,
                    None => return,
                }
            }
            self.pays().await;
            self.empties().await;
        }
    }

    /// Empties it where it has to be emptied; when that fails, it is tried again at the next beat.
    async fn empties(&self) {
        while let Some(forgotten) = self.has_to_be_emptied() {
            match timeout(EMPTY, self.level.empty()).await {
                Ok(Ok(())) => self.emptied.store(forgotten, Ordering::SeqCst),
                Ok(Err(error)) => return tracing::debug!(%error, "the second cache level could not be emptied"),
                Err(_) => return tracing::debug!(SLOW, "the second cache level could not be emptied"),
            }
        }
    }

    /// How often something was forgotten, when it was emptied less often.
    fn has_to_be_emptied(&self) -> Option<u64> {
        let forgotten = self.forgotten.load(Ordering::SeqCst);
        (forgotten != self.emptied.load(Ordering::SeqCst)).then_some(forgotten)
    }

    async fn puts(&self, Put { key, stamp, value, arrived, keep, begun }: Put) {
        if begun != self.forgotten.load(Ordering::SeqCst) {
            return;
        }
        let span = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (fresh, stale) = (span(keep.fresh), span(keep.stale));
        let kept = Kept { generations: stamp.to_vec(), arrived, fresh, stale, value: &*value };
        let Ok(bytes) = serde_json::to_vec(&kept) else { return };
        let put = self.ask(WORK, self.level.put(&key.whole(), &bytes, keep.stale)).await;
        SecondLevelUsed { kind: if put.is_some() { "put" } else { "left_out" } }.emit();
    }

    /// Tells it what was outdated here. What cannot be told stays owed until the next beat.
    async fn pays(&self) {
        loop {
            let owed: Vec<_> = self.owed().iter().map(|(read, times)| (read.clone(), *times)).collect();
            if owed.is_empty() {
                return self.paid.notify_waiters();
            }
            let reads: Vec<_> = owed.iter().map(|(read, _)| read.clone()).collect();
            if self.ask(WORK, self.level.outdate(&reads)).await.is_none() {
                return;
            }
            // What was outdated once more meanwhile is owed still.
            let mut still = self.owed();
            for (read, times) in owed {
                if still.get(&read) == Some(&times) {
                    still.remove(&read);
                }
            }
        }
    }

    async fn hears(&self, outdated: &(dyn Fn(&[ReadOf]) + Send + Sync)) {
        loop {
            let broken = self.level.hear(outdated).await;
            tracing::debug!(%broken, "what other processes outdate is not heard");
            sleep(AGAIN).await;
        }
    }

    async fn ask<T>(&self, within: Duration, asking: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let mut pass = self.breaker.admit().ok()?;
        let begun = Instant::now();
        pass.sent();
        match timeout(within, asking).await {
            Ok(Ok(answer)) => {
                if begun.elapsed() >= LOOK {
                    self.watch.failed(SLOW);
                }
                pass.answered();
                Some(answer)
            }
            Ok(Err(error)) => self.failed(pass, &error.to_string()),
            Err(_) => self.failed(pass, SLOW),
        }
    }

    fn failed<T>(&self, pass: Pass<'_>, why: &str) -> Option<T> {
        tracing::debug!(why, "the second cache level is passed over");
        self.watch.failed(why);
        pass.failed();
        None
    }

    fn owes(&self, reads: &[ReadOf]) -> bool {
        let owed = self.owed();
        !owed.is_empty() && reads.iter().any(|read| owed.contains_key(read))
    }

    fn owed(&self) -> MutexGuard<'_, HashMap<ReadOf, u64>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
