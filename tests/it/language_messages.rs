//! Everything that can be said: texts, responses, buttons, pictures, payloads, variants by channel.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Bot, problems};

async fn bot(action: &str) -> Bot {
    Bot::with(&[("actions/action_x.yml", action)]).await
}

/// A message without the keys that are empty.
fn filled(message: &Value) -> Value {
    let empty = [json!(null), json!([]), json!({})];
    let fields = message.as_object().unwrap().iter().filter(|(key, value)| !empty.contains(value) && *key != "template");
    Value::Object(fields.map(|(key, value)| (key.clone(), value.clone())).collect())
}

#[tokio::test]
async fn a_text_a_list_of_texts_and_messages_with_conditions() {
    let bot = bot("
steps:
  - say: One.
  - say: [Two., \"{{ 1 + 2 }}\", { text: Four., when: slots.four }, utter_five]
  - say: 6
")
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["One.", "Two.", "3", "utter_five", "6"]);
    let answer = bot.call("action_x").slot("four", true).send().await;
    assert_eq!(answer.said()[3], "Four.");
    assert_eq!(
        answer.messages()[0],
        json!({ "text": "One.", "buttons": [], "elements": [], "custom": {}, "template": null, "response": null, "image": null, "attachment": null })
    );
}

#[tokio::test]
async fn what_renders_as_nothing_is_not_said() {
    let bot = bot("
steps:
  - say: \"{{ slots.nothing }}\"
  - say: [\"\", \"  \", \"{% if slots.nothing %}x{% endif %}\", { image: \"{{ slots.nothing }}\" }, { custom: \"{{ slots.nothing }}\" }]
  - say: { text: Pick., buttons: [{ title: \"{{ item }}\", payload: x, each: slots.nothing, as: item }], image: \"{{ slots.nothing }}\", attachment: \"{{ slots.nothing }}\" }
")
    .await;
    let answer = bot.call("action_x").slot("nothing", json!(null)).send().await;
    assert_eq!(answer.messages().iter().map(filled).collect::<Vec<_>>(), [json!({ "text": "Pick." })]);
}

#[tokio::test]
async fn buttons_are_encoded_and_made_from_lists() {
    let bot = bot("
steps:
  - say:
      text: Which one?
      buttons:
        - { title: \"Order {{ order.n }}\", each: slots.orders, as: order, intent: choose_order, entities: { order_id: \"{{ order.n }}\", note: \"{{ order.note }}\" } }
        - { title: None, intent: deny }
        - { title: Hidden, intent: deny, when: slots.hidden }
        - { title: Plain, payload: \"just text\" }
        - { title: Raw, payload: \"/inform{\\\"a\\\":\\\"b\\\"}\" }
        - { title: \"{{ slots.kind }}\", intent: \"pick_{{ slots.kind }}\" }
")
    .await;
    let orders = json!([{ "n": "1001", "note": "say \"hi\" {now}" }, { "n": 1002, "note": null }]);
    let answer = bot.call("action_x").slot("orders", orders).slot("kind", "gift").send().await;
    let expected = json!([
        { "title": "Order 1001", "payload": "/choose_order{\"order_id\":\"1001\",\"note\":\"say \\\"hi\\\" {now}\"}" },
        { "title": "Order 1002", "payload": "/choose_order{\"order_id\":1002,\"note\":null}" },
        { "title": "None", "payload": "/deny" },
        { "title": "Plain", "payload": "just text" },
        { "title": "Raw", "payload": "/inform{\"a\":\"b\"}" },
        { "title": "gift", "payload": "/pick_gift" },
    ]);
    assert_eq!(answer.messages()[0]["buttons"], expected);
}

#[tokio::test]
async fn responses_have_values_buttons_and_names_picked_by_a_value() {
    let bot = Bot::with(&[
        ("domain.yml", "responses: { utter_status: [{ text: '{status}' }], utter_searching_income_transactions: [{ text: x }] }\nslots: { kind: { type: text } }\nactions: [action_x]\nintents: [affirm]\n"),
        ("actions/action_x.yml", "
steps:
  - say: { response: utter_status, with: { status: \"{{ 'ship' ~ 'ped' }}\", lines: [1, 2], text: hidden }, buttons: [{ title: Ok, intent: affirm }] }
  - say: { response: \"utter_searching_{{ slots.kind }}_transactions\" }
  - say: utter_status
  - say: { text: Hi, with: { quick: true } }
"),
    ])
    .await;
    let answer = bot.call("action_x").slot("kind", "income").send().await;
    let messages: Vec<_> = answer.messages().iter().map(filled).collect();
    assert_eq!(
        messages[0],
        json!({ "response": "utter_status", "buttons": [{ "title": "Ok", "payload": "/affirm" }], "status": "shipped", "lines": [1, 2] })
    );
    assert_eq!(messages[1], json!({ "response": "utter_searching_income_transactions" }));
    assert_eq!(
        answer.messages()[1]["template"],
        json!("utter_searching_income_transactions"),
        "older clients read `template`"
    );
    assert_eq!(messages[2], json!({ "response": "utter_status" }));
    assert_eq!(messages[3], json!({ "text": "Hi", "quick": true }));
    let found = problems(&[
        ("domain.yml", "responses: { utter_status: [] }\nactions: [action_x]\n"),
        ("actions/action_x.yml", "steps: [{ say: utter_statsu }, { say: { text: a, response: utter_status } }]\n"),
    ]);
    assert!(found[0].starts_with("unknown-response") && found[1].starts_with("misplaced-key"), "{found:?}");
}

#[tokio::test]
async fn pictures_attachments_payloads_and_elements() {
    let bot = bot("
steps:
  - say: { text: Look!, image: \"https://example.org/{{ slots.sku }}.png\" }
  - say: { attachment: { type: file, payload: { src: \"{{ slots.sku }}.pdf\" } } }
  - say: { attachment: https://example.org/a.pdf }
  - say: { custom: { blocks: [{ type: section, text: \"{{ slots.sku }}\" }], n: 1 } }
  - say: { custom: [1, 2] }
  - say: { elements: [{ title: \"{{ slots.sku }}\", buttons: [] }] }
  - say: { elements: \"{{ slots.cards }}\" }
")
    .await;
    let answer =
        bot.call("action_x").slot("sku", "TS").slot("cards", json!([{ "title": "a" }, { "title": "b" }])).send().await;
    let expected = [
        json!({ "text": "Look!", "image": "https://example.org/TS.png" }),
        json!({ "attachment": { "type": "file", "payload": { "src": "TS.pdf" } } }),
        json!({ "attachment": "https://example.org/a.pdf" }),
        json!({ "custom": { "blocks": [{ "type": "section", "text": "TS" }], "n": 1 } }),
        json!({ "custom": { "value": [1, 2] } }),
        json!({ "elements": [{ "title": "TS", "buttons": [] }] }),
        json!({ "elements": [{ "title": "a" }, { "title": "b" }] }),
    ];
    assert_eq!(answer.messages().iter().map(filled).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn channels_hear_it_in_their_own_way() {
    let bot = bot("
steps:
  - say:
      text: Everyone.
      channels:
        slack: { custom: { blocks: [] , text: \"{{ sender_id }}\" } }
        sms: [Short., { text: Shorter., when: false }]
        voice: { text: Spoken., channels: { voice: Never deeper. } }
")
    .await;
    let call = |channel: &str| bot.call("action_x").channel(channel).sender("s1").send();
    assert_eq!(call("rest").await.said(), ["Everyone."]);
    assert_eq!(call("slack").await.messages()[0]["custom"], json!({ "blocks": [], "text": "s1" }));
    assert_eq!(call("sms").await.said(), ["Short."]);
    assert_eq!(call("voice").await.said(), ["Never deeper."]);
    assert_eq!(bot.call("action_x").tracker("latest_input_channel", json!(null)).send().await.said(), ["Everyone."]);
}

#[tokio::test]
async fn a_rejection_is_the_400_that_rasa_knows() {
    let bot = Bot::with(&[
        (
            "actions/action_x.yml",
            "steps: [{ say: lost }, { set: { a: 1 } }, { reject: \"not for {{ sender_id }}\", when: slots.no }]\n",
        ),
        ("actions/action_y.yml", "steps: [{ reject: { response: utter_no } }]\n"),
    ])
    .await;
    assert_eq!(bot.call("action_x").send().await.said(), ["lost"]);
    let answer = bot.call("action_x").slot("no", true).send().await;
    assert_eq!((answer.status, answer.json), (400, json!({ "error": "not for default", "action_name": "action_x" })));
    assert_eq!(bot.call("action_y").send().await.json, json!({ "error": "utter_no", "action_name": "action_y" }));
}
