//! PostgreSQL: pooled connections, values in the types that a statement asks for, every operation in one transaction.
//!
//! An operation of kind read runs in a read-only transaction, so that it cannot change anything, whatever its functions do.
//! The server itself stops a statement when the call's time is over; a connection that is in doubt is closed, never lent again.
//!
//! Tests (`legwork test`, connectors' examples) never reach a connection's own server. They run on the one that the environment
//! variable `LEGWORK_TEST_POSTGRES` names, each in one transaction that is never committed and whose new tables are temporary,
//! so that even there nothing is left behind; without the variable every call of theirs is `unavailable`, and says so.

mod address;
mod bind;
mod decode;
mod encode;
mod fault;
mod form;
mod lines;
mod numeric;
mod session;
mod system;
mod tables;
mod verify;

pub(super) use system::Postgres;
