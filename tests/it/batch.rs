//! An `each` over reads that a system answers with one request, through a real server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use pretty_assertions::assert_eq;

use super::support::Bot;

const PARCELS: &str = r#"
kind: http
description: Parcels.
api: { version: v1 }
settings: { address: { description: Where it is., example: "https://parcels.example" } }
base: "{{ settings.address }}"
operations:
  find:
    inputs: { number: { required: true } }
    request: GET /parcels/{{ number }}
    take: one
    answer: { state: "{{ row.state }}" }
    batch:
      of: number
      by: row.number
      request: GET /parcels
      query: { numbers: "{{ number | join(',') }}" }
      rows: body.parcels
  lose:
    kind: write
    inputs: { number: { required: true } }
    request: POST /lost/{{ number }}
    idempotency: none
"#;

const TELL: &str = r#"
steps:
  - each: "['A', 'B', 'C', 'A']"
    as: number
    steps:
      - { call: parcels.find, with: { number: "{{ number }}" }, as: parcel, when: number != 'B', outcomes: { not_found: [{ continue: "{{ {'state': 'unknown'} }}" }] } }
      - { say: "{{ number }}: {{ parcel.state }}.", when: parcel }
"#;

const WRITE: &str = r#"
steps:
  - each: "['A', 'C']"
    as: number
    steps:
      - { call: parcels.find, with: { number: "{{ number }}" }, as: parcel }
      - { call: parcels.lose, with: { number: "{{ number }}" } }
      - { say: "{{ number }}: {{ parcel.state }}." }
"#;

type Seen = Arc<Mutex<Vec<String>>>;

async fn parcels(State(seen): State<Seen>, request: Request) -> ([(&'static str, &'static str); 1], String) {
    seen.lock().unwrap().push(request.uri().to_string());
    let body = match request.uri().path() {
        "/parcels" => r#"{"parcels": [{"number": "A", "state": "sent"}, {"number": "C", "state": "here"}]}"#,
        _ => r#"{"number": "C", "state": "lost"}"#,
    };
    ([("content-type", "application/json")], body.to_owned())
}

async fn bot(seen: &Seen) -> Bot {
    let router = Router::new().fallback(parcels).with_state(Arc::clone(seen));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let settings = format!(
        "connections: {{ parcels: {{ connector: parcels, address: 'http://{address}', allow_private: [127.0.0.1] }} }}\n"
    );
    Bot::with(&[
        ("legwork.yml", settings.as_str()),
        ("connectors/parcels.yml", PARCELS),
        ("actions/tell.yml", TELL),
        ("actions/write.yml", WRITE),
    ])
    .await
}

#[tokio::test]
async fn an_each_over_reads_is_one_request() {
    let seen = Seen::default();
    let answer = bot(&seen).await.call("tell").send().await;
    assert_eq!(answer.said(), ["A: sent.", "C: here.", "A: sent."]);
    assert_eq!(*seen.lock().unwrap(), ["/parcels?numbers=A%2CC"]);
}

#[tokio::test]
async fn what_is_read_after_a_write_is_read_anew() {
    let seen = Seen::default();
    let answer = bot(&seen).await.call("write").send().await;
    assert_eq!(answer.said(), ["A: sent.", "C: lost."]);
    assert_eq!(*seen.lock().unwrap(), ["/parcels?numbers=A%2CC", "/lost/A", "/parcels/C", "/lost/C"]);
}
