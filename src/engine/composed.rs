//! Results of shared steps that are kept as one for all conversations.
//!
//! What is kept came of reads that all ended well, and is as old as the oldest of them. Equal results that are made at the same
//! time share their reads, not the steps between.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;

use super::call::Found;
use super::run::{Flow, Halt, Run};
use super::trace::Entry;
use crate::connector::Answered;
use crate::fault::Fault;
use crate::plan::action::{Kept, Shared, Step};
use crate::template::{Value, from_json, to_json};

/// What the calls of a run came to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts {
    /// The age of the oldest answer.
    oldest: Duration,
    /// A call ended otherwise than well, a guard refused, or an old answer stood in.
    broken: bool,
}

impl Parts {
    /// Notes what a call came to.
    pub(super) fn met(&mut self, came: &Result<Found, Fault>) {
        self.broken |= !came.as_ref().is_ok_and(|found| found.instead_of.is_none());
        self.oldest = self.oldest.max(came.as_ref().ok().and_then(|found| found.age).unwrap_or_default());
    }

    /// Notes that a guard refused, which `continue` may go on from.
    pub(super) fn refused(&mut self) {
        self.broken = true;
    }

    /// Takes over what others came to.
    pub(super) fn absorb(&mut self, other: Self) {
        self.oldest = self.oldest.max(other.oldest);
        self.broken |= other.broken;
    }
}

impl Run<'_> {
    /// The result of shared steps whose inputs are there: as it was kept, else made and kept.
    pub(super) async fn kept_result(&mut self, shared: &Shared, kept: &Kept, step: &Step) -> Result<(Flow, Value), Halt> {
        let failed = Halt::at(&step.place);
        // Words for codes differ by language, and how it is made by the files that say it.
        let files = u64::from_be_bytes(self.engine.parts.project.print.first_chunk().copied().unwrap_or_default());
        let locale = self.conversation.locale.as_str();
        let mut inputs: Map<_, _> =
            [("locale".to_owned(), locale.into()), ("files".to_owned(), files.into())].into_iter().collect();
        for input in &shared.inputs {
            let value = self.scope.get(input.name.as_str()).map(|value| to_json(&value)).transpose().map_err(failed)?;
            inputs.insert(format!("inputs.{}", input.name), value.unwrap_or_default());
        }
        let connections = &self.engine.parts.connections;
        let conversation = Arc::clone(&self.conversation);
        let sender = Some(conversation.sender.as_str());
        // Before the first read, so that a write meanwhile outdates what comes of it.
        let Some(composing) = connections.compose(&kept.name, &kept.reads, &inputs, sender) else {
            return self.made_result(shared, step).await;
        };
        if let Some(Answered { value, age }) = connections.composed(&composing).await {
            let age = age.unwrap_or_default();
            self.note(|| Entry::Recalled { name: kept.name.clone(), age, value: value.clone() });
            self.parts.absorb(Parts { oldest: age, broken: false });
            self.recalled(age);
            return Ok((Flow::Next, from_json(&value)));
        }
        let before = std::mem::take(&mut self.parts);
        let (flow, result) = self.made_result(shared, step).await?;
        let parts = std::mem::replace(&mut self.parts, before);
        self.parts.absorb(parts);
        if let (Flow::Next, false, Ok(value)) = (&flow, parts.broken, to_json(&result)) {
            connections.keep_composed(composing, value, parts.oldest, kept.fresh).await;
        }
        Ok((flow, result))
    }

    /// Runs shared steps whose inputs are there.
    pub(super) async fn made_result(&mut self, shared: &Shared, step: &Step) -> Result<(Flow, Value), Halt> {
        let flow = self.steps(&shared.steps).await?;
        let result = match (&shared.result, &flow) {
            (Some(result), Flow::Next) => result.eval(&self.scope).map_err(Halt::at(&step.place))?,
            _ => Value::from(()),
        };
        Ok((flow, result))
    }
}
