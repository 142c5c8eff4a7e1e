//! What the steps of an operation gave so far, by name, whichever kind of system it was asked of.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::plan::connector::Ending;
use crate::template::{Failed, Scope, from_json};

/// What an operation's steps gave.
#[derive(Debug)]
pub(super) struct Results {
    /// What the system offers to every template.
    pub(super) offered: Scope,
    /// Inputs, results and `now`, by name.
    pub(super) names: Map<String, Value>,
    /// The last step's result.
    pub(super) last: Value,
    /// The writes that were done, by the names of their steps.
    pub(super) done: Vec<String>,
}

impl Results {
    /// The names that are there before the first step.
    pub(super) fn new(names: Map<String, Value>) -> Self {
        Self { offered: Scope::new(Arc::new(())), names, last: Value::Null, done: Vec::new() }
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

    /// The first of these endings whose condition holds, as the fault that the operation ends with; `place` says where it
    /// stands.
    ///
    /// # Errors
    /// When a condition or a text fails on the values that it is given.
    pub(super) fn ended(&self, endings: &[Ending], place: &str) -> Result<Option<Fault>, Failed> {
        if endings.is_empty() {
            return Ok(None);
        }
        let scope = self.scope();
        for ending in endings {
            if ending.when.truth(&scope)? {
                let fault = Fault::new(ending.outcome, format!("{place} ended with {}", ending.outcome));
                return Ok(Some(match &ending.say {
                    Some(say) => fault.saying(say.text(&scope)?),
                    None => fault,
                }));
            }
        }
        Ok(None)
    }
}
