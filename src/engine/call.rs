//! Calls of operations, and what becomes of their outcomes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::Value as Json;

use super::ladder::{fault_value, stands_in};
use super::run::{Flow, Halt, Run};
use super::speak::object;
use super::trace::Entry;
use crate::connector::{Answered, How, Wire};
use crate::diag::Span;
use crate::fault::Fault;
use crate::plan::action::{Call, Step};
use crate::template::from_json;

impl Run<'_> {
    /// Makes a call whose guards hold. An outcome that the action handles runs its steps; any other says its message. Either
    /// ends the action, unless the steps end in `continue`.
    pub(super) async fn call(&mut self, call: &Call, place: &Span) -> Result<Flow, Halt> {
        if let Some(guard) = self.refusing(&call.before, &self.scope) {
            return self.refused(guard, &call.outcomes, call.bind.as_ref()).await;
        }
        let found = match self.invoke(call, place).await? {
            Ok(found) => found,
            Err(fault) => {
                let change = if call.writes { self.sheet.deeds.ends() } else { None };
                let flow = self.ended(&call.outcomes, call.bind.as_ref(), &fault).await?;
                if let (Flow::Next, Some(change)) = (&flow, change) {
                    self.sheet.deeds.went_on(change);
                }
                return Ok(flow);
            }
        };
        let refusing = match &call.bind {
            Some(name) if !call.after.is_empty() => {
                self.refusing(&call.after, &self.scope.with(name.as_str(), from_json(&found.value)))
            }
            _ => None,
        };
        match refusing {
            Some(guard) => self.refused(guard, &call.outcomes, call.bind.as_ref()).await,
            None => self.found(call, found).await,
        }
    }

    /// Runs the steps of an outcome, which see the fault; the names they give end with them.
    pub(super) async fn handled(&mut self, steps: &[Step], fault: &Fault) -> Result<Flow, Halt> {
        self.outcome = Some(fault.outcome);
        let outer = self.scope.clone();
        self.scope.set("fault", fault_value(Some(fault)));
        let (begin, ended) = (self.messages.len(), self.ladder.begin_own());
        let flow = self.steps(steps).await;
        let went_on = matches!(flow, Ok(Flow::Continue(_)));
        self.ladder.end_own(ended, (!went_on).then_some(begin..self.messages.len()));
        self.leave_for(outer);
        flow
    }

    /// Makes a call and gives back what came of it. When the system gives no answer, the last known one stands in.
    pub(super) async fn invoke(&mut self, call: &Call, place: &Span) -> Result<Result<Found, Fault>, Halt> {
        let inputs = object(&call.with, &self.scope).map_err(Halt::at(place))?;
        let refresh = match &call.refresh {
            Some(refresh) => refresh.truth(&self.scope).map_err(Halt::at(place))?,
            None => false,
        };
        let noted = self.trace.as_ref().map(|_| Json::Object(inputs.clone()));
        let conversation = Arc::clone(&self.conversation);
        let sender = Some(conversation.sender.as_str());
        let ahead = self.taken_ahead(call, &inputs);
        let connections = &self.engine.parts.connections;
        let (answered, notes) = match ahead {
            Some(ahead) => (ahead.answered, ahead.notes),
            None => {
                let wire = self.trace.as_ref().map(|_| Arc::<Wire>::default());
                let how = How { refresh, sender, wire: wire.as_ref(), ..How::by(self.deadline) };
                // In a box of its own: a step that calls nothing, or waits for another, need not have room for it.
                let answered = match call.writes {
                    true => self.written(call, place, inputs, how).boxed().await,
                    false => connections.call(&call.connection, &call.operation, inputs, how).boxed().await,
                };
                (answered, wire.map(|wire| wire.noted()).unwrap_or_default())
            }
        };
        self.note(|| Entry::Call {
            connection: call.connection.clone(),
            operation: call.operation.clone(),
            inputs: noted.unwrap_or_default(),
            notes,
            result: answered.as_ref().map(|answered| answered.value.clone()).map_err(Clone::clone),
        });
        let came = match answered {
            Ok(Answered { value, age }) => Ok(Found { value, age, instead_of: None }),
            Err(fault) if !call.writes && stands_in(fault.outcome) => {
                let inputs = object(&call.with, &self.scope).map_err(Halt::at(place))?;
                match connections.last_known(&call.connection, &call.operation, inputs, sender).boxed().await {
                    Some(Answered { value, age }) => Ok(Found { value, age, instead_of: Some(fault) }),
                    None => Err(fault),
                }
            }
            Err(fault) => Err(fault),
        };
        if let Ok(Found { value, age: Some(age), instead_of }) = &came {
            self.note(|| Entry::Kept { age: *age, instead: instead_of.as_ref().map(|_| value.clone()) });
        }
        self.parts.met(&came);
        self.ladder.met(call, self.sheet.knows(), &came);
        self.show_age();
        Ok(came)
    }
}

/// The answer that an action goes on with.
pub(super) struct Found {
    pub(super) value: Json,
    /// How old it is, when it was kept from an earlier call.
    pub(super) age: Option<Duration>,
    /// Why the system's own answer is not here, when this is the last known one.
    pub(super) instead_of: Option<Fault>,
}
