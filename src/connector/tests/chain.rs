//! The chain of a connection in paused time: what the breaker hears of, and that no patience outlasts the deadline.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pretty_assertions::assert_eq;
use tokio::time::{Instant, sleep, sleep_until};

use super::*;
use crate::connector::chain::{Chain, Held};
use crate::plan::connector::Patience;
use crate::resilience::{BreakerRules, BudgetRules, HedgeAfter, Share};

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

fn chain(patience: Patience) -> Chain {
    let mut connection = connection("own", &sandbox_connector(), &[]);
    connection.rules.patience = patience;
    Chain::new(&connection, &clock()).unwrap()
}

/// Opens at half of two calls.
fn touchy() -> Patience {
    let breaker = BreakerRules { calls: number(2), ..BreakerRules::default() };
    Patience { timeout: Some(Duration::from_secs(12)), breaker: Some(breaker), ..Patience::default() }
}

/// A system that answers after `takes`, or lets an attempt's time pass.
async fn system(takes: Duration, until: Deadline, ended: Result<(), Fault>) -> Result<(), Fault> {
    if Instant::now() + takes > until.instant() {
        sleep_until(until.instant()).await;
        return Err(Fault::new(Outcome::Timeout, "no answer"));
    }
    sleep(takes).await;
    ended
}

#[tokio::test(start_paused = true)]
async fn the_breaker_hears_of_failures_of_the_system_and_of_nothing_else() {
    let fault = |outcome| Err(Fault::new(outcome, "so it ended"));
    let soon = Err(Fault { retry_after: Some(Duration::from_secs(1)), ..Fault::new(Outcome::Unavailable, "soon") });
    // How long each of two calls takes, how it ends, how much time there is; what the breaker does then.
    for (takes, ended, left, state) in [
        (0, Ok(()), 60, "closed"),
        (0, fault(Outcome::Unavailable), 60, "open"),
        (0, fault(Outcome::NotFound), 60, "closed"),
        (0, fault(Outcome::Denied), 60, "closed"),
        (0, fault(Outcome::RateLimited), 60, "closed"),
        (0, fault(Outcome::Misconfigured), 60, "closed"),
        (0, fault(Outcome::Unexpected), 60, "closed"),
        (0, soon, 60, "closed"),
        // An attempt's whole time has passed, or only the turn's.
        (20, Ok(()), 60, "open"),
        (20, Ok(()), 9, "closed"),
        // Slow from ten seconds on, however it ended.
        (9, Ok(()), 60, "closed"),
        (10, Ok(()), 60, "open"),
        (10, fault(Outcome::NotFound), 60, "open"),
    ] {
        let chain = chain(touchy());
        for _ in 0..2 {
            let until = Deadline::after(Duration::from_secs(left));
            let send = |own| system(Duration::from_secs(takes), own, ended.clone());
            let _ = chain.attempt(until, until, send).await;
        }
        assert_eq!(chain.breaker().unwrap().state, state, "{takes} s, {left} s left: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_place_is_no_slowness_and_a_call_given_up_early_is_nothing() {
    let chain = chain(Patience { concurrent: Some(number(1)), ..touchy() });
    let call = async |takes| {
        let until = Deadline::after(Duration::from_secs(60));
        chain.attempt(until, until, |own| system(Duration::from_secs(takes), own, Ok(()))).await.is_ok()
    };
    assert_eq!(tokio::join!(call(8), call(8), call(8)), (true, true, true));
    assert_eq!(chain.breaker().unwrap().state, "closed");
    for (seconds, state) in [(9, "closed"), (11, "open")] {
        for _ in 0..8 {
            let _ = tokio::time::timeout(Duration::from_secs(seconds), call(12)).await;
        }
        assert_eq!(chain.breaker().unwrap().state, state);
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_open_breaker_refuses_says_until_when_and_is_sent_nowhere() {
    let chain = chain(touchy());
    let until = Deadline::after(Duration::from_secs(600));
    for _ in 0..2 {
        let down = Err(Fault::new(Outcome::Unavailable, "down"));
        let _ = chain.attempt(until, until, |own| system(Duration::ZERO, own, down)).await;
    }
    sleep(Duration::from_millis(2_500)).await;
    let sent = AtomicU32::new(0);
    let send = |own| {
        sent.fetch_add(1, Ordering::Relaxed);
        system(Duration::ZERO, own, Ok(()))
    };
    let stopped = chain.attempt(until, until, send).await.unwrap_err();
    assert_eq!((stopped.held, sent.load(Ordering::Relaxed)), (Some(Held::Breaker), 0));
    assert_eq!(stopped.fault.retry_after, Some(Duration::from_millis(7_500)));
    assert_eq!(stopped.fault.operator, "own is left alone until 12:00:08 UTC: its breaker is open");
    assert_eq!((chain.spared().held_back, chain.spared().retries), (1, 0));
}

/// Systems of every temper, asked by many at once through all policies: no call outlasts its deadline, there are never more
/// requests at the same time than places, and never more second requests than the budget has.
#[tokio::test(start_paused = true)]
async fn no_patience_outlasts_the_deadline() {
    for seed in 0..25 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let places = rng.u32(1..5);
        let chain = Arc::new(chain(Patience {
            concurrent: Some(number(places)),
            queue: rng.u32(0..20),
            rate: rng.bool().then(|| (number(rng.u32(1..20)), Duration::from_secs(2))),
            hedge: rng.bool().then(|| HedgeAfter::Span(Duration::from_millis(rng.u64(1..900)))),
            budget: BudgetRules { share: Share::new(20).unwrap(), floor: 0 },
            timeout: Some(Duration::from_millis(rng.u64(200..4_000))),
            ..touchy()
        }));
        let (sent, running) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let calls = (0..120).map(|_| {
            let [after, left, takes] = [10_000, 6_000, 3_000].map(|most| Duration::from_millis(rng.u64(0..most)));
            let fails = rng.u8(0..3) == 0;
            let (chain, sent, running) = (Arc::clone(&chain), Arc::clone(&sent), Arc::clone(&running));
            tokio::spawn(async move {
                sleep(after).await;
                let until = Deadline::after(left);
                chain.begin();
                let send = |own: Deadline| {
                    let (sent, running) = (Arc::clone(&sent), Running(Arc::clone(&running)));
                    async move {
                        sent.fetch_add(1, Ordering::Relaxed);
                        assert!(running.0.fetch_add(1, Ordering::Relaxed) < places, "seed {seed}");
                        assert!(own <= until, "seed {seed}");
                        let ended = if fails { Err(Fault::new(Outcome::Unavailable, "down")) } else { Ok(()) };
                        let ended = system(takes, own, ended).await;
                        drop(running);
                        ended
                    }
                };
                let ended = chain.raced(until, |patience| chain.attempt(until, patience, send)).await;
                assert!(Instant::now() <= until.instant() + Duration::from_millis(1), "seed {seed}: {ended:?}");
            })
        });
        for call in futures_util::future::join_all(calls).await {
            call.unwrap();
        }
        let spared = chain.spared();
        assert!(sent.load(Ordering::Relaxed) <= 120 + 24 && spared.hedges <= 24, "seed {seed}: {spared:?}");
        assert_eq!(running.load(Ordering::Relaxed), 0, "seed {seed}");
    }
}

/// Counts requests under way, those that are given up too.
struct Running(Arc<AtomicU32>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
