//! Runs the tests of a project.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};

use super::compare::differences;
use super::report::{Failure, Report, Result};
use super::situation::body;
use crate::connector::{Connections, Given, How, Surroundings};
use crate::diag::Span;
use crate::engine::{Context, Engine, Entry, Parts, Trace, Verifier};
use crate::name::CallerName;
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::connector::Connection;
use crate::plan::testcase::Test;
use crate::rasa::{Call, Limits, Malformed, Reply};
use crate::store::NoTokens;
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

/// What every test of a run is made from.
struct Bench {
    project: Arc<Project>,
    connections: Vec<Connection>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
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
    let bench = Arc::new(Bench {
        project: Arc::clone(project),
        connections: connections.to_vec(),
        folder: folder.to_path_buf(),
        clock: Arc::clone(clock),
    });
    let mut untested = Vec::new();
    let mut chosen = Vec::new();
    for action in project.actions.values().filter(|action| selection.takes_action(action)) {
        if action.tests.is_empty() && selection.name.is_none() {
            untested.push(action.name.to_string());
        }
        let taken = action.tests.iter().enumerate().filter(|(_, test)| selection.takes_test(action, test));
        chosen.extend(taken.map(|(at, _)| (Arc::clone(action), at)));
    }
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
    let running = stream::iter(chosen).map(|(action, at)| Arc::clone(&bench).result(action, at));
    let results: Vec<_> = running.buffered(at_a_time).collect().await;
    Report { results: results.into_iter().flatten().collect(), untested }
}

/// What differs from what was expected, and what in the project's files went wrong on the way.
type Judged = (Vec<Failure>, Vec<(Span, String)>);

impl Bench {
    /// Runs the test of an action that stands at that place. One that ends in a bug of legwork has failed like any other.
    async fn result(self: Arc<Self>, action: Arc<Action>, at: usize) -> Option<Result> {
        let test = action.tests.get(at)?;
        let mut result = Result {
            action: action.name.to_string(),
            it: test.it.clone(),
            place: test.place.clone(),
            failures: Vec::new(),
            problems: Vec::new(),
        };
        let judged = tokio::spawn(async move { Some(self.judged(&action, action.tests.get(at)?).await) });
        match judged.await {
            Ok(judged) => (result.failures, result.problems) = judged?,
            Err(_) => result.failures.push(Failure::differs(
                "run",
                "it comes to an end",
                "a bug in legwork ended it; the log has more",
            )),
        }
        Some(result)
    }

    /// What differs, and what went wrong on the way.
    async fn judged(&self, action: &Action, test: &Test) -> Judged {
        match self.engine(action, test).await {
            Ok(engine) => judge(&engine, action, test).await,
            Err(failure) => (vec![failure], Vec::new()),
        }
    }

    /// An engine on fresh systems, in the state that the test begins with.
    async fn engine(&self, action: &Action, test: &Test) -> std::result::Result<Engine, Failure> {
        let earlier = test.down.iter().find_map(|down| down.known);
        let (clock, later) = self.clocks(test, earlier.unwrap_or_default());
        let surroundings = Surroundings {
            folder: &self.folder,
            clock: Arc::clone(&clock),
            profiles: self.project.settings.profiles,
            cache_bytes: self.project.settings.cache_bytes,
            tokens: Arc::new(NoTokens),
            rng: fastrand::Rng::with_seed(0),
            scratch: true,
        };
        let opened = Connections::open(&self.connections, surroundings).await;
        let systems = opened.map_err(|problems| {
            let came = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            Failure::differs("connections", "they can be opened", came)
        })?;
        for (connection, operation, inputs) in &test.before {
            let how = How::by(Deadline::after(Duration::from_secs(15)));
            let inputs = inputs.as_object().cloned().unwrap_or_default();
            if let Err(fault) = systems.call(connection, operation, inputs, how).await {
                return Err(Failure::differs("before", format!("{connection}.{operation} works"), fault.to_string()));
            }
        }
        let verifier = Verifier::new(None).map_err(|wrong| Failure::differs("verified", "codes can be made", wrong))?;
        let engine =
            Engine::new(Parts { project: Arc::clone(&self.project), connections: Arc::new(systems), clock, verifier });
        if let Some(earlier) = earlier {
            // The same turn, when everything was well: its answer is nobody's business.
            let _ = taken(&engine, action, test, None).await;
            if let Some(later) = later {
                later.advance(earlier);
            }
        }
        let systems = engine.connections();
        systems.grow_older(earlier.unwrap_or_default());
        for down in &test.down {
            systems.given(&down.connection, if down.known.is_some() { Given::Gone } else { Given::Down });
        }
        Ok(engine)
    }

    /// The clock of a test, and the same where it can be put forward: a test that says its time begins so much `earlier`.
    fn clocks(&self, test: &Test, earlier: Duration) -> (Arc<dyn Clock>, Option<FixedClock>) {
        let Some(now) = test.now.or(self.project.settings.tests_now) else { return (Arc::clone(&self.clock), None) };
        let clock = FixedClock::at(now - earlier);
        (Arc::new(clock.clone()), Some(clock))
    }
}

/// What a test's call is answered with.
async fn taken(
    engine: &Engine,
    action: &Action,
    test: &Test,
    trace: Option<Arc<Trace>>,
) -> std::result::Result<Reply, Malformed> {
    let body = Bytes::from(body(action.name.as_str(), &test.situation).to_string());
    let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("test") };
    let call = Call::decode(body, &Limits::default())?;
    if !test.situation.verified.is_empty() {
        engine.vouch(context.caller.clone(), &call.sender_id, &test.situation.verified).await;
    }
    engine.traced(call, context, trace).await
}

async fn judge(engine: &Engine, action: &Action, test: &Test) -> Judged {
    let trace = Arc::new(Trace::default());
    let failures = match taken(engine, action, test, Some(Arc::clone(&trace))).await {
        Ok(reply) => differences(&test.expect, &reply),
        Err(malformed) => vec![Failure::differs("call", "a call that Rasa could make", malformed.to_string())],
    };
    let problem = |entry| match entry {
        Entry::Problem { place, message } => Some((place, message)),
        _ => None,
    };
    (failures, trace.entries().into_iter().filter_map(problem).collect())
}
