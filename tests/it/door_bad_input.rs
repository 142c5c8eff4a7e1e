//! What is not a call is refused clearly, by 422 and never by 400, and the next call goes on as if nothing had been.

use serde_json::json;

use crate::support::{House, call, request};

/// Posts a body that is no call, and returns what was said about it.
async fn refused(body: impl AsRef<[u8]>) -> String {
    let house = House::open();
    let exchange = house.post(body).await;
    assert_eq!(exchange.status, 422, "{}", exchange.body);
    assert_eq!(exchange.header("content-type"), Some("application/json"));
    let error = exchange.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(house.post(call("action_echo", json!({"say": "still here"}))).await.texts()[0], "still here");
    error
}

#[tokio::test]
async fn no_body() {
    assert!(refused("").await.contains("empty"));
    let house = House::open();
    assert_eq!(house.post_with(&["content-encoding: deflate"], "").await.status, 422);
}

#[tokio::test]
async fn not_json() {
    assert!(refused("hello").await.contains("not JSON"));
    assert!(refused("{\"next_action\": ").await.contains("expected a value"));
    assert!(refused("{\"next_action\": \"a\", \"tracker\": {}} trailing").await.contains("follows"));
}

#[tokio::test]
async fn json_that_is_no_object() {
    for body in ["[]", "5", "\"text\"", "null", "true"] {
        assert_eq!(refused(body).await, "the body: expected a JSON object (at byte 0)", "{body}");
    }
}

#[tokio::test]
async fn no_tracker_with_an_action() {
    for body in [json!({"next_action": "action_echo"}), json!({"next_action": "action_echo", "tracker": null})] {
        assert!(refused(body.to_string()).await.starts_with("tracker: missing"));
    }
}

#[tokio::test]
async fn no_action_is_answered_with_null() {
    let house = House::open();
    for body in
        [json!({}), json!({"next_action": null}), json!({"tracker": null}), json!({"next_action": null, "tracker": {}})]
    {
        let exchange = house.post(body.to_string()).await;
        assert_eq!((exchange.status, exchange.body.as_str()), (200, "null"));
        assert_eq!(exchange.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn slots_null_are_no_slots() {
    let house = House::open();
    assert_eq!(house.post(call("action_echo", json!(null))).await.texts()[0], "");
}

#[tokio::test]
async fn wrong_types() {
    for (body, place) in [
        (json!({"next_action": 5}), "next_action: expected a text"),
        (json!({"next_action": "a", "tracker": []}), "tracker: expected an object"),
        (json!({"next_action": "a", "tracker": {"slots": "x"}}), "tracker.slots: expected an object"),
        (json!({"next_action": "a", "tracker": {"events": {}}}), "tracker.events: expected a list"),
        (json!({"next_action": "a", "tracker": {}, "domain": []}), "domain: expected an object"),
        (json!({"next_action": "a", "tracker": {}, "sender_id": {}}), "sender_id: expected a text"),
    ] {
        assert!(refused(body.to_string()).await.starts_with(place), "{body}");
    }
}

#[tokio::test]
async fn ten_thousand_nested_brackets() {
    let slots = format!("{{\"say\": {}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let body = format!("{{\"next_action\": \"action_echo\", \"tracker\": {{\"slots\": {slots}}}}}");
    assert!(refused(body).await.contains("tracker.slots: nested too deeply"));
    assert!(refused("{\"a\":".repeat(10_000)).await.contains("nested too deeply"));
}

#[tokio::test]
async fn invalid_utf8() {
    assert_eq!(refused(b"{\"sender_id\": \"\xc3\x28\"}").await, "the body: not UTF-8 (at byte 15)");
}

#[tokio::test]
async fn lone_surrogates_become_the_replacement_character() {
    let house = House::open();
    let body = String::from_utf8(call("action_echo", json!({"say": "PLACE"}))).unwrap().replace("PLACE", "a\\ud83d b");
    assert_eq!(house.post(body).await.texts()[0], "a\u{fffd} b");
}

#[tokio::test]
async fn pythons_nan_is_null() {
    let house = House::open();
    let body = String::from_utf8(call("action_echo", json!({"n": 4711, "say": "x"}))).unwrap().replace("4711", "NaN");
    assert_eq!(house.post(body).await.texts()[0], "x");
}

#[tokio::test]
async fn a_slot_of_a_megabyte() {
    let house = House::open();
    let text = "0123456789abcdef\"\\\n".repeat(55_000);
    assert_eq!(house.post(call("action_echo", json!({"say": text}))).await.texts()[0], text);
}

#[tokio::test]
async fn a_body_is_never_repeated_in_an_answer() {
    let house = House::open();
    for body in ["{\"next_action\": hunter2}", "hunter2", "{\"tracker\": {\"slots\": \"hunter2\"}}", "{\"hunter2\" 5}"] {
        let exchange = house.post(body).await;
        assert_eq!(exchange.status, 422);
        assert!(!exchange.body.contains("hunter2"), "{}", exchange.body);
    }
}

#[tokio::test]
async fn content_types_other_than_json() {
    let house = House::open();
    let body = call("action_echo", json!({}));
    for content_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json"] {
        let headers = [format!("content-type: {content_type}")];
        let exchange = request(house.address, "POST /webhook", &[headers[0].as_str()], &body).await;
        assert_eq!(exchange.status, 415, "{content_type}");
        assert!(exchange.json()["error"].as_str().unwrap().contains("application/json"));
    }
    assert_eq!(request(house.address, "POST /webhook", &[], &body).await.status, 415);
    for content_type in ["application/json; charset=utf-8", "application/vnd.x+json", "APPLICATION/JSON"] {
        let headers = [format!("content-type: {content_type}")];
        assert_eq!(
            request(house.address, "POST /webhook", &[headers[0].as_str()], &body).await.status,
            200,
            "{content_type}"
        );
    }
}
