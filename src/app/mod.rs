//! Composition: a folder becomes a project, a project an engine.
//!
//! This is where files, the environment's secrets and the clock enter; everything below gets them as values.

mod assistants;
mod catalogue;
mod load;
mod messages;
mod open;
mod room;
mod staged;
mod store;
mod stories;

pub use assistants::{assistant_facts, assistants, each_assistant};
pub use catalogue::catalogue;
pub use load::{Place, load, read};
pub use messages::{Line, Offered, Row, messages};
pub use open::{callers, connections, engine, facts, probe, test_connections, verify};
pub use room::{Room, open_more_files, room};
pub use staged::{nowhere, unstageable};
pub use store::{existing as existing_store, keeps, open as open_store};
pub use stories::{StoryFiles, stories};
