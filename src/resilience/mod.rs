//! What stands between an action and a business system that may be slow, down or asked too often.
//!
//! Everything here is generic over what is called: nothing knows a connector, a request or a vendor. So far it is the read
//! cache; retries, breaker and limits take their places beside it.

pub mod cache;

pub use cache::{Cached, Keep, Key, Read, ReadCache};
