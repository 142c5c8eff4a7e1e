//! Copies a database file into memory, so that trying something out leaves the file alone.
//!
//! The copy is what SQLite itself would write (`vacuum into`): consistent, also while others write to the file.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Error};

use super::sessions::{MEMORY, Sessions};

/// The sessions of a copy of the database that `options` open.
///
/// # Errors
/// When the file cannot be opened or read.
pub(super) async fn in_memory(options: SqliteConnectOptions) -> Result<Sessions, Error> {
    static COPIES: AtomicU64 = AtomicU64::new(0);
    // SQLite's `memdb` keeps a database under a name for as long as one connection of this process is open.
    let name = format!("file:/legwork-copy-{}?vfs=memdb", COPIES.fetch_add(1, Ordering::Relaxed));
    let sessions = Sessions::new(SqliteConnectOptions::new().filename(&name), MEMORY);
    let session = sessions.take().await?;
    let mut source = options.disable_statement_logging().connect().await?;
    sqlx::query("vacuum into ?").bind(name).execute(&mut source).await?;
    source.close().await?;
    session.finish();
    Ok(sessions)
}
