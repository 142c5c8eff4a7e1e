//! Writes, as the system sees them that they are made at: once, however often and whenever the turn comes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::support::{Answer, Bot, Call, Mood, TILL, Till, problems, written};

/// Notes a text.
fn noting(operation: &str, more: &str) -> String {
    let name = if operation == "named" { ", name: \"{{ text }}\"" } else { "" };
    format!(
        "inputs: {{ text: {{}} }}
steps:
  - call: till.{operation}
    with: {{ text: \"{{{{ text }}}}\"{name} }}
    as: made{more}
  - say: \"It is {{{{ made.number }}}}.\"
"
    )
}

async fn bot(till: &Till, settings: &str, action: &str) -> Bot {
    Bot::with(&[("legwork.yml", &till.settings(settings)), TILL, ("actions/action_note.yml", action)]).await
}

/// A turn of the conversation, about that message.
fn turn<'a>(bot: &'a Bot, message: &str, text: &str) -> Call<'a> {
    bot.call("action_note").slot("text", text).message("message_id", message)
}

/// The outcome, which the slot of that name gets where there is one.
fn outcome(answer: &Answer) -> Value {
    answer.json["events"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["name"] == "action_outcome")
        .map_or(Value::Null, |it| it["value"].clone())
}

/// What is quoted in a message.
fn reference(answer: &Answer) -> String {
    let said = answer.said().join(" ");
    let words = said.split(|c: char| !c.is_ascii_alphanumeric());
    let is_reference = |word: &&str| word.len() == 8 && word.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase());
    words.into_iter().find(is_reference).unwrap_or_else(|| panic!("nothing to quote in {said}")).to_owned()
}

#[tokio::test]
async fn the_same_turn_gets_the_same_answer_and_does_nothing_twice() {
    let till = Till::open().await;
    let bot = bot(&till, "", &noting("plain", "")).await;
    let first = turn(&bot, "m1", "tea").send().await;
    assert_eq!(first.said(), ["It is N-1."]);
    assert_eq!(turn(&bot, "m1", "tea").send().await.json, first.json);
    // Long after, too.
    bot.pass(3600);
    assert_eq!(turn(&bot, "m1", "tea").send().await.json, first.json);
    assert_eq!(till.done(), ["tea"]);
}

#[tokio::test]
async fn the_same_wish_in_another_message_is_one_for_two_minutes() {
    let till = Till::open().await;
    let bot = bot(&till, "", &noting("plain", "")).await;
    turn(&bot, "m1", "tea").send().await;
    assert_eq!(turn(&bot, "m2", "tea").send().await.said(), ["It is N-1."]);
    assert_eq!(turn(&bot, "m3", "milk").send().await.said(), ["It is N-2."], "another wish");
    let other = turn(&bot, "m4", "tea").sender("somebody else").send().await;
    assert_eq!(other.said(), ["It is N-3."], "somebody else's");
    bot.pass(121);
    assert_eq!(turn(&bot, "m5", "tea").send().await.said(), ["It is N-4."], "once more");
    assert_eq!(till.done(), ["tea", "milk", "tea", "tea"]);
}

#[tokio::test]
async fn what_a_user_says_in_other_words_is_another_write_and_the_time_alone_is_not() {
    let till = Till::open().await;
    let action = "steps: [{ call: till.plain, with: { text: \"{{ user_text }}\" } }]\n";
    let talking = bot(&till, "", action).await;
    for (message, text) in [("m1", "one"), ("m2", "two"), ("m3", "two")] {
        talking.call("action_note").message("message_id", message).text(text).send().await;
    }
    assert_eq!(till.done(), ["one", "two"]);
    let dated = bot(&till, "", "steps: [{ call: till.plain, with: { text: \"{{ now }}\" } }]\n").await;
    for message in ["m1", "m2"] {
        dated.call("action_note").message("message_id", message).send().await;
        dated.pass(30);
    }
    assert_eq!(till.done().len(), 3);
}

#[tokio::test]
async fn what_cannot_be_made_now_is_made_later_once_and_in_order() {
    for operation in ["keyed", "looked", "named"] {
        let till = Till::open().await;
        let bot = bot(&till, "", &noting(operation, "")).await;
        till.becomes(Mood::Down);
        let first = turn(&bot, "m1", "tea").send().await;
        let quoted = reference(&first);
        // The same again, the same wish, and another one, which has to wait for the first though the system is back.
        assert_eq!(turn(&bot, "m1", "tea").send().await.json, first.json);
        assert_eq!(reference(&turn(&bot, "m2", "tea").send().await), quoted);
        till.becomes(Mood::Well);
        assert_ne!(reference(&turn(&bot, "m3", "milk").send().await), quoted);
        let elsewhere = turn(&bot, "m4", "salt").sender("somebody else").send().await;
        assert_eq!(elsewhere.said().len(), 1, "{operation}: nobody waits for another's");
        assert_eq!(till.done(), ["salt"], "{operation}");
        bot.pass(10);
        bot.delivers().await;
        bot.pass(10);
        bot.delivers().await;
        assert_eq!(till.done(), ["salt", "tea", "milk"], "{operation}");
        assert_eq!(turn(&bot, "m5", "tea").send().await.said(), ["It is N-2."], "{operation}: it is done now");
        bot.delivers().await;
        assert_eq!(till.done().len(), 3, "{operation}");
    }
}

#[tokio::test]
async fn what_was_made_later_is_a_repeat_no_longer_than_what_was_made_at_once() {
    let till = Till::open().await;
    let bot = bot(&till, "", &noting("keyed", "")).await;
    till.becomes(Mood::Down);
    turn(&bot, "m1", "tea").send().await;
    till.becomes(Mood::Well);
    bot.pass(10);
    bot.delivers().await;
    assert_eq!(turn(&bot, "m2", "tea").send().await.said(), ["It is N-1."], "a repeat");
    bot.pass(121);
    assert_eq!(turn(&bot, "m3", "tea").send().await.said(), ["It is N-2."], "once more");
    assert_eq!(till.done(), ["tea", "tea"]);
}

#[tokio::test]
async fn what_was_done_and_not_answered_is_not_done_again() {
    for (operation, said) in [("keyed", "noted"), ("looked", "noted"), ("named", "noted"), ("plain", "can't tell")] {
        let till = Till::open().await;
        let bot = bot(&till, "", &noting(operation, "")).await;
        till.becomes(Mood::Loses);
        let first = turn(&bot, "m1", "tea").send().await;
        assert!(first.said()[0].contains(said), "{operation}: {:?}", first.said());
        till.becomes(Mood::Well);
        for seconds in [10, 60] {
            bot.pass(seconds);
            bot.delivers().await;
        }
        let again = turn(&bot, "m2", "tea").send().await;
        match operation {
            "plain" => assert_eq!(reference(&again), reference(&first)),
            _ => assert_eq!(again.said(), ["It is N-1."], "{operation}"),
        }
        assert_eq!(till.done(), ["tea"], "{operation}");
    }
}

#[tokio::test]
async fn a_payment_and_what_a_call_handles_itself_are_not_made_later() {
    let till = Till::open().await;
    let settings = till.settings("");
    let found = |queue: &str| {
        problems(&[("legwork.yml", settings.as_str()), TILL, ("actions/action_x.yml", noting("pay", queue).as_str())])
    };
    let away = "\n    outcomes: { unavailable: Nothing was paid. }";
    assert_eq!(
        found(&format!("\n    queue: true{away}")),
        ["misplaced-key actions/action_x.yml:6 a payment is never made later"]
    );
    assert_eq!(found(&format!("\n    queue: false{away}")), [""; 0]);
    for (operation, more, said) in [
        ("pay", "", "I'm having trouble accessing that right now. Please try again in a few minutes."),
        ("keyed", "\n    queue: false", "I'm having trouble accessing that right now. Please try again in a few minutes."),
        ("keyed", "\n    outcomes: { unavailable: Not now. }", "Not now."),
    ] {
        let bot = bot(&till, "", &noting(operation, more)).await;
        till.becomes(Mood::Down);
        assert_eq!(turn(&bot, "m1", "tea").send().await.said(), [said]);
        till.becomes(Mood::Well);
        bot.pass(60);
        bot.delivers().await;
        assert_eq!(till.done(), Vec::<String>::new());
    }
    // And `queue: true` goes before what is handled.
    let bot = bot(&till, "", &noting("keyed", "\n    queue: true\n    outcomes: { unavailable: Not now. }")).await;
    till.becomes(Mood::Down);
    reference(&turn(&bot, "m1", "tea").send().await);
}

#[tokio::test]
async fn what_is_refused_is_told_and_may_be_wished_again() {
    let till = Till::open().await;
    let bot = bot(&till, "", &noting("keyed", "")).await;
    till.becomes(Mood::Refuses);
    let refused = turn(&bot, "m1", "tea").send().await;
    assert_eq!(refused.said(), ["That isn't possible in its present state."]);
    till.becomes(Mood::Well);
    assert_eq!(turn(&bot, "m1", "tea").send().await.json, refused.json, "the same turn");
    assert_eq!(turn(&bot, "m2", "tea").send().await.said(), ["It is N-1."]);
}

#[tokio::test]
async fn a_queued_write_that_is_refused_or_tried_too_long_is_for_somebody_to_look_at() {
    let till = Till::open().await;
    let bot = bot(&till, "outbox: { give_up_after: 1m, longest_wait: 10s }", &noting("keyed", "")).await;
    bot.expect_error("a queued write cannot be made");
    till.becomes(Mood::Down);
    turn(&bot, "m1", "tea").send().await;
    turn(&bot, "m2", "milk").sender("somebody else").send().await;
    till.becomes(Mood::Refuses);
    bot.pass(10);
    bot.delivers().await;
    till.becomes(Mood::Well);
    bot.pass(100);
    bot.delivers().await;
    assert_eq!(till.done(), Vec::<String>::new());
    // The user may wish it again.
    assert_eq!(turn(&bot, "m3", "tea").send().await.said(), ["It is N-1."]);
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let till = Till::open().await;
    let action = noting("keyed", "");
    let folder = written(&[("legwork.yml", &till.settings("")), TILL, ("actions/action_note.yml", &action)]);
    let bot = Bot::at(folder.path()).await;
    till.becomes(Mood::Down);
    let first = turn(&bot, "m1", "tea").send().await;
    let done = turn(&bot, "m2", "milk").sender("somebody else");
    till.becomes(Mood::Well);
    let done = done.send().await;
    bot.stop().await;
    drop(bot);
    let bot = Bot::at(folder.path()).await;
    assert_eq!(turn(&bot, "m2", "milk").sender("somebody else").send().await.json, done.json);
    assert_eq!(turn(&bot, "m1", "tea").send().await.json, first.json);
    bot.pass(10);
    bot.delivers().await;
    assert_eq!(till.done(), ["milk", "tea"]);
    // Nothing of what users say is read by others on the machine.
    #[cfg(unix)]
    for entry in std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
        use std::os::unix::fs::PermissionsExt as _;
        if entry.file_name().to_string_lossy().starts_with("legwork.db") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0);
        }
    }
}

#[tokio::test]
async fn what_only_reads_makes_no_store() {
    let till = Till::open().await;
    let action = "steps: [{ say: Hello. }]\n";
    let folder = written(&[("legwork.yml", &till.settings("")), TILL, ("actions/action_note.yml", action)]);
    let bot = Bot::at(folder.path()).await;
    bot.call("action_note").send().await;
    assert!(!folder.path().join("legwork.db").exists());
}

#[tokio::test]
async fn the_slot_of_the_domain_says_that_it_is_queued() {
    let till = Till::open().await;
    let bot = bot(&till, "", &noting("keyed", "")).await;
    till.becomes(Mood::Down);
    let answer = turn(&bot, "m1", "tea").slot("action_outcome", json!(null)).send().await;
    assert_eq!(outcome(&answer), "queued");
}

/// An assistant's own API: what it was told to say, and how it answers.
#[derive(Clone, Default)]
struct Assistant(Arc<Mutex<(Vec<String>, u16)>>);

impl Assistant {
    /// Opens it; the settings that lead to it.
    async fn open(&self) -> String {
        let router =
            Router::new().route("/conversations/{sender}/tracker/events", post(Self::told)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        self.answers(200);
        format!("assistant: {{ url: 'http://{address}' }}")
    }

    fn answers(&self, status: u16) {
        self.0.lock().unwrap().1 = status;
    }

    fn said(&self) -> Vec<String> {
        self.0.lock().unwrap().0.clone()
    }

    async fn told(State(Self(kept)): State<Self>, Path(sender): Path<String>, body: String) -> (StatusCode, String) {
        let mut kept = kept.lock().unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        let events = body.as_array().cloned().unwrap_or_else(|| vec![body]);
        if kept.1 == 200 {
            kept.0.extend(events.iter().map(|event| format!("{sender}: {}", event["text"].as_str().unwrap())));
        }
        let state = json!({ "sender_id": sender, "latest_input_channel": "callback" });
        (StatusCode::from_u16(kept.1).unwrap(), state.to_string())
    }
}

#[tokio::test]
async fn the_conversation_is_told_once_what_it_was_promised_is_done() {
    let (till, assistant) = (Till::open().await, Assistant::default());
    let settings = format!("{}\noutbox: {{ longest_wait: 10s }}", assistant.open().await);
    let delivered = "\n    delivered: \"Your {{ text }} is in: {{ made.number }} ({{ reference }}).\"";
    let bot = bot(&till, &settings, &noting("keyed", delivered)).await;
    till.becomes(Mood::Down);
    let on = |message: &str, sender: &str, channel: &str| {
        turn(&bot, message, "tea").sender(sender).tracker("latest_input_channel", channel).send()
    };
    let quoted = reference(&on("m1", "ann", "callback").await);
    // Of a channel that only answers nobody would hear it.
    on("m2", "ben", "rest").await;
    till.becomes(Mood::Well);
    assistant.answers(500);
    bot.pass(12);
    bot.delivers().await;
    assert_eq!((till.done().len(), assistant.said()), (2, vec![]));
    assistant.answers(200);
    for _ in 0..2 {
        bot.pass(30);
        bot.delivers().await;
    }
    assert_eq!(assistant.said(), [format!("ann: Your tea is in: N-1 ({quoted}).")]);
    // What could not be done is told too, in the language of the conversation.
    bot.expect_error("a queued write cannot be made");
    till.becomes(Mood::Down);
    on("m3", "cid", "callback").await;
    till.becomes(Mood::Refuses);
    bot.pass(12);
    bot.delivers().await;
    assert!(assistant.said().last().unwrap().starts_with("cid: I'm sorry"), "{:?}", assistant.said());
}

#[test]
fn what_is_said_on_delivery_sees_no_conversation() {
    use super::support::problems;
    let found = |delivered: &str| {
        let action = noting("keyed", &format!("\n    delivered: {delivered}"));
        problems(&[
            ("legwork.yml", "connections: { till: { connector: till, address: \"https://t.example\" } }"),
            TILL,
            ("actions/action_note.yml", &action),
        ])
    };
    assert_eq!(found("\"{{ text }} {{ made.number }} {{ reference }} {{ now | date }}\""), Vec::<String>::new());
    for wrong in ["\"{{ slots.a }}\"", "\"{{ user_text }}\"", "{ response: utter_done }"] {
        assert_eq!(found(wrong).len(), 1, "{wrong}: {:?}", found(wrong));
    }
}
