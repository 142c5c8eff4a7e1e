//! What a change does to all that is around actions: connections with what is kept of them, callers, certificates.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use pretty_assertions::assert_eq;
use reqwest::{Certificate, Client};
use serde_json::json;
use tokio::time::{Instant, interval};

use super::support::{Served, put, written};

/// A vendor that says how often it was asked.
async fn vendor() -> String {
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = move || {
        let body = json!({ "number": asked.fetch_add(1, Ordering::SeqCst) + 1 }).to_string();
        async move { ([("content-type", "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(any(answer))).await });
    address
}

const COUNTS: &str = r#"
kind: http
description: Counts.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://counts.example" }
base: "{{ settings.address }}"
operations:
  count:
    cache: { fresh: 1h, stale: 1d }
    request: GET /count
    rows: body.number
    examples:
      - sends: { request: GET /count }
        receives: { json: { number: 1 } }
        answer: 1
"#;

#[tokio::test]
async fn what_is_kept_of_a_connection_stays_where_it_is_the_same() {
    let (one, other) = (vendor().await, vendor().await);
    let settings = |rule: &str, more: &str| {
        let of = |address: &str| format!("connector: counts, address: \"{address}\", allow_private: [127.0.0.1]");
        format!("connections:\n  one: {{ {} }}\n  other: {{ {}{rule} }}\n{more}", of(&one), of(&other))
    };
    let count = |connection: &str| format!("steps: [{{ call: {connection}.count, as: n }}, {{ say: \"{{{{ n }}}}\" }}]\n");
    let folder = written(&[
        ("legwork.yml", &settings("", "")),
        ("connectors/counts.yml", COUNTS),
        ("actions/action_one.yml", &count("one")),
        ("actions/action_other.yml", &count("other")),
    ]);
    let served = Served::at(folder.path()).await;
    let numbers = async || {
        let mut all = Vec::new();
        for action in ["action_one", "action_other"] {
            all.push(served.said(action, "m1", json!({})).await.join(""));
        }
        all
    };
    let calls = async |served: &Served| {
        let page = served.page("/status/connections").await.json();
        page["connections"].as_array().unwrap().iter().map(|it| it["calls"].clone()).collect::<Vec<_>>()
    };
    let mut version = served.page("/status").await.json()["project"]["version"].clone();
    let mut changed = async |path: &str, text: &str| {
        put(folder.path(), path, text);
        let page = served.until("/status", |page| page["project"]["version"] != version).await;
        version = page["project"]["version"].clone();
    };
    assert_eq!(numbers().await, ["1", "1"]);
    assert_eq!(numbers().await, ["1", "1"]);
    changed("actions/action_more.yml", &count("one")).await;
    changed("legwork.yml", &settings("", "region: DE\n")).await;
    assert_eq!((numbers().await, calls(&served).await), (vec!["1".into(), "1".into()], vec![json!(1), json!(1)]));
    changed("legwork.yml", &settings(", mode: read_only", "")).await;
    assert_eq!((numbers().await, calls(&served).await), (vec!["1".into(), "2".into()], vec![json!(1), json!(1)]));
    served.says("\"kept\":1,\"opened\":1").await;
    changed("connectors/counts.yml", &COUNTS.replace("Counts.", "Counts more.")).await;
    assert_eq!(numbers().await, ["2", "3"]);
}

#[tokio::test]
async fn secrets_of_callers_are_read_again() {
    let auth = "server: { auth: [{ name: a, token: \"${file:token}\" }] }\n";
    let folder =
        written(&[("legwork.yml", auth), ("token", "s3cret-old"), ("actions/action_x.yml", "steps: [{ say: x }]\n")]);
    let served = Served::at(folder.path()).await;
    assert_eq!(served.page("/actions?token=s3cret-old").await.status, 200);
    put(folder.path(), "token", "s3cret-new");
    served.until_it_answers("/actions?token=s3cret-new", 200).await;
    assert_eq!(served.page("/actions?token=s3cret-old").await.status, 401);
    // Whoever listens beyond this machine is not opened to everybody by a change of a file.
    put(folder.path(), "legwork.yml", "");
    let status = "/status?token=s3cret-new";
    let page = served.until(status, |page| !page["project"]["refused"].is_null()).await;
    assert!(page["project"]["refused"]["problems"][0].as_str().unwrap().starts_with("`server.auth` is gone"), "{page}");
    assert_eq!(served.page("/actions").await.status, 401);
    put(folder.path(), "legwork.yml", &auth.replace("name: a", "name: b"));
    served.until(status, |page| page["project"]["refused"].is_null()).await;
    assert!(!served.log().contains("s3cret"), "{}", served.log());
}

fn certificates(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/tls").join(name)
}

/// Whether the server shows a certificate that is its own.
async fn is_trusted(served: &Served) -> bool {
    let authority = Certificate::from_pem(&std::fs::read(certificates("authority.pem")).unwrap()).unwrap();
    let client = Client::builder().tls_certs_only([authority]).no_proxy().build().unwrap();
    let page = client.get(format!("https://localhost:{}/status", served.address().port())).send().await;
    page.is_ok()
}

#[tokio::test]
async fn certificates_are_read_again() {
    let (good, key) = (certificates("server.pem"), certificates("server.key"));
    let other = std::fs::read_to_string(certificates("client.pem")).unwrap();
    let [good, key] = [good, key].map(|file| std::fs::read_to_string(file).unwrap());
    let own = format!("{good}\n{key}");
    let folder = written(&[("actions/action_x.yml", "steps: [{ say: x }]\n"), ("tls.pem", &own)]);
    let served = Served::with(folder.path(), &["--ssl-certificate", "tls.pem"]).await;
    assert!(is_trusted(&served).await);
    let until = async |trusted: bool| {
        let (begun, mut ticks) = (Instant::now(), interval(Duration::from_millis(50)));
        while is_trusted(&served).await != trusted {
            ticks.tick().await;
            assert!(begun.elapsed() < Duration::from_secs(60), "never so: {}", served.log());
        }
    };
    put(folder.path(), "tls.pem", &other);
    until(false).await;
    put(folder.path(), "tls.pem", &own);
    until(true).await;
    put(folder.path(), "tls.pem", "no certificate");
    served.says("tls.pem holds no certificate").await;
    assert!(is_trusted(&served).await);
}
