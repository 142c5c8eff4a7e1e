//! SQLite, in a file or in memory. It works on threads of the driver, never on the runtime's.

mod bind;
mod fault;
mod open;
mod rows;
mod scratch;
mod sessions;
mod tables;
mod work;

pub(super) use open::{Origin, Sqlite};
pub use scratch::Fresh;
