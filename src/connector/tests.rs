//! The sandbox and projects' own SQLite files, through the front door.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone as _, Utc};
use indexmap::IndexMap;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::*;
use crate::diag::{Diagnostic, File};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connection, Connector, Formats, Rules, SettingValue};
use crate::resilience::Keep;
use crate::store::NoTokens;
use crate::time::{Clock, Deadline, FixedClock};

mod chain;
mod changed;
mod http;
mod own;
#[cfg(feature = "postgres")]
mod postgres;
mod pulse;
mod sandbox;

/// The morning on which the sandbox's examples play.
fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock::at(Utc.with_ymd_and_hms(2026, 1, 23, 12, 0, 0).unwrap()))
}

fn connection(name: &str, connector: &Arc<Connector>, settings: &[(&str, &str)]) -> Connection {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), SettingValue::Text((*value).to_owned())));
    Connection {
        name: ConnectionName::parse(name).unwrap(),
        connector: Arc::clone(connector),
        settings: settings.collect::<IndexMap<_, _>>(),
        rules: Rules::default(),
    }
}

fn around(folder: &Path, scratch: bool) -> Surroundings<'_> {
    Surroundings {
        folder,
        clock: clock(),
        profiles: Keep::PROFILES,
        cache_bytes: crate::resilience::CACHE_BYTES,
        tokens: Arc::new(NoTokens),
        rng: fastrand::Rng::with_seed(7),
        scratch,
        fresh: None,
    }
}

async fn open(connections: &[Connection], folder: &Path) -> Result<Connections, Vec<Problem>> {
    Connections::open(connections, around(folder, false)).await
}

/// On data that ends with the connections.
async fn open_scratch(connections: &[Connection], folder: &Path) -> Result<Connections, Vec<Problem>> {
    Connections::open(connections, around(folder, true)).await
}

fn how() -> How<'static> {
    How::by(Deadline::after(Duration::from_secs(10)))
}

/// Calls `connection.operation`.
async fn ask(connections: &Connections, call: &str, inputs: Value) -> Result<Value, Fault> {
    answered(connections, call, inputs, how()).await.map(|answered| answered.value)
}

async fn answered(connections: &Connections, call: &str, inputs: Value, how: How<'_>) -> Result<Answered, Fault> {
    let (connection, operation) = call.split_once('.').unwrap();
    let (connection, operation) = (ConnectionName::parse(connection).unwrap(), OperationName::parse(operation).unwrap());
    let Value::Object(inputs) = inputs else { panic!("inputs are an object") };
    connections.call(&connection, &operation, inputs, how).await
}

async fn outcome(connections: &Connections, call: &str, inputs: Value) -> Outcome {
    ask(connections, call, inputs).await.expect_err(call).outcome
}

fn sandbox_connector() -> Arc<Connector> {
    sound(catalog::built_in("sandbox").unwrap())
}

/// A project's own connector, `NAME.yml` in `folder`.
fn own_connector(name: &str, yaml: &str, folder: &Path) -> Arc<Connector> {
    sound(catalog::read(name, &File::new(format!("connectors/{name}.yml"), yaml), folder, Some(&Formats::new())))
}

fn sound((connector, diagnostics): (Option<Connector>, Vec<Diagnostic>)) -> Arc<Connector> {
    let shown = |d: &Diagnostic| format!("{}: {}", d.span.as_ref().unwrap().place(), d.message);
    assert_eq!(diagnostics.iter().map(shown).collect::<Vec<_>>(), Vec::<String>::new());
    Arc::new(connector.unwrap())
}
