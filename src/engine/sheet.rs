//! What a run notes of its writes: whose they are, where in the action they stand, and whether all of them ended well.
//!
//! A validation has no turn of its own here: it may be asked again and again about the same message.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::deeds::Deeds;
use super::run::Run;
use super::speak::object;
use crate::connector::{Answered, How};
use crate::diag::Span;
use crate::fault::{Fault, Outcome};
use crate::outbox::{Entry, Later, Made, Order, TurnKey, WriteOf};
use crate::plan::action::{Call, Changes, Input};
use crate::rasa::Object;
use crate::template::{Value, to_json};

/// The time that everything is taken to happen at where writes are compared, so that two that differ by their time are the same.
const NO_TIME: &str = "1970-01-01T00:00:00.000Z";

/// What a run notes.
#[derive(Clone)]
pub(super) struct Sheet {
    turn: Arc<TurnKey>,
    changes: Changes,
    /// The declared inputs, once they are there.
    inputs: Json,
    /// The loops and shared steps around the step that runs.
    path: Vec<String>,
    /// Whether the ledger knows a write. What could not be begun leaves nothing to remember: the turn may come again and make it.
    known: bool,
    /// Whether one of them did not end well.
    broken: bool,
    /// What was changed.
    pub(super) deeds: Deeds,
}

impl Sheet {
    pub(super) fn new(turn: Arc<TurnKey>, changes: Changes) -> Self {
        let (inputs, path, deeds) = (Json::Null, Vec::new(), Deeds::default());
        Self { turn, changes, inputs, path, known: false, broken: false, deeds }
    }

    /// Of a run that goes on from this one and has written nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { deeds: self.deeds.fork(), ..self.clone() }
    }

    /// The turn.
    pub(super) fn turn(&self) -> Arc<TurnKey> {
        Arc::clone(&self.turn)
    }

    /// Whether a write is known when the turn is taken once more.
    pub(super) fn knows(&self) -> bool {
        self.changes > Changes::Nothing
    }

    /// Whether there is something to remember the turn for.
    pub(super) const fn has_written(&self) -> bool {
        self.known
    }

    /// The writes, when every one of them ended well, or will.
    pub(super) fn whole(&self) -> Option<Vec<Entry>> {
        (!self.broken).then(|| self.deeds.entries())
    }

    /// Goes into a loop.
    pub(super) fn enter(&mut self, at: usize) {
        self.path.push(at.to_string());
    }

    /// Goes into shared steps.
    pub(super) fn enter_shared(&mut self, place: &Span) {
        self.path.push(exactly(place));
    }

    /// Comes out again.
    pub(super) fn leave(&mut self) {
        self.path.pop();
    }

    /// Takes over what a fork noted.
    pub(super) fn absorb(&mut self, fork: &Self) {
        self.known |= fork.known;
        self.broken |= fork.broken;
        self.deeds.absorb(&fork.deeds);
    }
}

/// A place in a file: several steps may stand in one line.
fn exactly(place: &Span) -> String {
    format!("{}:{}", place.place(), place.line_column().1)
}

impl Run<'_> {
    /// Notes the declared inputs.
    pub(super) fn note_inputs(&mut self, inputs: &[Input]) {
        if !self.sheet.knows() {
            return;
        }
        let value = |input: &Input| {
            let value = self.scope.get(input.name.as_str()).and_then(|value| to_json(&value).ok());
            (input.name.as_str().to_owned(), value.unwrap_or_default())
        };
        self.sheet.inputs = Json::Object(inputs.iter().map(value).collect());
    }

    /// Makes a write: by the turn's ledger, or where there is none, once.
    pub(super) async fn written(
        &mut self,
        call: &Call,
        place: &Span,
        inputs: Object,
        how: How<'_>,
    ) -> Result<Answered, Fault> {
        let writes = &self.engine.parts.writes;
        if !self.sheet.knows() {
            return writes.once(&call.connection, &call.operation, inputs, how).await;
        }
        let timeless = object(&call.with, &self.scope.with("now", Value::from(NO_TIME)));
        let meant = Json::Object(timeless.unwrap_or_else(|_| inputs.clone()));
        let step = json!([exactly(place), self.sheet.path]).to_string();
        let later = match call.queue {
            Some(true) => Later::Yes,
            Some(false) => Later::No,
            None if self.sheet.changes == Changes::One && !call.handles_absence() => Later::Yes,
            None => Later::OnceUnderWay,
        };
        let turn = Arc::clone(&self.sheet.turn);
        let of = WriteOf { turn: &turn, step: &step, inputs: &self.sheet.inputs, meant: &meant };
        let (connection, operation) = (&call.connection, &call.operation);
        let tell = self.to_tell(&place.place());
        let order = Order { of, connection, operation, inputs, later, tell, how };
        let Made { ended: made, entry } = writes.make(order).await;
        self.sheet.known |= entry.is_some();
        self.sheet.broken |= made.as_ref().is_err_and(|fault| fault.outcome != Outcome::Queued);
        self.changed(call, entry, &made);
        made
    }
}
