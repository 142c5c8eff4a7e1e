//! The two things that can be done in a conversation from outside: saying something, and starting a turn.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::answer::{Told, told};
use super::open::Assistant;
use super::request::events;
use crate::connector::http::{Outgoing, shown};
use crate::fault::Fault;
use crate::rasa::{Message, Object};
use crate::telemetry::CalledBack;
use crate::time::Deadline;

impl Assistant {
    /// Says messages in a conversation, in one call. An active form and everything else in it stays as it is.
    ///
    /// To be called after the answer of that conversation's turn is out. Dropping the future while it waits for the
    /// conversation unsays it; after a `timeout` or a lost connection it was almost certainly not said. With several
    /// messages, a channel that fails in the middle has brought the first ones when the whole is said again.
    ///
    /// # Errors `invalid` when a message is a response of the domain, or when the sender id cannot stand in an address;
    /// `unavailable` when the assistant or its channel is down, or the conversation busy for too long; `timeout` after the
    /// time of the settings; `misconfigured` for address, credentials, or an API that is not switched on; `rate_limited` and
    /// `unexpected` for what stands between. Only the first is the message's fault; all others may go well later.
    pub async fn say(&self, sender: &str, messages: &[Message]) -> Result<Told, Fault> {
        let request = events(messages)
            .and_then(|events| self.to(sender, "tracker/events", &[("execute_side_effects", "true")], &events));
        self.call("say", request, "", sender).await
    }

    /// Starts a turn in a conversation as if the user had meant this intent, and waits for its end. Entities are name →
    /// value; both have to be in the assistant's domain. The turn's actions may be legwork's own.
    ///
    /// While a form is active, the form takes this for an answer to its question: prefer [`Self::say`] where one may be.
    ///
    /// # Errors As [`Self::say`], and `not_found` when the domain does not have the intent. After a `timeout` its actions
    /// may have run, though what they said and set is gone.
    pub async fn trigger(&self, sender: &str, intent: &str, entities: &Object) -> Result<Told, Fault> {
        let body: Value = json!({ "name": intent, "entities": entities });
        let request = self.to(sender, "trigger_intent", &[], &body);
        self.call("trigger", request, "tracker", sender).await
    }

    async fn call(
        &self,
        way: &'static str,
        request: Result<Outgoing, Fault>,
        at: &str,
        sender: &str,
    ) -> Result<Told, Fault> {
        let started = Instant::now();
        let ended = match request {
            Ok(request) => {
                let host = shown(&self.base);
                let answer = self.client.send(request, Deadline::after(self.timeout)).await;
                answer.and_then(|answer| told(&answer, &host, at, sender, &self.channel))
            }
            Err(fault) => Err(fault),
        };
        let unheard = ended.as_ref().is_ok_and(|told| !told.heard);
        let (caller, fault, elapsed) = (&self.caller, ended.as_ref().err(), started.elapsed());
        CalledBack { caller, way, fault, unheard, elapsed }.emit();
        ended
    }
}
