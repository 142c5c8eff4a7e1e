//! Tries a draft before it is written: it is checked within its project, and its tests are run.
//!
//! A test that does not pass is taken out of the draft, since the draft says nothing that was not seen.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::block_on;
use super::Draft;
use crate::app::{self, Ground, Place};
use crate::diag::{Diagnostic, File, Severity};
use crate::plan;
use crate::qa::{self, Selection};
use crate::time::{Clock, SystemClock};

/// What became of it.
pub(super) enum Proof {
    /// So many tests pass.
    Passed(usize),
    /// It could not be tried, and why.
    Untried(String),
    /// Errors in the draft.
    Wrong(Vec<Diagnostic>),
}

/// Tries the draft of an action, `shown` being its path within the project.
pub(super) fn prove(place: &Place, ground: &mut Ground, draft: &mut Draft, shown: &str) -> Result<Proof, String> {
    let folder = place.folder();
    // What fails is taken out once; then all that is left has to pass.
    for _ in 0..2 {
        let file = File::new(shown, draft.text());
        ground.sources.actions.push(Arc::clone(&file));
        let (project, problems) = plan::compile(&ground.sources);
        ground.sources.actions.pop();
        let errors = problems.into_iter().filter(|problem| problem.severity() == Severity::Error);
        let own: Vec<_> = errors.filter(|problem| problem.span.as_ref().is_some_and(|span| span.file == file)).collect();
        if !own.is_empty() {
            return Ok(Proof::Wrong(own));
        }
        let Some(project) = project.map(Arc::new) else {
            return Ok(Proof::Untried("the project has errors elsewhere, see `legwork check`".to_owned()));
        };
        let connections = match app::test_connections(&project, &folder) {
            Ok(connections) => connections,
            Err(missing) => return Ok(Proof::Untried(missing.join("; "))),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let selection = Selection { paths: vec![PathBuf::from(shown)], ..Selection::default() };
        let report = block_on(qa::run(&project, &connections, &folder, &clock, &selection));
        let report = report.map_err(|_| "the tests cannot be run".to_owned())?;
        let failed: Vec<_> =
            report.results.iter().filter(|result| !result.passed()).map(|it| format!("it: {}\n", it.it)).collect();
        if failed.is_empty() && !report.results.is_empty() {
            return Ok(Proof::Passed(report.results.len()));
        }
        draft.tests.retain(|test| !failed.iter().any(|failed| test.contains(failed)));
        if draft.tests.is_empty() {
            draft.next.insert(0, "write a test: the operation has no example that one could be made of".to_owned());
            return Ok(Proof::Untried("none of its examples makes a test".to_owned()));
        }
    }
    Ok(Proof::Untried("its tests do not pass every time".to_owned()))
}
