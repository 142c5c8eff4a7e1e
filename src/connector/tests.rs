//! The sandbox and projects' own SQLite files, through the front door.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone as _, Utc};
use indexmap::IndexMap;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::*;
use crate::diag::{Diagnostics, File};
use crate::fault::{Fault, Outcome};
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connection, Connector, Files, SettingValue, compile_connector};
use crate::spec::{Shape as _, connector as spec, yaml};
use crate::time::{Clock, Deadline, FixedClock};

mod own;
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
    }
}

async fn open(connections: &[Connection], folder: &Path) -> Result<Connections, Vec<Problem>> {
    Connections::open(connections, folder, clock()).await
}

fn how() -> How {
    How { deadline: Deadline::after(Duration::from_secs(10)), refresh: false }
}

/// Calls `connection.operation`.
async fn ask(connections: &Connections, call: &str, inputs: Value) -> Result<Value, Fault> {
    answered(connections, call, inputs, how()).await.map(|answered| answered.value)
}

async fn answered(connections: &Connections, call: &str, inputs: Value, how: How) -> Result<Answered, Fault> {
    let (connection, operation) = call.split_once('.').unwrap();
    let (connection, operation) = (ConnectionName::parse(connection).unwrap(), OperationName::parse(operation).unwrap());
    let Value::Object(inputs) = inputs else { panic!("inputs are an object") };
    connections.call(&connection, &operation, inputs, how).await
}

async fn outcome(connections: &Connections, call: &str, inputs: Value) -> Outcome {
    ask(connections, call, inputs).await.expect_err(call).outcome
}

fn sandbox_connector() -> Arc<Connector> {
    let file = catalogue().into_iter().find(|file| file.file.path == "sandbox.yml").unwrap();
    compiled("sandbox", &file.file, &file.beside)
}

/// A project's own connector, `NAME.yml` in `folder`.
fn own_connector(name: &str, yaml: &str, folder: &Path) -> Arc<Connector> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let named = |path: std::path::PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let beside = files.filter_map(|path| Some((named(path.clone()), Ok(std::fs::read_to_string(path).ok()?)))).collect();
    compiled(name, &File::new(format!("connectors/{name}.yml"), yaml), &beside)
}

fn compiled(name: &str, file: &Arc<File>, beside: &Files) -> Arc<Connector> {
    let mut out = Diagnostics::default();
    let written = spec::Connector::read(&yaml::parse(file).unwrap(), &mut out);
    let (connector, diagnostics) = compile_connector(name, &written.unwrap(), beside);
    out.extend(diagnostics);
    let shown = |d: &crate::diag::Diagnostic| format!("{}: {}", d.span.as_ref().unwrap().place(), d.message);
    assert_eq!(out.into_sorted().iter().map(shown).collect::<Vec<_>>(), Vec::<String>::new());
    Arc::new(connector.unwrap())
}
