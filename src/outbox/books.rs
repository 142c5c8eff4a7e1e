//! What is written down of a write: what it was begun with, and what it ended with, as the store keeps them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::fault::{Fault, Outcome};
use crate::store::{StoreError, Written};

/// What a write was begun with. What its request depends on is here, so that it is the same whenever it is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Begun {
    /// The operation's inputs.
    pub(super) inputs: Map<String, Value>,
    /// The time that it takes for the time, in milliseconds since 1970.
    pub(super) at: i64,
    /// What telling the conversation of its end needs; the store and the worker do not look into it.
    #[serde(default)]
    pub(super) tell: Value,
}

impl Begun {
    pub(super) fn of(written: &Written) -> Result<Self, StoreError> {
        read(&written.payload)
    }

    /// The time that it takes for the time.
    pub(super) fn at(&self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.at)
    }
}

/// What a write ended with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Ended {
    /// Its answer.
    Answer(Value),
    /// How it did not end well.
    Fault {
        outcome: String,
        operator: String,
        #[serde(default)]
        public: Option<String>,
        #[serde(default)]
        done: Vec<String>,
    },
}

impl Ended {
    pub(super) fn of(ended: &Result<Value, Fault>) -> Self {
        match ended {
            Ok(answer) => Self::Answer(answer.clone()),
            Err(fault) => Self::Fault {
                outcome: fault.outcome.name().to_owned(),
                operator: fault.operator.clone(),
                public: fault.public.clone(),
                done: fault.done.clone(),
            },
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn read(written: &Written) -> Result<Option<Self>, StoreError> {
        written.result.as_deref().map(read).transpose()
    }

    /// What the write ended with, as its call gives it.
    pub(super) fn into_result(self) -> Result<Value, Fault> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Fault { outcome, operator, public, done } => {
                let outcome = Outcome::parse(&outcome).unwrap_or(Outcome::Unexpected);
                Err(Fault { public, ..Fault::new(outcome, operator).after(done) })
            }
        }
    }
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Result<T, StoreError> {
    let wrong = |_| StoreError::Misconfigured("the store holds a write of another version of legwork".to_owned());
    serde_json::from_slice(bytes).map_err(wrong)
}

/// How long before `now` something was, both in milliseconds since 1970.
pub(super) fn since(now: i64, then: i64) -> Duration {
    Duration::from_millis(u64::try_from(now - then).unwrap_or_default())
}

/// A span in milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
