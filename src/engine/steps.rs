//! Steps, one after the other, side by side, or once for every item of a list.

use futures_util::future::{BoxFuture, FutureExt, join_all};

use super::run::{Flow, Halt, Run};
use super::speak::object;
use super::trace::Entry;
use super::turn::Engine;
use crate::fault::{Fault, Outcome};
use crate::plan::action::{Branch, Each, EventPlan, Step, Use, Verb};
use crate::rasa::Event;
use crate::template::{Failed, FailedKind, Scope, Value};

impl Run<'_> {
    /// Runs steps until one ends them.
    pub(super) fn steps<'b>(&'b mut self, steps: &'b [Step]) -> BoxFuture<'b, Result<Flow, Halt>> {
        async move {
            for step in steps {
                match self.step(step).await? {
                    Flow::Next => {}
                    end => return Ok(end),
                }
            }
            Ok(Flow::Next)
        }
        .boxed()
    }

    async fn step(&mut self, step: &Step) -> Result<Flow, Halt> {
        let runs = match &step.when {
            Some(when) => when.truth(&self.scope).map_err(Halt::at(&step.place))?,
            None => true,
        };
        Engine::note(self.trace.as_ref(), || Entry::Step { verb: step.verb.name(), place: step.place.clone(), runs });
        if !runs {
            self.define_as_null(step);
            return Ok(Flow::Next);
        }
        let failed = Halt::at(&step.place);
        match &step.verb {
            Verb::Call(call) => return self.call(call, &step.place).await,
            Verb::Say(say) => self.say(say, &step.place)?,
            Verb::Set(slots) => {
                for (slot, value) in slots {
                    let value = value.json(&self.scope).map_err(Halt::at(&step.place))?;
                    self.set_slot(slot.as_str(), value);
                }
            }
            Verb::Let(values) => {
                for (name, value) in values {
                    let value = value.eval(&self.scope).map_err(Halt::at(&step.place))?;
                    self.scope.set(name.as_str(), value);
                }
            }
            Verb::Event(event) => {
                let event = event_of(event, &self.scope).map_err(|message| Halt { place: step.place.clone(), message })?;
                self.events.push(event);
            }
            Verb::Choose(branches) => return self.choose(branches, step).await,
            Verb::Together(steps) => return self.together(steps).await,
            Verb::Each(each) => return self.each(each, step).await,
            Verb::Use(shared) => return self.use_shared(shared, step).await,
            Verb::Wait(time) => {
                let until = self.deadline.bound(*time);
                tokio::time::sleep_until(until.instant()).await;
                if until == self.deadline {
                    self.say_fault(&Fault::new(Outcome::Timeout, "a `wait` reached the end of the turn"));
                    return Ok(Flow::Stop);
                }
            }
            Verb::Reject(say) => return self.rendered(say, &self.scope).map(Flow::Reject).map_err(failed),
            Verb::Stop => return Ok(Flow::Stop),
            Verb::Continue(value) => return value.eval(&self.scope).map(Flow::Continue).map_err(failed),
            Verb::Accept(value) => return value.eval(&self.scope).map(Flow::Accept).map_err(failed),
        }
        Ok(Flow::Next)
    }

    /// The names of a step that did not run are null, so that later steps can ask whether there is anything.
    fn define_as_null(&mut self, step: &Step) {
        for name in &step.defines {
            if self.scope.get(name.as_str()).is_none() {
                self.scope.set(name.as_str(), Value::from(()));
            }
        }
    }

    async fn choose(&mut self, branches: &[Branch], step: &Step) -> Result<Flow, Halt> {
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

    /// Runs steps at the same time. What they said and sent is put together in the order written; the first in that order
    /// that ends the action ends it for all.
    async fn together(&mut self, steps: &[Step]) -> Result<Flow, Halt> {
        let fork = Self { messages: Vec::new(), events: Vec::new(), outcome: None, ..self.clone() };
        let runs = steps.iter().map(|step| {
            let mut run = fork.clone();
            async move {
                let flow = run.step(step).await;
                (run, flow, step)
            }
        });
        let mut end = Ok(Flow::Next);
        for (run, flow, step) in join_all(runs).await {
            self.messages.extend(run.messages);
            for event in run.events {
                if let crate::rasa::EventKind::Slot { name, value } = &event.kind {
                    self.see_slot(name, value.clone());
                }
                self.events.push(event);
            }
            for name in &step.defines {
                if let Some(value) = run.scope.get(name.as_str()) {
                    self.scope.set(name.as_str(), value);
                }
            }
            self.outcome = self.outcome.or(run.outcome);
            if matches!(end, Ok(Flow::Next)) {
                end = flow;
            }
        }
        end
    }

    async fn each(&mut self, each: &Each, step: &Step) -> Result<Flow, Halt> {
        let failed = |failed: Failed| Halt { place: step.place.clone(), message: failed.message };
        let list = each.list.eval(&self.scope).map_err(failed)?;
        let outer = self.scope.clone();
        let mut gathered = Vec::new();
        for item in items(&list).map_err(failed)? {
            self.scope = outer.with(each.item.as_str(), item.clone());
            self.scope.set("slots", outer_slots(self));
            match self.steps(&each.steps).await? {
                Flow::Next => {}
                end => return Ok(end),
            }
            let kept = match &each.keep {
                Some(keep) => keep.truth(&self.scope).map_err(failed)?,
                None => true,
            };
            if kept {
                gathered.push(match &each.collect {
                    Some(value) => value.eval(&self.scope).map_err(failed)?,
                    None => item,
                });
                if each.first {
                    break;
                }
            }
        }
        let slots = outer_slots(self);
        self.scope = outer;
        self.scope.set("slots", slots);
        if let Some(into) = &each.into {
            let value = if each.first { gathered.into_iter().next().unwrap_or(Value::from(())) } else { Value::from_object(gathered) };
            self.scope.set(into.as_str(), value);
        }
        Ok(Flow::Next)
    }

    /// Runs shared steps: they see the conversation and their inputs, and nothing else of the action.
    async fn use_shared(&mut self, shared: &Use, step: &Step) -> Result<Flow, Halt> {
        let given = object(&shared.with, &self.scope).map_err(Halt::at(&step.place))?;
        let slots = outer_slots(self);
        let outer = std::mem::replace(&mut self.scope, Scope::new(std::sync::Arc::clone(&self.conversation.names)));
        self.scope.set("slots", slots);
        let flow = match self.inputs(&shared.inputs, Some(&given))? {
            Flow::Next => self.steps(&shared.steps).await?,
            end => end,
        };
        let result = match (&shared.result, &flow) {
            (Some(result), Flow::Next) => result.eval(&self.scope).map_err(Halt::at(&step.place))?,
            _ => Value::from(()),
        };
        let slots = outer_slots(self);
        self.scope = outer;
        self.scope.set("slots", slots);
        if let Some(name) = &shared.bind {
            self.scope.set(name.as_str(), result);
        }
        Ok(flow)
    }
}

/// The slots as they stand now: what inner steps set stays set.
fn outer_slots(run: &Run<'_>) -> Value {
    crate::template::open_map(&run.slots)
}

/// The items of a list; null and absent are an empty one.
pub(super) fn items(list: &Value) -> Result<Vec<Value>, Failed> {
    if list.is_none() || list.is_undefined() {
        return Ok(Vec::new());
    }
    let wrong = || Failed { message: format!("a list is needed to go over, not {}", list.kind()), kind: FailedKind::Unsuitable };
    if list.as_str().is_some() {
        return Err(wrong());
    }
    list.try_iter().map(Iterator::collect).map_err(|_| wrong())
}

fn event_of(plan: &EventPlan, scope: &Scope) -> Result<Event, String> {
    let fields = object(&plan.fields, scope).map_err(|failed| failed.message)?;
    Event::from_parts(&plan.name, fields)
}
