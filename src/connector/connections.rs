//! The connections of a project, opened: which system each talks to, and what stands in for it.
//!
//! Connections of one connector with equal settings share one database, so that the shop, the helpdesk and the CRM of a
//! sandbox see the same data. Databases in memory belong to one [`Connections`] and end with it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;

use super::chain::Chain;
use super::examples::Played;
use super::facts::{self, Facts, Tally};
use super::http::Remote;
use super::key::WriteKey;
use super::open::{Open, Opened};
use super::origin::Origin;
use super::sql::{Database, Finding, Fresh, Place};
use super::tape::Tape;
use super::wire::Wire;
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{
    Again, Connection, Connector, Mode, Operation, OperationKind, Setting, SettingValue, SqlSystem, StagedAt, System,
};
use crate::resilience::{Keep, Key, ReadCache, SecondLevel};
use crate::store::TokenStore;
use crate::telemetry::{StoreState, breaker_made};
use crate::time::{Clock, Deadline};

/// What connections are opened in.
pub struct Surroundings<'a> {
    /// The project's folder, which relative paths begin at.
    pub folder: &'a Path,
    /// The wall clock that operations see as `now`.
    pub clock: Arc<dyn Clock>,
    /// How long customer profiles are kept.
    pub profiles: Keep,
    /// How many bytes of answers are kept.
    pub cache_bytes: u64,
    /// Where tokens are kept that must outlive the process.
    pub tokens: Arc<dyn TokenStore>,
    /// Where waits between attempts and the keys of writes get their randomness from.
    pub rng: fastrand::Rng,
    /// Whether to work on data that ends with the connections, so that nothing that is written reaches a file: for tests. A
    /// connector that lives in memory unless a connection says otherwise begins anew; any other file is copied.
    pub scratch: bool,
    /// What databases look like that begin anew, where the same are opened again and again.
    pub fresh: Option<Arc<Fresh>>,
}

/// How one call is made.
#[derive(Debug, Clone, Copy)]
pub struct How<'a> {
    /// By when the caller needs an answer.
    pub deadline: Deadline,
    /// Whether to go past what is kept.
    pub refresh: bool,
    /// For whom, where that is known: a connection may be there for a share of the senders only.
    pub sender: Option<&'a str>,
    /// The key of what the call writes, so that the same call made again is known by it; one of its own without.
    pub key: Option<WriteKey>,
    /// What it takes for the time, where that is not the time of the call: the same call made again is the same to a second.
    pub at: Option<DateTime<Utc>>,
    /// Where it is noted what it does, with all values.
    pub wire: Option<&'a Arc<Wire>>,
}

impl How<'_> {
    /// A call for nobody in particular, made once.
    #[must_use]
    pub const fn by(deadline: Deadline) -> Self {
        Self { deadline, refresh: false, sender: None, key: None, at: None, wire: None }
    }
}

/// The answer of a call that ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer, in the form of the operation's model where it has one.
    pub value: serde_json::Value,
    /// How old it is, when it was kept from an earlier call.
    pub age: Option<Duration>,
}

/// What there is to know of an operation that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writing {
    /// How long after it was made first it can be made again without being done twice.
    pub again: Again,
    /// Whether its system takes it back when it runs out of time, so that it is never under way after that.
    pub undone: bool,
    /// Whether it is something that may be done later as well: no payment, and not on a connection that does not do it.
    pub later: bool,
}

/// Why a connection cannot be opened, or will not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Whose.
    pub connection: ConnectionName,
    /// In which operation, where it is one's.
    pub operation: Option<OperationName>,
    /// What is wrong and what to do; never a secret.
    pub text: String,
    /// Whether it may pass by itself, as that a database is not here or cannot be reached now.
    pub passing: bool,
}

impl Problem {
    fn of(connection: &ConnectionName, finding: Finding) -> Self {
        let Finding { operation, text, passing } = finding;
        Self { connection: connection.clone(), operation, text, passing }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operation {
            Some(operation) => write!(f, "{}.{operation}: {}", self.connection, self.text),
            None => write!(f, "{}: {}", self.connection, self.text),
        }
    }
}

/// The connections of a project, opened.
pub struct Connections {
    pub(super) open: IndexMap<ConnectionName, Arc<Open>>,
    pub(super) databases: Databases,
    pub(super) cache: Arc<ReadCache>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) profiles: Keep,
    pub(super) rng: Mutex<fastrand::Rng>,
    /// What answers in the place of every system, where recordings are run again.
    pub(super) tape: Option<Arc<Tape>>,
}

/// The open databases, by the connector that made their tables and by where they are.
type Databases = HashMap<([u8; 32], Place), Arc<Database>>;

impl Connections {
    /// Opens every database that the connections need, and makes the tables that are missing.
    ///
    /// # Errors
    /// What is wrong with each connection that cannot be opened.
    pub async fn open(connections: &[Connection], surroundings: Surroundings<'_>) -> Result<Self, Vec<Problem>> {
        Self::opened(connections, surroundings, None).await
    }

    /// The connections of a project that has changed. Those that would be opened from the same again are these, with their
    /// breakers, pools, tokens and kept answers; of the others nothing is kept but what is staged to go wrong.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn changed(&self, connections: &[Connection], surroundings: Surroundings<'_>) -> Result<Self, Vec<Problem>> {
        Self::opened(connections, surroundings, Some(self)).await
    }

    async fn opened(
        connections: &[Connection],
        mut surroundings: Surroundings<'_>,
        before: Option<&Self>,
    ) -> Result<Self, Vec<Problem>> {
        let mut databases = Databases::new();
        let mut open: IndexMap<ConnectionName, Arc<Open>> = IndexMap::new();
        let mut problems = Vec::new();
        for connection in connections {
            let name = connection.name.clone();
            let connector = Arc::clone(&connection.connector);
            let rng = surroundings.rng.fork();
            let origin = Origin::of(connection, surroundings.folder);
            let former = before.and_then(|before| before.open.get(&name));
            if let Some(former) = former.filter(|former| former.origin == origin) {
                open.insert(name, Arc::clone(former));
                continue;
            }
            let number = rng.clone().u64(..);
            let chain = match Chain::new(connection, &surroundings.clock) {
                Ok(chain) => Arc::new(chain),
                Err(text) => {
                    problems.push(Problem::of(&name, Finding { operation: None, text, passing: false }));
                    continue;
                }
            };
            let system = match &connector.system {
                System::Sql(system) => {
                    let kept = before.map(|before| &before.databases);
                    shared(&mut databases, kept, connection, system, &surroundings).await.map(Opened::Database)
                }
                // A test never reaches somebody's system.
                System::Http(_) if surroundings.scratch && connection.rules.stand_in.is_none() => {
                    Ok(Opened::Examples(Arc::new(Played::new(&connector, &surroundings.clock))))
                }
                System::Http(_) => {
                    let settings = filled(&connector, &connection.settings);
                    Remote::open(connection, &settings, &surroundings, rng, Arc::clone(&chain))
                        .map(|remote| Opened::Remote(Arc::new(remote)))
                        .map_err(|text| Finding { operation: None, text, passing: false })
                }
            };
            match system {
                Ok(system) => {
                    let (rules, address) = (connection.rules.clone(), facts::address(connection));
                    let staged = Mutex::new(former.map(|former| former.staged().clone()).unwrap_or_default());
                    let (forgets, tally, beat) = (AtomicBool::default(), Tally::default(), Mutex::default());
                    let one = Open {
                        name,
                        number,
                        origin,
                        connector,
                        system,
                        rules,
                        staged,
                        forgets,
                        address,
                        tally,
                        beat,
                        chain,
                    };
                    open.insert(one.name.clone(), Arc::new(one));
                }
                Err(finding) => problems.push(Problem::of(&name, finding)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let Surroundings { clock, profiles, cache_bytes, rng, .. } = surroundings;
        let cache = before.map_or_else(|| Arc::new(ReadCache::new(cache_bytes)), |before| Arc::clone(&before.cache));
        // Those of connections that stay as they are stay, too.
        let stays = |database: &Arc<Database>| open.values().any(|open| open.is_on(database));
        let kept = before.into_iter().flat_map(|before| &before.databases).filter(|(_, database)| stays(database));
        databases.extend(kept.map(|(key, database)| (key.clone(), Arc::clone(database))).collect::<Vec<_>>());
        Ok(Self { open, databases, cache, clock, profiles, rng: Mutex::new(rng), tape: None })
    }

    /// The same with a second level behind what is kept, which other processes share, in the place of the one that was there;
    /// before the first call. Needs a runtime.
    #[must_use]
    pub fn in_front_of(self, second: Arc<dyn SecondLevel>) -> Self {
        let cache = self.cache.beside().in_front_of(second, Arc::clone(&self.clock));
        Self { cache: Arc::new(cache), ..self }
    }

    /// Takes the place of `before`: how many connections are the same, and how many others there are. Of those that are gone, no
    /// breaker counts as open.
    #[must_use]
    pub fn follow(&self, before: &Self) -> (usize, usize) {
        let gone =
            before.open.iter().filter(|(name, open)| open.chain.breaker().is_some() && !self.open.contains_key(*name));
        gone.for_each(|(name, _)| breaker_made(name));
        let same =
            |(name, open): &(&ConnectionName, &Arc<Open>)| before.open.get(*name).is_some_and(|it| Arc::ptr_eq(it, open));
        let kept = self.open.iter().filter(same).count();
        (kept, self.open.len() - kept)
    }

    /// Whether the second level of the cache is there; none where there is no such level.
    #[must_use]
    pub fn second_level(&self) -> Option<StoreState> {
        self.cache.second_level()
    }

    /// Waits until other processes can know what was outdated here, for a second at most.
    pub async fn settled(&self) {
        self.cache.settled().await;
    }

    /// Calls an operation.
    ///
    /// # Errors
    /// How the call ended, when it did not end well. A connection or operation that does not exist is `unexpected`, since
    /// `check` finds it.
    pub async fn call(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: serde_json::Map<String, serde_json::Value>,
        how: How<'_>,
    ) -> Result<Answered, Fault> {
        let (open, operation) = self.find(connection, operation)?;
        super::stack::call(self, open, operation, inputs, how).await
    }

    /// What there is to know of an operation before it is called to write; none when there is no such operation.
    #[must_use]
    pub fn writing(&self, connection: &ConnectionName, operation: &OperationName) -> Option<Writing> {
        let (open, operation) = self.find(connection, operation).ok()?;
        let undone = matches!(open.system, Opened::Database(_));
        let later = operation.kind == OperationKind::Write && open.rules.mode == Mode::Live;
        Some(Writing { again: operation.again(), undone, later })
    }

    /// Whether several calls of an operation may be made as one.
    #[must_use]
    pub fn batches(&self, connection: &ConnectionName, operation: &OperationName) -> bool {
        self.find(connection, operation).is_ok_and(|(_, operation)| operation.batch.is_some())
    }

    /// Calls an operation once for each of `calls`, with as few requests as the system allows; the answers come in their
    /// order, each as [`Self::call`] would have given it.
    pub async fn call_many(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        calls: Vec<serde_json::Map<String, serde_json::Value>>,
        how: How<'_>,
    ) -> Vec<Result<Answered, Fault>> {
        match self.find(connection, operation) {
            Ok((open, operation)) => super::batch::call_many(self, open, operation, calls, how).await,
            Err(fault) => calls.iter().map(|_| Err(fault.clone())).collect(),
        }
    }

    /// The last answer to the same read that is not older than its `stale` time, for when the system is down. A sender gets
    /// none of a connection that is not there for them.
    pub async fn last_known(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: serde_json::Map<String, serde_json::Value>,
        sender: Option<&str>,
    ) -> Option<Answered> {
        let (open, operation) = self.find(connection, operation).ok()?;
        super::stack::last_known(self, open, operation, inputs, sender).await
    }

    /// Forgets every kept answer whose inputs or whose value are like that, composed ones included; how many those were. One
    /// that is under way is not kept.
    pub async fn forget_values(&self, is: impl Fn(&serde_json::Value) -> bool) -> usize {
        let whose =
            |key: &Key, answer: Option<&serde_json::Value>| answer.is_some_and(&is) || key.inputs().any(|input| is(&input));
        self.cache.forget(whose).await
    }

    /// Makes everything that is kept older, as if so much time had passed.
    pub fn grow_older(&self, by: Duration) {
        self.cache.grow_older(by);
    }

    /// Whether the system answers: for `kind: http` by the operation that the connector's file names for it, which shows that
    /// address and credentials are right, asked once and past everything that is kept; for a database by preparing every
    /// statement. None when the file names no operation, or there is no such connection.
    pub async fn test(&self, connection: &ConnectionName, deadline: Deadline) -> Option<Result<(), Fault>> {
        let open = self.open.get(connection)?;
        let System::Http(system) = &open.connector.system else { return Some(prepared(open).await) };
        let operation = open.connector.operations.get(system.test.as_ref()?)?;
        Some(super::stack::test(self, open, operation, deadline).await)
    }

    /// Lets something go wrong on purpose with every call of a connection or of one of its operations. What was staged before
    /// stays, as far as the two do not contradict each other.
    pub fn stage(&self, StagedAt { connection, operation, fault }: &StagedAt) {
        if let Some(open) = self.open.get(connection) {
            open.staged().push((operation.clone(), *fault));
        }
    }

    /// Forgets what is kept of a connection, and keeps nothing of it any more.
    pub fn forget(&self, connection: &ConnectionName) {
        if let Some(open) = self.open.get(connection) {
            open.forgets.store(true, Ordering::Relaxed);
        }
    }

    /// Prepares every statement of every operation on its database, so that wrong tables and columns are found before a
    /// user does.
    pub async fn verify(&self) -> Vec<Problem> {
        self.verified(None).await
    }

    /// The same where these are the connections of a project that has changed; those that `before` had are not looked at.
    pub async fn verify_changed(&self, before: &Self) -> Vec<Problem> {
        self.verified(Some(before)).await
    }

    async fn verified(&self, before: Option<&Self>) -> Vec<Problem> {
        let mut problems = Vec::new();
        let known = |name, open: &Arc<Open>| before.and_then(|it| it.open.get(name)).is_some_and(|it| Arc::ptr_eq(it, open));
        for (_, open) in self.open.iter().filter(|(name, open)| !known(*name, open)) {
            let Opened::Database(database) = &open.system else { continue };
            problems.extend(database.verify().await.into_iter().map(|finding| Problem::of(&open.name, finding)));
        }
        problems
    }

    /// Every operation, as calls name it: `helpdesk.create_ticket`.
    pub fn operations(&self) -> impl Iterator<Item = String> {
        let of = |open: &Arc<Open>| {
            open.connector.operations.keys().map(|name| format!("{}.{name}", open.name)).collect::<Vec<_>>()
        };
        self.open.values().flat_map(of)
    }

    /// How many calls of each connection there were since it was opened; answers that were kept are none.
    #[must_use]
    pub fn calls(&self) -> Vec<(ConnectionName, u64)> {
        self.open.values().map(|open| (open.name.clone(), open.tally.read().0)).collect()
    }

    /// What operators see.
    #[must_use]
    pub fn facts(&self) -> Vec<Facts> {
        self.open.values().map(|open| open.facts(self.profiles)).collect()
    }

    /// The connection of that name.
    pub(super) fn one(&self, name: &ConnectionName) -> Option<&Arc<Open>> {
        self.open.get(name)
    }

    /// Every connection's name.
    pub(super) fn names(&self) -> impl Iterator<Item = &ConnectionName> {
        self.open.keys()
    }

    /// Randomness of its own for one call.
    pub(super) fn rng(&self) -> fastrand::Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    /// How long the answers of an operation are kept.
    pub(super) fn keep(&self, open: &Open, operation: &Operation) -> Option<Keep> {
        facts::keep(operation, &open.rules, self.profiles).filter(|_| !open.forgets())
    }

    pub(super) fn find(&self, connection: &ConnectionName, operation: &OperationName) -> Result<(&Open, &Operation), Fault> {
        let open = self
            .open
            .get(connection)
            .ok_or_else(|| Fault::new(Outcome::Unexpected, format!("there is no connection {connection}")))?;
        let operation = open.connector.operations.get(operation).ok_or_else(|| {
            Fault::new(Outcome::Unexpected, format!("the connector {} has no operation {operation}", open.connector.name))
        })?;
        Ok((open, operation))
    }
}

/// Whether a database answers, and every statement fits it.
async fn prepared(open: &Open) -> Result<(), Fault> {
    if open.rules.mode == Mode::Off {
        return Err(super::stack::switched_off(open));
    }
    let Opened::Database(database) = &open.system else { return Ok(()) };
    let findings = database.verify().await;
    let Some(first) = findings.first() else { return Ok(()) };
    let outcome = if findings.iter().all(|it| it.passing) { Outcome::Unavailable } else { Outcome::Misconfigured };
    let place = first.operation.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let more = if findings.len() > 1 { format!("; and {} more", findings.len() - 1) } else { String::new() };
    Err(Fault::new(outcome, format!("{place}{}{more}", first.text)))
}

/// The database of a connection, opened by the first that needs it.
async fn shared(
    databases: &mut Databases,
    before: Option<&Databases>,
    connection: &Connection,
    system: &SqlSystem,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<Database>, Finding> {
    let connector = &connection.connector;
    let place = Place::of(system, &filled(connector, &connection.settings)).map_err(|text| Finding {
        operation: None,
        text,
        passing: false,
    })?;
    let key = (connector.print, place);
    if let Some(database) = databases.get(&key) {
        return Ok(Arc::clone(database));
    }
    if let Some(database) = before.and_then(|before| before.get(&key)) {
        let database = Arc::clone(database);
        databases.insert(key, Arc::clone(&database));
        return Ok(database);
    }
    let usual = Place::of(system, &filled(connector, &IndexMap::new())).ok();
    let database = Arc::new(Database::open(connector, &key.1, usual, surroundings).await?);
    databases.insert(key, Arc::clone(&database));
    Ok(database)
}

/// Every setting of a connector: as given, else its default; null when it has neither.
pub(super) fn filled(
    connector: &Connector,
    given: &IndexMap<String, SettingValue>,
) -> IndexMap<String, Option<SettingValue>> {
    let default = |setting: &Setting| {
        let text = setting.default.clone()?;
        let map = || serde_json::from_str(&text).ok().map(SettingValue::Map);
        if setting.is_map { map() } else { Some(SettingValue::Text(text)) }
    };
    let value = |setting: &Setting| given.get(&setting.name).cloned().or_else(|| default(setting));
    connector.settings.iter().map(|setting| (setting.name.clone(), value(setting))).collect()
}
