//! Actions with several writes: each once though the turn fails and is tried again, earlier ones taken back, and what was done
//! and what was not said in one message.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::support::{Answer, Bot, Call, Mood, TILL, Till};

const REFUSED: &str = "That isn't possible in its present state.";
const DOWN: &str = "I'm having trouble accessing that right now. Please try again in a few minutes.";

async fn bot(till: &Till, action: &str) -> Bot {
    more(till, "", &[("actions/action_x.yml", action)]).await
}

async fn more(till: &Till, settings: &str, files: &[(&str, &str)]) -> Bot {
    let settings = till.settings(settings);
    let all: Vec<_> = [("legwork.yml", settings.as_str()), TILL].into_iter().chain(files.iter().copied()).collect();
    Bot::with(&all).await
}

/// A turn of the conversation about that message, longer after the one before than anything counts as its repeat.
fn turn<'a>(bot: &'a Bot, message: &str) -> Call<'a> {
    bot.pass(300);
    bot.call("action_x").message("message_id", message)
}

fn titles(answer: &Answer) -> Vec<&Value> {
    let buttons = answer.messages().iter().flat_map(|message| message["buttons"].as_array().unwrap());
    buttons.map(|button| &button["title"]).collect()
}

const THREE: &str = "
steps:
  - { call: till.keyed, with: { text: one }, as: one }
  - { call: till.OPERATION, with: { text: two }, as: two }
  - { call: till.keyed, with: { text: three }, as: three }
  - say: \"{{ one.number }}, {{ two.number }}, {{ three.number }}.\"
";

#[tokio::test]
async fn a_run_goes_on_with_the_write_that_failed() {
    for (operation, mood, said) in [
        ("keyed", Mood::Down, DOWN),
        ("keyed", Mood::Refuses, REFUSED),
        ("keyed", Mood::Loses, "I'm having trouble"),
        ("plain", Mood::Refuses, REFUSED),
        ("pay", Mood::Loses, "I'm having trouble"),
    ] {
        let till = Till::open().await;
        let bot = bot(&till, &THREE.replace("OPERATION", operation)).await;
        till.becomes_to("two", mood);
        let first = turn(&bot, "m1").send().await;
        assert!(first.said()[0].starts_with(said), "{operation} {mood:?}: {:?}", first.said());
        assert!(first.said()[0].ends_with("A part of it is done already."), "{:?}", first.said());
        assert_eq!(turn(&bot, "m1").send().await.json, first.json, "the same turn");
        assert!(turn(&bot, "m2").send().await.said()[0].starts_with(said), "it is no better yet");
        till.becomes_to("two", Mood::Well);
        let third = turn(&bot, "m3").send().await;
        assert_eq!(third.said(), ["N-1, N-2, N-3."], "{operation} {mood:?}");
        assert_eq!(till.done(), ["one", "two", "three"], "{operation} {mood:?}");
        // It has come to its end: the same wish is a new one, all of it, though the first write was made by another turn.
        assert_eq!(turn(&bot, "m4").send().await.said(), ["N-4, N-5, N-6."], "{operation} {mood:?}");
    }
}

#[tokio::test]
async fn nobody_sends_again_what_may_be_done() {
    let till = Till::open().await;
    let bot = bot(&till, &THREE.replace("OPERATION", "plain")).await;
    till.becomes_to("two", Mood::Loses);
    for message in ["m1", "m2"] {
        let said = turn(&bot, message).send().await;
        assert!(said.said()[0].contains("can't tell whether"), "{:?}", said.said());
        till.becomes_to("two", Mood::Well);
    }
    assert_eq!(till.done(), ["one", "two"]);
}

#[tokio::test]
async fn loops_shared_steps_and_outcomes_go_on_where_they_failed() {
    let shared = (
        "actions/shared/note.yml",
        "inputs: { text: {} }\nsteps:\n  - { call: till.keyed, with: { text: \"{{ text }}\" } }\n  - { call: till.keyed, with: { text: \"{{ text }}!\" } }\n",
    );
    for (failing, steps, all) in [
        (
            "c",
            "[{ each: \"['a', 'b', 'c', 'd']\", as: it, steps: [{ call: till.keyed, with: { text: \"{{ it }}\" } }] }]",
            "abcd",
        ),
        // Equal items are two things.
        ("b", "[{ each: \"['a', 'a', 'b']\", as: it, steps: [{ call: till.keyed, with: { text: \"{{ it }}\" } }] }]", "aab"),
        ("b", "[{ together: [{ call: till.keyed, with: { text: a } }, { call: till.keyed, with: { text: b } }] }]", "ab"),
        // Of steps in one line, too.
        (
            "c",
            "[{ use: note, with: { text: a } }, { use: note, with: { text: a } }, { call: till.keyed, with: { text: c } }]",
            "aa!aa!c",
        ),
        (
            "b",
            "[{ call: till.keyed, with: { text: a } }, { call: till.looked, with: { text: no }, outcomes: { conflict: [{ call: till.keyed, with: { text: b } }, { continue: 1 }] } }, { call: till.keyed, with: { text: c } }]",
            "abc",
        ),
    ] {
        let till = Till::open().await;
        let steps = format!("steps: {}\n", steps.replace("}, {", "},\n  {"));
        let bot = more(&till, "", &[shared, ("actions/action_x.yml", &steps)]).await;
        till.becomes_to("no", Mood::Refuses);
        till.becomes_to(failing, Mood::Down);
        assert!(turn(&bot, "m1").send().await.said()[0].starts_with(DOWN), "{steps}");
        till.becomes_to(failing, Mood::Well);
        assert_eq!(turn(&bot, "m2").send().await.said(), [""; 0], "{steps}");
        let mut done = till.done();
        if steps.contains("use:") {
            assert_eq!(done, ["a", "a!", "a", "a!", "c"]);
            continue;
        }
        done.sort();
        assert_eq!(done.concat(), all, "{steps}");
    }
}

#[tokio::test]
async fn steps_in_one_line_are_several() {
    let till = Till::open().await;
    let bot = bot(
        &till,
        "steps: [{ call: till.keyed, with: { text: a } }, { call: till.keyed, with: { text: a } }, { say: Twice. }]\n",
    )
    .await;
    assert_eq!(turn(&bot, "m1").send().await.said(), ["Twice."]);
    assert_eq!(till.done(), ["a", "a"]);
}

const TRIP: &str = "
inputs: { who: { default: Ann } }
steps:
  - call: till.keyed
    with: { text: flight }
    as: flight
    title: the flight
    undo: { call: till.keyed, with: { text: \"no {{ flight.number }} for {{ who }}\" } }
  - { call: till.keyed, with: { text: car }, title: the car }
  - call: till.keyed
    with: { text: hotel }
    as: hotel
    title: \"{{ who }}'s hotel\"
    undo: { call: till.keyed, with: { text: \"no {{ hotel.number }}\" } }
  - { call: till.keyed, with: { text: tour }, title: the tour }
  - { call: till.keyed, with: { text: mail }, title: the mail to you }
  - { call: till.keyed, with: { text: tip }, title: a tip, when: slots.tips }
  - say: Have a nice trip.
";

#[tokio::test]
async fn what_was_done_is_taken_back_the_latest_first_and_told_in_one_message() {
    let till = Till::open().await;
    let bot =
        more(&till, "messages: { human_intent: human }\ncontact: { en: Call us. }", &[("actions/action_x.yml", TRIP)]).await;
    till.becomes_to("tour", Mood::Refuses);
    let first = turn(&bot, "m1").send().await;
    let told = "This is done: the car. This was taken back: the flight and Ann's hotel. \
                This is not done: the tour and the mail to you.";
    assert_eq!(first.said(), [format!("{REFUSED} {told} Call us.")]);
    assert_eq!(titles(&first), ["Talk to a person"]);
    assert_eq!(till.done(), ["flight", "car", "hotel", "no N-3", "no N-1 for Ann"]);
    assert_eq!(turn(&bot, "m1").send().await.json, first.json);
    // The next try makes anew what was taken back, and only that; and takes it back as often as it has to.
    turn(&bot, "m2").send().await;
    let more = ["flight", "hotel", "no N-7", "no N-6 for Ann"];
    assert_eq!(till.done()[5..], more);
    till.becomes_to("tour", Mood::Well);
    assert_eq!(turn(&bot, "m3").send().await.said(), ["Have a nice trip."]);
    assert_eq!(till.done()[9..], ["flight", "hotel", "tour", "mail"]);
}

#[tokio::test]
async fn what_may_still_come_about_leaves_what_was_done_as_it_is() {
    let till = Till::open().await;
    let bot = bot(&till, TRIP).await;
    till.becomes_to("tour", Mood::Loses);
    let first = turn(&bot, "m1").send().await;
    let told = "This is done: the flight, the car and Ann's hotel. I can't tell whether this is done: the tour. \
                This is not done: the mail to you.";
    assert_eq!(first.said(), [format!("{DOWN} {told}")]);
    till.becomes_to("tour", Mood::Well);
    assert_eq!(turn(&bot, "m2").send().await.said(), ["Have a nice trip."]);
    assert_eq!(till.done(), ["flight", "car", "hotel", "tour", "mail"]);
}

#[tokio::test]
async fn what_cannot_be_taken_back_now_is_taken_back_later() {
    let till = Till::open().await;
    let bot = bot(&till, TRIP).await;
    till.becomes_to("tour", Mood::Refuses);
    till.becomes_to("no ", Mood::Down);
    let told = "This is done: the car. This will be taken back: the flight and Ann's hotel. \
                This is not done: the tour and the mail to you.";
    assert_eq!(turn(&bot, "m1").send().await.said(), [format!("{REFUSED} {told}")]);
    till.becomes_to("no ", Mood::Well);
    bot.pass(60);
    bot.delivers().await;
    bot.pass(60);
    bot.delivers().await;
    assert_eq!(till.done(), ["flight", "car", "hotel", "no N-3", "no N-1 for Ann"]);
    // Made anew from then on.
    till.becomes_to("tour", Mood::Well);
    turn(&bot, "m2").send().await;
    assert_eq!(till.done()[5..], ["flight", "hotel", "tour", "mail"]);
}

/// Its `pour` never comes to an end.
const POURING: (&str, &str) = (
    "connectors/notes.yml",
    "
kind: sql
description: Keeps notes.
database: ':memory:'
tables: [{ create: create table notes (text text) }]
operations:
  note: { kind: write, inputs: { text: { required: true } }, sql: insert into notes values (:text) }
  erase: { kind: write, inputs: { text: { required: true } }, sql: delete from notes where text = :text }
  all: { sql: select group_concat(text) from notes, take: value }
  pour: { kind: write, sql: insert into notes with recursive n(i) as (select 1 union all select i + 1 from n) select i from n }
",
);

#[tokio::test]
async fn what_ran_out_of_time_is_not_done_and_what_was_done_is_taken_back() {
    let action = "
steps:
  - { call: notes.note, with: { text: a }, title: A, undo: { call: notes.erase, with: { text: a } } }
  - { call: notes.note, with: { text: b }, title: B }
  - { call: notes.pour, title: C }
";
    let look = "steps: [{ call: notes.all, as: all }, { say: \"{{ all }}\" }]\n";
    let settings = "connections: { notes: { connector: notes } }\nturn: { give_up_after: 1s }\n";
    let files = [POURING, ("actions/action_x.yml", action), ("actions/action_look.yml", look), ("legwork.yml", settings)];
    let bot = Bot::with(&files).await;
    let said = turn(&bot, "m1").send().await;
    assert_eq!(said.said().len(), 1);
    assert!(said.said()[0].contains("This is done: B. "), "{:?}", said.said());
    assert!(said.said()[0].ends_with("This is not done: C."), "{:?}", said.said());
    // What there was no time for comes about by itself.
    bot.pass(60);
    bot.delivers().await;
    assert_eq!(bot.call("action_look").send().await.said(), ["b"]);
}

#[tokio::test]
async fn what_cannot_be_taken_back_at_all_is_told_to_be_done_and_is_gone_on_from() {
    let till = Till::open().await;
    let bot = bot(&till, TRIP).await;
    bot.expect_error("could not be taken back");
    till.becomes_to("tour", Mood::Refuses);
    till.becomes_to("no N-1", Mood::Refuses);
    let told = "This is done: the flight and the car. This was taken back: Ann's hotel. \
                This is not done: the tour and the mail to you.";
    assert_eq!(turn(&bot, "m1").send().await.said(), [format!("{REFUSED} {told}")]);
    till.becomes_to("tour", Mood::Well);
    turn(&bot, "m2").send().await;
    assert_eq!(till.done(), ["flight", "car", "hotel", "no N-3", "hotel", "tour", "mail"]);
}

#[tokio::test]
async fn whether_it_was_taken_back_may_not_be_known() {
    let till = Till::open().await;
    let bot = bot(&till, &TRIP.replace("undo: { call: till.keyed", "undo: { call: till.plain")).await;
    bot.expect_error("could not be taken back");
    till.becomes_to("tour", Mood::Refuses);
    till.becomes_to("no N-1", Mood::Loses);
    let told = "This is done: the car. This was taken back: Ann's hotel. I can't tell whether this is done: the flight. \
                This is not done: the tour and the mail to you.";
    assert_eq!(turn(&bot, "m1").send().await.said(), [format!("{REFUSED} {told}")]);
    // Nobody makes the flight again before somebody has looked.
    till.becomes_to("tour", Mood::Well);
    assert!(turn(&bot, "m2").send().await.said()[0].contains("can't tell whether"));
    assert_eq!(till.done(), ["flight", "car", "hotel", "no N-3", "no N-1 for Ann"]);
}

#[tokio::test]
async fn an_outcome_that_goes_on_takes_nothing_back() {
    let till = Till::open().await;
    let action = "
steps:
  - call: till.keyed
    with: { text: a }
    title: A
    undo: { call: till.keyed, with: { text: no a } }
  - call: till.keyed
    with: { text: b }
    title: B
    outcomes:
      conflict:
        - { call: till.keyed, with: { text: c }, title: C, undo: { call: till.keyed, with: { text: no c } } }
        - continue: 1
  - { call: till.keyed, with: { text: d }, title: D }
  - say: All is well.
";
    let bot = bot(&till, action).await;
    till.becomes_to("b", Mood::Refuses);
    assert_eq!(turn(&bot, "m1").send().await.said(), ["All is well."]);
    assert_eq!(till.done(), ["a", "c", "d"]);
    // What was done instead is like everything else done.
    till.becomes_to("d", Mood::Refuses);
    let said = turn(&bot, "m2").sender("somebody else").send().await;
    assert_eq!(said.said(), [format!("{REFUSED} This was taken back: A and C. This is not done: D.")]);
    assert_eq!(till.done()[3..], ["a", "c", "no c", "no a"]);
}

#[tokio::test]
async fn an_outcome_that_ends_the_action_keeps_its_words_and_what_it_did_instead() {
    let till = Till::open().await;
    let action = "
steps:
  - { call: till.keyed, with: { text: a }, TITLEundo: { call: till.keyed, with: { text: no a } } }
  - call: till.keyed
    with: { text: b }
    outcomes:
      conflict:
        - call: till.keyed
          with: { text: c }
          undo: { call: till.keyed, with: { text: no c } }
        - say: [\"That is for a colleague.\", { image: \"https://example.com/a.png\" }]
";
    till.becomes_to("b", Mood::Refuses);
    let said = |action: String, message: &'static str, slot: Option<&'static str>| {
        let till = &till;
        async move {
            let bot = bot(till, &action).await;
            let call = turn(&bot, message);
            let said = match slot {
                Some(slot) => call.slot(slot, json!(null)).send().await,
                None => call.send().await,
            };
            (said.said().join(" "), said.json["events"].clone())
        }
    };
    let (plain, _) = said(action.replace("TITLE", ""), "m1", None).await;
    assert_eq!(plain, "That is for a colleague. (neither)", "no title, nothing more");
    assert_eq!(till.done(), ["a", "c", "no a"]);
    let (titled, events) = said(action.replace("TITLE", "title: A, "), "m2", Some("action_outcome")).await;
    assert_eq!(titled, "That is for a colleague. This was taken back: A. (neither)");
    assert_eq!(events[0]["value"], "conflict");
    // And where they say nothing at all.
    let silent = action.replace("TITLE", "title: A, ");
    let silent = format!("{}        - stop: true\n", silent.split("        - say").next().unwrap());
    assert_eq!(said(silent, "m3", None).await.0, "This was taken back: A.");
}

#[tokio::test]
async fn what_is_made_at_the_same_time_is_taken_back_together() {
    let till = Till::open().await;
    let action = "
steps:
  - call: till.keyed
    with: { text: a }
    undo: { call: till.keyed, with: { text: no a } }
  - together:
      - { call: till.keyed, with: { text: b }, title: B }
      - { call: till.keyed, with: { text: c }, title: C, undo: { call: till.keyed, with: { text: no c } } }
";
    let bot = bot(&till, action).await;
    till.becomes_to("b", Mood::Refuses);
    let said = turn(&bot, "m1").send().await;
    let told = "This was taken back: C. This is not done: B.";
    assert_eq!(said.said(), [format!("{REFUSED} {told}")]);
    assert_eq!(till.done(), ["a", "c", "no c", "no a"]);
}

#[tokio::test]
async fn what_is_still_queued_is_not_made_any_more() {
    let till = Till::open().await;
    let action = "
steps:
  - call: till.keyed
    with: { text: a }
    queue: true
    title: A
    undo: { call: till.keyed, with: { text: no a } }
    outcomes: { queued: [{ continue: null }] }
  - { call: till.keyed, with: { text: b }, title: B, queue: true, outcomes: { queued: [{ continue: null }] } }
  - { call: till.named, with: { name: c, text: c }, title: C, queue: false }
";
    let bot = bot(&till, action).await;
    till.becomes_to("a", Mood::Down);
    till.becomes_to("b", Mood::Down);
    till.becomes_to("c", Mood::Refuses);
    let said = turn(&bot, "m1").send().await;
    assert_eq!(said.said(), [format!("{REFUSED} This will be done: B. This is not done: A and C.")]);
    till.becomes_to("", Mood::Well);
    bot.pass(60);
    bot.delivers().await;
    assert_eq!(till.done(), ["b"]);
}

#[tokio::test]
async fn a_run_that_ends_with_what_is_queued_is_gone_on_from_when_more_was_to_come() {
    for last in [true, false] {
        let till = Till::open().await;
        let mut action = "
steps:
  - { call: till.keyed, with: { text: a } }
  - { call: till.keyed, with: { text: b }, queue: true, as: b }
"
        .to_owned();
        if !last {
            action.push_str("  - { call: till.keyed, with: { text: c }, title: C, when: slots.c }\n");
        }
        action.push_str("  - say: \"{{ b.number }}.\"\n");
        let bot = bot(&till, &action).await;
        till.becomes_to("b", Mood::Down);
        assert!(turn(&bot, "m1").send().await.said()[0].ends_with("A part of it is done already."));
        till.becomes_to("b", Mood::Well);
        bot.delivers().await;
        bot.pass(10);
        bot.delivers().await;
        assert_eq!(till.done(), ["a", "b"]);
        let said = turn(&bot, "m2").slot("c", 1).send().await;
        let all = if last { vec!["a", "b", "a", "b"] } else { vec!["a", "b", "c"] };
        assert_eq!(till.done(), all, "{:?}", said.said());
    }
    // So it is with a loop that ended before its last item.
    let till = Till::open().await;
    let action = "
steps:
  - each: \"['a', 'b', 'c']\"
    as: it
    steps: [{ call: till.keyed, with: { text: \"{{ it }}\" }, queue: true }]
";
    let bot = bot(&till, action).await;
    till.becomes_to("b", Mood::Down);
    turn(&bot, "m1").send().await;
    till.becomes_to("b", Mood::Well);
    bot.pass(10);
    bot.delivers().await;
    turn(&bot, "m2").send().await;
    assert_eq!(till.done(), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_run_that_fails_without_a_write_says_what_it_did_and_takes_nothing_back() {
    let till = Till::open().await;
    let action = "
steps:
  - call: till.keyed
    with: { text: a }
    title: A
    undo: { call: till.keyed, with: { text: no a } }
  - call: shop.find_order
    with: { number: \"9999\" }
  - { call: till.keyed, with: { text: b }, title: B }
";
    let bot = more(&till, "  shop: { connector: sandbox }", &[("actions/action_x.yml", action)]).await;
    let said = turn(&bot, "m1").send().await;
    let told = "I couldn't find that. Could you check what you gave me? This is done: A. This is not done: B.";
    assert_eq!(said.said(), [told]);
    assert_eq!(till.done(), ["a"]);
}

#[tokio::test]
async fn it_is_said_in_the_words_of_the_project_and_can_be_left_out() {
    let till = Till::open().await;
    let words = "
messages:
  human_intent: human
  en:
    partly: \"So far: {{ done | and_list }}{{ undone | and_list }}{{ untitled | and_list | phrase(' (#)') }}.\"
    conflict: { response: utter_no, buttons: [] }
  de: { conflict: Nein. }
locale: \"{{ slots.language or 'en' }}\"
";
    let action = "
messages: { fr: { partly: \"\" } }
steps:
  - { call: till.keyed, with: { text: a }, title: \"{{ slots.title }}\" }
  - { call: till.keyed, with: { text: b } }
";
    let bot = more(&till, words, &[("actions/action_x.yml", action)]).await;
    till.becomes_to("b", Mood::Refuses);
    let said = |language: &str, title: &str| {
        turn(&bot, &format!("{language}{title}")).slot("language", language).slot("title", title).send()
    };
    // With a response there is no text to join.
    assert_eq!(said("en", "A").await.said(), ["So far: A (not_done).", "utter_no"]);
    assert_eq!(said("en", "").await.said(), ["So far:  (done and not_done).", "utter_no"]);
    assert_eq!(said("de", "A").await.said(), ["Nein. Das ist erledigt: A."]);
    assert_eq!(said("fr", "A").await.said(), ["utter_no"]);
}
