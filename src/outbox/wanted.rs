//! A write as a turn wants it: for the engine that orders it, and owned, for the task that makes it; and what it came to.
//!
//! It decides nothing.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::books::Begun;
use super::key::WriteOf;
use crate::connector::{Answered, How, Wire, WriteKey, Writing};
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};
use crate::time::Deadline;

/// Whether a write that cannot be made now may be made later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// It may.
    Yes,
    /// Only when the turn went on without its end: its user was told that it is on its way.
    OnceUnderWay,
    /// Never.
    No,
}

/// The entry of a write in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub(super) id: i64,
    /// Whether another call of the same write had begun it.
    pub(super) joined: bool,
}

/// What a write came to.
#[derive(Debug)]
pub struct Made {
    /// How it ended.
    pub ended: Result<Answered, Fault>,
    /// Its entry; none when it did not come to have one.
    pub entry: Option<Entry>,
}

/// A write that a turn wants.
pub struct Order<'a> {
    /// Which.
    pub of: WriteOf<'a>,
    /// The connection.
    pub connection: &'a ConnectionName,
    /// The operation.
    pub operation: &'a OperationName,
    /// The operation's inputs.
    pub inputs: Map<String, Value>,
    /// Whether it may be made later.
    pub later: Later,
    /// What telling the conversation of its end needs.
    pub tell: Value,
    /// How the call is made; its key and its time are this write's own.
    pub how: How<'a>,
}

/// The same, for a task that nobody need wait for.
pub(super) struct Wanted {
    pub(super) key: WriteKey,
    pub(super) purpose: String,
    pub(super) turn: String,
    pub(super) lane: String,
    pub(super) caller: String,
    pub(super) sender: String,
    pub(super) action: String,
    pub(super) connection: ConnectionName,
    pub(super) operation: OperationName,
    pub(super) begun: Begun,
    pub(super) writing: Writing,
    pub(super) later: Later,
    pub(super) deadline: Deadline,
    pub(super) refresh: bool,
    pub(super) for_whom: Option<String>,
    pub(super) wire: Option<Arc<Wire>>,
}

impl Wanted {
    pub(super) fn of(order: Order<'_>, writing: Writing, now: i64) -> Self {
        let Order { of, connection, operation, inputs, later, tell, how } = order;
        Self {
            key: of.key(),
            purpose: of.purpose().hex(),
            turn: of.turn.digest().hex(),
            lane: of.turn.lane(connection).hex(),
            caller: of.turn.caller.as_str().to_owned(),
            sender: of.turn.sender.to_string(),
            action: of.turn.action.as_str().to_owned(),
            connection: connection.clone(),
            operation: operation.clone(),
            begun: Begun { inputs, at: now, tell },
            writing,
            later,
            deadline: how.deadline,
            refresh: how.refresh,
            for_whom: how.sender.map(str::to_owned),
            wire: how.wire.cloned(),
        }
    }

    /// How its call is made.
    pub(super) fn how(&self) -> How<'_> {
        How { refresh: self.refresh, sender: self.for_whom.as_deref(), wire: self.wire.as_ref(), ..How::by(self.deadline) }
    }
}
