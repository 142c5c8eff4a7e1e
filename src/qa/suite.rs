//! Runs the tests of a project.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::compare::differences;
use super::report::{Failure, Report, Result};
use super::situation::body;
use crate::connector::{Connections, Given, How, Surroundings};
use crate::engine::{Context, Engine, Entry, Parts, Trace};
use crate::name::CallerName;
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::connector::Connection;
use crate::plan::testcase::Test;
use crate::rasa::{Call, Limits};
use crate::time::{Clock, Deadline, FixedClock};

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

/// Runs the selected tests of a project, each on systems of its own.
pub async fn run(project: &Arc<Project>, connections: &[Connection], folder: &Path, clock: &Arc<dyn Clock>, selection: &Selection) -> Report {
    let mut report = Report::default();
    for action in project.actions.values().filter(|action| selection.takes_action(action)) {
        if action.tests.is_empty() && selection.name.is_none() {
            report.untested.push(action.name.to_string());
        }
        for test in action.tests.iter().filter(|test| selection.takes_test(action, test)) {
            let clock = test.now.map_or_else(|| Arc::clone(clock), |now| Arc::new(FixedClock::at(now)));
            let mut result = Result {
                action: action.name.to_string(),
                it: test.it.clone(),
                place: test.place.clone(),
                failures: Vec::new(),
                problems: Vec::new(),
            };
            match prepared(project, connections, folder, clock, test).await {
                Ok(engine) => judge(&engine, action, test, &mut result).await,
                Err(failure) => result.failures.push(failure),
            }
            report.results.push(result);
        }
    }
    report
}

/// An engine on fresh systems, in the state that the test begins with.
async fn prepared(
    project: &Arc<Project>,
    connections: &[Connection],
    folder: &Path,
    clock: Arc<dyn Clock>,
    test: &Test,
) -> std::result::Result<Engine, Failure> {
    let profiles = project.settings.profiles;
    let opened = Connections::open(connections, Surroundings { folder, clock: Arc::clone(&clock), profiles, scratch: true }).await;
    let mut systems = opened.map_err(|problems| {
        let came = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Failure::differs("connections", "they can be opened", came)
    })?;
    for (connection, operation, inputs) in &test.before {
        let how = How { deadline: Deadline::after(std::time::Duration::from_secs(15)), refresh: false };
        let inputs = inputs.as_object().cloned().unwrap_or_default();
        if let Err(fault) = systems.call(connection, operation, inputs, how).await {
            return Err(Failure::differs("before", format!("{connection}.{operation} works"), fault.to_string()));
        }
    }
    for connection in &test.down {
        systems.given(connection, Given::Down);
    }
    Ok(Engine::new(Parts { project: Arc::clone(project), connections: systems, clock }))
}

async fn judge(engine: &Engine, action: &Action, test: &Test, result: &mut Result) {
    let body = Bytes::from(body(action.name.as_str(), &test.situation).to_string());
    let call = match Call::decode(body, &Limits::default()) {
        Ok(call) => call,
        Err(malformed) => {
            result.failures.push(Failure::differs("call", "a call that Rasa could make", malformed.to_string()));
            return;
        }
    };
    let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("test") };
    let trace = Arc::new(Trace::default());
    match engine.traced(call, context, Some(Arc::clone(&trace))).await {
        Ok(reply) => result.failures.extend(differences(&test.expect, &reply)),
        Err(malformed) => result.failures.push(Failure::differs("call", "a call that Rasa could make", malformed.to_string())),
    }
    for entry in trace.entries() {
        if let Entry::Problem { place, message } = entry {
            result.problems.push((place, message));
        }
    }
}
