//! The only runnable form of a project's files: what stands here cannot be wrong any more.
//!
//! [`compile`] is the arrow from files as written to a [`Project`]. It is pure: it reads no file, clock, environment or
//! network, and it gathers every diagnostic instead of stopping at the first.

pub mod action;
pub mod assistant;
mod calls;
mod compile;
pub mod connector;
pub mod domain;
pub mod fallback;
pub mod messages;
mod print;
mod project;
mod reading;
mod sets;
pub mod settings;
pub mod testcase;
mod unwritten;
mod value;
pub mod wording;

pub use compile::{NativeFacts, OFFERED, Sources, compile, formats};
pub use print::print;
pub use project::{Given, Project, SANDBOX, SANDBOXED, Wire};
pub use settings::{Limits, Times};
pub use value::Value;
