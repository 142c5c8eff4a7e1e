//! A PostgreSQL server behind a connection: which of its addresses an operation goes to, and what is tried again.
//!
//! A write ends committed or rolled back, and its answer says which; where a connection breaks off in the middle of the commit,
//! it says that nobody knows, and nothing is repeated. What the server undid because of others, or lost before the commit, is
//! tried again while there is time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;
use tokio::time::{sleep, timeout_at};

use super::address;
use super::fault::{self, Trouble};
use super::lines::{Lines, final_of};
use super::session::{Access, Transaction};
use super::tables::{self, NotMade};
use crate::connector::connections::Surroundings;
use crate::connector::reply::reply;
use crate::connector::sql::place::Url;
use crate::connector::sql::run::{self, late};
use crate::fault::{Class, Outcome};
use crate::plan::connector::{Connector, FirstUse, Operation, SqlSystem, System};
use crate::secret::Reference;
use crate::time::Deadline;
use crate::time::paused::outside;

/// Where tests find a server whose data may be thrown away.
const TEST_SERVER: &str = "LEGWORK_TEST_POSTGRES";
/// How often an operation is tried.
const TRIES: u32 = 5;
/// How long the start waits for a server on which tables are to be made.
const MAKING: Duration = Duration::from_secs(60);

/// A server.
pub(in crate::connector) struct Postgres {
    pub(super) connector: Arc<Connector>,
    rng: Mutex<fastrand::Rng>,
    statement_timeout: Option<Duration>,
    /// The connection's own server, also in tests, which do not go there.
    pub(super) own: Home,
    /// In tests: what is worked on instead, where there is anything.
    pub(super) instead: Option<Option<Home>>,
    /// Whether the connector's tables were made or found.
    made: OnceCell<()>,
}

/// Where operations go.
#[derive(Clone)]
pub(super) struct Home {
    pub(super) main: Arc<Lines>,
    pub(super) reads: Option<Arc<Lines>>,
}

impl Home {
    /// Where operations of kind read go, and all others.
    pub(super) fn lines(&self, access: Access) -> &Arc<Lines> {
        match access {
            Access::Read => self.reads.as_ref().unwrap_or(&self.main),
            Access::Write => &self.main,
        }
    }
}

impl Postgres {
    /// Reads the addresses, and makes the tables that are missing where the server can be reached now; else the first call
    /// that reaches it does.
    ///
    /// # Errors
    /// What is wrong and what to do; never a part of an address.
    pub(in crate::connector::sql) async fn open(
        connector: &Arc<Connector>,
        main: &Url,
        reads: Option<&Url>,
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let System::Sql(SqlSystem { pool, .. }) = &connector.system else { return Err("this is no database".to_owned()) };
        let lines =
            |url: &Url, key: &str| Ok::<_, String>(Lines::new(connector, address::options(url, key, around.folder)?, *pool));
        let own = Home { main: lines(main, "database")?, reads: reads.map(|url| lines(url, "reads")).transpose()? };
        let instead = match around.scratch {
            true => Some(match Reference::Env(TEST_SERVER.to_owned()).resolve(around.folder) {
                Ok(url) => {
                    let options = address::options(&Url::from(&url), TEST_SERVER, around.folder)?;
                    Some(Home { main: Lines::scratch(connector, options, *pool), reads: None })
                }
                Err(_) => None,
            }),
            false => None,
        };
        let postgres = Self {
            connector: Arc::clone(connector),
            rng: Mutex::new(around.rng.clone()),
            statement_timeout: pool.statement_timeout,
            own,
            instead,
            made: OnceCell::new(),
        };
        match postgres.ready(Deadline::after(MAKING)).await {
            Err(trouble) if trouble.fault.class() != Class::Transient => Err(trouble.fault.operator),
            _ => Ok(postgres),
        }
    }

    /// Runs an operation; see [`super::super::Database::run`].
    pub(in crate::connector::sql) async fn run(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
        until: Deadline,
    ) -> Result<Value, crate::fault::Fault> {
        let mut tries = 0;
        loop {
            tries += 1;
            let trouble = match outside(self.attempt(operation, inputs.clone(), now, until)).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            let most = u64::from(20 * tries);
            let pause = Duration::from_millis(self.rng.lock().unwrap_or_else(PoisonError::into_inner).u64(1..=most));
            if !trouble.again || tries == TRIES || until.left() <= pause {
                return Err(trouble.fault);
            }
            sleep(pause).await;
        }
    }

    async fn attempt(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
        until: Deadline,
    ) -> Result<Value, Trouble> {
        let access = if operation.kind.writes() { Access::Write } else { Access::Read };
        self.ready(until).await?;
        let home = self.home()?;
        let mut lines = home.lines(access);
        let mut results = run::beginning(inputs, now);
        let late = |_| Trouble { fault: late(operation), close: true, again: false };
        if let Some(first_use) = run::first_use_of(&self.connector, &results.names) {
            let making = self.first_time(home, access, first_use, &results.names, until);
            if timeout_at(until.instant(), making).await.map_err(late)?? {
                // The rows that were just made may not have come to the address for reads.
                lines = &home.main;
            }
        }
        let mut transaction = Transaction::begin(lines, access, until, self.statement_timeout).await?;
        let running = async {
            run::all(&mut transaction, operation, &mut results).await?;
            reply(operation, results)
        };
        // Dropped at the deadline, the transaction's connection is stopped and closed.
        let ended = timeout_at(until.instant(), running).await;
        match ended.map_err(late)? {
            Ok(answer) => match (transaction.commit().await, access) {
                // What was read was read.
                (Ok(()), _) | (Err(_), Access::Read) => Ok(answer),
                (Err(trouble), Access::Write) => Err(trouble),
            },
            Err(fault) => {
                let again = transaction.again;
                transaction.rollback().await;
                Err(Trouble { fault, close: false, again })
            }
        }
    }

    fn home(&self) -> Result<&Home, Trouble> {
        match &self.instead {
            None => Ok(&self.own),
            Some(Some(instead)) => Ok(instead),
            Some(None) => {
                let text = format!(
                    "tests do not reach a connection's own PostgreSQL server; set {TEST_SERVER} to the address of one that may \
                     be played with"
                );
                Err(final_of(Outcome::Unavailable, text))
            }
        }
    }

    /// Makes the rows of somebody, where they are not there; gives whether it did.
    async fn first_time(
        &self,
        home: &Home,
        access: Access,
        first_use: &FirstUse,
        names: &Map<String, Value>,
        until: Deadline,
    ) -> Result<bool, Trouble> {
        let mut looking = Transaction::begin(home.lines(access), Access::Read, until, self.statement_timeout).await?;
        let there = run::are_there(&mut looking, first_use, names).await;
        let again = looking.again;
        looking.rollback().await;
        if there.map_err(|fault| Trouble { fault, close: false, again })? {
            return Ok(false);
        }
        let mut making = Transaction::begin(&home.main, Access::Write, until, self.statement_timeout).await?;
        let who = names.get(first_use.of.as_str()).map(Value::to_string).unwrap_or_default();
        let made = async {
            making.lock(&format!("legwork first_use {} {who}", self.connector.name), run::FIRST_USE).await?;
            run::make_rows(&mut making, first_use, names).await
        };
        match made.await {
            Ok(()) => making.commit().await.map(|()| true),
            Err(fault) => {
                let again = making.again;
                making.rollback().await;
                Err(Trouble { fault, close: false, again })
            }
        }
    }

    /// Makes the tables that are missing, once; those of a test are made with its connection.
    pub(super) async fn ready(&self, until: Deadline) -> Result<(), Trouble> {
        let brought = run::tables_of(&self.connector);
        if brought.is_empty() || self.instead.is_some() {
            return Ok(());
        }
        let making = async {
            let mut lent = self.own.main.take(until).await?;
            let connection = lent.connection().map_err(|error| fault::of(&error, "`tables`"))?;
            let made = timeout_at(until.instant(), tables::make(connection, brought)).await;
            let trouble = match made {
                Ok(Ok(())) => {
                    lent.give_back();
                    return Ok(());
                }
                Ok(Err(NotMade::Failed(error))) => fault::of(&error, "`tables`"),
                Ok(Err(NotMade::Wrong(text))) => final_of(Outcome::Misconfigured, text),
                Err(_) => final_of(Outcome::Unavailable, "`tables`: the server does not answer in time".to_owned()),
            };
            lent.close();
            Err(trouble)
        };
        self.made.get_or_try_init(|| making).await.map(|_| ())
    }
}
