//! A few open connections to one server, lent out one call at a time.
//!
//! What is lent comes back by [`Lent::give_back`] only when nothing is open on it. Anything else that happens to it (its call
//! is dropped, runs out of time, or ends in doubt) closes it, after the server was asked to stop what it was doing: a
//! connection in doubt is never lent again, so nothing that a call does can poison the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Error};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use super::fault::{self, Trouble};
use super::tables;
use crate::connector::sql::run;
use crate::fault::{Fault, Outcome};
use crate::plan::connector::{Connector, Pool};
use crate::telemetry::{DatabaseLine, LineUse};
use crate::time::Deadline;

/// Firewalls forget connections that nothing was heard of for longer.
const MOST_IDLE: Duration = Duration::from_mins(4);

/// The connections to one server.
pub(super) struct Lines {
    options: PgConnectOptions,
    connect_timeout: Duration,
    size: u32,
    permits: Arc<Semaphore>,
    free: Mutex<Vec<Free>>,
    connector: Arc<Connector>,
    /// Whether everything happens in one transaction that is never committed, with temporary tables.
    scratch: bool,
}

struct Free {
    line: PgConnection,
    since: Instant,
    _counted: DatabaseLine,
}

/// A connection that is lent out.
pub(super) struct Lent {
    lines: Arc<Lines>,
    line: Option<PgConnection>,
    /// By which number the server knows what works for it: behind a pooler, that is another one every time.
    pub(super) process: Option<i32>,
    permit: Option<OwnedSemaphorePermit>,
    counted: Option<DatabaseLine>,
    /// Whether it was used before, so that it may be dead without anybody knowing.
    pub(super) reused: bool,
}

impl Lines {
    /// As many connections as the pool says, opened as they are needed.
    pub(super) fn new(connector: &Arc<Connector>, options: PgConnectOptions, pool: Pool) -> Arc<Self> {
        Arc::new(Self::of(connector, options, pool.size.get(), pool.connect_timeout, false))
    }

    /// One connection, on which nothing lasts.
    pub(super) fn scratch(connector: &Arc<Connector>, options: PgConnectOptions, pool: Pool) -> Arc<Self> {
        Arc::new(Self::of(connector, options, 1, pool.connect_timeout, true))
    }

    fn of(
        connector: &Arc<Connector>,
        options: PgConnectOptions,
        size: u32,
        connect_timeout: Duration,
        scratch: bool,
    ) -> Self {
        let permits = Arc::new(Semaphore::new(usize::try_from(size).unwrap_or(1)));
        Self { options, connect_timeout, size, permits, free: Mutex::default(), connector: Arc::clone(connector), scratch }
    }

    /// Whether nothing that happens on these connections lasts.
    pub(super) const fn is_scratch(&self) -> bool {
        self.scratch
    }

    /// Waits for a connection that nobody uses.
    ///
    /// # Errors
    /// When all are busy until then, or the server cannot be reached.
    pub(super) async fn take(self: &Arc<Self>, until: Deadline) -> Result<Lent, Trouble> {
        let permit = match timeout_at(until.instant(), Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => {
                return Err(final_of(
                    Outcome::Unavailable,
                    format!("all {} connections to the database are busy", self.size),
                ));
            }
        };
        let free = self.free().pop();
        let (line, reused) = match free {
            Some(free) if free.since.elapsed() < MOST_IDLE => (free.line, true),
            _ => {
                // What lay below it has been idle for longer still.
                self.forget();
                (self.open(until).await?, false)
            }
        };
        let counted = Some(DatabaseLine::new(&self.connector.name, LineUse::Busy));
        Ok(Lent { lines: Arc::clone(self), line: Some(line), process: None, permit: Some(permit), counted, reused })
    }

    /// Closes every connection that nobody uses: the server that they lead to is gone.
    pub(super) fn forget(&self) {
        let gone = std::mem::take(&mut *self.free());
        drop(gone);
    }

    async fn open(&self, until: Deadline) -> Result<PgConnection, Trouble> {
        let place = "connecting to the database";
        let connecting = timeout(self.soon(until), self.options.connect());
        let late = |_| final_of(Outcome::Unavailable, format!("{place}: the server does not answer in time"));
        let mut line = connecting.await.map_err(late)?.map_err(|error| fault::of(&error, place))?;
        if self.scratch {
            let made = tables::for_scratch(&mut line, run::tables_of(&self.connector)).await;
            made.map_err(|text| final_of(Outcome::Misconfigured, text))?;
        }
        Ok(line)
    }

    /// How long something may take that a server does at once when it is there.
    pub(super) fn soon(&self, until: Deadline) -> Duration {
        self.connect_timeout.min(until.left())
    }

    /// Asks the server to stop what it does for a connection, which is then closed: a request that comes late must not stop
    /// what somebody else does on it.
    async fn stop(&self, line: PgConnection, process: i32) {
        let stopping = async {
            let mut other = self.options.connect().await?;
            sqlx::query("select pg_cancel_backend($1)").bind(process).execute(&mut other).await
        };
        let _ = timeout(self.connect_timeout, stopping).await;
        drop(line);
    }

    fn free(&self) -> MutexGuard<'_, Vec<Free>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lent {
    /// The connection.
    ///
    /// # Errors
    /// Never while it is lent out.
    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, Error> {
        self.line.as_mut().ok_or(Error::PoolClosed)
    }

    /// Gives it back; nothing is open on it any more.
    pub(super) fn give_back(mut self) {
        if let Some(line) = self.line.take() {
            let counted = DatabaseLine::new(&self.lines.connector.name, LineUse::Idle);
            self.lines.free().push(Free { line, since: Instant::now(), _counted: counted });
        }
    }

    /// Closes it; nothing runs on it any more.
    pub(super) fn close(mut self) {
        drop(self.line.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(line), Some(process), Ok(runtime)) = (self.line.take(), self.process, Handle::try_current()) {
            let (lines, permit, counted) = (Arc::clone(&self.lines), self.permit.take(), self.counted.take());
            runtime.spawn(async move {
                lines.stop(line, process).await;
                drop((permit, counted));
            });
        }
    }
}

/// Trouble that trying again at once does not mend.
pub(super) fn final_of(outcome: Outcome, text: String) -> Trouble {
    Trouble { fault: Fault::new(outcome, text), close: true, again: false }
}
