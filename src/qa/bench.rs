//! What every test and every rehearsal of a project is made from: an engine on systems of its own, brought into a state, in
//! which one turn is taken in paused time.
//!
//! Nothing here reaches a system of the project: connections are opened on data that ends with the turn.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::report::Failure;
use super::situation::{body, earlier};
use super::turn::{Told, take};
use crate::connector::{Connections, Fresh, How, Surroundings, Tape};
use crate::engine::{Engine, Entry, Natives, Parts, Trace, Verifier};
use crate::name::ConnectionName;
use crate::outbox::{Rules, Writes};
use crate::plan::Project;
use crate::plan::action::Action;
use crate::plan::connector::{Connection, StagedAt};
use crate::plan::testcase::{Given, Test};
use crate::store::{MemoryVerifications, NoTokens, Store};
use crate::time::{Clock, Deadline, FixedClock, paused};

/// What every turn is made from.
pub(super) struct Bench {
    pub(super) project: Arc<Project>,
    pub(super) connections: Vec<Connection>,
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    fresh: Arc<Fresh>,
    /// The store of all conversations: what one of them writes is none of another's business, since their senders differ.
    store: OnceCell<Arc<Store>>,
}

/// A turn that was taken.
pub(super) struct Taken {
    /// Its answers, in order.
    pub(super) told: Vec<Told>,
    /// What it did.
    pub(super) entries: Vec<Entry>,
    /// The connections that it asked something.
    pub(super) asked: Vec<ConnectionName>,
}

impl Bench {
    pub(super) fn new(
        project: &Arc<Project>,
        connections: &[Connection],
        folder: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Arc<Self> {
        let (project, connections, clock) = (Arc::clone(project), connections.to_vec(), Arc::clone(clock));
        let (folder, fresh, store) = (folder.to_path_buf(), Arc::default(), OnceCell::new());
        Arc::new(Self { project, connections, folder, clock, fresh, store })
    }

    /// Takes the turn of a test while `given` is wrong with the systems. Until it begins, time is real; then it passes when
    /// everybody waits for it.
    ///
    /// # Errors
    /// Why it could not be taken.
    pub(super) async fn turn(
        self: &Arc<Self>,
        action: &Arc<Action>,
        at: usize,
        given: Vec<Given>,
    ) -> Result<Taken, Failure> {
        let (bench, action) = (Arc::clone(self), Arc::clone(action));
        // Paused time is a thread's own, and so is its runtime.
        let taken = tokio::task::spawn_blocking(move || {
            let test = action.tests.get(at).ok_or_else(|| Failure::differs("run", "there is a test", "there is none"))?;
            paused::run(bench.taken(&action, test, &given))
                .unwrap_or_else(|error| Err(Failure::differs("run", "it can be begun", error.to_string())))
        });
        let broken = || Failure::differs("run", "it comes to an end", "a bug in legwork ended it; the log has more");
        taken.await.unwrap_or_else(|_| Err(broken()))
    }

    async fn taken(&self, action: &Action, test: &Test, given: &[Given]) -> Result<Taken, Failure> {
        let engine = self.engine(action, test, given).await?;
        let trace = Arc::new(Trace::default());
        let before = engine.connections().calls();
        paused::begin();
        let told = take(&engine, body(action.name.as_str(), &test.situation), &test.situation.verified, &trace).await;
        let told =
            told.map_err(|malformed| Failure::differs("call", "a call that Rasa could make", malformed.to_string()))?;
        let after = engine.connections().calls();
        let asked = after.into_iter().zip(before).filter(|((_, after), (_, before))| after > before);
        Ok(Taken { told, entries: trace.entries(), asked: asked.map(|((name, _), _)| name).collect() })
    }

    /// An engine on fresh systems at the time of `clock`, or on recorded answers in their place.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn open(&self, clock: &Arc<dyn Clock>, tape: Option<Arc<Tape>>) -> Result<Engine, Failure> {
        let systems = self.systems(clock, tape).await?;
        self.on(systems, Arc::clone(clock), store().await?)
    }

    /// The same, in the state that the test begins with.
    async fn engine(&self, action: &Action, test: &Test, given: &[Given]) -> Result<Engine, Failure> {
        let known = given.iter().find_map(|given| given.known);
        let (clock, later) = self.clocks(test, known.unwrap_or_default());
        let engine = self.open(&clock, None).await?;
        for (connection, operation, inputs) in &test.before {
            let how = How::by(Deadline::after(Duration::from_secs(15)));
            let inputs = inputs.as_object().cloned().unwrap_or_default();
            if let Err(fault) = engine.connections().call(connection, operation, inputs, how).await {
                return Err(Failure::differs("before", format!("{connection}.{operation} works"), fault.to_string()));
            }
        }
        if let Some(known) = known {
            // The same turn, when everything was well: its answer is nobody's business.
            let body = earlier(body(action.name.as_str(), &test.situation));
            let _ = take(&engine, body, &test.situation.verified, &Arc::default()).await;
            if let Some(later) = later {
                later.advance(known);
            }
        }
        let systems = engine.connections();
        systems.grow_older(known.unwrap_or_default());
        for Given { connection, operation, faults, known } in given {
            for fault in faults {
                let (connection, operation, fault) = (connection.clone(), operation.clone(), *fault);
                systems.stage(&StagedAt { connection, operation, fault });
            }
            if known.is_none() {
                systems.forget(connection);
            }
        }
        Ok(engine)
    }

    /// An engine on fresh systems with these faults, for a conversation.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn bare(&self, faults: &[StagedAt]) -> Result<Engine, Failure> {
        let now = self.project.settings.tests_now;
        let clock = now.map_or_else(|| Arc::clone(&self.clock), |now| Arc::new(FixedClock::at(now)) as Arc<dyn Clock>);
        let systems = self.systems(&clock, None).await?;
        faults.iter().for_each(|fault| systems.stage(fault));
        let store = self.store.get_or_try_init(store).await?;
        self.on(systems, clock, Arc::clone(store))
    }

    /// Fresh systems, or recorded answers in their place.
    async fn systems(&self, clock: &Arc<dyn Clock>, tape: Option<Arc<Tape>>) -> Result<Connections, Failure> {
        let surroundings = Surroundings {
            folder: &self.folder,
            clock: Arc::clone(clock),
            profiles: self.project.settings.profiles,
            cache_bytes: self.project.settings.cache_bytes,
            tokens: Arc::new(NoTokens),
            rng: fastrand::Rng::with_seed(0),
            scratch: true,
            fresh: Some(Arc::clone(&self.fresh)),
        };
        let opened = match tape {
            Some(tape) => Connections::recorded(&self.connections, surroundings, tape),
            None => Connections::open(&self.connections, surroundings).await,
        };
        opened.map_err(|problems| {
            let came = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            Failure::differs("connections", "they can be opened", came)
        })
    }

    /// An engine on these systems.
    fn on(&self, systems: Connections, clock: Arc<dyn Clock>, store: Arc<Store>) -> Result<Engine, Failure> {
        let verifications = Arc::new(MemoryVerifications::default());
        let verifier =
            Verifier::new(None, verifications).map_err(|wrong| Failure::differs("verified", "codes can be made", wrong))?;
        let (connections, rules) = (Arc::new(systems), Rules::of(&self.project.settings));
        let mut rng = fastrand::Rng::with_seed(0);
        let writes = Writes::new(store, Arc::clone(&connections), Arc::clone(&clock), rules, &mut rng);
        let (project, turns) = (Arc::clone(&self.project), usize::MAX);
        let natives = Natives::default();
        Ok(Engine::new(Parts { project, connections, writes, clock, natives, fallback: None, verifier, turns }))
    }

    /// The clock of a test, and the same where it can be put forward: a test that says its time begins so much `earlier`.
    fn clocks(&self, test: &Test, earlier: Duration) -> (Arc<dyn Clock>, Option<FixedClock>) {
        let Some(now) = test.now.or(self.project.settings.tests_now) else { return (Arc::clone(&self.clock), None) };
        let clock = FixedClock::at(now - earlier);
        (Arc::new(clock.clone()), Some(clock))
    }
}

/// A store that ends with who holds it.
async fn store() -> Result<Arc<Store>, Failure> {
    Store::in_memory().await.map(Arc::new).map_err(|wrong| Failure::differs("store", "it can be made", wrong))
}

/// How many turns are taken at the same time.
pub(super) fn at_a_time() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
