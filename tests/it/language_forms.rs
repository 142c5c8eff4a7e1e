//! Validations of forms and of slots outside forms, and which domain they go by.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, Bot, CONNECTED, Call, DESK, problems};

const DOMAIN: &str = "
slots:
  size: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: order_form }] }] }
  color: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: order_form }] }] }
  count: { type: any, mappings: [{ type: custom, conditions: [{ active_loop: order_form }] }] }
  gift_text: { type: text }
  note: { type: any }
  city: { type: text, mappings: [{ type: from_entity, entity: city }] }
  requested_slot: { type: text }
forms:
  order_form: { required_slots: [size, color, count] }
actions: [validate_order_form, action_validate_slot_mappings]
";

async fn form(validator: &str) -> Bot {
    Bot::with(&[("domain.yml", DOMAIN), CONNECTED, DESK, ("actions/validate_order_form.yml", validator)]).await
}

fn ask(bot: &Bot) -> Call<'_> {
    bot.call("validate_order_form").active_loop("order_form")
}

fn pairs(answer: &Answer) -> Vec<(String, Value)> {
    answer.slots().as_array().unwrap().iter().map(|pair| (pair[0].as_str().unwrap().to_owned(), pair[1].clone())).collect()
}

#[tokio::test]
async fn candidates_are_the_slots_at_the_end_in_the_order_offered() {
    let bot = form("slots: { size: { format: { enum: [S, M, L] }, refuse: \"S, M or L?\" } }\n").await;
    let call = ask(&bot)
        .events(json!([{ "event": "slot", "name": "color", "value": "old" }, { "event": "user", "text": "x" }]))
        .offer("count", 2)
        .offer("size", "m")
        .offer("city", "Wien")
        .offer("color", "red");
    let answer = call.send().await;
    // In the order offered, normalised; those without a rule pass, those that the form does not ask for are dropped.
    assert_eq!(answer.slots(), json!([["count", 2], ["size", "M"], ["color", "red"]]));
    assert_eq!(answer.said(), [""; 0]);
    let twice = ask(&bot).offer("size", "S").offer("color", "red").offer("size", "L").send().await;
    assert_eq!(twice.slots(), json!([["size", "L"], ["color", "red"]]), "the last value of a slot counts");
    let refused = ask(&bot).offer("size", "XXL").offer("color", "red").send().await;
    assert_eq!((refused.said(), refused.slots()), (vec!["S, M or L?"], json!([["size", null], ["color", "red"]])));
    assert_eq!(ask(&bot).send().await.slots(), json!([]));
    assert_eq!(
        ask(&bot).offer("size", json!(null)).send().await.slots(),
        json!([["size", null]]),
        "a null is nothing to check"
    );
}

#[tokio::test]
async fn later_rules_see_what_earlier_ones_took_and_set() {
    let bot = form(
        "
slots:
  size:
    accept: value | length == 1
    set: { note: \"size {{ value }}\" }
  color:
    accept: slots.size == 'S' and slots.note == 'size S'
    refuse: \"No {{ value }} in {{ slots.size }} ({{ slots.note }}).\"
",
    )
    .await;
    let fits = ask(&bot).offer("size", "S").offer("color", "red").send().await;
    assert_eq!(fits.slots(), json!([["size", "S"], ["color", "red"], ["note", "size S"]]));
    let refused = ask(&bot).offer("size", "XL").offer("color", "red").send().await;
    assert_eq!((refused.slots(), refused.said()), (json!([["size", null], ["color", null]]), vec!["No red in  ()."]));
    let other_order = ask(&bot).offer("color", "red").offer("size", "S").send().await;
    assert_eq!(other_order.slots(), json!([["color", null], ["size", "S"], ["note", "size S"]]));
}

#[tokio::test]
async fn a_form_may_need_more_slots_or_fewer_and_asks_for_the_first_that_is_empty() {
    let bot = form(
        "
slots: { size: {} }
required:
  gift_text: slots.note == 'gift'
  color: slots.size != 'S'
",
    )
    .await;
    let requested =
        |answer: &Answer| pairs(answer).into_iter().find(|(name, _)| name == "requested_slot").map(|(_, value)| value);
    let same = ask(&bot).offer("size", "M").send().await;
    assert_eq!(same.slots(), json!([["size", "M"]]), "the domain's own slots: Rasa asks by itself");
    let fewer = ask(&bot).offer("size", "S").send().await;
    assert_eq!(requested(&fewer), Some(json!("count")));
    let done = ask(&bot).offer("size", "S").offer("count", 1).send().await;
    assert_eq!(requested(&done), Some(json!(null)), "nothing is left to ask");
    let more = bot
        .call("validate_order_form")
        .slot("note", "gift")
        .offer("size", "M")
        .offer("color", "red")
        .offer("count", 3)
        .offer("gift_text", "hi");
    assert_eq!(
        more.send().await.slots(),
        json!([["size", "M"], ["color", "red"], ["count", 3], ["gift_text", "hi"], ["requested_slot", null]])
    );
    let more = bot
        .call("validate_order_form")
        .slot("note", "gift")
        .offer("size", "M")
        .offer("color", "red")
        .offer("count", 3)
        .send()
        .await;
    assert_eq!(requested(&more), Some(json!("gift_text")));
    // A slot that the form does not need now is dropped, though the domain lists it.
    let dropped = ask(&bot).slot("size", "S").offer("color", "red").send().await;
    assert_eq!(pairs(&dropped), [("requested_slot".to_owned(), json!("count"))]);
}

#[tokio::test]
async fn custom_slots_are_extracted_and_then_checked() {
    let bot = form(
        "
slots:
  count:
    extract: \"{{ user_text | regex_find('[0-9]+') | int }}\"
    accept: value < 10
    refuse: \"{{ value }} is too many.\"
  size:
    extract: \"{{ 'S' if slots.count else null }}\"
",
    )
    .await;
    let answer = ask(&bot).text("I want 3 of them").offer("color", "red").send().await;
    assert_eq!(answer.slots(), json!([["color", "red"], ["count", 3], ["size", "S"]]));
    let many = ask(&bot).text("30!").send().await;
    assert_eq!((many.said(), many.slots()), (vec!["30 is too many."], json!([["count", null], ["size", "S"]])));
    assert_eq!(ask(&bot).text("none").send().await.slots(), json!([]));
}

#[tokio::test]
async fn what_was_extracted_decides_which_slots_are_needed() {
    let bot = form(
        "
slots:
  count: { extract: \"{{ user_text | digits | int }}\" }
required: { gift_text: slots.count == 7 }
",
    )
    .await;
    let answer = ask(&bot).text("7").slot("size", "M").slot("color", "red").offer("gift_text", "x").send().await;
    assert_eq!(answer.slots(), json!([["gift_text", "x"], ["count", 7], ["requested_slot", null]]));
}

#[tokio::test]
async fn a_call_has_to_find_something_and_may_be_unable_to() {
    for (unavailable, said, slots) in [
        ("accept", 0, json!([["size", "unavailable"], ["color", "red"], ["note", "nobody"]])),
        ("reject", 1, json!([["size", null], ["color", "red"]])),
        ("stop", 1, json!([["size", null]])),
    ] {
        let bot = form(&format!(
            "
slots:
  size:
    call: desk.end
    with: {{ how: \"{{{{ value }}}}\" }}
    as: found
    unavailable: {unavailable}
    refuse: \"No {{{{ value }}}}.\"
    set: {{ note: \"{{{{ found.how if found else 'nobody' }}}}\" }}
"
        ))
        .await;
        let down = ask(&bot).offer("size", "unavailable").offer("color", "red").send().await;
        assert_eq!((down.said().len(), down.slots()), (said, slots), "{unavailable}");
        let none = ask(&bot).offer("size", "not_found").offer("color", "red").send().await;
        assert_eq!((none.said(), none.slots()), (vec!["No not_found."], json!([["size", null], ["color", "red"]])));
        let found = ask(&bot).offer("size", "well").send().await;
        assert_eq!(found.slots(), json!([["size", "well"], ["note", "well"]]));
    }
    // Without words of its own, a refusal says the outcome's.
    let bot = form("slots: { size: { call: desk.end, with: { how: \"{{ value }}\" } } }\n").await;
    let denied = ask(&bot).offer("size", "denied").send().await;
    assert_eq!((denied.said(), denied.slots()), (vec!["I'm not allowed to do that for you."], json!([["size", null]])));
}

#[tokio::test]
async fn steps_decide_where_the_rest_is_not_enough() {
    let bot = form("
slots:
  size:
    format: { enum: [S, M, L] }
    steps:
      - choose:
          - when: value == 'S'
            steps: [{ set: { note: small, color: blue } }, { event: { reminder: { intent: EXTERNAL_x, date_time: 2026-02-01T08:00:00Z } } }, { accept: \"'small'\" }]
          - when: value == 'M'
            steps: [{ call: desk.end, with: { how: unavailable } }]
      - when: value == 'L'
        reject: [\"Too large.\", { text: Smaller?, buttons: [{ title: S, payload: S }] }]
      - accept: value
    set: { gift_text: \"for {{ value }}\" }
    refuse: S, M or L?
")
    .await;
    let small = ask(&bot).offer("size", "s").offer("color", "red").send().await;
    assert_eq!(small.slots(), json!([["size", "small"], ["color", "red"], ["note", "small"], ["gift_text", "for small"]]));
    assert_eq!(small.events()[0]["event"], json!("reminder"));
    let stopped = ask(&bot).offer("size", "M").offer("color", "red").send().await;
    assert_eq!(
        (stopped.said().len(), stopped.slots()),
        (1, json!([["size", null]])),
        "an outcome that ends the steps ends the checking"
    );
    let large = ask(&bot).offer("size", "L").offer("color", "red").send().await;
    assert_eq!((large.said(), large.slots()), (vec!["Too large.", "Smaller?"], json!([["size", null], ["color", "red"]])));
    assert_eq!(ask(&bot).offer("size", "XL").send().await.said(), ["S, M or L?"], "the format comes first");
    assert_eq!(ask(&bot).offer("size", json!(null)).send().await.slots(), json!([["size", null]]));
    let open = problems(&[
        ("domain.yml", DOMAIN),
        ("actions/validate_order_form.yml", "slots: { size: { steps: [{ accept: value, when: value }] } }\n"),
    ]);
    assert!(open[0].starts_with("validator-end"), "{open:?}");
}

#[tokio::test]
async fn the_outcomes_of_a_slots_steps_may_take_or_refuse_the_value() {
    let bot = form(
        "
slots:
  size:
    steps:
      - call: desk.end
        with: { how: \"{{ value }}\" }
        as: found
        outcomes:
          not_found: [{ reject: \"No {{ value }}.\" }]
          unavailable: [{ accept: \"value | upper\" }]
          conflict: [{ continue: { how: other } }]
          denied: Not you.
      - accept: found.how
",
    )
    .await;
    for (offered, said, size) in [
        ("well", vec![], json!("well")),
        ("not_found", vec!["No not_found."], json!(null)),
        ("unavailable", vec![], json!("UNAVAILABLE")),
        ("conflict", vec![], json!("other")),
        ("denied", vec!["Not you."], json!(null)),
    ] {
        let answer = ask(&bot).offer("size", offered).send().await;
        assert_eq!((answer.said(), answer.slots()), (said, json!([["size", size]])), "{offered}");
    }
}

#[tokio::test]
async fn steps_after_all_know_what_was_offered_accepted_and_refused() {
    let bot = form(
        "
slots:
  size: { accept: value == 'S' }
  color: { accept: value == 'red' }
after:
  - set: { note: \"{{ (slots.note or 0) + (refused | length) }}\" }
    when: refused
  - say: \"{{ offered.size }} {{ accepted | and_list }} / {{ refused | and_list }} / {{ slots.note }}\"
  - set: { requested_slot: color }
    when: slots.note == 3
  - reject: I give up.
    when: slots.note > 3
",
    )
    .await;
    let mixed = ask(&bot).slot("note", 1).offer("size", "XL").offer("color", "red").offer("count", 1).send().await;
    assert_eq!(mixed.said(), ["XL color and count / size / 2"]);
    assert_eq!(mixed.slots(), json!([["size", null], ["color", "red"], ["count", 1], ["note", 2]]));
    let chosen = ask(&bot).slot("note", 1).offer("size", "XL").offer("color", "blue").send().await;
    assert_eq!(chosen.slots(), json!([["size", null], ["color", null], ["note", 3], ["requested_slot", "color"]]));
    let declined = ask(&bot).slot("note", 3).offer("size", "XL").send().await;
    assert_eq!((declined.status, declined.json["action_name"].clone()), (400, json!("validate_order_form")));
}

#[tokio::test]
async fn what_the_rules_ask_for_next_goes_before_what_would_come_next() {
    let bot = form(
        "
slots: { size: {} }
required: { color: slots.size != 'S' }
after: [{ set: { requested_slot: note }, when: slots.size == 'S' }]
",
    )
    .await;
    let answer = ask(&bot).offer("size", "S").send().await;
    assert_eq!(answer.slots(), json!([["size", "S"], ["requested_slot", "note"]]));
}

#[tokio::test]
async fn a_mistake_of_the_author_keeps_what_was_checked_before() {
    let bot = form("slots: { color: { accept: \"value | sum > 1\" } }\nrequired: { gift_text: slots.size == 'S' }\n").await;
    bot.expect_error("validate_order_form.yml:1");
    let answer = ask(&bot).offer("size", "S").offer("color", "red").offer("count", 1).send().await;
    assert_eq!(answer.slots(), json!([["size", "S"], ["color", null]]));
    assert!(answer.said()[0].starts_with("Something went wrong on our side"));
}

#[tokio::test]
async fn slots_outside_forms_are_validated_by_themselves() {
    let bot = Bot::with(&[
        ("domain.yml", DOMAIN),
        (
            "actions/action_validate_slot_mappings.yml",
            "
slots:
  city: { accept: \"value is in_ci(['Wien', 'Graz'])\", refuse: \"Not in {{ value }}.\" }
  note: { extract: \"{{ 'loud' if user_text is upper else null }}\" }
",
        ),
    ])
    .await;
    let call = || bot.call("action_validate_slot_mappings");
    let answer = call().text("HI").offer("size", "S").offer("city", "graz").offer("gift_text", "x").send().await;
    assert_eq!(answer.slots(), json!([["city", "graz"], ["gift_text", "x"], ["note", "loud"]]), "`size` belongs to a form");
    let refused = call().offer("city", "Rom").send().await;
    assert_eq!((refused.said(), refused.slots()), (vec!["Not in Rom."], json!([["city", null]])));
    assert_eq!(call().send().await.json, json!({ "events": [], "responses": [] }));
    let found = problems(&[
        ("actions/action_validate_slot_mappings.yml", "required: { a: slots.b }\n"),
        ("actions/action_x.yml", "slots: { a: {} }\n"),
    ]);
    assert!(found.iter().all(|line| line.starts_with("misplaced-key")) && found.len() == 2, "{found:?}");
}

#[tokio::test]
async fn the_calls_domain_goes_before_the_projects() {
    let bot = form("slots: { size: {} }\n").await;
    let domain = json!({ "forms": { "order_form": { "required_slots": ["city"] } }, "slots": {} });
    let answer = ask(&bot).offer("size", "S").offer("city", "Wien").domain(domain).send().await;
    assert_eq!(answer.slots(), json!([["city", "Wien"]]));
}

const TWO: (&str, &str) = (
    "legwork.yml",
    "
server: { auth: [{ name: one, token: \"${file:one}\" }, { name: two, token: \"${file:two}\" }] }
",
);

fn domain_of(slots: &[&str]) -> Value {
    json!({ "forms": { "order_form": { "required_slots": slots } }, "slots": {} })
}

#[tokio::test]
async fn a_digest_stands_for_the_domain_of_its_caller() {
    let bot = Bot::with(&[
        TWO,
        ("one", "s3cret-1"),
        ("two", "s3cret-2"),
        ("actions/validate_order_form.yml", "slots: { size: {} }\n"),
        ("actions/action_x.yml", "steps: [{ say: hi }]\n"),
    ])
    .await;
    let call = |sender: &str| {
        bot.call("validate_order_form").version("3.12.0").sender(sender).offer("size", "S").offer("color", "red")
    };
    let missing = json!({ "error": call("a").caller("s3cret-1").digest("d1").send().await.json["error"], "action_name": "validate_order_form" });
    let again = call("b").caller("s3cret-1").digest("d1").send().await;
    assert_eq!((again.status, again.json), (449, missing), "another conversation is asked as well");
    let sent = call("a").caller("s3cret-1").digest("d1").domain(domain_of(&["size"])).send().await;
    assert_eq!(sent.slots(), json!([["size", "S"]]));
    assert_eq!(call("b").caller("s3cret-1").digest("d1").send().await.slots(), json!([["size", "S"]]));
    // Several digests are kept, and none of one caller serves another.
    assert_eq!(call("a").caller("s3cret-1").digest("d2").send().await.status, 449);
    assert_eq!(
        call("a").caller("s3cret-1").digest("d2").domain(domain_of(&["color"])).send().await.slots(),
        json!([["color", "red"]])
    );
    assert_eq!(call("c").caller("s3cret-1").digest("d1").send().await.slots(), json!([["size", "S"]]));
    assert_eq!(call("a").caller("s3cret-2").digest("d1").send().await.status, 449);
    // Only validations look at the domain, and a call without a digest never hears 449.
    assert_eq!(bot.call("action_x").version("3.12.0").caller("s3cret-2").digest("d9").send().await.said(), ["hi"]);
    assert_eq!(call("a").caller("s3cret-2").send().await.slots(), json!([["size", "S"], ["color", "red"]]));
    assert_eq!(bot.call("action_x").caller("wrong").send().await.status, 401);
}

#[tokio::test]
async fn a_caller_that_sends_no_domain_when_asked_is_not_asked_for_ever() {
    for (own, slots) in [(None, json!([["size", "S"], ["note", 1]])), (Some(DOMAIN), json!([["size", "S"]]))] {
        let validator = ("actions/validate_order_form.yml", "slots: { size: {} }\n");
        let bot = match own {
            Some(domain) => Bot::with(&[validator, ("domain.yml", domain)]).await,
            None => Bot::with(&[validator]).await,
        };
        let call = |sender: &str| {
            bot.call("validate_order_form").version("3.12.0").sender(sender).offer("size", "S").offer("note", 1).digest("d")
        };
        assert_eq!(call("a").send().await.status, 449);
        assert_eq!(call("a").send().await.slots(), slots, "without a domain, every candidate counts");
        assert_eq!(call("b").send().await.slots(), slots);
    }
}
