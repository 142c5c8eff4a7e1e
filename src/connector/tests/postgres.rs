//! `kind: sql` on a real PostgreSQL server, which `LEGWORK_TEST_POSTGRES` names; without it, each of these says that it is
//! skipped.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};

use super::*;
use crate::secret::Reference;

mod faults;
mod operations;
mod scratch;
mod start;
mod values;

/// The server that tests may play with. Without one they say so once, past the harness that keeps what passing tests print.
fn server() -> Option<PgConnectOptions> {
    static SAID: Once = Once::new();
    match Reference::Env("LEGWORK_TEST_POSTGRES".to_owned()).resolve(Path::new(".")) {
        Ok(url) => Some(url.expose().parse().unwrap()),
        Err(_) => {
            let skipped = "SKIPPED: the tests on PostgreSQL: LEGWORK_TEST_POSTGRES names no server; scripts/test starts one";
            SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
            None
        }
    }
}

/// A database of one test, which ends with it.
struct Base {
    server: PgConnectOptions,
    name: String,
}

impl Base {
    /// A new database in which `script` has run; none where there is no server.
    async fn new(script: &str) -> Option<Self> {
        let server = server()?;
        let name = format!("legwork_{:016x}", fastrand::u64(..));
        let mut admin = server.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(format!("create database {name}"))).execute(&mut admin).await.unwrap();
        let base = Self { server, name };
        base.does(script).await;
        Some(base)
    }

    fn url(&self) -> String {
        let (host, port, user) = (self.server.get_host(), self.server.get_port(), self.server.get_username());
        format!("postgres://{user}:hunter2@{host}:{port}/{}", self.name)
    }

    /// Somebody else's connection.
    async fn session(&self) -> PgConnection {
        self.server.clone().database(&self.name).connect().await.unwrap()
    }

    async fn does(&self, script: &str) {
        sqlx::raw_sql(AssertSqlSafe(script.to_owned())).execute(&mut self.session().await).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(format!("select ({sql})::int8"));
        sqlx::query(sql).fetch_one(&mut self.session().await).await.unwrap().get(0)
    }

    fn connector(&self, yaml: &str) -> Arc<Connector> {
        own_connector("own", &format!("kind: sql\ndatabase: '{}'\n{yaml}", self.url()), Path::new("."))
    }

    async fn open(&self, yaml: &str) -> Connections {
        open(&[connection("own", &self.connector(yaml), &[])], Path::new(".")).await.unwrap()
    }
}

impl Drop for Base {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut admin = server.connect().await.unwrap();
                let drop = AssertSqlSafe(format!("drop database if exists {name} with (force)"));
                let _ = sqlx::raw_sql(drop).execute(&mut admin).await;
            });
        });
        let _ = dropping.join();
    }
}

/// A server of this test's own, that it may stop.
struct Server {
    url: String,
    folder: String,
}

impl Server {
    fn start() -> Self {
        let ran = Command::new("scripts/postgres").arg("start").output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        let said = String::from_utf8(ran.stdout).unwrap();
        let (url, folder) = said.trim().split_once('\n').unwrap();
        Self { url: url.to_owned(), folder: folder.to_owned() }
    }

    fn does(&self, what: &str) {
        assert!(Command::new("scripts/postgres").args([what, &self.folder]).status().unwrap().success(), "{what}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("scripts/postgres").args(["stop", &self.folder]).status();
    }
}

fn within(time: Duration) -> How<'static> {
    How::by(Deadline::after(time))
}

/// Asks until something holds that another process decides, and that does not come by itself: a call's own deadline is later.
async fn until<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            match ask().await {
                Some(found) => return found,
                None => tokio::task::yield_now().await,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(8), asking).await.expect("it never held")
}
