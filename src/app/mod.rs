//! Composition: a folder becomes a project, a project an engine.
//!
//! This is where files, the environment's secrets and the clock enter; everything below gets them as values.

mod catalogue;
mod load;
mod messages;
mod open;

pub use catalogue::catalogue;
pub use load::{Place, load, read};
pub use messages::{Line, Offered, Row, messages};
pub use open::{callers, connections, engine, facts, probe, test_connections, verify};
