//! The HTTP door: what comes in over the network becomes a call for the engine, and the engine's reply becomes a response.
//!
//! A webhook request goes through [`layers`] (request id, span, panic guard, CORS, authentication), `webhook` (content type,
//! body under its cap, inflating, decoding, the engine) and `reply`, the one place that knows status codes. The door never
//! answers 400 of its own accord: to Rasa that means that an action declined to run.

mod auth;
mod body;
mod connection;
mod cors;
mod entrance;
mod inflate;
mod layers;
mod options;
mod pages;
mod reply;
mod request_id;
mod room;
mod serve;
mod tls;
mod webhook;

pub use axum::Router;
pub use cors::Cors;
pub use entrance::Entrance;
pub use layers::{Answering, router};
pub use options::{AuthEntry, Draining, Facts, Life, Options, Proof};
pub use serve::{Connections, Drain, Serving, serve};
pub use tls::{Tls, TlsFiles};
