//! What stands between an action and a business system that may be slow, down or asked too often.
//!
//! Everything here is generic over what is called: nothing knows a connector, a request or a vendor. The read cache keeps and
//! shares answers, `retry` repeats what failed, [`Limits`] hold back what would be too much.

mod backoff;
pub mod cache;
mod limits;

pub use backoff::{Backoff, retry};
pub use cache::{Cached, Keep, Key, Read, ReadCache};
pub use limits::{Full, Limits, Permit};
