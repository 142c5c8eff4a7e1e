//! A whole project that can run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::action::Action;
use super::connector::{Connector, Rules};
use super::domain::Domain;
use super::settings::Settings;
use crate::name::{ActionName, ConnectionName};
use crate::secret::Reference;

/// The connector that a project without `connections:` is connected to.
pub const SANDBOX: &str = "sandbox";

/// The connections of a project whose legwork.yml names none, all to the sandbox.
pub const SANDBOXED: [&str; 4] = ["shop", "helpdesk", "crm", "hr"];

/// Everything that the files of a project say, checked.
#[derive(Debug)]
pub struct Project {
    /// The actions.
    pub actions: BTreeMap<ActionName, Arc<Action>>,
    /// The project's words, limits and server.
    pub settings: Settings,
    /// Every connector that connections can have, by name.
    pub connectors: BTreeMap<String, Arc<Connector>>,
    /// The connections, their secrets not yet read.
    pub wires: Vec<Wire>,
    /// The project's copy of the assistant's domain.
    pub domain: Option<Domain>,
    /// Differs when legwork.yml, a shared file or a connector of the project's own does.
    pub print: [u8; 32],
    /// Twelve hexadecimal digits that differ when any file does.
    pub version: String,
}

/// A connection as legwork.yml names it.
#[derive(Debug, Clone)]
pub struct Wire {
    /// Its name.
    pub name: ConnectionName,
    /// Whose operations it has.
    pub connector: Arc<Connector>,
    /// What legwork.yml sets.
    pub settings: Vec<(String, Given)>,
    /// What it allows.
    pub rules: Rules,
}

/// The value of a setting as legwork.yml has it.
#[derive(Debug, Clone)]
pub enum Given {
    /// The value.
    Text(String),
    /// Where the value is.
    Reference(Reference),
    /// Names and values.
    Map(serde_json::Map<String, serde_json::Value>),
}
