//! One connection, opened: the system that it talks to, and what is known of it as long as it is open.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::chain::Chain;
use super::examples::Played;
use super::facts::Tally;
use super::http::Remote;
use super::origin::Origin;
use super::pulse::Beat;
use super::sql::Database;
use crate::name::{ConnectionName, OperationName};
use crate::plan::connector::{Connector, Faults, Operation, Rules, Staged};
use crate::resilience::Key;

/// A connection, opened.
pub(super) struct Open {
    pub(super) name: ConnectionName,
    /// Differs from that of everything that was opened under its name before.
    pub(super) number: u64,
    pub(super) origin: Origin,
    pub(super) connector: Arc<Connector>,
    pub(super) system: Opened,
    pub(super) rules: Rules,
    /// What is staged to be wrong with it, in the order in which it was staged.
    pub(super) staged: Mutex<Vec<(Option<OperationName>, Staged)>>,
    /// Nothing of it is kept.
    pub(super) forgets: AtomicBool,
    /// Its host or file, for operators.
    pub(super) address: Option<String>,
    pub(super) tally: Tally,
    /// What is known of its health.
    pub(super) beat: Mutex<Beat>,
    /// How patiently its system is asked.
    pub(super) chain: Arc<Chain>,
}

impl Open {
    /// What goes wrong on purpose with calls of an operation.
    pub(super) fn faults(&self, operation: &Operation) -> Faults {
        let staged = self.staged();
        let of_it = staged.iter().filter(|(only, _)| only.as_ref().is_none_or(|only| *only == operation.name));
        of_it.fold(self.rules.faults, |faults, (_, more)| faults.and((*more).into()))
    }

    /// What is staged to be wrong with it, for operators.
    pub(super) fn shown_staged(&self) -> Vec<String> {
        let shown = |(operation, fault): &(Option<OperationName>, Staged)| match operation {
            None => fault.to_string(),
            Some(operation) => format!("{operation}: {fault}"),
        };
        self.staged().iter().map(shown).collect()
    }

    /// Whether other processes that open it ask the same system: not where its data is in memory or in a file.
    pub(super) fn is_shared(&self) -> bool {
        match &self.system {
            Opened::Database(database) => database.is_shared(),
            Opened::Remote(_) => true,
            Opened::Examples(_) => false,
        }
    }

    /// What a read of it is kept under.
    pub(super) fn key(&self, operation: &OperationName, inputs: &serde_json::Map<String, serde_json::Value>) -> Key {
        let key = Key::new(&self.name, operation, inputs).opened_as(self.number);
        if self.is_shared() { key } else { key.only_here() }
    }

    /// Whether it asks that database.
    pub(super) fn is_on(&self, database: &Arc<Database>) -> bool {
        matches!(&self.system, Opened::Database(own) if Arc::ptr_eq(own, database))
    }

    /// Whether nothing of it is kept.
    pub(super) fn forgets(&self) -> bool {
        self.forgets.load(Ordering::Relaxed)
    }

    pub(super) fn staged(&self) -> MutexGuard<'_, Vec<(Option<OperationName>, Staged)>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A system, ready to be asked.
#[derive(Clone)]
pub(super) enum Opened {
    Database(Arc<Database>),
    Remote(Arc<Remote>),
    /// The connector's examples in a remote system's place, for tests.
    Examples(Arc<Played>),
}

impl Opened {
    pub(super) fn shown(&self) -> &'static str {
        match self {
            Self::Database(database) => database.shown(),
            Self::Remote(_) => "http",
            Self::Examples(_) => "examples",
        }
    }
}
