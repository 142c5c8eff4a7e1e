//! Which read an answer belongs to.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::name::{ConnectionName, OperationName};

/// An operation of a connection that reads.
pub type ReadOf = (ConnectionName, OperationName);

/// Which read: a connection, an operation and its inputs; or a result that is composed of several. It shows no inputs when
/// printed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// The name of what is composed; none for one read.
    composed: Option<Arc<str>>,
    pub(super) reads: Arc<[ReadOf]>,
    pub(super) inputs: Arc<str>,
    /// Whether other processes would read the same.
    pub(super) shared: bool,
    /// Which of the systems that went by the connection's name in this process.
    opened: u64,
}

impl Key {
    /// The read of `operation` with `inputs`; the order of the inputs does not matter, nor do those that are null.
    #[must_use]
    pub fn new(connection: &ConnectionName, operation: &OperationName, inputs: &Map<String, Value>) -> Self {
        let reads = Arc::new([(connection.clone(), operation.clone())]);
        Self { composed: None, reads, inputs: canonical(inputs), shared: true, opened: 0 }
    }

    /// The result called `name` that is composed of `reads` with `inputs`.
    #[must_use]
    pub fn composed(name: &str, reads: &[ReadOf], inputs: &Map<String, Value>) -> Self {
        Self { composed: Some(name.into()), reads: reads.into(), inputs: canonical(inputs), shared: true, opened: 0 }
    }

    /// The same of a system that other processes do not have, such as a database in memory: what it answers stays here.
    #[must_use]
    pub fn only_here(self) -> Self {
        Self { shared: false, ..self }
    }

    /// The same of the system that was opened under this number: a connection that is changed while the process runs is another
    /// one, and has no answers yet. Writes outdate those of both.
    #[must_use]
    pub fn opened_as(self, number: u64) -> Self {
        Self { opened: number, ..self }
    }

    /// The values of its inputs.
    pub fn inputs(&self) -> impl Iterator<Item = Value> {
        let values = self.inputs.lines().filter_map(|line| line.split_once('='));
        values.filter_map(|(_, value)| serde_json::from_str(value).ok())
    }

    /// The whole of it as bytes, which are those of no other key. They hold the inputs.
    pub(super) fn whole(&self) -> Vec<u8> {
        let reads: Vec<_> =
            self.reads.iter().map(|(connection, operation)| [connection.as_str(), operation.as_str()]).collect();
        json!([self.composed.as_deref(), reads, &*self.inputs]).to_string().into_bytes()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.composed, &*self.reads) {
            (Some(name), _) => write!(f, "{name}(…)"),
            (None, [(connection, operation), ..]) => write!(f, "{connection}.{operation}(…)"),
            (None, []) => f.write_str("nothing"),
        }
    }
}

fn canonical(inputs: &Map<String, Value>) -> Arc<str> {
    let mut given: Vec<_> = inputs.iter().filter(|(_, value)| !value.is_null()).collect();
    given.sort_by_key(|(name, _)| *name);
    given.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>().into()
}
