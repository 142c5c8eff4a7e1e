//! Asks an assistant how a conversation stands, for somebody who tries an action on it.

use serde_json::Value;

use super::answer::refused;
use super::open::Assistant;
use crate::connector::http::shown;
use crate::fault::{Fault, Outcome};
use crate::time::Deadline;

impl Assistant {
    /// The tracker of a conversation, as `GET /conversations/SENDER/tracker` gives it: everything that was said in it.
    ///
    /// # Errors `invalid` when the sender id cannot stand in an address; `misconfigured` for address, credentials, an API that
    /// is not switched on, or an answer that no Rasa gives; `unavailable` and `timeout` as for [`Assistant::say`]. Rasa makes a
    /// conversation that it does not know, so one that does not exist is empty.
    pub async fn tracker(&self, sender: &str) -> Result<Value, Fault> {
        let (request, host) = (self.of(sender, "tracker")?, shown(&self.base));
        let answer = self.client.send(request, Deadline::after(self.timeout)).await?;
        refused(&answer, &host)?;
        let tracker: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        if tracker["sender_id"] != *sender || !tracker["slots"].is_object() {
            let text = format!("{host} does not answer as a Rasa does about this conversation: check the address");
            return Err(Fault::new(Outcome::Misconfigured, text));
        }
        Ok(tracker)
    }
}
