//! What has to outlive the process, through a real server that is started again.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::support::{Bot, problems, written};

/// A vendor that replaces the refresh token at every use: only the latest is good.
#[derive(Clone)]
struct Vendor(Arc<Mutex<u32>>);

impl Vendor {
    async fn open() -> String {
        let router = Router::new()
            .route("/token", post(Self::token))
            .route("/greeting", get(Self::greeting))
            .with_state(Self(Arc::default()));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    async fn token(State(Self(uses)): State<Self>, form: String) -> (StatusCode, Answer) {
        let mut uses = uses.lock().unwrap();
        let good = format!("refresh_token=refresh-{uses}");
        if !form.split('&').any(|field| field == good) {
            return (StatusCode::BAD_REQUEST, answer(&json!({"error": "invalid_grant"})));
        }
        *uses += 1;
        let (access, refresh) = (format!("access-{uses}"), format!("refresh-{uses}"));
        let granted = json!({"access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600});
        (StatusCode::OK, answer(&granted))
    }

    async fn greeting(headers: HeaderMap) -> Answer {
        let token = headers["authorization"].to_str().unwrap().replace("Bearer access-", "");
        answer(&json!({ "text": format!("the token is number {token}") }))
    }
}

type Answer = ([(&'static str, &'static str); 1], String);

fn answer(body: &Value) -> Answer {
    ([("content-type", "application/json")], body.to_string())
}

const CONNECTOR: &str = r#"
kind: http
description: Greets.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://greeter.example" }
  client_secret: { description: Who asks., secret: true, example: secret }
  refresh_token: { description: What was granted., secret: true, example: secret }
base: "{{ settings.address }}"
auth:
  oauth2:
    grant: refresh_token
    rotates: true
    token_url: "{{ settings.address }}/token"
    client_id: legwork
    client_secret: "{{ settings.client_secret }}"
    refresh_token: "{{ settings.refresh_token }}"
operations:
  greeting:
    request: GET /greeting
    rows: body.text
    examples:
      - sends: { request: GET /greeting }
        receives: { json: { text: hello } }
        answer: hello
"#;

const ACTION: &str = "steps:\n  - { call: greeter.greeting, as: text }\n  - say: \"{{ text }}\"\n";

fn settings(address: &str, stores: &str) -> String {
    format!(
        "connections:\n  greeter: {{ connector: greeter, address: \"{address}\", refresh_token: \"${{file:first.txt}}\", \
         client_secret: \"${{file:first.txt}}\", allow_private: [127.0.0.1] }}\n{stores}\n"
    )
}

#[tokio::test]
async fn a_token_that_is_replaced_at_every_use_outlives_the_server() {
    let address = Vendor::open().await;
    let folder = written(&[
        ("legwork.yml", settings(&address, "stores: { main: 'sqlite://state.db', key: '${file:key.txt}' }").as_str()),
        ("connectors/greeter.yml", CONNECTOR),
        ("actions/greet.yml", ACTION),
        ("first.txt", "refresh-0\n"),
        ("key.txt", "a passphrase that is long enough\n"),
    ]);
    for time in 1..=3 {
        let bot = Bot::at(folder.path()).await;
        assert_eq!(bot.call("greet").send().await.said(), [format!("the token is number {time}")]);
    }
    let kept = std::fs::read(folder.path().join("state.db")).unwrap();
    assert!(!kept.windows(8).any(|part| part == b"refresh-"), "the store shows a token");
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn replicas_take_turns_at_such_a_token() {
    let Some(schema) = super::support::Schema::make().await else { return };
    let address = Vendor::open().await;
    let folder = written(&[
        ("legwork.yml", settings(&address, "stores: { main: '${file:store.txt}', key: '${file:key.txt}' }").as_str()),
        ("connectors/greeter.yml", CONNECTOR),
        ("actions/greet.yml", ACTION),
        ("store.txt", &schema.url()),
        ("first.txt", "refresh-0\n"),
        ("key.txt", "a passphrase that is long enough\n"),
    ]);
    let mut bots = Vec::new();
    for _ in 0..3 {
        bots.push(Bot::at(folder.path()).await);
    }
    let greeted = futures_util::future::join_all(bots.iter().map(|bot| bot.call("greet").send())).await;
    let mut said: Vec<_> = greeted.iter().flat_map(|answer| answer.said()).collect();
    said.sort_unstable();
    assert_eq!(said, ["the token is number 1", "the token is number 2", "the token is number 3"]);
    schema.drop().await;
}

#[tokio::test]
async fn without_a_key_such_a_token_is_refused_at_the_start() {
    let folder = written(&[
        ("legwork.yml", settings("http://127.0.0.1:1", "").as_str()),
        ("connectors/greeter.yml", CONNECTOR),
        ("actions/greet.yml", ACTION),
        ("first.txt", "refresh-0\n"),
    ]);
    let refused = Bot::refused(folder.path()).await;
    assert!(refused.contains("greeter") && refused.contains("`stores.key`"), "{refused}");
    assert!(!folder.path().join("legwork.db").exists());
}

#[tokio::test]
async fn a_key_that_is_easy_to_guess_is_refused_at_the_start() {
    let stores = "stores: { key: '${file:key.txt}' }";
    let folder = written(&[
        ("legwork.yml", settings("http://127.0.0.1:1", stores).as_str()),
        ("connectors/greeter.yml", CONNECTOR),
        ("actions/greet.yml", ACTION),
        ("first.txt", "refresh-0\n"),
        ("key.txt", "hunter2\n"),
    ]);
    let refused = Bot::refused(folder.path()).await;
    assert!(refused.contains("`stores.key` cannot be used") && !refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_key_is_never_written_into_the_file() {
    let found = problems(&[("legwork.yml", "stores:\n  main: postgres://db/legwork\n  key: hunter2-hunter2-hunter2\n")]);
    assert_eq!(
        found,
        [
            "bad-value legwork.yml:2 durable state is kept in an SQLite file or on a PostgreSQL server",
            "written-secret legwork.yml:3 a secret is not written into the file",
        ]
    );
}
