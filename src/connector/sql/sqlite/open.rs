//! Opens an SQLite database with its tables, and asks what it has against statements.
//!
//! Running operations is `work`'s part. Opening never changes a file that exists, but for tables that the connector brings.

use std::path::Path;
use std::sync::Arc;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Error, Executor as _, SqlSafeStr as _};

use super::sessions::{self, Sessions};
use super::{fault, scratch, tables};
use crate::connector::connections::Surroundings;
use crate::connector::sql::{Finding, fill, run};
use crate::plan::connector::{Connector, Operation};

/// What a database is opened from.
#[derive(Debug, Clone, Copy)]
pub(in crate::connector::sql) enum Origin<'a> {
    /// Nothing: it lives in memory.
    Empty,
    /// A file, in which it goes on living.
    File(&'a Path),
    /// A file, if there is one, of which it is a copy in memory.
    CopyOf(&'a Path),
}

/// An open SQLite database.
pub(in crate::connector) struct Sqlite {
    pub(super) connector: Arc<Connector>,
    pub(super) sessions: Sessions,
    in_file: bool,
}

impl Sqlite {
    /// Opens the database and makes the tables that it does not have. A file is made when the connector brings tables.
    ///
    /// # Errors
    /// What is wrong and what to do.
    pub(in crate::connector::sql) async fn open(
        connector: &Arc<Connector>,
        origin: Origin<'_>,
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        let brought = run::tables_of(connector);
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
        let mut session = sessions.take(None).await.map_err(|error| failed(&error))?;
        let connection = session.connection().map_err(|error| failed(&error))?;
        if let Origin::CopyOf(file) = origin
            && (!brings_tables || around.folder.join(file).exists())
        {
            let source = file_options(around.folder, file, false)?;
            scratch::copy(source, connection).await.map_err(|error| failed(&error))?;
        }
        let fresh = around.fresh.as_ref().filter(|_| matches!(origin, Origin::Empty));
        let made = match fresh {
            Some(fresh) => fresh.restore(&connector.name, connection).await.map_err(|error| failed(&error))?,
            None => false,
        };
        // SQLite opens a file without looking into it; this looks.
        let look = sqlx::raw_sql("select name from sqlite_schema limit 1").fetch_all(&mut *connection).await;
        look.map_err(|error| failed(&error))?;
        if brings_tables && !made {
            tables::make(connection, brought).await?;
            if let Some(fresh) = fresh {
                fresh.keep(&connector.name, connection).await.map_err(|error| failed(&error))?;
            }
        }
        session.finish();
        let in_file = matches!(origin, Origin::File(_));
        Ok(Self { connector: Arc::clone(connector), sessions, in_file })
    }

    /// What operators may see of where the data lives.
    pub(in crate::connector::sql) const fn shown(&self) -> &'static str {
        if self.in_file { "file" } else { "memory" }
    }

    /// What the database has against the connector's statements.
    pub(in crate::connector::sql) async fn verify(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for operation in self.connector.operations.values() {
            let found = self.against(operation).await.into_iter();
            findings.extend(found.map(|text| Finding { operation: Some(operation.name.clone()), text, passing: false }));
        }
        findings
    }

    async fn against(&self, operation: &Operation) -> Vec<String> {
        let mut problems: Vec<String> = Vec::new();
        let mut session = match self.sessions.take(None).await {
            Ok(session) => session,
            Err(error) => return vec![fault::described(&error)],
        };
        for (at, statement) in run::statements_of(operation).iter().enumerate() {
            for form in fill::forms(&statement.sql, '?') {
                let prepared = match session.connection() {
                    Ok(connection) => connection.prepare(sqlx::AssertSqlSafe(form.text).into_sql_str()).await.map(|_| ()),
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
