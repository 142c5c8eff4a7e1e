//! A system whose effects are counted: it does what it is told, and behaves as the test says.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use serde_json::{Value, json};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It does what it is told, and says so.
    Well,
    /// It does nothing, and says that it is down.
    Down,
    /// It does nothing, and says that this cannot be.
    Refuses,
    /// It does what it is told, and the answer is lost.
    Loses,
    /// It does what it is told, and never answers.
    Silent,
}

/// The system.
pub struct Till {
    address: String,
    state: Arc<Mutex<Kept>>,
}

struct Kept {
    mood: Mood,
    /// How it behaves to texts that begin so.
    moods: Vec<(String, Mood)>,
    /// What was done: the key or name, and the text.
    effects: Vec<(String, String)>,
}

type Shared = State<Arc<Mutex<Kept>>>;
type Answer = (StatusCode, [(&'static str, &'static str); 1], String);

fn answer(status: u16, body: &Value) -> Answer {
    (StatusCode::from_u16(status).unwrap(), [("content-type", "application/json")], body.to_string())
}

impl Kept {
    fn does(&mut self, key: &str, text: &str) -> Answer {
        let own = self.moods.iter().rev().find(|(begin, _)| text.starts_with(begin.as_str()));
        let mood = own.map_or(self.mood, |(_, mood)| *mood);
        match mood {
            Mood::Down => return answer(503, &json!({})),
            Mood::Refuses => return answer(409, &json!({})),
            Mood::Well | Mood::Loses | Mood::Silent => {}
        }
        let known = self.effects.iter().position(|(known, _)| known == key && !key.is_empty());
        let number = known.unwrap_or_else(|| {
            self.effects.push((key.to_owned(), text.to_owned()));
            self.effects.len() - 1
        });
        match mood {
            Mood::Loses => answer(500, &json!({})),
            _ => answer(200, &json!({ "number": format!("N-{}", number + 1) })),
        }
    }
}

/// Lets an answer go, unless the system is silent.
async fn let_go(state: Arc<Mutex<Kept>>, answer: Answer) -> Answer {
    let silent = state.lock().unwrap().mood == Mood::Silent;
    if silent {
        std::future::pending::<()>().await;
    }
    answer
}

fn text(body: &Bytes) -> (String, String) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let part = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    (part("key"), part("text"))
}

async fn keyed(State(state): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).unwrap_or_default();
    let answer = state.lock().unwrap().does(key, &text(&body).1);
    let_go(state, answer).await
}

/// It knows no keys: a caller who does not look first does it twice.
async fn looked(State(state): Shared, body: Bytes) -> Answer {
    let (key, text) = text(&body);
    let answer = {
        let mut kept = state.lock().unwrap();
        let twice = kept.effects.iter().any(|(known, _)| *known == key);
        let kept_key = if twice { format!("{key} again") } else { key };
        kept.does(&kept_key, &text)
    };
    let_go(state, answer).await
}

async fn found(State(state): Shared, RawQuery(query): RawQuery) -> Answer {
    let wanted = query.as_deref().and_then(|query| query.strip_prefix("key=")).unwrap_or_default();
    let kept = state.lock().unwrap();
    if kept.mood == Mood::Down {
        return answer(503, &json!({}));
    }
    let found = kept.effects.iter().enumerate().filter(|(_, (key, _))| key == wanted);
    let found: Vec<_> = found.map(|(at, _)| json!({ "number": format!("N-{}", at + 1) })).collect();
    answer(200, &json!({ "found": found }))
}

async fn named(State(state): Shared, Path(name): Path<String>, body: Bytes) -> Answer {
    let answer = state.lock().unwrap().does(&name, &text(&body).1);
    let_go(state, answer).await
}

async fn plain(State(state): Shared, body: Bytes) -> Answer {
    let answer = state.lock().unwrap().does("", &text(&body).1);
    let_go(state, answer).await
}

impl Till {
    /// Opens it on a port of its own.
    pub async fn open() -> Self {
        let kept = Kept { mood: Mood::Well, moods: Vec::new(), effects: Vec::new() };
        let state = Arc::new(Mutex::new(kept));
        let router = Router::new()
            .route("/keyed", post(keyed))
            .route("/looked", get(found).post(looked))
            .route("/named/{name}", put(named))
            .route("/plain", post(plain))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// The settings of a project that is connected to it as `till`, without repeats within a call, and more settings.
    pub fn settings(&self, more: &str) -> String {
        format!(
            "connections:\n  till:\n    connector: till\n    address: \"{}\"\n    allow_private: [127.0.0.1]\n    \
             retry: {{ attempts: 1 }}\n    breaker: off\n{more}\n",
            self.address
        )
    }

    pub fn becomes(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    /// How it behaves to a text that begins so.
    pub fn becomes_to(&self, text: &str, mood: Mood) {
        self.state.lock().unwrap().moods.push((text.to_owned(), mood));
    }

    /// The texts of what was done, in order.
    pub fn done(&self) -> Vec<String> {
        self.state.lock().unwrap().effects.iter().map(|(_, text)| text.clone()).collect()
    }
}

/// Its connector, with a write for each way of being repeated, and a payment.
pub const TILL: (&str, &str) = (
    "connectors/till.yml",
    r#"
kind: http
description: Counts what it does.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://till.example" }
base: "{{ settings.address }}"
operations:
  keyed: &keyed
    kind: write
    inputs: { text: {} }
    request: POST /keyed
    json: { text: "{{ text }}" }
    idempotency: { header: Idempotency-Key, kept: 1h }
    rows: body
    examples:
      - inputs: { text: a }
        sends: { request: POST /keyed, json: { text: a } }
        receives: { json: { number: N-1 } }
        answer: { number: N-1 }
  pay: { <<: *keyed, kind: payment }
  looked:
    kind: write
    inputs: { text: {} }
    request: POST /looked
    json: { text: "{{ text }}", key: "{{ key }}" }
    idempotency: { lookup: { request: GET /looked, query: { key: "{{ key }}" }, rows: body.found, take: optional } }
    rows: body
    examples:
      - inputs: { text: a }
        sends: { request: POST /looked, json: { text: a, key: … } }
        receives: { json: { number: N-1 } }
        answer: { number: N-1 }
  named:
    kind: write
    inputs: { name: {}, text: {} }
    request: PUT /named/{{ name }}
    json: { text: "{{ text }}" }
    idempotency: upsert
    rows: body
    examples:
      - inputs: { name: b, text: a }
        sends: { request: PUT /named/b, json: { text: a } }
        receives: { json: { number: N-1 } }
        answer: { number: N-1 }
  plain:
    kind: write
    inputs: { text: {} }
    request: POST /plain
    json: { text: "{{ text }}" }
    idempotency: none
    rows: body
    examples:
      - inputs: { text: a }
        sends: { request: POST /plain, json: { text: a } }
        receives: { json: { number: N-1 } }
        answer: { number: N-1 }
"#,
);
