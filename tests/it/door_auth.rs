//! Who gets in, and what a request leaves behind in answers and logs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use legwork::name::CallerName;
use legwork::server::{AuthEntry, Cors, Options, Proof};
use serde_json::json;

use crate::support::{House, call, lines_about, request, secret};

fn guarded() -> House {
    let entry = |name: &str, proof| AuthEntry { name: CallerName::parse(name).unwrap(), proof };
    House::with(Options {
        auth: vec![
            entry("shop", Proof::Bearer(secret("old-s3cret"))),
            entry("shop", Proof::Bearer(secret("new-s3cret"))),
            entry("desk", Proof::Token { parameter: "token".into(), value: secret("a s3cret&") }),
            entry("hr", Proof::Basic { user: "bot".into(), password: secret("s3cret-ä") }),
            entry("crm", Proof::Header { name: "X-Api-Key".into(), value: secret("s3cret-key") }),
        ],
        ..Options::default()
    })
}

async fn caller(house: &House, line: &str, headers: &[&str]) -> String {
    let headers: Vec<_> = headers.iter().copied().chain(["content-type: application/json"]).collect();
    let exchange = request(house.address, line, &headers, &call("action_echo", json!({}))).await;
    if exchange.status == 200 { exchange.texts()[1].clone() } else { exchange.status.to_string() }
}

#[tokio::test]
async fn every_way_in_says_who_calls() {
    let house = guarded();
    assert_eq!(caller(&house, "POST /webhook", &["authorization: Bearer old-s3cret"]).await, "shop");
    assert_eq!(caller(&house, "POST /webhook/", &["authorization: bearer new-s3cret"]).await, "shop");
    assert_eq!(caller(&house, "POST /webhook/?fixed=1&token=a+s3cret%26", &[]).await, "desk");
    assert_eq!(caller(&house, "POST /webhook", &["x-api-key: s3cret-key"]).await, "crm");
    let basic = STANDARD.encode(b"bot:s3cret-\xe4");
    assert_eq!(caller(&house, "POST /webhook", &[&format!("authorization: Basic {basic}")]).await, "hr");
    assert_eq!(caller(&house, "POST /webhook", &["authorization: Bearer s3cret"]).await, "401");
    assert_eq!(caller(&house, "POST /webhook?token=s3cret", &[]).await, "401");
}

#[tokio::test]
async fn all_but_health_is_behind_the_gate() {
    let house = guarded();
    for path in ["/actions", "/metrics", "/status", "/nope"] {
        let exchange = house.get(path, &[]).await;
        assert_eq!(exchange.status, 401, "{path}");
        assert_eq!(exchange.json()["error"], "credentials are needed");
        let challenges: Vec<_> = exchange.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
        assert_eq!(challenges.len(), 3, "{challenges:?}");
        assert_ne!(house.get(path, &["authorization: Bearer new-s3cret"]).await.status, 401, "{path}");
    }
    assert_eq!(house.get("/health", &[]).await.status, 200);
    assert_eq!(house.post(call("action_echo", json!({}))).await.status, 401);
}

#[tokio::test]
async fn a_refused_body_is_not_read() {
    let house = guarded();
    assert_eq!(house.post("not even json").await.status, 401);
}

/// The harness searches the log for every secret when the house is dropped; this sends one wherever one may be.
#[tokio::test]
async fn secrets_stay_out_of_the_log() {
    let house = guarded();
    let id = "x-request-id: redaction-1";
    house.get("/actions?token=s3cret-in-a-query", &[id]).await;
    house.get("/nope/?token=a+s3cret%26", &[id, "authorization: Bearer s3cret-in-a-header"]).await;
    let body = json!({"next_action": "nope", "tracker": {"slots": {"pin": "s3cret-in-a-slot"}, "latest_message": {"text": "s3cret"}}});
    request(
        house.address,
        "POST /webhook?token=a+s3cret%26",
        &[id, "content-type: application/json"],
        body.to_string().as_bytes(),
    )
    .await;
    let panics = json!({"next_action": "action_panic", "sender_id": "s3cret-in-a-panic", "tracker": {}});
    request(
        house.address,
        "POST /webhook?token=a+s3cret%26",
        &[id, "content-type: application/json"],
        panics.to_string().as_bytes(),
    )
    .await;
    assert!(lines_about("redaction-1").len() >= 3);
}

#[tokio::test]
async fn browsers_may_call_from_listed_origins_only() {
    let cors = Cors::parse(&["https://*.example.com".into()]).unwrap();
    let entry = AuthEntry { name: CallerName::parse("web").unwrap(), proof: Proof::Bearer(secret("s3cret")) };
    let house = House::with(Options { cors, auth: vec![entry], ..Options::default() });
    let preflight = |origin: &'static str| {
        let headers =
            [origin, "access-control-request-method: POST", "access-control-request-headers: content-type,authorization"];
        let address = house.address;
        async move { request(address, "OPTIONS /webhook", &headers, b"").await }
    };
    let allowed = preflight("origin: https://chat.example.com").await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.header("access-control-allow-origin"), Some("https://chat.example.com"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(allowed.header("access-control-allow-headers"), Some("content-type,authorization"));
    let refused = preflight("origin: https://chat.example.com.evil.net").await;
    assert_eq!(refused.header("access-control-allow-origin"), None);
    // The answer to a refused call is readable for the page, so that its developer sees why.
    let call = house.get("/actions", &["origin: https://chat.example.com"]).await;
    assert_eq!((call.status, call.header("access-control-allow-origin")), (401, Some("https://chat.example.com")));
}

#[tokio::test]
async fn without_origins_browsers_get_no_say() {
    let house = House::open();
    let headers = ["origin: https://evil.net", "access-control-request-method: POST"];
    let exchange = request(house.address, "OPTIONS /webhook", &headers, b"").await;
    assert_eq!((exchange.status, exchange.header("access-control-allow-origin")), (405, None));
}
