//! What a call is answered with, before the door gives it a status.

use serde::Serialize;

use super::{Event, Message};
use crate::name::ActionName;

/// The body of a 200.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answer {
    /// Events for the tracker, applied in order after the messages were said.
    pub events: Vec<Event>,
    /// Messages, said in order.
    pub responses: Vec<Message>,
}

/// Everything that a call can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// 200 with messages and events.
    Answer(Answer),
    /// 200 `null`: the call named no action.
    Nothing,
    /// 400: the action declined to run, so that Rasa's policies predict another one.
    Rejected {
        /// The action that declined.
        action: String,
        /// Why, for Rasa's log.
        reason: String,
    },
    /// 404: no such action here.
    NotRegistered {
        /// The name that was asked for.
        action: String,
    },
    /// 449: the action reads the domain, and this call sent only its digest.
    NeedsDomain {
        /// The action that reads it.
        action: ActionName,
    },
}
