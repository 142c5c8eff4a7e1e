//! What outlives the call that began it. Now that is the work of slow turns, in memory; it knows neither actions nor messages.

mod key;
mod running;

pub use key::{TurnKey, UserMessage};
pub use running::{Bounds, Entered, First, Joined, Running};
