//! A few open connections to one database, lent out one call at a time, and one turn to write.
//!
//! Writers of this process queue for their turn, first come, first served; SQLite would let them poll for the lock.
//! A session that comes back in the middle of a statement, because its call was dropped or ran out of time, is interrupted:
//! SQLite stops at once instead of working for nobody. It is lent out again only once it has stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Error};
use tokio::sync::{Semaphore, SemaphorePermit};

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
    permits: Semaphore,
    free: Mutex<Vec<Line>>,
    turn: tokio::sync::Mutex<()>,
}

/// An open connection and its brake.
struct Line {
    connection: SqliteConnection,
    stop: Arc<AtomicBool>,
}

/// A connection that is lent out. Dropped before [`Session::finish`], it interrupts what it is doing.
pub(super) struct Session<'a> {
    sessions: &'a Sessions,
    line: Option<Line>,
    _permit: SemaphorePermit<'a>,
}

impl Sessions {
    /// At most `most` connections, opened as they are needed.
    pub(super) fn new(options: SqliteConnectOptions, most: usize) -> Self {
        Self {
            options: options.disable_statement_logging(),
            permits: Semaphore::new(most),
            free: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// Waits for a connection that nobody uses.
    ///
    /// # Errors
    /// When the database cannot be opened.
    pub(super) async fn take(&self) -> Result<Session<'_>, Error> {
        let permit = self.permits.acquire().await.map_err(|_| Error::PoolClosed)?;
        let free = self.free().pop();
        let line = match free {
            Some(line) => line,
            None => Line::open(&self.options).await?,
        };
        // From here on the line goes back when this is dropped: a database in memory must not end with a caller.
        let mut session = Session { sessions: self, line: Some(line), _permit: permit };
        session.settle().await?;
        Ok(session)
    }

    /// Waits for the turn to write; it ends with what is returned.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    fn free(&self) -> MutexGuard<'_, Vec<Line>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
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
}

impl Session<'_> {
    /// The connection.
    ///
    /// # Errors
    /// Never while the session is lent out.
    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        self.line.as_mut().map(|line| &mut line.connection).ok_or(Error::PoolClosed)
    }

    /// Gives the connection back; nothing runs on it any more.
    pub(super) fn finish(mut self) {
        self.give_back(false);
    }

    /// Waits until what was interrupted has stopped. Whoever holds the handle has the driver's thread to itself.
    async fn settle(&mut self) -> Result<(), Error> {
        if let Some(line) = self.line.as_mut().filter(|line| line.stop.load(Ordering::Relaxed)) {
            drop(line.connection.lock_handle().await?);
            line.stop.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    fn give_back(&mut self, interrupt: bool) {
        if let Some(line) = self.line.take() {
            if interrupt {
                line.stop.store(true, Ordering::Relaxed);
            }
            self.sessions.free().push(line);
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.give_back(true);
    }
}
