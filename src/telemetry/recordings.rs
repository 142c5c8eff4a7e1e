//! Facts about recordings: what was kept of turns, and what could not be.

use metrics::counter;

use super::Metric;

/// Turns were recorded, or left out.
#[derive(Debug, Clone, Copy)]
pub enum TurnRecorded {
    /// One was written.
    Written,
    /// These were not, since too many were being recorded already.
    LeftOut(u64),
    /// One could not be written.
    Failed(std::io::ErrorKind),
}

impl TurnRecorded {
    /// Counts, and logs at WARN what is missing.
    pub fn emit(self) {
        let (result, count) = match self {
            Self::Written => ("written", 1),
            Self::LeftOut(count) => {
                tracing::warn!(count, "turns were not recorded: too many at a time for how fast they are written");
                ("left_out", count)
            }
            Self::Failed(kind) => {
                tracing::warn!("a turn could not be recorded: {kind}");
                ("failed", 1)
            }
        };
        counter!(Metric::RecordingsTotal.name(), "result" => result).increment(count);
    }
}
