//! The files under `actions/shared`: each is compiled once, for all that use it, and none uses itself.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use super::names::{Names, OFFERED};
use super::steps::Block;
use super::Compiler;
use crate::diag::{Code, Diagnostic};
use crate::plan::action::Shared;
use crate::spec::{Text, action as spec};
use crate::template::{self, Value};

/// How many shared files may use each other in a row.
const DEEPEST: usize = 32;

/// A compiled shared file.
#[derive(Clone)]
pub(super) enum Used {
    /// Values, in which an absent key is null.
    Values(Value),
    /// Steps, and the names of the conversation that they ask for.
    Steps(Arc<Shared>, BTreeSet<String>),
    /// What is wrong with it was said where it stands.
    Wrong,
}

impl Compiler<'_> {
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
            let diagnostic = Diagnostic::at(Code::UnknownShared, &name.span, format!("actions/shared has no file `{}.yml`", name.value));
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
        self.out.push(diagnostic.help("shared steps may use others that do not come back to them; go over a list with `each`"));
        None
    }

    /// The files on the way from a shared file back to itself.
    fn by_way_of(&self, name: &str) -> String {
        let between: Vec<_> = self.using.iter().skip_while(|using| *using != name).skip(1).map(|using| format!("`{using}`")).collect();
        if between.is_empty() { String::new() } else { format!(" by way of {}", between.join(", ")) }
    }

    fn shared_file(&mut self, name: &str) -> Used {
        if let Some(done) = self.compiled.get(name) {
            return done.clone();
        }
        let written = self.shared;
        let Some((file, partial)) = written.get(name) else { return Used::Wrong };
        let asks = mem::take(&mut self.asks);
        let outer = mem::replace(&mut self.partial, *partial);
        self.using.push(name.to_owned());
        let used = match &file.values {
            Some(values) => {
                if !(file.steps.is_empty() && file.inputs.is_empty()) || file.result.is_some() {
                    let diagnostic = Diagnostic::at(Code::MisplacedKey, &values.span, "a shared file has `steps` or `values`, not both");
                    self.out.push(diagnostic.help("make two files of it"));
                }
                Used::Values(template::open_json(&values.to_json()))
            }
            None => self.shared_steps(file),
        };
        self.using.pop();
        self.partial = outer;
        self.asks = asks;
        self.compiled.insert(name.to_owned(), used.clone());
        used
    }

    fn shared_steps(&mut self, file: &spec::Shared) -> Used {
        let mut names = Names::offered();
        let inputs = self.inputs(&file.inputs, &mut names, true);
        let steps = self.steps(&file.steps, &mut names, Block::Action);
        let result = file.result.as_ref().and_then(|result| self.value(result, &names));
        self.unused_inputs(&file.inputs);
        let mut asks = mem::take(&mut self.asks);
        // The other names are the file's own.
        asks.retain(|name| OFFERED.iter().any(|(offered, _)| offered == name));
        Used::Steps(Arc::new(Shared { inputs, steps, result }), asks)
    }
}
