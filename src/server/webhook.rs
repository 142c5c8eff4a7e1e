//! The webhook: a body becomes a call, the engine's reply a response.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};

use super::layers::{Answering, Door, Visitor};
use super::reply::{self, Refusal};
use super::{body, inflate};
use crate::engine::Context;
use crate::rasa::{Call, Reply};
use crate::telemetry::EventDropped;

/// Answers `POST /webhook`.
pub(super) async fn webhook<E: Answering>(State(door): State<Arc<Door<E>>>, visitor: Visitor, request: Request) -> Response {
    let _running = door.requests.begin();
    match answer(&door, visitor, request).await {
        Ok(reply) => {
            tracing::debug!(reply = reply::describe(&reply), "answered");
            reply::reply(&reply)
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn answer<E: Answering>(door: &Door<E>, visitor: Visitor, request: Request) -> Result<Reply, Refusal> {
    let (parts, sent) = request.into_parts();
    if !body::is_json(&parts.headers) {
        return Err(Refusal::NotJson);
    }
    let options = &door.options;
    let encodings = inflate::encodings(&parts.headers)?;
    let sent = body::read(sent, options.body_limit, options.body_timeout).await?;
    drop(parts);
    let text = inflate::inflate(sent, encodings, options.body_limit).await?;
    let call = Call::decode(text, &options.limits).map_err(Refusal::Malformed)?;
    let version = call.version;
    let action = call.next_action.clone().unwrap_or_default();
    let context = Context { caller: visitor.caller, request_id: visitor.request_id };
    let reply = door.engine.run(call, context).await.map_err(Refusal::Malformed)?;
    let Reply::Answer(answer) = reply else { return Ok(reply) };
    let (answer, dropped) = answer.fit(version);
    for event in dropped {
        EventDropped { event: event.event, reason: event.reason, action: &action }.emit();
    }
    Ok(Reply::Answer(answer))
}
