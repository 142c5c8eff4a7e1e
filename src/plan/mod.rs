//! The only runnable form of a project's files: what stands here cannot be wrong any more.
//!
//! Compiling is pure: it reads no file, clock, environment or network, and gathers every diagnostic.

pub mod connector;

pub use connector::{Connection, Connector, Operation, OperationInput, OperationKind, SettingValue, compile_connector};
