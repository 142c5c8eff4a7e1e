//! Calls of operations, and what becomes of their outcomes.

use futures_util::FutureExt;
use serde_json::Value as Json;

use super::run::{Flow, Halt, Run, fault_value};
use super::speak::object;
use super::trace::Entry;
use crate::connector::{Answered, How};
use crate::diag::Span;
use crate::fault::{Fault, Outcome};
use crate::plan::action::{Call, Step};
use crate::template::from_json;

impl Run<'_> {
    /// Makes a call. An outcome that the action handles runs its steps; any other says its message. Either ends the action,
    /// unless the steps end in `continue`.
    pub(super) async fn call(&mut self, call: &Call, place: &Span) -> Result<Flow, Halt> {
        let fault = match self.invoke(call, place).await? {
            Ok(answered) => {
                if let Some(name) = &call.bind {
                    self.scope.set(name.as_str(), from_json(&answered.value));
                }
                return Ok(Flow::Next);
            }
            Err(fault) => fault,
        };
        let Some(steps) = call.handler(fault.outcome) else {
            self.say_outcome(&fault);
            return Ok(Flow::Stop);
        };
        Ok(match self.handled(steps, &fault).await? {
            Flow::Continue(value) => {
                self.outcome = None;
                if let Some(name) = &call.bind {
                    self.scope.set(name.as_str(), value);
                }
                Flow::Next
            }
            Flow::Next => Flow::Stop,
            end => end,
        })
    }

    /// Runs the steps of an outcome, which see the fault; the names they give end with them.
    async fn handled(&mut self, steps: &[Step], fault: &Fault) -> Result<Flow, Halt> {
        self.outcome = Some(fault.outcome);
        let outer = self.scope.clone();
        self.scope.set("fault", fault_value(fault));
        let flow = self.steps(steps).await;
        self.leave_for(outer);
        flow
    }

    /// Makes a call and gives back what came of it.
    pub(super) async fn invoke(&mut self, call: &Call, place: &Span) -> Result<Result<Answered, Fault>, Halt> {
        let inputs = object(&call.with, &self.scope).map_err(Halt::at(place))?;
        let refresh = match &call.refresh {
            Some(refresh) => refresh.truth(&self.scope).map_err(Halt::at(place))?,
            None => false,
        };
        let noted = self.trace.as_ref().map(|_| Json::Object(inputs.clone()));
        let sender = self.conversation.names.get("sender_id");
        let sender = sender.as_ref().and_then(|sender| sender.as_str());
        let how = How { deadline: self.deadline, refresh, sender };
        // In a box of its own: a step that calls nothing, or waits for another, need not have room for it.
        let mut answered = self.engine.parts.connections.call(&call.connection, &call.operation, inputs, how).boxed().await;
        if let Err(fault) = &mut answered
            && fault.outcome == Outcome::Pending
        {
            let reference = &self.conversation.reference;
            tracing::warn!(%reference, connection = %call.connection, operation = %call.operation, "a write outlasts its turn");
            fault.reference = Some(reference.clone());
        }
        self.note(|| Entry::Call {
            connection: call.connection.clone(),
            operation: call.operation.clone(),
            inputs: noted.unwrap_or_default(),
            result: answered.as_ref().map(|answered| answered.value.clone()).map_err(Clone::clone),
        });
        Ok(answered)
    }
}
