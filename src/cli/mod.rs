//! The command line.

mod flags;

pub use flags::ServeFlags;
