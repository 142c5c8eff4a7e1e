//! How many turns run at the same time: who finds no place is answered at once, instead of waiting in vain.
//!
//! A place is a guard: it is free again when it is dropped. Nobody waits for one.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::telemetry::{Crowd, Crowded, TurnRunning};

/// The places of all turns.
pub(super) struct Places {
    free: Arc<Semaphore>,
    crowded: Crowded,
}

/// A turn's place.
pub(super) struct Place(#[expect(dead_code, reason = "held for its drop")] (OwnedSemaphorePermit, TurnRunning));

impl Places {
    /// So many.
    pub(super) fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(most)), crowded: Crowded::new(Crowd::Turns, most) }
    }

    /// A place; none when all are taken, which is counted.
    pub(super) fn take(&self) -> Option<Place> {
        match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => Some(Place((permit, TurnRunning::begin()))),
            Err(_) => {
                self.crowded.emit();
                None
            }
        }
    }
}
