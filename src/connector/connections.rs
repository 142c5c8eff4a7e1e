//! The connections of a project, opened: which system each talks to, and what stands in for it.
//!
//! Connections of one connector with equal settings share one database, so that the shop, the helpdesk and the CRM of a
//! sandbox see the same data. Databases in memory belong to one [`Connections`] and end with it.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indexmap::IndexMap;
use serde::Serialize;
use tokio_util::task::TaskTracker;

use super::examples::Played;
use super::http::Remote;
use super::sql::{Database, Origin, Place};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{CacheRule, Connection, Connector, Operation, Rules, Setting, SettingValue, SqlSystem, System};
use crate::resilience::{Keep, ReadCache};
use crate::store::TokenStore;
use crate::time::{Clock, Deadline};

/// How many bytes of answers are kept.
const CACHE_BYTES: u64 = 32 << 20;

/// What connections are opened in.
pub struct Surroundings<'a> {
    /// The project's folder, which relative paths begin at.
    pub folder: &'a Path,
    /// The wall clock that operations see as `now`.
    pub clock: Arc<dyn Clock>,
    /// How long customer profiles are kept.
    pub profiles: Keep,
    /// Where tokens are kept that must outlive the process.
    pub tokens: Arc<dyn TokenStore>,
    /// Where waits between attempts and the keys of writes get their randomness from.
    pub rng: fastrand::Rng,
    /// Whether to work on data that ends with the connections, so that nothing that is written reaches a file: for tests. A
    /// connector that lives in memory unless a connection says otherwise begins anew; any other file is copied.
    pub scratch: bool,
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
}

/// The answer of a call that ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The answer, in the form of the operation's model where it has one.
    pub value: serde_json::Value,
    /// How old it is, when it was kept from an earlier call.
    pub age: Option<Duration>,
}

/// What is wrong with a system, for tests and rehearsals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// It cannot be reached: every call ends `unavailable`, and nothing that was kept helps.
    Down,
}

impl Given {
    /// The fault of that name in `given:`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (name == "down").then_some(Self::Down)
    }
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
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operation {
            Some(operation) => write!(f, "{}.{operation}: {}", self.connection, self.text),
            None => write!(f, "{}: {}", self.connection, self.text),
        }
    }
}

/// What operators see of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// Which system that is.
    pub description: String,
    /// Where its data lives: `memory`, `file` or `http`; `examples` in tests.
    pub system: &'static str,
    /// What may be done on it: `live`, `read_only` and so on.
    pub mode: &'static str,
    /// What stands in for it.
    pub given: Option<Given>,
    /// What can be asked.
    pub operations: Vec<OperationFacts>,
}

/// What operators see of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperationFacts {
    /// Its name.
    pub name: String,
    /// `read`, `write` or `payment`.
    pub kind: &'static str,
    /// What it does.
    pub description: String,
    /// How many seconds an answer is as good as new, when answers are kept.
    pub fresh_seconds: Option<u64>,
    /// How many seconds it may stand in when the system is down.
    pub stale_seconds: Option<u64>,
}

/// The connections of a project, opened.
pub struct Connections {
    open: IndexMap<ConnectionName, Open>,
    pub(super) cache: Arc<ReadCache>,
    pub(super) clock: Arc<dyn Clock>,
    /// Writes, which end whether or not somebody waits for them.
    pub(super) writes: TaskTracker,
    profiles: Keep,
    rng: Mutex<fastrand::Rng>,
}

pub(super) struct Open {
    pub(super) name: ConnectionName,
    pub(super) connector: Arc<Connector>,
    pub(super) system: Opened,
    pub(super) rules: Rules,
    pub(super) given: Option<Given>,
}

/// A system, ready to be asked.
#[derive(Clone)]
pub(super) enum Opened {
    Database(Arc<Database>),
    Remote(Arc<Remote>),
    /// The connector's examples in a remote system's place, for tests.
    Examples(Arc<Played>),
}

impl Opened {
    fn shown(&self) -> &'static str {
        match self {
            Self::Database(database) => database.shown(),
            Self::Remote(_) => "http",
            Self::Examples(_) => "examples",
        }
    }
}

impl Connections {
    /// Opens every database that the connections need, and makes the tables that are missing.
    ///
    /// # Errors
    /// What is wrong with each connection that cannot be opened.
    pub async fn open(connections: &[Connection], mut surroundings: Surroundings<'_>) -> Result<Self, Vec<Problem>> {
        let mut databases: HashMap<(Arc<str>, Place), Arc<Database>> = HashMap::new();
        let mut open = IndexMap::new();
        let mut problems = Vec::new();
        for connection in connections {
            let name = connection.name.clone();
            let connector = Arc::clone(&connection.connector);
            let rng = surroundings.rng.fork();
            let system = match &connector.system {
                System::Sql(system) => shared(&mut databases, connection, system, &surroundings).await.map(Opened::Database),
                // A test never reaches somebody's system.
                System::Http(_) if surroundings.scratch && connection.rules.stand_in.is_none() => {
                    Ok(Opened::Examples(Arc::new(Played::new(&connector, &surroundings.clock))))
                }
                System::Http(_) => {
                    let settings = filled(&connector, &connection.settings);
                    Remote::open(connection, &settings, surroundings.folder, &surroundings.clock, &surroundings.tokens, rng)
                        .map(|remote| Opened::Remote(Arc::new(remote)))
                }
            };
            match system {
                Ok(system) => {
                    open.insert(
                        name.clone(),
                        Open { name, connector, system, rules: connection.rules.clone(), given: None },
                    );
                }
                Err(text) => problems.push(Problem { connection: name, operation: None, text }),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let Surroundings { clock, profiles, rng, .. } = surroundings;
        let (cache, writes) = (Arc::new(ReadCache::new(CACHE_BYTES)), TaskTracker::new());
        Ok(Self { open, cache, clock, writes, profiles, rng: Mutex::new(rng) })
    }

    /// Waits until no write is under way.
    pub async fn settled(&self) {
        self.writes.close();
        self.writes.wait().await;
        self.writes.reopen();
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

    /// The last answer to the same read that is not older than its `stale` time, for when the system is down.
    pub async fn last_known(
        &self,
        connection: &ConnectionName,
        operation: &OperationName,
        inputs: serde_json::Map<String, serde_json::Value>,
    ) -> Option<Answered> {
        let (open, operation) = self.find(connection, operation).ok()?;
        super::stack::last_known(self, open, operation, inputs).await
    }

    /// Whether address and credentials are right, by the operation that the connector's file names for it; none when it names
    /// none, or there is no such connection.
    pub async fn test(&self, connection: &ConnectionName, deadline: Deadline) -> Option<Result<(), Fault>> {
        let System::Http(system) = &self.open.get(connection)?.connector.system else { return None };
        let operation = system.test.as_ref()?;
        let how = How { deadline, refresh: true, sender: None };
        Some(self.call(connection, operation, serde_json::Map::new(), how).await.map(|_| ()))
    }

    /// Puts a fault in a connection's place.
    pub fn given(&mut self, connection: &ConnectionName, given: Given) {
        if let Some(open) = self.open.get_mut(connection) {
            open.given = Some(given);
        }
    }

    /// Prepares every statement of every operation on its database, so that wrong tables and columns are found before a
    /// user does.
    pub async fn verify(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for open in self.open.values() {
            let Opened::Database(database) = &open.system else { continue };
            for operation in open.connector.operations.values() {
                for text in database.verify(operation).await {
                    let operation = Some(operation.name.clone());
                    problems.push(Problem { connection: open.name.clone(), operation, text });
                }
            }
        }
        problems
    }

    /// What operators see.
    #[must_use]
    pub fn facts(&self) -> Vec<Facts> {
        let operation = |operation: &Operation| OperationFacts {
            name: operation.name.to_string(),
            kind: operation.kind.name(),
            description: operation.description.clone(),
            fresh_seconds: self.keep(operation).map(|keep| keep.fresh.as_secs()),
            stale_seconds: self.keep(operation).map(|keep| keep.stale.as_secs()),
        };
        let facts = self.open.values().map(|open| Facts {
            name: open.name.to_string(),
            connector: open.connector.name.to_string(),
            description: open.connector.description.clone(),
            system: open.system.shown(),
            mode: open.rules.mode.name(),
            given: open.given,
            operations: open.connector.operations.values().map(operation).collect(),
        });
        facts.collect()
    }

    /// Randomness of its own for one call.
    pub(super) fn rng(&self) -> fastrand::Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }

    /// How long the answers of an operation are kept.
    pub(super) fn keep(&self, operation: &Operation) -> Option<Keep> {
        match operation.cache? {
            CacheRule::Profiles => Some(self.profiles),
            CacheRule::Own(keep) => Some(keep),
        }
    }

    fn find(&self, connection: &ConnectionName, operation: &OperationName) -> Result<(&Open, &Operation), Fault> {
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

/// The database of a connection, opened by the first that needs it.
async fn shared(
    databases: &mut HashMap<(Arc<str>, Place), Arc<Database>>,
    connection: &Connection,
    system: &SqlSystem,
    surroundings: &Surroundings<'_>,
) -> Result<Arc<Database>, String> {
    let connector = &connection.connector;
    let place = Database::place(system, &filled(connector, &connection.settings))?;
    let key = (Arc::clone(&connector.name), place);
    if let Some(database) = databases.get(&key) {
        return Ok(Arc::clone(database));
    }
    // A connector that lives in memory unless a connection says otherwise is tried out in memory.
    let usual = Database::place(system, &filled(connector, &IndexMap::new()));
    let origin = match (&key.1, usual) {
        (Place::Memory, _) => Origin::Empty,
        (Place::File(_), Ok(Place::Memory)) if surroundings.scratch => Origin::Empty,
        (Place::File(file), _) if surroundings.scratch => Origin::CopyOf(file),
        (Place::File(file), _) => Origin::File(file),
    };
    let database = Arc::new(Database::open(connector, origin, surroundings).await?);
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
