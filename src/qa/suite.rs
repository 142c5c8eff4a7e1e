//! Runs the tests of a project.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::stream::{self, StreamExt};

use super::bench::{Bench, Taken, at_a_time};
use super::compare::differences;
use super::report::{Report, Result};
use super::turn::as_one;
use crate::diag::Span;
use crate::engine::Entry;
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::connector::Connection;
use crate::plan::testcase::Test;
use crate::time::Clock;

/// Which tests are run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Files and folders, as the project knows them; all when there are none.
    pub paths: Vec<PathBuf>,
    /// Only tests whose action or words hold this.
    pub name: Option<String>,
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
}

/// Runs the selected tests of a project, each on systems of its own, as many at a time as there are processors. Results are
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
        chosen.extend(taken.map(|(at, _)| (Arc::clone(action), at)));
    }
    let running = stream::iter(chosen).map(|(action, at)| result(Arc::clone(&bench), action, at));
    let results: Vec<_> = running.buffered(at_a_time()).collect().await;
    Report { results: results.into_iter().flatten().collect(), untested }
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
