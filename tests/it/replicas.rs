//! Two servers on one PostgreSQL: whichever of them a call comes to, the user hears the same, and nothing is done twice.

use std::path::Path;

use futures_util::future::join_all;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Answer, Bot, Call, DESK, Doorway, HELD, Held, Mood, Replica, Schema, TILL, Till, written};

const SLOW: &str = "I'm still checking. One moment, please.";
/// Every turn is slow, but for those of one channel.
const PATIENTLY: &str =
    "turn: { slow_after: 50ms, give_up_after: 30s, channels: { calm: { slow_after: 20s, give_up_after: 30s } } }";
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

/// What replicas share, in legwork.yml.
const SHARED: &str = "stores: { main: \"${file:store.txt}\", key: \"${file:key.txt}\" }";

/// A project whose store is at that address.
fn project(url: &str, settings: &str, files: &[(&str, &str)]) -> TempDir {
    let own = [("legwork.yml", settings), ("store.txt", url), ("key.txt", "a passphrase that is long enough\n")];
    let all: Vec<_> = own.iter().chain(files).copied().collect();
    written(&all)
}

fn held_project(schema: &Schema, held: &Held) -> TempDir {
    let settings = held.settings(&format!("{PATIENTLY}\n{SHARED}"));
    project(&schema.url(), &settings, &[HELD, ("actions/action_look.yml", LOOK), ("actions/action_make.yml", MAKE)])
}

async fn two(folder: &Path) -> (Bot, Bot) {
    (Bot::at(folder).await, Bot::at(folder).await)
}

/// Notes a text with an operation of the till's.
fn noting(operation: &str) -> String {
    let name = if operation == "named" { ", name: \"{{ text }}\"" } else { "" };
    format!(
        "inputs: {{ text: {{}} }}
steps:
  - call: till.{operation}
    with: {{ text: \"{{{{ text }}}}\"{name} }}
    as: made
  - say: \"It is {{{{ made.number }}}}.\"
"
    )
}

fn till_project(url: &str, till: &Till, more: &str) -> TempDir {
    let actions = ["keyed", "looked", "named", "plain"].map(|it| (format!("actions/action_{it}.yml"), noting(it)));
    let mut files = vec![TILL, ("actions/action_hello.yml", "steps: [{ say: Hello. }]\n")];
    files.extend(actions.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    project(url, &till.settings(&format!("{more}\n{SHARED}")), &files)
}

/// A turn of the conversation, about that message.
fn turn<'a>(call: Call<'a>, message: &str, text: &str) -> Call<'a> {
    call.slot("text", text).message("message_id", message)
}

/// What an answer's events are that make two runs of the action one.
fn opening(action: &str) -> Value {
    json!([{ "event": "undo" }, { "event": "undo" }, { "event": "action", "name": action }])
}

#[tokio::test]
async fn the_second_call_of_a_slow_turn_is_answered_by_whoever_gets_it() {
    let Some(schema) = Schema::make().await else { return };
    for (action, said) in [("action_look", &["Let me see.", "It is 1."][..]), ("action_make", &["Made 1."][..])] {
        let held = Held::open().await;
        let folder = held_project(&schema, &held);
        let (one, other) = two(folder.path()).await;
        let sender = |call: Call<'static>| call.sender(action);
        assert_eq!(sender(Call::to(one.address(), action)).send().await.said(), [SLOW]);
        held.asked().await;
        let second = sender(Call::to(other.address(), action)).second().begin();
        held.release();
        let second = second.await.unwrap();
        assert_eq!(second.said(), said, "{action}");
        assert_eq!(second.events(), opening(action), "{action}");
        assert_eq!(held.count(), 1, "{action}: it joined the work of the other");
        // Rasa may repeat it, and nobody else can have it.
        assert_eq!(sender(Call::to(other.address(), action)).second().send().await.json, second.json, "{action}");
        let stranger = Call::to(other.address(), action).sender("stranger").second().begin();
        held.asked().await;
        held.release();
        assert_ne!(stranger.await.unwrap().said(), said, "{action}");
    }
    schema.drop().await;
}

#[tokio::test]
async fn a_repeat_of_the_first_call_gets_the_first_answer_and_runs_nothing() {
    let Some(schema) = Schema::make().await else { return };
    let held = Held::open().await;
    let folder = held_project(&schema, &held);
    let (one, other) = two(folder.path()).await;
    assert_eq!(one.call("action_make").send().await.said(), [SLOW]);
    held.asked().await;
    let repeat = other.call("action_make").send().await;
    assert_eq!(repeat.said(), [SLOW]);
    assert_eq!(repeat.events(), json!([{ "event": "followup", "name": "action_make" }]));
    assert!(other.log().contains("kind=\"repeat\""), "it does not run once more: {}", other.log());
    let second = other.call("action_make").second().begin();
    held.release();
    assert_eq!(second.await.unwrap().said(), ["Made 1."]);
    assert_eq!(one.call("action_make").second().send().await.said(), ["Made 1."]);
    assert_eq!(held.count(), 1);
    schema.drop().await;
}

#[tokio::test]
async fn the_same_turn_gets_the_same_answer_everywhere_and_does_nothing_twice() {
    let Some(schema) = Schema::make().await else { return };
    let till = Till::open().await;
    let folder = till_project(&schema.url(), &till, "");
    let (one, other) = two(folder.path()).await;
    let first = turn(one.call("action_plain"), "m1", "tea").send().await;
    assert_eq!(first.said(), ["It is N-1."]);
    assert_eq!(turn(other.call("action_plain"), "m1", "tea").send().await.json, first.json);
    assert_eq!(turn(other.call("action_plain"), "m2", "tea").send().await.said(), ["It is N-1."], "the same wish");
    // At the same time, by both.
    let both = (0..8).map(|number| {
        let bot = if number % 2 == 0 { &one } else { &other };
        turn(bot.call("action_plain"), "m3", "milk").send()
    });
    for answer in join_all(both).await {
        assert_eq!(answer.said(), ["It is N-2."]);
    }
    assert_eq!(till.done(), ["tea", "milk"]);
    schema.drop().await;
}

#[tokio::test]
async fn what_one_queued_is_delivered_once_in_order_by_whoever_comes_first() {
    let Some(schema) = Schema::make().await else { return };
    let till = Till::open().await;
    let folder = till_project(&schema.url(), &till, "");
    let (one, other) = two(folder.path()).await;
    till.becomes(Mood::Down);
    for number in 0..12 {
        let (bot, sender) = (if number % 2 == 0 { &one } else { &other }, format!("s{}", number % 4));
        let answer = turn(bot.call("action_looked"), &format!("m{number}"), &format!("t{number:02}")).sender(&sender);
        assert!(answer.send().await.said()[0].contains("noted"));
    }
    till.becomes(Mood::Well);
    for _ in 0..4 {
        one.pass(10);
        other.pass(10);
        tokio::join!(one.delivers(), other.delivers());
    }
    let done = till.done();
    assert_eq!((done.len(), schema.writes("done").await), (12, 12), "{done:?}");
    for sender in 0..4 {
        let of_sender = |text: &&String| text[1..].parse::<usize>().unwrap() % 4 == sender;
        assert!(done.iter().filter(of_sender).is_sorted(), "{done:?}");
    }
    schema.drop().await;
}

#[tokio::test]
async fn what_outlives_a_turn_at_one_is_told_by_the_other() {
    let Some(schema) = Schema::make().await else { return };
    let held = Held::open().await;
    let settings = held.settings(&format!("turn: {{ slow_after: 2s, give_up_after: 2500ms }}\n{SHARED}"));
    let folder = project(&schema.url(), &settings, &[HELD, ("actions/action_make.yml", MAKE)]);
    let (one, other) = two(folder.path()).await;
    assert_eq!(one.call("action_make").send().await.said(), [SLOW]);
    let second = other.call("action_make").second().send().await;
    assert!(second.said()[0].starts_with("I've sent that off"), "{:?}", second.said());
    held.release();
    held.ended().await;
    while schema.writes("done").await == 0 {
        tokio::task::yield_now().await;
    }
    let again = other.call("action_make").message("message_id", "m2").send().await;
    assert_eq!((again.said(), held.count()), (vec!["Made 1."], 1));
    schema.drop().await;
}

const SEND: &str = "
steps:
  - { send_code: \"{{ slots.email }}\", outcomes: { rate_limited: Too often. } }
  - say: Sent.
";
const CHECK: &str = "
steps:
  - verify_code: \"{{ user_text }}\"
    outcomes: { invalid: Wrong., denied: Too many., not_found: None. }
  - say: \"Welcome {{ verified.email }}.\"
";
const WHO: &str = "steps: [{ say: \"{{ verified.email if verified else 'nobody' }}\" }]\n";
const NOTES: &str = "
steps:
  - call: desk.notes
    refresh: true
    as: notes
  - say: \"{{ notes | map(attribute='text') | join(' ') }}\"
";

#[tokio::test]
async fn a_code_that_one_sent_is_checked_by_the_other_and_counted_by_both() {
    let Some(schema) = Schema::make().await else { return };
    let code = "verify: { code: { call: desk.note, with: { text: \"{{ code }}\" }, attempts: 3 } }";
    let settings = format!("connections: {{ desk: {{ connector: desk }} }}\n{code}\n{SHARED}");
    let files = [
        DESK,
        ("actions/action_send.yml", SEND),
        ("actions/action_check.yml", CHECK),
        ("actions/action_who.yml", WHO),
        ("actions/action_notes.yml", NOTES),
    ];
    let folder = project(&schema.url(), &settings, &files);
    let (one, other) = two(folder.path()).await;
    let send = |bot: &Bot| Call::to(bot.address(), "action_send").slot("email", "Sarah@example.com").send();
    let check = |bot: &Bot, text: &str| Call::to(bot.address(), "action_check").text(text).send();
    assert_eq!(send(&one).await.said(), ["Sent."]);
    assert_eq!(send(&other).await.said(), ["Too often."]);
    let notes = one.call("action_notes").send().await;
    let code = notes.said()[0].to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    assert_eq!(check(&other, wrong).await.said(), ["Wrong."]);
    assert_eq!(check(&one, wrong).await.said(), ["Wrong."]);
    assert_eq!(check(&other, &code).await.said(), ["Welcome sarah@example.com."]);
    assert_eq!(one.call("action_who").send().await.said(), ["sarah@example.com"]);
    assert_eq!(one.call("action_who").sender("other").send().await.said(), ["nobody"]);
    assert_eq!(check(&one, &code).await.said(), ["None."], "it is used up");
    schema.drop().await;
}

/// The answers of a call that is made again until it is as is wanted.
async fn until(call: impl Fn() -> Call<'static>, wanted: impl Fn(&Answer) -> bool) -> Answer {
    loop {
        let answer = call().send().await;
        if wanted(&answer) {
            return answer;
        }
    }
}

#[tokio::test]
async fn without_the_database_reads_go_on_and_writes_are_refused_and_come_back_by_themselves() {
    let Some(schema) = Schema::make().await else { return };
    let doorway = Doorway::to(schema.place()).await;
    let till = Till::open().await;
    let folder = till_project(&schema.url_by(&doorway), &till, "");
    let bot = Bot::at(folder.path()).await;
    let note = |message: &str, text: &str| turn(Call::to(bot.address(), "action_keyed"), message, text);
    assert_eq!(note("m1", "tea").send().await.said(), ["It is N-1."]);
    doorway.shut();
    assert_eq!(bot.call("action_hello").send().await.said(), ["Hello."]);
    for _ in 0..3 {
        let refused = note("m2", "milk").send().await;
        assert!(refused.said()[0].starts_with("I'm having trouble accessing that right now"), "{:?}", refused.said());
    }
    assert_eq!(till.done(), ["tea"], "nothing is written without a record of it");
    // One that starts now serves what it can.
    let late = Bot::at(folder.path()).await;
    assert_eq!(late.call("action_hello").send().await.said(), ["Hello."]);
    assert!(late.log().contains("the store is away"), "{}", late.log());
    doorway.reopen();
    until(|| note("m3", "milk"), |answer| answer.said() == ["It is N-2."]).await;
    let late = || turn(Call::to(late.address(), "action_keyed"), "m3", "milk");
    until(late, |answer| answer.said() == ["It is N-2."]).await;
    assert_eq!(till.done(), ["tea", "milk"]);
    schema.drop().await;
}

#[tokio::test]
async fn how_a_write_ended_is_noted_when_the_database_is_back() {
    let Some(schema) = Schema::make().await else { return };
    let doorway = Doorway::to(schema.place()).await;
    let held = Held::open().await;
    let settings = held.settings(SHARED);
    let folder = project(&schema.url_by(&doorway), &settings, &[HELD, ("actions/action_make.yml", MAKE)]);
    let bot = Bot::at(folder.path()).await;
    bot.expect_error("a write was done, and the store does not know it");
    let made = bot.call("action_make").begin();
    held.asked().await;
    doorway.shut();
    held.release();
    assert_eq!(made.await.unwrap().said(), ["Made 1."], "done is done");
    doorway.reopen();
    while schema.writes("done").await == 0 {
        tokio::task::yield_now().await;
    }
    let again = until(
        || Call::to(bot.address(), "action_make").message("message_id", "m2"),
        |answer| !answer.said()[0].contains("trouble"),
    );
    assert_eq!((again.await.said(), held.count()), (vec!["Made 1."], 1));
    schema.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_is_killed_the_other_goes_on_and_asks_before_it_does_something_again() {
    let Some(schema) = Schema::make().await else { return };
    let (till, held) = (Till::open().await, Held::open().await);
    let settings = format!("{PATIENTLY}\noutbox: {{ first_wait: 1s }}");
    let folder = till_project(&schema.url(), &till, &settings);
    let looking = held_project(&schema, &held);
    // They start together, on an empty database.
    let (mut one, other, mut third, fourth) = tokio::join!(
        Replica::start(folder.path(), "one"),
        Replica::start(folder.path(), "other"),
        Replica::start(looking.path(), "one"),
        Replica::start(looking.path(), "other"),
    );
    // What is queued is delivered once, though each has a worker.
    till.becomes(Mood::Down);
    let senders: Vec<_> = (0..10).map(|number| format!("queue {number}")).collect();
    let queued =
        senders.iter().map(|sender| turn(one.call("action_looked"), "m1", sender).sender(sender).channel("calm").send());
    for answer in join_all(queued).await {
        assert!(answer.said()[0].contains("noted"), "{:?}", answer.said());
    }
    till.becomes(Mood::Well);
    while schema.writes("queued").await + schema.writes("sending").await > 0 {
        tokio::task::yield_now().await;
    }
    let mut done = till.done();
    done.sort();
    assert_eq!(done, senders);
    // Four turns are in the middle of a write, and one of a read.
    till.becomes(Mood::Silent);
    let kinds = ["keyed", "looked", "named", "plain"];
    let call = |replica: &Replica, kind: &str| turn(replica.call(&format!("action_{kind}")), "m1", kind).sender(kind);
    for kind in kinds {
        assert_eq!(call(&one, kind).send().await.said(), [SLOW]);
    }
    assert_eq!(third.call("action_look").send().await.said(), [SLOW]);
    held.asked().await;
    while till.done().len() < 14 {
        tokio::task::yield_now().await;
    }
    one.kill();
    third.kill();
    till.becomes(Mood::Well);
    let seconds = kinds.map(|kind| call(&other, kind).second().begin());
    let look = fourth.call("action_look").second().begin();
    held.asked().await;
    held.release();
    held.release();
    let look = look.await.unwrap();
    assert_eq!((look.said(), look.events()), (vec!["Let me see.", "It is 2."], opening("action_look")));
    for (kind, second) in kinds.into_iter().zip(seconds) {
        let second = second.await.unwrap();
        match kind {
            "plain" => assert!(second.said()[0].contains("can't tell"), "{:?}", second.said()),
            _ => assert!(second.said()[0].starts_with("It is N-1"), "{kind}: {:?}", second.said()),
        }
    }
    let mut done = till.done().split_off(10);
    done.sort();
    assert_eq!(done, kinds, "each is done once");
    drop((other, fourth));
    schema.drop().await;
}
