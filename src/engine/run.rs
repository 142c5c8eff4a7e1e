//! The state of one run: what expressions see, what was said, what happened, until when.

use std::sync::Arc;

use super::conversation::Conversation;
use super::trace::{Entry, Trace};
use super::turn::Engine;
use crate::diag::Span;
use crate::fault::{Class, Fault, Outcome};
use crate::format;
use crate::plan::action::{Input, Step};
use crate::rasa::{Answer, Event, Message, Object};
use crate::template::{Failed, Scope, Value, open_map};
use crate::time::Deadline;

/// How an action's steps ended.
pub(super) enum Ending {
    /// With an answer.
    Answered,
    /// With Rasa's execution rejection.
    Rejected(String),
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
    pub(super) fn at(place: &Span) -> impl FnOnce(Failed) -> Self + '_ {
        move |failed| Self { place: place.clone(), message: failed.message }
    }
}

/// A run. Cloned for steps that run at the same time, and put together again afterwards.
#[derive(Clone)]
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) conversation: Arc<Conversation>,
    pub(super) scope: Scope,
    pub(super) slots: Object,
    pub(super) messages: Vec<Message>,
    pub(super) events: Vec<Event>,
    pub(super) deadline: Deadline,
    pub(super) trace: Option<Arc<Trace>>,
    pub(super) outcome: Option<Outcome>,
}

impl<'a> Run<'a> {
    pub(super) fn new(engine: &'a Engine, conversation: Conversation, deadline: Deadline, trace: Option<Arc<Trace>>) -> Self {
        let scope = Scope::new(Arc::clone(&conversation.names));
        let slots = conversation.slots.clone();
        let conversation = Arc::new(conversation);
        Self { engine, conversation, scope, slots, messages: Vec::new(), events: Vec::new(), deadline, trace, outcome: None }
    }

    /// Runs an ordinary action.
    pub(super) async fn action(&mut self, inputs: &[Input], steps: &[Step]) -> Ending {
        let flow = match self.inputs(inputs, None) {
            Ok(Flow::Next) => self.steps(steps).await,
            other => other,
        };
        match flow {
            Ok(Flow::Reject(reason)) => {
                let text = reason.into_iter().find_map(|message| message.text).unwrap_or_default();
                Ending::Rejected(text)
            }
            Ok(_) => Ending::Answered,
            Err(halt) => {
                self.halted(&halt);
                Ending::Answered
            }
        }
    }

    /// Ends a run that a file of the project made impossible: the operator learns where, the user that something went wrong.
    pub(super) fn halted(&mut self, halt: &Halt) {
        tracing::error!(place = %halt.place.place(), "{}", halt.message);
        let entry = || Entry::Problem { place: halt.place.clone(), message: halt.message.clone() };
        Engine::note(self.trace.as_ref(), entry);
        self.say_fault(&Fault::new(Outcome::Unexpected, halt.message.as_str()));
    }

    /// Says the message of a fault that nobody handled, in the words of the project or legwork's own.
    pub(super) fn say_fault(&mut self, fault: &Fault) {
        match fault.class() {
            Class::Bug | Class::Misconfigured => tracing::error!(outcome = %fault.outcome, "{}", fault.operator),
            Class::Transient | Class::Exhausted => tracing::warn!(outcome = %fault.outcome, "{}", fault.operator),
            Class::Rejected => tracing::info!(outcome = %fault.outcome, "{}", fault.operator),
        }
        self.outcome = Some(fault.outcome);
        let messages = Arc::clone(&self.engine.parts.project.settings.messages);
        let Some(say) = messages.get(&self.conversation.locale, fault.outcome) else { return };
        let scope = self.scope.with("fault", fault_value(fault));
        match self.rendered(say, &scope) {
            Ok(messages) => self.messages.extend(messages),
            // The message for a fault failed itself; the plain one of the same outcome in English has no expressions to fail.
            Err(failed) => tracing::error!(outcome = %fault.outcome, "the message for this outcome failed: {}", failed.message),
        }
    }

    /// Sets a slot: an event for Rasa, and the value for the steps that follow.
    pub(super) fn set_slot(&mut self, name: &str, value: serde_json::Value) {
        self.events.push(Event::slot(name, value.clone()));
        self.see_slot(name, value);
    }

    /// Lets the steps that follow see a slot's value, without an event.
    pub(super) fn see_slot(&mut self, name: &str, value: serde_json::Value) {
        self.slots.insert(name.to_owned(), value);
        self.scope.set("slots", open_map(&self.slots));
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
        self.outcome.map_or("ok", Outcome::name)
    }

    pub(super) fn into_answer(self) -> Answer {
        Answer { events: self.events, responses: self.messages }
    }
}

/// A fault as expressions see it.
pub(super) fn fault_value(fault: &Fault) -> Value {
    let fields = serde_json::json!({ "outcome": fault.outcome.name(), "message": fault.public });
    crate::template::from_json(&fields)
}
