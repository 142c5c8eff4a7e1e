//! The store of a project: opened where the project has something to keep.

use std::path::Path;
use std::sync::Arc;

use crate::connector::catalog;
use crate::plan::action::Changes;
use crate::plan::connector::Connection;
use crate::plan::settings::{MainStore, Stores};
use crate::plan::{Project, print};
use crate::resilience::SecondLevel;
use crate::secret::Secret;
#[cfg(feature = "redis")]
use crate::store::RedisCache;
use crate::store::{Keys, Place, Store};

/// The project's store; one in memory where nothing has to be kept, so that no file is made for nothing. A server is for what
/// replicas share, which is more.
///
/// # Errors
/// What is missing or cannot be opened; never a secret.
pub(super) async fn store(project: &Project, folder: &Path) -> Result<Arc<Store>, String> {
    let opened = match keeps(project) {
        true => open(&project.settings.stores, folder).await,
        false => Store::in_memory().await,
    };
    opened.map(Arc::new)
}

/// Whether a project's servers keep anything in its store, and so hear of what is told there.
#[must_use]
pub fn keeps(project: &Project) -> bool {
    let stores = &project.settings.stores;
    let writes = project.actions.values().any(|action| action.changes > Changes::Nothing);
    let sends_codes = project.settings.verify.code.is_some();
    writes || sends_codes || !stores.keys.is_empty() || matches!(stores.main, MainStore::Server(_))
}

/// The store that legwork.yml names, when there is one: looking for a file makes none.
///
/// # Errors
/// As [`open`].
pub async fn existing(stores: &Stores, folder: &Path) -> Result<Option<Store>, String> {
    match &stores.main {
        MainStore::File(file) if !folder.join(file).exists() => Ok(None),
        _ => open(stores, folder).await.map(Some),
    }
}

/// The store that legwork.yml names.
///
/// # Errors
/// What is missing or cannot be opened; never a secret.
pub async fn open(stores: &Stores, folder: &Path) -> Result<Store, String> {
    let keys = keys(stores, folder)?;
    let unusable = |wrong| format!("`stores.main` cannot be used: {wrong}");
    match &stores.main {
        MainStore::File(file) => Store::open(&Place::File(&folder.join(file)), keys).await,
        MainStore::Server(address) => {
            let address = address.resolve(folder).map_err(|missing| unusable(missing.to_string()))?;
            Store::open(&Place::Postgres(&address), keys).await
        }
    }
    .map_err(unusable)
}

/// What the stores are sealed with; none without a key.
fn keys(stores: &Stores, folder: &Path) -> Result<Option<Keys>, String> {
    let keys: Result<Vec<_>, _> = stores.keys.iter().map(|key| key.resolve(folder)).collect();
    let keys = keys.and_then(|keys| if keys.is_empty() { Ok(None) } else { Keys::new(&keys).map(Some) });
    keys.map_err(|wrong| format!("`stores.key` cannot be used: {wrong}"))
}

/// Whose answers in the second level of the cache are this project's own: only processes find each other's that have the same
/// files, the same settings and credentials of connections, and the same key. What one system said to one account is never told
/// of another.
///
/// # Errors
/// What is missing; never a secret.
pub(super) fn scope(
    stores: &Stores,
    project: &Project,
    connections: &[Connection],
    folder: &Path,
) -> Result<[u8; 32], String> {
    let mut scope: Vec<Vec<u8>> = vec![env!("CARGO_PKG_VERSION").into(), project.print.to_vec()];
    scope.extend(catalog::BUILT_IN.iter().map(|source| source.text.into()));
    scope.extend(connections.iter().flat_map(Connection::parts));
    if let Some(newest) = stores.keys.first() {
        scope.push(newest.resolve(folder).map_err(unusable)?.expose().into());
    }
    Ok(print(scope.iter().map(Vec::as_slice)))
}

/// The second level of the cache that legwork.yml names, not connected yet; none where it names none.
///
/// # Errors
/// What is missing or cannot be used; never a secret.
pub(super) fn second_level(stores: &Stores, scope: [u8; 32], folder: &Path) -> Result<Option<Arc<dyn SecondLevel>>, String> {
    let Some(address) = &stores.cache else { return Ok(None) };
    let address = address.resolve(folder).map_err(unusable)?;
    open_redis(&address, keys(stores, folder)?, &[&scope]).map(Some).map_err(unusable)
}

fn unusable(wrong: String) -> String {
    format!("`stores.cache` cannot be used: {wrong}")
}

#[cfg(feature = "redis")]
fn open_redis(address: &Secret, keys: Option<Keys>, scope: &[&[u8]]) -> Result<Arc<dyn SecondLevel>, String> {
    Ok(Arc::new(RedisCache::new(address, keys, scope, fastrand::Rng::new())?))
}

#[cfg(not(feature = "redis"))]
fn open_redis(_: &Secret, _: Option<Keys>, _: &[&[u8]]) -> Result<Arc<dyn SecondLevel>, String> {
    Err("this legwork was built without Redis: leave it out".to_owned())
}
