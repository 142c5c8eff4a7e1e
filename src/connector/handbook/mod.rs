//! What a connector can do, told to people and programs: the lists, pages and blocks of `legwork connectors`.
//!
//! A [`Sheet`] holds everything as plain data, made of the compiled file and nothing else; the renderers read sheets only, so
//! that screens, pages and JSON cannot say different things. Nothing here opens a connection.

mod block;
mod call;
mod connections;
mod human;
mod markdown;
mod sheet;
mod words;

pub use connections::{connections, tests};
pub use human::{detail, list};
pub use markdown::{index, page};
pub use sheet::{ApiSheet, ExampleSheet, InputSheet, Listed, OperationSheet, Right, SettingSheet, Sheet, Support};
