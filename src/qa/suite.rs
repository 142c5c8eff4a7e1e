//! Runs the tests of a project.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::bench::{Bench, Taken, at_a_time};
use super::compare::differences;
use super::report::{self, Report, Result};
use super::script::Play;
use super::stories::{self, Stories};
use super::turn::as_one;
use crate::diag::Span;
use crate::engine::Entry;
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::connector::{Connection, StagedAt};
use crate::plan::testcase::Test;
use crate::time::Clock;

/// Which tests are run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Files and folders, as the project knows them; all when there are none.
    pub paths: Vec<PathBuf>,
    /// Only tests and conversations whose action, words or name hold this.
    pub name: Option<String>,
    /// The conversations to play.
    pub stories: Stories,
    /// What is wrong with systems while conversations are played; tests say that themselves.
    pub faults: Vec<StagedAt>,
    /// Whether to end after the first that fails.
    pub fail_fast: bool,
}

impl Selection {
    fn takes_action(&self, action: &Action) -> bool {
        let file = Path::new(&action.place.file.path);
        self.paths.is_empty() || self.paths.iter().any(|path| file.starts_with(path.strip_prefix("./").unwrap_or(path)))
    }

    fn takes_test(&self, action: &Action, test: &Test) -> bool {
        let holds = |name: &str| action.name.as_str().contains(name) || test.it.contains(name);
        self.name.as_deref().is_none_or(holds)
    }

    fn takes_play(&self, play: &Play) -> bool {
        self.name.as_deref().is_none_or(|name| play.name.contains(name))
    }
}

/// What there is to run.
enum Job {
    Test(Arc<Action>, usize),
    Play(Arc<Play>),
}

/// Runs the selected tests and plays the selected conversations of a project, each on systems of its own, as many at a time as there are processors. Results are
/// in the order of the files.
pub async fn run(
    project: &Arc<Project>,
    connections: &[Connection],
    folder: &Path,
    clock: &Arc<dyn Clock>,
    selection: &Selection,
) -> Report {
    let bench = Bench::new(project, connections, folder, clock);
    let mut untested = Vec::new();
    let mut chosen = Vec::new();
    for action in project.actions.values().filter(|action| selection.takes_action(action)) {
        if action.tests.is_empty() && selection.name.is_none() {
            untested.push(action.name.to_string());
        }
        let taken = action.tests.iter().enumerate().filter(|(_, test)| selection.takes_test(action, test));
        chosen.extend(taken.map(|(at, _)| Job::Test(Arc::clone(action), at)));
    }
    chosen.extend(selection.stories.0.iter().filter(|play| selection.takes_play(play)).cloned().map(Job::Play));
    let (count, faults): (_, Arc<[StagedAt]>) = (chosen.len(), selection.faults.clone().into());
    let running = stream::iter(chosen).enumerate().map(|(at, job)| {
        let (bench, faults) = (Arc::clone(&bench), Arc::clone(&faults));
        async move {
            match job {
                Job::Test(action, at) => result(bench, action, at).await,
                Job::Play(play) => Some(stories::result(bench, at, play, faults).await),
            }
        }
    });
    let mut running = std::pin::pin!(running.buffered(at_a_time()));
    let mut results = Vec::with_capacity(count);
    while let Some(result) = running.next().await {
        results.extend(result);
        if selection.fail_fast && results.last().is_some_and(|result| !result.passed()) {
            break;
        }
    }
    let left = count - results.len();
    Report { results, untested, left, examples: Vec::new() }
}

/// What became of the test of an action that stands at that place. One that ends in a bug of legwork has failed like any other.
async fn result(bench: Arc<Bench>, action: Arc<Action>, at: usize) -> Option<Result> {
    let test = action.tests.get(at)?;
    let mut result = Result {
        action: action.name.to_string(),
        it: test.it.clone(),
        place: test.place.clone(),
        failures: Vec::new(),
        problems: Vec::new(),
        skipped: None,
        notes: Vec::new(),
        taken: report::Taken::default(),
    };
    match bench.turn(&action, at, test.given.clone()).await {
        Ok(Taken { told, entries, .. }) => {
            result.failures = as_one(told).map(|reply| differences(&test.expect, &reply)).unwrap_or_default();
            result.problems = entries.into_iter().filter_map(problem).collect();
        }
        Err(failure) => result.failures.push(failure),
    }
    Some(result)
}

/// What in the project's files could not be carried out, where an entry tells it.
pub(super) fn problem(entry: Entry) -> Option<(Span, String)> {
    match entry {
        Entry::Problem { place, message } => Some((place, message)),
        _ => None,
    }
}
