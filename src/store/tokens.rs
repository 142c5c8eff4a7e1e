//! The keeping of rotated tokens: what it promises, for tests in memory, and the refusal where no key is configured.
//!
//! A store knows names and secrets. It is asked before every use of a rotating token, and has a new one before that is used.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::future::{BoxFuture, FutureExt as _, ready};

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

/// Keeps secrets under names, beyond the end of the process.
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
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>>;

    /// Keeps a secret under a name, in the place of an earlier one. When this is done, it outlives the process.
    ///
    /// # Errors
    /// When it cannot be kept; the earlier one is then as it was.
    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// A store that ends with the process, for tests.
#[derive(Debug, Default)]
pub struct MemoryTokens(Mutex<HashMap<String, Secret>>);

impl TokenStore for MemoryTokens {
    fn usable(&self) -> Result<(), String> {
        Ok(())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        ready(Ok(found)).boxed()
    }

    fn put<'a>(&'a self, name: &'a str, secret: &'a Secret) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), secret.clone());
        ready(Ok(())).boxed()
    }
}

/// Stands where no store is configured, and refuses.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTokens;

const NO_KEY: &str = "its refresh token is replaced at every use, and the new one has to be kept sealed: set `stores.key` \
     in legwork.yml to a reference such as ${LEGWORK_STORE_KEY}, made with `openssl rand -base64 32`";

impl TokenStore for NoTokens {
    fn usable(&self) -> Result<(), String> {
        Err(NO_KEY.to_owned())
    }

    fn get<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<Secret>, StoreError>> {
        ready(Err(StoreError::Misconfigured(NO_KEY.to_owned()))).boxed()
    }

    fn put<'a>(&'a self, _: &'a str, _: &'a Secret) -> BoxFuture<'a, Result<(), StoreError>> {
        ready(Err(StoreError::Misconfigured(NO_KEY.to_owned()))).boxed()
    }
}
