//! What the steps of an operation gave so far, by name, whichever kind of system it was asked of.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::template::{Scope, from_json};

/// What an operation's steps gave.
#[derive(Debug)]
pub(super) struct Results {
    /// What the system offers to every template.
    pub(super) offered: Scope,
    /// Inputs, results and `now`, by name.
    pub(super) names: Map<String, Value>,
    /// The last step's result.
    pub(super) last: Value,
}

impl Results {
    /// The names that are there before the first step.
    pub(super) fn new(names: Map<String, Value>) -> Self {
        Self { offered: Scope::new(Arc::new(())), names, last: Value::Null }
    }

    /// The names for templates and conditions.
    pub(super) fn scope(&self) -> Scope {
        self.seeing(&self.offered)
    }

    /// The same with something else offered.
    pub(super) fn seeing(&self, offered: &Scope) -> Scope {
        let mut scope = offered.clone();
        for (name, value) in &self.names {
            scope.set(name.as_str(), from_json(value));
        }
        scope
    }
}
