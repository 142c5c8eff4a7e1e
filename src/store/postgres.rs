//! The PostgreSQL server behind a store: reached when it can be, and not waited for again and again when it cannot.
//!
//! A process starts and serves while its server is away: whatever needs the store fails until then, and soon. Nothing that
//! failed is done once more here, but for what the server itself undid because of others.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions as _, Error, PgPool};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use super::StoreError;
use super::migrate;
use crate::secret::Secret;
use crate::time::paused::outside;

/// How long to wait for a free connection, and for the server behind it.
const WAIT: Duration = Duration::from_secs(2);
/// How long a statement may take; those of a store take milliseconds.
const LONGEST: Duration = Duration::from_secs(5);
/// How long its tables may take, and other processes that see to them.
const MIGRATION: Duration = Duration::from_secs(60);
/// How long a server that could not be reached is not asked again.
const REST: Duration = Duration::from_secs(1);
/// How many connections a server gets from one process.
const LINES: u32 = 8;

/// A server, which may be away.
pub(super) struct Server {
    pool: PgPool,
    /// Whether its tables are up to date.
    ready: OnceCell<()>,
    seen: Mutex<Seen>,
}

/// When it was heard of.
#[derive(Default)]
struct Seen {
    answered: Option<Instant>,
    silent: Option<Instant>,
}

impl Server {
    /// A server by its address. It is not reached yet.
    ///
    /// # Errors
    /// When that is no address; never with it.
    pub(super) fn at(address: &Secret) -> Result<Self, String> {
        let wrong = "its address is not one of PostgreSQL: write postgres://user:password@host:5432/database";
        let is_one = |it: &&str| it.starts_with("postgres://") || it.starts_with("postgresql://");
        let options = Some(address.expose()).filter(is_one).and_then(|it| it.parse::<PgConnectOptions>().ok());
        let options = options.ok_or(wrong)?;
        let options = match options.get_ssl_mode() {
            // What leaves this machine is encrypted unless the address says otherwise.
            PgSslMode::Prefer | PgSslMode::Allow if !is_here(options.get_host()) => options.ssl_mode(PgSslMode::Require),
            _ => options,
        };
        let pool = PgPoolOptions::new().max_connections(LINES).acquire_timeout(WAIT);
        let pool = pool.connect_lazy_with(options.disable_statement_logging().application_name("legwork"));
        Ok(Self { pool, ready: OnceCell::new(), seen: Mutex::default() })
    }

    /// Brings its tables up to date, once.
    ///
    /// # Errors
    /// When it cannot be reached, or used.
    pub(super) async fn ready(&self) -> Result<(), StoreError> {
        self.ready.get_or_try_init(|| self.heard(MIGRATION, migrate::server(&self.pool))).await.map(|_| ())
    }

    /// Asks it something: once more where it undid that because of others, and not at all while it does not answer.
    ///
    /// # Errors
    /// When it cannot be reached or fails; never with a value.
    pub(super) async fn ask<T, F>(&self, ask: impl Fn(PgPool) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.ready().await?;
        let asked = || async {
            match ask(self.pool.clone()).await {
                Err(error) if is_undone(&error) => ask(self.pool.clone()).await,
                asked => asked,
            }
            .map_err(|error| failed(&error))
        };
        self.heard(LONGEST, asked()).await
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    /// Waits for something of the server's, unless that was tried a moment ago and nothing was heard.
    async fn heard<T>(
        &self,
        longest: Duration,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        if self.seen().silent.is_some_and(|at| at.elapsed() < REST) {
            return Err(away("it did not answer a moment ago"));
        }
        let asking = Instant::now();
        let heard = outside(timeout(longest, asked)).await.unwrap_or_else(|_| Err(away("it does not answer")));
        let lost = matches!(&heard, Err(StoreError::Unavailable(text)) if text.starts_with(AWAY));
        let mut seen = self.seen();
        if !lost {
            *seen = Seen { answered: Some(Instant::now()), silent: None };
        } else if seen.answered.is_none_or(|at| at < asking) {
            // Where others were answered meanwhile, it is there, and only busy.
            seen.silent = Some(Instant::now());
        }
        drop(seen);
        heard
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How every text begins that says of a server that it cannot be reached.
const AWAY: &str = "the store cannot be reached";

fn away(why: &str) -> StoreError {
    StoreError::Unavailable(format!("{AWAY}: {why}"))
}

/// A failure, which holds no value and no part of the address.
pub(super) fn failed(error: &Error) -> StoreError {
    match error {
        Error::PoolTimedOut => away("its PostgreSQL does not answer"),
        Error::Io(error) => away(&format!("{}", error.kind())),
        Error::Tls(_) => StoreError::Misconfigured(
            "the store cannot be opened: its PostgreSQL does not speak TLS, or shows a certificate that is not trusted; \
             `sslmode` in its address says what is asked for"
                .to_owned(),
        ),
        Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match &*code {
                // Nobody may log in now: it starts, stops, or has no connection left.
                "57P01" | "57P02" | "57P03" | "53300" => away(&format!("its PostgreSQL takes nothing now (code {code})")),
                // A wrong password, no such database, no rights: what the server says of those quotes no values of ours.
                class if ["28", "3D", "3F"].iter().any(|known| class.starts_with(known)) || class == "42501" => {
                    StoreError::Misconfigured(format!("the store cannot be opened: {}", error.message()))
                }
                // A message of the server may quote values.
                code => StoreError::Unavailable(format!("the store fails with the code {code}")),
            }
        }
        error => StoreError::Unavailable(format!("the store fails: {error}")),
    }
}

/// Whether the server took it back as a whole because of what others did at the same time: it could not be put in a row with
/// that, each waited for the other, or both were the only one of a kind.
fn is_undone(error: &Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["40001", "40P01", "23505"].contains(&&*code))
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.starts_with('/') || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}
