//! The results that wait, as weights: when they are too heavy together, the oldest are told to go.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Room for results.
pub(super) struct Shelf {
    limit: usize,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    next: u64,
    bytes: usize,
    places: BTreeMap<u64, (usize, Arc<Notify>)>,
}

/// A result's place, free again when this is dropped.
pub(super) struct Place {
    number: u64,
    held: Arc<Mutex<Held>>,
}

impl Shelf {
    pub(super) fn new(limit: usize) -> Self {
        Self { limit, held: Arc::default() }
    }

    /// Puts a result there; `evicted` is told when it has to go.
    pub(super) fn put(&self, weight: usize, evicted: &Arc<Notify>) -> Place {
        let mut held = lock(&self.held);
        let number = held.next;
        held.next += 1;
        held.bytes = held.bytes.saturating_add(weight);
        held.places.insert(number, (weight, Arc::clone(evicted)));
        while held.bytes > self.limit
            && let Some((_, (weight, evicted))) = held.places.pop_first()
        {
            held.bytes = held.bytes.saturating_sub(weight);
            evicted.notify_one();
        }
        Place { number, held: Arc::clone(&self.held) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = lock(&self.held);
        if let Some((weight, _)) = held.places.remove(&self.number) {
            held.bytes = held.bytes.saturating_sub(weight);
        }
    }
}

fn lock(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
