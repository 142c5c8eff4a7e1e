//! The database behind the store: an SQLite file or a PostgreSQL server, asked in the same words.
//!
//! A statement is one atomic step, and so are several of one call, so that nothing is half done when its caller goes away.
//! Numbers are 64 bits, times milliseconds since 1970; parameters are written `$1`, which both databases know.

use std::fs::OpenOptions;
use std::path::Path;

#[cfg(feature = "postgres")]
use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{Error, Row as _};

use super::StoreError;
#[cfg(feature = "postgres")]
use super::postgres::Server;
use super::sqlite::{Refused, Sqlite, Statement};
use crate::secret::Secret;

/// Where a store is.
#[derive(Debug)]
pub enum Place<'a> {
    /// A file of SQLite's, made when there is none.
    File(&'a Path),
    /// In memory: it ends with the process.
    Memory,
    /// A PostgreSQL server, by its address, which may hold a password.
    Postgres(&'a Secret),
}

/// An open database.
pub(super) enum Db {
    Sqlite(Sqlite),
    #[cfg(feature = "postgres")]
    Postgres(Server),
}

/// A statement, in the words of either database where they differ.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql {
    pub(super) sqlite: &'static str,
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "there is no PostgreSQL in this build"))]
    pub(super) postgres: &'static str,
}

impl From<&'static str> for Sql {
    fn from(both: &'static str) -> Self {
        Self { sqlite: both, postgres: both }
    }
}

/// A value for a parameter.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg<'a> {
    Number(i64),
    Text(&'a str),
    Bytes(Option<&'a [u8]>),
}

/// A row of a result.
pub(super) enum Row {
    Sqlite(SqliteRow),
    #[cfg(feature = "postgres")]
    Postgres(PgRow),
}

#[cfg(feature = "postgres")]
macro_rules! bound {
    ($sql:expr, $args:expr) => {
        $args.iter().fold(sqlx::query($sql), |query, arg| match *arg {
            Arg::Number(number) => query.bind(number),
            Arg::Text(text) => query.bind(text.to_owned()),
            Arg::Bytes(bytes) => query.bind(bytes.map(<[u8]>::to_vec)),
        })
    };
}

macro_rules! column {
    ($name:ident, $kind:ty) => {
        pub(super) fn $name(&self, at: usize) -> Result<Option<$kind>, StoreError> {
            let found = match self {
                Self::Sqlite(row) => row.try_get(at),
                #[cfg(feature = "postgres")]
                Self::Postgres(row) => row.try_get(at),
            };
            found.map_err(|error| failed(&error))
        }
    };
}

impl Row {
    column!(maybe_number, i64);
    column!(maybe_text, String);
    column!(maybe_bytes, Vec<u8>);

    pub(super) fn number(&self, at: usize) -> Result<i64, StoreError> {
        self.maybe_number(at).map(Option::unwrap_or_default)
    }

    pub(super) fn text(&self, at: usize) -> Result<String, StoreError> {
        self.maybe_text(at).map(Option::unwrap_or_default)
    }

    pub(super) fn bytes(&self, at: usize) -> Result<Vec<u8>, StoreError> {
        self.maybe_bytes(at).map(Option::unwrap_or_default)
    }
}

impl Db {
    /// Opens a database, and brings its tables up to date: a server that cannot be reached yet, as soon as it can be.
    ///
    /// # Errors
    /// What is wrong and what to do; never with a password.
    pub(super) async fn open(place: &Place<'_>) -> Result<Self, String> {
        match place {
            Place::File(file) => {
                let shown = file.display();
                create(file).map_err(|error| format!("the store {shown} cannot be made: {error}"))?;
                let opened = Sqlite::open(SqliteConnectOptions::new().filename(file)).await;
                opened.map(Self::Sqlite).map_err(|refused| match refused {
                    Refused::Opening(error) => format!("the store {shown} cannot be opened: {error}"),
                    Refused::Tables(reason) => format!("the store {shown} cannot be used: {reason}"),
                })
            }
            Place::Memory => {
                let opened = Sqlite::open(SqliteConnectOptions::new().in_memory(true)).await;
                opened.map(Self::Sqlite).map_err(|refused| match refused {
                    Refused::Opening(error) => error.to_string(),
                    Refused::Tables(reason) => reason,
                })
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(address) => {
                let server = Server::at(address)?;
                match server.ready().await {
                    Ok(()) => {}
                    Err(StoreError::Unavailable(reason)) => {
                        tracing::warn!(reason, "the store is away: until it is back, nothing is written on any system");
                    }
                    Err(StoreError::Misconfigured(reason)) => return Err(reason),
                }
                Ok(Self::Postgres(server))
            }
            #[cfg(not(feature = "postgres"))]
            Place::Postgres(_) => Err("this legwork was built without PostgreSQL: use an SQLite file".to_owned()),
        }
    }

    /// Whether other processes may use it at the same time.
    pub(super) const fn is_shared(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => true,
        }
    }

    /// Runs a statement; how many rows it changed.
    pub(super) async fn run(&self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<u64, StoreError> {
        let sql = sql.into();
        match self {
            Self::Sqlite(file) => file.run(Statement::new(sql.sqlite, args)).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => {
                let run = |pool| async move { bound!(sql.postgres, args).execute(&pool).await };
                server.ask(run).await.map(|done| done.rows_affected())
            }
        }
    }

    /// Runs statements in one transaction. The first one that changes nothing ends it, and then nothing has changed: false.
    pub(super) async fn run_all(&self, steps: &[(Sql, &[Arg<'_>])]) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(file) => file.all(steps.iter().map(|(sql, args)| Statement::new(sql.sqlite, args)).collect()).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => {
                let run = |pool: sqlx::PgPool| async move {
                    let mut transaction = pool.begin().await?;
                    for (sql, args) in steps {
                        if bound!(sql.postgres, args).execute(&mut *transaction).await?.rows_affected() == 0 {
                            return transaction.rollback().await.map(|()| false);
                        }
                    }
                    transaction.commit().await.map(|()| true)
                };
                server.ask(run).await
            }
        }
    }

    /// The rows of a statement.
    pub(super) async fn rows(&self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError> {
        let sql = sql.into();
        match self {
            Self::Sqlite(file) => {
                let rows = file.rows(Statement::new(sql.sqlite, args)).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => {
                let rows = |pool| async move { bound!(sql.postgres, args).fetch_all(&pool).await };
                server.ask(rows).await.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The first row of a statement.
    pub(super) async fn row(&self, sql: impl Into<Sql>, args: &[Arg<'_>]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Lets go of what was deleted, as far as that is this database's to decide: an SQLite file's log is merged into it and
    /// emptied. A server has its own times for that.
    pub(super) async fn scrub(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(file) => file.scrub().await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Closes it; an SQLite file has its log merged into it.
    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(file) => drop(file.close().await),
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => server.close().await,
        }
    }
}

/// A statement's failure, which holds none of its values.
pub(super) fn failed(error: &Error) -> StoreError {
    StoreError::Unavailable(match error {
        // A message of the server may quote values.
        Error::Database(error) => format!("the store fails with the code {}", error.code().unwrap_or_default()),
        error => format!("the store fails: {error}"),
    })
}

/// Makes the file before SQLite does, which would let everybody read it. Its log gets the same rights.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
