//! The validation of a form's slots, and of slots outside forms.
//!
//! The candidates are the run of `slot` events at the very end of the tracker. Each that is required is checked by its rule,
//! in the order offered; later rules see what earlier ones set. A candidate without a rule passes, one that is not required is
//! dropped. When the rules change which slots a form needs, the answer also says which one to ask for next.

use serde_json::Value as Json;

use super::run::{Ending, Flow, Halt, Run};
use crate::fault::Outcome;
use crate::plan::action::{Call as CallPlan, Input, Rule, Unavailable, Validation};
use crate::rasa::{Call, Domain, Malformed, Message, Object};
use crate::template::{from_json, to_json};

/// What became of one candidate.
enum Verdict {
    /// It is taken, with this value.
    Taken(Json),
    /// It is refused; the slot is asked for again.
    Refused,
    /// Nothing more is checked.
    Halted,
}

impl Run<'_> {
    /// Runs a validation.
    pub(super) async fn validation(
        &mut self,
        inputs: &[Input],
        validation: &Validation,
        call: &Call,
        domain: Option<&Domain>,
    ) -> Result<Ending, Malformed> {
        let candidates = candidates(call)?;
        if let Err(halt) = self.validated(inputs, validation, candidates, domain).await {
            self.halted(&halt);
        }
        Ok(Ending::Answered)
    }

    async fn validated(
        &mut self,
        inputs: &[Input],
        validation: &Validation,
        candidates: Object,
        domain: Option<&Domain>,
    ) -> Result<(), Halt> {
        if !matches!(self.inputs(inputs, None)?, Flow::Next) {
            return Ok(());
        }
        let listed = listed(validation, domain);
        let required = self.required(validation, &listed)?;
        let mut offered = candidates;
        self.extract(validation, required.as_ref(), &mut offered)?;
        let mut results = Object::new();
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (slot, value) in &offered {
            if required.as_ref().is_some_and(|required| !required.contains(slot)) {
                continue;
            }
            match self.candidate(validation, slot, value, &mut results).await? {
                Verdict::Taken(value) => {
                    accepted.push(slot.clone());
                    self.result(&mut results, slot, value);
                }
                Verdict::Refused => {
                    refused.push(slot.clone());
                    self.result(&mut results, slot, Json::Null);
                }
                Verdict::Halted => break,
            }
        }
        for (slot, value) in results {
            self.events.push(crate::rasa::Event::slot(slot, value));
        }
        if !validation.after.is_empty() {
            self.scope.set("offered", from_json(&Json::Object(offered)));
            self.scope.set("accepted", from_json(&accepted.into_iter().collect()));
            self.scope.set("refused", from_json(&refused.into_iter().collect()));
            self.steps(&validation.after).await?;
        }
        self.ask_next(validation, &listed)
    }

    /// Which slots are needed now; none when every slot is checked that is offered.
    fn required(&self, validation: &Validation, listed: &Option<Vec<String>>) -> Result<Option<Vec<String>>, Halt> {
        let Some(mut required) = listed.clone() else { return Ok(None) };
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
    fn extract(&mut self, validation: &Validation, required: Option<&Vec<String>>, offered: &mut Object) -> Result<(), Halt> {
        for (slot, rule) in &validation.rules {
            let Some(extract) = &rule.extract else { continue };
            if required.is_some_and(|required| !required.iter().any(|name| name == slot.as_str())) {
                continue;
            }
            let value = extract.json(&self.scope).map_err(Halt::at(&rule.place))?;
            if !value.is_null() {
                self.see_slot(slot.as_str(), value.clone());
                offered.insert(slot.as_str().to_owned(), value);
            }
        }
        Ok(())
    }

    async fn candidate(&mut self, validation: &Validation, slot: &str, value: &Json, results: &mut Object) -> Result<Verdict, Halt> {
        let Some(rule) = validation.rule(slot) else { return Ok(Verdict::Taken(value.clone())) };
        let outer = self.scope.clone();
        self.scope.set("value", from_json(value));
        let before = self.events.len();
        let verdict = self.check(rule, value).await?;
        // What a rule sets counts like a result: it stands among the slots, in order.
        for event in self.events.split_off(before) {
            match event.kind {
                crate::rasa::EventKind::Slot { name, value } => drop(results.insert(name, value)),
                _ => self.events.push(event),
            }
        }
        let slots = crate::template::open_map(&self.slots);
        self.scope = outer;
        self.scope.set("slots", slots);
        Ok(verdict)
    }

    async fn check(&mut self, rule: &Rule, value: &Json) -> Result<Verdict, Halt> {
        if !rule.steps.is_empty() {
            return self.check_by_steps(rule).await;
        }
        if value.is_null() {
            return Ok(Verdict::Taken(Json::Null));
        }
        let mut value = value.clone();
        if let Some(format) = &rule.format {
            match format.read(&value, &self.format_context()) {
                Ok(read) => value = read,
                Err(_) => return self.refuse(rule),
            }
            self.scope.set("value", from_json(&value));
        }
        if let Some(accept) = &rule.accept
            && !accept.truth(&self.scope).map_err(Halt::at(&rule.place))?
        {
            return self.refuse(rule);
        }
        if let Some(call) = &rule.call
            && let Some(verdict) = self.look_up(rule, call).await?
        {
            return Ok(verdict);
        }
        for (slot, other) in &rule.set {
            let other = other.json(&self.scope).map_err(Halt::at(&rule.place))?;
            self.set_slot(slot.as_str(), other);
        }
        Ok(Verdict::Taken(value))
    }

    async fn check_by_steps(&mut self, rule: &Rule) -> Result<Verdict, Halt> {
        Ok(match self.steps(&rule.steps).await? {
            Flow::Accept(value) => Verdict::Taken(to_json(&value).map_err(Halt::at(&rule.place))?),
            Flow::Reject(messages) => {
                self.messages.extend(messages);
                Verdict::Refused
            }
            Flow::Next | Flow::Continue(_) => Verdict::Refused,
            Flow::Stop => Verdict::Halted,
        })
    }

    /// The call that has to find something; none when it did, or when the value is taken unseen.
    async fn look_up(&mut self, rule: &Rule, call: &CallPlan) -> Result<Option<Verdict>, Halt> {
        let fault = match self.invoke(call, &rule.place).await? {
            Ok(answered) => {
                if let Some(name) = &call.bind {
                    self.scope.set(name.as_str(), from_json(&answered.value));
                }
                return Ok(None);
            }
            Err(fault) => fault,
        };
        if matches!(fault.outcome, Outcome::NotFound | Outcome::Ambiguous | Outcome::Invalid | Outcome::Denied | Outcome::Conflict) {
            return if rule.refuse.is_some() {
                self.refuse(rule).map(Some)
            } else {
                self.say_fault(&fault);
                Ok(Some(Verdict::Refused))
            };
        }
        Ok(match rule.unavailable {
            Unavailable::Accept => {
                tracing::warn!(outcome = %fault.outcome, "a slot's value was taken unseen: {}", fault.operator);
                if let Some(name) = &call.bind {
                    self.scope.set(name.as_str(), crate::template::Value::from(()));
                }
                None
            }
            Unavailable::Reject => {
                self.say_fault(&fault);
                Some(Verdict::Refused)
            }
            Unavailable::Stop => {
                self.say_fault(&fault);
                Some(Verdict::Halted)
            }
        })
    }

    fn refuse(&mut self, rule: &Rule) -> Result<Verdict, Halt> {
        if let Some(say) = &rule.refuse {
            let messages: Vec<Message> = self.rendered(say, &self.scope).map_err(Halt::at(&rule.place))?;
            self.messages.extend(messages);
        }
        Ok(Verdict::Refused)
    }

    fn result(&mut self, results: &mut Object, slot: &str, value: Json) {
        self.see_slot(slot, value.clone());
        results.insert(slot.to_owned(), value);
    }

    /// When the rules changed which slots the form needs, Rasa has to be told which one comes next.
    fn ask_next(&mut self, validation: &Validation, listed: &Option<Vec<String>>) -> Result<(), Halt> {
        let required = self.required(validation, listed)?;
        if validation.form.is_none() || required == *listed {
            return Ok(());
        }
        let empty = |slot: &&String| self.slots.get(slot.as_str()).is_none_or(Json::is_null);
        let next = required.iter().flatten().find(empty).map_or(Json::Null, |slot| Json::String(slot.clone()));
        self.set_slot("requested_slot", next);
        Ok(())
    }
}

/// The slots that the domain says are to be checked: the form's, or those outside forms. None without a domain.
fn listed(validation: &Validation, domain: Option<&Domain>) -> Option<Vec<String>> {
    let domain = domain?;
    match &validation.form {
        Some(form) => Some(domain.forms.get(form).map(|form| form.required_slots.clone()).unwrap_or_default()),
        None => Some(domain.slots.iter().filter(|(_, slot)| !slot.is_mapped_to_form()).map(|(name, _)| name.clone()).collect()),
    }
}

/// The slots that Rasa offers: the run of `slot` events at the end of the tracker, in their order, the last value of each.
fn candidates(call: &Call) -> Result<Object, Malformed> {
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
