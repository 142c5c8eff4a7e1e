//! Time as a value: the wall clock, the deadline of a turn, and durations as people write them.
//!
//! Wall time is asked of a [`Clock`], which tests hold still. Monotonic time is tokio's, which tests pause ([`paused`]).
//! Nothing here sleeps.

pub mod paused;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The wall clock, in UTC.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// A clock that stands where it was put, for tests and for `now:` in a `tests:` block.
#[derive(Debug, Clone)]
pub struct FixedClock(Arc<Mutex<DateTime<Utc>>>);

impl FixedClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Puts the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now += by;
    }
}

impl Clock for FixedClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The moment by which a turn has to be answered. Made once when the call arrives; every wait below is bounded by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `after` from now.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(after).unwrap_or(now))
    }

    /// The moment itself, for `timeout_at`.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// How long is left; zero once it has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The earlier of this deadline and `span` from now.
    #[must_use]
    pub fn bound(self, span: Duration) -> Self {
        self.min(Self::after(span))
    }
}

/// The units a duration may be written in, with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// Reads a duration as people write it: a whole number and a unit, `250ms`, `5s`, `10m`, `24h`, `7d`.
///
/// # Errors
/// A text for the author when there is no number, no unit, another unit, or more than a year.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let wrong = || format!("`{text}` is not a duration: write a whole number and a unit, such as 250ms, 5s, 10m, 24h or 7d");
    let count: u64 = digits.parse().map_err(|_| wrong())?;
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(wrong)?;
    let millis = count.checked_mul(*factor).filter(|ms| *ms <= 366 * 86_400_000);
    millis.map(Duration::from_millis).ok_or_else(|| format!("`{text}` is longer than a year"))
}

/// A duration as [`duration`] reads it, in the largest unit that leaves nothing over.
#[must_use]
pub fn shown(span: Duration) -> String {
    let millis = span.as_millis();
    let whole = UNITS.iter().rev().find(|(_, factor)| millis > 0 && millis.is_multiple_of(u128::from(*factor)));
    let (unit, factor) = whole.copied().unwrap_or(("ms", 1));
    format!("{}{unit}", millis / u128::from(factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration(" 2 m "), Ok(Duration::from_secs(120)));
        assert!(duration("5").unwrap_err().contains("unit"));
        assert!(duration("s").is_err());
        assert!(duration("99999999d").unwrap_err().contains("year"));
        for text in ["250ms", "1500ms", "5s", "90s", "2m", "24h", "7d", "0ms"] {
            assert_eq!(duration(text).map(shown).as_deref(), Ok(if text == "24h" { "1d" } else { text }));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_only_gets_nearer() {
        let deadline = Deadline::after(Duration::from_secs(5));
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(deadline.left(), Duration::from_secs(2));
        assert_eq!(deadline.bound(Duration::from_secs(9)), deadline);
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(deadline.left(), Duration::ZERO);
    }
}
