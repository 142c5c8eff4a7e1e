//! What is said when something did not go well: the last known answer with its age, the messages with what helps, and the
//! slots that tell how a turn went.

use std::sync::atomic::{AtomicU32, Ordering};

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::support::{Answer, Bot, DESK, problems};

const SETTINGS: &str = "
connections: { desk: { connector: desk } }
locale: \"{{ slots.language or 'en' }}\"
";

const NOTE: (&str, &str) =
    ("actions/action_note.yml", "inputs: { how: {} }\nsteps: [{ call: desk.note, with: { text: \"{{ how }}\" } }]\n");

/// Tells the last note.
const LAST: &str = "
steps:
  - call: desk.last
    as: last
  - say: \"It is {{ last.how }}.\"
";

async fn bot(settings: &str, action: &str) -> Bot {
    let settings = format!("{SETTINGS}{settings}");
    Bot::with(&[("legwork.yml", &settings), DESK, NOTE, ("actions/action_x.yml", action)]).await
}

/// The system ends its calls so from now on; as with every answer, what it says now is kept by nobody.
async fn becomes(bot: &Bot, how: &str) {
    // Each time somebody else: the same wish of one user within two minutes is one.
    static OTHERS: AtomicU32 = AtomicU32::new(0);
    let other = format!("other {}", OTHERS.fetch_add(1, Ordering::Relaxed));
    bot.call("action_note").sender(&other).slot("how", how).send().await;
}

fn buttons(answer: &Answer) -> Value {
    let pairs = |message: &Value| {
        let buttons = message["buttons"].as_array().unwrap().iter();
        buttons.map(|button| json!([button["title"], button["payload"]])).collect::<Vec<_>>()
    };
    answer.messages().iter().flat_map(pairs).collect()
}

#[tokio::test]
async fn what_was_last_known_stands_in_with_its_age() {
    let bot = bot("", LAST).await;
    becomes(&bot, "well").await;
    assert_eq!(bot.call("action_x").send().await.said(), ["It is well."]);
    for how in ["unavailable", "rate_limited"] {
        becomes(&bot, how).await;
        bot.later(31).await;
        let minutes = if how == "unavailable" { 31 } else { 62 };
        assert_eq!(
            bot.call("action_x").send().await.said(),
            [
                &format!("I can't get the latest right now, so this is as of {minutes} minutes ago.")
                    .replace("62 minutes", "1 hour"),
                "It is well."
            ]
        );
    }
    assert_eq!(
        bot.call("action_x").slot("language", "de").send().await.said(),
        ["Den neuesten Stand kann ich gerade nicht abrufen. Letzter Stand: vor 1 Stunde.", "It is well."]
    );
    // A system that answers may say why what was known is true no longer.
    bot.expect_error("misconfigured");
    for how in ["denied", "misconfigured", "not_found"] {
        becomes(&bot, how).await;
        assert_ne!(bot.call("action_x").send().await.said().last(), Some(&"It is well."), "{how}");
    }
    // Past its stale time nothing stands in.
    becomes(&bot, "unavailable").await;
    bot.later(24 * 60).await;
    assert_eq!(
        bot.call("action_x").send().await.said(),
        ["I'm having trouble accessing that right now. Please try again in a few minutes."]
    );
    becomes(&bot, "better").await;
    assert_eq!(bot.call("action_x").send().await.said(), ["It is better."], "a failed answer is kept by nobody");
}

#[tokio::test]
async fn a_timeout_gives_way_to_what_was_known() {
    let settings = ("legwork.yml", "connections: { desk: { connector: desk } }\nturn: { give_up_after: 300ms }\n");
    let endless = DESK.1.replace("  count:\n    cache: { fresh: 1h, stale: 1d }\n    sql: select count(*) from notes\n", "
  count:
    cache: { fresh: 1m, stale: 1d }
    sql: with recursive n(i) as (select 1 union all select i + 1 from n where (select count(*) from notes) > 0) select count(*) from n
");
    assert_ne!(endless, DESK.1);
    let action = ("actions/action_x.yml", "steps: [{ call: desk.count, as: n }, { say: \"{{ n }}\" }]\n");
    let bot = Bot::with(&[settings, ("connectors/desk.yml", &endless), NOTE, action]).await;
    assert_eq!(bot.call("action_x").send().await.said(), ["1"]);
    becomes(&bot, "endless").await;
    bot.later(5).await;
    assert_eq!(
        bot.call("action_x").send().await.said(),
        ["I can't get the latest right now, so this is as of 5 minutes ago.", "1"]
    );
}

#[tokio::test]
async fn the_age_is_said_once_for_the_oldest_and_only_with_data() {
    let bot = bot(
        "",
        "
steps:
  - say: One moment.
  - together:
      - { call: desk.last, with: { of: a }, as: one }
      - { call: desk.last, with: { of: \"{{ slots.of }}\" }, as: two }
  - say: \"{{ one.how }} {{ two.how }} {{ (data_age or 0) // 60 }} {{ as_of | time }}\"
    when: slots.say
  - { call: desk.last, with: { of: c } }
",
    )
    .await;
    becomes(&bot, "well").await;
    bot.call("action_x").slot("of", "x").slot("say", true).send().await;
    bot.later(10).await;
    bot.call("action_x").slot("of", "b").slot("say", true).send().await;
    becomes(&bot, "unavailable").await;
    bot.later(30).await;
    let answer = bot.call("action_x").slot("of", "b").slot("say", true).send().await;
    assert_eq!(
        answer.said(),
        ["One moment.", "I can't get the latest right now, so this is as of 40 minutes ago.", "well well 40 11:19 am"]
    );
    // Nothing is told of the data, so neither is its age.
    assert_eq!(bot.call("action_x").slot("of", "b").slot("say", false).send().await.said(), ["One moment."]);
    bot.later(24 * 60).await;
    let answer = bot.call("action_x").slot("of", "b").slot("say", true).send().await;
    assert_eq!(answer.said().len(), 3, "both calls say how they ended: {:?}", answer.said());
}

#[tokio::test]
async fn the_age_is_said_although_a_step_beside_it_fails() {
    let tell = ("actions/shared/tell.yml", "steps: [{ call: desk.last, as: last }, { say: \"{{ last.how }}\" }]\n");
    let action = "steps: [{ together: [{ call: desk.end, with: { how: denied } }, { use: tell }] }]\n";
    let bot = Bot::with(&[("legwork.yml", SETTINGS), DESK, NOTE, tell, ("actions/action_x.yml", action)]).await;
    becomes(&bot, "well").await;
    bot.call("action_x").send().await;
    becomes(&bot, "unavailable").await;
    bot.later(31).await;
    assert_eq!(
        bot.call("action_x").send().await.said(),
        [
            "I'm not allowed to do that for you.",
            "I can't get the latest right now, so this is as of 31 minutes ago.",
            "well"
        ]
    );
}

#[tokio::test]
async fn data_that_is_as_good_as_new_but_old_is_told_with_its_age() {
    let twice =
        "steps: [{ call: desk.last, as: last }, { say: \"{{ last.how }} {{ data_age // 60 if data_age else 'new' }}\" }]\n";
    let bot = bot("cache: { say_age_after: 20m }\n", twice).await;
    becomes(&bot, "well").await;
    assert_eq!(bot.call("action_x").send().await.said(), ["well new"]);
    bot.later(19).await;
    assert_eq!(bot.call("action_x").send().await.said(), ["well 19"]);
    bot.later(2).await;
    assert_eq!(bot.call("action_x").send().await.said(), ["This is as of 21 minutes ago.", "well 21"]);
    assert_eq!(
        bot.call("action_x").slot("language", "de").send().await.said(),
        ["Stand der Angaben: vor 21 Minuten.", "well 21"]
    );
}

#[tokio::test]
async fn an_action_places_or_silences_the_age_itself() {
    let call = |stale: &str| {
        format!(
            "steps: [{{ call: desk.last, as: last, outcomes: {{ stale: {stale} }} }}, {{ say: \"It is {{{{ last.how }}}}.\" }}]\n"
        )
    };
    for (stale, said) in [
        ("[]", vec!["It is well."]),
        (
            "\"{{ last.how }} of {{ as_of | relative }} ({{ fault.outcome }})\"",
            vec!["well of 31 minutes ago (unavailable)", "It is well."],
        ),
        ("[{ continue: { how: \"{{ last.how | upper }}\" } }]", vec!["It is WELL."]),
        ("[{ say: Too old. }, { stop: true }]", vec!["Too old."]),
        ("[{ set: { old: true } }, { let: { inner: 1 } }]", vec!["It is well."]),
    ] {
        let bot = bot("", &call(stale)).await;
        becomes(&bot, "well").await;
        assert_eq!(bot.call("action_x").send().await.said(), ["It is well."]);
        becomes(&bot, "unavailable").await;
        bot.later(31).await;
        assert_eq!(bot.call("action_x").send().await.said(), said, "{stale}");
    }
    let bot = bot("messages: { en: { stale: \"\" }, de: { stale: \"({{ as_of | relative }})\" } }\n", LAST).await;
    becomes(&bot, "well").await;
    bot.call("action_x").send().await;
    becomes(&bot, "unavailable").await;
    bot.later(31).await;
    assert_eq!(bot.call("action_x").send().await.said(), ["It is well."]);
    assert_eq!(bot.call("action_x").slot("language", "de").send().await.said(), ["(vor 31 Minuten)", "It is well."]);
}

/// Ends as the slot says.
const END: &str = "steps: [{ call: desk.end, with: { how: \"{{ slots.how }}\" } }]\n";

const HELP: &str = "messages: { human_intent: person, ticket_intent: leave_note }\ncontact: { en: Or call 123., de: Oder rufen Sie 123 an. }\n";

#[tokio::test]
async fn each_outcome_has_what_helps_with_it() {
    let bot = bot(HELP, END).await;
    bot.expect_error("misconfigured");
    let (again, person, message) =
        (json!(["Try again", "/greet"]), json!(["Talk to a person", "/person"]), json!(["Leave a message", "/leave_note"]));
    for (how, offered, contact) in [
        ("not_found", json!([person]), false),
        ("ambiguous", json!([person]), false),
        ("invalid", json!([person]), false),
        ("denied", json!([person]), true),
        ("conflict", json!([person]), true),
        ("rate_limited", json!([again, person]), false),
        ("unavailable", json!([again, person, message]), true),
        ("misconfigured", json!([person, message]), true),
    ] {
        let answer = bot.call("action_x").slot("how", how).send().await;
        assert_eq!((buttons(&answer), answer.said().len()), (offered, 1), "{how}");
        assert_eq!(answer.said()[0].ends_with(" Or call 123."), contact, "{how}: {:?}", answer.said());
    }
    let german = bot.call("action_x").slot("how", "unavailable").slot("language", "de-AT").send().await;
    assert_eq!(
        german.said(),
        [
            "Darauf kann ich gerade nicht zugreifen. Bitte versuchen Sie es in ein paar Minuten noch einmal. Oder rufen Sie 123 an."
        ]
    );
    assert_eq!(
        buttons(&german),
        json!([
            ["Noch einmal versuchen", "/greet"],
            ["Mit jemandem sprechen", "/person"],
            ["Nachricht hinterlassen", "/leave_note"]
        ])
    );
}

#[tokio::test]
async fn try_again_is_the_same_turn_or_not_there() {
    let bot = bot("", END).await;
    let call = || bot.call("action_x").slot("how", "unavailable");
    let entity = |name: &str, value: Value| json!({ "entity": name, "value": value, "start": 0, "extractor": "x" });
    let answer = call()
        .intent("faq/order")
        .entity_of(entity("order", json!("1\"2")))
        .entity_of(entity("n", json!(5)))
        .entity_of(entity("order", json!("1\"2")))
        .entity_of(entity("size", json!("S")))
        .entity_of(entity("size", json!("M")))
        .entity_of(entity("list", json!([1, 2])))
        .send()
        .await;
    let payload = r#"/faq/order{"order":"1\"2","n":5,"size":["S","M"],"list":[[1,2]]}"#;
    assert_eq!(buttons(&answer), json!([["Try again", payload]]));
    let form = json!({ "event": "active_loop", "name": null });
    let user = json!({ "event": "user", "text": "hello" });
    for (call, there) in [
        (call().message("intent", json!({})), false),
        (call().message("intent", json!({ "name": null })), false),
        (call().latest_message(json!(null)), false),
        (call().intent("nlu_fallback"), false),
        (call().intent("odd{name"), false),
        (call().entity_of(json!({ "entity": "city", "value": "Rome", "role": "to" })), false),
        (call().active_loop("ticket_form"), false),
        (call().tracker("stack", json!([{ "frame_id": "x" }])), false),
        (call().events(json!([user, form])), false),
        (call().events(json!([form, user])), true),
        (call().tracker("stack", json!([])), true),
    ] {
        let answer = call.send().await;
        assert_eq!(buttons(&answer).as_array().unwrap().len(), usize::from(there), "{answer:?}");
        assert_eq!(answer.said().len(), 1);
    }
}

#[tokio::test]
async fn what_was_changed_is_offered_again_and_no_message_beside_it() {
    let action = "
steps:
  - { call: desk.change, with: { how: \"{{ slots.change }}\" }, when: slots.change, queue: false, outcomes: { conflict: [] } }
  - { call: desk.end, with: { how: \"{{ slots.how }}\" }, when: slots.how }
";
    let bot = bot(HELP, action).await;
    let titles = |answer: &Answer| {
        buttons(answer).as_array().unwrap().iter().map(|button| button[0].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let call = |change: Value, how: Value| {
        // Another message each time: what the same one has changed is not changed again.
        let message = format!("{change} {how}");
        bot.call("action_x").message("message_id", message).slot("change", change).slot("how", how).send()
    };
    let (again, person, message) = ("Try again", "Talk to a person", "Leave a message");
    assert_eq!(titles(&call(json!(null), json!("unavailable")).await), [again, person, message]);
    assert_eq!(titles(&call(json!("well"), json!("unavailable")).await), [again, person], "what was written is known");
    assert_eq!(titles(&call(json!("unavailable"), json!(null)).await), [again, person], "as is what was not");
    assert_eq!(titles(&call(json!("rate_limited"), json!(null)).await), [again, person], "it has not");
}

#[tokio::test]
async fn words_of_the_action_go_before_those_of_the_project() {
    let action = format!(
        "{END}messages:
  en: {{ not_found: \"No {{{{ slots.how }}}} here ({{{{ fault.outcome }}}}).\", try_again: Once more }}
  de: {{ denied: \"Nein.\" }}
"
    );
    let own = "messages: { human_intent: person, en: { not_found: Nothing., unavailable: { text: Down., buttons: [] }, denied: No., rate_limited: Wait., talk_to_a_person: \"\" } }\n";
    let bot = bot(own, &action).await;
    let call = |how: &str, language: &str| bot.call("action_x").slot("how", how).slot("language", language).send();
    assert_eq!(call("not_found", "en").await.said(), ["No not_found here (not_found)."]);
    assert_eq!(call("denied", "en").await.said(), ["No."]);
    assert_eq!(call("denied", "de").await.said(), ["Nein."]);
    assert_eq!(call("not_found", "de").await.said(), ["Das habe ich nicht gefunden. Stimmen die Angaben?"]);
    assert_eq!(call("not_found", "fr").await.said(), ["No not_found here (not_found)."]);
    let waits = call("rate_limited", "en").await;
    assert_eq!(
        (waits.said(), buttons(&waits)),
        (vec!["Wait."], json!([["Once more", "/greet"]])),
        "reworded, with its buttons"
    );
    let down = call("unavailable", "en").await;
    assert_eq!((down.said(), buttons(&down)), (vec!["Down."], json!([])), "it says that it has none");
}

#[tokio::test]
async fn intents_that_the_domain_lacks_are_not_offered() {
    let domain = |intents: &str| format!("intents: [{intents}]\nactions: [action_x]\nslots: {{ how: {{ type: text }} }}\n");
    let settings = format!("connections: {{ desk: {{ connector: desk }} }}\n{HELP}");
    let action = ("actions/action_x.yml", END);
    for (intents, offered) in [
        (
            "greet, person, leave_note",
            json!([["Try again", "/greet"], ["Talk to a person", "/person"], ["Leave a message", "/leave_note"]]),
        ),
        ("greet, persona", json!([["Try again", "/greet"]])),
    ] {
        let domain = domain(intents);
        let files = [("legwork.yml", settings.as_str()), ("domain.yml", &domain), DESK, action];
        let bot = Bot::with(&files).await;
        assert_eq!(buttons(&bot.call("action_x").slot("how", "unavailable").send().await), offered);
        let found = problems(&files);
        assert_eq!(found.len(), 3 - offered.as_array().unwrap().len(), "{found:?}");
        assert!(found.iter().all(|line| line.starts_with("unknown-intent")), "{found:?}");
    }
}

#[tokio::test]
async fn slots_of_the_domain_tell_how_it_went() {
    let slots = "slots: { action_outcome: { type: text }, data_age: { type: float }, how: { type: text } }\n";
    let domain = (
        "domain.yml",
        format!(
            "actions: [action_x, action_note, action_own, validate_form]\nforms: {{ form: {{ required_slots: [how] }} }}\n{slots}"
        ),
    );
    let files = [
        ("legwork.yml", SETTINGS.replace("slots.language or ", "")),
        domain,
        ("actions/action_x.yml", "steps: [{ call: desk.last, as: last }]\n".to_owned()),
        ("actions/action_own.yml", "steps: [{ set: { action_outcome: mine } }]\n".to_owned()),
        ("actions/validate_form.yml", "slots: { how: { call: desk.last } }\n".to_owned()),
        (NOTE.0, NOTE.1.to_owned()),
        (DESK.0, DESK.1.to_owned()),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let bot = Bot::with(&files).await;
    becomes(&bot, "well").await;
    let minutes = |slot: &Value| slot.as_u64().map_or(json!(null), |seconds| json!(seconds / 60));
    let slots = |answer: Answer| match answer.slots().as_array().unwrap().as_slice() {
        [outcome, age] => json!([outcome[1], age[0], minutes(&age[1])]),
        other => json!(other),
    };
    assert_eq!(slots(bot.call("action_x").send().await), json!(["ok", "data_age", null]));
    bot.later(2).await;
    assert_eq!(slots(bot.call("action_x").send().await), json!(["ok", "data_age", 2]));
    becomes(&bot, "unavailable").await;
    bot.later(30).await;
    assert_eq!(slots(bot.call("action_x").send().await), json!(["stale", "data_age", 32]));
    let checked = bot.call("validate_form").offer("how", "x").send().await;
    assert_eq!((checked.said(), checked.slots()), (vec![], json!([["how", "x"]])), "a validation says nothing of it");
    becomes(&bot, "denied").await;
    assert_eq!(slots(bot.call("action_x").send().await), json!(["denied", "data_age", null]));
    assert_eq!(slots(bot.call("action_own").send().await), json!(["mine", "data_age", null]));
}

#[tokio::test]
async fn without_a_copy_of_the_domain_the_conversation_says_which_slots_there_are() {
    let bot = bot("", LAST).await;
    assert_eq!(bot.call("action_x").send().await.slots(), json!([]));
    let told = bot.call("action_x").slot("action_outcome", json!(null)).send().await;
    assert_eq!(told.slots(), json!([["action_outcome", "ok"]]));
}

#[test]
fn what_is_no_message_is_found() {
    let of = |settings: &str, action: &str| {
        let settings = format!("connections: {{}}\n{settings}");
        problems(&[("legwork.yml", &settings), ("actions/action_x.yml", &format!("steps: []\n{action}"))])
    };
    assert_eq!(
        of("messages: { en: { stale: x, queued: \"{{ reference }}\", try_again: x } }", "messages: { de: { slow: x } }"),
        [""; 0]
    );
    assert_eq!(
        of("messages: { en: { unavailabel: x } }", ""),
        ["unknown-outcome legwork.yml:2 there is no message `unavailabel`"]
    );
    assert_eq!(
        of("", "messages: { en: { sale: x } }"),
        ["unknown-outcome actions/action_x.yml:2 there is no message `sale`"]
    );
    assert_eq!(of("messages: { human_itnent: x }", ""), ["unknown-key legwork.yml:2 `messages` has no key `human_itnent`"]);
    assert_eq!(
        of("messages: { en: { slow: \"{{ fault.message }}\" } }", ""),
        ["unknown-name legwork.yml:2 nothing gives `fault` a value here"]
    );
    assert_eq!(of("contact: \"{{ order }}\"", ""), ["unknown-name legwork.yml:2 nothing gives `order` a value here"]);
}
