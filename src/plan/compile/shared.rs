//! The files under `actions/shared`: each is compiled once, for all that use it, and none uses itself.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use super::names::{Names, OFFERED, Type};
use super::steps::Block;
use super::trust::{Origin, Origins};
use super::{Compiler, SharedFile};
use crate::diag::{Code, Diagnostic, Span};
use crate::name::Local;
use crate::plan::action::{Shared, Use, Verb, changes};
use crate::plan::value::Value;
use crate::spec::{Map, Text, action as spec};
use crate::template;

/// How many shared files may use each other in a row.
const DEEPEST: usize = 32;

/// A compiled shared file.
#[derive(Clone)]
pub(super) enum Used {
    /// Values, in which an absent key is null.
    Values(template::Value),
    /// Steps, the names of the conversation that they ask for, and what of their inputs is relied on.
    Steps(Arc<Shared>, BTreeSet<String>, Arc<Relies>),
    /// What is wrong with it was said where it stands.
    Wrong,
}

/// What shared steps do with what they are given.
pub(super) struct Relies {
    /// The inputs that guards rely on, with the guard's place.
    inputs: Vec<(String, Span)>,
    /// Where the result comes from.
    result: Origins,
}

impl Compiler<'_> {
    /// The step that uses a shared file.
    pub(super) fn use_shared(
        &mut self,
        step: &spec::Step,
        names: &mut Names,
        conditional: bool,
        defines: &mut Vec<Local>,
    ) -> Option<Verb> {
        let name = step.r#use.as_ref()?;
        let (shared, asks, relies) = match self.used(name)? {
            Used::Steps(shared, asks, relies) => (shared, asks, relies),
            Used::Values(values) => {
                if let Some((given, _)) = step.with.iter().next() {
                    let diagnostic = Diagnostic::at(
                        Code::MisplacedKey,
                        &given.span,
                        format!("`{}` holds values, which take no `with`", name.value),
                    );
                    self.out
                        .push(diagnostic.help("look a value up by its key, such as `{{ NAME.key }}` or `{{ NAME[key] }}`"));
                }
                let local = self.define(step.r#as.as_ref().unwrap_or(name), Type::Any, conditional, names)?;
                defines.push(local.clone());
                return Some(Verb::Let(vec![(local, Value::Open(values))]));
            }
            Used::Wrong => {
                // The name that it would give is known all the same.
                defines.extend(step.r#as.as_ref().and_then(|bind| self.define(bind, Type::Any, conditional, names)));
                return None;
            }
        };
        self.asks.extend(asks);
        let mut with = Vec::new();
        let mut given: BTreeMap<&str, (Origins, &Span)> = BTreeMap::new();
        for (input, node) in step.with.iter() {
            let (value, origins) = self.tracing(|compiler| compiler.value(node, names));
            given.insert(&input.value, (origins, &node.span));
            with.extend(value.map(|value| (input.value.clone(), value)));
        }
        for (input, guard) in &relies.inputs {
            if let Some((origins, place)) = given.get(input.as_str()) {
                self.relies_on_given(origins, place, guard);
            }
        }
        let result = relies.result.iter().flat_map(|origin| match origin {
            Origin::With(input) => given.get(input.as_str()).map(|(origins, _)| origins.clone()).unwrap_or_default(),
            other => Origins::from([other.clone()]),
        });
        let result: Origins = result.collect();
        let written = self.shared;
        let known = written.get(&name.value).and_then(Option::as_ref).map(|file| &file.written.inputs);
        for (given, _) in step.with.iter().filter(|(given, _)| known.is_some_and(|known| known.get(&given.value).is_none()))
        {
            let message = format!("the shared steps `{}` take no input `{}`", name.value, given.value);
            let diagnostic = Diagnostic::at(Code::UnknownInput, &given.span, message);
            self.out.push(
                diagnostic.did_you_mean(
                    &given.value,
                    known.into_iter().flat_map(Map::iter).map(|(input, _)| input.value.as_str()),
                ),
            );
        }
        let bind = step.r#as.as_ref().and_then(|bind| self.define(bind, Type::Any, conditional, names));
        if let Some(bind) = &step.r#as {
            names.comes_from(&bind.value, result);
        }
        defines.extend(bind.clone());
        Some(Verb::Use(Box::new(Use { shared, with, bind })))
    }

    /// Compiles every shared file, used or not.
    pub(super) fn shared_files(&mut self) {
        let written = self.shared;
        for name in written.keys() {
            self.shared_file(name);
        }
    }

    /// The shared file that a `use` names.
    pub(super) fn used(&mut self, name: &Text) -> Option<Used> {
        let written = self.shared;
        if !written.contains_key(&name.value) {
            let diagnostic =
                Diagnostic::at(Code::UnknownShared, &name.span, format!("actions/shared has no file `{}.yml`", name.value));
            self.out.push(diagnostic.did_you_mean(&name.value, written.keys().map(String::as_str)));
            return None;
        }
        let wrong = if self.using.contains(&name.value) {
            format!("`{}` uses itself{}", name.value, self.by_way_of(&name.value))
        } else if self.using.len() >= DEEPEST {
            format!("shared steps that use each other more than {DEEPEST} deep")
        } else {
            return Some(self.shared_file(&name.value));
        };
        let diagnostic = Diagnostic::at(Code::SharedCycle, &name.span, wrong);
        self.out
            .push(diagnostic.help("shared steps may use others that do not come back to them; go over a list with `each`"));
        None
    }

    /// The files on the way from a shared file back to itself.
    fn by_way_of(&self, name: &str) -> String {
        let between: Vec<_> =
            self.using.iter().skip_while(|using| *using != name).skip(1).map(|using| format!("`{using}`")).collect();
        if between.is_empty() { String::new() } else { format!(" by way of {}", between.join(", ")) }
    }

    fn shared_file(&mut self, name: &str) -> Used {
        if let Some(done) = self.compiled.get(name) {
            return done.clone();
        }
        let written = self.shared;
        let Some(SharedFile { written: file, partial }) = written.get(name).and_then(Option::as_ref) else {
            return Used::Wrong;
        };
        let asks = mem::take(&mut self.asks);
        let outer = mem::replace(&mut self.partial, *partial);
        self.using.push(name.to_owned());
        let used = match &file.values {
            Some(values) => {
                let has_steps = !file.steps.is_empty() || !file.inputs.is_empty();
                if has_steps || file.result.is_some() || file.cache.is_some() {
                    let diagnostic =
                        Diagnostic::at(Code::MisplacedKey, &values.span, "a shared file has `steps` or `values`, not both");
                    self.out.push(diagnostic.help("make two files of it"));
                }
                if let Some(key) = file.key("require") {
                    let diagnostic = Diagnostic::at(Code::MisplacedKey, &key.span, "values are in this file for everybody");
                    self.out.push(diagnostic.help("put `require` on the action that says them"));
                }
                Used::Values(template::open_json(&values.to_json()))
            }
            None => self.shared_steps(name, file),
        };
        self.using.pop();
        self.partial = outer;
        self.asks = asks;
        self.compiled.insert(name.to_owned(), used.clone());
        used
    }

    fn shared_steps(&mut self, name: &str, file: &spec::Shared) -> Used {
        let errors = self.out.errors();
        let mut names = Names::offered();
        let inputs = self.inputs(&file.inputs, &mut names, true);
        let outer = mem::take(&mut self.trust.inputs);
        let require = self.guards(&file.require, &names);
        // What inputs ask for is part of what the result is kept under, and guards are held before it is looked up.
        let asked = mem::take(&mut self.asks);
        let steps = self.steps(&file.steps, &mut names, Block::Action);
        let (result, origins) =
            self.tracing(|compiler| file.result.as_ref().and_then(|result| compiler.value(result, &names)));
        let relies = Relies { inputs: mem::replace(&mut self.trust.inputs, outer), result: origins };
        let kept = file.cache.as_ref().and_then(|fresh| self.kept(name, file, fresh, &steps));
        self.asks.extend(asked);
        self.unused_inputs(&file.inputs, errors);
        let mut asks = mem::take(&mut self.asks);
        // The other names are the file's own.
        asks.retain(|name| {
            let root = name.split('.').next().unwrap_or(name);
            OFFERED.iter().any(|(offered, _)| *offered == root)
        });
        let changes = changes(&steps);
        self.idle_outcomes(&steps, None);
        Used::Steps(Arc::new(Shared { inputs, require, steps, result, kept, changes }), asks, Arc::new(relies))
    }
}
