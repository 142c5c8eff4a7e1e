//! What this process works on, so that its leases are kept and no others: what it lost sight of is soon anybody's.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Stands for work that is going on. When the last one of it is dropped, it has ended.
pub type Alive = Arc<()>;

/// What is worked on, by its name in the store.
/// Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Held<K>(Arc<Mutex<HashMap<K, Weak<()>>>>);

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Eq + Hash + Clone> Held<K> {
    /// Notes work that goes on as long as this is held.
    pub(super) fn hold(&self, key: K, alive: &Alive) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::downgrade(alive));
    }

    /// Whether that goes on now.
    pub(super) fn holds(&self, key: &K) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.get(key).is_some_and(|alive| alive.strong_count() > 0)
    }

    /// What goes on now.
    pub(super) fn all(&self) -> Vec<K> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, alive| alive.strong_count() > 0);
        held.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_ended_is_not_held_any_more() {
        let held = Held::default();
        let (one, other, again) = (Alive::default(), Alive::default(), Alive::default());
        held.hold(1, &one);
        held.hold(2, &other);
        drop(one);
        assert_eq!(held.all(), [2]);
        held.hold(2, &again);
        drop(other);
        assert_eq!(held.all(), [2]);
        assert!(held.holds(&2) && !held.holds(&1));
        drop(again);
        assert!(!held.holds(&2));
        assert!(held.all().is_empty());
    }
}
