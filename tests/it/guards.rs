//! `require:`: what must hold before something is shown or changed, through the front door.

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Bot, CONNECTED, DESK, legwork, problems, project};

const SETTINGS: (&str, &str) = (
    "legwork.yml",
    "connections: { desk: { connector: desk }, shop: { connector: sandbox } }\nverify: { code: { call: desk.note, with: { text: \"code {{ code }}\" } } }\n",
);

/// Verifies the conversation as that address, by a code.
const PROVE: (&str, &str) = (
    "actions/action_prove.yml",
    "
inputs: { email: {} }
steps:
  - send_code: \"{{ email }}\"
  - call: desk.notes
    as: notes
    refresh: true
  - let: { last: \"{{ notes | last }}\" }
  - verify_code: \"{{ last.text | replace('code ', '') }}\"
",
);

async fn bot(action: &str) -> Bot {
    Bot::with(&[SETTINGS, DESK, PROVE, ("actions/action_x.yml", action)]).await
}

async fn prove(bot: &Bot, email: &str) {
    assert_eq!(bot.call("action_prove").slot("email", email).send().await.said(), [""; 0]);
}

const ORDER: &str = "
inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
    require: order.customer.email == verified.email
  - say: \"Order {{ order.number }} is {{ order.status }}.\"
";

const DENIED: &str = "I'm not allowed to do that for you.";

#[tokio::test]
async fn only_the_verified_customer_hears_of_an_order() {
    let bot = bot(ORDER).await;
    let ask = |sender: &'static str| {
        bot.call("action_x").sender(sender).slot("order_id", "1001").slot("email", "sarah@example.com").slot("verified", "x")
    };
    assert_eq!(ask("default").send().await.said(), [DENIED]);
    prove(&bot, "ben@example.com").await;
    assert_eq!(ask("default").send().await.said(), [DENIED]);
    bot.pass(31);
    prove(&bot, "SARAH@example.COM").await;
    assert_eq!(ask("default").send().await.said(), ["Order 1001 is shipped."]);
    assert_eq!(ask("another").send().await.said(), [DENIED]);
}

#[tokio::test]
async fn what_is_missing_is_nobodys() {
    // Guards that compare nothing with nothing, or fail, all refuse; with what they compare being there, the same would hold.
    for guard in [
        "null == null",
        "found.nothing == verified.email",
        "found.value == verified.email",
        "found.value != verified.email",
        "not found.value == verified.email",
        "verified.email in [found.value]",
        "found.missing.deeper == verified.email",
        "found.value < 5",
        "found",
        "found.value",
        "verified",
    ] {
        let guard = if guard == "found" { "found.value[0:1]" } else { guard };
        let bot = bot(&format!(
            "
steps:
  - call: desk.echo
    as: found
    require: \"{guard}\"
  - say: Shown.
"
        ))
        .await;
        assert_eq!(bot.call("action_x").send().await.said(), [DENIED], "{guard}");
    }
}

#[tokio::test]
async fn a_guard_has_its_own_words_and_the_outcomes_of_its_call_apply() {
    let bot = bot("
steps:
  - call: desk.echo
    with: { value: 1 }
    as: found
    require:
      - that: found.value == 1
        say: Never said.
      - { that: verified.email, say: [\"Please log in.\", \"Then ask again.\"] }
    outcomes: { denied: \"Not this one.\" }
  - say: Shown.
")
    .await;
    let answer = bot.call("action_x").send().await;
    assert_eq!(answer.said(), ["Please log in.", "Then ask again."]);
    drop(bot);
    let bot = self::bot(
        "
steps:
  - call: desk.echo
    with: { value: 1 }
    as: found
    require: verified.email
    outcomes:
      denied:
        - say: \"{{ fault.outcome }}\"
        - continue: { value: 2 }
  - say: \"Shown {{ found.value }}.\"
",
    )
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["denied", "Shown 2."]);
}

#[tokio::test]
async fn a_guard_on_a_write_stops_the_write() {
    let bot = bot("
inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
  - call: desk.note
    with: { text: changed }
    require: order.customer.email == verified.email
  - say: Done.
")
    .await;
    let change = || bot.call("action_x").slot("order_id", "1001");
    assert_eq!(change().send().await.said(), [DENIED]);
    prove(&bot, "sarah@example.com").await;
    assert_eq!(change().send().await.said(), ["Done."]);
}

#[tokio::test]
async fn what_a_guard_refused_reached_no_system() {
    let bot = bot("
steps:
  - when: slots.write
    call: desk.note
    with: { text: changed }
    require: verified.email
  - call: desk.notes
    as: notes
    refresh: true
  - set: { count: \"{{ notes | length }}\" }
")
    .await;
    let answer = bot.call("action_x").slot("write", true).send().await;
    assert_eq!(answer.said(), [DENIED]);
    assert_eq!(answer.slots(), json!([]), "the action ends there");
    assert_eq!(bot.call("action_x").slot("write", false).send().await.slot("count"), &json!(0));
}

#[tokio::test]
async fn a_guard_on_an_action_comes_before_its_inputs() {
    let bot = bot("
require: { that: verified.email, say: Who are you? }
inputs: { order_id: { missing: Which order? }, email: { from: \"{{ verified.email }}\" } }
steps:
  - say: \"Order {{ order_id }} of {{ email }}.\"
")
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["Who are you?"]);
    prove(&bot, "ben@example.com").await;
    assert_eq!(bot.call("action_x").send().await.said(), ["Which order?"]);
    assert_eq!(bot.call("action_x").slot("order_id", "7").send().await.said(), ["Order 7 of ben@example.com."]);
}

const OWN: (&str, &str) = (
    "actions/shared/own_order.yml",
    "
inputs: { order: {} }
require: order.customer.email == verified.email
steps:
  - say: \"It is yours.\"
",
);

#[tokio::test]
async fn shared_steps_have_guards_and_all_runs_of_steps_at_the_same_time_see_who_is_verified() {
    let action = (
        "actions/action_x.yml",
        "
inputs: { order_id: {} }
steps:
  - call: shop.find_order
    with: { number: \"{{ order_id }}\" }
    as: order
  - together:
      - use: own_order
        with: { order: \"{{ order }}\" }
      - call: desk.echo
        require: verified.email
  - say: After.
",
    );
    let bot = Bot::with(&[SETTINGS, DESK, PROVE, OWN, action]).await;
    assert_eq!(bot.call("action_x").slot("order_id", "1001").send().await.said(), [DENIED, DENIED]);
    prove(&bot, "sarah@example.com").await;
    assert_eq!(bot.call("action_x").slot("order_id", "1001").send().await.said(), ["It is yours.", "After."]);
}

const DOMAIN: &str = "
slots:
  typed: { type: text, mappings: [{ type: from_entity, entity: typed }] }
  texted: { type: text, mappings: [{ type: custom }, { type: from_text }] }
  chosen: { type: text, mappings: [{ type: from_intent, intent: i, value: x }] }
  triggered: { type: text, mappings: [{ type: from_trigger_intent, intent: i, value: x }] }
  old: { type: text }
  asked: { type: text, mappings: [{ type: custom }] }
  checked: { type: text, mappings: [{ type: custom }] }
  copied: { type: text, mappings: [{ type: custom }] }
  twice: { type: text, mappings: [{ type: custom }] }
  sent: { type: text, mappings: [{ type: custom }] }
  safe: { type: text, mappings: [{ type: custom }] }
  known: { type: text, mappings: [{ type: custom, action: action_x }] }
forms: { f: { required_slots: [asked] } }
actions: [action_x, action_copy, action_validate_slot_mappings]
intents: [i]
";

const COPY: &str = "
inputs: { typed: {} }
steps:
  - let: { loud: \"{{ typed | upper }}\" }
  - set: { copied: \"{{ loud }}\", safe: yes }
  - set: { twice: \"{{ slots.copied }}\" }
  - event: { slot: { name: sent, value: \"{{ user_text }}\" } }
  - call: desk.echo
    as: found
  - set: { known: \"{{ found.value }}\" }
";

fn judged(action: &str) -> Vec<String> {
    judged_in(&[("domain.yml", DOMAIN)], action)
}

fn judged_in(more: &[(&str, &str)], action: &str) -> Vec<String> {
    let mapped = ("actions/action_validate_slot_mappings.yml", "slots: { checked: { format: email } }\n");
    let mut files = vec![SETTINGS, DESK, ("actions/action_copy.yml", COPY), mapped, ("actions/action_x.yml", action)];
    files.extend(more);
    let found = problems(&files);
    found.into_iter().filter(|line| !line.contains("undeclared") && !line.starts_with("unused-input")).collect()
}

#[test]
fn check_refuses_a_guard_that_reads_what_users_can_write() {
    for read in [
        "slots.typed",
        "slots.texted",
        "slots.chosen",
        "slots.triggered",
        "slots.old",
        "slots.asked",
        "slots.checked",
        "slots.copied",
        "slots.twice",
        "slots.sent",
        "slots.requested_slot",
        "slots['typed']",
        "slots[slots.safe]",
        "entities[0].value",
        "user_text",
        "metadata.email",
        "sender_id",
        "channel",
        "latest_message.text",
        "transcript[0].text",
        "events[0].text",
        "intent",
        "active_loop.name",
        "locale",
    ] {
        let found = judged(&format!("steps: [{{ call: desk.echo, as: it, require: \"it.value == {read}\" }}]\n"));
        assert!(found.len() == 1 && found[0].starts_with("untrusted-guard actions/action_x.yml:1"), "{read}: {found:#?}");
    }
    for read in ["slots.safe", "slots.known", "verified.email", "now", "it.value"] {
        let found = judged(&format!("steps: [{{ call: desk.echo, as: it, require: \"it.value == {read}\" }}]\n"));
        assert_eq!(found, [""; 0], "{read}");
    }
}

#[test]
fn check_follows_values_through_names() {
    for steps in [
        "inputs: { typed: {} }\nsteps: [{ call: desk.echo, as: it, require: it.value == typed }]",
        "inputs: { token: { from: metadata } }\nsteps: [{ call: desk.echo, as: it, require: it.value == token }]",
        "inputs: { e: { from: entity } }\nsteps: [{ call: desk.echo, as: it, require: it.value == e }]",
        "inputs: { e: { from: \"{{ verified.email }}\", default: \"{{ slots.typed }}\" } }\nsteps: [{ call: desk.echo, as: it, require: it.value == e }]",
        "steps: [{ let: { a: \"{{ user_text | lower }}\" } }, { let: { b: [\"{{ a }}\"] } }, { call: desk.echo, as: it, require: it.value in b }]",
        "steps: [{ choose: [{ when: now, steps: [{ let: { a: 1 } }] }, { otherwise: [{ let: { a: \"{{ user_text }}\" } }] }] }, { call: desk.echo, as: it, require: it.value == a }]",
        "steps: [{ each: \"entities\", as: e, steps: [{ call: desk.echo, as: it, require: it.value == e.value }] }]",
        "steps: [{ each: \"[1]\", as: n, steps: [{ wait: 1ms }], collect: \"{{ user_text }}\", into: all }, { call: desk.echo, as: it, require: it.value in all }]",
        "steps: [{ call: desk.echo, as: a, outcomes: { otherwise: [{ continue: { value: \"{{ user_text }}\" } }] } }, { call: desk.echo, as: it, require: it.value == a.value }]",
    ] {
        let found = judged(&format!("{steps}\n"));
        assert!(found.len() == 1 && found[0].starts_with("untrusted-guard"), "{steps}: {found:#?}");
    }
}

#[test]
fn check_follows_values_into_shared_steps_and_out_of_them() {
    let own =
        ("actions/shared/own.yml", "inputs: { email: {} }\nrequire: email == verified.email\nsteps: [{ say: Yours. }]\n");
    let same = ("actions/shared/same.yml", "inputs: { given: {} }\nresult: \"{{ given }}\"\n");
    let outer = ("actions/shared/outer.yml", "inputs: { e: {} }\nsteps: [{ use: own, with: { email: \"{{ e }}\" } }]\n");
    let all = [("domain.yml", DOMAIN), own, same, outer];
    let guard = "{ call: desk.echo, as: it, require: it.value == x }";
    for (steps, wrong) in [
        ("{ use: own, with: { email: \"{{ slots.typed }}\" } }".to_owned(), true),
        ("{ use: own, with: { email: \"{{ slots.known }}\" } }".to_owned(), false),
        ("{ use: outer, with: { e: \"{{ slots.typed }}\" } }".to_owned(), true),
        ("{ use: outer, with: { e: \"{{ slots.known }}\" } }".to_owned(), false),
        (format!("{{ use: same, with: {{ given: \"{{{{ user_text }}}}\" }}, as: x }}, {guard}"), true),
        (format!("{{ use: same, with: {{ given: \"{{{{ verified.email }}}}\" }}, as: x }}, {guard}"), false),
    ] {
        let found = judged_in(&all, &format!("steps: [{steps}]\n"));
        assert_eq!(
            found.iter().map(|line| line.starts_with("untrusted-guard actions/action_x.yml")).collect::<Vec<_>>(),
            vec![true; usize::from(wrong)],
            "{steps}: {found:#?}"
        );
    }
}

#[test]
fn without_a_domain_and_with_flows_no_slot_is_trusted() {
    let guard = "steps: [{ call: desk.echo, as: it, require: it.value == slots.safe }]\n";
    assert!(judged_in(&[], guard)[0].contains("no domain is there"));
    let flows = DOMAIN.replace("  old:", "  llm: { type: text, mappings: [{ type: from_llm }] }\n  old:");
    assert!(judged_in(&[("domain.yml", &flows)], guard)[0].contains("driven by flows"));
}

#[test]
fn a_guard_stands_where_it_can_hold() {
    let of =
        |text: &str| judged(text).into_iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(
        of("steps: [{ call: desk.change, with: { how: well }, as: done, require: done.how == verified.email }]\n"),
        ["misplaced-key"]
    );
    assert_eq!(of("steps: [{ say: hi, require: verified.email }]\n"), ["misplaced-key"]);
    assert_eq!(
        of("inputs: { x: { from: \"{{ now }}\" } }\nrequire: x == verified.email\nsteps: [{ say: \"{{ x }}\" }]\n"),
        ["unknown-name"]
    );
    assert_eq!(of("require: verified.email | default('x') == now\nsteps: []\n"), ["bad-template"]);
    let values = ("actions/shared/words.yml", "values: { a: b }\nrequire: verified.email\n");
    assert!(judged_in(&[("domain.yml", DOMAIN), values], "steps: []\n")[0].starts_with("misplaced-key"));
    assert_eq!(of("require: []\nsteps: []\n"), ["wrong-type"]);
    assert_eq!(of("require:\nsteps: []\n"), ["wrong-type"]);
    let shown = "{ that: it.value == verified.email, say: \"{{ it.value }}\" }";
    assert_eq!(of(&format!("steps: [{{ call: desk.echo, as: it, require: {shown} }}]\n")), ["unknown-name"]);
    assert_eq!(of("require: [{ say: no }]\nsteps: []\n"), ["missing-key"]);
    assert_eq!(of("require: true and\nsteps: []\n"), ["bad-template"]);
    let found = problems(&[CONNECTED, DESK, ("actions/action_x.yml", "require: verified.email\nsteps: []\n")]);
    assert!(found.len() == 1 && found[0].starts_with("nobody-verified"), "{found:#?}");
}

#[test]
fn tests_and_try_can_be_somebody() {
    let order = format!(
        "{ORDER}tests:
  - it: tells the customer
    slots: {{ order_id: '1001' }}
    verified: {{ email: Sarah@example.com }}
    expect: {{ said: [\"Order 1001 is shipped.\"] }}
  - it: tells nobody else
    slots: {{ order_id: '1001' }}
    expect: {{ said: [\"{DENIED}\"] }}
"
    );
    let folder = project(&[SETTINGS, DESK, ("actions/action_x.yml", &order)]);
    let ran = legwork(folder.path(), &["test"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.printed, ran.complained);
    let ran =
        legwork(folder.path(), &["try", "action_x", "--slot", "order_id=1001", "--verified", "email=sarah@example.com"]);
    assert!(ran.printed.contains("require: holds") && ran.printed.contains("is shipped"), "{}", ran.printed);
    let ran = legwork(folder.path(), &["try", "action_x", "--slot", "order_id=1001"]);
    assert!(ran.printed.contains("require: refuses") && ran.printed.contains(DENIED), "{}", ran.printed);
    assert_eq!(legwork(folder.path(), &["try", "action_x", "--verified", "name=x"]).code, Some(2));
}

/// A shipped action, guarded as the page says: with one line.
#[tokio::test]
async fn a_shipped_action_is_guarded_with_a_line_and_customers_prove_themselves_by_the_shipped_one() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let order = read("actions/action_fetch_order.yml");
    let guard = "    as: order\n    require: order.customer.email == verified.email\n";
    let guarded = order.replacen("    as: order\n", guard, 1);
    let mail = r#"
inputs: { email: {} }
steps:
  - call: crm.sent_messages
    with: { to: "{{ email }}" }
    as: mails
    refresh: true
  - say: "{{ mails[0].text }}"
"#;
    let bot = Bot::with(&[
        ("legwork.yml", &read("legwork.yml")),
        ("domain.yml", &read("domain.yml")),
        ("actions/shared/goods.yml", &read("actions/shared/goods.yml")),
        ("actions/action_verify_customer.yml", &read("actions/action_verify_customer.yml")),
        ("actions/action_fetch_order.yml", &guarded),
        ("actions/action_mail.yml", mail),
    ])
    .await;
    let fetch = || bot.call("action_fetch_order").slot("order_id", "1001").slot("email", "sarah@example.com").send();
    assert_eq!(fetch().await.said(), [DENIED]);
    let verify = |code: serde_json::Value| {
        bot.call("action_verify_customer").slot("email", "sarah@example.com").slot("verification_code", code).send()
    };
    assert_eq!(verify(json!(null)).await.said(), ["I've sent a code to s…h@example.com."]);
    let answer = bot.call("action_mail").slot("email", "sarah@example.com").send().await;
    let code = answer.said()[0].strip_prefix("Your code is ").unwrap()[..6].to_owned();
    let answer = verify(json!(code)).await;
    assert_eq!(answer.said(), ["Thank you, now I know that it's you."]);
    assert_eq!(answer.slots(), json!([["verification_code", null]]));
    assert!(fetch().await.said()[0].starts_with("I found order 1001"));
}
