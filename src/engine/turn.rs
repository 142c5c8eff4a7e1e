//! One turn, from the call to the reply: which action, against which domain, until when.

use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::json;

use super::domains::{Domains, Found};
use super::ready::{Done, Ready};
use super::slow::{self, Waiting};
use super::trace::Trace;
use super::verify::{Standing, Verifier};
use crate::connector::{Connections, Facts, Health, Pulse};
use crate::name::{ActionName, CallerName};
use crate::outbox::{Bounds, Running, TurnKey};
use crate::plan::Project;
use crate::plan::action::{Action, Body};
use crate::rasa::{Call, Malformed, Reply};
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
pub struct Engine(Arc<Core>);

/// What all turns share, those included that outlive their call.
pub(super) struct Core {
    pub(super) parts: Parts,
    pub(super) running: Running<Done>,
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
        let bounds = Bounds { keep: parts.project.settings.stores.keep_running, ..Bounds::default() };
        let running = Running::new(bounds, slow::weight);
        let pulse = Pulse::new(Arc::clone(&parts.connections));
        Self(Arc::new(Core { parts, running, domains: Domains::default(), pulse }))
    }

    /// The business systems.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.0.parts.connections
    }

    /// Every action, in the order of their names.
    #[must_use]
    pub fn actions(&self) -> Vec<ActionName> {
        self.0.parts.project.actions.keys().cloned().collect()
    }

    /// What an operator may know of the project: its actions and connections.
    #[must_use]
    pub fn status(&self) -> serde_json::Value {
        let actions: Vec<_> = self.0.parts.project.actions.keys().map(ActionName::as_str).collect();
        let connection = |facts: Facts| {
            let system = facts.system;
            json!({ "name": facts.name.as_str(), "connector": &*facts.connector, "system": system, "operations": facts.operations.len() })
        };
        let connections: Vec<_> = self.0.parts.connections.facts().into_iter().map(connection).collect();
        json!({ "actions": actions, "connections": connections })
    }

    /// The health of its connections by `until` at the latest; each is tested at most once a minute.
    pub async fn health(&self, until: Deadline) -> Health {
        self.0.pulse.health(until).await
    }

    /// Waits until no turn and no write works on after its call was answered.
    pub async fn settled(&self) {
        self.0.running.settled().await;
        self.0.parts.connections.settled().await;
    }

    /// Takes something as proved in a conversation, because a test says so.
    pub async fn vouch(&self, caller: CallerName, sender: &str, proved: &[(String, String)]) {
        let parts = &self.0.parts;
        parts.verifier.vouch(caller, sender, proved, parts.clock.now()).await;
    }

    /// Answers a call. When the caller goes away before there is an answer, what reads stops and what writes ends.
    ///
    /// # Errors
    /// When a part of the call that the action asks for is not what the protocol says.
    pub async fn run(&self, call: Call, context: Context) -> Result<Reply, Malformed> {
        self.timed(call, context, How::Live).await
    }

    /// Answers a call and writes down how, for `try` and `test`: in one answer, however long it takes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn traced(&self, call: Call, context: Context, trace: Option<Arc<Trace>>) -> Result<Reply, Malformed> {
        self.timed(call, context, How::Traced(trace)).await
    }

    async fn timed(&self, call: Call, context: Context, how: How) -> Result<Reply, Malformed> {
        let started = tokio::time::Instant::now();
        let known = call.next_action.as_deref().and_then(|name| self.0.parts.project.actions.get(name));
        // A turn may wait long, and its call's body is large: that ends here, and so does the room for reading it.
        let next = self.0.next(known, call, &context, how).boxed().await?;
        let Done { reply, outcome } = match next {
            Next::Told(done) => done,
            Next::Runs(ready, deadline, trace) => ready.run(deadline, trace).boxed().await,
            Next::Waits(waiting) => waiting.answer().await,
        };
        let action = known.map(|action| &action.name);
        TurnFinished { action, outcome, elapsed: started.elapsed(), caller: &context.caller }.emit();
        Ok(reply)
    }
}

/// For whom a call is answered.
enum How {
    /// For an assistant, which can be told to call again.
    Live,
    /// For somebody who looks on.
    Traced(Option<Arc<Trace>>),
}

/// What becomes of a call.
enum Next {
    /// It is answered.
    Told(Done),
    /// Its action runs to the end.
    Runs(Ready, Deadline, Option<Arc<Trace>>),
    /// It waits for the work of its turn.
    Waits(Waiting),
}

impl Core {
    /// Takes of a call what is needed of it, and lets the rest go.
    async fn next(
        self: &Arc<Self>,
        known: Option<&Arc<Action>>,
        call: Call,
        context: &Context,
        how: How,
    ) -> Result<Next, Malformed> {
        match (&call.next_action, known) {
            (None, _) => Ok(Next::Told(Done { reply: Reply::Nothing, outcome: "nothing" })),
            (Some(name), None) => {
                Ok(Next::Told(Done { reply: Reply::NotRegistered { action: name.clone() }, outcome: "not_registered" }))
            }
            (Some(_), Some(action)) => {
                let standing = self.standing(action, &call, context).await;
                self.begin(action, &call, context, standing, how)
            }
        }
    }

    /// Whose conversation it is, and who that has proved to be; nobody where the action does not ask.
    async fn standing(&self, action: &Action, call: &Call, context: &Context) -> Standing {
        if !action.asks.contains("verified") {
            return Standing::default();
        }
        let who = Who { caller: context.caller.clone(), sender: call.sender_id.clone() };
        let (region, now) = (&self.parts.project.settings.region, self.parts.clock.now());
        let proved = self.parts.verifier.proved(call, &who, region, now).await;
        Standing::new(who, proved)
    }

    fn begin(
        self: &Arc<Self>,
        action: &Arc<Action>,
        call: &Call,
        context: &Context,
        standing: Standing,
        how: How,
    ) -> Result<Next, Malformed> {
        let domain = match &action.body {
            Body::Steps(_) => None,
            Body::Validation(_) => match self.domains.find(call, &context.caller, self.parts.project.domain.as_ref())? {
                Found::Domain(domain) => domain,
                Found::Missing => {
                    let reply = Reply::NeedsDomain { action: action.name.clone() };
                    return Ok(Next::Told(Done { reply, outcome: "needs_domain" }));
                }
            },
        };
        let limits = action.limits.as_ref().unwrap_or(&self.parts.project.settings.limits);
        let times = limits.on(call.tracker.latest_input_channel.as_deref());
        let key = TurnKey::of(call, &context.caller, &action.name);
        let (after, trace) = match how {
            How::Live if slow::can_follow_up(self, action, call) => {
                return slow::enter(self, action, call, key, standing, times).map(Next::Waits);
            }
            How::Live => (times.slow_after, None),
            How::Traced(trace) => (times.give_up_after, trace),
        };
        let ready = Ready::read(self, action, call, &key, standing, domain)?;
        Ok(Next::Runs(ready, Deadline::after(after), trace))
    }
}
