//! The slots as a run sees them: those of the call, and over them what its own steps have set.
//!
//! Values are shared and never copied, so that a slot of any size costs nothing when another one is set, and steps that run
//! at the same time can have slots of their own.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::rasa::Object;
use crate::template::{Failed, Value, from_json, open_values, to_json};

/// The slots by name. Cheap to clone; a clone that is changed does not change its origin.
#[derive(Clone, Default)]
pub(super) struct Slots {
    known: Arc<IndexMap<Arc<str>, Value>>,
    seen: bool,
}

impl Slots {
    /// The slots of a call.
    pub(super) fn of(slots: &Object) -> Self {
        let known = slots.iter().map(|(name, value)| (Arc::from(name.as_str()), from_json(value)));
        Self { known: Arc::new(known.collect()), seen: true }
    }

    /// Those slots of a call that inputs take, where no expression looks at slots.
    pub(super) fn unseen(slots: &Object) -> Self {
        Self { seen: false, ..Self::of(slots) }
    }

    pub(super) fn set(&mut self, name: &str, value: &Json) {
        Arc::make_mut(&mut self.known).insert(Arc::from(name), from_json(value));
    }

    /// What a slot holds; none when it holds nothing, or is no slot.
    ///
    /// # Errors
    /// When the value is nested deeper than values may be.
    pub(super) fn get(&self, name: &str) -> Result<Option<Json>, Failed> {
        self.known.get(name).filter(|value| !value.is_none()).map(to_json).transpose()
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.known.get(name).is_some_and(|value| !value.is_none())
    }

    /// All of them, as expressions see them; none where no expression does.
    pub(super) fn value(&self) -> Option<Value> {
        self.seen.then(|| open_values(Arc::clone(&self.known)))
    }
}
