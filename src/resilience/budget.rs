//! How many repeats a system is given: a share of its calls, and a few whatever happens, so that repeats cannot multiply an
//! outage.
//!
//! Whether a fault may be repeated at all is not its business. What was counted longer than ten seconds ago does not count.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::share::Share;
use super::window::Window;

/// What is looked back over.
const WINDOW: Duration = Duration::from_secs(10);

/// How many repeats there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRules {
    /// Of a hundred calls.
    pub share: Share,
    /// Each second, whatever the number of calls.
    pub floor: u32,
}

impl Default for BudgetRules {
    /// 20 of a hundred calls, and one each second.
    fn default() -> Self {
        Self { share: Share::of(20), floor: 1 }
    }
}

/// The repeats of one system.
#[derive(Debug)]
pub struct Budget {
    rules: BudgetRules,
    /// Calls and repeats.
    window: Mutex<Window<2>>,
}

impl Budget {
    /// With nothing spent.
    #[must_use]
    pub fn new(rules: BudgetRules) -> Self {
        Self { rules, window: Mutex::new(Window::new(WINDOW)) }
    }

    /// Counts the first attempt of a call, which is always allowed.
    pub fn call(&self) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).count([true, false]);
    }

    /// Takes one repeat out of it; false when none is left.
    #[must_use]
    pub fn take(&self) -> bool {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let [calls, repeats] = window.sums();
        let floor = u64::from(self.rules.floor) * WINDOW.as_secs();
        let allowed = u64::from(calls) * u64::from(self.rules.share.get()) / 100 + floor;
        let left = u64::from(repeats) < allowed;
        if left {
            window.count([false, true]);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(share: u8, floor: u32) -> BudgetRules {
        BudgetRules { share: Share::of(share), floor }
    }

    fn spent(budget: &Budget, most: u32) -> u32 {
        (0..most).filter(|_| budget.take()).count().try_into().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_of_the_calls_and_a_few_a_second_may_be_repeated() {
        let budget = Budget::new(rules(20, 0));
        assert_eq!(spent(&budget, 9), 0, "without calls there is nothing to repeat");
        (0..50).for_each(|_| budget.call());
        assert_eq!(spent(&budget, 99), 10);
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert_eq!(spent(&budget, 99), 0);
        tokio::time::advance(Duration::from_millis(1)).await;
        (0..5).for_each(|_| budget.call());
        assert_eq!(spent(&budget, 99), 1, "calls of long ago give nothing any more");
        assert_eq!(spent(&Budget::new(rules(20, 2)), 99), 20, "two a second, over ten seconds");
    }

    /// Calls at random times, each of which wants two repeats: never more than the share and the floor together.
    #[tokio::test(start_paused = true)]
    async fn repeats_never_multiply_an_outage() {
        for seed in 0..40 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (share, floor) = (rng.u8(1..=50), rng.u32(0..3));
            let budget = Budget::new(rules(share, floor));
            let begun = tokio::time::Instant::now();
            let (mut calls, mut repeats) = (Vec::new(), Vec::new());
            for _ in 0..rng.u32(10..800) {
                tokio::time::advance(Duration::from_millis(rng.u64(0..200))).await;
                let now = begun.elapsed();
                budget.call();
                calls.push(now);
                let taken = spent(&budget, 2);
                repeats.extend((0..taken).map(|_| now));
                // What was looked back over is between 9.5 and 10 seconds.
                let recent = |all: &[Duration], span: u64| {
                    let from = now.saturating_sub(Duration::from_millis(span));
                    all.iter().filter(|at| **at > from || from.is_zero()).count() as u64
                };
                let allowed = recent(&calls, 10_000) * u64::from(share) / 100 + u64::from(floor) * 10;
                assert!(taken == 0 || recent(&repeats, 9_500) <= allowed, "seed {seed} at {now:?}");
            }
            if floor == 0 {
                assert!(repeats.len() < calls.len(), "seed {seed}");
            }
        }
    }
}
