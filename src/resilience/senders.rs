//! How many calls each sender may make in a span of time, so that one of them cannot use up what is there for all.
//!
//! It knows names and times, nothing of what is called. Who has called nothing for a span is forgotten. It remembers no more
//! than [`MOST`] senders at the same time; where more come, those that do not fit are let through.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many senders are remembered, at most about two megabytes of them.
const MOST: usize = 10_000;

/// How many calls in what time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderRate {
    /// How many.
    pub calls: NonZeroU32,
    /// In which time.
    pub per: Duration,
}

/// What each sender may still do.
#[derive(Debug)]
pub struct Senders {
    rate: SenderRate,
    known: Mutex<Known>,
}

/// When what each sender did is worked off at the even pace.
#[derive(Debug, Default)]
struct Known {
    worked_off: HashMap<Box<str>, Instant>,
    /// When those who may be forgotten were last looked for.
    swept: Option<Instant>,
}

impl Senders {
    /// At that rate each.
    #[must_use]
    pub fn new(rate: SenderRate) -> Self {
        Self { rate, known: Mutex::default() }
    }

    /// One more call of a sender.
    ///
    /// # Errors
    /// How long it has to wait for the next, when it has made as many as it may.
    pub fn admit(&self, sender: &str) -> Result<(), Duration> {
        let now = Instant::now();
        let interval = self.rate.per / self.rate.calls.get();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.worked_off.get(sender).map_or(now, |at| (*at).max(now));
        let after = before + interval;
        // As many as a whole span's worth may be ahead of the even pace.
        if let Some(wait) = (after - now).checked_sub(interval * self.rate.calls.get()).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if let Some(at) = known.worked_off.get_mut(sender) {
            *at = after;
        } else if known.has_room(now, interval) {
            known.worked_off.insert(sender.into(), after);
        }
        Ok(())
    }
}

impl Known {
    /// Whether one more can be remembered, once those have been forgotten who may be. They are looked for no more often than
    /// one of them could have come free.
    fn has_room(&mut self, now: Instant, interval: Duration) -> bool {
        let due = self.swept.is_none_or(|swept| swept + interval <= now);
        if self.worked_off.len() >= MOST && due {
            self.swept = Some(now);
            self.worked_off.retain(|_, at| *at > now);
        }
        self.worked_off.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn senders(calls: u32, seconds: u64) -> Senders {
        Senders::new(SenderRate { calls: NonZeroU32::new(calls).unwrap(), per: Duration::from_secs(seconds) })
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_has_its_calls_at_once_and_then_one_at_a_time() {
        let senders = senders(3, 60);
        for _ in 0..3 {
            assert_eq!(senders.admit("anna"), Ok(()));
        }
        assert_eq!(senders.admit("anna"), Err(Duration::from_secs(20)));
        assert_eq!(senders.admit("bert"), Ok(()), "another one has its own");
        tokio::time::advance(Duration::from_millis(19_999)).await;
        assert_eq!(senders.admit("anna"), Err(Duration::from_millis(1)), "who is refused does not wait longer for it");
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!((senders.admit("anna"), senders.admit("anna").is_err()), (Ok(()), true));
    }

    /// In any span a sender makes no more than its calls and those that come free meanwhile.
    #[tokio::test(start_paused = true)]
    async fn no_pattern_of_calls_gets_more() {
        for seed in 0..30 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let (calls, span) = (rng.u32(1..30), rng.u64(1..120));
            let senders = senders(calls, span);
            let (begun, mut made) = (Instant::now(), 0_u32);
            for _ in 0..500 {
                tokio::time::advance(Duration::from_millis(rng.u64(0..2_000))).await;
                made += u32::from(senders.admit("a").is_ok());
                let free = begun.elapsed().as_secs_f64() * f64::from(calls) / (span as f64);
                assert!(f64::from(made) <= f64::from(calls) + free + 0.001, "seed {seed}: {made}");
            }
            assert!(made >= calls.min(500), "seed {seed}: {made}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_remembered_is_bounded_and_who_is_quiet_is_forgotten() {
        let senders = senders(1, 10);
        for number in 0..MOST + 500 {
            assert_eq!(senders.admit(&number.to_string()), Ok(()));
        }
        assert_eq!(senders.known.lock().unwrap().worked_off.len(), MOST);
        assert!(senders.admit("0").is_err(), "who is remembered stays so");
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(senders.admit("new"), Ok(()));
        assert_eq!(senders.known.lock().unwrap().worked_off.len(), 1);
    }
}
