//! The health of connections: how often systems are asked, how long the asking waits, and what is seen meanwhile.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::http::{json as answer, shop};
use super::*;
use crate::connector::examples::vendor::{Answers, Vendor};
use crate::plan::connector::{Mode, Percent};

/// A connector with a test, of which one attempt may take a day.
const TESTED: &str = r#"
kind: http
api: { version: v1, supported_until: "2026-03-01" }
base: https://own.example
timeout: 1d
test: me
operations:
  me: { request: GET /me }
"#;

fn tested() -> Arc<Connector> {
    own_connector("own", TESTED, Path::new("."))
}

async fn pulse(connector: &Arc<Connector>, answers: Vec<Answers>, rules: Rules) -> (Vendor, Arc<Pulse>) {
    let vendor = Vendor::open(answers).await.unwrap();
    let mut own = connection("own", connector, &[]);
    own.rules = Rules { stand_in: Some(vendor.address()), ..rules };
    let opened = open(&[own], Path::new(".")).await.unwrap();
    (vendor, Pulse::new(Arc::new(opened)))
}

async fn health(pulse: &Arc<Pulse>) -> Value {
    serde_json::to_value(pulse.health(Deadline::after(Duration::from_secs(5))).await).unwrap()
}

fn well() -> Answers {
    answer(200, &[], &json!({"name": "x"}))
}

#[tokio::test]
async fn what_is_seen_of_a_connection_that_works() {
    let rules = Rules { mode: Mode::ReadOnly, share: Percent::new(10).ok(), ..Rules::default() };
    let (_vendor, pulse) = pulse(&tested(), vec![well()], rules).await;
    let mut seen = health(&pulse).await;
    assert!(seen["connections"][0]["last"]["ms"].take().is_u64());
    let last = json!({"outcome": "ok", "at": "2026-01-23T12:00:00Z", "ms": null, "detail": null, "cure": null});
    let own = json!({
        "name": "own", "connector": "own", "mode": "read_only", "share": 10,
        "api": {"version": "v1", "supported_until": "2026-03-01", "docs": null}, "support": "ends_soon",
        "state": "ok", "testing": false, "last": last, "calls": 1, "failed": 0,
        "breaker": {"state": "closed", "until": null}, "spared": {"retries": 0, "hedges": 0, "held_back": 0}, "staged": [],
    });
    assert_eq!(seen, json!({"status": "ok", "connections": [own]}));
}

#[tokio::test]
async fn a_system_is_asked_once_a_minute_whoever_asks() {
    let (vendor, pulse) = pulse(&tested(), vec![well(), answer(503, &[], &Value::Null)], Rules::default()).await;
    let seen = futures_util::future::join_all((0..20).map(|_| health(&pulse))).await;
    assert!(seen.iter().all(|seen| seen["status"] == "ok"), "{seen:?}");
    assert_eq!(vendor.seen().len(), 1);
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    assert_eq!(health(&pulse).await["status"], "ok");
    assert_eq!(vendor.seen().len(), 1);
    tokio::time::advance(Duration::from_secs(2)).await;
    tokio::time::resume();
    let failing = health(&pulse).await;
    assert_eq!(
        (&failing["status"], &failing["connections"][0]["last"]["outcome"]),
        (&json!("failing"), &json!("unavailable"))
    );
    assert!(failing["connections"][0]["last"]["cure"].is_string());
    assert_eq!(vendor.seen().len(), 2, "what may pass is not tried again either");
    assert_eq!((&failing["connections"][0]["calls"], &failing["connections"][0]["failed"]), (&json!(2), &json!(1)));
}

#[tokio::test]
async fn nobody_waits_for_a_system_that_hangs_and_the_result_before_it_stays() {
    let (_vendor, pulse) = pulse(&tested(), vec![well(), Answers::Stalls(Vec::new())], Rules::default()).await;
    health(&pulse).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(61)).await;
    let begun = tokio::time::Instant::now();
    let seen = health(&pulse).await;
    assert_eq!(begun.elapsed().as_secs(), 5, "in the time of the test, which is not the machine's");
    let own = &seen["connections"][0];
    assert_eq!((&own["state"], &own["testing"], &own["last"]["outcome"]), (&json!("ok"), &json!(true), &json!("ok")));
    // The test ends by a time of its own, and its result takes the other's place.
    tokio::time::advance(Duration::from_secs(26)).await;
    while health(&pulse).await["connections"][0]["testing"] == true {}
    assert_eq!(health(&pulse).await["connections"][0]["last"]["outcome"], "timeout");
}

#[tokio::test]
async fn what_is_off_and_what_names_no_test_is_not_asked() {
    let (vendor, off) = pulse(&tested(), vec![well()], Rules { mode: Mode::Off, ..Rules::default() }).await;
    let seen = health(&off).await;
    assert_eq!((&seen["status"], &seen["connections"][0]["state"]), (&json!("ok"), &json!("off")));
    assert!(vendor.seen().is_empty());
    let (vendor, untested) = pulse(&shop(), vec![well()], Rules::default()).await;
    assert_eq!(health(&untested).await["connections"][0]["state"], "untested");
    assert!(vendor.seen().is_empty());
}

#[tokio::test]
async fn a_database_is_well_when_its_statements_fit() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "kind: sql\ndatabase: ':memory:'\noperations: { find: { sql: select a from nowhere } }\n";
    let wrong = own_connector("stock", yaml, folder.path());
    let connections = [connection("stock", &wrong, &[]), connection("shop", &sandbox_connector(), &[])];
    let pulse = Pulse::new(Arc::new(open(&connections, folder.path()).await.unwrap()));
    let seen = health(&pulse).await;
    let states: Vec<_> = seen["connections"].as_array().unwrap().iter().map(|one| &one["state"]).collect();
    assert_eq!(states, [&json!("failing"), &json!("ok")]);
    let detail = seen["connections"][0]["last"]["detail"].as_str().unwrap();
    assert!(detail.starts_with("find: ") && detail.contains("nowhere"), "{detail}");
}
