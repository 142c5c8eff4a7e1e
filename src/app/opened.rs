//! From a checked project to one that runs: store, connections and engine; and from there to the same project after a change.

use std::path::Path;
use std::sync::Arc;

use super::store::{keeps, scope, second_level, store};
use super::{Place, connections, room};
use crate::connector::{Connections, Fallback, Problem, Surroundings};
use crate::engine::{Engine, Natives, Parts, Verifier};
use crate::outbox::{Rules, Writes};
use crate::plan::Project;
use crate::plan::connector::Connection;
use crate::plan::settings::{Signed, Stores};
use crate::resilience::SecondLevel;
use crate::store::{Store, TokenStore};
use crate::telemetry::SystemAway;
use crate::time::Clock;

/// An engine that runs a project, which lies in that place.
///
/// # Errors
/// What is missing or cannot be opened, one line each; never a secret.
pub async fn engine(project: Arc<Project>, place: &Place, clock: Arc<dyn Clock>) -> Result<Engine, Vec<String>> {
    Opened::of(project, place, clock).await.map(|opened| opened.engine)
}

/// A project that is open.
pub struct Opened {
    /// The project.
    pub project: Arc<Project>,
    /// What runs it.
    pub engine: Engine,
    connections: Arc<Connections>,
    writes: Writes,
    clock: Arc<dyn Clock>,
    store: Arc<Store>,
    /// Whether what is in the store outlives the process.
    keeps: bool,
    /// How the settings of the stores were when these were opened.
    stores: Stores,
    /// Whose answers in the second level of the cache are its own.
    scope: Option<[u8; 32]>,
}

impl Opened {
    /// Opens a project, which lies in that place.
    ///
    /// # Errors
    /// What is missing or cannot be opened, one line each; never a secret.
    pub async fn of(project: Arc<Project>, place: &Place, clock: Arc<dyn Clock>) -> Result<Self, Vec<String>> {
        let folder = &place.folder();
        let (keeps, store) = (keeps(&project), store(&project, folder).await.map_err(one)?);
        let read = Read::of(&project, &project.settings.stores, folder, Arc::clone(&store))?;
        let opened = Connections::open(&read.connections, surroundings(&project, folder, &clock, &store)).await;
        let connections = ready(opened, read.second()?, None).await?;
        let writes = written(&project, &store, &connections, &clock);
        let (scope, stores) = (read.scope, project.settings.stores.clone());
        let engine = Engine::new(parts(
            &project,
            &connections,
            &writes,
            &clock,
            (place.natives.clone(), read.fallback, read.verifier),
        ));
        Ok(Self { project, engine, connections, writes, clock, store, keeps, stores, scope })
    }

    /// The same when the project has changed: the store, the work that is under way, and the connections that would be opened
    /// from the same again, stay. This goes on as it is. Where it is the first that keeps something, its store is opened.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub async fn changed(&self, project: Arc<Project>, place: &Place) -> Result<Self, Vec<String>> {
        let folder = &place.folder();
        let clock = Arc::clone(&self.clock);
        let first = keeps(&project) && !self.keeps;
        let (store, stores) = match first {
            true => {
                let stores = Stores { cache: self.stores.cache.clone(), ..project.settings.stores.clone() };
                (store(&project, folder).await.map_err(one)?, stores)
            }
            false => (Arc::clone(&self.store), self.stores.clone()),
        };
        let read = Read::of(&project, &stores, folder, Arc::clone(&store))?;
        let opened = self.connections.changed(&read.connections, surroundings(&project, folder, &clock, &store)).await;
        let second = if read.scope == self.scope { None } else { read.second()? };
        let connections = ready(opened, second, Some(&self.connections)).await?;
        let writes = match first {
            // Nothing was written before, and so nothing is under way.
            true => written(&project, &store, &connections, &clock),
            false => self.writes.changed(Arc::clone(&connections), Rules::of(&project.settings)),
        };
        let engine = self.engine.changed(parts(
            &project,
            &connections,
            &writes,
            &clock,
            (place.natives.clone(), read.fallback, read.verifier),
        ));
        let (scope, keeps) = (read.scope, self.keeps || first);
        Ok(Self { project, engine, connections, writes, clock, store, keeps, stores, scope })
    }

    /// The settings of stores that are others than those of the stores that are open.
    pub(super) fn other_stores(&self) -> Vec<&'static str> {
        let (open, now) = (&self.stores, &self.project.settings.stores);
        let all = [
            ("stores.main", self.keeps && open.main != now.main),
            ("stores.cache", open.cache != now.cache),
            ("stores.key", self.keeps && open.keys != now.keys),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }

    /// Takes the place of `before`: how many connections are the same, and how many others there are.
    #[must_use]
    pub fn follow(&self, before: &Self) -> (usize, usize) {
        self.connections.follow(&before.connections)
    }
}

fn written(project: &Project, store: &Arc<Store>, connections: &Arc<Connections>, clock: &Arc<dyn Clock>) -> Writes {
    let (rules, rng) = (Rules::of(&project.settings), &mut fastrand::Rng::new());
    Writes::new(Arc::clone(store), Arc::clone(connections), Arc::clone(clock), rules, rng)
}

fn parts(
    project: &Arc<Project>,
    connections: &Arc<Connections>,
    writes: &Writes,
    clock: &Arc<dyn Clock>,
    (natives, fallback, verifier): (Natives, Option<Fallback>, Verifier),
) -> Parts {
    let turns = room(project).turns;
    let (project, connections) = (Arc::clone(project), Arc::clone(connections));
    let (writes, clock) = (writes.clone(), Arc::clone(clock));
    Parts { project, connections, writes, clock, natives, fallback, verifier, turns }
}

/// What of a project was read beside its files.
struct Read<'a> {
    connections: Vec<Connection>,
    verifier: Verifier,
    fallback: Option<Fallback>,
    scope: Option<[u8; 32]>,
    stores: &'a Stores,
    folder: &'a Path,
}

impl<'a> Read<'a> {
    fn of(project: &Project, stores: &'a Stores, folder: &'a Path, store: Arc<Store>) -> Result<Self, Vec<String>> {
        let connections = connections(project, folder)?;
        let verifier = verifier(project, folder, store).map_err(one)?;
        let fallback = fallback(project, folder).map_err(one)?;
        let scope = match stores.cache {
            Some(_) => Some(scope(stores, project, &connections, folder).map_err(one)?),
            None => None,
        };
        Ok(Self { connections, verifier, fallback, scope, stores, folder })
    }

    fn second(&self) -> Result<Option<Arc<dyn SecondLevel>>, Vec<String>> {
        match self.scope {
            Some(scope) => second_level(self.stores, scope, self.folder).map_err(one),
            None => Ok(None),
        }
    }
}

fn surroundings<'a>(project: &Project, folder: &'a Path, clock: &Arc<dyn Clock>, store: &Arc<Store>) -> Surroundings<'a> {
    let tokens: Arc<dyn TokenStore> = Arc::<Store>::clone(store);
    let (profiles, cache_bytes) = (project.settings.profiles, project.settings.cache_bytes);
    let rng = fastrand::Rng::new();
    Surroundings { folder, clock: Arc::clone(clock), profiles, cache_bytes, tokens, rng, scratch: false, fresh: None }
}

/// Connections that can be used, with the second level behind their cache where there is a new one.
async fn ready(
    opened: Result<Connections, Vec<Problem>>,
    second: Option<Arc<dyn SecondLevel>>,
    before: Option<&Connections>,
) -> Result<Arc<Connections>, Vec<String>> {
    let said = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let connections = opened.map_err(said)?;
    let connections = match second {
        Some(second) => connections.in_front_of(second),
        None => connections,
    };
    let problems = match before {
        Some(before) => connections.verify_changed(before).await,
        None => connections.verify().await,
    };
    // A server that is down now may be there for the first call, whose user hears something true until then.
    let (passing, unfit): (Vec<_>, Vec<_>) = problems.into_iter().partition(|problem| problem.passing);
    passing.iter().for_each(|problem| SystemAway { problem }.emit());
    if unfit.is_empty() { Ok(Arc::new(connections)) } else { Err(said(unfit)) }
}

fn one(reason: String) -> Vec<String> {
    vec![reason]
}

/// The way to the server behind this one.
fn fallback(project: &Project, folder: &Path) -> Result<Option<Fallback>, String> {
    let opened = project.settings.fallback.as_ref().map(|plan| Fallback::open(plan, &|reference| reference.resolve(folder)));
    opened.transpose().map_err(|wrong| format!("the fallback server cannot be asked: {wrong}"))
}

/// What knows who is verified, with the key of tokens read.
fn verifier(project: &Project, folder: &Path, store: Arc<Store>) -> Result<Verifier, String> {
    let Some(metadata) = &project.settings.verify.metadata else { return Verifier::new(None, store) };
    let (Signed::Compact(reference) | Signed::Hs256(reference, _) | Signed::Public(reference, ..)) = &metadata.signed;
    let secret = reference.resolve(folder).map_err(|missing| format!("`verify.metadata` cannot be used: {missing}"))?;
    let verifier = Verifier::new(Some((metadata, &secret)), store);
    verifier.map_err(|wrong| format!("`verify.metadata` cannot be used: its key {wrong}"))
}
