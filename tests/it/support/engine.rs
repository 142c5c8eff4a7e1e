//! An engine that does as the call tells it.

use std::sync::atomic::{AtomicUsize, Ordering};

use legwork::engine::Context;
use legwork::name::ActionName;
use legwork::rasa::{Answer, Call, Event, EventKind, Malformed, Message, Object, Reply};
use legwork::server::Answering;
use legwork::time::Deadline;
use serde_json::{Value, json};
use tokio::sync::Notify;

/// The scripted engine.
#[derive(Default)]
pub struct Script {
    /// Told when `action_wait` has begun.
    pub begun: Notify,
    /// Lets `action_wait` end.
    pub release: Notify,
    /// How many calls came through the door.
    pub calls: AtomicUsize,
}

impl Answering for Script {
    async fn run(&self, call: Call, context: Context) -> Result<Reply, Malformed> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let Some(action) = call.next_action.clone() else { return Ok(Reply::Nothing) };
        let mut answer = Answer::default();
        match action.as_str() {
            "action_echo" => {
                let slots = call.tracker.slots.parse::<Option<Object>>()?.unwrap_or_default();
                answer.responses.push(Message::text(slots.get("say").and_then(Value::as_str).unwrap_or_default()));
                answer.responses.push(Message::text(context.caller.as_str()));
                answer.responses.push(Message::text(&*context.request_id));
            }
            "action_events" => answer.events = vec![Event::slot("unheard_of", 1), EventKind::SessionEnded.into()],
            "action_wait" => {
                self.begun.notify_one();
                self.release.notified().await;
            }
            "action_panic" => panic!("a bug about {}", call.sender_id),
            "action_reject" => return Ok(Reply::Rejected { action, reason: "not now".into() }),
            "action_domain" => return Ok(Reply::NeedsDomain { action: ActionName::parse(&action).unwrap() }),
            _ => return Ok(Reply::NotRegistered { action }),
        }
        Ok(Reply::Answer(answer))
    }

    async fn actions(&self, _: Deadline) -> Vec<String> {
        ["action_echo", "validate_form"].map(str::to_owned).to_vec()
    }

    fn status(&self) -> Value {
        json!({"actions": 2, "connections": []})
    }

    fn stores_down(&self) -> Vec<&'static str> {
        Vec::new()
    }

    async fn health(&self, _: Deadline) -> Value {
        json!({"status": "ok", "connections": []})
    }
}
