//! Inputs: where a value comes from, whether it is there, and whether it has the form it needs.

use serde_json::Value as Json;

use super::run::{Flow, Halt, Run};
use super::trace::Entry;
use super::turn::Engine;
use crate::fault::{Fault, Outcome};
use crate::plan::action::{Input, Source};
use crate::rasa::Object;
use crate::template::{from_json, to_json};

impl Run<'_> {
    /// Gives every input its value; ends the action at the first that is missing or wrong. `given` goes before the sources.
    pub(super) fn inputs(&mut self, inputs: &[Input], given: Option<&Object>) -> Result<Flow, Halt> {
        for input in inputs {
            let (value, from) = match given.and_then(|given| given.get(input.name.as_str())) {
                Some(value) => (value.clone(), "`with`".to_owned()),
                None => self.sourced(input)?,
            };
            let mut value = trimmed(value);
            if value.is_null()
                && let Some(default) = &input.default
            {
                value = default.json(&self.scope).map_err(Halt::at(&input.place))?;
            }
            if value.is_null() {
                if let Some(say) = &input.missing {
                    self.say(say, &input.place)?;
                    return Ok(Flow::Stop);
                }
            } else if let Some(format) = &input.format {
                match format.read(&value, &self.format_context()) {
                    Ok(read) => value = read,
                    Err(refusal) => {
                        self.scope.set(input.name.as_str(), from_json(&value));
                        return self.invalid(input, &refusal.to_string());
                    }
                }
            }
            let name = input.name.as_str().to_owned();
            let entry = || Entry::Input { name, from, value: value.clone(), place: input.place.clone() };
            Engine::note(self.trace.as_ref(), entry);
            self.scope.set(input.name.as_str(), from_json(&value));
        }
        Ok(Flow::Next)
    }

    fn invalid(&mut self, input: &Input, reason: &str) -> Result<Flow, Halt> {
        match &input.invalid {
            Some(say) => self.say(say, &input.place)?,
            None => self.say_fault(&Fault::new(Outcome::Invalid, format!("the input `{}` {reason}", input.name))),
        }
        self.outcome = Some(Outcome::Invalid);
        Ok(Flow::Stop)
    }

    fn sourced(&self, input: &Input) -> Result<(Json, String), Halt> {
        Ok(match &input.source {
            Source::Slot(slot) => {
                (self.slots.get(slot.as_str()).cloned().unwrap_or_default(), format!("the slot `{slot}`"))
            }
            Source::Entity(name) => {
                let entities = self.conversation.entities.as_array().map_or(&[][..], Vec::as_slice);
                let of_name = |entity: &&Json| entity.get("entity").and_then(Json::as_str) == Some(name);
                let value = entities.iter().rev().find(of_name).and_then(|entity| entity.get("value"));
                (value.cloned().unwrap_or_default(), format!("the entity `{name}`"))
            }
            Source::Metadata(key) => {
                (self.conversation.metadata.get(key).cloned().unwrap_or_default(), format!("the metadata's `{key}`"))
            }
            Source::Given(template) => {
                let value = template.eval(&self.scope).and_then(|value| to_json(&value)).map_err(Halt::at(&input.place))?;
                (value, "an expression".to_owned())
            }
        })
    }
}

/// A text without blanks around it; one without anything else is none.
fn trimmed(value: Json) -> Json {
    match value {
        Json::String(text) if text.trim().is_empty() => Json::Null,
        Json::String(text) if text.trim().len() < text.len() => Json::String(text.trim().to_owned()),
        other => other,
    }
}
