//! The server under test, as a process of its own that can be killed and comes back on its port.

use std::fs::File;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::Fallible;

/// How long a server may take to listen.
const START: Duration = Duration::from_secs(30);

/// A server; where it listens stays the same.
pub struct Replica {
    number: usize,
    folder: PathBuf,
    address: Mutex<Option<SocketAddr>>,
    child: tokio::sync::Mutex<Option<Child>>,
    state: watch::Sender<State>,
    log: Arc<Mutex<Log>>,
}

/// The file that its log goes to.
fn log_name(number: usize) -> String {
    format!("server-{number}.log")
}

/// How it stands with a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct State {
    /// How often it was killed.
    pub kills: u32,
    /// Since when it listens, when it does.
    pub up: Option<Instant>,
    /// Whether it ended by itself.
    pub ended: bool,
}

/// What it wrote into its log.
struct Log {
    file: File,
    errors: Vec<String>,
    panics: usize,
}

impl Replica {
    /// Starts a server of the project in a folder.
    ///
    /// # Errors
    /// When it does not listen in time.
    pub async fn start(folder: &Path, number: usize) -> Fallible<Arc<Self>> {
        let file = File::create(folder.join(log_name(number)))?;
        let replica = Arc::new(Self {
            number,
            folder: folder.to_owned(),
            address: Mutex::new(None),
            child: tokio::sync::Mutex::new(None),
            state: watch::Sender::new(State::default()),
            log: Arc::new(Mutex::new(Log { file, errors: Vec::new(), panics: 0 })),
        });
        replica.launch().await?;
        Ok(replica)
    }

    /// Where it listens.
    pub fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Kills it where it stands, and starts it again at once.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn kill(self: &Arc<Self>) -> Fallible<()> {
        // Said before it is done: whoever loses a connection from here on knows why.
        self.state.send_modify(|state| *state = State { kills: state.kills + 1, up: None, ..*state });
        self.end().await?;
        self.launch().await
    }

    /// Ends it for good.
    ///
    /// # Errors
    /// When the process cannot be ended.
    pub async fn stop(&self) -> Fallible<()> {
        self.state.send_modify(|state| *state = State { kills: state.kills + 1, up: None, ..*state });
        self.end().await
    }

    /// The errors that it logged, and how often it panicked.
    pub fn errors(&self) -> (Vec<String>, usize) {
        let log = self.log();
        (log.errors.clone(), log.panics)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn end(&self) -> Fallible<()> {
        if let Some(mut child) = self.child.lock().await.take() {
            child.kill().await?;
        }
        Ok(())
    }

    async fn launch(self: &Arc<Self>) -> Fallible<()> {
        let port = self.address().map_or(0, |address| address.port());
        let mut child = Command::new(env!("CARGO_BIN_EXE_legwork"))
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string(), "--config", "legwork.yml"])
            .current_dir(&self.folder)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stderr = child.stderr.take().ok_or("a server has no stderr")?;
        *self.child.lock().await = Some(child);
        let kills = self.state().kills;
        tokio::spawn(Arc::clone(self).follow(stderr, kills));
        let mut state = self.state.subscribe();
        let up = state.wait_for(|state| state.up.is_some() || state.ended);
        let state = *timeout(START, up).await.map_err(|_| format!("server {} does not listen", self.number))??;
        if state.ended {
            let log = std::fs::read_to_string(self.folder.join(log_name(self.number)))?;
            let last: Vec<_> = log.lines().rev().take(5).collect();
            return Err(format!("server {} ended: {}", self.number, last.join("\n")).into());
        }
        Ok(())
    }

    /// Reads what a process logs, to its end.
    async fn follow(self: Arc<Self>, stderr: ChildStderr, kills: u32) {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some((_, rest)) = line.split_once("listening on http://")
                && let Some(address) = rest.split_once("/webhook").and_then(|(address, _)| address.parse().ok())
            {
                *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
                self.state.send_modify(|state| state.up = Some(Instant::now()));
            }
            let mut log = self.log();
            // A log that cannot be written is no reason to end a run.
            let _ = writeln!(log.file, "{line}");
            log.panics += usize::from(line.contains("panicked"));
            if line.contains("\"ERROR\"") {
                log.errors.push(line);
            }
        }
        if self.state().kills == kills {
            self.state.send_modify(|state| *state = State { up: None, ended: true, ..*state });
        }
    }
}
