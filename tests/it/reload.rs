//! A project that changes while it is served, as operators and designers do it: what is taken, what is refused, and what is left
//! for the version before.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::{HELD, Held, Served, legwork, put, written};

fn says(text: &str) -> String {
    format!("steps: [{{ say: \"{text}\" }}]\n")
}

/// A project whose one action says something.
fn project(text: &str) -> TempDir {
    written(&[("actions/action_x.yml", &says(text))])
}

async fn version(served: &Served) -> String {
    served.page("/status").await.json()["project"]["version"].as_str().unwrap().to_owned()
}

/// Waits until another version is served; what `/status` shows of it.
async fn another(served: &Served, than: &str) -> Value {
    let page = served.until("/status", |page| page["project"]["version"] != than).await;
    page["project"].clone()
}

async fn said(served: &Served, action: &str) -> String {
    served.said(action, "m1", json!({})).await.join(" ")
}

#[tokio::test]
async fn a_change_is_served() {
    let folder = project("one");
    let served = Served::at(folder.path()).await;
    assert_eq!(said(&served, "action_x").await, "one");
    let first = version(&served).await;
    put(folder.path(), "actions/action_x.yml", &says("two"));
    let shown = another(&served, &first).await;
    assert_eq!(said(&served, "action_x").await, "two");
    assert_eq!((&shown["before"], &shown["refused"]), (&json!(first), &Value::Null));
    // In place, and another action beside it.
    std::fs::write(folder.path().join("actions/action_y.yml"), says("why")).unwrap();
    another(&served, shown["version"].as_str().unwrap()).await;
    assert_eq!(said(&served, "action_y").await, "why");
    assert_eq!(served.page("/actions").await.json(), json!([{ "name": "action_x" }, { "name": "action_y" }]));
}

#[tokio::test]
async fn a_broken_change_is_refused_and_told() {
    let folder = project("one");
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    put(folder.path(), "actions/action_x.yml", "steps: [{ say: \"{{ slots.a | hush }}\" }]\n");
    let page = served.until("/status", |page| !page["project"]["refused"].is_null()).await;
    let refused = &page["project"]["refused"];
    let problem = "actions/action_x.yml:1: unknown-filter: ";
    assert!(refused["problems"][0].as_str().unwrap().starts_with(problem), "{refused}");
    assert_eq!((page["project"]["version"].as_str(), &refused["version"]), (Some(&*first), &Value::Null));
    assert_eq!(said(&served, "action_x").await, "one");
    let log = served.says("a change of the project is refused").await;
    assert!(log.contains(problem), "{log}");
    // What is right but cannot be opened, too.
    let settings =
        "connections: { desk: { connector: zendesk, subdomain: x, email: a@b.example, token: \"${file:none}\" } }\n";
    put(folder.path(), "actions/action_x.yml", &says("two"));
    put(folder.path(), "legwork.yml", settings);
    let names = |page: &Value| page["project"]["refused"]["problems"].to_string().contains("desk");
    served.until("/status", names).await;
    assert_eq!(said(&served, "action_x").await, "one");
    put(folder.path(), "legwork.yml", "");
    let shown = another(&served, &first).await;
    assert_eq!((said(&served, "action_x").await, &shown["refused"]), ("two".to_owned(), &Value::Null));
    let counted = served.page("/metrics").await.body;
    assert!(counted.contains("legwork_project_changes_total{outcome=\"taken\"} 1"), "{counted}");
}

#[tokio::test]
async fn turns_that_run_end_as_they_began() {
    let held = Held::open().await;
    let look =
        |words: &str| format!("steps: [{{ call: desk.look, as: number }}, {{ say: \"{words} {{{{ number }}}}\" }}]\n");
    let settings = held.settings("turn: { slow_after: 50ms, give_up_after: 60s }");
    let quick = "steps: [{ call: desk.look, as: number }, { say: 'old quick {{ number }}' }]\nturn: { slow_after: 60s }\n";
    let files = [
        ("legwork.yml", &*settings),
        HELD,
        ("actions/action_x.yml", &look("old")),
        ("actions/action_gone.yml", &look("gone")),
        ("actions/action_quick.yml", quick),
    ];
    let folder = written(&files);
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    let running = served.call("action_quick").begin();
    for action in ["action_x", "action_gone"] {
        let answer = served.call(action).send().await;
        assert_eq!(answer.events(), json!([{ "event": "followup", "name": action }]));
    }
    for _ in 0..3 {
        held.asked().await;
    }
    put(folder.path(), "actions/action_x.yml", &look("new"));
    put(folder.path(), "actions/action_quick.yml", &says("new"));
    std::fs::remove_file(folder.path().join("actions/action_gone.yml")).unwrap();
    // The connection of these turns goes, too.
    put(folder.path(), "legwork.yml", &settings.replace("desk: {", "desk: { mode: read_only, "));
    another(&served, &first).await;
    assert_eq!(said(&served, "action_quick").await, "new");
    let seconds = ["action_x", "action_gone"].map(|action| served.call(action).second().begin());
    for _ in 0..3 {
        held.release();
    }
    let [x, gone] = seconds;
    assert!(x.await.unwrap().said()[0].starts_with("old "));
    assert!(gone.await.unwrap().said()[0].starts_with("gone "));
    assert!(running.await.unwrap().said()[0].starts_with("old quick "));
    assert_eq!(served.call("action_gone").message("message_id", "m2").send().await.status, 404);
    held.release();
    let fresh = served.call("action_x").message("message_id", "m2").send().await;
    let fresh = if fresh.events()[0]["event"] == "followup" {
        served.call("action_x").message("message_id", "m2").second().send().await
    } else {
        fresh
    };
    assert!(fresh.said()[0].starts_with("new "));
}

#[tokio::test]
async fn what_is_made_later_is_made_on_the_connections_of_then() {
    let held = Held::open().await;
    let make = "steps: [{ call: desk.make, queue: true }]\n";
    let settings = held.settings("");
    let (before, address) = settings.split_once("http://").unwrap();
    let (address, after) = address.split_once('"').unwrap();
    let away = format!("{before}http://127.0.0.1:1\"{after}");
    let folder = written(&[("legwork.yml", &away), HELD, ("actions/action_make.yml", make)]);
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    let queued = served.call("action_make").send().await;
    assert!(queued.said()[0].contains("as soon as"), "{:?}", queued.said());
    assert_eq!(held.count(), 0);
    put(folder.path(), "legwork.yml", &away.replace("127.0.0.1:1\"", &format!("{address}\"")));
    another(&served, &first).await;
    held.release();
    held.asked().await;
    held.ended().await;
    served.says("a queued write was made").await;
}

#[tokio::test]
async fn a_mounted_config_map_is_exchanged_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("actions")).unwrap();
    for (number, text) in [("..1", "one"), ("..2", "two")] {
        std::fs::create_dir(path(number)).unwrap();
        std::fs::write(path(number).join("legwork.yml"), "").unwrap();
        std::fs::write(path(number).join("action_x.yml"), says(text)).unwrap();
    }
    std::os::unix::fs::symlink("..1", path("..data")).unwrap();
    std::os::unix::fs::symlink("..data/legwork.yml", path("legwork.yml")).unwrap();
    std::os::unix::fs::symlink("../..data/action_x.yml", path("actions/action_x.yml")).unwrap();
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    assert_eq!(said(&served, "action_x").await, "one");
    std::os::unix::fs::symlink("..2", path("..next")).unwrap();
    std::fs::rename(path("..next"), path("..data")).unwrap();
    another(&served, &first).await;
    assert_eq!(said(&served, "action_x").await, "two");
}

#[tokio::test]
async fn a_hangup_is_heeded_also_where_files_are_not_watched() {
    let folder = project("one");
    let auth = "server: { profile: production, auth: [{ name: a, token: \"${file:token}\" }] }\n";
    put(folder.path(), "token", "s3cret");
    put(folder.path(), "legwork.yml", auth);
    let served = Served::with(folder.path(), &["--host", "127.0.0.1"]).await;
    let status = "/status?token=s3cret";
    let first = served.page(status).await.json()["project"]["version"].clone();
    served.signal("HUP");
    served.says("the project was read again").await;
    put(folder.path(), "actions/action_x.yml", &says("two"));
    served.signal("HUP");
    served.until(status, |page| page["project"]["version"] != first).await;
    let answer = served.call("action_x").caller("s3cret").send().await;
    assert_eq!(answer.said(), ["two"]);
    // Where it is asked for, files are watched in production, too.
    let watching = Served::with(folder.path(), &["--host", "127.0.0.1", "--auto-reload"]).await;
    let second = watching.page(status).await.json()["project"]["version"].clone();
    put(folder.path(), "actions/action_x.yml", &says("three"));
    watching.until(status, |page| page["project"]["version"] != second).await;
    assert_eq!(served.call("action_x").caller("s3cret").send().await.said(), ["two"]);
}

/// Makes a ticket, which is kept in the store.
const ASK: &str = "
steps:
  - call: helpdesk.create_ticket
    with: { subject: s, description: d, email: a@b.example }
    as: ticket
  - say: \"{{ ticket.number }}\"
";

/// A project that keeps something in its store.
fn keeping(text: &str) -> TempDir {
    written(&[("actions/action_x.yml", &says(text)), ("actions/action_ask.yml", ASK)])
}

#[tokio::test]
async fn the_version_before_is_gone_back_to() {
    let folder = keeping("one");
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    let back = || legwork(folder.path(), &["rollback"]);
    let early = back();
    assert!(early.printed.contains(&first), "{}{}", early.printed, early.complained);
    served.says("this server has served no other since its start").await;
    put(folder.path(), "actions/action_x.yml", &says("two"));
    let second = another(&served, &first).await["version"].as_str().unwrap().to_owned();
    assert_eq!(said(&served, "action_x").await, "two");
    assert_eq!(back().code, Some(0));
    let shown = another(&served, &second).await;
    assert_eq!((&shown["version"], &shown["left"]), (&json!(first), &json!(second)));
    assert_eq!(said(&served, "action_x").await, "one");
    // Again, it is another server's business: this one serves the version no more.
    assert_eq!(back().code, Some(0));
    served.says("a version is to be left that this server does not serve").await;
    // The same files again are no change.
    put(folder.path(), "actions/action_x.yml", &says("two"));
    put(folder.path(), "actions/action_y.yml", &says("three"));
    another(&served, &first).await;
    assert_eq!((said(&served, "action_x").await, said(&served, "action_y").await), ("two".into(), "three".into()));
}

#[tokio::test]
async fn servers_without_a_store_cannot_be_told_to_go_back() {
    let folder = project("one");
    let refused = legwork(folder.path(), &["rollback"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.complained.contains("put the files back as they were"), "{}", refused.complained);
}

#[tokio::test]
async fn what_is_of_the_process_waits_for_its_next_start() {
    let folder = project("one");
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    put(folder.path(), "legwork.yml", "server: { turns: 7 }\nturn: { give_up_after: 20s }\n");
    let shown = another(&served, &first).await;
    assert_eq!(shown["needs_a_start"], json!(["server.turns"]));
    assert_eq!(served.page("/status").await.json()["config"]["turn_seconds"], 20.0);
    served.says("server.turns is another now").await;
}

#[tokio::test]
async fn the_first_action_that_writes_opens_the_store() {
    let folder = project("one");
    let served = Served::at(folder.path()).await;
    let first = version(&served).await;
    let kept = async || served.page("/status").await.json()["stores"][0]["kind"].clone();
    assert_eq!((kept().await, folder.path().join("legwork.db").exists()), (json!("memory"), false));
    put(folder.path(), "actions/action_ask.yml", ASK);
    let shown = another(&served, &first).await;
    assert_eq!((kept().await, &shown["needs_a_start"]), (json!("sqlite"), &json!([])));
    let (once, again) = (said(&served, "action_ask").await, said(&served, "action_ask").await);
    assert!(once.starts_with("T-") && once == again, "{once} {again}");
    let listed = legwork(folder.path(), &["outbox", "list", "--state", "done"]);
    assert!(listed.printed.contains("helpdesk.create_ticket"), "{}", listed.printed);
    // What is told by way of the store is heard from then on.
    assert_eq!(legwork(folder.path(), &["rollback"]).code, Some(0));
    let second = shown["version"].as_str().unwrap();
    assert_eq!(another(&served, second).await["version"], json!(first));
}
