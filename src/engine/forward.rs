//! Actions that the project does not have: the server behind this one answers, within the turn of an action like any other.
//!
//! So a server that is slow is waited for in the background, and one that is away ends in words for the user.

use bytes::Bytes;

use super::run::{Ending, Run};
use crate::fault::{Fault, Outcome};
use crate::rasa::Reply;

impl Run<'_> {
    /// Passes a call on.
    pub(super) async fn forward(&mut self, call: Bytes) -> Ending {
        let replied = match &self.engine.parts.fallback {
            Some(fallback) => fallback.forward(call, self.deadline).await,
            None => Err(Fault::new(Outcome::Misconfigured, "there is no server to pass the call on to")),
        };
        match replied {
            Ok(Reply::Answer(answer)) => {
                self.messages.extend(answer.responses);
                self.events.extend(answer.events);
                Ending::Answered
            }
            Ok(Reply::Rejected { reason, .. }) => Ending::Rejected(reason),
            Ok(Reply::NotRegistered { .. }) => Ending::NotRegistered,
            Ok(Reply::NeedsDomain { .. }) => Ending::NeedsDomain,
            Ok(Reply::Nothing) => Ending::Answered,
            Err(fault) => {
                self.say_fault(&fault);
                Ending::Answered
            }
        }
    }
}
