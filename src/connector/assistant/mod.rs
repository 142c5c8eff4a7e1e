//! Calling assistants back: over Rasa's own HTTP API, to say something in a conversation or to start a turn in it.
//!
//! [`Assistants`] knows the way back to each caller, an [`Assistant`] is one of them. Nothing is repeated here and nothing
//! waits for a conversation to be free but the assistant itself: a call has to be made after the answer of the turn that it
//! belongs to is out, since Rasa holds the conversation until then. What is said, the conversation it is said in and the
//! credentials get into no log and no error.
//!
//! What was measured on Rasa Open Source 3.6.21:
//! - A call waits while a turn runs in its conversation, looks once a second, and comes after what that turn said. After 60
//!   s (`TICKET_LOCK_LIFETIME`) Rasa takes the turn for lost and lets the call go beside it. Other conversations are not
//!   held up.
//! - A call that is given up while it waits is not made. A `trigger` that is given up in the middle is dropped with all that
//!   its actions said and set, though they ran.
//! - A `bot` event is sent to the channel, then kept in the conversation. When the channel fails, as the callback channel
//!   does whose server is gone, the answer is a 500 and nothing is kept; when that server answers with an error, the answer
//!   is a 200.
//! - On a channel that can only answer, such as `rest`, and on one that is not set up, the answer is a 200 as ever, the
//!   message is kept in the conversation, and nobody hears it; so it is on `socketio` when the user is no longer connected.
//! - A conversation that does not exist is made, with a session start; its users have no channel yet.
//! - The conversation's id is read from the path as it stands: what would have to be encoded there leads to another one.
//! - While a form is active, the text of a triggered intent (`EXTERNAL: NAME`) is taken for the answer to the form's
//!   question; a `bot` event leaves the form as it is.
//! - The statuses: 401 for wrong credentials, 404 with a reason for an unknown intent, 404 without one where `--enable-api`
//!   is missing, 400 for an event of no known shape, 500 for everything that fails inside, a lock that is not to be had
//!   among it.

mod answer;
mod conversation;
mod open;
mod probe;
mod request;
mod sheet;
mod talk;
mod token;
mod tracker;

pub use answer::{Told, can_push};
pub(super) use open::place;
pub use open::{Assistant, Assistants};
pub use probe::Tested;
pub use sheet::{Facts, facts, list};
pub use talk::Talk;

#[cfg(test)]
mod tests;
