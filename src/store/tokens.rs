//! The keeping of rotated tokens: what it promises, for tests in memory, and the refusal where no key is configured.
//!
//! A store knows names and secrets. It is asked before every use of a rotating token, and has a new one before that is used.
//! Who replaces one has its name locked meanwhile, and none takes the place of one that its owner has not seen.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _, ready};

use super::Lease;
use crate::secret::Secret;

/// Why a store could not do what it was asked; never with a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It may work later: a full disk, a busy file.
    #[error("{0}")]
    Unavailable(String),
    /// An operator must change something: no key, another key, a wrong file.
    #[error("{0}")]
    Misconfigured(String),
}

/// A secret as it is kept.
#[derive(Debug, Clone)]
pub struct KeptToken {
    /// The secret.
    pub secret: Secret,
    /// How often one was put under its name.
    pub version: i64,
}

/// Keeps secrets under names, beyond the end of the process, for all processes that share the store.
pub trait TokenStore: Send + Sync {
    /// Whether it can keep anything at all; asked at the start, before the first secret comes into being.
    ///
    /// # Errors
    /// What to configure.
    fn usable(&self) -> Result<(), String>;

    /// The secret that was put last under a name.
    ///
    /// # Errors
    /// When it cannot be read or unsealed.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<KeptToken>, StoreError>>;

    /// Keeps a secret under a name, in the place of the one of that version, 0 for none. When this is done, it outlives the
    /// process; false when another has been put there meanwhile, which stays.
    ///
    /// # Errors
    /// When it cannot be kept; the earlier one is then as it was.
    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret, over: i64) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Takes a name for oneself until the lease runs out; false when another has it.
    ///
    /// # Errors
    /// When that cannot be noted.
    fn lock<'a>(&'a self, name: &'a str, lease: Lease<'a>) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Lets a name go, when it is still that owner's.
    ///
    /// # Errors
    /// When that cannot be noted.
    fn unlock<'a>(&'a self, name: &'a str, owner: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// A store that ends with the process, for tests.
#[derive(Debug, Default)]
pub struct MemoryTokens {
    tokens: Mutex<HashMap<String, KeptToken>>,
    locks: Mutex<HashMap<String, (String, i64)>>,
}

impl MemoryTokens {
    fn tokens(&self) -> MutexGuard<'_, HashMap<String, KeptToken>> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<String, (String, i64)>> {
        self.locks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for MemoryTokens {
    fn usable(&self) -> Result<(), String> {
        Ok(())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<KeptToken>, StoreError>> {
        ready(Ok(self.tokens().get(name).cloned())).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret, over: i64) -> BoxFuture<'a, Result<bool, StoreError>> {
        let mut tokens = self.tokens();
        let is_next = tokens.get(name).map_or(0, |kept| kept.version) == over;
        if is_next {
            tokens.insert(name.to_owned(), KeptToken { secret: secret.clone(), version: over + 1 });
        }
        ready(Ok(is_next)).boxed()
    }

    fn lock<'a>(&'a self, name: &'a str, lease: Lease<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        let mut locks = self.locks();
        let is_free = locks.get(name).is_none_or(|(_, until)| *until <= lease.now);
        if is_free {
            locks.insert(name.to_owned(), (lease.owner.to_owned(), lease.until));
        }
        ready(Ok(is_free)).boxed()
    }

    fn unlock<'a>(&'a self, name: &'a str, owner: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.locks().retain(|locked, (by, _)| locked != name || by != owner);
        ready(Ok(())).boxed()
    }
}

/// Stands where no store is configured, and refuses.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTokens;

pub(super) const NO_KEY: &str = "its refresh token is replaced at every use, and the new one has to be kept sealed: set `stores.key` \
     in legwork.yml to a reference such as ${LEGWORK_STORE_KEY}, made with `openssl rand -base64 32`";

impl TokenStore for NoTokens {
    fn usable(&self) -> Result<(), String> {
        Err(NO_KEY.to_owned())
    }

    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<KeptToken>, StoreError>> {
        refused()
    }

    fn put<'a>(&'a self, _: &'a str, _: &'a Secret, _: i64) -> BoxFuture<'a, Result<bool, StoreError>> {
        refused()
    }

    fn lock<'a>(&'a self, _: &'a str, _: Lease<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        refused()
    }

    fn unlock<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        refused()
    }
}

fn refused<'a, T: Send + 'a>() -> BoxFuture<'a, Result<T, StoreError>> {
    ready(Err(StoreError::Misconfigured(NO_KEY.to_owned()))).boxed()
}
