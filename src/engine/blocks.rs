//! Steps that hold steps: branches, steps at the same time, once for every item of a list, and steps shared by actions.
//!
//! Names that are given inside of `each` and `use` end with them; slots, messages and events are the action's. `stop`,
//! `reject` and an outcome that ends the action end it from however deep inside.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::run::{Flow, Halt, Run};
use super::speak::object;
use crate::plan::action::{Branch, Each, Shared, Step, Use};
use crate::rasa::{EventKind, Object};
use crate::template::{Failed, FailedKind, Scope, Value};

impl Run<'_> {
    /// Takes the first branch that holds.
    pub(super) async fn choose(&mut self, branches: &[Branch], step: &Step) -> Result<Flow, Halt> {
        let mut flow = Flow::Next;
        for branch in branches {
            let taken = match &branch.when {
                Some(when) => when.truth(&self.scope).map_err(Halt::at(&step.place))?,
                None => true,
            };
            if taken {
                flow = self.steps(&branch.steps).await?;
                break;
            }
        }
        self.define_as_null(step);
        Ok(flow)
    }

    /// Runs steps at the same time. All of them come to their end; what they said and set is put together in the order
    /// written, and the first in that order that ends the action ends it.
    pub(super) async fn together(&mut self, steps: &[Step]) -> Result<Flow, Halt> {
        // One of them may write, and nobody looks into forks.
        self.ahead.clear();
        let runs = steps.iter().map(|step| {
            let mut run = self.fork();
            async move {
                let flow = run.steps(std::slice::from_ref(step)).await;
                (run, flow, step)
            }
        });
        let mut end = Ok(Flow::Next);
        for (run, flow, step) in join_all(runs).await {
            self.absorb(run, step);
            end = match (end, flow) {
                (Ok(Flow::Next), flow) => flow,
                (Ok(_), Err(halt)) => Err(halt),
                (Err(first), Err(halt)) => {
                    self.report(&halt);
                    Err(first)
                }
                (end, Ok(_)) => end,
            };
        }
        end
    }

    /// Takes over what a fork said, set and named.
    fn absorb(&mut self, fork: Self, step: &Step) {
        self.ladder.absorb(&fork.ladder, self.messages.len());
        self.sheet.absorb(&fork.sheet);
        self.parts.absorb(fork.parts);
        self.messages.extend(fork.messages);
        for event in fork.events {
            if let EventKind::Slot { name, value } = &event.kind {
                self.see_slot(name, value);
            }
            self.events.push(event);
        }
        for name in &step.defines {
            if let Some(value) = fork.scope.get(name.as_str()) {
                self.scope.set(name.as_str(), value);
            }
        }
        self.outcome = self.outcome.or(fork.outcome);
        self.show_age();
        self.show_verified();
    }

    /// Goes over a list.
    pub(super) async fn each(&mut self, each: &Each, step: &Step) -> Result<Flow, Halt> {
        let failed = Halt::at(&step.place);
        let list = each.list.eval(&self.scope).and_then(|list| items(&list)).map_err(failed)?;
        let outer = self.scope.clone();
        let outer_ahead = std::mem::take(&mut self.ahead);
        let mut ahead = self.asked_ahead(each, &list).await;
        let mut gathered = Vec::new();
        let mut end = Ok(Flow::Next);
        let last = list.len().saturating_sub(1);
        for (at, item) in list.into_iter().enumerate() {
            self.leave_for(outer.with(each.item.as_str(), item.clone()));
            self.ahead = ahead;
            self.sheet.enter(at);
            end = self.steps(&each.steps).await;
            self.sheet.leave();
            ahead = std::mem::take(&mut self.ahead);
            if !matches!(end, Ok(Flow::Next)) {
                if at < last {
                    self.sheet.deeds.leaves(&each.steps);
                }
                break;
            }
            match gather(each, item, &self.scope) {
                Ok(kept) => gathered.extend(kept),
                Err(wrong) => end = Err(failed(wrong)),
            }
            if end.is_err() || (each.first && !gathered.is_empty()) {
                break;
            }
        }
        self.ahead = outer_ahead;
        self.leave_for(outer);
        if let Some(into) = &each.into {
            let first = || gathered.first().cloned().unwrap_or(Value::from(()));
            let value = if each.first { first() } else { Value::from_object(gathered) };
            self.scope.set(into.as_str(), value);
        }
        end
    }

    /// Runs shared steps: they see the conversation and their inputs, and nothing else of the action.
    pub(super) async fn use_shared(&mut self, used: &Use, step: &Step) -> Result<Flow, Halt> {
        let given = object(&used.with, &self.scope).map_err(Halt::at(&step.place))?;
        let outer = self.scope.clone();
        self.leave_for(Scope::new(Arc::clone(&self.conversation.names)));
        self.sheet.enter_shared(&step.place);
        let ran = self.shared(&used.shared, &given, step).await;
        self.sheet.leave();
        self.leave_for(outer);
        let (flow, result) = ran?;
        if let Some(name) = &used.bind {
            self.scope.set(name.as_str(), result);
        }
        Ok(flow)
    }

    async fn shared(&mut self, shared: &Shared, given: &Object, step: &Step) -> Result<(Flow, Value), Halt> {
        let flow = match self.inputs(&shared.inputs, given)? {
            // Before a result is made, or looked up among those that are kept.
            Flow::Next => self.guarded(&shared.require).await?,
            end => end,
        };
        match (flow, &shared.kept) {
            (Flow::Next, Some(kept)) => self.kept_result(shared, kept, step).boxed().await,
            (Flow::Next, None) => self.made_result(shared, step).await,
            (end, _) => Ok((end, Value::from(()))),
        }
    }
}

/// What `each` keeps of an item.
fn gather(each: &Each, item: Value, scope: &Scope) -> Result<Option<Value>, Failed> {
    let kept = match &each.keep {
        Some(keep) => keep.truth(scope)?,
        None => true,
    };
    match &each.collect {
        _ if !kept => Ok(None),
        Some(value) => value.eval(scope).map(Some),
        None => Ok(Some(item)),
    }
}

/// The items of a list; null is an empty one.
pub(super) fn items(list: &Value) -> Result<Vec<Value>, Failed> {
    if list.is_none() {
        return Ok(Vec::new());
    }
    let wrong =
        || Failed { message: format!("a list is needed to go over, not {}", list.kind()), kind: FailedKind::Unsuitable };
    if list.as_str().is_some() {
        return Err(wrong());
    }
    list.try_iter().map(Iterator::collect).map_err(|_| wrong())
}
