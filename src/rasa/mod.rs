//! The wire types of the Rasa action-server protocol: what a call brings and what an answer may hold.
//!
//! A call is decoded once, in [`decode`], and only as far as every action needs: the parts that few actions read (slots,
//! events, the domain) stay [`Raw`] until somebody asks. An answer cannot hold an event that the client's schema refuses,
//! because [`Event`] is an enum of the events that exist.

mod answer;
mod call;
mod event;
mod message;

pub use answer::{Answer, Reply};
pub use call::{Call, ClientVersion, Malformed, Raw, Tracker};
pub use event::{Event, EventKind};
pub use message::{Button, Message};

/// A JSON object, in the order it was written in.
pub type Object = serde_json::Map<String, serde_json::Value>;
