//! A database: where it lives, how it is opened with its tables, and what it has against a statement.
//!
//! Running operations is `run`'s part. Opening never changes a file that exists, but for tables that the connector brings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Error, Executor as _, SqlSafeStr as _};

use super::sessions::{self, Sessions};
use super::{bind, fault, run, scratch, tables};
use crate::connector::connections::Surroundings;
use crate::plan::connector::{Connector, Operation, SettingValue, SqlSystem, System};
use crate::template::{Scope, from_json};
use crate::time::Clock;

/// Where a database lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::connector) enum Place {
    /// In memory, for as long as it is open.
    Memory,
    /// In a file, relative to the project.
    File(PathBuf),
}

/// What a database is opened from.
#[derive(Debug, Clone, Copy)]
pub(in crate::connector) enum Origin<'a> {
    /// Nothing: it lives in memory.
    Empty,
    /// A file, in which it goes on living.
    File(&'a Path),
    /// A file, if there is one, of which it is a copy in memory.
    CopyOf(&'a Path),
}

/// An open database.
pub(in crate::connector) struct Database {
    pub(super) connector: Arc<Connector>,
    pub(super) sessions: Sessions,
    pub(super) clock: Arc<dyn Clock>,
    in_file: bool,
}

impl Database {
    /// Where the database of a connection with these settings lives.
    ///
    /// # Errors
    /// What is wrong with the settings.
    pub(in crate::connector) fn place(
        system: &SqlSystem,
        settings: &IndexMap<String, Option<SettingValue>>,
    ) -> Result<Place, String> {
        let shown = |value: &Option<SettingValue>| match value {
            Some(SettingValue::Text(text)) => text.as_str().into(),
            Some(SettingValue::Secret(secret)) => secret.expose().into(),
            Some(SettingValue::Map(map)) => serde_json::Value::Object(map.clone()),
            None => serde_json::Value::Null,
        };
        let settings = settings.iter().map(|(name, value)| (name.clone(), shown(value))).collect();
        let scope = Scope::new(Arc::new(())).with("settings", from_json(&serde_json::Value::Object(settings)));
        let place = system.database.text(&scope).map_err(|failed| format!("`database`: {failed}"))?;
        match place.trim() {
            "" => Err("`database` is empty; name a file, or `:memory:`".to_owned()),
            ":memory:" => Ok(Place::Memory),
            file => Ok(Place::File(file.into())),
        }
    }

    /// Opens the database and makes the tables that it does not have. A file is made when the connector brings tables.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub(in crate::connector) async fn open(
        connector: &Arc<Connector>,
        origin: Origin<'_>,
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let brought = match &connector.system {
            System::Sql(system) => system.tables.as_slice(),
            System::Http(_) => &[],
        };
        let brings_tables = !brought.is_empty();
        let failed = |error: &Error| match origin {
            Origin::Empty => format!("no database can be opened: {}", fault::described(error)),
            Origin::File(file) | Origin::CopyOf(file) => {
                format!("{} cannot be opened: {}", file.display(), fault::described(error))
            }
        };
        let sessions = match origin {
            Origin::Empty | Origin::CopyOf(_) => {
                Sessions::new(SqliteConnectOptions::new().filename(":memory:"), sessions::MEMORY)
            }
            Origin::File(file) => Sessions::new(file_options(around.folder, file, brings_tables)?, sessions::FILE),
        };
        let mut session = sessions.take().await.map_err(|error| failed(&error))?;
        let connection = session.connection().map_err(|error| failed(&error))?;
        if let Origin::CopyOf(file) = origin
            && (!brings_tables || around.folder.join(file).exists())
        {
            let source = file_options(around.folder, file, false)?;
            scratch::copy(source, connection).await.map_err(|error| failed(&error))?;
        }
        // SQLite opens a file without looking into it; this looks.
        let look = sqlx::raw_sql("select name from sqlite_schema limit 1").fetch_all(&mut *connection).await;
        look.map_err(|error| failed(&error))?;
        if brings_tables {
            tables::make(connection, brought).await?;
        }
        session.finish();
        let in_file = matches!(origin, Origin::File(_));
        Ok(Self { connector: Arc::clone(connector), sessions, clock: Arc::clone(&around.clock), in_file })
    }

    /// What operators may see of where the data lives.
    pub(in crate::connector) const fn shown(&self) -> &'static str {
        if self.in_file { "file" } else { "memory" }
    }

    /// What the database has against an operation's statements. Optional conditions are looked at both ways.
    pub(in crate::connector) async fn verify(&self, operation: &Operation) -> Vec<String> {
        let statements = run::statements_of(operation);
        let mut problems: Vec<String> = Vec::new();
        let mut session = match self.sessions.take().await {
            Ok(session) => session,
            Err(error) => return vec![fault::described(&error)],
        };
        for (at, statement) in statements.iter().enumerate() {
            for text in bind::texts(&statement.sql) {
                let prepared = match session.connection() {
                    Ok(connection) => connection.prepare(sqlx::AssertSqlSafe(text).into_sql_str()).await.map(|_| ()),
                    Err(error) => Err(error),
                };
                let reason = prepared
                    .map_err(|error| format!("{}: {}", run::statement_name(statement, at), fault::described(&error)));
                problems.extend(reason.err().filter(|reason| !problems.contains(reason)));
            }
        }
        session.finish();
        problems
    }
}

/// A file that nobody made yet is made with a write-ahead log, so that readers do not wait for writers; one that exists is
/// somebody's, and keeps the mode it has.
fn file_options(folder: &Path, file: &Path, make: bool) -> Result<SqliteConnectOptions, String> {
    let path = folder.join(file);
    let options = SqliteConnectOptions::new().filename(&path).busy_timeout(sessions::BUSY);
    if path.exists() {
        return Ok(options);
    }
    if !make {
        return Err(format!("there is no file {}; a connector without `tables` does not make one", file.display()));
    }
    Ok(options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal))
}
