//! A form as Rasa runs one: it validates what a message fills, asks for what is missing, and ends when nothing is.

use serde_json::Value;

use super::{Player, REQUESTED, Told, slot_of};
use crate::diag::Span;
use crate::qa::filling::is_shared;
use crate::qa::tracker::{Tracker, is, looped, ran, slot};

/// The validation declined.
struct Declined(String);

impl Player<'_> {
    /// The form runs once: at its beginning, after a message, or again after something else.
    pub(super) async fn form(&mut self, form: &str, place: &Span) {
        match self.run_form(form).await {
            Ok(events) => {
                self.tracker.take(ran(form));
                events.into_iter().for_each(|event| self.tracker.take(event));
                self.turn.by = Some(form.to_owned());
                self.unanswered = None;
            }
            // What the story does not say cannot have been taken.
            Err(Declined(_)) if !self.turn.has_text => {
                self.tracker.take(ran(form));
                self.turn.by = None;
                self.note(format!("the story does not say what `{form}` is told"));
            }
            Err(Declined(came)) => {
                self.differs(place, form, "the form goes on", came);
                self.turn.by = None;
            }
        }
    }

    async fn run_form(&mut self, form: &str) -> Result<Vec<Value>, Declined> {
        let required = self.required(form);
        let mut events = Vec::new();
        let begins = self.tracker.active_loop() != Some(form);
        if begins {
            events.push(looped(Some(form)));
            let mut begun = self.tracker.clone();
            begun.take(looped(Some(form)));
            let known = required.iter().map(|slot| (slot, begun.slot(slot))).filter(|(_, value)| !value.is_null());
            let known: Vec<_> = known.map(|(slot, value)| (slot.clone(), value.clone())).collect();
            events.extend(self.validate(form, &begun, known).await?);
        }
        if !is_done(&events) {
            let asked = self.tracker.slot(REQUESTED).as_str().filter(|_| !begins).map(str::to_owned);
            let listens = self.tracker.latest_action.as_deref() == Some("action_listen");
            let offered = if !begins && listens { self.offered(form, asked.as_deref()) } else { Vec::new() };
            let checked = self.validate(form, &self.tracker.clone(), offered).await?;
            let some = checked.iter().filter_map(slot_of).any(|(name, _)| name != REQUESTED);
            if let Some(asked) = asked.filter(|_| !begins && listens && !some) {
                let what = "nothing in the message fills";
                return Err(Declined(format!(
                    "it declines, since {what} `{asked}`, and Rasa looks for something else to do"
                )));
            }
            events.extend(checked);
            self.ask_next(form, &required, &mut events).await?;
        }
        if is_done(&events) {
            events.push(looped(None));
        }
        Ok(events)
    }

    fn required(&self, form: &str) -> Vec<String> {
        self.domain().rasa.forms.get(form).map(|form| form.required_slots.clone()).unwrap_or_default()
    }

    /// What the last message filled of what the form needs.
    fn offered(&self, form: &str, asked: Option<&str>) -> Vec<(String, Value)> {
        let domain = &self.domain().rasa;
        let required = self.required(form);
        let mut offered: Vec<(String, Value)> = Vec::new();
        for (name, value) in self.tracker.turn().iter().filter_map(slot_of) {
            if !(required.iter().any(|slot| slot == name) || asked == Some(name)) {
                continue;
            }
            // What could as well be of another slot is of the one that was asked for.
            let mappings = domain.slots.get(name).map(|slot| slot.mappings.as_slice()).unwrap_or_default();
            let shared = !mappings.is_empty() && mappings.iter().all(|mapping| is_shared(domain, form, name, mapping));
            if shared && asked != Some(name) {
                continue;
            }
            offered.retain(|(known, _)| known != name);
            offered.push((name.to_owned(), value.clone()));
        }
        offered
    }

    /// Has the form's slots validated, where somebody does that; the events that come of it.
    async fn validate(&mut self, form: &str, at: &Tracker, offered: Vec<(String, Value)>) -> Result<Vec<Value>, Declined> {
        let mut events: Vec<Value> = offered.iter().map(|(name, value)| slot(name, value)).collect();
        let validator = format!("validate_{form}");
        if !self.domain().listed().any(|listed| listed == validator) {
            return Ok(events);
        }
        let asked = at.slot(REQUESTED).clone();
        let mut seen = at.clone();
        seen.take(slot(REQUESTED, if at.active_loop() == Some(form) { &asked } else { &Value::Null }));
        seen.take(ran(form));
        events.iter().for_each(|event| seen.take(event.clone()));
        match self.call_with(&validator, seen.body(&validator)).await {
            Told::Answer(answer) => {
                self.hear(&validator, answer.responses);
                let answered: Vec<Value> = answer.events.iter().map(|event| serde_json::json!(event)).collect();
                let said = |event: &Value| {
                    answered.iter().any(|other| slot_of(other).map(|it| it.0) == slot_of(event).map(|it| it.0))
                };
                events.retain(|event| !said(event));
                Ok(answered.into_iter().chain(events).collect())
            }
            Told::Declined(reason) => Err(Declined(format!("`{validator}` declines: {reason}"))),
            Told::Absent => {
                self.seen.absent.insert(validator);
                Ok(events)
            }
        }
    }

    /// Asks for the next slot that is missing; none is left when that is null.
    async fn ask_next(&mut self, form: &str, required: &[String], events: &mut Vec<Value>) -> Result<(), Declined> {
        if is_done(events) {
            events.push(slot(REQUESTED, &Value::Null));
            return Ok(());
        }
        let mut seen = self.tracker.clone();
        events.iter().for_each(|event| seen.take(event.clone()));
        seen.take(ran(form));
        let chosen = events.iter().filter_map(slot_of).find(|(name, value)| *name == REQUESTED && !value.is_null());
        let next = match chosen.and_then(|(_, value)| value.as_str()) {
            Some(chosen) => Some(chosen.to_owned()),
            None => {
                let next = required.iter().find(|slot| seen.slot(slot).is_null()).cloned();
                events.push(slot(REQUESTED, &next.clone().into()));
                next
            }
        };
        let Some(next) = next else { return Ok(()) };
        let domain = self.domain();
        for name in [format!("ask_{form}_{next}"), format!("ask_{next}")] {
            let (action, response) = (format!("action_{name}"), format!("utter_{name}"));
            if domain.listed().any(|listed| listed == action) {
                match self.call_with(&action, seen.body(&action)).await {
                    Told::Answer(answer) => {
                        self.hear(&action, answer.responses);
                        events.extend(answer.events.iter().map(|event| serde_json::json!(event)));
                    }
                    Told::Declined(reason) => return Err(Declined(format!("`{action}` declines: {reason}"))),
                    Told::Absent => drop(self.seen.absent.insert(action)),
                }
                return Ok(());
            }
            if domain.rasa.responses.contains(&response) {
                self.utter(&response);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Whether these events end the form.
fn is_done(events: &[Value]) -> bool {
    let requested = events.iter().rev().filter_map(slot_of).find(|(name, _)| *name == REQUESTED);
    let active = events.iter().rev().find(|event| is(event, "active_loop"));
    requested.is_some_and(|(_, value)| value.is_null())
        || active.is_some_and(|event| event.get("name").is_none_or(Value::is_null))
}
