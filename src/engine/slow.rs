//! A turn that may be slow: what the first call of it is told, and what the second.
//!
//! Rasa is told two things one after the other: that it takes longer, with a followup of the same action, and in the answer to
//! that followup the result, opened by the events that make the history read as if the action had run once. Which call is the
//! second is told by its tracker alone, so it is known after a restart and on another replica too.

use std::sync::Arc;

use futures_util::FutureExt;

use super::ready::{Done, Ready};
use super::turn::Core;
use super::verify::Standing;
use crate::outbox::{Entered, First, Joined, TurnKey};
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
    fn of(call: &Call, action: &Action) -> Self {
        let name = Some(action.name.as_str());
        let tracker = &call.tracker;
        if tracker.followup_action.as_deref() == name && tracker.latest_action_name.as_deref() == name {
            Self::Second { flows: tracker.stack.items().next().is_some() }
        } else {
            Self::First
        }
    }
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
    action: Arc<Action>,
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
    /// There is no room for work that outlives its call.
    Alone {
        ready: Ready,
        deadline: Deadline,
        which: Which,
    },
}

/// Joins the work of a turn, or begins it.
///
/// # Errors
/// When a part of the call that the action asks for is not what the protocol says.
pub(super) fn enter(
    core: &Arc<Core>,
    action: &Arc<Action>,
    call: &Call,
    key: TurnKey,
    standing: Standing,
    times: Times,
) -> Result<Waiting, Malformed> {
    let which = Which::of(call, action);
    let waiting = |place| Waiting { action: Arc::clone(action), place };
    if let Which::Second { flows } = which
        && let Some(joined) = core.running.find(&key)
    {
        WorkJoined { kind: JoinKind::Second }.emit();
        return Ok(waiting(Place::Second { joined, flows }));
    }
    let ready = Ready::read(core, action, call, &key, standing, None)?;
    let stamp = call.tracker.events.as_str().len();
    let give_up_after = match which {
        // The first call has waited that long already; where no turn is slow any more, nobody knows.
        Which::Second { .. } if times.slow_after < times.give_up_after => times.give_up_after - times.slow_after,
        Which::First | Which::Second { .. } => times.give_up_after,
    };
    let slow_after = Some(times.slow_after).filter(|slow| which == Which::First && *slow < times.give_up_after);
    let work = ready.clone().run(Deadline::after(give_up_after), None);
    let (joined, found) = match core.running.enter(key, stamp, slow_after, work) {
        Entered::Began(joined) => (joined, false),
        Entered::Found(joined) => (joined, true),
        Entered::Full => {
            let after = if which == Which::First { times.slow_after } else { give_up_after };
            return Ok(waiting(Place::Alone { ready, deadline: Deadline::after(after), which }));
        }
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
    Ok(waiting(match which {
        Which::First => Place::First { joined, ready },
        Which::Second { flows } => Place::Second { joined, flows },
    }))
}

impl Waiting {
    /// Waits for what the call is told.
    pub(super) async fn answer(self) -> Done {
        let Self { action, place } = self;
        match place {
            Place::First { joined, ready } => first(joined, &ready).await,
            Place::Second { joined, flows } => as_one_run(&*joined.second().await, &action, flows),
            Place::Alone { ready, deadline, which } => {
                let done = ready.run(deadline, None).boxed().await;
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
        First::Slow => ready.slow(),
    }
}

/// A result as the second answer of its turn. The two `undo`s take back what the history has of the action's two runs, and
/// what follows stands for the one.
fn as_one_run(done: &Done, action: &Action, flows: bool) -> Done {
    let mut done = done.clone();
    if flows {
        return done;
    }
    let name = action.name.as_str();
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
