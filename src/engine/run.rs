//! The state of one run: what expressions see, what was said, what happened, until when.
//!
//! What was said and set is never taken back: whatever ends a run, its answer holds everything up to there.

use std::sync::Arc;

use super::ahead::Ahead;
use super::composed::Parts;
use super::conversation::Conversation;
use super::ladder::Ladder;
use super::sheet::Sheet;
use super::slots::Slots;
use super::trace::{Entry, Trace};
use super::turn::Core;
use super::verify::Standing;
use crate::diag::Span;
use crate::fault::{Class, Fault, Outcome};
use crate::format;
use crate::plan::action::{Guard, Input, Step};
use crate::rasa::{Answer, Event, Message, Object};
use crate::template::{Failed, Scope, Value};
use crate::time::Deadline;

/// How an action ended.
pub(super) enum Ending {
    /// With an answer.
    Answered,
    /// With Rasa's execution rejection.
    Rejected(String),
    /// The server behind this one has no such action.
    NotRegistered,
    /// It needs the domain, of which only the digest was sent.
    NeedsDomain,
}

/// What comes after a step.
pub(super) enum Flow {
    /// The next step.
    Next,
    /// Nothing: the action has ended.
    Stop,
    /// Nothing: the action declines, or the slot's value is refused.
    Reject(Vec<Message>),
    /// The step after the call whose outcome this was, with this as its result.
    Continue(Value),
    /// Nothing: the slot takes this value.
    Accept(Value),
}

/// A step that could not be carried out for a reason that lies in the project's files.
pub(super) struct Halt {
    pub(super) place: Span,
    pub(super) message: String,
}

impl Halt {
    pub(super) fn at(place: &Span) -> impl Fn(Failed) -> Self + Copy + '_ {
        move |failed| Self { place: place.clone(), message: failed.message }
    }
}

/// A run.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Core,
    pub(super) conversation: Arc<Conversation>,
    pub(super) scope: Scope,
    pub(super) slots: Slots,
    pub(super) messages: Vec<Message>,
    pub(super) events: Vec<Event>,
    pub(super) deadline: Deadline,
    pub(super) trace: Option<Arc<Trace>>,
    pub(super) outcome: Option<Outcome>,
    /// Answers that were asked for together, before the steps that call for them.
    pub(super) ahead: Vec<Ahead>,
    pub(super) ladder: Ladder,
    /// What the calls so far came to, for a result that is composed of them.
    pub(super) parts: Parts,
    pub(super) standing: Standing,
    pub(super) sheet: Sheet,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        engine: &'a Core,
        conversation: Arc<Conversation>,
        standing: Standing,
        sheet: Sheet,
        deadline: Deadline,
        trace: Option<Arc<Trace>>,
    ) -> Self {
        let mut run = Self {
            engine,
            scope: Scope::new(Arc::clone(&conversation.names)),
            slots: conversation.slots.clone(),
            conversation,
            messages: Vec::new(),
            events: Vec::new(),
            deadline,
            trace,
            outcome: None,
            ahead: Vec::new(),
            ladder: Ladder::default(),
            parts: Parts::default(),
            standing,
            sheet,
        };
        run.show_verified();
        run
    }

    /// A run that sees the same and has said and set nothing yet.
    pub(super) fn fork(&self) -> Self {
        Self {
            engine: self.engine,
            scope: self.scope.clone(),
            slots: self.slots.clone(),
            conversation: Arc::clone(&self.conversation),
            messages: Vec::new(),
            events: Vec::new(),
            deadline: self.deadline,
            trace: self.trace.clone(),
            outcome: None,
            ahead: Vec::new(),
            ladder: self.ladder.fork(),
            parts: Parts::default(),
            standing: self.standing.clone(),
            sheet: self.sheet.fork(),
        }
    }

    /// Runs an ordinary action.
    pub(super) async fn action(&mut self, require: &[Guard], inputs: &[Input], steps: &[Step]) -> Ending {
        let flow = match self.guarded(require).await {
            Ok(Flow::Next) => match self.inputs(inputs, &Object::new()) {
                Ok(Flow::Next) => {
                    self.note_inputs(inputs);
                    self.steps(steps).await
                }
                ended => ended,
            },
            ended => ended,
        };
        let ending = self.ending(flow);
        self.take_back().await;
        ending
    }

    /// What a way of ending means for the whole action.
    pub(super) fn ending(&mut self, flow: Result<Flow, Halt>) -> Ending {
        match flow {
            Ok(Flow::Reject(reason)) => {
                let words = reason.into_iter().find_map(|message| message.text.or(message.response));
                Ending::Rejected(words.unwrap_or_default())
            }
            Ok(_) => Ending::Answered,
            Err(halt) => {
                self.report(&halt);
                self.say_outcome(&Fault::new(Outcome::Unexpected, halt.message));
                Ending::Answered
            }
        }
    }

    /// Tells the operator what in a file of the project could not be carried out.
    pub(super) fn report(&self, halt: &Halt) {
        tracing::error!(place = %halt.place.place(), "{}", halt.message);
        self.note(|| Entry::Problem { place: halt.place.clone(), message: halt.message.clone() });
    }

    /// Says the message of a fault of the run's own, and tells the operator; those of calls were told where they were made.
    pub(super) fn say_fault(&mut self, fault: &Fault) {
        match fault.class() {
            Class::Bug | Class::Misconfigured => tracing::error!(outcome = %fault.outcome, "{}", fault.operator),
            Class::Transient | Class::Exhausted => tracing::warn!(outcome = %fault.outcome, "{}", fault.operator),
            Class::Rejected => tracing::info!(outcome = %fault.outcome, "{}", fault.operator),
        }
        self.say_outcome(fault);
    }

    /// Sets a slot: an event for Rasa, and the value for the steps that follow.
    pub(super) fn set_slot(&mut self, name: &str, value: serde_json::Value) {
        self.see_slot(name, &value);
        self.events.push(Event::slot(name, value));
    }

    /// Lets the steps that follow see a slot's value, without an event.
    pub(super) fn see_slot(&mut self, name: &str, value: &serde_json::Value) {
        self.slots.set(name, value);
        self.show_slots();
    }

    /// Goes back to an outer block's names; the slots that were set in the inner one stay set.
    pub(super) fn leave_for(&mut self, outer: Scope) {
        self.scope = outer;
        self.show_slots();
        self.show_age();
        self.show_verified();
    }

    fn show_slots(&mut self) {
        if let Some(slots) = self.slots.value() {
            self.scope.set("slots", slots);
        }
    }

    /// Writes an entry into the trace, when there is one.
    pub(super) fn note(&self, entry: impl FnOnce() -> Entry) {
        if let Some(trace) = &self.trace {
            trace.push(entry());
        }
    }

    /// What formats need to know of this conversation.
    pub(super) fn format_context(&self) -> format::Context {
        let settings = &self.engine.parts.project.settings;
        format::Context {
            now: self.conversation.now,
            zone: settings.timezone,
            locale: format::Locale::parse(&self.conversation.locale),
            region: settings.region.clone(),
        }
    }

    /// How the turn ended, for metrics.
    pub(super) fn outcome(&self) -> &'static str {
        self.outcome.map_or_else(|| self.ladder.outcome(), Outcome::name)
    }

    pub(super) fn into_answer(mut self) -> Answer {
        self.conclude();
        Answer { events: self.events, responses: self.messages }
    }
}
