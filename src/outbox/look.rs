//! What an operator sees of a write: how it stands and why; what was written, and whose it is, only where that is asked for.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use serde_json::{Map, Value};

use super::books::{Begun, Ended};
use crate::store::{Met, State, Store, StoreError};

/// How many writes are looked at in one step.
pub(super) const PAGE: i64 = 200;

/// A write as operators see it. Times are RFC 3339, in UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Seen {
    /// What the user can quote.
    pub reference: String,
    /// What became of it.
    pub state: &'static str,
    /// The action that wanted it.
    pub action: String,
    /// The connection.
    pub connection: String,
    /// The operation.
    pub operation: String,
    /// Who called.
    pub caller: String,
    /// Whether the user was told that it will be done.
    pub promised: bool,
    /// Whether it may have been done although it did not end well.
    pub unsettled: bool,
    /// Whether a server works on it now.
    pub working: bool,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was begun, or put back into the queue.
    pub begun_at: String,
    /// When it was tried last.
    pub tried_at: Option<String>,
    /// When it is tried next.
    pub due_at: Option<String>,
    /// How it ended last, when it did not end well.
    pub fault: Option<SeenFault>,
    /// Why the rest cannot be shown.
    pub unreadable: Option<String>,
    /// What is personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<SeenValues>,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenFault {
    /// The outcome's name.
    pub outcome: String,
    /// Why, for operators.
    pub detail: String,
    /// What was done before it failed, in words.
    pub done: Vec<String>,
}

/// What is personal of a write.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SeenValues {
    /// The conversation.
    pub sender: String,
    /// The operation's inputs.
    pub inputs: Map<String, Value>,
    /// Its answer, when it has one.
    pub answer: Option<Value>,
    /// What the conversation would be told of its end with.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub told_with: Value,
}

/// Whether what is personal is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

impl Seen {
    /// A write as it was met, at that time.
    #[must_use]
    pub fn of(met: &Met, values: Values, now: DateTime<Utc>) -> Self {
        let Met { write, unreadable, .. } = met;
        let open = |error: &Option<StoreError>| error.as_ref().map(ToString::to_string);
        let (mut wrong, mut fault, mut answer) = (open(unreadable), None, None);
        match Ended::read(write) {
            Ok(Some(Ended::Answer(value))) => answer = Some(value),
            Ok(Some(Ended::Fault { outcome, operator, done, .. })) => {
                fault = Some(SeenFault { outcome, detail: operator, done });
            }
            Ok(None) => {}
            Err(error) => wrong = wrong.or(Some(error.to_string())),
        }
        let begun = match unreadable {
            Some(_) => None,
            None => Begun::of(write).map_err(|error| wrong = wrong.take().or(Some(error.to_string()))).ok(),
        };
        let shown =
            |Begun { inputs, tell, .. }| SeenValues { sender: write.sender.clone(), inputs, answer, told_with: tell };
        let queued = write.state == State::Queued;
        Self {
            reference: write.reference.clone(),
            state: write.state.name(),
            action: write.action.clone(),
            connection: write.connection.clone(),
            operation: write.operation.clone(),
            caller: write.caller.clone(),
            promised: write.promised,
            unsettled: write.unsettled,
            working: write.lease_until > now.timestamp_millis() && matches!(write.state, State::Sending | State::Queued),
            attempts: write.attempts,
            begun_at: at(write.begun_at),
            tried_at: (write.ended_at > 0).then(|| at(write.ended_at)),
            due_at: queued.then(|| at(write.due_at)),
            fault,
            unreadable: wrong,
            values: begun.filter(|_| values == Values::Shown).map(shown),
        }
    }
}

/// A time in milliseconds since 1970, to the second.
pub(super) fn at(millis: i64) -> String {
    DateTime::from_timestamp_millis(millis).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Looks at every write in one of these states, of one connection or of all, in the order in which they were begun.
///
/// # Errors
/// When the store cannot be read.
pub async fn each_write(
    store: &Store,
    states: &[State],
    connection: Option<&str>,
    mut look: impl FnMut(Met),
) -> Result<(), StoreError> {
    let mut seen = 0;
    loop {
        let page = store.search(seen, states, connection, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        seen = last.write.id;
        page.into_iter().for_each(&mut look);
    }
}
