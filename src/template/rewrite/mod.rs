//! The pass between parsing and code: finds what is unknown, gathers the names, and puts bounds where the engine has none.
//!
//! - `+`, `*`, `~`, `in`, slices and the four orderings become our own operators, which are bounded and do not guess.
//! - Raw text inside a block is printed as a value, so that what a loop prints is counted.
//! - `null` is what YAML and JSON call `none`.
//! - An `if` expression without `else` is null, not an absent value.
//! - Filters, tests and functions are looked up now, where their place is known, rather than when the line runs.

mod expressions;
mod guards;
mod nodes;
mod pass;
mod statements;

pub(super) use nodes::range_of;
pub(super) use pass::Rewriter;
