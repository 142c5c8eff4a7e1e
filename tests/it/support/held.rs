//! A system that answers when the test lets it: every request is held until it is released.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::routing::any;
use tokio::sync::Semaphore;

/// The system. `{{ADDRESS}}` in the files of a project stands for where it is.
pub struct Held {
    address: String,
    state: Arc<Requests>,
}

struct Requests {
    begun: Semaphore,
    free: Semaphore,
    ended: Semaphore,
    gone: Semaphore,
    asked: AtomicUsize,
}

/// A request that is being held; when it is dropped before its end, whoever asked has gone.
struct Holding(Arc<Requests>, bool);

impl Drop for Holding {
    fn drop(&mut self) {
        let Self(state, released) = self;
        if *released { &state.ended } else { &state.gone }.add_permits(1);
    }
}

impl Held {
    /// Opens it on a port of its own.
    pub async fn open() -> Self {
        let empty = || Semaphore::new(0);
        let state =
            Arc::new(Requests { begun: empty(), free: empty(), ended: empty(), gone: empty(), asked: AtomicUsize::new(0) });
        let router = Router::new().fallback(any(answer)).with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// The settings of a project that is connected to it as `desk`, and more settings.
    pub fn settings(&self, more: &str) -> String {
        format!(
            "connections:\n  desk: {{ connector: held, address: \"{}\", allow_private: [127.0.0.1] }}\n{more}\n",
            self.address
        )
    }

    /// Waits until one more request has come.
    pub async fn asked(&self) {
        self.state.begun.acquire().await.unwrap().forget();
    }

    /// Lets one request be answered, that there is or that comes.
    pub fn release(&self) {
        self.state.free.add_permits(1);
    }

    /// Waits until one more request was answered.
    pub async fn ended(&self) {
        self.state.ended.acquire().await.unwrap().forget();
    }

    /// Waits until whoever asked one more request has gone without an answer.
    pub async fn gone(&self) {
        self.state.gone.acquire().await.unwrap().forget();
    }

    /// How many requests have come.
    pub fn count(&self) -> usize {
        self.state.asked.load(Ordering::SeqCst)
    }
}

async fn answer(State(state): State<Arc<Requests>>) -> ([(&'static str, &'static str); 1], String) {
    let number = state.asked.fetch_add(1, Ordering::SeqCst) + 1;
    let mut holding = Holding(Arc::clone(&state), false);
    state.begun.add_permits(1);
    state.free.acquire().await.unwrap().forget();
    holding.1 = true;
    ([("content-type", "application/json")], serde_json::json!({ "number": number }).to_string())
}

/// Its connector: `look` reads and `make` writes; both answer which request they were.
pub const HELD: (&str, &str) = (
    "connectors/held.yml",
    r#"
kind: http
description: Answers when it is let.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://held.example" }
base: "{{ settings.address }}"
timeout: 30s
operations:
  look:
    request: GET /look
    rows: body.number
    examples:
      - sends: { request: GET /look }
        receives: { json: { number: 1 } }
        answer: 1
  make:
    kind: write
    request: POST /make
    json: {}
    idempotency: none
    rows: body.number
    examples:
      - sends: { request: POST /make, json: {} }
        receives: { json: { number: 1 } }
        answer: 1
"#,
);
