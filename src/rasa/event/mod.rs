//! The events of the protocol: what an answer may do to the conversation.
//!
//! One table, [`fields`], says which keys each event has; reading what a designer wrote, writing for the wire and
//! the project's own schema all go by it.

mod fields;
mod kind;
mod read;
mod write;

pub use fields::{EventField, Shape};
pub use kind::{Event, EventKind};
