//! Tests of reading a call: what is taken, what is refused, what is mended.

use serde_json::{Value, json};

use super::*;

fn decode(text: &str) -> Result<Call, Malformed> {
    Call::decode(Bytes::copy_from_slice(text.as_bytes()), &Limits::default())
}

fn refused(text: &str) -> String {
    decode(text).unwrap_err().to_string()
}

#[test]
fn a_call_of_rasa_is_taken_apart() {
    let call = decode(
        r#"{"next_action": "action_x", "sender_id": "s", "tracker": {"sender_id": "t", "slots": {"a": "b"},
        "latest_message": {}, "latest_event_time": 1795164208.45, "paused": false, "events": [{"event": "slot"}],
        "active_loop": {}, "latest_input_channel": "rest", "stack": []}, "version": "3.6.21", "domain": {"slots": {}}}"#,
    )
    .unwrap();
    assert_eq!(call.next_action.as_deref(), Some("action_x"));
    assert_eq!(call.sender_id, "s");
    assert_eq!(call.version, ClientVersion { major: 3, minor: 6 });
    assert_eq!(call.tracker.slots.parse::<Value>().unwrap(), json!({"a": "b"}));
    assert_eq!(call.tracker.events.as_str(), r#"[{"event": "slot"}]"#);
    assert_eq!(call.tracker.latest_input_channel.as_deref(), Some("rest"));
    assert_eq!(call.domain.unwrap().place(), "domain");
}

#[test]
fn keys_come_in_any_order_and_escaped_and_twice() {
    let call =
        decode(r#"{"x": [[1]], "tracker": {"slots": {"a": 1}, "s\u006cots": {"a": 2}}, "next_\u0061ction": "y"}"#).unwrap();
    assert_eq!(call.next_action.as_deref(), Some("y"));
    assert_eq!(call.tracker.slots.as_str(), r#"{"a": 2}"#);
    let call = decode(r#"{"tracker": {"slots": {"a": 1}}, "tracker": {"user_id": "u"}, "next_action": "y"}"#).unwrap();
    assert!(call.tracker.slots.is_absent());
}

#[test]
fn the_sender_falls_back() {
    assert_eq!(decode(r#"{"tracker": {"sender_id": "t"}}"#).unwrap().sender_id, "t");
    assert_eq!(decode(r#"{"tracker": {"sender_id": null}, "sender_id": null}"#).unwrap().sender_id, "default");
}

#[test]
fn null_counts_as_left_out() {
    let call =
        decode(r#"{"next_action": null, "tracker": null, "domain": null, "domain_digest": null, "version": null}"#).unwrap();
    assert!(call.next_action.is_none() && call.domain.is_none() && call.domain_digest.is_none());
    let call =
        decode(r#"{"next_action": "a", "tracker": {"slots": null, "events": null, "latest_message": null}}"#).unwrap();
    assert!(call.tracker.slots.is_absent() && call.tracker.events.is_absent());
}

#[test]
fn an_older_clients_form_is_the_active_loop() {
    let call = decode(r#"{"tracker": {"active_form": {"name": "f"}}}"#).unwrap();
    assert_eq!(call.tracker.active_loop.as_str(), r#"{"name": "f"}"#);
    let call = decode(r#"{"tracker": {"active_loop": {"name": "l"}, "active_form": {"name": "f"}}}"#).unwrap();
    assert_eq!(call.tracker.active_loop.as_str(), r#"{"name": "l"}"#);
}

#[test]
fn what_is_no_call_is_refused_with_its_place() {
    assert!(refused("").contains("empty"));
    assert!(refused(" \n").contains("empty"));
    for scalar in ["[]", "1", "\"x\"", "null", "true"] {
        assert!(refused(scalar).contains("expected a JSON object"), "{scalar}");
    }
    assert!(refused("hello").contains("not JSON"));
    assert!(refused("{} {}").contains("follows the end"));
    assert!(refused(r#"{"next_action": 5}"#).starts_with("next_action: expected a text"));
    assert!(refused(r#"{"next_action": "a"}"#).starts_with("tracker: missing"));
    assert!(refused(r#"{"next_action": "a", "tracker": null}"#).starts_with("tracker: missing"));
    assert!(refused(r#"{"tracker": []}"#).starts_with("tracker: expected an object"));
    assert!(refused(r#"{"tracker": {"slots": []}}"#).starts_with("tracker.slots: expected an object"));
    assert!(refused(r#"{"tracker": {"events": {}}}"#).starts_with("tracker.events: expected a list"));
    assert!(refused(r#"{"domain": "x"}"#).starts_with("domain: expected an object"));
    assert!(refused(r#"{"tracker": {"slots": {"a": 1}"#).contains("ends before"));
    assert!(refused(r#"{"secret-key": nope}"#).contains("at byte 15"));
    assert!(!refused(r#"{"secret-key": nope}"#).contains("nope"));
}

#[test]
fn invalid_utf8_is_refused_at_its_byte() {
    let body = Bytes::from_static(b"{\"sender_id\": \"\xff\"}");
    let refused = Call::decode(body, &Limits::default()).unwrap_err().to_string();
    assert_eq!(refused, "the body: not UTF-8 (at byte 15)");
}

#[test]
fn depth_is_bounded_wherever_it_is() {
    let nested =
        |levels: usize| format!(r#"{{"tracker": {{"slots": {{"a": {}{}}}}}}}"#, "[".repeat(levels), "]".repeat(levels));
    let call = decode(&nested(197)).unwrap();
    call.tracker.slots.parse::<Value>().unwrap();
    assert!(refused(&nested(198)).contains("tracker.slots: nested too deeply"));
    assert!(refused(&nested(10_000)).contains("nested too deeply"));
    assert!(refused(&"[".repeat(10_000)).contains("expected a JSON object"));
    assert!(refused(&format!("{{\"x\": {}", "{\"a\":".repeat(10_000))).contains("nested too deeply"));
    let shallow = Limits { depth: 1 };
    assert!(Call::decode(Bytes::from_static(b"{\"tracker\": {}}"), &shallow).is_err());
}

#[test]
fn a_byte_order_mark_is_no_mistake() {
    assert_eq!(decode("\u{feff}{\"sender_id\": \"s\"}").unwrap().sender_id, "s");
}

#[test]
fn what_python_writes_beyond_json_is_mended() {
    let call =
        decode(r#"{"sender_id": "a\ud800", "tracker": {"slots": {"a": "\udfffx", "b": NaN}, "latest_event_time": NaN}}"#)
            .unwrap();
    assert_eq!(call.sender_id, "a\u{fffd}");
    assert_eq!(call.tracker.slots.parse::<Value>().unwrap(), json!({"a": "\u{fffd}x", "b": null}));
}

#[test]
fn a_part_that_is_not_what_was_asked_for_says_so_without_quoting_it() {
    let call = decode(r#"{"tracker": {"slots": {"pin": "hunter2"}, "events": [1 2]}}"#).unwrap();
    let refused = call.tracker.slots.parse::<std::collections::HashMap<String, u32>>().unwrap_err().to_string();
    assert!(refused.starts_with("tracker.slots: expected u32") && !refused.contains("hunter2"), "{refused}");
    let refused = call.tracker.events.parse::<Value>().unwrap_err().to_string();
    assert_eq!(refused, "tracker.events: not JSON: expected `,` or `]` (at byte 55)");
}

#[test]
fn parts_of_a_raw_are_found_unparsed() {
    let call = decode(r#"{"tracker": {"slots": {"a": [1, 2], "b": {"c": null}}, "events": [{"event": "x"}, 5]}}"#).unwrap();
    assert_eq!(call.tracker.slots.get("b").unwrap().get("c").unwrap().as_str(), "null");
    assert!(call.tracker.slots.get("nope").unwrap().is_absent());
    let events: Vec<_> = call.tracker.events.items().map(|item| item.unwrap().as_str().to_owned()).collect();
    assert_eq!(events, [r#"{"event": "x"}"#, "5"]);
    assert_eq!(call.tracker.events.entries().count(), 0);
    let names: Vec<_> = call.tracker.slots.entries().map(|entry| entry.unwrap().0).collect();
    assert_eq!(names, ["a", "b"]);
}

/// Random documents: what is stepped over is what `serde_json` reads there.
#[test]
fn skipping_agrees_with_parsing() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..3_000 {
        let slots = json!({"v": value(&mut random, 5), "w": value(&mut random, 3)});
        let domain = json!({"d": value(&mut random, 5)});
        let body =
            json!({"x": value(&mut random, 4), "tracker": {"slots": slots, "y": value(&mut random, 4)}, "domain": domain});
        let text = if random.bool() { body.to_string() } else { serde_json::to_string_pretty(&body).unwrap() };
        let call = decode(&text).unwrap();
        assert_eq!(call.tracker.slots.parse::<Value>().unwrap(), slots);
        assert_eq!(call.domain.unwrap().parse::<Value>().unwrap(), domain);
    }
}

/// Damaged documents: what `serde_json` reads, this reads.
#[test]
fn nothing_that_is_json_is_refused() {
    let mut random = fastrand::Rng::with_seed(12);
    for _ in 0..20_000 {
        let body = json!({"sender_id": text(&mut random), "tracker": {"slots": {"a": value(&mut random, 2)}}});
        let mut bytes = body.to_string().into_bytes();
        let at = random.usize(..bytes.len());
        bytes[at] = random.choice(br#""\{}[],: 5nx"#).copied().unwrap_or(b' ');
        let Ok(damaged) = String::from_utf8(bytes) else { continue };
        let Ok(Value::Object(read)) = serde_json::from_str(&damaged) else { continue };
        let fits = read.get("sender_id").is_none_or(|sender| sender.is_string() || sender.is_null())
            && read.get("tracker").is_none_or(|tracker| tracker.is_object());
        assert_eq!(decode(&damaged).is_ok(), fits, "{damaged}");
    }
}

fn text(random: &mut fastrand::Rng) -> String {
    let alphabet = ['"', '\\', '{', '}', '[', ']', 'a', 'ü', '\n', ' ', '\u{1f600}', ','];
    (0..random.usize(..80)).map(|_| *random.choice(&alphabet).unwrap()).collect()
}

fn value(random: &mut fastrand::Rng, depth: usize) -> Value {
    match random.u8(..if depth == 0 { 5 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(f64::from(random.i32(..)) / 8.0),
        4 => json!(text(random)),
        5 => (0..random.usize(..5)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object((0..random.usize(..5)).map(|_| (text(random), value(random, depth - 1))).collect()),
    }
}
