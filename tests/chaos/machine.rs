//! How busy the machine is while a run goes on: what else it does makes every answer later.
//!
//! The kernel says for how much of the time something waited for a processor (`/proc/pressure/cpu`). Waiting grows as the free
//! share of a machine shrinks, so that is how what is forgiven grows.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A machine that is watched.
pub struct Machine {
    since: Instant,
    /// How long something had waited by then, where that is known.
    waited: Option<Duration>,
    /// How late this process got its turn at worst, in microseconds.
    late: Arc<AtomicU64>,
}

impl Machine {
    const TICK: Duration = Duration::from_millis(10);
    /// What is forgiven grows tenfold at most.
    const MOST: f64 = 0.9;

    /// Begins to watch.
    pub fn watch() -> Self {
        let late = Arc::new(AtomicU64::new(0));
        let noted = Arc::clone(&late);
        tokio::spawn(async move {
            loop {
                let wanted = Instant::now() + Self::TICK;
                sleep_until(wanted).await;
                let late = u64::try_from(wanted.elapsed().as_micros()).unwrap_or(u64::MAX);
                noted.fetch_max(late, Ordering::Relaxed);
            }
        });
        Self { since: Instant::now(), waited: waited(), late }
    }

    /// For which share of the time something waited for a processor; 0 where that is not known.
    pub fn busy(&self) -> f64 {
        let Some((before, now)) = self.waited.zip(waited()) else { return 0.0 };
        (now.saturating_sub(before).as_secs_f64() / self.since.elapsed().as_secs_f64()).clamp(0.0, 1.0)
    }

    /// How late this process got its turn at worst.
    pub fn latest(&self) -> Duration {
        Duration::from_micros(self.late.load(Ordering::Relaxed))
    }

    /// What is forgiven on a machine that is so busy, of what would be on one that has nothing else to do.
    pub fn forgives(margin: Duration, busy: f64) -> Duration {
        margin.div_f64(1.0 - busy.min(Self::MOST))
    }
}

/// For how long something has waited for a processor since the start of the machine.
fn waited() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/pressure/cpu").ok()?;
    let (_, total) = text.lines().find(|line| line.starts_with("some"))?.rsplit_once("total=")?;
    total.trim().parse().ok().map(Duration::from_micros)
}
