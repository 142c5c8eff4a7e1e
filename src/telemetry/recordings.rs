//! Facts about recordings: what was kept of turns, and what could not be; and work beside a server that is no fact at all.

use metrics::{NoopRecorder, counter};

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

/// Runs work of which operators are told nothing: a turn that is run again beside a server is none of its turns. What is counted
/// and logged on this thread meanwhile is not.
pub fn unseen<T>(work: impl FnOnce() -> T) -> T {
    let nobody = tracing::subscriber::NoSubscriber::default();
    tracing::subscriber::with_default(nobody, || metrics::with_local_recorder(&NoopRecorder, work))
}
