//! Results that are composed of several reads, kept as one.
//!
//! Nothing here makes a result; whoever does takes its place before the first read. A result is kept only where each of its
//! reads might be answered: for this sender, by a system that is there, on a connection that keeps answers.

use std::time::Duration;

use serde_json::{Map, Value};

use super::connections::{Answered, Connections};
use super::stack::allowed;
use crate::name::{ConnectionName, OperationName};
use crate::resilience::{Cached, Keep, Key, Place};

/// Where a composed result is kept, as of the writes before it was begun.
#[derive(Debug, Clone)]
pub struct Composing(Place);

impl Connections {
    /// Begins the result called `name` of `reads` with `inputs`; none where it cannot be kept.
    #[must_use]
    pub fn compose(
        &self,
        name: &str,
        reads: &[(ConnectionName, OperationName)],
        inputs: &Map<String, Value>,
        sender: Option<&str>,
    ) -> Option<Composing> {
        let (mut shared, mut opened) = (true, 0_u64);
        for (connection, operation) in reads {
            let (open, operation) = self.find(connection, operation).ok()?;
            let keeping = &open.rules.patience.keeping;
            let off = keeping.off || keeping.operations.get(&operation.name).is_some_and(Option::is_none);
            if off || open.forgets() || allowed(open, operation, sender).is_err() {
                return None;
            }
            shared &= open.is_shared();
            opened = opened.rotate_left(1) ^ open.number;
        }
        let key = Key::composed(name, reads, inputs).opened_as(opened);
        Some(Composing(self.cache.place(&if shared { key } else { key.only_here() })))
    }

    /// The result as it was kept, when it is as good as new.
    pub async fn composed(&self, composing: &Composing) -> Option<Answered> {
        let Cached { value, age } = self.cache.fresh_at(&composing.0).await?;
        Some(Answered { value: Value::clone(&value), age: Some(age) })
    }

    /// Keeps a result whose oldest part is `age` old for `fresh`, unless a write has outdated a part of it meanwhile.
    pub async fn keep_composed(&self, composing: Composing, value: Value, age: Duration, fresh: Duration) {
        self.cache.keep(composing.0, value, age, Keep::new(fresh, fresh)).await;
    }
}
