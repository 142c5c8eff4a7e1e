//! Private copies of databases, for tests: of a file, which what they write never reaches, and of one that was made just now, so
//! that it need not be made for each of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf};
use sqlx::{ConnectOptions as _, Error};

/// What the databases of connectors look like that begin anew, by the connector's name, where many are opened of one project.
#[derive(Default)]
pub struct Fresh(Mutex<HashMap<Arc<str>, Arc<[u8]>>>);

impl Fresh {
    /// Makes an empty database what the one was that was kept; whether there was one.
    pub(super) async fn restore(&self, connector: &Arc<str>, into: &mut SqliteConnection) -> Result<bool, Error> {
        let image = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(connector).cloned();
        let Some(image) = image else { return Ok(false) };
        let Ok(image) = SqliteOwnedBuf::try_from(&*image) else { return Ok(false) };
        into.deserialize(None, image, false).await.map(|()| true)
    }

    /// Keeps what a database looks like now.
    pub(super) async fn keep(&self, connector: &Arc<str>, made: &mut SqliteConnection) -> Result<(), Error> {
        let image: Arc<[u8]> = made.serialize(None).await?.as_ref().into();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(connector), image);
        Ok(())
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fresh(…)")
    }
}

/// Where a database file says how it is written: 1 is a rollback journal, 2 a write-ahead log.
const FORMAT_VERSIONS: [usize; 2] = [18, 19];

/// Copies the database of `file` into an open connection of a database in memory, as one reader sees it now.
///
/// # Errors
/// When the file cannot be read.
pub(super) async fn copy(file: SqliteConnectOptions, into: &mut SqliteConnection) -> Result<(), Error> {
    let mut source = file.read_only(true).connect().await?;
    let mut image = source.serialize(None).await?;
    // A database in memory has no write-ahead log, and one that says it has is not opened.
    for at in FORMAT_VERSIONS {
        if let Some(version) = image.get_mut(at) {
            *version = 1;
        }
    }
    into.deserialize(None, image, false).await
}
