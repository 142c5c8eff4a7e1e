//! Recordings, from the server that makes them to the run that holds an action against them; and what is in them.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use legwork::engine::Context;
use legwork::name::CallerName;
use legwork::plan::Project;
use legwork::qa::recording::{Folder, Learned, Recorder, Vocabulary};
use legwork::rasa::{Limits, Reply};
use legwork::server::Answering as _;
use legwork::time::SystemClock;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::{House, Ran, legwork, legwork_with, lines_about, project, request};

const TOKEN: (&str, Option<&str>) = ("CRM_TOKEN", Some("tok-s3cret-99"));

const SETTINGS: &str = "
connections:
  shop: { connector: sandbox }
  desk: { connector: desk, address: \"ADDRESS\", token: \"${CRM_TOKEN}\", allow_private: [127.0.0.1] }
";

const DESK: &str = r#"
kind: http
description: Customers and their tickets.
api: { version: v1 }
settings:
  address: { description: Where it is., example: "https://desk.example" }
  token: { description: The key., secret: true, example: key }
base: "{{ settings.address }}"
auth: { bearer: "{{ settings.token }}" }
operations:
  customer:
    inputs: { email: { format: email, required: true } }
    request: GET /customers
    query: { email: "{{ email }}" }
    rows: body.found
    take: one
    answer: { name: "{{ row.name }}", phone: "{{ row.phone }}", state: "{{ row.state }}", number: "{{ row.id }}" }
  ticket:
    kind: write
    inputs: { text: { required: true }, for: {} }
    request: POST /tickets
    json: { text: "{{ text }}", customer: "{{ for }}" }
    idempotency: none
    rows: body
"#;

const ACTION: &str = r#"
inputs:
  email: { format: email, missing: Whose? }
  problem: { from: "{{ user_text }}" }
steps:
  - call: desk.customer
    with: { email: "{{ email }}" }
    as: customer
    outcomes:
      not_found: "I don't know {{ email | mask_email }}."
  - call: desk.ticket
    with: { text: "{{ customer.name }} says: {{ problem }}", for: "{{ customer.number }}" }
    as: ticket
  - say: "Thank you, {{ customer.name | split(' ') | first }}. It is {{ ticket.number }}, we call ….{{ customer.phone | string | slice(-4) }}, you are {{ customer.state }}."
  - set: { ticket: "{{ ticket.number }}", customer_name: "{{ customer.name }}" }
"#;

const ORDER: &str = r#"
inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: "{{ order_id }}" }
    as: order
  - say: "Order {{ order.number }} of {{ order.customer.name }} is {{ order.status | label }}."
"#;

/// Everything in the calls and answers that is somebody's, or a secret.
const NOBODY_ELSES: [&str; 13] = [
    "Mark",
    "Bergmann",
    "mark.bergmann",
    "acme",
    "1234567",
    "….4567",
    "zipper",
    "Rosengasse",
    "5678901234",
    "hush",
    "s3cret",
    "whatsapp",
    "Johnson",
];

type Answer = ([(&'static str, &'static str); 1], String);

fn answer(value: &Value) -> Answer {
    ([("content-type", "application/json")], value.to_string())
}

async fn customers(headers: HeaderMap, RawQuery(query): RawQuery) -> Answer {
    assert_eq!(headers["authorization"], "Bearer tok-s3cret-99");
    let found = match query.unwrap().as_str() == "email=mark.bergmann%40acme.co" {
        true => json!([{
            "id": 5_678_901_234_u64, "name": "Mark Bergmann", "email": "mark.bergmann@acme.co", "phone": "+436641234567",
            "street": "Rosengasse 7", "state": "customer", "api_token": "s3cret-of-his",
        }]),
        false => json!([]),
    };
    answer(&json!({ "found": found }))
}

/// The address of a desk.
async fn desk() -> String {
    let ticket = async |_: String| answer(&json!({ "number": "N-17" }));
    let router = Router::new().route("/customers", get(customers)).route("/tickets", post(ticket));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn folder(more: &str) -> tempfile::TempDir {
    let settings = SETTINGS.replace("ADDRESS", &desk().await) + more;
    let domain = "slots: { email: { type: text }, order_id: { type: text }, ticket: { type: text }, customer_name: { type: text } }\n\
                  actions: [action_ticket, action_order]\n";
    project(&[
        ("legwork.yml", &settings),
        ("domain.yml", domain),
        ("connectors/desk.yml", DESK),
        ("actions/action_ticket.yml", ACTION),
        ("actions/action_order.yml", ORDER),
    ])
}

/// The body of a call: with slots that no action needs, and a person in each corner.
fn call(action: &str, slots: &Value, message: &str, second: bool) -> String {
    let mut all = json!({ "diary": "hush, Rosengasse" });
    all.as_object_mut().unwrap().extend(slots.as_object().unwrap().clone());
    let text = "The zipper of Mark Bergmann broke, call 0664 1234567";
    let latest = json!({
        "text": text, "intent": { "name": "open_ticket" }, "entities": [], "message_id": message,
        "metadata": { "token": "hush" },
    });
    let done = second.then_some(action);
    let tracker = json!({
        "sender_id": "whatsapp:+436641234567", "slots": all, "latest_message": latest, "latest_input_channel": "rest",
        "events": [{ "event": "user", "text": text }], "active_loop": {}, "followup_action": done,
        "latest_action_name": done.unwrap_or("action_listen"),
    });
    json!({ "next_action": action, "sender_id": "whatsapp:+436641234567", "tracker": tracker }).to_string()
}

/// `legwork serve`, stopped as operators stop it.
struct Serving {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Serving {
    fn start(folder: &Path, words: &[&str]) -> Self {
        let log = folder.join("log.jsonl");
        let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
        command.env(TOKEN.0, TOKEN.1.unwrap()).args(["serve", "-p", "0", "--log-file"]).arg(&log).args(words);
        let child = command.current_dir(folder).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let mut serving = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
        let until = Instant::now() + Duration::from_secs(60);
        while serving.address.port() == 0 {
            assert!(Instant::now() < until && serving.child.try_wait().unwrap().is_none(), "it does not start");
            std::thread::yield_now();
            let text = serving.logged();
            let found = text.split_once("listening on http://").and_then(|(_, rest)| rest.split_once('/'));
            serving.address = found.map_or(serving.address, |(address, _)| address.parse().unwrap());
        }
        serving
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    async fn call(&self, body: &str) -> Value {
        request(self.address, "POST /webhook", &["content-type: application/json"], body.as_bytes()).await.json()
    }

    /// Stops it; what it has to write is written then.
    fn stop(mut self) -> String {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success() && self.child.wait().unwrap().success(), "{}", self.logged());
        self.logged()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn run(folder: &Path, words: &[&str]) -> Ran {
    legwork_with(folder, words, &[(TOKEN.0, None)])
}

/// A folder with recordings of a ticket, of somebody who is not known, and of an order in the sandbox.
async fn recorded() -> tempfile::TempDir {
    let folder = folder("").await;
    let serving = Serving::start(folder.path(), &["--record", "rec"]);
    let told = serving.call(&call("action_ticket", &json!({ "email": "Mark.Bergmann@acme.co" }), "m1", false)).await;
    // The address is read as it was typed, and so it is not found.
    assert_eq!(told["responses"][0]["text"], "I don't know M…n@acme.co.");
    let told = serving.call(&call("action_ticket", &json!({ "email": "mark.bergmann@acme.co" }), "m2", false)).await;
    assert_eq!(told["responses"][0]["text"], "Thank you, Mark. It is N-17, we call ….4567, you are customer.");
    let told = serving.call(&call("action_order", &json!({ "order_id": "1001" }), "m3", false)).await;
    assert_eq!(told["responses"][0]["text"], "Order 1001 of Sarah Johnson is shipped.");
    let log = serving.stop();
    assert!(log.contains("every turn is recorded"), "{log}");
    folder
}

#[tokio::test]
async fn a_turn_is_kept_without_the_people_in_it_for_its_owner_alone() {
    let folder = recorded().await;
    let rec = folder.path().join("rec");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&rec), 0o700);
    let files = files(&rec);
    assert_eq!(files.len(), 3, "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        for word in NOBODY_ELSES {
            assert!(!text.to_lowercase().contains(&word.to_lowercase()), "{word} in {text}");
        }
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&files[1]).unwrap()).unwrap();
    assert!(kept.get("only_to_read").is_none(), "{kept:#}");
    let asked = &kept["asked"];
    // The same person is the same everywhere: in the slot, the request, the answer and the next request.
    let (email, name) = (&kept["call"]["slots"]["email"], asked[0]["answer"]["name"].as_str().unwrap());
    assert_eq!([&asked[0]["inputs"]["email"], &asked[0]["requests"][0]["answer"]["found"][0]["email"]], [email; 2]);
    assert!(asked[0]["requests"][0]["request"].as_str().unwrap().ends_with(email.as_str().unwrap()));
    assert!(asked[1]["inputs"]["text"].as_str().unwrap().starts_with(name));
    assert_eq!(asked[1]["requests"][0]["body"]["text"], asked[1]["inputs"]["text"]);
    assert_eq!(asked[0]["requests"][0]["answer"]["found"][0]["api_token"], "(left out)");
    // What names nobody can be read.
    assert_eq!([&asked[0]["answer"]["state"], &asked[1]["answer"]["number"]], ["customer", "N-17"]);
    let said = kept["told"]["responses"][0]["text"].as_str().unwrap();
    let first = name.split(' ').next().unwrap();
    assert!(said.starts_with(&format!("Thank you, {first}. It is N-17, we call")), "{said}");
    assert_eq!(kept["call"]["slots"].as_object().unwrap().len(), 1);
    assert!(kept["call"].get("metadata").is_none());
}

#[tokio::test]
async fn recordings_run_again_offline_and_a_changed_action_is_seen() {
    let folder = recorded().await;
    let ran = run(folder.path(), &["test", "--replay", "rec"]);
    assert_eq!(
        (ran.code, ran.printed.ends_with("\n3 as recorded, 0 otherwise, 0 not run\n")),
        (Some(0), true),
        "{}",
        ran.printed
    );
    let path = folder.path().join("actions/action_ticket.yml");
    let changed = ACTION.replace("Thank you, ", "Thanks, ").replace("ticket: \"{{ ticket.number }}\", ", "");
    std::fs::write(&path, changed).unwrap();
    let ran = run(folder.path(), &["test", "--replay", "rec"]);
    let parts = [
        "FAIL action_ticket: rec/",
        "said[0]\n         recorded  Thank you, ",
        "now       Thanks, ",
        "events[0]\n         recorded  slot ticket = \"N-17\"",
        "2 as recorded, 1 otherwise",
    ];
    assert!(ran.code == Some(1) && parts.iter().all(|part| ran.printed.contains(part)), "{}", ran.printed);
    // What it asks for now was not recorded, and nobody is asked.
    std::fs::write(&path, ACTION.replace("text: \"{{ customer.name }} says: ", "text: \"{{ customer.name }} said: "))
        .unwrap();
    let ran = run(folder.path(), &["test", "--replay", "rec", "-n", "action_ticket"]);
    let note = "desk.ticket was not recorded with the inputs it has now";
    assert!(ran.code == Some(1) && ran.printed.contains(note), "{}", ran.printed);
    // One file of them, step by step.
    std::fs::write(&path, ACTION).unwrap();
    let file = files(&folder.path().join("rec")).remove(1);
    let ran = run(folder.path(), &["try", "--recording", file.to_str().unwrap()]);
    let parts = ["desk.customer {", "desk.ticket {", "said\n  Thank you, ", "from the message"];
    assert!(ran.code == Some(0) && parts.iter().all(|part| ran.printed.contains(part)), "{}{}", ran.printed, ran.complained);
    for (words, said) in [
        (&["test", "--replay", "none"][..], "none cannot be read"),
        (&["test", "--replay", "actions"], "actions holds no recording"),
        (&["test", "--replay", "log.jsonl"], "is not a recording"),
        (&["try", "--tracker", file.to_str().unwrap()], "it is a recording: say --recording"),
        (
            &["try", "action_order", "--recording", file.to_str().unwrap()],
            "a recording of `action_ticket`, not of `action_order`",
        ),
    ] {
        let ran = run(folder.path(), words);
        assert!(ran.code == Some(2) && ran.complained.contains(said), "{words:?}: {}", ran.complained);
    }
}

#[tokio::test]
async fn a_slow_turn_is_one_recording_and_a_code_is_none() {
    let more = "
turn: { slow_after: 50ms, give_up_after: 30s }
verify: { code: { call: shop.send_message, with: { to: '{{ address }}', text: 'Your code is {{ code }}' } } }
";
    let folder = folder(more).await;
    let code = "inputs: { email: {} }\nsteps: [{ send_code: '{{ email }}' }, { say: sent }]\n";
    std::fs::write(folder.path().join("actions/action_code.yml"), code).unwrap();
    let serving = Serving::start(folder.path(), &["--record", "rec", "--fault", "shop.find_order=slow:500ms"]);
    let slots = json!({ "order_id": "1001" });
    let first = serving.call(&call("action_order", &slots, "m1", false)).await;
    assert_eq!(first["events"][0]["event"], "followup");
    let second = serving.call(&call("action_order", &slots, "m1", true)).await;
    assert_eq!(second["responses"][0]["text"], "Order 1001 of Sarah Johnson is shipped.");
    let sent = serving.call(&call("action_code", &json!({ "email": "sarah@example.com" }), "m2", false)).await;
    assert_eq!(sent["responses"][0]["text"], "sent");
    serving.stop();
    assert_eq!(files(&folder.path().join("rec")).len(), 1);
    let ran = run(folder.path(), &["test", "--replay", "rec"]);
    assert!(ran.code == Some(0) && ran.printed.contains("1 as recorded"), "{}", ran.printed);
}

#[tokio::test]
async fn forms_run_again() {
    let folder = folder("").await;
    let path = |path: &str| folder.path().join(path);
    let form = "
slots:
  order_id:
    call: shop.find_order
    with: { number: \"{{ value }}\" }
    as: order
    refuse: \"There is no order {{ value }}.\"
    set: { customer_name: \"{{ order.customer.name }}\" }
";
    std::fs::write(path("actions/validate_order_form.yml"), form).unwrap();
    let domain = "slots: { order_id: { type: text, mappings: [{ type: from_text }] }, email: { type: text }, ticket: { type: text }, customer_name: { type: text } }\n\
                  forms: { order_form: { required_slots: [order_id] } }\nactions: [action_ticket, action_order, validate_order_form]\n";
    std::fs::write(path("domain.yml"), domain).unwrap();
    let serving = Serving::start(folder.path(), &["--record", "rec"]);
    let ask = |value: &str, message: &str| {
        let mut body: Value =
            serde_json::from_str(&call("validate_order_form", &json!({ "order_id": value }), message, false)).unwrap();
        let offered = json!({ "event": "slot", "name": "order_id", "value": value });
        body["tracker"]["events"].as_array_mut().unwrap().push(offered);
        body["tracker"]["active_loop"] = json!({ "name": "order_form" });
        body.to_string()
    };
    let taken = serving.call(&ask("1001", "m1")).await;
    assert_eq!(taken["events"][1]["value"], "Sarah Johnson", "{taken}");
    let refused = serving.call(&ask("777", "m2")).await;
    assert_eq!(refused["responses"][0]["text"], "There is no order 777.");
    serving.stop();
    assert_eq!(files(&path("rec")).len(), 2);
    let ran = run(folder.path(), &["test", "--replay", "rec"]);
    assert!(ran.code == Some(0) && ran.printed.contains("2 as recorded"), "{}", ran.printed);
}

#[tokio::test]
async fn what_does_not_fit_is_left_out_counted_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let House { engine, .. } = &House::open();
    let recordings = Folder::open(&folder.path().join("rec"), Duration::from_secs(1)).unwrap();
    let learn = |_: &Project| Learned { words: Vocabulary::default(), connections: Vec::new() };
    let recorder = Recorder::begin(recordings, folder.path(), learn, Arc::new(SystemClock)).unwrap();
    let recorded = recorder.records().of(Arc::clone(engine));
    let body = Bytes::from(crate::support::call("action_echo", json!({ "say": "hello" })));
    let waiting: Vec<_> = (0..300)
        .map(|_| {
            let call = legwork::rasa::Call::decode(body.clone(), &Limits::default()).unwrap();
            let context = Context { caller: CallerName::anonymous(), request_id: "r".into(), trace: None };
            recorded.run(call, context)
        })
        .collect();
    // All of them are answered, the recorded and the others.
    for turn in waiting {
        let Reply::Answer(answer) = turn.await.unwrap() else { panic!("no answer") };
        assert_eq!(answer.responses[0].text.as_deref(), Some("hello"));
    }
    drop(recorder);
    let said = lines_about("turns were not recorded");
    assert!(said.iter().any(|line| line.contains("\"count\":44")), "{said:?}");
}

#[tokio::test]
async fn what_is_old_enough_is_removed_and_nothing_else() {
    let folder = folder("").await;
    let rec = folder.path().join("rec");
    std::fs::create_dir(&rec).unwrap();
    let names = [
        "20200101T000000000Z-action_order-1-0.json",
        "20200101T000000000Z-action_order-1-1.json.part",
        "notes-2020.json",
        "20990101T000000000Z-action_order-1-0.json",
    ];
    names.iter().for_each(|name| std::fs::write(rec.join(name), "{}").unwrap());
    Serving::start(folder.path(), &["--record", "rec", "--record-for", "1h"]).stop();
    let left: Vec<_> = files(&rec).iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(left, ["20990101T000000000Z-action_order-1-0.json", "notes-2020.json"]);
}

#[test]
fn production_records_only_when_that_was_decided() {
    let settings = "server: { profile: production, auth: [{ name: rasa, token: \"${TOKEN}\" }] }\nstores: { main: \"sqlite://x.db\", key: \"${TOKEN}\" }\n";
    let folder = project(&[("legwork.yml", settings), ("actions/action_order.yml", ORDER)]);
    let secret = [("TOKEN", Some("a-long-enough-s3cret-for-it"))];
    let ran = legwork_with(folder.path(), &["serve", "-p", "0", "--record", "rec"], &secret);
    let said = "`profile: production` refuses that: leave it out, or add --record-in-production";
    assert!(ran.code == Some(2) && ran.complained.contains(said), "{}", ran.complained);
    assert!(!folder.path().join("rec").exists());
    let ran = legwork(folder.path(), &["serve", "--record-for", "2d"]);
    assert_eq!(ran.code, Some(2), "{}", ran.complained);
}

#[tokio::test]
async fn stubs_are_what_rasa_pro_takes() {
    let folder = recorded().await;
    let rec = folder.path().join("rec");
    // Names are other ones in every run.
    let file = files(&rec).remove(1);
    let mut kept: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    kept["told"]["responses"][0]["text"] = json!("Thank you, Ada. It is N-17: \"on its way\".");
    kept["told"]["responses"][0]["buttons"] = json!([{ "title": "Ok", "payload": "/affirm{\"a\":1}" }]);
    kept["told"]["events"][1]["value"] = json!(null);
    std::fs::write(&file, kept.to_string()).unwrap();
    let ran = run(folder.path(), &["stubs", "rec"]);
    let expected = r#"stub_custom_actions:
  # From rec/…, the newest of 2 recordings.
  action_ticket:
    events:
      - event: slot
        name: ticket
        value: N-17
      - event: slot
        name: customer_name
        value: null
    responses:
      - text: "Thank you, Ada. It is N-17: \"on its way\"."
        buttons:
          - title: Ok
            payload: "/affirm{\"a\":1}"
"#;
    let file_name = |line: &str| match line.split_once(".json") {
        Some((_, rest)) => format!("  # From rec/…{rest}\n"),
        None => format!("{line}\n"),
    };
    let printed: String = ran.printed.lines().map(file_name).collect();
    let (order, ticket) = printed
        .split_once("  # From rec/…, the newest")
        .map(|(a, b)| (a.to_owned(), format!("stub_custom_actions:\n  # From rec/…, the newest{b}")))
        .unwrap();
    assert_eq!((ran.code, ticket.as_str()), (Some(0), expected));
    assert!(order.contains("action_order:\n    events: []\n    responses:\n"), "{order}");
    let ran = run(folder.path(), &["stubs", "rec", "--case", "asks for help", "--out", "stubs.yml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.complained);
    assert!(
        std::fs::read_to_string(folder.path().join("stubs.yml")).unwrap().contains("  \"asks for help::action_ticket\":\n")
    );
    let ran = run(folder.path(), &["stubs", "rec", "--out", "stubs.yml"]);
    assert!(ran.code == Some(2) && ran.complained.contains("stubs.yml cannot be written"), "{}", ran.complained);
}
