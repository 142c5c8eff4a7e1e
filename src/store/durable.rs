//! The store itself: one database, and the keys that seal what is kept in it.
//!
//! What can tell something of a customer or a system is sealed where a key is configured, bound to its place; without one the
//! file's rights are all that protects it. Tokens are not kept at all without a key.

use aws_lc_rs::hmac;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::sync::OnceCell;

use super::Lease;
use super::db::{Arg, Db, Place};
use super::seal::Keys;
use super::tokens::{KeptToken, NO_KEY, StoreError, TokenStore};
use crate::secret::Secret;

/// The first byte of what is kept as it is; sealed bytes begin with their version, which is never 0.
const PLAIN: u8 = 0;

/// Keeps what has to outlive a call. Times are milliseconds since 1970.
pub struct Store {
    pub(super) db: Db,
    kind: &'static str,
    keys: Option<Keys>,
    /// What is counted or compared by digests is digested with this.
    pub(super) digests: OnceCell<hmac::Key>,
}

impl Store {
    /// Opens a store, which is made when there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub async fn open(place: &Place<'_>, keys: Option<Keys>) -> Result<Self, String> {
        let kind = match place {
            Place::File(_) => "sqlite",
            Place::Memory => "memory",
            Place::Postgres(_) => "postgres",
        };
        Ok(Self { db: Db::open(place).await?, kind, keys, digests: OnceCell::new() })
    }

    /// A store that ends with the process, for tests.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub async fn in_memory() -> Result<Self, String> {
        Self::open(&Place::Memory, None).await
    }

    /// What it is: `sqlite`, `postgres` or `memory`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether other processes may use it at the same time.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        self.db.is_shared()
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn reached(&self) -> Result<(), StoreError> {
        self.db.rows("select 1", &[]).await.map(|_| ())
    }

    /// Closes it; an SQLite file has its log merged into it.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Lets go of what was deleted, as far as the database leaves that to its user: in an SQLite file nothing of it is left. A
    /// PostgreSQL server lets go of it when it vacuums.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        self.db.scrub().await
    }

    pub(super) fn seal(&self, place: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        match &self.keys {
            Some(keys) => keys.seal(place, plain).map_err(StoreError::Unavailable),
            None => Ok(std::iter::once(PLAIN).chain(plain.iter().copied()).collect()),
        }
    }

    pub(super) fn unseal(&self, place: &str, kept: &[u8]) -> Result<Vec<u8>, StoreError> {
        let wrong = |reason: String| StoreError::Misconfigured(format!("what is in the store does not open: {reason}"));
        match (kept.split_first(), &self.keys) {
            (Some((&PLAIN, plain)), _) => Ok(plain.to_vec()),
            (_, Some(keys)) => keys.open(place, kept).map_err(|reason| wrong(reason.to_string())),
            (_, None) => Err(wrong("it is sealed, and `stores.key` is not set".to_owned())),
        }
    }

    pub(super) fn is_sealed_by_the_newest(&self, kept: &[u8]) -> bool {
        match &self.keys {
            Some(keys) => keys.is_newest(kept),
            None => kept.first() == Some(&PLAIN),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<KeptToken>, StoreError> {
        let query = "select sealed, version from legwork_tokens where name = $1";
        let Some(row) = self.db.row(query, &[Arg::Text(name)]).await? else { return Ok(None) };
        let opened = self.unseal(&place(name), &row.bytes(0)?)?;
        let text = String::from_utf8(opened);
        let text = text.map_err(|_| StoreError::Misconfigured("a token in the store is not a text".to_owned()))?;
        Ok(Some(KeptToken { secret: Secret::new(text), version: row.number(1)? }))
    }

    async fn keep(&self, name: &str, secret: &Secret, over: i64) -> Result<bool, StoreError> {
        self.usable().map_err(StoreError::Misconfigured)?;
        let sealed = self.seal(&place(name), secret.expose().as_bytes())?;
        let args = [Arg::Text(name), Arg::Bytes(Some(&sealed)), Arg::Number(over)];
        let changed = match over {
            0 => {
                let insert =
                    "insert into legwork_tokens (name, sealed, version) values ($1, $2, $3 + 1) on conflict do nothing";
                self.db.run(insert, &args).await?
            }
            _ => {
                let update = "update legwork_tokens set sealed = $2, version = version + 1 where name = $1 and version = $3";
                self.db.run(update, &args).await?
            }
        };
        Ok(changed > 0)
    }

    async fn take_lock(&self, name: &str, lease: Lease<'_>) -> Result<bool, StoreError> {
        let upsert = "insert into legwork_locks (name, owner, lease_until) values ($1, $2, $3) on conflict (name) do update \
                      set owner = excluded.owner, lease_until = excluded.lease_until where legwork_locks.lease_until <= $4";
        let args = [Arg::Text(name), Arg::Text(lease.owner), Arg::Number(lease.until), Arg::Number(lease.now)];
        Ok(self.db.run(upsert, &args).await? > 0)
    }

    async fn end_lock(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let delete = "delete from legwork_locks where name = $1 and owner = $2";
        self.db.run(delete, &[Arg::Text(name), Arg::Text(owner)]).await.map(|_| ())
    }
}

impl TokenStore for Store {
    fn usable(&self) -> Result<(), String> {
        match &self.keys {
            Some(_) => Ok(()),
            None => Err(NO_KEY.to_owned()),
        }
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<KeptToken>, StoreError>> {
        self.read(name).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret, over: i64) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.keep(name, secret, over).boxed()
    }

    fn lock<'a>(&'a self, name: &'a str, lease: Lease<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.take_lock(name, lease).boxed()
    }

    fn unlock<'a>(&'a self, name: &'a str, owner: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.end_lock(name, owner).boxed()
    }
}

/// What a token is sealed for.
fn place(name: &str) -> String {
    format!("token/{name}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn keys(secrets: &[&str]) -> Keys {
        Keys::new(&secrets.iter().map(|text| Secret::new((*text).to_owned())).collect::<Vec<_>>()).unwrap()
    }

    const OLD: &str = "an old passphrase, long enough";
    const NEW: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    async fn opened(file: &Path, secrets: &[&str]) -> Store {
        Store::open(&Place::File(file), Some(keys(secrets))).await.unwrap()
    }

    async fn shown(store: &Store, name: &str) -> Option<String> {
        store.get(name).await.unwrap().map(|kept| kept.secret.expose().to_owned())
    }

    #[tokio::test]
    async fn a_token_outlives_the_process_sealed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("legwork.db");
        let store = opened(&file, &[OLD]).await;
        assert_eq!(shown(&store, "a").await, None);
        assert!(store.put("a", &secret("hunter1"), 0).await.unwrap());
        assert!(store.put("a", &secret("hunter2"), 1).await.unwrap());
        for version in [0, 1, 3] {
            assert!(!store.put("a", &secret("hunter0"), version).await.unwrap(), "over version {version}");
        }
        // As after a crash: the file is opened anew while nobody has closed it.
        let again = opened(&file, &[NEW, OLD]).await;
        assert_eq!(shown(&again, "a").await.as_deref(), Some("hunter2"));
        again.put("b", &secret("hunter3"), 0).await.unwrap();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(6).any(|window| window == b"hunter"), "{}", path.display());
        }
        again.close().await;
        let newest = opened(&file, &[NEW]).await;
        assert_eq!(shown(&newest, "b").await.as_deref(), Some("hunter3"));
        let unknown = newest.get("a").await.unwrap_err();
        assert!(
            matches!(&unknown, StoreError::Misconfigured(text) if text.contains("a key that is not configured")),
            "{unknown}"
        );
    }

    #[tokio::test]
    async fn a_token_does_not_open_under_another_name_and_none_is_kept_without_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("legwork.db");
        let store = opened(&file, &[NEW]).await;
        store.put("a", &secret("hunter2"), 0).await.unwrap();
        store.db.run("update legwork_tokens set name = 'b'", &[]).await.unwrap();
        assert!(matches!(store.get("b").await, Err(StoreError::Misconfigured(_))));
        let keyless = Store::open(&Place::File(&file), None).await.unwrap();
        assert!(keyless.usable().is_err());
        assert!(matches!(keyless.put("c", &secret("hunter2"), 0).await, Err(StoreError::Misconfigured(_))));
        assert!(matches!(keyless.get("b").await, Err(StoreError::Misconfigured(text)) if text.contains("stores.key")));
    }

    #[tokio::test]
    async fn states_without_a_write_are_counted_too() {
        let tally = Store::in_memory().await.unwrap().tally().await.unwrap();
        assert_eq!(tally.len(), 7);
        assert!(tally.iter().all(|one| one.count == 0 && one.oldest == i64::MAX));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let store = opened(&folder.path().join("legwork.db"), &[NEW]).await;
        store.put("a", &secret("hunter2"), 0).await.unwrap();
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
        let refused = Store::open(&Place::File(&file), None).await.err().unwrap();
        assert!(refused.contains("notes.txt") && refused.contains("not a database"), "{refused}");
    }
}
