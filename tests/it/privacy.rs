//! What is held of a customer, as it is exported and removed, and how long it is held at all.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Bot, Kept, Mood, Ran, TILL, Till, legwork, written};

const NOTE: &str = "
inputs: { text: {} }
steps:
  - { call: till.keyed, with: { text: '{{ text }}' }, as: made }
  - say: 'It is {{ made.number }}.'
  - set: { noted: '{{ text }}' }
";

const NOTE_BLINDLY: &str = "
inputs: { text: {} }
steps: [{ call: till.plain, with: { text: '{{ text }}' } }]
";

/// The files of a project that notes texts at a till.
fn files(till: &Till, kept: &Kept, more: &str) -> TempDir {
    let settings = till.settings(&format!("{}\n{more}", kept.settings));
    written(&[
        ("legwork.yml", &settings),
        ("store.txt", &kept.address),
        TILL,
        ("actions/action_note.yml", NOTE),
        ("actions/action_note_blindly.yml", NOTE_BLINDLY),
    ])
}

async fn notes(bot: &Bot, sender: &str, text: &str) -> Value {
    let call = bot.call("action_note").slot("text", text).sender(sender).message("message_id", text);
    call.send().await.json
}

fn run(folder: &TempDir, words: &[&str]) -> Ran {
    let ran = legwork(folder.path(), words);
    for part in [&ran.printed, &ran.complained] {
        assert!(words[0] != "purge" || !part.to_lowercase().contains("jane"), "it repeats who it is: {part}");
    }
    ran
}

fn exported(folder: &TempDir, words: &[&str]) -> Value {
    let ran = run(folder, &[&["export"], words].concat());
    assert_eq!((ran.code, ran.complained.as_str()), (Some(0), ""));
    serde_json::from_str(&ran.printed).unwrap()
}

/// The texts of the writes in an export.
fn texts(exported: &Value) -> Vec<&str> {
    exported["writes"].as_array().unwrap().iter().map(|it| it["values"]["inputs"]["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_is_held_of_a_customer_is_exported_and_removed_as_a_whole_and_of_nobody_else() {
    for kept in Kept::everywhere().await {
        let till = Till::open().await;
        let folder = files(&till, &kept, "");
        let bot = Bot::at(folder.path()).await;
        notes(&bot, "s-1", "JANE@example.com").await;
        notes(&bot, "Jane@Example.com", "tea").await;
        notes(&bot, "s-2", "mary.jane@example.com").await;
        notes(&bot, "s-3", "tom@example.com").await;
        till.becomes(Mood::Down);
        notes(&bot, "s-4", "jane@example.com").await;
        let jane = ["--customer", "jane@example.com"];
        let held = exported(&folder, &jane);
        assert_eq!(texts(&held), ["JANE@example.com", "tea", "jane@example.com"]);
        assert_eq!((held["answers"].as_array().unwrap().len(), &held["unreadable"]), (4, &json!(0)));
        assert!(held["answers"].to_string().contains("It is N-1."), "{held:#}");
        // What was promised is not removed in passing, and then nothing is.
        let refused = run(&folder, &[&["purge"], &jane[..]].concat());
        assert_eq!((refused.code, refused.printed.as_str()), (Some(2), ""));
        let queued = held["writes"][2]["reference"].as_str().unwrap();
        let said =
            format!("nothing is removed yet. Of what is theirs, these writes wait or need somebody: 1 queued ({queued})");
        assert!(refused.complained.contains(&said), "{}", refused.complained);
        assert_eq!(exported(&folder, &jane), held);
        let purged = run(&folder, &[&["purge", "--yes"], &jane[..]].concat());
        let said = "removed: 3 writes (2 done, 1 queued), 4 answers, 0 proofs of who they are\n\
                    servers that run forget what they keep in memory within a few seconds\n";
        assert_eq!((purged.code, purged.printed.as_str(), purged.complained.as_str()), (Some(0), said, ""));
        assert_eq!(exported(&folder, &jane), json!({ "writes": [], "answers": [], "proofs": [], "unreadable": 0 }));
        assert_eq!(texts(&exported(&folder, &["--customer", "tom@example.com"])), ["tom@example.com"]);
        assert_eq!(texts(&exported(&folder, &["--sender", "s-2"])), ["mary.jane@example.com"]);
        // Nothing is made of it, and the same again is new.
        till.becomes(Mood::Well);
        bot.pass(3600);
        bot.delivers().await;
        assert_eq!(till.done().len(), 4);
        assert_eq!(bot.log().to_lowercase().matches("jane").count(), 0, "{}", bot.log());
    }
}

#[tokio::test]
async fn nothing_of_what_was_removed_is_left_in_the_file() {
    let till = Till::open().await;
    let folder = files(&till, &Kept::everywhere().await[0], "");
    let bot = Bot::at(folder.path()).await;
    let long = format!("{} of Jane Austen", "word ".repeat(2_000));
    for text in ["jane@example.com", &long] {
        notes(&bot, "s-1", text).await;
    }
    let found = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
        let stores = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("legwork.db"));
        let bytes: Vec<_> = stores.map(|entry| std::fs::read(entry.path()).unwrap()).collect();
        let has = |word: &[u8]| bytes.iter().any(|bytes| bytes.windows(word.len()).any(|window| window == word));
        [has(b"jane@example.com"), has(b"Jane Austen"), has(b"word word")]
    };
    assert_eq!(found(), [true; 3]);
    // The notice that servers hear is all that is left, and goes by itself.
    let purged = run(&folder, &["purge", "--sender", "s-1"]);
    assert_eq!(purged.printed.lines().next(), Some("removed: 2 writes (2 done), 2 answers, 0 proofs of who they are"));
    assert_eq!(found(), [false; 3]);
}

#[tokio::test]
async fn what_users_proved_is_shown_and_removed() {
    for kept in Kept::everywhere().await {
        let till = Till::open().await;
        let code = "verify: { code: { call: crm.send_message, with: { to: '{{ address }}', text: 'It is {{ code }}.' } } }";
        let settings = till.settings(&format!("  crm: {{ connector: sandbox }}\n{}\n{code}", kept.settings));
        let send = "inputs: { email: {} }\nsteps: [{ send_code: '{{ email }}' }, { say: Sent. }]\n";
        let folder = written(&[
            ("legwork.yml", &settings),
            ("store.txt", &kept.address),
            TILL,
            ("actions/action_note.yml", NOTE),
            ("actions/action_send.yml", send),
        ]);
        let bot = Bot::at(folder.path()).await;
        for (sender, email) in [("s-1", "Jane@example.com"), ("s-2", "tom@example.com")] {
            let sent = bot.call("action_send").slot("email", email).sender(sender).send().await;
            assert_eq!(sent.said(), ["Sent."]);
        }
        let held = exported(&folder, &["--customer", "jane@example.com"]);
        assert_eq!(held["proofs"][0]["sender"], "s-1", "{held:#}");
        assert_eq!(held["proofs"].as_array().unwrap().len(), 1);
        let purged = run(&folder, &["purge", "--customer", "jane@example.com"]);
        assert_eq!(purged.printed.lines().next(), Some("removed: 0 writes, 0 answers, 1 proof of who they are"));
        assert_eq!(exported(&folder, &["--customer", "jane@example.com"])["proofs"], json!([]));
        assert_eq!(exported(&folder, &["--sender", "s-2"])["proofs"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_not_passed_over_in_silence() {
    let till = Till::open().await;
    let key = "stores: { key: '${file:key.txt}' }";
    let folder = files(&till, &Kept::everywhere().await[0], key);
    std::fs::write(folder.path().join("key.txt"), "the first passphrase, long enough").unwrap();
    let bot = Bot::at(folder.path()).await;
    notes(&bot, "s-1", "jane@example.com").await;
    notes(&bot, "Jane@example.com", "tea").await;
    bot.stop().await;
    std::fs::write(folder.path().join("key.txt"), "the second passphrase, long enough").unwrap();
    let listed = run(&folder, &["outbox", "list", "--state", "all"]);
    assert!(listed.code == Some(0) && listed.printed.contains("does not open"), "{}", listed.printed);
    let purged = run(&folder, &["purge", "--customer", "jane@example.com"]);
    assert_eq!(purged.code, Some(1));
    // Whose conversation it was can be seen all the same.
    assert_eq!(purged.printed.lines().next(), Some("removed: 1 write (1 done), 1 answer, 0 proofs of who they are"));
    assert!(purged.complained.contains("2 entries do not open"), "{}", purged.complained);
}

#[tokio::test]
async fn settled_writes_are_kept_for_a_day_and_dead_ones_for_a_month() {
    const DAY: u64 = 24 * 3600;
    for kept in Kept::everywhere().await {
        let till = Till::open().await;
        let folder = files(&till, &kept, "");
        let bot = Bot::at(folder.path()).await;
        bot.expect_error("a queued write cannot be made");
        let done = async || bot.call("action_note_blindly").slot("text", "done").sender("s-1").send().await;
        done().await;
        till.becomes(Mood::Down);
        notes(&bot, "s-2", "dead").await;
        till.becomes(Mood::Refuses);
        bot.pass(10);
        bot.delivers().await;
        let held = async |sender: &str| {
            bot.tidies().await;
            let held = exported(&folder, &["--sender", sender]);
            (held["writes"].as_array().unwrap().len(), held["answers"].as_array().unwrap().len())
        };
        bot.pass(DAY - 60);
        assert_eq!((held("s-1").await, held("s-2").await), ((1, 1), (1, 1)));
        bot.pass(60);
        assert_eq!((held("s-1").await, held("s-2").await), ((0, 0), (1, 0)));
        // So the turn that comes again after that is a new one.
        till.becomes(Mood::Well);
        done().await;
        done().await;
        assert_eq!(till.done(), ["done", "done"]);
        bot.pass(29 * DAY - 60);
        assert_eq!(held("s-2").await, (1, 0));
        bot.pass(60);
        assert_eq!(held("s-2").await, (0, 0));
    }
}
