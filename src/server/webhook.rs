//! The webhook: a body becomes a call, the engine's reply a response.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::connection::Waits;
use super::layers::{Answering, Door, Visitor};
use super::reply::{self, Refusal};
use super::{body, inflate};
use crate::engine::Context;
use crate::rasa::{Call, Reply};
use crate::telemetry::EventDropped;

/// Answers `POST /webhook`.
pub(super) fn webhook<E: Answering>(
    State(door): State<Arc<Door<E>>>,
    visitor: Visitor,
    request: Request,
) -> impl Future<Output = Response> + Send {
    // In a box of its own: an answer may take long, and need not have room for what reading the request took.
    let call = read(Arc::clone(&door), request).boxed();
    async move {
        let _running = door.requests.begin();
        match answer(&door, visitor, call).await {
            Ok(reply) => {
                tracing::debug!(reply = reply::describe(&reply), "answered");
                reply::reply(&reply)
            }
            Err(refusal) => refusal.into_response(),
        }
    }
}

/// Reads the body and what is in it.
async fn read<E: Answering>(door: Arc<Door<E>>, request: Request) -> Result<Box<Call>, Refusal> {
    let (parts, sent) = request.into_parts();
    if !body::is_json(&parts.headers) {
        return Err(Refusal::NotJson);
    }
    let options = &door.options;
    let encodings = inflate::encodings(&parts.headers)?;
    let sent = body::read(sent, options.body_limit, options.body_timeout, &door.room).await?;
    if let Some(waits) = parts.extensions.get::<Waits>() {
        waits.begin();
    }
    let text = inflate::inflate(sent, encodings, options.body_limit, &door.room).await?;
    Call::decode(text, &options.limits).map(Box::new).map_err(Refusal::Malformed)
}

/// What is in a box, which is gone then; one that something was moved out of stays as long as its variable.
#[expect(clippy::boxed_local, reason = "opening the box is what it does")]
fn unboxed<T>(inner: Box<T>) -> T {
    *inner
}

async fn answer<E: Answering>(
    door: &Door<E>,
    visitor: Visitor,
    call: BoxFuture<'static, Result<Box<Call>, Refusal>>,
) -> Result<Reply, Refusal> {
    let call = call.await?;
    let version = call.version;
    let action = call.next_action.clone().unwrap_or_default();
    let context = Context { caller: visitor.caller, request_id: visitor.request_id, trace: None };
    let reply = door.engine.run(unboxed(call), context).await.map_err(Refusal::Malformed)?;
    let Reply::Answer(answer) = reply else { return Ok(reply) };
    let (answer, dropped) = answer.fit(version);
    for event in dropped {
        EventDropped { event: event.event, reason: event.reason, action: &action }.emit();
    }
    Ok(Reply::Answer(answer))
}
