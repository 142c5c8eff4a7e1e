//! The facts of a server that has as much to do as it may: connections, bodies and turns beyond that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use metrics::counter;
use tokio::time::Instant;

use super::Metric;

/// How often the log says of one thing that there is no room for more.
const SAID: Duration = Duration::from_secs(60);

/// Of what there is as much as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crowd {
    /// Connections: further ones are not accepted until one ends.
    Connections,
    /// Bodies that are read: the others are not read on until one was.
    Bodies,
    /// Turns: further ones are refused with words for the user.
    Turns,
}

impl Crowd {
    /// The name in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Bodies => "bodies",
            Self::Turns => "turns",
        }
    }
}

/// Tells that there is no room for more of one thing.
#[derive(Debug)]
pub struct Crowded {
    what: Crowd,
    most: usize,
    begun: Instant,
    /// When the log said so last, in milliseconds from the begin and one.
    said: AtomicU64,
}

impl Crowded {
    /// For things of which there may be `most`: connections and turns by their number, bodies by their bytes.
    #[must_use]
    pub fn new(what: Crowd, most: usize) -> Self {
        Self { what, most, begun: Instant::now(), said: AtomicU64::new(0) }
    }

    /// Counts one that there was no room for; logs at WARN, at most once a minute.
    pub fn emit(&self) {
        counter!(Metric::CrowdedTotal.name(), "what" => self.what.name()).increment(1);
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        let said = self.said.load(Ordering::Relaxed);
        let again = said == 0 || now - said.min(now) >= u64::try_from(SAID.as_millis()).unwrap_or(u64::MAX);
        if again && self.said.compare_exchange(said, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let most = self.most;
            match self.what {
                Crowd::Connections => tracing::warn!(most, "as many connections are open as may be; further ones wait"),
                Crowd::Bodies => tracing::warn!(bytes = most, "as much of bodies is read as may be; further ones wait"),
                Crowd::Turns => tracing::warn!(most, "as many turns run as may (`server.turns`); further ones are refused"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;

    #[tokio::test(start_paused = true)]
    async fn each_is_counted_and_the_log_says_it_once_a_minute() {
        let metrics = Metrics::install();
        let crowded = Crowded::new(Crowd::Turns, 7);
        let said = || crowded.said.load(Ordering::Relaxed);
        crowded.emit();
        let first = said();
        tokio::time::advance(SAID - Duration::from_millis(1)).await;
        crowded.emit();
        assert_eq!(said(), first);
        tokio::time::advance(Duration::from_millis(1)).await;
        crowded.emit();
        assert!(said() > first);
        assert!(metrics.render().contains(r#"legwork_crowded_total{what="turns"} 3"#));
    }
}
