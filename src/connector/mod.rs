//! The business systems: opens what legwork.yml connects to and runs operations on it.
//!
//! [`Connections::call`] is the one way in. What is around a call (cache, deadline, model) is composed in `stack`, and how
//! a kind of system is talked to is a module of its own: `sql`, over SQLite and PostgreSQL, and `http`. [`catalog`]
//! holds the connectors that come with legwork. [`assistant`] is apart from all that: the way back to the assistants that call.
//! Nothing here decides what a user is told, and no value of a user reaches an error's text or a log.

pub mod assistant;
mod attempts;
mod auth;
mod batch;
pub mod catalog;
mod chain;
mod composed;
mod connections;
mod dry;
mod examples;
mod facts;
mod fallback;
pub mod handbook;
mod http;
mod key;
mod open;
mod origin;
mod probe;
mod pulse;
mod rehearsal;
mod reply;
mod results;
mod sql;
mod stack;
mod tape;
mod tree;
mod wire;

pub use crate::plan::connector::Again;
pub use assistant::{Assistant, Assistants};
pub use chain::{BreakerHealth, Spared};
pub use composed::Composing;
pub use connections::{Answered, Connections, How, Problem, Surroundings, Writing};
pub use examples::{Seen, decoded, requests_of, run_examples};
pub use facts::{BreakerFacts, Facts, FaultFacts, LimitFacts, OperationFacts, SenderFacts, facts};
pub use fallback::Fallback;
pub use key::WriteKey;
pub use probe::Tested;
pub use pulse::{ConnectionHealth, Health, Last, Pulse};
pub use sql::Fresh;
pub use tape::{StoodIn, Tape};
pub use wire::{Ended, Fate, Noted, Notes, Wire};

#[cfg(test)]
mod tests;
