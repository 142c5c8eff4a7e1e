//! What becomes of the calls of a turn at its deadline, and of the turn whose caller or server goes away.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use chrono::{DateTime, Utc};
use legwork::app;
use legwork::engine::Context;
use legwork::name::CallerName;
use legwork::rasa::{Call, Limits, Reply};
use legwork::time::Clock;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::support::{Answer, Bot, HELD, Held, legwork, place, problems, written};

const SLOW: &str = "I'm still checking. One moment, please.";
const LOOK: &str = "
steps:
  - say: Let me see.
  - call: desk.look
    as: number
  - say: \"It is {{ number }}.\"
";
const MAKE: &str = "
steps:
  - { call: desk.make, as: number }
  - say: \"Made {{ number }}.\"
";
const BRIEFLY: &str = "turn: { slow_after: 50ms, give_up_after: 300ms }";

async fn bot(held: &Held, more: &str, action: &str) -> Bot {
    Bot::with(&[("legwork.yml", &held.settings(more)), HELD, ("actions/action_x.yml", action)]).await
}

#[tokio::test]
async fn a_turn_is_given_up_with_what_was_said_until_then() {
    let held = Held::open().await;
    let bot = bot(&held, BRIEFLY, LOOK).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    let second = bot.call("action_x").second().send().await;
    let said = second.said();
    assert_eq!(said[0], "Let me see.");
    assert!(said.len() == 2 && said[1].starts_with("That is taking longer than it should"), "{said:?}");
    assert_eq!(second.events().as_array().unwrap().len(), 3);
    // What read has stopped.
    held.gone().await;
}

#[tokio::test]
async fn a_wait_ends_with_the_turn() {
    let bot = Bot::with(&[("legwork.yml", BRIEFLY), ("actions/action_x.yml", "steps: [{ say: Hm. }, { wait: 1h }]")]).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    let second = bot.call("action_x").second().send().await;
    assert!(second.said()[1].starts_with("That is taking longer"), "{:?}", second.said());
}

#[tokio::test]
async fn a_write_that_outlasts_the_turn_is_pending_and_ends() {
    let held = Held::open().await;
    let bot = bot(&held, BRIEFLY, MAKE).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    let second = bot.call("action_x").second().send().await;
    let said = second.said().join("\n");
    let reference = said.strip_prefix("I've sent that off").and_then(|rest| rest.split("reference is ").nth(1)).unwrap();
    let reference = reference.trim_end_matches('.');
    assert_eq!(reference.len(), 8, "{said}");
    assert!(bot.log().contains(&format!("reference={reference}")), "{}", bot.log());
    assert!(!bot.log().contains("ended well"));
    held.release();
    held.ended().await;
    while !bot.log().contains("nobody waited for any more ended well") {
        tokio::task::yield_now().await;
    }
    assert_eq!(held.count(), 1);
}

#[tokio::test]
async fn what_an_action_says_of_failures_is_not_said_of_a_write_under_way() {
    let held = Held::open().await;
    let action = "
steps:
  - call: desk.make
    as: number
    outcomes: { otherwise: [{ say: That failed. }] }
";
    let bot = bot(&held, BRIEFLY, action).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    let second = bot.call("action_x").second().send().await;
    assert!(second.said()[0].starts_with("I've sent that off"), "{:?}", second.said());
    held.release();
    held.ended().await;
}

/// The titles of an answer's buttons.
fn titles(answer: &Answer) -> Vec<&str> {
    let buttons = answer.messages().iter().flat_map(|message| message["buttons"].as_array().unwrap());
    buttons.map(|button| button["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_slow_or_pending_is_not_offered_again() {
    let held = Held::open().await;
    let words = "messages: { human_intent: person, ticket_intent: leave_note }\ncontact: { en: Call us. }";
    let settings = held.settings(&format!("{BRIEFLY}\n{words}"));
    let bot =
        Bot::with(&[("legwork.yml", &settings), HELD, ("actions/action_x.yml", MAKE), ("actions/action_look.yml", LOOK)])
            .await;
    let tells = |action: &str| bot.call(action).sender(action).slot("action_outcome", json!(null));
    let first = tells("action_x").send().await;
    assert_eq!((first.said(), titles(&first), first.slots()), (vec![SLOW], vec![], json!([])));
    let second = tells("action_x").second().send().await;
    assert!(second.said()[0].ends_with(". Call us."), "{:?}", second.said());
    assert_eq!((titles(&second), second.slots()), (vec!["Talk to a person"], json!([["action_outcome", "pending"]])));
    held.release();
    held.ended().await;
    // What only read may be tried again, the turn being known by what its first call said.
    assert_eq!(tells("action_look").send().await.said(), [SLOW]);
    let second = tells("action_look").second().send().await;
    assert_eq!(titles(&second), ["Try again", "Talk to a person", "Leave a message"]);
    assert_eq!(second.slots(), json!([["action_outcome", "timeout"]]));
}

#[tokio::test]
async fn an_action_may_say_pending_and_slow_in_its_own_words() {
    let held = Held::open().await;
    let action = "
steps:
  - call: desk.make
    as: number
    outcomes: { pending: [{ say: \"Soon ({{ fault.reference | length }}).\" }] }
";
    let words =
        "messages: { en: { slow: \"A moment, {{ slots.name }}.\" }, de: { slow: Moment. } }\nlocale: \"{{ slots.locale }}\"";
    let bot = bot(&held, &format!("{BRIEFLY}\n{words}"), action).await;
    let call = |locale: &str| bot.call("action_x").slot("name", "Sarah").slot("locale", locale).sender(locale);
    assert_eq!(call("en").send().await.said(), ["A moment, Sarah."]);
    assert_eq!(call("de").send().await.said(), ["Moment."]);
    assert_eq!(call("en").second().send().await.said(), ["Soon (8)."]);
    held.release();
    held.release();
    for _ in 0..2 {
        held.ended().await;
    }
}

#[tokio::test]
async fn a_channel_and_an_action_have_times_of_their_own() {
    let held = Held::open().await;
    let settings = held.settings("turn: { slow_after: 30s, give_up_after: 30s, channels: { slack: { slow_after: 50ms } } }");
    let own = format!("turn: {{ slow_after: 50ms }}\n{LOOK}");
    let bot =
        Bot::with(&[("legwork.yml", &settings), HELD, ("actions/action_x.yml", LOOK), ("actions/action_own.yml", &own)])
            .await;
    assert_eq!(bot.call("action_x").channel("slack").send().await.said(), [SLOW]);
    assert_eq!(bot.call("action_own").send().await.said(), [SLOW]);
    held.asked().await;
    held.asked().await;
    let patient = bot.call("action_x").sender("patient").begin();
    held.asked().await;
    for _ in 0..3 {
        held.release();
    }
    assert_eq!(patient.await.unwrap().said(), ["Let me see.", "It is 3."]);
}

#[tokio::test]
async fn what_rasa_runs_inside_of_a_step_answers_in_time_and_once() {
    let held = Held::open().await;
    let domain = "
forms: { order_form: { required_slots: [order] } }
slots:
  order: { type: text, mappings: [{ type: from_text, conditions: [{ active_loop: order_form }] }] }
  segment: { type: text, mappings: [{ type: custom, action: action_segment }] }
actions: [validate_order_form, action_segment, action_ask_order, action_session_start, action_validate_slot_mappings]
";
    let look = "steps: [{ call: desk.look, as: number }, { set: { segment: \"{{ number }}\" } }]";
    let form = "slots: { order: { call: desk.look } }";
    let bot = Bot::with(&[
        ("legwork.yml", &held.settings("turn: { slow_after: 50ms, give_up_after: 30s }\ndomain: domain.yml")),
        ("domain.yml", domain),
        HELD,
        ("actions/validate_order_form.yml", form),
        ("actions/action_validate_slot_mappings.yml", "slots: { segment: { call: desk.look } }"),
        ("actions/action_segment.yml", look),
        ("actions/action_ask_order.yml", look),
        ("actions/action_session_start.yml", look),
    ])
    .await;
    let validated = bot.call("validate_order_form").active_loop("order_form").offer("order", "1001").send().await;
    // A value that cannot be looked up is taken unseen, as the form's file would otherwise say.
    assert_eq!(validated.events(), json!([{ "event": "slot", "name": "order", "value": "1001" }]));
    let mapped = bot.call("action_validate_slot_mappings").offer("segment", "gold").send().await;
    assert_eq!(mapped.slots(), json!([["segment", "gold"]]));
    for action in ["action_segment", "action_ask_order"] {
        let answer = bot.call(action).send().await;
        assert!(answer.said()[0].starts_with("That is taking longer"), "{action}: {:?}", answer.said());
        assert_eq!(answer.events(), json!([]), "{action}");
    }
    let session = bot.call("action_session_start").send().await;
    assert_eq!(session.events(), json!([{ "event": "session_started" }, { "event": "action", "name": "action_listen" }]));
}

#[tokio::test]
async fn without_a_domain_of_its_own_the_calls_domain_tells_what_fills_a_slot() {
    let held = Held::open().await;
    let bot = bot(&held, BRIEFLY, LOOK).await;
    let filled = json!({ "slots": { "a": { "type": "text", "mappings": [{ "type": "custom", "action": "action_x" }] } } });
    assert!(bot.call("action_x").domain(filled).send().await.said()[1].starts_with("That is taking longer"));
    let other = json!({ "slots": { "a": { "type": "text" } }, "actions": ["action_x"] });
    assert_eq!(bot.call("action_x").domain(other).send().await.said(), [SLOW]);
}

#[tokio::test]
async fn when_the_caller_is_gone_what_reads_stops_and_what_writes_ends() {
    let held = Held::open().await;
    let both = "steps: [{ together: [{ call: desk.look }, { call: desk.make }] }, { call: desk.make }]";
    let bot = bot(&held, "", both).await;
    let going = bot.call("action_x").begin();
    held.asked().await;
    held.asked().await;
    going.abort();
    held.gone().await;
    held.release();
    held.ended().await;
    while !bot.log().contains("nobody waited for any more ended well") {
        tokio::task::yield_now().await;
    }
    // Nothing that was to come after it has begun.
    assert_eq!(held.count(), 2);
}

#[tokio::test]
async fn a_server_that_stops_lets_slow_work_end() {
    let held = Held::open().await;
    let bot = bot(&held, "turn: { slow_after: 50ms, give_up_after: 20s }", MAKE).await;
    assert_eq!(bot.call("action_x").send().await.said(), [SLOW]);
    held.asked().await;
    let stopped = AtomicBool::new(false);
    let stopping = async {
        bot.stop().await;
        stopped.store(true, Ordering::SeqCst);
    };
    let releasing = async {
        while TcpStream::connect(bot.address()).is_ok() {
            tokio::task::yield_now().await;
        }
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert!(!stopped.load(Ordering::SeqCst), "it stopped while a write was under way");
        held.release();
    };
    tokio::join!(stopping, releasing);
    held.ended().await;
    assert!(!bot.log().contains("still under way"), "{}", bot.log());
}

/// A clock that breaks when it is asked too often.
struct Brittle(AtomicUsize);

impl Clock for Brittle {
    fn now(&self) -> DateTime<Utc> {
        assert!(self.0.fetch_add(1, Ordering::SeqCst) < 2, "the clock is broken");
        "2026-01-20T12:00:00Z".parse().unwrap()
    }
}

#[tokio::test]
async fn an_action_that_breaks_off_ends_with_words() {
    let folder = written(&[("actions/action_x.yml", "steps: [{ call: shop.find_order, with: { number: \"1001\" } }]")]);
    let (project, _) = app::load(&place(folder.path()));
    let engine = app::engine(Arc::new(project.unwrap()), &place(folder.path()), Arc::new(Brittle(AtomicUsize::new(0))))
        .await
        .unwrap();
    let body = json!({ "next_action": "action_x", "sender_id": "a", "tracker": { "sender_id": "a" } }).to_string();
    let call = Call::decode(body.into(), &Limits::default()).unwrap();
    let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("r") };
    let Reply::Answer(answer) = engine.run(call, context).await.unwrap() else { panic!("no answer") };
    let text = answer.responses[0].text.as_deref().unwrap();
    assert!(answer.responses.len() == 1 && text.starts_with("Something went wrong on our side"), "{text}");
}

#[test]
fn a_test_hears_both_answers_of_a_slow_turn_and_try_makes_them_one() {
    let folder = written(&[
        ("legwork.yml", "turn: { slow_after: 1ms, give_up_after: 30s }"),
        (
            "actions/action_x.yml",
            "steps: [{ wait: 20ms }, { say: Done. }]\ntests: [{ it: waits, expect: { said: [/still checking/, Done.], events: [] } }]\n",
        ),
    ]);
    let ran = legwork(folder.path(), &["test"]);
    assert_eq!(ran.code, Some(0), "{}", ran.printed);
    let tried = legwork(folder.path(), &["try", "action_x"]);
    assert!(tried.printed.contains("Done.") && !tried.printed.contains("still checking"), "{}", tried.printed);
}

#[test]
fn times_that_contradict_each_other_are_refused() {
    let found = |text: &str| problems(&[("legwork.yml", text)]);
    assert!(found("turn: { slow_after: 20s }")[0].contains("`slow_after` comes later than `give_up_after`, which is 15s"));
    assert!(found("turn: { channels: { slack: { slow_after: 20s } } }")[0].contains("bad-value legwork.yml:1"));
    for fine in [
        "turn: { give_up_after: 2s }",
        "turn: { slow_after: 15s }",
        "turn: { slow_after: 20s, give_up_after: 1m }",
        "turn: { channels: { slack: { slow_after: 20s, give_up_after: 30s }, voice: { give_up_after: 1s } } }",
    ] {
        assert_eq!(found(fine), [""; 0], "{fine}");
    }
    assert!(found("messages: { en: { slow: Wait., pending: Soon. } }").is_empty());
    let handled = "steps: [{ call: shop.find_order, with: { number: \"1\" }, outcomes: { slow: Wait. } }]";
    let found = problems(&[("actions/action_x.yml", handled)]);
    assert!(found[0].starts_with("unknown-outcome"), "{found:?}");
}
