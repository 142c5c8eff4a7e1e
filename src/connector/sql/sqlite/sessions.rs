//! A few open connections to one database, lent out one call at a time, and one turn to write.
//!
//! Writers of this process queue for their turn, first come, first served; SQLite would let them poll for the lock.
//! A session that comes back in the middle of a statement or a transaction, because its call failed, was dropped or ran out of
//! time, is interrupted and taken back: SQLite stops at once instead of working for nobody. It is lent out again, and the
//! next writer has its turn, only once nothing is left of that.
//!
//! Transactions are plain statements. SQLite ends one of its own accord when a statement in it is interrupted, or the disk is
//! full or fails; the driver's own transactions never hear of it, and the driver refuses every further one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Error};
use tokio::runtime::Handle;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// A database in memory is its one connection.
pub(super) const MEMORY: usize = 1;
/// Readers of a file do not wait for each other.
pub(super) const FILE: usize = 4;
/// How long SQLite waits for another process that writes. Such a wait cannot be interrupted.
pub(super) const BUSY: Duration = Duration::from_secs(1);
/// After how many of its instructions SQLite asks whether to go on.
const ASK_EVERY: i32 = 2_000;

/// The connections to one database.
pub(super) struct Sessions {
    options: SqliteConnectOptions,
    permits: Arc<Semaphore>,
    free: Arc<Free>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// The turn to write.
pub(super) type Turn = OwnedMutexGuard<()>;

/// An open connection and its brake.
struct Line {
    connection: SqliteConnection,
    stop: Arc<AtomicBool>,
}

/// A connection that is lent out. Dropped before [`Session::finish`], it takes back what it is in the middle of.
pub(super) struct Session {
    free: Arc<Free>,
    lent: Option<Lent>,
}

/// The connections that nobody uses.
#[derive(Default)]
struct Free(Mutex<Vec<Line>>);

/// What goes back with a session, the connection first.
struct Lent {
    line: Line,
    permit: OwnedSemaphorePermit,
    turn: Option<Turn>,
}

impl Sessions {
    /// At most `most` connections, opened as they are needed.
    pub(super) fn new(options: SqliteConnectOptions, most: usize) -> Self {
        Self {
            options: options.disable_statement_logging(),
            permits: Arc::new(Semaphore::new(most)),
            free: Arc::default(),
            turn: Arc::default(),
        }
    }

    /// Waits for a connection that nobody uses. The turn to write ends with it.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) async fn take(&self, turn: Option<Turn>) -> Result<Session, Error> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
        let line = match self.free.pop() {
            Some(line) => line,
            None => Line::open(&self.options).await?,
        };
        Ok(Session { free: Arc::clone(&self.free), lent: Some(Lent { line, permit, turn }) })
    }

    /// Waits for the turn to write.
    pub(super) async fn turn(&self) -> Turn {
        Arc::clone(&self.turn).lock_owned().await
    }
}

impl Free {
    fn pop(&self) -> Option<Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, lent: Lent) {
        let Lent { line, permit, turn } = lent;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        drop((permit, turn));
    }
}

impl Line {
    async fn open(options: &SqliteConnectOptions) -> Result<Self, Error> {
        let mut connection = options.connect().await?;
        let stop = Arc::new(AtomicBool::new(false));
        let brake = Arc::clone(&stop);
        connection.lock_handle().await?.set_progress_handler(ASK_EVERY, move || !brake.load(Ordering::Relaxed));
        Ok(Self { connection, stop })
    }

    /// Stops what runs, and takes its transaction back.
    async fn take_back(&mut self) -> Result<(), Error> {
        self.stop.store(true, Ordering::Relaxed);
        // Whoever holds the handle has the driver's thread to itself: what was asked for before has stopped.
        drop(self.connection.lock_handle().await?);
        self.stop.store(false, Ordering::Relaxed);
        // Refused where there is none, or none any more.
        let _refused = sqlx::raw_sql("rollback").execute(&mut self.connection).await;
        Ok(())
    }
}

impl Session {
    /// The connection.
    ///
    /// # Errors
    /// Never while the session is lent out.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.lent.as_mut().map(|lent| &mut lent.line.connection).ok_or(Error::PoolClosed)
    }

    /// Begins a transaction, with the right to write.
    ///
    /// # Errors
    /// When the database is busy or fails.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        sqlx::raw_sql("begin immediate").execute(self.connection()?).await.map(|_| ())
    }

    /// Ends the transaction: what it changed stays.
    ///
    /// # Errors
    /// When that cannot be kept; it is taken back with the session.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        sqlx::raw_sql("commit").execute(self.connection()?).await.map(|_| ())
    }

    /// Gives the connection back; nothing runs on it any more, and no transaction is open.
    pub(super) fn finish(mut self) {
        if let Some(lent) = self.lent.take() {
            self.free.give_back(lent);
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let (Some(mut lent), Ok(runtime)) = (self.lent.take(), Handle::try_current()) {
            // SQLite is to stop now, not when the task gets to it.
            lent.line.stop.store(true, Ordering::Relaxed);
            let free = Arc::clone(&self.free);
            runtime.spawn(async move {
                // A connection that fails even so is closed.
                if lent.line.take_back().await.is_ok() {
                    free.give_back(lent);
                }
            });
        }
    }
}
