//! A turn that is ready to run: all that it needs of the call was read, so that the call's body need not be held while it runs.
//!
//! Whatever happens while it runs, it ends: with what it made, at its deadline, or, where a bug breaks it off, with the message
//! for that.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::timeout_at;

use super::conversation::Conversation;
use super::form::candidates;
use super::ladder::Ladder;
use super::run::{Ending, Run};
use super::trace::Trace;
use super::turn::Core;
use super::verify::Standing;
use crate::fault::{Fault, Outcome};
use crate::outbox::TurnKey;
use crate::plan::action::{Action, Body};
use crate::plan::wording::Topic;
use crate::rasa::{Answer, Call, Domain, Event, EventKind, Malformed, Object, Reply};
use crate::telemetry::EventDropped;
use crate::time::Deadline;

/// The first action of a session.
const SESSION_START: &str = "action_session_start";

/// How long after its deadline a run is broken off: every wait in it ends at the deadline, and says so in the action's own
/// words, for which this leaves the time.
const GRACE: Duration = Duration::from_secs(1);

/// A turn that is ready to run. Cheap to clone.
#[derive(Clone)]
pub(super) struct Ready {
    core: Arc<Core>,
    action: Arc<Action>,
    conversation: Arc<Conversation>,
    /// Who the user has proved to be, as of the call.
    standing: Standing,
    /// What a validation is offered, and the domain it goes by.
    offered: Option<(Object, Option<Arc<Domain>>)>,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) reply: Reply,
    /// For metrics.
    pub(super) outcome: &'static str,
}

impl Ready {
    /// Reads what the action needs of a call.
    ///
    /// # Errors
    /// When a part of the call that the action asks for is not what the protocol says.
    pub(super) fn read(
        core: &Arc<Core>,
        action: &Arc<Action>,
        call: &Call,
        key: &TurnKey,
        standing: Standing,
        domain: Option<Arc<Domain>>,
    ) -> Result<Self, Malformed> {
        let parts = &core.parts;
        let mut conversation = Conversation::read(call, action, &parts.project, parts.clock.now())?;
        conversation.reference = key.reference();
        let offered = match &action.body {
            Body::Steps(_) => None,
            Body::Validation(_) => Some((candidates(call)?, domain)),
        };
        let (core, action, conversation) = (Arc::clone(core), Arc::clone(action), Arc::new(conversation));
        Ok(Self { core, action, conversation, standing, offered })
    }

    /// Runs the turn to its end, which comes about by the deadline.
    pub(super) async fn run(self, deadline: Deadline, trace: Option<Arc<Trace>>) -> Done {
        let until = deadline.instant() + GRACE;
        // What a panic may leave behind is shared only through locks that recover.
        let running = AssertUnwindSafe(self.clone().complete(deadline, trace)).catch_unwind();
        match timeout_at(until, running).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => self.broken_off(&Fault::new(Outcome::Unexpected, "the action broke off")),
            Err(_) => {
                tracing::error!(action = self.action.name.as_str(), "a turn had to be broken off after its deadline");
                self.broken_off(&Fault::new(Outcome::Timeout, "the turn was broken off"))
            }
        }
    }

    async fn complete(self, deadline: Deadline, trace: Option<Arc<Trace>>) -> Done {
        let Self { core, action, conversation, standing, offered } = self;
        let mut run = Run::new(&core, conversation, standing, deadline, trace);
        let ended = match (&action.body, offered) {
            (Body::Steps(steps), _) => run.action(&action.require, &action.inputs, steps).await,
            (Body::Validation(validation), offered) => {
                let (offered, domain) = offered.unwrap_or_default();
                run.validation(&action.inputs, validation, offered, domain.as_deref()).boxed().await
            }
        };
        finished(&action, run, ended)
    }

    /// The first answer of a turn that is slow: that it takes longer, and that Rasa is to call again.
    pub(super) fn slow(&self) -> Done {
        let mut run = self.anew();
        run.say_slow();
        let events = vec![Event::followup(self.action.name.as_str())];
        Done { reply: Reply::Answer(Answer { events, responses: run.messages }), outcome: Topic::Slow.name() }
    }

    /// The end of a turn of whose run nothing is left.
    fn broken_off(&self, fault: &Fault) -> Done {
        let mut run = self.anew();
        run.ladder = Ladder::broken_off();
        run.say_outcome(fault);
        finished(&self.action, run, Ending::Answered)
    }

    /// A run that has done nothing yet, and is not to wait for anything.
    fn anew(&self) -> Run<'_> {
        let (conversation, standing) = (Arc::clone(&self.conversation), self.standing.clone());
        Run::new(&self.core, conversation, standing, Deadline::after(Duration::ZERO), None)
    }
}

fn finished(action: &Action, run: Run<'_>, ended: Ending) -> Done {
    if let Ending::Rejected(reason) = ended {
        return Done { reply: Reply::Rejected { action: action.name.as_str().to_owned(), reason }, outcome: "rejected" };
    }
    let outcome = run.outcome();
    let mut answer = run.into_answer();
    let name = action.name.as_str();
    // Rasa would run the action again without end, and take the call for the second one of a slow turn.
    answer.events.retain(|event| {
        let itself = matches!(&event.kind, EventKind::Followup { name: next } if next == name);
        if itself {
            EventDropped { event: "followup", reason: "the action asks for itself again", action: name }.emit();
        }
        !itself
    });
    if name == SESSION_START {
        frame_session(&mut answer);
    }
    Done { reply: Reply::Answer(answer), outcome }
}

/// A session that is not begun and listened to leaves Rasa without a conversation, so whatever happened in between, both
/// events are there.
fn frame_session(answer: &mut Answer) {
    if !answer.events.iter().any(|event| event.kind == EventKind::SessionStarted) {
        answer.events.insert(0, Event::from(EventKind::SessionStarted));
    }
    let listens =
        |event: &Event| matches!(&event.kind, EventKind::Action { name: Some(name), .. } if name == "action_listen");
    if !answer.events.iter().any(listens) {
        let listen = EventKind::Action { name: Some("action_listen".to_owned()), policy: None, confidence: None };
        answer.events.push(Event::from(listen));
    }
}
