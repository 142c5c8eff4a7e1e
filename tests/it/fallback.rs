//! Actions that the project does not have: the action server behind this one answers, within the same turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::support::{Bot, Call, problems, request};

/// The server where the actions were before.
struct Old {
    address: String,
    state: Arc<Asked>,
}

struct Asked {
    calls: AtomicUsize,
    begun: Semaphore,
    free: Semaphore,
}

impl Old {
    async fn open() -> Self {
        let state = Arc::new(Asked { calls: AtomicUsize::new(0), begun: Semaphore::new(0), free: Semaphore::new(0) });
        let listed = json!([{ "name": "action_old" }, { "name": "action_ours" }]);
        let router = Router::new()
            .route("/webhook", post(answer))
            .route("/actions", get(move || async move { listed.to_string() }))
            .with_state(Arc::clone(&state));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/webhook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    async fn bot(&self, more: &str) -> Bot {
        let settings = format!("fallback: {{ url: \"{}\" }}\n{more}", self.address);
        Bot::with(&[("legwork.yml", &settings), ("actions/action_ours.yml", "steps: [{ say: Ours. }]\n")]).await
    }
}

async fn answer(State(state): State<Arc<Asked>>, call: String) -> (StatusCode, String) {
    let call: Value = serde_json::from_str(&call).unwrap();
    state.calls.fetch_add(1, Ordering::SeqCst);
    let action = call["next_action"].as_str().unwrap();
    let slot = json!({ "event": "slot", "timestamp": null, "name": "old", "value": call["tracker"]["slots"]["colour"] });
    let said = json!({ "text": format!("Old, in {}.", call["domain"]["marker"]), "buttons": [], "elements": [], "custom": {},
        "template": null, "response": null, "image": null, "attachment": null });
    let answered = json!({ "events": [slot], "responses": [said] });
    let refused = json!({ "error": "not now", "action_name": action });
    match action {
        "action_old" => (StatusCode::OK, answered.to_string()),
        "action_held" => {
            state.begun.add_permits(1);
            state.free.acquire().await.unwrap().forget();
            (StatusCode::OK, answered.to_string())
        }
        "action_declines" => (StatusCode::BAD_REQUEST, refused.to_string()),
        "action_broken" => (StatusCode::INTERNAL_SERVER_ERROR, refused.to_string()),
        "action_strange" => (StatusCode::OK, json!({ "events": [{ "event": "nobody knows" }] }).to_string()),
        "action_digest" => (StatusCode::from_u16(449).unwrap(), refused.to_string()),
        _ => (StatusCode::NOT_FOUND, refused.to_string()),
    }
}

const SLOW: &str = "I'm still checking. One moment, please.";
const AWAY: &str = "I'm having trouble accessing that right now. Please try again in a few minutes.";

#[tokio::test]
async fn what_the_project_does_not_have_the_other_server_answers() {
    let old = Old::open().await;
    let bot = old.bot("").await;
    assert_eq!(bot.call("action_ours").send().await.said(), ["Ours."]);
    let call = bot.call("action_old").slot("colour", "red").domain(json!({ "marker": 7 }));
    let answer = call.send().await;
    assert_eq!(answer.said(), ["Old, in 7."], "the call comes as it was sent");
    assert_eq!(answer.events(), json!([{ "event": "slot", "name": "old", "value": "red" }]));
    for (action, status, error) in [
        ("action_declines", 400, "not now"),
        ("action_gone", 404, "No registered action found for name 'action_gone'."),
        ("action_digest", 449, ""),
    ] {
        let answer = bot.call(action).send().await;
        assert_eq!(answer.status, status, "{action}");
        assert_eq!(answer.json["action_name"], action, "{:?}", answer.json);
        assert!(answer.json["error"].as_str().unwrap().contains(error), "{:?}", answer.json);
    }
    let listed = request(bot.address(), "GET /actions", &[], b"").await.json();
    assert_eq!(listed, json!([{ "name": "action_old" }, { "name": "action_ours" }]));
}

#[tokio::test]
async fn its_turns_have_the_same_deadline_and_the_same_words() {
    let old = Old::open().await;
    let bot = old.bot("turn: { slow_after: 100ms, give_up_after: 10s }\n").await;
    assert_eq!(bot.call("action_broken").send().await.said(), [AWAY]);
    bot.expect_error("does not answer as an action server does");
    assert!(bot.call("action_strange").send().await.said()[0].starts_with("Something went wrong"));
    // Slow: it is waited for in the background, and asked once.
    let before = old.state.calls.load(Ordering::SeqCst);
    let first = bot.call("action_held").slot("colour", "blue").send().await;
    assert_eq!(first.said(), [SLOW]);
    old.state.begun.acquire().await.unwrap().forget();
    let second = Call::to(bot.address(), "action_held").slot("colour", "blue").second().begin();
    old.state.free.add_permits(1);
    let second = second.await.unwrap();
    assert_eq!(second.said(), ["Old, in null."]);
    assert_eq!(second.events().as_array().unwrap().last().unwrap()["value"], "blue");
    assert_eq!(old.state.calls.load(Ordering::SeqCst), before + 1);
}

#[tokio::test]
async fn one_that_is_away_or_too_slow_ends_in_words() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = format!("fallback: {{ url: \"http://{}/webhook\" }}\n", closed.local_addr().unwrap());
    drop(closed);
    let bot = Bot::with(&[("legwork.yml", &settings), ("actions/action_ours.yml", "steps: [{ say: Ours. }]\n")]).await;
    assert_eq!(bot.call("action_old").send().await.said(), [AWAY]);
    assert_eq!(bot.call("action_ours").send().await.said(), ["Ours."]);
    let listed = request(bot.address(), "GET /actions", &[], b"").await.json();
    assert_eq!(listed, json!([{ "name": "action_ours" }]));
    let old = Old::open().await;
    let bot = old.bot("turn: { slow_after: 100ms, give_up_after: 100ms }\n").await;
    assert!(bot.call("action_held").send().await.said()[0].starts_with("That is taking longer"));
}

#[test]
fn what_calls_hold_is_sent_in_the_open_on_this_machine_only() {
    let found = |url: &str| problems(&[("legwork.yml", &*format!("fallback: {{ url: \"{url}\" }}\n"))]);
    assert!(found("http://old:5055/webhook").iter().any(|line| line.starts_with("bad-value legwork.yml:1 what is said")));
    assert!(found("old:5055").iter().any(|line| line.starts_with("bad-value legwork.yml:1 an address begins")));
    assert_eq!(found("https://old.example/webhook").iter().filter(|line| line.contains("legwork.yml")).count(), 0);
}
