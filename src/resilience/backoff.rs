//! Repeating what failed: how often, how long the waits are, and when there is no time left for another.
//!
//! Whether a fault may be repeated is for the caller to say. A wait that the system asked for is kept to, whole; where it does
//! not fit the deadline, nothing more is tried.

use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::fault::Fault;
use crate::time::Deadline;

/// How often something is tried, and the waits between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    attempts: NonZeroU32,
    first: Duration,
    most: Duration,
}

impl Backoff {
    /// At most `attempts` in all; the waits begin at `first` and double up to `most`.
    ///
    /// # Errors
    /// When the longest wait is shorter than the first.
    pub fn new(attempts: NonZeroU32, first: Duration, most: Duration) -> Result<Self, String> {
        if most < first {
            return Err(format!("the longest wait ({most:?}) is shorter than the first ({first:?})"));
        }
        Ok(Self { attempts, first, most })
    }

    /// How often something is tried in all.
    #[must_use]
    pub const fn attempts(self) -> NonZeroU32 {
        self.attempts
    }

    /// The wait after the attempt of that number, counted from 1: between half of it and all of it, so that many who failed
    /// together do not come back together.
    fn wait(&self, attempt: u32, rng: &mut fastrand::Rng) -> Duration {
        let doubled = self.first.saturating_mul(1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX));
        let whole = doubled.min(self.most);
        whole / 2 + (whole / 2).mul_f64(rng.f64())
    }
}

/// Tries until it works, `again` says no to a fault, the attempts are used up, the next wait would end after `until`, or
/// `spend` has no repeat left, which is asked last. `attempt` gets the number of the attempt, counted from 1.
///
/// # Errors
/// The last fault.
pub async fn retry<T, A, F>(
    backoff: Backoff,
    until: Deadline,
    rng: &mut fastrand::Rng,
    again: impl Fn(&Fault) -> bool,
    spend: impl Fn() -> bool,
    mut attempt: A,
) -> Result<T, Fault>
where
    A: FnMut(u32) -> F,
    F: Future<Output = Result<T, Fault>>,
{
    let mut number = 1;
    loop {
        let fault = match attempt(number).await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        if number >= backoff.attempts.get() || !again(&fault) {
            return Err(fault);
        }
        let wait = backoff.wait(number, rng).max(fault.retry_after.unwrap_or_default());
        if wait >= until.left() || !spend() {
            return Err(fault);
        }
        tokio::time::sleep_until(Instant::now() + wait).await;
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::fault::{Class, Outcome};

    fn backoff(attempts: u32) -> Backoff {
        let (first, most) = (Duration::from_millis(200), Duration::from_millis(500));
        Backoff::new(NonZeroU32::new(attempts).unwrap(), first, most).unwrap()
    }

    fn down() -> Fault {
        Fault::new(Outcome::Unavailable, "down")
    }

    /// When the attempts were made, in milliseconds, of something that fails with `fault`.
    async fn times(backoff: Backoff, left: Duration, fault: Fault) -> Vec<u128> {
        let (begun, times) = (Instant::now(), RefCell::new(Vec::new()));
        let mut rng = fastrand::Rng::with_seed(1);
        let again = |fault: &Fault| fault.class() == Class::Transient;
        let ended = retry(
            backoff,
            Deadline::after(left),
            &mut rng,
            again,
            || true,
            |number| {
                let mut times = times.borrow_mut();
                times.push(begun.elapsed().as_millis());
                assert_eq!(times.len(), number as usize);
                std::future::ready(Err::<(), _>(fault.clone()))
            },
        );
        assert_eq!(ended.await, Err(fault.clone()));
        times.into_inner()
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_longest_and_scatter() {
        let times = times(backoff(5), Duration::from_secs(60), down()).await;
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (wait, whole) in waits.iter().zip([200, 400, 500, 500]) {
            assert!((whole / 2..=whole + 1).contains(wait), "{waits:?}");
        }
        assert_eq!(waits.len(), 4);
        assert_ne!(waits[2], waits[3], "two equal waits would not scatter");
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_system_asks_for_is_waited_when_it_fits() {
        let asked = Fault { retry_after: Some(Duration::from_secs(3)), ..down() };
        assert_eq!(times(backoff(3), Duration::from_secs(7), asked.clone()).await, [0, 3000, 6000]);
        assert_eq!(times(backoff(3), Duration::from_secs(5), asked.clone()).await, [0, 3000]);
        assert_eq!(times(backoff(3), Duration::from_secs(3), asked).await, [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_be_refused_again_is_not_repeated() {
        assert_eq!(times(backoff(3), Duration::from_secs(60), Fault::new(Outcome::Invalid, "no")).await.len(), 1);
        assert_eq!(times(backoff(1), Duration::from_secs(60), down()).await.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_success_is_the_answer() {
        let mut rng = fastrand::Rng::with_seed(1);
        let attempt = |number: u32| std::future::ready(if number == 2 { Ok(number) } else { Err(down()) });
        let ended = retry(backoff(9), Deadline::after(Duration::from_secs(9)), &mut rng, |_| true, || true, attempt).await;
        assert_eq!(ended, Ok(2));
    }

    #[test]
    fn a_longest_wait_is_not_shorter_than_the_first() {
        assert!(Backoff::new(NonZeroU32::MIN, Duration::from_secs(2), Duration::from_secs(1)).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_repeated_when_no_repeat_is_left() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (left, made) = (RefCell::new(2), RefCell::new(0));
        let spend = || left.replace_with(|left| *left - 1) > 0;
        let ended = retry(
            backoff(9),
            Deadline::after(Duration::from_secs(60)),
            &mut rng,
            |_| true,
            spend,
            |_| {
                *made.borrow_mut() += 1;
                std::future::ready(Err::<(), _>(down()))
            },
        );
        assert_eq!((ended.await, *made.borrow()), (Err(down()), 3));
    }

    /// Whatever the waits, what the system asks for and how long attempts take: none begins at the deadline or after it, and
    /// there are never more than allowed.
    #[tokio::test(start_paused = true)]
    async fn nothing_is_repeated_past_the_deadline() {
        for seed in 0..300 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let first = Duration::from_millis(dice.u64(1..2_000));
            let attempts = NonZeroU32::new(dice.u32(1..12)).unwrap();
            let backoff = Backoff::new(attempts, first, first * dice.u32(1..9)).unwrap();
            let left = Duration::from_millis(dice.u64(1..20_000));
            let (begun, begins) = (Instant::now(), RefCell::new(Vec::new()));
            let mut rng = dice.fork();
            let ended = retry(
                backoff,
                Deadline::after(left),
                &mut rng,
                |_| true,
                || true,
                |_| {
                    begins.borrow_mut().push(begun.elapsed());
                    let retry_after = dice.bool().then(|| Duration::from_millis(dice.u64(0..6_000)));
                    let takes = Duration::from_millis(dice.u64(0..3_000));
                    async move {
                        tokio::time::sleep(takes).await;
                        Err::<(), _>(Fault { retry_after, ..down() })
                    }
                },
            );
            assert!(ended.await.is_err());
            let begins = begins.into_inner();
            assert!(begins.len() <= attempts.get() as usize, "seed {seed}");
            assert!(begins.iter().all(|at| *at < left), "seed {seed}: {begins:?} of {left:?}");
        }
    }
}
