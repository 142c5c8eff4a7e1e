//! Actions: their inputs, and whether they are steps or a validation.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::names::{Names, Type};
use super::steps::Block;
use super::trust::Origin;
use super::{Compiler, settings};
use crate::diag::{Code, Diagnostic, Diagnostics, Span};
use crate::name::{ActionName, SlotName};
use crate::plan::action::{Action, Body, Changes, Input, Source, changes};
use crate::plan::unwritten::{SLOT_MAPPINGS, can_follow_up};
use crate::spec::action as spec;
use crate::spec::{Map, Text};

impl Compiler<'_> {
    /// Compiles one action's file.
    pub(super) fn action(&mut self, name: ActionName, place: Span, written: &spec::Action) -> Action {
        name.as_str().clone_into(&mut self.acting);
        let errors = self.out.errors();
        self.asks = BTreeSet::new();
        let mut names = Names::offered();
        let require = self.guards(&written.require, &names);
        let inputs = self.inputs(&written.inputs, &mut names, false);
        let validates = self.validates(&name, written);
        if let (true, Some(key)) = (validates, written.key("require")) {
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &key.span, "a validation has no guard");
            self.out.push(
                diagnostic.help(
                    "put `require` on the action that uses what the form asked for, or on a call in the steps of a slot",
                ),
            );
        }
        let body = if validates {
            Body::Validation(self.validation(&name, written, &names))
        } else {
            self.does_something(&place, written);
            Body::Steps(self.steps(&written.steps, &mut names, Block::Action))
        };
        let much = match &body {
            Body::Steps(steps) => changes(steps),
            Body::Validation(_) | Body::Native | Body::Forwarded => Changes::Nothing,
        };
        match &body {
            Body::Native | Body::Forwarded => {}
            Body::Steps(steps) => self.idle_outcomes(steps, Some(much)),
            Body::Validation(validation) => {
                let of_slots = validation.rules.iter().map(|(_, rule)| &*rule.steps);
                of_slots.chain([&*validation.after]).for_each(|steps| self.idle_outcomes(steps, Some(much)));
            }
        }
        let tests = written.tests.iter().filter_map(|test| self.test(test)).collect();
        self.unused_inputs(&written.inputs, errors);
        let messages = Arc::new(self.wording(&written.messages));
        let limits = written.turn.as_ref().map(|turn| settings::limits(turn, self.limits.clone(), &mut self.out));
        let follows_up = !validates && can_follow_up(&name, self.domain);
        Action {
            name,
            place,
            description: written.description.as_ref().map(|text| text.value.clone()),
            inputs,
            require,
            limits,
            messages,
            follows_up,
            changes: much,
            body,
            asks: std::mem::take(&mut self.asks).union(&self.always).cloned().collect(),
            tests,
        }
    }

    /// Whether an action validates slots: it says how, or it says nothing and has the name of a validation.
    fn validates(&self, name: &ActionName, written: &spec::Action) -> bool {
        let says = !(written.slots.is_empty() && written.required.is_empty() && written.after.is_empty());
        let is_form = |form: &str| self.domain.is_some_and(|domain| domain.rasa.forms.contains_key(form));
        let named = name.as_str() == SLOT_MAPPINGS || name.as_str().strip_prefix("validate_").is_some_and(is_form);
        says || (named && written.steps.is_empty())
    }

    /// Reports a file that says nothing to do. Who means it writes `steps: []`.
    fn does_something(&mut self, place: &Span, written: &spec::Action) {
        if written.key("steps").is_none() && !self.partial {
            let diagnostic = Diagnostic::at(Code::MissingKey, place, format!("`{}` says nothing to do", self.acting));
            self.out
                .push(diagnostic.help(
                    "add `steps:`, or `slots:` where it validates a form; `steps: []` is an action that does nothing",
                ));
        }
    }

    /// Reports inputs that nothing uses. With more than `errors` errors by now, the step that was to use one may be what is
    /// wrong.
    pub(super) fn unused_inputs(&mut self, inputs: &Map<spec::Input>, errors: usize) {
        if self.out.errors() > errors || self.partial {
            return;
        }
        for (input, _) in inputs.iter().filter(|(input, _)| !self.asks.contains(&input.value)) {
            let diagnostic =
                Diagnostic::at(Code::UnusedInput, &input.span, format!("nothing uses the input `{}`", input.value));
            self.out.push(diagnostic.help("use it in a step, or take it out"));
        }
    }

    /// The inputs of an action, or those of shared steps, which come from `with`.
    pub(super) fn inputs(&mut self, inputs: &Map<spec::Input>, names: &mut Names, shared: bool) -> Vec<Input> {
        let mut plan = Vec::new();
        for (name, input) in inputs.iter() {
            let before = names.clone();
            let with = shared && input.from.is_none();
            let (source, mut origins) =
                self.tracing(|compiler| if with { Some(Source::With) } else { compiler.source(name, input, &before) });
            origins.extend(source.as_ref().and_then(origin));
            origins.extend(shared.then(|| Origin::With(name.value.clone())));
            let local = self.define(name, Type::Any, false, names);
            let (default, other) =
                self.tracing(|compiler| input.default.as_ref().and_then(|node| compiler.value(node, &before)));
            origins.extend(other);
            names.comes_from(&name.value, origins);
            let format = input.format.as_ref().and_then(|format| self.format(format));
            let missing = input.missing.as_ref().map(|say| self.say(say, &before));
            let invalid = input.invalid.as_ref().map(|say| self.say(say, names));
            if input.invalid.is_some() && input.format.is_none() {
                let place = input.key("invalid").map_or(&input.span, |key| &key.span);
                let diagnostic =
                    Diagnostic::at(Code::MisplacedKey, place, format!("`{}` has `invalid` but no `format`", name.value));
                self.out.push(diagnostic.help("without a format nothing is invalid; add `format:` or take `invalid` out"));
            }
            if let (Some(name), Some(source)) = (local, source) {
                plan.push(Input { name, source, format, default, missing, invalid, place: input.span.clone() });
            }
        }
        plan
    }

    fn source(&mut self, name: &Text, input: &spec::Input, names: &Names) -> Option<Source> {
        match input.from.as_ref().map(|from| (from, from.value.as_str())) {
            None | Some((_, "slot")) => {
                self.asks.insert(format!("slots.{}", name.value));
                self.known_slot(&name.value, &name.span);
                self.parsed(name, "a slot", SlotName::RULE, SlotName::parse).map(Source::Slot)
            }
            Some((_, "entity")) => {
                self.asks.insert("entities".to_owned());
                Some(Source::Entity(name.value.clone()))
            }
            Some((_, "metadata")) => {
                self.asks.insert("metadata".to_owned());
                Some(Source::Metadata(name.value.clone()))
            }
            Some((from, text)) if text.contains("{{") => self.template(from, names).map(Source::Given),
            Some((from, text)) => {
                let diagnostic = Diagnostic::at(Code::BadValue, &from.span, format!("an input cannot come from `{text}`"));
                let cure = match text.split_once('.') {
                    Some(_) => format!("an expression has braces and quotes: \"{{{{ {text} }}}}\""),
                    None => "write `slot`, `entity`, `metadata`, or an expression such as \"{{ slots.email }}\"".to_owned(),
                };
                self.out.push(diagnostic.help(cure));
                None
            }
        }
    }
}

/// The part of the conversation that an input takes.
fn origin(source: &Source) -> Option<Origin> {
    match source {
        Source::Slot(slot) => Some(Origin::Slot(slot.as_str().to_owned())),
        Source::Entity(_) => Some(Origin::Said("entities".to_owned())),
        Source::Metadata(_) => Some(Origin::Said("metadata".to_owned())),
        Source::Given(_) | Source::With => None,
    }
}

/// The action's name out of its file's path.
pub(super) fn name_of(file: &Arc<crate::diag::File>, out: &mut Diagnostics) -> Option<ActionName> {
    let stem = stem(&file.path);
    let name = ActionName::parse(stem);
    if name.is_none() {
        let diagnostic =
            Diagnostic::at(Code::BadName, &Span::start_of(file), format!("`{stem}` cannot be the name of an action"));
        out.push(diagnostic.help(format!("name the file {}", ActionName::RULE)));
    }
    name
}

/// A file's name without folder and ending.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".yml").or_else(|| file.strip_suffix(".yaml")).unwrap_or(file)
}
