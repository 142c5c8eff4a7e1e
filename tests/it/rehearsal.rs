//! Faults on purpose, through every door: `tests:` blocks, `serve --fault` and `rehearse`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::support::{legwork, request, written};

const SLOW: &str = "I'm still checking. One moment, please.";

const ORDER: &str = "
inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
  - say: \"Order {{ order.number }}: {{ order.status | label }}.\"
  - set: { order_status: \"{{ order.status }}\" }
";

fn tested(folder: &Path) -> String {
    let ran = legwork(folder, &["test"]);
    assert!(ran.code == Some(0), "{}{}", ran.printed, ran.complained);
    ran.printed
}

#[test]
fn tests_hear_what_users_would_while_systems_fail() {
    let action = format!(
        "{ORDER}tests:
  - it: is told in two answers when the shop is slow
    slots: {{ order_id: '1001' }}
    given: {{ shop: slow 6s }}
    expect: {{ said: [\"{SLOW}\", \"Order 1001: shipped.\"], slots: {{ order_status: shipped }}, events: [] }}
  - it: is told in one when the shop is only a little slow
    slots: {{ order_id: '1001' }}
    given: {{ shop: {{ slow: 4s }} }}
    expect: {{ said: [\"Order 1001: shipped.\"] }}
  - it: gives up
    slots: {{ order_id: '1001' }}
    given: {{ shop: slow 1h }}
    expect: {{ said: [\"{SLOW}\", /taking longer/], unset: [order_status] }}
  - it: is impatient on Slack
    slots: {{ order_id: '1001' }}
    channel: slack
    given: {{ shop: slow 4s }}
    expect: {{ said: [\"{SLOW}\", \"Order 1001: shipped.\"] }}
  - it: is one too many
    slots: {{ order_id: '1001' }}
    given: {{ shop: rate_limited }}
    expect: {{ said: [/a lot going on/] }}
  - it: makes nothing of nonsense
    slots: {{ order_id: '1001' }}
    given: {{ shop: wrong_data }}
    expect: {{ said: [/went wrong on our side/] }}
  - it: is slow and makes no sense
    slots: {{ order_id: '1001' }}
    given: {{ shop: {{ slow: 6s, wrong_data: true }} }}
    expect: {{ said: [\"{SLOW}\", /went wrong on our side/] }}
  - it: never fails
    slots: {{ order_id: '1001' }}
    given: {{ shop: flaky 0% }}
    expect: {{ said: [\"Order 1001: shipped.\"] }}
  - it: always fails
    slots: {{ order_id: '1001' }}
    given: {{ shop: flaky 100% }}
    expect: {{ said: [/trouble/] }}
  - it: fails at another operation
    slots: {{ order_id: '1001' }}
    given: {{ shop.recent_orders: down }}
    expect: {{ said: [\"Order 1001: shipped.\"] }}
  - it: was asked before the shop grew slow
    slots: {{ order_id: '1001' }}
    given: {{ shop: {{ slow: 1h, known: 5m }} }}
    expect: {{ said: [\"{SLOW}\", /as of 5 minutes ago/, \"Order 1001: shipped.\"] }}
"
    );
    let folder = written(&[("actions/action_order.yml", &action)]);
    assert!(tested(folder.path()).ends_with("\n11 passed, 0 failed\n"));
}

#[test]
fn which_calls_of_a_flaky_system_fail_is_the_same_at_every_run() {
    let action = "
steps:
  - let: { lost: [] }
  - each: range(40)
    as: n
    steps:
      - call: shop.find_order
        with: { number: \"{{ n }}\" }
        as: found
        outcomes: { not_found: [{ continue: there }], otherwise: [{ continue: down }] }
    collect: \"{{ found }}\"
    into: all
  - say: \"{{ all | join(' ') }}\"
tests:
  - { it: x, given: { shop: flaky 30% }, expect: { said: [] } }
";
    // The breaker would soon let nothing through.
    let settings = "connections: { shop: { connector: sandbox, breaker: off } }\n";
    let action = action.replace("  - let: { lost: [] }\n", "");
    let folder = written(&[("legwork.yml", settings), ("actions/action_x.yml", &action)]);
    let came = || {
        let ran = legwork(folder.path(), &["test"]);
        let line = ran.printed.lines().find_map(|line| line.trim().strip_prefix("came      ").map(str::to_owned));
        line.unwrap_or_else(|| panic!("{}{}", ran.printed, ran.complained))
    };
    let first = came();
    let down = first.split(' ').filter(|word| *word == "down").count();
    assert!((5..=20).contains(&down) && first.split(' ').count() == 40, "{first}");
    assert_eq!(came(), first);
}

/// What a validation may take this long for, a write of a remote system and a form go through, each as it would be live.
#[test]
fn what_cannot_be_followed_up_and_what_outlasts_its_turn_is_heard_as_it_would_be() {
    let form = "
slots:
  order_id: { call: shop.find_order, with: { number: \"{{ value }}\" }, unavailable: reject }
tests:
  - it: refuses after five seconds
    offered: { order_id: '1001' }
    given: { shop: slow 6s }
    expect: { said: [/taking longer/], slots: { order_id: null } }
";
    let domain = "
slots: { order_id: { type: text, mappings: [{ type: from_text }] } }
forms: { order_form: { required_slots: [order_id] } }
actions: [validate_order_form, action_ticket]
";
    let ticket = "
steps:
  - call: desk.create_ticket
    with: { subject: Where is it? }
  - say: It is made.
tests:
  - it: is made late
    given: { desk: slow 6s }
    expect: { said: [/still checking/, It is made.] }
  - it: outlasts the turn
    given: { desk: slow 20s }
    expect: { said: [/still checking/, { text: /reference/, buttons: [] }] }
";
    let desk = "
kind: http
base: https://desk.example
operations:
  create_ticket:
    kind: write
    inputs: { subject: { required: true } }
    request: POST /tickets
    json: { subject: \"{{ subject }}\" }
    idempotency: { header: Idempotency-Key }
    examples:
      - inputs: { subject: Where is it? }
        sends: { request: POST /tickets, json: { subject: Where is it? } }
        receives: { status: 201, json: { id: 1 } }
        answer: { id: 1 }
";
    let folder = written(&[
        ("legwork.yml", "connections: { shop: { connector: sandbox }, desk: { connector: desk } }\n"),
        ("connectors/desk.yml", desk),
        ("domain.yml", domain),
        ("actions/validate_order_form.yml", form),
        ("actions/action_ticket.yml", ticket),
    ]);
    assert!(tested(folder.path()).ends_with("\n3 passed, 0 failed\n"));
}

/// The server, ended with the test.
struct Serving {
    child: Child,
    address: SocketAddr,
    log: std::path::PathBuf,
}

impl Serving {
    fn start(folder: &Path, words: &[&str]) -> Self {
        let log = folder.join("log.jsonl");
        let mut command = Command::new(env!("CARGO_BIN_EXE_legwork"));
        command.args(["serve", "-p", "0", "--log-file"]).arg(&log).args(words).current_dir(folder).stderr(Stdio::null());
        let mut serving = Self { child: command.spawn().unwrap(), address: SocketAddr::from(([127, 0, 0, 1], 0)), log };
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

    async fn call(&self, second: bool) -> Value {
        let done = second.then_some("action_order");
        let message = json!({ "text": "Where is 1001?", "message_id": "m1", "intent": {}, "entities": [] });
        let tracker = json!({
            "sender_id": "s", "slots": { "order_id": "1001" }, "latest_message": message, "events": [],
            "followup_action": done, "latest_action_name": done.unwrap_or("action_listen"), "latest_input_channel": "rest",
        });
        let body = json!({ "next_action": "action_order", "sender_id": "s", "tracker": tracker }).to_string();
        request(self.address, "POST /webhook", &["content-type: application/json"], body.as_bytes()).await.json()
    }

    async fn page(&self, path: &str) -> Value {
        request(self.address, &format!("GET {path}"), &[], b"").await.json()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_server_whose_system_is_slow_on_purpose_says_so_and_then_the_result() {
    let settings = "turn: { slow_after: 50ms, give_up_after: 30s }\n";
    let folder = written(&[("legwork.yml", settings), ("actions/action_order.yml", ORDER)]);
    let faults = ["--fault", "shop=slow:1s", "--fault", "crm.find_customer=down"];
    let serving = Serving::start(folder.path(), &faults);
    let first = serving.call(false).await;
    assert_eq!(first["responses"][0]["text"], SLOW);
    assert_eq!(first["events"][0], json!({ "event": "followup", "name": "action_order", "timestamp": null }));
    let second = serving.call(true).await;
    assert_eq!(second["responses"][0]["text"], "Order 1001: shipped.");
    let status = serving.page("/status").await;
    assert_eq!(
        [&status["connections"][0]["staged"], &status["connections"][1]["staged"]],
        [&json!(["slow 1s"]), &json!([])]
    );
    let health = serving.page("/status/connections").await;
    let staged = |name: &str| {
        let all = health["connections"].as_array().unwrap();
        all.iter().find(|one| one["name"] == name).unwrap()["staged"].clone()
    };
    assert_eq!([staged("shop"), staged("crm")], [json!(["slow 1s"]), json!(["find_customer: down"])]);
    let log = serving.logged();
    assert!(log.contains("shop slow 1s: on purpose") && log.contains("crm.find_customer down: on purpose"), "{log}");
}

#[test]
fn a_server_refuses_faults_that_are_none_or_of_nothing_and_all_of_them_in_production() {
    let production = "
server: { profile: production, auth: [{ name: rasa, token: \"${TOKEN}\" }] }
";
    for (settings, fault, said) in [
        ("", "sohp=down", "legwork.yml has no connection `sohp`: did you mean `shop`?"),
        ("", "shop.find_oder=down", "has no operation `find_oder`: did you mean `find_order`?"),
        ("", "shop=dwon", "there is no fault `dwon`: did you mean `down`?"),
        ("", "shop=slow", "write how long each answer takes: slow 6s"),
        ("", "shop", "write CONNECTION=FAULT, such as shop=down or shop=slow:8s"),
        (production, "shop=down", "which `profile: production` refuses: leave it out, or take `profile: test`"),
    ] {
        let folder = written(&[("legwork.yml", settings), ("actions/action_order.yml", ORDER)]);
        let ran = legwork(folder.path(), &["serve", "-p", "0", "--fault", fault]);
        assert!(ran.code == Some(2) && ran.complained.contains(said), "{fault}: {:?} {}", ran.code, ran.complained);
    }
}

/// What every scene of `action` comes to, by connection and fault.
fn outcomes(played: &Value, action: &str) -> Vec<(String, Vec<u64>)> {
    let scenes = played["scenes"].as_array().unwrap().iter().filter(|scene| scene["action"] == action);
    let seconds = |scene: &Value| {
        let heard = scene["heard"].as_array().unwrap().iter();
        heard.map(|heard| (heard["after_ms"].as_u64().unwrap() + 500) / 1000).collect()
    };
    let shown = |scene: &Value| {
        let known = scene["known"].as_str().map(|known| format!(" known {known}")).unwrap_or_default();
        let [connection, fault, outcome] = ["connection", "fault", "outcome"].map(|key| scene[key].as_str().unwrap());
        format!("{connection} {fault}{known} {outcome}")
    };
    scenes.map(|scene| (shown(scene), seconds(scene))).collect()
}

const TESTED: &str = "tests:
  - { it: is down, slots: { order_id: '1001' }, given: { shop: down }, expect: { said: [/trouble/] } }
  - { it: tells where it is, slots: { order_id: '1001' }, expect: { said: [/shipped/] } }
";

#[test]
fn every_action_is_rehearsed_through_every_fault_of_every_system() {
    let note = "
steps:
  - call: crm.find_customer
    with: { email: sarah@example.com }
    as: customer
  - call: helpdesk.create_ticket
    with: { subject: \"{{ customer.name }} called\" }
    outcomes: { unavailable: I could not note that. }
  - say: Noted.
tests: [{ it: notes it, expect: { said: [Noted.] } }]
";
    let folder = written(&[
        ("actions/action_order.yml", &format!("{ORDER}{TESTED}")),
        ("actions/action_note.yml", note),
        ("actions/action_hi.yml", "steps: [{ say: Hi. }]\n"),
        ("actions/action_untested.yml", ORDER),
    ]);
    let ran = legwork(folder.path(), &["rehearse", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.printed, ran.complained);
    let played: Value = serde_json::from_str(&ran.printed).unwrap();
    let of =
        |all: &[(&str, &[u64])]| all.iter().map(|(what, times)| ((*what).to_owned(), times.to_vec())).collect::<Vec<_>>();
    assert_eq!(
        outcomes(&played, "action_order"),
        of(&[
            ("shop down unavailable", &[0]),
            ("shop down known 90s stale", &[0]),
            ("shop slow 6s ok", &[5, 6]),
            ("shop slow 20s timeout", &[5, 12]),
            ("shop rate_limited rate_limited", &[0]),
            ("shop wrong_data unexpected", &[0]),
        ])
    );
    assert_eq!(
        outcomes(&played, "action_note"),
        of(&[
            ("helpdesk down unavailable", &[0]),
            ("helpdesk slow 6s ok", &[5, 6]),
            ("helpdesk slow 20s timeout", &[5, 12]),
            ("helpdesk rate_limited rate_limited", &[0]),
            ("helpdesk wrong_data unexpected", &[0]),
            ("crm down unavailable", &[0]),
            ("crm down known 11m stale", &[0]),
            ("crm slow 6s ok", &[5, 6]),
            ("crm slow 20s timeout", &[5, 12]),
            ("crm rate_limited rate_limited", &[0]),
            ("crm wrong_data unexpected", &[0]),
        ])
    );
    assert_eq!(
        played["without"],
        json!([{ "action": "action_untested", "connection": "shop", "reason": "it has no test to take inputs from" }])
    );
    let first = &played["scenes"][0];
    assert_eq!(
        (&first["action"], &first["heard"][0]["messages"][0]["text"]),
        (&json!("action_note"), &json!("I could not note that."))
    );
}

#[test]
fn what_is_heard_is_printed_with_its_time_and_its_buttons() {
    let settings = "messages: { human_intent: help }\n";
    let domain = "
slots: { order_id: { type: text }, order_status: { type: text } }
intents: [help]
actions: [action_order]
";
    let action = format!("{ORDER}{TESTED}");
    let folder = written(&[("legwork.yml", settings), ("domain.yml", domain), ("actions/action_order.yml", &action)]);
    let words = ["rehearse", "action_order", "--fault", "slow:1h", "--fault", "shop=down", "--fault", "crm=down"];
    let ran = legwork(folder.path(), &words);
    assert_eq!(
        (ran.code, ran.printed.as_str()),
        (
            Some(0),
            "\
action_order, as in \"tells where it is\" (actions/action_order.yml:11)
  shop slow 1h → timeout
    after 5 s     I'm still checking. One moment, please.
    after 12 s    That is taking longer than it should, and I have no answer right now. Please try again in a few minutes.
                  [Talk to a person]
  shop down → unavailable
    at once       I'm having trouble accessing that right now. Please try again in a few minutes.
                  [Talk to a person]

2 rehearsed, 0 without a word, 0 failed
"
        )
    );
}

#[test]
fn an_action_that_leaves_users_without_a_word_or_fails_itself_is_a_failure() {
    let silent = ORDER.replace("    as: order\n", "    as: order\n    outcomes: { unavailable: [] }\n");
    let broken = ORDER.replace("    as: order\n", "    as: order\n    outcomes: { unavailable: \"{{ metadata.a.b }}\" }\n");
    for (action, said, counted) in [
        (silent, "FAIL          the user hears nothing of how it went", "1 rehearsed, 1 without a word, 0 failed"),
        (broken, "FAIL          at actions/action_order.yml:", "1 rehearsed, 0 without a word, 1 failed"),
    ] {
        let folder = written(&[("actions/action_order.yml", &format!("{action}{TESTED}"))]);
        let ran = legwork(folder.path(), &["rehearse", "--fault", "down"]);
        assert_eq!(ran.code, Some(1), "{}{}", ran.printed, ran.complained);
        assert!(ran.printed.contains(said) && ran.printed.contains(counted), "{}", ran.printed);
    }
}

#[test]
fn what_cannot_be_rehearsed_is_said() {
    let folder = written(&[
        ("actions/action_order.yml", &format!("{ORDER}{TESTED}")),
        ("actions/action_hi.yml", "steps: [{ say: Hi. }]\n"),
    ]);
    for (words, code, said) in [
        (&["action_oder"][..], 2, "there is no action `action_oder`: did you mean `action_order`?"),
        (&["--fault", "sohp=down"], 2, "legwork.yml has no connection `sohp`: did you mean `shop`?"),
        (&["--fault", "dwon"], 2, "there is no fault `dwon`: did you mean `down`?"),
        (&["action_hi"], 2, "nothing to rehearse"),
    ] {
        let ran = legwork(folder.path(), &[&["rehearse"], words].concat());
        assert!(ran.code == Some(code) && ran.complained.contains(said), "{words:?}: {}{}", ran.printed, ran.complained);
    }
}
