//! `legwork test`: runs the `tests:` blocks of a project's actions.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::{ProjectFlags, block_on, cannot, complain, complain_of, print};
use crate::app;
use crate::qa::{self, Selection};
use crate::time::{Clock, SystemClock};

#[derive(Debug, Args)]
pub(super) struct TestFlags {
    #[command(flatten)]
    project: ProjectFlags,
    /// Only the tests of these files or folders
    paths: Vec<PathBuf>,
    /// Only tests whose action or words hold this
    #[arg(long, short = 'n', value_name = "TEXT")]
    name: Option<String>,
    /// Run the recordings of this folder again, on the answers in them
    #[arg(long, value_name = "DIR", conflicts_with = "paths")]
    replay: Option<PathBuf>,
}

pub(super) fn run(flags: &TestFlags) -> ExitCode {
    if let Some(recordings) = &flags.replay {
        return super::record::replay(recordings, flags.name.as_deref(), &flags.project);
    }
    let place = flags.project.place();
    let folder = place.folder();
    let (project, problems) = app::load(&place);
    let Some(project) = project else {
        complain_of(&problems);
        return ExitCode::from(1);
    };
    let connections = match app::test_connections(&project, &folder) {
        Ok(connections) => connections,
        Err(missing) => return cannot(&missing),
    };
    let project = Arc::new(project);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let selection = Selection {
        paths: flags.paths.iter().map(|path| path.strip_prefix(&folder).unwrap_or(path).to_path_buf()).collect(),
        name: flags.name.clone(),
    };
    let report = match block_on(qa::run(&project, &connections, &folder, &clock, &selection)) {
        Ok(report) => report,
        Err(code) => return code,
    };
    // A selection is of actions; without one, everything that says how it works is held to it.
    let examples = match flags.paths.is_empty() && flags.name.is_none() {
        true => block_on(qa::examples(&project, &folder, &clock)),
        false => Ok(Vec::new()),
    };
    let examples = match examples {
        Ok(examples) => examples,
        Err(code) => return code,
    };
    if report.results.is_empty() && examples.is_empty() {
        complain("legwork: no test was found: `tests:` blocks stand in the files of actions\n");
        return ExitCode::from(2);
    }
    examples.iter().for_each(|examples| print(&examples.human()));
    print(&report.human());
    let passed = report.passed() && examples.iter().all(|examples| examples.wrong.is_empty());
    if passed { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
