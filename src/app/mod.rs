//! Composition: a folder becomes a project, a project an engine.
//!
//! This is where files, the environment's secrets and the clock enter; everything below gets them as values.

mod assistants;
mod catalogue;
mod known;
mod live;
mod load;
mod messages;
mod open;
mod opened;
mod recordings;
mod room;
mod staged;
mod store;
mod stories;

pub use assistants::{assistant_facts, assistants, each_assistant, tracker};
pub use catalogue::catalogue;
pub use known::{Ground, ground, known};
pub use live::{Given, Live, Watched};
pub use load::{Folders, Place, folders, load, read};
pub use messages::{Line, Offered, Row, messages};
pub use open::{callers, connections, facts, probe, test_connections, verify};
pub use opened::{Opened, engine};
pub use recordings::{everything, load_with, vocabulary};
pub use room::{Room, open_more_files, room};
pub use staged::{nowhere, unstageable};
pub use store::{existing as existing_store, keeps, open as open_store};
pub use stories::{StoryFiles, stories};
