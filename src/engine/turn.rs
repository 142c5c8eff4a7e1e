//! One turn, from the call to the reply: which action, against which domain, until when.

use std::sync::Arc;

use serde_json::json;

use super::conversation::Conversation;
use super::domains::{Domains, Found};
use super::run::{Ending, Run};
use super::trace::Trace;
use super::verify::{Standing, Verifier};
use crate::connector::{Connections, Facts, Health, Pulse};
use crate::name::{ActionName, CallerName};
use crate::plan::Project;
use crate::plan::action::{Action, Body};
use crate::rasa::{Answer, Call, Event, EventKind, Malformed, Reply};
use crate::store::Who;
use crate::telemetry::TurnFinished;
use crate::time::{Clock, Deadline};

/// What an engine is made of.
pub struct Parts {
    /// The project: actions, words, limits, domain.
    pub project: Arc<Project>,
    /// The business systems.
    pub connections: Arc<Connections>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Knows who is verified.
    pub verifier: Verifier,
}

/// Runs the actions of one project.
pub struct Engine {
    pub(super) parts: Parts,
    domains: Domains,
    pulse: Arc<Pulse>,
}

/// What the door knows of a call beside its body.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who calls.
    pub caller: CallerName,
    /// The id of the request, in logs.
    pub request_id: Arc<str>,
}

impl Engine {
    /// An engine of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let pulse = Pulse::new(Arc::clone(&parts.connections));
        Self { parts, domains: Domains::default(), pulse }
    }

    /// The business systems.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.parts.connections
    }

    /// Every action, in the order of their names.
    #[must_use]
    pub fn actions(&self) -> Vec<ActionName> {
        self.parts.project.actions.keys().cloned().collect()
    }

    /// What an operator may know of the project: its actions and connections.
    #[must_use]
    pub fn status(&self) -> serde_json::Value {
        let actions: Vec<_> = self.parts.project.actions.keys().map(ActionName::as_str).collect();
        let connection = |facts: Facts| {
            let system = facts.system;
            json!({ "name": facts.name.as_str(), "connector": &*facts.connector, "system": system, "operations": facts.operations.len() })
        };
        let connections: Vec<_> = self.parts.connections.facts().into_iter().map(connection).collect();
        json!({ "actions": actions, "connections": connections })
    }

    /// The health of its connections by `until` at the latest; each is tested at most once a minute.
    pub async fn health(&self, until: Deadline) -> Health {
        self.pulse.health(until).await
    }

    /// Takes something as proved in a conversation, because a test says so.
    pub async fn vouch(&self, caller: CallerName, sender: &str, proved: &[(String, String)]) {
        self.parts.verifier.vouch(caller, sender, proved, self.parts.clock.now()).await;
    }

    /// Whose conversation it is, and who that has proved to be.
    async fn standing(&self, call: &Call, context: &Context) -> Standing {
        let who = Who { caller: context.caller.clone(), sender: call.sender_id.clone() };
        let (region, now) = (&self.parts.project.settings.region, self.parts.clock.now());
        let proved = self.parts.verifier.proved(call, &who, region, now).await;
        Standing::new(who, proved)
    }

    /// Answers a call.
    ///
    /// # Errors
    /// When a part of the call that the action asks for is not what the protocol says.
    pub async fn run(&self, call: Call, context: Context) -> Result<Reply, Malformed> {
        self.traced(call, context, None).await
    }

    /// Answers a call and writes down how, for `try` and `test`.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn traced(&self, call: Call, context: Context, trace: Option<Arc<Trace>>) -> Result<Reply, Malformed> {
        let started = tokio::time::Instant::now();
        let known = call.next_action.as_deref().and_then(|name| self.parts.project.actions.get(name));
        let (reply, outcome) = match (&call.next_action, known) {
            (None, _) => (Reply::Nothing, "nothing"),
            (Some(name), None) => (Reply::NotRegistered { action: name.clone() }, "not_registered"),
            (Some(_), Some(action)) => self.act(action, &call, &context, trace).await?,
        };
        let action = known.map(|action| action.name.clone());
        TurnFinished { action: action.as_ref(), outcome, elapsed: started.elapsed(), caller: &context.caller }.emit();
        Ok(reply)
    }

    async fn act(
        &self,
        action: &Arc<Action>,
        call: &Call,
        context: &Context,
        trace: Option<Arc<Trace>>,
    ) -> Result<(Reply, &'static str), Malformed> {
        let domain = match &action.body {
            Body::Steps(_) => None,
            Body::Validation(_) => match self.domains.find(call, &context.caller, self.parts.project.domain.as_ref())? {
                Found::Domain(domain) => domain,
                Found::Missing => return Ok((Reply::NeedsDomain { action: action.name.clone() }, "needs_domain")),
            },
        };
        let channel = call.tracker.latest_input_channel.as_deref();
        let limits = action.limits.as_ref().unwrap_or(&self.parts.project.settings.limits);
        let deadline = Deadline::after(limits.on(channel));
        let conversation = Conversation::read(call, action, &self.parts.project, self.parts.clock.now())?;
        let mut run = Run::new(self, conversation, deadline, trace);
        if action.asks.contains("verified") {
            run.standing = self.standing(call, context).await;
            run.show_verified();
        }
        let ended = match &action.body {
            Body::Steps(steps) => run.action(&action.require, &action.inputs, steps).await,
            Body::Validation(validation) => run.validation(&action.inputs, validation, call, domain.as_deref()).await?,
        };
        if let Ending::Rejected(reason) = ended {
            return Ok((Reply::Rejected { action: action.name.as_str().to_owned(), reason }, "rejected"));
        }
        let outcome = run.outcome();
        let mut answer = run.into_answer();
        if action.name.as_str() == "action_session_start" {
            frame_session(&mut answer);
        }
        Ok((Reply::Answer(answer), outcome))
    }
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
