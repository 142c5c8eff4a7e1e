//! Stand-in.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::name::{ActionName, CallerName};
use crate::rasa::{Answer, Call, Event, EventKind, Malformed, Message, Object, Reply};
use crate::telemetry::TurnFinished;

/// Stand-in.
#[derive(Default)]
pub struct Engine;

/// Who asked.
pub struct Context {
    /// Who.
    pub caller: CallerName,
    /// Which request.
    pub request_id: Arc<str>,
}

impl Engine {
    /// Runs.
    pub async fn run(self: &Arc<Self>, call: Call, context: Context) -> Result<Reply, Malformed> {
        let started = tokio::time::Instant::now();
        let Some(action) = call.next_action.clone() else { return Ok(Reply::Nothing) };
        let mut answer = Answer::default();
        match action.as_str() {
            "action_fetch_order" => {
                let order: Option<String> = call.tracker.slots.get("order_id")?.parse()?;
                let status = match order.as_deref() {
                    Some("AB-1001") => "shipped",
                    Some("CD-20001") => "delivered",
                    _ => "being packed",
                };
                let variables: Object = [("order_status".to_owned(), json!(status))].into_iter().collect();
                answer.responses.push(Message::response("utter_order_status", variables));
                answer.events.push(Event::slot("order_status", status));
            }
            "action_echo" => {
                let slots: Object = call.tracker.slots.parse::<Option<Object>>()?.unwrap_or_default();
                answer.responses.push(Message::text(slots.get("say").and_then(Value::as_str).unwrap_or_default()));
                answer.responses.push(Message::text(context.caller.as_str()));
                answer.responses.push(Message::text(&*context.request_id));
            }
            "action_end" => answer.events.push(EventKind::SessionEnded.into()),
            "action_reject" => return Ok(Reply::Rejected { action, reason: "not now".into() }),
            #[expect(clippy::panic, reason = "stand-in")]
            "action_panic" => panic!("a bug with {}", std::hint::black_box("hunter2").to_owned()),
            "action_slow" => tokio::time::sleep(Duration::from_millis(300)).await,
            _ => return Ok(Reply::NotRegistered { action }),
        }
        let name = ActionName::parse(&action);
        TurnFinished { action: name.as_ref(), outcome: "answered", elapsed: started.elapsed(), caller: &context.caller }.emit();
        Ok(Reply::Answer(answer))
    }

    /// Names.
    pub fn actions(&self) -> Vec<ActionName> {
        ["action_echo", "action_fetch_order"].iter().filter_map(|name| ActionName::parse(name)).collect()
    }

    /// Status.
    pub fn status(&self) -> Value {
        json!({"actions": 2, "connections": []})
    }
}
