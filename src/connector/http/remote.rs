//! A vendor's API with this company's address and credentials, made ready when the project is opened.
//!
//! Nothing is sent here. The address comes from settings, is https, and holds neither user nor query; secrets go to `auth` and
//! are not among what templates see.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::encode::{is_identifier, no_identifier};
use super::{Client, ClientOptions, Identity, Url};
use crate::connector::auth::Auth;
use crate::connector::chain::Chain;
use crate::connector::connections::Surroundings;
use crate::connector::reply::named;
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::auth as plan;
use crate::plan::connector::{Connection, Connector, HttpStep, HttpSystem, Proxy, Rules, SettingValue, System, Work};
use crate::secret::{Reference, Secret};
use crate::template::{Scope, from_json, open_json, to_json};
use crate::time::Clock;

/// A vendor's API with this company's address and credentials.
pub(in crate::connector) struct Remote {
    pub(super) connector: Arc<Connector>,
    pub(super) connection: ConnectionName,
    pub(super) client: Arc<Client>,
    pub(super) auth: Auth,
    pub(super) base: Url,
    /// Settings and codes, for every template.
    pub(super) offered: Scope,
    pub(super) chain: Arc<Chain>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rng: Mutex<fastrand::Rng>,
    /// The operations whose end the vendor has announced, and that was logged.
    pub(super) announced: Mutex<HashSet<OperationName>>,
}

impl Remote {
    /// Makes everything ready; nothing is sent.
    ///
    /// # Errors
    /// What is wrong with the settings and what to do.
    pub(in crate::connector) fn open(
        connection: &Connection,
        settings: &IndexMap<String, Option<SettingValue>>,
        around: &Surroundings<'_>,
        rng: fastrand::Rng,
        chain: Arc<Chain>,
    ) -> Result<Self, String> {
        let Surroundings { folder, clock, tokens, .. } = around;
        let connector = Arc::clone(&connection.connector);
        let System::Http(system) = &connector.system else { return Err("it is not of `kind: http`".to_owned()) };
        let offered = named(&system.lets, offered(system, settings), Scope::clone)?;
        identifiers(&connector, &offered)?;
        let rules = &connection.rules;
        let mut base = base(system, &offered, &rules.allow_private)?;
        let mut allow_private = rules.allow_private.clone();
        let nothing = plan::Auth::none();
        let mut proof = &nothing;
        if let Some(stand_in) = &rules.stand_in {
            base = stood_in(&base, stand_in)?;
            allow_private.extend(base.host_str().map(str::to_owned));
        } else {
            proof = chosen(&system.auth, &connector, settings)?;
        }
        let path = |file: &String| folder.join(file);
        let secret = |reference: &Reference| reference.resolve(folder);
        let identity = rules.reach.identity.as_ref().map(|identity| {
            let password = identity.password.as_ref().map(secret).transpose()?;
            Ok::<_, String>(Identity { certificate: path(&identity.file), key: path(&identity.key), password })
        });
        let proxy = rules.reach.proxy.as_ref().map(|proxy| match proxy {
            Proxy::Written(address) => Ok(Secret::new(address.clone())),
            Proxy::Kept(reference) => secret(reference),
        });
        let options = ClientOptions {
            allow_private,
            identity: identity.transpose()?,
            authorities: rules.reach.authorities.as_ref().map(path),
            proxy: proxy.transpose()?,
            ..ClientOptions::default()
        };
        let client = Arc::new(Client::new(&options)?);
        let auth = Auth::new(proof, settings, Arc::clone(&client), Arc::clone(clock), Arc::clone(tokens))?;
        let (connection, clock, rng) = (connection.name.clone(), Arc::clone(clock), Mutex::new(rng));
        let announced = Mutex::default();
        Ok(Self { connector, connection, client, auth, base, offered, chain, clock, rng, announced })
    }

    pub(super) fn system(&self) -> Option<&HttpSystem> {
        match &self.connector.system {
            System::Http(system) => Some(system),
            System::Sql(_) => None,
        }
    }

    /// Randomness of its own for one call.
    pub(super) fn rng(&self) -> fastrand::Rng {
        self.rng.lock().unwrap_or_else(PoisonError::into_inner).fork()
    }
}

/// Whether every setting that names a field or an object is a name, where it is set.
fn identifiers(connector: &Connector, offered: &Scope) -> Result<(), String> {
    for operation in connector.operations.values() {
        let Work::Http(steps) = &operation.work else { continue };
        for name in steps.iter().flat_map(HttpStep::names) {
            let value = name.eval(offered).and_then(|value| to_json(&value));
            let value = value.map_err(|failed| format!("{}: {failed}", operation.name))?;
            if !(value.is_null() || value.as_str().is_some_and(is_identifier)) {
                return Err(format!("{}: {}", operation.name, no_identifier(name)));
            }
        }
    }
    Ok(())
}

/// The way to prove who we are that the settings choose.
///
/// # Errors
/// When they choose none, or lack what it needs.
fn chosen<'a>(
    ways: &'a plan::Ways,
    connector: &Connector,
    settings: &IndexMap<String, Option<SettingValue>>,
) -> Result<&'a plan::Auth, String> {
    let choice = match ways {
        plan::Ways::One(auth) => return Ok(auth),
        plan::Ways::Several(choice) => choice,
    };
    let way = match settings.get(&choice.by) {
        Some(Some(SettingValue::Text(text))) => choice.of(text),
        _ => None,
    };
    let way = way.ok_or_else(|| format!("`{}` has to be one of {}", choice.by, choice.names()))?;
    let lacks = |name: &&String| {
        let required = connector.setting(name).is_some_and(|setting| setting.required);
        required && settings.get(name.as_str()).is_none_or(Option::is_none)
    };
    match way.uses.iter().find(lacks) {
        Some(name) => Err(format!("the setting `{name}` is needed, since `{}` is `{}`", choice.by, way.name)),
        None => Ok(&way.auth),
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

/// Where requests go, for operators: the host and, where it is not the usual one, the port. None when the settings do not
/// become an address.
pub(in crate::connector) fn host(
    system: &HttpSystem,
    settings: &IndexMap<String, Option<SettingValue>>,
    rules: &Rules,
) -> Option<String> {
    let base = base(system, &offered(system, settings), &rules.allow_private).ok()?;
    let url = match &rules.stand_in {
        Some(stand_in) => stood_in(&base, stand_in).ok()?,
        None => base,
    };
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
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

/// The same path at the address of what stands in for the vendor.
fn stood_in(base: &Url, stand_in: &str) -> Result<Url, String> {
    let wrong = "`stand_in` is not an address such as http://127.0.0.1:4010";
    let mut address = Url::parse(stand_in).map_err(|_| wrong)?;
    if !address.has_host() || !matches!(address.path(), "" | "/") || address.query().is_some() {
        return Err(wrong.to_owned());
    }
    address.set_path(base.path());
    Ok(address)
}
