//! Tokens in an SQLite file, sealed.
//!
//! A token that was put is on the disk before the call returns. A file that is made here can be read by its owner alone; it
//! holds names in the open, and secrets only as the keys seal them.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _, Error};
use tokio::sync::Mutex;

use super::migrate::migrate;
use super::seal::Keys;
use super::tokens::{StoreError, TokenStore};
use crate::secret::Secret;

/// How long to wait for another process that writes.
const BUSY: Duration = Duration::from_secs(5);

/// A store in an SQLite file.
pub struct SqliteTokens {
    file: PathBuf,
    keys: Keys,
    connection: Mutex<SqliteConnection>,
}

impl SqliteTokens {
    /// Opens the file, which is made when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// What is wrong with the file and what to do.
    pub async fn open(file: &Path, keys: Keys) -> Result<Self, String> {
        let shown = file.display();
        let failed = |error: Error| format!("the store {shown} cannot be opened: {error}");
        create(file).map_err(|error| format!("the store {shown} cannot be made: {error}"))?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .journal_mode(SqliteJournalMode::Wal)
            // In a write-ahead log, less than this may lose what was committed last when the power fails.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(failed)?;
        migrate(&mut connection).await.map_err(|reason| format!("the store {shown} cannot be used: {reason}"))?;
        Ok(Self { file: file.to_owned(), keys, connection: Mutex::new(connection) })
    }

    async fn read(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let found = {
            let mut connection = self.connection.lock().await;
            let query = sqlx::query_scalar::<_, Vec<u8>>("select sealed from legwork_tokens where name = ?").bind(name);
            query.fetch_optional(&mut *connection).await.map_err(|error| self.failed(&error))?
        };
        let Some(sealed) = found else { return Ok(None) };
        let opened = self.keys.open(&place(name), &sealed).map_err(|reason| reason.to_string());
        let text = opened.and_then(|plain| String::from_utf8(plain).map_err(|_| "it is not a text".to_owned()));
        let text = text.map_err(|reason| {
            let text = format!("a token in the store {} does not open: {reason}", self.file.display());
            StoreError::Misconfigured(text)
        })?;
        Ok(Some(Secret::new(text)))
    }

    async fn write(&self, name: &str, secret: &Secret) -> Result<(), StoreError> {
        let sealed = self.keys.seal(&place(name), secret.expose().as_bytes()).map_err(StoreError::Unavailable)?;
        let mut connection = self.connection.lock().await;
        let upsert = "insert into legwork_tokens (name, sealed) values (?, ?) \
                      on conflict (name) do update set sealed = excluded.sealed";
        let query = sqlx::query(upsert).bind(name).bind(sealed);
        query.execute(&mut *connection).await.map(|_| ()).map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &Error) -> StoreError {
        StoreError::Unavailable(format!("the store {} fails: {error}", self.file.display()))
    }

    /// Closes the file, its log merged into it.
    ///
    /// # Errors
    /// When SQLite cannot finish.
    pub async fn close(self) -> Result<(), String> {
        let closed = self.connection.into_inner().close().await;
        closed.map_err(|error| format!("the store {} cannot be closed: {error}", self.file.display()))
    }
}

impl TokenStore for SqliteTokens {
    fn usable(&self) -> Result<(), String> {
        Ok(())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>> {
        self.read(name).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret) -> BoxFuture<'a, Result<(), StoreError>> {
        self.write(name, secret).boxed()
    }
}

/// What a token is sealed for.
fn place(name: &str) -> String {
    format!("token/{name}")
}

/// Makes the file before SQLite does, which would let everybody read it. Its log gets the same rights.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|text| Secret::new((*text).to_owned())).collect::<Vec<_>>()).unwrap()
    }

    const OLD: &str = "an old passphrase, long enough";
    const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    async fn shown(store: &SqliteTokens, name: &str) -> Option<String> {
        store.get(name).await.unwrap().map(|secret| secret.expose().to_owned())
    }

    #[tokio::test]
    async fn a_token_outlives_the_process_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("legwork.db");
        let store = SqliteTokens::open(&file, keys(&[OLD])).await.unwrap();
        assert_eq!(shown(&store, "a").await, None);
        store.put("a", &secret("hunter1")).await.unwrap();
        store.put("a", &secret("hunter2")).await.unwrap();
        // As after a crash: the file is opened anew while nobody has closed it.
        let again = SqliteTokens::open(&file, keys(&[NEW, OLD])).await.unwrap();
        assert_eq!(shown(&again, "a").await.as_deref(), Some("hunter2"));
        again.put("b", &secret("hunter3")).await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"hunter"), "{}", path.display());
        }
        again.close().await.unwrap();
        let newest = SqliteTokens::open(&file, keys(&[NEW])).await.unwrap();
        assert_eq!(shown(&newest, "b").await.as_deref(), Some("hunter3"));
        let unknown = newest.get("a").await.unwrap_err();
        assert!(
            matches!(&unknown, StoreError::Misconfigured(text) if text.contains("a key that is not configured")),
            "{unknown}"
        );
    }

    #[tokio::test]
    async fn a_token_does_not_open_under_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteTokens::open(&folder.path().join("legwork.db"), keys(&[NEW])).await.unwrap();
        store.put("a", &secret("hunter2")).await.unwrap();
        sqlx::query("update legwork_tokens set name = 'b'").execute(&mut *store.connection.lock().await).await.unwrap();
        assert!(matches!(store.get("b").await, Err(StoreError::Misconfigured(_))));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteTokens::open(&folder.path().join("legwork.db"), keys(&[NEW])).await.unwrap();
        store.put("a", &secret("hunter2")).await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", entry.path().display());
        }
    }

    #[tokio::test]
    async fn a_file_that_is_something_else_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("notes.txt");
        std::fs::write(&file, "not a database at all, but rather a long and quite ordinary text").unwrap();
        let refused = SqliteTokens::open(&file, keys(&[NEW])).await.err().unwrap();
        assert!(refused.contains("notes.txt") && refused.contains("not a database"), "{refused}");
    }
}
