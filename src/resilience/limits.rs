//! How much is asked of a system: requests at the same time, requests in a span of time, and rest when it asks for rest.
//!
//! Who would have to wait longer than there is time is refused at once, instead of waiting in vain. A permit is a guard: it is
//! given back when it is dropped, wherever that happens.

use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::time::Deadline;

/// The limits of one system.
#[derive(Debug)]
pub struct Limits {
    places: Semaphore,
    rate: Option<Rate>,
    /// Until when the system wants to be left alone.
    rest: Mutex<Option<Instant>>,
}

/// The right to one request; others wait for it to be dropped.
#[derive(Debug)]
pub struct Permit<'a>(#[expect(dead_code, reason = "held for its drop")] SemaphorePermit<'a>);

/// There is no time to wait for a permit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    /// When it would be worth asking again, where that is known.
    pub wait: Option<Duration>,
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
    /// At most `concurrent` requests at the same time, and at most so many in each span.
    #[must_use]
    pub fn new(concurrent: NonZeroU32, rate: Option<(NonZeroU32, Duration)>) -> Self {
        let places = usize::try_from(concurrent.get()).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        let rate = rate.map(|(requests, span)| Rate { interval: span / requests.get(), span, worked_off: Mutex::default() });
        Self { places: Semaphore::new(places), rate, rest: Mutex::default() }
    }

    /// Waits until one more request may be made.
    ///
    /// # Errors
    /// When that would be after `until`.
    pub async fn admit(&self, until: Deadline) -> Result<Permit<'_>, Full> {
        self.rested()?;
        let place = timeout_at(until.instant(), self.places.acquire()).await;
        let Ok(Ok(place)) = place else { return Err(Full { wait: None }) };
        self.rested()?;
        if let Some(rate) = &self.rate {
            let at = rate.next(until)?;
            sleep_until(at).await;
        }
        Ok(Permit(place))
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
            Some(left) if !left.is_zero() => Err(Full { wait: Some(left) }),
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
            return Err(Full { wait: Some(at - now) });
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
        let limits = Limits::new(number(100), Some((number(4), Duration::from_secs(2))));
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
        let limits = Limits::new(number(100), Some((number(1), Duration::from_secs(10))));
        drop(limits.admit(within(1)).await.unwrap());
        let begun = Instant::now();
        assert_eq!(limits.admit(within(5)).await.unwrap_err(), Full { wait: Some(Duration::from_secs(10)) });
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(limits.admit(within(11)).await.unwrap());
        assert_eq!(begun.elapsed(), Duration::from_secs(10), "the one who was refused is not waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_is_free_again_when_its_holder_is_gone() {
        let limits = Limits::new(number(1), None);
        let held = limits.admit(within(1)).await.unwrap();
        assert_eq!(limits.admit(within(1)).await.unwrap_err(), Full { wait: None });
        drop(held);
        assert!(limits.admit(within(1)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_system_that_wants_rest_gets_it() {
        let limits = Limits::new(number(9), None);
        limits.rest(Duration::from_secs(30));
        limits.rest(Duration::from_secs(5));
        assert_eq!(limits.admit(within(60)).await.unwrap_err(), Full { wait: Some(Duration::from_secs(30)) });
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(limits.admit(within(1)).await.is_ok());
    }
}
