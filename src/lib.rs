//! legwork, an action server for Rasa assistants.
//!
//! Actions and business systems are YAML files; this crate is the engine that checks and runs them. The modules are
//! floors of one house: each imports from lower floors only, which `tests/floor_plan.rs` holds. From the ground up:
//!
//! - 0: [`name`], [`time`], [`secret`], [`diag`]
//! - 1: [`rasa`], [`model`], [`fault`], [`format`](mod@format), [`spec`]
//! - 2: [`template`], [`telemetry`]
//! - 3: [`store`]
//! - 4: [`resilience`]
//! - 5: [`plan`]
//! - 6: [`connector`]
//! - 7: [`outbox`]
//! - 8: [`engine`]
//! - 9: [`server`]
//! - 10: [`qa`]
//! - 11: [`app`]
//! - 12: [`cli`]

pub mod app;
pub mod cli;
pub mod connector;
pub mod diag;
pub mod engine;
pub mod fault;
pub mod format;
pub mod model;
pub mod name;
pub mod outbox;
pub mod plan;
pub mod qa;
pub mod rasa;
pub mod resilience;
pub mod secret;
pub mod server;
pub mod spec;
pub mod store;
pub mod telemetry;
pub mod template;
pub mod time;

pub use cli::Server;
