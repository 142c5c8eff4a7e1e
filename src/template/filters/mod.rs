//! The filters, functions and tests, by what they work on. Each is registered with a line of documentation and an example
//! that is a test.
//!
//! Filters of single values (texts, dates, numbers, masks) pass null through as null; filters of lists take null as an empty
//! list. What is absent is refused before a filter sees it, but for `default`.

mod builtins;
mod dates;
mod lists;
mod numbers;
mod offer;
mod order;
mod picks;
mod regexes;
mod support;
mod texts;

pub(super) use offer::register;
pub(super) use order::compare;
pub(super) use regexes::check as check_regex;
