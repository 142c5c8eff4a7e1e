//! Takes a turn with an engine as Rasa does: where the first answer says that it takes longer, it calls again.
//!
//! What it was told, and after how long, is all that comes back; what that is worth is for others to say.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::situation::second;
use crate::engine::{Context, Engine, Trace};
use crate::name::CallerName;
use crate::rasa::{Answer, Call, EventKind, Limits, Malformed, Reply};

/// Rasa stops a turn that goes on without end.
const MOST: usize = 3;

/// One of the answers of a turn.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// How long after the turn began.
    pub(super) after: Duration,
    /// The answer.
    pub(super) reply: Reply,
    /// The name of how the turn went by then.
    pub(super) outcome: &'static str,
}

/// Takes the turn that begins with a call of this body; `verified` is what its user has proved.
///
/// # Errors
/// When it is not a call.
pub(super) async fn take(
    engine: &Engine,
    mut body: Value,
    verified: &[(String, String)],
    trace: &Arc<Trace>,
) -> Result<Vec<Told>, Malformed> {
    let begun = Instant::now();
    let mut told = Vec::new();
    loop {
        let call = Call::decode(Bytes::from(body.to_string()), &Limits::default())?;
        let context = Context { caller: CallerName::anonymous(), request_id: Arc::from("test"), trace: None };
        if !verified.is_empty() {
            engine.vouch(context.caller.clone(), &call.sender_id, verified).await;
        }
        let action = call.next_action.clone().unwrap_or_default();
        let (reply, outcome) = engine.watched(call, context, Arc::clone(trace)).await?;
        let again = asks_again(&reply, &action) && told.len() + 1 < MOST;
        told.push(Told { after: begun.elapsed(), reply, outcome });
        if !again {
            return Ok(told);
        }
        second(&mut body, &action);
    }
}

/// What the user hears and what happens in a whole turn, as one answer: without the events that are Rasa's own business.
pub(super) fn as_one(told: Vec<Told>) -> Option<Reply> {
    let several = told.len() > 1;
    let mut said = Vec::new();
    let mut last = None;
    for Told { reply, .. } in told {
        last = Some(match reply {
            Reply::Answer(Answer { events, responses }) => {
                said.extend(responses);
                Reply::Answer(Answer { events, responses: Vec::new() })
            }
            other => other,
        });
    }
    if let Some(Reply::Answer(answer)) = &mut last {
        answer.responses = said;
        if several {
            without_opening(answer);
        }
    }
    last
}

/// Takes the events out of the second answer of a turn that make the history read as if the action had run once.
pub(super) fn without_opening(answer: &mut Answer) {
    let opened = matches!(
        answer.events.as_slice(),
        [first, second, third, ..]
            if [first, second].iter().all(|event| event.kind == EventKind::Undo)
                && matches!(third.kind, EventKind::Action { .. })
    );
    if opened {
        answer.events.drain(..3);
    }
}

/// Whether an answer asks for the same action once more; the engine lets no other answer do so.
pub(super) fn asks_again(reply: &Reply, action: &str) -> bool {
    let Reply::Answer(answer) = reply else { return false };
    answer.events.iter().any(|event| matches!(&event.kind, EventKind::Followup { name } if name == action))
}
