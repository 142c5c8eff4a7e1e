//! A turn that may be slow: what the first call of it is told, and what the second.
//!
//! Rasa is told two things one after the other: that it takes longer, with a followup of the same action, and in the answer to
//! that followup the result, opened by the events that make the history read as if the action had run once. Which call is the
//! second is told by its tracker alone, so it is known after a restart and on another replica too.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::ready::{Done, Ready};
use super::trace::Trace;
use super::turn::Core;
use super::verify::Standing;
use crate::name::{ActionName, CallerName};
use crate::outbox::{Entered, First, Joined, Running, TurnKey};
use crate::plan::Times;
use crate::plan::action::Action;
use crate::rasa::{Answer, Call, Event, EventKind, Malformed, Reply};
use crate::telemetry::{JoinKind, WorkJoined};
use crate::time::Deadline;

/// Which call of a turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    First,
    /// The one that a slow answer asked for. `flows`: the assistant is driven by flows, which need no history made even.
    Second {
        flows: bool,
    },
}

impl Which {
    fn of(call: &Call, action: &ActionName) -> Self {
        let name = Some(action.as_str());
        let tracker = &call.tracker;
        if tracker.followup_action.as_deref() == name && tracker.latest_action_name.as_deref() == name {
            Self::Second { flows: tracker.stack.items().next().is_some() }
        } else {
            Self::First
        }
    }
}

/// Whether a call is the second of its turn; then, whether the assistant is driven by flows.
pub(super) fn is_second(call: &Call, action: &ActionName) -> Option<bool> {
    match Which::of(call, action) {
        Which::First => None,
        Which::Second { flows } => Some(flows),
    }
}

/// What tells a turn's calls that are not repeats of one another apart: what had happened by then.
pub(super) fn stamp(call: &Call) -> i64 {
    let mut hasher = DefaultHasher::new();
    call.tracker.events.as_str().len().hash(&mut hasher);
    call.tracker.slots.as_str().hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// Whether the answer of an action can ask Rasa to run it again. It cannot where Rasa runs the action inside of a step of its
/// own: then nobody would get the result.
pub(super) fn can_follow_up(core: &Core, action: &Action, call: &Call) -> bool {
    if !action.follows_up {
        return false;
    }
    // Without a domain of its own, the project's actions that fill slots are known from the domain that the call brings.
    let fills_a_slot = |domain: &crate::rasa::Raw| {
        let slots = domain.get("slots").unwrap_or_default();
        slots.as_str().contains(action.name.as_str())
    };
    core.parts.project.domain.is_some() || !call.domain.as_ref().is_some_and(fills_a_slot)
}

/// A place in a turn's work, taken for a call; the call itself need not be held any more.
pub(super) struct Waiting {
    action: ActionName,
    place: Place,
}

enum Place {
    First {
        joined: Joined<Done>,
        ready: Ready,
    },
    Second {
        joined: Joined<Done>,
        flows: bool,
    },
    /// There is no room for work that outlives its call, or none for the turn.
    Alone {
        done: BoxFuture<'static, Done>,
        which: Which,
    },
}

/// What is needed of a call to join the work of its turn, or to begin it; the call itself need not be held any more.
pub(super) struct Prepared {
    core: Arc<Core>,
    action: Arc<Action>,
    key: TurnKey,
    which: Which,
    stamp: i64,
    ready: Ready,
    times: Times,
    trace: Option<Arc<Trace>>,
}

/// A place in the work of a turn that is here, for its second call; none when there is no such work, or it is another call.
pub(super) fn join(running: &Running<Done>, call: &Call, action: ActionName, caller: &CallerName) -> Option<Waiting> {
    let Which::Second { flows } = Which::of(call, &action) else { return None };
    let key = TurnKey::of(call, caller, &action);
    second(running, action, &key, flows)
}

fn second(running: &Running<Done>, action: ActionName, key: &TurnKey, flows: bool) -> Option<Waiting> {
    let joined = running.find(key)?;
    WorkJoined { kind: JoinKind::Second }.emit();
    Some(Waiting { action, place: Place::Second { joined, flows } })
}

impl Prepared {
    /// Reads what is needed of a call.
    ///
    /// # Errors
    /// When a part of the call that the action asks for is not what the protocol says.
    pub(super) fn read(
        core: &Arc<Core>,
        action: &Arc<Action>,
        call: &Call,
        key: TurnKey,
        standing: Standing,
        times: Times,
        trace: Option<Arc<Trace>>,
    ) -> Result<Self, Malformed> {
        let (which, stamp) = (Which::of(call, &action.name), stamp(call));
        let ready = Ready::read(core, action, call, key.clone(), standing, None)?;
        let (core, action) = (Arc::clone(core), Arc::clone(action));
        Ok(Self { core, action, key, which, stamp, ready, times, trace })
    }

    /// Waits for the answer of another process that works on the turn; where none comes, the turn is worked on here. A repeat of
    /// its first call gets the first answer: that it is slow.
    pub(super) async fn elsewhere(self, came: Instant) -> Done {
        let Which::Second { flows } = self.which else {
            WorkJoined { kind: JoinKind::Repeat }.emit();
            return self.ready.slow();
        };
        // A little is left for looking at what is known of it otherwise.
        let left = self.times.left_for_second().mul_f64(0.95).saturating_sub(came.elapsed());
        let reply = self.core.parts.writes.turn_elsewhere(&self.key, Deadline::after(left)).await;
        match reply.and_then(|reply| Done::reread(&reply)) {
            Some(done) => {
                WorkJoined { kind: JoinKind::Second }.emit();
                as_one_run(&done, &self.action.name, flows)
            }
            None => self.enter(came.elapsed()).answer().boxed().await,
        }
    }

    /// Joins the work of the turn, or begins it. `spent` is how long ago its call came.
    pub(super) fn enter(self, spent: Duration) -> Waiting {
        let Self { core, action, key, which, stamp, mut ready, times, trace } = self;
        if let Which::Second { flows } = which
            && let Some(waiting) = second(&core.running, action.name.clone(), &key, flows)
        {
            return waiting;
        }
        let waiting = |place| Waiting { action: action.name.clone(), place };
        let give_up_after = match which {
            Which::Second { .. } => times.left_for_second().saturating_sub(spent),
            Which::First => times.give_up_after.saturating_sub(spent),
        };
        let waits_for = times.slow_after.saturating_sub(spent);
        let slow_after = (which == Which::First && times.slow_after < times.give_up_after).then_some(waits_for);
        ready.shared_after(slow_after);
        // Who joins work that there is needs no place of its own.
        let begin = || {
            let place = core.places.take()?;
            Some(ready.clone().run_at(place, Deadline::after(give_up_after), trace.clone()))
        };
        let (joined, found) = match core.running.enter(key, stamp, slow_after, begin) {
            Entered::Began(joined) => (joined, false),
            Entered::Found(joined) => (joined, true),
            Entered::Full => {
                let after = if which == Which::First { waits_for } else { give_up_after };
                let done = match core.places.take() {
                    Some(place) => ready.run_at(place, Deadline::after(after), trace).boxed(),
                    None => ready.refused().boxed(),
                };
                return waiting(Place::Alone { done, which });
            }
            Entered::Refused => return waiting(Place::Alone { done: ready.refused().boxed(), which }),
        };
        let kind = match (which, found) {
            (Which::First, false) => None,
            (Which::First, true) => Some(JoinKind::Repeat),
            (Which::Second { .. }, false) => Some(JoinKind::Afresh),
            (Which::Second { .. }, true) => Some(JoinKind::Second),
        };
        if let Some(kind) = kind {
            WorkJoined { kind }.emit();
        }
        waiting(match which {
            Which::First => Place::First { joined, ready },
            Which::Second { flows } => Place::Second { joined, flows },
        })
    }
}

impl Waiting {
    /// Waits for what the call is told.
    pub(super) async fn answer(self) -> Done {
        let Self { action, place } = self;
        match place {
            Place::First { joined, ready } => first(joined, &ready).await,
            Place::Second { joined, flows } => as_one_run(&*joined.second().await, &action, flows),
            Place::Alone { done, which } => {
                let done = done.await;
                match which {
                    Which::First => done,
                    Which::Second { flows } => as_one_run(&done, &action, flows),
                }
            }
        }
    }
}

async fn first(joined: Joined<Done>, ready: &Ready) -> Done {
    match joined.first().await {
        First::Result(done) => Arc::unwrap_or_clone(done),
        First::Slow => {
            // In a box: a turn that waits need not have room for that, too.
            ready.tell_others().boxed().await;
            ready.slow()
        }
    }
}

/// A result as the second answer of its turn. The two `undo`s take back what the history has of the action's two runs, and
/// what follows stands for the one.
pub(super) fn as_one_run(done: &Done, action: &ActionName, flows: bool) -> Done {
    let mut done = done.clone();
    if flows {
        return done;
    }
    let name = action.as_str();
    match &mut done.reply {
        Reply::Answer(answer) => {
            let opening = [Event::undo(), Event::undo(), Event::action(name)];
            answer.events.splice(0..0, opening);
        }
        // What Rasa itself notes of a 400. An answer with this event leaves no run in the history, so there is one to undo.
        Reply::Rejected { .. } => {
            let refused = EventKind::ActionExecutionRejected { name: name.to_owned(), policy: None, confidence: None };
            let events = vec![Event::undo(), Event::from(refused)];
            done.reply = Reply::Answer(Answer { events, responses: Vec::new() });
        }
        Reply::Nothing | Reply::NotRegistered { .. } | Reply::NeedsDomain { .. } => {}
    }
    done
}

/// How many bytes a result has, roughly: what it would have on its way to Rasa.
pub(super) fn weight(done: &Done) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(std::mem::size_of::<Done>());
    if let Reply::Answer(answer) = &done.reply {
        // Counting does not fail.
        let _ = serde_json::to_writer(&mut count, answer);
    }
    count.0
}
