//! What the tests share: a real server on a port of its own, a client that speaks plain HTTP/1.1 and hides nothing, an
//! engine that does as it is told, projects made of texts, the log of the whole process, and the binary run in a folder.

mod bot;
mod client;
mod command;
mod desk;
mod engine;
mod held;
mod house;
mod log;
#[cfg(feature = "postgres")]
mod replica;
mod served;
#[cfg(all(feature = "postgres", feature = "redis"))]
mod servers;
mod stores;
mod till;

pub use bot::{Answer, Bot, Call, place, problems, put, written};
pub use client::{Exchange, connect, request};
#[cfg(feature = "postgres")]
pub use command::legwork_with;
pub use command::{Ran, legwork, project};
pub use desk::{CONNECTED, DESK};
pub use engine::Script;
pub use held::{HELD, Held};
pub use house::{House, call, secret};
pub use log::lines_about;
#[cfg(feature = "postgres")]
pub use replica::{Doorway, Replica, Schema};
pub use served::Served;
#[cfg(all(feature = "postgres", feature = "redis"))]
pub use servers::Started;
pub use stores::Kept;
pub use till::{Mood, TILL, Till};
