//! The store as two processes see it that share one: the same on SQLite, in memory and in a file, and on a PostgreSQL server.

mod away;
mod proofs;
mod property;
mod races;
mod tokens;
mod turns;
mod writes;

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Once};

use super::*;
use crate::secret::{Reference, Secret};

/// A store, opened by two processes.
struct Pair {
    what: &'static str,
    one: Arc<Store>,
    other: Arc<Store>,
}

impl Pair {
    /// What to say of a failure.
    fn what(&self) -> &'static str {
        self.what
    }
}

/// Runs a test on each database that there is.
async fn each(test: impl AsyncFn(&Pair)) {
    let memory = Arc::new(Store::in_memory().await.unwrap());
    test(&Pair { what: "in memory", one: Arc::clone(&memory), other: memory }).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("legwork.db");
    let opened = async || Arc::new(Store::open(&Place::File(&file), None).await.unwrap());
    test(&Pair { what: "in a file", one: opened().await, other: opened().await }).await;
    #[cfg(feature = "postgres")]
    if let Some(schema) = Schema::make().await {
        let (one, other) = tokio::join!(schema.opened(None), schema.opened(None));
        test(&Pair { what: "on PostgreSQL", one: Arc::new(one), other: Arc::new(other) }).await;
        schema.drop().await;
    }
}

/// The server that tests may play with. Without one they say so once, past the harness that keeps what passing tests print.
#[cfg(feature = "postgres")]
fn server() -> Option<Secret> {
    static SAID: Once = Once::new();
    let found = Reference::Env("LEGWORK_TEST_POSTGRES".to_owned()).resolve(Path::new(".")).ok();
    if found.is_none() {
        let skipped =
            "SKIPPED: the store's tests on PostgreSQL: LEGWORK_TEST_POSTGRES names no server; scripts/test starts one";
        SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
    }
    found
}

/// A schema of a test's own, so that no test sees another's rows.
#[cfg(feature = "postgres")]
struct Schema {
    name: String,
    url: Secret,
    admin: sqlx::PgPool,
}

#[cfg(feature = "postgres")]
impl Schema {
    async fn make() -> Option<Self> {
        let server = server()?;
        let name = format!("store_{:016x}", fastrand::u64(..));
        let admin = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect(server.expose()).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("create schema {name}"))).execute(&admin).await.unwrap();
        let mark = if server.expose().contains('?') { '&' } else { '?' };
        let url = Secret::new(format!("{}{mark}options[search_path]={name}", server.expose()));
        Some(Self { name, url, admin })
    }

    async fn opened(&self, keys: Option<Keys>) -> Store {
        Store::open(&Place::Postgres(&self.url), keys).await.unwrap()
    }

    async fn drop(self) {
        sqlx::query(sqlx::AssertSqlSafe(format!("drop schema {} cascade", self.name))).execute(&self.admin).await.unwrap();
    }
}

/// A write of that key, which is its purpose too, in a lane of its own.
fn write(key: &str) -> NewWrite<'_> {
    NewWrite {
        key,
        purpose: key,
        turn: key,
        lane: key,
        reference: "R",
        caller: "anonymous",
        sender: "s",
        action: "action_x",
        connection: "desk",
        operation: "make",
        payload: b"{}",
        behind: false,
        joins_since: 0,
    }
}

/// A lease of a hundred milliseconds.
fn lease(owner: &str, now: i64) -> Lease<'_> {
    Lease { owner, now, until: now + 100 }
}

/// An end in that state, which another message for the same purpose finds.
fn end<'a>(state: State, now: i64) -> End<'a> {
    End { state, result: Some(b"it"), now, due_at: now, unsettled: false, current: true, tell: false }
}

/// The number of a write that is this process's to send.
fn new(begun: Begun) -> i64 {
    match begun {
        Begun::New(id) => id,
        Begun::Behind(id) => panic!("{id} has to wait"),
        Begun::Known(known) => panic!("{} is known as {}", known.key, known.state.name()),
    }
}

/// The write that was begun before.
fn known(begun: Begun) -> Written {
    match begun {
        Begun::Known(known) => *known,
        Begun::New(id) | Begun::Behind(id) => panic!("{id} is new"),
    }
}
