//! Operations of connectors as projects meet them: versions, dry runs, and settings that only one way to log in needs.

use pretty_assertions::assert_eq;

use crate::support::{Bot, legwork, problems, request, written};

const DESK: &str = r#"
kind: http
settings: { token: { secret: true } }
base: https://desk.example/api
auth: { bearer: "{{ settings.token }}" }
operations:
  hold:
    kind: write
    deprecated: call hold@2, which knows for how long
    inputs: { number: { required: true } }
    request: POST /holds
    json: { number: "{{ number }}" }
    idempotency: none
  hold@2:
    kind: write
    drops: [find]
    inputs: { number: { required: true }, days: { default: 3 } }
    request: POST /tickets/{{ number }}/holds
    query: { days: "{{ days }}" }
    json: { reason: "{{ number }} is held", key: "{{ key }}" }
    idempotency: key
  find: { request: GET /tickets, cache: { fresh: 1m } }
"#;

const ACTION: &str = "
inputs: { number: { from: '{{ slots.number }}' } }
steps:
  - call: desk.hold@2
    with: { number: '{{ number }}' }
  - say: Held.
";

/// Nothing listens there, and nothing has to.
const DRY: &str =
    "connections: { desk: { connector: desk, token: '${NEVER_SET}', mode: dry_run, stand_in: 'http://127.0.0.1:9' } }\n";
const GIVEN: &str =
    "connections: { desk: { connector: desk, token: '${file:token}', mode: dry_run, stand_in: 'http://127.0.0.1:9' } }\n";

#[test]
fn try_shows_the_request_that_a_dry_run_keeps() {
    let files =
        [("legwork.yml", GIVEN), ("token", "hush"), ("connectors/desk.yml", DESK), ("actions/action_hold.yml", ACTION)];
    let folder = written(&files);
    let ran = legwork(folder.path(), &["try", "action_hold", "--slot", "number=W-17"]);
    let printed = ran.printed;
    for part in [
        "    desk.hold@2 {\"number\":\"W-17\"}\n",
        "      would send POST http://127.0.0.1:9/api/tickets/W-17/holds?days=3\n",
        "        {\"reason\":\"W-17 is held\",\"key\":\"",
        "    → denied: hold@2, a write, would be done with number, days: POST /tickets/{{ number }}/holds; `mode: dry_run` of desk",
        "said\n  I'm not allowed to do that for you.\n",
    ] {
        assert!(printed.contains(part), "{part}\nis not in\n{printed}");
    }
    assert!(!printed.contains("hush"), "{printed}");
}

#[tokio::test]
async fn a_dry_run_is_logged_by_the_names_of_its_inputs() {
    let files =
        [("legwork.yml", GIVEN), ("token", "hush"), ("connectors/desk.yml", DESK), ("actions/action_hold.yml", ACTION)];
    let bot = Bot::with(&files).await;
    let answer = bot.call("action_hold").slot("number", "W-17").send().await;
    assert_eq!(answer.said(), ["I'm not allowed to do that for you."]);
    let log = bot.log();
    let line = log.lines().find(|line| line.contains("dry run")).unwrap_or_else(|| panic!("nothing is logged: {log}"));
    for part in ["connection=\"desk\"", "operation=\"hold@2\"", "inputs=\"number, days\"", "/tickets/{{ number }}/holds"] {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!log.contains("W-17"), "{log}");
    let metrics = request(bot.address(), "GET /metrics", &[], b"").await;
    let counted = "legwork_calls_total{connection=\"desk\",operation=\"hold@2\",outcome=\"denied\"}";
    assert!(metrics.body.contains(counted), "{}", metrics.body);
}

#[test]
fn a_call_of_what_is_replaced_is_warned_of_and_goes_on() {
    let action = ACTION.replace("hold@2", "hold");
    let files = [("legwork.yml", DRY), ("connectors/desk.yml", DESK), ("actions/action_hold.yml", action.as_str())];
    assert_eq!(problems(&files), ["deprecated-operation actions/action_hold.yml:4 `desk.hold` should no longer be called"]);
    let third = ACTION.replace("hold@2", "hold@3");
    let files = [("legwork.yml", DRY), ("connectors/desk.yml", DESK), ("actions/action_hold.yml", third.as_str())];
    let said = problems(&files);
    assert!(said.len() == 1 && said[0].starts_with("unknown-operation"), "{said:?}");
    let alone = DESK.replace("  hold:\n", "  halt:\n");
    let files = [("legwork.yml", DRY), ("connectors/desk.yml", alone.as_str()), ("actions/action_hold.yml", ACTION)];
    let said = problems(&files);
    assert!(said.len() == 1 && said[0].contains("no `hold` that `hold@2` could be a later version of"), "{said:?}");
}

#[tokio::test]
async fn what_one_way_to_log_in_needs_is_needed_when_it_is_chosen() {
    let settings = |more: &str| {
        format!("connections: {{ crm: {{ connector: salesforce, domain: acme, client_id: 3MVG9example{more} }} }}\n")
    };
    let said = |more: &str| problems(&[("legwork.yml", &settings(more))]);
    let secret = ", client_secret: '${NEVER_SET}'";
    assert_eq!(said(secret), Vec::<String>::new());
    let lacks = |name: &str, way: &str| {
        format!(
            "missing-setting legwork.yml:1 the connection `crm` needs the setting `{name}`, since its `grant` is `{way}`"
        )
    };
    assert_eq!(said(""), [lacks("client_secret", "client_credentials")]);
    let lacking = said(&format!("{secret}, grant: jwt"));
    assert_eq!(lacking, [lacks("username", "jwt"), lacks("private_key", "jwt")]);
    assert_eq!(said(", grant: jwt, username: a@acme.example, private_key: '${NEVER_SET}'"), Vec::<String>::new());
    let none = said(", grant: password");
    assert!(none.len() == 1 && none[0].starts_with("bad-value"), "{none:?}");
    // What a reference chooses is known at the start.
    let chosen = settings(", grant: '${file:grant}', username: a@acme.example");
    assert_eq!(problems(&[("legwork.yml", &chosen)]), Vec::<String>::new());
    let folder = written(&[("legwork.yml", &chosen), ("grant", "jwt")]);
    let refused = Bot::refused(folder.path()).await;
    assert!(refused.contains("the setting `private_key` is needed, since `grant` is `jwt`"), "{refused}");
}
