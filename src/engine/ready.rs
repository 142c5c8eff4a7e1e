//! A turn that is ready to run: all that it needs of the call was read, so that the call's body need not be held while it runs.
//!
//! Whatever happens while it runs, it ends: with what it made, at its deadline, or, where a bug breaks it off, with the message
//! for that.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::{Value as Json, json};
use tokio::time::{Instant, timeout_at};

use super::conversation::Conversation;
use super::form::candidates;
use super::ladder::Ladder;
use super::native::Turn;
use super::places::Place;
use super::run::{Ending, Run};
use super::sheet::Sheet;
use super::slow;
use super::trace::{Begun, Trace};
use super::turn::Core;
use super::verify::Standing;
use crate::fault::{Fault, Outcome};
use crate::outbox::{Alive, Entry, TurnKey};
use crate::plan::action::{Action, Body, Changes};
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
    /// The turn, for what it writes.
    turn: Arc<TurnKey>,
    /// Which of the turn's calls it is.
    stamp: i64,
    /// From when on other processes want to know its answer.
    shared_after: Option<Instant>,
    /// Other processes may count on the turn's end as long as this is held.
    alive: Alive,
    /// What a validation is offered, and the domain it goes by.
    offered: Option<Box<(Object, Option<Arc<Domain>>)>>,
    /// The call, where another server answers it.
    whole: Bytes,
}

/// How a turn ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Done {
    pub(super) reply: Reply,
    /// For metrics.
    pub(super) outcome: &'static str,
}

impl Done {
    /// Whether something in the answer is like that.
    pub(super) fn has(&self, is: impl Fn(&Json) -> bool) -> bool {
        match &self.reply {
            Reply::Answer(answer) => is(&json!(answer)),
            Reply::Rejected { reason, .. } => is(&Json::from(reason.as_str())),
            Reply::Nothing | Reply::NotRegistered { .. } | Reply::NeedsDomain { .. } => false,
        }
    }

    /// The answer as it is kept; none of what is no end of a turn.
    fn written(&self) -> Option<Vec<u8>> {
        let reply = match &self.reply {
            Reply::Answer(answer) => json!({ "outcome": self.outcome, "answer": answer }),
            Reply::Rejected { action, reason } => {
                json!({ "outcome": self.outcome, "rejected": { "action": action, "reason": reason } })
            }
            Reply::Nothing | Reply::NotRegistered { .. } | Reply::NeedsDomain { .. } => return None,
        };
        Some(reply.to_string().into_bytes())
    }

    /// The answer that was kept so; none when another version of legwork kept it.
    pub(super) fn reread(written: &[u8]) -> Option<Self> {
        let mut kept: Object = serde_json::from_slice(written).ok()?;
        let outcome = kept.remove("outcome");
        let outcome = outcome.as_ref().and_then(Json::as_str).and_then(Outcome::parse).map_or("ok", Outcome::name);
        let reply = match (kept.remove("answer"), kept.remove("rejected")) {
            (Some(answer), _) => Reply::Answer(Answer::reread(answer).ok()?),
            (None, Some(rejected)) => {
                let part = |key: &str| rejected.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
                Reply::Rejected { action: part("action"), reason: part("reason") }
            }
            (None, None) => return None,
        };
        Some(Self { reply, outcome })
    }
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
        turn: TurnKey,
        standing: Standing,
        domain: Option<Arc<Domain>>,
    ) -> Result<Self, Malformed> {
        let parts = &core.parts;
        let conversation = Conversation::read(call, action, &parts.project, parts.clock.now())?;
        let offered = match &action.body {
            Body::Steps(_) | Body::Native | Body::Forwarded => None,
            Body::Validation(_) => Some(Box::new((candidates(call)?, domain))),
        };
        let (core, action, conversation) = (Arc::clone(core), Arc::clone(action), Arc::new(conversation));
        let (turn, stamp) = (Arc::new(turn), slow::stamp(call));
        let alive = Alive::default();
        let whole = if matches!(action.body, Body::Forwarded) { call.whole.clone() } else { Bytes::new() };
        Ok(Self { core, action, conversation, standing, turn, stamp, shared_after: None, alive, offered, whole })
    }

    /// Lets other processes that answer the same assistant know its answer, should it take that long.
    pub(super) fn shared_after(&mut self, slow_after: Option<Duration>) {
        self.shared_after = slow_after.filter(|_| self.core.parts.writes.is_shared()).map(|after| Instant::now() + after);
    }

    /// Tells other processes that it is being worked on.
    pub(super) async fn tell_others(&self) {
        if self.core.parts.writes.is_shared() {
            self.core.parts.writes.turn_runs(&self.turn, self.stamp, &self.alive).await;
        }
    }

    /// Runs the turn to its end, which comes about by the deadline.
    pub(super) async fn run(self, deadline: Deadline, trace: Option<Arc<Trace>>) -> Done {
        let until = deadline.instant() + GRACE;
        // What a panic may leave behind is shared only through locks that recover.
        let running = AssertUnwindSafe(self.clone().complete(deadline, trace)).catch_unwind();
        let (done, written) = match timeout_at(until, running).await {
            Ok(Ok(ended)) => ended,
            Ok(Err(_)) => (self.broken_off(&Fault::new(Outcome::Unexpected, "the action broke off")), None),
            Err(_) => {
                tracing::error!(action = self.action.name.as_str(), "a turn had to be broken off after its deadline");
                // What it was to change may have been changed, or is changed yet.
                let outcome = if self.action.changes > Changes::Nothing { Outcome::Unclear } else { Outcome::Timeout };
                (self.broken_off(&Fault::new(outcome, "the turn was broken off")), None)
            }
        };
        self.remember(&done, written).await.unwrap_or(done)
    }

    /// Keeps the answer where it has to be the same when the turn comes again; gives the one that another process has kept of it
    /// before. `written` are the writes of a turn that made some, when all of them ended well.
    async fn remember(&self, done: &Done, written: Option<Option<Vec<Entry>>>) -> Option<Done> {
        let parts = &self.core.parts;
        let slow = self.shared_after.is_some_and(|after| after <= Instant::now());
        let keep = match written {
            Some(_) => parts.writes.keeps(),
            None if slow => parts.project.settings.stores.keep_running,
            None => return None,
        };
        let reply = done.written()?;
        // In a box of its own: turns that wait need no room for it.
        let kept = parts.writes.turn_ended(&self.turn, self.stamp, &reply, keep, written.flatten().as_deref()).boxed().await;
        Done::reread(&kept?)
    }

    /// Runs the turn, and gives its place back when it has ended or is given up.
    pub(super) async fn run_at(self, place: Place, deadline: Deadline, trace: Option<Arc<Trace>>) -> Done {
        let _place = place;
        self.run(deadline, trace).await
    }

    /// The end of a turn for which there is no place: words for the user at once; of a validation, what can be said of the
    /// values without asking anybody.
    pub(super) async fn refused(self) -> Done {
        if let Body::Validation(_) = &self.action.body {
            return self.run(Deadline::after(Duration::ZERO), None).boxed().await;
        }
        let mut run = self.anew();
        run.say_outcome(&Fault::new(Outcome::RateLimited, "as many turns run as may (`server.turns`)"));
        finished(&self.action, run, Ending::Answered)
    }

    /// The turn's end, and, when it wrote something, its writes if all of them ended well.
    async fn complete(self, deadline: Deadline, trace: Option<Arc<Trace>>) -> (Done, Option<Option<Vec<Entry>>>) {
        let Self { core, action, conversation, standing, turn, offered, whole, .. } = self;
        let sheet = Sheet::new(turn, action.changes);
        if let Some(trace) = &trace {
            let (project, now, proved) = (Arc::clone(&core.parts.project), conversation.now, standing.proved());
            trace.begin(Begun { project, action: Arc::clone(&action), now, proved });
        }
        let mut run = Run::new(&core, conversation, standing, sheet, deadline, trace);
        let ended = match (&action.body, offered) {
            (Body::Steps(steps), _) => run.action(&action.require, &action.inputs, steps).await,
            (Body::Validation(validation), offered) => {
                let (offered, domain) = *offered.unwrap_or_default();
                run.validation(&action.inputs, validation, offered, domain.as_deref()).boxed().await
            }
            (Body::Native, _) => {
                let (ran, ended) = Turn::take(run, &action.name).boxed().await;
                run = ran;
                ended
            }
            (Body::Forwarded, _) => run.forward(whole).boxed().await,
        };
        // What is queued is as good as done, when nothing was to come after it: the same wish is a new one, once it was made and
        // is no repeat any more.
        let queued = || run.outcome == Some(Outcome::Queued) && !run.sheet.deeds.left();
        let at_its_end = run.outcome.is_none() || queued();
        let written = run.sheet.has_written().then(|| run.sheet.whole().filter(|_| at_its_end));
        (finished(&action, run, ended), written)
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
        let sheet = Sheet::new(Arc::clone(&self.turn), self.action.changes);
        Run::new(&self.core, conversation, standing, sheet, Deadline::after(Duration::ZERO), None)
    }
}

fn finished(action: &Action, run: Run<'_>, ended: Ending) -> Done {
    let name = || action.name.as_str().to_owned();
    match ended {
        Ending::Answered => {}
        Ending::Rejected(reason) => {
            return Done { reply: Reply::Rejected { action: name(), reason }, outcome: "rejected" };
        }
        Ending::NotRegistered => {
            return Done { reply: Reply::NotRegistered { action: name() }, outcome: "not_registered" };
        }
        Ending::NeedsDomain => {
            return Done { reply: Reply::NeedsDomain { action: action.name.clone() }, outcome: "needs_domain" };
        }
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
