//! `legwork outbox`, as operators call it while a server has the store open.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{Bot, Kept, Mood, Ran, TILL, Till, legwork, project, written};

const NAMED: &str = "
inputs: { text: {} }
steps: [{ call: till.named, with: { name: '{{ sender_id }}', text: '{{ text }}' } }, { say: Done. }]
";
const PLAIN: &str = "
inputs: { text: {} }
steps: [{ call: till.plain, with: { text: '{{ text }}' } }, { say: Done. }]
";

/// A project on a store, with one write for each state but `sending`.
struct Desk {
    till: Till,
    bot: Bot,
    folder: TempDir,
}

impl Desk {
    /// Each of them is of a conversation of its own, named after it.
    async fn open(kept: &Kept) -> Self {
        let till = Till::open().await;
        let settings = till.settings(kept.settings);
        let folder = written(&[
            ("legwork.yml", &settings),
            ("store.txt", &kept.address),
            TILL,
            ("actions/action_named.yml", NAMED),
            ("actions/action_plain.yml", PLAIN),
        ]);
        let bot = Bot::at(folder.path()).await;
        bot.expect_error("a queued write cannot be made");
        let desk = Self { till, bot, folder };
        desk.asks("action_named", "done", Mood::Well).await;
        desk.asks("action_named", "failed", Mood::Refuses).await;
        desk.asks("action_named", "dead", Mood::Down).await;
        desk.till.becomes(Mood::Refuses);
        desk.bot.pass(10);
        desk.bot.delivers().await;
        desk.asks("action_plain", "unclear", Mood::Loses).await;
        desk.asks("action_named", "queued", Mood::Down).await;
        desk
    }

    async fn asks(&self, action: &str, text: &str, mood: Mood) {
        self.till.becomes(mood);
        let call = self.bot.call(action).slot("text", format!("the {text} text")).sender(&format!("the {text} sender"));
        call.message("message_id", text).send().await;
    }

    fn outbox(&self, words: &[&str]) -> Ran {
        legwork(self.folder.path(), &[&["outbox"], words].concat())
    }

    fn list(&self, words: &[&str]) -> Value {
        let ran = self.outbox(&[&["list", "--format", "json"], words].concat());
        assert_eq!((ran.code, ran.complained.as_str()), (Some(0), ""));
        serde_json::from_str(&ran.printed).unwrap()
    }

    /// The reference of the one write in a state.
    fn reference(&self, state: &str) -> String {
        let found = self.list(&["--state", state]);
        assert_eq!(found.as_array().unwrap().len(), 1, "{state}: {found:#}");
        found[0]["reference"].as_str().unwrap().to_owned()
    }

    /// The states of all writes, sorted.
    fn states(&self) -> Vec<String> {
        let all = self.list(&["--state", "all"]);
        let mut states: Vec<_> = all.as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect();
        states.sort();
        states
    }
}

/// What each key of a JSON object is, with what differs from run to run left out.
fn without_times(mut seen: Value) -> Value {
    for key in ["reference", "begun_at", "tried_at", "due_at"] {
        if seen[key].is_string() {
            seen[key] = json!("…");
        }
    }
    seen
}

#[tokio::test]
async fn what_waits_or_needs_somebody_is_listed_without_what_is_personal() {
    for kept in Kept::everywhere().await {
        let desk = Desk::open(&kept).await;
        let listed = desk.list(&[]);
        let states: Vec<_> = listed.as_array().unwrap().iter().map(|it| it["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["dead", "unclear", "queued"]);
        let dead = json!({
            "reference": "…", "state": "dead", "action": "action_named", "connection": "till", "operation": "named",
            "caller": "anonymous", "promised": true, "unsettled": true, "working": false, "attempts": 2, "begun_at": "…",
            "tried_at": "…", "due_at": null, "unreadable": null,
            "fault": { "outcome": "conflict", "detail": listed[0]["fault"]["detail"], "done": [] },
        });
        assert_eq!(without_times(listed[0].clone()), dead);
        assert!(listed[1]["unsettled"] == true && listed[1]["due_at"].is_null());
        assert_eq!(listed[2]["due_at"].as_str().map(|due| &due[..16]), Some("2026-01-20T12:00"));
        assert_eq!(desk.states(), ["dead", "done", "failed", "queued", "unclear"]);
        assert_eq!(desk.list(&["--connection", "another"]), json!([]));
        assert_eq!(desk.list(&["--state", "dead,queued", "--connection", "till"]).as_array().unwrap().len(), 2);
        let people = desk.outbox(&["list"]).printed;
        let lines: Vec<_> = people.lines().collect();
        assert!(lines[0].starts_with("REFERENCE  STATE    TRIES  BEGUN                 NEXT TRY"), "{people}");
        let dead = format!("{}   dead     2      2026-01-20T12:00:00Z  -", desk.reference("dead"));
        assert!(lines[1].starts_with(&dead) && lines[1].contains("till.named  conflict: "), "{people}");
        assert_eq!(lines[4], "3 writes, 2 of which need somebody: `legwork outbox show REFERENCE`");
        for shown in [listed.to_string(), people, desk.outbox(&["show", &desk.reference("dead")]).printed] {
            assert!(!shown.contains("the dead"), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_write_is_shown_with_what_its_state_means_and_its_values_where_they_are_asked_for() {
    for kept in Kept::everywhere().await {
        let desk = Desk::open(&kept).await;
        let unclear = desk.reference("unclear");
        // As it may have been read out and noted down.
        let quoted = unclear.to_lowercase().replace('0', "o");
        let shown = desk.outbox(&["show", &format!("{}-{}", &quoted[..4], &quoted[4..]), "--values"]);
        assert_eq!(shown.code, Some(0), "{}", shown.complained);
        for part in [
            format!("{unclear}  unclear\n"),
            "  write      till.plain\n".to_owned(),
            "  action     action_plain, for the caller anonymous\n".to_owned(),
            "  sender     the unclear sender\n".to_owned(),
            "\"text\": \"the unclear text\"".to_owned(),
            "  Nobody knows whether it was done.".to_owned(),
        ] {
            assert!(shown.printed.contains(&part), "{part:?} in {}", shown.printed);
        }
        let done = desk.outbox(&["show", &desk.reference("done"), "--values", "--format", "json"]).printed;
        let done: Value = serde_json::from_str(&done).unwrap();
        assert_eq!(done[0]["values"]["answer"], json!({ "number": "N-1" }));
        assert_eq!(done[0]["values"]["inputs"], json!({ "name": "the done sender", "text": "the done text" }));
        for (reference, said) in [("ABCDEFGU", "is no reference"), ("2222", "is no reference"), ("22222222", "no write")] {
            let ran = desk.outbox(&["show", reference]);
            assert_eq!(ran.code, Some(2));
            assert!(ran.complained.contains(said), "{}", ran.complained);
        }
    }
}

#[tokio::test]
async fn what_is_dead_is_made_again_once_and_what_is_queued_at_once() {
    for kept in Kept::everywhere().await {
        let desk = Desk::open(&kept).await;
        let (dead, queued) = (desk.reference("dead"), desk.reference("queued"));
        let none = desk.outbox(&["retry", "--all-dead", "--connection", "another"]);
        assert_eq!((none.code, none.printed.as_str()), (Some(0), "none is dead\n"));
        let all = desk.outbox(&["retry", "--all-dead"]);
        assert_eq!((all.code, all.printed), (Some(0), format!("{dead} is due now; a server that runs makes it\n")));
        let one = desk.outbox(&["retry", &queued]);
        assert_eq!((one.code, one.printed), (Some(0), format!("{queued} is due now; a server that runs makes it\n")));
        desk.till.becomes(Mood::Well);
        desk.bot.catches_up();
        desk.bot.delivers().await;
        assert_eq!(desk.till.done(), ["the done text", "the unclear text", "the dead text", "the queued text"]);
        assert_eq!(desk.states(), ["done", "done", "done", "failed", "unclear"]);
        for (reference, said) in [(&dead, "nothing to make again"), (&desk.reference("failed"), "theirs to ask again")] {
            let ran = desk.outbox(&["retry", reference]);
            assert_eq!(ran.code, Some(2));
            assert!(ran.complained.contains(said), "{}", ran.complained);
        }
    }
}

#[tokio::test]
async fn what_may_be_done_twice_is_made_again_only_when_somebody_says_so() {
    for kept in Kept::everywhere().await {
        let desk = Desk::open(&kept).await;
        let unclear = desk.reference("unclear");
        let refused = desk.outbox(&["retry", &unclear]);
        assert_eq!((refused.code, refused.printed.as_str()), (Some(2), ""));
        assert!(refused.complained.contains("it may be done twice. Look into till first"), "{}", refused.complained);
        let before = desk.till.done().len();
        desk.till.becomes(Mood::Well);
        let again = desk.outbox(&["retry", &unclear, "--yes"]);
        assert!(again.code == Some(0) && again.printed.contains("may be done twice"), "{}", again.printed);
        desk.bot.catches_up();
        desk.bot.delivers().await;
        let twice = desk.till.done()[before..].iter().filter(|text| *text == "the unclear text").count();
        assert_eq!(twice, 1, "it was done before, and is done again");
        assert_eq!(desk.list(&["--state", "unclear"]), json!([]));
    }
}

#[tokio::test]
async fn what_is_given_up_is_given_up_knowingly() {
    for kept in Kept::everywhere().await {
        let desk = Desk::open(&kept).await;
        for (state, said) in [
            ("queued", "the user was told that it will be done, and is not told that it is given up"),
            ("dead", "the user was told that it will be done, and is not told that it is given up"),
            ("unclear", "nobody will look any more whether it was done"),
        ] {
            let reference = desk.reference(state);
            let refused = desk.outbox(&["drop", &reference]);
            assert_eq!((refused.code, refused.printed.as_str()), (Some(2), ""));
            assert!(refused.complained.contains(said), "{}", refused.complained);
            let dropped = desk.outbox(&["drop", &reference, "--yes"]);
            assert_eq!((dropped.code, dropped.printed), (Some(0), format!("{reference} is dropped: {said}\n")));
        }
        let kept = desk.outbox(&["drop", &desk.reference("done"), "--yes"]);
        assert!(kept.code == Some(2) && kept.complained.contains("no part of the outbox"), "{}", kept.complained);
        assert_eq!(desk.outbox(&["list"]).printed, "nothing\n");
        assert_eq!(desk.states(), ["done", "failed"]);
        let before = desk.till.done().len();
        desk.till.becomes(Mood::Well);
        desk.bot.catches_up();
        desk.bot.delivers().await;
        assert_eq!(desk.till.done().len(), before);
    }
}

#[test]
fn looking_makes_no_store() {
    let folder = project(&[("actions/action_x.yml", "steps: [{ say: Hello. }]\n"), ("legwork.yml", "")]);
    let listed = legwork(folder.path(), &["outbox", "list"]);
    assert_eq!((listed.code, listed.printed.as_str()), (Some(0), "nothing\n"));
    assert_eq!(legwork(folder.path(), &["outbox", "show", "22222222"]).code, Some(2));
    let exported = legwork(folder.path(), &["export", "--customer", "jane@example.com"]);
    assert_eq!(exported.printed, "{\n  \"writes\": [],\n  \"answers\": [],\n  \"proofs\": [],\n  \"unreadable\": 0\n}\n");
    let purged = legwork(folder.path(), &["purge", "--customer", "jane@example.com"]);
    assert!(purged.code == Some(0) && purged.printed.contains("no store yet"), "{}", purged.printed);
    assert!(purged.printed.contains("restart them"), "{}", purged.printed);
    assert!(!folder.path().join("legwork.db").exists());
}
