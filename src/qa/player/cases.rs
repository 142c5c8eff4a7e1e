//! What a test case says after a message: which actions run is written, or follows from what they alone can do.

use std::collections::BTreeSet;

use super::holds::fits;
use super::{Player, SESSION, slot_of};
use crate::diag::Span;
use crate::plan::action::{Body, Input, Source};
use crate::qa::script::{Step, Wanted, What};

impl<'a> Player<'a> {
    /// Runs the actions of a turn, and holds everything that has to be true after it.
    pub(super) async fn after_message(&mut self, expected: &[Step]) {
        let named: Vec<(String, Span)> = expected
            .iter()
            .filter_map(|step| match &step.what {
                What::Action(name) => Some((name.clone(), step.place.clone())),
                _ => None,
            })
            .collect();
        let actions = if named.is_empty() { self.inferred(expected) } else { named };
        let sets: BTreeSet<String> = actions.iter().flat_map(|(name, _)| self.sets(name)).collect();
        let reads: BTreeSet<&str> = actions.iter().flat_map(|(name, _)| self.reads(name)).collect();
        self.understand(expected, &sets, &reads);
        let unset: Vec<&str> =
            reads.into_iter().filter(|slot| self.tracker.slot(slot).is_null() && !self.is_of_actions(slot)).collect();
        let before = self.seen.failures.len();
        for (name, place) in &actions {
            self.act(name, place).await;
            self.followed(name, place, &[]).await;
        }
        for Step { place, what } in expected {
            match what {
                What::Slots(slots) => {
                    self.hold_slots(slots.iter().filter(|slot| sets.contains(&slot.name)));
                }
                What::NoSlots(slots) => self.hold_no_slots(slots),
                What::Hears(heard) => self.hold_heard(heard, place),
                What::HearsNot(heard) => self.hold_unheard(heard, place),
                What::Unknowable => self.seen.taken.unknowable += 1,
                What::User(..) | What::Action(_) | What::Given(_) | What::Loop(_) => {}
            }
        }
        if self.seen.failures.len() > before && !unset.is_empty() {
            let (message, unset) = (self.messages, unset.join(", "));
            self.note(format!("what a model makes of message {message} is not known: `slot_was_set` says it ({unset})"));
        }
    }

    /// What the model makes of the message is what the case says, as far as the actions of the turn do not set it; what they
    /// set but start from is taken as well.
    fn understand(&mut self, expected: &[Step], sets: &BTreeSet<String>, reads: &BTreeSet<&str>) {
        for step in expected {
            let What::Slots(slots) = &step.what else { continue };
            for Wanted { name, value: wanted, .. } in slots {
                let fillable = |name: &str| {
                    let mappings =
                        self.domain().rasa.slots.get(name).map(|slot| slot.mappings.as_slice()).unwrap_or_default();
                    mappings.iter().any(|mapping| mapping.kind != "custom" && mapping.kind != "controlled")
                };
                let open = self.tracker.slot(name).is_null() && reads.contains(name.as_str()) && fillable(name);
                if !fits(wanted.as_ref(), self.tracker.slot(name)) && (!sets.contains(name) || open) {
                    self.take_slot(name, wanted.as_ref());
                }
            }
        }
    }

    /// The actions that the turn needs, since they alone set a slot that is set after it.
    fn inferred(&mut self, expected: &[Step]) -> Vec<(String, Span)> {
        let mut found: Vec<(String, Span)> = Vec::new();
        for step in expected {
            let What::Slots(slots) = &step.what else { continue };
            for Wanted { name: slot, value: wanted, place } in slots {
                if fits(wanted.as_ref(), self.tracker.slot(slot)) || !self.is_of_actions(slot) {
                    continue;
                }
                let may = |name: &&str| self.sets(name).contains(slot);
                let stubbed = self.play.stubs.keys().map(String::as_str);
                let steps = self.project.actions.values().filter(|action| {
                    matches!(action.body, Body::Steps(_))
                        && action.name.as_str() != SESSION
                        && !action.name.as_str().starts_with("action_ask_")
                });
                let able: BTreeSet<&str> = stubbed.chain(steps.map(|action| action.name.as_str())).filter(may).collect();
                match able.len() {
                    0 => {}
                    1 => {
                        let only = able.into_iter().map(|name| (name.to_owned(), place.clone()));
                        found.extend(
                            only.filter(|(name, _)| !found.iter().any(|(known, _)| known == name)).collect::<Vec<_>>(),
                        );
                    }
                    _ => {
                        let several = able.into_iter().collect::<Vec<_>>().join(", ");
                        self.note(format!(
                            "{}: `{slot}` is taken as it stands, since several actions set it ({several}): the assertion \
                             `action_executed` says which",
                            place.place()
                        ));
                    }
                }
            }
        }
        for (name, _) in &found {
            let line = self.messages;
            self.note(format!(
                "no step names an action after message {line}: {name} was run, which alone sets what is set then"
            ));
        }
        found
    }

    /// Whether nothing but an action sets a slot.
    fn is_of_actions(&self, slot: &str) -> bool {
        let mappings = self.domain().rasa.slots.get(slot).map(|slot| slot.mappings.as_slice()).unwrap_or_default();
        mappings.iter().all(|mapping| mapping.kind == "custom" || mapping.kind == "controlled")
    }

    /// The slots that an action starts from.
    fn reads(&self, action: &str) -> Vec<&'a str> {
        let inputs = self.project.actions.get(action).map(|action| action.inputs.as_slice()).unwrap_or_default();
        let slot = |input: &'a Input| match &input.source {
            Source::Slot(slot) => Some(slot.as_str()),
            _ => None,
        };
        inputs.iter().filter_map(slot).collect()
    }

    /// The slots that an action may set.
    fn sets(&self, action: &str) -> BTreeSet<String> {
        if let Some(stub) = self.play.stubs.get(action) {
            return stub
                .events
                .iter()
                .filter_map(|event| slot_of(&serde_json::json!(event)).map(|(name, _)| name.to_owned()))
                .collect();
        }
        // What it asks for next belongs to it.
        let (mut found, mut seen, mut open) = (BTreeSet::new(), BTreeSet::new(), vec![action.to_owned()]);
        while let Some(name) = open.pop() {
            let Some(action) = self.project.actions.get(name.as_str()).filter(|_| seen.insert(name.clone())) else {
                continue;
            };
            found.extend(action.sets().into_iter().map(str::to_owned));
            open.extend(action.follows());
        }
        found
    }
}
