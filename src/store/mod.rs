//! What has to outlive a call: the tokens that a vendor replaces at every use, writes until they are settled and for a time
//! after, the answers of turns, what users proved, and what processes that share a store have to tell one another.
//!
//! A [`Store`] is one database, an SQLite file or a PostgreSQL server that several processes share, and [`Keys`] seal what is
//! in it. Nothing here knows what a write does, what an answer says or where a token comes from. `RedisCache` keeps answers for
//! several processes, as long as it is there.

mod db;
mod durable;
mod migrate;
mod notices;
#[cfg(feature = "postgres")]
mod postgres;
mod proofs;
#[cfg(feature = "redis")]
mod redis;
mod seal;
mod search;
mod sqlite;
mod tokens;
mod turns;
mod verifications;
mod writes;

pub use db::Place;
pub use durable::Store;
pub use notices::Notice;
pub use proofs::MetProof;
#[cfg(feature = "redis")]
pub use redis::RedisCache;
pub use seal::{Keys, NotOpened};
pub use search::{Met, MetTurn};
pub use tokens::{KeptToken, MemoryTokens, NoTokens, StoreError, TokenStore};
pub use turns::KeptTurn;
pub use verifications::{Attempt, By, Challenge, MemoryVerifications, Proved, Sending, VerificationStore, Who};
pub use writes::{Begun, End, Lease, NewWrite, Reach, State, Tally, Written};

#[cfg(test)]
mod tests;
