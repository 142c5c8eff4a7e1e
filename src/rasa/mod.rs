//! The wire types of the Rasa action-server protocol: what a call brings and what an answer may hold.
//!
//! A call is decoded in one place, [`Call::decode`], and only as far as every action needs: the parts that few actions read
//! (slots, events, the domain) stay [`Raw`] until somebody asks. An answer cannot hold an event that the protocol does not
//! know, because [`EventKind`] is an enum of the events that exist; what a certain client would refuse nonetheless,
//! [`Answer::fit`] takes out.

mod answer;
mod call;
mod cursor;
mod decode;
mod domain;
mod event;
mod lens;
mod malformed;
mod mend;
mod message;
mod raw;
mod reread;
mod skip;
mod version;

pub use answer::{Answer, Dropped, Reply};
pub use call::{Call, Tracker};
pub use decode::Limits;
pub use domain::{Condition, Domain, Form, Mapping, Slot};
pub use event::{Event, EventField, EventKind, Shape};
pub use malformed::Malformed;
pub use message::{Button, Message};
pub use raw::Raw;
pub use version::ClientVersion;

/// A JSON object, in the order it was written in.
pub type Object = serde_json::Map<String, serde_json::Value>;
