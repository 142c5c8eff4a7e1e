//! Takes every action through every fault of every system that it asks, and keeps what the user would hear.
//!
//! An action is begun as one of its own tests begins it; on systems of its own, in paused time. Whether what is said is good
//! is for people to judge; that something is said, and that no file of the project fails at it, is judged here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt};

use super::bench::{Bench, Taken, at_a_time};
use super::suite::problem;
use super::turn::Told;
use super::{Heard, Rehearsals, Scene, Unrehearsed};
use crate::connector::facts;
use crate::engine::Entry;
use crate::name::{ConnectionName, OperationName};
use crate::plan::Times;
use crate::plan::action::{Action, Body};
use crate::plan::connector::{Staged, StagedAt};
use crate::plan::testcase::Given;
use crate::rasa::Reply;

/// What is rehearsed.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The actions, by name; all when there are none.
    pub actions: Vec<String>,
    /// The faults; the usual ones when there are none.
    pub faults: Vec<WantedFault>,
}

/// A fault to rehearse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WantedFault {
    /// Of each system in turn.
    Any(Staged),
    /// Of one system or operation.
    At(StagedAt),
}

/// What there is to see of a project's actions while a system fails.
pub struct Rehearsal(Arc<Bench>);

/// An action with one of its tests, when everything is well.
struct Healthy {
    action: Arc<Action>,
    at: usize,
    taken: Taken,
}

/// One scene that is to be played.
struct Cue {
    action: Arc<Action>,
    at: usize,
    given: Given,
    /// Whether something is said when everything is well.
    speaks: bool,
}

impl Rehearsal {
    /// On the connections of a project, none of which is reached.
    #[must_use]
    pub fn new(
        project: &Arc<crate::plan::Project>,
        connections: &[crate::plan::connector::Connection],
        folder: &std::path::Path,
        clock: &Arc<dyn crate::time::Clock>,
    ) -> Self {
        Self(Bench::new(project, connections, folder, clock))
    }

    /// Plays every scene that is wanted, in the order of the actions' names.
    pub async fn play(&self, wanted: &Wanted) -> Rehearsals {
        let project = &self.0.project;
        let chosen = |action: &&Arc<Action>| {
            wanted.actions.is_empty() || wanted.actions.iter().any(|name| name == action.name.as_str())
        };
        let actions: Vec<_> = project.actions.values().filter(chosen).cloned().collect();
        let begun = stream::iter(actions.into_iter().map(|action| self.begun(action, wanted))).buffered(at_a_time());
        let (mut cues, mut without) = (Vec::new(), Vec::new());
        for (more, missing) in begun.collect::<Vec<_>>().await {
            cues.extend(more);
            without.extend(missing);
        }
        let played = stream::iter(cues.into_iter().map(|cue| self.scene(cue))).buffered(at_a_time());
        Rehearsals { scenes: played.collect().await, without }
    }

    /// The scenes of an action, and what cannot be played of it: of each system that it asks, by the first of its tests that
    /// does.
    async fn begun(&self, action: Arc<Action>, wanted: &Wanted) -> (Vec<Cue>, Vec<Unrehearsed>) {
        let code = self.0.project.settings.verify.code.as_ref();
        let mut open: BTreeSet<ConnectionName> = action.connections(code);
        open.retain(|connection| wanted.takes(connection));
        let (mut cues, mut failed) = (Vec::new(), None);
        for (at, test) in action.tests.iter().enumerate() {
            if open.is_empty() {
                break;
            }
            if !test.given.is_empty() {
                continue;
            }
            match self.0.turn(&action, at, Vec::new()).await {
                Ok(taken) => {
                    let healthy = Healthy { action: Arc::clone(&action), at, taken };
                    for connection in healthy.taken.asked.iter().filter(|asked| open.remove(*asked)) {
                        cues.extend(self.cues(&healthy, connection, wanted));
                    }
                }
                Err(failure) => {
                    failed.get_or_insert(format!("its test \"{}\" cannot begin: {}", test.it, failure.came));
                }
            }
        }
        let reason = |connection: &ConnectionName| match (&failed, action.tests.is_empty()) {
            (Some(failed), _) => failed.clone(),
            (None, true) => "it has no test to take inputs from".to_owned(),
            (None, false) => format!("none of its tests asks {connection} while everything is well"),
        };
        let missing = |connection: &ConnectionName| Unrehearsed {
            action: action.name.to_string(),
            connection: connection.to_string(),
            reason: reason(connection),
        };
        let missing = open.iter().map(missing).collect();
        (cues, missing)
    }

    /// Every fault of one system, for an action as one of its tests begins it.
    fn cues(&self, healthy: &Healthy, connection: &ConnectionName, wanted: &Wanted) -> Vec<Cue> {
        let Healthy { action, at, taken } = healthy;
        let limits = action.limits.as_ref().unwrap_or(&self.0.project.settings.limits);
        let channel = action.tests.get(*at).and_then(|test| test.situation.channel.as_deref());
        let mut given = Vec::new();
        let of_all = |faults, known| Given { connection: connection.clone(), operation: None, faults, known };
        if wanted.faults.is_empty() {
            let mut faults = usual(limits.on(channel));
            given.push(of_all(vec![faults.remove(0)], None));
            given.extend(self.known(taken, connection).map(|known| of_all(vec![Staged::Down], Some(known))));
            given.extend(faults.into_iter().map(|fault| of_all(vec![fault], None)));
        }
        given.extend(wanted.faults.iter().filter_map(|fault| match fault {
            WantedFault::Any(fault) => Some(of_all(vec![*fault], None)),
            WantedFault::At(at) if at.connection == *connection => {
                Some(Given { operation: at.operation.clone(), ..of_all(vec![at.fault], None) })
            }
            WantedFault::At(_) => None,
        }));
        let speaks = taken.told.iter().any(|told| speaks(&told.reply));
        let cue = |given| Cue { action: Arc::clone(action), at: *at, given, speaks };
        given.into_iter().map(cue).collect()
    }

    /// How long ago the same was asked, so that what is kept of the first read of that system is no longer as good as new and
    /// may still stand in.
    fn known(&self, taken: &Taken, connection: &ConnectionName) -> Option<Duration> {
        let facts = facts(&self.0.connections, self.0.project.settings.profiles);
        let facts = facts.into_iter().find(|facts| facts.name == connection.as_str())?;
        let read: Vec<&OperationName> = taken
            .entries
            .iter()
            .filter_map(|entry| match entry {
                Entry::Call { connection: asked, operation, result: Ok(_), .. } if asked == connection => Some(operation),
                _ => None,
            })
            .collect();
        let kept = facts.operations.iter().filter(|it| read.iter().any(|name| name.as_str() == it.name));
        kept.filter_map(|it| it.fresh_seconds.zip(it.stale_seconds))
            .find(|(fresh, stale)| stale > fresh)
            .map(|(fresh, stale)| Duration::from_secs(fresh + (stale - fresh).div_ceil(2).min(60)))
    }

    async fn scene(&self, Cue { action, at, given, speaks }: Cue) -> Scene {
        let (it, place) = action.tests.get(at).map(|test| (test.it.clone(), test.place.place())).unwrap_or_default();
        let fault = given.faults.iter().map(Staged::to_string).collect::<Vec<_>>().join(", ");
        let mut scene = Scene {
            action: action.name.to_string(),
            it,
            place,
            connection: given.connection.to_string(),
            operation: given.operation.as_ref().map(ToString::to_string),
            fault,
            known: given.known.map(crate::time::shown),
            heard: Vec::new(),
            outcome: None,
            speaks,
            silent: false,
            problems: Vec::new(),
        };
        match self.0.turn(&action, at, vec![given]).await {
            Ok(Taken { told, entries, .. }) => {
                let problems = entries.into_iter().filter_map(problem);
                scene.problems = problems.map(|(place, message)| format!("{}: {message}", place.place())).collect();
                scene.outcome = told.last().map(|told| told.outcome);
                // A validation that takes or refuses a value without a word lets the form speak.
                let steps = matches!(action.body, Body::Steps(_));
                scene.silent = speaks && steps && told.last().is_none_or(|last| !self::speaks(&last.reply));
                scene.heard = told.into_iter().map(heard).collect();
            }
            Err(failure) => scene.problems.push(format!("{}: {}", failure.what, failure.came)),
        }
        scene
    }
}

impl Wanted {
    /// Whether a fault of that system is to be rehearsed.
    fn takes(&self, connection: &ConnectionName) -> bool {
        let of_it = |fault: &WantedFault| match fault {
            WantedFault::Any(_) => true,
            WantedFault::At(at) => at.connection == *connection,
        };
        self.faults.is_empty() || self.faults.iter().any(of_it)
    }
}

/// The faults that show every message: the first is that the system is down. Slow is both a little longer than a user waits
/// without a word and longer than a turn lasts.
fn usual(times: Times) -> Vec<Staged> {
    let (slow, late) = (times.slow_after + Duration::from_secs(1), times.give_up_after + Duration::from_secs(5));
    let between = Some(slow).filter(|slow| *slow < times.give_up_after).map(Staged::Slow);
    let rest = [Staged::Slow(late), Staged::RateLimited(None), Staged::WrongData];
    [Staged::Down].into_iter().chain(between).chain(rest).collect()
}

/// Whether the user hears something, or Rasa is told to go another way.
fn speaks(reply: &Reply) -> bool {
    match reply {
        Reply::Answer(answer) => !answer.responses.is_empty(),
        Reply::Rejected { .. } => true,
        _ => false,
    }
}

fn heard(Told { after, reply, .. }: Told) -> Heard {
    let (messages, declined) = match reply {
        Reply::Answer(answer) => (answer.responses, None),
        Reply::Rejected { reason, .. } => (Vec::new(), Some(reason)),
        _ => (Vec::new(), None),
    };
    Heard { after_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX), messages, declined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_faults_go_by_the_times_of_the_turn() {
        let second = Duration::from_secs(1);
        let shown = |slow_after, give_up_after| {
            let times = Times { slow_after: slow_after * second, give_up_after: give_up_after * second };
            usual(times).iter().map(Staged::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(5, 15), ["down", "slow 6s", "slow 20s", "rate_limited", "wrong_data"]);
        assert_eq!(shown(8, 8), ["down", "slow 13s", "rate_limited", "wrong_data"]);
    }
}
