//! The store of a project: opened where the project has something to keep.

use std::path::Path;
use std::sync::Arc;

use crate::connector::catalog;
use crate::plan::Project;
use crate::plan::action::Changes;
use crate::plan::connector::{Connection, SettingValue};
use crate::plan::settings::{MainStore, Stores};
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

/// The second level of the cache that legwork.yml names, not connected yet; none where it names none.
///
/// Only processes find each other's answers that have the same files, the same settings and credentials of connections, and the
/// same key: what one system said to one account is never told of another.
///
/// # Errors
/// What is missing or cannot be used; never a secret.
pub(super) fn second_level(
    project: &Project,
    connections: &[Connection],
    folder: &Path,
) -> Result<Option<Arc<dyn SecondLevel>>, String> {
    let stores = &project.settings.stores;
    let Some(address) = &stores.cache else { return Ok(None) };
    let unusable = |wrong| format!("`stores.cache` cannot be used: {wrong}");
    let address = address.resolve(folder).map_err(unusable)?;
    let mut scope: Vec<Vec<u8>> = vec![env!("CARGO_PKG_VERSION").into(), project.print.to_vec()];
    scope.extend(catalog::BUILT_IN.iter().map(|source| source.text.into()));
    for connection in connections {
        scope.push(connection.name.as_str().into());
        for (name, value) in &connection.settings {
            scope.push(name.as_str().into());
            scope.push(match value {
                SettingValue::Text(text) => text.as_str().into(),
                SettingValue::Secret(secret) => secret.expose().into(),
                SettingValue::Map(map) => serde_json::to_vec(map).unwrap_or_default(),
            });
        }
    }
    if let Some(newest) = stores.keys.first() {
        scope.push(newest.resolve(folder).map_err(unusable)?.expose().into());
    }
    let scope: Vec<_> = scope.iter().map(Vec::as_slice).collect();
    open_redis(&address, keys(stores, folder)?, &scope).map(Some).map_err(unusable)
}

#[cfg(feature = "redis")]
fn open_redis(address: &Secret, keys: Option<Keys>, scope: &[&[u8]]) -> Result<Arc<dyn SecondLevel>, String> {
    Ok(Arc::new(RedisCache::new(address, keys, scope, fastrand::Rng::new())?))
}

#[cfg(not(feature = "redis"))]
fn open_redis(_: &Secret, _: Option<Keys>, _: &[&[u8]]) -> Result<Arc<dyn SecondLevel>, String> {
    Err("this legwork was built without Redis: leave it out".to_owned())
}
