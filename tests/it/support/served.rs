//! legwork as operators run it: a process that serves the project of a folder.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Call;
use super::client::{Exchange, request};

/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// `legwork serve` in a folder; it ends with this.
pub struct Served {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Served {
    /// Serves the project of a folder, with a log of its own there, and waits until it answers.
    pub async fn at(folder: &Path) -> Self {
        Self::with(folder, &[]).await
    }

    /// The same with further words on the command line.
    pub async fn with(folder: &Path, words: &[&str]) -> Self {
        // Several may serve the same folder.
        static NUMBER: AtomicUsize = AtomicUsize::new(1);
        let log = folder.join(format!("served-{}.log", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
        // It says where it listens; a port that is chosen here may be somebody else's by then.
        command
            .args(["serve", "-p", "0"])
            .args(words)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        let mut served = Self { child: command.spawn().unwrap(), address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        let begun = Instant::now();
        loop {
            let log = served.log();
            if let Some((_, rest)) = log.split_once("listening on http")
                && let Some((address, _)) = rest.trim_start_matches(['s', ':', '/']).split_once("/webhook")
            {
                served.address = address.parse().unwrap();
                return served;
            }
            let ended = served.child.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "it is not served: {log}");
            tokio::task::yield_now().await;
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A call of an action.
    pub fn call(&self, action: &str) -> Call<'static> {
        Call::to(self.address, action)
    }

    /// Sends it a signal, by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{name} cannot be sent");
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until it has logged a text; with all that it has logged by then.
    pub async fn says(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let log = self.log();
            if log.contains(text) {
                return log;
            }
            assert!(begun.elapsed() < PATIENCE, "it never says {text:?}: {log}");
            tokio::task::yield_now().await;
        }
    }

    /// A page.
    pub async fn page(&self, path: &str) -> Exchange {
        request(self.address, &format!("GET {path}"), &[], b"").await
    }

    /// What a call of an action says, of a message of its own.
    pub async fn said(&self, action: &str, message: &str, slots: Value) -> Vec<String> {
        let tracker = serde_json::json!({
            "sender_id": "s", "slots": slots, "latest_message": { "text": "x", "message_id": message },
        });
        let call = serde_json::json!({ "next_action": action, "sender_id": "s", "tracker": tracker }).to_string();
        let answer = request(self.address, "POST /webhook", &["content-type: application/json"], call.as_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.texts()
    }

    /// Asks for a page until it answers with that status.
    pub async fn until_it_answers(&self, path: &str, status: u16) {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let answered = self.page(path).await.status;
            if answered == status {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} never answers {status}, but {answered}: {}", self.log());
        }
    }

    /// Asks for a page until it says what it has to.
    pub async fn until(&self, path: &str, says: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        loop {
            ticks.tick().await;
            let page = self.page(path).await;
            assert_eq!(page.status, 200);
            let page = page.json();
            if says(&page) {
                return page;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} never says so: {page}\n{}", self.log());
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}
