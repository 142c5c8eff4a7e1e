//! `kind: http`: runs operations over a vendor's HTTP API, as its connector's file describes it.
//!
//! `run` goes through an operation's requests, `exchange` takes one of them through the layers, `build` and `encode` make it
//! of values, `received` reads the answer and `meaning` says what it means. [`client`] alone names the HTTP library's client.
//! The host comes from settings only, and no value of a user reaches an error's text.

mod build;
mod client;
mod encode;
mod exchange;
mod meaning;
mod received;
mod run;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use reqwest::Url;
use serde_json::{Map, Value};

pub(super) use self::encode::scalar;
use self::client::{Client, ClientOptions};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connection, Connector, HttpSystem, SettingValue, System};
use crate::resilience::{Backoff, Limits};
use crate::template::{Scope, from_json, open_json};
use crate::time::Clock;

/// A vendor's API with this company's address and credentials.
pub(super) struct Remote {
    connector: Arc<Connector>,
    connection: ConnectionName,
    client: Client,
    base: Url,
    /// Settings and codes, for every template.
    offered: Scope,
    limits: Limits,
    backoff: Backoff,
    clock: Arc<dyn Clock>,
    rng: Mutex<fastrand::Rng>,
    /// The operations whose end the vendor has announced, and that was logged.
    announced: Mutex<HashSet<OperationName>>,
}

impl Remote {
    /// Makes everything ready; nothing is sent.
    ///
    /// # Errors
    /// What is wrong with the settings and what to do.
    pub(super) fn open(
        connection: &Connection,
        settings: &IndexMap<String, Option<SettingValue>>,
        clock: &Arc<dyn Clock>,
        rng: fastrand::Rng,
    ) -> Result<Self, String> {
        let connector = Arc::clone(&connection.connector);
        let System::Http(system) = &connector.system else { return Err("it is not of `kind: http`".to_owned()) };
        let offered = offered(system, settings);
        let base = base(system, &offered, &connection.rules.allow_private)?;
        let backoff = Backoff::new(system.retry.attempts, system.retry.first, system.retry.most)?;
        let limits = Limits::new(system.limits.concurrent, system.limits.rate);
        let client = Client::new(&ClientOptions { allow_private: connection.rules.allow_private.clone() })?;
        let (connection, clock, rng) = (connection.name.clone(), Arc::clone(clock), Mutex::new(rng));
        Ok(Self { connector, connection, client, base, offered, limits, backoff, clock, rng, announced: Mutex::default() })
    }

    fn system(&self) -> Option<&HttpSystem> {
        match &self.connector.system {
            System::Http(system) => Some(system),
            System::Sql(_) => None,
        }
    }

    /// Randomness of its own for one call.
    fn rng(&self) -> fastrand::Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }
}

/// What templates see of settings and codes. Secrets are not among it.
fn offered(system: &HttpSystem, settings: &IndexMap<String, Option<SettingValue>>) -> Scope {
    let shown = |value: &Option<SettingValue>| match value {
        Some(SettingValue::Text(text)) => text.as_str().into(),
        Some(SettingValue::Map(map)) => Value::Object(map.clone()),
        Some(SettingValue::Secret(_)) | None => Value::Null,
    };
    let settings: Map<_, _> = settings.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
    let scope = Scope::new(Arc::new(())).with("settings", open_json(&Value::Object(settings)));
    scope.with("codes", from_json(&Value::Object(system.codes.clone())))
}

fn base(system: &HttpSystem, offered: &Scope, private: &[String]) -> Result<Url, String> {
    let text = system.base.text(offered).map_err(|failed| format!("`base`: {failed}"))?;
    let wrong = "`base` does not become an https address; check the settings that it is made of";
    let url = Url::parse(text.trim()).map_err(|_| wrong)?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or(wrong)?;
    let plain = url.scheme() == "http" && private.iter().any(|allowed| allowed == host);
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if !bare || !(url.scheme() == "https" || plain) {
        return Err(wrong.to_owned());
    }
    Ok(url)
}
