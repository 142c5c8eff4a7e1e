//! How much is asked of a system: requests at the same time, requests in a span of time, and rest when it asks for rest.
//!
//! Who would have to wait longer than there is time is refused at once, instead of waiting in vain; so is who finds too many
//! waiting already. A permit is a guard: it is given back when it is dropped, wherever that happens.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::time::Deadline;

/// The limits of one system.
#[derive(Debug)]
pub struct Limits {
    places: Semaphore,
    waiting: AtomicU32,
    queue: u32,
    rate: Option<Rate>,
    /// Until when the system wants to be left alone.
    rest: Mutex<Option<Instant>>,
}

/// The right to one request; others wait for it to be dropped.
#[derive(Debug)]
pub struct Permit<'a>(#[expect(dead_code, reason = "held for its drop")] SemaphorePermit<'a>);

/// There is no time to wait for a permit, or no room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// When it would be worth asking again, where that is known.
    pub wait: Option<Duration>,
    /// What stands in the way.
    pub by: FullBy,
}

/// What stands in the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FullBy {
    /// As many requests as allowed are under way, and there is no time to wait for one to end.
    Busy,
    /// As many as allowed wait already.
    Queue,
    /// There were as many requests as allowed lately.
    Rate,
    /// The system wants to be left alone.
    Rest,
}

impl FullBy {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Queue => "queue",
            Self::Rate => "rate",
            Self::Rest => "rest",
        }
    }
}

/// One that waits for a place.
struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// So many in a span, all of which may come at once.
#[derive(Debug)]
struct Rate {
    interval: Duration,
    span: Duration,
    /// When everything admitted so far is worked off at the even pace.
    worked_off: Mutex<Option<Instant>>,
}

impl Limits {
    /// At most `concurrent` requests at the same time while at most `queue` wait, and at most so many in each span.
    #[must_use]
    pub fn new(concurrent: NonZeroU32, queue: u32, rate: Option<(NonZeroU32, Duration)>) -> Self {
        let places = usize::try_from(concurrent.get()).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        let rate = rate.map(|(requests, span)| Rate { interval: span / requests.get(), span, worked_off: Mutex::default() });
        let (places, waiting, rest) = (Semaphore::new(places), AtomicU32::default(), Mutex::default());
        Self { places, waiting, queue, rate, rest }
    }

    /// Waits until one more request may be made.
    ///
    /// # Errors
    /// When that would be after `until`, and when as many wait already as may.
    pub async fn admit(&self, until: Deadline) -> Result<Permit<'_>, Full> {
        self.rested()?;
        let place = match self.places.try_acquire() {
            Ok(place) => place,
            Err(_) => self.place(until).await?,
        };
        // The system may have asked for rest meanwhile.
        self.rested()?;
        if let Some(rate) = &self.rate {
            let at = rate.next(until)?;
            sleep_until(at).await;
        }
        Ok(Permit(place))
    }

    /// Waits for a place, as one of those that may.
    async fn place(&self, until: Deadline) -> Result<SemaphorePermit<'_>, Full> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            return Err(Full { wait: None, by: FullBy::Queue });
        }
        let place = timeout_at(until.instant(), self.places.acquire()).await;
        drop(waiting);
        let Ok(Ok(place)) = place else { return Err(Full { wait: None, by: FullBy::Busy }) };
        Ok(place)
    }

    /// Nobody is admitted for so long, because the system asked for it.
    pub fn rest(&self, span: Duration) {
        let until = Instant::now() + span;
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = Some(rest.map_or(until, |before| before.max(until)));
    }

    /// Refuses while the system rests. Waiting it out is for who repeats the request, since that one knows how often.
    fn rested(&self) -> Result<(), Full> {
        let rest = *self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        match rest.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(left) if !left.is_zero() => Err(Full { wait: Some(left), by: FullBy::Rest }),
            _ => Ok(()),
        }
    }
}

impl Rate {
    /// When the next request may be made; it counts as made.
    fn next(&self, until: Deadline) -> Result<Instant, Full> {
        let now = Instant::now();
        let mut worked_off = self.worked_off.lock().unwrap_or_else(PoisonError::into_inner);
        let before = worked_off.map_or(now, |at| at.max(now));
        // A whole span's worth may be ahead of the even pace.
        let at = (before + self.interval).checked_sub(self.span).map_or(now, |at| at.max(now));
        if at > until.instant() {
            return Err(Full { wait: Some(at - now), by: FullBy::Rate });
        }
        *worked_off = Some(before + self.interval);
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).unwrap()
    }

    fn within(seconds: u64) -> Deadline {
        Deadline::after(Duration::from_secs(seconds))
    }

    #[tokio::test(start_paused = true)]
    async fn a_span_s_worth_comes_at_once_and_the_rest_at_the_even_pace() {
        let limits = Limits::new(number(100), 9, Some((number(4), Duration::from_secs(2))));
        let begun = Instant::now();
        let mut at = Vec::new();
        for _ in 0..7 {
            drop(limits.admit(within(60)).await.unwrap());
            at.push(begun.elapsed().as_millis());
        }
        assert_eq!(at, [0, 0, 0, 0, 500, 1000, 1500]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_no_time_is_refused_at_once_and_takes_no_place() {
        let limits = Limits::new(number(100), 9, Some((number(1), Duration::from_secs(10))));
        drop(limits.admit(within(1)).await.unwrap());
        let begun = Instant::now();
        assert_eq!(
            limits.admit(within(5)).await.unwrap_err(),
            Full { wait: Some(Duration::from_secs(10)), by: FullBy::Rate }
        );
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(limits.admit(within(11)).await.unwrap());
        assert_eq!(begun.elapsed(), Duration::from_secs(10), "the one who was refused is not waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_its_holder_is_gone() {
        let limits = Limits::new(number(1), 9, None);
        let held = limits.admit(within(1)).await.unwrap();
        assert_eq!(limits.admit(within(1)).await.unwrap_err(), Full { wait: None, by: FullBy::Busy });
        drop(held);
        assert!(limits.admit(within(1)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_that_wants_rest_gets_it() {
        let limits = Limits::new(number(9), 9, None);
        limits.rest(Duration::from_secs(30));
        limits.rest(Duration::from_secs(5));
        assert_eq!(
            limits.admit(within(60)).await.unwrap_err(),
            Full { wait: Some(Duration::from_secs(30)), by: FullBy::Rest }
        );
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(limits.admit(within(1)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_queue_wait_and_who_goes_away_makes_room() {
        let limits = Limits::new(number(1), 2, None);
        let held = limits.admit(within(1)).await.unwrap();
        let (first, second) = (limits.admit(within(60)), limits.admit(within(60)));
        let (mut first, mut second) = (Box::pin(first), Box::pin(second));
        assert!(futures_util::poll!(&mut first).is_pending() && futures_util::poll!(&mut second).is_pending());
        let full = Full { wait: None, by: FullBy::Queue };
        let begun = Instant::now();
        assert_eq!((limits.admit(within(60)).await.unwrap_err(), begun.elapsed()), (full.clone(), Duration::ZERO));
        drop(first);
        let mut third = Box::pin(limits.admit(within(60)));
        assert!(futures_util::poll!(&mut third).is_pending());
        assert_eq!(limits.admit(within(60)).await.unwrap_err(), full);
        drop(held);
        drop(second.await.unwrap());
        drop(third.await.unwrap());
        assert_eq!(limits.waiting.load(Ordering::Relaxed), 0);
        let none = Limits::new(number(1), 0, None);
        let _held = none.admit(within(1)).await.unwrap();
        assert_eq!(none.admit(within(60)).await.unwrap_err().by, FullBy::Queue);
    }

    /// Requests at random times that take random times: never more at once than places, never more in a span than the rate
    /// allows beside what comes free, and nobody is admitted after its deadline.
    #[tokio::test(start_paused = true)]
    async fn limits_hold_whatever_is_asked() {
        for seed in 0..12 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (places, requests, span) = (rng.u32(1..6), rng.u32(1..20), rng.u64(1..10));
            let rate = Some((number(requests), Duration::from_secs(span)));
            let limits = std::sync::Arc::new(Limits::new(number(places), 1_000, rate));
            let (begun, running) = (Instant::now(), std::sync::Arc::new(AtomicU32::new(0)));
            let asked = (0..200).map(|_| {
                let (limits, running) = (std::sync::Arc::clone(&limits), std::sync::Arc::clone(&running));
                let [after, left, takes] = [20_000, 8_000, 3_000].map(|most| Duration::from_millis(rng.u64(0..most)));
                tokio::spawn(async move {
                    tokio::time::sleep(after).await;
                    let until = Deadline::after(left);
                    let permit = limits.admit(until).await.ok()?;
                    assert!(Instant::now() <= until.instant() + Duration::from_millis(1), "seed {seed}");
                    assert!(running.fetch_add(1, Ordering::Relaxed) < places, "seed {seed}");
                    let at = begun.elapsed();
                    tokio::time::sleep(takes).await;
                    running.fetch_sub(1, Ordering::Relaxed);
                    drop(permit);
                    Some(at)
                })
            });
            let mut at: Vec<_> =
                futures_util::future::join_all(asked).await.into_iter().filter_map(Result::unwrap).collect();
            at.sort_unstable();
            for (first, from) in at.iter().enumerate() {
                let within = at.iter().skip(first).take_while(|it| **it < *from + Duration::from_secs(span)).count();
                assert!(within <= 2 * requests as usize, "seed {seed}: {within} of {requests}");
            }
        }
    }
}
