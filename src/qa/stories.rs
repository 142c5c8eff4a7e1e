//! Stories, rules and test cases: read from files, and each played on systems of its own in paused time.

use std::sync::Arc;

use super::bench::Bench;
use super::player::{Player, Seen};
use super::report::{Failure, Result};
use super::script::{self, Play};
use crate::diag::{Diagnostic, File};
use crate::plan::connector::StagedAt;
use crate::time::paused;

/// The conversations of files, ready to be played.
#[derive(Debug, Clone, Default)]
pub struct Stories(pub(super) Vec<Arc<Play>>);

impl Stories {
    /// Reads files; with everything that is wrong in them, what can be read is there all the same.
    #[must_use]
    pub fn read(files: &[Arc<File>]) -> (Self, Vec<Diagnostic>) {
        let (plays, problems) = script::read(files);
        (Self(plays.into_iter().map(Arc::new).collect()), problems)
    }

    /// How many conversations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What became of a conversation while these faults are staged; `at` tells it from the others of a run.
pub(super) async fn result(bench: Arc<Bench>, at: usize, play: Arc<Play>, faults: Arc<[StagedAt]>) -> Result {
    let (of, played) = (Arc::clone(&play), Arc::clone(&bench));
    // Paused time is a thread's own, and so is its runtime.
    let seen = tokio::task::spawn_blocking(move || {
        let run = paused::run(async {
            let engine = played.bare(&faults).await?;
            paused::begin();
            Ok(Player::play(&played.project, &engine, &of, &format!("test-{at}")).await)
        });
        run.unwrap_or_else(|error| Err(Failure::differs("run", "it can be begun", error.to_string())))
    });
    let broken = || Failure::differs("run", "it comes to an end", "a bug in legwork ended it; the log has more");
    let seen = seen.await.unwrap_or_else(|_| Err(broken()));
    told(&play, seen.unwrap_or_else(|failure| Seen { failures: vec![failure], ..Seen::default() }))
}

fn told(play: &Play, mut seen: Seen) -> Result {
    // Its user heard that something went wrong, whatever the story says.
    if seen.failures.is_empty() && !seen.problems.is_empty() {
        seen.failures.push(Failure::differs("its actions", "they run", "they cannot be carried out as they are written"));
    }
    let absent = || seen.absent.iter().cloned().collect::<Vec<_>>().join(", ");
    let why = match (seen.ran, seen.absent.is_empty()) {
        (0, true) => Some("it runs no action of the project".to_owned()),
        (0, false) => Some(format!("the project does not have {}", absent())),
        _ => None,
    };
    let mut notes = play.notes.clone();
    if seen.ran > 0 && !seen.absent.is_empty() {
        notes.push(format!("not run, since the project does not have it: {}", absent()));
    }
    notes.append(&mut seen.notes);
    Result {
        action: play.kind.name().to_owned(),
        it: play.name.clone(),
        place: play.place.clone(),
        failures: seen.failures,
        problems: seen.problems,
        skipped: why,
        notes,
        taken: seen.taken,
    }
}
