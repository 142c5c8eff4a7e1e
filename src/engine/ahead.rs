//! Asks beforehand for what an `each` will call for, where a system answers several calls with one request.
//!
//! Nothing depends on it: a call whose answer is not there is made when its turn comes, and a write makes the answers void,
//! since what is read after it may be another.

use std::sync::Arc;

use futures_util::FutureExt;

use super::run::Run;
use super::speak::object;
use crate::connector::{Answered, How, Notes, Wire};
use crate::fault::Fault;
use crate::name::{ConnectionName, OperationName};
use crate::plan::action::{Call, Each, Step, Verb};
use crate::rasa::Object;
use crate::template::Value;

/// What came of a call that was made beforehand.
pub(super) struct Ahead {
    connection: ConnectionName,
    operation: OperationName,
    inputs: Object,
    pub(super) answered: Result<Answered, Fault>,
    /// What was done for it and for those behind it.
    pub(super) notes: Notes,
}

impl Run<'_> {
    /// Makes the calls that the first step of an `each` will make. Items that this cannot be told of are left out.
    pub(super) async fn asked_ahead(&self, each: &Each, list: &[Value]) -> Vec<Ahead> {
        let connections = &self.engine.parts.connections;
        let Some(Step { when, verb: Verb::Call(call), .. }) = each.steps.first() else { return Vec::new() };
        if call.refresh.is_some() || !call.before.is_empty() || !connections.batches(&call.connection, &call.operation) {
            return Vec::new();
        }
        let mut calls: Vec<Object> = Vec::new();
        for item in list {
            let scope = self.scope.with(each.item.as_str(), item.clone());
            let runs = when.as_ref().map_or(Ok(true), |when| when.truth(&scope));
            if let (Ok(true), Ok(inputs)) = (runs, object(&call.with, &scope)) {
                calls.push(inputs);
            }
        }
        if calls.len() < 2 {
            return Vec::new();
        }
        let conversation = Arc::clone(&self.conversation);
        let sender = Some(conversation.sender.as_str());
        let wire = self.trace.as_ref().map(|_| Arc::<Wire>::default());
        let how = How { sender, wire: wire.as_ref(), ..How::by(self.deadline) };
        let answers = connections.call_many(&call.connection, &call.operation, calls.clone(), how).boxed().await;
        let mut notes = wire.map(|wire| wire.noted()).unwrap_or_default();
        let ahead = |(inputs, answered)| Ahead {
            connection: call.connection.clone(),
            operation: call.operation.clone(),
            inputs,
            answered,
            notes: std::mem::take(&mut notes),
        };
        calls.into_iter().zip(answers).map(ahead).collect()
    }

    /// What came of this call, when it was made beforehand; each answer is given once.
    pub(super) fn taken_ahead(&mut self, call: &Call, inputs: &Object) -> Option<Ahead> {
        if call.writes {
            self.ahead.clear();
        }
        let same = |it: &Ahead| it.connection == call.connection && it.operation == call.operation && it.inputs == *inputs;
        let at = self.ahead.iter().position(same)?;
        Some(self.ahead.remove(at))
    }
}
