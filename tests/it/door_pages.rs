//! Replies under their statuses, the pages besides the webhook, request ids, and bugs.

use serde_json::json;

use crate::support::{Bot, House, call, lines_about, request};

#[tokio::test]
async fn replies_have_the_statuses_that_rasa_knows() {
    let house = House::open();
    let rejected = house.post(call("action_reject", json!({}))).await;
    assert_eq!((rejected.status, rejected.json()), (400, json!({"error": "not now", "action_name": "action_reject"})));
    let missing = house.post(call("action_\"x\"", json!({}))).await;
    let error = json!({"error": "No registered action found for name 'action_\"x\"'.", "action_name": "action_\"x\""});
    assert_eq!((missing.status, missing.json()), (404, error));
    let domain = house.post(call("action_domain", json!({}))).await;
    assert_eq!((domain.status, &domain.json()["action_name"]), (449, &json!("action_domain")));
    assert_eq!(house.post(call("action_echo", json!({}))).await.status, 200);
}

#[tokio::test]
async fn an_event_that_the_client_does_not_know_is_dropped_and_logged() {
    let house = House::open();
    let body = String::from_utf8(call("action_events", json!({}))).unwrap();
    let slot = json!({"event": "slot", "timestamp": null, "name": "unheard_of", "value": 1});
    let old = house.post_with(&["x-request-id: dropped-1"], &body).await;
    assert_eq!(old.json(), json!({"events": [slot.clone()], "responses": []}));
    assert!(lines_about("dropped-1").iter().any(|line| line.contains("session_ended")));
    let pro = house.post(body.replace("3.6.21", "3.21.0")).await;
    assert_eq!(pro.json()["events"], json!([slot, {"event": "session_ended", "timestamp": null, "metadata": null}]));
}

#[tokio::test]
async fn the_webhook_takes_a_trailing_slash() {
    let house = House::open();
    let exchange =
        request(house.address, "POST /webhook/", &["content-type: application/json"], &call("action_echo", json!({}))).await;
    assert_eq!(exchange.status, 200);
}

#[tokio::test]
async fn pages_tell_what_they_are_for() {
    let house = House::open();
    assert_eq!(house.get("/health", &[]).await.json(), json!({"status": "ok"}));
    assert_eq!(house.get("/actions", &[]).await.json(), json!([{"name": "action_echo"}, {"name": "validate_form"}]));
    let status = house.get("/status", &[]).await.json();
    assert_eq!(
        (&status["actions"], &status["config"], &status["status"]),
        (&json!(2), &json!({"profile": "test"}), &json!("ok"))
    );
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(house.post("x").await.status, 422);
    let metrics = house.get("/metrics", &[]).await;
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain"));
    for line in [
        "legwork_build_info{version=",
        "legwork_refused_total{status=\"422\",reason=\"malformed\"}",
        "legwork_requests_running",
    ] {
        assert!(metrics.body.contains(line), "{line} is missing in {}", metrics.body);
    }
}

#[tokio::test]
async fn the_health_of_connections_is_a_page_behind_the_gate() {
    let settings = "server: { auth: [{ name: operator, bearer: '${file:token.txt}' }] }\n\
                    connections: { shop: { connector: sandbox }, spare: { connector: sandbox, mode: 'off' } }\n";
    let bot = Bot::with(&[("legwork.yml", settings), ("token.txt", "open-sesame")]).await;
    let page = "GET /status/connections";
    assert_eq!(request(bot.address(), page, &[], b"").await.status, 401);
    let asked = request(bot.address(), page, &["authorization: Bearer open-sesame"], b"").await;
    assert_eq!(asked.status, 200);
    let told = asked.json();
    let of = |at: usize, key: &str| told["connections"][at][key].clone();
    assert_eq!((&told["status"], of(0, "name"), of(0, "state")), (&json!("ok"), json!("shop"), json!("ok")));
    assert_eq!(told["connections"][0]["last"]["at"], "2026-01-20T12:00:00Z");
    assert_eq!((of(1, "state"), of(1, "last")), (json!("off"), json!(null)));
    let again = request(bot.address(), &format!("{page}?fresh"), &["authorization: Bearer open-sesame"], b"").await;
    assert_eq!(again.json(), told, "what was found is kept, whatever is asked for");
    assert_eq!(
        request(bot.address(), "POST /status/connections", &["authorization: Bearer open-sesame"], b"").await.status,
        405
    );
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_json() {
    let house = House::open();
    let missing = house.get("/webhooks", &[]).await;
    assert_eq!((missing.status, missing.header("content-type")), (404, Some("application/json")));
    assert!(missing.json()["error"].as_str().unwrap().contains("POST /webhook"));
    for (line, allowed) in
        [("GET /webhook", "POST"), ("DELETE /webhook/", "POST"), ("POST /health", "GET,HEAD"), ("PUT /actions", "GET,HEAD")]
    {
        let exchange = request(house.address, line, &[], b"").await;
        assert_eq!((exchange.status, exchange.header("allow")), (405, Some(allowed)), "{line}");
        assert!(exchange.json()["error"].is_string());
    }
}

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing_but_its_id() {
    let house = House::open();
    let body = String::from_utf8(call("action_panic", json!({}))).unwrap().replace("\"s\"", "\"hunter2\"");
    let exchange = house.post_with(&["x-request-id: panic-1"], body).await;
    assert_eq!(exchange.status, 500);
    assert_eq!(exchange.json(), json!({"error": "internal error", "request_id": "panic-1"}));
    assert_eq!(exchange.header("x-request-id"), Some("panic-1"));
    let told = lines_about("panic-1");
    assert!(told.iter().any(|line| line.contains("panicked") && line.contains("engine.rs")), "{told:?}");
    assert!(lines_about("hunter2").is_empty());
    assert_eq!(house.post(call("action_echo", json!({"say": "still here"}))).await.texts()[0], "still here");
}

#[tokio::test]
async fn every_request_has_an_id() {
    let house = House::open();
    let given = house.post_with(&["x-request-id: abc-1"], call("action_echo", json!({}))).await;
    assert_eq!((given.header("x-request-id"), given.texts()[2].as_str()), (Some("abc-1"), "abc-1"));
    let long = format!("x-request-id: {}", "x".repeat(200));
    let mut made = Vec::new();
    for headers in [vec![], vec![long.as_str()], vec!["x-request-id: two words"], vec!["x-request-id: \"quoted\""]] {
        let exchange = house.post_with(&headers, call("action_echo", json!({}))).await;
        let id = exchange.header("x-request-id").unwrap().to_owned();
        assert_eq!(exchange.texts()[2], id);
        assert!(id.len() < 40 && !headers.iter().any(|header| header.ends_with(&id)), "{id}");
        made.push(id);
    }
    made.sort_unstable();
    made.dedup();
    assert_eq!(made.len(), 4);
}
