//! `legwork try` as designers call it: from words, from a conversation as it stands, with faults, and saved as a test.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Ran, legwork, legwork_with, project};

const ACTION: &str = "inputs:
  order_id: { format: order_number, missing: Which?, invalid: That is none. }
  name: { from: entity, default: you }
  text: { from: \"{{ user_text }}\" }
  limit: { from: \"{{ 3 }}\" }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
  - say: \"{{ name }}, order {{ order.number }}: {{ order.status | label }}.\"
  - set: { order_id: \"{{ order.number }}\" }
tests:
  - it: works
    slots: { order_id: \"1001\" }
    expect: { said: [/shipped/] }
";

const SETTINGS: &str = "formats: { order_number: { pattern: '#?([0-9]+)', examples: { '#1': '1' } } }
tests: { now: \"2026-01-23T12:00:00Z\" }
";

const DOMAIN: &str = "slots: { order_id: { type: text } }\nactions: [action_x]\n";

fn folder() -> tempfile::TempDir {
    project(&[("legwork.yml", SETTINGS), ("domain.yml", DOMAIN), ("actions/action_x.yml", ACTION)])
}

fn tracker() -> Value {
    json!({
        "sender_id": "ada", "slots": { "order_id": "#1001" }, "paused": false, "followup_action": null, "active_loop": {},
        "latest_message": {
            "text": "Where is it?", "intent": { "name": "order_status" }, "metadata": {}, "message_id": "m",
            "entities": [{ "entity": "name", "value": "Ada", "start": 0, "end": 3 }],
        },
        "latest_action_name": "action_listen", "latest_input_channel": "rest", "latest_event_time": 1.5,
        "events": [{ "event": "user", "text": "Where is it?" }], "latest_bot_utterance": {},
    })
}

fn holds(ran: &Ran, code: i32, parts: &[&str]) {
    let text = format!("{}{}", ran.printed, ran.complained);
    assert_eq!(ran.code, Some(code), "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn each_input_says_where_it_came_from() {
    let folder = folder();
    let tried = |words: &[&str]| legwork(folder.path(), &[&["try", "action_x"], words].concat());
    let ran = tried(&["-s", "order_id=#1001", "--text", "hi"]);
    let places = [
        "actions/action_x.yml:2                   order_id = \"1001\", from the slot `order_id`\n",
        "actions/action_x.yml:3                   name = \"you\", from its default, since the entity `name` holds nothing\n",
        "actions/action_x.yml:4                   text = \"hi\", from the message\n",
        "actions/action_x.yml:5                   limit = 3, from a constant\n",
        "\ntook ",
        "said\n  you, order 1001: shipped.\n",
    ];
    holds(&ran, 0, &places);
    holds(&tried(&[]), 0, &["order_id = null, from the slot `order_id`, which holds nothing\n", "said\n  Which?\n"]);
    holds(
        &tried(&["-s", "order_id=blue"]),
        0,
        &["order_id = \"blue\", from the slot `order_id`, refused: ", "That is none."],
    );
}

#[test]
fn a_conversation_is_gone_on_with_as_it_stands() {
    let folder = folder();
    let write = |name: &str, json: &Value| std::fs::write(folder.path().join(name), json.to_string()).unwrap();
    write("tracker.json", &tracker());
    write("call.json", &json!({ "next_action": "action_x", "sender_id": "ada", "tracker": tracker(), "version": "3.6.21" }));
    write("other.json", &json!({ "a": 1 }));
    let tried = |words: &[&str]| legwork(folder.path(), &[&["try"], words].concat());
    let said = ["name = \"Ada\", from the entity `name`\n", "text = \"Where is it?\"", "Ada, order 1001: shipped."];
    holds(&tried(&["action_x", "--tracker", "tracker.json"]), 0, &said);
    holds(&tried(&["--tracker", "call.json"]), 0, &said);
    holds(&tried(&["--tracker", "call.json", "-s", "order_id=1002"]), 0, &["Ada, order 1002: pending shipment."]);
    holds(&tried(&["--tracker", "tracker.json"]), 2, &["it does not say which action: name one"]);
    holds(&tried(&["action_x", "--tracker", "other.json"]), 2, &["other.json: it has neither `slots`"]);
    holds(&tried(&["action_x", "--tracker", "none.json"]), 2, &["none.json cannot be read"]);
    holds(&tried(&["action_x", "--tracker", "tracker.json", "--text", "x"]), 2, &["cannot be used with"]);
    holds(&tried(&[]), 2, &["required"]);
}

/// A Rasa that tells how a conversation stands to who has the token; the lines of the requests that it got.
fn rasa() -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let mut lines = Vec::new();
        for _ in 0..2 {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                head.push(byte[0]);
            }
            let line = String::from_utf8(head).unwrap().lines().next().unwrap().to_owned();
            let (status, body) = match line.contains("token=tok-s3cret") {
                true => (200, tracker().to_string()),
                false => (401, json!({ "reason": "NotAuthenticated" }).to_string()),
            };
            lines.push(line);
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
        lines
    });
    (address, serving)
}

#[test]
fn a_rasa_is_asked_how_a_conversation_stands_with_a_token_that_nobody_sees() {
    let (folder, (address, serving)) = (folder(), rasa());
    let words = ["try", "action_x", "--from-rasa", &address, "--sender", "ada", "--token-env", "RASA_TOKEN"];
    let ran = legwork_with(folder.path(), &words, &[("RASA_TOKEN", Some("tok-s3cret"))]);
    holds(&ran, 0, &["Ada, order 1001: shipped."]);
    assert!(!format!("{}{}", ran.printed, ran.complained).contains("s3cret"));
    let ran = legwork_with(folder.path(), &words, &[("RASA_TOKEN", Some("wrong"))]);
    holds(&ran, 2, &["refuses the credentials"]);
    let lines = serving.join().unwrap();
    assert_eq!(lines[0], "GET /conversations/ada/tracker?token=tok-s3cret HTTP/1.1");
    let ran = legwork_with(folder.path(), &words, &[("RASA_TOKEN", None)]);
    holds(&ran, 2, &["the environment variable RASA_TOKEN is not set"]);
    let words = ["try", "action_x", "--from-rasa", "http://rasa.example:5005", "--sender", "ada"];
    holds(&legwork(folder.path(), &words), 2, &["without TLS"]);
}

#[test]
fn a_system_fails_on_purpose() {
    let folder = folder();
    let tried = |fault: &str| legwork(folder.path(), &["try", "action_x", "-s", "order_id=1", "--fault", fault]);
    holds(&tried("shop=down"), 0, &["→ unavailable: shop is down, on purpose", "said\n  I'm having trouble"]);
    holds(&tried("shop.find_order=wrong_data"), 0, &["→ unexpected: "]);
    holds(&tried("sohp=down"), 2, &["no connection `sohp`: did you mean `shop`?"]);
}

#[test]
fn what_is_mistyped_is_said() {
    let folder = folder();
    let ran = legwork(folder.path(), &["try", "action_x", "--slot", "ordr_id=1001"]);
    holds(&ran, 0, &["the domain has no slot `ordr_id`: did you mean `order_id`?", "said\n  Which?"]);
    let ran = legwork(folder.path(), &["test", "action_x"]);
    holds(&ran, 2, &["there is no file or folder action_x; `-n action_x` runs the tests of that action"]);
}

#[test]
fn what_is_saved_passes_and_has_nobody_in_it() {
    let folder = folder();
    let words = [
        "try",
        "action_x",
        "-s",
        "order_id=#1002",
        "-e",
        "name=Bergmann",
        "--text",
        "call me at 0664 1234567",
        "--save",
        "tells Ada",
    ];
    let ran = legwork(folder.path(), &words);
    holds(
        &ran,
        0,
        &["\nsaved in actions/action_x.yml\n\n- it: tells Ada\n  slots:\n    order_id: \"#1002\"\n", "pending shipment"],
    );
    let words = [
        "try",
        "action_x",
        "-s",
        "order_id=1001",
        "--fault",
        "shop=slow:2s",
        "--fault",
        "shop=down",
        "--save",
        "helps: while it is down",
    ];
    holds(&legwork(folder.path(), &words), 0, &["  given:\n    shop:\n      slow: \"2s\"\n      down: true\n"]);
    let text = std::fs::read_to_string(folder.path().join("actions/action_x.yml")).unwrap();
    assert!(text.starts_with(ACTION), "{text}");
    for word in ["Bergmann", "1234567"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
    holds(&legwork(folder.path(), &["check"]), 0, &[]);
    holds(
        &legwork(folder.path(), &["test"]),
        0,
        &["ok   action_x: tells Ada", "ok   action_x: helps: while it is down", "3 passed, 0 failed"],
    );
    // Where nothing can be put behind the tests, nothing is written, and the test is there to be taken.
    let path = folder.path().join("actions/action_x.yml");
    std::fs::write(&path, ACTION.split_once("tests:").unwrap().0.to_owned() + "tests: []\n").unwrap();
    let ran = legwork(folder.path(), &["try", "action_x", "-s", "order_id=1001", "--save", "works"]);
    holds(&ran, 1, &["not saved: nothing can be put behind `tests:`", "- it: works\n"]);
    assert!(std::fs::read_to_string(&path).unwrap().ends_with("tests: []\n"));
}
