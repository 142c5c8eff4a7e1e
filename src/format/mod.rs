//! Texts ↔ typed values: what users write becomes data that can be sent, and data becomes words.
//!
//! Everything here is a pure function of its arguments; the time, the zone, the locale and the region come in a [`Context`].
//! A value that is refused is refused with a reason that never quotes it.
//!
//! - In: [`Format::read`] for one value, with [`date_in`], [`number`], [`money`], [`email`], [`phone`] below it.
//! - Out: [`date_out`], [`number`], [`money`], [`list`], [`plural`], [`mask`].
//! - [`moment`] is the calendar: ISO texts, zones, and adding a unit whose name is a value.
//! - [`keywords`] finds words and a severity in free text.
//!
//! Words are built in for English and German; other languages get English words and their own number separators.

mod context;
pub mod date_in;
pub mod date_out;
pub mod email;
pub mod keywords;
mod kind;
pub mod list;
mod locale;
pub mod mask;
pub mod moment;
pub mod money;
pub mod number;
mod pattern;
pub mod phone;
pub mod plural;
mod time_in;
mod tokens;
mod words;

pub use context::{Context, Refusal};
pub use kind::{Choice, Example, Format};
pub use locale::{Language, Locale, Symbols};
pub use pattern::{PatternSpec, ProjectFormat};
