//! Takes back what a turn has done, when what came after it could not be done.
//!
//! What takes a write back is a write itself: in the ledger under a key of its own, made once, and made later where its system is
//! not there. A write that was taken back is nobody's any more: the same wish makes it anew.

use serde_json::{Map, Value, json};

use super::key::WriteOf;
use super::{Entry, Later, Made, Order, TurnKey, Writes};
use crate::connector::{Answered, How};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};

/// What takes a write back.
pub struct Undoing<'a> {
    /// The write.
    pub entry: Entry,
    /// The turn that takes it back.
    pub turn: &'a TurnKey,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// The operation's inputs.
    pub inputs: Map<String, Value>,
    /// How the call is made.
    pub how: How<'a>,
}

impl Writes {
    /// Takes back a write that was done.
    ///
    /// # Errors
    /// How that ended, when it did not end well: as of any write.
    pub async fn undo(&self, undoing: Undoing<'_>) -> Result<Answered, Fault> {
        let Undoing { entry, turn, connection, operation, inputs, how } = undoing;
        // Whichever turn takes it back, it is the same thing that is done.
        let step = json!(["undo", entry.id]).to_string();
        let of = WriteOf { turn, step: &step, inputs: &Value::Null, meant: &Value::Null };
        // Nobody has been told of a reference, so there is nothing to tell when it is done.
        let order = Order { of, connection, operation, inputs, later: Later::Yes, tell: Value::Null, how };
        let Made { ended, .. } = self.make(order).await;
        match ended.as_ref().map_err(|fault| fault.outcome) {
            Ok(_) | Err(Outcome::Queued | Outcome::Pending) => self.taken_back(entry, true).await,
            Err(Outcome::Unclear) => self.taken_back(entry, false).await,
            Err(_) => false,
        };
        ended
    }

    /// Takes a write out of the queue; false when it is no longer there, or is just being made.
    pub async fn withdraw(&self, entry: Entry) -> bool {
        self.taken_back(entry, true).await
    }

    async fn taken_back(&self, entry: Entry, sure: bool) -> bool {
        let desk = &self.0;
        desk.store.taken_back(entry.id, sure, desk.now()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "that a write was taken back could not be kept: the same wish takes it for done");
            false
        })
    }
}
