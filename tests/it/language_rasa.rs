//! What an action can ask of the conversation, and every event it can send.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Bot, CONNECTED, DESK, problems};

async fn bot(action: &str) -> Bot {
    Bot::with(&[CONNECTED, DESK, ("actions/action_x.yml", action)]).await
}

#[tokio::test]
async fn events_are_sent_in_the_order_written_among_slots_and_a_slot_may_be_set_twice() {
    let bot = bot("
steps:
  - set: { a: 1, b: 2 }
  - event: { reminder: { intent: EXTERNAL_remind, date_time: \"{{ now | add(minutes=5) | iso }}\", name: r, entities: { order: \"{{ slots.b }}\" } } }
  - set: { a: \"{{ slots.a + 1 }}\" }
  - event: pause
  - event: { followup: action_listen }
")
    .await;
    let answer = bot.call("action_x").send().await;
    let kinds: Vec<_> =
        answer.json["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["slot", "slot", "reminder", "slot", "pause", "followup"]);
    assert_eq!(answer.slots(), json!([["a", 1], ["b", 2], ["a", 2]]));
    assert_eq!(
        answer.events()[2],
        json!({
            "event": "reminder", "intent": "EXTERNAL_remind", "entities": { "order": 2 }, "date_time": "2026-01-20T12:05:00+00:00", "name": "r", "kill_on_user_msg": true,
        })
    );
}

#[tokio::test]
async fn every_event_of_rasa_can_be_sent() {
    let written = [
        ("slot", "{ name: a, value: null }"),
        ("followup", "action_listen"),
        ("reset_slots", ""),
        ("restart", ""),
        ("session_started", ""),
        ("session_ended", "{ metadata: { reason: done } }"),
        ("pause", ""),
        ("resume", ""),
        ("undo", ""),
        ("rewind", ""),
        ("export", ""),
        ("active_loop", "{ name: null }"),
        ("loop_interrupted", "{ is_interrupted: true }"),
        ("reminder", "{ intent: EXTERNAL_x, date_time: 2026-01-21T08:00:00Z }"),
        ("cancel_reminder", "{ name: r }"),
        ("action", "{ name: action_y, confidence: 0.5 }"),
        ("action_execution_rejected", "{ name: action_y }"),
        ("user", "{ text: hi, parse_data: { intent: { name: greet, confidence: 1.0 }, entities: [] } }"),
        ("bot", "{ text: hi, data: {} }"),
        ("agent", "{ text: hi, timestamp: 12.5 }"),
        ("entities", "{ entities: [{ entity: e, value: \"{{ slots.v }}\" }] }"),
    ];
    let steps: String = written
        .iter()
        .map(|(name, fields)| match *fields {
            "" => format!("  - event: {name}\n"),
            fields => format!("  - event: {{ {name}: {fields} }}\n"),
        })
        .collect();
    let bot = bot(&format!("steps:\n{steps}")).await;
    let answer = bot.call("action_x").slot("v", 7).version("3.12.0").send().await;
    let came: Vec<_> =
        answer.json["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(came, written.map(|(name, _)| name));
    assert_eq!(answer.events()[20]["entities"], json!([{ "entity": "e", "value": 7 }]));
    assert_eq!(answer.json["events"][19]["timestamp"], json!(12.5));
    // What an older client would throw the whole answer away for is left out.
    let older = bot.call("action_x").slot("v", 7).version("3.6.21").send().await;
    assert_eq!(older.json["events"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn an_event_that_cannot_be_is_found_and_one_that_turns_out_so_ends_the_action() {
    for (event, code) in [
        ("paws", "bad-event"),
        ("{ slot: { name: a, valeu: 1 } }", "bad-event"),
        ("{ slot: {}, pause: {} }", "bad-event"),
        ("{ pause: 5 }", "bad-event"),
        ("{ followup: action_x }", "follows-itself"),
    ] {
        let text = format!("steps: [{{ event: {event} }}]\n");
        let found = problems(&[("actions/action_x.yml", &text)]);
        assert!(found[0].starts_with(code), "{event}: {found:?}");
    }
    let bot =
        bot("steps: [{ set: { a: 1 } }, { event: { reminder: { intent: i, date_time: \"{{ slots.when }}\" } } }]\n").await;
    bot.expect_error("`date_time` of the event `reminder` must be");
    let answer = bot.call("action_x").slot("when", "some day").send().await;
    assert_eq!((answer.slots(), answer.said().len()), (json!([["a", 1]]), 1));
}

#[tokio::test]
async fn entities_come_with_all_their_fields() {
    let bot = bot("
steps:
  - each: entities
    as: found
    keep: found.entity == 'city' and found.role == 'to'
    first: true
    into: target
  - set: { to: \"{{ target.value }}\", group: \"{{ target.group }}\", from: \"{{ (entities | selectattr('role', 'eq', 'from') | first).value }}\", start: \"{{ target.start }}\" }
")
    .await;
    let answer = bot.call("action_x")
        .entity_of(json!({ "entity": "city", "value": "Wien", "role": "from", "group": null, "start": 5, "end": 9, "extractor": "DIETClassifier", "confidence": 0.9 }))
        .entity_of(json!({ "entity": "city", "value": "Graz", "role": "to", "group": "1", "start": 13, "end": 17 }))
        .send()
        .await;
    assert_eq!(answer.slots(), json!([["to", "Graz"], ["group", "1"], ["from", "Wien"], ["start", 13]]));
}

#[tokio::test]
async fn slots_with_hyphens_are_set_and_read() {
    let bot = Bot::with(&[
        ("domain.yml", "slots: { order-id: { type: text }, next-order: { type: text } }\nactions: [action_x]\n"),
        ("actions/action_x.yml", "inputs: { id: { from: \"{{ slots['order-id'] }}\" } }\nsteps: [{ set: { order-id: null, next-order: \"{{ id }}{{ slots['order-id'] }}\" } }]\n"),
    ])
    .await;
    let answer = bot.call("action_x").slot("order-id", "A1").send().await;
    assert_eq!(answer.slots(), json!([["order-id", null], ["next-order", "A1"]]));
    let found = problems(&[
        ("domain.yml", "slots: { order-id: { type: text } }\nactions: [action_x]\n"),
        ("actions/action_x.yml", "steps: [{ say: \"{{ slots['order-di'] }}\" }]\n"),
    ]);
    assert!(found[0].starts_with("unknown-slot"), "{found:?}");
}

#[tokio::test]
async fn a_dozen_slots_are_cleared_in_a_line() {
    let bot = bot("steps: [{ clear: [a, b, c, d, e, f, g, h, i, j, k, l] }, { say: \"{{ slots.a is none }}\" }]\n").await;
    let answer = bot.call("action_x").slot("a", 1).send().await;
    assert_eq!(answer.slots().as_array().unwrap().len(), 12);
    assert!(answer.slots().as_array().unwrap().iter().all(|slot| slot[1].is_null()));
    assert_eq!(answer.said(), ["true"]);
}

#[tokio::test]
async fn a_slot_that_no_domain_knows_is_still_set() {
    let bot = bot("steps: [{ set: { unheard_of: 1 } }]\n").await;
    let answer =
        bot.call("action_x").domain(json!({ "slots": { "a": { "type": "text" } }, "actions": ["action_x"] })).send().await;
    assert_eq!(answer.slots(), json!([["unheard_of", 1]]));
}

#[tokio::test]
async fn the_conversation_is_seen_from_all_sides() {
    let bot = bot("
steps:
  - set:
      who: \"{{ sender_id }}\"
      where: \"{{ channel }}\"
      text: \"{{ user_text }}\"
      intent: \"{{ intent }} {{ latest_message.intent.confidence }}\"
      form: \"{{ active_loop.name }}\"
      before: \"{{ latest_action_name }}\"
      flow: \"{{ stack[0].flow_id if stack else null }}\"
      events: \"{{ events | map(attribute='event') | list }}\"
      language: \"{{ locale }}\"
      id: \"{{ latest_message.message_id }}\"
")
    .await;
    let call =
        bot.call("action_x").sender("s 1").channel("slack").text("hi there").intent("greet").active_loop("order_form");
    let call = call
        .tracker("latest_action_name", "utter_x")
        .tracker("stack", json!([{ "flow_id": "returns" }]))
        .events(json!([{ "event": "user", "text": "hi" }]));
    let answer = call.send().await;
    let slots: Value = answer.slots().as_array().unwrap().iter().map(|pair| pair[1].clone()).collect();
    assert_eq!(
        slots,
        json!(["s 1", "slack", "hi there", "greet 0.9", "order_form", "utter_x", "returns", ["action", "user"], "en", "m1"])
    );
    let bare = bot.call("action_x").tracker("latest_input_channel", json!(null)).send().await;
    assert_eq!((bare.slot("form"), bare.slot("flow"), bare.slot("where")), (&json!(null), &json!(null), &json!(null)));
}

#[tokio::test]
async fn the_transcript_is_who_said_what() {
    let bot = bot("steps: [{ set: { all: \"{{ transcript }}\", last: \"{% for line in transcript %}{{ line.who }}: {{ line.text }}\\n{% endfor %}\" } }]\n").await;
    let answer = bot
        .call("action_x")
        .events(json!([
            { "event": "user", "text": "hello", "parse_data": { "text": "hello", "entities": [{ "text": "no" }] } },
            { "event": "slot", "name": "a", "value": 1 },
            { "event": "bot", "text": "Hi!", "data": { "buttons": null } },
            { "event": "bot", "text": null, "data": { "image": "x" } },
            { "event": "user", "text": "" },
            { "event": "user", "text": "😀 bye" },
        ]))
        .send()
        .await;
    let all =
        json!([{ "who": "user", "text": "hello" }, { "who": "bot", "text": "Hi!" }, { "who": "user", "text": "😀 bye" }]);
    assert_eq!(answer.slot("all"), &all);
    assert_eq!(answer.slot("last"), &json!("user: hello\nbot: Hi!\nuser: 😀 bye\n"));
    // Parts that an action asks for have to be what the protocol says; nothing is done otherwise.
    let malformed = bot.call("action_x").tracker("events", json!("none")).send().await;
    assert!([200, 422].contains(&malformed.status), "{malformed:?}");
}

#[tokio::test]
async fn parts_that_no_expression_asks_for_may_be_anything() {
    let bot = bot("steps: [{ say: fine }]\n").await;
    let call = bot
        .call("action_x")
        .tracker("events", json!([5, {}]))
        .latest_message(json!({ "intent": 5, "entities": "x" }))
        .tracker("stack", json!([7]))
        .domain(json!({ "slots": 5 }));
    assert_eq!(call.send().await.said(), ["fine"]);
}

#[tokio::test]
async fn unknown_actions_and_no_action_are_answered_as_rasa_knows_it() {
    let bot = bot("steps: [{ say: hi }]\n").await;
    let unknown = bot.call("action_unknown").send().await;
    assert_eq!(
        (unknown.status, unknown.json),
        (404, json!({ "error": "No registered action found for name 'action_unknown'.", "action_name": "action_unknown" }))
    );
    let none = bot.call("").action(json!(null)).send().await;
    assert_eq!((none.status, none.json), (200, json!(null)));
}

#[tokio::test]
async fn an_ordinary_action_may_be_called_validate_something() {
    let bot = Bot::with(&[
        ("domain.yml", "forms: { order_form: { required_slots: [a] } }\nslots: { a: { type: text } }\nactions: [validate_account, validate_order_form]\n"),
        ("actions/validate_account.yml", "steps: [{ say: \"Checked {{ slots.a }}.\" }]\n"),
        // A validator that says nothing lets everything pass.
        ("actions/validate_order_form.yml", "description: Nothing to check yet.\n"),
    ])
    .await;
    let answer = bot.call("validate_account").offer("a", "x").send().await;
    assert_eq!((answer.said(), answer.slots()), (vec!["Checked x."], json!([])));
    assert_eq!(bot.call("validate_order_form").offer("a", "x").offer("b", 1).send().await.slots(), json!([["a", "x"]]));
}

#[tokio::test]
async fn a_session_begins_whatever_happens_in_it() {
    let bot = Bot::with(&[
        CONNECTED,
        DESK,
        (
            "actions/action_session_start.yml",
            "
steps:
  - set: { a: 1 }
  - call: desk.end
    with: { how: \"{{ slots.how or 'well' }}\" }
  - set: { b: \"{{ slots.text | int }}\" }
    when: slots.text
  - event: session_started
    when: slots.own
",
        ),
    ])
    .await;
    let events = |answer: &crate::support::Answer| answer.events();
    let (started, listen) = (json!({ "event": "session_started" }), json!({ "event": "action", "name": "action_listen" }));
    let set = json!({ "event": "slot", "name": "a", "value": 1 });
    let well = bot.call("action_session_start").send().await;
    assert_eq!(events(&well), json!([started, set, listen]));
    let down = bot.call("action_session_start").slot("how", "unavailable").send().await;
    assert_eq!((events(&down), down.said().len()), (json!([started, set, listen]), 1));
    bot.expect_error("action_session_start.yml:6");
    let wrong = bot.call("action_session_start").slot("text", json!([1])).send().await;
    assert_eq!(events(&wrong), json!([started, set, listen]));
    let own = bot.call("action_session_start").slot("own", 1).send().await;
    assert_eq!(events(&own), json!([set, started, listen]));
}

#[tokio::test]
async fn an_action_that_asks_for_a_slot_is_an_ordinary_one() {
    let bot = Bot::with(&[("actions/action_ask_order_form_size.yml", "
steps:
  - say: { text: Which size?, buttons: [{ title: \"{{ size }}\", each: \"['S', 'M']\", as: size, intent: inform, entities: { size: \"{{ size }}\" } }] }
")])
    .await;
    let answer = bot.call("action_ask_order_form_size").active_loop("order_form").send().await;
    assert_eq!(
        answer.messages()[0]["buttons"],
        json!([{ "title": "S", "payload": "/inform{\"size\":\"S\"}" }, { "title": "M", "payload": "/inform{\"size\":\"M\"}" }])
    );
}
