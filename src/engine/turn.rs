//! One turn, from the call to the reply: which action, against which domain, until when.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use serde_json::json;
use tokio::time::Instant;

use super::domains::{Domains, Found};
use super::native::Natives;
use super::places::Places;
use super::ready::{Done, Ready};
use super::slow::{self, Prepared};
use super::tell::Callback;
use super::trace::Trace;
use super::verify::{Standing, Verifier};
use crate::connector::{Assistants, Connections, Facts, Fallback, Health, Pulse};
use crate::name::{ActionName, CallerName};
use crate::outbox::{Bounds, Running, TurnKey, Writes};
use crate::plan::Project;
use crate::plan::action::{Action, Body, Changes};
use crate::rasa::{Call, Malformed, Reply};
use crate::store::{KeptTurn, Who};
use crate::telemetry::{JoinKind, StoreState, TurnFinished, WorkJoined};
use crate::time::{Clock, Deadline};

/// What an engine is made of.
pub struct Parts {
    /// The project: actions, words, limits, domain.
    pub project: Arc<Project>,
    /// The business systems.
    pub connections: Arc<Connections>,
    /// What writes on them, once.
    pub writes: Writes,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Runs the actions that are written in Rust.
    pub natives: Natives,
    /// The action server that has the actions which the project does not have.
    pub fallback: Option<Fallback>,
    /// Knows who is verified.
    pub verifier: Verifier,
    /// How many turns may run at the same time; further ones are refused with words for the user.
    pub turns: usize,
}

/// Runs the actions of one project. Clones are the same.
#[derive(Clone)]
pub struct Engine(pub(super) Arc<Core>);

/// What all turns of a project share, those included that outlive their call: a turn holds it from its beginning to its end,
/// whatever becomes of the project meanwhile. All but the parts is of the process.
pub(super) struct Core {
    pub(super) parts: Parts,
    pub(super) running: Running<Done>,
    pub(super) places: Arc<Places>,
    domains: Arc<Domains>,
    pulse: Arc<Pulse>,
}

/// What the door knows of a call beside its body.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who calls.
    pub caller: CallerName,
    /// The id of the request, in logs.
    pub request_id: Arc<str>,
    /// Where it is written down how the call is answered, for whoever keeps that.
    pub trace: Option<Arc<Trace>>,
}

impl Engine {
    /// An engine of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let bounds = Bounds { keep: parts.project.settings.stores.keep_running, ..Bounds::default() };
        let running = Running::new(bounds, slow::weight);
        let pulse = Pulse::new(Arc::clone(&parts.connections));
        let places = Arc::new(Places::new(parts.turns));
        Self(Arc::new(Core { parts, running, places, domains: Arc::default(), pulse }))
    }

    /// The engine of a project that has changed, beside this one: turns that this one works on go on with their project, and
    /// their second calls find them here. There are as many places for turns as before.
    #[must_use]
    pub fn changed(&self, parts: Parts) -> Self {
        let pulse = self.0.pulse.changed(Arc::clone(&parts.connections));
        let (running, places, domains) = (self.0.running.clone(), Arc::clone(&self.0.places), Arc::clone(&self.0.domains));
        Self(Arc::new(Core { parts, running, places, domains, pulse }))
    }

    /// The business systems.
    #[must_use]
    pub fn connections(&self) -> &Connections {
        &self.0.parts.connections
    }

    /// Every action, in the order of their names: the project's own, and those of the server behind it, by `until` and as far
    /// as that can be asked.
    pub async fn actions(&self, until: Deadline) -> Vec<String> {
        let mut names: BTreeSet<_> = self.0.parts.project.actions.keys().map(ToString::to_string).collect();
        if let Some(fallback) = &self.0.parts.fallback {
            match fallback.actions(until).await {
                Ok(others) => names.extend(others),
                Err(fault) => {
                    tracing::warn!(outcome = %fault.outcome, detail = fault.operator, "the actions of `fallback` are not known")
                }
            }
        }
        names.into_iter().collect()
    }

    /// What an operator may know of the project: its actions and connections.
    #[must_use]
    pub fn status(&self) -> serde_json::Value {
        let actions: Vec<_> = self.0.parts.project.actions.keys().map(ActionName::as_str).collect();
        let connection = |facts: Facts| {
            let system = facts.system;
            json!({
                "name": facts.name.as_str(), "connector": &*facts.connector, "system": system,
                "operations": facts.operations.len(), "staged": facts.staged,
            })
        };
        let connections: Vec<_> = self.0.parts.connections.facts().into_iter().map(connection).collect();
        json!({ "actions": actions, "connections": connections, "stores": self.stores() })
    }

    /// What its state and its answers are kept in, and whether that is there.
    #[must_use]
    pub fn stores(&self) -> Vec<StoreState> {
        let parts = &self.0.parts;
        std::iter::once(parts.writes.store()).chain(parts.connections.second_level()).collect()
    }

    /// The health of its connections by `until` at the latest; each is tested at most once a minute.
    pub async fn health(&self, until: Deadline) -> Health {
        self.0.pulse.health(until).await
    }

    /// Waits until no turn and no write works on after its call was answered.
    pub async fn settled(&self) {
        self.0.running.settled().await;
        self.0.parts.writes.settled().await;
        self.0.parts.connections.settled().await;
    }

    pub(super) fn callback(&self, assistants: Assistants) -> Callback {
        Callback { core: Arc::clone(&self.0), assistants }
    }

    /// Makes what was to be made later and is due now, and tells what there is to tell; whether there was anything.
    /// [`Work`](super::Work) does it all the time.
    pub async fn deliver(&self, assistants: Assistants) -> bool {
        let writes = &self.0.parts.writes;
        let delivered = writes.deliver_due().await;
        writes.tell_due(&self.callback(assistants)).await || delivered
    }

    /// Forgets what was kept long enough. [`Work`](super::Work) does it all the time.
    pub async fn tidy(&self) {
        self.0.parts.writes.tidy().await;
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
    pub fn run(&self, call: Call, context: Context) -> impl Future<Output = Result<Reply, Malformed>> + Send {
        let how = How::Live(context.trace.clone());
        self.timed(call, context, how).map_ok(|done| done.reply)
    }

    /// Answers a call as [`Self::run`] does and writes down how, for whoever plays Rasa's part; with the name of how the turn
    /// went. What is written down of a slow turn grows until its second call is answered.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn watched(
        &self,
        call: Call,
        context: Context,
        trace: Arc<Trace>,
    ) -> Result<(Reply, &'static str), Malformed> {
        self.timed(call, context, How::Live(Some(trace))).await.map(|done| (done.reply, done.outcome))
    }

    /// Answers a call and writes down how, for `try`: in one answer, however long it takes.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn traced(&self, call: Call, context: Context, trace: Option<Arc<Trace>>) -> Result<Reply, Malformed> {
        self.timed(call, context, How::Traced(trace)).await.map(|done| done.reply)
    }

    fn timed(&self, call: Call, context: Context, how: How) -> impl Future<Output = Result<Done, Malformed>> + Send + use<> {
        let started = Instant::now();
        let known = call.next_action.as_deref().and_then(|name| self.0.action(name));
        let caller = context.caller.clone();
        // A turn may wait long, and its call's body is large: that ends here, and so does the room for reading it.
        let next = Arc::clone(&self.0).next(known.clone(), call, context, how, started).boxed();
        async move {
            // What it took to get there is gone before it waits.
            let next = next.await?;
            let done = match next {
                Next::Told(done) => done,
                Next::Runs(running) => running.await,
                Next::Waits(waiting) => waiting.await,
            };
            let action = known.as_ref().map(|action| &action.name);
            TurnFinished { action, outcome: done.outcome, elapsed: started.elapsed(), caller: &caller }.emit();
            Ok(done)
        }
    }
}

/// For whom a call is answered.
enum How {
    /// For an assistant, which can be told to call again; somebody may look on.
    Live(Option<Arc<Trace>>),
    /// For somebody who looks on and calls once.
    Traced(Option<Arc<Trace>>),
}

/// How a call is begun with.
struct Begun {
    how: How,
    /// When it came.
    came: Instant,
    /// Whether another process works on its turn.
    elsewhere: bool,
}

/// Whether a turn was answered before.
enum Answered {
    /// With this.
    Before(Done),
    /// Not yet: another process works on it.
    Elsewhere,
    Not,
}

/// What becomes of a call.
enum Next {
    /// It is answered.
    Told(Done),
    /// Its action runs to the end.
    Runs(BoxFuture<'static, Done>),
    /// It waits for the work of its turn.
    Waits(BoxFuture<'static, Done>),
}

impl Core {
    /// The action of that name: the project's, else that of the server behind this one.
    fn action(&self, name: &str) -> Option<Arc<Action>> {
        let project = &self.parts.project;
        let behind = || self.parts.fallback.as_ref().and_then(|_| project.forwarded(name)).map(Arc::new);
        project.actions.get(name).cloned().or_else(behind)
    }

    /// Takes of a call what is needed of it, and lets the rest go.
    async fn next(
        self: Arc<Self>,
        known: Option<Arc<Action>>,
        call: Call,
        context: Context,
        how: How,
        came: Instant,
    ) -> Result<Next, Malformed> {
        // A turn that is worked on ends with the project that it began with, and so does its second call, also where its action
        // is gone since.
        if let (How::Live(_), Some(name)) = (&how, call.next_action.as_deref().and_then(ActionName::parse))
            && let Some(waiting) = slow::join(&self.running, &call, name, &context.caller)
        {
            return Ok(Next::Waits(waiting.answer().boxed()));
        }
        match (&call.next_action, &known) {
            (None, _) => Ok(Next::Told(Done { reply: Reply::Nothing, outcome: "nothing" })),
            (Some(name), None) => {
                Ok(Next::Told(Done { reply: Reply::NotRegistered { action: name.clone() }, outcome: "not_registered" }))
            }
            (Some(_), Some(action)) => {
                let key = TurnKey::of(&call, &context.caller, &action.name);
                let mut elsewhere = false;
                if let How::Live(_) = how {
                    match self.answered(action, &call, &key).await {
                        Answered::Before(done) => return Ok(Next::Told(done)),
                        Answered::Elsewhere => elsewhere = true,
                        Answered::Not => {}
                    }
                }
                let standing = self.standing(action, &call, &context).await;
                self.begin(action, &call, &context, key, standing, Begun { how, came, elsewhere })
            }
        }
    }

    /// The answer of a turn that was answered before, by this process or another: what it writes is written, and what it would
    /// read by now may no longer be what it acted on. Only a turn that may have written something is looked for, and a slow one
    /// where other processes answer the same assistant.
    async fn answered(&self, action: &Action, call: &Call, key: &TurnKey) -> Answered {
        let writes = &self.parts.writes;
        let (second, shared) = (slow::is_second(call, &action.name), writes.is_shared());
        let kept = action.changes > Changes::Nothing || (shared && second.is_some());
        if !kept || self.running.find(key).is_some() {
            return Answered::Not;
        }
        let reply = match writes.turn(key).await {
            Some(KeptTurn::Ended { stamp, reply }) if second.is_some() || stamp == slow::stamp(call) => reply,
            // To the repeat of its first call it is as slow as that was told.
            Some(KeptTurn::Running { stamp }) if second.is_some() || stamp == slow::stamp(call) => {
                return Answered::Elsewhere;
            }
            _ => return Answered::Not,
        };
        let Some(done) = Done::reread(&reply) else { return Answered::Not };
        WorkJoined { kind: if second.is_some() { JoinKind::Second } else { JoinKind::Repeat } }.emit();
        Answered::Before(second.map_or_else(|| done.clone(), |flows| slow::as_one_run(&done, &action.name, flows)))
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
        key: TurnKey,
        standing: Standing,
        begun: Begun,
    ) -> Result<Next, Malformed> {
        let domain = match &action.body {
            Body::Steps(_) | Body::Native | Body::Forwarded => None,
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
        let Begun { how, came, elsewhere } = begun;
        let (alone, trace) = match how {
            How::Live(trace) if slow::can_follow_up(self, action, call) => {
                let prepared = Prepared::read(self, action, call, key, standing, times, trace)?;
                return Ok(Next::Waits(match elsewhere {
                    // May take long, and the call need not be held meanwhile.
                    true => prepared.elsewhere(came).boxed(),
                    false => prepared.enter(came.elapsed()).answer().boxed(),
                }));
            }
            How::Live(trace) => (false, trace),
            How::Traced(trace) => (true, trace),
        };
        let ready = Ready::read(self, action, call, key, standing, domain)?;
        let until = |after: Duration| Deadline::after(after.saturating_sub(came.elapsed()));
        if alone {
            return Ok(Next::Runs(ready.run(until(times.give_up_after), trace).boxed()));
        }
        Ok(Next::Runs(match self.places.take() {
            Some(place) => ready.run_at(place, until(times.slow_after), trace).boxed(),
            None => ready.refused().boxed(),
        }))
    }
}
