//! Single flight: what several want at the same time is done once.
//!
//! Work is dropped when the last who waits for it has gone; who comes after that begins it anew.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{Shared, WeakShared};

type Flight<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type UnderWay<K, T> = Mutex<HashMap<K, WeakShared<Flight<T>>>>;

/// What is under way, by what it is for.
pub(super) struct Flights<K: Eq + Hash, T: Clone>(Arc<UnderWay<K, T>>);

impl<K: Eq + Hash, T: Clone> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Clone + Eq + Hash, T: Clone> Flights<K, T> {
    /// What the work for `key` comes to that is under way, or that `begin` makes. Until the [`Landing`] is dropped, the work
    /// counts as under way, if it has not ended.
    pub(super) async fn join<F>(&self, key: &K, begin: impl FnOnce() -> F) -> (T, Landing<K, T>)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let flight = self.flight(key, begin);
        let landing = Landing { flights: Arc::clone(&self.0), key: key.clone() };
        (flight.await, landing)
    }

    /// The work under way, or new work. Work that nobody waits for any more cannot be joined.
    fn flight<F>(&self, key: &K, begin: impl FnOnce() -> F) -> Shared<Flight<T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut flights = locked(&self.0);
        if let Some(flight) = flights.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight: Flight<T> = Box::pin(begin());
        let flight = flight.shared();
        if let Some(weak) = flight.downgrade() {
            flights.insert(key.clone(), weak);
        }
        flight
    }
}

#[cfg(test)]
impl<K: Eq + Hash, T: Clone> Flights<K, T> {
    /// How much is under way.
    pub(super) fn len(&self) -> usize {
        locked(&self.0).len()
    }
}

/// Takes work off the list once it has ended, or once the last who waited has gone.
pub(super) struct Landing<K: Eq + Hash, T: Clone> {
    flights: Arc<UnderWay<K, T>>,
    key: K,
}

impl<K: Eq + Hash, T: Clone> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut flights = locked(&self.flights);
        let under_way = flights.get(&self.key).and_then(WeakShared::upgrade).is_some_and(|flight| flight.peek().is_none());
        if !under_way {
            flights.remove(&self.key);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
