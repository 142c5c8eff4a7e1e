//! A whole project that can run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::action::{Action, Body};
use super::connector::{Connector, Operation, Rules};
use super::domain::Domain;
use super::settings::Settings;
use super::unwritten::can_follow_up;
use crate::name::{ActionName, ConnectionName, OperationName};
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
    /// The names of the conversation that legwork.yml asks for, in its messages and its `locale`, whichever action runs.
    pub asks: BTreeSet<String>,
    /// Differs when legwork.yml, a shared file or a connector of the project's own does.
    pub print: [u8; 32],
}

impl Project {
    /// An action that another server has; none when that is no action's name.
    #[must_use]
    pub fn forwarded(&self, name: &str) -> Option<Action> {
        let name = ActionName::parse(name)?;
        let follows_up = can_follow_up(&name, self.domain.as_ref());
        Some(Action::without_file(name, Body::Forwarded, follows_up, self.asks.clone()))
    }

    /// An operation of one of its connections.
    #[must_use]
    pub fn operation(&self, connection: &ConnectionName, operation: &OperationName) -> Option<&Operation> {
        self.wires.iter().find(|wire| wire.name == *connection)?.connector.operations.get(operation)
    }
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
