//! What an action may do to a conversation, as its steps say: which slots it may set, and which actions it may ask for next.

use std::collections::BTreeSet;

use super::action::{Action, Body, Handler, Step, Verb};

impl Action {
    /// The slots that its steps may set, by name, those of shared steps included; of a validation those it fills and checks.
    #[must_use]
    pub fn sets(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        if let Body::Validation(validation) = &self.body {
            for (slot, rule) in &validation.rules {
                found.insert(slot.as_str());
                found.extend(rule.set.iter().map(|(slot, _)| slot.as_str()));
            }
        }
        self.each_step(&mut |step| {
            if let Verb::Set(slots) = &step.verb {
                found.extend(slots.iter().map(|(slot, _)| slot.as_str()));
            }
        });
        found
    }

    /// The actions that it may ask for next, where they are named in so many words.
    #[must_use]
    pub fn follows(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.each_step(&mut |step| {
            if let Verb::Event(event) = &step.verb
                && event.name == "followup"
            {
                let names = event.fields.iter().filter(|(key, _)| key == "name");
                found.extend(names.filter_map(|(_, name)| Some(name.constant()?.as_str()?.to_owned())));
            }
        });
        found
    }

    fn each_step<'a>(&'a self, visit: &mut impl FnMut(&'a Step)) {
        match &self.body {
            Body::Steps(all) => walk(all, visit),
            Body::Validation(validation) => {
                for (_, rule) in &validation.rules {
                    rule.call.iter().for_each(|call| handlers(&call.outcomes, visit));
                    walk(&rule.steps, visit);
                }
                walk(&validation.after, visit);
            }
            // What they do is written elsewhere.
            Body::Native | Body::Forwarded => {}
        }
    }
}

fn walk<'a>(steps: &'a [Step], visit: &mut impl FnMut(&'a Step)) {
    for step in steps {
        visit(step);
        match &step.verb {
            Verb::Call(call) => handlers(&call.outcomes, visit),
            Verb::Code(code) => handlers(&code.outcomes, visit),
            Verb::Choose(branches) => branches.iter().for_each(|branch| walk(&branch.steps, visit)),
            Verb::Together(together) => walk(together, visit),
            Verb::Each(each) => walk(&each.steps, visit),
            Verb::Use(used) => walk(&used.shared.steps, visit),
            _ => {}
        }
    }
}

fn handlers<'a>(all: &'a [Handler], visit: &mut impl FnMut(&'a Step)) {
    all.iter().for_each(|handler| walk(&handler.steps, visit));
}
