//! An open database, whichever kind it is of: runs operations, and says what it has against their statements.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::place::Place;
#[cfg(feature = "postgres")]
use super::postgres::Postgres;
use super::sqlite::{Origin, Sqlite};
use crate::connector::connections::Surroundings;
use crate::fault::Fault;
use crate::name::OperationName;
use crate::plan::connector::{Connector, Operation};
use crate::time::Deadline;
use crate::time::paused::outside;

/// An open database.
pub(in crate::connector) enum Database {
    /// A file, or memory.
    Sqlite(Box<Sqlite>),
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(Box<Postgres>),
}

/// Something that a database has against a connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::connector) struct Finding {
    /// The operation, where it is one's.
    pub(in crate::connector) operation: Option<OperationName>,
    /// What is wrong.
    pub(in crate::connector) text: String,
    /// Whether it may pass by itself: the database is not here, cannot be reached now, or is not ready yet.
    pub(in crate::connector) passing: bool,
}

impl Database {
    /// Opens the database at `place` and makes the tables that it does not have. `usual` is where a connection that sets
    /// nothing would have it: what lives in memory unless a connection says otherwise is tried out in memory.
    ///
    /// A server that cannot be reached now is no error: its first call looks again.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub(in crate::connector) async fn open(
        connector: &Arc<Connector>,
        place: &Place,
        usual: Option<Place>,
        around: &Surroundings<'_>,
    ) -> Result<Self, Finding> {
        let refused = |text: String| Finding { operation: None, text, passing: false };
        let origin = match place {
            Place::Memory => Origin::Empty,
            Place::File(_) if around.scratch && usual == Some(Place::Memory) => Origin::Empty,
            Place::File(file) if around.scratch => Origin::CopyOf(file),
            Place::File(file) => Origin::File(file),
            #[cfg(feature = "postgres")]
            Place::Server { main, reads } => {
                let opened = Postgres::open(connector, main, reads.as_ref(), around).await;
                return opened.map(|it| Self::Postgres(Box::new(it))).map_err(refused);
            }
            #[cfg(not(feature = "postgres"))]
            Place::Server { .. } => {
                let text = "this legwork was built without PostgreSQL; build it with the feature `postgres`";
                return Err(refused(text.to_owned()));
            }
        };
        // A file may be where the project is served, and not here.
        let opened = Sqlite::open(connector, origin, around).await.map(|it| Self::Sqlite(Box::new(it)));
        opened.map_err(|text| Finding { passing: true, ..refused(text) })
    }

    /// Runs `operation` with `inputs`, every one of which is there, null or not, as if it were `now`, and gives its answer.
    ///
    /// # Errors
    /// How it ended, when it did not end well; then a write has changed nothing, also when only its answer is wrong.
    pub(in crate::connector) async fn run(
        &self,
        operation: &Operation,
        inputs: Map<String, Value>,
        now: DateTime<Utc>,
        until: Deadline,
    ) -> Result<Value, Fault> {
        match self {
            // It works on a thread of its own.
            Self::Sqlite(sqlite) => outside(sqlite.run(operation, inputs, now, until)).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.run(operation, inputs, now, until).await,
        }
    }

    /// What the database has against the connector's statements. Optional conditions are looked at both ways.
    pub(in crate::connector) async fn verify(&self) -> Vec<Finding> {
        match self {
            Self::Sqlite(sqlite) => sqlite.verify().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(postgres) => postgres.verify().await,
        }
    }

    /// What operators may see of where the data lives.
    pub(in crate::connector) const fn shown(&self) -> &'static str {
        match self {
            Self::Sqlite(sqlite) => sqlite.shown(),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "postgres",
        }
    }

    /// Whether other processes ask the same data: what is in memory or in a file is this machine's own.
    pub(in crate::connector) const fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
        }
    }
}
