//! What has to outlive a call: the tokens that a vendor replaces at every use, and what users proved.
//!
//! [`TokenStore`] keeps them, and [`Keys`] seals them, so that a copy of the database gives nobody a token. Nothing here
//! knows where a token comes from or what it is good for. [`VerificationStore`] keeps codes that are under way and what they
//! proved, in memory so far.

mod migrate;
mod seal;
mod sqlite;
mod tokens;
mod verifications;

pub use seal::{Keys, NotOpened};
pub use sqlite::SqliteTokens;
pub use tokens::{MemoryTokens, NoTokens, StoreError, TokenStore};
pub use verifications::{Attempt, By, Challenge, MemoryVerifications, Proved, Sending, VerificationStore, Who};
