//! A second attempt beside one that takes long: the first good answer counts, the other attempt is dropped.
//!
//! Only for what can be done twice. Whether there may be a second is for the caller to say, when it would begin.

use std::future::Future;
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// When the second attempt begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HedgeAfter {
    /// When the first has taken so long.
    Span(Duration),
    /// When the first has taken longer than 95 of a hundred good answers lately.
    P95,
}

/// How many answers are looked back over.
const KEPT: usize = 128;
/// Fewer say nothing about a twentieth of them.
const LEAST: usize = 20;

/// How long good answers took lately, and so when a second attempt begins.
#[derive(Debug)]
pub struct Hedge {
    after: HedgeAfter,
    took: Mutex<(Vec<Duration>, usize)>,
}

/// Which attempt an answer is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Won {
    /// There was only one.
    Alone,
    /// The first of two.
    First,
    /// The second.
    Second,
}

impl Hedge {
    /// Begins second attempts so.
    #[must_use]
    pub fn new(after: HedgeAfter) -> Self {
        Self { after, took: Mutex::default() }
    }

    /// How long the first attempt has for itself; none while too little is known.
    #[must_use]
    pub fn after(&self) -> Option<Duration> {
        match self.after {
            HedgeAfter::Span(span) => Some(span),
            HedgeAfter::P95 => {
                let mut sorted = self.took.lock().unwrap_or_else(PoisonError::into_inner).0.clone();
                if sorted.len() < LEAST {
                    return None;
                }
                sorted.sort_unstable();
                sorted.get(sorted.len() * 95 / 100).copied()
            }
        }
    }

    /// A good answer took so long.
    pub fn took(&self, span: Duration) {
        if self.after != HedgeAfter::P95 {
            return;
        }
        let mut took = self.took.lock().unwrap_or_else(PoisonError::into_inner);
        let (spans, next) = &mut *took;
        match spans.get_mut(*next) {
            Some(oldest) => *oldest = span,
            None => spans.push(span),
        }
        *next = (*next + 1) % KEPT;
    }
}

/// The good answer of `first`, or of what `second` begins when there is none after `after`; where both end badly, how the
/// first did. `second` may begin nothing.
pub async fn hedged<T, E, A, B>(
    after: Duration,
    first: A,
    second: impl FnOnce() -> Option<B>,
    good: impl Fn(&Result<T, E>) -> bool,
) -> (Result<T, E>, Won)
where
    A: Future<Output = Result<T, E>>,
    B: Future<Output = Result<T, E>>,
{
    let mut first = pin!(first);
    if let Ok(ended) = tokio::time::timeout(after, &mut first).await {
        return (ended, Won::Alone);
    }
    let Some(second) = second() else { return (first.await, Won::Alone) };
    let mut second = pin!(second);
    tokio::select! {
        biased;
        ended = &mut first => {
            if good(&ended) {
                return (ended, Won::First);
            }
            let other = second.await;
            if good(&other) { (other, Won::Second) } else { (ended, Won::First) }
        }
        ended = &mut second => {
            if good(&ended) { (ended, Won::Second) } else { (first.await, Won::First) }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    type Ended = Result<&'static str, &'static str>;

    async fn after(millis: u64, ended: Ended) -> Ended {
        sleep(Duration::from_millis(millis)).await;
        ended
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_good_answer_wins() {
        // The first, the second, whether there may be one; the answer, whose it is, when it is there.
        type Attempt = (u64, Ended);
        type Case = (Attempt, Option<Attempt>, (Ended, Won, u128));
        let table: [Case; 8] = [
            ((799, Ok("a")), Some((1, Ok("b"))), (Ok("a"), Won::Alone, 799)),
            ((799, Err("a")), Some((1, Ok("b"))), (Err("a"), Won::Alone, 799)),
            ((5_000, Ok("a")), Some((200, Ok("b"))), (Ok("b"), Won::Second, 1_000)),
            ((900, Ok("a")), Some((200, Ok("b"))), (Ok("a"), Won::First, 900)),
            ((5_000, Ok("a")), None, (Ok("a"), Won::Alone, 5_000)),
            ((900, Err("a")), Some((200, Ok("b"))), (Ok("b"), Won::Second, 1_000)),
            ((5_000, Ok("a")), Some((200, Err("b"))), (Ok("a"), Won::First, 5_000)),
            ((5_000, Err("a")), Some((200, Err("b"))), (Err("a"), Won::First, 5_000)),
        ];
        for (one, two, expected) in table {
            let begun = Instant::now();
            let second = || two.map(|(millis, ended)| after(millis, ended));
            let (ended, won) = hedged(Duration::from_millis(800), after(one.0, one.1), second, Result::is_ok).await;
            assert_eq!((ended, won, begun.elapsed().as_millis()), expected, "{one:?} {two:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_other_attempt_is_dropped() {
        struct Gone<'a>(&'a std::cell::Cell<u32>);
        impl Drop for Gone<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let gone = std::cell::Cell::new(0);
        let attempt = |millis| {
            let held = Gone(&gone);
            async move {
                sleep(Duration::from_millis(millis)).await;
                drop(held);
                Ok::<_, ()>(millis)
            }
        };
        let begun = Instant::now();
        let ended = hedged(Duration::from_millis(10), attempt(60_000), || Some(attempt(5)), Result::is_ok).await;
        assert_eq!((ended, gone.get(), begun.elapsed().as_millis()), ((Ok(5), Won::Second), 2, 15));
    }

    #[test]
    fn the_time_of_most_answers_is_learnt() {
        let hedge = Hedge::new(HedgeAfter::P95);
        for millis in 1..20 {
            hedge.took(Duration::from_millis(millis));
        }
        assert_eq!(hedge.after(), None, "19 are too few");
        (20..=100).for_each(|millis| hedge.took(Duration::from_millis(millis)));
        assert_eq!(hedge.after(), Some(Duration::from_millis(96)));
        (0..KEPT).for_each(|_| hedge.took(Duration::from_millis(7)));
        assert_eq!(hedge.after(), Some(Duration::from_millis(7)), "what was long ago is forgotten");
        assert_eq!(hedge.took.lock().unwrap().0.len(), KEPT);
        assert_eq!(Hedge::new(HedgeAfter::Span(Duration::ZERO)).after(), Some(Duration::ZERO));
    }
}
