//! Guards at work: what must hold before something is shown, looked up or changed.
//!
//! A guard that cannot be evaluated refuses like one that does not hold. What a refusal leads to is said in one place: the
//! guard's own message, else the call's steps for `denied`, else the message for `denied`.

use super::run::{Flow, Halt, Run};
use super::trace::Entry;
use crate::fault::{Fault, Outcome};
use crate::name::Local;
use crate::plan::action::{Guard, Handler, handler};
use crate::template::{FailedKind, Scope};

impl Run<'_> {
    /// What comes after the guards of an action or of shared steps.
    pub(super) async fn guarded(&mut self, guards: &[Guard]) -> Result<Flow, Halt> {
        match self.refusing(guards, &self.scope) {
            None => Ok(Flow::Next),
            Some(guard) => self.refused(guard, &[], None).await,
        }
    }

    /// The first of these guards that does not hold.
    pub(super) fn refusing<'g>(&self, guards: &'g [Guard], scope: &Scope) -> Option<&'g Guard> {
        guards.iter().find(|guard| {
            let holds = guard.that.holds(scope).unwrap_or_else(|failed| {
                // Data that is missing is what guards are for; anything else is for who wrote it.
                if failed.kind != FailedKind::Undefined {
                    tracing::warn!(place = guard.place.place(), "a guard refused, as it failed: {}", failed.message);
                }
                false
            });
            self.note(|| Entry::Guard { place: guard.place.clone(), holds });
            if !holds {
                tracing::info!(place = guard.place.place(), "a guard refused");
            }
            !holds
        })
    }

    /// What comes after a guard that refused.
    pub(super) async fn refused(&mut self, guard: &Guard, outcomes: &[Handler], bind: Option<&Local>) -> Result<Flow, Halt> {
        self.parts.refused();
        if let Some(say) = &guard.say {
            self.outcome = Some(Outcome::Denied);
            let begin = self.messages.len();
            self.say(say, &guard.place)?;
            self.ladder.end_own(None, Some(begin..self.messages.len()));
            return Ok(Flow::Stop);
        }
        self.ended(outcomes, bind, &Fault::new(Outcome::Denied, "a guard refused")).await
    }

    /// What comes after a call that did not end well: its steps for the outcome, else the outcome's message. Either ends the
    /// action, unless the steps end in `continue`.
    pub(super) async fn ended(&mut self, outcomes: &[Handler], bind: Option<&Local>, fault: &Fault) -> Result<Flow, Halt> {
        let Some(steps) = handler(outcomes, fault.outcome) else {
            self.say_outcome(fault);
            return Ok(Flow::Stop);
        };
        let before = self.outcome;
        Ok(match self.handled(steps, fault).await? {
            Flow::Continue(value) => {
                self.outcome = before;
                if let Some(name) = bind {
                    self.scope.set(name.as_str(), value);
                }
                Flow::Next
            }
            Flow::Next => Flow::Stop,
            end => end,
        })
    }
}
