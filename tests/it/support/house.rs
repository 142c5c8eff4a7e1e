//! A house with the real door and the scripted engine behind it.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

use legwork::secret::Secret;
use legwork::server::{Drain, Draining, Entrance, Facts, Life, Options, Serving, Tls, router, serve};
use legwork::telemetry::Metrics;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::client::{Exchange, request};
use super::{Script, log};

/// A running server. When it is dropped, it stops, and the log is searched for the secrets of the tests.
pub struct House {
    pub address: SocketAddr,
    pub engine: Arc<Script>,
    stop: Arc<Notify>,
    served: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
}

/// What every secret of these tests holds, and no log line may.
const MARK: &str = "s3cret";

/// A secret of a test.
pub fn secret(text: &str) -> Secret {
    assert!(text.contains(MARK), "secrets of tests hold the mark that the log is searched for");
    Secret::new(text.to_owned())
}

/// The body of a call.
pub fn call(action: &str, slots: Value) -> Vec<u8> {
    let tracker = json!({"sender_id": "s", "slots": slots, "latest_message": {}, "events": [], "active_loop": {}});
    json!({"next_action": action, "sender_id": "s", "tracker": tracker, "version": "3.6.21", "domain": {}})
        .to_string()
        .into()
}

impl House {
    /// A server with the defaults.
    pub fn open() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        Self::built(options, None, Drain::default())
    }

    pub fn built(options: Options, tls: Option<Tls>, drain: Drain) -> Self {
        log::begin();
        let engine = Arc::new(Script::default());
        let facts = Facts {
            config: json!({"profile": "test"}),
            metrics: Metrics::install(),
            draining: Draining::clone(&drain.draining),
            life: Life::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let door = router(Arc::clone(&engine), options, facts);
        let serving = Serving { drain, ..Serving::default() };
        let entrance = Entrance::new(door, tls);
        let served = tokio::spawn(serve(listener, entrance, serving, async move { stopped.notified().await }, async {}));
        Self { address, engine, stop, served: Mutex::new(Some(served)) }
    }

    /// Posts JSON to the webhook.
    pub async fn post(&self, body: impl AsRef<[u8]>) -> Exchange {
        self.post_with(&[], body).await
    }

    /// Posts JSON to the webhook with further headers.
    pub async fn post_with(&self, headers: &[&str], body: impl AsRef<[u8]>) -> Exchange {
        let headers: Vec<_> = headers.iter().copied().chain(["content-type: application/json"]).collect();
        request(self.address, "POST /webhook", &headers, body.as_ref()).await
    }

    pub async fn get(&self, path: &str, headers: &[&str]) -> Exchange {
        request(self.address, &format!("GET {path}"), headers, b"").await
    }

    /// Waits until it has stopped, and that went well.
    pub async fn served(&self) {
        let served = self.served.lock().unwrap().take().unwrap();
        served.await.unwrap().unwrap();
    }

    /// Says that it shall stop.
    pub fn stop(&self) {
        self.stop.notify_one();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.stop();
        if !std::thread::panicking() {
            let told = log::lines_about(MARK);
            assert!(told.is_empty(), "a secret is in the log: {told:?}");
        }
    }
}
