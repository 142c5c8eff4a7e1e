//! The secrets of a checked project are read, and its connections tried.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::store::open as open_store;
use crate::connector::{self, Connections, Facts, Surroundings, Tested};
use crate::diag::{Code, Diagnostic};
use crate::name::{CallerName, ConnectionName};
use crate::plan::connector::{Connection, Setting, SettingValue, System};
use crate::plan::settings::{Proof, Stores};
use crate::plan::{Given, Project, Wire};
use crate::secret::{Reference, Secret};
use crate::server;
use crate::store::{NoTokens, TokenStore};
use crate::time::{Clock, Deadline};

/// The connections of a project with their secrets read.
///
/// # Errors
/// What is missing, one line each; never a secret.
pub fn connections(project: &Project, folder: &Path) -> Result<Vec<Connection>, Vec<String>> {
    read(project, folder, &|_| Missing::Wrong)
}

/// The connections of a project for its tests, which never reach a remote system and so need none of its secrets: a database
/// has the address of the connector's examples then.
///
/// # Errors
/// As [`connections`].
pub fn test_connections(project: &Project, folder: &Path) -> Result<Vec<Connection>, Vec<String>> {
    let local = |wire: &Wire| match &wire.connector.system {
        System::Sql(_) => Missing::Example,
        System::Http(_) if wire.rules.stand_in.is_some() => Missing::Wrong,
        System::Http(_) => Missing::LeftOut,
    };
    read(project, folder, &local)
}

/// What a secret is that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// An error.
    Wrong,
    /// The setting's example, and an error where it has none.
    Example,
    /// A setting that is not set.
    LeftOut,
}

/// `missing` says of each connection what a secret is that is not there.
fn read(project: &Project, folder: &Path, missing: &dyn Fn(&Wire) -> Missing) -> Result<Vec<Connection>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut connections = Vec::new();
    for wire in &project.wires {
        match with_secrets(wire, folder, missing(wire)) {
            Ok(connection) => connections.push(connection),
            Err(missing) => wrong.extend(missing),
        }
    }
    if wrong.is_empty() { Ok(connections) } else { Err(wrong) }
}

/// A connection with its secrets read; `missing` says what one is that is not there.
fn with_secrets(wire: &Wire, folder: &Path, missing: Missing) -> Result<Connection, Vec<String>> {
    let mut wrong = Vec::new();
    let mut settings = indexmap::IndexMap::new();
    for (key, given) in &wire.settings {
        let setting = wire.connector.setting(key);
        let secret = setting.is_some_and(|setting| setting.secret);
        match given {
            Given::Text(text) => drop(settings.insert(key.clone(), SettingValue::Text(text.clone()))),
            Given::Map(map) => drop(settings.insert(key.clone(), SettingValue::Map(map.clone()))),
            Given::Reference(reference) => match reference.resolve(folder) {
                Ok(value) if secret => drop(settings.insert(key.clone(), SettingValue::Secret(value))),
                Ok(value) => drop(settings.insert(key.clone(), SettingValue::Text(value.expose().to_owned()))),
                Err(absent) => match (missing, setting.and_then(|setting| setting.example.clone())) {
                    (Missing::LeftOut, _) => {}
                    (Missing::Example, Some(example)) => drop(settings.insert(key.clone(), SettingValue::Text(example))),
                    _ => wrong.push(format!("the connection `{}` sets `{key}`, but {absent}", wire.name)),
                },
            },
        }
    }
    let (name, connector, rules) = (wire.name.clone(), Arc::clone(&wire.connector), wire.rules.clone());
    if wrong.is_empty() { Ok(Connection { name, connector, settings, rules }) } else { Err(wrong) }
}

/// What there is to see of a project's connections without opening one; a setting whose reference leads nowhere is left out.
#[must_use]
pub fn facts(project: &Project, folder: &Path) -> Vec<Facts> {
    let connections = read(project, folder, &|_| Missing::LeftOut).unwrap_or_default();
    connector::facts(&connections, project.settings.profiles)
}

/// How long testing one connection may take.
const PROBE: Duration = Duration::from_secs(30);

/// Opens the connections that `wanted` takes and tests each, all at the same time. One that cannot be opened keeps none of
/// the others from it.
pub async fn probe(
    project: &Project,
    folder: &Path,
    clock: &Arc<dyn Clock>,
    wanted: &dyn Fn(&ConnectionName) -> bool,
) -> Vec<Tested> {
    let tokens = &tokens(&project.settings.stores, folder).await;
    let wires = project.wires.iter().filter(|wire| wanted(&wire.name));
    let tests = wires.map(|wire| async move {
        let unopened = |reasons: &[String]| Tested::unopened(&wire.name, &wire.connector.name, reasons);
        let connection = match with_secrets(wire, folder, Missing::Wrong) {
            Ok(connection) => connection,
            Err(missing) => return unopened(&missing),
        };
        let tokens = match tokens {
            Ok(tokens) => Arc::clone(tokens),
            Err(reason) => return unopened(std::slice::from_ref(reason)),
        };
        let (profiles, rng, clock) = (project.settings.profiles, fastrand::Rng::new(), Arc::clone(clock));
        let cache_bytes = project.settings.cache_bytes;
        let surroundings = Surroundings { folder, clock, profiles, cache_bytes, tokens, rng, scratch: false, fresh: None };
        let opened = match Connections::open(&[connection], surroundings).await {
            Ok(opened) => opened,
            Err(problems) => return unopened(&problems.into_iter().map(|it| it.text).collect::<Vec<_>>()),
        };
        let tested = opened.probe(&wire.name, Deadline::after(PROBE)).await;
        tested.unwrap_or_else(|| unopened(&["it was not opened".to_owned()]))
    });
    join_all(tests).await
}

/// Where tokens are kept that a vendor replaces at every use: nowhere without a key to seal them with.
async fn tokens(stores: &Stores, folder: &Path) -> Result<Arc<dyn TokenStore>, String> {
    match stores.keys.is_empty() {
        true => Ok(Arc::new(NoTokens)),
        false => Ok(Arc::new(open_store(stores, folder).await?)),
    }
}

/// What the databases of a project have against the statements that its connectors run on them. An SQLite file that is not
/// here, or a database whose secrets are not, is not looked at: that is for `serve` to say, where it has to be there. A server
/// that cannot be reached is a warning.
pub async fn verify(project: &Project, folder: &Path, clock: Arc<dyn Clock>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for connection in read(project, folder, &|_| Missing::LeftOut).unwrap_or_default() {
        let known = |setting: &Setting| !setting.required || connection.settings.contains_key(&setting.name);
        if !matches!(connection.connector.system, System::Sql(_)) || !connection.connector.settings.iter().all(known) {
            continue;
        }
        let (profiles, rng) = (project.settings.profiles, fastrand::Rng::with_seed(0));
        let clock = Arc::clone(&clock);
        let (cache_bytes, tokens) = (project.settings.cache_bytes, Arc::new(NoTokens));
        let surroundings = Surroundings { folder, clock, profiles, cache_bytes, tokens, rng, scratch: true, fresh: None };
        match Connections::open(std::slice::from_ref(&connection), surroundings).await {
            Ok(opened) => found.extend(opened.verify().await.iter().map(|problem| {
                match problem.passing {
                    true => Diagnostic::nowhere(Code::UnreachableDatabase, problem.to_string())
                        .help("run `check` where the database can be reached; `serve` looks again, and starts without it"),
                    false => Diagnostic::nowhere(Code::BadSql, problem.to_string()),
                }
            })),
            Err(problems) => {
                let wrong = problems.iter().filter(|problem| !problem.passing);
                found.extend(wrong.map(|problem| Diagnostic::nowhere(Code::BadValue, problem.to_string())));
            }
        }
    }
    found
}

/// Who may call, with the secrets that prove it.
///
/// # Errors
/// What is missing, one line each.
pub fn callers(project: &Project, folder: &Path) -> Result<Vec<server::AuthEntry>, Vec<String>> {
    let mut wrong = Vec::new();
    let mut entries = Vec::new();
    for caller in &project.settings.server.auth {
        let mut secret = |reference: &Reference| match reference.resolve(folder) {
            Ok(secret) if secret.expose().is_empty() => Err(format!("the secret of the caller `{}` is empty", caller.name)),
            Ok(secret) => Ok(secret),
            Err(missing) => Err(format!("the caller `{}` cannot be known: {missing}", caller.name)),
        };
        match proof(&caller.proof, &mut secret) {
            Ok(proof) => entries.push(entry(caller.name.clone(), proof)),
            Err(missing) => wrong.push(missing),
        }
    }
    if wrong.is_empty() { Ok(entries) } else { Err(wrong) }
}

fn proof(proof: &Proof, secret: &mut impl FnMut(&Reference) -> Result<Secret, String>) -> Result<server::Proof, String> {
    Ok(match proof {
        Proof::Bearer(reference) => server::Proof::Bearer(secret(reference)?),
        Proof::Header(name, reference) => server::Proof::Header { name: name.clone(), value: secret(reference)? },
        Proof::Basic(user, reference) => server::Proof::Basic { user: user.clone(), password: secret(reference)? },
        Proof::Token(parameter, reference) => {
            server::Proof::Token { parameter: parameter.clone(), value: secret(reference)? }
        }
    })
}

fn entry(name: CallerName, proof: server::Proof) -> server::AuthEntry {
    server::AuthEntry { name, proof }
}
