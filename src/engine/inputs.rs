//! Inputs: where a value comes from, whether it is there, and whether it has the form it needs.

use serde_json::Value as Json;

use super::run::{Flow, Halt, Run};
use super::trace::Entry;
use crate::fault::{Fault, Outcome};
use crate::plan::action::{Input, Source};
use crate::rasa::Object;
use crate::template::{FailedKind, Reference, Template, from_json, to_json};

impl Run<'_> {
    /// Gives every input its value; ends the action at the first that is missing or wrong. What `given` holds, the `with` of
    /// shared steps, goes before an input's own source.
    pub(super) fn inputs(&mut self, inputs: &[Input], given: &Object) -> Result<Flow, Halt> {
        for input in inputs {
            let found = match given.get(input.name.as_str()) {
                Some(value) => Some(value.clone()).filter(|value| !value.is_null()),
                None => self.sourced(input)?,
            };
            let (value, came) = match (found.and_then(trimmed), &input.default) {
                (Some(value), _) => (value, Came::Given),
                (None, Some(default)) => (default.json(&self.scope).map_err(Halt::at(&input.place))?, Came::Default),
                (None, None) => (Json::Null, Came::Missing),
            };
            if value.is_null()
                && let Some(say) = &input.missing
            {
                self.note_input(input, given, &came, Json::Null);
                self.say(say, &input.place)?;
                return Ok(Flow::Stop);
            }
            let value = match &input.format {
                Some(format) if !value.is_null() => match format.read(&value, &self.format_context()) {
                    Ok(read) => read,
                    Err(refusal) => {
                        self.scope.set(input.name.as_str(), from_json(&value));
                        self.note_input(input, given, &Came::Refused(refusal.to_string()), value);
                        return self.invalid(input, &refusal.to_string());
                    }
                },
                _ => value,
            };
            self.scope.set(input.name.as_str(), from_json(&value));
            self.note_input(input, given, &came, value);
        }
        Ok(Flow::Next)
    }

    fn note_input(&self, input: &Input, given: &Object, came: &Came, value: Json) {
        self.note(|| {
            let origin = origin(input, given);
            let from = match came {
                Came::Given => origin,
                Came::Default => format!("its default, since {origin} holds nothing"),
                Came::Missing => format!("{origin}, which holds nothing"),
                Came::Refused(reason) => format!("{origin}, refused: it {reason}"),
            };
            Entry::Input { name: input.name.as_str().to_owned(), from, value, place: input.place.clone() }
        });
    }

    fn invalid(&mut self, input: &Input, reason: &str) -> Result<Flow, Halt> {
        match &input.invalid {
            Some(say) => self.say(say, &input.place)?,
            None => self.say_fault(&Fault::new(Outcome::Invalid, format!("the input `{}` {reason}", input.name))),
        }
        self.outcome = Some(Outcome::Invalid);
        Ok(Flow::Stop)
    }

    /// What the input's source holds; none when there is nothing. A null that metadata or an entity brings is something; a
    /// slot that is null is not set.
    fn sourced(&self, input: &Input) -> Result<Option<Json>, Halt> {
        let failed = Halt::at(&input.place);
        match &input.source {
            Source::Slot(slot) => self.slots.get(slot.as_str()).map_err(failed),
            Source::Entity(name) => {
                let entities = self.conversation.entities.as_array().map_or(&[][..], Vec::as_slice);
                let of_name = |entity: &&Json| entity.get("entity").and_then(Json::as_str) == Some(name);
                Ok(entities.iter().rev().find(of_name).and_then(|entity| entity.get("value")).cloned())
            }
            Source::Metadata(key) => Ok(self.conversation.metadata.get(key).cloned()),
            Source::Given(template) => match template.eval(&self.scope).and_then(|value| to_json(&value)) {
                Ok(value) => Ok(Some(value).filter(|value| !value.is_null())),
                Err(absent) if absent.kind == FailedKind::Undefined => Ok(None),
                Err(wrong) => Err(failed(wrong)),
            },
            Source::With => Ok(None),
        }
    }
}

/// Where an input's value came from, in words.
fn origin(input: &Input, given: &Object) -> String {
    match &input.source {
        _ if given.contains_key(input.name.as_str()) => "`with`".to_owned(),
        Source::Slot(slot) => format!("the slot `{slot}`"),
        Source::Entity(name) => format!("the entity `{name}`"),
        Source::Metadata(key) => format!("the metadata's `{key}`"),
        Source::Given(template) => expression(template),
        Source::With => "`with`, which does not give it".to_owned(),
    }
}

/// What an expression is made of, in words.
fn expression(template: &Template) -> String {
    let mut names: Vec<String> = template.references().iter().map(Reference::dotted).collect();
    names.dedup();
    let of_message = |name: &String| name == "user_text" || name.starts_with("latest_message");
    match names.as_slice() {
        [] => "a constant".to_owned(),
        names if names.iter().all(of_message) => "the message".to_owned(),
        names => format!("an expression of `{}`", names.join("`, `")),
    }
}

/// How an input came to its value.
enum Came {
    Given,
    Default,
    Missing,
    Refused(String),
}

/// A text without blanks around it; one without anything else is none.
fn trimmed(value: Json) -> Option<Json> {
    match value {
        Json::String(text) if text.trim().is_empty() => None,
        Json::String(text) if text.trim().len() < text.len() => Some(Json::String(text.trim().to_owned())),
        other => Some(other),
    }
}
