//! Several servers on one PostgreSQL: a schema for each test, the real binary, and a way to the database that can be shut.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Once;

use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::Call;

/// A schema of a test's own, on the server that tests may play with.
pub struct Schema {
    name: String,
    server: String,
    pub pool: PgPool,
}

impl Schema {
    /// Makes one. Where there is no server, that is said once, past the harness that keeps what passing tests print.
    pub async fn make() -> Option<Self> {
        static SAID: Once = Once::new();
        let Some(server) = std::env::var_os("LEGWORK_TEST_POSTGRES").map(|url| url.into_string().unwrap()) else {
            let skipped = "SKIPPED: the tests of replicas: LEGWORK_TEST_POSTGRES names no server; scripts/test starts one";
            SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
            return None;
        };
        let name = format!("replicas_{:016x}", fastrand::u64(..));
        let pool = PgPoolOptions::new().max_connections(1).connect(&server).await.unwrap();
        let this = Self { name, server, pool };
        this.run(&format!("create schema {}", this.name)).await;
        this.run(&format!("set search_path to {}", this.name)).await;
        Some(this)
    }

    /// Its address.
    pub fn url(&self) -> String {
        let mark = if self.server.contains('?') { '&' } else { '?' };
        format!("{}{mark}options[search_path]={}", self.server, self.name)
    }

    /// Its address by way of a doorway.
    pub fn url_by(&self, doorway: &Doorway) -> String {
        self.url().replace(&self.place(), &doorway.address.to_string())
    }

    /// Where its server is: host and port.
    pub fn place(&self) -> String {
        let rest = self.server.split_once("@").map_or(self.server.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap().to_owned()
    }

    async fn run(&self, sql: &str) {
        sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await.unwrap();
    }

    /// How many writes there are in that state.
    pub async fn writes(&self, state: &str) -> i64 {
        let count = "select count(*) from legwork_writes where state = $1";
        sqlx::query_scalar(count).bind(state).fetch_one(&self.pool).await.unwrap()
    }

    pub async fn drop(self) {
        self.run(&format!("drop schema {} cascade", self.name)).await;
    }
}

/// The real server, as a process of its own. When it is dropped, it is killed.
pub struct Replica {
    address: SocketAddr,
    child: Child,
}

impl Replica {
    /// Starts one in a folder; `name` tells its log from others'.
    pub async fn start(folder: &Path, name: &str) -> Self {
        let log = folder.join(format!("{name}.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
        command.args(["serve", "--port", "0", "--config", "legwork.yml"]).current_dir(folder);
        let mut child = command.stderr(File::create(&log).unwrap()).spawn().unwrap();
        loop {
            let told = std::fs::read_to_string(&log).unwrap();
            let at = told.split_once("listening on http://").and_then(|(_, rest)| rest.split_once("/webhook"));
            if let Some((address, _)) = at {
                return Self { address: address.parse().unwrap(), child };
            }
            assert!(child.try_wait().unwrap().is_none(), "it did not start: {told}");
            tokio::task::yield_now().await;
        }
    }

    pub fn call(&self, action: &str) -> Call<'static> {
        Call::to(self.address, action)
    }

    /// Ends it on the spot.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A way to a server that can be shut: then connections end, and new ones are not taken.
pub struct Doorway {
    address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Doorway {
    pub async fn to(place: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, mut is_open) = watch::channel(true);
        tokio::spawn(async move {
            loop {
                let (mut from, _) = listener.accept().await.unwrap();
                if !*is_open.borrow_and_update() {
                    continue;
                }
                let (place, mut shut) = (place.clone(), is_open.clone());
                tokio::spawn(async move {
                    let mut to = TcpStream::connect(place).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut from, &mut to) => {}
                        _ = shut.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { address, open }
    }

    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    pub fn reopen(&self) {
        self.open.send_replace(true);
    }
}
