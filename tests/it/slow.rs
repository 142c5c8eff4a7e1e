//! A turn that is slow, as Rasa meets it: two calls, two answers, one run in the history.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::support::{Bot, HELD, Held, written};

const SLOW: &str = "I'm still checking. One moment, please.";

/// Says something, looks something up, says and sets it.
const LOOK: &str = "
steps:
  - say: Let me see.
  - call: desk.look
    as: number
  - say: \"It is {{ number }}.\"
  - set: { number: \"{{ number }}\" }
";

/// A turn is slow at once; the system decides what comes then.
const QUICKLY: &str = "turn: { slow_after: 50ms, give_up_after: 30s }";

async fn bot(held: &Held, more: &str, action: &str) -> Bot {
    Bot::with(&[("legwork.yml", &held.settings(more)), HELD, ("actions/action_x.yml", action)]).await
}

fn followup() -> Value {
    json!([{ "event": "followup", "name": "action_x" }])
}

/// The events of a second answer.
fn one_run(more: Value) -> Value {
    let mut events =
        vec![json!({ "event": "undo" }), json!({ "event": "undo" }), json!({ "event": "action", "name": "action_x" })];
    events.extend(more.as_array().unwrap().iter().cloned());
    Value::Array(events)
}

fn number(number: u32) -> Value {
    json!([{ "event": "slot", "name": "number", "value": number }])
}

#[tokio::test]
async fn the_result_of_a_slow_turn_comes_with_the_second_call() {
    let held = Held::open().await;
    let bot = bot(&held, QUICKLY, LOOK).await;
    let first = bot.call("action_x").send().await;
    assert_eq!((first.said(), first.events()), (vec![SLOW], followup()));
    let second = bot.call("action_x").second().begin();
    held.release();
    let second = second.await.unwrap();
    assert_eq!((second.said(), second.events()), (vec!["Let me see.", "It is 1."], one_run(number(1))));
    let action = &second.json["events"][2];
    assert_eq!((&action["policy"], &action["confidence"]), (&Value::Null, &Value::Null));
    assert!(action.as_object().unwrap().contains_key("policy") && action.as_object().unwrap().contains_key("confidence"));
    // Rasa repeats the second call, the result being there.
    let again = bot.call("action_x").second().send().await;
    assert_eq!(again.json, second.json);
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn a_turn_that_is_quick_is_answered_once() {
    let held = Held::open().await;
    let bot = bot(&held, "", LOOK).await;
    held.release();
    let answer = bot.call("action_x").send().await;
    assert_eq!((answer.said(), answer.events()), (vec!["Let me see.", "It is 1."], number(1)));
    // What is over is over: the same message may run the action again.
    held.release();
    assert_eq!(bot.call("action_x").send().await.slots(), json!([["number", 2]]));
}

#[tokio::test]
async fn a_repeat_of_the_first_call_gets_the_first_answer() {
    let held = Held::open().await;
    let bot = bot(&held, QUICKLY, LOOK).await;
    let (first, repeat) = (bot.call("action_x").begin(), bot.call("action_x").begin());
    let (first, repeat) = (first.await.unwrap(), repeat.await.unwrap());
    assert_eq!((first.said(), first.events()), (vec![SLOW], followup()));
    assert_eq!(repeat.json, first.json);
    // One that comes late is no second call either, although only its tracker tells.
    for key in ["followup_action", "latest_action_name"] {
        assert_eq!(bot.call("action_x").tracker(key, "action_x").send().await.json, first.json, "{key}");
    }
    held.release();
    held.ended().await;
    assert_eq!(bot.call("action_x").send().await.json, first.json);
    assert_eq!(bot.call("action_x").second().send().await.slots(), json!([["number", 1]]));
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn a_repeat_of_a_quick_call_shares_its_answer() {
    let held = Held::open().await;
    let bot = bot(&held, "turn: { slow_after: 30s, give_up_after: 60s }", LOOK).await;
    let first = bot.call("action_x").begin();
    held.asked().await;
    let repeat = bot.call("action_x").begin();
    while !bot.log().contains("kind=\"repeat\"") {
        tokio::task::yield_now().await;
    }
    held.release();
    assert_eq!(first.await.unwrap().json, repeat.await.unwrap().json);
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn the_same_action_later_in_the_turn_runs_again() {
    let held = Held::open().await;
    let bot = bot(&held, QUICKLY, LOOK).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    held.release();
    assert_eq!(bot.call("action_x").second().send().await.slots(), json!([["number", 1]]));
    let later = json!([{ "event": "action", "name": "action_x" }, { "event": "slot", "name": "number", "value": 1 }]);
    assert_eq!(bot.call("action_x").events(later.clone()).send().await.said(), [SLOW]);
    held.release();
    assert_eq!(bot.call("action_x").events(later).second().send().await.slots(), json!([["number", 2]]));
}

#[tokio::test]
async fn a_result_that_nobody_takes_is_dropped_and_a_late_second_call_runs_the_action_afresh() {
    let held = Held::open().await;
    let bot = bot(&held, &format!("{QUICKLY}\nstores: {{ keep: {{ running: 1ms }} }}"), LOOK).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    held.release();
    while !bot.log().contains("was never asked for") {
        tokio::task::yield_now().await;
    }
    held.release();
    let second = bot.call("action_x").second().send().await;
    assert_eq!((second.said(), second.events()), (vec!["Let me see.", "It is 2."], one_run(number(2))));
}

#[tokio::test]
async fn after_a_restart_the_second_call_runs_the_action_afresh_and_waits_for_it() {
    let held = Held::open().await;
    let folder = written(&[("legwork.yml", &held.settings(QUICKLY)), HELD, ("actions/action_x.yml", LOOK)]);
    {
        let before = Bot::at(folder.path()).await;
        assert_eq!(before.call("action_x").send().await.said(), [SLOW]);
        held.release();
        before.stop().await;
    }
    let bot = Bot::at(folder.path()).await;
    let second = bot.call("action_x").second().begin();
    held.asked().await;
    held.asked().await;
    // It comes again, and a repeat of the first with it.
    let again = bot.call("action_x").second().begin();
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    held.release();
    let second = second.await.unwrap();
    assert_eq!((second.said(), second.events()), (vec!["Let me see.", "It is 2."], one_run(number(2))));
    assert_eq!(again.await.unwrap().json, second.json);
    assert_eq!(held.count(), 2);
}

#[tokio::test]
async fn nobody_else_joins() {
    let held = Held::open().await;
    let auth = "server: { auth: [{ name: one, token: '${file:one.txt}' }, { name: two, token: '${file:two.txt}' }] }";
    let bot = Bot::with(&[
        ("legwork.yml", &held.settings(&format!("{QUICKLY}\n{auth}"))),
        HELD,
        ("actions/action_x.yml", LOOK),
        ("one.txt", "token-of-the-first"),
        ("two.txt", "token-of-the-second"),
    ])
    .await;
    let call = |token: &str, sender: &str| bot.call("action_x").caller(token).sender(sender);
    assert_eq!(call("token-of-the-first", "a").send().await.said(), [SLOW]);
    held.asked().await;
    let others = [
        call("token-of-the-second", "a").second().begin(),
        call("token-of-the-first", "b").second().begin(),
        call("token-of-the-first", "a").message("message_id", "m2").second().begin(),
    ];
    for _ in &others {
        // Each of them asks for itself.
        held.asked().await;
    }
    for _ in 0..4 {
        held.release();
    }
    let mut numbers = vec![call("token-of-the-first", "a").second().send().await.slot("number").clone()];
    for other in others {
        numbers.push(other.await.unwrap().slot("number").clone());
    }
    numbers.sort_by_key(Value::as_u64);
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn a_turn_without_a_message_id_is_known_by_the_users_last_event() {
    let held = Held::open().await;
    let bot = bot(&held, QUICKLY, LOOK).await;
    let said = |at: f64| json!([{ "event": "user", "text": "EXTERNAL: x", "timestamp": at }]);
    let call = |at: f64| bot.call("action_x").message("message_id", Value::Null).events(said(at));
    assert_eq!(call(1.0).send().await.said(), [SLOW]);
    assert_eq!(call(2.0).send().await.said(), [SLOW]);
    held.release();
    held.release();
    let mut numbers = [call(1.0).second().send().await, call(2.0).second().send().await].map(|it| it.slot("number").clone());
    numbers.sort_by_key(Value::as_u64);
    assert_eq!(numbers, [1, 2]);
}

#[tokio::test]
async fn an_assistant_driven_by_flows_needs_no_undo() {
    let held = Held::open().await;
    let bot = bot(&held, QUICKLY, LOOK).await;
    let call = || bot.call("action_x").tracker("stack", json!([{ "frame_id": "1", "flow_id": "orders" }]));
    let first = call().send().await;
    assert_eq!((first.said(), first.events()), (vec![SLOW], followup()));
    held.release();
    let second = call().second().send().await;
    assert_eq!((second.said(), second.events()), (vec!["Let me see.", "It is 1."], number(1)));
    // Rasa Pro sends the key always; an empty one is none.
    let second = bot.call("action_x").tracker("stack", json!([])).second().send().await;
    assert_eq!(second.events(), one_run(number(1)));
}

#[tokio::test]
async fn an_action_that_declines_late_leaves_what_a_refused_run_leaves() {
    let held = Held::open().await;
    let action = "steps: [{ call: desk.look, as: number }, { reject: \"Not {{ number }}.\" }]";
    let bot = bot(&held, QUICKLY, action).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    held.release();
    let second = bot.call("action_x").second().send().await;
    let refused = json!({ "event": "action_execution_rejected", "name": "action_x" });
    assert_eq!((second.said(), second.events()), (vec![], json!([{ "event": "undo" }, refused])));
    let flows = bot.call("action_x").second().tracker("stack", json!([{ "flow_id": "orders" }])).send().await;
    assert_eq!((flows.status, &flows.json["action_name"]), (400, &json!("action_x")));
}

#[tokio::test]
async fn an_action_that_would_follow_up_itself_is_kept_from_it() {
    let action = "steps: [{ say: Hm. }, { event: { followup: \"{{ 'action_' ~ 'x' }}\" } }]";
    let bot = Bot::with(&[("actions/action_x.yml", action)]).await;
    let answer = bot.call("action_x").send().await;
    assert_eq!((answer.said(), answer.events()), (vec!["Hm."], json!([])));
    assert!(bot.log().contains("asks for itself again"), "{}", bot.log());
}
