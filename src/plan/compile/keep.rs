//! Whether the result of shared steps can be kept for all conversations: it has to come of reads and inputs alone.

use super::Compiler;
use crate::diag::{Code, Diagnostic, Span};
use crate::name::{ConnectionName, OperationName};
use crate::plan::action::{Kept, Step, Verb};
use crate::plan::reading::span;
use crate::spec::{Text, action as spec};

/// What is the same in every conversation, or is part of what a result is kept under.
const SAME: [&str; 3] = ["locale", "timezone", "legwork"];

impl Compiler<'_> {
    /// How the result of shared steps is kept.
    pub(super) fn kept(&mut self, name: &str, file: &spec::Shared, fresh: &Text, steps: &[Step]) -> Option<Kept> {
        let fresh_for = span(fresh, &mut self.out);
        if file.result.is_none() {
            let diagnostic = Diagnostic::at(Code::MissingKey, &fresh.span, "only a `result` can be kept");
            self.out.push(diagnostic.help("add `result` with what the steps give back, or take `cache` out"));
            return None;
        }
        let own = |ask: &&String| !super::names::OFFERED.iter().any(|(offered, _)| *offered == root(ask));
        let other: Vec<_> = self.asks.iter().filter(|ask| !own(ask) && !SAME.contains(&root(ask))).cloned().collect();
        if let Some(ask) = other.first() {
            let message = format!("what is kept for all conversations cannot depend on `{ask}` of one");
            let diagnostic = Diagnostic::at(Code::MisplacedKey, &fresh.span, message);
            self.out.push(diagnostic.help("make an input of it: a result is kept for each value of the inputs"));
        }
        let mut found = Found::default();
        found.look(steps);
        for (place, what) in found.wrong {
            let message = format!("{what}, which a result that is kept would leave out");
            let help = "keep it out of the shared file, or take its `cache` out";
            self.out.push(Diagnostic::at(Code::MisplacedKey, &place, message).help(help));
        }
        Some(Kept { name: name.to_owned(), fresh: fresh_for?, reads: found.reads })
    }
}

fn root(ask: &str) -> &str {
    ask.split('.').next().unwrap_or(ask)
}

/// What steps ask, and what they do beside it.
#[derive(Default)]
struct Found {
    reads: Vec<(ConnectionName, OperationName)>,
    wrong: Vec<(Span, String)>,
}

impl Found {
    /// Steps of an outcome are not looked at: when a call ends otherwise than well, nothing is kept.
    fn look(&mut self, steps: &[Step]) {
        for step in steps {
            match &step.verb {
                Verb::Call(call) if call.writes => {
                    self.wrong.push((step.place.clone(), format!("{} changes something", call.operation)));
                }
                Verb::Call(call) if call.refresh.is_some() => {
                    self.wrong.push((step.place.clone(), "the call goes past what is kept (`refresh`)".to_owned()));
                }
                Verb::Call(call) => {
                    let read = (call.connection.clone(), call.operation.clone());
                    if !self.reads.contains(&read) {
                        self.reads.push(read);
                    }
                }
                Verb::Let(_) => {}
                Verb::Choose(branches) => branches.iter().for_each(|branch| self.look(&branch.steps)),
                Verb::Together(steps) => self.look(steps),
                Verb::Each(each) => self.look(&each.steps),
                Verb::Use(used) => self.look(&used.shared.steps),
                verb => self.wrong.push((step.place.clone(), format!("`{}` does something", verb.name()))),
            }
        }
    }
}
