//! Actions that are written in Rust: in the same turn, with the same systems and the same words as those in YAML.

use legwork::engine::{NativeAction, Natives, Turn};
use legwork::fault::{Fault, Outcome};
use legwork::rasa::{EventKind, Message};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::support::{Bot, Call, HELD, Held, Mood, TILL, Till};

/// An action that does what is in the slot `does`.
struct Does(&'static str, bool);

impl NativeAction for Does {
    fn name(&self) -> &str {
        self.0
    }

    fn writes(&self) -> bool {
        self.1
    }

    async fn run(&self, turn: &mut Turn<'_>) -> Result<(), Fault> {
        match turn.slot("does").and_then(|does| does.as_str().map(str::to_owned)).unwrap_or_default().as_str() {
            "tell" => {
                let colour = turn.entities()[0]["value"].clone();
                turn.say(format!("{} {} {:?} {colour}", turn.sender(), turn.locale(), turn.user_text()));
                turn.say_message(Message::response("utter_bye", serde_json::Map::new()));
                turn.set_slot("seen", true);
                assert_eq!(turn.slot("seen"), Some(json!(true)));
                turn.event(EventKind::Followup { name: "action_listen".to_owned() }.into());
            }
            "look" => {
                turn.say("Let me see.");
                let number = turn.call("desk.look", json!({})).await?;
                turn.say(format!("It is {number}."));
            }
            "note" => {
                let one = turn.call("till.keyed", json!({ "text": "one" })).await?;
                let two = turn.call("till.keyed", json!({ "text": "two" })).await?;
                turn.say(format!("{} and {}.", one["number"], two["number"]));
            }
            "decline" => turn.reject("not mine"),
            "refuse" => return Err(Fault::new(Outcome::Denied, "it is not theirs")),
            "nowhere" => drop(turn.call("till.nothing", json!({})).await?),
            "wrong" => drop(turn.call("till.keyed", json!([])).await?),
            other => panic!("{other}"),
        }
        Ok(())
    }
}

fn natives() -> Natives {
    let mut natives = Natives::default();
    natives.add(Does("action_does", true)).unwrap();
    natives.add(Does("action_reads", false)).unwrap();
    natives
}

fn does<'a>(bot: &'a Bot, what: &str) -> Call<'a> {
    bot.call("action_does").slot("does", what)
}

async fn bot(till: &Till) -> Bot {
    let settings = till.settings("");
    Bot::native(&[("legwork.yml", &settings), TILL], natives()).await
}

#[tokio::test]
async fn it_sees_the_turn_and_says_and_sets_what_it_likes() {
    let bot = bot(&Till::open().await).await;
    let answer = does(&bot, "tell").text("hello").entity("colour", "red").send().await;
    assert_eq!(answer.said()[0], "default en Some(\"hello\") \"red\"");
    assert_eq!(answer.messages()[1]["response"], "utter_bye");
    let set = json!({ "event": "slot", "name": "seen", "value": true });
    assert_eq!(answer.events(), json!([set, { "event": "followup", "name": "action_listen" }]));
    assert_eq!(does(&bot, "decline").send().await.status, 400);
    assert!(does(&bot, "refuse").send().await.said()[0].starts_with("I'm not allowed"), "the words of the outcome");
}

#[tokio::test]
async fn its_calls_are_cached_slow_and_given_up_as_those_of_steps_are() {
    let held = Held::open().await;
    let settings = held.settings("turn: { slow_after: 100ms, give_up_after: 10s }");
    let bot = Bot::native(&[("legwork.yml", &settings), HELD], natives()).await;
    let first = does(&bot, "look").send().await;
    assert_eq!(first.said(), ["I'm still checking. One moment, please."]);
    held.asked().await;
    let second = does(&bot, "look").second().begin();
    held.release();
    assert_eq!(second.await.unwrap().said(), ["Let me see.", "It is 1."]);
}

#[tokio::test]
async fn what_it_changes_is_changed_once() {
    let till = Till::open().await;
    let bot = bot(&till).await;
    let turn = |message: &str| does(&bot, "note").message("message_id", message);
    till.becomes_to("two", Mood::Down);
    let first = turn("m1").send().await;
    assert!(first.said()[0].starts_with("I'm having trouble"), "{:?}", first.said());
    assert_eq!(turn("m1").send().await.json, first.json, "the same turn gets the same answer");
    till.becomes_to("two", Mood::Well);
    assert_eq!(turn("m2").send().await.said(), ["\"N-1\" and \"N-2\"."], "it goes on where it failed");
    assert_eq!(till.done(), ["one", "two"]);
}

#[tokio::test]
async fn what_it_asks_for_wrongly_is_told_the_operator() {
    let till = Till::open().await;
    let bot = bot(&till).await;
    for (does_what, told) in [
        ("nowhere", "the project has no operation `till.nothing`"),
        ("wrong", "the inputs of `till.keyed` are no object"),
        ("note", "the action says that it does not"),
    ] {
        bot.expect_error(told);
        let action = if does_what == "note" { "action_reads" } else { "action_does" };
        let answer = bot.call(action).slot("does", does_what).send().await;
        assert_eq!((answer.said().len(), till.done().len()), (1, 0), "{does_what}");
        assert!(bot.log().contains(told), "{}", bot.log());
    }
    let broken = does(&bot, "something else").send().await;
    assert_eq!((broken.status, broken.said().len()), (200, 1), "a panic ends the turn, and in words");
}

#[test]
fn names_are_names_and_each_is_one_actions() {
    let mut natives = natives();
    assert!(natives.add(Does("action does", true)).unwrap_err().contains("no name of an action"));
    assert!(natives.add(Does("action_does", true)).unwrap_err().contains("two actions"));
}
