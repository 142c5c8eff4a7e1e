//! Stand-in.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::name::{ActionName, CallerName};
use crate::rasa::{Answer, Call, Event, Malformed, Message, Object, Reply};
use crate::telemetry::TurnFinished;

/// Stand-in.
#[derive(Default)]
pub struct Engine;

/// Who asked.
#[derive(Debug, Clone)]
pub struct Context {
    /// Who.
    pub caller: CallerName,
    /// Which request.
    pub request_id: Arc<str>,
}

impl Engine {
    /// Runs.
    pub async fn run(&self, call: Call, context: Context) -> Result<Reply, Malformed> {
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
            _ => return Ok(Reply::NotRegistered { action }),
        }
        let name = ActionName::parse(&action);
        TurnFinished { action: name.as_ref(), outcome: "answered", elapsed: started.elapsed(), caller: &context.caller }
            .emit();
        Ok(Reply::Answer(answer))
    }

    /// Names.
    pub fn actions(&self) -> Vec<ActionName> {
        ["action_fetch_order"].iter().filter_map(|name| ActionName::parse(name)).collect()
    }

    /// Status.
    pub fn status(&self) -> Value {
        json!({"actions": 2, "connections": []})
    }
}
