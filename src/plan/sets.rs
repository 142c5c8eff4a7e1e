//! Which slots an action may set, as its steps say.

use std::collections::BTreeSet;

use super::action::{Action, Body, Handler, Step, Verb};

impl Action {
    /// The slots that its steps may set, by name, those of shared steps included; of a validation those it fills and checks.
    #[must_use]
    pub fn sets(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        match &self.body {
            Body::Steps(all) => steps(all, &mut found),
            Body::Validation(validation) => {
                for (slot, rule) in &validation.rules {
                    found.insert(slot.as_str());
                    found.extend(rule.set.iter().map(|(slot, _)| slot.as_str()));
                    rule.call.iter().for_each(|call| handlers(&call.outcomes, &mut found));
                    steps(&rule.steps, &mut found);
                }
                steps(&validation.after, &mut found);
            }
        }
        found
    }
}

fn steps<'a>(all: &'a [Step], found: &mut BTreeSet<&'a str>) {
    for step in all {
        match &step.verb {
            Verb::Set(slots) => found.extend(slots.iter().map(|(slot, _)| slot.as_str())),
            Verb::Call(call) => handlers(&call.outcomes, found),
            Verb::Code(code) => handlers(&code.outcomes, found),
            Verb::Choose(branches) => branches.iter().for_each(|branch| steps(&branch.steps, found)),
            Verb::Together(together) => steps(together, found),
            Verb::Each(each) => steps(&each.steps, found),
            Verb::Use(used) => steps(&used.shared.steps, found),
            Verb::Say(_)
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

fn handlers<'a>(all: &'a [Handler], found: &mut BTreeSet<&'a str>) {
    all.iter().for_each(|handler| steps(&handler.steps, found));
}
