//! Calls that end otherwise than well: handled, unhandled, gone on from, and said in the words of project and language.

use pretty_assertions::assert_eq;
use serde_json::json;

use crate::support::{Bot, CONNECTED, DESK, problems};

async fn bot(action: &str) -> Bot {
    Bot::with(&[CONNECTED, DESK, ("actions/action_x.yml", action)]).await
}

const ALL: [&str; 8] =
    ["not_found", "ambiguous", "invalid", "denied", "conflict", "rate_limited", "unavailable", "misconfigured"];

#[tokio::test]
async fn an_outcome_that_nobody_handles_says_its_message_and_ends_the_action() {
    let bot = bot("steps: [{ set: { a: 1 } }, { call: desk.end, with: { how: \"{{ slots.how }}\" }, as: ended }, { say: \"{{ ended.how }}\" }]\n").await;
    bot.expect_error("misconfigured");
    let mut messages = Vec::new();
    for how in ALL {
        let answer = bot.call("action_x").slot("how", how).send().await;
        assert_eq!((answer.said().len(), answer.slots()), (1, json!([["a", 1]])), "{how}");
        messages.push(answer.said()[0].to_owned());
    }
    assert_eq!(messages[3], "I'm not allowed to do that for you.");
    assert_eq!(messages[6], "I'm having trouble accessing that right now. Please try again in a few minutes.");
    messages.sort();
    messages.dedup();
    assert_eq!(messages.len(), ALL.len(), "every outcome has words of its own: {messages:?}");
    assert_eq!(bot.call("action_x").slot("how", "well").send().await.said(), ["well"]);
}

#[tokio::test]
async fn the_steps_of_an_outcome_end_the_action_unless_they_continue() {
    let bot = bot("
steps:
  - call: desk.end
    with: { how: \"{{ slots.how }}\" }
    as: ended
    outcomes:
      not_found: \"{{ fault.outcome }}: nothing for {{ slots.how }}.\"
      denied:
        - say: \"{{ fault.message }}\"
        - set: { denied: true }
      conflict:
        - choose:
            - when: slots.go_on
              steps: [{ say: Going on. }, { continue: { how: \"went on from {{ fault.outcome }}\" } }]
      ambiguous:
        - each: \"['a', 'b']\"
          as: way
          steps: [{ say: \"{{ way }}\" }, { continue: { how: \"{{ way }}\" } , when: way == 'b' }]
      invalid: [{ stop: true }]
      rate_limited: [{ reject: later }]
      unavailable: [{ continue: null }]
      misconfigured: { text: Ask us., buttons: [{ title: Call, intent: call_me }] }
  - say: \"{{ ended.how if ended else 'nothing' }}\"
")
    .await;
    bot.expect_error("misconfigured");
    let said = |how: &'static str| bot.call("action_x").slot("how", how);
    assert_eq!(said("not_found").send().await.said(), ["not_found: nothing for not_found."]);
    let denied = said("denied").send().await;
    assert_eq!((denied.said(), denied.slots()), (vec!["Only for 6 letters."], json!([["denied", true]])));
    assert_eq!(said("conflict").send().await.said(), [""; 0]);
    assert_eq!(said("conflict").slot("go_on", 1).send().await.said(), ["Going on.", "went on from conflict"]);
    assert_eq!(said("ambiguous").send().await.said(), ["a", "b", "b"]);
    assert_eq!(said("invalid").send().await.said(), [""; 0]);
    assert_eq!(said("rate_limited").send().await.status, 400);
    assert_eq!(said("unavailable").send().await.said(), ["nothing"]);
    assert_eq!(said("misconfigured").send().await.messages()[0]["buttons"][0]["payload"], json!("/call_me"));
    assert_eq!(said("well").send().await.said(), ["well"]);
}

#[tokio::test]
async fn otherwise_is_every_outcome_that_is_not_named() {
    let bot = bot("
inputs: { how: {} }
steps:
  - call: desk.end
    with: { how: \"{{ how }}\" }
    as: ended
    outcomes:
      not_found: Nothing there.
      otherwise: [{ say: \"{{ fault.outcome }}\" }, { continue: { how: somehow } }]
  - say: \"{{ ended.how }}\"
")
    .await;
    let call = |how: &str| bot.call("action_x").slot("how", how).send();
    assert_eq!(call("not_found").await.said(), ["Nothing there."]);
    assert_eq!(call("conflict").await.said(), ["conflict", "somehow"]);
    assert_eq!(call("unavailable").await.said(), ["unavailable", "somehow"]);
    assert_eq!(call("well").await.said(), ["well"]);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_given_up_with_the_turn() {
    let bot = Bot::with(&[
        ("legwork.yml", "connections: { desk: { connector: desk } }\nturn: { give_up_after: 200ms }\n"),
        DESK,
        (
            "actions/action_x.yml",
            "steps: [{ say: One moment. }, { call: desk.endless, outcomes: { timeout: [{ say: \"Too slow ({{ fault.outcome }}).\" }, { set: { late: true } }] } }]\n",
        ),
    ])
    .await;
    let answer = bot.call("action_x").send().await;
    assert_eq!((answer.said(), answer.slots()), (vec!["One moment.", "Too slow (timeout)."], json!([["late", true]])));
}

#[tokio::test]
async fn by_email_else_by_phone() {
    let bot = Bot::with(&[(
        "actions/action_x.yml",
        "
steps:
  - call: crm.find_customer
    with: { email: \"{{ slots.email }}\" }
    as: customer
    outcomes:
      not_found:
        - call: crm.find_customer
          with: { phone: \"{{ slots.phone }}\" }
          as: by_phone
          outcomes: { not_found: [{ say: Who are you? }] }
        - continue: \"{{ by_phone }}\"
  - say: \"{{ customer.name }}\"
",
    )])
    .await;
    let call = |email: &str, phone: &str| bot.call("action_x").slot("email", email).slot("phone", phone).send();
    assert_eq!(call("sarah@example.com", "").await.said(), ["Sarah Johnson"]);
    assert_eq!(call("nobody@example.com", "+493023125042").await.said(), ["Tom Becker"]);
    // The outcome of the inner call ends the action, not only the steps it stands in.
    assert_eq!(call("nobody@example.com", "+14155550199").await.said(), ["Who are you?"]);
}

#[tokio::test]
async fn names_given_in_an_outcome_end_with_it() {
    let bot = bot("
steps:
  - call: desk.end
    with: { how: not_found }
    as: ended
    outcomes:
      not_found: [{ let: { note: inside } }, { continue: \"{{ note }}\" }]
  - let: { note: outside }
    when: slots.never
  - say: \"{{ ended }} {{ note is none }}\"
")
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["inside true"]);
}

#[tokio::test]
async fn an_outcome_inside_of_blocks_and_shared_steps_ends_the_action() {
    let bot = Bot::with(&[
        CONNECTED,
        DESK,
        ("actions/shared/ask.yml", "steps: [{ call: desk.end, with: { how: unavailable } }, { say: never }]\n"),
        ("actions/action_use.yml", "steps: [{ use: ask }, { say: never }]\n"),
        ("actions/action_each.yml", "steps: [{ each: \"['well', 'not_found', 'well']\", as: how, steps: [{ call: desk.end, with: { how: \"{{ how }}\" } }, { say: \"{{ how }}\" }] }, { say: never }]\n"),
    ])
    .await;
    let trouble = "I'm having trouble accessing that right now. Please try again in a few minutes.";
    assert_eq!(bot.call("action_use").send().await.said(), [trouble]);
    assert_eq!(
        bot.call("action_each").send().await.said(),
        ["well", "I couldn't find that. Could you check what you gave me?"]
    );
}

#[tokio::test]
async fn messages_are_said_in_the_projects_words_and_language() {
    let bot = Bot::with(&[
        (
            "legwork.yml",
            "
connections: { desk: { connector: desk } }
locale: \"{{ slots.language or 'en' }}\"
messages:
  en:
    not_found: \"Nothing, {{ slots.first_name | default('friend', true) }}. ({{ fault.outcome }})\"
    unavailable: [{ text: Ring us., buttons: [{ title: Call me, intent: call_me }] }, \"Or write.\"]
    conflict: \"{{ slots.first_name | sum }}\"
    denied: \"\"
  de:
    not_found: Nichts da.
",
        ),
        DESK,
        ("actions/action_x.yml", "inputs: { how: {} }\nsteps: [{ call: desk.end, with: { how: \"{{ how }}\" } }]\n"),
        // Asks for no slot itself; the message and the language still see them.
        ("actions/action_y.yml", "steps: [{ call: desk.end, with: { how: not_found } }]\n"),
    ])
    .await;
    let call = |how: &str, language: &str| {
        bot.call("action_x").slot("how", how).slot("language", language).slot("first_name", "Sarah")
    };
    assert_eq!(call("not_found", "en").send().await.said(), ["Nothing, Sarah. (not_found)"]);
    assert_eq!(call("not_found", "de").send().await.said(), ["Nichts da."]);
    assert_eq!(call("not_found", "de-AT").send().await.said(), ["Nichts da."]);
    assert_eq!(call("not_found", "fr").send().await.said(), ["Nothing, Sarah. (not_found)"], "no French: English");
    assert_eq!(
        call("ambiguous", "de_CH").send().await.said(),
        ["Dazu habe ich mehrere Treffer. Können Sie es genauer angeben?"]
    );
    let ring = call("unavailable", "en").send().await;
    assert_eq!(ring.said(), ["Ring us.", "Or write."]);
    assert_eq!(ring.messages()[0]["buttons"][0]["payload"], json!("/call_me"));
    assert_eq!(
        bot.call("action_y").slot("first_name", "Tom").slot("language", "en").send().await.said(),
        ["Nothing, Tom. (not_found)"]
    );
    assert_eq!(bot.call("action_y").slot("language", "de").send().await.said(), ["Nichts da."]);
    // Words that fail, or say nothing, give way to legwork's.
    bot.expect_error("a message failed");
    assert_eq!(call("conflict", "en").send().await.said(), ["That isn't possible in its present state."]);
    assert_eq!(call("denied", "en").send().await.said(), ["I'm not allowed to do that for you."]);
}

#[tokio::test]
async fn a_call_may_go_past_what_is_kept() {
    let bot = bot("
steps:
  - call: desk.count
    as: before
  - call: desk.note
    with: { text: a }
  - call: desk.count
    as: kept
  - call: desk.count
    as: fresh
    refresh: slots.again
  - say: \"{{ before }} {{ kept }} {{ fresh }}\"
")
    .await;
    assert_eq!(bot.call("action_x").slot("again", json!(null)).send().await.said(), ["0 0 0"]);
    // Of somebody else: the same wish of one user within two minutes is one.
    assert_eq!(bot.call("action_x").sender("another").slot("again", true).send().await.said(), ["0 0 2"]);
    assert_eq!(bot.call("action_x").sender("a third").slot("again", false).send().await.said(), ["2 2 2"]);
}

#[tokio::test]
async fn what_a_call_cannot_be_is_found() {
    for (call, code) in [
        ("{ call: desk.end, with: { how: x, more: 1 } }", "unknown-input"),
        ("{ call: desk.end }", "missing-input"),
        ("{ call: desk.ned, with: { how: x } }", "unknown-operation"),
        ("{ call: dsek.end, with: { how: x } }", "unknown-connection"),
        ("{ call: end }", "bad-value"),
        ("{ call: desk.end, with: { how: x }, outcomes: { lost: bye } }", "unknown-outcome"),
    ] {
        let text = format!("steps: [{call}]\n");
        let found = problems(&[CONNECTED, DESK, ("actions/action_x.yml", &text)]);
        assert!(found.iter().any(|line| line.starts_with(code)), "{call}: {found:?}");
    }
}

#[test]
fn steps_for_what_never_comes_are_found() {
    let found = |files: &[(&str, &str)]| {
        let all: Vec<_> = [CONNECTED, DESK].iter().chain(files).copied().collect();
        let found = problems(&all);
        assert!(found.iter().all(|line| line.starts_with("unreachable-outcome ")), "{found:?}");
        found.len()
    };
    let note = |more: &str| format!("{{ call: desk.note, with: {{ text: x }}, {more} }}");
    let queued = note("outcomes: { queued: later }");
    for (steps, never) in [
        ("{ call: desk.notes, outcomes: { queued: a, pending: b, unclear: c, timeout: d } }", 3),
        (&note("outcomes: { queued: a, pending: b, unclear: c, otherwise: d }"), 0),
        (&note("queue: false, outcomes: { queued: a, unclear: c }"), 1),
        (&note("outcomes: { queued: a, rate_limited: b }"), 1),
        (&note("queue: true, outcomes: { queued: a, rate_limited: b }"), 0),
        (&format!("{queued}, {}", note("as: again")), 1),
        (&format!("{queued}, {{ when: slots.x, call: desk.notes, outcomes: {{ not_found: [{}] }} }}", note("as: again")), 1),
        (&format!("{}, {}", note("queue: true, outcomes: { queued: a }"), note("as: again")), 0),
        (&format!("{{ choose: [{{ when: slots.x, steps: [{queued}] }}, {{ otherwise: [{queued}] }}] }}"), 0),
        (&format!("{{ each: \"[1, 2]\", as: it, steps: [{queued}] }}"), 1),
    ] {
        let text = format!("steps: [{steps}]\n");
        assert_eq!(found(&[("actions/action_x.yml", &text)]), never, "{steps}");
    }
    let form = format!("slots: {{ size: {{ steps: [{queued}, {{ accept: value }}] }} }}\n");
    assert_eq!(found(&[("actions/validate_x_form.yml", &form)]), 1);
    let (shared, uses) = (format!("steps: [{queued}]\n"), "steps: [{ use: noting }, { use: noting }]\n");
    assert_eq!(found(&[("actions/shared/noting.yml", &shared), ("actions/action_x.yml", uses)]), 0);
}

#[tokio::test]
async fn who_asks_too_much_is_told_so_and_nobody_else_is() {
    let limited = "connections: { desk: { connector: desk, limits: { sender: { calls: 2, per: 1m } } } }\n";
    let action = "steps: [{ call: desk.echo, with: { value: x } }, { say: Done. }]\n";
    let bot = Bot::with(&[("legwork.yml", limited), DESK, ("actions/action_x.yml", action)]).await;
    for said in ["Done.", "Done.", "That was a lot at once. Please give me a minute, and then ask me again."] {
        assert_eq!(bot.call("action_x").sender("anna").send().await.said(), [said]);
    }
    assert_eq!(bot.call("action_x").sender("bert").send().await.said(), ["Done."]);
}

#[tokio::test]
async fn a_connection_is_not_there_for_senders_outside_its_share_whatever_the_action_names() {
    let nobody = "connections: { desk: { connector: desk, share: 0% } }\n";
    let action =
        "steps: [{ call: desk.echo, with: { value: x }, outcomes: { unavailable: [{ say: Not yet. }] } }, { say: Done. }]\n";
    let bot = Bot::with(&[("legwork.yml", nobody), DESK, ("actions/action_x.yml", action)]).await;
    assert_eq!(bot.call("action_x").sender("anna").send().await.said(), ["Not yet."]);
}
