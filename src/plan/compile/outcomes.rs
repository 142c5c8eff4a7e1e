//! Steps for outcomes that never come, since nobody makes the promise: a designer who wrote them counts on it.
//!
//! Only calls whose operation is known are looked at; what is wrong with the others was said where they stand.

use super::Compiler;
use crate::diag::{Code, Diagnostic, Span};
use crate::fault::Outcome;
use crate::plan::action::{Call, Changes, Handler, On, Step, Verb};
use crate::plan::connector::OperationKind;

impl Compiler<'_> {
    /// Reports steps for `queued`, `unclear` and `pending` on calls that never end so. `changes` is how much the action changes;
    /// none of shared steps, since that depends on who uses them.
    pub(super) fn idle_outcomes(&mut self, steps: &[Step], changes: Option<Changes>) {
        for step in steps {
            match &step.verb {
                Verb::Call(call) => {
                    self.idle_outcomes_of(call, changes, &step.place);
                    self.idle_in(&call.outcomes, changes);
                }
                Verb::Code(code) => self.idle_in(&code.outcomes, changes),
                Verb::Choose(branches) => branches.iter().for_each(|branch| self.idle_outcomes(&branch.steps, changes)),
                Verb::Together(steps) => self.idle_outcomes(steps, changes),
                Verb::Each(each) => self.idle_outcomes(&each.steps, changes),
                _ => {}
            }
        }
    }

    fn idle_in(&mut self, handlers: &[Handler], changes: Option<Changes>) {
        handlers.iter().for_each(|handler| self.idle_outcomes(&handler.steps, changes));
    }

    fn idle_outcomes_of(&mut self, call: &Call, changes: Option<Changes>, place: &Span) {
        let connector = self.connections.get(&call.connection).and_then(Option::as_ref);
        let Some(kind) = connector.and_then(|it| it.operations.get(&call.operation)).map(|it| it.kind) else { return };
        self.unanswered(call, kind, place);
        for handler in &call.outcomes {
            let On::Outcome(outcome) = handler.on else { continue };
            if let Some((why, cure)) = never(outcome, call, kind, changes) {
                let message = format!("this call does not end as `{outcome}`: {why}");
                self.out.push(Diagnostic::at(Code::UnreachableOutcome, &handler.place, message).help(cure));
            }
        }
    }
}

/// Why a call never ends so, and what to do; none when it can.
fn never(
    outcome: Outcome,
    call: &Call,
    kind: OperationKind,
    changes: Option<Changes>,
) -> Option<(&'static str, &'static str)> {
    const LATER: &str = "add `queue: true` where it is to be done later, else take these steps out";
    match outcome {
        Outcome::Pending | Outcome::Queued | Outcome::Unclear if !kind.writes() => {
            Some(("it changes nothing", "take these steps out; `unavailable` and `timeout` are how it ends"))
        }
        Outcome::Queued | Outcome::Unclear if changes == Some(Changes::Nothing) => Some((
            "what a validation calls is never done later",
            "take these steps out, or write in the action behind the form",
        )),
        Outcome::Queued if kind == OperationKind::Payment => Some(("a payment is never made later", "take these steps out")),
        Outcome::Queued if call.queue == Some(false) => Some(("`queue: false` says so", "take out one of the two")),
        Outcome::Queued if call.queue.is_none() && call.handles_absence() => {
            Some(("it says itself what happens when its system is not there", LATER))
        }
        Outcome::Queued if call.queue.is_none() && changes == Some(Changes::Several) => {
            Some(("where an action changes several things, none is done later by itself", LATER))
        }
        _ => None,
    }
}
