//! Runs the examples of a project against the engine: `tests:` blocks of actions, and the
//! examples of its own connectors.
//!
//! Every test has systems of its own, so that tests cannot see each other. It goes through the same decoding and the same
//! engine as a call from Rasa.

mod compare;
mod examples;
mod report;
mod situation;
mod suite;

pub(crate) use compare::shown;
pub use examples::{Examples, examples};
pub use report::{Failure, Report, Result};
pub use situation::body;
pub use suite::{Selection, run};
