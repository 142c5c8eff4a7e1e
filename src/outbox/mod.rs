//! What outlives the call that began it: the work of slow turns, writes and the answers of their turns, and the writes that are
//! made later.
//!
//! [`Running`] is work in memory, [`Writes`] is what the store knows of. Neither knows actions or messages. [`Seen`] is what an
//! operator sees of a write; [`holdings`] and [`purge`] are about everything that is kept of one customer.

mod books;
mod deliver;
mod desk;
mod faults;
mod held;
mod holdings;
mod key;
mod look;
mod notices;
mod places;
mod rules;
mod running;
mod subject;
mod tell;
mod turns;
mod undo;
mod verdict;
mod wanted;
mod writes;

pub use deliver::work;
pub use held::Alive;
pub use holdings::{HeldAnswer, HeldProof, Holdings, Purged, Wishes, holdings, purge};
pub use key::{TurnKey, UserMessage, WriteOf};
pub use look::{Seen, SeenFault, SeenValues, Values, each_write};
pub use notices::{Notice, Notices, Whom, tell_go_back};
pub use rules::Rules;
pub use running::{Bounds, Entered, First, Joined, Running};
pub use subject::Subject;
pub use tell::{Teller, Told, Worker};
pub use undo::Undoing;
pub use wanted::{Entry, Later, Made, Order};
pub use writes::Writes;
