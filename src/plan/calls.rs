//! Which systems an action may ask: read off its steps, whichever way a turn goes.

use std::collections::BTreeSet;

use super::action::{Action, Body, Call, CodeStep, Does, Handler, Step, Verb};
use super::settings::OneTimeCode;
use crate::name::ConnectionName;

impl Action {
    /// The connections that its steps may call, also those of shared steps; `code` is how one-time codes are sent.
    #[must_use]
    pub fn connections(&self, code: Option<&OneTimeCode>) -> BTreeSet<ConnectionName> {
        let mut found = Found { code, all: BTreeSet::new() };
        match &self.body {
            Body::Steps(steps) => found.steps(steps),
            Body::Validation(validation) => {
                for (_, rule) in &validation.rules {
                    rule.call.iter().for_each(|call| found.call(call));
                    found.steps(&rule.steps);
                }
                found.steps(&validation.after);
            }
            // Nobody knows before it has asked.
            Body::Native | Body::Forwarded => {}
        }
        found.all
    }
}

struct Found<'a> {
    code: Option<&'a OneTimeCode>,
    all: BTreeSet<ConnectionName>,
}

impl Found<'_> {
    fn steps(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.verb {
                Verb::Call(call) => self.call(call),
                Verb::Code(code) => self.code(code),
                Verb::Choose(branches) => branches.iter().for_each(|branch| self.steps(&branch.steps)),
                Verb::Together(steps) => self.steps(steps),
                Verb::Each(each) => self.steps(&each.steps),
                Verb::Use(used) => self.steps(&used.shared.steps),
                Verb::Say(_)
                | Verb::Set(_)
                | Verb::Let(_)
                | Verb::Event(_)
                | Verb::Wait(_)
                | Verb::Reject(_)
                | Verb::Stop(_)
                | Verb::Continue(_)
                | Verb::Accept(_) => {}
            }
        }
    }

    fn call(&mut self, call: &Call) {
        self.all.insert(call.connection.clone());
        self.all.extend(call.undo.as_ref().map(|undo| undo.connection.clone()));
        self.handlers(&call.outcomes);
    }

    fn code(&mut self, step: &CodeStep) {
        if step.does == Does::Send {
            self.all.extend(self.code.map(|code| code.connection.clone()));
        }
        self.handlers(&step.outcomes);
    }

    fn handlers(&mut self, handlers: &[Handler]) {
        handlers.iter().for_each(|handler| self.steps(&handler.steps));
    }
}
