//! The validation of a form's slots, and of slots outside forms.
//!
//! The candidates are the run of `slot` events at the very end of the tracker. Each that is required is checked by its rule,
//! in the order offered; later rules see what earlier ones set. A candidate without a rule passes, one that is not required is
//! dropped. When the rules change which slots a form needs, the answer also says which one to ask for next.
//!
//! Whatever ends the checking early, what was found out until then is answered, and the slot it ended at is asked for again: a
//! validation that answers nothing at all would make Rasa give up the form's turn.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::rule::Verdict;
use super::run::{Ending, Flow, Halt, Run};
use crate::plan::action::{Input, Validation};
use crate::rasa::{Call, Domain, Event, EventKind, Malformed, Object};
use crate::template::{Value, from_json};

/// The slot that says which one a form asks for.
const REQUESTED: &str = "requested_slot";

/// What became of the candidates.
#[derive(Default)]
struct Checked {
    /// What each slot is set to, candidates first and in the order offered; none where it was not said.
    slots: IndexMap<String, Option<Json>>,
    accepted: Vec<String>,
    refused: Vec<String>,
}

impl Run<'_> {
    /// Runs a validation of what [`candidates`] finds.
    pub(super) async fn validation(
        &mut self,
        inputs: &[Input],
        validation: &Validation,
        candidates: Object,
        domain: Option<&Domain>,
    ) -> Ending {
        let flow = match self.inputs(inputs, &Object::new()) {
            Ok(Flow::Next) => self.validated(validation, candidates, domain).await,
            ended => ended,
        };
        self.ending(flow)
    }

    async fn validated(
        &mut self,
        validation: &Validation,
        mut offered: Object,
        domain: Option<&Domain>,
    ) -> Result<Flow, Halt> {
        let listed = listed(validation, domain);
        let required = self.required(validation, listed.as_deref())?;
        self.extract(validation, required.as_deref(), &mut offered)?;
        // What was extracted may itself decide which slots are needed.
        let required = self.required(validation, listed.as_deref())?;
        let needed = |slot: &str| required.as_ref().is_none_or(|required| required.iter().any(|name| name == slot));
        let candidates = offered.iter().filter(|(slot, _)| needed(slot));
        let mut checked =
            Checked { slots: candidates.clone().map(|(slot, _)| (slot.clone(), None)).collect(), ..Checked::default() };
        let mut end = Ok(());
        for (slot, value) in candidates {
            match self.candidate(validation, slot, value, &mut checked).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(halt) => {
                    end = Err(halt);
                    break;
                }
            }
        }
        let Checked { slots, accepted, refused } = checked;
        self.events.extend(slots.into_iter().filter_map(|(slot, value)| Some(Event::slot(slot, value?))));
        end?;
        let flow = self.after(validation, offered, accepted, refused).await?;
        if !matches!(flow, Flow::Reject(_)) {
            self.ask_next(validation, listed.as_deref())?;
        }
        Ok(flow)
    }

    /// Which slots are needed now; none when every slot is checked that is offered.
    fn required(&self, validation: &Validation, listed: Option<&[String]>) -> Result<Option<Vec<String>>, Halt> {
        let Some(mut required) = listed.map(<[String]>::to_vec) else { return Ok(None) };
        for (slot, condition) in &validation.required {
            let needed = condition.truth(&self.scope).map_err(Halt::at(&validation.place))?;
            let listed = required.iter().position(|name| name == slot.as_str());
            match (needed, listed) {
                (true, None) => required.push(slot.as_str().to_owned()),
                (false, Some(at)) => drop(required.remove(at)),
                _ => {}
            }
        }
        Ok(Some(required))
    }

    /// Fills the slots of custom mappings that a rule extracts; they count as offered, after those that Rasa offers.
    fn extract(&mut self, validation: &Validation, required: Option<&[String]>, offered: &mut Object) -> Result<(), Halt> {
        for (slot, rule) in &validation.rules {
            let Some(extract) = &rule.extract else { continue };
            if required.is_some_and(|required| !required.iter().any(|name| name == slot.as_str())) {
                continue;
            }
            let value = extract.json(&self.scope).map_err(Halt::at(&rule.place))?;
            if !value.is_null() {
                self.see_slot(slot.as_str(), &value);
                offered.insert(slot.as_str().to_owned(), value);
            }
        }
        Ok(())
    }

    /// Checks one candidate; says whether the next may be checked.
    async fn candidate(
        &mut self,
        validation: &Validation,
        slot: &str,
        value: &Json,
        checked: &mut Checked,
    ) -> Result<bool, Halt> {
        let outer = self.scope.clone();
        let before = self.events.len();
        let verdict = match validation.rule(slot) {
            Some(rule) => {
                self.scope.set("value", from_json(value));
                self.check(rule, value).await
            }
            None => Ok(Verdict::Taken(value.clone())),
        };
        // What a rule sets counts like a result: it stands among the slots.
        for event in self.events.split_off(before) {
            match event.kind {
                EventKind::Slot { name, value } => drop(checked.slots.insert(name, Some(value))),
                _ => self.events.push(event),
            }
        }
        let taken = match &verdict {
            Ok(Verdict::Taken(value)) => value.clone(),
            _ => Json::Null,
        };
        self.see_slot(slot, &taken);
        self.leave_for(outer);
        checked.slots.insert(slot.to_owned(), Some(taken));
        match verdict? {
            Verdict::Taken(_) => checked.accepted.push(slot.to_owned()),
            Verdict::Refused => checked.refused.push(slot.to_owned()),
            Verdict::Ended => return Ok(false),
        }
        Ok(true)
    }

    /// Runs the steps for when all candidates were checked.
    async fn after(
        &mut self,
        validation: &Validation,
        offered: Object,
        accepted: Vec<String>,
        refused: Vec<String>,
    ) -> Result<Flow, Halt> {
        self.scope.set("offered", from_json(&Json::Object(offered)));
        self.scope.set("accepted", names(accepted));
        self.scope.set("refused", names(refused));
        self.steps(&validation.after).await
    }

    /// When the rules changed which slots the form needs, Rasa has to be told which one comes next; unless they said so
    /// themselves.
    fn ask_next(&mut self, validation: &Validation, listed: Option<&[String]>) -> Result<(), Halt> {
        let required = self.required(validation, listed)?;
        let said = |event: &Event| matches!(&event.kind, EventKind::Slot { name, .. } if name == REQUESTED);
        if validation.form.is_none() || required.as_deref() == listed || self.events.iter().any(said) {
            return Ok(());
        }
        let next = required.into_iter().flatten().find(|slot| !self.slots.is_set(slot));
        self.set_slot(REQUESTED, next.map_or(Json::Null, Json::String));
        Ok(())
    }
}

fn names(names: Vec<String>) -> Value {
    Value::from_object(names.into_iter().map(Value::from).collect::<Vec<_>>())
}

/// The slots that the domain says are to be checked: the form's, or those outside forms. None without a domain.
fn listed(validation: &Validation, domain: Option<&Domain>) -> Option<Vec<String>> {
    let domain = domain?;
    Some(match &validation.form {
        Some(form) => domain.forms.get(form).map(|form| form.required_slots.clone()).unwrap_or_default(),
        None => domain.slots.iter().filter(|(_, slot)| !slot.is_mapped_to_form()).map(|(name, _)| name.clone()).collect(),
    })
}

/// The slots that Rasa offers: the run of `slot` events at the end of the tracker, in their order, the last value of each.
///
/// # Errors
/// When the events of the call are not what the protocol says.
pub(super) fn candidates(call: &Call) -> Result<Object, Malformed> {
    let mut offered: Vec<(String, Json)> = Vec::new();
    if !call.tracker.events.is_absent() {
        let events = call.tracker.events.items().collect::<Result<Vec<_>, _>>()?;
        for event in events.iter().rev() {
            let event: Object = event.parse()?;
            if event.get("event").and_then(Json::as_str) != Some("slot") {
                break;
            }
            let name = event.get("name").and_then(Json::as_str).unwrap_or_default();
            offered.push((name.to_owned(), event.get("value").cloned().unwrap_or_default()));
        }
    }
    Ok(offered.into_iter().rev().collect())
}
