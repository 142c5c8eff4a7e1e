//! More turns than may run at the same time: what the others are told, and that it is told at once.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::support::{Bot, HELD, Held};

const BUSY: &str = "There is a lot going on right now. Please try again in a minute.";
const SLOW: &str = "I'm still checking. One moment, please.";

const DOMAIN: &str = "
slots:
  action_outcome: { type: any }
  number: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: number_form }] }] }
  size: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: number_form }] }] }
forms: { number_form: { required_slots: [number, size] } }
actions: [action_x, action_quick, action_make, action_session_start, validate_number_form]
";

const VALIDATOR: &str = "
slots:
  number: { call: desk.look, unavailable: accept }
  size: { format: { enum: [S, M, L] }, refuse: \"S, M or L?\" }
";

/// One turn may run.
async fn bot(held: &Held, times: &str) -> Bot {
    Bot::with(&[
        ("legwork.yml", &held.settings(&format!("server: {{ turns: 1 }}\n{times}"))),
        ("domain.yml", DOMAIN),
        HELD,
        ("actions/action_x.yml", "steps: [{ call: desk.look, as: number }, { say: \"It is {{ number }}.\" }]"),
        ("actions/action_quick.yml", "steps: [{ say: Quick. }]"),
        ("actions/action_make.yml", "steps: [{ call: desk.make, as: number }, { say: \"Made {{ number }}.\" }]"),
        ("actions/action_session_start.yml", "steps: [{ call: desk.look, as: number }, { say: Welcome. }]"),
        ("actions/validate_number_form.yml", VALIDATOR),
    ])
    .await
}

#[tokio::test]
async fn who_finds_no_place_hears_so_at_once() {
    let held = Held::open().await;
    let bot = bot(&held, "").await;
    let first = bot.call("action_x").sender("a").begin();
    held.asked().await;
    for action in ["action_x", "action_quick", "action_make"] {
        let refused = bot.call(action).sender("b").send().await;
        assert_eq!((refused.said(), refused.slots()), (vec![BUSY], json!([["action_outcome", "rate_limited"]])), "{action}");
    }
    // Who calls again for the turn that runs needs no place.
    let repeat = bot.call("action_x").sender("a").begin();
    tokio::task::yield_now().await;
    held.release();
    assert_eq!((first.await.unwrap().said(), repeat.await.unwrap().said()), (vec!["It is 1."], vec!["It is 1."]));
    assert_eq!(bot.call("action_quick").sender("b").send().await.said(), ["Quick."]);
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn forms_and_sessions_go_on_without_asking_anybody() {
    let held = Held::open().await;
    let bot = bot(&held, "").await;
    let first = bot.call("action_x").sender("a").begin();
    held.asked().await;
    let form = bot.call("validate_number_form").sender("b").active_loop("number_form");
    let answer = form.offer("number", "7").offer("size", "XXL").send().await;
    assert_eq!((answer.said(), answer.slots()), (vec!["S, M or L?"], json!([["number", "7"], ["size", null]])));
    let session = bot.call("action_session_start").sender("b").send().await;
    assert_eq!(session.said(), [BUSY]);
    let events: Vec<_> = session.json["events"].as_array().unwrap().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(events, ["session_started", "slot", "action"]);
    held.release();
    assert_eq!(first.await.unwrap().said(), ["It is 1."]);
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn a_slow_turn_keeps_its_place_until_its_work_ends() {
    let held = Held::open().await;
    let bot = bot(&held, "turn: { slow_after: 50ms, give_up_after: 30s }").await;
    assert_eq!(bot.call("action_x").sender("a").send().await.said(), [SLOW]);
    assert_eq!(bot.call("action_quick").sender("b").send().await.said(), [BUSY]);
    // A second call finds its work; one without work has no place for it.
    assert_eq!(bot.call("action_x").sender("b").second().send().await.said(), [BUSY]);
    let second = bot.call("action_x").sender("a").second().begin();
    held.release();
    assert_eq!(second.await.unwrap().said(), ["It is 1."]);
    assert_eq!(bot.call("action_quick").sender("b").send().await.said(), ["Quick."]);
}

#[tokio::test]
async fn a_place_is_free_again_when_the_caller_goes_away() {
    let held = Held::open().await;
    let bot = bot(&held, "").await;
    let first = bot.call("action_x").sender("a").begin();
    held.asked().await;
    first.abort();
    held.gone().await;
    assert_eq!(bot.call("action_quick").sender("b").send().await.said(), ["Quick."]);
}

/// Sixteen requests at a time, a thousand that wait: the others are told so at once, and nobody is left behind.
#[tokio::test]
async fn a_full_queue_is_said_at_once() {
    let held = Held::open().await;
    let settings = held
        .settings("turn: { slow_after: 300s, give_up_after: 300s }")
        .replace("allow_private: [127.0.0.1]", "allow_private: [127.0.0.1], limits: { concurrent: 2, queue: 3 }");
    let bot = Bot::with(&[
        ("legwork.yml", &settings),
        HELD,
        ("actions/action_x.yml", "steps: [{ call: desk.look, as: number }, { say: \"It is {{ number }}.\" }]"),
    ])
    .await;
    let calls: Vec<_> = (0..20).map(|sender| bot.call("action_x").sender(&format!("s{sender}")).begin()).collect();
    let mut waiting: futures_util::stream::FuturesUnordered<_> = calls.into_iter().collect();
    let mut said = Vec::new();
    while said.len() < 15 {
        let answer = futures_util::StreamExt::next(&mut waiting).await.unwrap().unwrap();
        said.push(answer.said()[0].to_owned());
    }
    assert!(said.iter().all(|said| said == BUSY), "{said:?}");
    for _ in 0..5 {
        held.release();
    }
    while let Some(answer) = futures_util::StreamExt::next(&mut waiting).await {
        assert!(answer.unwrap().said()[0].starts_with("It is"));
    }
    assert_eq!(held.count(), 5);
}
