//! Replicas that share a Redis, as operators run them: what one read the other has, what one writes the other knows of, and both
//! answer when Redis and the store are down. On real servers, which are stopped and started again in the middle.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, Once};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use pretty_assertions::assert_eq;
use redis::Commands as _;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Served, Started, written};

/// Whether there may be servers. Without them, tests say so once, past the harness that keeps what passing tests print.
fn servers() -> bool {
    static SAID: Once = Once::new();
    let there = ["LEGWORK_TEST_REDIS", "LEGWORK_TEST_POSTGRES"].map(|name| std::env::var_os(name).is_some());
    let skipped = "SKIPPED: the tests of several replicas: LEGWORK_TEST_REDIS and LEGWORK_TEST_POSTGRES name no servers; \
                   scripts/test starts them";
    if there != [true, true] {
        SAID.call_once(|| writeln!(std::io::stderr(), "{skipped}").unwrap());
    }
    there == [true, true]
}

/// A hall whose rows have 40 seats each; it counts what it is asked.
#[derive(Clone, Default)]
struct Hall(Arc<Mutex<Rows>>);

#[derive(Default)]
struct Rows {
    taken: HashMap<String, u32>,
    asked: usize,
}

type Answer = (StatusCode, [(&'static str, &'static str); 1], String);

impl Hall {
    async fn open(&self) -> String {
        let router = Router::new()
            .route("/rows/{row}", get(Self::free))
            .route("/rows/{row}/bookings", post(Self::book))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    async fn free(State(Self(rows)): State<Self>, Path(row): Path<String>) -> Answer {
        let mut rows = rows.lock().unwrap();
        rows.asked += 1;
        let free = 40 - rows.taken.get(&row).copied().unwrap_or_default();
        (StatusCode::OK, [("content-type", "application/json")], json!({ "free": free }).to_string())
    }

    async fn book(State(Self(rows)): State<Self>, Path(row): Path<String>) -> Answer {
        *rows.lock().unwrap().taken.entry(row).or_default() += 1;
        (StatusCode::OK, [("content-type", "application/json")], json!({}).to_string())
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().asked
    }

    fn booked(&self) -> u32 {
        self.0.lock().unwrap().taken.values().sum()
    }
}

const CONNECTOR: &str = r#"
kind: http
description: Seats.
api: { version: v1 }
settings: { address: { description: Where it is., example: "https://hall.example" } }
base: "{{ settings.address }}"
operations:
  free:
    inputs: { line: { required: true } }
    cache: { fresh: 10m, stale: 1d }
    request: GET /rows/{{ line }}
    rows: body.free
    examples:
      - inputs: { line: sarah }
        sends: { request: GET /rows/sarah }
        receives: { json: { free: 40 } }
        answer: 40
  book:
    kind: write
    drops: [free]
    inputs: { line: { required: true } }
    request: POST /rows/{{ line }}/bookings
    idempotency: none
    examples:
      - inputs: { line: sarah }
        sends: { request: POST /rows/sarah/bookings }
        receives: { json: {} }
        answer: {}
"#;

const LOOK: &str = r#"
inputs: { row: { from: "{{ slots.row }}" } }
steps:
  - { call: hall.free, with: { line: "{{ row }}" }, as: seats }
  - say: "{{ seats }} seats are free."
"#;

const BOOK: &str = r#"
inputs: { row: { from: "{{ slots.row }}" } }
steps:
  - call: hall.book
    with: { line: "{{ row }}" }
    outcomes: { unavailable: [{ say: Nothing can be booked at the moment. }] }
  - say: Booked.
"#;

fn project(hall: &str, stores: &str, more: &[(&str, &str)]) -> TempDir {
    let settings = format!(
        "connections: {{ hall: {{ connector: hall, address: \"{hall}\", allow_private: [127.0.0.1] }} }}\nstores: {{ {stores} }}\n"
    );
    let mut files = vec![
        ("legwork.yml", settings.as_str()),
        ("connectors/hall.yml", CONNECTOR),
        ("actions/look.yml", LOOK),
        ("actions/book.yml", BOOK),
    ];
    files.extend(more);
    written(&files)
}

const KEY: (&str, &str) = ("key.txt", "a passphrase that is long enough");

async fn seats(replica: &Served, row: &str) -> Vec<String> {
    replica.said("look", "m", json!({ "row": row })).await
}

#[tokio::test]
async fn replicas_share_what_they_read_and_know_of_each_others_writes() {
    if !servers() {
        return;
    }
    let (redis, hall) = (Started::by("redis"), Hall::default());
    // Each has a store of its own; what they share is the Redis.
    let stores = "cache: '${file:redis.txt}', key: '${file:key.txt}'";
    let address = hall.open().await;
    let folders = [(); 2].map(|()| project(&address, stores, &[KEY, ("redis.txt", &redis.address)]));
    let (one, other) = (Served::at(folders[0].path()).await, Served::at(folders[1].path()).await);
    for replica in [&one, &other] {
        let page = replica.until("/status", |page| page["stores"][1]["state"] == "ok").await;
        assert_eq!((&page["stores"][0]["kind"], &page["stores"][1]["kind"]), (&json!("sqlite"), &json!("redis")));
        // Both are connected to it before anything is asked.
        replica.until("/status", |_| connected(&redis) >= 4).await;
    }
    assert_eq!(seats(&one, "sarah@example.com").await, ["40 seats are free."]);
    let client = redis::Client::open(redis.address.as_str()).unwrap();
    let answers = || client.get_connection().unwrap().keys::<_, Vec<String>>("legwork:1:answer:*").unwrap();
    one.until("/status", |_| answers().len() == 1).await;
    assert_eq!((seats(&other, "sarah@example.com").await, hall.asked()), (vec!["40 seats are free.".to_owned()], 1));

    // Nothing of it can be read there.
    let mut connection = client.get_connection().unwrap();
    for name in connection.keys::<_, Vec<String>>("*").unwrap() {
        let kept: Vec<u8> = connection.get(&name).unwrap();
        assert!(!name.contains("sarah") && !String::from_utf8_lossy(&kept).contains("value"), "{name}");
    }
    let lives: i64 = connection.ttl(&answers()[0]).unwrap();
    assert!((86_000..=86_400).contains(&lives), "it is gone when it may not stand in any more: {lives}");

    // A write at one is a matter of a moment to the other, which would believe its own for ten minutes.
    assert_eq!(other.said("book", "m1", json!({ "row": "sarah@example.com" })).await, ["Booked."]);
    let mut tries = 0;
    while seats(&one, "sarah@example.com").await != ["39 seats are free."] {
        tries += 1;
        assert!(tries < 2_000, "it never hears of the write");
    }
    let metrics = one.page("/metrics").await.body;
    for line in ["legwork_second_level_total{kind=\"put\"}", "legwork_store_up{store=\"cache\"} 1"] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}

fn connected(redis: &Started) -> usize {
    let mut connection = redis::Client::open(redis.address.as_str()).unwrap().get_connection().unwrap();
    let clients: String = redis::cmd("CLIENT").arg("LIST").query(&mut connection).unwrap();
    clients.lines().filter(|line| !line.contains("cmd=client")).count()
}

#[tokio::test]
async fn with_the_store_and_redis_down_reads_are_answered_and_writes_refused() {
    if !servers() {
        return;
    }
    let (postgres, redis, hall) = (Started::by("postgres"), Started::by("redis"), Hall::default());
    let address = hall.open().await;
    let stores = "main: '${file:postgres.txt}', cache: '${file:redis.txt}', key: '${file:key.txt}'";
    let files = [KEY, ("redis.txt", redis.address.as_str()), ("postgres.txt", postgres.address.as_str())];
    let folder = project(&address, stores, &files);
    let replica = Served::at(folder.path()).await;
    let kinds = |page: &Value| page["stores"].as_array().unwrap().iter().map(|it| it["kind"].clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&replica.page("/status").await.json()), [json!("postgres"), json!("redis")]);
    assert_eq!(replica.said("book", "m1", json!({ "row": "b" })).await, ["Booked."]);
    assert_eq!(seats(&replica, "a").await, ["40 seats are free."]);
    assert_eq!(replica.page("/health").await.json(), json!({"status": "ok"}));

    postgres.halt();
    redis.halt();
    replica.until("/health", |page| *page == json!({"status": "ok", "down": ["main", "cache"]})).await;
    let asked = hall.asked();
    assert_eq!(
        (seats(&replica, "a").await, hall.asked()),
        (vec!["40 seats are free.".to_owned()], asked),
        "it is kept here"
    );
    assert_eq!(seats(&replica, "b").await, ["39 seats are free."], "it is asked for");
    let refused = replica.said("book", "m2", json!({ "row": "a" })).await;
    assert_eq!((refused, hall.booked()), (vec!["Nothing can be booked at the moment.".to_owned()], 1));
    let page = replica.page("/status").await.json();
    for (store, says) in [(0, "the store"), (1, "Redis")] {
        let store = &page["stores"][store];
        assert_eq!(store["state"], "down");
        assert!(store["detail"].as_str().unwrap().contains(says) && store["since"].is_string(), "{store}");
    }
    assert!(replica.page("/metrics").await.body.contains("legwork_store_up{store=\"main\"} 0"));

    postgres.launch();
    redis.launch();
    replica.until("/health", |page| *page == json!({"status": "ok"})).await;
    assert_eq!(replica.said("book", "m3", json!({ "row": "a" })).await, ["Booked."]);
    assert_eq!((seats(&replica, "a").await, hall.booked()), (vec!["39 seats are free.".to_owned()], 2));
    replica.says(r#""a store is back","store":"main""#).await;
    let log = replica.says(r#""a store is back","store":"cache""#).await;
    for (line, times) in [("a store is down", 2), ("a store is back", 2)] {
        assert_eq!(log.matches(line).count(), times, "{log}");
    }
}

#[tokio::test]
async fn a_replica_starts_without_its_redis_and_uses_it_when_it_comes() {
    if !servers() {
        return;
    }
    let (redis, hall) = (Started::by("redis"), Hall::default());
    redis.halt();
    let address = hall.open().await;
    let folder = project(&address, "cache: '${file:redis.txt}'", &[("redis.txt", &redis.address)]);
    let replica = Served::at(folder.path()).await;
    assert_eq!(seats(&replica, "a").await, ["40 seats are free."]);
    replica.until("/health", |page| page["down"] == json!(["cache"])).await;
    redis.launch();
    replica.until("/health", |page| *page == json!({"status": "ok"})).await;
    assert_eq!(seats(&replica, "b").await, ["40 seats are free."]);
    let client = redis::Client::open(redis.address.as_str()).unwrap();
    let answers = || client.get_connection().unwrap().keys::<_, Vec<String>>("legwork:1:answer:*").unwrap().len();
    replica.until("/status", |_| answers() == 1).await;
    let elsewhere = project(&address, "cache: '${file:redis.txt}'", &[("redis.txt", &redis.address)]);
    let other = Served::at(elsewhere.path()).await;
    let asked = hall.asked();
    other.until("/status", |_| connected(&redis) >= 4).await;
    assert_eq!((seats(&other, "b").await, hall.asked()), (vec!["40 seats are free.".to_owned()], asked));
}

#[tokio::test]
async fn an_address_that_gives_customers_data_away_is_refused_at_the_start() {
    for (address, says) in [
        ("redis://u:hunter2@cache.example:6379", "its password would be sent in the open"),
        ("redis://cache.example:6379", "customers' data would be sent in the open"),
        ("https://hunter2.example", "its address is not one of a Redis"),
    ] {
        let folder = project("http://127.0.0.1:1", "cache: '${file:redis.txt}'", &[("redis.txt", address)]);
        let refused = super::support::Bot::refused(folder.path()).await;
        let whole = format!("`stores.cache` cannot be used: {says}");
        assert!(refused.contains(&whole) && !refused.contains("hunter2"), "{refused}");
    }
    let found = super::support::problems(&[("legwork.yml", "stores:\n  cache: redis://u:hunter2@localhost\n")]);
    assert_eq!(found, ["written-secret legwork.yml:2 a secret is not written into the file"]);
}
