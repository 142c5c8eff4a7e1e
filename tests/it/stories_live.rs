//! `legwork test --rasa`: the same stories said to a running assistant, with a stand-in for Rasa on the other side.

use std::collections::HashMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::assistants_command::read;
use crate::support::{legwork, legwork_with, project};

/// The events of each conversation, and what it was told.
#[derive(Default)]
struct Heard {
    events: HashMap<String, Vec<Value>>,
    asked: Vec<String>,
}

/// A Rasa that takes everything for a question about an order, and its API where it has one.
fn rasa(api: bool) -> (SocketAddr, Arc<Mutex<Heard>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Heard::default()));
    let kept = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let kept = Arc::clone(&kept);
            thread::spawn(move || serve(stream, api, &kept));
        }
    });
    (address, heard)
}

fn serve(mut stream: TcpStream, api: bool, heard: &Mutex<Heard>) {
    while let Some((method, target, body)) = read(&mut stream) {
        let mut heard = heard.lock().unwrap();
        heard.asked.push(format!("{method} {target}"));
        let path = target.split('?').next().unwrap();
        let sender = path.split('/').nth(2).unwrap_or_default().to_owned();
        let (status, answer) = match path {
            "/version" => (200, json!({ "version": "3.6.21" })),
            "/webhooks/rest/webhook" => {
                let events = heard.events.entry(body["sender"].as_str().unwrap().to_owned()).or_default();
                let text = body["message"].as_str().unwrap();
                events.extend([
                    json!({ "event": "user", "text": text, "parse_data": { "intent": { "name": "order_status" } } }),
                    json!({ "event": "slot", "name": "order_id", "value": "1001" }),
                    json!({ "event": "action", "name": "action_order" }),
                    json!({ "event": "bot", "text": "It is shipped.", "metadata": { "utter_action": "utter_known" }, "data": {} }),
                    json!({ "event": "slot", "name": "order_status", "value": body["metadata"]["status"].as_str().unwrap_or("shipped") }),
                    json!({ "event": "action", "name": "action_listen" }),
                ]);
                (200, json!([{ "recipient_id": body["sender"], "text": "It is shipped." }]))
            }
            _ if !api => (404, json!({})),
            _ if path.ends_with("/tracker") => {
                let events = heard.events.get(&sender).cloned().unwrap_or_default();
                let slot = |event: &Value| Some((event["name"].as_str()?.to_owned(), event["value"].clone()));
                let slots: serde_json::Map<_, _> =
                    events.iter().filter(|event| event["event"] == "slot").filter_map(slot).collect();
                (200, json!({ "sender_id": sender, "events": events, "slots": slots, "active_loop": {} }))
            }
            _ => {
                heard.events.entry(sender).or_default().extend(body.as_array().cloned().unwrap_or_default());
                (200, json!({}))
            }
        };
        let answer = answer.to_string();
        let head =
            format!("HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\ncontent-length: {}\r\n", answer.len());
        let _ = write!(stream, "{head}\r\n{answer}");
    }
}

const STORIES: &str = "
stories:
  - story: it is shipped
    steps:
      - { user: 'where is [1001](order_id)', intent: order_status }
      - slot_was_set: [order_id: '1001']
      - action: action_order
      - slot_was_set: [order_status: shipped]
      - active_loop: null
      - bot: It is shipped.
      - { intent: order_status, entities: [order_id: '7'] }
      - action: action_order
  - story: it is otherwise
    steps:
      - { user: hello, intent: greet }
      - action: utter_greet
      - slot_was_set: [order_status: lost, mood]
      - active_loop: some_form
      - bot: Hello!
rules:
  - rule: a piece
    steps: [{ intent: greet }, { action: utter_greet }]
";

const CASES: &str = "
fixtures: [{ known: [mood: good] }]
metadata: [{ late: { status: pending } }]
test_cases:
  - test_case: by assertions
    fixtures: [known]
    metadata: late
    steps:
      - user: where is it
        assertions:
          - flow_started: track
          - action_executed: action_order
          - slot_was_set: [{ name: order_status, value: pending }, { name: mood, value: good }]
          - slot_was_not_set: [{ name: size }]
          - bot_uttered: { utter_name: utter_known, text_matches: ship+ed }
          - bot_did_not_utter: { text_matches: lost }
";

#[test]
fn stories_are_said_to_an_assistant_and_held_against_its_tracker() {
    let (address, heard) = rasa(true);
    let url = format!("http://{address}");
    let folder = project(&[
        ("legwork.yml", ""),
        ("actions/action_order.yml", "steps: [{ say: never }]\n"),
        ("data/test_s.yml", STORIES),
        ("data/cases.yml", CASES),
    ]);
    let ran = legwork_with(folder.path(), &["test", "--rasa", &url], &[("LEGWORK_RASA_TOKEN", Some("s3cret"))]);
    assert_eq!(
        (ran.code, ran.printed.as_str(), ran.complained.as_str()),
        (
            Some(1),
            "\
ok   test case: by assertions
ok   test story: it is shipped
FAIL test story: it is otherwise
     data/test_s.yml:13
       data/test_s.yml:15: what `hello` means
         expected  greet
         came      order_status
       data/test_s.yml:16: what runs
         expected  utter_greet
         came      action_order
       data/test_s.yml:17: slot_was_set `order_status`
         expected  \"lost\"
         came      \"shipped\"
       data/test_s.yml:17: slot_was_set `mood`
         expected  a value
         came      null
       data/test_s.yml:18: active_loop
         expected  some_form
         came      no form
       data/test_s.yml:19: what is said
         expected  Hello!
         came      It is shipped.
skip rule: a piece (a rule is a piece from the middle of a conversation)

not known here, so taken from the stories: 1 × an assertion that needs a model

2 passed, 1 failed, 1 skipped
",
            ""
        )
    );
    let heard = heard.lock().unwrap();
    let said: Vec<_> = heard.events.values().flatten().filter(|event| event["event"] == "user").collect();
    assert!(said.iter().any(|event| event["text"] == "where is 1001"), "{said:?}");
    assert!(said.iter().any(|event| event["text"] == r#"/order_status{"order_id":"7"}"#), "{said:?}");
    assert_eq!(heard.events.len(), 3, "every story is a conversation of its own");
    assert!(heard.asked.iter().all(|asked| asked.contains("token=s3cret")), "{:?}", heard.asked);
}

#[test]
fn an_assistant_without_its_api_is_held_to_its_words() {
    let (address, _) = rasa(false);
    let folder = project(&[("legwork.yml", ""), ("actions/a.yml", "steps: []\n"), ("data/test_s.yml", STORIES)]);
    let ran = legwork(folder.path(), &["test", "--rasa", &format!("http://{address}"), "-n", "shipped"]);
    let note = "note: only what is said is held: the assistant's API is not there (start Rasa with --enable-api)";
    assert!(ran.code == Some(0) && ran.printed.contains(note), "{}", ran.printed);
    for url in ["http://127.0.0.1:1", "localhost:5005", "http://user@localhost"] {
        let ran = legwork(folder.path(), &["test", "--rasa", url]);
        assert!(ran.code == Some(2) && ran.complained.starts_with("legwork: --rasa: "), "{url}: {}", ran.complained);
    }
}
