//! Steps, one after the other. Those that hold steps themselves are in `blocks`.

use futures_util::future::{BoxFuture, FutureExt};

use super::run::{Flow, Halt, Run};
use super::speak::object;
use super::trace::Entry;
use crate::fault::{Fault, Outcome};
use crate::plan::action::{EventPlan, Step, Verb};
use crate::rasa::Event;
use crate::template::{Scope, Value};

impl Run<'_> {
    /// Runs steps until one ends them.
    pub(super) fn steps<'b>(&'b mut self, steps: &'b [Step]) -> BoxFuture<'b, Result<Flow, Halt>> {
        async move {
            let mut rest = steps;
            while let Some((step, after)) = rest.split_first() {
                rest = after;
                match self.step(step).await {
                    Ok(Flow::Next) => {}
                    end => {
                        let failed = end.is_err() || (matches!(end, Ok(Flow::Stop)) && self.outcome.is_some());
                        if failed && !matches!(step.verb, Verb::Stop(_)) {
                            self.not_reached(rest);
                        }
                        return end;
                    }
                }
            }
            Ok(Flow::Next)
        }
        .boxed()
    }

    /// Runs one step, if its `when` holds.
    pub(super) async fn step(&mut self, step: &Step) -> Result<Flow, Halt> {
        let runs = match &step.when {
            Some(when) => when.truth(&self.scope).map_err(Halt::at(&step.place))?,
            None => true,
        };
        self.note(|| Entry::Step { verb: step.verb.name(), place: step.place.clone(), runs });
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
                    let value = value.json(&self.scope).map_err(failed)?;
                    self.set_slot(slot.as_str(), value);
                }
            }
            Verb::Let(values) => {
                for (name, value) in values {
                    let value = value.eval(&self.scope).map_err(failed)?;
                    self.scope.set(name.as_str(), value);
                }
            }
            Verb::Event(plan) => {
                let event = event(plan, &self.scope).map_err(|message| Halt { place: step.place.clone(), message })?;
                self.events.push(event);
            }
            // In boxes of their own: a step that waits has room for what it does only.
            Verb::Choose(branches) => return self.choose(branches, step).boxed().await,
            Verb::Together(steps) => return self.together(steps).boxed().await,
            Verb::Each(each) => return self.each(each, step).boxed().await,
            Verb::Use(shared) => return self.use_shared(shared, step).boxed().await,
            Verb::Code(code) => return self.code(code, &step.place).boxed().await,
            Verb::Wait(time) => {
                let until = self.deadline.bound(*time);
                tokio::time::sleep_until(until.instant()).await;
                if until == self.deadline {
                    self.say_fault(&Fault::new(Outcome::Timeout, "a `wait` reached the end of the turn"));
                    return Ok(Flow::Stop);
                }
            }
            Verb::Reject(say) => return self.rendered(say, &self.scope).map(Flow::Reject).map_err(failed),
            Verb::Stop(say) => {
                if let Some(say) = say {
                    self.say(say, &step.place)?;
                }
                return Ok(Flow::Stop);
            }
            Verb::Continue(value) => return value.eval(&self.scope).map(Flow::Continue).map_err(failed),
            Verb::Accept(value) => return value.eval(&self.scope).map(Flow::Accept).map_err(failed),
        }
        Ok(Flow::Next)
    }

    /// The names that a step did not get to give are null, so that later steps can ask whether there is anything.
    pub(super) fn define_as_null(&mut self, step: &Step) {
        for name in &step.defines {
            if self.scope.get(name.as_str()).is_none() {
                self.scope.set(name.as_str(), Value::from(()));
            }
        }
    }
}

fn event(plan: &EventPlan, scope: &Scope) -> Result<Event, String> {
    let fields = object(&plan.fields, scope).map_err(|failed| failed.message)?;
    Event::from_parts(&plan.name, fields)
}
