//! What vendors say in passing: how many requests are left, and that a part of their API will end.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::telemetry::Metrics;

#[tokio::test]
async fn what_is_left_is_a_gauge_and_an_announced_end_is_counted() {
    let metrics = Metrics::install();
    let found = json!({"order": {"no": 7, "state": "sent", "at": "2026-01-20T11:00:00Z"}});
    let says = |headers: &[(&str, &str)]| super::json(200, headers, &found);
    let answers = vec![
        says(&[("X-Left", "42"), ("Sunset", "Sat, 01 Aug 2026 00:00:00 GMT")]),
        says(&[("X-Left", "41"), ("Deprecation", "@1767225600")]),
        says(&[]),
    ];
    let vendor = Vendor::open(answers).await.unwrap();
    let rules = Rules { stand_in: Some(vendor.address()), ..Rules::default() };
    let name = ConnectionName::parse("noticing").unwrap();
    let own = open(&[Connection { name, rules, ..connection("own", &shop(), &[]) }], Path::new(".")).await.unwrap();
    for _ in 0..3 {
        ask(&own, "noticing.find", json!({"number": "7"})).await.unwrap();
    }
    let told = metrics.render();
    let of = |metric: &str| -> Vec<String> {
        let lines = told.lines().filter(|line| line.starts_with(metric) && line.contains("\"noticing\""));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(of("legwork_quota_remaining"), [r#"legwork_quota_remaining{connection="noticing"} 41"#]);
    let endings = r#"legwork_api_endings_total{connection="noticing",operation="find"} 2"#;
    assert_eq!(of("legwork_api_endings_total"), [endings]);
}
