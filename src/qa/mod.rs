//! Runs the examples of a project against the engine: `tests:` blocks of actions, and the examples of its own connectors; and
//! rehearses its actions while systems fail. Plays stories and test cases, with the actions alone or with a running assistant.
//!
//! Every test has systems of its own, so that tests cannot see each other. It goes through the same decoding and the same
//! engine as a call from Rasa, and where a turn is slow its second call is made too.

mod bench;
mod compare;
mod examples;
mod filling;
mod live;
mod player;
pub mod recording;
mod rehearse;
mod report;
mod saved;
mod scenes;
mod script;
mod situation;
mod stories;
mod suite;
mod tracker;
mod turn;
mod yaml;

pub(crate) use compare::shown;
pub use examples::{Examples, examples};
pub use live::live;
pub use rehearse::{Rehearsal, Wanted, WantedFault};
pub use report::{Failure, Report, Result, Taken};
pub use saved::{Saved, last_test, with_test};
pub use scenes::{Heard, Rehearsals, Scene, Unrehearsed};
pub use situation::body;
pub use stories::Stories;
pub use suite::{Selection, run};
