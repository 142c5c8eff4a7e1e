//! A recording as a file has it: one turn, from the call to what Rasa was told.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::called::Called;
use crate::fault::{Fault, Outcome};
use crate::rasa::Object;

/// One turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The version of this form; [`Recording::VERSION`].
    pub legwork_recording: u32,
    /// The time that the turn saw as `now`.
    pub at: DateTime<Utc>,
    /// The action.
    pub action: String,
    /// What the call brought.
    pub call: Called,
    /// What systems were asked, and how each of that ended, in order.
    pub asked: Vec<Asked>,
    /// What Rasa was told.
    pub told: Said,
    /// Why it cannot be run again, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_to_read: Option<String>,
}

impl Recording {
    /// The version that is written and read.
    pub const VERSION: u32 = 1;
}

/// A call of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The connection.
    pub connection: String,
    /// The operation.
    pub operation: String,
    /// Its inputs.
    pub inputs: Object,
    /// The answer, in the form of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// How old the answer was, when it was kept from an earlier call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_seconds: Option<f64>,
    /// How it ended, when it did not end well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Faulted>,
    /// The last known answer, when that stood in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_in: Option<StoodIn>,
    /// The requests that were made for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Exchange>,
}

/// The last known answer of an operation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoodIn {
    /// The answer.
    pub answer: Value,
    /// How old it was.
    pub age_seconds: f64,
}

/// A request, and what the system answered: for people to read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Method and address.
    pub request: String,
    /// The body of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The answer's status; none when there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Faulted {
    /// The outcome's name.
    pub outcome: String,
    /// For operators.
    pub detail: String,
    /// What the user may read of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
    /// After how many milliseconds it may be asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The steps that were done before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<String>,
    /// Whether something more may have been done.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsettled: bool,
    /// What the user can quote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Whether this sender alone asked too often.
    #[serde(default, skip_serializing_if = "is_false")]
    pub too_often: bool,
}

/// What Rasa was told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Said {
    /// The events, as they were sent.
    pub events: Vec<Value>,
    /// The messages, as they were sent.
    pub responses: Vec<Value>,
    /// The reason, where the action declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected: Option<String>,
    /// References to writes in it, which are others when it is run again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
}

impl Faulted {
    /// A fault, written down.
    #[must_use]
    pub fn of(fault: &Fault) -> Self {
        let millis = |wait: Duration| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self {
            outcome: fault.outcome.name().to_owned(),
            detail: fault.operator.clone(),
            says: fault.public.clone(),
            retry_after_ms: fault.retry_after.map(millis),
            done: fault.done.clone(),
            unsettled: fault.unsettled,
            reference: fault.reference.as_deref().map(str::to_owned),
            too_often: fault.too_often,
        }
    }

    /// The fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        Fault {
            outcome: Outcome::parse(&self.outcome).unwrap_or(Outcome::Unexpected),
            operator: self.detail.clone(),
            public: self.says.clone(),
            retry_after: self.retry_after_ms.map(Duration::from_millis),
            done: self.done.clone(),
            unsettled: self.unsettled,
            reference: self.reference.as_deref().map(Into::into),
            too_often: self.too_often,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}
