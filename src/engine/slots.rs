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
pub(super) struct Slots(Arc<IndexMap<Arc<str>, Value>>);

impl Slots {
    /// The slots of a call.
    pub(super) fn of(slots: &Object) -> Self {
        Self(Arc::new(slots.iter().map(|(name, value)| (Arc::from(name.as_str()), from_json(value))).collect()))
    }

    pub(super) fn set(&mut self, name: &str, value: &Json) {
        Arc::make_mut(&mut self.0).insert(Arc::from(name), from_json(value));
    }

    /// What a slot holds; none when it holds nothing, or is no slot.
    ///
    /// # Errors
    /// When the value is nested deeper than values may be.
    pub(super) fn get(&self, name: &str) -> Result<Option<Json>, Failed> {
        self.0.get(name).filter(|value| !value.is_none()).map(to_json).transpose()
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_none())
    }

    /// All of them, as expressions see them.
    pub(super) fn value(&self) -> Value {
        open_values(Arc::clone(&self.0))
    }
}
