//! What a run has changed, in order: for the message that says what was done and what was not, and to take it back when a later
//! change cannot be made.
//!
//! Only what was done for sure is taken back, and only for a change that failed for sure: one that may have been made goes on
//! with the next try.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;

use super::run::Run;
use super::speak::object;
use super::trace::Entry as TraceEntry;
use crate::connector::{Answered, How};
use crate::diag::Span;
use crate::fault::{Class, Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::outbox::{Entry, Undoing};
use crate::plan::action::{Call, Changes, Step, Verb, changes};
use crate::rasa::Object;
use crate::template::{Template, from_json};

/// What became of a change, under the name that messages have for all that became the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Became {
    /// It is made.
    Done,
    /// It will be made, or is on its way.
    Later,
    /// A part of it is made.
    InPart,
    /// It was taken back.
    Undone,
    /// It will be taken back.
    UndoLater,
    /// It may have been made or taken back, or not.
    Unclear,
    /// It is not made.
    NotDone,
}

impl Became {
    /// All of them, in the order of the message.
    pub(super) const ALL: [Self; 7] =
        [Self::Done, Self::Later, Self::InPart, Self::Undone, Self::UndoLater, Self::Unclear, Self::NotDone];

    /// The name in messages.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Later => "later",
            Self::InPart => "in_part",
            Self::Undone => "undone",
            Self::UndoLater => "undo_later",
            Self::Unclear => "unclear",
            Self::NotDone => "not_done",
        }
    }

    fn of(made: Result<(), &Fault>) -> Self {
        match made {
            Ok(()) => Self::Done,
            Err(fault) => match fault.outcome {
                Outcome::Queued | Outcome::Pending => Self::Later,
                Outcome::Unclear => Self::Unclear,
                _ if fault.unsettled => Self::Unclear,
                _ if !fault.done.is_empty() => Self::InPart,
                _ => Self::NotDone,
            },
        }
    }
}

/// Whether a change failed for sure. What was refused is; what may still come about, by itself or with the next try, is not.
fn failed(fault: &Fault) -> bool {
    fault.outcome.is_known() && !fault.unsettled && (fault.class() == Class::Rejected || fault.done.is_empty())
}

/// What takes a change back.
#[derive(Debug, Clone)]
struct Undo {
    connection: ConnectionName,
    operation: OperationName,
    inputs: Object,
    place: Span,
}

/// One change.
#[derive(Debug, Clone)]
struct Deed {
    title: Option<String>,
    became: Became,
    entry: Option<Entry>,
    /// None when nothing takes it back, or when it is not made.
    undo: Option<Undo>,
    /// Whether it goes with what takes it back when it is still queued.
    withdrawn: bool,
    /// Whether it came after the change that failed, for want of that one.
    instead: bool,
    /// Whether the action ends with how it ended.
    ends: bool,
}

/// The changes of a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Deeds {
    all: Vec<Deed>,
    /// Whether one of them failed for sure, and the action has not gone on from there.
    broke: bool,
    /// What users call those that the run did not come to.
    unreached: Vec<String>,
    /// Whether there may have been such.
    left: bool,
}

/// What became of the changes of a run that did not end well.
pub(super) struct Told {
    /// What users call them.
    pub(super) titles: BTreeMap<Became, Vec<String>>,
    /// What became of those that have no such name.
    pub(super) untitled: Vec<Became>,
}

impl Deeds {
    /// Of a run that goes on from this one and has changed nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self { broke: self.broke, ..Self::default() }
    }

    /// Takes over what a fork changed.
    pub(super) fn absorb(&mut self, fork: &Self) {
        self.all.extend(fork.all.iter().cloned());
        self.broke |= fork.broke;
        self.unreached.extend(fork.unreached.iter().cloned());
        self.left |= fork.left;
    }

    /// Notes steps that the run does not come to any more.
    pub(super) fn leaves(&mut self, steps: &[Step]) {
        self.left |= changes(steps) > Changes::Nothing;
    }

    /// Whether the run ended before it came to what may change more.
    pub(super) const fn left(&self) -> bool {
        self.left
    }

    /// The entries of all changes.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.all.iter().filter_map(|deed| deed.entry).collect()
    }

    /// Takes the latest change for the one that ends the action; gives its place.
    pub(super) fn ends(&mut self) -> Option<usize> {
        if let Some(deed) = self.all.last_mut() {
            deed.ends = true;
        }
        self.all.len().checked_sub(1)
    }

    /// The action went on from the change of that place, whatever it came to.
    pub(super) fn went_on(&mut self, at: usize) {
        let Some(deed) = self.all.get_mut(at) else { return };
        let (before, not_done) = (deed.instead, deed.became == Became::NotDone);
        deed.ends = false;
        self.broke = before;
        self.all.iter_mut().skip(at).for_each(|deed| deed.instead = before);
        if not_done {
            self.all.remove(at);
        }
    }

    /// Whether something else was changed, or may have been, than what the action ends with.
    pub(super) fn tell(&self) -> bool {
        self.all.iter().any(|deed| !deed.ends && deed.became != Became::NotDone)
    }

    /// What became of all of them; none when there is nothing to tell.
    pub(super) fn told(&self) -> Option<Told> {
        // What was taken back, or out of the queue, is to be told as well.
        if !self.all.iter().any(|deed| !deed.ends) {
            return None;
        }
        let mut told = Told { titles: BTreeMap::new(), untitled: Vec::new() };
        for deed in &self.all {
            match &deed.title {
                Some(title) => told.titles.entry(deed.became).or_default().push(title.clone()),
                None if told.untitled.contains(&deed.became) => {}
                None => told.untitled.push(deed.became),
            }
        }
        if !self.unreached.is_empty() {
            told.titles.entry(Became::NotDone).or_default().extend(self.unreached.iter().cloned());
        }
        Some(told)
    }
}

impl Run<'_> {
    /// Notes a change, and what it came to.
    pub(super) fn changed(&mut self, call: &Call, entry: Option<Entry>, made: &Result<Answered, Fault>) {
        let title = call.title.as_ref().and_then(|title| self.called(title));
        let undo = made.as_ref().ok().and_then(|answered| self.undo_of(call, answered));
        let deeds = &mut self.sheet.deeds;
        let (instead, withdrawn) = (deeds.broke, call.undo.is_some());
        deeds.broke |= made.as_ref().is_err_and(failed);
        let became = Became::of(made.as_ref().map(|_| ()));
        deeds.all.push(Deed { title, became, entry, undo, withdrawn, instead, ends: false });
    }

    /// What users call a change; none where that has nothing to say, or fails.
    fn called(&self, title: &Template) -> Option<String> {
        match title.text(&self.scope) {
            Ok(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Err(failed) => {
                tracing::error!("a `title` failed: {}", failed.message);
                None
            }
        }
    }

    /// What takes a change back that was just made.
    fn undo_of(&self, call: &Call, answered: &Answered) -> Option<Undo> {
        let undo = call.undo.as_ref()?;
        let scope = match &call.bind {
            Some(bind) => &self.scope.with(bind.as_str(), from_json(&answered.value)),
            None => &self.scope,
        };
        match object(&undo.with, scope) {
            Ok(inputs) => Some(Undo {
                connection: undo.connection.clone(),
                operation: undo.operation.clone(),
                inputs,
                place: undo.place.clone(),
            }),
            Err(failed) => {
                tracing::error!(
                    place = undo.place.place(),
                    "an `undo` failed, so nothing is taken back: {}",
                    failed.message
                );
                self.note(|| TraceEntry::Problem { place: undo.place.clone(), message: failed.message.clone() });
                None
            }
        }
    }

    /// Notes the changes that a run does not come to any more, as far as it is certain that it would have made them.
    pub(super) fn not_reached(&mut self, steps: &[Step]) {
        let titles = steps.iter().filter(|step| step.when.is_none()).filter_map(|step| match &step.verb {
            Verb::Call(call) if call.writes => call.title.as_ref(),
            _ => None,
        });
        // A title may ask for what was never found out.
        let titles = titles.filter_map(|title| title.text(&self.scope).ok().filter(|title| !title.trim().is_empty()));
        let titles: Vec<_> = titles.collect();
        self.sheet.deeds.leaves(steps);
        self.sheet.deeds.unreached.extend(titles);
    }

    /// Takes back what was done before a change that failed for sure and ended the action: the latest first.
    pub(super) async fn take_back(&mut self) {
        if self.sheet.deeds.broke {
            // In a box of its own: a run that waits for its calls need not have room for it.
            self.take_all_back().boxed().await;
        }
    }

    async fn take_all_back(&mut self) {
        for at in (0..self.sheet.deeds.all.len()).rev() {
            let Some(deed) = self.sheet.deeds.all.get(at).filter(|deed| !deed.instead) else { continue };
            let became = match (deed.became, deed.entry, deed.undo.clone()) {
                (Became::Done, Some(entry), Some(undo)) => self.undone(entry, undo).await,
                (Became::Later, Some(entry), None) if deed.withdrawn => {
                    let gone = self.engine.parts.writes.withdraw(entry).await;
                    if gone { Became::NotDone } else { Became::Later }
                }
                (became, ..) => became,
            };
            if let Some(deed) = self.sheet.deeds.all.get_mut(at) {
                deed.became = became;
            }
        }
    }

    async fn undone(&self, entry: Entry, undo: Undo) -> Became {
        let Undo { connection, operation, inputs, place } = undo;
        self.note(|| TraceEntry::Step { verb: "undo", place: place.clone(), runs: true });
        let wire = self.trace.as_ref().map(|_| std::sync::Arc::default());
        let noted = self.trace.as_ref().map(|_| serde_json::Value::Object(inputs.clone()));
        // The sender's own limit is for what the user asks for; this is legwork's.
        let how = How { wire: wire.as_ref(), ..How::by(self.deadline) };
        let turn = self.sheet.turn();
        let (at, what) = (&connection, &operation);
        let undoing = Undoing { entry, turn: &turn, connection: at, operation: what, inputs, how };
        let ended = self.engine.parts.writes.undo(undoing).await;
        let became = match &ended {
            Ok(_) => Became::Undone,
            Err(fault) => match fault.outcome {
                Outcome::Queued | Outcome::Pending => Became::UndoLater,
                Outcome::Unclear => Became::Unclear,
                _ if fault.unsettled => Became::Unclear,
                _ => Became::Done,
            },
        };
        match &ended {
            Ok(_) => tracing::info!(%connection, %operation, "a change was taken back, as a later one failed"),
            Err(fault) if became == Became::UndoLater => {
                tracing::warn!(%connection, %operation, detail = fault.operator, "a change is taken back later");
            }
            Err(fault) => tracing::error!(
                place = place.place(), %connection, %operation, outcome = %fault.outcome, detail = fault.operator,
                "a change could not be taken back, though a later one failed"
            ),
        }
        self.note(|| TraceEntry::Call {
            connection,
            operation,
            inputs: noted.unwrap_or_default(),
            notes: wire.map(|wire: std::sync::Arc<crate::connector::Wire>| wire.noted()).unwrap_or_default(),
            result: ended.map(|answered| answered.value),
        });
        became
    }
}
