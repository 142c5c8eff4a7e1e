//! What servers that run keep of a customer in memory, and in a Redis that they share, goes with what is purged.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::routing::any;
use pretty_assertions::assert_eq;
use redis::Commands as _;
use serde_json::json;
use tempfile::TempDir;

use super::support::{Kept, Served, Started, legwork, written};

/// A register of people, who are asked for by their addresses; how often it was asked.
async fn register() -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let answer = move || {
        let number = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let body = json!({ "name": format!("number {number}") }).to_string();
        async move { ([("content-type", "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    (address, asked)
}

const REGISTER: (&str, &str) = (
    "connectors/register.yml",
    r#"
kind: http
description: Knows people.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://register.example" }
base: "{{ settings.address }}"
operations:
  find:
    inputs: { email: { required: true } }
    cache: { fresh: 1h, stale: 1d }
    request: GET /people
    query: { email: "{{ email }}" }
    rows: body
    examples:
      - inputs: { email: a@b.example }
        sends: { request: "GET /people?email=a%40b.example" }
        receives: { json: { name: A } }
        answer: { name: A }
  add:
    kind: write
    inputs: { email: { required: true } }
    request: POST /people
    json: { email: "{{ email }}" }
    idempotency: none
    rows: body
    examples:
      - inputs: { email: a@b.example }
        sends: { request: POST /people, json: { email: a@b.example } }
        receives: { json: { name: A } }
        answer: { name: A }
"#,
);

/// A project that asks the register, and its files.
fn project(address: &str, stores: &str, more: &[(&str, &str)]) -> TempDir {
    let settings = format!(
        "connections:\n  people: {{ connector: register, address: \"{address}\", allow_private: [127.0.0.1] }}\n{stores}\n"
    );
    let find = "inputs: { email: {} }\nsteps: [{ call: people.find, with: { email: '{{ email }}' }, as: one }, \
                { say: '{{ one.name }}' }]\n";
    let add = "inputs: { email: {} }\nsteps: [{ call: people.add, with: { email: '{{ email }}' } }]\n";
    let own =
        [("legwork.yml", settings.as_str()), REGISTER, ("actions/action_find.yml", find), ("actions/action_add.yml", add)];
    written(&own.iter().chain(more).copied().collect::<Vec<_>>())
}

async fn finds(server: &Served, email: &str) -> String {
    server.said("action_find", "m1", json!({ "email": email })).await.join("")
}

const FORGOTTEN: &str = "what was kept of somebody is forgotten";

/// Two servers on one store: both forget what they keep in memory of the one who is named, and nothing else.
#[tokio::test]
async fn servers_that_run_forget_what_they_keep_in_memory() {
    for kept in Kept::everywhere().await {
        let (address, asked) = register().await;
        let folder = project(&address, kept.settings, &[("store.txt", &kept.address)]);
        let servers = [Served::at(folder.path()).await, Served::at(folder.path()).await];
        let mut before = Vec::new();
        for server in &servers {
            let (jane, tom) = (finds(server, "Jane@example.com").await, finds(server, "tom@example.com").await);
            assert_eq!(finds(server, "Jane@example.com").await, jane, "it is kept");
            before.push((jane, tom));
        }
        assert_eq!(asked.load(Ordering::SeqCst), 4);
        let purged = legwork(folder.path(), &["purge", "--customer", "jane@EXAMPLE.com"]);
        assert_eq!(purged.code, Some(0), "{}", purged.complained);
        for (server, (jane, tom)) in servers.iter().zip(&before) {
            let log = server.says(FORGOTTEN).await;
            assert!(!log.to_lowercase().contains("jane"), "{log}");
            assert_ne!(finds(server, "Jane@example.com").await, *jane);
            assert_eq!(finds(server, "tom@example.com").await, *tom, "others are still kept");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 6);
    }
}

/// What servers share in a Redis goes too, though it cannot be looked into.
#[tokio::test]
async fn a_redis_that_servers_share_is_emptied() {
    if std::env::var_os("LEGWORK_TEST_REDIS").is_none() {
        return;
    }
    let (redis, (address, asked)) = (Started::by("redis"), register().await);
    let stores = "stores: { cache: '${file:redis.txt}' }";
    let folder = project(&address, stores, &[("redis.txt", &redis.address)]);
    let add = legwork(folder.path(), &["try", "action_add", "--slot", "email=tom@example.com"]);
    assert_eq!(add.code, Some(0), "so that there is a store: {}", add.complained);
    let server = Served::at(folder.path()).await;
    server.until("/status", |page| page["stores"][1]["state"] == "ok").await;
    let before = asked.load(Ordering::SeqCst);
    let client = redis::Client::open(redis.address.as_str()).unwrap();
    let answers = || client.get_connection().unwrap().keys::<_, Vec<String>>("legwork:1:answer:*").unwrap().len();
    let jane = finds(&server, "jane@example.com").await;
    server.until("/status", |_| answers() == 1).await;
    let purged = legwork(folder.path(), &["purge", "--customer", "jane@example.com"]);
    assert_eq!(purged.code, Some(0), "{}", purged.complained);
    server.says(FORGOTTEN).await;
    server.until("/status", |_| answers() == 0).await;
    assert_ne!(finds(&server, "jane@example.com").await, jane);
    assert_eq!(asked.load(Ordering::SeqCst), before + 2);
}
