//! A private copy of a database file, for tests: what they write never reaches the file.

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Error};

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
